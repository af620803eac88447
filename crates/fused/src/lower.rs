//! From a plan to its passes: what is walked, in which order, and over which axes.

use crate::pass::Building;
use crate::program::Program;
use lossmith_core::Plan;
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::op::{Axis, Binary, Reduce};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) const CLASS: usize = Axis::Class as usize;

const ZERO: Node = Node::Constant(0.0_f64.to_bits());

pub(crate) fn mask(shape: Shape) -> [bool; 3] {
    shape.map(|dim| dim != Dim::One)
}

/// The frame that a shape's sides are of; none if they are of several.
fn frame(shape: Shape) -> Option<usize> {
    let mut frames = shape.iter().filter_map(|dim| match dim {
        Dim::One => None,
        Dim::Full(_, frame) => Some(*frame),
    });
    let first = frames.next()?;
    frames.all(|other| other == first).then_some(first)
}

/// A result that a pass is made for: an output of the plan, or a fold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    pub(crate) node: usize,
    pub(crate) output: Option<usize>,
}

/// The nodes of a plan as they are walked.
pub(crate) struct Lowering {
    pub(crate) nodes: Vec<(Node, Shape)>,
    /// The node whose value each has.
    pub(crate) alias: Vec<usize>,
    live: Vec<bool>,
}

impl Program {
    /// The program of a plan; none where a plan is not made for walks over one frame.
    pub(crate) fn new(plan: &Plan) -> Option<Self> {
        let nodes = plan.graph().nodes();
        let mut live = vec![false; nodes.len()];
        for leaving in plan.leaving() {
            live[leaving.id()?.index()] = true;
        }
        for index in (0..nodes.len()).rev() {
            if live[index] {
                nodes[index].0.arguments().for_each(|argument| live[argument.index()] = true);
            }
        }
        let mut alias: Vec<usize> = (0..nodes.len()).collect();
        for (index, &(node, _)) in nodes.iter().enumerate() {
            if let Node::Detach(x) | Node::Spread(x) = node {
                alias[index] = alias[x.index()];
            }
        }
        let lowering = Lowering { nodes: joined(nodes, &alias), alias, live };
        lowering.supported().then_some(())?;
        let roots = lowering.roots(plan);
        let when = lowering.schedule(&roots);

        let mut groups: BTreeMap<(usize, usize, [bool; 3]), Vec<Root>> = BTreeMap::new();
        for (root, when) in roots.into_iter().zip(when) {
            let shape = lowering.root_shape(root);
            let space = lowering.space(root);
            let mut row_space = space;
            row_space[CLASS] = false;
            // A result of fewer axes than its walk would be counted more than once.
            let mask = mask(shape);
            (mask == space || (mask == row_space && mask != [false; 3])).then_some(())?;
            groups.entry((when, frame(shape)?, space)).or_default().push(root);
        }
        let passes = groups
            .into_iter()
            .map(|((_, frame, space), roots)| Building::new(&lowering, frame, space).pass(&roots));
        let passes = passes.collect::<Option<_>>()?;
        let Lowering { nodes, live, .. } = lowering;
        let is_number = |index: &usize| live[*index] && nodes[*index].1 == NUMBER;
        let numbers = (0..nodes.len()).filter(is_number).collect();
        Some(Self { nodes, passes, numbers })
    }
}

/// The nodes, where one value at the label and another elsewhere, each 0 where it is not, are one op and no sum.
fn joined(mut nodes: Vec<(Node, Shape)>, alias: &[usize]) -> Vec<(Node, Shape)> {
    let zero = |id: Id| nodes[id.index()].0 == ZERO;
    let at_label = |id: Id| {
        let Node::AtLabel(labels, hit, miss) = nodes[alias[id.index()]].0 else { return None };
        Some((labels, hit, miss))
    };
    let join = |node: Node| {
        let Node::Binary(Binary::Add, a, b) = node else { return None };
        let (a, b) = (at_label(a)?, at_label(b)?);
        let complete = |(of_a, hit, none): (usize, Id, Id), (of_b, no, miss): (usize, Id, Id)| {
            let joined = Node::AtLabel(of_a, hit, miss);
            (of_a == of_b && zero(none) && zero(no)).then_some(joined)
        };
        complete(a, b).or_else(|| complete(b, a))
    };
    let new: Vec<_> = nodes.iter().map(|&(node, _)| join(node)).collect();
    for (node, new) in nodes.iter_mut().zip(new) {
        node.0 = new.unwrap_or(node.0);
    }
    nodes
}

