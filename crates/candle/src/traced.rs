//! A loss run on tensors that candle tracks, so that it differentiates the ops one by one.

use crate::array::{joined, matches, seen};
use crate::backend::{Candle, Labels, beside};
use crate::composed;
use candle_core::{DType, Result, Tensor};
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::plan::{Entering, Leaving, Picks};
use lossmith_core::{Backend as _, Error, Matmul as _, Operand, Plan, Runner, Take as _, scalar};

/// candle's own ops on tensors that it tracks: what is on the host elsewhere, a mean's divisor or a loss itself, is a
/// tensor here, in f64 where the device has it.
#[derive(Clone, Debug)]
pub struct Traced(Candle);

impl Traced {
    /// For tensors like that one.
    ///
    /// # Errors
    /// [`candle_core::Error::UnsupportedDTypeForOp`] if losses have no numbers of its type.
    pub fn like(tensor: &Tensor) -> Result<Self> {
        Ok(Self(Candle::like(tensor)?.composed()))
    }
}

impl Runner<Tensor> for Traced {
    type Output = Tensor;

    fn shape(&self, tensor: &Tensor) -> Vec<usize> {
        tensor.dims().to_vec()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&Tensor>],
        picks: &Picks<'_>,
    ) -> std::result::Result<Vec<Tensor>, Error> {
        let labels = picks.labels.iter().map(|labels| self.0.labels(labels));
        let labels = labels.collect::<Result<_>>().map_err(Error::backend)?;
        let inputs = plan.entering().iter().map(|entering| self.enter(entering, arrays));
        let inputs = inputs.collect::<std::result::Result<_, Error>>()?;
        let mut trace = Trace { backend: &self.0, plan, inputs, labels, picks, made: Vec::new() };
        for (node, shape) in plan.graph().nodes() {
            trace.made.push(trace.node(node, shape).map_err(Error::backend)?);
        }
        let leave = |leaving: &Leaving| trace.leave(leaving).map_err(Error::backend);
        plan.leaving().iter().map(leave).collect()
    }
}

impl Traced {
    fn enter(
        &self,
        entering: &Entering,
        arrays: &[Option<&Tensor>],
    ) -> std::result::Result<Tensor, Error> {
        let array = arrays[entering.place].ok_or(Error::Unsupported { power: "an array" })?;
        let tensor = matches(&self.0, array);
        let tensor = tensor.and_then(|()| seen(array, &entering.view)).map_err(Error::backend)?;
        entering.check(&self.0, &tensor.detach())?;
        Ok(tensor)
    }
}

/// A run, with what every node so far has given: three axes, and the type of sums where it is a number.
struct Trace<'a> {
    backend: &'a Candle,
    plan: &'a Plan,
    inputs: Vec<Tensor>,
    labels: Vec<Labels>,
    picks: &'a Picks<'a>,
    made: Vec<Tensor>,
}

impl Trace<'_> {
    fn node(&self, node: Node, shape: Shape) -> Result<Tensor> {
        let backend = self.backend;
        // Tensors are of one type, and a number among them is of it too.
        let number = |id: Id| self.made[id.index()].dtype() != backend.dtype;
        let elementwise = matches!(node, Node::Binary(..) | Node::Select(..) | Node::AtLabel(..));
        let dtype = beside(backend.dtype, elementwise && node.arguments().any(number));
        let of = |id: Id| {
            let made = &self.made[id.index()];
            if shape == NUMBER { Ok(made.clone()) } else { made.to_dtype(dtype) }
        };
        let made = match node {
            Node::Constant(bits) => self.number(f64::from_bits(bits)),
            #[allow(clippy::cast_precision_loss, reason = "a side above 2^53 does not exist")]
            Node::Size(axis, frame) => self.number(self.plan.sides()[frame][axis.index()] as f64),
            Node::Input(index) if shape == NUMBER => self.inputs[index].to_dtype(self.wide()),
            Node::Input(index) => Ok(self.inputs[index].clone()),
            Node::Unary(op, x) => composed::unary(op, &of(x)?),
            Node::Binary(op, a, b) => composed::binary(op, &of(a)?, &of(b)?),
            // One number is chosen on the host, so that nothing of the other is differentiated: the mean of nothing.
            Node::Select(compare, [a, b], [then, otherwise]) if shape == NUMBER => {
                let [a, b] = [a, b].map(|id| composed::scalar(&self.made[id.index()]));
                of(if scalar::compare(compare, a?, b?) { then } else { otherwise })
            }
            Node::Select(compare, [a, b], [then, otherwise]) => {
                composed::select(compare, [&of(a)?, &of(b)?], [&of(then)?, &of(otherwise)?])
            }
            Node::Reduce(op, x, axis) => composed::reduce(op, &of(x)?, axis),
            Node::Fold(op, x) => composed::fold(op, &of(x)?),
            Node::AtLabel(labels, hit, miss) => {
                let (hit, miss) = (Operand::Owned(of(hit)?), Operand::Owned(of(miss)?));
                backend.at_label(&self.labels[labels], hit, miss)
            }
            Node::Take(table, x, bits) => {
                backend.take(&of(x)?, &self.picks.tables[table], f64::from_bits(bits))
            }
            Node::Put(table, x) => backend.put(&of(x)?, &self.picks.tables[table]),
            Node::Matmul(a, b, [turn_a, turn_b]) => {
                backend.matmul((&of(a)?, turn_a), (&of(b)?, turn_b), self.sides(shape))
            }
            Node::Spread(x) => of(x)?.broadcast_as(&self.sides(shape)[..]),
            Node::Detach(x) => Ok(of(x)?.detach()),
        };
        if shape == NUMBER { made } else { made?.to_dtype(backend.dtype) }
    }

    fn wide(&self) -> DType {
        composed::widest(&self.backend.device)
    }

    fn number(&self, number: f64) -> Result<Tensor> {
        self.backend.number_of(number, self.wide())
    }

    fn sides(&self, shape: Shape) -> [usize; 3] {
        shape.map(|dim| match dim {
            Dim::One => 1,
            Dim::Full(axis, frame) => self.plan.sides()[frame][axis.index()],
        })
    }

    fn leave(&self, leaving: &Leaving) -> Result<Tensor> {
        let of = |id: &Id| self.made[id.index()].to_dtype(self.backend.dtype);
        joined(leaving.ids.iter().map(of).collect::<Result<_>>()?, &leaving.shape)
    }
}
