//! The functions, once for both formats.
//!
//! A sum that would lose what the result needs keeps its rounding error beside it, as a second number `low`.

use super::format::Format;

/// a + b and its rounding error, where |a| ≥ |b| or a = 0.
#[inline(always)]
pub(super) fn fast_sum<F: Format>(a: F, b: F) -> (F, F) {
    let sum = a + b;
    (sum, b - (sum - a))
}

/// a + b and its rounding error.
#[inline(always)]
fn two_sum<F: Format>(a: F, b: F) -> (F, F) {
    let sum = a + b;
    let b_part = sum - a;
    (sum, (a - (sum - b_part)) + (b - b_part))
}

/// x within [low, high], NaN where it is NaN.
#[inline(always)]
fn clamp<F: Format>(x: F, low: F, high: F) -> F {
    let x = F::select(low > x, low, x);
    F::select(high < x, high, x)
}

/// `shift` + k and r with x + low = k ln 2 + r, |r| ≤ ½ ln 2; r as a sum of two, the first part exact. The shift is
/// `ROUND` and a small integer.
#[inline(always)]
pub(super) fn reduce<F: Format>(x: F, low: F, shift: F) -> (F, F, F) {
    let shifted = x.mul_add(F::LOG2_E, shift);
    let k = shifted - shift;
    (shifted, k.mul_add(-F::LN2_HIGH, x), k.mul_add(-F::LN2_LOW, low))
}

/// p and `shift` + k with e^(x + low) = p · 2ᵏ, for x within its bounds and |low| far below 1.
#[inline(always)]
fn exp_parts<F: Format>(x: F, low: F, shift: F) -> (F, F) {
    let (k, r, r_low) = reduce(x, low, shift);
    let rounded = r + r_low;
    let p = F::ONE + (r + (rounded * rounded).mul_add(F::exp_tail(rounded), r_low));
    (p, k)
}

/// e^(x + low), for x within its bounds and |low| far below 1.
#[inline(always)]
fn exp_of_sum<F: Format>(x: F, low: F) -> F {
    let (p, k) = exp_parts(x, low, F::ROUND);
    let [a, b] = F::powers(k);
    p * a * b
}

/// eʳ − 1 as two numbers and `ROUND` + k, with eˣ = eʳ · 2ᵏ.
#[inline(always)]
pub(super) fn expm1_parts<F: Format>(x: F) -> ((F, F), F) {
    let (k, r, r_low) = reduce(x, F::ZERO, F::ROUND);
    let (r, r_low) = fast_sum(r, r_low);
    let (t, t_low) = fast_sum(r, r * r * F::exp_tail(r));
    ((t, r_low.mul_add(t, t_low + r_low)), k)
}

/// e^−|x| as a sum of two before the two powers of two are multiplied in.
#[inline(always)]
fn exp_of_minus<F: Format>(x: F) -> ((F, F), [F; 2]) {
    let ((t, t_low), k) = expm1_parts(clamp(-x.abs(), F::EXP_LOW, F::ZERO));
    let (p, p_low) = fast_sum(F::ONE, t);
    ((p, p_low + t_low), F::powers(k))
}

/// eˣ by `of`, but 0 where it is: that is not computed through subnormal numbers, which take a hundred times as long and are
/// common where classes are masked by −∞.
#[inline(always)]
fn unless_gone<F: Format>(x: F, of: impl Fn(F) -> F) -> F {
    let gone = x <= F::EXP_LOW;
    F::select(gone, F::ZERO, of(F::select(gone, F::ZERO, x)))
}

#[inline(always)]
pub(super) fn exp<F: Format>(x: F) -> F {
    let of = |x| exp_of_sum(F::select(F::EXP_HIGH < x, F::EXP_HIGH, x), F::ZERO);
    unless_gone(x, of)
}

#[inline(always)]
pub(super) fn tail<F: Format>(x: F) -> F {
    let of = |x| {
        let (p, k) = exp_parts(x, F::ZERO, F::ROUND + F::LIFTED);
        // The bits of a NaN do not stay one.
        F::times_power(p, k) * x.mul_add(F::ZERO, F::LOWERED)
    };
    unless_gone(-x.abs(), of)
}

#[inline(always)]
pub(super) fn log_of_tail<F: Format>(x: F) -> F {
    let upper = x > F::SQRT2_M1;
    let pick = |then| F::select(upper, then, F::ZERO);
    let s = F::select(upper, F::HALF, F::ONE);
    let (f, low) = fast_sum(s - F::ONE, x * s);
    let (sum, sum_low) = fast_sum(pick(F::LN2_HIGH), f);
    sum + (sum_low + F::ln_tail(f, low.mul_add(-f, low) + pick(F::LN2_LOW)))
}

