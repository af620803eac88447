use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// (x − t)²/2 where |x − t| ≤ δ, else δ(|x − t| − δ/2).
///
/// `input`∂ and `target`∂ have one shape, any; `weight`, of that shape too, weighs each element, and the weighted
/// mean divides by the number of elements. The gradient is x − t inside and ±δ outside; δ = ∞ is half the squared error.
/// Source: Huber, "Robust estimation of a location parameter", 1964; `torch.nn.functional.huber_loss`.
#[derive(Clone, Debug)]
pub struct Huber {
    delta: f64,
}

impl Default for Huber {
    fn default() -> Self {
        Self { delta: 1.0 }
    }
}

/// The mean of Huber's loss, [`Huber`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::huber};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.5, 3.0])
///     .tensor("target", vec![0.0, 0.0]);
/// let loss = huber().delta(1.0).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [1.3125]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.25, 0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn huber() -> Loss<Huber> {
    Loss::new(Huber::default())
}

impl Loss<Huber> {
    /// Where the square passes into the absolute value; 1 by default, above 0.
    #[must_use]
    pub fn delta(mut self, delta: f64) -> Self {
        self.definition.delta = delta;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "huber",
    kind: Kind::Loss,
    formula: "w·(e²/2 if e ≤ δ else δ(e − δ/2)), e = |x − t|",
    arguments: &[Argument::input(), Argument::target(), Argument::weight("weight", Form::Same)],
};

/// The unreduced loss of one element.
fn formula<T: Real>(input: T, target: T, delta: f64) -> T {
    let e = (input - target).abs();
    let line = (e - 0.5 * delta) * delta;
    T::select(Compare::Le, e, e.constant(delta), e * (e * 0.5), line)
}

impl Definition for Huber {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.delta, f64::MIN_POSITIVE..=f64::INFINITY);
        vec![Opt { name: "delta", doc: "where the square passes into the absolute value", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let loss = formula(a.tensor("input"), a.tensor("target"), self.delta);
        Terms::new(a.or("weight", 1.0).weigh(loss))
    }
}
