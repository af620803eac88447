//! The full values of a stage of a block, chunk by chunk: a chunk of lanes goes through all ops before the next is
//! read, so that memory is read and written while others are computed, and nothing in between leaves the nearest cache.

use crate::element::Element;
use crate::execute::{Ground, NONE, Part, Scratch};
use crate::math::Lane;
use crate::program::{Arg, FullOp, Op, Stage};
use crate::simd::Work;
use crate::walk::{Along, Block};
use lossmith_core::accumulate::LANES;
use lossmith_core::op::{Binary, Compare, Reduce, Unary};

/// Lanes that go through the ops together.
pub(crate) const CHUNK: usize = 128;

type Chunk<F> = [F; CHUNK];

/// All rows of a block at one stage.
pub(crate) struct Rows<'a, 'b, 'c, T: Element> {
    pub(crate) ground: &'a Ground<'b, T>,
    pub(crate) stage: &'a Stage,
    pub(crate) block: &'a Block,
    pub(crate) classes: &'a [Vec<T::Compute>],
    pub(crate) scratch: &'a mut Scratch<T::Compute>,
    pub(crate) parts: &'a mut [(usize, Part<'c, T>)],
    pub(crate) folds: (&'a mut [[f64; LANES]], &'a mut [f64]),
}

/// Which lanes of which row.
#[derive(Clone, Copy)]
struct Place {
    row: usize,
    first: usize,
    lanes: usize,
}

impl<T: Element> Work for Rows<'_, '_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let along_classes = self.ground.walk.along == Along::Classes;
        self.start();
        for row in 0..self.block.rows {
            self.splat(row, along_classes);
            let mut first = 0;
            while first < self.block.lanes {
                let lanes = CHUNK.min(self.block.lanes - first);
                let at = Place { row, first, lanes };
                self.load(at, along_classes);
                for index in 0..self.stage.full.len() {
                    self.step(self.stage.full[index], at, along_classes);
                }
                first += CHUNK;
            }
            if along_classes {
                self.finish(row);
            }
        }
    }
}

#[inline(always)]
fn chunk_of<N>(values: &[N], first: usize) -> &Chunk<N> {
    &values.as_chunks::<CHUNK>().0[first / CHUNK]
}

#[inline(always)]
fn chunk_mut<N>(values: &mut [N], first: usize) -> &mut Chunk<N> {
    &mut values.as_chunks_mut::<CHUNK>().0[first / CHUNK]
}

/// The first lanes, and a number in place of the others.
#[inline(always)]
fn padded<F: Lane>(chunk: &Chunk<F>, lanes: usize, rest: F) -> Chunk<F> {
    let mut padded = *chunk;
    if lanes < CHUNK {
        padded[lanes..].fill(rest);
    }
    padded
}

#[inline(always)]
fn add_up<F: Lane>(sums: &mut [f64; LANES], chunk: &Chunk<F>) {
    for part in chunk.as_chunks::<LANES>().0 {
        for (sum, &x) in sums.iter_mut().zip(part) {
            *sum += x.to_f64();
        }
    }
}

