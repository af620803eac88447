//! The full values of a stage of rows side by side, where there are few classes or inner positions: a class of a tile
//! of rows goes through all ops before the next. What a tile reads and keeps stays in the nearest caches.

use crate::body::{Body, Lying, SUMMED, WRITES, Write};
use crate::chunk::{FEW, LANES, Sums};
use crate::compiled::{Beside, OfClasses, Run, Spaced, SpacedMut};
use crate::element::Element;
use crate::execute::{Classes, Ground, Part, Scratch};
use crate::math::{Lane, PARTS};
use crate::planes::{BelowRows, Compute, Reduced, Reduction, Source, Spare};
use crate::program::{Arg, FullOp, Into, Op, Stage, Target};
use crate::simd::{Soon, fetch};
use crate::turn::{Apart, Gather, Together};
use crate::walk::Block;
use lossmith_core::op::Reduce;
use std::mem::{swap, take};

/// What a slot stands for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Stands {
    /// For what was computed into it.
    #[default]
    There,
    /// For what is the same for all, or for a class.
    Number(usize),
    Class(usize),
    /// For row values.
    Row(usize),
    /// For what is kept, at that place.
    Kept(usize),
    Input(usize),
}

/// A tile at one stage.
pub(crate) struct Tile<'a, 'b, 'c, T: Element> {
    pub(crate) ground: &'a Ground<'b, T>,
    pub(crate) stage: &'a Stage,
    pub(crate) block: &'a Block,
    /// The first lane in the whole block, whose parts of the outputs there are.
    pub(crate) offset: usize,
    pub(crate) classes: &'a Classes<T::Compute>,
    pub(crate) scratch: &'a mut Scratch<T::Compute>,
    pub(crate) parts: &'a mut [(usize, Part<'c, T>)],
    /// How many lanes ahead what the next tile reads is fetched while this one computes, and with it what the next stages
    /// write.
    pub(crate) ahead: Option<usize>,
    pub(crate) folds: (&'a mut [Sums], &'a mut [f64]),
}

impl<T: Element> Ground<'_, T> {
    /// Brings the elements of a tile into planes, where they do not lie so already.
    pub(crate) fn apart(&self, block: &Block, scratch: &mut Scratch<T::Compute>) {
        let (classes, lanes, pitch) = (block.rows, block.lanes, block.pitch());
        for &input in &self.pass.inputs {
            let seen = &self.inputs[input];
            let (start, [class, lane]) = self.lies(block, input);
            if self.direct(block, input) {
                continue;
            }
            let planes = &mut scratch.planes[input][..];
            let rows = &seen.elements[start..];
            if class == 1 {
                let wide = self.level.wide();
                self.level.run(Apart { wide, rows, stride: lane, classes, planes, pitch, lanes });
            } else {
                let strides = [class, lane];
                self.level.run(Gather { elements: rows, strides, planes, pitch, classes, lanes });
            }
        }
    }

    /// Where a tile begins in an input, and how far apart its classes and lanes are.
    pub(crate) fn lies(&self, block: &Block, input: usize) -> (usize, [usize; 2]) {
        let own = self.walk.strides(self.inputs[input].strides);
        let (start, lane) = self.walk.row(block, 0, own);
        (start, [own[1], lane])
    }

    /// Whether the elements of a tile are read where they are.
    fn direct(&self, block: &Block, input: usize) -> bool {
        let (_, [_, lane]) = self.lies(block, input);
        lane == 1 && block.whole() && T::computed_as_stored()
    }
}

