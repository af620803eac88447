//! Products of matrices: packed panels, and tiles of results that stay in vectors.
//!
//! Every result is a sum over its terms in order, in blocks of `TERMS`, each block a chain of fused multiply-adds;
//! above `SEGMENT` terms, segments are summed apart and added up in order. Neither depends on the vectors' width, on
//! the threads or on how the results are divided among them, so the bits do not either.

use crate::element::Element;
use crate::math::Lane;
use crate::simd::{Level, Soon, Turn, fetch};
use lossmith_core::Error;
use pulp::{Scalar128b, Simd, WithSimd};
use rayon::prelude::*;
use std::ops::Range;

/// Terms of a block.
const TERMS: usize = 256;
/// Terms that are packed at once.
const PACKED: usize = 2 * TERMS;
/// Terms of a segment, where there are more.
const SEGMENT: usize = 4096;
/// Columns that are packed at once.
const PANEL: usize = 256;
/// Rows and columns of a task.
const ROWS: usize = 256;
const COLUMNS: usize = 2048;
/// How many terms ahead what is packed is fetched.
const SOON: usize = 8;
/// Up to so many multiply-adds, one thread is faster than several.
const ALONE: usize = 1 << 18;

/// A matrix as it lies in memory.
#[derive(Clone, Copy, Debug)]
pub struct Matrix<'a, T> {
    /// The elements.
    pub elements: &'a [T],
    /// How far apart rows are, and columns.
    pub strides: [usize; 2],
}

impl<T> Matrix<'_, T> {
    /// The part from that row and column on.
    fn from(self, row: usize, column: usize) -> Self {
        let start = row * self.strides[0] + column * self.strides[1];
        Self { elements: self.elements.get(start..).unwrap_or(&[]), ..self }
    }

    /// Rows and columns exchanged.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { strides: [self.strides[1], self.strides[0]], ..self }
    }
}

