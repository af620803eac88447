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
