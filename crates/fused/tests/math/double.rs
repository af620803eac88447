//! `f64` against sums of two doubles, which hold twice the digits.

use super::{Function, one};
use lossmith_fused::math::Lane;
use std::ops::{Add, Mul, Neg};

/// A sum of two numbers, the second at most half a unit of the first's last place.
#[derive(Clone, Copy, Debug)]
struct Pair(f64, f64);

impl Pair {
    fn sum(a: f64, b: f64) -> Self {
        let sum = a + b;
        let part = sum - a;
        Self(sum, (a - (sum - part)) + (b - part))
    }

    fn product(a: f64, b: f64) -> Self {
        Self(a * b, a.mul_add(b, -(a * b)))
    }

    /// 1/x by a Newton step.
    fn reciprocal(self) -> Self {
        let y = Self(1.0 / self.0, 0.0);
        y + y * (Self(1.0, 0.0) + -(self * y))
    }

    /// eˣ − 1 and k, of eˣ = 2ᵏ · (1 + the first): a Taylor series after taking out k ln 2, to three doubles.
    fn expm1_parts(self) -> (Self, i32) {
        const LN2: [f64; 3] =
            [std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17, 5.707_708_438_416_212e-34];
        let k = (self.0 / LN2[0]).round();
        let r = LN2.iter().fold(self, |r, &part| r + -Self::product(k, part));
        let terms = (2..=28).rev().map(f64::from);
        let series = terms
            .fold(Self(1.0, 0.0), |sum, n| Self(1.0, 0.0) + r * sum * Self(n, 0.0).reciprocal());
        #[allow(clippy::cast_possible_truncation, reason = "a small whole number")]
        (r * series, k as i32)
    }

    /// eˣ − 1, where it is far from overflow.
    fn expm1(self) -> Self {
        let (t, k) = self.expm1_parts();
        let power = Self(2_f64.powi(k), 0.0);
        t * power + (power + Self(-1.0, 0.0))
    }

    /// ln(1 + x) from an approximation, by a Newton step.
    fn ln1p(self, near: f64) -> Self {
        let t = Self(-near, 0.0).expm1();
        Self(near, 0.0) + (self + (t + self * t))
    }
}

impl Add for Pair {
    type Output = Self;
    fn add(self, b: Self) -> Self {
        let (high, low) = (Self::sum(self.0, b.0), Self::sum(self.1, b.1));
        let first = Self::sum(high.0, high.1 + low.0);
        Self::sum(first.0, first.1 + low.1)
    }
}

impl Mul for Pair {
    type Output = Self;
    fn mul(self, b: Self) -> Self {
        let Self(high, low) = Self::product(self.0, b.0);
        Self::sum(high, low + (self.0 * b.1 + self.1 * b.0))
    }
}

impl Neg for Pair {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0, -self.1)
    }
}

