//! The loss level: golden data, the edge table, finite differences, and where 16 bits run out.

use crate::case::{Case, edges, golden, samples};
use crate::certify::{Report, run};
use crate::judge::{Tolerance, judge};
use crate::suite::{Claim, ulps};
use lossmith_core::loss::Definition;
use lossmith_core::{Dense, Error, Evaluation, Indices, Inputs, Loss, Reference, catalogue};
use std::collections::BTreeMap;

/// What gives the value and the gradients of any loss: whatever [runs a plan](lossmith_core::Runner) on host arrays, as
/// every backend does, and what a foreign library that sees no plan wraps itself in to be judged.
pub trait Runner {
    /// Value and gradients on host arrays; [`Error::Backend`] where it does not support what is asked.
    ///
    /// # Errors
    /// What the loss or the runner reports.
    fn value_and_grad(
        &self,
        loss: &Loss<Box<dyn Definition>>,
        inputs: &Inputs<Dense>,
    ) -> Result<Evaluation<Dense>, Error>;
}

impl<R: lossmith_core::Runner<Dense, Output = Dense>> Runner for R {
    fn value_and_grad(
        &self,
        loss: &Loss<Box<dyn Definition>>,
        inputs: &Inputs<Dense>,
    ) -> Result<Evaluation<Dense>, Error> {
        loss.value_and_grad(self, inputs)
    }
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Golden,
    Samples,
    Edges,
    Gradients,
    ManyClasses,
    ManyRows,
}

const PHASES: [(&str, Phase); 6] = [
    ("golden", Phase::Golden),
    ("samples", Phase::Samples),
    ("edges", Phase::Edges),
    ("gradients", Phase::Gradients),
    ("many_classes", Phase::ManyClasses),
    ("many_rows", Phase::ManyRows),
];

/// The names of the phases of the loss level, which are the names of its tests.
pub fn loss_phases() -> impl Iterator<Item = &'static str> {
    PHASES.iter().map(|(name, _)| *name)
}

/// Runs one phase of the loss level, or says that there is none of that name.
pub fn loss<R: Runner>(runner: &R, claim: &Claim, phase: &str) -> Report {
    let mut report = Report::default();
    let Some((_, of)) = PHASES.iter().find(|(name, _)| *name == phase) else {
        report.failures.push((phase.into(), "there is no such phase".into()));
        return report;
    };
    match of {
        Phase::Golden => table(runner, claim, phase, &golden(), &mut report),
        Phase::Samples => {
            samples().iter().for_each(|case| sample(runner, claim, case, &mut report));
        }
        Phase::Edges => table(runner, claim, phase, &edges(), &mut report),
        Phase::Gradients => gradients(runner, claim, &mut report),
        Phase::ManyClasses => {
            let losses = ["cross_entropy", "nll", "multi_margin"];
            many(runner, claim, phase, &losses, [2, 5000], &mut report);
        }
        Phase::ManyRows => {
            many(runner, claim, phase, &["cross_entropy"], [66_000, 2], &mut report);
            many(runner, claim, phase, &["mse"], [66_000, 1], &mut report);
        }
    }
    report
}

/// Runs every phase of the loss level.
pub fn certify_losses<R: Runner>(runner: &R, claim: &Claim) -> Report {
    loss_phases().fold(Report::default(), |report, phase| report.and(loss(runner, claim, phase)))
}

fn table<R: Runner>(runner: &R, claim: &Claim, phase: &str, cases: &[Case], report: &mut Report) {
    for case in cases {
        let name = format!("{phase}: {} {}", case.loss, case.name);
        run(runner, claim, case, phase == "golden", name, report);
    }
}

/// A sample of PyTorch's or ONNX's, whose right answer may be an error; then its results without the check as well.
fn sample<R: Runner>(runner: &R, claim: &Claim, case: &Case, report: &mut Report) {
    let name = format!("samples: {} {}", case.loss, case.name);
    let Some(variant) = &case.error else { return run(runner, claim, case, true, name, report) };
    let refused = || runner.value_and_grad(&case.loss()?, &case.inputs(claim.format)?);
    let what = match refused() {
        Err(error) if format!("{error:?}").starts_with(variant) => Ok(None),
        Err(error) => Err(error),
        Ok(_) => Ok(Some(format!("is taken, but {variant} is the right answer"))),
    };
    report.enter(name.clone(), what);
    if let Some(unchecked) = case.unchecked() {
        run(runner, claim, &unchecked, true, name, report);
    }
}

/// How many golden cases of each loss have their gradients compared with slopes.
const SLOPED: usize = 8;

