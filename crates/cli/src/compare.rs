//! `lossmith compare`: value and gradients of given data on every backend and format, against the exact ones.

mod rows;
mod table;
mod verdict;

use crate::error::Error;
use crate::progress::Progress;
use crate::read::{self, Argument, Data};
use crate::run::{BackendName, Dtype, Loss, RUNNERS, WhereOver, WhichOps, ask};
use clap::Args;
use lossmith_core::catalogue::{GRAD_OUTPUT, SAMPLE_WEIGHT};
use lossmith_core::{Dense, Evaluation, Reference};
use lossmith_exact::{BigArray, Oracle};
use lossmith_precision::{Class, Measures, Overflow, Scale, Spot, scale};
use lossmith_tests::Problem;
pub(crate) use table::align;

/// Whose results are judged, and on how much of the data.
#[derive(Debug, Args)]
pub(crate) struct Extent {
    /// Judge these results of another framework too: NAME=FILE, NAME value or grad.ARGUMENT, in the file's number format
    #[arg(long, num_args = 1.., value_name = "NAME=FILE")]
    theirs: Vec<String>,
    /// Only the first rows, as exact results take microseconds an element [default: all]
    #[arg(long)]
    rows: Option<usize>,
}

impl Extent {
    /// The first of its options that is given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let theirs = (!self.theirs.is_empty()).then_some("--theirs");
        theirs.or(self.rows.map(|_| "--rows"))
    }
}

/// Every backend and format, and perhaps another framework, on the data of one loss.
struct Comparison {
    loss: &'static str,
    /// How many rows there are, and how many were looked at.
    rows: Option<[usize; 2]>,
    formats: Vec<OfFormat>,
}

/// What the data are to a number format, and its results.
struct OfFormat {
    dtype: Dtype,
    /// How many numbers of an argument are infinite in the format, and how many 0, that were neither.
    inputs: Vec<(String, [usize; 2])>,
    /// The loss scale at which the format holds the gradients.
    scale: Option<Scale>,
    judged: Vec<Judged>,
}

/// The results of a backend, or of another framework.
struct Judged {
    by: &'static str,
    /// The outputs, or why there are none.
    outputs: Result<Vec<Output>, String>,
}

/// The value, or a gradient.
struct Output {
    name: String,
    measures: Measures,
    /// How far rounding the inputs to the format moves the exact result, relative to the largest.
    rounding: f64,
    /// The inputs where the error is largest.
    inputs: Vec<(String, f64)>,
    /// The op that overflows.
    overflow: Option<Overflow>,
    /// The op that loses most of the bits.
    cause: Option<String>,
}

/// What another framework's results are under.
const THEIRS: &str = "theirs";
/// The formats from the widest, each with its own exact results.
const FORMATS: [Dtype; 4] = [Dtype::F64, Dtype::F32, Dtype::Bf16, Dtype::F16];

/// One loss on its data, with what the formats are to it.
pub(crate) fn one(
    loss: &Loss,
    arguments: &[Argument],
    extent: &Extent,
    json: bool,
) -> Result<String, Error> {
    let theirs = read::arguments(loss, &extent.theirs)?;
    let compared = compared(&[(loss.clone(), arguments.to_vec())], extent.rows, &theirs, true)?;
    Ok(if json { table::json(&compared) } else { table::one(&compared) })
}

/// Every loss on the digits.
pub(crate) fn all(
    problems: &[(Loss, Vec<Argument>)],
    extent: &Extent,
    json: bool,
) -> Result<String, Error> {
    if let Some(theirs) = extent.theirs.first() {
        let what = format!("--theirs {theirs}: say which loss, and its arguments NAME=FILE");
        return Err(Error::Usage(what));
    }
    let compared = compared(problems, extent.rows, &[], false)?;
    Ok(if json { table::json(&compared) } else { table::all(&compared) })
}

