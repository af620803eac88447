use super::{Arguments, Definition, Loss};
use crate::catalogue::{ANY_NUMBER, Argument, Entry, Form, Kind, Opt, Slot};
use crate::op::Axis::Class;
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// Σ_{i≠y} w_y max(0, margin − x_y + x_i)ᵖ / C of each row.
///
/// `input`∂ are scores of shape (C), (N, C) or (N, C, d…); `target` is class indices of that shape without C;
/// `weight` (C) weighs the label's class, and the mean divides by the number of rows. It is Weston and Watkins'
/// margin: a mean over the classes. The gradient is 0 at the kinks.
/// Source: Weston and Watkins, 1999; `torch.nn.functional.multi_margin_loss`.
#[derive(Clone, Debug)]
pub struct MultiMargin {
    p: i64,
    margin: f64,
}

impl Default for MultiMargin {
    fn default() -> Self {
        Self { p: 1, margin: 1.0 }
    }
}

/// The mean multi-class margin loss, [`MultiMargin`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::multi_margin};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[1, 4], vec![2.0, 1.5, 0.0, 0.5])?)
///     .labels("target", [0]);
/// let loss = multi_margin().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.125]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-0.25, 0.25, 0.0, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn multi_margin() -> Loss<MultiMargin> {
    Loss::new(MultiMargin::default())
}

impl Loss<MultiMargin> {
    /// The power of the margin that is missed; 1 by default, or 2.
    #[must_use]
    pub fn p(mut self, p: i64) -> Self {
        self.definition.p = p;
        self
    }

    /// How far the label's score shall be above the others; 1 by default.
    #[must_use]
    pub fn margin(mut self, margin: f64) -> Self {
        self.definition.margin = margin;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "multi_margin",
    kind: Kind::Loss,
    formula: "Σ_{i≠y} w_y max(0, margin − x_y + x_i)ᵖ / C",
    arguments: &[Argument::input(), Argument::labels(), Argument::weight("weight", Form::PerClass)],
};

impl Definition for MultiMargin {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let p = Slot::Integer(&mut self.p, 1..=2);
        let margin = Slot::Number(&mut self.margin, ANY_NUMBER);
        vec![
            Opt { name: "p", doc: "the power of the margin that is missed", slot: p },
            Opt {
                name: "margin",
                doc: "how far the label shall be above the others",
                slot: margin,
            },
        ]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, y, w) = (a.tensor("input"), a.labels("target"), a.or("weight", 1.0));
        let missed = (x - y.pick(x) + self.margin).relu();
        let missed = if self.p == 2 { missed.square() } else { missed };
        let others = y.at(x.constant(0.0), missed).sum(Class);
        Terms::new(y.pick(w).weigh(others) / x.size(Class))
    }
}
