//! Whether numbers are in their arguments' domains.

use crate::element::Element;
use crate::engine::ALONE;
use crate::math::Lane;
use crate::simd::{Level, Work};
use lossmith_core::Error;
use lossmith_core::catalogue::Domain;
use lossmith_core::plan::Entering;
use lossmith_core::strided::Seen;
use rayon::prelude::*;

/// Checks that the numbers of an argument are in its domains.
pub(crate) fn check<T: Element>(
    level: Level,
    entering: &Entering,
    seen: &Seen<'_, T>,
) -> Result<(), Error> {
    for &(argument, domain) in &entering.domains {
        let wrong = |elements: &[T]| outside(level, elements, domain);
        if !seen.elements.par_chunks(ALONE).any(wrong) {
            continue;
        }
        // In the order that an index means.
        let [batches, classes, inner] = entering.view.sides;
        let [batch, class, step] = seen.strides;
        for index in 0..batches * classes * inner {
            let (n, c, i) = (index / inner / classes, index / inner % classes, index % inner);
            let value = seen.elements[n * batch + c * class + i * step].widen().to_f64();
            if !domain.holds(value) {
                return Err(Error::Domain { argument, index, value, domain: domain.name });
            }
        }
    }
    Ok(())
}

/// Whether a number is outside a domain; NaN is in every one.
pub(crate) fn outside<T: Element>(level: Level, elements: &[T], domain: Domain) -> bool {
    level.run(Outside { elements, domain })
}

struct Outside<'a, T> {
    elements: &'a [T],
    domain: Domain,
}

impl<T: Element> Work for Outside<'_, T> {
    type Output = bool;

    #[allow(
        clippy::double_comparisons,
        reason = "NaN, which is not equal, is neither less nor more"
    )]
    #[inline(always)]
    fn run(self) -> bool {
        let [low, high] = [self.domain.low, self.domain.high].map(T::Compute::from_f64);
        // Each in a loop of its own: a comparison more is a third of the time.
        if self.domain.ends {
            any(self.elements, |x| (x < low || x > low) && (x < high || x > high))
        } else {
            any(self.elements, |x| x < low || x > high)
        }
    }
}

#[inline(always)]
fn any<T: Element>(elements: &[T], is: impl Fn(T::Compute) -> bool) -> bool {
    let mut any = false;
    // In pieces, so that each is without a branch.
    for piece in elements.chunks(1024) {
        let mut here = 0;
        for x in piece {
            here |= u32::from(is(x.widen()));
        }
        any |= here != 0;
    }
    any
}
