//! Runs a pass block by block, each on whatever thread is free.

use crate::element::Element;
use crate::kernel::{self, Values};
use crate::math::Lane;
use crate::program::{Arg, FullOp, Op, Pass, RowOp, Stage};
use crate::simd::Level;
use crate::walk::{Along, Block, LANES_AT_ONCE, Walk};
use lossmith_core::Labels;
use lossmith_core::accumulate::LANES;
use lossmith_core::op::Reduce;
use lossmith_core::strided::Seen;
use rayon::prelude::*;
use std::mem::take;
use std::sync::Mutex;

/// What a pass reads.
pub(crate) struct Ground<'a, T: Element> {
    pub(crate) level: Level,
    pub(crate) pass: &'a Pass,
    pub(crate) walk: Walk,
    /// The classes of the frame, which weights have whether or not the walk does.
    pub(crate) classes: usize,
    pub(crate) inputs: &'a [Seen<'a, T>],
    pub(crate) labels: &'a [Labels],
    pub(crate) numbers: &'a [f64],
}

/// Memory that a block works in, used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch<F> {
    slots: Vec<Vec<F>>,
    stored: Vec<Vec<F>>,
    loaded: Vec<Vec<F>>,
    spare: [Vec<F>; 4],
    rows: Vec<Vec<f64>>,
    row_spare: [Vec<f64>; 4],
    narrow: Vec<Vec<F>>,
    labels: Vec<Vec<u32>>,
    sums: Vec<[f64; LANES]>,
    largest: Vec<F>,
}