#[inline(always)]
pub(super) fn exp_sub<F: Format>(a: F, b: F) -> F {
    let (difference, low) = two_sum(a, -b);
    // Of an infinite difference the rounding error is NaN; what it gives is not looked at.
    let value = unless_gone(difference, |x| exp_of_sum(x, low));
    let value = F::select(difference > F::EXP_HIGH, F::INFINITY, value);
    F::select(a == b, F::ONE, value)
}

#[inline(always)]
pub(super) fn expm1<F: Format>(x: F) -> F {
    let ((t, t_low), k) = expm1_parts(clamp(x, F::EXPM1_LOW, F::EXP_HIGH));
    let [a, b] = F::powers(k);
    let (one_less, minus_low) = fast_sum(a, -F::reciprocal(b));
    let (sum, low) = fast_sum(one_less, a * t);
    ((a.mul_add(t_low, low + minus_low) + sum) * b).copysign(x)
}

/// ln(2ᵏ · (1 + f)) + low
#[inline(always)]
fn ln_of_product<F: Format>(k: F, f: F, low: F) -> F {
    let (sum, sum_low) = fast_sum(k * F::LN2_HIGH, f);
    sum + (sum_low + F::ln_tail(f, k.mul_add(F::LN2_LOW, low)))
}

/// `value`, but the limits of a logarithm of `x` where that is ≤ 0, ∞ or NaN.
#[inline(always)]
fn ln_limits<F: Format>(x: F, value: F) -> F {
    let value = F::select(x < F::INFINITY, value, x);
    let value = F::select(x == F::ZERO, -F::INFINITY, value);
    F::select(x < F::ZERO, F::NAN, value)
}

#[inline(always)]
pub(super) fn ln<F: Format>(x: F) -> F {
    let (lift, lift_k) = F::LIFT;
    let subnormal = x < F::TINY;
    let (k, m) = F::split(F::select(subnormal, x * lift, x));
    let k = k - F::select(subnormal, lift_k, F::ZERO);
    ln_limits(x, ln_of_product(k, m - F::ONE, F::ZERO))
}

#[inline(always)]
pub(super) fn ln1p<F: Format>(x: F) -> F {
    let (lift, lift_k) = F::LIFT;
    let huge = x > F::HUGE;
    let one = F::select(huge, F::ZERO, F::ONE);
    let y = F::select(huge, x * F::reciprocal(lift), x);
    let (k, m) = F::split(y + one);
    let _ = m;
    // 1 + f = 2⁻ᵏ · (one + y), with the rounding error that `one + y` has.
    let [a, b] = F::powers(F::ROUND - k);
    let s = a * b;
    let (f, low) = fast_sum(s.mul_add(one, -F::ONE), y * s);
    let k = k + F::select(huge, lift_k, F::ZERO);
    ln_limits(x + F::ONE, ln_of_product(k, f, low.mul_add(-f, low))).copysign(x)
}

#[inline(always)]
pub(super) fn sigmoid<F: Format>(x: F) -> F {
    let ((p, p_low), [a, b]) = exp_of_minus(x);
    let (sum, sum_low) = fast_sum(F::ONE, p * a * b);
    let sum_low = sum_low + p_low * a * b;
    let negative = x < F::ZERO;
    let pick = |then, otherwise| F::select(negative, then, otherwise);
    let (n, n_low) = (pick(p, F::ONE), pick(p_low, F::ZERO));
    let reciprocal = F::ONE / sum;
    let q = n * reciprocal;
    let rest = (-q).mul_add(sum, n) + (-q).mul_add(sum_low, n_low);
    rest.mul_add(reciprocal, q) * pick(a, F::ONE) * pick(b, F::ONE)
}

#[inline(always)]
pub(super) fn softplus<F: Format>(x: F) -> F {
    let ((p, p_low), [a, b]) = exp_of_minus(x);
    let (z, z_low) = (p * a * b, p_low * a * b);
    let upper = z > F::SQRT2_M1;
    let pick = |then| F::select(upper, then, F::ZERO);
    let s = F::select(upper, F::HALF, F::ONE);
    let (f, f_low) = fast_sum(s - F::ONE, z * s);
    let f_low = z_low.mul_add(s, f_low);
    let (ln, ln_low) = fast_sum(pick(F::LN2_HIGH), f);
    let positive = F::select(x > F::ZERO, x, F::ZERO);
    let (sum, sum_low) = two_sum(positive, ln);
    let low = F::ln_tail(f, f_low.mul_add(-f, f_low) + pick(F::LN2_LOW));
    F::select(positive < F::INFINITY, sum + (sum_low + (ln_low + low)), positive)
}
