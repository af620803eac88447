use super::{Arguments, Definition, Loss};
use crate::catalogue::{ANY_INTEGER, Argument, Entry, Form, Kind, Opt, Slot};
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// −w_y x_y of each row.
///
/// `input`∂ are log-probabilities of shape (C), (N, C) or (N, C, d…); `target` is class indices of that shape
/// without C; `weight` (C) weighs the classes. The mean divides by Σ w_y, and rows whose label is `ignore_index`
/// count for nothing. The gradient is −w_y at the label.
/// Source: `torch.nn.functional.nll_loss`.
#[derive(Clone, Debug)]
pub struct Nll {
    ignore_index: i64,
}

impl Default for Nll {
    fn default() -> Self {
        Self { ignore_index: -100 }
    }
}

/// The mean negative log-likelihood of log-probabilities, [`Nll`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::nll};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[2, 2], vec![-0.5, -1.0, -2.0, -0.25])?)
///     .labels("target", [0, 1]);
/// let loss = nll().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.375]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.5, 0.0, 0.0, -0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn nll() -> Loss<Nll> {
    Loss::new(Nll::default())
}

impl Loss<Nll> {
    /// The label that marks a row without one; −100 by default.
    #[must_use]
    pub fn ignore_index(mut self, index: i64) -> Self {
        self.definition.ignore_index = index;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "nll",
    kind: Kind::Loss,
    formula: "−w_y x_y",
    arguments: &[
        Argument::input().logs(),
        Argument::labels(),
        Argument::weight("weight", Form::PerClass),
    ],
};

impl Definition for Nll {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Integer(&mut self.ignore_index, ANY_INTEGER);
        vec![Opt { name: "ignore_index", doc: "the label that marks a row without one", slot }]
    }

    fn ignore_index(&self) -> Option<i64> {
        Some(self.ignore_index)
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let y = a.labels("target");
        let w_y = y.pick(a.or("weight", 1.0));
        Terms::weighted(w_y.weigh(-y.pick(a.tensor("input"))), w_y)
    }
}
