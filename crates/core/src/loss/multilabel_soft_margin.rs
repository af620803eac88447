use super::{Arguments, Definition, Loss, bce_with_logits};
use crate::catalogue::{Argument, Entry, Form, Kind, UNIT};
use crate::op::Axis::Class;
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// The mean over the classes of t·softplus(−x) + (1 − t)·softplus(x).
///
/// `input`∂ are logits and `target`∂ probabilities in [0, 1], of one shape whose last side is the classes; `weight`
/// broadcasts from the trailing axes. The gradient is (σ(x) − t)/C.
/// Source: `torch.nn.functional.multilabel_soft_margin_loss`.
#[derive(Clone, Debug, Default)]
pub struct MultilabelSoftMargin {}

/// The mean logistic loss of several labels, [`MultilabelSoftMargin`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::multilabel_soft_margin};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[1, 2], vec![0.0, 0.0])?)
///     .tensor("target", Dense::new(&[1, 2], vec![1.0, 0.0])?);
/// let loss = multilabel_soft_margin().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.693147).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.25, 0.25][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn multilabel_soft_margin() -> Loss<MultilabelSoftMargin> {
    Loss::new(MultilabelSoftMargin::default())
}

const ENTRY: Entry = Entry {
    name: "multilabel_soft_margin",
    kind: Kind::Loss,
    formula: "Σ w[t·softplus(−x) + (1 − t)·softplus(x)] / C",
    arguments: &[
        Argument::input(),
        Argument::target().within(UNIT),
        Argument::weight("weight", Form::Trailing),
    ],
};

impl Definition for MultilabelSoftMargin {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Over(-1)
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, t) = (a.tensor("input"), a.tensor("target"));
        let below = bce_with_logits::below_zero(x, [t, -t + 1.0]);
        let each = bce_with_logits::formula(below, x.constant(1.0));
        Terms::new(a.or("weight", 1.0).weigh(each).sum(Class) / x.size(Class))
    }
}
