use super::{Arguments, Definition, Loss};
use crate::catalogue::{ANY_NUMBER, Argument, Entry, Form, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// x where t is 1, max(0, margin − x) where t is −1.
///
/// `input`∂, distances, and `target`, −1 or 1, have one shape, any. The gradient is 1, or −1 where x < margin.
/// Source: `torch.nn.functional.hinge_embedding_loss`.
#[derive(Clone, Debug)]
pub struct HingeEmbedding {
    margin: f64,
}

impl Default for HingeEmbedding {
    fn default() -> Self {
        Self { margin: 1.0 }
    }
}

/// The mean hinge loss of distances, [`HingeEmbedding`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::hinge_embedding};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.25, 0.25])
///     .tensor("target", vec![1.0, -1.0]);
/// let loss = hinge_embedding().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.5]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.5, -0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn hinge_embedding() -> Loss<HingeEmbedding> {
    Loss::new(HingeEmbedding::default())
}

impl Loss<HingeEmbedding> {
    /// How far what is apart shall be; 1 by default.
    #[must_use]
    pub fn margin(mut self, margin: f64) -> Self {
        self.definition.margin = margin;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "hinge_embedding",
    kind: Kind::Loss,
    formula: "x if t = 1, max(0, margin − x) if t = −1",
    arguments: &[Argument::input(), Argument::signs(Form::Same)],
};

/// The unreduced loss of one element; NaN where t is.
fn formula<T: Real>(x: T, t: T, margin: f64) -> T {
    let [near, far] = [1.0, -1.0].map(|sign| t.constant(sign));
    let apart = T::select(Compare::Eq, t, far, (-x + margin).relu(), t);
    T::select(Compare::Eq, t, near, x, apart)
}

impl Definition for HingeEmbedding {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.margin, ANY_NUMBER);
        vec![Opt { name: "margin", doc: "how far what is apart shall be", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(formula(a.tensor("input"), a.tensor("target"), self.margin))
    }
}
