//! Where a plan's graph is cut: products of matrices and sums across rows are no walks over one frame, so what they
//! are made of and what they give are tensors of their own, made between passes, a few rows at a time where that can be.

use crate::lower::{CLASS, Key, Lowering, Reads, Root, mask};
use crate::program::{Joint, Made, Operand, Role, Source};
use lossmith_core::Plan;
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::op::Axis;
use std::collections::{BTreeMap, BTreeSet};
use std::mem::replace;

/// Which sides are the same one.
pub(crate) struct Sides {
    known: Vec<Dim>,
    same: Vec<usize>,
}

impl Sides {
    /// Every side by a number, the same for sides that broadcasts or products join.
    pub(crate) fn new(nodes: &[(Node, Shape)]) -> Self {
        let mut sides = Self { known: Vec::new(), same: Vec::new() };
        for &(node, shape) in nodes {
            for dim in shape {
                sides.of(dim);
            }
            let of = |id: Id| nodes[id.index()].1;
            match node {
                Node::Matmul(a, b, [turn_a, turn_b]) => {
                    let ([rows_a, columns_a, inner_a], [rows_b, columns_b, inner_b]) =
                        (of(a), of(b));
                    let (rows, terms) =
                        if turn_a { (columns_a, rows_a) } else { (rows_a, columns_a) };
                    if !turn_a || inner_a == Dim::One {
                        sides.join(shape[0], rows);
                    }
                    if (turn_a || inner_a == Dim::One) && (!turn_b || inner_b == Dim::One) {
                        sides.join(terms, if turn_b { columns_b } else { rows_b });
                    }
                }
                Node::Unary(..)
                | Node::Binary(..)
                | Node::Select(..)
                | Node::AtLabel(..)
                | Node::Spread(_)
                | Node::Detach(_) => {
                    for argument in node.arguments() {
                        for (own, whole) in of(argument).into_iter().zip(shape) {
                            sides.join(own, whole);
                        }
                    }
                }
                Node::Constant(_)
                | Node::Input(_)
                | Node::Size(..)
                | Node::Reduce(..)
                | Node::Fold(..)
                | Node::Take(..)
                | Node::Put(..) => {}
            }
        }
        sides
    }

    /// The number of a side; none of one.
    pub(crate) fn of(&mut self, dim: Dim) -> Option<usize> {
        if dim == Dim::One {
            return None;
        }
        let mut at = self.known.iter().position(|&known| known == dim).unwrap_or_else(|| {
            self.known.push(dim);
            self.same.push(self.same.len());
            self.same.len() - 1
        });
        while self.same[at] != at {
            at = self.same[at];
        }
        Some(at)
    }

    fn join(&mut self, a: Dim, b: Dim) {
        // Most sides that meet are one already.
        if a == b {
            return;
        }
        if let (Some(a), Some(b)) = (self.of(a), self.of(b)) {
            self.same[a.max(b)] = a.min(b);
        }
    }
}

/// A product or a sum across rows, and when it is made.
pub(crate) struct Between {
    pub(crate) node: usize,
    pub(crate) joint: Joint,
}

/// What the cuts of a graph come to.
#[derive(Default)]
pub(crate) struct Cuts {
    /// The tensors between passes, each with the node it is.
    pub(crate) made: Vec<Made>,
    pub(crate) of: BTreeMap<usize, usize>,
    /// Those that passes make.
    pub(crate) roots: Vec<Root>,
    pub(crate) between: Vec<Between>,
    /// The side along which rows are taken a few at a time.
    pub(crate) rows: Option<usize>,
    /// The inputs that each pass reads.
    reads: BTreeSet<(usize, Key)>,
}

impl Cuts {
    /// Notes what the pass of a root reads, given what that is computed from.
    pub(crate) fn read(&mut self, lowering: &Lowering, reach: &[usize], key: Key) {
        for &index in reach {
            let picked = lowering.pick(index).map(|(_, hit)| hit);
            for index in [Some(index), picked].into_iter().flatten() {
                if let Node::Input(input) = lowering.nodes[index].0 {
                    self.reads.insert((input, key));
                }
            }
        }
    }

    /// How many passes and joints read an input.
    pub(crate) fn readers(&self, input: usize) -> usize {
        let passes = self.reads.iter().filter(|(other, _)| *other == input).count();
        let operands = self.between.iter().flat_map(|between| &between.joint.operands);
        passes
            + operands
                .filter(|of| matches!(of.source, Source::Input(other) if other == input))
                .count()
    }
}

