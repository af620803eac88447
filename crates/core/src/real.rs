//! What a pointwise formula is written on: `f64`, a graph handle, or anything else with the ops.

use crate::op::{Binary, Compare, Unary};
use crate::scalar;
use std::ops::{Add, Div, Mul, Neg, Sub};

/// A number as a formula sees it; the same function of `Real`s runs on `f64` and builds the graph.
pub trait Real:
    Copy
    + Neg<Output = Self>
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Add<f64, Output = Self>
    + Sub<f64, Output = Self>
    + Mul<f64, Output = Self>
    + Div<f64, Output = Self>
{
    /// A constant, of the same kind as `self`.
    #[must_use]
    fn constant(self, value: f64) -> Self;
    /// The op of one argument.
    #[must_use]
    fn unary(self, op: Unary) -> Self;
    /// The op of two arguments.
    #[must_use]
    fn binary(self, op: Binary, other: Self) -> Self;
    /// `then` where the comparison of `a` and `b` holds, else `otherwise`; no derivative passes the branch not taken.
    #[must_use]
    fn select(compare: Compare, a: Self, b: Self, then: Self, otherwise: Self) -> Self;
    /// The same value, through which no derivative passes.
    #[must_use]
    fn detach(self) -> Self;

    /// 2π: what `f64` holds of it, and what that leaves, so that more digits have it to 106 bits.
    #[must_use]
    fn tau(self) -> Self {
        self.constant(std::f64::consts::TAU) + 2.449_293_598_294_706_4e-16
    }
    /// |x|, derivative 0 at 0.
    #[must_use]
    fn abs(self) -> Self {
        self.unary(Unary::Abs)
    }
    /// −1, 0 or 1.
    #[must_use]
    fn sign(self) -> Self {
        self.unary(Unary::Sign)
    }
    /// eˣ
    #[must_use]
    fn exp(self) -> Self {
        self.unary(Unary::Exp)
    }
    /// eˣ − 1
    #[must_use]
    fn exp_m1(self) -> Self {
        self.unary(Unary::Expm1)
    }
    /// ln x
    #[must_use]
    fn ln(self) -> Self {
        self.unary(Unary::Ln)
    }
    /// ln(1 + x)
    #[must_use]
    fn ln_1p(self) -> Self {
        self.unary(Unary::Ln1p)
    }
    /// √x
    #[must_use]
    fn sqrt(self) -> Self {
        self.unary(Unary::Sqrt)
    }
    /// 1/(1 + e⁻ˣ)
    #[must_use]
    fn sigmoid(self) -> Self {
        self.unary(Unary::Sigmoid)
    }
    /// ln(1 + eˣ)
    #[must_use]
    fn softplus(self) -> Self {
        self.unary(Unary::Softplus)
    }
    /// x²
    #[must_use]
    fn square(self) -> Self {
        self * self
    }
    /// max(x, 0), derivative 0 at 0; NaN stays.
    #[must_use]
    fn relu(self) -> Self {
        let zero = self.constant(0.0);
        Self::select(Compare::Le, self, zero, zero, self)
    }
    /// The smaller of two, which share the derivative where they are equal; NaN stays.
    #[must_use]
    fn minimum(self, other: Self) -> Self {
        let shared = self * 0.5 + other * 0.5;
        let or_other = Self::select(Compare::Lt, other, self, other, shared);
        Self::select(Compare::Lt, self, other, self, or_other)
    }
    /// 0 where `self` is 0, else `self · value`: a zero weight skips what it weighs.
    #[must_use]
    fn weigh(self, value: Self) -> Self {
        self.binary(Binary::Weigh, value)
    }
    /// e^(self − other), 1 where they are equal.
    #[must_use]
    fn exp_sub(self, other: Self) -> Self {
        self.binary(Binary::ExpSub, other)
    }
    /// ln(e^self + e^other); the derivatives are their shares of the sum, 0 where it is empty.
    #[must_use]
    fn log_add_exp(self, other: Self) -> Self {
        self.binary(Binary::LogAddExp, other)
    }
}

impl Real for f64 {
    fn constant(self, value: f64) -> Self {
        value
    }
    fn unary(self, op: Unary) -> Self {
        scalar::unary(op, self)
    }
    fn binary(self, op: Binary, other: Self) -> Self {
        scalar::binary(op, self, other)
    }
    fn select(compare: Compare, a: Self, b: Self, then: Self, otherwise: Self) -> Self {
        if scalar::compare(compare, a, b) { then } else { otherwise }
    }
    fn detach(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_is_the_same_on_numbers() {
        assert_eq!([1.0, 2.0, 3.0].map(|x| Real::minimum(x, 2.0)), [1.0, 2.0, 2.0]);
        assert!([f64::NAN, 1.0].iter().all(|&x| Real::minimum(x, f64::NAN).is_nan()));
        assert_eq!([-1.0, 3.0].map(f64::relu), [0.0, 3.0]);
        assert_eq!((Real::detach(3.0), 3.0.tau()), (3.0, std::f64::consts::TAU));
    }
}
