//! Every backend against the reference, on random problems and on wrong ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::{Tolerance, judge};
use lossmith_core::catalogue::{Argument, Form};
use lossmith_core::{Error, Format, Reference, catalogue};
use lossmith_tests::backends::{AnyLoss, BACKENDS};
use lossmith_tests::{Problem, Stream, with_options};
use proptest::prelude::*;

/// Whether an infinity meets a product of matrices: then it turns on a rounding whether 0 · ∞ or ε · ∞ is added up.
fn unjudgeable(loss: &AnyLoss, problem: &Problem) -> bool {
    let matrix = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
    loss.entry().arguments.iter().any(matrix)
        && problem.numbers.iter().any(|(_, array)| array.data().iter().any(|x| x.is_infinite()))
}

/// Checks a problem on every backend: the reference's error, or its result within the bound where that is judged.
fn check(
    loss: &AnyLoss,
    problem: &Problem,
    judged: impl Fn(Format) -> bool,
) -> Result<(), TestCaseError> {
    for &(name, format, run) in BACKENDS {
        let inputs = problem.clone().rounded(format).inputs();
        let expected = loss.value_and_grad(&Reference, &inputs);
        let what = || format!("{name} {}: {loss:?} {problem:?}", format.name);
        match (run(loss, &inputs), expected) {
            // nalgebra says so where a problem is no matrix.
            (Err(Error::Backend(_)), _) => prop_assert_eq!(name, "nalgebra"),
            // naive multiplies no matrices.
            (Err(Error::Unsupported { .. }), _) => prop_assert_eq!(name, "naive"),
            (Err(got), Err(expected)) => prop_assert_eq!(got.to_string(), expected.to_string()),
            // The plain sums of naive lose more than the bound allows; conformance names where.
            (Ok(got), Ok(expected))
                if judged(format) && name != "naive" && !unjudgeable(loss, problem) =>
            {
                let bound = Tolerance::Bound(loss.error_bound(&inputs, format).unwrap());
                // In f64 the reference rounds as well.
                let bound = if format == Format::F64 { bound.times(2.0) } else { bound };
                let wrong = judge(&got, &expected, &bound, format);
                prop_assert!(wrong.is_none(), "{}\n{}", wrong.unwrap(), what());
            }
            (Ok(_), Ok(_)) => {}
            (got, expected) => prop_assert!(false, "{got:?}, not {expected:?}\n{}", what()),
        }
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
