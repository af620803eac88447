//! What the naive backend gets right, and what it is known to get wrong.

use half::f16;
use lossmith_conformance::certify;
use lossmith_core::{Format, Reference, catalogue};
use lossmith_naive::Naive;

/// The edge rows that fail, in the table's order: what plain sums in the format do.
fn failing_rows<T: num_traits::Float>(format: Format) -> Vec<String> {
    let failures = certify(&Naive::<T>::new(), format).failures.into_iter();
    failures.map(|(name, _)| name).filter(|name| name.contains(" row ")).collect()
}

#[test]
fn long_sums_in_f64_lose_units_but_nothing_else_is_wrong() {
    let report = certify(&Naive::<f64>::new(), Format::F64);
    let names: Vec<_> = report.failures.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["cross_entropy row 13, 66"]);
}

#[test]
fn long_sums_in_f16_are_wrong_and_said_to_be() {
    let rows = ["cross_entropy row 12", "cross_entropy row 13, 66", "l1 row 14c", "l1 row 60"];
    assert_eq!(failing_rows::<f16>(Format::F16), rows);
}

#[test]
fn what_it_runs_is_known_before_a_run() {
    let naive = catalogue::support(&Naive::<f32>::new());
    assert_eq!(naive.matmul_adds, ["linear_cross_entropy", "adaptive_log_softmax"]);
    let total = catalogue::all().len();
    let said = format!(
        "{} of {total}; matmul adds 2 (linear_cross_entropy, adaptive_log_softmax)",
        total - 2
    );
    assert_eq!(naive.to_string(), said);
    assert_eq!(catalogue::support(&Reference).to_string(), format!("{total} of {total}"));
}
