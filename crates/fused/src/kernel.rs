//! The loops over slices, each compiled for every SIMD level.

use crate::chunk::{LANES, Sums, add_up, largest_of, tree};
use crate::math::{Lane, sigmoid_of, softplus_of};
use crate::simd::{Level, Work};
use lossmith_core::op::{Binary, Compare, Unary};

/// An argument of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a, F> {
    /// One each.
    Slice(&'a [F]),
    /// The same for all.
    Splat(F),
}

/// An element-wise function; a type of its own, so that it is compiled into the loop.
pub(crate) trait Function1<F> {
    fn of(x: F) -> F;
}
pub(crate) trait Function2<F> {
    fn of(a: F, b: F) -> F;
}
trait Condition<F> {
    fn holds(a: F, b: F) -> bool;
}

macro_rules! functions {
    ($trait:ident $method:ident $out:ty, $($name:ident($($x:ident),*) $body:expr;)*) => {$(
        pub(crate) struct $name;
        impl<F: Lane> $trait<F> for $name {
            #[inline(always)]
            fn $method($($x: F),*) -> $out {
                $body
            }
        }
    )*};
}

functions! { Function1 of F,
    Neg(x) -x;
    Abs(x) x.abs();
    Sign(x) x.sign();
    Exp(x) x.exp();
    Expm1(x) x.expm1();
    Ln(x) x.ln();
    Ln1p(x) x.ln1p();
    Sqrt(x) x.sqrt();
    Sigmoid(x) x.sigmoid();
    Softplus(x) x.softplus();
    Tail(x) x.tail();
    Log(x) x.log_of_tail();
}
functions! { Function2 of F,
    Add(a, b) a + b;
    Sub(a, b) a - b;
    Mul(a, b) a * b;
    Div(a, b) a / b;
    Weigh(a, b) a.weigh(b);
    ExpSub(a, b) a.exp_sub(b);
    LogAddExp(a, b) a.log_add_exp(b);
    SoftplusOf(x, log) softplus_of(x, log);
    SigmoidOf(x, tail) sigmoid_of(x, tail);
}
functions! { Condition holds bool,
    Eq(a, b) a == b;
    Lt(a, b) a < b;
    Le(a, b) a <= b;
}

#[inline(always)]
pub(crate) fn map1<F: Lane, O: Function1<F>>(out: &mut [F], x: &[F]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = O::of(x);
    }
}

#[inline(always)]
pub(crate) fn map2<F: Lane, O: Function2<F>>(out: &mut [F], a: Values<'_, F>, b: Values<'_, F>) {
    match (a, b) {
        (Values::Slice(a), Values::Slice(b)) => {
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                *out = O::of(a, b);
            }
        }
        (Values::Slice(a), Values::Splat(b)) => {
            for (out, &a) in out.iter_mut().zip(a) {
                *out = O::of(a, b);
            }
        }
        (Values::Splat(a), Values::Slice(b)) => {
            for (out, &b) in out.iter_mut().zip(b) {
                *out = O::of(a, b);
            }
        }
        (Values::Splat(a), Values::Splat(b)) => out.fill(O::of(a, b)),
    }
}

#[inline(always)]
fn choose<F: Lane, C: Condition<F>>(out: &mut [F], [a, b, then, otherwise]: [&[F]; 4]) {
    let pairs = a.iter().zip(b).zip(then.iter().zip(otherwise));
    for (out, ((&a, &b), (&then, &otherwise))) in out.iter_mut().zip(pairs) {
        *out = if C::holds(a, b) { then } else { otherwise };
    }
}

/// An op of every element.
pub(crate) struct UnaryLoop<'a, F> {
    pub(crate) op: Unary,
    pub(crate) out: &'a mut [F],
    pub(crate) x: &'a [F],
}

impl<F: Lane> Work for UnaryLoop<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { op, out, x } = self;
        match op {
            Unary::Neg => map1::<F, Neg>(out, x),
            Unary::Abs => map1::<F, Abs>(out, x),
            Unary::Sign => map1::<F, Sign>(out, x),
            Unary::Exp => map1::<F, Exp>(out, x),
            Unary::Expm1 => map1::<F, Expm1>(out, x),
            Unary::Ln => map1::<F, Ln>(out, x),
            Unary::Ln1p => map1::<F, Ln1p>(out, x),
            Unary::Sqrt => map1::<F, Sqrt>(out, x),
            Unary::Sigmoid => map1::<F, Sigmoid>(out, x),
            Unary::Softplus => map1::<F, Softplus>(out, x),
        }
    }
}

