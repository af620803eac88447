//! Runs one case on a backend and judges it.

use crate::case::Case;
use crate::judge::{Tolerance, judge};
use crate::losses::Runner;
use crate::suite::Claim;
use lossmith_core::{Error, Format, Reference};

/// What came of the cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many are right.
    pub passed: usize,
    /// How many the backend says it cannot hold.
    pub unsupported: usize,
    /// How many elements are not judged, since the format cannot hold a number on the way to them.
    pub unjudged: usize,
    /// The others: the case, and what is wrong with it.
    pub failures: Vec<(String, String)>,
}

/// Runs one case and enters in the report what came of it.
///
/// In f64 golden cases and samples are judged against PyTorch, |a − b| ≤ 1e-9·|b| + 1e-12·(largest). In other formats,
/// and at the edges, against the reference on the inputs as rounded to the format, within its
/// [running error bound](lossmith_core::Loss::error_bound).
pub(crate) fn run<R: Runner>(
    runner: &R,
    claim: &Claim,
    case: &Case,
    golden: bool,
    name: String,
    report: &mut Report,
) {
    if !case.formats.is_empty() && !case.formats.iter().any(|name| name == claim.format.name) {
        return;
    }
    let what = check(runner, claim, case, golden, &mut report.unjudged);
    report.enter(name, what);
}

fn check<R: Runner>(
    runner: &R,
    claim: &Claim,
    case: &Case,
    golden: bool,
    unjudged: &mut usize,
) -> Result<Option<String>, Error> {
    let format = claim.format;
    let (loss, inputs) = (case.loss()?, case.inputs(format)?);
    let got = runner.value_and_grad(&loss, &inputs)?;
    let (expected, tolerance) = if golden && format == Format::F64 {
        (case.expected()?, Tolerance::Relative { own: 1e-9, largest: 1e-12 })
    } else if case.note.is_some() && !golden {
        let lost = 64.0 * format.unit();
        (case.expected()?, Tolerance::Relative { own: lost, largest: lost })
    } else {
        let bounds = loss.error_bound(&inputs, format)?;
        let numbers = bounds.outputs().flat_map(|(_, bounds)| bounds.data());
        *unjudged += numbers.filter(|bound| !bound.is_finite()).count();
        (case.run(&Reference, format)?, Tolerance::Bound(bounds))
    };
    let wrong = judge(&got, &expected, &tolerance.times(claim.tolerance), format);
    Ok(wrong.map(|wrong| wrong.explain(format, &loss, &inputs)))
}
