//! Runs a pass block by block, each on whatever thread is free.

use crate::chunk::{CHUNK, LANES, Lanes, SUMS, Slot, Sums, tree};
use crate::compiled::Belows;
use crate::domain::outside;
use crate::element::Element;
use crate::engine::Memory;
use crate::kernel::{self, Each, Values};
use crate::math::Lane;
use crate::planes::Spare;
use crate::program::{Arg, Over, Pass};
use crate::row_values::Small;
use crate::rows::{Lies, Rows, STREAM};
use crate::simd::Level;
use crate::tile::{Stands, Tile};
use crate::walk::{Along, Block, Walk};
use lossmith_core::Labels;
use lossmith_core::catalogue::Domain;
use lossmith_core::op::Reduce;
use lossmith_core::strided::Seen;
use rayon::prelude::*;
use smallvec::SmallVec;
use std::borrow::Cow;
use std::mem::take;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a pass reads.
#[derive(Clone, Copy)]
pub(crate) struct Ground<'a, T: Element> {
    pub(crate) level: Level,
    pub(crate) pass: &'a Pass,
    pub(crate) walk: Walk,
    /// The classes of the frame, which weights have whether or not the walk does.
    pub(crate) class_count: usize,
    pub(crate) inputs: &'a [Seen<'a, T>],
    pub(crate) labels: &'a [Labels<'a>],
    /// The first position among all that have labels.
    pub(crate) first: usize,
    pub(crate) numbers: &'a [f64],
    /// Inputs in the order of memory with domains that nobody has looked at, and whether a number is outside its own.
    pub(crate) domains: &'a [(usize, Domain)],
    pub(crate) outside: &'a AtomicBool,
}

/// Memory that a block works in, used again by the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch<F> {
    pub(crate) slots: Vec<Box<Slot<F>>>,
    pub(crate) lies: Vec<Lies>,
    pub(crate) kept: Vec<Vec<F>>,
    pub(crate) rows: Vec<Vec<f64>>,
    pub(crate) narrow: Vec<Vec<F>>,
    pub(crate) labels: Vec<Vec<u32>>,
    pub(crate) sums: Vec<Sums>,
    pub(crate) largest: Vec<Lanes<F>>,
    pub(crate) stands: Vec<Stands>,
    /// The inputs and outputs of a tile, a plane a class, and maxima of its rows.
    pub(crate) planes: Vec<Vec<F>>,
    pub(crate) out: Vec<Vec<F>>,
    pub(crate) computed: Vec<Vec<F>>,
    pub(crate) highest: Vec<Vec<F>>,
    pub(crate) splat: Option<Box<Spare<F>>>,
    pub(crate) spare: Option<Box<Slot<F>>>,
    /// What a compiled body reads and writes that does not lie in place, and what it adds up and compares, row by row.
    pub(crate) gathered: Vec<Vec<F>>,
    pub(crate) written: Vec<Vec<F>>,
    pub(crate) sums_of_rows: Vec<Sums>,
    pub(crate) largest_of_rows: Vec<F>,
    /// What exponentials of rows side by side are computed below.
    pub(crate) belows: Vec<Vec<Belows<F>>>,

    folds: Vec<Sums>,
    fold_largest: Vec<f64>,
}

/// Where the part of an output that a block makes is.
#[derive(Debug)]
pub(crate) enum Part<'a, T> {
    /// In one piece.
    Whole(&'a mut [T]),
    /// A piece a class.
    Planes(Vec<&'a mut [T]>),
}

/// The parts of a block, each with its output's place: a handful, which a small problem would wait for the allocator for.
type Parts<'a, T> = SmallVec<[(usize, Part<'a, T>); 2]>;

/// A class with no label in it.
pub(crate) const NONE: u32 = u32::MAX;

/// Class values, in `f64` and in the format of full values.
pub(crate) struct Classes<F> {
    pub(crate) exact: Vec<Vec<f64>>,
    pub(crate) narrow: Vec<Vec<F>>,
}

