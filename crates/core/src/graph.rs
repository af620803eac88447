//! The graph of ops, built by definitions through [`Var`], a `Copy` handle with operators.

use crate::exactly;
use crate::op::{Axis, Binary, Compare, Reduce, Unary};
use crate::real::Real;
use crate::scalar;
use crate::sequence::Tabled;
use rustc_hash::FxHashMap;
use std::cell::RefCell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A node's place in its graph; arguments come before what uses them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id(pub(crate) usize);

impl Id {
    /// Its place in the list of nodes.
    #[must_use]
    pub fn index(self) -> usize {
        self.0
    }
}

/// A side as a symbol; its size is bound when the graph is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dim {
    /// Exactly one; broadcasts.
    One,
    /// The full side of this axis of the main input at this place: an objective may have several.
    Full(Axis, usize),
}

/// The three sides of a node.
pub type Shape = [Dim; 3];

/// The shape of a number.
pub const NUMBER: Shape = [Dim::One; 3];

/// All sides of the main input at this place.
#[must_use]
pub fn full(frame: usize) -> Shape {
    Axis::ALL.map(|axis| Dim::Full(axis, frame))
}

/// The sizes of a shape's sides, given those of every frame.
#[must_use]
pub fn sides_of(shape: Shape, frames: &[[usize; 3]]) -> [usize; 3] {
    shape.map(|dim| match dim {
        Dim::One => 1,
        Dim::Full(axis, frame) => frames[frame][axis.index()],
    })
}

/// An op and its arguments. A node of shape [`NUMBER`] lives on the host in `f64`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Node {
    /// The number with these bits.
    Constant(u64),
    /// The tensor argument at this place.
    Input(usize),
    /// The size of an axis of the main input at this place.
    Size(Axis, usize),
    /// An element-wise op.
    Unary(Unary, Id),
    /// An element-wise op of two.
    Binary(Binary, Id, Id),
    /// A choice by comparison.
    Select(Compare, [Id; 2], [Id; 2]),
    /// A reduction along one axis.
    Reduce(Reduce, Id, Axis),
    /// A reduction of everything to one number.
    Fold(Reduce, Id),
    /// One value at the label's class, another elsewhere.
    AtLabel(usize, Id, Id),
    /// The elements at the places of a table, the number with these bits where it has none.
    Take(usize, Id, u64),
    /// The sums at the classes of a table, its transpose.
    Put(usize, Id),
    /// A product of matrices, each transposed first where its flag says so.
    Matmul(Id, Id, [bool; 2]),
    /// The same value, its sides of one spread to the node's shape.
    Spread(Id),
    /// The same value, through which no derivative passes.
    Detach(Id),
}

impl Node {
    /// The nodes it reads.
    pub fn arguments(self) -> impl Iterator<Item = Id> {
        let (ids, n) = match self {
            Self::Constant(_) | Self::Input(_) | Self::Size(..) => ([Id(0); 4], 0),
            Self::Unary(_, x)
            | Self::Reduce(_, x, _)
            | Self::Fold(_, x)
            | Self::Take(_, x, _)
            | Self::Put(_, x)
            | Self::Spread(x)
            | Self::Detach(x) => ([x, x, x, x], 1),
            Self::Binary(_, a, b) | Self::AtLabel(_, a, b) | Self::Matmul(a, b, _) => {
                ([a, b, b, b], 2)
            }
            Self::Select(_, [a, b], [c, d]) => ([a, b, c, d], 4),
        };
        ids.into_iter().take(n)
    }
}

/// What makes nodes one.
#[derive(Debug, PartialEq, Eq)]
struct Key(Node, Shape);

impl Hash for Key {
    // Few nodes differ in their shape alone, and hashing is what building a graph costs.
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

#[derive(Debug, Default)]
struct Nodes {
    list: Vec<(Node, Shape)>,
    seen: FxHashMap<Key, Id>,
    labels: usize,
    derived: Vec<Derived>,
    tabled: Vec<Tabled>,
    fault: Option<String>,
}

/// Nodes in topological order, each once.
#[derive(Debug, Default)]
pub struct Graph {
    nodes: RefCell<Nodes>,
}

/// A handle on a node: what a definition computes with.
#[derive(Clone, Copy, Debug)]
pub struct Var<'g> {
    graph: &'g Graph,
    id: Id,
}

