//! Binary floating-point formats, as far as rounding and error bounds need them.

/// A number format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// f64, f32, f16 or bf16.
    pub name: &'static str,
    /// Binary digits after the leading one.
    digits: i32,
    /// The exponent of the smallest normal number.
    lowest: i32,
    /// The exponent of the largest number.
    highest: i32,
}

impl Format {
    /// Double precision.
    pub const F64: Self = Self { name: "f64", digits: 52, lowest: -1022, highest: 1023 };
    /// Single precision.
    pub const F32: Self = Self { name: "f32", digits: 23, lowest: -126, highest: 127 };
    /// Half precision.
    pub const F16: Self = Self { name: "f16", digits: 10, lowest: -14, highest: 15 };
    /// Brain floating point.
    pub const BF16: Self = Self { name: "bf16", digits: 7, lowest: -126, highest: 127 };

    /// How many bytes a number takes: its sign, exponent and digits.
    #[must_use]
    pub fn bytes(self) -> usize {
        let exponent = (self.highest + 1).ilog2() + 1;
        (1 + exponent + self.digits.unsigned_abs()) as usize / 8
    }

    /// Half the distance from 1 to the next number: the relative error of one rounding.
    #[must_use]
    pub fn unit(self) -> f64 {
        power(-self.digits - 1)
    }

    /// The smallest positive number.
    #[must_use]
    pub fn tiny(self) -> f64 {
        power(self.lowest - self.digits)
    }

    /// The largest finite number.
    #[must_use]
    pub fn huge(self) -> f64 {
        power(self.highest) * (2.0 - power(-self.digits))
    }

    /// The distance between neighbouring numbers at x; at 0 and below the normal numbers, the smallest.
    #[must_use]
    pub fn ulp(self, x: f64) -> f64 {
        // The exponent from the bits: a logarithm may round across a power of two.
        let biased = i32::try_from(x.to_bits() >> 52 & 0x7ff).unwrap_or(0);
        power(self.spacing(biased - 1023))
    }

    /// The exponent of the distance between neighbouring numbers at 2ᵉ; below the normal numbers, of the smallest.
    #[must_use]
    pub fn spacing(self, exponent: i32) -> i32 {
        exponent.max(self.lowest) - self.digits
    }

    /// The nearest number of the format, ties to even; infinite beyond the largest.
    #[must_use]
    pub fn round(self, x: f64) -> f64 {
        if self == Self::F64 || !x.is_finite() {
            return x;
        }
        let ulp = self.ulp(x);
        let near = (x / ulp).round_ties_even() * ulp;
        if near.abs() > self.huge() { f64::INFINITY.copysign(x) } else { near }
    }
}

/// 2ⁿ, also where it is subnormal.
fn power(n: i32) -> f64 {
    let near = n.max(-1022);
    2.0_f64.powi(near) * 2.0_f64.powi(n - near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_are_the_formats() {
        assert_eq!(Format::F64.huge(), f64::MAX);
        assert_eq!(Format::F64.tiny(), f64::from_bits(1));
        assert_eq!(Format::F64.unit(), f64::EPSILON / 2.0);
        assert_eq!(Format::F32.huge(), f64::from(f32::MAX));
        assert_eq!(Format::F32.tiny(), f64::from(f32::from_bits(1)));
        assert_eq!(Format::F16.huge(), 65504.0);
        assert_eq!(Format::F16.tiny(), 5.960_464_477_539_063e-8);
        assert_eq!(Format::BF16.huge(), 2.0_f64.powi(128) - 2.0_f64.powi(120));
        assert_eq!(Format::BF16.tiny(), 2.0_f64.powi(-133));
        let formats = [Format::F64, Format::F32, Format::F16, Format::BF16];
        assert_eq!(formats.map(Format::bytes), [8, 4, 2, 2]);
    }

    #[test]
    #[allow(clippy::cast_possible_truncation, reason = "rounding is what is tested")]
    fn rounding_to_f32_is_the_processors() {
        for step in 0..2_000_000_u64 {
            // Every exponent, and ties among the digits.
            let x = f64::from_bits(step.wrapping_mul(0x9e37_79b9_7f4a_7c15) & !0xfff_ffff);
            let (got, right) = (Format::F32.round(x), f64::from(x as f32));
            assert!(got.to_bits() == right.to_bits() || x.is_nan(), "{x:e}: {got:e}, {right:e}");
        }
    }

    #[test]
    fn the_largest_number_is_finite() {
        for format in [Format::F64, Format::F32, Format::F16, Format::BF16] {
            assert_eq!(format.round(-format.huge()), -format.huge(), "{}", format.name);
        }
        assert_eq!(Format::F16.round(65_519.0), 65_504.0);
        assert_eq!(Format::F16.round(-65_520.0), f64::NEG_INFINITY);
    }

    #[test]
    fn the_spacing_is_the_next_numbers_distance() {
        for x in [1.0, 0.999, 2.0_f64.powi(-126), 3e-39, 0.0, 1e30] {
            #[allow(clippy::cast_possible_truncation, reason = "x is taken down to the format")]
            let x = x as f32;
            let next = f64::from(f32::from_bits(x.to_bits() + 1)) - f64::from(x);
            assert_eq!(Format::F32.ulp(f64::from(x)), next);
        }
    }
}
