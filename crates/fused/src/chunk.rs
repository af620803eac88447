//! Lanes that go through the ops together, and what is done with all of them at once.

use crate::element::Element;
use crate::math::Lane;

/// Lanes that go through the ops together.
pub(crate) const CHUNK: usize = 512;

/// Lanes of one value.
pub(crate) type Chunk<F> = [F; CHUNK];

/// A slot, with room after it: what lies a multiple of 4 KiB and a little behind something that is read next makes
/// the reading wait, and slots of the same size one after the other would.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<F> {
    pub(crate) values: Chunk<F>,
    _room: [F; 40],
}

impl<F: Lane> Default for Slot<F> {
    fn default() -> Self {
        Self { values: [F::ZERO; CHUNK], _room: [F::ZERO; 40] }
    }
}

#[inline(always)]
pub(crate) fn chunk_mut<N>(values: &mut [N], first: usize) -> &mut Chunk<N> {
    &mut values.as_chunks_mut::<CHUNK>().0[first / CHUNK]
}

/// Lanes that are added up or compared together.
pub(crate) const LANES: usize = 64;
pub(crate) type Lanes<F> = [F; LANES];

/// Lanes of rows side by side that go through all classes together: one vector, or two.
pub(crate) const FEW: usize = 16;
pub(crate) type Few<F> = [F; FEW];

/// Running sums: few, so that they are joined fast at the end of a row, and stay in registers before.
pub(crate) const SUMS: usize = 16;
pub(crate) type Sums = [f64; SUMS];

/// Adds lanes to running sums, four to each.
#[inline(always)]
pub(crate) fn add_lanes<F: Lane>(sums: &mut Sums, x: &Lanes<F>) {
    for i in 0..SUMS {
        let [a, b, c, d] = [0, SUMS, 2 * SUMS, 3 * SUMS].map(|first| x[first + i].to_f64());
        sums[i] += (a + b) + (c + d);
    }
}

/// Adds lanes to a running sum each.
#[inline(always)]
pub(crate) fn add_each<F: Lane>(sums: &mut Few<f64>, x: &Few<F>) {
    for i in 0..FEW {
        sums[i] += x[i].to_f64();
    }
}

/// Adds the values to running sums; what is left over is filled up with zeros.
#[inline(always)]
pub(crate) fn add_up<F: Lane>(sums: &mut Sums, x: &[F]) {
    let (parts, rest) = x.as_chunks();
    for part in parts {
        add_lanes(sums, part);
    }
    if !rest.is_empty() {
        add_lanes(sums, &filled(rest, F::ZERO));
    }
}

/// Compares the values with running maxima, each with that of its lane.
#[inline(always)]
pub(crate) fn largest_of<F: Lane>(largest: &mut Lanes<F>, x: &[F]) {
    let (parts, rest) = x.as_chunks();
    for part in parts {
        largest_of_lanes(largest, part);
    }
    if !rest.is_empty() {
        largest_of_lanes(largest, &filled(rest, -F::INFINITY));
    }
}

#[inline(always)]
pub(crate) fn largest_of_lanes<F: Lane>(largest: &mut Lanes<F>, x: &Lanes<F>) {
    for i in 0..LANES {
        largest[i] = largest[i].max(x[i]);
    }
}

/// Lanes that begin with those values, and go on with another.
#[inline(always)]
pub(crate) fn filled<F: Copy, const COUNT: usize>(values: &[F], with: F) -> [F; COUNT] {
    let mut lanes = [with; COUNT];
    for (lane, &value) in lanes.iter_mut().zip(values) {
        *lane = value;
    }
    lanes
}

/// Adds the products of values, weighed where the flag says so, to running sums.
#[inline(always)]
pub(crate) fn add_up_products<F: Lane>(sums: &mut Sums, [a, b]: [&[F]; 2], weighed: bool) {
    let ((a_parts, a_rest), (b_parts, b_rest)) = (a.as_chunks(), b.as_chunks());
    for (a, b) in a_parts.iter().zip(b_parts) {
        add_lanes(sums, &products(a, b, weighed));
    }
    if !a_rest.is_empty() {
        let [a, b] = [a_rest, b_rest].map(|rest| filled(rest, F::ZERO));
        add_lanes(sums, &products(&a, &b, weighed));
    }
}

#[inline(always)]
fn products<F: Lane>(a: &Lanes<F>, b: &Lanes<F>, weighed: bool) -> Lanes<F> {
    let mut products = [F::ZERO; LANES];
    if weighed {
        for i in 0..LANES {
            products[i] = a[i].weigh(b[i]);
        }
    } else {
        for i in 0..LANES {
            products[i] = a[i] * b[i];
        }
    }
    products
}

/// All as one, by a fixed tree.
#[inline(always)]
pub(crate) fn tree<N: Copy, const COUNT: usize>(
    lanes: &mut [N; COUNT],
    join: impl Fn(N, N) -> N,
) -> N {
    let mut width = COUNT / 2;
    while width > 0 {
        for lane in 0..width {
            lanes[lane] = join(lanes[lane], lanes[lane + width]);
        }
        width /= 2;
    }
    lanes[0]
}

/// Writes lanes, each rounded to the format it is stored in.
#[inline(always)]
pub(crate) fn store<T: Element>(out: &mut [T], values: &Chunk<T::Compute>, lanes: usize) {
    match out.first_chunk_mut::<CHUNK>() {
        Some(out) if lanes == CHUNK => {
            for i in 0..CHUNK {
                out[i] = T::narrow(values[i]);
            }
        }
        _ => {
            for (out, &value) in out.iter_mut().zip(&values[..lanes]) {
                *out = T::narrow(value);
            }
        }
    }
}
