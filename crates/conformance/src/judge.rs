//! How far a result may be from what is expected.

use crate::suite::ulps;
use lossmith_core::loss::Definition;
use lossmith_core::{Dense, Evaluation, Format, Inputs, Loss};
use std::fmt;

/// An element that is too far off.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// `value`, or `grad.` and the argument.
    pub output: String,
    /// The element, in row-major order.
    pub index: usize,
    /// What came.
    pub got: f64,
    /// What was expected.
    pub expected: f64,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { output, index, got, expected } = self;
        write!(f, "{output}[{index}] is {got:e}, expected {expected:e}")
    }
}

impl Mismatch {
    /// With the error in units in the last place, and the loss and inputs that give it.
    pub(crate) fn explain<D: Definition>(
        &self,
        format: Format,
        loss: &Loss<D>,
        inputs: &Inputs<Dense>,
    ) -> String {
        let off = ulps(self.got, self.expected, format);
        let inputs: String = format!("{inputs:?}").chars().take(600).collect();
        format!("{self} ({off}); {loss:?} of {inputs}")
    }
}

/// How far each element may be off.
#[derive(Clone, Debug)]
pub enum Tolerance {
    /// A part of itself and a part of the largest finite one expected.
    Relative {
        /// Of itself.
        own: f64,
        /// Of the largest.
        largest: f64,
    },
    /// A number of its own, from [`Loss::error_bound`](lossmith_core::Loss::error_bound); what has no finite one is not judged.
    Bound(Evaluation<Dense>),
}

impl Tolerance {
    /// That many times as much.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        match self {
            Self::Relative { own, largest } => {
                Self::Relative { own: own * factor, largest: largest * factor }
            }
            Self::Bound(Evaluation { value, grads }) => {
                let more = |bound: &Dense| bound.map(|bound| bound * factor);
                let grads = grads.iter().map(|(name, grad)| (name.clone(), more(grad)));
                Self::Bound(Evaluation { value: more(&value), grads: grads.collect() })
            }
        }
    }
}

/// The first element that is too far off; NaN equals NaN, and an infinity only itself or what is too large for the format.
#[must_use]
pub fn judge(
    got: &Evaluation<Dense>,
    expected: &Evaluation<Dense>,
    tolerance: &Tolerance,
    format: Format,
) -> Option<Mismatch> {
    let find = |of: &Evaluation<Dense>, name: &str| {
        of.outputs().find(|(output, _)| output == name).map(|(_, array)| array.clone())
    };
    for (output, expected) in expected.outputs() {
        let mismatch =
            |index, got, expected| Some(Mismatch { output: output.clone(), index, got, expected });
        let Some(got) = find(got, &output).filter(|got| got.shape() == expected.shape()) else {
            return mismatch(0, f64::NAN, f64::NAN);
        };
        let bounds = match tolerance {
            Tolerance::Relative { own, largest } => {
                let finite = expected.data().iter().filter(|x| x.is_finite());
                let most = finite.fold(0.0, |most: f64, x| most.max(x.abs()));
                expected.data().iter().map(|x| own * x.abs() + largest * most).collect()
            }
            Tolerance::Bound(bounds) => find(bounds, &output).map_or(Vec::new(), Dense::into_data),
        };
        for (index, ((&got, &expected), &bound)) in
            got.data().iter().zip(expected.data()).zip(&bounds).enumerate()
        {
            let near = (got - expected).abs() <= bound;
            let both_nan = got.is_nan() && expected.is_nan();
            let overflow =
                got.is_infinite() && got * expected > 0.0 && expected.abs() >= format.huge();
            let unbounded = expected.is_finite() && !bound.is_finite();
            if !(near || both_nan || got == expected || overflow || unbounded) {
                return mismatch(index, got, expected);
            }
        }
    }
    None
}
