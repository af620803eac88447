//! A plan as a program over blocks: which passes over memory there are, and what is computed in each.
//!
//! A *pass* walks one space, the axes its results have. Its nodes are of three kinds: *class* values, one a class,
//! made once; *row* values, one a batch and inner position, in `f64`; and *full* values, one an element. What is
//! reduced along the classes splits the full values of a block into *stages*.

use lossmith_core::Plan;
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use std::collections::{BTreeMap, BTreeSet};

/// What an instruction reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Arg {
    /// A number on the host.
    Number(usize),
    /// The class value at that place.
    Class(usize),
    /// The row value at that place.
    Row(usize),
    /// The full input of the graph at that place.
    Input(usize),
    /// The full value of this stage at that place.
    Slot(usize),
    /// The full value of an earlier stage at that place.
    Stored(usize),
}

/// An element-wise op.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op<A> {
    Unary(Unary, A),
    Binary(Binary, A, A),
    Select(Compare, [A; 2], [A; 2]),
    /// The second at the label's class, else the third.
    AtLabel(usize, A, A),
    /// e^−|x|, which the sigmoid and the softplus of ±x have in common.
    Tail(A),
    /// The softplus of the first, given ln(1 + e^−|x|).
    Softplus(A, A),
    /// The sigmoid of the first, given e^−|x|.
    Sigmoid(A, A),
}

/// What a row value is made by, before the full values of its stage.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RowOp {
    /// An element-wise op of row values.
    Op(Op<Arg>),
    /// An input that has no class axis.
    Input(usize),
    /// The input or the class value at the label's class, 0 without a label.
    Pick(usize, Arg),
    /// Where a row has a label, the value, else 0.
    Labelled(usize, Arg),
}

/// Where a full value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Slot(usize),
    /// Kept for later stages at a place, which a slot stands for until the stage ends.
    Kept(usize, usize),
    /// The output at that place.
    Output(usize),
}

/// What is done with full values at their stage; each is in a slot.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FullOp {
    /// An element-wise op.
    Op(Op<usize>, Target),
    /// A sum or maximum.
    Reduce(Reduce, usize, Into),
    /// A sum of products, weighed where the flag says so.
    SumOfProducts([usize; 2], bool, Into),
    /// The value at the label's class into a row value.
    Pick(usize, usize, usize),
    /// Into the output at that place.
    Output(usize, usize),
    /// An op into the output at that place, but at the label's class what is in a slot.
    LabelledOutput(Op<usize>, usize, usize, usize),
}

/// What a reduction adds to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Into {
    /// A row value, along the classes.
    Row(usize),
    /// The fold at that place.
    Fold(usize),
}

impl<A: Copy> Op<A> {
    fn map<B>(self, mut f: impl FnMut(A) -> B) -> Op<B> {
        match self {
            Self::Unary(op, x) => Op::Unary(op, f(x)),
            Self::Binary(op, a, b) => Op::Binary(op, f(a), f(b)),
            Self::Select(compare, ab, then_else) => {
                Op::Select(compare, ab.map(&mut f), then_else.map(f))
            }
            Self::AtLabel(labels, hit, miss) => Op::AtLabel(labels, f(hit), f(miss)),
            Self::Tail(x) => Op::Tail(f(x)),
            Self::Softplus(x, tail) => Op::Softplus(f(x), f(tail)),
            Self::Sigmoid(x, tail) => Op::Sigmoid(f(x), f(tail)),
        }
    }
}

impl FullOp {
    /// The same with another slot.
    fn of(self, slot: usize) -> Self {
        match self {
            Self::Op(op, target) => Self::Op(op, target),
            Self::Reduce(op, _, into) => Self::Reduce(op, slot, into),
            Self::SumOfProducts(slots, weighed, into) => Self::SumOfProducts(slots, weighed, into),
            Self::Pick(labels, _, row) => Self::Pick(labels, slot, row),
            Self::Output(_, place) => Self::Output(slot, place),
            Self::LabelledOutput(op, labels, hit, place) => {
                Self::LabelledOutput(op, labels, hit, place)
            }
        }
    }
}