#[inline(always)]
fn largest_of<F: Lane>(largest: &mut [F; LANES], chunk: &Chunk<F>) {
    for part in chunk.as_chunks::<LANES>().0 {
        for (largest, &x) in largest.iter_mut().zip(part) {
            *largest = largest.max(x);
        }
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
        for op in &self.stage.full {
            match *op {
                FullOp::Reduce(op, _, row) => {
                    self.scratch.sums[row] = [0.0; LANES];
                    self.scratch.largest[row] = [-T::Compute::INFINITY; LANES];
                    let nothing = match op {
                        Reduce::Sum => 0.0,
                        Reduce::Max => f64::NEG_INFINITY,
                    };
                    self.scratch.rows[row].fill(nothing);
                }
                FullOp::Pick(_, _, row) => self.scratch.rows[row].fill(0.0),
                FullOp::Op(..) | FullOp::Keep(..) | FullOp::Fold(..) | FullOp::Output(..) => {}
            }
        }
        for &(arg, slot) in &self.stage.loads {
            if let Arg::Number(index) = arg {
                let number = T::Compute::from_f64(self.ground.numbers[index]);
                self.scratch.slots[slot] = [number; CHUNK];
            }
        }
    }

    /// Brings into slots what is the same for a whole row.
    #[inline(always)]
    fn splat(&mut self, row: usize, along_classes: bool) {
        for &(arg, slot) in &self.stage.loads {
            let value = match arg {
                Arg::Row(place) if along_classes => {
                    T::Compute::from_f64(self.scratch.rows[place][row])
                }
                Arg::Class(place) if !along_classes => self.classes[place][row],
                Arg::Input(input) => {
                    let seen = &self.ground.inputs[input];
                    let own = self.ground.walk.strides(seen.strides);
                    match self.ground.walk.row(self.block, row, own) {
                        (start, 0) => seen.elements[start].widen(),
                        _ => continue,
                    }
                }
                Arg::Number(_) | Arg::Class(_) | Arg::Row(_) | Arg::Slot(_) | Arg::Stored(_) => {
                    continue;
                }
            };
            self.scratch.slots[slot] = [value; CHUNK];
        }
    }

    /// Brings into slots what is another for every lane.
    #[inline(always)]
    fn load(&mut self, at: Place, along_classes: bool) {
        let Place { row, first, lanes } = at;
        for &(arg, slot) in &self.stage.loads {
            let slot = &mut self.scratch.slots[slot];
            match arg {
                Arg::Class(place) if along_classes => {
                    *slot = *chunk_of(&self.classes[place], first);
                }
                Arg::Row(place) if !along_classes => {
                    *slot = *chunk_of(&self.scratch.narrow[place], first);
                }
                Arg::Stored(place) => {
                    let start = row * self.block.lanes.next_multiple_of(CHUNK);
                    *slot = *chunk_of(&self.scratch.kept[place], start + first);
                }
                Arg::Input(input) => {
                    let seen = &self.ground.inputs[input];
                    let own = self.ground.walk.strides(seen.strides);
                    let (start, stride) = self.ground.walk.row(self.block, row, own);
                    let elements = &seen.elements[start + first * stride..];
                    match (stride, elements.first_chunk::<CHUNK>()) {
                        (0, _) => {}
                        (1, Some(elements)) => {
                            for i in 0..CHUNK {
                                slot[i] = elements[i].widen();
                            }
                        }
                        _ => {
                            let elements = elements.iter().step_by(stride).take(lanes);
                            for (out, element) in slot.iter_mut().zip(elements) {
                                *out = element.widen();
                            }
                        }
                    }
                }
                Arg::Number(_) | Arg::Class(_) | Arg::Row(_) | Arg::Slot(_) => {}
            }
        }
    }

    #[inline(always)]
    fn step(&mut self, op: FullOp, at: Place, along_classes: bool) {
        let Place { row, first, lanes } = at;
        let zero = T::Compute::ZERO;
        match op {
            FullOp::Op(op, out) => {
                let result = self.compute(op, at, along_classes);
                self.scratch.slots[out] = result;
            }
            FullOp::Keep(slot, place) => {
                let start = row * self.block.lanes.next_multiple_of(CHUNK);
                let kept = chunk_mut(&mut self.scratch.kept[place], start + first);
                *kept = self.scratch.slots[slot];
            }
            FullOp::Reduce(Reduce::Sum, slot, place) if along_classes => {
                let chunk = padded(&self.scratch.slots[slot], lanes, zero);
                add_up(&mut self.scratch.sums[place], &chunk);
            }
            FullOp::Reduce(Reduce::Max, slot, place) if along_classes => {
                let chunk = padded(&self.scratch.slots[slot], lanes, -T::Compute::INFINITY);
                largest_of(&mut self.scratch.largest[place], &chunk);
            }
            FullOp::Reduce(op, slot, place) => {
                let (x, out) = (&self.scratch.slots[slot], &mut self.scratch.rows[place]);
                let out = chunk_mut(out, first);
                match op {
                    Reduce::Sum => {
                        for i in 0..CHUNK {
                            out[i] += x[i].to_f64();
                        }
                    }
                    Reduce::Max => {
                        for i in 0..CHUNK {
                            out[i] = Lane::max(out[i], x[i].to_f64());
                        }
                    }
                }
            }
            FullOp::Pick(labels, slot, place) if along_classes => {
                let label = self.ground.label(labels, self.block, row);
                let lane = label.and_then(|label| label.checked_sub(first));
                if let Some(lane) = lane.filter(|&lane| lane < lanes) {
                    self.scratch.rows[place][row] = self.scratch.slots[slot][lane].to_f64();
                }
            }
            FullOp::Pick(labels, slot, place) => {
                let class = u32::try_from(row).unwrap_or(NONE);
                let labels = chunk_of(&self.scratch.labels[labels], first);
                let x = &self.scratch.slots[slot];
                let out = chunk_mut(&mut self.scratch.rows[place], first);
                for i in 0..CHUNK {
                    out[i] = if labels[i] == class { x[i].to_f64() } else { out[i] };
                }
            }
            FullOp::Fold(Reduce::Sum, slot, place) => {
                let chunk = padded(&self.scratch.slots[slot], lanes, zero);
                add_up(&mut self.folds.0[place], &chunk);
            }
            FullOp::Fold(Reduce::Max, slot, place) => {
                for &x in &self.scratch.slots[slot][..lanes] {
                    self.folds.1[place] = Lane::max(self.folds.1[place], x.to_f64());
                }
            }
            FullOp::Output(slot, place) => {
                let part = self.parts.iter_mut().find(|(other, _)| *other == place);
                if let Some((_, part)) = part {
                    let values = &self.scratch.slots[slot];
                    store(part, values, at, self.block, along_classes);
                }
            }
        }
    }

    #[inline(always)]
    fn compute(&self, op: Op<usize>, at: Place, along_classes: bool) -> Chunk<T::Compute> {
        let slots = &self.scratch.slots;
        let mut out = [T::Compute::ZERO; CHUNK];
        match op {
            Op::Unary(op, x) => {
                let x = &slots[x];
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
                let (a, b) = (&slots[a], &slots[b]);
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
                let [a, b, then, other] = [a, b, then, other].map(|slot| &slots[slot]);
                match compare {
                    Compare::Eq => map!(out, |a, b, then, other| Lane::select(a == b, then, other)),
                    Compare::Lt => map!(out, |a, b, then, other| Lane::select(a < b, then, other)),
                    Compare::Le => map!(out, |a, b, then, other| Lane::select(a <= b, then, other)),
                }
            }
            Op::AtLabel(labels, hit, miss) => {
                let (hit, miss) = (&slots[hit], &slots[miss]);
                if along_classes {
                    out = *miss;
                    let label = self.ground.label(labels, self.block, at.row);
                    let lane = label.and_then(|label| label.checked_sub(at.first));
                    if let Some(lane) = lane.filter(|&lane| lane < at.lanes) {
                        out[lane] = hit[lane];
                    }
                } else {
                    let class = u32::try_from(at.row).unwrap_or(NONE);
                    let labels = chunk_of(&self.scratch.labels[labels], at.first);
                    map!(out, |labels, hit, miss| Lane::select(labels == class, hit, miss));
                }
            }
        }
        out
    }

    /// The row values that the reductions along a row have come to.
    #[inline(always)]
    fn finish(&mut self, row: usize) {
        for op in &self.stage.full {
            if let FullOp::Reduce(op, _, place) = *op {
                let (sums, largest) =
                    (&mut self.scratch.sums[place], &mut self.scratch.largest[place]);
                self.scratch.rows[place][row] = match op {
                    Reduce::Sum => tree(*sums, |a, b| a + b),
                    Reduce::Max => tree(*largest, Lane::max).to_f64(),
                };
                *sums = [0.0; LANES];
                *largest = [-T::Compute::INFINITY; LANES];
            }
        }
    }
}

