//! The judge: a run of a plan in which every number is exact, those on the host included.

use crate::backend::{Exact, at_label_of, select_of};
use crate::big::Big;
use crate::tensor::{BigArray, Seen, Tensor};
use lossmith_core::dense::broadcast;
use lossmith_core::graph::{Id, Node, Shape, sides_of};
use lossmith_core::plan::{Entering, Leaving, Picks};
use lossmith_core::{Dense, Error, Matmul as _, Plan, Runner, Take as _};
use std::convert::Infallible;

/// What runs a plan exactly, on the host arrays' numbers as they are, and gives [`BigArray`]s.
///
/// A number is a tensor whose sides are all one; nothing is ever rounded to `f64`.
#[derive(Debug, Default)]
pub struct Oracle {
    exact: Exact,
}

/// A node as it was computed.
#[derive(Debug)]
pub struct Step<'a> {
    /// Its place in the graph.
    pub index: usize,
    /// The op.
    pub node: Node,
    /// Which sides are full; those of a number on the host are not.
    pub shape: Shape,
    /// The sides of its result.
    pub sides: [usize; 3],
    /// What it read, in order.
    pub arguments: &'a [&'a Tensor],
    /// What it gave.
    pub value: &'a Tensor,
}

impl Oracle {
    /// In 256 bits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// In so many bits, at least 64.
    #[must_use]
    pub fn with_bits(bits: usize) -> Self {
        Self { exact: Exact::with_bits(bits) }
    }

    /// What leaves the plan, where `replace` may put another value in the place of any node's as soon as it is computed.
    ///
    /// # Errors
    /// An [`Error`] that names the argument outside its domain.
    pub fn watched(
        &self,
        plan: &Plan,
        arrays: &[Option<&Dense>],
        picks: &Picks<'_>,
        replace: &mut dyn FnMut(&Step<'_>) -> Option<Tensor>,
    ) -> Result<Vec<BigArray>, Error> {
        let inputs = plan.entering().iter().map(|entering| enter(entering, arrays));
        let mut inputs = inputs.collect::<Result<Vec<_>, _>>()?;
        let nodes = plan.graph().nodes();
        let last_uses = last_uses(plan, &nodes);
        let mut slots: Vec<Option<Tensor>> = vec![None; nodes.len()];
        for (index, &(node, shape)) in nodes.iter().enumerate() {
            if last_uses[index] == 0 {
                continue;
            }
            let read: Vec<_> = node.arguments().map(Id::index).collect();
            let arguments: Vec<_> = read.iter().filter_map(|&at| slots[at].as_ref()).collect();
            let sides = sides_of(shape, plan.sides());
            let value = if let Node::Input(input) = node {
                inputs[input].take()
            } else {
                self.node(node, sides, &arguments, plan, picks)
            };
            // What reads nothing that there is cannot be; NaN says so.
            let value = value.unwrap_or_else(|| Tensor::number(Big::Nan));
            let step = Step { index, node, shape, sides, arguments: &arguments, value: &value };
            let value = replace(&step).unwrap_or(value);
            slots[index] = Some(value);
            for at in read {
                slots[at].take_if(|_| last_uses[at] == index);
            }
        }
        let leave = |leaving: &Leaving| {
            let tensors = leaving.ids.iter().filter_map(|id| slots[id.index()].as_ref());
            let data = tensors.flat_map(|tensor| tensor.data.iter().cloned()).collect();
            BigArray::new(&leaving.shape, data)
        };
        Ok(plan.leaving().iter().map(leave).collect())
    }

    /// What a node gives of its arguments; none for an input, or without them.
    fn node(
        &self,
        node: Node,
        sides: [usize; 3],
        arguments: &[&Tensor],
        plan: &Plan,
        picks: &Picks<'_>,
    ) -> Option<Tensor> {
        let seen = |place: usize| arguments.get(place).map(|&tensor| Seen::Tensor(tensor));
        let exact = &self.exact;
        let certain = |Ok(tensor): Result<Tensor, Infallible>| tensor;
        Some(match node {
            Node::Input(_) => return None,
            Node::Constant(bits) => Tensor::number(Big::from(f64::from_bits(bits))),
            #[allow(clippy::cast_precision_loss, reason = "a side above 2^53 does not exist")]
            Node::Size(axis, frame) => {
                Tensor::number(Big::from(plan.sides()[frame][axis.index()] as f64))
            }
            Node::Unary(op, _) => exact.unary_of(op, &seen(0)?),
            Node::Binary(op, ..) => exact.binary_of(op, &seen(0)?, &seen(1)?),
            Node::Select(op, ..) => select_of(op, [&seen(0)?, &seen(1)?], [&seen(2)?, &seen(3)?]),
            Node::Reduce(op, _, axis) => exact.reduce_of(op, &seen(0)?, axis),
            Node::Fold(op, _) => Tensor::number(exact.fold_of(op, &seen(0)?)),
            Node::AtLabel(labels, ..) => {
                at_label_of(picks.labels.get(labels)?, &seen(0)?, &seen(1)?)
            }
            Node::Take(table, _, bits) => {
                let otherwise = f64::from_bits(bits);
                certain(exact.take(arguments.first()?, picks.tables.get(table)?, otherwise))
            }
            Node::Put(table, _) => certain(exact.put(arguments.first()?, picks.tables.get(table)?)),
            Node::Matmul(_, _, [turn_a, turn_b]) => {
                let (a, b) = (arguments.first()?, arguments.get(1)?);
                certain(exact.matmul((a, turn_a), (b, turn_b), sides))
            }
            Node::Spread(_) | Node::Detach(_) => {
                let x = seen(0)?;
                Tensor::build(sides, |at| x.at(at).clone())
            }
        })
    }
}

impl Runner<Dense> for Oracle {
    type Output = BigArray;

    fn shape(&self, array: &Dense) -> Vec<usize> {
        array.shape().to_vec()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&Dense>],
        picks: &Picks<'_>,
    ) -> Result<Vec<BigArray>, Error> {
        self.watched(plan, arrays, picks, &mut |_| None)
    }
}

/// An array as an input of the graph, in its domain.
fn enter(entering: &Entering, arrays: &[Option<&Dense>]) -> Result<Option<Tensor>, Error> {
    let Some(array) = arrays[entering.place] else { return Ok(None) };
    let view = &entering.view;
    let data = broadcast(view.part(array.data()), &view.aligned, &view.expanded);
    for &(argument, domain) in &entering.domains {
        let outside = data.iter().position(|&x| !domain.holds(x));
        if let Some(index) = outside {
            return Err(Error::Domain { argument, index, value: data[index], domain: domain.name });
        }
    }
    let data = data.into_iter().map(Big::from).collect();
    Ok(Some(Tensor { sides: view.sides, data }))
}

/// The last node that reads each, past the end for what leaves, and 0 for what nothing on the way to it reads.
fn last_uses(plan: &Plan, nodes: &[(Node, Shape)]) -> Vec<usize> {
    let mut last = vec![0; nodes.len()];
    for id in plan.leaving().iter().flat_map(|leaving| &leaving.ids) {
        last[id.index()] = nodes.len();
    }
    for (index, (node, _)) in nodes.iter().enumerate().rev() {
        if last[index] > 0 {
            node.arguments().for_each(|read| last[read.index()] = last[read.index()].max(index));
        }
    }
    last
}
