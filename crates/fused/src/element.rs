//! What an array may hold, and what it is computed in.

use crate::gemm::Multiply;
use half::{bf16, f16};

/// A number as it is stored.
pub trait Element: Copy + Send + Sync + 'static {
    /// What it is computed in: its own format, or `f32` for 16 bits.
    type Compute: Multiply;

    /// In the format it is computed in.
    fn widen(self) -> Self::Compute;

    /// Rounded once to its own format.
    fn narrow(x: Self::Compute) -> Self;

    /// A number on the host, rounded once.
    fn of(x: f64) -> Self;

    /// The elements themselves, where they are computed in their own format.
    fn as_computed(elements: &[Self]) -> Option<&[Self::Compute]>;

    /// Whether it is computed in its own format.
    #[must_use]
    fn computed_as_stored() -> bool {
        Self::as_computed(&[]).is_some()
    }

    /// As [`as_computed`](Self::as_computed), to be written.
    fn as_computed_mut(elements: &mut [Self]) -> Option<&mut [Self::Compute]>;
}

macro_rules! computed_as_stored {
    ($($format:ident)*) => {$(
        impl Element for $format {
            type Compute = Self;
            #[inline(always)]
            fn widen(self) -> Self {
                self
            }
            #[inline(always)]
            fn narrow(x: Self) -> Self {
                x
            }
            #[allow(clippy::cast_possible_truncation, clippy::unnecessary_cast, reason = "rounded on purpose")]
            fn of(x: f64) -> Self {
                x as Self
            }
            #[inline(always)]
            fn as_computed(elements: &[Self]) -> Option<&[Self]> {
                Some(elements)
            }
            #[inline(always)]
            fn as_computed_mut(elements: &mut [Self]) -> Option<&mut [Self]> {
                Some(elements)
            }
        }
    )*};
}
computed_as_stored!(f32 f64);

impl Element for bf16 {
    type Compute = f32;
    #[inline(always)]
    fn widen(self) -> f32 {
        f32::from_bits(u32::from(self.to_bits()) << 16)
    }
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "the upper half is what is kept")]
    fn narrow(x: f32) -> Self {
        let bits = x.to_bits();
        // To nearest, ties to even; NaN stays NaN.
        let rounded = bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) >> 16;
        let nan = bits >> 16 | 0x40;
        Self::from_bits(if x.is_nan() { nan } else { rounded } as u16)
    }
    fn of(x: f64) -> Self {
        Self::from_f64(x)
    }
    #[inline(always)]
    fn as_computed(_: &[Self]) -> Option<&[f32]> {
        None
    }
    #[inline(always)]
    fn as_computed_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
}

impl Element for f16 {
    type Compute = f32;
    #[inline(always)]
    fn widen(self) -> f32 {
        let bits = u32::from(self.to_bits());
        let (sign, magnitude) = ((bits & 0x8000) << 16, bits & 0x7FFF);
        // Exponent and mantissa in their places, scaled by 2¹¹² for the difference of the biases: exact, subnormals too.
        let scaled = f32::from_bits(magnitude << 13) * f32::from_bits(0x7780_0000);
        let value = if magnitude >= 0x7C00 {
            f32::from_bits(magnitude << 13 | 0x7F80_0000)
        } else {
            scaled
        };
        f32::from_bits(value.to_bits() | sign)
    }
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "16 bits are what is left")]
    fn narrow(x: f32) -> Self {
        let bits = x.to_bits();
        let (sign, magnitude) = (bits >> 16 & 0x8000, bits & 0x7FFF_FFFF);
        // Adding half a unit in the last place of the result rounds to nearest, ties to even.
        let normal = (magnitude + 0x0FFF + (magnitude >> 13 & 1)).wrapping_sub(0x3800_0000) >> 13;
        // Below 2⁻¹⁴ the unit is fixed: adding 0.5 aligns it with the last bit of an f32.
        let subnormal = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0x3F00_0000);
        let finite = if magnitude < 0x3880_0000 { subnormal } else { normal };
        let infinite = if magnitude > 0x7F80_0000 { 0x7E00 } else { 0x7C00 };
        let value = if magnitude >= 0x4780_0000 { infinite } else { finite };
        Self::from_bits((value | sign) as u16)
    }
    fn of(x: f64) -> Self {
        Self::from_f64(x)
    }
    #[inline(always)]
    fn as_computed(_: &[Self]) -> Option<&[f32]> {
        None
    }
    #[inline(always)]
    fn as_computed_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_16_bit_number_widens_as_it_is() {
        for bits in 0..=u16::MAX {
            let (half, brain) = (f16::from_bits(bits), bf16::from_bits(bits));
            let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
            assert!(same(half.widen(), half.to_f32()), "f16 {bits:#x}");
            assert!(same(brain.widen(), brain.to_f32()), "bf16 {bits:#x}");
        }
    }

    #[test]
    fn narrowing_rounds_to_nearest_ties_to_even() {
        // Every 16-bit number, what lies halfway to the next, and the neighbours of that.
        for bits in 0..=u16::MAX {
            for low in [0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF, 0x0FFF, 0x1000, 0x1001, 0x3000] {
                let x = f32::from_bits(u32::from(bits) << 16 | low);
                let (half, brain) = (f16::narrow(x), bf16::narrow(x));
                let (f16_of, bf16_of) = (f16::from_f32(x), bf16::from_f32(x));
                assert!(half == f16_of || (half.is_nan() && x.is_nan()), "f16 {x:e}");
                assert!(brain == bf16_of || (brain.is_nan() && x.is_nan()), "bf16 {x:e}");
            }
        }
    }
}
