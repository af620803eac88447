//! The node in burn's autodiff: a loss is one, whose backward gives the derived gradient.

use crate::array::{AnyTensor, Inputs};
use crate::backend::Burn;
use crate::error::Fault;
use crate::memory::Memory;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients as Registered;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, AutodiffBackend, Backend, BackendTensor, Dispatch, DispatchKindConversion,
    DispatchTensor, DispatchTensorKind,
};
use burn::tensor::Tensor;
use lossmith_core::op::Binary;
use lossmith_core::{Backend as _, Error, Objective, Operand, Runner};
use std::array;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// The most tensors that a node differentiates in.
const MOST: usize = 40;

/// The value of an objective, which burn differentiates by the gradients that the runner derives.
///
/// A reduced loss has them computed with its value. An unreduced one has them computed in the backward pass, where the
/// cotangent of each of its numbers is known.
pub(crate) fn node<R>(runner: R, objective: Objective, inputs: &Inputs) -> Result<AnyTensor, Error>
where
    R: Runner<AnyTensor, Output = AnyTensor> + Send + Sync + 'static,
{
    let mut plain = inputs.try_map(|array| Ok::<_, Error>(array.plain()))?;
    let mut tracked = Vec::new();
    for (name, array) in inputs.names().zip(inputs.arrays()) {
        match array {
            Some(array) if array.is_tracked() => tracked.push((name.to_owned(), array.clone())),
            Some(_) => plain = plain.constant(name),
            None => {}
        }
    }
    if tracked.is_empty() {
        return objective.value(&runner, &plain);
    }

    let plan = objective.plan(&runner, &plain)?;
    let place = |(name, _): &(String, _)| {
        let place = plan.leaving().iter().position(|leaving| leaving.name == *name);
        place.ok_or_else(|| Fault::NoGradient { argument: name.clone() })
    };
    let places = tracked.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    let (value, gradients) = if plan.leaving()[0].shape.is_empty() {
        let left = runner.run(&plan, &plain.arrays(), &plain.picks(&plan)?)?;
        let value = left[0].clone();
        let scaled = move |upstream: AnyTensor| {
            let mut left: Vec<_> = left.into_iter().map(Some).collect();
            let of_place = |place: usize| {
                let grad = left[place].take()?;
                Some(scaled(&grad, &upstream).unwrap_or_else(|_| unknown(&grad)))
            };
            places.into_iter().filter_map(of_place).collect()
        };
        (value, Gradients::new(scaled))
    } else {
        let value = objective.value(&runner, &plain)?;
        let shape = plan.leaving()[0].shape.clone();
        let arrays: Vec<_> =
            tracked.iter().map(|(name, tensor)| (name.clone(), tensor.plain())).collect();
        let derived = move |upstream: AnyTensor| {
            let inputs = plain.tensor("grad_output", upstream.reshaped(&shape));
            let derived = objective.value_and_grad(&runner, &inputs);
            let of = |(name, array): &(String, AnyTensor)| {
                let grad = derived.as_ref().ok().and_then(|derived| derived.grad(name));
                grad.cloned().unwrap_or_else(|| unknown(array))
            };
            arrays.iter().map(of).collect()
        };
        (value, Gradients::new(derived))
    };
    let parents: Vec<_> = tracked.into_iter().map(|(_, tensor)| tensor.0).collect();
    Ok(AnyTensor(attach(value, &parents, gradients)?))
}

/// NaN everywhere. A backward pass cannot report an error: what ran forward and fails here, as a device may, shows so.
fn unknown(array: &AnyTensor) -> AnyTensor {
    AnyTensor(Dispatch::float_mul_scalar(array.0.clone(), f64::NAN.into()))
}

/// A gradient times the number that arrives from above: 0 where that is 0, whatever the gradient.
fn scaled(grad: &AnyTensor, upstream: &AnyTensor) -> Result<AnyTensor, Fault> {
    let (shape, burn) = (grad.shape(), Burn::of(grad));
    // Where the host sees the number, a gradient as it is costs nothing.
    let weight = if Memory::of(&upstream.0).is_some() {
        let number = Tensor::<1>::from_dispatch(upstream.0.clone()).try_into_scalar::<f64>();
        match number.map_err(|error| Fault::Read(error.to_string()))? {
            1.0 => return Ok(grad.clone()),
            number => Operand::Scalar(number),
        }
    } else {
        Operand::Owned(upstream.clone().reshaped(&[1; 3]).tensor()?)
    };
    let flat = grad.clone().reshaped(&[1, 1, shape.iter().product()]).tensor()?;
    let weighed = burn.binary(Binary::Weigh, weight, Operand::Owned(flat))?;
    Ok(AnyTensor::from(weighed).reshaped(&shape))
}

