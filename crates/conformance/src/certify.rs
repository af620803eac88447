//! Runs every case on a backend.

use crate::case::{Case, edges, golden};
use crate::judge::{Format, judge};
use crate::probe::Probe;
use lossmith_core::{Backend, Error};

/// What came of the cases.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many are right.
    pub passed: usize,
    /// How many the backend says it cannot hold.
    pub unsupported: usize,
    /// The others: the case, and what is wrong with it.
    pub failures: Vec<(String, String)>,
}

/// Units that op-by-op arithmetic may lose, of the result and the largest one beside it.
const UNITS: f64 = 64.0;
/// Units that it may lose of the largest intermediate result, where terms cancel.
const CANCELLED: f64 = 4.0;

/// Runs the golden cases and the edge table on a backend with that format.
///
/// In f64 the golden cases are judged against PyTorch, |a − b| ≤ 1e-9·|b| + 1e-12·(largest). In other formats, and at
/// the edges, against the reference on the inputs as rounded to the format: within 64 units of the result and of the
/// largest one beside it, and 4 of the largest intermediate result.
pub fn certify<B: Backend>(backend: &B, format: Format) -> Report {
    let mut report = Report::default();
    let golden = golden().into_iter().map(|case| (case, "golden"));
    for (case, table) in golden.chain(edges().into_iter().map(|case| (case, "row"))) {
        if !case.formats.is_empty() && !case.formats.iter().any(|name| name == format.name) {
            continue;
        }
        let name = format!("{} {table} {}", case.loss, case.name);
        match check(backend, format, &case, table == "golden") {
            Ok(None) => report.passed += 1,
            Ok(Some(failure)) => report.failures.push((name, failure)),
            Err(Error::Backend(_)) => report.unsupported += 1,
            Err(error) => report.failures.push((name, error.to_string())),
        }
    }
    report
}

fn check<B: Backend>(
    backend: &B,
    format: Format,
    case: &Case,
    golden: bool,
) -> Result<Option<String>, Error> {
    let got = case.run(backend, format.round)?;
    let lost = UNITS * format.unit;
    let judged = if golden && format.name == "f64" {
        judge(&got, &case.expected()?, [1e-9, 1e-12, 0.0], format)
    } else if case.note.is_some() && !golden {
        judge(&got, &case.expected()?, [lost, lost, 0.0], format)
    } else {
        let probe = Probe::default();
        let exact = case.run(&probe, format.round)?;
        let grads = exact.grads.into_iter().map(|(name, grad)| (format!("grad.{name}"), grad));
        let all: Vec<_> = std::iter::once(("value".to_owned(), exact.value)).chain(grads).collect();
        let cancelled = CANCELLED * format.unit * probe.largest().min(format.huge);
        judge(&got, &all, [lost, lost, cancelled], format)
    };
    Ok(judged.map(|wrong| wrong.to_string()))
}
