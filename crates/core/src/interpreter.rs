//! Runs a graph on a [`Backend`], op by op; numbers stay on the host in `f64`, tensors are freed or reused at their last use.

use crate::backend::{Backend, Operand};
use crate::catalogue::Domain;
use crate::error::Error;
use crate::graph::{Graph, Id, NUMBER, Node, Shape, sides_of};
use crate::op::{Binary, Compare, Reduce};
use crate::scalar;
use crate::sequence::Table;

/// A node's value: a number on the host, or a tensor.
#[derive(Debug)]
pub(crate) enum Value<T> {
    Number(f64),
    Tensor(T),
}

/// What a graph is run on.
pub(crate) struct Run<'a, B: Backend> {
    pub(crate) backend: &'a B,
    pub(crate) graph: &'a Graph,
    pub(crate) sides: &'a [[usize; 3]],
    pub(crate) inputs: Vec<Option<Value<B::Tensor>>>,
    pub(crate) labels: Vec<B::Labels>,
    pub(crate) tables: &'a [Table],
}

impl<B: Backend> Run<'_, B> {
    /// The values of the outputs.
    pub(crate) fn outputs(mut self, outputs: &[Id]) -> Result<Vec<B::Tensor>, Error> {
        let mut uses = self.uses(outputs);
        let mut slots: Vec<Option<Value<B::Tensor>>> = Vec::new();
        for index in 0..self.graph.len() {
            let value = if uses[index] > 0 {
                let value = self.node(Id(index), &mut slots, &mut uses);
                Some(value.map_err(Error::backend)?)
            } else {
                None
            };
            slots.push(value);
        }
        let finish = |&id: &Id| {
            uses[id.0] -= 1;
            self.finish(id, &mut slots, uses[id.0]).map_err(Error::backend)
        };
        outputs.iter().map(finish).collect()
    }

    /// How often each node is read on the way to the outputs.
    fn uses(&self, outputs: &[Id]) -> Vec<usize> {
        let mut uses = vec![0; self.graph.len()];
        for id in outputs {
            uses[id.0] += 1;
        }
        for index in (0..uses.len()).rev() {
            if uses[index] > 0 {
                for argument in self.graph.node(Id(index)).0.arguments() {
                    uses[argument.0] += 1;
                }
            }
        }
        uses
    }

    fn node(
        &mut self,
        id: Id,
        slots: &mut [Option<Value<B::Tensor>>],
        uses: &mut [usize],
    ) -> Result<Value<B::Tensor>, B::Error> {
        let (node, shape) = self.graph.node(id);
        if shape == NUMBER
            && let Some(number) = self.number(node, slots)
        {
            return Ok(Value::Number(number));
        }
        // Tensors at their last use leave their slot, unless they stand twice; the others are lent from it.
        let mut owned: [Option<B::Tensor>; 4] = [None, None, None, None];
        let arguments: Vec<Id> = node.arguments().collect();
        for (place, argument) in arguments.iter().enumerate() {
            uses[argument.0] -= 1;
            let elsewhere = arguments.iter().filter(|other| *other == argument).count() > 1;
            if uses[argument.0] == 0
                && !elsewhere
                && let Some(Value::Tensor(tensor)) =
                    slots[argument.0].take_if(|value| matches!(value, Value::Tensor(_)))
            {
                owned[place] = Some(tensor);
            }
        }
        let slots = &*slots;
        let mut owned = owned.into_iter();
        let mut operands =
            arguments.iter().map(|argument| match (owned.next().flatten(), &slots[argument.0]) {
                (Some(tensor), _) => Operand::Owned(tensor),
                (None, Some(Value::Tensor(tensor))) => Operand::Borrowed(tensor),
                (None, Some(Value::Number(number))) => Operand::Scalar(*number),
                (None, None) => Operand::Scalar(f64::NAN),
            });
        let mut next = || operands.next().unwrap_or(Operand::Scalar(f64::NAN));
        let backend = self.backend;
        let tensor = match node {
            Node::Input(index) => {
                let input = self.inputs[index].take();
                return Ok(input.unwrap_or(Value::Number(f64::NAN)));
            }
            Node::Constant(_) | Node::Size(..) => return Ok(Value::Number(f64::NAN)),
            Node::Unary(op, _) => backend.unary(op, next())?,
            Node::Binary(op, ..) => backend.binary(op, next(), next())?,
            Node::Select(compare, ..) => {
                backend.select(compare, [next(), next()], [next(), next()])?
            }
            Node::Reduce(op, _, axis) => backend.reduce(op, next(), axis)?,
            Node::Fold(op, _) => return Ok(Value::Number(backend.fold(op, next())?)),
            Node::AtLabel(labels, ..) => backend.at_label(&self.labels[labels], next(), next())?,
            Node::Matmul(_, _, [turn_a, turn_b]) => {
                let (a, b) = (next(), next());
                match (backend.powers().matmul, a.tensor(), b.tensor()) {
                    (Some(backend), Some(a), Some(b)) => {
                        backend.matmul((a, turn_a), (b, turn_b), self.sides_of(shape))?
                    }
                    // A run without the power, or of numbers, is refused before it starts.
                    _ => self.full(shape, f64::NAN)?,
                }
            }
            Node::Take(table, _, bits) => match (backend.powers().take, next().tensor()) {
                (Some(backend), Some(x)) => {
                    backend.take(x, &self.tables[table], f64::from_bits(bits))?
                }
                _ => self.full(shape, f64::NAN)?,
            },
            Node::Put(table, _) => match (backend.powers().take, next().tensor()) {
                (Some(backend), Some(x)) => backend.put(x, &self.tables[table])?,
                _ => self.full(shape, f64::NAN)?,
            },
            Node::Spread(_) => match next() {
                Operand::Scalar(number) => self.full(shape, number)?,
                operand @ (Operand::Owned(_) | Operand::Borrowed(_)) => {
                    backend.binary(Binary::Mul, Operand::Owned(self.full(shape, 1.0)?), operand)?
                }
            },
            Node::Detach(_) => match next() {
                Operand::Owned(tensor) => tensor,
                operand @ (Operand::Borrowed(_) | Operand::Scalar(_)) => {
                    backend.binary(Binary::Mul, operand, Operand::Scalar(1.0))?
                }
            },
        };
        Ok(Value::Tensor(tensor))
    }

    /// The value of a node on the host; none for what only the backend can compute.
    fn number(&self, node: Node, slots: &[Option<Value<B::Tensor>>]) -> Option<f64> {
        let get = |id: Id| match slots[id.0] {
            Some(Value::Number(number)) => number,
            Some(Value::Tensor(_)) | None => f64::NAN,
        };
        Some(match node {
            Node::Constant(bits) => f64::from_bits(bits),
            #[allow(clippy::cast_precision_loss, reason = "a side above 2^53 does not exist")]
            Node::Size(axis, frame) => self.sides[frame][axis.index()] as f64,
            Node::Unary(op, x) => scalar::unary(op, get(x)),
            Node::Binary(op, a, b) => scalar::binary(op, get(a), get(b)),
            Node::Select(op, [a, b], [then, otherwise]) => {
                get(if scalar::compare(op, get(a), get(b)) { then } else { otherwise })
            }
            Node::Detach(x) | Node::Spread(x) => get(x),
            Node::Input(_)
            | Node::Reduce(..)
            | Node::Fold(..)
            | Node::AtLabel(..)
            | Node::Take(..)
            | Node::Put(..)
            | Node::Matmul(..) => return None,
        })
    }

    /// An output as a tensor, which stays for others that still want it.
    fn finish(
        &self,
        id: Id,
        slots: &mut [Option<Value<B::Tensor>>],
        left: usize,
    ) -> Result<B::Tensor, B::Error> {
        let slot = &mut slots[id.0];
        let taken = if left == 0 { slot.take() } else { None };
        match (taken, &*slot) {
            (Some(Value::Tensor(tensor)), _) => Ok(tensor),
            (Some(Value::Number(number)), _) => self.full(NUMBER, number),
            (None, Some(Value::Number(number))) => self.full(NUMBER, *number),
            (None, Some(Value::Tensor(tensor))) => {
                self.backend.binary(Binary::Mul, Operand::Borrowed(tensor), Operand::Scalar(1.0))
            }
            (None, None) => self.full(NUMBER, f64::NAN),
        }
    }

    /// The number everywhere.
    fn full(&self, shape: Shape, number: f64) -> Result<B::Tensor, B::Error> {
        let sides = self.sides_of(shape);
        self.backend.upload(sides, &vec![number; sides.iter().product()])
    }

    fn sides_of(&self, shape: Shape) -> [usize; 3] {
        sides_of(shape, self.sides)
    }
}

/// The first element outside a domain: its place and value.
pub(crate) fn first_outside<B: Backend>(
    backend: &B,
    x: &B::Tensor,
    domain: Domain,
) -> Result<Option<(usize, f64)>, B::Error> {
    let one_where_less =
        |a, b| backend.select(Compare::Lt, [a, b], [Operand::Scalar(1.0), Operand::Scalar(0.0)]);
    let x_below = |end| one_where_less(Operand::Borrowed(x), Operand::Scalar(end));
    let x_above = |end| one_where_less(Operand::Scalar(end), Operand::Borrowed(x));
    let joined = |op, a, b| backend.binary(op, Operand::Owned(a), Operand::Owned(b));
    let mut outside = joined(Binary::Add, x_below(domain.low)?, x_above(domain.high)?)?;
    if domain.ends {
        let between = joined(Binary::Mul, x_above(domain.low)?, x_below(domain.high)?)?;
        outside = joined(Binary::Add, outside, between)?;
    }
    if backend.fold(Reduce::Sum, Operand::Owned(outside))? == 0.0 {
        return Ok(None);
    }
    let mut elements = backend.download(x)?.into_iter().enumerate();
    Ok(elements.find(|&(_, value)| !domain.holds(value)))
}
