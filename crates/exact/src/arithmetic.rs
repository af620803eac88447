//! The ops on [`Big`] numbers, rounded to so many bits.

use crate::big::{Big, Finite};
use crate::functions::Fixed;
use dashu_base::Sign;
use dashu_float::round::mode::HalfEven;
use dashu_float::{ConstCache, Context, FBig, FpError, Repr, math::FpResult};
use lossmith_core::op::{Binary, Compare, Reduce, Unary};
use std::cell::RefCell;
use std::cmp::Ordering;

/// Bits more inside an op of several roundings.
const GUARD: usize = 32;
/// Bits more while a sum is added up.
const SUM_GUARD: usize = 64;

/// Below 2⁻³¹ ln(1 + x) is the crate's.
const FAR: isize = 31;

type Rounding = Context<HalfEven>;

/// Arithmetic that rounds every op to so many bits, to nearest.
#[derive(Debug)]
pub(crate) struct Arithmetic {
    bits: usize,
    fixed: Fixed,
    /// ln 2 as far as the crate needed it.
    cache: RefCell<ConstCache>,
}

impl Arithmetic {
    pub(crate) fn new(bits: usize) -> Self {
        Self { bits, fixed: Fixed::new(bits + GUARD), cache: RefCell::default() }
    }

    pub(crate) fn bits(&self) -> usize {
        self.bits
    }

    fn own(&self) -> Rounding {
        Context::new(self.bits)
    }

    fn guarded(&self) -> Rounding {
        Context::new(self.bits + GUARD)
    }

    pub(crate) fn unary(&self, op: Unary, x: &Big) -> Big {
        let (own, guarded) = (self.own(), self.guarded());
        match op {
            Unary::Neg => x.neg(),
            Unary::Abs => x.abs(),
            Unary::Sign if x.is_nan() || x.is_zero() => x.abs(),
            Unary::Sign => Big::from(if x.is_negative() { -1.0 } else { 1.0 }),
            Unary::Exp => self.exp(own, x),
            Unary::Expm1 => match x {
                Big::Infinite(true) => Big::from(-1.0),
                Big::Finite(finite) if finite.is_zero() => x.clone(),
                Big::Finite(finite) => match self.fixed.exp(finite) {
                    Some(exp) => add(own, &Big::of(exp), &Big::from(-1.0)),
                    None => settle(own.exp_m1(&finite.0, Some(&mut self.cache.borrow_mut()))),
                },
                Big::Nan | Big::Infinite(false) => x.clone(),
            },
            Unary::Ln => match x {
                _ if x.is_zero() => Big::Infinite(true),
                _ if x.is_negative() => Big::Nan,
                Big::Nan | Big::Infinite(_) => x.clone(),
                Big::Finite(finite) => self.ln(own, finite),
            },
            Unary::Ln1p => self.ln_1p(own, x),
            Unary::Sqrt => match x {
                _ if x.is_zero() => x.clone(),
                _ if x.is_negative() => Big::Nan,
                Big::Nan | Big::Infinite(_) => x.clone(),
                Big::Finite(finite) => settle(own.sqrt(&finite.0)),
            },
            Unary::Sigmoid => {
                let e = self.exp(guarded, &x.abs().neg());
                let one = Big::from(1.0);
                let all = add(guarded, &one, &e);
                divide(own, if x.is_negative() { &e } else { &one }, &all)
            }
            Unary::Softplus => {
                let tail = self.ln_1p(guarded, &self.exp(guarded, &x.abs().neg()));
                let above = if *x > Big::from(0.0) { x.clone() } else { Big::from(0.0) };
                add(own, &above, &tail)
            }
        }
    }

    pub(crate) fn binary(&self, op: Binary, a: &Big, b: &Big) -> Big {
        let (own, guarded) = (self.own(), self.guarded());
        match op {
            Binary::Add => add(own, a, b),
            Binary::Sub => add(own, a, &b.neg()),
            Binary::Mul => multiply(own, a, b),
            Binary::Div => divide(own, a, b),
            Binary::Weigh if a.is_zero() => Big::from(0.0),
            Binary::Weigh => multiply(own, a, b),
            Binary::ExpSub if a == b => Big::from(1.0),
            Binary::ExpSub => self.exp(own, &add(guarded, a, &b.neg())),
            Binary::LogAddExp => {
                let apart =
                    if a == b { Big::from(0.0) } else { add(guarded, a, &b.neg()).abs().neg() };
                add(own, max(a, b), &self.ln_1p(guarded, &self.exp(guarded, &apart)))
            }
        }
    }

