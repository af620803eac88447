//! The traced mode: every op of a loss is one of burn's, and burn differentiates them one by one.

use crate::array::AnyTensor;
use crate::backend::{Burn, Mask};
use crate::error::Fault;
use burn::tensor::Tensor;
use burn::tensor::activation::sigmoid;
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::op::{Axis, Binary, Compare, Unary};
use lossmith_core::plan::{Entering, Leaving, Picks};
use lossmith_core::{Array, Backend, Error, Matmul, Operand, Plan, Runner, Take, scalar};

/// A run whose numbers stay tensors where they come of tensors, so that no derivative is lost on the host.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Traced;

/// A node's value: a number that depends on no tensor, or a tensor.
#[derive(Clone, Debug)]
#[allow(clippy::large_enum_variant, reason = "almost every value is a tensor")]
enum Value {
    Number(f64),
    Tensor(Tensor<3>),
}

impl Value {
    fn operand(&self) -> Operand<'_, Tensor<3>> {
        match self {
            Self::Number(number) => Operand::Scalar(*number),
            Self::Tensor(tensor) => Operand::Borrowed(tensor),
        }
    }
}

/// What a plan is run on.
struct Run<'a> {
    burn: Burn,
    plan: &'a Plan,
    picks: &'a Picks<'a>,
    inputs: Vec<Tensor<3>>,
    masks: Vec<Mask>,
}

impl Runner<AnyTensor> for Traced {
    type Output = AnyTensor;

    fn shape(&self, array: &AnyTensor) -> Vec<usize> {
        array.shape()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&AnyTensor>],
        picks: &Picks<'_>,
    ) -> Result<Vec<AnyTensor>, Error> {
        let first = arrays.iter().copied().flatten().next().ok_or(Fault::Untracked)?;
        let burn = Burn { traced: true, ..Burn::of(first) };
        let enter = |entering: &Entering| {
            let array = arrays[entering.place].ok_or(Error::Unsupported { power: "an array" })?;
            let tensor = array.enter(&burn, &entering.view)?;
            entering.check(&burn, &tensor)?;
            Ok(tensor)
        };
        let inputs = plan.entering().iter().map(enter).collect::<Result<_, Error>>()?;
        let masks = picks.labels.iter().map(|labels| burn.labels(labels));
        let masks = masks.collect::<Result<_, Fault>>()?;
        let run = Run { burn, plan, picks, inputs, masks };
        Ok(run.outputs()?)
    }
}

