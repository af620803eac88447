//! The table of derivatives, generic over [`Real`]: reverse mode on the graph reads it, and so can duals.

use crate::op::{Binary, Compare, Unary};
use crate::real::Real;

/// dy/dx of `y = op(x)`.
pub fn unary<T: Real>(op: Unary, x: T, y: T) -> T {
    match op {
        Unary::Neg => x.constant(-1.0),
        Unary::Abs => x.sign(),
        Unary::Sign => x.constant(0.0),
        Unary::Exp => y,
        Unary::Expm1 => y + 1.0,
        Unary::Ln => x.constant(1.0) / x,
        Unary::Ln1p => x.constant(1.0) / (x + 1.0),
        Unary::Sqrt => x.constant(0.5) / y,
        Unary::Sigmoid => y * (-x).sigmoid(),
        Unary::Softplus => x.sigmoid(),
    }
}

/// ∂y/∂a and ∂y/∂b of `y = op(a, b)`.
pub fn binary<T: Real>(op: Binary, a: T, b: T, y: T) -> [T; 2] {
    let one = a.constant(1.0);
    match op {
        Binary::Add => [one, one],
        Binary::Sub => [one, -one],
        Binary::Mul | Binary::Weigh => [b, a],
        Binary::Div => [one / b, -y / b],
        Binary::ExpSub => [y, -y],
        // Shares that add up to one however y was rounded; of an empty sum, ln 0, nothing has one.
        Binary::LogAddExp => {
            let [zero, empty] = [0.0, f64::NEG_INFINITY].map(|x| y.constant(x));
            let apart = a - b;
            [apart, -apart].map(|x| T::select(Compare::Eq, y, empty, zero, x.sigmoid()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The slope between two numbers close by.
    fn slope(of: impl Fn(f64) -> f64, x: f64) -> f64 {
        const STEP: f64 = 1e-5;
        (of(x + STEP) - of(x - STEP)) / (2.0 * STEP)
    }

    fn near(what: &str, got: f64, right: f64) {
        assert!((got - right).abs() <= 1e-8 * (1.0 + right.abs()), "{what}: {got}, {right}");
    }

    #[test]
    fn derivatives_are_the_slopes() {
        let unaries = [
            Unary::Neg,
            Unary::Abs,
            Unary::Sign,
            Unary::Exp,
            Unary::Expm1,
            Unary::Ln,
            Unary::Ln1p,
            Unary::Sqrt,
            Unary::Sigmoid,
            Unary::Softplus,
        ];
        for op in unaries {
            for x in [0.25, 0.75, 3.0] {
                near(&format!("{op:?} {x}"), unary(op, x, x.unary(op)), slope(|x| x.unary(op), x));
            }
        }
        let binaries = [
            Binary::Add,
            Binary::Sub,
            Binary::Mul,
            Binary::Div,
            Binary::Weigh,
            Binary::ExpSub,
            Binary::LogAddExp,
        ];
        for op in binaries {
            for (a, b) in [(0.25, 3.0), (-2.0, 0.75)] {
                let [da, db] = binary(op, a, b, a.binary(op, b));
                near(&format!("{op:?} {a} {b}, a"), da, slope(|a| a.binary(op, b), a));
                near(&format!("{op:?} {a} {b}, b"), db, slope(|b| a.binary(op, b), b));
            }
        }
    }

    #[test]
    fn of_an_empty_sum_nothing_has_a_share() {
        let empty = f64::NEG_INFINITY;
        assert_eq!(binary(Binary::LogAddExp, empty, empty, empty), [0.0, 0.0]);
    }
}
