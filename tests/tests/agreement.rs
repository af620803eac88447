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

/// Checks every loss on a random problem.
fn agree_at(seed: u64) -> Result<(), TestCaseError> {
    for loss in catalogue::all() {
        let mut seed = Stream(seed);
        let loss = with_options(loss, &mut seed).unwrap();
        let problem = Problem::random(&loss, &mut seed).unwrap();
        check(&loss, &problem, |_| true)?;
    }
    Ok(())
}

/// The same of what is wrong somewhere.
fn agree_disturbed(seed: u64) -> Result<(), TestCaseError> {
    for loss in catalogue::all() {
        let mut seed = Stream(seed);
        let loss = with_options(loss, &mut seed).unwrap();
        let problem = Problem::random(&loss, &mut seed).unwrap().disturbed(&mut seed).unwrap();
        // What overflows on the way in 16 bits may be NaN there.
        check(&loss, &problem, |format| format == Format::F64 || format == Format::F32)?;
    }
    Ok(())
}

#[test]
fn backends_agree_where_they_once_did_not() {
    // A relu that turns in bf16.
    agree_at(12_397_819_985_887_189_112).unwrap();
    // A NaN among class weights meets a loss that is 0 in f32 alone.
    agree_disturbed(8_961_416_372_588_842_033).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn backends_agree_within_the_error_bound(seed: u64) {
        agree_at(seed)?;
    }

    #[test]
    fn wrong_problems_are_the_same_error_or_limit_everywhere(seed: u64) {
        agree_disturbed(seed)?;
    }
}
