//! Loops over rows side by side: a class of many rows at a time, each loop compiled for every SIMD level.

use crate::chunk::{FEW, SUMS, Slot, Sums, add_up, add_up_products};
use crate::compiled::Belows;
use crate::execute::NONE;
use crate::kernel::{Each, Values};
use crate::math::{Below, Lane};
use crate::program::Op;
use crate::simd::Work;

/// Rows whose exponentials are computed together, of which a pitch is a multiple.
const BESIDE: usize = 32;
/// What an op reads of rows side by side.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a, F> {
    /// A plane for each class, so far apart.
    Planes(&'a [F], usize),
    /// The same for each class.
    Row(&'a [F]),
    /// The same for all rows.
    Classes(&'a [F]),
    Number(F),
}

impl<'a, F: Lane> Source<'a, F> {
    #[inline(always)]
    fn values(self, class: usize, lanes: usize) -> Values<'a, F> {
        match self {
            Self::Planes(planes, step) => Values::Slice(&planes[class * step..][..lanes]),
            Self::Row(row) => Values::Slice(&row[..lanes]),
            Self::Classes(values) => Values::Splat(values[class]),
            Self::Number(number) => Values::Splat(number),
        }
    }

    /// The same, written out where they are all the same.
    #[inline(always)]
    pub(crate) fn slice<'s>(self, class: usize, lanes: usize, spare: &'s mut Slot<F>) -> &'s [F]
    where
        'a: 's,
    {
        match self.values(class, lanes) {
            Values::Slice(slice) => slice,
            Values::Splat(value) => {
                spare.values.fill(value);
                &spare.values[..lanes]
            }
        }
    }
}

/// Room for arguments that are written out.
pub(crate) type Spare<F> = [Slot<F>; 3];

/// What exponentials are computed below, of row values.
pub(crate) struct BelowRows<'a, F> {
    pub(crate) rows: &'a [F],
    pub(crate) out: &'a mut [Belows<F>],
}

impl<F: Lane> Work for BelowRows<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (rows, out) in self.rows.as_chunks::<FEW>().0.iter().zip(self.out) {
            for (lane, &row) in rows.iter().enumerate() {
                let parts = row.below().parts();
                for (out, part) in out.iter_mut().zip(parts) {
                    out[lane] = part;
                }
            }
        }
    }
}

/// An op on rows side by side: some classes of it.
pub(crate) struct Compute<'a, F> {
    pub(crate) op: Op<Source<'a, F>>,
    pub(crate) labels: &'a [Vec<u32>],
    /// What is at these labels instead.
    pub(crate) hit: Option<(usize, Source<'a, F>)>,
    pub(crate) first: usize,
    pub(crate) out: &'a mut [F],
    pub(crate) pitch: usize,
    pub(crate) spare: &'a mut Spare<F>,
}

impl<F: Lane> Work for Compute<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { op, labels, hit, first, out, pitch, spare } = self;
        let [s0, s1, _] = spare;
        if let Op::ExpBelow(a, b) = op {
            exp_below(out, a, first, b.slice(first, pitch, s1), s0);
        }
        for (class, out) in out.chunks_exact_mut(pitch).enumerate() {
            let class = first + class;
            if let Op::AtLabel(at, hit, miss) = op {
                let (hit, miss) = (hit.values(class, pitch), miss.slice(class, pitch, s0));
                at_label(out, &labels[at], class, hit, Some(miss));
            } else if !matches!(op, Op::ExpBelow(..)) {
                Each { op: op.map(|source| source.values(class, pitch)), out }.run();
            }
            if let Some((at, hit)) = hit {
                at_label(out, &labels[at], class, hit.values(class, pitch), None);
            }
        }
    }
}

/// e^(a − b) of some classes, a few rows at a time, whose largest stay in registers.
#[inline(always)]
fn exp_below<F: Lane>(
    out: &mut [F],
    a: Source<'_, F>,
    first: usize,
    largest: &[F],
    spare: &mut Slot<F>,
) {
    let pitch = largest.len();
    for (part, largest) in largest.as_chunks::<BESIDE>().0.iter().enumerate() {
        let [mut l, mut f, mut s, mut c, mut e, mut d] = [[F::ZERO; BESIDE]; 6];
        for row in 0..BESIDE {
            [l[row], f[row], s[row], c[row], e[row], d[row]] = largest[row].below().parts();
        }
        for (class, out) in out.chunks_exact_mut(pitch).enumerate() {
            let a = &a.slice(first + class, pitch, spare)[part * BESIDE..][..BESIDE];
            let out = &mut out[part * BESIDE..][..BESIDE];
            for row in 0..BESIDE {
                let below = Below::of([l[row], f[row], s[row], c[row], e[row], d[row]]);
                out[row] = a[row].exp_below(below);
            }
        }
    }
}

/// At the rows whose label a class is one value, elsewhere another: where none is given, what is there.
#[inline(always)]
fn at_label<F: Lane>(
    out: &mut [F],
    labels: &[u32],
    class: usize,
    hit: Values<'_, F>,
    miss: Option<&[F]>,
) {
    let class = u32::try_from(class).unwrap_or(NONE);
    match (hit, miss) {
        (Values::Splat(hit), Some(miss)) => {
            for (out, (&label, &miss)) in out.iter_mut().zip(labels.iter().zip(miss)) {
                *out = Lane::select(label == class, hit, miss);
            }
        }
        (Values::Slice(hit), Some(miss)) => {
            let values = labels.iter().zip(hit.iter().zip(miss));
            for (out, (&label, (&hit, &miss))) in out.iter_mut().zip(values) {
                *out = Lane::select(label == class, hit, miss);
            }
        }
        (Values::Splat(hit), None) => {
            for (out, &label) in out.iter_mut().zip(labels) {
                *out = Lane::select(label == class, hit, *out);
            }
        }
        (Values::Slice(hit), None) => {
            for (out, (&label, &hit)) in out.iter_mut().zip(labels.iter().zip(hit)) {
                *out = Lane::select(label == class, hit, *out);
            }
        }
    }
}

