//! Lengths of rows, scaled before they are squared.

use crate::graph::Var;
use crate::op::{Axis::Class, Compare};
use crate::real::Real;

/// The rows divided by their largest magnitudes, and those, which are 1 for a row of zeros or one with an infinity; no
/// derivative passes them.
fn scaled<'g>(x: Var<'g>) -> (Var<'g>, Var<'g>) {
    let largest = x.abs().max(Class).detach();
    let [zero, one, infinite] = [0.0, 1.0, f64::INFINITY].map(|number| x.constant(number));
    let scale = Var::select(Compare::Eq, largest, zero, one, largest);
    let scale = Var::select(Compare::Eq, largest, infinite, one, scale);
    (x / scale, scale)
}

/// √Σ x² of each row, which overflows only if it has to; its derivative at 0 is 0.
pub(super) fn norm<'g>(x: Var<'g>) -> Var<'g> {
    let (x, scale) = scaled(x);
    scale * root(x.square().sum(Class), 2.0)
}

/// (Σ |x|ᵖ)^(1/p) of each row, p from 1 to ∞.
pub(super) fn norm_p<'g>(x: Var<'g>, p: f64) -> Var<'g> {
    if p == 1.0 {
        return x.abs().sum(Class);
    }
    if p == 2.0 {
        return norm(x);
    }
    if p == f64::INFINITY {
        return x.abs().max(Class);
    }
    let (x, scale) = scaled(x);
    scale * root((x.abs().ln() * p).exp().sum(Class), p)
}

/// The p-th root, with derivative 0 at 0.
fn root<'g>(x: Var<'g>, p: f64) -> Var<'g> {
    let [zero, one] = [0.0, 1.0].map(|number| x.constant(number));
    let positive = Var::select(Compare::Eq, x, zero, one, x);
    let root = if p == 2.0 { positive.sqrt() } else { (positive.ln() / p).exp() };
    Var::select(Compare::Eq, x, zero, zero, root)
}

/// 1 − cos of the angle between the rows, half the square of what their directions differ by: it never cancels, and
/// is never negative. A row of zeros has no direction, and a cosine of 0 with everything.
pub(super) fn cosine_distance<'g>(a: Var<'g>, b: Var<'g>) -> Var<'g> {
    let [zero, one] = [0.0, 1.0].map(|number| a.constant(number));
    let direction = |x: Var<'g>| {
        let (x, _) = scaled(x);
        let length = root(x.square().sum(Class), 2.0);
        (x / Var::select(Compare::Eq, length, zero, one, length), length)
    };
    let ((a, a_length), (b, b_length)) = (direction(a), direction(b));
    let apart = (a - b).square().sum(Class) * 0.5;
    let known = |length, distance| Var::select(Compare::Eq, length, zero, one, distance);
    known(a_length, known(b_length, apart))
}
