//! A loss as burn's users call one: `loss.forward(logits, targets)`.

use crate::array::{AnyTensor, Inputs, indices};
use crate::autodiff::node;
use crate::backend::Burn;
use crate::error::Fault;
use crate::fused::FusedBurn;
use crate::traced::Traced;
use burn::backend::DispatchAutodiffContext;
use burn::tensor::{Bool, Device, Gradients, Int, Tensor};
use lossmith_core::catalogue::GRAD_OUTPUT;
use lossmith_core::loss::Definition;
use lossmith_core::{Error, Indices, Loss, Objective};

/// An argument of a loss: a tensor of numbers or of class indices.
#[derive(Clone, Debug)]
pub struct Argument(Given);

#[derive(Clone, Debug)]
enum Given {
    Numbers(AnyTensor),
    /// On which device, and what became of reading them.
    Indices(Option<Device>, Result<Indices, Fault>),
    Flags,
}

impl<const D: usize> From<Tensor<D>> for Argument {
    fn from(tensor: Tensor<D>) -> Self {
        Self(Given::Numbers(tensor.into()))
    }
}

impl<const D: usize> From<&Tensor<D>> for Argument {
    fn from(tensor: &Tensor<D>) -> Self {
        tensor.clone().into()
    }
}

impl From<AnyTensor> for Argument {
    fn from(tensor: AnyTensor) -> Self {
        Self(Given::Numbers(tensor))
    }
}

impl<const D: usize> From<Tensor<D, Int>> for Argument {
    fn from(tensor: Tensor<D, Int>) -> Self {
        Self(Given::Indices(Some(tensor.device().inner()), indices(&tensor)))
    }
}

impl<const D: usize> From<&Tensor<D, Int>> for Argument {
    fn from(tensor: &Tensor<D, Int>) -> Self {
        tensor.clone().into()
    }
}

impl From<Indices> for Argument {
    fn from(indices: Indices) -> Self {
        Self(Given::Indices(None, Ok(indices)))
    }
}

impl<const D: usize> From<Tensor<D, Bool>> for Argument {
    fn from(_: Tensor<D, Bool>) -> Self {
        Self(Given::Flags)
    }
}

/// The arguments of a loss: by place, in the catalogue's order, as a tuple, and by name.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    placed: Vec<Argument>,
    named: Vec<(String, Argument)>,
}

impl Arguments {
    /// No arguments yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With an argument by PyTorch's name.
    #[must_use]
    pub fn named(mut self, name: &str, argument: impl Into<Argument>) -> Self {
        self.named.push((name.into(), argument.into()));
        self
    }
}

macro_rules! tuples {
    ($(($($name:ident $place:tt)*))*) => {$(
        impl<$($name: Into<Argument>),*> From<($($name,)*)> for Arguments {
            fn from(arguments: ($($name,)*)) -> Self {
                Self { placed: vec![$(arguments.$place.into()),*], named: Vec::new() }
            }
        }
    )*};
}
tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
}

/// How a loss is run and differentiated.
#[derive(Clone, Debug, Default)]
pub enum Mode {
    /// Op by op on the tensors' device, as one node of burn's autodiff whose backward is the derived gradient.
    #[default]
    Node,
    /// On the fused engine, in as few walks over memory as there can be, as one node: flex and ndarray only.
    Fused(FusedBurn),
    /// Op by op, each op differentiated by burn.
    Traced,
}

/// A loss, or several added up, as a function of burn's tensors: what every loss of the catalogue is.
///
/// ```
/// use burn::tensor::{Device, Int, Tensor};
/// use lossmith_burn::Forward;
/// use lossmith_core::loss::cross_entropy;
///
/// let device = Device::flex().autodiff();
/// let logits = Tensor::<2>::from_floats([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]], &device).require_grad();
/// let targets = Tensor::<1, Int>::from_ints([0, 2], &device);
/// let loss = cross_entropy().label_smoothing(0.1).forward(logits.clone(), targets)?;
/// let grads = loss.backward();
/// assert!((loss.into_scalar::<f32>() - 0.9454947).abs() < 1e-6);
/// assert_eq!(logits.grad(&grads).map(|grad| grad.dims()), Some([2, 3]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
pub trait Forward: Sized {
    /// What is run.
    fn objective(&self) -> Objective;

    /// The names of its arguments by place.
    fn places(&self) -> Vec<&str>;

    /// How it is run.
    fn mode(&self) -> Mode {
        Mode::Node
    }

    /// The value for the first two arguments of the catalogue, as a tensor of one number.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault: what burn would panic at is a [`Fault`] in [`Error::Backend`].
    fn forward(
        &self,
        input: impl Into<Argument>,
        target: impl Into<Argument>,
    ) -> Result<Tensor<1>, Error> {
        self.forward_with((input, target))
    }

