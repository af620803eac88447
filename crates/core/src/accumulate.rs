//! The shared accumulation routine: every CPU backend reduces through it, so that sums agree to the last bit.
//!
//! A sum takes fixed blocks of [`BLOCK`] elements, [`LANES`] running `f64` sums inside a block, one partial a
//! block and the partials in order: the error does not grow with the length as a plain sum's does, and the bits
//! do not depend on the machine.

use crate::op::Reduce;
use crate::scalar;

/// Elements a block.
pub const BLOCK: usize = 4096;
/// Running sums in a block.
pub const LANES: usize = 32;

/// The reduction of the values, in the order given: what a sum or a maximum along an axis, or of everything, is.
pub fn reduce(op: Reduce, values: impl IntoIterator<Item = f64>) -> f64 {
    match op {
        Reduce::Sum => sum(values),
        Reduce::Max => values.into_iter().fold(f64::NEG_INFINITY, scalar::max),
    }
}

fn sum(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter();
    let mut total = 0.0;
    loop {
        let mut lanes = [0.0; LANES];
        let mut taken = 0;
        for value in values.by_ref().take(BLOCK) {
            lanes[taken % LANES] += value;
            taken += 1;
        }
        // Halving folds the lanes as a fixed tree.
        let mut width = LANES / 2;
        while width > 0 {
            for lane in 0..width {
                lanes[lane] += lanes[lane + width];
            }
            width /= 2;
        }
        total += lanes[0];
        if taken < BLOCK {
            return total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mean_of_two_to_the_25_ones_is_one() {
        let n = 1 << 25;
        let total = reduce(Reduce::Sum, std::iter::repeat_n(1.0_f32, n).map(f64::from));
        assert_eq!(total / f64::from(1 << 25), 1.0);
    }

    #[test]
    fn max_keeps_nan_wherever_it_stands() {
        for row in [[f64::NAN, 1.0, 2.0], [1.0, f64::NAN, 2.0], [1.0, 2.0, f64::NAN]] {
            assert!(reduce(Reduce::Max, row).is_nan());
        }
        assert_eq!(reduce(Reduce::Max, []), f64::NEG_INFINITY);
    }

    #[test]
    fn infinities_of_both_signs_give_nan_and_one_stays() {
        assert!(reduce(Reduce::Sum, [f64::INFINITY, f64::NEG_INFINITY]).is_nan());
        assert_eq!(reduce(Reduce::Sum, [f64::INFINITY, 1.0]), f64::INFINITY);
    }
}
