//! Every loss through burn's autodiff: as a node on burn's ops and on the fused engine, and op by op.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(deprecated, reason = "burn still has the device ndarray")]

use burn::tensor::{DType, Device, Gradients, Tensor, TensorData};
use lossmith_burn::{AnyTensor, Arguments, Fault, Forward, FusedBurn, Mode};
use lossmith_conformance::{Claim, Runner, conformance_losses};
use lossmith_core::loss::Definition;
use lossmith_core::{Dense, Error, Evaluation, Format, Input, Inputs, Loss};
use std::collections::BTreeSet;

/// A mode on a device, judged by what burn makes of it.
struct Through {
    device: Device,
    format: DType,
    mode: Mode,
}

/// Runs a body with the rank of a shape as a constant.
macro_rules! of_rank {
    ($rank:expr, $d:ident => $body:expr) => {
        match $rank {
            1 => {
                const $d: usize = 1;
                $body
            }
            2 => {
                const $d: usize = 2;
                $body
            }
            3 => {
                const $d: usize = 3;
                $body
            }
            4 => {
                const $d: usize = 4;
                $body
            }
            5 => {
                const $d: usize = 5;
                $body
            }
            // burn has no tensors without sides, and nothing here more than five.
            got => return Err(Error::backend(Fault::Rank { got: vec![1; got], expected: 1 })),
        }
    };
}

impl Through {
    fn new(device: Device, mode: Mode) -> Self {
        Self { device: device.autodiff(), format: DType::F32, mode }
    }

    fn double(self) -> Self {
        Self { format: DType::F64, ..self }
    }

    fn tensor<const D: usize>(&self, array: &Dense) -> Tensor<D> {
        let shape = if array.shape().is_empty() { &[1] } else { array.shape() };
        let data = TensorData::new(array.data().to_vec(), shape);
        Tensor::from_data(data, (&self.device, self.format))
    }
}

fn dense(tensor: AnyTensor, shape: &[usize]) -> Result<Dense, Error> {
    let rank = tensor.shape().len();
    let data = of_rank!(rank, D => tensor.tensor::<D>()?.into_data());
    Dense::new(shape, data.iter::<f64>().collect())
}

impl Runner for Through {
    fn value_and_grad(
        &self,
        loss: &Loss<Box<dyn Definition>>,
        inputs: &Inputs<Dense>,
    ) -> Result<Evaluation<Dense>, Error> {
        type Grad = Box<dyn Fn(&Gradients) -> Option<AnyTensor>>;
        let (mut arguments, mut grads) =
            (Arguments::new(), Vec::<(String, Vec<usize>, Grad)>::new());
        let mut cotangent = None;
        for (name, input) in inputs.given() {
            let array = match input {
                Input::Indices(indices) => {
                    arguments = arguments.named(name, indices.clone());
                    continue;
                }
                Input::Numbers(array) => array,
            };
            if name == "grad_output" {
                cotangent = Some(array);
                continue;
            }
            let argument = loss.entry().arguments.iter().find(|argument| argument.name == name);
            let differentiable = argument.is_some_and(|argument| argument.differentiable);
            of_rank!(array.shape().len(), D => {
                let tensor = self.tensor::<D>(array).set_require_grad(differentiable);
                if differentiable {
                    let leaf = tensor.clone();
                    let grad: Grad = Box::new(move |grads| leaf.grad(grads).map(AnyTensor::from));
                    grads.push((name.clone(), array.shape().to_vec(), grad));
                }
                arguments = arguments.named(name, tensor);
            });
        }
        // The shape that is right for the value.
        let plain = loss.value(&lossmith_core::Reference, inputs)?;
        let shape = plain.shape().to_vec();
        let loss = loss.clone().through(self.mode.clone());
        let (value, upstream) = of_rank!(shape.len().max(1), D => {
            let value = loss.forward_as::<D>(arguments.clone())?;
            let scaled = match cotangent {
                Some(cotangent) => value.clone() * self.tensor::<D>(cotangent),
                None => value.clone(),
            };
            let total = scaled.sum();
            // What depends on no argument is not tracked.
            let upstream = total.is_tracked().then(|| total.backward());
            (AnyTensor::from(value), upstream)
        });
        let of = |(name, shape, grad): (String, Vec<usize>, Grad)| {
            // What burn's own differentiation does not reach has the gradient 0.
            let zeros = || Dense::new(&shape, vec![0.0; shape.iter().product()]);
            let grad =
                upstream.as_ref().and_then(&grad).map_or_else(zeros, |grad| dense(grad, &shape))?;
            Ok((name, grad))
        };
        let grads = grads.into_iter().map(of).collect::<Result<_, Error>>()?;
        Ok(Evaluation { value: dense(value, &shape)?, grads })
    }
}

const NODE: Mode = Mode::Node;

conformance_losses!(flex_f64, Through::new(Device::flex(), NODE).double(), Format::F64);
conformance_losses!(flex_f32, Through::new(Device::flex(), NODE), Format::F32);
conformance_losses!(ndarray_f64, Through::new(Device::ndarray(), NODE).double(), Format::F64);
conformance_losses!(ndarray_f32, Through::new(Device::ndarray(), NODE), Format::F32);

fn fused(device: Device) -> Through {
    Through::new(device, Mode::Fused(FusedBurn::new()))
}

conformance_losses!(fused_flex_f64, fused(Device::flex()).double(), Format::F64);
conformance_losses!(fused_flex_f32, fused(Device::flex()), Format::F32);
conformance_losses!(fused_ndarray_f32, fused(Device::ndarray()), Format::F32);

/// The losses in whose gradients burn's op by op differs from the derived one, as the README has them.
const TRACED_APART: [&str; 8] = [
    // 0 · ∞, in the quadratic branch that is not taken.
    "smooth_l1",
    // Where the argument is 0: what it weighs is skipped, and then has no derivative.
    "cross_entropy",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "multilabel_soft_margin",
    "poisson_nll",
    "sigmoid_focal",
    // 0/0 where both arguments are one.
    "log_cosh",
];

#[test]
fn traced_differs_where_it_says() {
    let runner = Through::new(Device::flex(), Mode::Traced).double();
    let phase = |phase| lossmith_conformance::loss(&runner, &Claim::new(Format::F64), phase);
    let report = phase("golden").and(phase("samples"));
    assert!(report.passed > 3500, "{}", report.coverage());
    let loss = |name: &str| name.split(' ').nth(1).unwrap().to_owned();
    let apart: BTreeSet<_> = report.failures.iter().map(|(name, _)| loss(name)).collect();
    assert_eq!(apart, TRACED_APART.map(str::to_owned).into(), "{report}");
    for (name, what) in &report.failures {
        assert!(what.starts_with("grad."), "{name}: {what}");
    }
}