    /// The value for any arguments, as a tensor of one number.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn forward_with(&self, arguments: impl Into<Arguments>) -> Result<Tensor<1>, Error> {
        self.forward_as(arguments)
    }

    /// The value as a tensor of `D` sides: of an unreduced loss, which has one for each element or row. What has no
    /// sides is a tensor of one number.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`Fault::Rank`] if it has not `D` sides.
    fn forward_as<const D: usize>(
        &self,
        arguments: impl Into<Arguments>,
    ) -> Result<Tensor<D>, Error> {
        Ok(run(&self.objective(), &self.places(), self.mode(), arguments.into())?.tensor()?)
    }

    /// The value and burn's gradients of everything it was made of.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and [`Fault::Untracked`] where burn would panic, since no argument is tracked.
    fn backward(&self, arguments: impl Into<Arguments>) -> Result<(Tensor<1>, Gradients), Error> {
        let value = self.forward_with(arguments)?;
        if !value.is_tracked() {
            return Err(Fault::Untracked.into());
        }
        let grads = value.backward();
        Ok((value, grads))
    }

    /// On the fused engine: the fast path on burn's CPU devices.
    fn fused(self) -> Through<Self> {
        self.through(Mode::Fused(FusedBurn::new()))
    }

    /// With every op differentiated by burn.
    fn traced(self) -> Through<Self> {
        self.through(Mode::Traced)
    }

    /// Run in that mode.
    fn through(self, mode: Mode) -> Through<Self> {
        Through { loss: self, mode }
    }
}

impl<D: Definition + Clone> Forward for Loss<D> {
    fn objective(&self) -> Objective {
        self.clone().into()
    }

    fn places(&self) -> Vec<&str> {
        self.entry().arguments.iter().map(|argument| self.given_name(argument.name)).collect()
    }
}

impl Forward for Objective {
    fn objective(&self) -> Objective {
        self.clone()
    }

    /// None: the arguments of several losses are named.
    fn places(&self) -> Vec<&str> {
        Vec::new()
    }
}

/// A loss that is run in a mode of its own.
#[derive(Clone, Debug)]
pub struct Through<L> {
    loss: L,
    mode: Mode,
}

impl<L: Forward> Forward for Through<L> {
    fn objective(&self) -> Objective {
        self.loss.objective()
    }

    fn places(&self) -> Vec<&str> {
        self.loss.places()
    }

    fn mode(&self) -> Mode {
        self.mode.clone()
    }
}

fn run(
    objective: &Objective,
    places: &[&str],
    mode: Mode,
    arguments: Arguments,
) -> Result<AnyTensor, Error> {
    let (got, expected) = (arguments.placed.len(), places.len());
    if got > expected {
        return Err(Fault::Places { got, expected }.into());
    }
    let placed = places.iter().map(|&name| name.to_owned()).zip(arguments.placed);
    let named: Vec<_> = placed.chain(arguments.named).collect();
    let inputs = checked(named)?;
    let numbers = || inputs.arrays().into_iter().flatten();
    let Some(first) = numbers().next() else {
        return objective.value(&Traced, &inputs);
    };
    let burn = Burn::of(first);
    let value = match mode {
        Mode::Node => node(burn, objective.clone(), &inputs)?,
        Mode::Fused(fused) => node(fused, objective.clone(), &inputs)?,
        Mode::Traced => objective.value(&Traced, &inputs)?,
    };
    // As burn's own ops have it, what comes of tensors with autodiff has it too.
    let autodiff = |tensor: &AnyTensor| tensor.autodiff() != DispatchAutodiffContext::Disabled;
    Ok(if numbers().any(autodiff) { value.with_autodiff() } else { value })
}

/// The arguments as core takes them, all on one device and in one format.
fn checked(named: Vec<(String, Argument)>) -> Result<Inputs, Error> {
    if named.iter().any(|(name, _)| name == GRAD_OUTPUT.name) {
        return Err(Fault::Cotangent.into());
    }
    let numbers = || {
        named.iter().filter_map(|(_, Argument(given))| match given {
            Given::Numbers(tensor) => Some(tensor),
            Given::Indices(..) | Given::Flags => None,
        })
    };
    let disabled = DispatchAutodiffContext::Disabled;
    let mut strategies = numbers().map(AnyTensor::autodiff).filter(|own| *own != disabled);
    if let Some(first) = strategies.next()
        && strategies.any(|other| other != first)
    {
        return Err(Fault::Checkpointing.into());
    }
    let first = numbers().next().map(|tensor| (tensor.device(), tensor.format()));
    let mut inputs = Inputs::new();
    for (argument, Argument(given)) in named {
        inputs = match (given, &first) {
            (Given::Numbers(tensor), first) => {
                if let Some((device, format)) = first {
                    tensor.check(&argument, device, *format)?;
                }
                inputs.tensor(&argument, tensor)
            }
            (Given::Indices(Some(own), _), Some((device, _))) if own != *device => {
                let [got, expected] = [&own, device].map(|device| format!("{device:?}"));
                return Err(Fault::Device { argument, got, expected }.into());
            }
            (Given::Indices(_, indices), _) => inputs.labels(&argument, indices?),
            (Given::Flags, _) => return Err(Fault::Flags { argument }.into()),
        };
    }
    Ok(inputs)
}