/// A reduction of rows side by side.
pub(crate) struct Reduction<'a, F> {
    pub(crate) what: Reduced<'a, F>,
    pub(crate) classes: usize,
    /// So many lanes are there, and so many count.
    pub(crate) pitch: usize,
    pub(crate) lanes: usize,
    pub(crate) spare: &'a mut Spare<F>,
}

/// What is reduced, and into what: along the classes into as many as there are rows, or everything into folds.
pub(crate) enum Reduced<'a, F> {
    Sum(&'a mut [f64], Source<'a, F>),
    Max(&'a mut [F], Source<'a, F>),
    /// A sum of products, weighed where the flag says so.
    SumOfProducts(&'a mut [f64], [Source<'a, F>; 2], bool),
    /// The value where the class is the label.
    Pick(&'a mut [f64], Source<'a, F>, &'a [u32]),
    FoldSum(&'a mut Sums, Source<'a, F>),
    FoldMax(&'a mut f64, Source<'a, F>),
    FoldOfProducts(&'a mut Sums, [Source<'a, F>; 2], bool),
}

impl<F: Lane> Work for Reduction<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { mut what, classes, pitch, lanes, spare } = self;
        let [s0, s1, lost] = spare;
        let lost = &mut lost.values;
        lost.fill(F::ZERO);
        for class in 0..classes {
            match &mut what {
                Reduced::Sum(sums, x) => {
                    let values = x.slice(class, pitch, s0).iter();
                    for ((sum, lost), x) in sums.iter_mut().zip(&mut *lost).zip(values) {
                        add(sum, lost, x.to_f64());
                    }
                }
                Reduced::Max(largest, x) => {
                    for (largest, &x) in largest.iter_mut().zip(x.slice(class, pitch, s0)) {
                        *largest = largest.max(x);
                    }
                }
                Reduced::SumOfProducts(sums, [a, b], weighed) => {
                    let (a, b) = (a.slice(class, pitch, s0), b.slice(class, pitch, s1));
                    let sums = sums.iter_mut().zip(&mut *lost);
                    for ((sum, lost), (&a, &b)) in sums.zip(a.iter().zip(b)) {
                        let product = if *weighed { a.weigh(b) } else { a * b };
                        add(sum, lost, product.to_f64());
                    }
                }
                Reduced::Pick(picked, x, labels) => {
                    let class_here = u32::try_from(class).unwrap_or(NONE);
                    let values = x.slice(class, pitch, s0).iter().zip(*labels);
                    for (out, (x, &label)) in picked.iter_mut().zip(values) {
                        *out = if label == class_here { x.to_f64() } else { *out };
                    }
                }
                Reduced::FoldSum(sums, x) => {
                    let x = &x.slice(class, pitch, s0)[..lanes];
                    if F::WIDE {
                        add_all(sums, lost, x.iter().map(|x| x.to_f64()));
                    } else {
                        add_up(sums, x);
                    }
                }
                Reduced::FoldMax(most, x) => {
                    for x in &x.slice(class, pitch, s0)[..lanes] {
                        **most = most.max(x.to_f64());
                    }
                }
                Reduced::FoldOfProducts(sums, [a, b], weighed) => {
                    let [a, b] = [a.slice(class, pitch, s0), b.slice(class, pitch, s1)];
                    let [a, b] = [&a[..lanes], &b[..lanes]];
                    if F::WIDE {
                        let product =
                            |(a, b): (&F, &F)| if *weighed { a.weigh(*b) } else { *a * *b };
                        add_all(sums, lost, a.iter().zip(b).map(product).map(F::to_f64));
                    } else {
                        add_up_products(sums, [a, b], *weighed);
                    }
                }
            }
        }
        let sums: &mut [f64] = match what {
            Reduced::Sum(sums, _) | Reduced::SumOfProducts(sums, ..) => sums,
            Reduced::FoldSum(sums, _) | Reduced::FoldOfProducts(sums, ..) => sums,
            Reduced::Max(..) | Reduced::Pick(..) | Reduced::FoldMax(..) => return,
        };
        if !F::WIDE {
            return;
        }
        for (sum, &lost) in sums.iter_mut().zip(&*lost) {
            // Of a sum that is not finite, what it has lost is not a number.
            *sum += if lost.abs() < F::INFINITY { lost.to_f64() } else { 0.0 };
        }
    }
}

/// Adds the values to running sums, each to that of its lane.
#[inline(always)]
fn add_all<F: Lane>(sums: &mut Sums, lost: &mut [F], x: impl Iterator<Item = f64>) {
    for (lane, x) in x.enumerate() {
        add(&mut sums[lane % SUMS], &mut lost[lane % SUMS], x);
    }
}

/// Adds a number to a sum; what the sum loses is kept, where it has no more digits than what is added.
#[inline(always)]
fn add<F: Lane>(sum: &mut f64, lost: &mut F, x: f64) {
    let next = *sum + x;
    if F::WIDE {
        let taken = next - *sum;
        let here = (*sum - (next - taken)) + (x - taken);
        *lost += F::from_f64(here);
    }
    *sum = next;
}
