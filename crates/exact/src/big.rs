//! A number of as many bits as there are to it, with IEEE 754's NaN, infinities and signed zero.

use dashu_base::Sign;
use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, FBig, Repr};
use lossmith_core::Format;
use std::cmp::Ordering;

/// A binary number of any length, NaN or an infinity.
#[derive(Clone, Debug)]
pub enum Big {
    /// Not a number.
    Nan,
    /// An infinity, negative where this is true.
    Infinite(bool),
    /// A finite number, zeros with their sign.
    Finite(Finite),
}

/// A finite [`Big`].
#[derive(Clone, Debug)]
pub struct Finite(pub(crate) Repr<2>);

impl From<f64> for Big {
    fn from(x: f64) -> Self {
        match FBig::<HalfEven, 2>::try_from(x) {
            _ if x == 0.0 => Self::zero(x.is_sign_negative()),
            Ok(finite) if x.is_finite() => Self::of(finite.into_repr()),
            Ok(_) | Err(_) if x.is_infinite() => Self::Infinite(x < 0.0),
            Ok(_) | Err(_) => Self::Nan,
        }
    }
}

impl PartialEq for Big {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Big {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        let side = |negative: bool| if negative { Ordering::Less } else { Ordering::Greater };
        match (self, other) {
            (Self::Nan, _) | (_, Self::Nan) => None,
            (Self::Infinite(a), Self::Infinite(b)) if a == b => Some(Ordering::Equal),
            (Self::Infinite(negative), _) => Some(side(*negative)),
            (_, Self::Infinite(negative)) => Some(side(!negative)),
            (Self::Finite(a), Self::Finite(b)) if a.is_zero() && b.is_zero() => {
                Some(Ordering::Equal)
            }
            (Self::Finite(a), Self::Finite(b)) => Some(a.0.cmp(&b.0)),
        }
    }
}

impl Finite {
    pub(crate) fn is_zero(&self) -> bool {
        self.0.is_pos_zero() || self.0.is_neg_zero()
    }

    /// The exponent of the leading bit; of 0 the least there is.
    pub(crate) fn exponent(&self) -> isize {
        if self.is_zero() {
            return isize::MIN;
        }
        self.0.exponent().saturating_add_unsigned(self.0.digits()).saturating_sub(1)
    }
}

impl Big {
    pub(crate) fn of(repr: Repr<2>) -> Self {
        if repr.is_infinite() {
            Self::Infinite(repr.sign() == Sign::Negative)
        } else {
            Self::Finite(Finite(repr))
        }
    }

    pub(crate) fn zero(negative: bool) -> Self {
        Self::of(if negative { Repr::neg_zero() } else { Repr::zero() })
    }

    /// Whether it is NaN.
    #[must_use]
    pub fn is_nan(&self) -> bool {
        matches!(self, Self::Nan)
    }

