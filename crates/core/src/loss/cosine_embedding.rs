use super::norm::cosine_distance;
use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// 1 − cos(x₁, x₂) of each row where t is 1, max(0, cos(x₁, x₂) − margin) where t is −1.
///
/// `input1`∂ and `input2`∂ are vectors of shape (D) or (N, D); `target`, −1 or 1, has that shape without D. The
/// cosine with a vector of zeros is 0, and so is its gradient. PyTorch adds 1e-12 to each squared length; here nothing
/// is added, and vectors of any length have the cosine of their directions.
/// Source: `torch.nn.functional.cosine_embedding_loss`.
#[derive(Clone, Debug, Default)]
pub struct CosineEmbedding {
    margin: f64,
}

/// The mean cosine loss of pairs, [`CosineEmbedding`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::cosine_embedding};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input1", Dense::new(&[1, 2], vec![3.0, 4.0])?)
///     .tensor("input2", Dense::new(&[1, 2], vec![4.0, 3.0])?)
///     .tensor("target", vec![1.0]);
/// let loss = cosine_embedding().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.04).abs() < 1e-6);
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn cosine_embedding() -> Loss<CosineEmbedding> {
    Loss::new(CosineEmbedding::default())
}

impl Loss<CosineEmbedding> {
    /// The largest cosine of what shall be apart; 0 by default, from −1 to 1.
    #[must_use]
    pub fn margin(mut self, margin: f64) -> Self {
        self.definition.margin = margin;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "cosine_embedding",
    kind: Kind::Loss,
    formula: "1 − cos(x₁, x₂) if t = 1, max(0, cos(x₁, x₂) − margin) if t = −1",
    arguments: &[
        Argument::input().named("input1"),
        Argument::target().named("input2"),
        Argument::signs(Form::Rows),
    ],
};

impl Definition for CosineEmbedding {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Over(-1)
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.margin, -1.0..=1.0);
        vec![Opt { name: "margin", doc: "the largest cosine of what shall be apart", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let [x1, x2, t] = ["input1", "input2", "target"].map(|name| a.tensor(name));
        let distance = cosine_distance(x1, x2);
        let [near, far] = [1.0, -1.0].map(|sign| t.constant(sign));
        let missed = (-distance + (near - self.margin)).relu();
        let apart = Real::select(Compare::Eq, t, far, missed, t);
        Terms::new(Real::select(Compare::Eq, t, near, distance, apart))
    }
}