fn compared(
    problems: &[(Loss, Vec<Argument>)],
    rows: Option<usize>,
    theirs: &[Argument],
    explained: bool,
) -> Result<Vec<Comparison>, Error> {
    // An exact run a format, one more of the data as they are, and a step for each that is judged.
    let progress = Progress::new(problems.len() * (RUNNERS.len() + FORMATS.len()));
    let oracle = Oracle::new();
    let compared = problems.iter().map(|(loss, arguments)| {
        // What is wrong with the arguments is found before the slow part.
        loss.value_and_grad(&Reference, &problem(loss, arguments)?.inputs())?;
        let there = rows::count(loss, arguments);
        let taken = match (rows, there) {
            (Some(0), _) => return Err(Error::Usage("--rows 0: give at least 1".into())),
            (Some(_), None) => {
                let main = loss.entry().arguments[0].name;
                let name = loss.entry().name;
                let what = format!(
                    "--rows: the first axis of {name}'s {main} has no rows, give smaller files"
                );
                return Err(Error::Usage(what));
            }
            (Some(rows), Some(there)) => Some([there, rows.min(there)]),
            (None, there) => there.map(|there| [there, there]),
        };
        let arguments = match taken {
            Some([there, taken]) if taken < there => rows::only(loss, arguments, 0..taken)?,
            _ => arguments.clone(),
        };
        let data = Given { loss, arguments, theirs, explained, oracle: &oracle };
        let formats = data.formats(&progress)?;
        Ok(Comparison { loss: loss.entry().name, rows: taken, formats })
    });
    let compared = compared.collect();
    progress.clear();
    compared
}

/// The arguments under the names of the loss.
fn problem(loss: &Loss, arguments: &[Argument]) -> Result<Problem, Error> {
    let mut problem = Problem::default();
    for argument in arguments {
        let mut known = loss.entry().arguments.iter().chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]);
        let Some(known) = known.find(|own| own.name == argument.name) else {
            let names: Vec<_> = loss.entry().arguments.iter().map(|own| own.name).collect();
            return Err(Error::Usage(format!(
                "{} takes no argument {:?}: it takes {}",
                loss.entry().name,
                argument.name,
                names.join(", ")
            )));
        };
        match &argument.data {
            Data::Numbers(numbers) => problem.numbers.push((known.name, numbers.clone())),
            Data::Labels(labels) => problem.labels.push((known.name, labels.clone())),
        }
    }
    Ok(problem)
}

/// A loss on data, and what is to be judged.
struct Given<'a> {
    loss: &'a Loss,
    arguments: Vec<Argument>,
    theirs: &'a [Argument],
    /// Whether causes are looked for.
    explained: bool,
    oracle: &'a Oracle,
}

/// The data in a format, and the exact results.
struct Exact {
    dtype: Dtype,
    problem: Problem,
    results: Evaluation<BigArray>,
    /// What rounding every op may come to.
    bounds: Evaluation<Dense>,
    /// How far each output is moved by rounding the inputs.
    moved: Vec<f64>,
}

