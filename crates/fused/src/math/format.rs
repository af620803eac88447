//! What differs between the two formats: constants, polynomials and the layout of the bits.

use super::Lane;

/// The constants, polynomials and bit tricks of a format that the functions are written on.
pub(super) trait Format: Lane {
    /// log₂ e
    const LOG2_E: Self;
    /// ln 2 to so few bits that its product with an exponent is exact.
    const LN2_HIGH: Self;
    /// ln 2 − `LN2_HIGH`
    const LN2_LOW: Self;
    /// Added to a small number it leaves the nearest integer in the lowest bits: 1.5 · 2^(digits − 1).
    const ROUND: Self;
    /// How many powers of two lift the smallest of exponentials to a normal number, and 2 to the minus that.
    const LIFTED: Self;
    const LOWERED: Self;
    /// A number from which on a − b is exact wherever e^(a − b) is neither 0 nor ∞.
    const FAR: Self;
    /// Below it eˣ is 0.
    const EXP_LOW: Self;
    /// Above it eˣ is ∞.
    const EXP_HIGH: Self;
    /// Below it eˣ − 1 is −1.
    const EXPM1_LOW: Self;
    /// The smallest normal number.
    const TINY: Self;
    /// A number beside which 1 is nothing.
    const HUGE: Self;
    /// A power of two that makes any subnormal number normal, and its logarithm.
    const LIFT: (Self, Self);
    /// √2 − 1
    const SQRT2_M1: Self;
    /// ½
    const HALF: Self;

    /// (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2.
    fn exp_tail(r: Self) -> Self;
    /// ln(1 + f) − f + low for √½ ≤ 1 + f ≤ √2.
    fn ln_tail(f: Self, low: Self) -> Self;
    /// Two powers of two whose product is 2ᵏ, from `ROUND` + k: one alone would overflow.
    fn powers(k: Self) -> [Self; 2];
    /// p · 2ᵏ, both a normal number, from `ROUND` + k.
    fn times_power(p: Self, k: Self) -> Self;
    /// 1/p for a power of two.
    fn reciprocal(p: Self) -> Self;
    /// k and m with x = 2ᵏ · m and √½ ≤ m < √2, for a positive normal x.
    fn split(x: Self) -> (Self, Self);
    /// |x| with the sign of `sign`.
    fn copysign(self, sign: Self) -> Self;
}

/// The polynomial with these coefficients, the highest power first.
macro_rules! horner {
    ($x:expr; $first:literal $(, $next:literal)*) => {{
        let p = $first;
        $(let p = p.mul_add($x, $next);)*
        p
    }};
}

macro_rules! layout {
    ($float:ident, $bits:ident) => {
        const TINY: Self = $float::MIN_POSITIVE;
        const HALF: Self = 0.5;
        const ROUND: Self = 1.5 * (1_u64 << ($float::MANTISSA_DIGITS - 1)) as Self;
        const LIFTED: Self = 64.0;
        const LOWERED: Self = 1.0 / (1_u128 << 64) as Self;

        #[inline(always)]
        fn powers(k: Self) -> [Self; 2] {
            const FRACTION: u32 = $float::MANTISSA_DIGITS - 1;
            const ONES: $bits = (1.0 as $float).to_bits() >> FRACTION << 1;
            const SHIFT: $bits = ($float::ROUND).to_bits() - ONES;
            let both = k.to_bits().wrapping_sub(SHIFT);
            let one = both >> 1;
            [one, both.wrapping_sub(one)].map(|n| Self::from_bits(n << FRACTION))
        }

        #[inline(always)]
        fn times_power(p: Self, k: Self) -> Self {
            const FRACTION: u32 = $float::MANTISSA_DIGITS - 1;
            Self::from_bits(p.to_bits().wrapping_add(k.to_bits() << FRACTION))
        }

        #[inline(always)]
        fn reciprocal(p: Self) -> Self {
            Self::from_bits(((1.0 as $float).to_bits() << 1).wrapping_sub(p.to_bits()))
        }

        #[inline(always)]
        fn split(x: Self) -> (Self, Self) {
            const FRACTION: u32 = $float::MANTISSA_DIGITS - 1;
            const ONE: $bits = (1.0 as $float).to_bits();
            const MOVE: $bits = ONE - std::$float::consts::FRAC_1_SQRT_2.to_bits();
            // With √½ moved to a power of two, the exponent's bits are k plus the bias.
            let k = x.to_bits().wrapping_add(MOVE) >> FRACTION;
            let m = x.to_bits().wrapping_sub(k << FRACTION).wrapping_add(ONE);
            let offset = $float::ROUND + (ONE >> FRACTION) as Self;
            (Self::from_bits(k | $float::ROUND.to_bits()) - offset, Self::from_bits(m))
        }

        #[inline(always)]
        fn copysign(self, sign: Self) -> Self {
            $float::copysign(self, sign)
        }
    };
}

