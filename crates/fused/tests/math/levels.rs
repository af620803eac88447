//! The same bits at every level.

use super::Function;
use lossmith_fused::math::Lane;
use lossmith_fused::simd::{Level, Work};

enum Call<'a, T> {
    One(Function, &'a [T]),
    ExpSub(&'a [T]),
    ExpBelow(&'a [T]),
}

impl<T: Lane> Work for Call<'_, T> {
    type Output = Vec<T>;

    #[inline(always)]
    fn run(self) -> Vec<T> {
        match self {
            Self::One(function, x) => {
                let mut y = vec![T::ZERO; x.len()];
                function.apply(x, &mut y);
                y
            }
            Self::ExpSub(x) => x
                .iter()
                .zip(&x[1..])
                .map(
                    #[inline(always)]
                    |(a, b)| a.exp_sub(*b),
                )
                .collect(),
            Self::ExpBelow(x) => x
                .iter()
                .zip(&x[1..])
                .map(
                    #[inline(always)]
                    |(a, b)| a.exp_below(a.max(*b).below()),
                )
                .collect(),
        }
    }
}

/// The bits of each result, NaN as one of them: which NaN an operation gives is the processor's choice.
fn bits<T: Lane>(level: Level, call: Call<'_, T>) -> Vec<u64> {
    level.run(call).into_iter().map(|y| if y.is_nan() { 0 } else { y.to_f64().to_bits() }).collect()
}

fn check<T: Lane>(x: &[T]) {
    let mut levels = 0;
    for level in Level::available() {
        for function in Function::ALL {
            let want = bits(Level::Baseline, Call::One(function, x));
            let got = bits(level, Call::One(function, x));
            let differ = got.iter().zip(&want).position(|(a, b)| a != b);
            assert_eq!(differ.map(|i| x[i]), None, "{function:?} at {level}");
        }
        assert!(
            bits(level, Call::ExpSub(x)) == bits(Level::Baseline, Call::ExpSub(x)),
            "exp_sub at {level}"
        );
        assert!(
            bits(level, Call::ExpBelow(x)) == bits(Level::Baseline, Call::ExpBelow(x)),
            "exp_below at {level}"
        );
        levels += 1;
    }
    println!("{levels} levels, {} inputs", x.len());
}

#[test]
fn single() {
    let all = (0..=u32::MAX).step_by(65_521).map(f32::from_bits);
    let usual = (-20_000..20_000_i16).map(|i| f32::from(i) * 0.005_3);
    check(&all.chain(usual).collect::<Vec<_>>());
}

#[test]
fn double() {
    let all = (0..=u64::MAX).step_by(281_474_976_710_597).map(f64::from_bits);
    let usual = (-20_000..20_000_i16).map(|i| f64::from(i) * 0.037_3);
    check(&all.chain(usual).collect::<Vec<_>>());
}