impl Run<'_> {
    fn outputs(&self) -> Result<Vec<AnyTensor>, Fault> {
        let nodes = self.plan.graph().nodes();
        let mut live = vec![false; nodes.len()];
        for id in self.plan.leaving().iter().flat_map(|leaving| &leaving.ids) {
            live[id.index()] = true;
        }
        for index in (0..nodes.len()).rev() {
            if live[index] {
                nodes[index].0.arguments().for_each(|argument| live[argument.index()] = true);
            }
        }
        let mut values = Vec::with_capacity(nodes.len());
        for (&(node, shape), live) in nodes.iter().zip(live) {
            // What nothing reads is not computed.
            let unread = Value::Number(f64::NAN);
            values.push(if live { self.node((node, shape), &values)? } else { unread });
        }
        let leave = |leaving: &Leaving| {
            let tensors = leaving.ids.iter().map(|id| self.tensor(&values[id.index()]));
            AnyTensor::leave(&self.burn, tensors.collect(), &leaving.shape)
        };
        self.plan.leaving().iter().map(leave).collect()
    }

    fn node(&self, (node, shape): (Node, Shape), values: &[Value]) -> Result<Value, Fault> {
        let (burn, sides) = (&self.burn, self.sides(shape));
        let value = |id: Id| &values[id.index()];
        let x = |id: Id| value(id).operand();
        if shape == NUMBER
            && let Some(number) = self.number(node, value)
        {
            return Ok(Value::Number(number));
        }
        let tensor = match node {
            Node::Constant(bits) => burn.full(sides, f64::from_bits(bits)),
            Node::Size(axis, frame) => burn.full(sides, self.size(axis, frame)),
            Node::Input(index) => self.inputs[index].clone(),
            Node::Unary(Unary::Sigmoid, a) => sigmoid(self.tensor(value(a))),
            Node::Unary(Unary::Softplus, a) => softplus(&self.tensor(value(a))),
            Node::Unary(op, a) => burn.unary(op, x(a))?,
            Node::Binary(Binary::LogAddExp, a, b) => {
                self.log_add_exp([a, b].map(|id| self.tensor(value(id))))?
            }
            Node::Binary(op, a, b) => burn.binary(op, x(a), x(b))?,
            Node::Select(op, [a, b], [then, otherwise]) => {
                burn.select(op, [x(a), x(b)], [x(then), x(otherwise)])?
            }
            Node::Reduce(op, a, axis) => burn.reduce(op, x(a), axis)?,
            Node::Fold(op, a) => {
                Axis::ALL.into_iter().try_fold(self.tensor(value(a)), |folded, axis| {
                    burn.reduce(op, Operand::Owned(folded), axis)
                })?
            }
            Node::AtLabel(labels, hit, miss) => {
                burn.at_label(&self.masks[labels], x(hit), x(miss))?
            }
            Node::Take(table, a, bits) => {
                let table = &self.picks.tables[table];
                burn.take(&self.tensor(value(a)), table, f64::from_bits(bits))?
            }
            Node::Put(table, a) => burn.put(&self.tensor(value(a)), &self.picks.tables[table])?,
            Node::Matmul(a, b, [turn_a, turn_b]) => {
                let [a, b] = [a, b].map(|id| self.tensor(value(id)));
                burn.matmul((&a, turn_a), (&b, turn_b), sides)?
            }
            Node::Spread(a) => self.tensor(value(a)).expand(burn::tensor::Shape::new(sides)),
            Node::Detach(a) => self.tensor(value(a)).detach(),
        };
        Ok(Value::Tensor(tensor))
    }

    /// ln(e^(a − m) + e^(b − m)) + m, through which m, the larger, no derivative passes.
    fn log_add_exp(&self, [a, b]: [Tensor<3>; 2]) -> Result<Tensor<3>, Fault> {
        let lent = Operand::Borrowed;
        let most =
            self.burn.select(Compare::Lt, [lent(&a), lent(&b)], [lent(&b), lent(&a)])?.detach();
        let [a, b] = [&a, &b].map(|x| self.burn.binary(Binary::ExpSub, lent(x), lent(&most)));
        Ok((a? + b?).log() + most)
    }

    /// The value of a node that depends on no tensor.
    fn number<'v>(&self, node: Node, value: impl Fn(Id) -> &'v Value) -> Option<f64> {
        let get = |id: Id| match value(id) {
            Value::Number(number) => Some(*number),
            Value::Tensor(_) => None,
        };
        Some(match node {
            Node::Constant(bits) => f64::from_bits(bits),
            Node::Size(axis, frame) => self.size(axis, frame),
            Node::Unary(op, x) => scalar::unary(op, get(x)?),
            Node::Binary(op, a, b) => scalar::binary(op, get(a)?, get(b)?),
            Node::Select(op, [a, b], [then, otherwise]) => {
                let [then, otherwise] = [get(then)?, get(otherwise)?];
                if scalar::compare(op, get(a)?, get(b)?) { then } else { otherwise }
            }
            Node::Detach(x) | Node::Spread(x) => get(x)?,
            Node::Input(_)
            | Node::Reduce(..)
            | Node::Fold(..)
            | Node::AtLabel(..)
            | Node::Take(..)
            | Node::Put(..)
            | Node::Matmul(..) => return None,
        })
    }

    fn tensor(&self, value: &Value) -> Tensor<3> {
        match value {
            Value::Number(number) => self.burn.full([1; 3], *number),
            Value::Tensor(tensor) => tensor.clone(),
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "a side above 2^53 does not exist")]
    fn size(&self, axis: Axis, frame: usize) -> f64 {
        self.plan.sides()[frame][axis.index()] as f64
    }

    fn sides(&self, shape: Shape) -> [usize; 3] {
        shape.map(|dim| match dim {
            Dim::One => 1,
            Dim::Full(axis, frame) => self.plan.sides()[frame][axis.index()],
        })
    }
}

/// max(x, 0) + ln(1 + e^−|x|), with the maximum as (x + |x|)/2: at 0 its derivative is 1/2, as that of |x| is 0.
fn softplus(x: &Tensor<3>) -> Tensor<3> {
    let nothing = x.clone().equal_elem(f64::NEG_INFINITY);
    let most = (x.clone() + x.clone().abs()).mul_scalar(0.5).mask_fill(nothing, 0.0);
    most + x.clone().abs().neg().exp().log1p()
}
