//! The bodies that were compiled, and what they run on.

use crate::body::{Body, LABELS, ONES, READS, WRITES, Write};
use crate::chunk::{
    CHUNK, LANES, Lanes, SUMS, Sums, add_lanes, chunk_mut, filled, largest_of_lanes, store, tree,
};
use crate::element::Element;
use crate::execute::{NONE, Part};
use crate::math::{Below, Lane, sigmoid_of, softplus_of};
use crate::program::{Arg, Into};
use crate::rows::{Place, Rows, lanes_of};
use crate::simd::{Level, Soon, Work, fetch};
use crate::walk::Block;
use std::mem::take;

/// Rows of values, so far apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spaced<'a, N> {
    all: &'a [N],
    pitch: usize,
}

/// Rows of values that are written.
#[derive(Debug)]
pub(crate) struct SpacedMut<'a, N> {
    all: &'a mut [N],
    pitch: usize,
}

impl<N> Default for Spaced<'_, N> {
    fn default() -> Self {
        Self { all: &[], pitch: 0 }
    }
}

impl<N> Default for SpacedMut<'_, N> {
    fn default() -> Self {
        Self { all: &mut [], pitch: 0 }
    }
}

impl<'a, N> Spaced<'a, N> {
    /// A row, as far as the array goes.
    #[inline(always)]
    fn of(self, row: usize) -> &'a [N] {
        self.all.get(row * self.pitch..).unwrap_or_default()
    }
}

impl<N> SpacedMut<'_, N> {
    #[inline(always)]
    fn of(&mut self, row: usize) -> &mut [N] {
        self.all.get_mut(row * self.pitch..).unwrap_or_default()
    }
}

