use super::{Arguments, Definition, Loss, bce_with_logits};
use crate::catalogue::{Argument, Entry, Kind, Opt, Slot, UNIT};
use crate::real::Real;
use crate::terms::Terms;

/// α_t (1 − p_t)^γ times the binary cross-entropy of each logit, p_t = σ(x)t + σ(−x)(1 − t).
///
/// `input`∂ are logits and `target`∂ probabilities in [0, 1], of one shape, any. α_t = αt + (1 − α)(1 − t), or 1
/// without `alpha`. Where a prediction is certain and right, loss and gradient are 0, for γ below 1 too.
/// Source: Lin et al., "Focal loss for dense object detection", 2017; `torchvision.ops.sigmoid_focal_loss`.
#[derive(Clone, Debug)]
pub struct SigmoidFocal {
    alpha: Option<f64>,
    gamma: f64,
}

impl Default for SigmoidFocal {
    fn default() -> Self {
        Self { alpha: Some(0.25), gamma: 2.0 }
    }
}

/// The mean focal loss of logits, [`SigmoidFocal`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::sigmoid_focal};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 0.0])
///     .tensor("target", vec![1.0, 0.0]);
/// let loss = sigmoid_focal().gamma(2.0).alpha(None).value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.173287).abs() < 1e-6);
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn sigmoid_focal() -> Loss<SigmoidFocal> {
    Loss::new(SigmoidFocal::default())
}

impl Loss<SigmoidFocal> {
    /// The weight of the positives, 1 − α that of the negatives; 0.25 by default.
    #[must_use]
    pub fn alpha(mut self, alpha: Option<f64>) -> Self {
        self.definition.alpha = alpha;
        self
    }

    /// How much what is well predicted is discounted; 2 by default, from 0.
    #[must_use]
    pub fn gamma(mut self, gamma: f64) -> Self {
        self.definition.gamma = gamma;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "sigmoid_focal",
    kind: Kind::Loss,
    formula: "α_t (1 − p_t)^γ [t·softplus(−x) + (1 − t)·softplus(x)]",
    arguments: &[Argument::input(), Argument::target().within(UNIT)],
};

/// The unreduced loss of one element.
fn formula<T: Real>(x: T, t: T, alpha: Option<f64>, gamma: f64) -> T {
    let negative = -t + 1.0;
    let [below_zero, larger] = bce_with_logits::below_zero(x, [t, negative]);
    let entropy = bce_with_logits::formula([below_zero, larger], x.constant(1.0));
    let smaller = -larger + 1.0;
    let missed = larger.weigh((-below_zero).sigmoid()) + smaller.weigh(below_zero.sigmoid());
    // Half of the power on either side of the entropy: the whole may be 0 where the product is not.
    let half = if gamma == 2.0 { missed } else { x.constant(gamma / 2.0).weigh(missed.ln()).exp() };
    let focal = half.weigh(half.weigh(entropy));
    alpha.map_or(focal, |alpha| (t * alpha + negative * (t.constant(1.0) - alpha)).weigh(focal))
}

impl Definition for SigmoidFocal {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let alpha = Slot::MaybeNumber(&mut self.alpha, 0.0..=1.0);
        let gamma = Slot::Number(&mut self.gamma, 0.0..=f64::MAX);
        vec![
            Opt { name: "alpha", doc: "the weight of the positives", slot: alpha },
            Opt {
                name: "gamma",
                doc: "how much what is well predicted is discounted",
                slot: gamma,
            },
        ]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, t) = (a.tensor("input"), a.tensor("target"));
        Terms::new(formula(x, t, self.alpha, self.gamma))
    }
}