impl Lowering {
    /// Whether every node is one that a walk over one frame computes.
    fn supported(&self) -> bool {
        let of_node = |index: usize| {
            let (node, shape) = self.nodes[index];
            let one_frame = shape == NUMBER || frame(shape).is_some();
            let own = match node {
                Node::Matmul(..) | Node::Take(..) | Node::Put(..) => false,
                Node::Reduce(_, _, axis) => axis == Axis::Class,
                Node::AtLabel(..) => mask(shape) == [true; 3],
                Node::Constant(_)
                | Node::Input(_)
                | Node::Size(..)
                | Node::Unary(..)
                | Node::Binary(..)
                | Node::Select(..)
                | Node::Fold(..)
                | Node::Spread(_)
                | Node::Detach(_) => true,
            };
            one_frame && own
        };
        (0..self.nodes.len()).filter(|&index| self.live[index]).all(of_node)
    }

    fn roots(&self, plan: &Plan) -> Vec<Root> {
        let outputs = plan.leaving().iter().enumerate().filter_map(|(place, leaving)| {
            let node = leaving.id()?.index();
            (self.nodes[node].1 != NUMBER).then_some(Root { node, output: Some(place) })
        });
        let folds = (0..self.nodes.len())
            .filter(|&index| self.live[index] && matches!(self.nodes[index].0, Node::Fold(..)))
            .map(|node| Root { node, output: None });
        folds.chain(outputs).collect()
    }

    /// What a root walks: an output itself, the argument of a fold.
    pub(crate) fn source(&self, root: Root) -> usize {
        if let (Node::Fold(_, x), None) = (self.nodes[root.node].0, root.output) {
            x.index()
        } else {
            root.node
        }
    }

    pub(crate) fn root_shape(&self, root: Root) -> Shape {
        self.nodes[self.source(root)].1
    }

    /// In which walk each root is made: as late as what needs it allows, so that one walk makes as many as can be.
    fn schedule(&self, roots: &[Root]) -> Vec<usize> {
        // The folds that each node comes after.
        let mut after: Vec<BTreeSet<usize>> = Vec::new();
        for (index, (node, _)) in self.nodes.iter().enumerate() {
            let mut own = BTreeSet::new();
            if self.live[index] {
                for argument in node.arguments() {
                    own.extend(after[argument.index()].iter().copied());
                    if matches!(self.nodes[argument.index()].0, Node::Fold(..)) {
                        own.insert(argument.index());
                    }
                }
            }
            after.push(own);
        }
        // How many walks still come after each root.
        let mut later = vec![0; roots.len()];
        for (place, root) in roots.iter().enumerate().rev() {
            for &fold in &after[self.source(*root)] {
                let needed = roots.iter().position(|other| other.node == fold);
                if let Some(needed) = needed {
                    later[needed] = later[needed].max(later[place] + 1);
                }
            }
        }
        let most = later.iter().copied().max().unwrap_or(0);
        later.into_iter().map(|later| most - later).collect()
    }

    /// Σ over the classes of what is only there at the label: a pick.
    pub(crate) fn pick(&self, index: usize) -> Option<(usize, usize)> {
        let Node::Reduce(Reduce::Sum, x, Axis::Class) = self.nodes[index].0 else { return None };
        let Node::AtLabel(labels, hit, miss) = self.nodes[self.alias[x.index()]].0 else {
            return None;
        };
        let found = (labels, self.alias[hit.index()]);
        (self.nodes[miss.index()].0 == ZERO).then_some(found)
    }

    /// Whether a pick reads this without its being computed for every class.
    pub(crate) fn at_hand(&self, index: usize) -> bool {
        let (node, own) = (self.nodes[index].0, mask(self.nodes[index].1));
        matches!(node, Node::Input(_)) || !own[CLASS] || own == [false, true, false]
    }

    /// The tensors that a node is computed from in one walk.
    pub(crate) fn reads(&self, index: usize) -> Vec<usize> {
        if let Some((_, hit)) = self.pick(index)
            && self.at_hand(hit)
        {
            let of_row = !mask(self.nodes[hit].1)[CLASS];
            return if of_row { vec![hit] } else { Vec::new() };
        }
        let arguments =
            self.nodes[index].0.arguments().map(|argument| self.alias[argument.index()]);
        arguments.filter(|&argument| self.nodes[argument].1 != NUMBER).collect()
    }

    /// The axes of everything that a root is computed from.
    fn space(&self, root: Root) -> [bool; 3] {
        let mut space = mask(self.root_shape(root));
        let mut seen = BTreeSet::new();
        let mut open = vec![self.alias[self.source(root)]];
        while let Some(index) = open.pop() {
            if seen.insert(index) && self.nodes[index].1 != NUMBER {
                let own = mask(self.nodes[index].1);
                space = [0, 1, 2].map(|axis| space[axis] || own[axis]);
                open.extend(self.reads(index));
            }
        }
        space
    }
}
