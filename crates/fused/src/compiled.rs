//! The bodies that were compiled, and what they run on.

use crate::body::{ONES, READS, WRITES};
use crate::chunk::{LANES, Lanes, Sums, add_lanes, filled};
use crate::math::{Lane, sigmoid_of, softplus_of};
use crate::simd::{Level, Soon, Work, fetch};

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
            struct Body<'r, 'a>(&'r mut Io<'a, f32>);

            impl Work for Body<'_, '_> {
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

            level.run(Body(io));
        }
    };
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