    /// Whether it is neither NaN nor infinite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        matches!(self, Self::Finite(_))
    }

    /// Whether it is ±0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        matches!(self, Self::Finite(x) if x.is_zero())
    }

    /// Whether its sign is −; of NaN, no.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        match self {
            Self::Nan => false,
            Self::Infinite(negative) => *negative,
            Self::Finite(x) => x.0.sign() == Sign::Negative,
        }
    }

    /// The exponent of the leading bit; none of 0, NaN and the infinities.
    #[must_use]
    pub fn exponent(&self) -> Option<isize> {
        match self {
            Self::Finite(x) if !x.is_zero() => Some(x.exponent()),
            Self::Nan | Self::Infinite(_) | Self::Finite(_) => None,
        }
    }

    /// −x
    #[must_use]
    pub fn neg(&self) -> Self {
        match self {
            Self::Nan => Self::Nan,
            Self::Infinite(negative) => Self::Infinite(!negative),
            Self::Finite(x) if x.is_zero() => Self::zero(!self.is_negative()),
            Self::Finite(x) => Self::of(-x.0.clone()),
        }
    }

    /// |x|
    #[must_use]
    pub fn abs(&self) -> Self {
        if self.is_negative() { self.neg() } else { self.clone() }
    }

    /// |self − other|, to 64 bits; NaN unless both are finite.
    #[must_use]
    pub fn distance(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) => Context::<HalfEven>::new(64)
                .sub(&a.0, &b.0)
                .map_or(Self::Nan, |x| Self::of(x.value().into_repr()).abs()),
            (Self::Nan | Self::Infinite(_), _) | (_, Self::Nan | Self::Infinite(_)) => Self::Nan,
        }
    }

    /// self / other as `f64`, near enough to 1 in 2⁵⁰; NaN unless both are finite.
    #[must_use]
    pub fn ratio(&self, other: &Self) -> f64 {
        match (self, other) {
            (Self::Finite(a), Self::Finite(b)) if !b.is_zero() => Context::<HalfEven>::new(64)
                .div(&a.0, &b.0)
                .map_or(f64::NAN, |x| Self::of(x.value().into_repr()).to_f64()),
            _ if other.is_zero() && self.is_finite() && !self.is_zero() => f64::INFINITY,
            (Self::Nan | Self::Infinite(_) | Self::Finite(_), _) => f64::NAN,
        }
    }

    /// 2ⁿ
    #[must_use]
    pub fn power_of_two(n: i32) -> Self {
        Self::of(Repr::new(1.into(), n as isize))
    }

    /// The nearest number of the format, ties to even; infinite beyond the largest.
    #[must_use]
    pub fn round(&self, format: Format) -> f64 {
        let sign = if self.is_negative() { -1.0 } else { 1.0 };
        let finite = match self {
            Self::Nan => return f64::NAN,
            Self::Infinite(_) => return sign * f64::INFINITY,
            Self::Finite(x) if x.is_zero() => return sign * 0.0,
            Self::Finite(x) => x,
        };
        let exponent = finite.exponent();
        let least = format.spacing(i32::try_from(exponent).unwrap_or(i32::MIN));
        // How many bits there are from the leading one to the last that the format has there.
        let bits = exponent.saturating_sub(least as isize).saturating_add(1);
        if exponent > 1023 {
            return sign * f64::INFINITY;
        }
        let Ok(bits @ 1..) = usize::try_from(bits) else {
            // Below the smallest number; its half, a tie, is even at 0.
            let half = Self::power_of_two(least - 1);
            return sign * if self.abs() > half { format.tiny() } else { 0.0 };
        };
        let rounded = FBig::from_repr(finite.0.clone(), Context::<HalfEven>::new(0));
        let near = rounded.with_precision(bits).value().to_f64().value();
        if near.abs() > format.huge() { sign * f64::INFINITY } else { near }
    }

    /// The nearest `f64`.
    #[must_use]
    pub fn to_f64(&self) -> f64 {
        self.round(Format::F64)
    }

    /// So many significant decimal digits.
    #[must_use]
    pub fn decimal(&self, digits: usize) -> String {
        match self {
            Self::Nan | Self::Infinite(_) => self.to_f64().to_string(),
            Self::Finite(_) if self.is_zero() => self.to_f64().to_string(),
            Self::Finite(x) => {
                let all = FBig::<HalfEven, 2>::from_repr(x.0.clone(), Context::new(0));
                let decimal = all.with_base_and_precision::<10>(digits.max(1)).value();
                if (-14..64).contains(&x.exponent()) {
                    decimal.to_string()
                } else {
                    format!("{decimal:e}")
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_as_formats_do() {
        let formats = [Format::F64, Format::F32, Format::F16, Format::BF16];
        for step in 0..20_000_u64 {
            let bits = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            // Every exponent, and ties among the digits.
            for x in [bits, bits & !0xfff_ffff, bits & !0xff_ffff_ffff].map(f64::from_bits) {
                for format in formats {
                    let (got, right) = (Big::from(x).round(format), format.round(x));
                    assert!(got.to_bits() == right.to_bits() || x.is_nan(), "{x:e} {format:?}");
                }
            }
        }
        for format in formats {
            for x in [0.0, -0.0, f64::INFINITY, format.tiny(), format.tiny() / 2.0, format.huge()] {
                assert_eq!(Big::from(x).round(format).to_bits(), format.round(x).to_bits());
                assert_eq!(Big::from(-x).round(format).to_bits(), format.round(-x).to_bits());
            }
        }
    }

    #[test]
    fn orders_as_floats_do() {
        let numbers = [f64::NEG_INFINITY, -2.0, -0.0, 0.0, 1e-300, 1.0, 1e300, f64::INFINITY];
        for a in numbers.into_iter().chain([f64::NAN]) {
            for b in numbers.into_iter().chain([f64::NAN]) {
                assert_eq!(Big::from(a).partial_cmp(&Big::from(b)), a.partial_cmp(&b), "{a} {b}");
            }
        }
    }
}
