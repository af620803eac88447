//! `f32` against double precision.

use super::{Function, one};
use lossmith_fused::math::Lane;
use lossmith_fused::simd::{Level, Work};
use rayon::prelude::*;

/// How far `got` is from `want` in units of the last place at `want`; infinite where only one is NaN or infinite.
fn ulps(got: f32, want: f64) -> f64 {
    if got.is_nan() || want.is_nan() {
        return if got.is_nan() && want.is_nan() { 0.0 } else { f64::INFINITY };
    }
    let rounded = f32::from_f64(want);
    if rounded.is_infinite() || got.is_infinite() {
        return if rounded == got { 0.0 } else { f64::INFINITY };
    }
    let binade = f64::from_bits(want.abs().to_bits() >> 52 << 52).max(f32::MIN_POSITIVE.into());
    (f64::from(got) - want).abs() / (binade * f64::from(f32::EPSILON))
}

/// The worst error over these bit patterns, and where.
fn worst(function: Function, level: Level, bits: impl Iterator<Item = u32>) -> (f64, f32) {
    struct Apply<'a>(Function, &'a [f32], &'a mut [f32]);
    impl Work for Apply<'_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            self.0.apply(self.1, self.2);
        }
    }
    let x: Vec<f32> = bits.map(f32::from_bits).collect();
    let mut y = vec![0.0; x.len()];
    level.run(Apply(function, &x, &mut y));
    let error = |(&x, &y): (&f32, &f32)| (ulps(y, function.standard(x.into())), x);
    x.iter().zip(&y).map(error).fold((0.0, 0.0), |a, b| if b.0 > a.0 { b } else { a })
}

#[test]
fn sample() {
    for function in Function::ALL {
        let (error, x) = worst(function, Level::detect(), (0..=u32::MAX).step_by(4093));
        println!("{function:?}: {error:.4} ULP at {x:e}");
        assert!(error <= 1.0, "{function:?}({x:e}): {error} ULP");
    }
}

#[test]
#[ignore = "all 2³² inputs of eight functions take minutes; in release"]
fn every_input() {
    for function in Function::ALL {
        let chunk =
            |high: u32| worst(function, Level::detect(), (0..1 << 16).map(|low| high << 16 | low));
        let larger = |a: (f64, f32), b: (f64, f32)| if b.0 > a.0 { b } else { a };
        let (error, x) = (0..1_u32 << 16).into_par_iter().map(chunk).reduce(|| (0.0, 0.0), larger);
        println!("{function:?}: {error:.4} ULP at {x:e}");
        assert!(error <= 1.0, "{function:?}({x:e}): {error} ULP");
    }
}

/// The worst error of an exponential of a difference over random pairs, the first below the second if `ordered`.
fn worst_of_pairs(ordered: bool, f: impl Fn(f32, f32) -> f32) -> (f64, f32, f32) {
    let mut state = 1_u64;
    let mut random = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / 2_f64.powi(53)
    };
    let mut worst = (0.0, 0.0, 0.0);
    for scale in [1e-3, 0.3, 1.0, 30.0, 500.0, 1e3, 1e6, 1e9] {
        for _ in 0..200_000 {
            let b = f32::from_f64((random() - 0.5) * scale);
            let a = f32::from_f64(f64::from(b) + (random() - 0.6) * 200.0 * random());
            let (a, b) = if ordered && a > b { (b, a) } else { (a, b) };
            let error = ulps(f(a, b), (f64::from(a) - f64::from(b)).exp());
            worst = if error > worst.0 { (error, a, b) } else { worst };
        }
    }
    worst
}

#[test]
fn exp_of_differences() {
    let below = |a: f32, b: f32| a.exp_below(b.below());
    let all = [
        ("exp_sub", worst_of_pairs(false, Lane::exp_sub)),
        ("exp_below", worst_of_pairs(true, below)),
    ];
    for (name, (error, a, b)) in all {
        println!("{name}: {error:.4} ULP at ({a:e}, {b:e})");
        assert!(error <= 1.0, "{name}({a:e}, {b:e}): {error} ULP");
    }
}

#[test]
fn one_and_many_agree() {
    let x = [0.3_f32; 40];
    let mut y = x;
    Function::Softplus.apply(&x, &mut y);
    assert_eq!(y, [one(Function::Softplus, x[0]); 40]);
}