/// Writes a · b into `out`, row-major, or adds it where `add` says so; sides are rows, columns and terms.
///
/// # Errors
/// [`Error::Length`] if a matrix or `out` has fewer elements than its sides say.
///
/// ```
/// use lossmith_fused::{Level, gemm::{Matrix, product}};
///
/// let a = Matrix { elements: &[1.0_f32, 2.0, 3.0, 4.0], strides: [2, 1] };
/// let mut out = [0.0; 4];
/// product(Level::detect(), [a, a.turned()], [2, 2, 2], &mut out, false)?;
/// assert_eq!(out, [5.0, 11.0, 11.0, 25.0]);
/// # Ok::<(), lossmith_core::Error>(())
/// ```
pub fn product<T: Element>(
    level: Level,
    [a, b]: [Matrix<'_, T>; 2],
    [rows, columns, terms]: [usize; 3],
    out: &mut [T::Compute],
    add: bool,
) -> Result<(), Error> {
    let enough = |got: usize, [rows, columns]: [usize; 2], [row, column]: [usize; 2]| {
        let last = || (rows - 1).checked_mul(row)?.checked_add((columns - 1).checked_mul(column)?);
        let none = rows == 0 || columns == 0;
        if none || last().is_some_and(|last| last < got) {
            return Ok(());
        }
        let expected = rows.saturating_mul(columns);
        Err(Error::Length { shape: vec![rows, columns], expected, got })
    };
    enough(a.elements.len(), [rows, terms], a.strides)?;
    enough(b.elements.len(), [terms, columns], b.strides)?;
    enough(out.len(), [rows, columns], [columns, 1])?;
    multiply(level, [a, b], [rows, columns, terms], out, add);
    Ok(())
}

/// As [`product`], of matrices that are long enough.
pub(crate) fn multiply<T: Element>(
    level: Level,
    [a, b]: [Matrix<'_, T>; 2],
    [rows, columns, terms]: [usize; 3],
    out: &mut [T::Compute],
    add: bool,
) {
    let out = &mut out[..rows * columns];
    if out.is_empty() {
        return;
    }
    if terms <= SEGMENT {
        let tasks = tasks([a, b], [rows, columns], 0..terms, out, add);
        return run(level, tasks, rows * columns * terms > ALONE);
    }
    let segments = terms.div_ceil(SEGMENT);
    let mut sums = vec![T::Compute::ZERO; segments * out.len()];
    let mut all = Vec::new();
    for (segment, sums) in sums.chunks_mut(out.len()).enumerate() {
        let first = segment * SEGMENT;
        let of = first..terms.min(first + SEGMENT);
        all.extend(tasks([a, b], [rows, columns], of, sums, false));
    }
    run(level, all, true);
    if !add {
        out.fill(T::Compute::ZERO);
    }
    for sums in sums.chunks(out.len()) {
        out.iter_mut().zip(sums).for_each(|(out, &sum)| *out += sum);
    }
}

/// A part of the results, for one thread.
struct Task<'a, 'b, T: Element> {
    /// What it is made of, from its first row, column and term on.
    from: [Matrix<'a, T>; 2],
    terms: usize,
    /// Its part of every row.
    out: Vec<&'b mut [T::Compute]>,
    add: bool,
}

fn tasks<'a, 'b, T: Element>(
    [a, b]: [Matrix<'a, T>; 2],
    [rows, columns]: [usize; 2],
    of: Range<usize>,
    out: &'b mut [T::Compute],
    add: bool,
) -> Vec<Task<'a, 'b, T>> {
    let mut tasks: Vec<Task<'a, 'b, T>> = Vec::new();
    for first in (0..rows).step_by(ROWS) {
        for column in (0..columns).step_by(COLUMNS) {
            let from = [a.from(first, of.start), b.from(of.start, column)];
            tasks.push(Task { from, terms: of.len(), out: Vec::new(), add });
        }
    }
    let across = columns.div_ceil(COLUMNS);
    for (row, out) in out.chunks_mut(columns).enumerate() {
        for (part, out) in out.chunks_mut(COLUMNS).enumerate() {
            tasks[row / ROWS * across + part].out.push(out);
        }
    }
    tasks
}

fn run<T: Element>(level: Level, tasks: Vec<Task<'_, '_, T>>, parallel: bool) {
    let work = |packed: &mut Packed<T::Compute>, task: Task<'_, '_, T>| {
        let work = Work { task, packed };
        match level {
            Level::Baseline => Simd::vectorize(Scalar128b, work),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => match pulp::x86::V3::try_new() {
                Some(simd) => Simd::vectorize(simd, work),
                None => Simd::vectorize(Scalar128b, work),
            },
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => match pulp::x86::V4::try_new() {
                Some(simd) => Simd::vectorize(simd, work),
                None => Simd::vectorize(Scalar128b, work),
            },
        }
    };
    if parallel && tasks.len() > 1 {
        tasks.into_par_iter().with_max_len(1).for_each_init(Packed::default, work);
    } else {
        let mut packed = Packed::default();
        tasks.into_iter().for_each(|task| work(&mut packed, task));
    }
}

/// Where a task packs its panels.
#[derive(Default)]
struct Packed<F> {
    a: Vec<F>,
    b: Vec<F>,
}

struct Work<'a, 'b, 'c, T: Element> {
    task: Task<'a, 'b, T>,
    packed: &'c mut Packed<T::Compute>,
}

impl<T: Element> WithSimd for Work<'_, '_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many sums as leave registers for what they are made of.
        match S::F32_LANES {
            16 => self.tiles::<S, 14, 2>(simd),
            8 => self.tiles::<S, 6, 2>(simd),
            _ => self.tiles::<S, 4, 4>(simd),
        }
    }
}

impl<T: Element> Work<'_, '_, '_, T> {
    /// Tiles of `M` rows and `R` vectors.
    #[inline(always)]
    fn tiles<S: Simd, const M: usize, const R: usize>(self, simd: S) {
        let Self { task, packed } = self;
        let Task { from: [a, b], terms, mut out, add } = task;
        let (rows, columns) = (out.len(), out.first().map_or(0, |row| row.len()));
        let width = R * T::Compute::lanes::<S>();
        if terms == 0 && !add {
            out.iter_mut().for_each(|row| row.fill(T::Compute::ZERO));
        }
        let grow = |of: &mut Vec<T::Compute>, lanes: usize, terms: usize| {
            of.resize(of.len().max(lanes * terms), T::Compute::ZERO);
        };
        grow(&mut packed.a, rows.next_multiple_of(M), terms.min(PACKED));
        grow(&mut packed.b, columns.min(PANEL).next_multiple_of(width), terms.min(TERMS));
        for first in (0..terms).step_by(PACKED) {
            let packing = PACKED.min(terms - first);
            pack(&mut packed.a, M, packing, a.from(0, first), rows);
            for panel in (0..columns).step_by(PANEL) {
                let panel_columns = PANEL.min(columns - panel);
                for block in (0..packing).step_by(TERMS) {
                    let terms = TERMS.min(packing - block);
                    let b = b.from(first + block, panel).turned();
                    pack(&mut packed.b, width, terms, b, panel_columns);
                    let add = add || first + block > 0;
                    for (b, column) in
                        packed.b.chunks_exact(width * terms).zip((0..panel_columns).step_by(width))
                    {
                        let columns = panel + column..panel + panel_columns.min(column + width);
                        for (tile, row) in (0..rows).step_by(M).enumerate() {
                            let out = &mut out[row..rows.min(row + M)];
                            for row in out.iter() {
                                fetch(row, columns.start, width, Soon::Write);
                            }
                            let a = &packed.a[(tile * packing + block) * M..][..M * terms];
                            write(
                                simd,
                                &sums::<T::Compute, S, M, R>(simd, a, b),
                                out,
                                columns.clone(),
                                add,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Writes a tile's sums into the columns of its rows, or adds them.
#[inline(always)]
fn write<F: Multiply, S: Simd, const M: usize, const R: usize>(
    simd: S,
    sums: &[[F::Vector<S>; R]; M],
    out: &mut [&mut [F]],
    columns: Range<usize>,
    add: bool,
) {
    let width = R * F::lanes::<S>();
    for (row, sums) in out.iter_mut().zip(sums) {
        let row = &mut row[columns.clone()];
        if row.len() == width {
            F::store(simd, row, sums, add);
        } else {
            let mut whole = [F::ZERO; 64];
            F::store(simd, &mut whole[..width], sums, false);
            for (out, &sum) in row.iter_mut().zip(&whole) {
                *out = if add { *out + sum } else { sum };
            }
        }
    }
}

/// Writes the rows of a matrix in panels of so many, side by side, term after term; the lanes of a panel beyond the rows
/// stay what they were.
#[inline(always)]
fn pack<T: Element>(
    to: &mut [T::Compute],
    width: usize,
    terms: usize,
    from: Matrix<'_, T>,
    rows: usize,
) {
    let Matrix { elements, strides: [row_step, term_step] } = from;
    if row_step != 1 && rows > 1 {
        for (to, row) in to.chunks_exact_mut(width * terms).zip((0..rows).step_by(width)) {
            panel(to, width, from.from(row, 0), width.min(rows - row));
        }
        return;
    }
    // A term of all panels at once, which lies in one piece.
    for term in 0..terms {
        fetch(elements, (term + SOON) * term_step, rows, Soon::Read);
        let from = &elements[term * term_step..][..rows];
        for (panel, from) in from.chunks(width).enumerate() {
            let to = &mut to[(panel * terms + term) * width..][..from.len()];
            if from.len() == width {
                for lane in 0..width {
                    to[lane] = from[lane].widen();
                }
            } else {
                to.iter_mut().zip(from).for_each(|(to, x)| *to = x.widen());
            }
        }
    }
}

/// A panel of rows that are apart.
#[inline(always)]
fn panel<T: Element>(to: &mut [T::Compute], width: usize, from: Matrix<'_, T>, rows: usize) {
    let Matrix { elements, strides: [row_step, term_step] } = from;
    // Four by four where the terms lie side by side; the last rows once more where there are no others.
    let squares = if term_step == 1 && rows >= 4 { rows } else { 0 };
    let terms = to.len() / width;
    for row in (0..squares).step_by(4) {
        let row = row.min(rows - 4);
        let from = [0, 1, 2, 3].map(|next| &elements[(row + next) * row_step..][..terms]);
        let blocks = from.map(|from| from.as_chunks::<4>());
        let mut to = to.chunks_exact_mut(width);
        let [a, b, c, d] = blocks.map(|(blocks, _)| blocks);
        for (block, (((a, b), c), d)) in a.iter().zip(b).zip(c).zip(d).enumerate() {
            if block % 4 == 0 {
                for next in 4..8 {
                    fetch(elements, (row + next) * row_step + 4 * block, 1, Soon::Read);
                }
            }
            let turned = Turn::turned([a, b, c, d].map(|x| x.map(T::widen)));
            for lanes in turned {
                if let Some(to) = to.next().and_then(|to| to[row..].first_chunk_mut()) {
                    *to = lanes;
                }
            }
        }
        for (term, to) in to.enumerate() {
            if let Some(to) = to[row..].first_chunk_mut() {
                *to = blocks.map(|(_, rest)| rest[term].widen());
            }
        }
    }
    for row in squares..rows {
        for (term, to) in to[row..].iter_mut().step_by(width).enumerate() {
            *to = elements[row * row_step + term * term_step].widen();
        }
    }
}

/// The sums of a tile over a block of terms.
#[inline(always)]
fn sums<F: Multiply, S: Simd, const M: usize, const R: usize>(
    simd: S,
    a: &[F],
    b: &[F],
) -> [[F::Vector<S>; R]; M] {
    let mut sums = [[F::splat(simd, F::ZERO); R]; M];
    let (a, _) = a.as_chunks::<M>();
    let (b, _) = F::vectors::<S>(b).as_chunks::<R>();
    for (a, b) in a.iter().zip(b) {
        for (sums, &a) in sums.iter_mut().zip(a) {
            let a = F::splat(simd, a);
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum = F::fused(simd, a, b, *sum);
            }
        }
    }
    sums
}

/// A format in vectors of any width.
pub trait Multiply: Lane {
    /// The vector.
    type Vector<S: Simd>: Copy;

    /// How many lanes it has.
    fn lanes<S: Simd>() -> usize;
    /// The same in every lane.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
    /// a · b + c, rounded once.
    fn fused<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// A slice as vectors.
    fn vectors<S: Simd>(x: &[Self]) -> &[Self::Vector<S>];
    /// Writes vectors into a slice of as many lanes, or adds them.
    fn store<S: Simd>(simd: S, to: &mut [Self], from: &[Self::Vector<S>], add: bool);
}

macro_rules! multiply {
    ($($format:ident $vector:ident $lanes:ident $splat:ident $mul_add:ident $add:ident $as:ident $as_mut:ident,)*) => {$(
        impl Multiply for $format {
            type Vector<S: Simd> = S::$vector;
            #[inline(always)]
            fn lanes<S: Simd>() -> usize {
                S::$lanes
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, x: Self) -> S::$vector {
                simd.$splat(x)
            }
            #[inline(always)]
            fn fused<S: Simd>(simd: S, a: S::$vector, b: S::$vector, c: S::$vector) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn vectors<S: Simd>(x: &[Self]) -> &[S::$vector] {
                S::$as(x).0
            }
            #[inline(always)]
            fn store<S: Simd>(simd: S, to: &mut [Self], from: &[S::$vector], add: bool) {
                for (to, &from) in S::$as_mut(to).0.iter_mut().zip(from) {
                    *to = if add { simd.$add(*to, from) } else { from };
                }
            }
        }
    )*};
}
multiply! {
    f32 f32s F32_LANES splat_f32s mul_add_f32s add_f32s as_simd_f32s as_mut_simd_f32s,
    f64 f64s F64_LANES splat_f64s mul_add_f64s add_f64s as_simd_f64s as_mut_simd_f64s,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;

    fn numbers(count: usize, by: f64) -> Vec<f64> {
        (0..count).map(|k| (k as f64 * by).sin()).collect()
    }

    #[test]
    fn products_are_right_however_they_lie_and_have_the_same_bits_at_every_level() {
        let sides =
            [[1, 1, 1], [3, 5, 7], [29, 67, 300], [300, 40, 1030], [5, 2100, 9], [7, 33, 9000]];
        for [rows, columns, terms] in sides {
            let (a, b) = (numbers(rows * terms, 0.7), numbers(terms * columns, 1.3));
            for (turn_a, turn_b) in [(false, false), (true, false), (false, true), (true, true)] {
                let lies = |elements, [rows, columns]: [usize; 2], turned| {
                    let strides = if turned { [1, rows] } else { [columns, 1] };
                    Matrix { elements, strides }
                };
                let of = [lies(&a, [rows, terms], turn_a), lies(&b, [terms, columns], turn_b)];
                let at = |of: Matrix<'_, f64>, row, column| of.from(row, column).elements[0];
                let mut best = vec![1.0; rows * columns];
                product(Level::detect(), of, [rows, columns, terms], &mut best, true).unwrap();
                for level in Level::available() {
                    let mut out = vec![1.0; rows * columns];
                    product(level, of, [rows, columns, terms], &mut out, true).unwrap();
                    assert_eq!(out, best, "{level}");
                }
                for (place, got) in best.iter().enumerate() {
                    let (row, column) = (place / columns, place % columns);
                    let exact: f64 =
                        (0..terms).map(|k| at(of[0], row, k) * at(of[1], k, column)).sum();
                    assert!((got - 1.0 - exact).abs() < 1e-11, "{rows} {columns} {terms} {got}");
                }
            }
        }
    }

    #[test]
    fn of_no_terms_is_zero() {
        let none = Matrix::<f32> { elements: &[], strides: [0, 1] };
        let mut out = [1.0; 4];
        product(Level::detect(), [none; 2], [2, 2, 0], &mut out, true).unwrap();
        assert_eq!(out, [1.0; 4]);
        product(Level::detect(), [none; 2], [2, 2, 0], &mut out, false).unwrap();
        assert_eq!(out, [0.0; 4]);
    }

    #[test]
    fn what_is_too_short_is_an_error() {
        let matrix = |count| Matrix { elements: &[1.0_f32; 6][..count], strides: [3, 1] };
        let mut out = [0.0; 4];
        let of = |a, b, out: usize| {
            product(
                Level::detect(),
                [matrix(a), matrix(b).turned()],
                [2, 2, 3],
                &mut vec![0.0; out],
                false,
            )
        };
        assert!(of(6, 6, 4).is_ok());
        for (a, b, out) in [(5, 6, 4), (6, 5, 4), (6, 6, 3)] {
            assert!(of(a, b, out).is_err());
        }
        let far = Matrix { strides: [usize::MAX, 1], ..matrix(6) };
        assert!(product(Level::detect(), [far, matrix(6)], [3, 2, 2], &mut out, false).is_err());
    }
}