/// What is computed between two reductions along the classes.
#[derive(Debug, Default)]
pub(crate) struct Stage {
    pub(crate) rows: Vec<(RowOp, usize)>,
    /// Row values that are ready here and that full values are computed from.
    pub(crate) narrowed: Vec<usize>,
    /// What is brought into slots before the full values are computed.
    pub(crate) loads: Vec<(Arg, usize)>,
    pub(crate) full: Vec<FullOp>,
}

/// One walk over the space of some results.
#[derive(Debug)]
pub(crate) struct Pass {
    /// Which sides of the plan it walks, and which of their axes.
    pub(crate) frame: usize,
    pub(crate) space: [bool; 3],
    /// Whether the classes of a row are looked at together.
    pub(crate) by_row: bool,
    /// The full inputs.
    pub(crate) inputs: Vec<usize>,
    /// Class inputs, and what is computed of them.
    pub(crate) classes: Vec<(Result<Op<Arg>, usize>, usize)>,
    pub(crate) stages: Vec<Stage>,
    /// The places of its outputs among what leaves.
    pub(crate) outputs: Vec<usize>,
    /// Row values that leave: into folds, and as outputs.
    pub(crate) row_folds: Vec<(usize, Arg)>,
    pub(crate) row_outputs: Vec<(usize, Arg)>,
    /// The nodes the folds are, each with its reduction.
    pub(crate) folds: Vec<(usize, Reduce)>,
    /// How many of each there are.
    pub(crate) class_values: usize,
    pub(crate) row_values: usize,
    pub(crate) slots: usize,
    pub(crate) stored: usize,
}

/// The passes, in order; numbers on the host are computed between them.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<(Node, Shape)>,
    pub(crate) passes: Vec<Pass>,
    /// The number nodes that are read, in order.
    pub(crate) numbers: Vec<usize>,
}

const CLASS: usize = Axis::Class as usize;

