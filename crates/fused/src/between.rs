//! What is done between passes: products of matrices, and sums and maxima across rows.

use crate::chunk::{LANES, SUMS, add_up, tree};
use crate::element::Element;
use crate::gemm::{self, Matrix};
use crate::math::Lane;
use crate::simd::{Level, Work};
use crate::walk::dense;
use lossmith_core::op::Reduce;
use lossmith_core::strided::gather;
use rayon::prelude::*;
use std::borrow::Cow;

/// Columns that are reduced at once, and about as many elements.
const COLUMNS: usize = 4096;
const ELEMENTS: usize = 1 << 18;

/// A tensor as it is read: its elements, how far apart neighbours are, and its sides.
#[derive(Debug)]
pub(crate) struct Tensor<'a, T: Clone> {
    pub(crate) elements: Cow<'a, [T]>,
    pub(crate) strides: [usize; 3],
    pub(crate) sides: [usize; 3],
}

impl<T: Copy> Tensor<'_, T> {
    /// Its rows against its classes and inner positions, as far apart as those of one matrix: a copy where they are not.
    fn matrix(self) -> Self {
        let ([_, class, inner], [_, classes, positions]) = (self.strides, self.sides);
        let even = positions == 1 || classes == 1 || class == inner * positions;
        let column = if positions == 1 { class } else { inner };
        let (elements, strides) = if even {
            (self.elements, [self.strides[0], column, 0])
        } else {
            let columns = classes * positions;
            let elements = gather(&self.elements, &self.strides, &self.sides);
            (elements.into(), [columns, 1, 0])
        };
        Self { elements, strides, sides: self.sides }
    }
}

/// The product of matrices, written or added in their own format, or in the one they are computed in.
pub(crate) fn multiply<T: Element>(
    level: Level,
    operands: [(Tensor<'_, T>, bool); 2],
    out: &mut [T],
    wide: &mut Vec<T::Compute>,
    (add, last): (bool, bool),
) {
    let operands = operands.map(|(tensor, turned)| (tensor.matrix(), turned));
    let [a, b] = &operands;
    let side = |(tensor, turned): &(Tensor<'_, T>, bool), column: bool| {
        let [rows, classes, inner] = tensor.sides;
        if *turned == column { rows } else { classes * inner }
    };
    let sides = [side(a, false), side(b, true), side(a, true)];
    let matrices = [a, b].map(|(tensor, turned)| {
        let [row, column, _] = tensor.strides;
        let matrix = Matrix { elements: &tensor.elements, strides: [row, column] };
        if *turned { matrix.turned() } else { matrix }
    });
    if let Some(out) = T::as_computed_mut(out) {
        return gemm::multiply(level, matrices, sides, out, add);
    }
    wide.resize(out.len(), T::Compute::ZERO);
    gemm::multiply(level, matrices, sides, wide, add);
    if last {
        out.iter_mut().zip(&*wide).for_each(|(out, &sum)| *out = T::narrow(sum));
    }
}

/// Reduces every column of the batch axis into what is there already, in `f64`.
pub(crate) fn across<T: Element>(level: Level, op: Reduce, of: Tensor<'_, T>, into: &mut [f64]) {
    let of = of.matrix();
    let ([row, column, _], [rows, ..], columns) = (of.strides, of.sides, into.len());
    let width = COLUMNS.min(columns.max(1));
    let height = (ELEMENTS / width).max(1);
    // The blocks of rows of a strip one after the other, the strips by any thread.
    let strip = |(strip, into): (usize, &mut [f64])| {
        let part = |first: usize| {
            let mut part = vec![empty(op); into.len()];
            let elements = &of.elements[first * row + strip * width * column..];
            let rows = height.min(rows - first);
            level.run(Columns { op, elements, row, column, rows, into: &mut part });
            part
        };
        let firsts: Vec<usize> = (0..rows).step_by(height).collect();
        let parts: Vec<_> = firsts.into_par_iter().map(part).collect();
        for part in parts {
            for (into, part) in into.iter_mut().zip(part) {
                *into = joined(op, *into, part);
            }
        }
    };
    into.par_chunks_mut(width).enumerate().for_each(strip);
}

/// What nothing reduces to.
pub(crate) fn empty(op: Reduce) -> f64 {
    match op {
        Reduce::Sum => 0.0,
        Reduce::Max => f64::NEG_INFINITY,
    }
}

/// Two parts of a reduction.
pub(crate) fn joined(op: Reduce, a: f64, b: f64) -> f64 {
    match op {
        Reduce::Sum => a + b,
        Reduce::Max => Lane::max(a, b),
    }
}

struct Columns<'a, T> {
    op: Reduce,
    elements: &'a [T],
    row: usize,
    column: usize,
    rows: usize,
    into: &'a mut [f64],
}

impl<T: Element> Work for Columns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for row in 0..self.rows {
            let elements = &self.elements[row * self.row..];
            if self.column == 1 {
                let both = self.into.iter_mut().zip(elements);
                both.for_each(|(into, x)| *into = joined(self.op, *into, x.widen().to_f64()));
            } else {
                for (column, into) in self.into.iter_mut().enumerate() {
                    *into = joined(self.op, *into, elements[column * self.column].widen().to_f64());
                }
            }
        }
    }
}

/// Reduces the inner positions of every batch and class.
pub(crate) fn inward<T: Element>(level: Level, op: Reduce, of: &Tensor<'_, T>, out: &mut [T]) {
    let ([_, classes, inner], [batch, class, step]) = (of.sides, of.strides);
    out.par_iter_mut().enumerate().for_each(|(row, out)| {
        let start = row / classes * batch + row % classes * class;
        *out = T::of(level.run(Inner { op, elements: &of.elements[start..], step, inner }));
    });
}

struct Inner<'a, T> {
    op: Reduce,
    elements: &'a [T],
    step: usize,
    inner: usize,
}

impl<T: Element> Work for Inner<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run(self) -> f64 {
        let Self { op, elements, step, inner } = self;
        let mut parts = [empty(op); SUMS];
        for first in (0..inner).step_by(LANES) {
            let lanes = LANES.min(inner - first);
            if step == 1 && op == Reduce::Sum {
                let mut values = [T::Compute::ZERO; LANES];
                let from = &elements[first..first + lanes];
                values.iter_mut().zip(from).for_each(|(value, x)| *value = x.widen());
                add_up(&mut parts, &values[..lanes]);
            } else {
                for lane in 0..lanes {
                    let x = elements[(first + lane) * step].widen().to_f64();
                    parts[lane % SUMS] = joined(op, parts[lane % SUMS], x);
                }
            }
        }
        tree(&mut parts, |a, b| joined(op, a, b))
    }
}

/// A number as a tensor that fills its sides, or elements with strides of their own.
pub(crate) fn everywhere<T: Clone>(value: T, sides: [usize; 3]) -> Tensor<'static, T> {
    Tensor { elements: vec![value].into(), strides: [0; 3], sides }
}

/// Elements in row-major order.
pub(crate) fn row_major<T: Clone>(elements: &[T], sides: [usize; 3]) -> Tensor<'_, T> {
    Tensor { elements: elements.into(), strides: dense(sides), sides }
}
