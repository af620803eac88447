//! From a plan to its passes: what is walked, in which order, and over which axes.

use crate::cut::{Cuts, Sides};
use crate::pass::Building;
use crate::program::{Pass, Phase, Program, Role, Step};
use lossmith_core::Plan;
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::op::{Axis, Binary, Reduce};
use smallvec::{SmallVec, smallvec};
use std::collections::BTreeMap;

pub(crate) const CLASS: usize = Axis::Class as usize;

const ZERO: Node = Node::Constant(0.0_f64.to_bits());

pub(crate) fn mask(shape: Shape) -> [bool; 3] {
    shape.map(|dim| dim != Dim::One)
}

/// A result that a pass is made for: an output of the plan, or a fold.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    pub(crate) node: usize,
    pub(crate) output: Option<usize>,
}

/// The nodes that a node reads: no op has more than four arguments.
pub(crate) type Reads = SmallVec<[usize; 4]>;

/// What roots of one pass have in common: the phase, how many steps come before, and the sides.
pub(crate) type Key = (usize, usize, [Option<usize>; 3]);

/// The nodes of a plan as they are walked.
pub(crate) struct Lowering {
    pub(crate) nodes: Vec<(Node, Shape)>,
    /// The node whose value each has.
    pub(crate) alias: Vec<usize>,
    pub(crate) live: Vec<bool>,
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
        let nodes = joined(nodes, &alias);
        let arguments: Vec<Reads> = nodes
            .iter()
            .map(|(node, _)| node.arguments().map(|argument| alias[argument.index()]).collect())
            .collect();
        let mut sides = Sides::new(&nodes);
        let mut lowering = Lowering { nodes, alias, live };
        let mut cuts = lowering.cut(plan, &arguments);
        lowering.supported(&cuts).then_some(())?;
        let roots = lowering.roots(plan, &cuts);
        lowering.keep_meeting(&mut cuts, plan, &roots, &mut sides);
        lowering.by_rows(&mut cuts, &mut sides);
        let roots: Vec<_> = roots.into_iter().chain(cuts.roots.iter().copied()).collect();
        let when = lowering.schedule(plan, &arguments, &roots, &mut cuts, &mut sides);

        let mut steps: BTreeMap<Key, Vec<Root>> = BTreeMap::new();
        let mut walks = BTreeMap::new();
        for (root, &(when, depth)) in roots.iter().zip(&when) {
            let reach = lowering.reach(lowering.alias[lowering.source(*root)]);
            let walk = lowering.walk(*root, &reach, &mut sides)?;
            let space = mask(walk.0);
            let mut row_space = space;
            row_space[CLASS] = false;
            // A result of fewer axes than its walk would be counted more than once.
            let mask = mask(lowering.root_shape(*root));
            (mask == space || (mask == row_space && mask != [false; 3])).then_some(())?;
            let key = (when, depth, walk.0.map(|dim| sides.of(dim)));
            let classes_of: &mut (Shape, Dim) = walks.entry(key).or_insert(walk);
            if classes_of.1 == Dim::One {
                classes_of.1 = walk.1;
            }
            (walk.1 == Dim::One || sides.of(walk.1) == sides.of(classes_of.1)).then_some(())?;
            cuts.read(&lowering, &reach, key);
            steps.entry(key).or_default().push(*root);
        }
        let mut ordered = Vec::new();
        for (key, roots) in steps {
            let (shape, classes_of) = walks[&key];
            let mut pass = Building::new(&lowering, shape, classes_of).pass(&roots)?;
            pass.over = lowering.over(plan, &pass, &cuts);
            let by_rows = cuts.rows.is_some() && sides.of(shape[0]) == cuts.rows;
            ordered.push((key.0, key.1, by_rows, Step::Pass(Box::new(pass))));
        }
        for (between, &(when, depth)) in cuts.between.iter().zip(&when[roots.len()..]) {
            let by_rows = between.joint.role != Role::Once;
            ordered.push((when, depth, by_rows, Step::Joint(between.joint.clone())));
        }
        ordered.sort_by_key(|&(when, depth, ..)| (when, depth));
        let most = ordered.iter().map(|(when, ..)| when + 1).max().unwrap_or(0);
        let mut phases: Vec<Phase> = (0..most).map(|_| Phase::default()).collect();
        for (when, _, by_rows, step) in ordered {
            let phase = &mut phases[when];
            if by_rows { phase.by_rows.push(step) } else { phase.once.push(step) }
        }
        let Lowering { nodes, live, .. } = lowering;
        let is_number = |index: &usize| live[*index] && nodes[*index].1 == NUMBER;
        let numbers = (0..nodes.len()).filter(is_number).collect();
        Some(Self { nodes, phases, numbers, made: cuts.made })
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
    /// Whether every node that is no joint is one that a walk computes.
    fn supported(&self, cuts: &Cuts) -> bool {
        let of_node = |index: usize| {
            let (node, shape) = self.nodes[index];
            match node {
                Node::Matmul(..) | Node::Take(..) | Node::Put(..) => false,
                // Across rows it has become an input.
                Node::Reduce(_, _, axis) => axis == Axis::Class,
                Node::AtLabel(..) => {
                    let [batch, class, _] = mask(shape);
                    batch && class
                }
                Node::Constant(_)
                | Node::Input(_)
                | Node::Size(..)
                | Node::Unary(..)
                | Node::Binary(..)
                | Node::Select(..)
                | Node::Fold(..)
                | Node::Spread(_)
                | Node::Detach(_) => true,
            }
        };
        let joint = |index| cuts.between.iter().any(|between| between.node == index);
        (0..self.nodes.len()).filter(|&index| self.live[index] && !joint(index)).all(of_node)
    }