fn mask(shape: Shape) -> [bool; 3] {
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
struct Root {
    node: usize,
    output: Option<usize>,
}

struct Lowering {
    nodes: Vec<(Node, Shape)>,
    /// The node whose value each has.
    alias: Vec<usize>,
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
    let zero = |id: Id| nodes[id.index()].0 == Node::Constant(0.0_f64.to_bits());
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
    fn source(&self, root: Root) -> usize {
        if let (Node::Fold(_, x), None) = (self.nodes[root.node].0, root.output) {
            x.index()
        } else {
            root.node
        }
    }

    fn root_shape(&self, root: Root) -> Shape {
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
    fn pick(&self, index: usize) -> Option<(usize, usize)> {
        let Node::Reduce(Reduce::Sum, x, Axis::Class) = self.nodes[index].0 else { return None };
        let Node::AtLabel(labels, hit, miss) = self.nodes[self.alias[x.index()]].0 else {
            return None;
        };
        let zero = Node::Constant(0.0_f64.to_bits());
        let found = (labels, self.alias[hit.index()]);
        (self.nodes[miss.index()].0 == zero).then_some(found)
    }

    /// Whether a pick reads this without its being computed for every class.
    fn at_hand(&self, index: usize) -> bool {
        matches!(self.nodes[index].0, Node::Input(_)) || !mask(self.nodes[index].1)[CLASS] || {
            mask(self.nodes[index].1) == [false, true, false]
        }
    }

    /// The tensors that a node is computed from in one walk.
    fn reads(&self, index: usize) -> Vec<usize> {
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

/// What kind of value a node is in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Class,
    Row,
    Full,
}

/// More than this many simple ops, and a value is kept for later stages instead of being computed again.
const AGAIN: usize = 4;
const COSTLY: usize = 100;

struct Building<'a> {
    of: &'a Lowering,
    space: [bool; 3],
    pass: Pass,
    classes: BTreeMap<usize, usize>,
    rows: BTreeMap<usize, usize>,
    /// The stage of every row and full value.
    stage: BTreeMap<usize, usize>,
    stored: BTreeMap<usize, usize>,
    /// Row values that full values are computed from.
    narrowed: BTreeSet<usize>,
}

impl<'a> Building<'a> {
    fn new(of: &'a Lowering, frame: usize, space: [bool; 3]) -> Self {
        let pass = Pass {
            frame,
            space,
            by_row: false,
            inputs: Vec::new(),
            classes: Vec::new(),
            stages: Vec::new(),
            outputs: Vec::new(),
            row_folds: Vec::new(),
            row_outputs: Vec::new(),
            folds: Vec::new(),
            class_values: 0,
            row_values: 0,
            slots: 0,
            stored: 0,
        };
        let (classes, rows) = (BTreeMap::new(), BTreeMap::new());
        let (stage, stored) = (BTreeMap::new(), BTreeMap::new());
        Self { of, space, pass, classes, rows, stage, stored, narrowed: BTreeSet::new() }
    }

    fn kind(&self, index: usize) -> Kind {
        let (node, shape) = self.of.nodes[index];
        let own = mask(shape);
        if shape == NUMBER {
            Kind::Number
        } else if own == self.space && !self.space[CLASS] && !matches!(node, Node::Reduce(..)) {
            // Without classes there is nothing but rows.
            Kind::Row
        } else if own == [false, true, false] && self.space != own {
            Kind::Class
        } else if own[CLASS] {
            Kind::Full
        } else {
            Kind::Row
        }
    }

    fn pass(mut self, roots: &[Root]) -> Option<Pass> {
        // Everything that is computed here, arguments first.
        let mut all = BTreeSet::new();
        let mut open: Vec<_> =
            roots.iter().map(|&root| self.of.alias[self.of.source(root)]).collect();
        while let Some(index) = open.pop() {
            if self.of.nodes[index].1 != NUMBER && all.insert(index) {
                open.extend(self.of.reads(index));
                if let Some((_, hit)) = self.of.pick(index) {
                    // A class value that is picked from is made before.
                    if self.kind(hit) == Kind::Class {
                        open.push(hit);
                    }
                }
            }
        }
        for &index in &all {
            self.place(index)?;
        }
        let stages = self.stage.values().map(|stage| stage + 1).max().unwrap_or(1);
        self.pass.stages = (0..stages).map(|_| Stage::default()).collect();

        // What full values each stage is for.
        let mut wanted: Vec<Vec<(usize, FullOp)>> = vec![Vec::new(); stages];
        for &index in &all {
            let node = self.of.nodes[index].0;
            if self.kind(index) != Kind::Row {
                continue;
            }
            let row = self.rows[&index];
            let (full, op) = match (node, self.of.pick(index)) {
                (_, Some((labels, hit))) if !self.of.at_hand(hit) => {
                    (hit, FullOp::Pick(labels, 0, row))
                }
                (_, Some(_)) => continue,
                (Node::Reduce(op, x, _), None) => {
                    (self.of.alias[x.index()], FullOp::Reduce(op, 0, Into::Row(row)))
                }
                _ => continue,
            };
            wanted[self.stage_of(full)].push((full, op));
        }
        for root in roots {
            let source = self.of.alias[self.of.source(*root)];
            let full = mask(self.of.root_shape(*root))[CLASS];
            let place = match (root.output, self.of.nodes[root.node].0) {
                (Some(place), _) => place,
                (None, Node::Fold(op, _)) => {
                    self.pass.folds.push((root.node, op));
                    self.pass.folds.len() - 1
                }
                (None, _) => return None,
            };
            self.pass.outputs.extend(root.output);
            match (full, root.output) {
                (true, Some(_)) => {
                    wanted[self.stage_of(source)].push((source, FullOp::Output(0, place)));
                }
                (true, None) => {
                    wanted[self.stage_of(source)].push((
                        source,
                        FullOp::Reduce(self.pass.folds[place].1, 0, Into::Fold(place)),
                    ));
                }
                (false, Some(_)) => {
                    let arg = self.row_arg(source);
                    self.pass.row_outputs.push((place, arg));
                }
                (false, None) => {
                    let arg = self.row_arg(source);
                    self.pass.row_folds.push((place, arg));
                }
            }
        }
        for (stage, wanted) in wanted.iter().enumerate().rev() {
            self.full(stage, wanted);
        }
        for &index in &all {
            self.row(index);
        }
        self.pass.by_row = self.pass.by_row
            || stages > 1
            || all.iter().any(|&index| matches!(self.of.nodes[index].0, Node::AtLabel(..)));
        for (index, place) in &self.rows {
            if self.narrowed.contains(place) {
                let stage = self.stage_of(*index);
                self.pass.stages[stage].narrowed.push(*place);
            }
        }
        Some(self.pass)
    }

    /// Gives a value its place and its stage.
    fn place(&mut self, index: usize) -> Option<()> {
        let (node, _) = self.of.nodes[index];
        match self.kind(index) {
            Kind::Number => {}
            Kind::Class => {
                let place = self.pass.class_values;
                let op = if let Node::Input(input) = node {
                    Err(input)
                } else {
                    Ok(self.op(node, |own, x| own.class_arg(x))?)
                };
                self.pass.classes.push((op, place));
                self.pass.class_values += 1;
                self.classes.insert(index, place);
            }
            kind @ (Kind::Row | Kind::Full) => {
                let reads = self.of.reads(index);
                let before = reads.iter().map(|&x| self.stage_of(x)).max().unwrap_or(0);
                let reduces = kind == Kind::Row
                    && matches!(node, Node::Reduce(..))
                    && self.of.pick(index).is_none_or(|(_, hit)| !self.of.at_hand(hit));
                self.stage.insert(index, before + usize::from(reduces));
                if kind == Kind::Row {
                    self.rows.insert(index, self.pass.row_values);
                    self.pass.row_values += 1;
                } else if let Node::Input(input) = node {
                    self.pass.inputs.push(input);
                }
            }
        }
        Some(())
    }

    fn stage_of(&self, index: usize) -> usize {
        self.stage.get(&index).copied().unwrap_or(0)
    }

    /// The op of a node, its arguments as they are read.
    fn op(&mut self, node: Node, mut arg: impl FnMut(&mut Self, usize) -> Arg) -> Option<Op<Arg>> {
        let mut get = |id: Id| {
            let index = self.of.alias[id.index()];
            arg(self, index)
        };
        Some(match node {
            Node::Unary(op, x) => Op::Unary(op, get(x)),
            Node::Binary(op, a, b) => Op::Binary(op, get(a), get(b)),
            Node::Select(compare, [a, b], [then, otherwise]) => {
                Op::Select(compare, [get(a), get(b)], [get(then), get(otherwise)])
            }
            Node::AtLabel(labels, hit, miss) => Op::AtLabel(labels, get(hit), get(miss)),
            Node::Constant(_)
            | Node::Input(_)
            | Node::Size(..)
            | Node::Reduce(..)
            | Node::Fold(..)
            | Node::Take(..)
            | Node::Put(..)
            | Node::Matmul(..)
            | Node::Spread(_)
            | Node::Detach(_) => return None,
        })
    }

    fn class_arg(&mut self, index: usize) -> Arg {
        self.classes.get(&index).map_or(Arg::Number(index), |&place| Arg::Class(place))
    }

    fn row_arg(&mut self, index: usize) -> Arg {
        match self.rows.get(&index) {
            Some(&place) => Arg::Row(place),
            None => self.class_arg(index),
        }
    }

    /// Writes down how a row value is made, at its stage.
    fn row(&mut self, index: usize) {
        if self.kind(index) != Kind::Row {
            return;
        }
        let (place, stage) = (self.rows[&index], self.stage_of(index));
        let node = self.of.nodes[index].0;
        let op = match (node, self.of.pick(index)) {
            (Node::Input(input), _) => RowOp::Input(input),
            (_, Some((labels, hit))) if self.of.at_hand(hit) => match self.of.nodes[hit] {
                (Node::Input(input), shape)
                    if mask(shape)[CLASS] && self.kind(hit) == Kind::Full =>
                {
                    RowOp::Pick(labels, Arg::Input(input))
                }
                (_, shape) if mask(shape)[CLASS] => RowOp::Pick(labels, self.class_arg(hit)),
                _ => RowOp::Labelled(labels, self.row_arg(hit)),
            },
            // A reduction of the stage before has left it there.
            (Node::Reduce(..), _) => return,
            _ => match self.op(node, Self::row_arg) {
                Some(op) => RowOp::Op(op),
                None => return,
            },
        };
        self.pass.stages[stage].rows.push((op, place));
    }

    /// How many ops it takes to compute a full value again at a later stage.
    fn cost(&self, index: usize) -> usize {
        if self.kind(index) != Kind::Full {
            return 0;
        }
        let node = self.of.nodes[index].0;
        if matches!(node, Node::Input(_)) {
            return 0;
        }
        let simple = matches!(
            node,
            Node::Unary(Unary::Neg | Unary::Abs | Unary::Sign, _)
                | Node::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Weigh, ..)
                | Node::Select(..)
                | Node::AtLabel(..)
        );
        let own = if simple { 1 } else { COSTLY };
        own + self.of.reads(index).iter().map(|&x| self.cost(x)).sum::<usize>()
    }

    /// Writes down the full values of a stage, for what they are wanted; later stages come first, and say what is kept.
    fn full(&mut self, stage: usize, wanted: &[(usize, FullOp)]) {
        let mut needed = BTreeSet::new();
        let mut open: Vec<_> = wanted.iter().map(|(index, _)| *index).collect();
        open.extend(self.stored.keys().copied().filter(|&kept| self.stage_of(kept) == stage));
        while let Some(index) = open.pop() {
            if self.kind(index) != Kind::Full || matches!(self.of.nodes[index].0, Node::Input(_)) {
                continue;
            }
            if self.stage_of(index) < stage && self.cost(index) > AGAIN {
                let next = self.stored.len();
                self.stored.entry(index).or_insert(next);
            } else if needed.insert(index) {
                open.extend(self.of.reads(index));
            }
        }
        self.pass.stored = self.stored.len();
        // A slot is free again after the last that reads it.
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        let order: Vec<usize> = needed.iter().copied().collect();
        for (at, &index) in order.iter().enumerate() {
            for x in self.of.reads(index) {
                last.insert(x, at);
            }
        }
        // What is elsewhere than at a label may stand for the whole.
        for &index in order.iter().rev() {
            if let (Node::AtLabel(_, _, miss), Some(&until)) =
                (self.of.nodes[index].0, last.get(&index))
            {
                let miss = last.entry(self.of.alias[miss.index()]).or_insert(until);
                *miss = until.max(*miss);
            }
        }
        let uses = |index: usize| -> Vec<FullOp> {
            wanted.iter().filter(|(other, _)| *other == index).map(|(_, op)| *op).collect()
        };
        let tails = self.tails(&order);
        let mut tail_slots: BTreeMap<usize, [Option<usize>; 2]> = BTreeMap::new();
        let mut slots = Slots::default();
        let mut program = Vec::new();
        // An op whose value is only the rest of an output.
        let mut rest: Option<(usize, Op<usize>)> = None;
        for (at, &index) in order.iter().enumerate() {
            let node = self.of.nodes[index].0;
            if let (Node::AtLabel(labels, hit, miss), Some((of, op))) = (node, rest.take())
                && of == self.of.alias[miss.index()]
                && let &[FullOp::Output(_, place)] = &uses(index)[..]
            {
                let hit = self.full_arg(self.of.alias[hit.index()], &slots);
                program.push(FullOp::LabelledOutput(op, labels, slots.of(hit), place));
                continue;
            }
            let op = self.op(node, |own, x| own.full_arg(x, &slots));
            let Some(mut op) = op.map(|op| op.map(|arg| slots.of(arg))) else { continue };
            if let (Op::Unary(shared, x), Some(base)) = (op, tails.get(&index)) {
                let [tail, log] = tail_slots.entry(*base).or_default();
                let tail = *tail.get_or_insert_with(|| {
                    let slot = slots.more();
                    program.push(FullOp::Op(Op::Tail(x), Target::Slot(slot)));
                    slot
                });
                op = if shared == Unary::Sigmoid {
                    Op::Sigmoid(x, tail)
                } else {
                    let log = *log.get_or_insert_with(|| {
                        let slot = slots.more();
                        program.push(FullOp::Op(Op::Unary(Unary::Ln1p, tail), Target::Slot(slot)));
                        slot
                    });
                    Op::Softplus(x, log)
                };
            }
            let kept = self.stored.get(&index).copied().filter(|_| self.stage_of(index) == stage);
            let uses_here = uses(index);
            let read_later = last.contains_key(&index);
            let next = order.get(at + 1).map(|&next| (next, self.of.nodes[next].0));
            match (op, kept, &uses_here[..], read_later) {
                // What is only added up, or only written, needs no slot.
                (
                    Op::Binary(op @ (Binary::Mul | Binary::Weigh), a, b),
                    None,
                    &[FullOp::Reduce(Reduce::Sum, _, into)],
                    false,
                ) => program.push(FullOp::SumOfProducts([a, b], op == Binary::Weigh, into)),
                (op, None, &[FullOp::Output(_, place)], false) => {
                    program.push(FullOp::Op(op, Target::Output(place)));
                }
                (op, None, [], _)
                    if let Some((next, Node::AtLabel(_, hit, miss))) = next
                        && self.of.alias[miss.index()] == index
                        && self.of.alias[hit.index()] != index
                        && last.get(&index) == Some(&(at + 1))
                        && !last.contains_key(&next)
                        && matches!(uses(next)[..], [FullOp::Output(..)]) =>
                {
                    rest = Some((index, op));
                }
                (op, kept, uses, _) => {
                    let slot = slots.next(index);
                    let target = kept.map_or(Target::Slot(slot), |place| Target::Kept(place, slot));
                    program.push(FullOp::Op(op, target));
                    program.extend(uses.iter().map(|op| op.of(slot)));
                    last.entry(index).or_insert(at);
                }
            }
            let over: Vec<_> =
                slots.taken.keys().copied().filter(|x| last.get(x) == Some(&at)).collect();
            over.into_iter().for_each(|x| slots.free(x));
        }
        for &(index, op) in wanted.iter().filter(|(index, _)| !needed.contains(index)) {
            let arg = self.full_arg(index, &slots);
            program.push(op.of(slots.of(arg)));
        }
        self.pass.slots = self.pass.slots.max(slots.count);
        let Slots { loads, .. } = slots;
        let stage = &mut self.pass.stages[stage];
        (stage.full, stage.loads) = (program, loads);
    }

    /// The sigmoids and softpluses that have their e^−|x| in common with another, each with the x.
    fn tails(&self, order: &[usize]) -> BTreeMap<usize, usize> {
        let base = |index: usize| {
            let Node::Unary(Unary::Sigmoid | Unary::Softplus, x) = self.of.nodes[index].0 else {
                return None;
            };
            let x = self.of.alias[x.index()];
            let Node::Unary(Unary::Neg, x) = self.of.nodes[x].0 else { return Some(x) };
            Some(self.of.alias[x.index()])
        };
        let bases: Vec<_> = order.iter().filter_map(|&index| Some((index, base(index)?))).collect();
        let shared = |x: usize| bases.iter().filter(|(_, other)| *other == x).count() > 1;
        bases.iter().copied().filter(|&(_, x)| shared(x)).collect()
    }

    fn full_arg(&mut self, index: usize, slots: &Slots) -> Arg {
        if let Node::Input(input) = self.of.nodes[index].0
            && self.kind(index) == Kind::Full
        {
            return Arg::Input(input);
        }
        if let Some(&slot) = slots.taken.get(&index) {
            return Arg::Slot(slot);
        }
        if let Some(&place) = self.stored.get(&index) {
            return Arg::Stored(place);
        }
        let arg = self.row_arg(index);
        if let Arg::Row(row) = arg {
            self.narrowed.insert(row);
        }
        arg
    }
}

/// Which slots of a stage are taken.
#[derive(Default)]
struct Slots {
    /// By a value that is computed.
    taken: BTreeMap<usize, usize>,
    /// By what is brought there before: for the whole stage.
    loads: Vec<(Arg, usize)>,
    free: Vec<usize>,
    count: usize,
}

impl Slots {
    fn more(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    /// A slot for a node's value.
    fn next(&mut self, node: usize) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| self.more());
        self.taken.insert(node, slot);
        slot
    }

    /// The slot that an argument is read from.
    fn of(&mut self, arg: Arg) -> usize {
        if let Arg::Slot(slot) = arg {
            return slot;
        }
        let loaded = self.loads.iter().find(|(other, _)| *other == arg).map(|(_, slot)| *slot);
        loaded.unwrap_or_else(|| {
            let slot = self.more();
            self.loads.push((arg, slot));
            slot
        })
    }

    fn free(&mut self, node: usize) {
        if let Some(slot) = self.taken.remove(&node) {
            self.free.push(slot);
        }
    }
}