impl Lowering {
    /// Cuts the graph; `arguments` are those of every node before it.
    pub(crate) fn cut(&mut self, plan: &Plan, arguments: &[Reads]) -> Cuts {
        let mut cuts = Cuts::default();
        let inputs = plan.entering().len();
        let live: Vec<_> = (0..arguments.len()).filter(|&index| self.live[index]).collect();
        for &index in &live {
            let node = self.nodes[index].0;
            let ids = match node {
                Node::Matmul(a, b, _) => vec![a, b],
                Node::Reduce(_, x, Axis::Batch | Axis::Inner) => vec![x],
                Node::Reduce(_, _, Axis::Class)
                | Node::Constant(_)
                | Node::Input(_)
                | Node::Size(..)
                | Node::Unary(..)
                | Node::Binary(..)
                | Node::Select(..)
                | Node::Fold(..)
                | Node::AtLabel(..)
                | Node::Take(..)
                | Node::Put(..)
                | Node::Spread(_)
                | Node::Detach(_) => continue,
            };
            let operands = ids.into_iter().map(|id| {
                let (target, shape) = (self.alias[id.index()], self.nodes[id.index()].1);
                let source = match self.nodes[target] {
                    (_, NUMBER) => Source::Number(target),
                    (Node::Input(input), _) => Source::Input(input),
                    _ => Source::Input(self.keep(&mut cuts, plan, target)),
                };
                Operand { source, shape }
            });
            let operands = operands.collect();
            let place = self.place(&mut cuts, plan, index, arguments);
            let joint = Joint { node, operands, place, role: Role::Once };
            if let Some(made) = place.checked_sub(plan.leaving().len()) {
                self.nodes[index].0 = Node::Input(inputs + made);
                cuts.of.insert(index, made);
            }
            cuts.between.push(Between { node: index, joint });
        }
        cuts
    }

    /// Where the result of a joint goes: straight to what leaves, if nothing else reads it.
    fn place(&self, cuts: &mut Cuts, plan: &Plan, index: usize, arguments: &[Reads]) -> usize {
        let leaves = |place: &usize| {
            let id = plan.leaving()[*place].id().map(Id::index);
            id.is_some_and(|id| {
                self.alias[id] == index && mask(self.nodes[id].1) == mask(self.nodes[index].1)
            })
        };
        let mut leaving = (0..plan.leaving().len()).filter(leaves);
        let others = (0..arguments.len())
            .filter(|&other| self.live[other] && self.alias[other] == other)
            .any(|other| arguments[other].contains(&index));
        match (leaving.next(), leaving.next(), others) {
            (Some(place), None, false) => place,
            _ => {
                cuts.made.push(Made { shape: self.nodes[index].1, whole: true });
                plan.leaving().len() + cuts.made.len() - 1
            }
        }
    }

    /// Makes a node's value a tensor of its own, which a pass writes and others read; its place among the inputs.
    pub(crate) fn keep(&mut self, cuts: &mut Cuts, plan: &Plan, index: usize) -> usize {
        let made = cuts.made.len();
        let input = plan.entering().len() + made;
        let (node, shape) = self.nodes[index];
        // A node that stands for the making, after all others; the node itself is what is read.
        let node_of_root = self.nodes.len();
        self.nodes.push((node, shape));
        self.alias.push(node_of_root);
        self.live.push(true);
        self.nodes[index].0 = Node::Input(input);
        let output = Some(plan.leaving().len() + made);
        cuts.roots.push(Root { node: node_of_root, output });
        cuts.of.insert(index, made);
        cuts.made.push(Made { shape, whole: false });
        input
    }

    /// Keeps rows that come from different classes and meet in one value.
    pub(crate) fn keep_meeting(
        &mut self,
        cuts: &mut Cuts,
        plan: &Plan,
        roots: &[Root],
        sides: &mut Sides,
    ) {
        let all: BTreeSet<_> =
            self.nodes.iter().filter_map(|(_, shape)| sides.of(shape[CLASS])).collect();
        // Of one class side there are no different ones to meet.
        if all.len() < 2 {
            return;
        }
        let mut open: Vec<usize> =
            roots.iter().map(|&root| self.alias[self.source(root)]).collect();
        let mut seen = BTreeSet::new();
        while let Some(index) = open.pop() {
            if !seen.insert(index) || self.classes(index, sides).len() < 2 {
                continue;
            }
            for read in self.reads(index) {
                let rows = !mask(self.nodes[read].1)[CLASS];
                let input = matches!(self.nodes[read].0, Node::Input(_));
                match self.classes(read, sides).len() {
                    0 => {}
                    1 if rows && !input => drop(self.keep(cuts, plan, read)),
                    _ => open.push(read),
                }
            }
        }
    }

