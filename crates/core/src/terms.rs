//! What a definition returns, and the one place where sample weights and the reduction are applied.

use crate::graph::{Shape, Var};
use crate::op::Compare;
use crate::real::Real;

/// The unreduced loss and what its mean divides by: mean = Σ averaged / Σ weight.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'g> {
    /// The loss of each element or row.
    pub value: Var<'g>,
    /// How much each counts in the mean.
    pub weight: Var<'g>,
    /// What the mean adds up; the value, in all but rare cases.
    pub averaged: Var<'g>,
}

impl<'g> Terms<'g> {
    /// Terms that count alike: the mean divides by their number.
    #[must_use]
    pub fn new(value: Var<'g>) -> Self {
        Self::weighted(value, value.constant(1.0))
    }

    /// Terms whose mean divides by Σ weight.
    #[must_use]
    pub fn weighted(value: Var<'g>, weight: Var<'g>) -> Self {
        Self { value, weight, averaged: value }
    }

    /// The terms with a mean that adds up something else than their value.
    #[must_use]
    pub fn averaging(self, averaged: Var<'g>) -> Self {
        Self { averaged, ..self }
    }

    /// The reduced loss of terms that fill `shape`.
    pub(crate) fn reduce(
        self,
        sample_weight: Option<Var<'g>>,
        reduction: Reduction,
        empty: Empty,
        shape: Shape,
        batch: Var<'g>,
    ) -> Var<'g> {
        let weigh = |x: Var<'g>| sample_weight.map_or(x, |w| w.weigh(x));
        let value = weigh(self.value);
        match reduction {
            Reduction::None => value,
            Reduction::Sum => value.total(shape),
            Reduction::Mean | Reduction::BatchMean => {
                let (sum, weight) = if reduction == Reduction::BatchMean {
                    (value.total(shape), batch)
                } else {
                    (weigh(self.averaged).total(shape), weigh(self.weight).total(shape))
                };
                let nothing = sum.constant(match empty {
                    Empty::Nan => f64::NAN,
                    Empty::Zero => 0.0,
                });
                Var::select(Compare::Eq, weight, sum.constant(0.0), nothing, sum / weight)
            }
        }
    }
}

/// What becomes of the unreduced loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reduction {
    /// It is returned as it is.
    None,
    /// Σ value / Σ weight.
    #[default]
    Mean,
    /// Σ value.
    Sum,
    /// Σ value / the first side of the main input, PyTorch's `batchmean`; the whole mean of a Kullback–Leibler divergence.
    BatchMean,
}

/// What the mean of nothing is: of no rows, or of rows that are all ignored or of weight 0. Its gradient is 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Empty {
    /// NaN, as in PyTorch.
    #[default]
    Nan,
    /// 0.
    Zero,
}

/// What is validated in the data before a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// Class indices, and that numbers are in their argument's domain: one pass over each such argument.
    #[default]
    Full,
    /// Class indices only; numbers outside the domain give what the formula gives. Indices are always checked.
    Labels,
    /// As `Labels`: an index out of range is never run.
    Off,
}