/// Where the part of an output that a block makes is.
#[derive(Debug)]
pub(crate) enum Part<'a, T> {
    /// In one piece.
    Whole(&'a mut [T]),
    /// A piece a class.
    Planes(Vec<&'a mut [T]>),
}

/// A class with no label in it.
const NONE: u32 = u32::MAX;

/// Class values, in `f64` and in the format of full values.
struct Classes<F> {
    exact: Vec<Vec<f64>>,
    narrow: Vec<Vec<F>>,
}

impl<T: Element> Ground<'_, T> {
    /// Runs the pass; gives its folds.
    pub(crate) fn run(
        &self,
        outputs: Vec<(usize, &mut [T])>,
        pool: &Mutex<Vec<Scratch<T::Compute>>>,
        parallel: bool,
    ) -> Vec<f64> {
        // Of nothing there are no blocks, and outputs that are empty.
        let empty = self.walk.sides.contains(&0);
        let blocks = if empty { 0 } else { self.walk.blocks() };
        let outputs = if empty { Vec::new() } else { outputs };
        let folds = self.pass.folds.len();
        let classes = self.classes();
        let mut partials = vec![0.0; blocks * folds.max(1)];
        let mut parts: Vec<Vec<(usize, Part<'_, T>)>> = (0..blocks).map(|_| Vec::new()).collect();
        for (place, output) in outputs {
            let of_row = self.pass.row_outputs.iter().any(|(row, _)| *row == place);
            for (block, part) in self.parts(output, of_row).into_iter().enumerate() {
                parts[block].push((place, part));
            }
        }
        let work = |(index, (mut parts, partials)): (usize, (Vec<_>, &mut [f64]))| {
            let own = pool.lock().ok().and_then(|mut pool| pool.pop());
            let mut scratch = own.unwrap_or_default();
            self.block(index, &classes, &mut scratch, &mut parts, partials);
            if let Ok(mut pool) = pool.lock() {
                pool.push(scratch);
            }
        };
        if parallel && blocks > 1 {
            let partials = partials.par_chunks_mut(folds.max(1));
            parts.into_par_iter().zip(partials).enumerate().for_each(work);
        } else {
            let partials = partials.chunks_mut(folds.max(1));
            parts.into_iter().zip(partials).enumerate().for_each(work);
        }
        let whole = |(place, &(_, op)): (usize, &(usize, Reduce))| {
            let of_blocks = partials.chunks(folds.max(1)).map(|partials| partials[place]);
            match op {
                Reduce::Sum => of_blocks.sum::<f64>() + 0.0,
                Reduce::Max => of_blocks.fold(f64::NEG_INFINITY, Lane::max),
            }
        };
        self.pass.folds.iter().enumerate().map(whole).collect()
    }

    /// An output in the parts that the blocks make.
    fn parts<'b>(&self, output: &'b mut [T], of_row: bool) -> Vec<Part<'b, T>> {
        let Walk { sides: [_, classes, inner], span, .. } = self.walk;
        match self.walk.along {
            Along::Inner if !of_row => {
                let parts = self.walk.parts();
                let mut planes: Vec<Vec<&mut [T]>> = Vec::new();
                for (index, plane) in output.chunks_mut(inner).enumerate() {
                    if index % classes == 0 {
                        planes.extend((0..parts).map(|_| Vec::with_capacity(classes)));
                    }
                    let first = planes.len() - parts;
                    for (part, piece) in plane.chunks_mut(span).enumerate() {
                        planes[first + part].push(piece);
                    }
                }
                planes.into_iter().map(Part::Planes).collect()
            }
            Along::Inner => {
                let rows = output.chunks_mut(inner);
                rows.flat_map(|row| row.chunks_mut(span)).map(Part::Whole).collect()
            }
            Along::Classes | Along::Batch => {
                let size = if of_row { span } else { span * classes };
                output.chunks_mut(size).map(Part::Whole).collect()
            }
        }
    }

    fn number<F: Lane>(&self, index: usize) -> F {
        F::from_f64(self.numbers[index])
    }

    /// The class values: of weights and what is made of them.
    fn classes(&self) -> Classes<T::Compute> {
        let mut exact: Vec<Vec<f64>> = vec![Vec::new(); self.pass.class_values];
        let mut spare: [Vec<f64>; 4] = Default::default();
        for &(op, place) in &self.pass.classes {
            let mut out = vec![0.0; self.classes];
            match op {
                Err(input) => {
                    let seen = &self.inputs[input];
                    let [_, stride, _] = self.walk.strides(seen.strides);
                    for (class, out) in out.iter_mut().enumerate() {
                        *out = seen.elements[class * stride].widen().to_f64();
                    }
                }
                Ok(op) => {
                    let values = |arg| match arg {
                        Arg::Class(place) => Values::Slice(exact[place].as_slice()),
                        Arg::Number(index) => Values::Splat(self.numbers[index]),
                        Arg::Row(_) | Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => {
                            Values::Splat(f64::NAN)
                        }
                    };
                    compute(self.level, op, &mut out, values, &mut spare);
                }
            }
            exact[place] = out;
        }
        let narrow = exact.iter().map(|exact| {
            let mut narrow = vec![T::Compute::ZERO; exact.len()];
            kernel::narrow(self.level, &mut narrow, exact);
            narrow
        });
        Classes { narrow: narrow.collect(), exact }
    }

    fn block(
        &self,
        index: usize,
        classes: &Classes<T::Compute>,
        scratch: &mut Scratch<T::Compute>,
        parts: &mut [(usize, Part<'_, T>)],
        partials: &mut [f64],
    ) {
        let block = self.walk.block(index);
        let positions = self.walk.positions(&block);
        self.prepare(scratch, &block, positions);
        let mut folds = vec![[0.0; LANES]; self.pass.folds.len()];
        let mut largest = vec![f64::NEG_INFINITY; self.pass.folds.len()];
        for stage in &self.pass.stages {
            for &(op, place) in &stage.rows {
                self.row_value(op, place, &block, positions, classes, scratch);
            }
            if self.walk.along != Along::Classes {
                for &place in &stage.narrowed {
                    let out = &mut scratch.narrow[place][..positions];
                    kernel::narrow(self.level, out, &scratch.rows[place][..positions]);
                }
            }
            if !stage.full.is_empty() {
                self.start(stage, scratch, positions);
                for row in 0..block.rows {
                    let mut first = 0;
                    while first < block.lanes {
                        let lanes = LANES_AT_ONCE.min(block.lanes - first);
                        let at = Place { block: &block, row, first, lanes };
                        self.load(stage, &at, scratch);
                        for &op in &stage.full {
                            self.full(op, &at, classes, scratch, parts, (&mut folds, &mut largest));
                        }
                        first += lanes;
                    }
                    if self.walk.along == Along::Classes {
                        Self::finish_row(stage, row, scratch);
                    }
                }
            }
        }
        for &(fold, arg) in &self.pass.row_folds {
            let mut spare = take(&mut scratch.row_spare[0]);
            let values = self.row_values(arg, positions, classes, scratch);
            let values = as_slice(values, &mut spare, positions);
            match self.pass.folds[fold].1 {
                Reduce::Sum => kernel::sum(self.level, &mut folds[fold], values),
                Reduce::Max => largest[fold] = kernel::max(self.level, largest[fold], values),
            }
            scratch.row_spare[0] = spare;
        }
        for &(output, arg) in &self.pass.row_outputs {
            let mut spare = take(&mut scratch.row_spare[0]);
            let values = self.row_values(arg, positions, classes, scratch);
            let values = as_slice(values, &mut spare, positions);
            if let Some((_, Part::Whole(out))) = parts.iter_mut().find(|(place, _)| *place == output) {
                for (out, &value) in out.iter_mut().zip(values) {
                    *out = T::of(value);
                }
            }
            scratch.row_spare[0] = spare;
        }
        for (place, partial) in partials.iter_mut().take(self.pass.folds.len()).enumerate() {
            *partial = match self.pass.folds[place].1 {
                Reduce::Sum => kernel::total(folds[place]),
                Reduce::Max => largest[place],
            };
        }
    }

    /// Makes the scratch as large as the block needs.
    fn prepare(&self, scratch: &mut Scratch<T::Compute>, block: &Block, positions: usize) {
        fn grow<N: Copy>(of: &mut Vec<Vec<N>>, count: usize, size: usize, zero: N) {
            of.resize_with(of.len().max(count), Vec::new);
            for one in of.iter_mut().take(count).filter(|one| one.len() < size) {
                one.resize(size, zero);
            }
        }
        let zero = T::Compute::ZERO;
        let at_once = LANES_AT_ONCE.min(block.lanes);
        grow(&mut scratch.slots, self.pass.slots, at_once, zero);
        grow(&mut scratch.loaded, self.inputs.len(), at_once, zero);
        grow(&mut scratch.stored, self.pass.stored, block.rows * block.lanes, zero);
        grow(&mut scratch.rows, self.pass.row_values, positions, 0.0);
        if self.walk.along != Along::Classes {
            grow(&mut scratch.narrow, self.pass.row_values, positions, zero);
            if self.pass.by_row {
                scratch.labels.resize_with(self.labels.len(), Vec::new);
                let first = self.walk.first_position(block);
                for (out, labels) in scratch.labels.iter_mut().zip(self.labels) {
                    let rows = labels.rows().get(first..first + positions).unwrap_or(&[]);
                    out.clear();
                    out.extend(rows.iter().map(|label| {
                        label.and_then(|label| u32::try_from(label).ok()).unwrap_or(NONE)
                    }));
                }
            }
        }
        scratch.sums.resize(self.pass.row_values, [0.0; LANES]);
        scratch.largest.resize(self.pass.row_values, zero);
    }

    /// The label of a position in a block.
    fn label(&self, labels: usize, block: &Block, position: usize) -> Option<usize> {
        let at = self.walk.first_position(block) + position;
        self.labels[labels].rows().get(at).copied().flatten()
    }

    fn row_values<'s>(
        &'s self,
        arg: Arg,
        positions: usize,
        classes: &'s Classes<T::Compute>,
        scratch: &'s Scratch<T::Compute>,
    ) -> Values<'s, f64> {
        let _ = classes;
        match arg {
            Arg::Row(place) => Values::Slice(&scratch.rows[place][..positions]),
            Arg::Number(index) => Values::Splat(self.numbers[index]),
            Arg::Class(_) | Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => {
                Values::Splat(f64::NAN)
            }
        }
    }

    fn row_value(
        &self,
        op: RowOp,
        place: usize,
        block: &Block,
        positions: usize,
        classes: &Classes<T::Compute>,
        scratch: &mut Scratch<T::Compute>,
    ) {
        let mut out = take(&mut scratch.rows[place]);
        let target = &mut out[..positions];
        match op {
            RowOp::Op(op) => {
                let mut spare = take(&mut scratch.row_spare);
                let values = |arg| self.row_values(arg, positions, classes, scratch);
                compute(self.level, op, target, values, &mut spare);
                scratch.row_spare = spare;
            }
            RowOp::Input(input) => {
                let seen = &self.inputs[input];
                let (start, stride) =
                    self.walk.positions_of(block, self.walk.strides(seen.strides));
                for (position, out) in target.iter_mut().enumerate() {
                    *out = seen.elements[start + position * stride].widen().to_f64();
                }
            }
            RowOp::Pick(labels, Arg::Input(input)) => {
                let seen = &self.inputs[input];
                let own = self.walk.strides(seen.strides);
                let (start, stride) = self.walk.positions_of(block, own);
                for (position, out) in target.iter_mut().enumerate() {
                    let label = self.label(labels, block, position);
                    let at = |class: usize| start + position * stride + class * own[1];
                    *out = label.map_or(0.0, |class| seen.elements[at(class)].widen().to_f64());
                }
            }
            RowOp::Pick(labels, arg) => {
                let of_class = |class: usize| match arg {
                    Arg::Class(place) => classes.exact[place][class],
                    Arg::Number(index) => self.numbers[index],
                    Arg::Row(_) | Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => f64::NAN,
                };
                for (position, out) in target.iter_mut().enumerate() {
                    *out = self.label(labels, block, position).map_or(0.0, of_class);
                }
            }
            RowOp::Labelled(labels, arg) => {
                let values = self.row_values(arg, positions, classes, scratch);
                for (position, out) in target.iter_mut().enumerate() {
                    let has = self.label(labels, block, position).is_some();
                    *out = if has { kernel::at(values, position) } else { 0.0 };
                }
            }
        }
        scratch.rows[place] = out;
    }

    /// Empties what the reductions of a stage add up in.
    fn start(&self, stage: &Stage, scratch: &mut Scratch<T::Compute>, positions: usize) {
        for op in &stage.full {
            match *op {
                FullOp::Reduce(op, _, row) => {
                    scratch.sums[row] = [0.0; LANES];
                    scratch.largest[row] = -T::Compute::INFINITY;
                    let empty = match op {
                        Reduce::Sum => 0.0,
                        Reduce::Max => f64::NEG_INFINITY,
                    };
                    scratch.rows[row][..positions].fill(empty);
                }
                FullOp::Pick(_, _, row) => scratch.rows[row][..positions].fill(0.0),
                FullOp::Op(..) | FullOp::Fold(..) | FullOp::Output(..) => {}
            }
        }
    }

    /// Brings the inputs of a stage to where they can be computed with, if they are not there.
    fn load(&self, stage: &Stage, at: &Place<'_>, scratch: &mut Scratch<T::Compute>) {
        for &input in &stage.inputs {
            let seen = &self.inputs[input];
            let own = self.walk.strides(seen.strides);
            let (start, stride) = self.walk.row(at.block, at.row, own);
            if stride == 0 || (stride == 1 && T::as_computed(&[]).is_some()) {
                continue;
            }
            let start = start + at.first * stride;
            let out = &mut scratch.loaded[input][..at.lanes];
            if stride == 1 {
                let elements = &seen.elements[start..start + at.lanes];
                kernel::widen(self.level, out, elements);
            } else {
                let elements = seen.elements[start..].iter().step_by(stride);
                for (out, element) in out.iter_mut().zip(elements) {
                    *out = element.widen();
                }
            }
        }
    }

    fn values<'s>(
        &'s self,
        arg: Arg,
        at: &Place<'_>,
        classes: &'s Classes<T::Compute>,
        scratch: &'s Scratch<T::Compute>,
    ) -> Values<'s, T::Compute> {
        let lanes = at.first..at.first + at.lanes;
        let along_classes = self.walk.along == Along::Classes;
        match arg {
            Arg::Number(index) => Values::Splat(self.number(index)),
            Arg::Class(place) if along_classes => Values::Slice(&classes.narrow[place][lanes]),
            Arg::Class(place) => Values::Splat(classes.narrow[place][at.row]),
            Arg::Row(place) if along_classes => {
                Values::Splat(T::Compute::from_f64(scratch.rows[place][at.row]))
            }
            Arg::Row(place) => Values::Slice(&scratch.narrow[place][lanes]),
            Arg::Slot(slot) => Values::Slice(&scratch.slots[slot][..at.lanes]),
            Arg::Stored(place) => {
                let start = at.row * at.block.lanes;
                Values::Slice(&scratch.stored[place][start + lanes.start..start + lanes.end])
            }
            Arg::Input(input) => {
                let seen = &self.inputs[input];
                let (start, stride) =
                    self.walk.row(at.block, at.row, self.walk.strides(seen.strides));
                if stride == 0 {
                    return Values::Splat(seen.elements[start].widen());
                }
                let direct = || T::as_computed(&seen.elements[start + at.first..][..at.lanes]);
                match (stride == 1).then(direct).flatten() {
                    Some(elements) => Values::Slice(elements),
                    None => Values::Slice(&scratch.loaded[input][..at.lanes]),
                }
            }
        }
    }

    fn full(
        &self,
        op: FullOp,
        at: &Place<'_>,
        classes: &Classes<T::Compute>,
        scratch: &mut Scratch<T::Compute>,
        parts: &mut [(usize, Part<'_, T>)],
        (folds, largest): (&mut [[f64; LANES]], &mut [f64]),
    ) {
        let along_classes = self.walk.along == Along::Classes;
        let lanes = at.first..at.first + at.lanes;
        match op {
            FullOp::Op(op, Arg::Stored(place)) => {
                let mut out = take(&mut scratch.stored[place]);
                let start = at.row * at.block.lanes;
                let target = &mut out[start + lanes.start..start + lanes.end];
                self.full_value(op, target, at, classes, scratch);
                scratch.stored[place] = out;
            }
            FullOp::Op(op, Arg::Slot(slot)) => {
                let mut out = take(&mut scratch.slots[slot]);
                self.full_value(op, &mut out[..at.lanes], at, classes, scratch);
                scratch.slots[slot] = out;
            }
            FullOp::Op(..) => {}
            FullOp::Reduce(op, arg, row) if along_classes => {
                let mut spare = take(&mut scratch.spare[0]);
                let (mut sums, mut most) = (scratch.sums[row], scratch.largest[row]);
                let values = self.values(arg, at, classes, scratch);
                let values = as_slice(values, &mut spare, at.lanes);
                match op {
                    Reduce::Sum => kernel::sum(self.level, &mut sums, values),
                    Reduce::Max => most = kernel::max(self.level, most, values),
                }
                (scratch.sums[row], scratch.largest[row]) = (sums, most);
                scratch.spare[0] = spare;
            }
            FullOp::Reduce(op, arg, row) => {
                let (mut spare, mut out) = (take(&mut scratch.spare[0]), take(&mut scratch.rows[row]));
                let values = self.values(arg, at, classes, scratch);
                let values = as_slice(values, &mut spare, at.lanes);
                match op {
                    Reduce::Sum => kernel::sum_into(self.level, &mut out[lanes], values),
                    Reduce::Max => kernel::max_into(self.level, &mut out[lanes], values),
                }
                (scratch.spare[0], scratch.rows[row]) = (spare, out);
            }
            FullOp::Pick(labels, arg, row) if along_classes => {
                let place = self.label(labels, at.block, at.row).filter(|label| lanes.contains(label));
                if let Some(place) = place {
                    let values = self.values(arg, at, classes, scratch);
                    let picked = kernel::at(values, place - at.first).to_f64();
                    scratch.rows[row][at.row] = picked;
                }
            }
            FullOp::Pick(labels, arg, row) => {
                let mut out = take(&mut scratch.rows[row]);
                let values = self.values(arg, at, classes, scratch);
                let labels = &scratch.labels[labels][lanes.clone()];
                for (lane, (out, &label)) in out[lanes].iter_mut().zip(labels).enumerate() {
                    if usize::try_from(label) == Ok(at.row) {
                        *out = kernel::at(values, lane).to_f64();
                    }
                }
                scratch.rows[row] = out;
            }
            FullOp::Fold(fold, arg) => {
                let mut spare = take(&mut scratch.spare[0]);
                let values = self.values(arg, at, classes, scratch);
                let values = as_slice(values, &mut spare, at.lanes);
                match self.pass.folds[fold].1 {
                    Reduce::Sum => kernel::sum(self.level, &mut folds[fold], values),
                    Reduce::Max => {
                        let most = kernel::max(self.level, -T::Compute::INFINITY, values);
                        largest[fold] = Lane::max(largest[fold], most.to_f64());
                    }
                }
                scratch.spare[0] = spare;
            }
            FullOp::Output(output, arg) => {
                let mut spare = take(&mut scratch.spare[0]);
                let values = self.values(arg, at, classes, scratch);
                let values = as_slice(values, &mut spare, at.lanes);
                if let Some((_, part)) = parts.iter_mut().find(|(place, _)| *place == output) {
                    self.store(part, at, values);
                }
                scratch.spare[0] = spare;
            }
        }
    }

    /// Writes a row of an output.
    fn store(&self, part: &mut Part<'_, T>, at: &Place<'_>, values: &[T::Compute]) {
        match part {
            Part::Planes(planes) => {
                kernel::store(self.level, &mut planes[at.row][at.first..][..at.lanes], values);
            }
            Part::Whole(out) if self.walk.along == Along::Classes => {
                let start = at.row * at.block.lanes + at.first;
                kernel::store(self.level, &mut out[start..start + at.lanes], values);
            }
            Part::Whole(out) if at.block.rows == 1 => {
                kernel::store(self.level, &mut out[at.first..at.first + at.lanes], values);
            }
            Part::Whole(out) => {
                let start = at.first * at.block.rows + at.row;
                let out = out[start..].iter_mut().step_by(at.block.rows);
                for (out, &value) in out.zip(values) {
                    *out = T::narrow(value);
                }
            }
        }
    }

    fn full_value(
        &self,
        op: Op,
        out: &mut [T::Compute],
        at: &Place<'_>,
        classes: &Classes<T::Compute>,
        scratch: &mut Scratch<T::Compute>,
    ) {
        if let Op::AtLabel(labels, hit, miss) = op {
            let hit = self.values(hit, at, classes, scratch);
            let miss = self.values(miss, at, classes, scratch);
            if self.walk.along == Along::Classes {
                let label = self.label(labels, at.block, at.row);
                let place = label.and_then(|label| label.checked_sub(at.first));
                kernel::at_place(out, place.filter(|&place| place < at.lanes), hit, miss);
            } else {
                let labels = &scratch.labels[labels][at.first..at.first + at.lanes];
                let class = u32::try_from(at.row).unwrap_or(NONE);
                kernel::at_label(self.level, out, (labels, class), hit, miss);
            }
            return;
        }
        let mut spare = take(&mut scratch.spare);
        let values = |arg| self.values(arg, at, classes, scratch);
        compute(self.level, op, out, values, &mut spare);
        scratch.spare = spare;
    }

    /// The row values that the reductions along a row have come to.
    fn finish_row(stage: &Stage, row: usize, scratch: &mut Scratch<T::Compute>) {
        for op in &stage.full {
            if let FullOp::Reduce(op, _, place) = *op {
                scratch.rows[place][row] = match op {
                    Reduce::Sum => kernel::total(scratch.sums[place]),
                    Reduce::Max => scratch.largest[place].to_f64(),
                };
                scratch.sums[place] = [0.0; LANES];
                scratch.largest[place] = -T::Compute::INFINITY;
            }
        }
    }
}

/// Lanes of one row of a block.
struct Place<'a> {
    block: &'a Block,
    row: usize,
    first: usize,
    lanes: usize,
}

