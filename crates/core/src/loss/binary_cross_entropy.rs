use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Opt, Slot, UNIT};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// −[t ln x + (1 − t) ln(1 − x)] of each element, each ln at least −`clamp`.
///
/// `input`∂ are probabilities and `target`∂ too, of one shape, any, in [0, 1]; `weight` broadcasts from the trailing
/// axes, and the mean divides by the number of elements. The gradient is (x − t)/(x(1 − x)), with its limit where
/// x = t is 0 or 1. Where a clamp holds, which for 100 is at x = 0 or 1 exactly, the gradient is PyTorch's ∓1e12
/// rather than the 0 of a constant; without one it is infinite there, as the value is.
/// Source: `torch.nn.functional.binary_cross_entropy`.
#[derive(Clone, Debug)]
pub struct BinaryCrossEntropy {
    clamp: Option<f64>,
}

impl Default for BinaryCrossEntropy {
    fn default() -> Self {
        Self { clamp: Some(100.0) }
    }
}

/// The mean binary cross-entropy of probabilities, [`BinaryCrossEntropy`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::binary_cross_entropy};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.5, 0.75])
///     .tensor("target", vec![1.0, 0.0]);
/// let loss = binary_cross_entropy().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 1.039721).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-1.0, 2.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn binary_cross_entropy() -> Loss<BinaryCrossEntropy> {
    Loss::new(BinaryCrossEntropy::default())
}

impl Loss<BinaryCrossEntropy> {
    /// How far below 0 each ln may go; 100 by default, none for the exact loss.
    #[must_use]
    pub fn clamp(mut self, clamp: Option<f64>) -> Self {
        self.definition.clamp = clamp;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "binary_cross_entropy",
    kind: Kind::Loss,
    formula: "−w[t ln x + (1 − t) ln(1 − x)]",
    arguments: &[
        Argument::input().within(UNIT),
        Argument::target().within(UNIT),
        Argument::weight("weight", Form::Trailing),
    ],
};

/// The unreduced loss of one element.
///
/// Its derivative in x is not left to the ln's, as −t/x + (1 − t)/(1 − x) cancels where (x − t)/(x(1 − x)) does not.
fn formula<T: Real>(x: T, t: T, clamp: Option<f64>) -> T {
    let [zero, one] = [0.0, 1.0].map(|number| x.constant(number));
    let [p, q] = [x.detach(), t.detach()];
    let [not_p, not_q] = [one - p, one - q];
    let [ln_p, ln_not_p] = [p.ln(), (-p).ln_1p()];
    let floor = x.constant(-clamp.unwrap_or(f64::INFINITY));
    let clamped = |ln: T, then: T, otherwise: T| T::select(Compare::Le, ln, floor, then, otherwise);
    let [minus_ln, minus_ln_not] = [ln_p, ln_not_p].map(|ln| -clamped(ln, floor, ln));
    let value = t.weigh(minus_ln) + (-t + 1.0).weigh(minus_ln_not);

    // What a clamped ln leaves, and PyTorch's slope in its place, also where 1e12 is infinite in the format.
    let numerator = clamped(ln_p, clamped(ln_not_p, zero, not_q), clamped(ln_not_p, -q, p - q));
    let quotient = numerator / (clamped(ln_p, one, p) * clamped(ln_not_p, one, not_p));
    let steep = x.constant(clamp.map_or(f64::INFINITY, |_| 1e12));
    let [steep_p, steep_not_p] = [ln_p, ln_not_p].map(|ln| clamped(ln, steep, zero));
    let slope = quotient + (not_q.weigh(steep_not_p) - q.weigh(steep_p));
    value + (x - p).weigh(slope)
}

impl Definition for BinaryCrossEntropy {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::MaybeNumber(&mut self.clamp, 0.0..=f64::MAX);
        vec![Opt { name: "clamp", doc: "how far below 0 each ln may go", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let loss = formula(a.tensor("input"), a.tensor("target"), self.clamp);
        Terms::new(a.or("weight", 1.0).weigh(loss))
    }
}
