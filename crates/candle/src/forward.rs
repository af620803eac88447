//! How a loss is called: on tensors, by position or by name, on the engine of choice.

use crate::array::{Inputs, indices, matches};
use crate::autodiff::{node, refused};
use crate::backend::Candle;
use crate::fused::Fused;
use crate::traced::Traced;
use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor};
use lossmith_core::catalogue::GRAD_OUTPUT;
use lossmith_core::loss::Definition;
use lossmith_core::{Error, Loss, Objective};

/// What runs a loss.
#[derive(Clone, Debug, Default)]
pub enum Engine {
    /// candle's ops, on whatever device the tensors are; in candle's autodiff one node, whose backward pass is the
    /// derived gradient.
    #[default]
    Ops,
    /// The fused engine on the CPU, as one node too.
    Fused(Fused),
    /// candle's ops, tracked one by one: candle's own derivatives of them.
    Traced,
}

/// The arguments of a loss: by position in the catalogue's order, or by name.
#[derive(Clone, Debug)]
pub struct Given<'a>(Vec<(Option<&'a str>, &'a Tensor)>);

impl<'a> Given<'a> {
    /// With one more argument, by name.
    #[must_use]
    pub fn and(mut self, name: &'a str, tensor: &'a Tensor) -> Self {
        self.0.push((Some(name), tensor));
        self
    }
}

impl<'a> From<&'a Tensor> for Given<'a> {
    fn from(tensor: &'a Tensor) -> Self {
        Self(vec![(None, tensor)])
    }
}

impl<'a, const N: usize> From<[&'a Tensor; N]> for Given<'a> {
    fn from(tensors: [&'a Tensor; N]) -> Self {
        Self(tensors.into_iter().map(|tensor| (None, tensor)).collect())
    }
}

impl<'a, const N: usize> From<[(&'a str, &'a Tensor); N]> for Given<'a> {
    fn from(tensors: [(&'a str, &'a Tensor); N]) -> Self {
        Self(tensors.into_iter().map(|(name, tensor)| (Some(name), tensor)).collect())
    }
}

/// A loss, or an objective of several, on candle's tensors.
///
/// Tensors of integers are class indices, or whatever integers the loss takes; all others have one type, on one device.
pub trait Forward {
    /// The loss on that engine.
    fn on(&self, engine: Engine) -> On;

    /// The loss on the fused engine, which wants tensors on the CPU.
    fn fused(&self) -> On {
        self.on(Engine::Fused(Fused::new()))
    }

    /// The loss op by op in candle's autodiff.
    fn traced(&self) -> On {
        self.on(Engine::Traced)
    }

    /// The loss of its first two arguments, an input and a target for most.
    ///
    /// # Errors
    /// The loss's error, which [`cause`](crate::cause) finds in candle's, or candle's own.
    fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        self.forward_with([input, target])
    }

    /// The loss of any of its arguments: `[&anchor, &positive, &negative]`, `[("input", &x), ("weight", &w), …]`, or
    /// `Given::from([&x, &t]).and("sample_weight", &w)`.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    fn forward_with<'a>(&self, given: impl Into<Given<'a>>) -> Result<Tensor> {
        self.on(Engine::default()).forward_with(given)
    }

    /// The loss and candle's gradients of everything it was made of.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and where candle tracks none of the arguments.
    fn backward<'a>(&self, given: impl Into<Given<'a>>) -> Result<(Tensor, GradStore)> {
        self.on(Engine::default()).backward(given)
    }
}

impl<D: Definition> Forward for Loss<D> {
    fn on(&self, engine: Engine) -> On {
        let arguments = self.entry().arguments.iter();
        let order = arguments.map(|argument| self.given_name(argument.name).to_owned()).collect();
        On { objective: self.into(), order, engine }
    }
}

impl Forward for Objective {
    fn on(&self, engine: Engine) -> On {
        On { objective: self.clone(), order: Vec::new(), engine }
    }
}

/// A loss on the engine of choice.
#[derive(Clone, Debug)]
pub struct On {
    objective: Objective,
    /// The names of the arguments by position; none of an objective, whose losses each have their own.
    order: Vec<String>,
    engine: Engine,
}

impl On {
    /// As [`Forward::forward`].
    ///
    /// # Errors
    /// As there.
    pub fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {
        self.forward_with([input, target])
    }

    /// As [`Forward::forward_with`].
    ///
    /// # Errors
    /// As there.
    pub fn forward_with<'a>(&self, given: impl Into<Given<'a>>) -> Result<Tensor> {
        self.call(&self.inputs(given.into())?)
    }

    /// As [`Forward::backward`].
    ///
    /// # Errors
    /// As there.
    pub fn backward<'a>(&self, given: impl Into<Given<'a>>) -> Result<(Tensor, GradStore)> {
        let value = self.forward_with(given)?;
        if !value.track_op() {
            let fault = "candle tracks none of its arguments: make a Var of what is to be trained";
            return Err(refused(Error::Objective { fault: fault.into() }));
        }
        let grads = value.backward()?;
        Ok((value, grads))
    }

    /// The loss of arguments that are ready.
    ///
    /// # Errors
    /// As [`Forward::forward`].
    pub fn call(&self, inputs: &Inputs) -> Result<Tensor> {
        let arrays = inputs.names().zip(inputs.arrays());
        let numbers = arrays.filter_map(|(name, array)| array.map(|tensor| (name, tensor)));
        let numbers: Vec<_> = numbers.collect();
        let Some((_, first)) = numbers.first() else {
            let fault = "it is given no numbers".into();
            return Err(refused(Error::Objective { fault }));
        };
        if inputs.names().any(|name| name == GRAD_OUTPUT.name) {
            let fault = "grad_output comes from candle's backward pass: leave it out".into();
            return Err(refused(Error::Objective { fault }));
        }
        let backend = Candle::like(first)?;
        numbers.iter().try_for_each(|(name, tensor)| {
            matches(&backend, tensor).map_err(|error| error.context(format!("argument {name}")))
        })?;
        let objective = &self.objective;
        let value = match &self.engine {
            Engine::Ops => node(objective, &backend, inputs),
            Engine::Fused(fused) => node(objective, fused, inputs),
            Engine::Traced => objective.value(&Traced::like(first)?, inputs),
        };
        value.map_err(refused)
    }

    /// The arguments by name, integers as indices.
    fn inputs(&self, given: Given<'_>) -> Result<Inputs> {
        let mut inputs = Inputs::new();
        for (place, (name, tensor)) in given.0.into_iter().enumerate() {
            let name = name.or(self.order.get(place).map(String::as_str)).ok_or_else(|| {
                let most = self.order.len();
                let fault = format!("argument {place} has no name: it takes {most} by position");
                refused(Error::Objective { fault })
            })?;
            inputs = if tensor.dtype().is_int() {
                inputs.labels(name, indices(tensor)?)
            } else {
                inputs.tensor(name, tensor.clone())
            };
        }
        Ok(inputs)
    }
}
