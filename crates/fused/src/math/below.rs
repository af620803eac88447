//! e^(a − b) where b is the largest of many a: what depends on b alone is computed once.

use super::format::Format;
use super::functions::{expm1_parts, fast_sum, reduce};

/// The largest b of some numbers, and what the exponentials of those less b need of it.
///
/// With b = −k ln 2 − s, e^(a − b) is eˢ · eᵃ · 2ᵏ: no difference is rounded, and none is corrected for every a.
#[derive(Clone, Copy, Debug)]
pub struct Below<F> {
    largest: F,
    /// Taken off a and b first: b where that is large, since a − b is exact then, else 0.
    far: F,
    /// `ROUND` + k + `LIFTED`
    shift: F,
    /// eˢ, and what its logarithm is more.
    scale: F,
    low: F,
    /// 2 to the minus `LIFTED`; NaN where b is NaN.
    down: F,
}

/// How many numbers that is.
pub(crate) const PARTS: usize = 6;

impl<F: Copy> Below<F> {
    /// What it is made of, so that those of many rows can stand side by side.
    #[inline(always)]
    pub(crate) fn parts(self) -> [F; PARTS] {
        let Self { largest, far, shift, scale, low, down } = self;
        [largest, far, shift, scale, low, down]
    }

    #[inline(always)]
    pub(crate) fn of([largest, far, shift, scale, low, down]: [F; PARTS]) -> Self {
        Self { largest, far, shift, scale, low, down }
    }
}

#[inline(always)]
pub(super) fn below<F: Format>(largest: F) -> Below<F> {
    let size = largest.abs();
    let far = F::select(size < F::FAR, F::ZERO, largest);
    let far = F::select(size < F::INFINITY, far, F::ZERO);
    let ((t, t_low), k) = expm1_parts(far - largest);
    let (scale, error) = fast_sum(F::ONE, t);
    let low = (error + t_low) / scale;
    let down = largest.mul_add(F::ZERO, F::LOWERED);
    Below { largest, far, shift: k + F::LIFTED, scale, low, down }
}

#[inline(always)]
pub(super) fn exp_below<F: Format>(a: F, b: Below<F>) -> F {
    let Below { largest, far, shift, scale, low, down } = b;
    let (near, x) = (largest - far, a - far);
    // As in `unless_gone`: nothing is computed through subnormal numbers.
    let gone = x <= near + F::EXP_LOW;
    let (k, r, r_low) = reduce(F::select(gone, near, x), low, shift);
    let rounded = r + r_low;
    let over = (rounded * rounded).mul_add(F::exp_tail(rounded), r_low);
    let p = scale + r.mul_add(scale, over * scale);
    let value = F::select(gone, F::ZERO, F::times_power(p, k) * down);
    F::select(a == largest, F::ONE, value)
}
