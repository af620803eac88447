use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Values};
use crate::op::Axis::Class;
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// Σ max(0, 1 − x_y + x_i) / C of each row, over its labels y and the classes i that are none of them.
///
/// `input`∂ are scores of shape (C) or (N, C); `target` is class indices of that shape, each row's ended by −1.
/// The gradient is 0 at the kinks. Source: `torch.nn.functional.multilabel_margin_loss`.
#[derive(Clone, Debug, Default)]
pub struct MultilabelMargin {}

/// The mean margin loss of several labels, [`MultilabelMargin`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::multilabel_margin};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![2.0, 0.5, 1.0, 0.0])
///     .labels("target", [0, 2, -1, -1]);
/// let loss = multilabel_margin().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.125]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.0, 0.25, -0.25, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn multilabel_margin() -> Loss<MultilabelMargin> {
    Loss::new(MultilabelMargin::default())
}

const ENTRY: Entry = Entry {
    name: "multilabel_margin",
    kind: Kind::Loss,
    formula: "Σ_{y in, i out} max(0, 1 − x_y + x_i) / C",
    arguments: &[
        Argument::input(),
        Argument { values: Values::IndexSets, form: Form::Same, ..Argument::labels() },
    ],
};

impl Definition for MultilabelMargin {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, labels) = (a.tensor("input"), a.label_sets("target"));
        let zero = x.constant(0.0);
        let out = labels.iter().fold(x.constant(1.0), |out, y| y.at(zero, out));
        let of_label = labels.iter().map(|y| {
            let missed = (x - y.pick(x) + 1.0).relu();
            y.labelled().weigh(out.weigh(missed).sum(Class))
        });
        let sum = of_label.fold(zero, |sum, label| sum + label);
        Terms::new(sum / x.size(Class))
    }
}
