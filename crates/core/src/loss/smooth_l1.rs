use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// (x − t)²/(2β) where |x − t| < β, else |x − t| − β/2.
///
/// `input`∂ and `target`∂ have one shape, any. β = 0 is [`L1`](super::L1). The gradient is (x − t)/β inside and the
/// sign of x − t outside, 0 where they are equal for every β.
/// Source: Girshick, "Fast R-CNN", 2015; `torch.nn.functional.smooth_l1_loss`.
#[derive(Clone, Debug)]
pub struct SmoothL1 {
    beta: f64,
}

impl Default for SmoothL1 {
    fn default() -> Self {
        Self { beta: 1.0 }
    }
}

/// The mean of smoothed absolute errors, [`SmoothL1`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::smooth_l1};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.5, 3.0])
///     .tensor("target", vec![0.0, 0.0]);
/// let loss = smooth_l1().beta(2.0).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [1.03125]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.125, 0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn smooth_l1() -> Loss<SmoothL1> {
    Loss::new(SmoothL1::default())
}

impl Loss<SmoothL1> {
    /// Where the square passes into the absolute value; 1 by default, from 0.
    #[must_use]
    pub fn beta(mut self, beta: f64) -> Self {
        self.definition.beta = beta;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "smooth_l1",
    kind: Kind::Loss,
    formula: "e²/2β if e < β else e − β/2, e = |x − t|",
    arguments: &[Argument::input(), Argument::target()],
};

/// The unreduced loss of one element. Two branches rather than a clamp, whose derivatives would cancel.
fn formula<T: Real>(input: T, target: T, beta: f64) -> T {
    let e = (input - target).abs();
    let square = e * (e * (e.constant(0.5) / beta));
    T::select(Compare::Lt, e, e.constant(beta), square, e - 0.5 * beta)
}

impl Definition for SmoothL1 {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.beta, 0.0..=f64::MAX);
        vec![Opt { name: "beta", doc: "where the square passes into the absolute value", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(formula(a.tensor("input"), a.tensor("target"), self.beta))
    }
}
