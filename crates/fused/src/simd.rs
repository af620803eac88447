//! Which vector instructions a piece of work is compiled for, chosen when the program runs.
//!
//! Work is plain Rust over slices or small arrays; the compiler vectorises it for the level it is run at.
//! All of it is IEEE 754 with fused multiply-adds written out, so every level gives the same bits.

#[cfg(target_arch = "x86_64")]
use safe_arch::{m128, transpose_four_m128};
use std::fmt;

/// Work that can be compiled for any [`Level`].
///
/// Mark `run` and every function it calls `#[inline(always)]`: what is not inlined into it is compiled for the
/// baseline, and a closure that is not is many times slower.
pub trait Work {
    /// What it gives.
    type Output;

    /// Does the work.
    fn run(self) -> Self::Output;
}

/// A set of vector instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// What every machine of the target has: SSE2 on x86-64, where a multiply-add is a slow call, NEON on AArch64.
    Baseline,
    /// AVX2 and FMA (x86-64-v3).
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 F, BW, CD, DQ and VL (x86-64-v4).
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Level {
    /// The best level of this machine.
    #[must_use]
    pub fn detect() -> Self {
        #[cfg(target_arch = "x86_64")]
        if pulp::x86::V4::try_new().is_some() {
            return Self::Avx512;
        } else if pulp::x86::V3::try_new().is_some() {
            return Self::Avx2;
        }
        Self::Baseline
    }

    /// Every level this machine has, the slowest first.
    #[must_use]
    pub fn available() -> Vec<Self> {
        let best = Self::detect();
        #[cfg(target_arch = "x86_64")]
        let all = [Self::Baseline, Self::Avx2, Self::Avx512];
        #[cfg(not(target_arch = "x86_64"))]
        let all = [Self::Baseline];
        all.into_iter().filter(|&level| level <= best).collect()
    }

    /// The vectors of eight numbers that work has at this level.
    #[inline]
    pub(crate) fn wide(self) -> Wide {
        Wide {
            #[cfg(target_arch = "x86_64")]
            avx2: match self {
                Self::Baseline => None,
                Self::Avx2 => pulp::x86::V3::try_new(),
                Self::Avx512 => pulp::x86::V4::try_new().and_then(|_| pulp::x86::V3::try_new()),
            },
        }
    }

    /// What `work` gives, compiled for this level, or for the baseline where this machine lacks it.
    #[inline]
    pub fn run<W: Work>(self, work: W) -> W::Output {
        #[cfg(target_arch = "x86_64")]
        match self {
            Self::Baseline => {}
            Self::Avx2 => {
                if let Some(avx2) = pulp::x86::V3::try_new() {
                    return avx2.vectorize(Call(work));
                }
            }
            Self::Avx512 => {
                if let Some(avx512) = pulp::x86::V4::try_new() {
                    return avx512.vectorize(Call(work));
                }
            }
        }
        work.run()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Baseline => "baseline",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512",
        })
    }
}

#[cfg(target_arch = "x86_64")]
struct Call<W>(W);

#[cfg(target_arch = "x86_64")]
impl<W: Work> pulp::NullaryFnOnce for Call<W> {
    type Output = W::Output;

    #[inline(always)]
    fn call(self) -> W::Output {
        self.0.run()
    }
}

/// Squares of numbers that are brought from rows into columns.
pub trait Turn: Copy {
    /// Its rows as columns.
    #[inline(always)]
    #[must_use]
    fn turned(square: [[Self; 4]; 4]) -> [[Self; 4]; 4] {
        let [[a, b, c, d], [e, f, g, h], [i, j, k, l], [m, n, o, p]] = square;
        [[a, e, i, m], [b, f, j, n], [c, g, k, o], [d, h, l, p]]
    }

    /// Two squares beside each other, each turned.
    #[inline(always)]
    #[must_use]
    fn both_turned(_: Wide, squares: [[Self; 8]; 4]) -> [[Self; 8]; 4] {
        one_by_one(squares)
    }
}

/// Two squares, one after the other turned.
#[inline(always)]
fn one_by_one<F: Turn>(squares: [[F; 8]; 4]) -> [[F; 8]; 4] {
    let mut both = squares;
    for first in [0, 4] {
        let mut square = [[squares[0][0]; 4]; 4];
        for (to, from) in square.iter_mut().zip(&squares) {
            to.copy_from_slice(&from[first..first + 4]);
        }
        for (to, from) in both.iter_mut().zip(F::turned(square)) {
            to[first..first + 4].copy_from_slice(&from);
        }
    }
    both
}

/// Vectors of eight numbers, if work is compiled for a level that has them; made by the engine alone.
#[derive(Clone, Copy, Debug)]
pub struct Wide {
    #[cfg(target_arch = "x86_64")]
    avx2: Option<pulp::x86::V3>,
}

impl Turn for f64 {}

impl Turn for f32 {
    /// By shuffles: the compiler makes single loads and stores of the other.
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn turned(square: [[Self; 4]; 4]) -> [[Self; 4]; 4] {
        let [a, b, c, d] = square;
        let (mut a, mut b) = (m128::from_array(a), m128::from_array(b));
        let (mut c, mut d) = (m128::from_array(c), m128::from_array(d));
        transpose_four_m128(&mut a, &mut b, &mut c, &mut d);
        [a.to_array(), b.to_array(), c.to_array(), d.to_array()]
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    fn both_turned(wide: Wide, squares: [[Self; 8]; 4]) -> [[Self; 8]; 4] {
        let [a, b, c, d] = squares;
        let Some(pulp::x86::V3 { avx, .. }) = wide.avx2 else {
            return one_by_one(squares);
        };
        let (a, b, c, d) = (pulp::cast(a), pulp::cast(b), pulp::cast(c), pulp::cast(d));
        let (ab, cd) = (avx._mm256_unpacklo_ps(a, b), avx._mm256_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (avx._mm256_unpackhi_ps(a, b), avx._mm256_unpackhi_ps(c, d));
        [
            pulp::cast(avx._mm256_shuffle_ps::<0b01_00_01_00>(ab, cd)),
            pulp::cast(avx._mm256_shuffle_ps::<0b11_10_11_10>(ab, cd)),
            pulp::cast(avx._mm256_shuffle_ps::<0b01_00_01_00>(ab_high, cd_high)),
            pulp::cast(avx._mm256_shuffle_ps::<0b11_10_11_10>(ab_high, cd_high)),
        ]
    }
}

/// What elements are fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Soon {
    /// To be read, next.
    Read,
    /// To be read after much else.
    ReadLater,
    /// To be written.
    Write,
}

/// Asks for the cache lines of so many elements from a place on; beyond the end, for none.
#[inline(always)]
pub(crate) fn fetch<T>(elements: &[T], start: usize, count: usize, soon: Soon) {
    #[cfg(target_arch = "x86_64")]
    if let Some(elements) = elements.get(start..) {
        let line = 64 / size_of::<T>().max(1);
        for element in elements.iter().take(count).step_by(line.max(1)) {
            match soon {
                Soon::Read => safe_arch::prefetch_t0(element),
                Soon::ReadLater => safe_arch::prefetch_t1(element),
                Soon::Write => safe_arch::prefetch_et0(element),
            }
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (elements, start, count, soon);
}
