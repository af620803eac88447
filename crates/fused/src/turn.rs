//! Rows that are brought into planes of a class each, and back.

use crate::element::Element;
use crate::simd::{Soon, Turn, Work, fetch};

/// As many classes of as many rows are turned at once.
const TURN: usize = 4;

/// Rows of classes one after the other, brought into planes of a class each.
pub(crate) struct Apart<'a, T: Element> {
    /// From the first row on; rows are `stride` apart.
    pub(crate) rows: &'a [T],
    pub(crate) stride: usize,
    pub(crate) classes: usize,
    /// The planes, `pitch` apart, with a lane for each of so many rows.
    pub(crate) planes: &'a mut [T::Compute],
    pub(crate) pitch: usize,
    pub(crate) lanes: usize,
}

impl<T: Element> Work for Apart<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { rows, stride, classes, planes, pitch, lanes } = self;
        let squares = if classes < TURN { 0 } else { lanes / TURN };
        let mut class = 0;
        while class < classes && squares > 0 {
            // The last classes once more where there are no others: what is written twice is the same.
            let first = class.min(classes - TURN);
            let planes = &mut planes[first * pitch..][..TURN * pitch];
            let (ab, cd) = planes.split_at_mut(2 * pitch);
            let ((a, b), (c, d)) = (ab.split_at_mut(pitch), cd.split_at_mut(pitch));
            let (a, b) = (&mut squares_of_mut(a)[..squares], &mut squares_of_mut(b)[..squares]);
            let (c, d) = (&mut squares_of_mut(c)[..squares], &mut squares_of_mut(d)[..squares]);
            for square in 0..squares {
                let rows = &rows[square * TURN * stride + first..];
                let of = [
                    four(rows),
                    four(&rows[stride..]),
                    four(&rows[2 * stride..]),
                    four(&rows[3 * stride..]),
                ];
                let turned = Turn::turned(of);
                (a[square], b[square]) = (turned[0], turned[1]);
                (c[square], d[square]) = (turned[2], turned[3]);
            }
            class += TURN;
        }
        for lane in squares * TURN..lanes {
            for (class, x) in rows[lane * stride..][..classes].iter().enumerate() {
                planes[class * pitch + lane] = x.widen();
            }
        }
    }
}

/// The first four values, as they are computed with.
#[inline(always)]
fn four<T: Element>(values: &[T]) -> [T::Compute; TURN] {
    let values = &values[..TURN];
    [values[0].widen(), values[1].widen(), values[2].widen(), values[3].widen()]
}

#[inline(always)]
fn squares_of<F>(plane: &[F]) -> &[[F; TURN]] {
    plane.as_chunks().0
}

#[inline(always)]
fn squares_of_mut<F>(plane: &mut [F]) -> &mut [[F; TURN]] {
    plane.as_chunks_mut().0
}

/// Planes of a class each, brought into rows of classes one after the other.
pub(crate) struct Together<'a, T: Element> {
    pub(crate) planes: &'a [T::Compute],
    pub(crate) pitch: usize,
    pub(crate) classes: usize,
    pub(crate) rows: &'a mut [T],
}

impl<T: Element> Work for Together<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { planes, pitch, classes, rows } = self;
        let lanes = rows.len() / classes.max(1);
        let squares = if classes < TURN { 0 } else { lanes / TURN };
        let mut class = 0;
        while class < classes && squares > 0 {
            let first = class.min(classes - TURN);
            let planes = &planes[first * pitch..][..TURN * pitch];
            let (ab, cd) = planes.split_at(2 * pitch);
            let ((a, b), (c, d)) = (ab.split_at(pitch), cd.split_at(pitch));
            let (a, b) = (&squares_of(a)[..squares], &squares_of(b)[..squares]);
            let (c, d) = (&squares_of(c)[..squares], &squares_of(d)[..squares]);
            for square in 0..squares {
                let turned = Turn::turned([a[square], b[square], c[square], d[square]]);
                let start = square * TURN * classes + first;
                for row in 0..TURN {
                    let out = &mut rows[start + row * classes..][..TURN];
                    let [a, b, c, d] = turned[row];
                    out.copy_from_slice(&[T::narrow(a), T::narrow(b), T::narrow(c), T::narrow(d)]);
                }
            }
            class += TURN;
        }
        for lane in squares * TURN..lanes {
            for (class, out) in rows[lane * classes..][..classes].iter_mut().enumerate() {
                *out = T::narrow(planes[class * pitch + lane]);
            }
        }
    }
}

/// Elements with strides of their own, brought into planes of a class each.
pub(crate) struct Gather<'a, T: Element> {
    /// From the first on.
    pub(crate) elements: &'a [T],
    pub(crate) strides: [usize; 2],
    pub(crate) planes: &'a mut [T::Compute],
    pub(crate) pitch: usize,
    pub(crate) classes: usize,
    pub(crate) lanes: usize,
}

impl<T: Element> Work for Gather<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { elements, strides: [step, stride], planes, pitch, classes, lanes } = self;
        for (class, plane) in planes.chunks_exact_mut(pitch).take(classes).enumerate() {
            let (plane, from) = (&mut plane[..lanes], &elements[class * step..]);
            if stride == 1 {
                fetch(elements, (class + 3) * step, lanes, Soon::Read);
                for (out, x) in plane.iter_mut().zip(&from[..lanes]) {
                    *out = x.widen();
                }
            } else {
                for (lane, out) in plane.iter_mut().enumerate() {
                    *out = from[lane * stride].widen();
                }
            }
        }
    }
}