/// A handle on class indices.
#[derive(Clone, Copy, Debug)]
pub struct LabelVar<'g> {
    graph: &'g Graph,
    index: usize,
    shape: Shape,
}

/// Class indices made from others before a run.
pub(crate) struct Derived {
    /// The place of the others.
    pub(crate) from: usize,
    /// The shape of what they pick from.
    pub(crate) shape: Shape,
    /// The new index for an old one.
    pub(crate) relabel: Box<dyn Fn(usize) -> Option<usize>>,
}

impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "labels from {} in {:?}", self.from, self.shape)
    }
}

impl Graph {
    /// The tensor argument at place `index` of the run.
    pub(crate) fn input(&self, index: usize, shape: Shape) -> Var<'_> {
        self.push(Node::Input(index), shape)
    }

    /// The class indices at place `index` of the run, which pick from tensors of that shape.
    pub(crate) fn labels(&self, index: usize, shape: Shape) -> LabelVar<'_> {
        LabelVar { graph: self, index, shape }
    }

    /// The class indices at the next place of the run.
    pub(crate) fn next_labels(&self, shape: Shape) -> LabelVar<'_> {
        let mut nodes = self.nodes.borrow_mut();
        nodes.labels += 1;
        LabelVar { graph: self, index: nodes.labels - 1, shape }
    }

    /// The class indices that are still to be made, in the order of their places.
    pub(crate) fn take_derived(&self) -> Vec<Derived> {
        std::mem::take(&mut self.nodes.borrow_mut().derived)
    }

    /// A table that is to be made.
    pub(crate) fn give_tabled(&self, tabled: Tabled) -> usize {
        let mut nodes = self.nodes.borrow_mut();
        nodes.tabled.push(tabled);
        nodes.tabled.len() - 1
    }

    /// The tables that are to be made, in the order of their places.
    pub(crate) fn take_tabled(&self) -> Vec<Tabled> {
        std::mem::take(&mut self.nodes.borrow_mut().tabled)
    }

    /// Whether a node is such.
    pub(crate) fn any(&self, such: impl Fn(Node) -> bool) -> bool {
        self.nodes.borrow().list.iter().any(|&(node, _)| such(node))
    }

    /// A number.
    pub(crate) fn number(&self, value: f64) -> Var<'_> {
        self.push(Node::Constant(value.to_bits()), NUMBER)
    }

    fn size(&self, dim: Dim) -> Var<'_> {
        match dim {
            Dim::One => self.number(1.0),
            Dim::Full(axis, frame) => self.push(Node::Size(axis, frame), NUMBER),
        }
    }

    pub(crate) fn var(&self, id: Id) -> Var<'_> {
        Var { graph: self, id }
    }

    /// A node and its shape.
    pub fn node(&self, id: Id) -> (Node, Shape) {
        self.nodes.borrow().list[id.0]
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.borrow().list.len()
    }

    /// Every node with its shape, arguments before what uses them; a node's [`Id::index`] is its place.
    #[must_use]
    pub fn nodes(&self) -> Vec<(Node, Shape)> {
        self.nodes.borrow().list.clone()
    }

    /// Records what is wrong with a definition; the run reports it.
    pub(crate) fn fault(&self, what: String) -> Var<'_> {
        self.nodes.borrow_mut().fault.get_or_insert(what);
        self.number(f64::NAN)
    }

    pub(crate) fn take_fault(&self) -> Option<String> {
        self.nodes.borrow_mut().fault.take()
    }

    pub(crate) fn push(&self, node: Node, shape: Shape) -> Var<'_> {
        let mut nodes = self.nodes.borrow_mut();
        let next = Id(nodes.list.len());
        let id = *nodes.seen.entry(Key(node, shape)).or_insert(next);
        if id == next {
            nodes.list.push((node, shape));
        }
        Var { graph: self, id }
    }
}

impl<'g> Var<'g> {
    pub(crate) fn id(self) -> Id {
        self.id
    }

    pub(crate) fn shape(self) -> Shape {
        self.graph.node(self.id).1
    }

    /// Its value, if it is a constant.
    pub(crate) fn known(self) -> Option<f64> {
        let Node::Constant(bits) = self.graph.node(self.id).0 else { return None };
        Some(f64::from_bits(bits))
    }

    /// The sum along an axis, whose side becomes one; what is one already stays as it is.
    #[must_use]
    pub fn sum(self, axis: Axis) -> Self {
        self.reduce(Reduce::Sum, axis)
    }

