//! A loss as a node in candle's autodiff, whose backward pass is the derived gradient.

use crate::array::Inputs;
use crate::backend::Candle;
use crate::composed;
use candle_core::backend::BackendStorage;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp2, Layout, MetalStorage, Result, Shape, Tensor,
};
use lossmith_core::catalogue::GRAD_OUTPUT;
use lossmith_core::op::Binary;
use lossmith_core::{Backend as _, Error, Objective, Operand, Runner};
use std::collections::BTreeMap;

/// What candle reports for a loss's error, which [`cause`] finds in it.
pub(crate) fn refused(error: Error) -> candle_core::Error {
    if let Error::Backend(source) = error {
        let wrap = |source| candle_core::Error::wrap(source);
        return source.downcast::<candle_core::Error>().map_or_else(wrap, |error| *error);
    }
    std::io::Error::new(std::io::ErrorKind::InvalidInput, error).into()
}

/// The loss's own error behind candle's, if it is one.
#[must_use]
pub fn cause(error: &candle_core::Error) -> Option<&Error> {
    let candle_core::Error::Io(error) = error else { return None };
    error.get_ref()?.downcast_ref()
}

/// What makes the gradient in an argument of the gradient in the loss.
type Pull = Box<dyn Fn(&Tensor) -> Result<Tensor> + Send + Sync>;

/// The value passes through, and the gradient in one argument hangs on it: as many of these in a row as there are
/// arguments that candle tracks.
struct Node(Pull);

impl CustomOp2 for Node {
    fn name(&self) -> &'static str {
        "lossmith"
    }

    fn cpu_fwd(
        &self,
        value: &CpuStorage,
        layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        Ok((value.try_clone(layout)?, layout.shape().clone()))
    }

    fn cuda_fwd(
        &self,
        value: &CudaStorage,
        layout: &Layout,
        _: &CudaStorage,
        _: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        Ok((value.try_clone(layout)?, layout.shape().clone()))
    }

    fn metal_fwd(
        &self,
        value: &MetalStorage,
        layout: &Layout,
        _: &MetalStorage,
        _: &Layout,
    ) -> Result<(MetalStorage, Shape)> {
        Ok((value.try_clone(layout)?, layout.shape().clone()))
    }

    fn bwd(
        &self,
        value: &Tensor,
        _: &Tensor,
        _: &Tensor,
        upstream: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        Ok((value.track_op().then(|| upstream.clone()), Some(self.0(upstream)?)))
    }
}

/// The value, with the gradient in every argument that candle tracks behind it.
pub(crate) fn node<R>(
    objective: &Objective,
    runner: &R,
    inputs: &Inputs,
) -> std::result::Result<Tensor, Error>
where
    R: Runner<Tensor, Output = Tensor> + Clone + Send + Sync + 'static,
{
    let (mut tracked, mut wanted) = (Vec::new(), inputs.clone());
    for (name, tensor) in inputs.names().zip(inputs.arrays()) {
        match tensor {
            Some(tensor) if tensor.track_op() => tracked.push((name, tensor)),
            Some(_) => wanted = wanted.constant(name),
            None => {}
        }
    }
    if tracked.is_empty() {
        return objective.value(runner, inputs);
    }
    let plan = objective.plan(runner, &wanted)?;
    let leaving = plan.leaving();
    let has_gradient = |name: &str| leaving.iter().skip(1).any(|leaving| leaving.name == name);
    if let Some((name, _)) = tracked.iter().find(|(name, _)| !has_gradient(name)) {
        let fault = format!("it has no gradient in {name}, which candle tracks: detach it");
        return Err(Error::Objective { fault });
    }
    // The gradient in one argument alone, of what is made of the objective and its arguments.
    let again = |name: &str| {
        let others = tracked.iter().filter(|(other, _)| *other != name);
        let alone = others.fold(wanted.clone(), |wanted, (other, _)| wanted.constant(other));
        let (objective, runner, name) = (objective.clone(), runner.clone(), name.to_owned());
        move |made: &dyn Fn(Objective, Inputs) -> (Objective, Inputs)| {
            let (objective, inputs) = made(objective.clone(), alone.clone());
            let evaluation = objective.value_and_grad(&runner, &inputs).map_err(refused)?;
            evaluation.grad(&name).cloned().ok_or_else(no_gradient)
        }
    };
    let missing = || Error::Objective { fault: "it has no value".into() };
    if leaving.first().is_some_and(|value| value.shape.is_empty()) {
        let picks = wanted.picks(&plan)?;
        let mut outputs = runner.run(&plan, &wanted.arrays(), &picks)?;
        let grads = outputs.split_off(outputs.len().min(1));
        let names = leaving.iter().skip(1).map(|leaving| leaving.name.as_str());
        let grads: BTreeMap<_, _> = names.zip(grads).collect();
        let value = outputs.pop().ok_or_else(missing)?;
        return hung(value, &tracked, |name| {
            let (grad, again) = (grads.get(name).cloned(), again(name));
            Box::new(move |upstream| {
                let grad = grad.as_ref().ok_or_else(no_gradient)?;
                // A loss is scaled so that a gradient of 16 bits does not vanish: before it is rounded to them.
                if grad.dtype().size_in_bytes() == 2 {
                    match composed::scalar(upstream)? {
                        1.0 => Ok(grad.clone()),
                        scale => again(&|objective, inputs| (scale * objective, inputs)),
                    }
                } else {
                    scaled(upstream, grad)
                }
            })
        });
    }
    // Of an unreduced loss only the pull of a cotangent is wanted, once there is one.
    let value = objective.value(runner, inputs)?;
    hung(value, &tracked, |name| {
        let again = again(name);
        Box::new(move |upstream| {
            again(&|objective, inputs| {
                let inputs = inputs.tensor(GRAD_OUTPUT.name, upstream.clone());
                (objective, inputs.constant(GRAD_OUTPUT.name))
            })
        })
    })
}

fn no_gradient() -> candle_core::Error {
    refused(Error::Objective { fault: "it has no gradient".into() })
}

fn hung(
    value: Tensor,
    tracked: &[(&str, &Tensor)],
    pull: impl Fn(&str) -> Pull,
) -> std::result::Result<Tensor, Error> {
    let whole = value.layout().start_offset() == 0 && value.is_contiguous();
    let value = if whole { Ok(value) } else { value.force_contiguous() };
    let hang =
        |value: Tensor, (name, tensor): &(&str, &Tensor)| value.apply_op2(tensor, Node(pull(name)));
    value.and_then(|value| tracked.iter().try_fold(value, hang)).map_err(Error::backend)
}

/// The gradient times one number; as it is where that is 1, if the number is at hand.
fn scaled(upstream: &Tensor, grad: &Tensor) -> Result<Tensor> {
    if upstream.device().is_cpu() && composed::scalar(upstream)? == 1.0 {
        return Ok(grad.clone());
    }
    let upstream = upstream.reshape(vec![1; grad.rank()])?;
    let (upstream, borrowed) = (Operand::Owned(upstream), Operand::Borrowed(grad));
    Candle::like(grad)?.binary(Binary::Weigh, upstream, borrowed)
}
