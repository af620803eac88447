//! Every backend against the reference, on random problems and on wrong ones.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use half::{bf16, f16};
use lossmith_conformance::{Tolerance, judge};
use lossmith_core::loss::Definition;
use lossmith_core::{
    Backend, Dense, Error, Evaluation, Format, Inputs, Loss, Reference, catalogue,
};
use lossmith_half::Half;
use lossmith_naive::Naive;
use lossmith_nalgebra::Nalgebra;
use lossmith_ndarray::NdArray;
use lossmith_tests::{Problem, Stream, with_options};
use proptest::prelude::*;

type AnyLoss = Loss<Box<dyn Definition>>;
type Run = fn(&AnyLoss, &Inputs<Dense>) -> Result<Evaluation<Dense>, Error>;

fn on<B: Backend + Default>(
    loss: &AnyLoss,
    inputs: &Inputs<Dense>,
) -> Result<Evaluation<Dense>, Error> {
    loss.value_and_grad(&B::default(), inputs)
}

const BACKENDS: [(&str, Format, Run); 9] = [
    ("ndarray", Format::F64, on::<NdArray<'_, f64>>),
    ("ndarray", Format::F32, on::<NdArray<'_, f32>>),
    ("nalgebra", Format::F64, on::<Nalgebra<'_, f64>>),
    ("nalgebra", Format::F32, on::<Nalgebra<'_, f32>>),
    ("half", Format::F16, on::<Half<'_, f16>>),
    ("half", Format::BF16, on::<Half<'_, bf16>>),
    ("naive", Format::F64, on::<Naive<f64>>),
    ("naive", Format::F32, on::<Naive<f32>>),
    ("naive", Format::F16, on::<Naive<f16>>),
];

/// Checks a problem on every backend: the reference's error, or its result within the bound where that is judged.
fn check(
    loss: &AnyLoss,
    problem: &Problem,
    judged: impl Fn(Format) -> bool,
) -> Result<(), TestCaseError> {
    for (name, format, run) in BACKENDS {
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
            (Ok(got), Ok(expected)) if judged(format) && name != "naive" => {
                let bound = Tolerance::Bound(loss.error_bound(&inputs, format).unwrap());
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