/// The value of `function` as a number times 2ᵏ.
fn exact(function: Function, x: f64) -> (Pair, i32) {
    let pair = Pair(x, 0.0);
    let one = Pair(1.0, 0.0);
    let exp = |x: Pair| {
        let (t, k) = x.expm1_parts();
        (one + t, k)
    };
    match function {
        Function::Exp => exp(pair),
        Function::Tail => exp(Pair(-x.abs(), 0.0)),
        Function::Expm1 if x > 600.0 => exp(pair),
        Function::Expm1 => (pair.expm1(), 0),
        Function::Ln => {
            let (_, k) = Pair(x.ln(), 0.0).expm1_parts();
            let m = x * 2_f64.powi(-k / 2) * 2_f64.powi(-k - -k / 2);
            let ln = Pair(m - 1.0, 0.0).ln1p(m.ln());
            let ln2 = Pair(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
            (ln + ln2 * Pair(k.into(), 0.0), 0)
        }
        Function::Ln1p | Function::LogOfTail => (pair.ln1p(x.ln_1p()), 0),
        Function::Sigmoid | Function::Softplus => {
            let (m, k) = exp(Pair(-x.abs(), 0.0));
            let power = 2_f64.powi(k.max(-1000));
            let z = m * Pair(power, 0.0);
            let negative_tail = x < -300.0;
            match function {
                _ if negative_tail => (m, k),
                Function::Sigmoid => {
                    let y = (one + z).reciprocal();
                    (if x < 0.0 { y * z } else { y }, 0)
                }
                Function::Exp
                | Function::Expm1
                | Function::Ln
                | Function::Ln1p
                | Function::Tail
                | Function::LogOfTail
                | Function::Softplus => {
                    let tail = z.ln1p(z.0.ln_1p());
                    (if x > 0.0 { Pair(x, 0.0) + tail } else { tail }, 0)
                }
            }
        }
    }
}

/// How far `got` is from `m` · 2ᵏ in units of the last place there.
fn ulps(got: f64, (m, k): (Pair, i32)) -> f64 {
    let half = -k / 2;
    let [a, b] = [half, -k - half].map(|n| 2_f64.powi(n));
    let binade = f64::from_bits(m.0.abs().to_bits() >> 52 << 52);
    // The smallest step at this scale, where that is larger: subnormal results.
    let step = (binade * f64::EPSILON).max(f64::from_bits(1) * a * b);
    ((got * a * b - m.0) - m.1).abs() / step
}

/// Inputs where each function is neither a limit nor its argument: dense where it bends and at both ends.
fn inputs(function: Function) -> Vec<f64> {
    let ends: &[(f64, f64)] = match function {
        Function::Exp => {
            &[(-745.1, 709.7), (-1.0, 1.0), (-745.1, -707.0), (709.0, 709.78), (-1e-9, 1e-9)]
        }
        Function::Expm1 => &[(-40.0, 709.7), (-1.0, 1.0), (-0.4, 0.4), (20.0, 60.0), (-1e-9, 1e-9)],
        Function::Ln => &[(1e-3, 10.0), (0.9, 1.1), (0.5, 2.0), (1e-310, 1e-307), (1e300, 1.7e308)],
        Function::Ln1p => &[(-0.999, 10.0), (-0.4, 0.5), (-1e-9, 1e-9), (0.3, 1.0), (1e8, 1e16)],
        Function::Sigmoid => &[(-745.0, 40.0), (-3.0, 3.0), (-745.0, -707.0), (-40.0, 0.0)],
        Function::Softplus => &[(-745.0, 800.0), (-3.0, 3.0), (-745.0, -707.0), (-40.0, 0.0)],
        Function::Tail => &[(-745.1, 745.1), (-1.0, 1.0), (-745.1, -707.0), (-1e-9, 1e-9)],
        Function::LogOfTail => &[(0.0, 1.0), (0.0, 1e-9), (0.41, 0.42), (1e-310, 1e-307)],
    };
    const STEPS: u16 = 9_973;
    let steps = |&(low, high): &(f64, f64)| {
        (0..=STEPS).map(move |i| low + (high - low) * f64::from(i) / f64::from(STEPS))
    };
    ends.iter().flat_map(steps).filter(|&x| x != 0.0).collect()
}

#[test]
fn sample() {
    for function in Function::ALL {
        let error = |x: f64| (ulps(one(function, x), exact(function, x)), x);
        let inputs = inputs(function);
        let count = inputs.len();
        let worst =
            inputs.into_iter().map(error).fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a });
        println!("{function:?}: {:.4} ULP at {:e} of {count} inputs", worst.0, worst.1);
        assert!(worst.0 <= 1.0, "{function:?}({:e}): {} ULP", worst.1, worst.0);
    }
}

#[test]
fn exp_of_differences() {
    let mut worst = [(0.0, 0.0, 0.0); 2];
    for i in 0..200_000 {
        let b = f64::from(i).sin() * 10_f64.powi(i % 12 - 2);
        let a = b + (f64::from(i) * 1.7).sin() * 10_f64.powi(i % 5 - 2);
        let exact = |a: f64, b: f64| {
            let (t, k) = Pair::sum(a, -b).expm1_parts();
            (Pair(1.0, 0.0) + t, k)
        };
        let (low, high) = (a.min(b), a.max(b));
        let errors = [
            (ulps(a.exp_sub(b), exact(a, b)), a, b),
            (ulps(low.exp_below(high.below()), exact(low, high)), low, high),
        ];
        for (worst, error) in worst.iter_mut().zip(errors) {
            *worst = if error.0 > worst.0 { error } else { *worst };
        }
    }
    for (name, (error, a, b)) in ["exp_sub", "exp_below"].into_iter().zip(worst) {
        println!("{name}: {error:.4} ULP at ({a:e}, {b:e})");
        assert!(error <= 1.0, "{name}({a:e}, {b:e}): {error} ULP");
    }
}
