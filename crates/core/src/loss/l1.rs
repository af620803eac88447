use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind};
use crate::real::Real;
use crate::terms::Terms;

/// |x − t| of each element.
///
/// `input`∂ and `target`∂ have one shape, any; `weight`, of that shape too, weighs each element, and the weighted
/// mean divides by Σ weight. The gradient is the sign of x − t, 0 where they are equal.
/// Source: `torch.nn.functional.l1_loss`.
#[derive(Clone, Debug, Default)]
pub struct L1 {}

/// The mean of absolute errors, [`L1`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::l1};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.5, 3.0])
///     .tensor("target", vec![1.0, 1.0]);
/// let loss = l1().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [1.25]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.5, 0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn l1() -> Loss<L1> {
    Loss::new(L1::default())
}

const ENTRY: Entry = Entry {
    name: "l1",
    kind: Kind::Loss,
    formula: "w·|x − t|",
    arguments: &[Argument::input(), Argument::target(), Argument::weight("weight", Form::Same)],
};

impl Definition for L1 {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let w = a.or("weight", 1.0);
        Terms::weighted(w.weigh((a.tensor("input") - a.tensor("target")).abs()), w)
    }
}