/// The lanes as one, by a fixed tree.
#[inline(always)]
fn tree<N: Copy>(mut lanes: [N; LANES], join: impl Fn(N, N) -> N) -> N {
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Writes lanes of a row of an output.
#[inline(always)]
fn store<T: Element>(
    part: &mut Part<'_, T>,
    values: &Chunk<T::Compute>,
    at: Place,
    block: &Block,
    along_classes: bool,
) {
    let out = match part {
        Part::Planes(planes) => &mut planes[at.row][at.first..],
        Part::Whole(out) if along_classes => &mut out[at.row * block.lanes + at.first..],
        Part::Whole(out) if block.rows == 1 => &mut out[at.first..],
        Part::Whole(out) => {
            let out = out[at.first * block.rows + at.row..].iter_mut().step_by(block.rows);
            for (out, &value) in out.zip(&values[..at.lanes]) {
                *out = T::narrow(value);
            }
            return;
        }
    };
    match out.first_chunk_mut::<CHUNK>() {
        Some(out) if at.lanes == CHUNK => {
            for i in 0..CHUNK {
                out[i] = T::narrow(values[i]);
            }
        }
        _ => {
            for (out, &value) in out.iter_mut().zip(&values[..at.lanes]) {
                *out = T::narrow(value);
            }
        }
    }
}