    /// The largest along an axis, whose side becomes one.
    #[must_use]
    pub fn max(self, axis: Axis) -> Self {
        self.reduce(Reduce::Max, axis)
    }

    /// The number of elements along an axis.
    #[must_use]
    pub fn size(self, axis: Axis) -> Self {
        self.graph.size(self.shape()[axis.index()])
    }

    /// The sum of all elements, were the tensor broadcast to `shape`: a number.
    #[must_use]
    pub(crate) fn total(self, shape: Shape) -> Self {
        let sum = if self.shape() == NUMBER {
            self
        } else {
            self.graph.push(Node::Fold(Reduce::Sum, self.id), NUMBER)
        };
        missing(self.shape(), shape).fold(sum, |sum, dim| sum * self.graph.size(dim))
    }

    /// The largest of all elements: a number.
    pub(crate) fn largest(self) -> Self {
        if self.shape() == NUMBER {
            return self;
        }
        self.graph.push(Node::Fold(Reduce::Max, self.id), NUMBER)
    }

    /// Sums away the axes that `target` does not have, were this broadcast to `shape`: a cotangent of what was broadcast.
    pub(crate) fn sum_to(self, shape: Shape, target: Shape) -> Self {
        if target == NUMBER {
            return self.total(shape);
        }
        Axis::ALL.into_iter().fold(self, |sum, axis| {
            let at = axis.index();
            match (sum.shape()[at], target[at]) {
                (Dim::Full(..), Dim::One) => sum.sum(axis),
                (Dim::One, Dim::One) => sum * self.graph.size(shape[at]),
                (_, Dim::Full(..)) => sum,
            }
        })
    }

    pub(crate) fn reduce(self, op: Reduce, axis: Axis) -> Self {
        let mut shape = self.shape();
        if shape[axis.index()] == Dim::One {
            return self;
        }
        shape[axis.index()] = Dim::One;
        // What is left is one number only if the axis was the last full one; then it goes to the host.
        if shape == NUMBER {
            return self.graph.push(Node::Fold(op, self.id), NUMBER);
        }
        self.graph.push(Node::Reduce(op, self.id, axis), shape)
    }

    /// `self` · `weight`ᵀ of rows that are each a vector: one result for each row of the weight, in the given shape.
    #[must_use]
    pub fn linear(self, weight: Self, shape: Shape) -> Self {
        self.matmul(weight, [false, true], shape)
    }

    /// The product of two matrices that fill their shapes.
    pub(crate) fn matmul(self, other: Self, transposed: [bool; 2], shape: Shape) -> Self {
        self.graph.push(Node::Matmul(self.id, other.id, transposed), shape)
    }

    /// The same value, filling the shape.
    pub(crate) fn spread(self, shape: Shape) -> Self {
        if self.shape() == shape { self } else { self.graph.push(Node::Spread(self.id), shape) }
    }

    fn together(self, others: impl IntoIterator<Item = Self>) -> Shape {
        let mut shape = self.shape();
        for other in others {
            for (side, more) in shape.iter_mut().zip(other.shape()) {
                if *side == Dim::One {
                    *side = more;
                }
            }
        }
        shape
    }
}

/// The sides that are full in `whole` but not in `own`.
fn missing(own: Shape, whole: Shape) -> impl Iterator<Item = Dim> {
    own.into_iter().zip(whole).filter(|(own, _)| *own == Dim::One).map(|(_, whole)| whole)
}

impl<'g> LabelVar<'g> {
    /// `hit` where the class is the row's label, else `miss`.
    #[must_use]
    pub fn at(self, hit: Var<'g>, miss: Var<'g>) -> Var<'g> {
        if hit.id == miss.id && hit.known().is_some() {
            return hit;
        }
        self.graph.push(Node::AtLabel(self.index, hit.id, miss.id), self.shape)
    }

    /// What the labels pick from, in another shape: `relabel` has the new index for an old one, or none.
    #[must_use]
    pub fn relabel(self, shape: Shape, relabel: impl Fn(usize) -> Option<usize> + 'static) -> Self {
        let labels = self.graph.next_labels(shape);
        let derived = Derived { from: self.index, shape, relabel: Box::new(relabel) };
        self.graph.nodes.borrow_mut().derived.push(derived);
        labels
    }

    /// The value at each row's label; 0 where the label is ignored.
    #[must_use]
    pub fn pick(self, from: Var<'g>) -> Var<'g> {
        self.at(from, self.graph.number(0.0)).sum(Axis::Class)
    }

    /// 1 in each row that has a label, 0 where it is ignored.
    #[must_use]
    pub fn labelled(self) -> Var<'g> {
        self.pick(self.graph.number(1.0))
    }
}

