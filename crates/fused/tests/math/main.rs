//! The vector math: how far from exact, over what inputs, and the same bits at every level.

mod double;
mod levels;
mod single;

use lossmith_fused::math::Lane;

/// The functions of one argument by name.
#[derive(Clone, Copy, Debug)]
enum Function {
    Exp,
    Expm1,
    Ln,
    Ln1p,
    Sigmoid,
    Softplus,
    Tail,
    /// Of 0 outside [0, 1], where it is not defined.
    LogOfTail,
}

impl Function {
    const ALL: [Self; 8] = [
        Self::Exp,
        Self::Expm1,
        Self::Ln,
        Self::Ln1p,
        Self::Sigmoid,
        Self::Softplus,
        Self::Tail,
        Self::LogOfTail,
    ];

    #[inline(always)]
    fn apply<T: Lane>(self, x: &[T], y: &mut [T]) {
        #[inline(always)]
        fn map<T: Lane>(x: &[T], y: &mut [T], f: impl Fn(T) -> T) {
            for (x, y) in x.iter().zip(y) {
                *y = f(*x);
            }
        }
        match self {
            Self::Exp => map(
                x,
                y,
                #[inline(always)]
                |x| x.exp(),
            ),
            Self::Expm1 => map(
                x,
                y,
                #[inline(always)]
                |x| x.expm1(),
            ),
            Self::Ln => map(
                x,
                y,
                #[inline(always)]
                |x| x.ln(),
            ),
            Self::Ln1p => map(
                x,
                y,
                #[inline(always)]
                |x| x.ln1p(),
            ),
            Self::Sigmoid => map(
                x,
                y,
                #[inline(always)]
                |x| x.sigmoid(),
            ),
            Self::Softplus => map(
                x,
                y,
                #[inline(always)]
                |x| x.softplus(),
            ),
            Self::Tail => map(
                x,
                y,
                #[inline(always)]
                |x| x.tail(),
            ),
            Self::LogOfTail => map(
                x,
                y,
                #[inline(always)]
                |x| if x >= T::ZERO && x <= T::ONE { x } else { T::ZERO }.log_of_tail(),
            ),
        }
    }

    /// Its value by the standard library in double precision.
    fn standard(self, x: f64) -> f64 {
        match self {
            Self::Exp => x.exp(),
            Self::Expm1 => x.exp_m1(),
            Self::Ln => x.ln(),
            Self::Ln1p => x.ln_1p(),
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Softplus => {
                if x > 0.0 {
                    x + (-x).exp().ln_1p()
                } else {
                    x.exp().ln_1p()
                }
            }
            Self::Tail => (-x.abs()).exp(),
            Self::LogOfTail => if (0.0..=1.0).contains(&x) { x } else { 0.0 }.ln_1p(),
        }
    }
}

/// What `function` gives for one number.
fn one<T: Lane>(function: Function, x: T) -> T {
    let mut y = [x];
    function.apply(&[x], &mut y);
    y[0]
}

#[test]
fn limits() {
    const INF: f64 = f64::INFINITY;
    const NAN: f64 = f64::NAN;
    let rows = [
        (
            Function::Exp,
            [(-INF, 0.0), (-0.0, 1.0), (0.0, 1.0), (INF, INF), (1e300, INF), (-1e300, 0.0)],
        ),
        (
            Function::Expm1,
            [(-INF, -1.0), (-0.0, -0.0), (0.0, 0.0), (INF, INF), (1e300, INF), (-1e300, -1.0)],
        ),
        (
            Function::Ln,
            [(-INF, NAN), (-0.0, -INF), (0.0, -INF), (INF, INF), (-1e-30, NAN), (1.0, 0.0)],
        ),
        (
            Function::Ln1p,
            [(-INF, NAN), (-0.0, -0.0), (0.0, 0.0), (INF, INF), (-1.0, -INF), (-1.5, NAN)],
        ),
        (
            Function::Sigmoid,
            [(-INF, 0.0), (-0.0, 0.5), (0.0, 0.5), (INF, 1.0), (1e300, 1.0), (-1e300, 0.0)],
        ),
        (
            Function::Softplus,
            [(-INF, 0.0), (-1e300, 0.0), (INF, INF), (1e30, 1e30), (1e300, 1e300), (100.0, 100.0)],
        ),
        (
            Function::Tail,
            [(-INF, 0.0), (INF, 0.0), (0.0, 1.0), (-0.0, 1.0), (1e300, 0.0), (-1e300, 0.0)],
        ),
    ];
    for (function, cases) in rows {
        for (x, want) in cases.into_iter().chain([(NAN, NAN), (-NAN, NAN)]) {
            let same = |got: f64, want: f64| {
                got.to_bits() == want.to_bits() || got.is_nan() && want.is_nan()
            };
            let got = one(function, x);
            assert!(same(got, want), "{function:?}({x}_f64) = {got}, not {want}");
            let (x, want) = (f32::from_f64(x), f32::from_f64(want));
            let got = one(function, x);
            assert!(same(got.into(), want.into()), "{function:?}({x}_f32) = {got}, not {want}");
        }
    }
}

#[test]
fn limits_of_exp_of_differences() {
    fn check<T: Lane>(huge: T) {
        let (inf, one, zero, nan) = (T::INFINITY, T::ONE, T::ZERO, T::NAN);
        let rows = [
            (inf, inf, one),
            (-inf, -inf, one),
            (inf, -inf, inf),
            (-inf, inf, zero),
            (zero, inf, zero),
            (zero, -inf, inf),
            (-inf, huge, zero),
            (huge, -huge, inf),
            (-huge, huge, zero),
            (huge, huge, one),
            (zero, -zero, one),
            (huge, zero, inf),
            (zero, huge, zero),
        ];
        for (a, b, want) in rows {
            assert_eq!(a.exp_sub(b), want, "exp_sub({a:?}, {b:?})");
            if a <= b {
                assert_eq!(a.exp_below(b.below()), want, "exp_below({a:?}, {b:?})");
            }
        }
        for a in [zero, one, -inf, huge, inf, nan] {
            assert!(a.exp_below(nan.below()).is_nan(), "exp_below({a:?}, NaN)");
        }
        for (a, b) in [(nan, one), (one, nan), (nan, inf), (-inf, nan), (nan, nan), (nan, huge)] {
            assert!(a.exp_sub(b).is_nan(), "exp_sub({a:?}, {b:?})");
        }
    }
    check(f32::MAX);
    check(f64::MAX);
}

#[test]
fn selects() {
    assert_eq!([-2.0, -0.0, 0.0, 3.0].map(|x: f32| x.sign()), [-1.0, 0.0, 0.0, 1.0]);
    assert!(f64::NAN.sign().is_nan());
    assert_eq!(Lane::max(1.0_f32, 2.0), 2.0);
    assert!(Lane::max(f64::NAN, 2.0).is_nan() && Lane::max(2.0, f64::NAN).is_nan());
    assert_eq!(0.0_f32.weigh(f32::NAN), 0.0);
    assert_eq!(2.0_f64.weigh(f64::INFINITY), f64::INFINITY);
}
