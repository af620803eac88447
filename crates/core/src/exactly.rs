//! What an op gives of two known numbers, where `f64` holds it: a constant is folded only then, so that a run in more
//! digits than `f64` has gets more digits.

use crate::op::{Binary, Unary};
use crate::scalar;

/// What `op` gives, if no rounding is in it.
pub(crate) fn unary(op: Unary, x: f64) -> Option<f64> {
    let y = scalar::unary(op, x);
    let exact = match op {
        Unary::Neg | Unary::Abs | Unary::Sign => true,
        Unary::Exp | Unary::Expm1 | Unary::Ln1p => x == 0.0,
        Unary::Ln => x == 1.0 || x <= 0.0,
        Unary::Sqrt => x <= 0.0 || product(y, y, x),
        Unary::Sigmoid | Unary::Softplus => false,
    };
    (exact || !x.is_finite()).then_some(y)
}

/// What `op` gives, if no rounding is in it.
pub(crate) fn binary(op: Binary, a: f64, b: f64) -> Option<f64> {
    let y = scalar::binary(op, a, b);
    let exact = match op {
        Binary::Add => sum(a, b, y),
        Binary::Sub => sum(a, -b, y),
        Binary::Mul | Binary::Weigh => product(a, b, y),
        Binary::Div => b == 0.0 || product(y, b, a),
        Binary::ExpSub => a == b,
        Binary::LogAddExp => false,
    };
    (exact || !a.is_finite() || !b.is_finite()).then_some(y)
}

/// Whether y is a + b to the last bit: what rounding took off is itself a number.
fn sum(a: f64, b: f64, y: f64) -> bool {
    let of_b = y - a;
    (a - (y - of_b)) + (b - of_b) == 0.0
}

/// Whether y is a · b to the last bit, which is told above the subnormal numbers only.
fn product(a: f64, b: f64, y: f64) -> bool {
    const LEAST: f64 = f64::MIN_POSITIVE / f64::EPSILON;
    a == 0.0 || b == 0.0 || y.abs() >= LEAST && a.mul_add(b, -y) == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rounded_is_not_known() {
        assert_eq!(binary(Binary::Sub, 1.0, 0.75), Some(0.25));
        assert_eq!(binary(Binary::Sub, 1.0, 0.1), None);
        assert_eq!(binary(Binary::Add, 1.0, f64::EPSILON / 4.0), None);
        assert_eq!(binary(Binary::Add, f64::MAX, f64::MAX), None);
        assert_eq!(binary(Binary::Mul, 3.0, 0.5), Some(1.5));
        assert_eq!(binary(Binary::Mul, 0.1, 0.1), None);
        assert_eq!(binary(Binary::Mul, f64::MIN_POSITIVE, 0.1), None);
        assert_eq!(binary(Binary::Div, 1.0, 3.0), None);
        assert_eq!(binary(Binary::Div, 1.0, 8.0), Some(0.125));
        assert_eq!(binary(Binary::Div, 0.5, 0.0), Some(f64::INFINITY));
        assert_eq!(unary(Unary::Ln, 2.0), None);
        assert_eq!(unary(Unary::Ln, 0.0), Some(f64::NEG_INFINITY));
        assert_eq!(unary(Unary::Sqrt, 2.0), None);
        assert_eq!(unary(Unary::Sqrt, 6.25), Some(2.5));
        assert_eq!(unary(Unary::Exp, 0.0), Some(1.0));
        assert_eq!(unary(Unary::Exp, 1.0), None);
        assert_eq!(binary(Binary::ExpSub, 2.0, 2.0), Some(1.0));
        assert_eq!(binary(Binary::ExpSub, 2.0, 1.0), None);
        assert_eq!(binary(Binary::Mul, 0.0, 3.0), Some(0.0));
    }

    #[test]
    fn limits_are_known() {
        assert_eq!(binary(Binary::Add, f64::INFINITY, 0.1), Some(f64::INFINITY));
        assert_eq!(binary(Binary::Weigh, 0.0, f64::NAN), Some(0.0));
        assert!(binary(Binary::Mul, 0.0, f64::INFINITY).is_some_and(f64::is_nan));
        assert_eq!(unary(Unary::Exp, f64::NEG_INFINITY), Some(0.0));
        assert_eq!(unary(Unary::Sigmoid, f64::INFINITY), Some(1.0));
    }
}
