//! Running error analysis, graph → graph: how far arithmetic that rounds every op may be from the exact result.
//!
//! The bound of a node is what its op rounds, in units of the result, and what it passes on of its arguments' bounds,
//! to first order, products to second, by the same table of [derivatives](crate::derivative) that gradients are made from.

use crate::derivative;
use crate::format::Format;
use crate::graph::{Graph, Id, NUMBER, Node, Shape, Var, full};
use crate::op::{Axis, Binary, Compare, Reduce, Unary};
use crate::real::Real;
use crate::sequence::TableVar;

/// The bound of any node there is so far, as it leaves: a number is rounded then.
pub(crate) fn bounds<'g>(graph: &'g Graph, format: Format) -> impl Fn(Var<'g>) -> Var<'g> {
    let mut bounds = Bounds { graph, format, of: Vec::new() };
    for index in 0..graph.len() {
        let bound = bounds.node(Id(index));
        bounds.of.push(bound);
    }
    move |y| bounds.argument(y.id(), full(0)).unwrap_or(graph.number(0.0))
}

struct Bounds<'g> {
    graph: &'g Graph,
    format: Format,
    of: Vec<Option<Var<'g>>>,
}

/// How many roundings' worth an op may be off.
fn units(node: Node) -> f64 {
    match node {
        Node::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Weigh, ..)
        | Node::Unary(Unary::Sqrt, _) => 1.0,
        Node::Unary(Unary::Exp | Unary::Expm1 | Unary::Ln | Unary::Ln1p, _)
        | Node::Put(..)
        | Node::Reduce(Reduce::Sum, ..)
        | Node::Fold(Reduce::Sum, _) => 2.0,
        Node::Unary(Unary::Sigmoid | Unary::Softplus, _)
        | Node::Binary(Binary::ExpSub | Binary::LogAddExp, ..) => 4.0,
        Node::Constant(_)
        | Node::Input(_)
        | Node::Size(..)
        | Node::Unary(Unary::Neg | Unary::Abs | Unary::Sign, _)
        | Node::Select(..)
        | Node::Reduce(Reduce::Max, ..)
        | Node::Fold(Reduce::Max, _)
        | Node::AtLabel(..)
        | Node::Take(..)
        | Node::Matmul(..)
        | Node::Spread(_)
        | Node::Detach(_) => 0.0,
    }
}

