//! How far results are from the exact ones.

use crate::inputs::Spot;
use lossmith_core::{Dense, Format};
use lossmith_exact::{Big, BigArray};

/// |got − exact| in units in the last place: the distance between neighbours of the format in the binade of the exact
/// result, which is never rounded for it; below the normal numbers, the smallest number.
///
/// ```
/// use lossmith_core::Format;
/// use lossmith_exact::Big;
/// use lossmith_precision::ulps;
///
/// let exact = Big::from(1.0);
/// assert_eq!(ulps(1.0 + f64::from(f32::EPSILON), &exact, Format::F32), 1.0);
/// ```
#[must_use]
pub fn ulps(got: f64, exact: &Big, format: Format) -> f64 {
    units(&Big::from(got), exact, format)
}

/// The same of a result that is not rounded to the format.
pub(crate) fn units(got: &Big, exact: &Big, format: Format) -> f64 {
    let exponent = exact.exponent().map_or(i32::MIN, |exponent| {
        i32::try_from(exponent).unwrap_or(if exponent < 0 { i32::MIN } else { i32::MAX })
    });
    let unit = Big::power_of_two(format.spacing(exponent));
    let units = got.distance(exact).ratio(&unit);
    if units == f64::INFINITY { f64::MAX } else { units }
}

/// What one output's errors come to over all that was tried.
#[derive(Clone, Debug, Default)]
pub struct Measures {
    /// Of every finite result, in units in the last place.
    ulps: Vec<f64>,
    /// The largest |got − exact| / |exact|.
    pub relative: f64,
    /// The largest |got − exact|.
    pub absolute: f64,
    /// The largest |got − exact| as a part of what rounding every op in the format may come to, the running error bound:
    /// above 1 the arithmetic does not explain it.
    pub explained: f64,
    /// NaN where the exact result is none, or the other way round.
    pub nan: usize,
    /// Infinite where the exact result, rounded, is finite, or the other way round.
    pub infinite: usize,
    /// 0 where the exact result, rounded, is not.
    pub flushed: usize,
    /// Infinite in the format however exactly it is computed: the exact result is finite and beyond the largest number.
    pub beyond: usize,
    /// 0 in the format however exactly it is computed: the exact result is not, and below half the smallest number.
    pub below: usize,
    /// Of the other sign than the exact result, neither being 0.
    pub sign: usize,
    /// The largest error of what is flushed or of the other sign, in units in the last place.
    pub astray: f64,
    /// Where the error is largest.
    pub worst: Option<Worst>,
    /// Where a result is NaN, infinite, flushed or of the wrong sign, the first.
    pub odd: Option<Worst>,
}

/// A result that is off, and where.
#[derive(Clone, Debug)]
pub struct Worst {
    /// In units in the last place; NaN where the two cannot be compared.
    pub ulps: f64,
    /// What came.
    pub got: f64,
    /// The exact result.
    pub exact: Big,
    /// The element, in row-major order.
    pub index: usize,
    /// The inputs.
    pub spot: Spot,
}

impl Measures {
    /// Enters an output, with the running error bound of its elements where there is one.
    pub fn enter(
        &mut self,
        got: &Dense,
        (exact, bounds): (&BigArray, Option<&Dense>),
        format: Format,
        spot: &Spot,
    ) {
        let pairs = got.data().iter().zip(exact.data()).enumerate();
        for (index, (&got, exact)) in pairs {
            let (rounded, ulps) = (exact.round(format), ulps(got, exact, format));
            self.beyond += usize::from(exact.is_finite() && rounded.is_infinite());
            self.below += usize::from(rounded == 0.0 && !exact.is_zero());
            let here = || Worst { ulps, got, exact: exact.clone(), index, spot: spot.clone() };
            let counter = if got.is_nan() != exact.is_nan() {
                Some(&mut self.nan)
            } else if got.is_infinite() != rounded.is_infinite() {
                Some(&mut self.infinite)
            } else if got == 0.0 && rounded != 0.0 {
                Some(&mut self.flushed)
            } else if got * rounded < 0.0 {
                Some(&mut self.sign)
            } else {
                None
            };
            if let Some(counter) = counter {
                *counter += 1;
                let finite = got.is_finite() && rounded.is_finite();
                self.astray = self.astray.max(if finite { ulps } else { 0.0 });
                self.odd.get_or_insert_with(here);
                continue;
            }
            if !got.is_finite() || !exact.is_finite() {
                continue;
            }
            let apart = Big::from(got).distance(exact);
            let relative = if apart.is_zero() { 0.0 } else { apart.ratio(&exact.abs()) };
            self.relative = self.relative.max(relative);
            self.absolute = self.absolute.max(apart.to_f64());
            let bound = bounds.and_then(|bounds| bounds.data().get(index)).copied();
            if let Some(bound) = bound.filter(|bound| bound.is_finite() && !apart.is_zero()) {
                // Below the normal numbers, half the smallest is rounded whatever the bound says.
                let bound = bound.max(format.tiny());
                self.explained = self.explained.max(apart.to_f64() / bound);
            }
            self.ulps.push(ulps);
            if self.worst.as_ref().is_none_or(|worst| worst.ulps < ulps) {
                self.worst = Some(here());
            }
        }
    }

    /// How many results were measured.
    #[must_use]
    pub fn count(&self) -> usize {
        self.ulps.len()
    }

