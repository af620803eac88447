//! How far a result may be from what is expected.

use half::{bf16, f16};
use lossmith_core::{Dense, Evaluation};
use std::fmt;

/// A number format, as far as a bound needs it.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// f64, f32, f16 or bf16.
    pub name: &'static str,
    /// Half the distance from 1 to the next number.
    pub unit: f64,
    /// The smallest positive number.
    pub tiny: f64,
    /// The largest finite number.
    pub huge: f64,
    /// The nearest number of the format.
    pub round: fn(f64) -> f64,
}

impl Format {
    /// Double precision.
    pub const F64: Self =
        Self { name: "f64", unit: f64::EPSILON / 2.0, tiny: 5e-324, huge: f64::MAX, round: |x| x };
    /// Single precision.
    pub const F32: Self = Self {
        name: "f32",
        unit: f32::EPSILON as f64 / 2.0,
        tiny: 1.401_298_464_324_817e-45,
        huge: f32::MAX as f64,
        #[allow(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
        round: |x| f64::from(x as f32),
    };
    /// Half precision.
    pub const F16: Self = Self {
        name: "f16",
        unit: 4.882_812_5e-4,
        tiny: 5.960_464_477_539_063e-8,
        huge: 65504.0,
        round: |x| f16::from_f64(x).to_f64(),
    };
    /// Brain floating point.
    pub const BF16: Self = Self {
        name: "bf16",
        unit: 3.906_25e-3,
        tiny: 9.183_549_615_799_121e-41,
        huge: 3.389_531_389_251_535_5e38,
        round: |x| bf16::from_f64(x).to_f64(),
    };
}

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

/// The first element that is off by more than a part of itself, a part of the largest finite one expected, and a number;
/// NaN equals NaN, and an infinity only itself or what is too large for the format.
#[must_use]
pub fn judge(
    got: &Evaluation<Dense>,
    expected: &[(String, Dense)],
    [relative, of_largest, absolute]: [f64; 3],
    format: Format,
) -> Option<Mismatch> {
    for (output, expected) in expected {
        let got = match output.strip_prefix("grad.") {
            None => Some(&got.value),
            Some(argument) => got.grad(argument),
        };
        let mismatch =
            |index, got, expected| Some(Mismatch { output: output.clone(), index, got, expected });
        let Some(got) = got.filter(|got| got.shape() == expected.shape()) else {
            return mismatch(0, f64::NAN, f64::NAN);
        };
        let finite = expected.data().iter().filter(|x| x.is_finite());
        let largest = finite.fold(0.0, |largest: f64, x| largest.max(x.abs()));
        for (index, (&got, &expected)) in got.data().iter().zip(expected.data()).enumerate() {
            let near = (got - expected).abs()
                <= relative * expected.abs() + of_largest * largest + absolute + 64.0 * format.tiny;
            let both_nan = got.is_nan() && expected.is_nan();
            let overflow =
                got.is_infinite() && got * expected > 0.0 && expected.abs() >= format.huge;
            if !(near || both_nan || got == expected || overflow) {
                return mismatch(index, got, expected);
            }
        }
    }
    None
}