impl Given<'_> {
    fn formats(&self, progress: &Progress) -> Result<Vec<OfFormat>, Error> {
        let name = self.loss.entry().name;
        let whole = problem(self.loss, &self.arguments)?;
        progress.step(name);
        let exact = self.loss.value_and_grad(self.oracle, &whole.inputs())?;
        let mut formats = Vec::new();
        for dtype in FORMATS {
            let mut runners = RUNNERS
                .iter()
                .filter(|runner| runner.0 != BackendName::Reference && runner.1 == dtype);
            let rounded = whole.clone().rounded(dtype.format());
            let same = whole.numbers.iter().zip(&rounded.numbers).all(|(a, b)| a.1 == b.1);
            let results = if same {
                Ok(exact.clone())
            } else {
                self.loss.value_and_grad(self.oracle, &rounded.inputs())
            };
            let bounds = self.loss.error_bound(&rounded.inputs(), dtype.format());
            let mut of_format =
                OfFormat { dtype, inputs: changed(&whole, &rounded), scale: None, judged: vec![] };
            let (results, bounds) = match (results, bounds) {
                (Ok(results), Ok(bounds)) => (results, bounds),
                // Rounded, a number may be outside the domain of its argument.
                (Err(error), _) | (_, Err(error)) => {
                    let why = format!("rounded to {}, {error}", dtype.name());
                    let theirs = self.theirs.iter().any(|argument| argument.dtype == dtype);
                    let by = runners.map(|runner| runner.0.name());
                    let by = by.chain(theirs.then_some(THEIRS));
                    let judged = by.map(|by| Judged { by, outputs: Err(why.clone()) });
                    of_format.judged.extend(judged);
                    formats.push(of_format);
                    continue;
                }
            };
            let grads: Vec<_> = results.grads.iter().flat_map(|(_, grad)| grad.data()).collect();
            of_format.scale = scale(&grads, dtype.format());
            let pairs = results.outputs().zip(exact.outputs());
            let moved = pairs.map(|((_, rounded), (_, exact))| moved(rounded, exact)).collect();
            let exact = Exact { dtype, problem: rounded, results, bounds, moved };
            runners.try_for_each(|&(backend, _, run)| {
                progress.step(&format!("{name} on {} {}", backend.name(), dtype.name()));
                let outputs = match run(self.loss, &exact.problem.inputs()) {
                    // What a backend cannot hold or do is its own result, and the others go on.
                    Err(
                        error @ (lossmith_core::Error::Backend(_)
                        | lossmith_core::Error::Unsupported { .. }),
                    ) => Err(error.to_string()),
                    results => {
                        let results = results?;
                        let outputs = results.outputs();
                        let judge = |(name, got): (String, &Dense)| {
                            let mut output = self.judge(&name, got, &exact)?;
                            if self.explained {
                                self.explain(&mut output, backend, &exact)?;
                            }
                            Ok(output)
                        };
                        Ok(outputs.map(judge).collect::<Result<_, Error>>()?)
                    }
                };
                of_format.judged.push(Judged { by: backend.name(), outputs });
                Ok::<(), Error>(())
            })?;
            let mut theirs = Vec::new();
            for argument in self.theirs.iter().filter(|argument| argument.dtype == dtype) {
                if let Data::Numbers(got) = &argument.data {
                    theirs.push(self.judge(&argument.name, got, &exact)?);
                }
            }
            if !theirs.is_empty() {
                of_format.judged.push(Judged { by: THEIRS, outputs: Ok(theirs) });
            }
            formats.push(of_format);
        }
        Ok(formats)
    }

    /// An output beside the exact one.
    fn judge(&self, name: &str, got: &Dense, exact: &Exact) -> Result<Output, Error> {
        let place = exact.results.outputs().position(|(output, _)| output == name);
        let found = place.and_then(|place| Some((place, exact.results.outputs().nth(place)?.1)));
        let Some((place, right)) = found else {
            let names: Vec<_> = exact.results.outputs().map(|(output, _)| output).collect();
            let what = format!("--theirs {name}: the results are {}", names.join(", "));
            return Err(Error::Usage(what));
        };
        if got.shape() != right.shape() {
            return Err(Error::Usage(format!(
                "--theirs {name} has shape {:?}, but {:?} is right: give the results of the same data and options",
                got.shape(),
                right.shape()
            )));
        }
        let mut measures = Measures::default();
        let bounds = exact.bounds.outputs().nth(place).map(|(_, bounds)| bounds);
        // The inputs are the same everywhere.
        let (class, options, problem) = (Class::Given, Vec::new(), Problem::default());
        let spot = Spot { class, seed: 0, steps: 0, options, problem };
        measures.enter(got, (right, bounds), exact.dtype.format(), &spot);
        let worst = measures.worst.as_ref().map(|worst| worst.index);
        let at = |index| inputs_at(&self.arguments, got.shape(), index, exact.dtype);
        Ok(Output {
            name: name.to_owned(),
            inputs: worst.map(at).unwrap_or_default(),
            rounding: exact.moved.get(place).copied().unwrap_or(0.0),
            measures,
            overflow: None,
            cause: None,
        })
    }

    /// Looks for the op that is at fault.
    fn explain(
        &self,
        output: &mut Output,
        backend: BackendName,
        exact: &Exact,
    ) -> Result<(), Error> {
        let Self { loss, oracle, .. } = *self;
        let Output { name, measures, .. } = &*output;
        let runner = (backend, exact.dtype);
        if measures.nan + measures.infinite > 0 {
            let problem = &exact.problem;
            output.overflow = ask(&WhereOver { loss, problem, output: name, oracle }, runner)?;
            return Ok(());
        }
        let Some(worst) = measures.worst.as_ref().filter(|worst| worst.ulps > 1.0) else {
            return Ok(());
        };
        let format = exact.dtype.format();
        let cause = |problem: &Problem, index| {
            let (spot, element) = ((problem, Class::Given), (name.as_str(), index));
            let causes = ask(&WhichOps { loss, spot, format, element, oracle }, runner)?;
            Ok::<_, Error>(causes.into_iter().next().map(|cause| cause.op))
        };
        let (alone, index) = self.around(name, worst.index, &exact.results)?;
        let mut found = cause(&problem(loss, &alone)?.rounded(format), index)?;
        // A row alone is divided by no number of rows.
        if found.is_none() {
            found = cause(&exact.problem, worst.index)?;
        }
        output.cause = found;
        Ok(())
    }

    /// The row that an element of an output is of, alone, and its place there; everything where it is of no row.
    fn around(
        &self,
        output: &str,
        index: usize,
        results: &Evaluation<BigArray>,
    ) -> Result<(Vec<Argument>, usize), Error> {
        let shape = results.outputs().find(|(name, _)| name == output).map(|(_, x)| x.shape());
        let first = shape.and_then(|shape| shape.first()).copied();
        let rows = rows::count(self.loss, &self.arguments);
        let own = match output.strip_prefix("grad.") {
            None => true,
            Some(argument) => rows::with_rows(self.loss, &self.arguments).contains(&argument),
        };
        let (Some(shape), Some(rows), true) = (shape, rows, own && first == rows) else {
            return Ok((self.arguments.clone(), index));
        };
        let inner: usize = shape.iter().product::<usize>() / rows.max(1);
        let row = index / inner.max(1);
        Ok((rows::only(self.loss, &self.arguments, row..row + 1)?, index % inner.max(1)))
    }
}