impl<T: Element> Tile<'_, '_, '_, T> {
    pub(crate) fn run(mut self) {
        self.start();
        // Of fewer rows, most lanes of a loop would be nobody's.
        let enough = self.block.lanes >= FEW;
        let body = enough.then(|| self.stage.body(Lying::Beside)).flatten();
        let compiled = body.and_then(|body| Some((body, T::Compute::compiled(body.compiled?)?)));
        if let Some((body, Run::Beside(run))) = compiled {
            self.run_body(body, run);
            return self.finish();
        }
        let mut spare = take(&mut self.scratch.splat).unwrap_or_default();
        for &op in &self.stage.full {
            self.step(op, &mut spare);
        }
        self.scratch.splat = Some(spare);
        self.finish();
    }

    /// Empties what the reductions add up in, and says what the slots stand for.
    fn start(&mut self) {
        let scratch = &mut *self.scratch;
        let lanes = self.block.lanes.next_multiple_of(LANES);
        for op in &self.stage.full {
            match *op {
                FullOp::Reduce(Reduce::Sum, _, Into::Row(row))
                | FullOp::SumOfProducts(_, _, Into::Row(row))
                | FullOp::Pick(_, _, row) => scratch.rows[row][..lanes].fill(0.0),
                FullOp::Reduce(Reduce::Max, _, Into::Row(row)) => {
                    scratch.highest[row][..lanes].fill(-T::Compute::INFINITY);
                }
                FullOp::Op(..)
                | FullOp::Reduce(_, _, Into::Fold(_))
                | FullOp::SumOfProducts(_, _, Into::Fold(_))
                | FullOp::LabelledOutput(..)
                | FullOp::Output(..) => {}
            }
        }
        scratch.stands.fill(Stands::There);
        for &(arg, slot) in &self.stage.loads {
            scratch.stands[slot] = match arg {
                Arg::Number(index) => Stands::Number(index),
                Arg::Class(place) => Stands::Class(place),
                Arg::Row(place) => Stands::Row(place),
                Arg::Stored(place) => Stands::Kept(place),
                Arg::Input(input) => Stands::Input(input),
                Arg::Slot(_) => Stands::There,
            };
        }
    }

    /// What a slot stands for.
    fn read(&self, slot: usize) -> Source<'_, T::Compute> {
        let (scratch, pitch) = (&*self.scratch, self.block.pitch());
        match scratch.stands[slot] {
            Stands::There => Source::Planes(&scratch.computed[slot], pitch),
            Stands::Number(index) => {
                Source::Number(T::Compute::from_f64(self.ground.numbers[index]))
            }
            Stands::Class(place) => Source::Classes(&self.classes.narrow[place]),
            Stands::Row(place) => Source::Row(&scratch.narrow[place]),
            Stands::Kept(place) => Source::Planes(&scratch.kept[place], pitch),
            Stands::Input(input) => match T::as_computed(&self.ground.inputs[input].elements) {
                Some(elements) if self.ground.direct(self.block, input) => {
                    let (start, [step, _]) = self.ground.lies(self.block, input);
                    Source::Planes(&elements[start..], step)
                }
                _ => Source::Planes(&scratch.planes[input], pitch),
            },
        }
    }

    /// Runs a compiled body on all classes.
    fn run_body(&mut self, body: &Body, run: OfClasses<T::Compute>) {
        let (Block { rows: classes, .. }, pitch) = (*self.block, self.block.pitch());
        let mut belows = take(&mut self.scratch.belows);
        belows.resize_with(belows.len().max(body.belows.len()), Vec::new);
        for (belows, &row) in belows.iter_mut().zip(&body.belows) {
            belows.resize(belows.len().max(pitch / FEW), [[T::Compute::ZERO; FEW]; PARTS]);
            let out = &mut belows[..pitch / FEW];
            self.ground.level.run(BelowRows { rows: &self.scratch.narrow[row], out });
        }
        let mut written = take(&mut self.scratch.written);
        written.resize_with(body.writes.len().max(written.len()), Vec::new);
        // Changed places, so that what else there is can be read while these are written.
        for (written, &write) in written.iter_mut().zip(&body.writes) {
            swap(written, self.buffer(write));
        }
        let mut sums: [Vec<f64>; SUMMED] = Default::default();
        for (sums, &row) in sums.iter_mut().zip(&body.lane_sums) {
            swap(sums, &mut self.scratch.rows[row]);
        }
        let mut largest: [Vec<T::Compute>; WRITES] = Default::default();
        for (largest, &row) in largest.iter_mut().zip(&body.largest) {
            swap(largest, &mut self.scratch.highest[row]);
        }
        let parts = take(&mut self.parts);

        let mut io = Beside { classes, lanes: pitch, ahead: self.ahead, ..Beside::default() };
        for (to, &(_, slot)) in io.planes.iter_mut().zip(&body.reads) {
            if let Source::Planes(all, pitch) = self.read(slot) {
                *to = Spaced { all, pitch };
            }
        }
        for (to, &(_, slot)) in io.rows.iter_mut().zip(&body.rows) {
            if let Source::Row(all) = self.read(slot) {
                *to = all;
            }
        }
        for (to, &(_, slot)) in io.numbers.iter_mut().zip(&body.ones) {
            if let Source::Number(number) = self.read(slot) {
                *to = number;
            }
        }
        for (to, &(_, slot)) in io.of_classes.iter_mut().zip(&body.of_classes) {
            if let Source::Classes(all) = self.read(slot) {
                *to = all;
            }
        }
        for (to, &labels) in io.labels.iter_mut().zip(&body.labels) {
            *to = &self.scratch.labels[labels];
        }
        for (to, belows) in io.belows.iter_mut().zip(&belows) {
            *to = belows;
        }
        for (to, written) in io.writes.iter_mut().zip(&mut written).take(body.writes.len()) {
            *to = SpacedMut::All(written, pitch);
        }
        let mut later = Vec::new();
        for (place, part) in &mut *parts {
            let Part::Planes(planes) = part else { continue };
            let planes = planes.iter_mut().map(|plane| &mut plane[self.offset..]);
            let planes = planes.filter_map(T::as_computed_mut);
            match body.writes.iter().position(|write| *write == Write::Output(*place)) {
                Some(index) if self.block.whole() => {
                    let planes: Vec<_> = planes.collect();
                    if !planes.is_empty() {
                        io.writes[index] = SpacedMut::Each(planes);
                    }
                }
                None if self.ahead.is_some() => later.extend(planes.map(|plane| &*plane)),
                Some(_) | None => {}
            }
        }
        io.later = &later;
        for (to, sums) in io.sums.iter_mut().zip(&mut sums) {
            *to = sums;
        }
        for (to, largest) in io.largest.iter_mut().zip(&mut largest) {
            *to = largest;
        }
        run(self.ground.level, &mut io);

        self.parts = parts;
        for (largest, &row) in largest.iter_mut().zip(&body.largest) {
            swap(largest, &mut self.scratch.highest[row]);
        }
        for (sums, &row) in sums.iter_mut().zip(&body.lane_sums) {
            swap(sums, &mut self.scratch.rows[row]);
        }
        for (written, &write) in written.iter_mut().zip(&body.writes) {
            swap(written, self.buffer(write));
        }
        (self.scratch.written, self.scratch.belows) = (written, belows);
    }

    /// Where planes are written.
    fn buffer(&mut self, write: Write) -> &mut Vec<T::Compute> {
        match write {
            Write::Kept(place) => &mut self.scratch.kept[place],
            Write::Output(place) => {
                let (out, size) = (&mut self.scratch.out, self.block.rows * self.block.pitch());
                out.resize_with(out.len().max(place + 1), Vec::new);
                let planes = &mut out[place];
                planes.resize(planes.len().max(size), T::Compute::ZERO);
                planes
            }
        }
    }

    fn step(&mut self, op: FullOp, spare: &mut Spare<T::Compute>) {
        match op {
            FullOp::Op(op, Target::Slot(out)) => {
                let mut computed = take(&mut self.scratch.computed);
                // Swapped out, so that the others can be read while it is written.
                let mut planes = take(&mut computed[out]);
                self.scratch.computed = computed;
                self.all(op, &mut planes, spare);
                self.scratch.computed[out] = planes;
                self.scratch.stands[out] = Stands::There;
            }
            FullOp::Op(op, Target::Kept(place, slot)) => {
                let mut planes = take(&mut self.scratch.kept[place]);
                self.all(op, &mut planes, spare);
                self.scratch.kept[place] = planes;
                self.scratch.stands[slot] = Stands::Kept(place);
            }
            FullOp::Op(op, Target::Output(place)) => {
                self.write(place, |own, first, out| own.compute(op, None, first, out, spare));
            }
            FullOp::Output(slot, place) => self.write(place, |own, first, out| {
                let pitch = own.block.pitch();
                for (class, out) in out.chunks_exact_mut(pitch).enumerate() {
                    let from = own.read(slot).slice(first + class, pitch, &mut spare[0]);
                    out.copy_from_slice(from);
                }
            }),
            FullOp::LabelledOutput(op, labels, hit, place) => {
                let hit = Some((labels, hit));
                self.write(place, |own, first, out| own.compute(op, hit, first, out, spare));
            }
            FullOp::Reduce(Reduce::Sum, slot, Into::Fold(place)) => {
                let mut sums = self.folds.0[place];
                self.reduce(Reduced::FoldSum(&mut sums, self.read(slot)), spare);
                self.folds.0[place] = sums;
            }
            FullOp::Reduce(Reduce::Max, slot, Into::Fold(place)) => {
                let mut most = self.folds.1[place];
                self.reduce(Reduced::FoldMax(&mut most, self.read(slot)), spare);
                self.folds.1[place] = most;
            }
            FullOp::SumOfProducts([a, b], weighed, Into::Fold(place)) => {
                let mut sums = self.folds.0[place];
                let ab = [self.read(a), self.read(b)];
                self.reduce(Reduced::FoldOfProducts(&mut sums, ab, weighed), spare);
                self.folds.0[place] = sums;
            }
            FullOp::Reduce(Reduce::Max, slot, Into::Row(place)) => {
                let mut highest = take(&mut self.scratch.highest[place]);
                self.reduce(Reduced::Max(&mut highest, self.read(slot)), spare);
                self.scratch.highest[place] = highest;
            }
            FullOp::Reduce(Reduce::Sum, slot, Into::Row(place)) => {
                let mut sums = take(&mut self.scratch.rows[place]);
                self.reduce(Reduced::Sum(&mut sums, self.read(slot)), spare);
                self.scratch.rows[place] = sums;
            }
            FullOp::SumOfProducts([a, b], weighed, Into::Row(place)) => {
                let mut sums = take(&mut self.scratch.rows[place]);
                let ab = [self.read(a), self.read(b)];
                self.reduce(Reduced::SumOfProducts(&mut sums, ab, weighed), spare);
                self.scratch.rows[place] = sums;
            }
            FullOp::Pick(labels, slot, place) => {
                let mut picked = take(&mut self.scratch.rows[place]);
                let labels = &self.scratch.labels[labels];
                self.reduce(Reduced::Pick(&mut picked, self.read(slot), labels), spare);
                self.scratch.rows[place] = picked;
            }
        }
    }

    /// An op of all classes; what is fetched meanwhile is asked for class by class.
    fn all(&mut self, op: Op<usize>, out: &mut [T::Compute], spare: &mut Spare<T::Compute>) {
        let pitch = self.block.pitch();
        let out = &mut out[..self.block.rows * pitch];
        if take(&mut self.ahead).is_none() {
            return self.compute(op, None, 0, out, spare);
        }
        for (class, out) in out.chunks_exact_mut(pitch).enumerate() {
            self.fetch(class);
            self.compute(op, None, class, out, spare);
        }
    }

    /// Asks for a class of the outputs, and of the inputs of the next tile, where each class is elsewhere in memory;
    /// what lies in one piece comes by itself.
    fn fetch(&self, class: usize) {
        let lanes = self.block.lanes;
        for (_, part) in &*self.parts {
            if let Part::Planes(planes) = part {
                fetch(planes[class], self.offset, lanes, Soon::Write);
            }
        }
        for &input in &self.ground.pass.inputs {
            if let (start, [step, 1]) = self.ground.lies(self.block, input) {
                let elements = &self.ground.inputs[input].elements;
                fetch(elements, start + class * step + lanes, lanes, Soon::ReadLater);
            }
        }
    }

    fn reduce(&self, what: Reduced<'_, T::Compute>, spare: &mut Spare<T::Compute>) {
        let Block { rows: classes, lanes, .. } = *self.block;
        let pitch = self.block.pitch();
        self.ground.level.run(Reduction { what, classes, pitch, lanes, spare });
    }

    /// Some classes of an op, from the first on; at the labels what is in a slot.
    fn compute(
        &self,
        op: Op<usize>,
        hit: Option<(usize, usize)>,
        first: usize,
        out: &mut [T::Compute],
        spare: &mut Spare<T::Compute>,
    ) {
        let op = op.map(|slot| self.read(slot));
        let hit = hit.map(|(labels, slot)| (labels, self.read(slot)));
        let (labels, pitch) = (&self.scratch.labels[..], self.block.pitch());
        self.ground.level.run(Compute { op, labels, hit, first, out, pitch, spare });
    }

    /// Computes an output: where it lies, or into planes that are brought there in the end.
    fn write(&mut self, place: usize, mut compute: impl FnMut(&Self, usize, &mut [T::Compute])) {
        let pitch = self.block.pitch();
        let parts = take(&mut self.parts);
        let part = parts.iter_mut().find(|(other, _)| *other == place);
        let planes = match part {
            Some((_, Part::Planes(planes))) if self.block.whole() => Some(planes),
            _ => None,
        };
        if let Some(planes) = planes
            && T::computed_as_stored()
        {
            for (class, plane) in planes.iter_mut().enumerate() {
                if let Some(out) = T::as_computed_mut(&mut plane[self.offset..][..pitch]) {
                    compute(self, class, out);
                }
            }
        } else {
            let mut out = take(self.buffer(Write::Output(place)));
            compute(self, 0, &mut out[..self.block.rows * pitch]);
            self.scratch.out[place] = out;
        }
        self.parts = parts;
    }

    /// What the reductions along the classes have come to, and outputs where they belong.
    fn finish(&mut self) {
        let (level, classes, lanes) = (self.ground.level, self.block.rows, self.block.lanes);
        for op in &self.stage.full {
            match *op {
                FullOp::Reduce(Reduce::Max, _, Into::Row(row)) => {
                    let highest = self.scratch.highest[row][..lanes].iter();
                    for (out, highest) in self.scratch.rows[row].iter_mut().zip(highest) {
                        *out = highest.to_f64();
                    }
                }
                FullOp::Op(_, Target::Output(place))
                | FullOp::Output(_, place)
                | FullOp::LabelledOutput(.., place) => {
                    let part = self.parts.iter_mut().find(|(other, _)| *other == place);
                    let (planes, pitch) = (&self.scratch.out, self.block.pitch());
                    if let Some((_, Part::Whole(out))) = part {
                        let planes = &planes[place];
                        let rows = &mut out[self.offset * classes..][..lanes * classes];
                        level.run(Together { wide: level.wide(), planes, pitch, classes, rows });
                    } else if let Some((_, Part::Planes(out))) = part
                        && !(self.block.whole() && T::computed_as_stored())
                    {
                        for (class, out) in out.iter_mut().enumerate() {
                            let plane = &planes[place][class * pitch..];
                            for (out, &value) in out[self.offset..][..lanes].iter_mut().zip(plane) {
                                *out = T::narrow(value);
                            }
                        }
                    }
                }
                FullOp::Op(..)
                | FullOp::Reduce(..)
                | FullOp::SumOfProducts(..)
                | FullOp::Pick(..) => {}
            }
        }
    }
}
