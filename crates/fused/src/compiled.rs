//! The bodies that were compiled, and what they run on.

use crate::body::{LABELS, ONES, READS, SUMMED, WRITES};
use crate::chunk::{
    FEW, Few, LANES, Lanes, Sums, add_each, add_lanes, filled, largest_of_lanes, tree,
};
use crate::execute::NONE;
use crate::math::{Below, Lane, PARTS, sigmoid_of, softplus_of};
use crate::simd::{Level, Soon, Work, fetch};

/// Rows of values, so far apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spaced<'a, N> {
    pub(crate) all: &'a [N],
    pub(crate) pitch: usize,
}

/// Rows of values that are written.
#[derive(Debug)]
pub(crate) enum SpacedMut<'a, N> {
    /// So far apart.
    All(&'a mut [N], usize),
    /// Each somewhere.
    Each(Vec<&'a mut [N]>),
}

impl<N> Default for Spaced<'_, N> {
    fn default() -> Self {
        Self { all: &[], pitch: 0 }
    }
}

impl<N> Default for SpacedMut<'_, N> {
    fn default() -> Self {
        Self::All(&mut [], 0)
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
        match self {
            Self::All(all, pitch) => all.get_mut(row * *pitch..).unwrap_or_default(),
            Self::Each(rows) => rows.get_mut(row).map(|row| &mut **row).unwrap_or_default(),
        }
    }
}

/// What exponentials of lanes of rows side by side are computed below.
pub(crate) type Belows<F> = [Few<F>; PARTS];

