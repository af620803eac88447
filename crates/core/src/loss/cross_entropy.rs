use super::{Arguments, Definition, Loss, Target};
use crate::catalogue::{ANY_INTEGER, Argument, Entry, Form, Kind, Opt, Slot, UNIT};
use crate::graph::{LabelVar, Var};
use crate::loss::softmax::shifted;
use crate::op::{Axis::Class, Compare};
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// −Σ q_c ln softmax(x)_c of each row, q one-hot at the label or given as probabilities.
///
/// `input`∂ are logits of shape (C), (N, C) or (N, C, d…); `target` is class indices of that shape without C, or
/// probabilities∂ of that shape, in [0, 1]; `weight` (C) weighs the classes. With indices the mean divides by
/// Σ w_y, and rows whose label is `ignore_index` count for nothing; with probabilities it divides by the rows.
/// `label_smoothing` ε makes q (1 − ε)q + ε/C. The gradient is softmax(x) − q, finite wherever the loss is.
/// Logits of −∞ are classes that cannot be; a row of nothing else is NaN.
/// Source: `torch.nn.functional.cross_entropy`; Szegedy et al., "Rethinking the Inception architecture", 2016.
#[derive(Clone, Debug)]
pub struct CrossEntropy {
    pub(super) ignore_index: i64,
    pub(super) label_smoothing: f64,
}

impl Default for CrossEntropy {
    fn default() -> Self {
        Self { ignore_index: -100, label_smoothing: 0.0 }
    }
}

/// The mean cross-entropy of logits, [`CrossEntropy`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::cross_entropy};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[2, 2], vec![0.0, 0.0, 1.0, 1.0])?)
///     .labels("target", [0, 1]);
/// let loss = cross_entropy().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.693147).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.25, 0.25, 0.25, -0.25][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn cross_entropy() -> Loss<CrossEntropy> {
    Loss::new(CrossEntropy::default())
}

impl Loss<CrossEntropy> {
    /// The label that marks a row without one; −100 by default.
    #[must_use]
    pub fn ignore_index(mut self, index: i64) -> Self {
        self.definition.ignore_index = index;
        self
    }

    /// How much of the target is spread evenly over all classes; 0 by default, up to 1.
    #[must_use]
    pub fn label_smoothing(mut self, epsilon: f64) -> Self {
        self.definition.label_smoothing = epsilon;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "cross_entropy",
    kind: Kind::Loss,
    formula: "−Σ w_c q_c ln softmax(x)_c",
    arguments: &[
        Argument::input(),
        Argument::target().within(UNIT).or_labels(),
        Argument::weight("weight", Form::PerClass),
    ],
};

/// −ln softmax(x)_y as softplus(ln Σ_{c≠y} exp x_c − x_y): only positive terms, exact when the label is all but certain.
pub(super) fn hard<'g>(x: Var<'g>, y: LabelVar<'g>) -> Var<'g> {
    let (m, s) = rest(x, y);
    (s + (m - y.pick(x))).softplus()
}

/// Logsumexp in two parts of all classes but the label.
fn rest<'g>(x: Var<'g>, y: LabelVar<'g>) -> (Var<'g>, Var<'g>) {
    shifted(y.at(x.constant(f64::NEG_INFINITY), x))
}

/// Logsumexp in two parts of all classes, of that of the rest: one exponential an element is enough for both.
fn whole<'g>(x: Var<'g>, y: LabelVar<'g>) -> (Var<'g>, Var<'g>) {
    let ((m, s), x_y) = (rest(x, y), y.pick(x));
    let top = Var::select(Compare::Lt, m, x_y, x_y, m).detach();
    (top, (s + (m - top)).log_add_exp(x_y - top))
}

/// The unreduced loss of logits.
pub(super) fn terms<'g>(options: &CrossEntropy, x: Var<'g>, a: &Arguments<'g>) -> Terms<'g> {
    let w = a.or("weight", 1.0);
    let epsilon = x.constant(options.label_smoothing);
    let (keep, spread) = (1.0 - epsilon, epsilon / x.size(Class));
    // −ln softmax(x), through the maximum.
    let surprise = |(m, s): (Var<'g>, Var<'g>)| s + (m - x);
    match a.target("target") {
        Target::Labels(y) => {
            let w_y = y.pick(w);
            let spread = y.labelled().weigh(spread).weigh(w);
            let smooth = spread.weigh(surprise(whole(x, y))).sum(Class);
            let hard = keep.weigh(w_y).weigh(hard(x, y));
            // Without smoothing there is no second term, not 0 times one.
            let value = if options.label_smoothing == 0.0 { hard } else { hard + smooth };
            Terms::weighted(value, w_y)
        }
        Target::Numbers(q) => {
            let q = keep.weigh(q) + spread;
            Terms::new(q.weigh(w).weigh(surprise(shifted(x))).sum(Class))
        }
    }
}

impl Definition for CrossEntropy {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let ignore = Slot::Integer(&mut self.ignore_index, ANY_INTEGER);
        let smoothing = Slot::Number(&mut self.label_smoothing, 0.0..=1.0);
        vec![
            Opt {
                name: "ignore_index",
                doc: "the label that marks a row without one",
                slot: ignore,
            },
            Opt { name: "label_smoothing", doc: "spread evenly over all classes", slot: smoothing },
        ]
    }

    fn ignore_index(&self) -> Option<i64> {
        Some(self.ignore_index)
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        terms(self, a.tensor("input"), a)
    }
}
