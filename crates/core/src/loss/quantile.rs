use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Kind, Opt, Slot};
use crate::real::Real;
use crate::terms::Terms;

/// τ·max(e, 0) + (1 − τ)·max(−e, 0) of each element, e = t − x: the pinball loss.
///
/// `input`∂ and `target`∂ have one shape, any; τ in [0, 1] is the quantile that the input is to become, the median by
/// default. The gradient in the input is −τ below the target, 1 − τ above it and 0 on it.
/// Source: Koenker and Bassett, "Regression quantiles", 1978; `sklearn.metrics.mean_pinball_loss`.
#[derive(Clone, Debug)]
pub struct Quantile {
    tau: f64,
}

impl Default for Quantile {
    fn default() -> Self {
        Self { tau: 0.5 }
    }
}

/// The mean pinball loss, [`Quantile`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::quantile};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![1.0, 3.0])
///     .tensor("target", vec![2.0, 2.0]);
/// let loss = quantile().tau(0.75).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.5]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.375, 0.125][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn quantile() -> Loss<Quantile> {
    Loss::new(Quantile::default())
}

impl Loss<Quantile> {
    /// The quantile; 0.5 by default, from 0 to 1.
    #[must_use]
    pub fn tau(mut self, tau: f64) -> Self {
        self.definition.tau = tau;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "quantile",
    kind: Kind::Loss,
    formula: "τ·max(e, 0) + (1 − τ)·max(−e, 0), e = t − x",
    arguments: &[Argument::input(), Argument::target()],
};

/// The unreduced loss of one element.
fn formula<T: Real>(input: T, target: T, tau: f64) -> T {
    let e = target - input;
    let (below, above) = (e.constant(tau), e.constant(1.0) - tau);
    below.weigh(e.relu()) + above.weigh((-e).relu())
}

impl Definition for Quantile {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.tau, 0.0..=1.0);
        vec![Opt { name: "tau", doc: "the quantile that the input is to become", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(formula(a.tensor("input"), a.tensor("target"), self.tau))
    }
}