/// What a body of rows one after the other runs on.
#[derive(Debug)]
pub struct Io<'a, F> {
    pub(crate) reads: [Spaced<'a, F>; READS],
    pub(crate) ones: [Spaced<'a, f64>; ONES],
    pub(crate) labels: [Spaced<'a, u32>; LABELS],
    pub(crate) writes: [SpacedMut<'a, F>; WRITES],
    pub(crate) sums: [SpacedMut<'a, Sums>; SUMMED],
    pub(crate) largest: [SpacedMut<'a, F>; WRITES],
    pub(crate) rows: usize,
    /// The place of the first lane in its row, and how many there are.
    pub(crate) first: usize,
    pub(crate) lanes: usize,
    pub(crate) ahead: Ahead,
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

/// What a body of rows side by side runs on: as many lanes of everything as the planes have.
#[derive(Debug)]
pub struct Beside<'a, F> {
    /// What is another value for every class and row: a plane a class.
    pub(crate) planes: [Spaced<'a, F>; READS],
    /// A value a row, for all, and a class.
    pub(crate) rows: [&'a [F]; READS],
    pub(crate) numbers: [F; ONES],
    pub(crate) of_classes: [&'a [F]; READS],
    pub(crate) writes: [SpacedMut<'a, F>; WRITES],
    /// A label, a sum, a maximum and a lower bound a row.
    pub(crate) labels: [&'a [u32]; LABELS],
    pub(crate) sums: [&'a mut [f64]; SUMMED],
    pub(crate) largest: [&'a mut [F]; WRITES],
    pub(crate) belows: [&'a [Belows<F>]; LABELS],
    pub(crate) classes: usize,
    pub(crate) lanes: usize,
    /// How many lanes ahead the planes are fetched.
    pub(crate) ahead: Option<usize>,
    /// What is written later, class by class, and fetched here.
    pub(crate) later: &'a [&'a [F]],
}

impl<F: Lane> Default for Beside<'_, F> {
    fn default() -> Self {
        Self {
            planes: [const { Spaced { all: &[], pitch: 0 } }; READS],
            rows: Default::default(),
            numbers: [F::ZERO; ONES],
            of_classes: Default::default(),
            writes: Default::default(),
            labels: Default::default(),
            sums: Default::default(),
            largest: Default::default(),
            belows: Default::default(),
            classes: 0,
            lanes: 0,
            ahead: None,
            later: &[],
        }
    }
}

/// A loop over the lanes of one row after the other.
pub(crate) type OfRows<F> = fn(Level, &mut Io<'_, F>);

/// A loop over the classes of rows side by side.
pub(crate) type OfClasses<F> = fn(Level, &mut Beside<'_, F>);

/// A body, compiled for every level.
#[derive(Clone, Copy, Debug)]
pub enum Run<F> {
    /// Of rows one after the other.
    Apart(OfRows<F>),
    /// Of rows side by side.
    Beside(OfClasses<F>),
}

/// A body whose lanes all go into the same sums and maxima, row after row.
macro_rules! apart {
    ($name:ident [$($x:ident)*] [$($n:ident)*] [$($l:ident)*] [$($y:ident)*] [$($v:ident)*] [$($m:ident)*] [$($b:ident $of:ident)*]
        $at:ident $class:ident $body:block) => {
        fn $name(level: Level, io: &mut Io<'_, f32>) {
            struct Loop<'r, 'a>(&'r mut Io<'a, f32>);

            impl Work for Loop<'_, '_> {
                type Output = ();

                #[inline(always)]
                fn run(self) {
                    // Arguments, so that the compiler knows that they do not overlap.
                    #[inline(always)]
                    fn lanes<const LABELLED: bool>(
                        $($x: &Lanes<f32>,)* $($n: f32,)* $($b: Below<f32>,)* $($l: u32,)*
                        $at: u32, $class: u32,
                        $($y: &mut Lanes<f32>,)* $($v: &mut Lanes<f32>,)* $($m: &mut Lanes<f32>,)*
                    ) {
                        let _ = ($at, $class, $($x,)* $($n,)*);
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
                        $(let mut $m = { let own = [*$m; LANES]; ($m, own) };)*
                        // With lanes for the rest of a row.
                        $(let mut $y = ($y, Line([0.0; LANES]));)*
                        for first in (0..count).step_by(LANES) {
                            $(fetch_part($x, first, ahead);)*
                            $(fetch_written($y.0, first, ahead);)*
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
                            $(let $y = (&mut $y.0[first..first + own], &mut $y.1.0);)*
                            let (at, class) = (lane(start + first), lane(row));
                            let labelled = false $(|| holds($l, at))*;
                            if labelled {
                                lanes::<true>(
                                    $($x,)* $($n,)* $($b,)* $($l,)* at, class,
                                    $(writing($y.0, $y.1),)* $($v.1,)* $($m.1,)*
                                );
                            } else {
                                lanes::<false>(
                                    $($x,)* $($n,)* $($b,)* $($l,)* at, class,
                                    $(writing($y.0, $y.1),)* $($v.1,)* $($m.1,)*
                                );
                            }
                            if own < LANES {
                                $($y.0.copy_from_slice(&$y.1[..own]);)*
                                $(fill_from(own, $v.1, 0.0);)*
                                $(fill_from(own, $m.1, f32::NEG_INFINITY);)*
                            }
                            $(add_lanes($v.0, $v.1);)*
                            $(largest_of_lanes($m.0, $m.1);)*
                        }
                        $(*$v.0 = $v.1;)*
                        $(*$m.0 = tree(&mut $m.1, Lane::max);)*
                    }
                }
            }

            level.run(Loop(io));
        }
    };
}

/// A body whose lanes are rows, each with a sum, a maximum and a label of its own: a vector of rows goes through all
/// classes, so that these and what exponentials are computed below stay in registers.
macro_rules! beside {
    ($name:ident [$($x:ident)*] [$($r:ident)*] [$($n:ident)*] [$($c:ident)*] [$($y:ident)*]
        [$($q:ident)*] [$($s:ident)*] [$($h:ident)*] [$($w:ident)*] $class:ident $body:block) => {
        fn $name(level: Level, io: &mut Beside<'_, f32>) {
            struct Loop<'r, 'a>(&'r mut Beside<'a, f32>);

            impl Work for Loop<'_, '_> {
                type Output = ();

                #[inline(always)]
                fn run(self) {
                    // Arguments, so that the compiler knows that they do not overlap.
                    #[inline(always)]
                    fn lanes(
                        $($x: &Few<f32>,)* $($r: &Few<f32>,)* $($n: f32,)* $($c: f32,)*
                        $($q: &Few<u32>,)* $($w: &Belows<f32>,)* $class: u32,
                        $($y: &mut Few<f32>,)* $($s: &mut Few<f32>,)* $($h: &mut Few<f32>,)*
                    ) {
                        let _ = ($class, $($x,)* $($r,)* $($n,)* $($c,)*);
                        $body
                    }
                    let Beside {
                        planes: [$($x,)* ..],
                        rows: [$($r,)* ..],
                        numbers: [$($n,)* ..],
                        of_classes: [$($c,)* ..],
                        writes: [$($y,)* ..],
                        labels: [$($q,)* ..],
                        sums: [$($s,)* ..],
                        largest: [$($h,)* ..],
                        belows: [$($w,)* ..],
                        classes,
                        lanes: count,
                        ahead,
                        later,
                    } = self.0;
                    let (classes, count) = (*classes, *count);
                    for first in (0..count).step_by(FEW) {
                        if let Some(ahead) = *ahead {
                            let _ = ahead;
                            for class in 0..classes {
                                $(fetch($x.of(class), first + ahead, FEW, Soon::ReadLater);)*
                                if let Some(later) = later.get(class) {
                                    fetch(later, first, FEW, Soon::Write);
                                }
                            }
                        }
                        // Copies, which stay in registers.
                        $(let Some($w) = $w.get(first / FEW).copied() else { return };)*
                        $(let Some($q) = few($q, first).copied() else { return };)*
                        $(let Some($r) = few($r, first).copied() else { return };)*
                        $(let Some($s) = few_mut($s, first) else { return };)*
                        $(let Some($h) = few_mut($h, first) else { return };)*
                        $(let mut $s = { let own = *$s; ($s, own) };)*
                        $(let mut $h = { let own = *$h; ($h, own) };)*
                        for class in 0..classes {
                            $(let Some($x) = few($x.of(class), first) else { return };)*
                            $(let Some(&$c) = $c.get(class) else { return };)*
                            $(let Some($y) = few_mut($y.of(class), first) else { return };)*
                            $(let $s = (&mut $s.1, &mut Line([0.0; FEW]).0);)*
                            lanes(
                                $($x,)* $(&$r,)* $(*$n,)* $($c,)* $(&$q,)* $(&$w,)* lane(class),
                                $($y,)* $($s.1,)* $(&mut $h.1,)*
                            );
                            $(add_each($s.0, $s.1);)*
                        }
                        $(*$s.0 = $s.1;)*
                        $(*$h.0 = $h.1;)*
                    }
                }
            }

            level.run(Loop(io));
        }
    };
}

/// Lanes of rows side by side.
#[inline(always)]
fn few<N>(lanes: &[N], first: usize) -> Option<&Few<N>> {
    lanes.get(first..)?.first_chunk()
}

#[inline(always)]
fn few_mut<N>(lanes: &mut [N], first: usize) -> Option<&mut Few<N>> {
    lanes.get_mut(first..)?.first_chunk_mut()
}

/// Fills lanes from one on; in a loop over all of them, since what is indexed by a variable does not stay in registers.
#[inline(always)]
fn fill_from(first: usize, lanes: &mut Lanes<f32>, with: f32) {
    for (place, lane) in lanes.iter_mut().enumerate() {
        *lane = Lane::select(place < first, *lane, with);
    }
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

/// What the exponential of a lane is computed below.
#[inline(always)]
fn below(lanes: &Belows<f32>, lane: usize) -> Below<f32> {
    Below::of(lanes.each_ref().map(|part| part[lane]))
}

/// Lanes that lie in whole lines of a cache.
#[repr(align(64))]
struct Line<const COUNT: usize>([f32; COUNT]);

/// A lane as labels name it.
#[inline(always)]
#[allow(clippy::cast_possible_truncation, reason = "class indices are 32 bits")]
fn lane(lane: usize) -> u32 {
    lane as u32
}

/// How far ahead what is read is fetched, and for when, and how far what is written.
pub(crate) type Ahead = Option<(usize, Soon, usize)>;

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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use crate::body::{Body, Lying};
    use crate::program::Program;
    use lossmith_conformance::golden;
    use lossmith_core::{Format, Objective, Reference, catalogue};
    use std::collections::BTreeSet;

    #[test]
    fn the_loops_of_losses_as_they_are_by_default_are_found() {
        let (mut found, mut missing) = (0, BTreeSet::new());
        for case in golden().iter().filter(|case| case.error.is_none()) {
            let (loss, inputs) = (case.loss().unwrap(), case.inputs(Format::F32).unwrap());
            let default = catalogue::find(&case.loss).unwrap();
            let own = default.entry().arguments;
            let required = |name: &str| own.iter().any(|own| own.name == name && !own.optional);
            let all = inputs.given().iter().all(|(name, _)| required(name));
            if !all || format!("{loss:?}") != format!("{default:?}") {
                continue;
            }
            let plan = Objective::from(loss).plan(&Reference, &inputs).unwrap();
            let Some(mut program) = Program::new(&plan) else { continue };
            for stage in program.stages() {
                let bodies = [Lying::Apart, Lying::Beside].map(|lying| Body::new(stage, lying));
                for (body, source) in bodies.into_iter().flatten() {
                    found += usize::from(body.compiled.is_some());
                    if body.compiled.is_none() {
                        missing.insert(format!("{} {}: {source}", case.loss, case.name));
                    }
                }
            }
        }
        assert!(missing.is_empty() && found > 100, "{found} found, not those of {missing:#?}");
    }
}
