//! Reverse mode, graph → graph: gradients are nodes of the same graph, by the table in [`derivative`](crate::derivative).
//!
//! Every chain-rule product is a `weigh` by the cotangent: where no derivative arrives, none is made of 0 · ∞.

use crate::derivative;
use crate::graph::{Graph, Id, NUMBER, Node, Shape, Var};
use crate::op::{Binary, Compare, Reduce, Unary};
use crate::real::Real;
use crate::sequence::TableVar;

/// The gradient of `value`, which fills `shape`, given its cotangent, in each of `inputs`; none where it does not depend on it.
pub(crate) fn gradients<'g>(
    graph: &'g Graph,
    value: Var<'g>,
    shape: Shape,
    cotangent: Var<'g>,
    inputs: &[Var<'g>],
) -> Vec<Option<Var<'g>>> {
    let mut all = Cotangents { graph, of: vec![None; value.id().0 + 1] };
    all.give(value.id(), shape, cotangent);
    let [zero, one] = [0.0, 1.0].map(|x| graph.number(x));

    for index in (0..all.of.len()).rev() {
        let Some(g) = all.of[index] else { continue };
        let y = graph.var(Id(index));
        let (node, shape) = graph.node(y.id());
        match node {
            Node::Constant(_) | Node::Input(_) | Node::Size(..) | Node::Detach(_) => {}
            // A quotient, since 1/x of a subnormal x is infinite.
            Node::Unary(Unary::Ln, x) => {
                all.give(x, shape, Var::select(Compare::Eq, g, zero, zero, g / graph.var(x)));
            }
            Node::Unary(op, x) => {
                all.give(x, shape, g.weigh(derivative::unary(op, graph.var(x), y)));
            }
            Node::Binary(op, a, b) => match square(graph, node) {
                // The sum of both sides at once, and 2c before x: half of the smallest number is 0.
                Some((x, c)) => all.give(x, shape, (g + g).weigh(c).weigh(graph.var(x))),
                None => {
                    let [da, db] = derivative::binary(op, graph.var(a), graph.var(b), y);
                    all.give(a, shape, g.weigh(da));
                    all.give(b, shape, g.weigh(db));
                }
            },
            Node::Select(compare, [a, b], [then, otherwise]) => {
                let (a, b) = (graph.var(a), graph.var(b));
                all.give(then, shape, Var::select(compare, a, b, g, zero));
                all.give(otherwise, shape, Var::select(compare, a, b, zero, g));
            }
            // The cotangent broadcasts along the axes that were summed away.
            Node::Reduce(Reduce::Sum, x, _) | Node::Fold(Reduce::Sum, x) => {
                all.give(x, graph.node(x).1, g);
            }
            // Ties of a maximum share its cotangent.
            Node::Reduce(Reduce::Max, x, _) | Node::Fold(Reduce::Max, x) => {
                let x_shape = graph.node(x).1;
                let tied = Var::select(Compare::Eq, graph.var(x), y, one, zero);
                all.give(x, x_shape, g.weigh(tied / tied.sum_to(x_shape, shape)));
            }
            Node::Spread(x) => all.give(x, shape, g),
            // Of y = a · bᵀ, the only product that a definition can write: g · b and gᵀ · a.
            Node::Matmul(a, b, _) => {
                let (g, a_var, b_var) = (g.spread(shape), graph.var(a), graph.var(b));
                let [a_shape, b_shape] = [a_var, b_var].map(Var::shape);
                all.give(a, a_shape, g.matmul(b_var, [false, false], a_shape));
                all.give(b, b_shape, g.matmul(a_var, [true, false], b_shape));
            }
            Node::Take(table, x, _) => {
                let x_shape = graph.node(x).1;
                all.give(x, x_shape, TableVar::new(graph, table, [x_shape, shape]).put(g));
            }
            Node::Put(table, x) => {
                let x_shape = graph.node(x).1;
                all.give(x, x_shape, TableVar::new(graph, table, [shape, x_shape]).take(g, 0.0));
            }
            Node::AtLabel(labels, hit, miss) => {
                let labels = graph.labels(labels, shape);
                all.give(hit, shape, labels.at(g, zero));
                all.give(miss, shape, labels.at(zero, g));
            }
        }
    }
    inputs.iter().map(|input| all.of.get(input.id().0).copied().flatten()).collect()
}

/// x and c where the node is x · x, of which c is 1, or x · (x · c), c being the same for all inputs.
fn square(graph: &Graph, node: Node) -> Option<(Id, Var<'_>)> {
    let Node::Binary(Binary::Mul, x, other) = node else { return None };
    if x == other {
        return Some((x, graph.number(1.0)));
    }
    let Node::Binary(Binary::Mul, of, c) = graph.node(other).0 else { return None };
    (x == of && fixed(graph, c)).then(|| (x, graph.var(c)))
}

/// Whether a node depends on no tensor.
fn fixed(graph: &Graph, id: Id) -> bool {
    let node = graph.node(id).0;
    !matches!(node, Node::Input(_)) && node.arguments().all(|id| fixed(graph, id))
}

struct Cotangents<'g> {
    graph: &'g Graph,
    of: Vec<Option<Var<'g>>>,
}

impl<'g> Cotangents<'g> {
    /// Adds a part of the cotangent of `to`, which was broadcast to `shape` where the part comes from.
    fn give(&mut self, to: Id, shape: Shape, part: Var<'g>) {
        let (node, to_shape) = self.graph.node(to);
        let constant = matches!(node, Node::Constant(_) | Node::Size(..)) && to_shape == NUMBER;
        if !constant {
            let part = part.sum_to(shape, to_shape);
            let sum = &mut self.of[to.0];
            *sum = Some(sum.map_or(part, |sum| sum + part));
        }
    }
}
