use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, UNIT};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// p·t·softplus(−x) + (1 − t)·softplus(x) of each element.
///
/// `input`∂ are logits and `target`∂ probabilities in [0, 1], of one shape, any; `weight` and `pos_weight` p
/// broadcast from the trailing axes, and the mean divides by the number of elements. Both terms are non-negative,
/// so that nothing cancels; the gradient is (1 − t)·σ(x) − p·t·σ(−x), finite everywhere.
/// Source: `torch.nn.functional.binary_cross_entropy_with_logits`.
#[derive(Clone, Debug, Default)]
pub struct BceWithLogits {}

/// The mean binary cross-entropy of logits, [`BceWithLogits`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::binary_cross_entropy_with_logits};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 1000.0])
///     .tensor("target", vec![1.0, 1.0]);
/// let loss = binary_cross_entropy_with_logits().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.346574).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.25, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn binary_cross_entropy_with_logits() -> Loss<BceWithLogits> {
    Loss::new(BceWithLogits::default())
}

const ENTRY: Entry = Entry {
    name: "binary_cross_entropy_with_logits",
    kind: Kind::Loss,
    formula: "w[p·t·softplus(−x) + (1 − t)·softplus(x)]",
    arguments: &[
        Argument::input(),
        Argument::target().within(UNIT),
        Argument::weight("weight", Form::Trailing),
        Argument::weight("pos_weight", Form::Trailing),
    ],
};

/// The one of x and −x that is not above 0, and the weight of the other one's softplus, of those of −x and of x.
pub(super) fn below_zero<T: Real>(x: T, [positive, negative]: [T; 2]) -> [T; 2] {
    let zero = x.constant(0.0);
    let select = |then: T, otherwise: T| T::select(Compare::Le, x, zero, then, otherwise);
    [select(x, -x), select(positive, negative)]
}

/// The unreduced loss of one element, of that and of both weights' sum: the larger softplus is the smaller one and |x|.
///
/// So one softplus is enough, and where the weights are t and 1 − t the derivative in t is −x and nothing else.
pub(super) fn formula<T: Real>([x, larger]: [T; 2], both: T) -> T {
    both.weigh(x.softplus()) + larger.weigh(-x)
}

impl Definition for BceWithLogits {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, t) = (a.tensor("input"), a.tensor("target"));
        let (positive, negative) = (a.or("pos_weight", 1.0), -t + 1.0);
        let weights = [t.weigh(positive), negative];
        let both = if a.has("pos_weight") { weights[0] + negative } else { x.constant(1.0) };
        Terms::new(a.or("weight", 1.0).weigh(formula(below_zero(x, weights), both)))
    }
}
