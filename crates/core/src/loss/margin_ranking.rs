use super::{Arguments, Definition, Loss};
use crate::catalogue::{ANY_NUMBER, Argument, Entry, Form, Kind, Opt, Slot};
use crate::real::Real;
use crate::terms::Terms;

/// max(0, −t(x₁ − x₂) + margin) of each element.
///
/// `input1`∂, `input2`∂ and `target`, −1 or 1, have one shape, any: t = 1 wants `input1` to rank above `input2`.
/// The gradient is ∓t where the loss is positive and 0 at its kink.
/// Source: `torch.nn.functional.margin_ranking_loss`.
#[derive(Clone, Debug, Default)]
pub struct MarginRanking {
    margin: f64,
}

/// The mean ranking loss with a margin, [`MarginRanking`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::margin_ranking};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input1", vec![2.0, 1.0])
///     .tensor("input2", vec![1.0, 2.0])
///     .tensor("target", vec![1.0, 1.0]);
/// let loss = margin_ranking().margin(0.5).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.75]);
/// assert_eq!(loss.grad("input1").map(Dense::data), Some(&[0.0, -0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn margin_ranking() -> Loss<MarginRanking> {
    Loss::new(MarginRanking::default())
}

impl Loss<MarginRanking> {
    /// How far apart the inputs shall be; 0 by default.
    #[must_use]
    pub fn margin(mut self, margin: f64) -> Self {
        self.definition.margin = margin;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "margin_ranking",
    kind: Kind::Loss,
    formula: "max(0, −t(x₁ − x₂) + margin)",
    arguments: &[
        Argument::input().named("input1"),
        Argument::target().named("input2"),
        Argument::signs(Form::Same),
    ],
};

/// The unreduced loss of one element.
fn formula<T: Real>(x1: T, x2: T, t: T, margin: f64) -> T {
    (t * (x2 - x1) + margin).relu()
}

impl Definition for MarginRanking {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.margin, ANY_NUMBER);
        vec![Opt { name: "margin", doc: "how far apart the inputs shall be", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let [x1, x2, t] = ["input1", "input2", "target"].map(|name| a.tensor(name));
        Terms::new(formula(x1, x2, t, self.margin))
    }
}