    /// The tensor of some rows that nothing but this pass reads and its only output can be written over.
    fn over(&self, plan: &Plan, pass: &Pass, cuts: &Cuts) -> Option<usize> {
        let &[output] = &pass.outputs[..] else { return None };
        let to = cuts.made.get(output.checked_sub(plan.leaving().len())?)?;
        let inputs = plan.entering().len();
        let fits = |input: &usize| {
            let from = input.checked_sub(inputs).and_then(|made| cuts.made.get(made));
            from.is_some_and(|from| from.shape == to.shape && !from.whole && !to.whole)
                && cuts.readers(*input) == 1
        };
        pass.inputs.iter().copied().find(fits)
    }

    /// What leaves and no joint writes, and the folds.
    fn roots(&self, plan: &Plan, cuts: &Cuts) -> Vec<Root> {
        let joined = |place| cuts.between.iter().any(|between| between.joint.place == place);
        let outputs = plan.leaving().iter().enumerate().filter_map(|(place, leaving)| {
            let node = leaving.id()?.index();
            let walked = self.nodes[node].1 != NUMBER && !joined(place);
            walked.then_some(Root { node, output: Some(place) })
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
    pub(crate) fn reads(&self, index: usize) -> Reads {
        if let Some((_, hit)) = self.pick(index)
            && self.at_hand(hit)
        {
            let of_row = !mask(self.nodes[hit].1)[CLASS];
            return if of_row { smallvec![hit] } else { Reads::new() };
        }
        let arguments =
            self.nodes[index].0.arguments().map(|argument| self.alias[argument.index()]);
        arguments.filter(|&argument| self.nodes[argument].1 != NUMBER).collect()
    }

    /// The sides of everything that a root is computed from, and the classes that it picks from; none if they are not
    /// those of one walk.
    fn walk(&self, root: Root, all: &[usize], sides: &mut Sides) -> Option<(Shape, Dim)> {
        let mut shape = self.root_shape(root);
        let mut classes = Dim::One;
        let mut join = |known: &mut Dim, dim: Dim| {
            if *known == Dim::One {
                *known = dim;
            }
            dim == Dim::One || sides.of(dim) == sides.of(*known)
        };
        for &index in all {
            let own = self.nodes[index].1;
            let fits = shape.iter_mut().zip(own).all(|(known, dim)| join(known, dim));
            fits.then_some(())?;
        }
        for &index in all {
            if let Some((_, hit)) = self.pick(index) {
                join(&mut classes, self.nodes[hit].1[CLASS]).then_some(())?;
            }
            if let Node::AtLabel(..) = self.nodes[index].0 {
                // A label is found by its row.
                (mask(self.nodes[index].1) == mask(shape)).then_some(())?;
            }
        }
        join(&mut classes, shape[CLASS]).then_some(())?;
        Some((shape, classes))
    }
}