    /// The class sides of everything that a value is computed from in one walk.
    fn classes(&self, index: usize, sides: &mut Sides) -> BTreeSet<usize> {
        self.reach(index).into_iter().filter_map(|at| sides.of(self.nodes[at].1[CLASS])).collect()
    }

    /// The nodes that a value is computed from in one walk, itself among them, in their order.
    pub(crate) fn reach(&self, index: usize) -> Vec<usize> {
        let (mut seen, mut open) = (vec![false; self.nodes.len()], vec![index]);
        while let Some(index) = open.pop() {
            if self.nodes[index].1 != NUMBER && !replace(&mut seen[index], true) {
                open.extend(self.reads(index));
            }
        }
        (0..seen.len()).filter(|&index| seen[index]).collect()
    }

    /// Finds the side along which rows can be taken a few at a time, and what each joint does along it.
    pub(crate) fn by_rows(&self, cuts: &mut Cuts, sides: &mut Sides) {
        let mut all = cuts.between.iter().flat_map(|between| &between.joint.operands);
        cuts.rows = all.find_map(|operand| sides.of(operand.shape[0]));
        drop(all);
        let Some(rows) = cuts.rows else { return };
        let mut can = cuts
            .made
            .iter()
            .all(|made| made.shape[1..].iter().all(|&dim| sides.of(dim) != Some(rows)));
        for between in &mut cuts.between {
            let joint = &mut between.joint;
            let along = |operand: &Operand, sides: &mut Sides| {
                operand.shape.map(|dim| sides.of(dim) == Some(rows))
            };
            let along: Vec<_> =
                joint.operands.iter().map(|operand| along(operand, sides)).collect();
            can &= along.iter().all(|[_, class, inner]| !class && !inner);
            let own: Vec<_> = along.iter().map(|[own, ..]| *own).collect();
            joint.role = match (joint.node, &own[..]) {
                (_, [false] | [false, false]) => Role::Once,
                (Node::Matmul(_, _, [false, _]), [true, false])
                | (Node::Reduce(_, _, Axis::Inner), _) => Role::Rows,
                (Node::Matmul(_, _, [true, false]), [true, true])
                | (Node::Reduce(_, _, Axis::Batch), _) => Role::Terms,
                _ => {
                    can = false;
                    Role::Once
                }
            };
        }
        if !can {
            cuts.rows = None;
            cuts.between.iter_mut().for_each(|between| between.joint.role = Role::Once);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use crate::Fused;
    use crate::program::{Program, Step};
    use lossmith_core::loss::{adaptive_log_softmax, gaussian_nll, linear_cross_entropy};
    use lossmith_core::{Dense, Inputs, Objective};

    /// The kinds of steps of a program, p for a pass and j for what is between, those by rows in brackets.
    fn steps(loss: impl Into<Objective>, sides: &[(&str, &[usize])], labels: bool) -> String {
        let mut inputs = Inputs::<Dense>::new();
        for (name, shape) in sides {
            let ones = vec![1.0; shape.iter().product()];
            inputs = inputs.tensor(name, Dense::new(shape, ones).unwrap());
        }
        if labels {
            inputs = inputs.labels("target", [0, 1, 2, 3]);
        }
        let plan = loss.into().plan(&Fused::new(), &inputs).unwrap();
        let program = Program::new(&plan).unwrap();
        let of = |steps: &[Step]| -> String {
            let kind = |step: &Step| if matches!(step, Step::Pass(_)) { 'p' } else { 'j' };
            steps.iter().map(kind).collect()
        };
        let phases = program.phases.iter();
        phases.map(|phase| format!("{}({})", of(&phase.once), of(&phase.by_rows))).collect()
    }

    #[test]
    fn what_is_between_passes_is_done_a_few_rows_at_a_time() {
        let sides: [(&str, &[usize]); 3] =
            [("input", &[4, 3]), ("linear_weight", &[5, 3]), ("linear_bias", &[5])];
        // The weights of the mean; logits, the pass over them, and three sums of what it makes.
        assert_eq!(steps(linear_cross_entropy(), &sides, true), "(p)(jpjjj)");
        let sides: [(&str, &[usize]); 4] = [
            ("input", &[4, 3]),
            ("head.weight", &[3, 3]),
            ("tails.0.0", &[2, 3]),
            ("tails.0.1", &[3, 2]),
        ];
        let loss = adaptive_log_softmax().cutoffs(&[2]);
        assert_eq!(steps(loss, &sides, true), "(jjpjpjjpjjjjp)");
        let sides: [(&str, &[usize]); 3] =
            [("input", &[4, 3]), ("target", &[4, 3]), ("var", &[1, 3])];
        // What is summed along the batch, and the pass that all the rest is.
        assert_eq!(steps(gaussian_nll(), &sides, false), "(pj)p(p)");
    }
}