impl Format for f32 {
    const LOG2_E: Self = std::f32::consts::LOG2_E;
    const LN2_HIGH: Self = 0.693_145_75;
    const LN2_LOW: Self = 1.428_606_8e-6;
    const FAR: Self = 256.0;
    const EXP_LOW: Self = -104.0;
    const EXP_HIGH: Self = 89.0;
    const EXPM1_LOW: Self = -30.0;
    const SQRT2_M1: Self = 0.41421357;
    const HUGE: Self = (1_u64 << 60) as Self;
    const LIFT: (Self, Self) = ((1_u64 << 63) as Self, 63.0);

    layout!(f32, u32);

    #[inline(always)]
    fn exp_tail(r: Self) -> Self {
        horner!(r; 0.00019912171_f32, 0.0013938316, 0.008333277, 0.0416664, 0.16666667, 0.5)
    }

    #[inline(always)]
    fn ln_tail(f: Self, low: Self) -> Self {
        let p = horner!(f; 0.06926518_f32, -0.117716506, 0.11857441, -0.12386749, 0.14221354, -0.16669181, 0.20002069, -0.24999987, 0.33333313, -0.5);
        (f * f).mul_add(p, low)
    }
}

impl Format for f64 {
    const LOG2_E: Self = std::f64::consts::LOG2_E;
    const LN2_HIGH: Self = 0.693_147_180_559_890_3;
    const LN2_LOW: Self = 5.497_923_018_708_371e-14;
    const FAR: Self = 2048.0;
    const EXP_LOW: Self = -746.0;
    const EXP_HIGH: Self = 710.0;
    const EXPM1_LOW: Self = -45.0;
    const SQRT2_M1: Self = 0.41421356237309503;
    const HUGE: Self = (1_u64 << 63) as Self;
    const LIFT: (Self, Self) = ((1_u64 << 63) as Self, 63.0);

    layout!(f64, u64);

    #[inline(always)]
    fn exp_tail(r: Self) -> Self {
        horner!(r; 2.5112776564839983e-08_f64, 2.762369521987412e-07, 2.755723370837327e-06, 2.4801512006667378e-05,
            0.00019841269896086176, 0.0013888888924958617, 0.008333333333318056, 0.04166666666660182,
            0.1666666666666668, 0.5000000000000002)
    }

    /// By ln(1 + f) = 2 artanh(f / (2 + f)): the polynomial in f alone would need 21 terms.
    #[inline(always)]
    fn ln_tail(f: Self, low: Self) -> Self {
        let s = f / (2.0 + f);
        let z = s * s;
        let half_square = 0.5 * f * f;
        let p = horner!(z; 0.1479210282543524_f64, 0.15314464242764014, 0.18183546722228394, 0.22222198947977478,
            0.2857142873824976, 0.3999999999943656, 0.6666666666666731);
        s.mul_add(z.mul_add(p, half_square), low - half_square)
    }
}
