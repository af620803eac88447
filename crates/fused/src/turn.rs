//! Rows that are brought into planes of a class each, and back.

use crate::element::Element;
use crate::math::Lane;
use crate::simd::{Soon, Turn, Wide, Work, fetch};

/// As many classes of twice as many rows are turned at once.
const TURN: usize = 4;
const ROWS: usize = 2 * TURN;

/// Rows of classes one after the other, brought into planes of a class each.
pub(crate) struct Apart<'a, T: Element> {
    pub(crate) wide: Wide,
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
        let Self { wide, rows, stride, classes, planes, pitch, lanes } = self;
        // Of rows that are the same, or of the last one of a view, there is less than a row's distance.
        let whole = if classes < TURN || stride < classes { 0 } else { rows.len() / stride };
        let turns = lanes.min(whole) / ROWS;
        let mut class = 0;
        while class < classes && turns > 0 {
            // The last classes once more where there are no others: what is written twice is the same.
            let first = class.min(classes - TURN);
            let planes = &mut planes[first * pitch..][..TURN * pitch];
            let (ab, cd) = planes.split_at_mut(2 * pitch);
            let ((a, b), (c, d)) = (ab.split_at_mut(pitch), cd.split_at_mut(pitch));
            let planes = turns_of_mut(a).iter_mut().zip(turns_of_mut(b)).zip(turns_of_mut(c));
            let mut rows = rows.chunks_exact(stride);
            for (((a, b), c), d) in planes.zip(turns_of_mut(d)).take(turns) {
                let mut of = [[T::Compute::ZERO; ROWS]; TURN];
                for row in 0..ROWS {
                    let Some(values) = rows.next() else { break };
                    let values = &values[first..][..TURN];
                    for (to, x) in of[row % TURN][row / TURN * TURN..].iter_mut().zip(values) {
                        *to = x.widen();
                    }
                }
                [*a, *b, *c, *d] = Turn::both_turned(wide, of);
            }
            class += TURN;
        }
        for lane in turns * ROWS..lanes {
            for (class, x) in rows[lane * stride..][..classes].iter().enumerate() {
                planes[class * pitch + lane] = x.widen();
            }
        }
    }
}

#[inline(always)]
fn turns_of<F>(plane: &[F]) -> &[[F; ROWS]] {
    plane.as_chunks().0
}

#[inline(always)]
fn turns_of_mut<F>(plane: &mut [F]) -> &mut [[F; ROWS]] {
    plane.as_chunks_mut().0
}

/// Planes of a class each, brought into rows of classes one after the other.
pub(crate) struct Together<'a, T: Element> {
    pub(crate) wide: Wide,
    pub(crate) planes: &'a [T::Compute],
    pub(crate) pitch: usize,
    pub(crate) classes: usize,
    pub(crate) rows: &'a mut [T],
}

impl<T: Element> Work for Together<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { wide, planes, pitch, classes, rows } = self;
        let lanes = rows.len() / classes.max(1);
        let turns = if classes < TURN { 0 } else { lanes / ROWS };
        let mut class = 0;
        while class < classes && turns > 0 {
            let first = class.min(classes - TURN);
            let planes = &planes[first * pitch..][..TURN * pitch];
            let (ab, cd) = planes.split_at(2 * pitch);
            let ((a, b), (c, d)) = (ab.split_at(pitch), cd.split_at(pitch));
            let planes = turns_of(a).iter().zip(turns_of(b)).zip(turns_of(c)).zip(turns_of(d));
            let mut rows = rows.chunks_exact_mut(classes);
            for (((&a, &b), &c), &d) in planes.take(turns) {
                let turned = Turn::both_turned(wide, [a, b, c, d]);
                for row in 0..ROWS {
                    let Some(out) = rows.next() else { break };
                    let values = &turned[row % TURN][row / TURN * TURN..];
                    for (out, &value) in out[first..][..TURN].iter_mut().zip(values) {
                        *out = T::narrow(value);
                    }
                }
            }
            class += TURN;
        }
        for lane in turns * ROWS..lanes {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn rows_come_apart_and_together_at_every_level() {
        for level in Level::available() {
            // Fewer rows and classes than are turned at a time, as many, and some left over; the same row again and again,
            // rows that overlap, and rows without and with a gap, which the last has not.
            for (classes, lanes) in [(3, 19), (4, 8), (10, 5), (10, 19), (10, 64)] {
                for stride in [0, 1, classes, classes + 2] {
                    let count = (lanes - 1) * stride + classes;
                    let rows: Vec<f32> = (0u16..).take(count).map(f32::from).collect();
                    let (wide, pitch) = (level.wide(), lanes.next_multiple_of(32));
                    let mut planes = vec![f32::NAN; classes * pitch];
                    let to = &mut planes[..];
                    level.run(Apart {
                        wide,
                        rows: &rows,
                        stride,
                        classes,
                        planes: to,
                        pitch,
                        lanes,
                    });
                    for (class, plane) in planes.chunks(pitch).enumerate() {
                        let expected = (0..lanes).map(|lane| rows[lane * stride + class]);
                        let said = format!("{level}: class {class}, {lanes} rows {stride} apart");
                        assert_eq!(plane[..lanes], expected.collect::<Vec<_>>(), "{said}");
                    }
                    if stride == classes {
                        let mut back = vec![f32::NAN; count];
                        let to = &mut back[..];
                        level.run(Together { wide, planes: &planes, pitch, classes, rows: to });
                        assert_eq!(back, rows, "{level}: {lanes} rows of {classes}");
                    }
                }
            }
        }
    }
}
