//! A plan as a program over blocks: which passes over memory there are, and what is computed in each.
//!
//! A *pass* walks one space, the axes its results have. Its nodes are of three kinds: *class* values, one a class,
//! made once; *row* values, one a batch and inner position, in `f64`; and *full* values, one an element. What is
//! reduced along the classes splits the full values of a block into *stages*.

use crate::body::{Body, Lying};
use lossmith_core::graph::{Dim, Node, Shape};
use lossmith_core::op::{Binary, Compare, Reduce, Unary};
use std::sync::OnceLock;

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
    /// e^(a − b) of full values a of which the row value b is the largest.
    ExpBelow(A, A),
    /// e^−|x|, which the sigmoid and the softplus of ±x have in common.
    Tail(A),
    /// ln(1 + t) of such a t.
    Log(A),
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
    #[inline(always)]
    pub(crate) fn map<B>(self, mut f: impl FnMut(A) -> B) -> Op<B> {
        match self {
            Self::Unary(op, x) => Op::Unary(op, f(x)),
            Self::Binary(op, a, b) => Op::Binary(op, f(a), f(b)),
            Self::Select(compare, ab, then_else) => {
                Op::Select(compare, ab.map(&mut f), then_else.map(f))
            }
            Self::AtLabel(labels, hit, miss) => Op::AtLabel(labels, f(hit), f(miss)),
            Self::ExpBelow(a, b) => Op::ExpBelow(f(a), f(b)),
            Self::Tail(x) => Op::Tail(f(x)),
            Self::Log(tail) => Op::Log(f(tail)),
            Self::Softplus(x, tail) => Op::Softplus(f(x), f(tail)),
            Self::Sigmoid(x, tail) => Op::Sigmoid(f(x), f(tail)),
        }
    }
}

impl RowOp {
    /// Whether it reads the row value at that place.
    pub(crate) fn reads(self, place: usize) -> bool {
        let mut reads = false;
        let mut look = |arg| reads |= arg == Arg::Row(place);
        match self {
            Self::Op(op) => {
                op.map(look);
            }
            Self::Pick(_, arg) | Self::Labelled(_, arg) => look(arg),
            Self::Input(_) => {}
        }
        reads
    }
}

impl FullOp {
    /// The same with another slot.
    pub(crate) fn of(self, slot: usize) -> Self {
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
    /// Whether its loops are looked for.
    compiled: bool,
    /// The full values as one loop, where they can be that, as rows lie; from the first time that it is asked for.
    bodies: [OnceLock<Option<Body>>; 2],
}

impl Stage {
    /// The loop of rows that lie so, if it is looked for and they can be one.
    #[inline(always)]
    pub(crate) fn body(&self, lying: Lying) -> Option<&Body> {
        let new = || Body::new(self, lying).map(|(body, _)| body);
        let body = self.compiled.then(|| self.bodies[lying as usize].get_or_init(new))?;
        body.as_ref()
    }
}

/// One walk over the space of some results.
#[derive(Debug)]
pub(crate) struct Pass {
    /// The sides it walks, and the classes that weights have whether or not it walks them.
    pub(crate) shape: Shape,
    pub(crate) classes_of: Dim,
    /// Whether the classes of a row are looked at together.
    pub(crate) by_row: bool,
    /// The full inputs.
    pub(crate) inputs: Vec<usize>,
    /// The input that its only output is written over.
    pub(crate) over: Option<usize>,
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

/// An input, and the output that is written over it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Over {
    pub(crate) input: usize,
    pub(crate) output: usize,
}

/// The sides of a shape in frames of those sides.
pub(crate) fn sides_of(shape: Shape, sides: &[[usize; 3]]) -> [usize; 3] {
    shape.map(|dim| match dim {
        Dim::One => 1,
        Dim::Full(axis, frame) => sides[frame][axis.index()],
    })
}

impl Pass {
    /// Whether the output at that place has one value a row.
    pub(crate) fn of_row(&self, place: usize) -> bool {
        self.row_outputs.iter().any(|(row, _)| *row == place)
    }