impl<T: Element> Ground<'_, T> {
    /// Runs the pass; gives its folds. Where an output is written over an input, its elements are that input's till then.
    pub(crate) fn run<'o>(
        &self,
        classes: &Classes<T::Compute>,
        outputs: impl IntoIterator<Item = (usize, &'o mut [T])>,
        over: Option<Over>,
        memory: &Memory,
        parallel: bool,
    ) -> SmallVec<[f64; 4]> {
        // Of nothing there are no blocks, and outputs that are empty.
        let empty = self.walk.sides.contains(&0);
        let blocks = if empty { 0 } else { self.walk.blocks() };
        let folds = self.pass.folds.len();
        let mut partials: SmallVec<[f64; 4]> = SmallVec::from_elem(0.0, blocks * folds.max(1));
        let mut parts: SmallVec<[Parts<'_, T>; 1]> = (0..blocks).map(|_| Parts::new()).collect();
        for (place, output) in outputs.into_iter().filter(|_| !empty) {
            self.split((place, output), &mut parts);
        }
        let work = |(index, (mut parts, partials)): (usize, (Parts<'_, T>, &mut [f64]))| {
            // Where it works, and what it copies of what it is written over.
            let mut own = memory.take::<(Scratch<T::Compute>, Vec<T>)>();
            let (scratch, copy) = &mut *own;
            match over {
                Some(over) => {
                    let inputs = self.of_block(index, over, &parts, copy);
                    let block = self.walk.block(index);
                    let first = self.first + self.walk.first_position(&block);
                    let (walk, inputs) = (self.walk.of_block(&block), inputs.as_slice());
                    let own = Ground { walk, inputs, first, ..*self };
                    own.block(0, classes, scratch, &mut parts, partials);
                }
                None => self.block(index, classes, scratch, &mut parts, partials),
            }
            memory.give(own);
        };
        if parallel && blocks > 1 {
            let partials = partials.par_chunks_mut(folds.max(1));
            parts.into_vec().into_par_iter().zip(partials).enumerate().for_each(work);
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

    /// The inputs from where a block begins; of the one that is written over, a copy of the block.
    fn of_block<'c>(
        &'c self,
        index: usize,
        over: Over,
        parts: &[(usize, Part<'_, T>)],
        copy: &'c mut Vec<T>,
    ) -> Vec<Seen<'c, T>> {
        let block = self.walk.block(index);
        copy.clear();
        match parts.iter().find(|(place, _)| *place == over.output) {
            Some((_, Part::Whole(elements))) => copy.extend_from_slice(elements),
            Some((_, Part::Planes(planes))) => {
                planes.iter().for_each(|plane| copy.extend_from_slice(plane));
            }
            None => {}
        }
        let inputs = self.inputs.iter().enumerate().map(|(place, seen)| {
            let mut strides = seen.strides;
            if place == over.input {
                if self.walk.along == Along::Inner {
                    strides[1] = block.lanes;
                }
                return Seen { elements: Cow::Borrowed(&copy[..]), strides };
            }
            let own = self.walk.strides(strides);
            let start = block.batch * own[0] + block.inner * own[2];
            Seen { elements: Cow::Borrowed(seen.elements.get(start..).unwrap_or(&[])), strides }
        });
        inputs.collect()
    }

    /// Deals an output out to the blocks that make it.
    fn split<'o>(&self, (place, output): (usize, &'o mut [T]), blocks: &mut [Parts<'o, T>]) {
        let Walk { sides: [_, classes, inner], span, along, .. } = self.walk;
        let of_row = self.pass.of_row(place);
        let (row, size) = match along {
            Along::Inner => (inner, span),
            Along::Classes | Along::Batch => {
                (output.len().max(1), if of_row { span } else { span * classes })
            }
        };
        let rows = output.chunks_mut(row).map(|row| row.chunks_mut(size));
        if along != Along::Inner || of_row {
            let all = blocks.iter_mut().zip(rows.flatten());
            return all.for_each(|(block, part)| block.push((place, Part::Whole(part))));
        }
        let mut planes: Vec<Vec<&mut [T]>> = Vec::new();
        let parts = self.walk.parts();
        for (index, plane) in rows.enumerate() {
            if index % classes == 0 {
                planes.extend((0..parts).map(|_| Vec::with_capacity(classes)));
            }
            let first = planes.len() - parts;
            planes[first..].iter_mut().zip(plane).for_each(|(part, piece)| part.push(piece));
        }
        let all = blocks.iter_mut().zip(planes);
        all.for_each(|(block, planes)| block.push((place, Part::Planes(planes))));
    }

    /// The class values: of weights and what is made of them.
    pub(crate) fn classes(&self) -> Classes<T::Compute> {
        let mut exact: Vec<Vec<f64>> = vec![Vec::new(); self.pass.class_values];
        for &(op, place) in &self.pass.classes {
            let mut out = vec![0.0; self.class_count];
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
                    self.level.run(Each { op: op.map(values), out: &mut out });
                }
            }
            exact[place] = out;
        }
        let narrow = exact.iter().map(|exact| {
            let mut narrow = vec![T::Compute::ZERO; exact.len().next_multiple_of(CHUNK)];
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
        let whole = self.walk.block(index);
        let mut folds = take(&mut scratch.folds);
        folds.clear();
        folds.resize(self.pass.folds.len(), [0.0; SUMS]);
        let mut largest = take(&mut scratch.fold_largest);
        largest.clear();
        largest.resize(self.pass.folds.len(), f64::NEG_INFINITY);
        for (offset, block) in self.walk.tiles(&whole) {
            let folds = (folds.as_mut_slice(), largest.as_mut_slice());
            self.stages((offset, &block), classes, scratch, parts, folds);
        }
        // What has just been computed with is in a near cache.
        for &(input, domain) in self.domains {
            let elements = &self.inputs[input].elements[whole.batch..][..whole.lanes];
            if outside(self.level, elements, domain) {
                self.outside.store(true, Ordering::Relaxed);
            }
        }
        for (place, partial) in partials.iter_mut().take(self.pass.folds.len()).enumerate() {
            *partial = match self.pass.folds[place].1 {
                Reduce::Sum => tree(&mut folds[place], |a, b| a + b),
                Reduce::Max => largest[place],
            };
        }
        (scratch.folds, scratch.fold_largest) = (folds, largest);
    }

    /// Computes a part of a block, which begins at that lane of it.
    fn stages(
        &self,
        (offset, block): (usize, &Block),
        classes: &Classes<T::Compute>,
        scratch: &mut Scratch<T::Compute>,
        parts: &mut [(usize, Part<'_, T>)],
        (folds, largest): (&mut [Sums], &mut [f64]),
    ) {
        let positions = self.walk.positions(block);
        self.prepare(scratch, block, positions);
        let beside = self.walk.beside();
        if beside {
            self.apart(block, scratch);
        }
        let alone = self.pass.stages.len() == 1;
        let mut fetched = alone;
        for (index, stage) in self.pass.stages.iter().enumerate() {
            for &(op, place) in &stage.rows {
                self.row_value(op, place, block, positions, classes, scratch);
            }
            if beside {
                for &place in &stage.narrowed {
                    let out = &mut scratch.narrow[place][..positions];
                    kernel::narrow(self.level, out, &scratch.rows[place][..positions]);
                }
            }
            if !stage.full.is_empty() {
                let folds = (&mut *folds, &mut *largest);
                let ground = self;
                if beside {
                    let ahead = index == 1 && self.walk.along == Along::Inner;
                    let ahead = ahead.then_some(block.lanes);
                    let tile = Tile {
                        ground,
                        stage,
                        block,
                        offset,
                        classes,
                        scratch,
                        parts,
                        ahead,
                        folds,
                    };
                    tile.run();
                    continue;
                }
                let classes = &classes.narrow;
                // While a later stage computes, the next block's elements are on their way.
                let reads = stage.loads.iter().any(|(arg, _)| matches!(arg, Arg::Input(_)));
                let ahead = if alone {
                    Some(STREAM)
                } else if index > 0 && reads && !fetched {
                    fetched = true;
                    Some(self.walk.next_block(block))
                } else {
                    None
                };
                let rows =
                    Rows { ground, stage, block, classes, scratch, parts, ahead, alone, folds };
                self.level.run(rows);
            }
        }
        for &(fold, arg) in &self.pass.row_folds {
            let values = self.row_values(arg, positions, scratch);
            let values = &values.written_out(positions);
            match self.pass.folds[fold].1 {
                Reduce::Sum => kernel::sum(self.level, &mut folds[fold], values),
                Reduce::Max => largest[fold] = kernel::max(self.level, largest[fold], values),
            }
        }
        for &(output, arg) in &self.pass.row_outputs {
            let values = self.row_values(arg, positions, scratch);
            if let Some((_, Part::Whole(out))) =
                parts.iter_mut().find(|(place, _)| *place == output)
            {
                for (out, &value) in out[offset..].iter_mut().zip(&*values.written_out(positions)) {
                    *out = T::of(value);
                }
            }
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
        // Whole chunks, so that only what is the caller's has a rest.
        let padded = positions.next_multiple_of(CHUNK);
        let beside = self.walk.beside();
        let pitch = if beside { block.pitch() } else { block.lanes.next_multiple_of(CHUNK) };
        let kept = block.rows * pitch;
        let slots = scratch.slots.len().max(self.pass.slots);
        scratch.slots.resize_with(slots, Box::default);
        scratch.lies.resize(slots, Lies::There);
        grow(&mut scratch.kept, self.pass.stored, kept, zero);
        grow(&mut scratch.rows, self.pass.row_values, padded, 0.0);
        if self.pass.by_row || self.pass.row_values > 0 {
            scratch.labels.resize_with(self.labels.len(), Vec::new);
            let first = self.first + self.walk.first_position(block);
            for (out, labels) in scratch.labels.iter_mut().zip(self.labels) {
                out.resize(padded, NONE);
                let (out, rest) = out.split_at_mut(positions);
                self.level.run(Small { labels, first, out });
                rest.fill(NONE);
            }
        }
        let rows = scratch.sums.len().max(self.pass.row_values);
        scratch.sums.resize(rows, [0.0; SUMS]);
        scratch.largest.resize(rows, [zero; LANES]);
        if beside {
            grow(&mut scratch.narrow, self.pass.row_values, padded, zero);
            scratch.stands.resize(slots, Stands::There);
            grow(&mut scratch.computed, self.pass.slots, kept, zero);
            grow(&mut scratch.planes, self.inputs.len(), kept, zero);
            grow(&mut scratch.highest, self.pass.row_values, padded, zero);
        }
    }

    /// The label of a position in a block.
    pub(crate) fn label(&self, labels: usize, block: &Block, position: usize) -> Option<usize> {
        let at = self.first + self.walk.first_position(block) + position;
        self.labels[labels].get(at)
    }
}
