//! Values of which there is one a row: how they are computed, in `f64`, and what is read where labels are.

use crate::element::Element;
use crate::execute::{Classes, Ground, NONE, Scratch};
use crate::kernel::{Each, Values};
use crate::math::Lane;
use crate::program::{Arg, RowOp};
use crate::simd::Work;
use crate::walk::Block;
use lossmith_core::Labels;
use std::mem::take;

/// Row values that a vector loop takes at a time.
const WHOLE: usize = 32;

impl<T: Element> Ground<'_, T> {
    pub(crate) fn row_values<'s>(
        &'s self,
        arg: Arg,
        positions: usize,
        scratch: &'s Scratch<T::Compute>,
    ) -> Values<'s, f64> {
        match arg {
            Arg::Row(place) => Values::Slice(&scratch.rows[place][..positions]),
            Arg::Number(index) => Values::Splat(self.numbers[index]),
            Arg::Class(_) | Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => {
                Values::Splat(f64::NAN)
            }
        }
    }

    pub(crate) fn row_value(
        &self,
        op: RowOp,
        place: usize,
        block: &Block,
        positions: usize,
        classes: &Classes<T::Compute>,
        scratch: &mut Scratch<T::Compute>,
    ) {
        let mut out = take(&mut scratch.rows[place]);
        match op {
            RowOp::Op(op) => {
                // To whole vectors: what a loop has left over goes one by one.
                let positions = positions.next_multiple_of(WHOLE).min(out.len());
                let target = &mut out[..positions];
                let op = op.map(|arg| self.row_values(arg, positions, scratch));
                self.level.run(Each { op, out: target });
            }
            RowOp::Input(input) => {
                let target = &mut out[..positions];
                let seen = &self.inputs[input];
                let (start, stride) =
                    self.walk.positions_of(block, self.walk.strides(seen.strides));
                for (position, out) in target.iter_mut().enumerate() {
                    *out = seen.elements[start + position * stride].widen().to_f64();
                }
            }
            RowOp::Pick(labels, arg) => {
                let of = match arg {
                    Arg::Input(input) => {
                        let seen = &self.inputs[input];
                        let own = self.walk.strides(seen.strides);
                        let (start, row) = self.walk.positions_of(block, own);
                        Of::Elements(&seen.elements[start..], [own[1], row])
                    }
                    Arg::Class(place) => Of::Classes(&classes.exact[place]),
                    Arg::Number(_) | Arg::Row(_) | Arg::Slot(_) | Arg::Stored(_) => {
                        Of::Rows(self.row_values(arg, positions, scratch))
                    }
                };
                let labels = &scratch.labels[labels];
                self.level.run(Picked { labels, of, out: &mut out[..positions] });
            }
            RowOp::Labelled(labels, arg) => {
                let of = Of::<T>::Rows(self.row_values(arg, positions, scratch));
                let labels = &scratch.labels[labels];
                self.level.run(Picked { labels, of, out: &mut out[..positions] });
            }
        }
        scratch.rows[place] = out;
    }
}

/// The labels of rows as they are compared with classes.
pub(crate) struct Small<'a> {
    pub(crate) labels: &'a Labels<'a>,
    pub(crate) first: usize,
    pub(crate) out: &'a mut [u32],
}

impl Work for Small<'_> {
    type Output = ();

    #[inline(always)]
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a class of a walk like this is far below 2^32"
    )]
    fn run(self) {
        let classes = self.labels.sides()[1].min(NONE as usize) as u64;
        let ignore_index = self.labels.ignore_index().unwrap_or(-1);
        // Labels of another frame, which this pass does not read, may be fewer.
        let indices = self.labels.indices().get(self.first..).unwrap_or_default();
        for (out, &index) in self.out.iter_mut().zip(indices) {
            let none = index.cast_unsigned() >= classes || index == ignore_index;
            *out = if none { NONE } else { index as u32 };
        }
    }
}

/// What rows have at their labels, 0 where they have none.
pub(crate) struct Picked<'a, T: Element> {
    pub(crate) labels: &'a [u32],
    pub(crate) of: Of<'a, T>,
    pub(crate) out: &'a mut [f64],
}

pub(crate) enum Of<'a, T> {
    /// The element of the row, where classes and rows are so far apart.
    Elements(&'a [T], [usize; 2]),
    /// The value of the class.
    Classes(&'a [f64]),
    /// The value of the row.
    Rows(Values<'a, f64>),
}

impl<T: Element> Work for Picked<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { labels, of, out } = self;
        match of {
            Of::Elements(elements, [class, step]) => {
                for (row, (out, &label)) in out.iter_mut().zip(labels).enumerate() {
                    let none = label == NONE;
                    let at = if none { 0 } else { label as usize * class + row * step };
                    let picked = elements[at].widen().to_f64();
                    *out = if none { 0.0 } else { picked };
                }
            }
            Of::Classes(values) => {
                for (out, &label) in out.iter_mut().zip(labels) {
                    *out = values.get(label as usize).copied().unwrap_or(0.0);
                }
            }
            Of::Rows(Values::Splat(value)) => {
                for (out, &label) in out.iter_mut().zip(labels) {
                    *out = if label == NONE { 0.0 } else { value };
                }
            }
            Of::Rows(Values::Slice(values)) => {
                for (out, (&label, &value)) in out.iter_mut().zip(labels.iter().zip(values)) {
                    *out = if label == NONE { 0.0 } else { value };
                }
            }
        }
    }
}
