//! Runs every case on a backend.

use crate::case::{Case, edges, golden, samples};
use crate::judge::{Tolerance, judge};
use lossmith_core::{Backend, Error, Format, Reference};
use std::collections::BTreeMap;
use std::fmt;

/// What came of the cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many golden cases and rows of the edge table are right.
    pub passed: usize,
    /// How many of these the backend says it cannot hold.
    pub unsupported: usize,
    /// How many elements are not judged, since the format cannot hold a number on the way to them.
    pub unjudged: usize,
    /// The samples, by loss.
    pub samples: BTreeMap<String, Counts>,
    /// The cases that went wrong, and what is wrong with each.
    pub failures: Vec<(String, String)>,
}

/// What came of the samples of one loss.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    /// How many are right.
    pub passed: usize,
    /// How many of the right ones are errors, and the right error.
    pub errors: usize,
    /// How many the backend says it cannot hold.
    pub unsupported: usize,
    /// How many there are of a loss that the catalogue does not have yet.
    pub unknown: usize,
    /// How many are wrong.
    pub failed: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { passed, unsupported, unjudged, samples, failures } = self;
        writeln!(f, "golden cases and edges: {passed} passed, {unsupported} unsupported")?;
        writeln!(f, "{unjudged} elements unjudged, {} failures", failures.len())?;
        writeln!(f, "{:33} passed (errors) unsupported no such loss yet failed", "samples")?;
        for (loss, Counts { passed, errors, unsupported, unknown, failed }) in samples {
            writeln!(
                f,
                "{loss:33} {passed:6} {errors:8} {unsupported:11} {unknown:16} {failed:6}"
            )?;
        }
        Ok(())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Table {
    Golden,
    Edges,
    Samples,
}

enum Outcome {
    Passed,
    Refused,
    Unsupported,
    Unknown,
    Failed(String),
}

/// Runs the golden cases, the edge table and PyTorch's samples on a backend with that format.
///
/// In f64 the golden cases and samples are judged against PyTorch, |a − b| ≤ 1e-9·|b| + 1e-12·(largest), or the case's
/// own tolerance. In other formats, and at the edges, against the reference on the inputs as rounded to the format,
/// within its [running error bound](lossmith_core::Loss::error_bound). A case that is an error must be that error.
pub fn certify<B: Backend>(backend: &B, format: Format) -> Report {
    let mut report = Report::default();
    let tables = [(Table::Golden, golden()), (Table::Edges, edges()), (Table::Samples, samples())];
    for (table, case) in tables
        .into_iter()
        .flat_map(|(table, cases)| cases.into_iter().map(move |case| (table, case)))
    {
        if !case.formats.is_empty() && !case.formats.iter().any(|name| name == format.name) {
            continue;
        }
        let outcome = outcome(backend, format, &case, table, &mut report.unjudged);
        if table == Table::Samples {
            report.samples.entry(case.loss.clone()).or_default().count(&outcome, &case);
        }
        match outcome {
            Outcome::Failed(failure) => {
                let table = ["golden", "row", "sample"][table as usize];
                let name = format!("{} {table} {}", case.loss, case.name);
                report.failures.push((name, failure));
            }
            Outcome::Unsupported if table != Table::Samples => report.unsupported += 1,
            Outcome::Passed if table != Table::Samples => report.passed += 1,
            Outcome::Passed | Outcome::Refused | Outcome::Unsupported | Outcome::Unknown => {}
        }
    }
    report
}

impl Counts {
    /// Each origin of a case is a sample.
    fn count(&mut self, outcome: &Outcome, case: &Case) {
        let samples = case.origins.len();
        match outcome {
            Outcome::Passed => self.passed += samples,
            Outcome::Refused => {
                self.passed += samples;
                self.errors += samples;
            }
            Outcome::Unsupported => self.unsupported += samples,
            Outcome::Unknown => self.unknown += samples,
            Outcome::Failed(_) => self.failed += samples,
        }
    }
}

fn outcome<B: Backend>(
    backend: &B,
    format: Format,
    case: &Case,
    table: Table,
    unjudged: &mut usize,
) -> Outcome {
    match (check(backend, format, case, table, unjudged), &case.error) {
        (Err(Error::UnknownLoss { .. }), _) if table == Table::Samples => Outcome::Unknown,
        (Err(error), Some(variant)) if format!("{error:?}").starts_with(variant) => {
            match case.unchecked().map(|case| check(backend, format, &case, table, unjudged)) {
                Some(Ok(Some(failure))) => Outcome::Failed(failure),
                Some(Err(Error::Backend(_))) => Outcome::Unsupported,
                Some(Err(error)) => Outcome::Failed(error.to_string()),
                Some(Ok(None)) | None => Outcome::Refused,
            }
        }
        (Err(Error::Backend(_)), _) => Outcome::Unsupported,
        (Err(error), _) => Outcome::Failed(error.to_string()),
        (Ok(_), Some(variant)) => {
            Outcome::Failed(format!("a result, expected the error {variant}"))
        }
        (Ok(Some(failure)), None) => Outcome::Failed(failure),
        (Ok(None), None) => Outcome::Passed,
    }
}

fn check<B: Backend>(
    backend: &B,
    format: Format,
    case: &Case,
    table: Table,
    unjudged: &mut usize,
) -> Result<Option<String>, Error> {
    let got = case.run(backend, format)?;
    let (expected, tolerance) = if table != Table::Edges && format == Format::F64 {
        let own = case.tolerance.unwrap_or(1e-9);
        (case.expected()?, Tolerance::Relative { own, largest: 1e-3 * own })
    } else if case.note.is_some() && table == Table::Edges {
        let lost = 64.0 * format.unit();
        (case.expected()?, Tolerance::Relative { own: lost, largest: lost })
    } else {
        let bounds = case.loss()?.error_bound(&case.inputs(format)?, format)?;
        let numbers = bounds.outputs().flat_map(|(_, bounds)| bounds.data());
        *unjudged += numbers.filter(|bound| !bound.is_finite()).count();
        (case.run(&Reference, format)?, Tolerance::Bound(bounds))
    };
    Ok(judge(&got, &expected, &tolerance, format).map(|wrong| wrong.to_string()))
}
