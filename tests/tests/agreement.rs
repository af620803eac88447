//! Every backend against the reference, on random problems and on wrong ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::{Format, catalogue};
use lossmith_fuzz_targets::agree;
use lossmith_tests::backends::{AnyLoss, BACKENDS};
use lossmith_tests::{Problem, Stream, with_options};
use proptest::prelude::*;

/// Checks a problem on every backend: the reference's error, or its result within the bound where that is judged.
fn check(
    loss: &AnyLoss,
    problem: &Problem,
    judged: impl Fn(Format) -> bool,
) -> Result<(), TestCaseError> {
    for &(name, format, run) in BACKENDS {
        agree(loss, problem, (name, format), judged(format), |inputs| run(loss, inputs))
            .map_err(TestCaseError::fail)?;
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn backends_agree_within_the_error_bound(seed: u64) {
        for loss in catalogue::all() {
            let mut seed = Stream(seed);
            let loss = with_options(loss, &mut seed).unwrap();
            let problem = Problem::random(&loss, &mut seed).unwrap();
            check(&loss, &problem, |_| true)?;
        }
    }

    #[test]
    fn wrong_problems_are_the_same_error_or_limit_everywhere(seed: u64) {
        for loss in catalogue::all() {
            let mut seed = Stream(seed);
            let loss = with_options(loss, &mut seed).unwrap();
            let problem = Problem::random(&loss, &mut seed).unwrap().disturbed(&mut seed).unwrap();
            // What overflows on the way in 16 bits may be NaN there.
            check(&loss, &problem, |format| format == Format::F64 || format == Format::F32)?;
        }
    }
}
