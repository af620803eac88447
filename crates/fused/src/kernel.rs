//! The loops over slices, each compiled for every SIMD level.

use crate::chunk::{LANES, Sums, add_up, largest_of, tree};
use crate::math::{Lane, sigmoid_of, softplus_of};
use crate::program::Op;
use crate::simd::{Level, Work};
use lossmith_core::op::{Binary, Compare, Unary};
use std::borrow::Cow;

/// Elements that are chosen between at a time, so that what is the same for all is written out so often only.
const PART: usize = 16;

/// An argument of a loop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Values<'a, F> {
    /// One each.
    Slice(&'a [F]),
    /// The same for all.
    Splat(F),
}

impl<F: Lane> Values<'_, F> {
    /// What is the same for all, as often as a part has it.
    #[inline(always)]
    fn spread(&self) -> [F; PART] {
        match self {
            Self::Slice(_) => [F::ZERO; PART],
            Self::Splat(value) => [*value; PART],
        }
    }

    /// A part of them, one each.
    #[inline(always)]
    fn part<'p>(&'p self, spread: &'p [F; PART], from: usize, count: usize) -> &'p [F] {
        match self {
            Self::Slice(slice) => &slice[from..][..count],
            Self::Splat(_) => &spread[..count],
        }
    }

    /// One each, written out so many times where they are all the same.
    pub(crate) fn written_out(&self, lanes: usize) -> Cow<'_, [F]> {
        match self {
            Self::Slice(slice) => Cow::Borrowed(slice),
            Self::Splat(value) => vec![*value; lanes].into(),
        }
    }
}

/// An element-wise function; a type of its own, so that it is compiled into the loop.
trait Function1<F> {
    fn of(x: F) -> F;
}
trait Function2<F> {
    fn of(a: F, b: F) -> F;
}
trait Condition<F> {
    fn holds(a: F, b: F) -> bool;
}

macro_rules! functions {
    ($trait:ident $method:ident $out:ty, $($name:ident($($x:ident),*) $body:expr;)*) => {$(
        struct $name;
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
fn map1<F: Lane, O: Function1<F>>(out: &mut [F], x: Values<'_, F>) {
    match x {
        Values::Slice(x) => {
            for (out, &x) in out.iter_mut().zip(x) {
                *out = O::of(x);
            }
        }
        Values::Splat(x) => out.fill(O::of(x)),
    }
}

#[inline(always)]
fn map2<F: Lane, O: Function2<F>>(out: &mut [F], a: Values<'_, F>, b: Values<'_, F>) {
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
fn choose<F: Lane, C: Condition<F>>(out: &mut [F], [a, b, then, otherwise]: [Values<'_, F>; 4]) {
    let (all_a, all_b) = (a.spread(), b.spread());
    let (all_then, all_otherwise) = (then.spread(), otherwise.spread());
    for (index, out) in out.chunks_mut(PART).enumerate() {
        let (from, count) = (index * PART, out.len());
        let ab = a.part(&all_a, from, count).iter().zip(b.part(&all_b, from, count));
        let then = then.part(&all_then, from, count);
        let chosen = then.iter().zip(otherwise.part(&all_otherwise, from, count));
        for (out, ((&a, &b), (&then, &otherwise))) in out.iter_mut().zip(ab.zip(chosen)) {
            *out = if C::holds(a, b) { then } else { otherwise };
        }
    }
}

/// An op of values, one by one.
pub(crate) struct Each<'a, F> {
    pub(crate) op: Op<Values<'a, F>>,
    pub(crate) out: &'a mut [F],
}

impl<F: Lane> Work for Each<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { op, out } = self;
        match op {
            Op::Unary(op, x) => match op {
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
            },
            Op::Binary(op, a, b) => match op {
                Binary::Add => map2::<F, Add>(out, a, b),
                Binary::Sub => map2::<F, Sub>(out, a, b),
                Binary::Mul => map2::<F, Mul>(out, a, b),
                Binary::Div => map2::<F, Div>(out, a, b),
                Binary::Weigh => map2::<F, Weigh>(out, a, b),
                Binary::ExpSub => map2::<F, ExpSub>(out, a, b),
                Binary::LogAddExp => map2::<F, LogAddExp>(out, a, b),
            },
            Op::Select(compare, [a, b], [then, otherwise]) => {
                let values = [a, b, then, otherwise];
                match compare {
                    Compare::Eq => choose::<F, Eq>(out, values),
                    Compare::Lt => choose::<F, Lt>(out, values),
                    Compare::Le => choose::<F, Le>(out, values),
                }
            }
            // What sigmoids and softpluses of ±x have in common, and they.
            Op::Tail(x) => map1::<F, Tail>(out, x),
            Op::Log(x) => map1::<F, Log>(out, x),
            Op::Softplus(x, log) => map2::<F, SoftplusOf>(out, x, log),
            Op::Sigmoid(x, tail) => map2::<F, SigmoidOf>(out, x, tail),
            // They need a label, or what they are computed below.
            Op::AtLabel(..) | Op::ExpBelow(..) => out.fill(F::NAN),
        }
    }
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
