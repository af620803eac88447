//! The functions of the op vocabulary on one number, without a branch, so that loops over them vectorise.

mod below;
mod format;
mod functions;

pub use self::below::Below;
pub(crate) use self::below::PARTS;
use crate::compiled::{self, Run};
use crate::simd::Turn;
use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A number format the engine computes in: `f32` or `f64`.
///
/// NaN gives NaN; limits and the signs of zeros are those of `lossmith_core::op`.
pub trait Lane:
    Copy
    + Debug
    + Default
    + PartialOrd
    + Send
    + Sync
    + Turn
    + Neg<Output = Self>
    + Add<Output = Self>
    + AddAssign
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + 'static
{
    /// 0
    const ZERO: Self;
    /// 1
    const ONE: Self;
    /// ∞
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// Whether it is as wide as what is added up in.
    const WIDE: bool = size_of::<Self>() == size_of::<f64>();

    /// The nearest number of this format.
    fn from_f64(x: f64) -> Self;
    /// Itself as `f64`, exactly.
    fn to_f64(self) -> f64;
    /// Whether it is not a number.
    fn is_nan(self) -> bool;
    /// |x|
    fn abs(self) -> Self;
    /// √x, rounded correctly.
    fn sqrt(self) -> Self;
    /// x · a + b, rounded once.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// eˣ
    fn exp(self) -> Self;
    /// eˣ − 1, accurate near 0.
    fn expm1(self) -> Self;
    /// ln x
    fn ln(self) -> Self;
    /// ln(1 + x), accurate near 0.
    fn ln1p(self) -> Self;
    /// 1/(1 + e⁻ˣ), accurate for very negative x.
    fn sigmoid(self) -> Self;
    /// ln(1 + eˣ), accurate on both sides.
    fn softplus(self) -> Self;
    /// e^−|x|
    fn tail(self) -> Self;
    /// ln(1 + x) for 0 ≤ x ≤ 1.
    fn log_of_tail(self) -> Self;
    /// e^(a − b) of the exact difference; 1 where a = b, equal infinities too.
    fn exp_sub(self, b: Self) -> Self;

    /// What the exponentials of numbers need of the largest of them.
    fn below(self) -> Below<Self>;
    /// e^(a − b) of the exact difference for a ≤ b; 1 where a = b, equal infinities too.
    fn exp_below(self, b: Below<Self>) -> Self;

    /// The compiled body of a stage at that place, where there are any for this format.
    #[doc(hidden)]
    fn compiled(place: usize) -> Option<Run<Self>>;

    /// `then` where `mask` holds, else `otherwise`.
    #[inline(always)]
    #[must_use]
    fn select(mask: bool, then: Self, otherwise: Self) -> Self {
        if mask { then } else { otherwise }
    }

    /// −1, 0 or 1; NaN for NaN.
    #[inline(always)]
    #[must_use]
    fn sign(self) -> Self {
        let one = Self::select(self < Self::ZERO, -Self::ONE, Self::ONE);
        let flat = Self::select(self == Self::ZERO, Self::ZERO, self);
        Self::select(self.abs() > Self::ZERO, one, flat)
    }

    /// The larger of two; NaN if either is NaN.
    #[inline(always)]
    #[must_use]
    fn max(self, b: Self) -> Self {
        let larger = Self::select(self > b, self, b);
        Self::select(self.is_nan(), self, larger)
    }

    /// ln(eᵃ + eᵇ), without overflow; −∞ adds nothing.
    #[inline(always)]
    #[must_use]
    fn log_add_exp(self, b: Self) -> Self {
        let apart = Self::select(self == b, Self::ZERO, (self - b).abs());
        self.max(b) + apart.tail().log_of_tail()
    }

    /// 0 where self = 0, else self · v: a zero weight skips what it weighs.
    #[inline(always)]
    #[must_use]
    fn weigh(self, v: Self) -> Self {
        Self::select(self == Self::ZERO, Self::ZERO, self * v)
    }
}

/// The softplus of x, given ln(1 + e^−|x|).
#[inline(always)]
pub(crate) fn softplus_of<F: Lane>(x: F, log: F) -> F {
    F::select(x > F::ZERO, x, F::ZERO) + log
}

/// The sigmoid of x, given e^−|x|.
#[inline(always)]
pub(crate) fn sigmoid_of<F: Lane>(x: F, tail: F) -> F {
    F::select(x < F::ZERO, tail, F::ONE) / (F::ONE + tail)
}

macro_rules! lane {
    ($($float:ident $compiled:expr;)*) => {$(
        impl Lane for $float {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const INFINITY: Self = $float::INFINITY;
            const NAN: Self = $float::NAN;

            #[inline(always)]
            #[allow(clippy::cast_possible_truncation, reason = "narrowing rounds to nearest")]
            fn from_f64(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                $float::is_nan(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                $float::abs(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                $float::sqrt(self)
            }

            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                $float::mul_add(self, a, b)
            }

            #[inline(always)]
            fn exp(self) -> Self {
                functions::exp(self)
            }

            #[inline(always)]
            fn expm1(self) -> Self {
                functions::expm1(self)
            }

            #[inline(always)]
            fn ln(self) -> Self {
                functions::ln(self)
            }

            #[inline(always)]
            fn ln1p(self) -> Self {
                functions::ln1p(self)
            }

            #[inline(always)]
            fn sigmoid(self) -> Self {
                functions::sigmoid(self)
            }

            #[inline(always)]
            fn softplus(self) -> Self {
                functions::softplus(self)
            }

            #[inline(always)]
            fn tail(self) -> Self {
                functions::tail(self)
            }

            #[inline(always)]
            fn log_of_tail(self) -> Self {
                functions::log_of_tail(self)
            }

            #[inline(always)]
            fn exp_sub(self, b: Self) -> Self {
                functions::exp_sub(self, b)
            }

            #[inline(always)]
            fn below(self) -> Below<Self> {
                below::below(self)
            }

            #[inline(always)]
            fn exp_below(self, b: Below<Self>) -> Self {
                below::exp_below(self, b)
            }

            fn compiled(place: usize) -> Option<Run<Self>> {
                $compiled(place)
            }
        }
    )*};
}

lane! {
    f32 compiled::body;
    f64 |_| None;
}
