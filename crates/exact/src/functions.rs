//! Exponential and logarithm in fixed point, several times as fast as the crate's, which rounds them correctly and judges
//! these in the tests: before they are rounded they are right to 2⁻⁴⁰ units.
//!
//! What is too near a zero of the function, or too large, for fixed point is left to the crate.

use crate::big::Finite;
use dashu_base::{BitTest as _, DivRemEuclid as _};
use dashu_float::round::mode::HalfEven;
use dashu_float::{Context, Repr};
use dashu_int::IBig;
use std::cell::OnceCell;

/// Bits more than the result has.
const SPARE: usize = 96;
/// The argument of the series is less than 2⁻ᴴ.
const HALVINGS: usize = 12;
/// Arguments below 2⁻ᴺ are left to the crate, as are those from 2²¹.
const NEAREST: isize = 32;
const LARGEST: isize = 20;

/// Numbers of so many bits after the point.
#[derive(Debug)]
pub(crate) struct Fixed {
    bits: usize,
    ln_2: OnceCell<IBig>,
}

impl Fixed {
    /// For results of so many bits.
    pub(crate) fn new(bits: usize) -> Self {
        Self { bits: bits + SPARE, ln_2: OnceCell::new() }
    }

    /// eˣ before it is rounded; none for what is left to the crate.
    pub(crate) fn exp(&self, x: &Finite) -> Option<Repr<2>> {
        if !(-NEAREST..=LARGEST).contains(&x.exponent()) {
            return None;
        }
        let (power, rest) = self.enter(&x.0).div_rem_euclid(self.ln_2());
        let power = isize::try_from(power).ok()?;
        Some(self.leave(self.exp_of(rest.into()), power))
    }

    /// ln x of a positive number before it is rounded; none for what is left to the crate.
    pub(crate) fn ln(&self, x: &Finite) -> Option<Repr<2>> {
        // x = m · 2ⁿ with m from ¾ to 1½.
        let mut power = x.exponent();
        let mut scaled = Repr::new(x.0.significand().clone(), x.0.exponent() - power);
        if scaled.to_f64().value() >= 1.5 {
            power += 1;
            scaled = Repr::new(scaled.significand().clone(), scaled.exponent() - 1);
        }
        let one = IBig::ONE << self.bits;
        let m = self.enter(&scaled);
        let near_one = (&m - &one).bit_len() + NEAREST.unsigned_abs() < self.bits;
        if power == 0 && near_one {
            return None;
        }
        // m = e^y (1 + z), z being what f64 leaves.
        let y = scaled.to_f64().value().ln();
        let y = self.enter(dashu_float::FBig::<HalfEven, 2>::try_from(y).ok()?.repr());
        // e^−y, its exponent taken between 0 and ln 2.
        let inverse =
            if y < IBig::ZERO { self.exp_of(-&y) } else { self.exp_of(self.ln_2() - &y) >> 1 };
        let z = self.times(&m, &inverse) - one;
        let (mut sum, mut power_of_z) = (y + &z, z.clone());
        for k in 2_i32.. {
            power_of_z = -self.times(&power_of_z, &z);
            // Its last bit may stay, as what is rounded down does.
            if power_of_z.bit_len() <= 1 {
                break;
            }
            sum += &power_of_z / k;
        }
        sum += self.ln_2() * power;
        Some(self.leave(sum, 0))
    }

    /// eˣ of 0 ≤ x ≤ ln 2.
    fn exp_of(&self, x: IBig) -> IBig {
        let one = IBig::ONE << self.bits;
        let x = x >> HALVINGS;
        let (mut sum, mut term) = (&one + &x, x.clone());
        for k in 2_i32.. {
            term = self.times(&term, &x) / k;
            if term == IBig::ZERO {
                break;
            }
            sum += &term;
        }
        for _ in 0..HALVINGS {
            sum = self.times(&sum, &sum);
        }
        sum
    }

    fn times(&self, a: &IBig, b: &IBig) -> IBig {
        (a * b) >> self.bits
    }

    fn ln_2(&self) -> &IBig {
        self.ln_2.get_or_init(|| {
            let two = Repr::new(IBig::ONE, 1);
            let ln = Context::<HalfEven>::new(self.bits + 8).ln(&two, None);
            ln.map_or(IBig::ZERO, |ln| self.enter(ln.value().repr()))
        })
    }

    fn enter(&self, x: &Repr<2>) -> IBig {
        let shift = x.exponent().saturating_add_unsigned(self.bits);
        let places = shift.unsigned_abs();
        if shift >= 0 { x.significand() << places } else { x.significand() >> places }
    }

    fn leave(&self, x: IBig, power: isize) -> Repr<2> {
        Repr::new(x, power.saturating_sub_unsigned(self.bits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::big::Big;

    /// Both, in units of 2^−bits of the crate's.
    fn apart(got: Repr<2>, right: Repr<2>, bits: i32) -> f64 {
        let right = Big::of(right);
        Big::of(got).distance(&right).ratio(&right.abs()) * 2.0_f64.powi(bits)
    }

    #[test]
    fn they_are_the_crates() {
        for bits in [64, 256, 1000] {
            let (fixed, wide) = (Fixed::new(bits), Context::<HalfEven>::new(bits + 80));
            let unit = i32::try_from(bits).unwrap();
            let mut done = 0;
            for step in 0..400_u64 {
                let random = step.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                // Magnitudes from 2⁻³⁴ to 2²², and 1 with a difference of those.
                let exponent = i32::try_from(step % 57).unwrap() - 34;
                let x = (1.0 + (random >> 12) as f64 / 2.0_f64.powi(52)) * 2.0_f64.powi(exponent);
                for x in [x, -x, 1.0 + x, 1.0 - x, 1.0 / x] {
                    let Big::Finite(x) = Big::from(x) else { continue };
                    if let Some(got) = fixed.exp(&x) {
                        let right = wide.exp(&x.0, None).unwrap().value().into_repr();
                        assert!(apart(got, right, unit) < 2.0_f64.powi(-40), "e^{x:?}");
                        done += 1;
                    }
                    if x.0.sign() == dashu_base::Sign::Negative || x.is_zero() {
                        continue;
                    }
                    if let Some(got) = fixed.ln(&x) {
                        let right = wide.ln(&x.0, None).unwrap().value().into_repr();
                        assert!(apart(got, right, unit) < 2.0_f64.powi(-40), "ln {x:?}");
                        done += 1;
                    }
                }
            }
            assert!(done > 2000, "{done}");
        }
    }
}
