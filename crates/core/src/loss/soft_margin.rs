use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind};
use crate::real::Real;
use crate::terms::Terms;

/// ln(1 + e^−tx) of each element.
///
/// `input`∂, scores, and `target`, −1 or 1, have one shape, any. The gradient is −t·σ(−tx), finite everywhere.
/// Source: `torch.nn.functional.soft_margin_loss`.
#[derive(Clone, Debug, Default)]
pub struct SoftMargin {}

/// The mean logistic loss of two classes, [`SoftMargin`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::soft_margin};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 1000.0])
///     .tensor("target", vec![1.0, 1.0]);
/// let loss = soft_margin().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.346574).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.25, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn soft_margin() -> Loss<SoftMargin> {
    Loss::new(SoftMargin::default())
}

const ENTRY: Entry = Entry {
    name: "soft_margin",
    kind: Kind::Loss,
    formula: "softplus(−t·x)",
    arguments: &[Argument::input(), Argument::signs(Form::Same)],
};

/// The unreduced loss of one element.
fn formula<T: Real>(x: T, t: T) -> T {
    (-t * x).softplus()
}

impl Definition for SoftMargin {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(formula(a.tensor("input"), a.tensor("target")))
    }
}
