//! What a loss may be multiplied by, so that a format holds its gradients.

use lossmith_core::Format;
use lossmith_exact::Big;

/// A power of two that a loss is multiplied by, and its gradients divided by once they are in more bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The power.
    pub exponent: i32,
    /// How many gradients are 0 in the format all the same.
    pub below: usize,
}

/// The loss scale at which the format holds most of these gradients: the smallest at which all are normal numbers, or
/// else the largest at which none is beyond half the largest number. None where it holds all of them as they are, or
/// where no scale helps.
#[must_use]
pub fn scale(grads: &[&Big], format: Format) -> Option<Scale> {
    let beyond = grads.iter().any(|x| x.is_finite() && x.round(format).is_infinite());
    let below = below(grads, format, 0);
    let exponents = grads.iter().filter_map(|x| x.exponent());
    let exponents = exponents.filter_map(|exponent| i32::try_from(exponent).ok());
    let (least, most) = (exponents.clone().min()?, exponents.max()?);
    // A number's spacing is so far below it.
    let digits = -format.spacing(0);
    let normal = format.spacing(i32::MIN) + digits - least;
    let highest = i32::try_from(Big::from(format.huge()).exponent()?).ok()? - 1 - most;
    let exponent = if beyond { highest } else { normal.min(highest) };
    let scale = Scale { exponent, below: self::below(grads, format, exponent) };
    let helps = if beyond { scale.below <= below } else { scale.below < below };
    helps.then_some(scale)
}

/// How many, none of them 0, the format has as 0 when they are multiplied by 2ⁿ.
fn below(grads: &[&Big], format: Format, n: i32) -> usize {
    // Half the smallest number is a tie, and even at 0.
    let half = Big::power_of_two(format.spacing(i32::MIN) - 1 - n);
    grads.iter().filter(|x| x.is_finite() && !x.is_zero() && x.abs() <= half).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(grads: &[f64], format: Format) -> Option<(i32, usize)> {
        let grads: Vec<_> = grads.iter().map(|&x| Big::from(x)).collect();
        let scale = scale(&grads.iter().collect::<Vec<_>>(), format)?;
        Some((scale.exponent, scale.below))
    }

    #[test]
    fn small_gradients_are_lifted_to_normal_numbers() {
        // 2⁻³⁰ is below half of f16's smallest number, 2⁻²⁴, and its smallest normal one is 2⁻¹⁴.
        assert_eq!(of(&[2.0_f64.powi(-30), 0.0, -0.25], Format::F16), Some((16, 0)));
        assert_eq!(of(&[2.0_f64.powi(-30), 1.0], Format::F16), Some((14, 0)));
        assert_eq!(of(&[2.0_f64.powi(-30)], Format::BF16), None);
        // Both ends at once are more than it has.
        assert_eq!(of(&[2.0_f64.powi(-60), 2.0_f64.powi(-30), 1.0], Format::F16), Some((14, 1)));
    }

    #[test]
    fn half_the_smallest_number_is_0_and_more_is_not() {
        let half = 2.0_f64.powi(-25);
        assert_eq!(of(&[half, 1.0], Format::F16), Some((11, 0)));
        assert_eq!(of(&[half * 1.001, 1.0], Format::F16), None);
    }

    #[test]
    fn large_gradients_are_brought_down() {
        assert_eq!(of(&[1e6, 1.0], Format::F16), Some((-5, 0)));
        assert_eq!(of(&[65504.0, 1.0], Format::F16), None);
        // Where that takes others to 0, it is no help.
        assert_eq!(of(&[1e6, 2.0_f64.powi(-24)], Format::F16), None);
        assert_eq!(of(&[f64::INFINITY, 1.0], Format::F16), None);
        assert_eq!(of(&[], Format::F16), None);
    }
}