    /// The reduction of the numbers.
    pub(crate) fn reduce<'a>(&self, op: Reduce, numbers: impl Iterator<Item = &'a Big>) -> Big {
        match op {
            Reduce::Sum => self.total(numbers, add),
            Reduce::Max => {
                let mut most = &Big::Infinite(true);
                for number in numbers {
                    most = max(most, number);
                }
                most.clone()
            }
        }
    }

    /// The sum of products.
    pub(crate) fn products<'a>(&self, pairs: impl Iterator<Item = (&'a Big, &'a Big)>) -> Big {
        self.total(pairs, |wide, sum, (a, b)| add(wide, sum, &multiply(wide, a, b)))
    }

    fn total<T>(
        &self,
        terms: impl Iterator<Item = T>,
        add_to: impl Fn(Rounding, &Big, T) -> Big,
    ) -> Big {
        let wide = Context::new(self.bits + SUM_GUARD);
        let sum = terms.fold(Big::from(0.0), |sum, term| add_to(wide, &sum, term));
        match &sum {
            Big::Finite(finite) => round(self.own(), &finite.0),
            Big::Nan | Big::Infinite(_) => sum,
        }
    }

    fn exp(&self, to: Rounding, x: &Big) -> Big {
        match x {
            Big::Nan | Big::Infinite(false) => x.clone(),
            Big::Infinite(true) => Big::from(0.0),
            Big::Finite(finite) => match self.fixed.exp(finite) {
                Some(exp) => round(to, &exp),
                None => settle(to.exp(&finite.0, Some(&mut self.cache.borrow_mut()))),
            },
        }
    }

    fn ln(&self, to: Rounding, x: &Finite) -> Big {
        match self.fixed.ln(x) {
            Some(ln) => round(to, &ln),
            None => settle(to.ln(&x.0, Some(&mut self.cache.borrow_mut()))),
        }
    }

    fn ln_1p(&self, to: Rounding, x: &Big) -> Big {
        match (x.partial_cmp(&Big::from(-1.0)), x) {
            (Some(Ordering::Less) | None, _) => Big::Nan,
            (Some(Ordering::Equal), _) => Big::Infinite(true),
            (Some(Ordering::Greater), Big::Finite(finite)) if finite.is_zero() => x.clone(),
            // 1 + x is exact; near 1 its logarithm is the crate's.
            (Some(Ordering::Greater), Big::Finite(finite)) if finite.exponent() >= -FAR => {
                match add(Context::new(2 * self.bits + 4096), x, &Big::from(1.0)) {
                    Big::Finite(more) => self.ln(to, &more),
                    other @ (Big::Nan | Big::Infinite(_)) => other,
                }
            }
            (Some(Ordering::Greater), Big::Finite(finite)) => {
                settle(to.ln_1p(&finite.0, Some(&mut self.cache.borrow_mut())))
            }
            (Some(Ordering::Greater), Big::Infinite(_) | Big::Nan) => x.clone(),
        }
    }
}

/// Whether the comparison holds; false where either is NaN.
pub(crate) fn compare(op: Compare, a: &Big, b: &Big) -> bool {
    match op {
        Compare::Eq => a == b,
        Compare::Lt => a < b,
        Compare::Le => a <= b,
    }
}

/// The larger of two; NaN if either is.
fn max<'a>(a: &'a Big, b: &'a Big) -> &'a Big {
    if a.is_nan() || a > b { a } else { b }
}

fn add(to: Rounding, a: &Big, b: &Big) -> Big {
    match (a, b) {
        (Big::Finite(_), Big::Finite(_)) if a.is_zero() && b.is_zero() => {
            Big::zero(a.is_negative() && b.is_negative())
        }
        (Big::Finite(x), Big::Finite(y)) => {
            let sum = settle(to.add(&x.0, &y.0));
            // x − x is +0.
            if sum.is_zero() { Big::from(0.0) } else { sum }
        }
        (Big::Infinite(a), Big::Infinite(b)) if a == b => Big::Infinite(*a),
        (Big::Infinite(negative), Big::Finite(_)) | (Big::Finite(_), Big::Infinite(negative)) => {
            Big::Infinite(*negative)
        }
        (Big::Nan | Big::Infinite(_), _) | (_, Big::Nan) => Big::Nan,
    }
}

fn multiply(to: Rounding, a: &Big, b: &Big) -> Big {
    let negative = a.is_negative() != b.is_negative();
    match (a, b) {
        (Big::Nan, _) | (_, Big::Nan) => Big::Nan,
        (Big::Infinite(_), other) | (other, Big::Infinite(_)) => {
            if other.is_zero() {
                Big::Nan
            } else {
                Big::Infinite(negative)
            }
        }
        (Big::Finite(_), Big::Finite(_)) if a.is_zero() || b.is_zero() => Big::zero(negative),
        (Big::Finite(x), Big::Finite(y)) => settle(to.mul(&x.0, &y.0)),
    }
}

fn divide(to: Rounding, a: &Big, b: &Big) -> Big {
    let negative = a.is_negative() != b.is_negative();
    match (a, b) {
        (Big::Nan, _) | (_, Big::Nan) | (Big::Infinite(_), Big::Infinite(_)) => Big::Nan,
        (Big::Infinite(_), Big::Finite(_)) => Big::Infinite(negative),
        (Big::Finite(_), Big::Infinite(_)) => Big::zero(negative),
        (Big::Finite(_), Big::Finite(_)) if a.is_zero() && b.is_zero() => Big::Nan,
        (Big::Finite(_), Big::Finite(_)) if b.is_zero() => Big::Infinite(negative),
        (Big::Finite(_), Big::Finite(_)) if a.is_zero() => Big::zero(negative),
        (Big::Finite(x), Big::Finite(y)) => settle(to.div(&x.0, &y.0)),
    }
}

fn round(to: Rounding, x: &Repr<2>) -> Big {
    let exact = FBig::<HalfEven, 2>::from_repr(x.clone(), Context::new(0));
    Big::of(exact.with_precision(to.precision()).value().into_repr())
}

/// The result, the limit where its exponent is beyond 63 bits, and NaN where there is none.
fn settle(result: FpResult<FBig<HalfEven, 2>>) -> Big {
    match result {
        Ok(rounded) => {
            let repr: Repr<2> = rounded.value().into_repr();
            Big::of(repr)
        }
        Err(FpError::Overflow(sign)) => Big::Infinite(sign == Sign::Negative),
        Err(FpError::Underflow(sign)) => Big::zero(sign == Sign::Negative),
        Err(
            FpError::InfiniteInput
            | FpError::OutOfDomain
            | FpError::Indeterminate
            | FpError::ZivRetryLimitExceeded,
        ) => Big::Nan,
    }
}
