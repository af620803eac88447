//! The full values of a stage of a block whose lanes lie one after the other in memory, along the classes or without
//! any, chunk by chunk: a chunk of lanes goes through all ops before the next is read, so that memory is read and written
//! while others are computed, and nothing in between leaves the nearest cache.

use crate::body::Lying;
use crate::chunk::{
    CHUNK, Chunk, Slot, Sums, add_up, add_up_products, chunk_mut, largest_of, store, tree,
};
use crate::compiled::Run;
use crate::element::Element;
use crate::execute::{Ground, Part, Scratch};
use crate::math::{Lane, sigmoid_of, softplus_of};
use crate::program::{Arg, FullOp, Into, Op, Stage, Target};
use crate::simd::{Soon, Work, fetch};
use crate::walk::Block;
use lossmith_core::op::{Binary, Compare, Reduce, Unary};

/// How far ahead a stream is fetched.
pub(crate) const STREAM: usize = 1024;

/// Where the chunk that a slot stands for lies.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Lies {
    /// In the slot itself.
    #[default]
    There,
    /// In another slot.
    Slot(usize),
    /// In an input, from that element on.
    Input(usize, usize),
    /// Among what is kept, or the class values, from that element on.
    Kept(usize, usize),
    Class(usize, usize),
}

/// All rows of a block at one stage.
pub(crate) struct Rows<'a, 'b, 'c, T: Element> {
    pub(crate) ground: &'a Ground<'b, T>,
    pub(crate) stage: &'a Stage,
    pub(crate) block: &'a Block,
    pub(crate) classes: &'a [Vec<T::Compute>],
    pub(crate) scratch: &'a mut Scratch<T::Compute>,
    pub(crate) parts: &'a mut [(usize, Part<'c, T>)],
    /// How many elements ahead of each input the next are fetched, if this stage does it.
    pub(crate) ahead: Option<usize>,
    /// Whether it is the only stage.
    pub(crate) alone: bool,
    pub(crate) folds: (&'a mut [Sums], &'a mut [f64]),
}

/// Which lanes of which row.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    pub(crate) row: usize,
    pub(crate) first: usize,
    pub(crate) lanes: usize,
}

impl<T: Element> Work for Rows<'_, '_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let body = self.stage.body(Lying::Apart);
        let compiled = body.and_then(|body| Some((body, T::Compute::compiled(body.compiled?)?)));
        if let Some((body, Run::Apart(run))) = compiled {
            return self.run_body(body, run);
        }
        self.start();
        let mut spare = self.scratch.spare.take().unwrap_or_default();
        for row in 0..self.block.rows {
            self.splat(row);
            for first in (0..self.block.lanes).step_by(CHUNK) {
                let lanes = CHUNK.min(self.block.lanes - first);
                let at = Place { row, first, lanes };
                self.load(at);
                self.fetch(at);
                for index in 0..self.stage.full.len() {
                    self.step(self.stage.full[index], &mut spare, at);
                }
            }
            self.finish(row);
        }
        self.scratch.spare = Some(spare);
    }
}

macro_rules! map {
    ($out:ident, |$($x:ident),*| $body:expr) => {
        for i in 0..CHUNK {
            $(let $x = $x[i];)*
            $out[i] = $body;
        }
    };
}

