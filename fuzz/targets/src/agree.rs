//! Whether a backend gives what the reference gives.

use lossmith_conformance::{Mismatch, Tolerance, judge};
use lossmith_core::catalogue::{Argument, Form};
use lossmith_core::{Dense, Error, Evaluation, Format, Inputs};
use lossmith_tests::Problem;
use lossmith_tests::backends::{AnyLoss, REFERENCE};

/// Whether an infinity meets a product of matrices: then it turns on a rounding whether 0 · ∞ or ε · ∞ is added up.
fn unjudgeable(loss: &AnyLoss, problem: &Problem) -> bool {
    let matrix = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
    loss.entry().arguments.iter().any(matrix) && any(problem, f64::is_infinite)
}

fn any(problem: &Problem, is: impl Fn(f64) -> bool) -> bool {
    problem.numbers.iter().any(|(_, array)| array.data().iter().any(|&x| is(x)))
}

/// Nothing off.
const EQUAL: Tolerance = Tolerance::Relative { own: 0.0, largest: 0.0 };

/// Checks a problem on a backend: the reference's error, or its result within the bound where that is judged.
///
/// # Errors
/// What is wrong, and with what.
pub fn agree(
    loss: &AnyLoss,
    problem: &Problem,
    (name, format): (&str, Format),
    judged: bool,
    run: impl FnOnce(&Inputs<Dense>) -> Result<Evaluation<Dense>, Error>,
) -> Result<(), String> {
    let rounded = problem.clone().rounded(format);
    let inputs = rounded.inputs();
    let what =
        |wrong: String| Err(format!("{name} {}: {wrong}\n{loss:?} {problem:?}", format.name));
    match (run(&inputs), REFERENCE(loss, &inputs)) {
        // nalgebra says so where a problem is no matrix.
        (Err(Error::Backend(_)), _) if name == "nalgebra" => Ok(()),
        // naive multiplies no matrices.
        (Err(Error::Unsupported { .. }), _) if name == "naive" => Ok(()),
        (Err(got), Err(expected)) if got.to_string() == expected.to_string() => Ok(()),
        // What is equal is within any bound, and the bound costs more than all the rest.
        (Ok(got), Ok(expected)) if judge(&got, &expected, &EQUAL, format).is_none() => Ok(()),
        // The plain sums of naive lose more than the bound allows; conformance names where.
        (Ok(got), Ok(expected)) if judged && name != "naive" && !unjudgeable(loss, &rounded) => {
            let bound = match loss.error_bound(&inputs, format) {
                Ok(bound) => Tolerance::Bound(bound),
                Err(error) => return what(format!("there is no bound: {error}")),
            };
            // In f64 the reference rounds as well.
            let bound = if format == Format::F64 { bound.times(2.0) } else { bound };
            let wrong = judge(&got, &expected, &bound, format);
            // What meets an infinity or NaN may be 0 or infinite in a narrower format alone: then f64 judges.
            let narrow = |wrong: &Mismatch| {
                format != Format::F64
                    && !wrong.expected.is_finite()
                    && any(&rounded, |x| !x.is_finite())
            };
            match wrong.filter(|wrong| !narrow(wrong)) {
                Some(wrong) => what(wrong.to_string()),
                None => Ok(()),
            }
        }
        (Ok(_), Ok(_)) => Ok(()),
        (got, expected) => what(format!("{got:?}, not {expected:?}")),
    }
}