/// Values as a slice, written out where they are all the same.
fn as_slice<'s, F: Lane>(values: Values<'s, F>, spare: &'s mut Vec<F>, lanes: usize) -> &'s [F] {
    match values {
        Values::Slice(slice) => slice,
        Values::Splat(value) => {
            spare.clear();
            spare.resize(lanes, value);
            spare
        }
    }
}

/// An op of values that are read as they are.
fn compute<'s, F: Lane>(
    level: Level,
    op: Op,
    out: &mut [F],
    values: impl Fn(Arg) -> Values<'s, F>,
    spare: &'s mut [Vec<F>; 4],
) {
    let lanes = out.len();
    match op {
        Op::Unary(op, x) => kernel::unary(level, op, out, values(x)),
        Op::Binary(op, a, b) => kernel::binary(level, op, out, values(a), values(b)),
        Op::Select(compare, [a, b], [then, otherwise]) => {
            let [s0, s1, s2, s3] = spare;
            let values = [
                as_slice(values(a), s0, lanes),
                as_slice(values(b), s1, lanes),
                as_slice(values(then), s2, lanes),
                as_slice(values(otherwise), s3, lanes),
            ];
            kernel::select(level, compare, out, values);
        }
        Op::AtLabel(..) => out.fill(F::NAN),
    }
}