impl<T: Element> Rows<'_, '_, '_, T> {
    /// Empties what the reductions add up in.
    #[inline(always)]
    fn start(&mut self) {
        self.scratch.lies.fill(Lies::There);
        let positions = self.ground.walk.positions(self.block);
        for op in &self.stage.full {
            match *op {
                FullOp::Reduce(Reduce::Sum, _, Into::Row(row))
                | FullOp::SumOfProducts(_, _, Into::Row(row)) => {
                    self.scratch.sums[row].fill(0.0);
                    self.scratch.rows[row][..positions].fill(0.0);
                }
                FullOp::Reduce(Reduce::Max, _, Into::Row(row)) => {
                    self.scratch.largest[row].fill(-T::Compute::INFINITY);
                    self.scratch.rows[row][..positions].fill(f64::NEG_INFINITY);
                }
                FullOp::Pick(_, _, row) => self.scratch.rows[row][..positions].fill(0.0),
                FullOp::Op(..)
                | FullOp::Reduce(_, _, Into::Fold(_))
                | FullOp::SumOfProducts(_, _, Into::Fold(_))
                | FullOp::LabelledOutput(..)
                | FullOp::Output(..) => {}
            }
        }
        for &(arg, slot) in &self.stage.loads {
            if let Arg::Number(index) = arg {
                let number = T::Compute::from_f64(self.ground.numbers[index]);
                self.scratch.slots[slot].values.fill(number);
            }
        }
    }

    /// Brings into slots what is the same for a whole row.
    #[inline(always)]
    fn splat(&mut self, row: usize) {
        for &(arg, slot) in &self.stage.loads {
            let value = match arg {
                Arg::Row(place) => T::Compute::from_f64(self.scratch.rows[place][row]),
                Arg::Input(input) => {
                    let seen = &self.ground.inputs[input];
                    let own = self.ground.walk.strides(seen.strides);
                    match self.ground.walk.row(self.block, row, own) {
                        (start, 0) => seen.elements[start].widen(),
                        _ => continue,
                    }
                }
                Arg::Number(_) | Arg::Class(_) | Arg::Slot(_) | Arg::Stored(_) => continue,
            };
            self.scratch.slots[slot].values.fill(value);
        }
    }

    /// Finds what is another for every lane, or brings it into slots where it is not as it is computed with.
    #[inline(always)]
    fn load(&mut self, at: Place) {
        let Place { row, first, lanes } = at;
        for &(arg, slot) in &self.stage.loads {
            let lies = &mut self.scratch.lies[slot];
            match arg {
                Arg::Class(place) => *lies = Lies::Class(place, first),
                Arg::Stored(place) => {
                    let start = row * self.block.lanes.next_multiple_of(CHUNK);
                    *lies = Lies::Kept(place, start + first);
                }
                Arg::Input(input) => {
                    let seen = &self.ground.inputs[input];
                    let own = self.ground.walk.strides(seen.strides);
                    let (start, stride) = self.ground.walk.row(self.block, row, own);
                    let start = start + first * stride;
                    let elements = &seen.elements[start..];
                    *lies = Lies::There;
                    let slot: &mut Chunk<T::Compute> = &mut self.scratch.slots[slot].values;
                    match (stride, elements.first_chunk::<CHUNK>()) {
                        (0, _) => {}
                        (1, Some(_)) if T::computed_as_stored() => {
                            *lies = Lies::Input(input, start);
                        }
                        (1, Some(elements)) => {
                            for i in 0..CHUNK {
                                slot[i] = elements[i].widen();
                            }
                        }
                        _ => {
                            for (out, from) in slot[..lanes].iter_mut().zip(elements.chunks(stride))
                            {
                                *out = from[0].widen();
                            }
                        }
                    }
                }
                Arg::Number(_) | Arg::Row(_) | Arg::Slot(_) => {}
            }
        }
    }

    /// How far ahead what is read is fetched, and for when, and how far what is written.
    #[inline(always)]
    pub(crate) fn ahead(&self) -> Option<(usize, Soon, usize)> {
        let ahead = self.ahead?;
        Some(if self.alone { (ahead, Soon::Read, STREAM) } else { (ahead, Soon::ReadLater, 0) })
    }

    /// Asks for what is read and written next.
    #[inline(always)]
    fn fetch(&mut self, at: Place) {
        let Some((ahead, soon, written)) = self.ahead() else { return };
        for &(arg, _) in &self.stage.loads {
            if let Arg::Input(input) = arg {
                let seen = &self.ground.inputs[input];
                let own = self.ground.walk.strides(seen.strides);
                if let (start, 1) = self.ground.walk.row(self.block, at.row, own) {
                    fetch(&seen.elements, start + at.first + ahead, CHUNK, soon);
                }
            }
        }
        for (_, part) in &mut *self.parts {
            fetch(lanes_of(part, at, self.block), written, CHUNK, Soon::Write);
        }
    }

    #[inline(always)]
    fn step(&mut self, op: FullOp, spare: &mut Box<Slot<T::Compute>>, at: Place) {
        let Place { row, first, lanes } = at;
        match op {
            // Without the label among the lanes, what is elsewhere stands for the whole.
            FullOp::Op(Op::AtLabel(labels, _, miss), Target::Slot(out))
                if self.label_lane(labels, at).is_none() =>
            {
                let lies = self.scratch.lies[miss];
                let there = matches!(lies, Lies::There);
                self.scratch.lies[out] = if there { Lies::Slot(miss) } else { lies };
            }
            FullOp::LabelledOutput(op, labels, hit, place) => {
                let parts = std::mem::take(&mut self.parts);
                if let Some((_, part)) = parts.iter_mut().find(|(other, _)| *other == place) {
                    let out = lanes_of(part, at, self.block);
                    self.write(op, out, &mut spare.values, at);
                    if let Some(lane) = self.label_lane(labels, at) {
                        out[lane] = T::narrow(self.read(hit)[lane]);
                    }
                }
                self.parts = parts;
            }
            FullOp::Op(op, Target::Slot(out)) => {
                // Swapped out, so that the others can be read while it is written.
                std::mem::swap(&mut self.scratch.slots[out], spare);
                self.compute(op, &mut spare.values, at);
                std::mem::swap(&mut self.scratch.slots[out], spare);
                self.scratch.lies[out] = Lies::There;
            }
            FullOp::Op(op, Target::Kept(place, slot)) => {
                let start = row * self.block.lanes.next_multiple_of(CHUNK) + first;
                let mut kept = std::mem::take(&mut self.scratch.kept[place]);
                self.compute(op, chunk_mut(&mut kept, start), at);
                self.scratch.kept[place] = kept;
                self.scratch.lies[slot] = Lies::Kept(place, start);
            }
            FullOp::Op(op, Target::Output(place)) => {
                let parts = std::mem::take(&mut self.parts);
                if let Some((_, part)) = parts.iter_mut().find(|(other, _)| *other == place) {
                    self.write(op, lanes_of(part, at, self.block), &mut spare.values, at);
                }
                self.parts = parts;
            }
            FullOp::Output(slot, place) => {
                let parts = std::mem::take(&mut self.parts);
                if let Some((_, part)) = parts.iter_mut().find(|(other, _)| *other == place) {
                    store(lanes_of(part, at, self.block), self.read(slot), lanes);
                }
                self.parts = parts;
            }
            FullOp::Reduce(Reduce::Sum, slot, Into::Fold(place)) => {
                let x = Self::read_from(self.ground, self.scratch, self.classes, slot);
                add_up(&mut self.folds.0[place], &x[..lanes]);
            }
            FullOp::Reduce(Reduce::Max, slot, Into::Fold(place)) => {
                let most = self.read(slot)[..lanes]
                    .iter()
                    .fold(self.folds.1[place], |most, x| Lane::max(most, x.to_f64()));
                self.folds.1[place] = most;
            }
            FullOp::Reduce(Reduce::Sum, slot, Into::Row(place)) => {
                let mut sums = self.scratch.sums[place];
                add_up(&mut sums, &self.read(slot)[..lanes]);
                self.scratch.sums[place] = sums;
            }
            FullOp::Reduce(Reduce::Max, slot, Into::Row(place)) => {
                let mut largest = self.scratch.largest[place];
                largest_of(&mut largest, &self.read(slot)[..lanes]);
                self.scratch.largest[place] = largest;
            }
            FullOp::SumOfProducts([a, b], weighed, Into::Fold(place)) => {
                let read =
                    |slot| &Self::read_from(self.ground, self.scratch, self.classes, slot)[..lanes];
                add_up_products(&mut self.folds.0[place], [read(a), read(b)], weighed);
            }
            FullOp::SumOfProducts([a, b], weighed, Into::Row(place)) => {
                let mut sums = self.scratch.sums[place];
                let ab = [a, b].map(|slot| &self.read(slot)[..lanes]);
                add_up_products(&mut sums, ab, weighed);
                self.scratch.sums[place] = sums;
            }
            FullOp::Pick(labels, slot, place) => {
                if let Some(lane) = self.label_lane(labels, at) {
                    let picked = self.read(slot)[lane].to_f64();
                    self.scratch.rows[place][row] = picked;
                }
            }
        }
    }

    /// The lane of a row's label, if it is among these.
    #[inline(always)]
    fn label_lane(&self, labels: usize, at: Place) -> Option<usize> {
        let label = self.ground.label(labels, self.block, at.row)?;
        label.checked_sub(at.first).filter(|&lane| lane < at.lanes)
    }

    /// Computes into an output, where it lies if it can.
    #[inline(always)]
    fn write(&self, op: Op<usize>, out: &mut [T], spare: &mut Chunk<T::Compute>, at: Place) {
        match T::as_computed_mut(out).and_then(<[_]>::first_chunk_mut) {
            Some(out) if at.lanes == CHUNK => self.compute(op, out, at),
            _ => {
                self.compute(op, spare, at);
                store(out, spare, at.lanes);
            }
        }
    }

    /// The chunk that a slot stands for.
    #[inline(always)]
    fn read(&self, slot: usize) -> &Chunk<T::Compute> {
        Self::read_from(self.ground, self.scratch, self.classes, slot)
    }

    #[inline(always)]
    fn read_from<'s>(
        ground: &'s Ground<'_, T>,
        scratch: &'s Scratch<T::Compute>,
        classes: &'s [Vec<T::Compute>],
        slot: usize,
    ) -> &'s Chunk<T::Compute> {
        let there = &scratch.slots[slot].values;
        let (values, start) = match scratch.lies[slot] {
            Lies::There => return there,
            Lies::Slot(other) => return &scratch.slots[other].values,
            Lies::Input(input, start) => match T::as_computed(&ground.inputs[input].elements) {
                Some(elements) => (elements, start),
                None => return there,
            },
            Lies::Kept(place, start) => (&scratch.kept[place][..], start),
            Lies::Class(place, start) => (&classes[place][..], start),
        };
        values.get(start..).and_then(<[_]>::first_chunk).unwrap_or(there)
    }

    #[inline(always)]
    fn compute(&self, op: Op<usize>, out: &mut Chunk<T::Compute>, at: Place) {
        match op {
            Op::Unary(op, x) => {
                let x = self.read(x);
                match op {
                    Unary::Neg => map!(out, |x| -x),
                    Unary::Abs => map!(out, |x| x.abs()),
                    Unary::Sign => map!(out, |x| x.sign()),
                    Unary::Exp => map!(out, |x| x.exp()),
                    Unary::Expm1 => map!(out, |x| x.expm1()),
                    Unary::Ln => map!(out, |x| x.ln()),
                    Unary::Ln1p => map!(out, |x| x.ln1p()),
                    Unary::Sqrt => map!(out, |x| x.sqrt()),
                    Unary::Sigmoid => map!(out, |x| x.sigmoid()),
                    Unary::Softplus => map!(out, |x| x.softplus()),
                }
            }
            Op::Binary(op, a, b) => {
                let (a, b) = (self.read(a), self.read(b));
                match op {
                    Binary::Add => map!(out, |a, b| a + b),
                    Binary::Sub => map!(out, |a, b| a - b),
                    Binary::Mul => map!(out, |a, b| a * b),
                    Binary::Div => map!(out, |a, b| a / b),
                    Binary::Weigh => map!(out, |a, b| a.weigh(b)),
                    Binary::ExpSub => map!(out, |a, b| a.exp_sub(b)),
                    Binary::LogAddExp => map!(out, |a, b| a.log_add_exp(b)),
                }
            }
            Op::Select(compare, [a, b], [then, other]) => {
                let [a, b, then, other] = [a, b, then, other].map(|slot| self.read(slot));
                match compare {
                    Compare::Eq => map!(out, |a, b, then, other| Lane::select(a == b, then, other)),
                    Compare::Lt => map!(out, |a, b, then, other| Lane::select(a < b, then, other)),
                    Compare::Le => map!(out, |a, b, then, other| Lane::select(a <= b, then, other)),
                }
            }
            Op::AtLabel(labels, hit, miss) => {
                let (hit, miss) = (self.read(hit), self.read(miss));
                *out = *miss;
                if let Some(lane) = self.label_lane(labels, at) {
                    out[lane] = hit[lane];
                }
            }
            Op::ExpBelow(a, b) => {
                // A value of the row: the same in every lane.
                let (a, below) = (self.read(a), self.read(b)[0].below());
                map!(out, |a| a.exp_below(below));
            }
            Op::Tail(x) => {
                let x = self.read(x);
                map!(out, |x| x.tail());
            }
            Op::Log(tail) => {
                let tail = self.read(tail);
                map!(out, |tail| tail.log_of_tail());
            }
            Op::Softplus(x, log) => {
                let (x, log) = (self.read(x), self.read(log));
                map!(out, |x, log| softplus_of(x, log));
            }
            Op::Sigmoid(x, tail) => {
                let (x, tail) = (self.read(x), self.read(tail));
                map!(out, |x, tail| sigmoid_of(x, tail));
            }
        }
    }

    /// The row values that the reductions along a row have come to.
    #[inline(always)]
    fn finish(&mut self, row: usize) {
        for op in &self.stage.full {
            match *op {
                FullOp::Reduce(Reduce::Sum, _, Into::Row(place))
                | FullOp::SumOfProducts(_, _, Into::Row(place)) => {
                    let sums = &mut self.scratch.sums[place];
                    self.scratch.rows[place][row] = tree(sums, |a, b| a + b);
                    sums.fill(0.0);
                }
                FullOp::Reduce(Reduce::Max, _, Into::Row(place)) => {
                    let largest = &mut self.scratch.largest[place];
                    self.scratch.rows[place][row] = tree(largest, Lane::max).to_f64();
                    largest.fill(-T::Compute::INFINITY);
                }
                FullOp::Op(..)
                | FullOp::Reduce(_, _, Into::Fold(_))
                | FullOp::SumOfProducts(_, _, Into::Fold(_))
                | FullOp::Pick(..)
                | FullOp::LabelledOutput(..)
                | FullOp::Output(..) => {}
            }
        }
    }
}

/// The lanes of a row of an output, from the first on; of row values, which end before, none.
#[inline(always)]
pub(crate) fn lanes_of<'p, T>(part: &'p mut Part<'_, T>, at: Place, block: &Block) -> &'p mut [T] {
    match part {
        Part::Planes(planes) => &mut planes[at.row][at.first..],
        Part::Whole(out) => out.get_mut(at.row * block.lanes + at.first..).unwrap_or_default(),
    }
}
