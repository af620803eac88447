use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind};
use crate::real::Real;
use crate::terms::Terms;

/// (x − t)² of each element.
///
/// `input`∂ and `target`∂ have one shape, any; `weight`, of that shape too, weighs each element, and the weighted
/// mean divides by Σ weight. The gradient is 2(x − t), finite wherever the input is.
/// Source: `torch.nn.functional.mse_loss`.
#[derive(Clone, Debug, Default)]
pub struct Mse {}

/// The mean of squared errors, [`Mse`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::mse};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.5, 3.0])
///     .tensor("target", vec![1.0, 1.0]);
/// let loss = mse().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [2.125]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.5, 2.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn mse() -> Loss<Mse> {
    Loss::new(Mse::default())
}

const ENTRY: Entry = Entry {
    name: "mse",
    kind: Kind::Loss,
    formula: "w·(x − t)²",
    arguments: &[Argument::input(), Argument::target(), Argument::weight("weight", Form::Same)],
};

impl Definition for Mse {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let w = a.or("weight", 1.0);
        Terms::weighted(w.weigh((a.tensor("input") - a.tensor("target")).square()), w)
    }
}