    /// How many results are NaN, infinite, 0 or of the other sign where the exact one is not.
    #[must_use]
    pub fn disagreements(&self) -> usize {
        self.nan + self.infinite + self.flushed + self.sign
    }

    /// The largest error, in units in the last place.
    #[must_use]
    pub fn max(&self) -> f64 {
        self.worst.as_ref().map_or(0.0, |worst| worst.ulps)
    }

    /// The mean error, in units in the last place.
    #[must_use]
    pub fn mean(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "not that many")]
        let count = self.ulps.len().max(1) as f64;
        self.ulps.iter().sum::<f64>() / count
    }

    /// What 99 of 100 errors do not exceed, in units in the last place.
    #[must_use]
    pub fn percentile_99(&self) -> f64 {
        let mut sorted = self.ulps.clone();
        sorted.sort_by(f64::total_cmp);
        let place = (sorted.len() * 99).div_ceil(100).max(1) - 1;
        sorted.get(place).copied().unwrap_or(0.0)
    }

    /// How many of the results are wrong in more than half a unit: not the nearest number.
    #[must_use]
    pub fn misrounded(&self) -> usize {
        self.ulps.iter().filter(|&&ulps| ulps > 0.5).count()
    }

    /// The bits lost at the worst: log₂(ulp + 1).
    #[must_use]
    pub fn bits(&self) -> f64 {
        (self.max() + 1.0).log2()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inputs::Class;
    use lossmith_core::{Inputs, catalogue};
    use lossmith_exact::Oracle;
    use lossmith_tests::Problem;

    #[test]
    fn an_ulp_is_the_distance_in_the_exact_results_binade() {
        let exact = |x: f64| Big::from(x);
        let unit = f64::from(f32::EPSILON);
        assert_eq!(ulps(1.0, &exact(1.0 + unit / 4.0), Format::F32), 0.25);
        // Just below 1 the numbers stand closer.
        assert_eq!(ulps(1.0, &exact(1.0 - unit / 8.0), Format::F32), 0.25);
        assert_eq!(ulps(1.0 + unit, &exact(1.0), Format::F32), 1.0);
        let tiny = Format::F16.tiny();
        assert_eq!(ulps(0.0, &exact(tiny), Format::F16), 1.0);
        assert_eq!(ulps(tiny, &exact(0.0), Format::F16), 1.0);
        assert_eq!(ulps(0.0, &exact(tiny / 1024.0), Format::F16), 1.0 / 1024.0);
        assert!(ulps(f64::NAN, &exact(1.0), Format::F32).is_nan());
    }

    /// The numbers, none below 0, as exact results.
    fn measured(pairs: &[(f64, f64)], bounds: Option<&Dense>) -> Measures {
        let (got, right): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let inputs = Inputs::<Dense>::new().tensor("target", vec![0.0; right.len()]);
        let loss = catalogue::find("l1").unwrap().with("reduction", "none").unwrap();
        let exact = loss.value(&Oracle::new(), &inputs.tensor("input", right)).unwrap();
        let (problem, options) = (Problem::default(), Vec::new());
        let spot = Spot { class: Class::Given, seed: 0, steps: 0, options, problem };
        let mut measures = Measures::default();
        measures.enter(&Dense::from(got), (&exact, bounds), Format::F32, &spot);
        measures
    }

    #[test]
    fn every_scale_has_its_largest_error() {
        let unit = f64::from(f32::EPSILON);
        let pairs = [(1.0 + 3.0 * unit, 1.0), (4.0 + 4.0 * unit, 4.0), (0.25, 0.25)];
        let measures = measured(&pairs, Some(&Dense::from(vec![12.0 * unit, 16.0 * unit, 0.0])));
        assert_eq!((measures.max(), measures.bits()), (3.0, 2.0));
        assert_eq!((measures.relative, measures.absolute), (3.0 * unit, 4.0 * unit));
        assert_eq!((measures.mean(), measures.percentile_99()), (4.0 / 3.0, 3.0));
        assert_eq!((measures.count(), measures.misrounded(), measures.explained), (3, 2, 0.25));
        assert_eq!((measures.worst.unwrap().index, measures.odd.is_none()), (0, true));
        // One in two hundred is beyond what 99 of 100 do not exceed.
        let mut pairs = vec![(1.0, 1.0); 200];
        pairs[7].0 += unit;
        let measures = measured(&pairs, None);
        assert_eq!((measures.percentile_99(), measures.max(), measures.explained), (0.0, 1.0, 0.0));
    }

    #[test]
    fn what_cannot_be_compared_is_counted_apart() {
        let pairs = [(0.0, 1.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0), (-1.0, 1.0), (1.0, 1.0)];
        let measures = measured(&pairs, None);
        let Measures { nan, infinite, flushed, sign, .. } = measures;
        let unit_of_one = f64::from(f32::EPSILON);
        assert_eq!([nan, infinite, flushed, sign], [1; 4]);
        assert_eq!((measures.disagreements(), measures.count(), measures.max()), (4, 1, 0.0));
        assert_eq!(measures.astray, 2.0 / unit_of_one);
        assert_eq!(measures.odd.unwrap().index, 0);
        // What the format has as infinite, or as 0, is none.
        let measures = measured(&[(f64::INFINITY, 1e39), (0.0, 1e-46)], None);
        assert_eq!((measures.beyond, measures.below, measures.disagreements()), (1, 1, 0));
    }
}
