//! The bodies that were compiled, and what they run on.

use crate::body::{Body, ONES, READS, WRITES};
use crate::chunk::{LANES, Lanes, SUMS, Sums, add_lanes, filled, store};
use crate::element::Element;
use crate::math::{Lane, sigmoid_of, softplus_of};
use crate::rows::{Lies, Place, Rows, lanes_of};
use crate::simd::{Level, Soon, Work, fetch};
use std::mem::take;

/// Lanes that a body runs on.
#[derive(Debug)]
pub struct Io<'a, F> {
    /// Each from the first lane on, as far as its array goes.
    pub(crate) reads: [&'a [F]; READS],
    pub(crate) ones: [F; ONES],
    /// Each of all lanes.
    pub(crate) writes: [&'a mut [F]; WRITES],
    pub(crate) sums: &'a mut [Sums],
    pub(crate) lanes: usize,
    pub(crate) ahead: Ahead,
}

impl<F: Lane> Default for Io<'_, F> {
    fn default() -> Self {
        Self {
            reads: [&[]; READS],
            ones: [F::ZERO; ONES],
            writes: std::array::from_fn(|_| Default::default()),
            sums: &mut [],
            lanes: 0,
            ahead: None,
        }
    }
}

/// A body, compiled for every level.
pub(crate) type Run<F> = fn(Level, &mut Io<'_, F>);

macro_rules! body {
    ($name:ident [$($x:ident)*] [$($n:ident)*] [$($y:ident)*] [$($v:ident)*] $i:ident $body:block) => {
        fn $name(level: Level, io: &mut Io<'_, f32>) {
            struct Loop<'r, 'a>(&'r mut Io<'a, f32>);

            impl Work for Loop<'_, '_> {
                type Output = ();

                #[inline(always)]
                #[allow(irrefutable_let_patterns, reason = "where there are no sums")]
                fn run(self) {
                    // Arguments, so that the compiler knows that they do not overlap.
                    #[inline(always)]
                    fn lanes(
                        $($x: &Lanes<f32>,)* $($n: f32,)* $($y: &mut Lanes<f32>,)*
                        $($v: &mut Lanes<f32>,)*
                    ) {
                        for $i in 0..LANES $body
                    }
                    let Io {
                        reads: [$($x,)* ..],
                        ones: [$($n,)* ..],
                        writes: [$($y,)* ..],
                        sums: [$($v,)* ..],
                        lanes: count,
                        ahead,
                    } = self.0
                    else {
                        return;
                    };
                    let (count, ahead) = (*count, *ahead);
                    for first in (0..count).step_by(LANES) {
                        $(fetch_part($x, first, ahead);)*
                        $(fetch_written($y, first, ahead);)*
                        let own = LANES.min(count - first);
                        // What each adds to, and the lanes that are added.
                        $(let $v = (&mut *$v, &mut [0.0; LANES]);)*
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
                        $(let $y = (&mut $y[first..first + own], &mut [0.0; LANES]);)*
                        lanes(
                            $($x,)* $(*$n,)* $(writing($y.0, $y.1),)* $($v.1,)*
                        );
                        if own < LANES {
                            $($y.0.copy_from_slice(&$y.1[..own]);)*
                            $($v.1[own..].fill(0.0);)*
                        }
                        $(add_lanes($v.0, $v.1);)*
                    }
                }
            }

            level.run(Loop(io));
        }
    };
}

impl<T: Element> Rows<'_, '_, '_, T> {
    /// Runs a compiled body, on all lanes where what it reads and writes lies in place; says how many those were.
    #[inline(always)]
    pub(crate) fn run_body(&mut self, body: &Body, run: Run<T::Compute>, at: Place) -> usize {
        let ahead = self.ahead();
        let mut written = take(&mut self.scratch.written);
        written.resize_with(body.writes.len(), Box::default);
        let mut outputs: [Option<&mut [T]>; WRITES] = [const { None }; WRITES];
        for (place, part) in &mut *self.parts {
            if let Some(index) = body.writes.iter().position(|write| write == place) {
                outputs[index] = Some(lanes_of(part, at, self.block));
            }
        }
        let in_place = T::as_computed(&[]).is_some();
        let there = |&slot: &usize| matches!(self.scratch.lies[slot], Lies::There);
        let whole = in_place && !body.reads.iter().any(there);
        let lanes = if whole { self.block.lanes - at.first } else { at.lanes };

        let mut sums = [[0.0; SUMS]; WRITES];
        for (sums, &place) in sums.iter_mut().zip(&body.sums) {
            *sums = self.folds.0[place];
        }
        let mut io = Io { lanes, ahead, sums: &mut sums, ..Io::default() };
        for (read, &slot) in io.reads.iter_mut().zip(&body.reads) {
            *read = Self::slice_from(self.ground, self.scratch, self.classes, slot);
        }
        for (one, &slot) in io.ones.iter_mut().zip(&body.ones) {
            *one = self.scratch.slots[slot].values[0];
        }
        let targets = outputs.iter_mut().zip(&mut written);
        for (write, (output, spare)) in io.writes.iter_mut().zip(targets) {
            *write = if in_place {
                let out = output.take().and_then(T::as_computed_mut);
                out.and_then(|out| out.get_mut(..lanes)).unwrap_or_default()
            } else {
                &mut spare.values[..lanes]
            };
        }
        run(self.ground.level, &mut io);
        for (&sums, &place) in sums.iter().zip(&body.sums) {
            self.folds.0[place] = sums;
        }
        for (output, spare) in outputs.into_iter().zip(&written) {
            if let Some(out) = output {
                store(out, &spare.values, lanes);
            }
        }
        self.scratch.written = written;
        lanes
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