/// Gradients against central differences of the reference, away from kinks, on some golden cases of every loss.
fn gradients<R: Runner>(runner: &R, claim: &Claim, report: &mut Report) {
    let mut done = BTreeMap::<String, usize>::new();
    for case in golden() {
        let count = done.entry(case.loss.clone()).or_default();
        if *count == SLOPED || case.name.contains("kink") {
            continue;
        }
        *count += 1;
        let name = format!("gradients: {} {}", case.loss, case.name);
        let what = slopes(runner, claim, &case, &mut report.unjudged);
        report.enter(name, what);
    }
}

fn slopes<R: Runner>(
    runner: &R,
    claim: &Claim,
    case: &Case,
    unjudged: &mut usize,
) -> Result<Option<String>, Error> {
    let format = claim.format;
    let (loss, inputs) = (case.loss()?.check(lossmith_core::Check::Off), case.inputs(format)?);
    let got = runner.value_and_grad(&loss, &inputs)?;
    let bounds = loss.error_bound(&inputs, format)?;
    for (argument, grad) in &got.grads {
        for (index, &got) in grad.data().iter().enumerate() {
            let at = |by: f64| {
                let nudged = case.inputs_with(|name, exact| {
                    let mut data = exact.map(|x| format.round(x)).into_data();
                    if name == argument {
                        data[index] += by;
                    }
                    Dense::new(exact.shape(), data).unwrap_or(exact)
                })?;
                case.objective(&loss.value(&Reference, &nudged)?, format)
            };
            let h = 1e-5;
            let [up, down, here] = [at(h)?, at(-h)?, at(0.0)?];
            let slope = (up - down) / (2.0 * h);
            // The mean of nothing is NaN, and its gradient 0.
            let slope = if slope.is_nan() { 0.0 } else { slope };
            let bend = (up - here - (here - down)).abs() / h;
            let bound = bounds.grad(argument).map_or(0.0, |bound| bound.data()[index]);
            // Where the two sides differ much there is a kink between them.
            if bend > 0.01 * (1.0 + slope.abs()) || !bound.is_finite() {
                *unjudged += 1;
                continue;
            }
            let allowed = 1e-6 * (1.0 + slope.abs()) + claim.tolerance * bound;
            if got.is_nan() || (got - slope).abs() > allowed {
                let off = ulps(got, slope, format);
                return Ok(Some(format!(
                    "grad.{argument}[{index}] is {got:e}, the slope {slope:e} ({off}); {loss:?} of {inputs:?}"
                )));
            }
        }
    }
    Ok(None)
}

/// Losses on data of so many rows and classes that counts and class indices are beyond 16 bits.
fn many<R: Runner>(
    runner: &R,
    claim: &Claim,
    phase: &str,
    losses: &[&str],
    shape: [usize; 2],
    report: &mut Report,
) {
    for name in losses {
        let what = large(runner, claim, name, shape, &mut report.unjudged);
        report.enter(format!("{phase}: {name}"), what);
    }
}

fn large<R: Runner>(
    runner: &R,
    claim: &Claim,
    name: &str,
    [rows, classes]: [usize; 2],
    unjudged: &mut usize,
) -> Result<Option<String>, Error> {
    let format = claim.format;
    let loss = catalogue::find(name)?;
    // Multiples of 1/8, which every format holds, in no simple order.
    let number = |index: usize, by: usize| (index * by % 1_000_003 % 32) as f64 / 8.0 - 2.0;
    let numbers = |by: usize| {
        Dense::new(&[rows, classes], (0..rows * classes).map(|index| number(index, by)).collect())
    };
    let inputs = Inputs::new().tensor("input", numbers(7919)?);
    let labelled =
        loss.entry().arguments.iter().any(|argument| argument.values != catalogue::Values::Numbers);
    let inputs = if labelled {
        let last = i64::try_from(classes).unwrap_or(i64::MAX) - 1;
        let label = |row: i64| (last - 2 * (row % 3)).max(row % 2);
        let rows_of = i64::try_from(rows).unwrap_or(i64::MAX);
        inputs.labels("target", Indices::new(&[rows], (0..rows_of).map(label).collect())?)
    } else {
        inputs.tensor("target", numbers(6007)?.map(|x| if x > 0.0 { 1.0 } else { 0.0 }))
    };
    let got = runner.value_and_grad(&loss, &inputs)?;
    let bounds = loss.error_bound(&inputs, format)?;
    let elements = bounds.outputs().flat_map(|(_, bounds)| bounds.data());
    *unjudged += elements.filter(|bound| !bound.is_finite()).count();
    let expected = loss.value_and_grad(&Reference, &inputs)?;
    let tolerance = Tolerance::Bound(bounds).times(claim.tolerance);
    let wrong = judge(&got, &expected, &tolerance, format);
    Ok(wrong.map(|wrong| wrong.explain(format, &loss, &inputs)))
}