/// The op of every element.
pub(crate) fn unary<F: Lane>(level: Level, op: Unary, out: &mut [F], x: Values<'_, F>) {
    match x {
        Values::Slice(x) => level.run(UnaryLoop { op, out, x }),
        Values::Splat(x) => {
            let mut one = [F::ZERO];
            level.run(UnaryLoop { op, out: &mut one, x: &[x] });
            out.fill(one[0]);
        }
    }
}

/// An op of every pair of elements.
pub(crate) struct BinaryLoop<'a, F> {
    pub(crate) op: Binary,
    pub(crate) out: &'a mut [F],
    pub(crate) a: Values<'a, F>,
    pub(crate) b: Values<'a, F>,
}

impl<F: Lane> Work for BinaryLoop<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { op, out, a, b } = self;
        match op {
            Binary::Add => map2::<F, Add>(out, a, b),
            Binary::Sub => map2::<F, Sub>(out, a, b),
            Binary::Mul => map2::<F, Mul>(out, a, b),
            Binary::Div => map2::<F, Div>(out, a, b),
            Binary::Weigh => map2::<F, Weigh>(out, a, b),
            Binary::ExpSub => map2::<F, ExpSub>(out, a, b),
            Binary::LogAddExp => map2::<F, LogAddExp>(out, a, b),
        }
    }
}

/// The op of every pair of elements.
pub(crate) fn binary<F: Lane>(
    level: Level,
    op: Binary,
    out: &mut [F],
    a: Values<'_, F>,
    b: Values<'_, F>,
) {
    level.run(BinaryLoop { op, out, a, b });
}

/// The third where the comparison of the first two holds, else the fourth.
pub(crate) struct SelectLoop<'a, F> {
    pub(crate) compare: Compare,
    pub(crate) out: &'a mut [F],
    pub(crate) values: [&'a [F]; 4],
}

impl<F: Lane> Work for SelectLoop<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { compare, out, values } = self;
        match compare {
            Compare::Eq => choose::<F, Eq>(out, values),
            Compare::Lt => choose::<F, Lt>(out, values),
            Compare::Le => choose::<F, Le>(out, values),
        }
    }
}

/// The third where the comparison of the first two holds, else the fourth.
pub(crate) fn select<F: Lane>(level: Level, compare: Compare, out: &mut [F], values: [&[F]; 4]) {
    level.run(SelectLoop { compare, out, values });
}

struct SumLoop<'a, F> {
    lanes: &'a mut Sums,
    x: &'a [F],
}

impl<F: Lane> Work for SumLoop<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        add_up(self.lanes, self.x);
    }
}

/// Adds the elements to running sums, each to that of its place.
pub(crate) fn sum<F: Lane>(level: Level, lanes: &mut Sums, x: &[F]) {
    level.run(SumLoop { lanes, x });
}

struct MaxLoop<'a, F> {
    x: &'a [F],
    start: F,
}

impl<F: Lane> Work for MaxLoop<'_, F> {
    type Output = F;
    #[inline(always)]
    fn run(self) -> F {
        let mut lanes = [self.start; LANES];
        largest_of(&mut lanes, self.x);
        tree(&mut lanes, Lane::max)
    }
}

/// The largest of the elements and of `start`.
pub(crate) fn max<F: Lane>(level: Level, start: F, x: &[F]) -> F {
    level.run(MaxLoop { x, start })
}

struct Narrow<'a, F> {
    out: &'a mut [F],
    x: &'a [f64],
}

impl<F: Lane> Work for Narrow<'_, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        for (out, &x) in self.out.iter_mut().zip(self.x) {
            *out = F::from_f64(x);
        }
    }
}

/// Each number rounded to the format of full values.
pub(crate) fn narrow<F: Lane>(level: Level, out: &mut [F], x: &[f64]) {
    level.run(Narrow { out, x });
}