/// How many numbers of each argument become infinite, and how many 0, where there are any.
fn changed(whole: &Problem, rounded: &Problem) -> Vec<(String, [usize; 2])> {
    let pairs = whole.numbers.iter().zip(&rounded.numbers);
    let counts = pairs.map(|((name, before), (_, after))| {
        let pairs = before.data().iter().zip(after.data());
        let count = |changed: fn(f64, f64) -> bool| {
            pairs.clone().filter(|&(&before, &after)| changed(before, after)).count()
        };
        let infinite = count(|before, after| before.is_finite() && after.is_infinite());
        ((*name).to_owned(), [infinite, count(|before, after| before != 0.0 && after == 0.0)])
    });
    counts.filter(|(_, counts)| *counts != [0, 0]).collect()
}

/// The arguments' elements at an element of an output: those of the output's own shape, and the row's label.
fn inputs_at(
    arguments: &[Argument],
    shape: &[usize],
    index: usize,
    dtype: Dtype,
) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for Argument { name, data, .. } in arguments {
        let element = match data {
            Data::Numbers(numbers) if numbers.shape() == shape && !shape.is_empty() => {
                Some(dtype.format().round(numbers.data()[index]))
            }
            Data::Numbers(_) => None,
            #[allow(clippy::cast_precision_loss, reason = "a label is small")]
            Data::Labels(labels) => label_at(labels.shape.len(), shape, index)
                .and_then(|row| labels.data.get(row).map(|&label| label as f64)),
        };
        found.extend(element.map(|element| (name.clone(), element)));
    }
    found
}

/// The row of an element of a gradient by classes, or of an unreduced loss.
fn label_at(rank: usize, shape: &[usize], index: usize) -> Option<usize> {
    if shape.len() == rank {
        return (rank > 0).then_some(index);
    }
    let class_axis = usize::from(shape.len() > 1);
    let inner: usize = shape.get(class_axis + 1..)?.iter().product();
    Some(index / (inner * shape.get(class_axis)?) * inner + index % inner)
}

/// The largest difference, relative to the largest number.
fn moved(rounded: &BigArray, exact: &BigArray) -> f64 {
    let finite = |x: &f64| x.is_finite();
    let largest = exact.data().iter().map(|x| x.abs().to_f64()).filter(finite).fold(0.0, f64::max);
    let pairs = rounded.data().iter().zip(exact.data());
    let differences = pairs.map(|(a, b)| a.distance(b).to_f64()).filter(finite);
    let most = differences.fold(0.0, f64::max);
    if most == 0.0 { 0.0 } else { most / largest }
}
