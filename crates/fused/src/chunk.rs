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
pub(crate) fn chunk_of<N>(values: &[N], first: usize) -> &Chunk<N> {
    &values.as_chunks::<CHUNK>().0[first / CHUNK]
}

#[inline(always)]
pub(crate) fn chunk_mut<N>(values: &mut [N], first: usize) -> &mut Chunk<N> {
    &mut values.as_chunks_mut::<CHUNK>().0[first / CHUNK]
}

/// Running sums or maxima: few enough to be joined often, and so many that the compiler keeps the loop over them and
/// makes vectors of it.
pub(crate) const LANES: usize = 64;
pub(crate) type Running<N> = [N; LANES];

#[inline(always)]
pub(crate) fn running<N>(values: &mut [N]) -> &mut Running<N> {
    &mut values.as_chunks_mut::<LANES>().0[0]
}

/// Adds elements to running sums, each to that of its place.
#[inline(always)]
pub(crate) fn add_up<F: Lane>(sums: &mut Running<f64>, x: &[F]) {
    let (parts, rest) = x.as_chunks::<LANES>();
    for part in parts {
        for i in 0..LANES {
            sums[i] += part[i].to_f64();
        }
    }
    for (sum, &x) in sums.iter_mut().zip(rest) {
        *sum += x.to_f64();
    }
}

/// Compares elements with running maxima, each with that of its place.
#[inline(always)]
pub(crate) fn largest_of<F: Lane>(largest: &mut Running<F>, x: &[F]) {
    let (parts, rest) = x.as_chunks::<LANES>();
    for part in parts {
        for i in 0..LANES {
            largest[i] = largest[i].max(part[i]);
        }
    }
    for (largest, &x) in largest.iter_mut().zip(rest) {
        *largest = largest.max(x);
    }
}

/// Adds the products of elements, weighed where the flag says so, to running sums.
#[inline(always)]
pub(crate) fn add_up_products<F: Lane>(sums: &mut Running<f64>, [a, b]: [&[F]; 2], weighed: bool) {
    let ((a_parts, a_rest), (b_parts, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a_parts.iter().zip(b_parts) {
        if weighed {
            for i in 0..LANES {
                sums[i] += a[i].weigh(b[i]).to_f64();
            }
        } else {
            for i in 0..LANES {
                sums[i] += (a[i] * b[i]).to_f64();
            }
        }
    }
    for (sum, (&a, &b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
        *sum += if weighed { a.weigh(b) } else { a * b }.to_f64();
    }
}

/// The lanes as one, by a fixed tree.
#[inline(always)]
pub(crate) fn tree<N: Copy>(lanes: &mut Running<N>, join: impl Fn(N, N) -> N) -> N {
    let mut width = LANES / 2;
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
pub(crate) fn store<T: Element>(
    out: &mut [T],
    stride: usize,
    values: &Chunk<T::Compute>,
    lanes: usize,
) {
    match out.first_chunk_mut::<CHUNK>() {
        Some(out) if lanes == CHUNK && stride == 1 => {
            for i in 0..CHUNK {
                out[i] = T::narrow(values[i]);
            }
        }
        _ if stride == 1 => {
            for (out, &value) in out.iter_mut().zip(&values[..lanes]) {
                *out = T::narrow(value);
            }
        }
        _ => {
            for (out, &value) in out.chunks_mut(stride).zip(&values[..lanes]) {
                out[0] = T::narrow(value);
            }
        }
    }
}
