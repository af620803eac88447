//! When everything is made: as late as what needs it allows, so that one walk makes as many results as can be.

use crate::cut::{Cuts, Sides};
use crate::lower::{Lowering, Reads, Root};
use crate::program::Role;
use lossmith_core::Plan;
use lossmith_core::graph::Node;
use std::collections::{BTreeMap, BTreeSet};

impl Lowering {
    /// The phase of each root and then of each joint, and how many others of its phase come before it one after the
    /// other.
    pub(crate) fn schedule(
        &self,
        plan: &Plan,
        arguments: &[Reads],
        roots: &[Root],
        cuts: &mut Cuts,
        sides: &mut Sides,
    ) -> Vec<(usize, usize)> {
        // A node for each: of a root that a pass keeps, the one that is read.
        let kept: BTreeMap<usize, usize> =
            cuts.of.iter().map(|(&node, &made)| (made, node)).collect();
        let leaves = |root: &Root| root.output.is_some_and(|place| place < plan.leaving().len());
        let of_root = |root: &Root| match root.output {
            Some(place) if !leaves(root) => kept[&(place - plan.leaving().len())],
            Some(_) => self.alias[root.node],
            None => root.node,
        };
        let joints = cuts.between.iter().map(|between| between.node);
        let nodes: Vec<usize> = roots.iter().map(of_root).chain(joints).collect();
        let own = |unit: usize| roots.get(unit).is_none_or(|root| !leaves(root));
        let unit_of: BTreeMap<usize, usize> =
            (0..nodes.len()).filter(|&unit| own(unit)).map(|unit| (nodes[unit], unit)).collect();
        let adds_up = |node: usize| {
            let joint = cuts
                .between
                .iter()
                .any(|between| between.node == node && between.joint.role == Role::Terms);
            joint || matches!(self.nodes[node].0, Node::Fold(..))
        };

        // How many phases still come after each node.
        let mut later: Vec<Option<usize>> = vec![None; arguments.len()];
        for (unit, &node) in nodes.iter().enumerate() {
            // What leaves as a copy is read once more.
            let copied = !own(unit) && unit_of.contains_key(&node) && adds_up(node);
            later[node] = later[node].max(Some(usize::from(copied)));
        }
        for index in (0..arguments.len()).rev() {
            let Some(after) = later[index].filter(|_| self.live[index]) else { continue };
            for &argument in &arguments[index] {
                let after = after + usize::from(adds_up(argument));
                later[argument] = later[argument].max(Some(after));
            }
        }
        let later = |unit: usize| later[nodes[unit]].filter(|_| own(unit)).unwrap_or(0);
        let most = (0..nodes.len()).map(later).max().unwrap_or(0);

        let needs = |unit: usize| {
            let (mut needs, mut seen) = (BTreeSet::new(), BTreeSet::new());
            let node = nodes[unit];
            let mut open = if own(unit) { arguments[node].to_vec() } else { vec![node] };
            while let Some(index) = open.pop() {
                match unit_of.get(&index) {
                    Some(&other) => drop(needs.insert(other)),
                    None if seen.insert(index) => open.extend(&arguments[index]),
                    None => {}
                }
            }
            needs
        };
        let mut order: Vec<usize> = (0..nodes.len()).collect();
        order.sort_by_key(|&unit| (!own(unit), nodes[unit]));
        let mut when = vec![(0, 0); nodes.len()];
        let mut wholes = BTreeSet::new();
        for unit in order {
            let own = most - later(unit);
            let mut depth = 0;
            for other in needs(unit) {
                let (phase, before) = when[other];
                if phase == own {
                    depth = depth.max(before + 1);
                } else {
                    wholes.insert(nodes[other]);
                }
            }
            when[unit] = (own, depth);
        }
        for (node, &made) in &cuts.of {
            let made = &mut cuts.made[made];
            let by_rows = cuts.rows.is_some() && sides.of(made.shape[0]) == cuts.rows;
            made.whole = !by_rows || wholes.contains(node);
        }
        when
    }
}