impl<'g> Bounds<'g> {
    fn node(&self, id: Id) -> Option<Var<'g>> {
        let y = self.graph.var(id);
        let (node, shape) = self.graph.node(id);
        let of = |x: Id| self.argument(x, shape);
        let passed = match node {
            Node::Constant(_) | Node::Input(_) | Node::Size(..) => None,
            // No derivative passes, so to first order nothing depends on it: any number would do as well.
            Node::Detach(_) => None,
            Node::Unary(Unary::Neg | Unary::Abs, x) | Node::Spread(x) => of(x),
            // A sign may turn where the bound reaches over 0.
            Node::Unary(Unary::Sign, x) => of(x).map(|bound| {
                let [none, two] = [0.0, 2.0].map(|x| bound.constant(x));
                Var::select(Compare::Lt, self.graph.var(x).abs(), bound, two, none)
            }),
            Node::Unary(op, x) => pass(of(x), derivative::unary(op, self.graph.var(x), y)),
            Node::Binary(op, a, b) => {
                let [da, db] = derivative::binary(op, self.graph.var(a), self.graph.var(b), y);
                let of_b = if op == Binary::Weigh { weighed(of(b), db) } else { pass(of(b), db) };
                let first_order = sum(pass(of(a), da), of_b);
                // Where a branch may turn, a bound is as large as what it bounds, and a product's second order counts.
                let second_order = match (op, of(b)) {
                    (Binary::Mul | Binary::Weigh, Some(b)) => pass(of(a), b),
                    (Binary::Mul | Binary::Weigh, None)
                    | (
                        Binary::Add
                        | Binary::Sub
                        | Binary::Div
                        | Binary::ExpSub
                        | Binary::LogAddExp,
                        _,
                    ) => None,
                };
                sum(first_order, second_order)
            }
            Node::Select(compare, [a, b], [then, otherwise]) => {
                let [a_bound, b_bound, then_bound, or_bound] = [a, b, then, otherwise].map(of);
                let [a, b, then, or] = [a, b, then, otherwise].map(|id| self.graph.var(id));
                let exact = y.constant(0.0);
                let [t, o] = [then_bound, or_bound].map(|bound| bound.unwrap_or(exact));
                let taken = Var::select(compare, a, b, t, o);
                // The other branch may be taken where the comparison is within its sides' bounds, or a side has none.
                let either = sum(a_bound, b_bound).map_or(taken, |reach| {
                    let both = (then - or).abs() + t + o;
                    let infinite = y.constant(f64::INFINITY);
                    let near = Var::select(Compare::Lt, (a - b).abs(), reach, both, taken);
                    Var::select(Compare::Eq, reach, infinite, both, near)
                });
                (either.id() != exact.id()).then_some(either)
            }
            Node::Reduce(Reduce::Sum, x, _) | Node::Fold(Reduce::Sum, x) => {
                of(x).map(|bound| bound.sum_to(self.graph.node(x).1, shape))
            }
            Node::Reduce(Reduce::Max, x, axis) => of(x).map(|bound| bound.max(axis)),
            Node::Fold(Reduce::Max, x) => of(x).map(Var::largest),
            Node::Matmul(a, b, turned) => {
                let [a_var, b_var] = [a, b].map(|x| self.graph.var(x));
                let product = |a: Var<'g>, b: Var<'g>| {
                    let (a, b) = (a.spread(a_var.shape()), b.spread(b_var.shape()));
                    a.matmul(b, turned, shape)
                };
                let of_a = self.argument(a, a_var.shape()).map(|bound| product(bound, b_var.abs()));
                let of_b = self.argument(b, b_var.shape()).map(|bound| product(a_var.abs(), bound));
                sum(of_a, of_b)
            }
            Node::Take(table, x, _) => {
                let x_shape = self.graph.node(x).1;
                let table = TableVar::new(self.graph, table, [x_shape, shape]);
                self.argument(x, x_shape).map(|bound| table.take(bound, 0.0))
            }
            Node::Put(table, x) => {
                let x_shape = self.graph.node(x).1;
                let table = TableVar::new(self.graph, table, [shape, x_shape]);
                self.argument(x, x_shape).map(|bound| table.put(bound))
            }
            Node::AtLabel(labels, hit, miss) => {
                let exact = y.constant(0.0);
                let [hit, miss] = [hit, miss].map(|id| of(id).unwrap_or(exact));
                let bound = self.graph.labels(labels, shape).at(hit, miss);
                (bound.id() != exact.id()).then_some(bound)
            }
        };
        // Numbers on the host are f64, whatever the format.
        let format = if shape == NUMBER { Format::F64 } else { self.format };
        // An infinity is not rounded.
        let rounding = self.rounding(y, node, format).map(|rounding| {
            let [zero, infinite] = [0.0, f64::INFINITY].map(|x| y.constant(x));
            Var::select(Compare::Eq, rounding, infinite, zero, rounding)
        });
        // What is rounded is as much larger as its bound, where a branch may turn.
        let passed = passed.map(|passed| match rounding {
            Some(_) => passed * (1.0 + format.unit()),
            None => passed,
        });
        let bound = sum(passed, rounding)?;
        // The terms of a sum may overflow where the sum does not; those of a narrow format are added up in f64.
        let in_format = matches!(node, Node::Matmul(..)) || format == Format::F64;
        let most = self.terms(node, shape).filter(|_| in_format).unwrap_or(y.abs());
        Some(self.overflow(id, most, bound, format))
    }

    /// What a sum adds up, without the signs.
    fn terms(&self, node: Node, shape: Shape) -> Option<Var<'g>> {
        if let Node::Reduce(Reduce::Sum, x, _) | Node::Fold(Reduce::Sum, x) = node {
            return Some(self.graph.var(x).abs().sum_to(self.graph.node(x).1, shape));
        }
        let Node::Matmul(a, b, turned) = node else { return None };
        let [a, b] = [a, b].map(|x| self.graph.var(x).abs());
        Some(a.matmul(b, turned, shape))
    }

    /// The bound of a result; none is given where the format cannot hold the most that there is on the way to it.
    fn overflow(&self, id: Id, most: Var<'g>, bound: Var<'g>, format: Format) -> Var<'g> {
        let y = self.graph.var(id).abs();
        let [huge, infinite] = [format.huge(), f64::INFINITY].map(|x| y.constant(x));
        let finite = Var::select(Compare::Lt, huge, most + bound, infinite, bound);
        // An infinity that is made of another, or at a pole, is exact.
        let made = self
            .reach(id)
            .map_or(bound, |reach| Var::select(Compare::Eq, reach, infinite, bound, infinite));
        Var::select(Compare::Eq, y, infinite, made, finite)
    }

    /// What is infinite where the result may be and is exact; none where it is exact whenever it is infinite.
    fn reach(&self, id: Id) -> Option<Var<'g>> {
        let of = |x: Id| self.graph.var(x).abs();
        let node = self.graph.node(id).0;
        if let Node::Unary(Unary::Exp | Unary::Expm1 | Unary::Softplus, x) = node {
            return Some(of(x));
        }
        let Node::Binary(op, a, b) = node else { return None };
        let (a, b) = (of(a), of(b));
        let b = if op == Binary::Div { b.constant(1.0) / b } else { b };
        Some(Var::select(Compare::Lt, a, b, b, a))
    }

    /// The bound of an argument; a number is rounded when it meets a tensor.
    fn argument(&self, x: Id, result: Shape) -> Option<Var<'g>> {
        let (bound, x) = (self.of[x.0], self.graph.var(x));
        if x.shape() != NUMBER || result == NUMBER {
            return bound;
        }
        let exact = x.known().is_some_and(|x| self.format.round(x) == x || x.is_nan());
        let rounded = (!exact).then(|| x.abs() * self.format.unit() + self.format.tiny());
        sum(bound, rounded).map(|bound| self.overflow(x.id(), x.abs(), bound, self.format))
    }

    /// What the op itself rounds.
    fn rounding(&self, y: Var<'g>, node: Node, format: Format) -> Option<Var<'g>> {
        let units = units(node) * format.unit();
        // What a tensor's result below the normal numbers loses; sums and differences lose nothing there.
        let tiny = y.constant(if y.shape() == NUMBER { 0.0 } else { format.tiny() });
        match node {
            Node::Reduce(Reduce::Sum, ..) | Node::Fold(Reduce::Sum, _) => {
                self.terms(node, y.shape()).map(|terms| terms * units)
            }
            Node::Put(table, x) => {
                let x = self.graph.var(x);
                let table = TableVar::new(self.graph, table, [y.shape(), x.shape()]);
                Some(table.put(x.abs()) * units)
            }
            // Each product and each step of the sum.
            Node::Matmul(a, _, turned) => {
                let a = self.graph.var(a);
                let steps = if turned[0] {
                    a.size(Axis::Batch)
                } else {
                    a.size(Axis::Class) * a.size(Axis::Inner)
                };
                let steps = steps + 1.0;
                let rounded = |terms| terms * (steps * format.unit()) + tiny * steps;
                self.terms(node, y.shape()).map(rounded)
            }
            // The difference is rounded before its exponential magnifies it.
            Node::Binary(Binary::ExpSub, a, b) => {
                let difference = (self.graph.var(a) - self.graph.var(b)).abs();
                Some((y + y.weigh(difference)) * units + tiny)
            }
            // The tail that is added to the larger is rounded as a number of its own.
            Node::Binary(Binary::LogAddExp, ..) => Some((y.abs() + 1.0) * units),
            // A product with 0 is exact.
            Node::Binary(Binary::Weigh, a, b) => {
                let [a, b] = [a, b].map(|x| self.graph.var(x));
                let zero = y.constant(0.0);
                let lost = Var::select(Compare::Eq, b, zero, zero, tiny);
                let lost = Var::select(Compare::Eq, a, zero, zero, lost);
                Some(y.abs() * units + lost)
            }
            Node::Binary(Binary::Add | Binary::Sub, ..) => Some(y.abs() * units),
            Node::Binary(Binary::Mul | Binary::Div, ..) | Node::Unary(..) if units > 0.0 => {
                Some(y.abs() * units + tiny)
            }
            Node::Constant(_)
            | Node::Input(_)
            | Node::Size(..)
            | Node::Unary(..)
            | Node::Binary(Binary::Mul | Binary::Div, ..)
            | Node::Select(..)
            | Node::Reduce(Reduce::Max, ..)
            | Node::Fold(Reduce::Max, _)
            | Node::AtLabel(..)
            | Node::Take(..)
            | Node::Spread(_)
            | Node::Detach(_) => None,
        }
    }
}

/// What an argument's bound comes to in the result; of one that has none, the result has none.
fn pass<'g>(bound: Option<Var<'g>>, derivative: Var<'g>) -> Option<Var<'g>> {
    let passed = weighed(bound, derivative)?;
    let infinite = passed.constant(f64::INFINITY);
    Some(Var::select(Compare::Eq, bound?, infinite, infinite, passed))
}

/// The same where a derivative of 0 is a weight that skips the argument, whatever it is.
fn weighed<'g>(bound: Option<Var<'g>>, derivative: Var<'g>) -> Option<Var<'g>> {
    let bound = bound?;
    let zero = bound.constant(0.0);
    Some(Var::select(Compare::Eq, bound, zero, zero, derivative.abs().weigh(bound)))
}

fn sum<'g>(a: Option<Var<'g>>, b: Option<Var<'g>>) -> Option<Var<'g>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (one, None) | (None, one) => one,
    }
}