impl Real for Var<'_> {
    fn constant(self, value: f64) -> Self {
        self.graph.number(value)
    }

    fn unary(self, op: Unary) -> Self {
        if let Some(y) = self.known().and_then(|x| exactly::unary(op, x)) {
            return self.constant(y);
        }
        match (op, self.graph.node(self.id).0) {
            (Unary::Neg, Node::Unary(Unary::Neg, x)) => self.graph.var(x),
            _ => self.graph.push(Node::Unary(op, self.id), self.shape()),
        }
    }

    fn binary(self, op: Binary, other: Self) -> Self {
        let (a, b) = (self.known(), other.known());
        if let Some(y) = a.zip(b).and_then(|(a, b)| exactly::binary(op, a, b)) {
            return self.constant(y);
        }
        // Only identities that hold for every float, NaN and −0 included, are folded.
        match (op, a, b) {
            (Binary::Mul | Binary::Weigh, Some(1.0), _) => return other,
            (Binary::Mul | Binary::Weigh | Binary::Div, _, Some(1.0)) => return self,
            (Binary::Mul | Binary::Weigh | Binary::Div, _, Some(-1.0)) => return -self,
            (Binary::Mul | Binary::Weigh, Some(-1.0), _) => return -other,
            (Binary::Weigh, Some(0.0), _) => return self.constant(0.0),
            _ => {}
        }
        self.graph.push(Node::Binary(op, self.id, other.id), self.together([other]))
    }

    fn select(compare: Compare, a: Self, b: Self, then: Self, otherwise: Self) -> Self {
        if then.id == otherwise.id {
            return then;
        }
        if let (Some(a), Some(b)) = (a.known(), b.known()) {
            return if scalar::compare(compare, a, b) { then } else { otherwise };
        }
        let node = Node::Select(compare, [a.id, b.id], [then.id, otherwise.id]);
        a.graph.push(node, a.together([b, then, otherwise]))
    }

    fn detach(self) -> Self {
        self.graph.push(Node::Detach(self.id), self.shape())
    }
}

impl Neg for Var<'_> {
    type Output = Self;
    fn neg(self) -> Self {
        self.unary(Unary::Neg)
    }
}

macro_rules! operators {
    ($($name:ident $method:ident),*) => {$(
        impl $name for Var<'_> {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                self.binary(Binary::$name, other)
            }
        }
        impl $name<f64> for Var<'_> {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                self.binary(Binary::$name, self.constant(other))
            }
        }
        impl<'g> $name<Var<'g>> for f64 {
            type Output = Var<'g>;
            fn $method(self, other: Var<'g>) -> Var<'g> {
                other.constant(self).binary(Binary::$name, other)
            }
        }
    )*};
}
operators!(Add add, Sub sub, Mul mul, Div div);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_nothing_is_no_node() {
        let graph = Graph::default();
        let x = graph.input(0, full(0));
        let same = [-(-x), x * 1.0, 1.0 * x, x / 1.0, x.constant(1.0).weigh(x)];
        assert_eq!(same.map(Var::id), [x.id(); 5]);
        let turned = [x * -1.0, -1.0 * x, x / -1.0];
        assert_eq!(turned.map(Var::id), [(-x).id(); 3]);
        assert_eq!(x.constant(0.0).weigh(x).known(), Some(0.0));
        // 0 · x is NaN where x is infinite.
        assert_eq!((x * 0.0).known(), None);
        assert_eq!(Var::select(Compare::Lt, x, x * 2.0, x, x).id(), x.id());
    }

    #[test]
    fn nodes_stand_at_their_index_and_equal_ones_once() {
        let graph = Graph::default();
        let x = graph.input(0, full(0));
        let sum = x + x.exp();
        assert_eq!((x + x.exp()).id(), sum.id());
        assert_eq!(graph.nodes().len(), graph.len());
        let (node, shape) = graph.nodes()[sum.id().index()];
        assert_eq!((node, shape), (Node::Binary(Binary::Add, x.id(), x.exp().id()), full(0)));
    }
}