/// Lanes of rows that a body runs on.
#[derive(Debug)]
pub struct Io<'a, F> {
    reads: [Spaced<'a, F>; READS],
    ones: [Spaced<'a, f64>; ONES],
    labels: [Spaced<'a, u32>; LABELS],
    writes: [SpacedMut<'a, F>; WRITES],
    sums: [SpacedMut<'a, Sums>; WRITES],
    largest: [SpacedMut<'a, Lanes<F>>; WRITES],
    rows: usize,
    /// The place of the first lane in its row, and how many there are.
    first: usize,
    lanes: usize,
    ahead: Ahead,
}

impl<F> Default for Io<'_, F> {
    fn default() -> Self {
        Self {
            reads: [const { Spaced { all: &[], pitch: 0 } }; READS],
            ones: Default::default(),
            labels: Default::default(),
            writes: Default::default(),
            sums: Default::default(),
            largest: Default::default(),
            rows: 1,
            first: 0,
            lanes: 0,
            ahead: None,
        }
    }
}

/// A body, compiled for every level.
pub(crate) type Run<F> = fn(Level, &mut Io<'_, F>);

macro_rules! body {
    ($name:ident [$($x:ident)*] [$($n:ident)*] [$($l:ident)*] [$($y:ident)*] [$($v:ident)*] [$($m:ident)*] [$($b:ident $of:ident)*] $at:ident $body:block) => {
        fn $name(level: Level, io: &mut Io<'_, f32>) {
            struct Loop<'r, 'a>(&'r mut Io<'a, f32>);

            impl Work for Loop<'_, '_> {
                type Output = ();

                #[inline(always)]
                fn run(self) {
                    // Arguments, so that the compiler knows that they do not overlap.
                    #[inline(always)]
                    fn lanes<const LABELLED: bool>(
                        $($x: &Lanes<f32>,)* $($n: f32,)* $($b: Below<f32>,)* $($l: u32,)* $at: u32,
                        $($y: &mut Lanes<f32>,)* $($v: &mut Lanes<f32>,)* $($m: &mut Lanes<f32>,)*
                    ) {
                        let _ = ($at, $($n,)*);
                        $body
                    }
                    let Io {
                        reads: [$($x,)* ..],
                        ones: [$($n,)* ..],
                        labels: [$($l,)* ..],
                        writes: [$($y,)* ..],
                        sums: [$($v,)* ..],
                        largest: [$($m,)* ..],
                        rows,
                        first: start,
                        lanes: count,
                        ahead,
                    } = self.0;
                    let (start, count, ahead) = (*start, *count, *ahead);
                    for row in 0..*rows {
                        $(let $x = $x.of(row);)*
                        $(let $n = one($n.of(row));)*
                        $(let $b = $of.below();)*
                        $(let $l = label($l.of(row));)*
                        $(let $y = $y.of(row);)*
                        $(let [$v, ..] = $v.of(row) else { return };)*
                        $(let [$m, ..] = $m.of(row) else { return };)*
                        // Copies, which stay in registers.
                        $(let mut $v = { let own = *$v; ($v, own) };)*
                        $(let mut $m = { let own = *$m; ($m, own) };)*
                        for first in (0..count).step_by(LANES) {
                            $(fetch_part($x, first, ahead);)*
                            $(fetch_written($y, first, ahead);)*
                            let own = LANES.min(count - first);
                            $(
                                let spare;
                                let $x = match $x[first..].first_chunk() {
                                    Some(lanes) => lanes,
                                    None => {
                                        spare = filled(&$x[first..], 0.0);
                                        &spare
                                    }
                                };
                            )*
                            // What each adds to, and the lanes that are added.
                            $(let $v = (&mut $v.1, &mut Line([0.0; LANES]).0);)*
                            $(let $m = (&mut $m.1, &mut Line([0.0; LANES]).0);)*
                            $(let $y = (&mut $y[first..first + own], &mut Line([0.0; LANES]).0);)*
                            let at = lane(start + first);
                            let labelled = false $(|| holds($l, at))*;
                            if labelled {
                                lanes::<true>(
                                    $($x,)* $($n,)* $($b,)* $($l,)* at,
                                    $(writing($y.0, $y.1),)* $($v.1,)* $($m.1,)*
                                );
                            } else {
                                lanes::<false>(
                                    $($x,)* $($n,)* $($b,)* $($l,)* at,
                                    $(writing($y.0, $y.1),)* $($v.1,)* $($m.1,)*
                                );
                            }
                            if own < LANES {
                                $($y.0.copy_from_slice(&$y.1[..own]);)*
                                $($v.1[own..].fill(0.0);)*
                                $($m.1[own..].fill(f32::NEG_INFINITY);)*
                            }
                            $(add_lanes($v.0, $v.1);)*
                            $(largest_of_lanes($m.0, $m.1);)*
                        }
                        $(*$v.0 = $v.1;)*
                        $(*$m.0 = $m.1;)*
                    }
                }
            }

            level.run(Loop(io));
        }
    };
}

/// The value of a row.
#[inline(always)]
fn one(row: &[f64]) -> f32 {
    f32::from_f64(row.first().copied().unwrap_or(f64::NAN))
}

#[inline(always)]
fn label(row: &[u32]) -> u32 {
    row.first().copied().unwrap_or(NONE)
}

/// Whether a label is among the lanes from there on.
#[inline(always)]
fn holds(label: u32, at: u32) -> bool {
    label.wrapping_sub(at) < lane(LANES)
}

/// Lanes that lie in whole lines of a cache.
#[repr(align(64))]
struct Line(Lanes<f32>);

/// A lane as labels name it.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "class indices are 32 bits")]
fn lane(lane: usize) -> u32 {
    lane as u32
}

impl<T: Element> Rows<'_, '_, '_, T> {
    /// Whether everything a body reads and writes lies in place, so that it can run on whole rows.
    #[inline(always)]
    pub(crate) fn in_place(&self, body: &Body) -> bool {
        let lies = |&(arg, _): &(Arg, usize)| match arg {
            Arg::Input(input) => {
                let own = self.ground.walk.strides(self.ground.inputs[input].strides);
                self.ground.walk.row(self.block, 0, own).1 == 1
            }
            Arg::Number(_) | Arg::Row(_) | Arg::Class(_) | Arg::Slot(_) | Arg::Stored(_) => true,
        };
        let whole = |(_, part): &(usize, Part<'_, T>)| matches!(part, Part::Whole(_));
        T::as_computed(&[]).is_some() && body.reads.iter().all(lies) && self.parts.iter().all(whole)
    }

    /// Runs a compiled body on all rows at once, or on some lanes of one row.
    #[inline(always)]
    pub(crate) fn run_body(&mut self, body: &Body, run: Run<T::Compute>, at: Option<Place>) {
        let Block { rows, lanes, .. } = *self.block;
        let (row, rows, first, lanes) = match at {
            Some(at) => (at.row, 1, at.first, at.lanes),
            None => (0, rows, 0, lanes),
        };
        let pitch = self.block.lanes.next_multiple_of(CHUNK);
        let kept_from = row * pitch + first;
        let ahead = self.ahead();
        let zero = [0.0; SUMS];
        let none = [-T::Compute::INFINITY; LANES];
        let mut sums = take(&mut self.scratch.sums_of_rows);
        sums.clear();
        sums.resize(body.sums.len() * rows, zero);
        for (sums, &into) in sums.chunks_exact_mut(rows).zip(&body.sums) {
            match into {
                Into::Fold(place) => sums[0] = self.folds.0[place],
                Into::Row(place) if at.is_some() => sums[0] = self.scratch.sums[place],
                Into::Row(_) => {}
            }
        }
        let mut largest = take(&mut self.scratch.largest_of_rows);
        largest.clear();
        largest.resize(body.largest.len() * rows, none);
        if at.is_some() {
            for (largest, &place) in largest.iter_mut().zip(&body.largest) {
                *largest = self.scratch.largest[place];
            }
        }
        let mut written = take(&mut self.scratch.written);
        written.resize_with(body.writes.len().max(written.len()), Default::default);
        let in_place = T::as_computed(&[]).is_some();
        for (written, write) in written.iter_mut().zip(&body.writes) {
            match *write {
                Write::Kept(place) => std::mem::swap(written, &mut self.scratch.kept[place]),
                Write::Output(_) if in_place => {}
                Write::Output(_) => written.resize(written.len().max(CHUNK), T::Compute::ZERO),
            }
        }
        let mut outputs: [Option<&mut [T]>; WRITES] = [const { None }; WRITES];
        for (place, part) in &mut *self.parts {
            let this = |write: &Write| *write == Write::Output(*place);
            if let Some(index) = body.writes.iter().position(this) {
                let at = Place { row, first, lanes };
                outputs[index] = Some(lanes_of(part, at, self.block));
            }
        }

        let mut io = Io { rows, first, lanes, ahead, ..Io::default() };
        for (read, &(arg, slot)) in io.reads.iter_mut().zip(&body.reads) {
            *read = match (at, arg) {
                (Some(_), _) => {
                    let all = Self::slice_from(self.ground, self.scratch, self.classes, slot);
                    Spaced { all, pitch: 0 }
                }
                (None, Arg::Input(input)) => {
                    let seen = &self.ground.inputs[input];
                    let own = self.ground.walk.strides(seen.strides);
                    let (start, _) = self.ground.walk.row(self.block, 0, own);
                    let all = T::as_computed(&seen.elements).unwrap_or_default();
                    let pitch = if rows > 1 {
                        self.ground.walk.row(self.block, 1, own).0 - start
                    } else {
                        0
                    };
                    Spaced { all: all.get(start..).unwrap_or_default(), pitch }
                }
                (None, Arg::Class(place)) => Spaced { all: &self.classes[place], pitch: 0 },
                (None, Arg::Stored(place)) => Spaced { all: &self.scratch.kept[place], pitch },
                (None, Arg::Number(_) | Arg::Row(_) | Arg::Slot(_)) => Spaced::default(),
            };
        }
        for (one, &(arg, _)) in io.ones.iter_mut().zip(&body.ones) {
            *one = match arg {
                Arg::Number(index) => Spaced { all: &self.ground.numbers[index..], pitch: 0 },
                Arg::Row(place) => Spaced { all: &self.scratch.rows[place][row..], pitch: 1 },
                Arg::Class(_) | Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => Spaced::default(),
            };
        }
        for (label, &labels) in io.labels.iter_mut().zip(&body.labels) {
            *label = Spaced { all: &self.scratch.labels[labels][row..], pitch: 1 };
        }
        let targets = written.iter_mut().zip(&body.writes).zip(&mut outputs);
        for (to, ((written, write), output)) in io.writes.iter_mut().zip(targets) {
            *to = match write {
                Write::Kept(_) => SpacedMut { all: &mut written[kept_from..], pitch },
                Write::Output(_) if in_place => {
                    let out = output.take().and_then(T::as_computed_mut).unwrap_or_default();
                    SpacedMut { all: out, pitch: self.block.lanes }
                }
                Write::Output(_) => SpacedMut { all: written, pitch: 0 },
            };
        }
        for ((to, sums), into) in
            io.sums.iter_mut().zip(sums.chunks_exact_mut(rows)).zip(&body.sums)
        {
            let pitch = usize::from(matches!(into, Into::Row(_)));
            *to = SpacedMut { all: sums, pitch };
        }
        for (to, largest) in io.largest.iter_mut().zip(largest.chunks_exact_mut(rows)) {
            *to = SpacedMut { all: largest, pitch: 1 };
        }
        run(self.ground.level, &mut io);

        for (sums, &into) in sums.chunks_exact_mut(rows).zip(&body.sums) {
            match into {
                Into::Fold(place) => self.folds.0[place] = sums[0],
                Into::Row(place) if at.is_some() => self.scratch.sums[place] = sums[0],
                Into::Row(place) => {
                    for (out, sums) in self.scratch.rows[place].iter_mut().zip(sums) {
                        *out = tree(sums, |a, b| a + b);
                    }
                }
            }
        }
        for (largest, &place) in largest.chunks_exact_mut(rows).zip(&body.largest) {
            if at.is_some() {
                self.scratch.largest[place] = largest[0];
                continue;
            }
            for (out, largest) in self.scratch.rows[place].iter_mut().zip(largest) {
                *out = tree(largest, Lane::max).to_f64();
            }
        }
        for ((written, write), output) in written.iter_mut().zip(&body.writes).zip(outputs) {
            match (write, output) {
                (Write::Kept(place), _) => std::mem::swap(written, &mut self.scratch.kept[*place]),
                (Write::Output(_), Some(out)) => store(out, chunk_mut(written, 0), lanes),
                (Write::Output(_), None) => {}
            }
        }
        self.scratch.written = written;
        (self.scratch.sums_of_rows, self.scratch.largest_of_rows) = (sums, largest);
    }
}

/// How far ahead what is read is fetched, and for when, and how far what is written.
type Ahead = Option<(usize, Soon, usize)>;

/// The next lanes, in place if there are enough.
#[inline(always)]
fn writing<'l>(y: &'l mut [f32], spare: &'l mut Lanes<f32>) -> &'l mut Lanes<f32> {
    y.first_chunk_mut().unwrap_or(spare)
}

#[inline(always)]
fn fetch_part<F>(x: &[F], first: usize, ahead: Ahead) {
    if let Some((ahead, soon, _)) = ahead {
        fetch(x, first + ahead, LANES, soon);
    }
}

#[inline(always)]
fn fetch_written<F>(y: &[F], first: usize, ahead: Ahead) {
    if let Some((_, _, ahead)) = ahead {
        fetch(y, first + ahead, LANES, Soon::Write);
    }
}

#[allow(clippy::all, reason = "generated")]
mod bodies {
    use super::*;

    include!(concat!(env!("OUT_DIR"), "/bodies.rs"));
}

/// The place of the body with that source.
pub(crate) fn find(source: &str) -> Option<usize> {
    bodies::BODIES.binary_search_by(|(other, _)| (*other).cmp(source)).ok()
}

/// The body at that place.
pub(crate) fn body(place: usize) -> Option<Run<f32>> {
    bodies::BODIES.get(place).map(|(_, run)| *run)
}