/// Gradients for the cotangent of the value, each at its parent's place: asked for once.
#[derive(Clone)]
struct Gradients(Arc<Mutex<Option<Derived>>>);

type Derived = Box<dyn FnOnce(AnyTensor) -> Vec<AnyTensor> + Send>;

impl Gradients {
    fn new(derived: impl FnOnce(AnyTensor) -> Vec<AnyTensor> + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Some(Box::new(derived)))))
    }

    fn of(&self, upstream: AnyTensor) -> Vec<AnyTensor> {
        let derived = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        derived.map_or_else(Vec::new, |derived| derived(upstream))
    }
}

impl fmt::Debug for Gradients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gradients")
    }
}

/// The backward step of a loss.
#[derive(Debug)]
struct Loss;

impl<B: Backend, const N: usize> Backward<B, N> for Loss
where
    DispatchTensor: DispatchKindConversion<B>,
{
    type State = Gradients;

    fn backward(self, ops: Ops<Gradients, N>, grads: &mut Registered, _: &mut Checkpointer) {
        let upstream = BackendTensor::Float(grads.consume::<B>(&ops.node));
        let upstream = <DispatchTensor as DispatchKindConversion<B>>::from_backend(upstream);
        for (parent, grad) in ops.parents.into_iter().zip(ops.state.of(AnyTensor(upstream))) {
            let grad = <DispatchTensor as DispatchKindConversion<B>>::try_into_backend(grad.0);
            if let (Some(parent), Ok(BackendTensor::Float(grad))) = (parent, grad) {
                grads.register::<B>(parent.id, grad);
            }
        }
    }
}

/// The value as a node with those parents, of which there are not more than `N`.
fn registered<B: Backend, const N: usize>(
    value: B::FloatTensorPrimitive,
    parents: &[FloatTensor<Autodiff<B>>],
    gradients: Gradients,
) -> FloatTensor<Autodiff<B>>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    // What is not tracked fills the places that are left.
    let filler = <Autodiff<B> as AutodiffBackend>::from_inner(value.clone());
    let nodes: [_; N] = array::from_fn(|place| parents.get(place).unwrap_or(&filler).node());
    let node = <Loss as Backward<B, N>>::prepare::<NoCheckpointing>(Loss, nodes);
    match node.compute_bound().stateful() {
        OpsKind::Tracked(node) => node.finish(gradients, value),
        OpsKind::UnTracked(node) => node.finish(value),
    }
}

/// The value as a node of the smallest size that takes the parents.
fn sized<B: Backend>(
    value: B::FloatTensorPrimitive,
    parents: &[FloatTensor<Autodiff<B>>],
    gradients: Gradients,
) -> Result<FloatTensor<Autodiff<B>>, Fault>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    Ok(match parents.len() {
        0..=1 => registered::<B, 1>(value, parents, gradients),
        2..=4 => registered::<B, 4>(value, parents, gradients),
        5..=MOST => registered::<B, MOST>(value, parents, gradients),
        got => return Err(Fault::Tracked { got, most: MOST }),
    })
}

macro_rules! attach {
    ($($feature:literal $device:ident)*) => {
        /// The value as a node of the autodiff that the parents are tracked in, all by one strategy.
        fn attach(
            value: AnyTensor,
            parents: &[DispatchTensor],
            gradients: Gradients,
        ) -> Result<DispatchTensor, Fault> {
            let autodiff = parents.first().map(|parent| parent.autodiff).unwrap_or_default();
            $(
                #[cfg(feature = $feature)]
                if let DispatchTensorKind::$device(BackendTensor::Float(value)) = &value.0.kind {
                    let own = |parent: &DispatchTensor| {
                        if let DispatchTensorKind::Autodiff(kind) = &parent.kind
                            && let DispatchTensorKind::$device(BackendTensor::Autodiff(own)) = &**kind
                        {
                            Some(own.clone())
                        } else {
                            None
                        }
                    };
                    let parents: Vec<_> = parents.iter().filter_map(own).collect();
                    let node = sized::<burn::backend::$device>(value.clone(), &parents, gradients)?;
                    let kind = DispatchTensorKind::$device(BackendTensor::Autodiff(node));
                    let kind = DispatchTensorKind::Autodiff(Box::new(kind));
                    return Ok(DispatchTensor { kind, autodiff });
                }
            )*
            Err(Fault::Backend { device: format!("{:?}", value.device()) })
        }
    };
}
attach!("flex" Flex "ndarray" NdArray);