    /// Whether it reads the input at that place.
    fn reads(&self, input: usize) -> bool {
        let here = |op: &RowOp| match *op {
            RowOp::Input(of) | RowOp::Pick(_, Arg::Input(of)) => of == input,
            RowOp::Op(_) | RowOp::Pick(..) | RowOp::Labelled(..) => false,
        };
        self.inputs.contains(&input)
            || self.classes.iter().any(|(class, _)| *class == Err(input))
            || self.stages.iter().any(|stage| stage.rows.iter().any(|(op, _)| here(op)))
    }

    /// Whether it makes that output, a value for every element of its walk.
    fn fills(&self, output: usize) -> bool {
        self.outputs.contains(&output) && self.row_outputs.iter().all(|(row, _)| *row != output)
    }
}

/// What a product or a sum across rows reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A number on the host, everywhere.
    Number(usize),
    /// The input at that place; after the plan's come the tensors that are made.
    Input(usize),
}

/// What is read, as a tensor that fills a shape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operand {
    pub(crate) source: Source,
    pub(crate) shape: Shape,
}

/// What a joint does where rows are taken a few at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It has nothing to do with those rows.
    Once,
    /// It makes results of those rows.
    Rows,
    /// It adds up over those rows.
    Terms,
}

/// A product of matrices or a reduction across rows, between passes.
#[derive(Clone, Debug)]
pub(crate) struct Joint {
    /// The node it is.
    pub(crate) node: Node,
    pub(crate) operands: Vec<Operand>,
    /// Where it goes: among what leaves, or after that among the tensors that are made.
    pub(crate) place: usize,
    pub(crate) role: Role,
}

/// A tensor that is made between passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made {
    pub(crate) shape: Shape,
    /// Whether all its rows are wanted at a time.
    pub(crate) whole: bool,
}

/// One after the other.
#[derive(Debug)]
pub(crate) enum Step {
    Pass(Box<Pass>),
    Joint(Joint),
}

/// Steps that need no number that one of them makes.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    /// Those that have nothing to do with rows, first, and those that are done for a few rows after the other.
    pub(crate) once: Vec<Step>,
    pub(crate) by_rows: Vec<Step>,
}

/// The phases, in order; numbers on the host are computed between them.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<(Node, Shape)>,
    pub(crate) phases: Vec<Phase>,
    /// The number nodes that are read, in order.
    pub(crate) numbers: Vec<usize>,
    pub(crate) made: Vec<Made>,
}

impl Program {
    /// The stages of all passes.
    pub(crate) fn stages(&mut self) -> impl Iterator<Item = &mut Stage> {
        let steps = self
            .phases
            .iter_mut()
            .flat_map(|Phase { once, by_rows }| once.iter_mut().chain(by_rows));
        steps.flat_map(|step| match step {
            Step::Pass(pass) => &mut pass.stages[..],
            Step::Joint(_) => &mut [],
        })
    }

    fn steps(&self) -> impl Iterator<Item = &Step> {
        self.phases.iter().flat_map(|Phase { once, by_rows }| once.iter().chain(by_rows))
    }

    /// Whether it has products of matrices or reductions across rows.
    pub(crate) fn joins(&self) -> bool {
        self.steps().any(|step| matches!(step, Step::Joint(_)))
    }

    /// The walk that alone reads an input, and fills the output: that can be written over the input, block by block.
    pub(crate) fn over(&self, Over { input, output }: Over) -> Option<&Pass> {
        let reads = |step: &&Step| match step {
            Step::Pass(pass) => pass.reads(input),
            Step::Joint(joint) => joint.operands.iter().any(|of| of.source == Source::Input(input)),
        };
        let number = |&node: &usize| self.nodes[node].0 == Node::Input(input);
        let once = self.phases.iter().flat_map(|phase| &phase.once);
        let mut readers = self.steps().filter(reads);
        let (Some(Step::Pass(pass)), None) = (once.clone().find(reads), readers.nth(1)) else {
            return None;
        };
        let whole = pass.inputs.contains(&input) && pass.fills(output);
        (whole && !self.numbers.iter().any(number)).then_some(pass)
    }

    /// Has the loops looked for that were compiled for its stages, which pays where it is run on much or again.
    pub(crate) fn compile(&mut self) {
        self.stages().for_each(|stage| stage.compiled = true);
    }
}
