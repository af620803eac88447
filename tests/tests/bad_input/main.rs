//! Wrong input of every kind, for every loss and argument: one typed error that says what and where, on every backend.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod options;

use lossmith_core::backend::View;
use lossmith_core::catalogue::{Argument, Domain, Form, GRAD_OUTPUT, SAMPLE_WEIGHT, Values, all};
use lossmith_core::shape::{Given, Layout, Main, Sides, count};
use lossmith_core::{Array, Backend, Dense, Error, Indices, Inputs, Reference};
use lossmith_tests::backends::{AnyLoss, BACKENDS, REFERENCE};
use lossmith_tests::{Problem, Stream, with_options};

/// How many instances there are of each loss, argument and kind.
const INSTANCES: usize = 64;

/// How many wrong problems have to be refused in all.
const LEAST: usize = 50_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Side,
    Added,
    Dropped,
    NoClass,
    High,
    Negative,
    Domain,
    Missing,
    Unknown,
    Twice,
    Type,
}

const KINDS: [(Kind, &str); 11] = [
    (Kind::Side, "side"),
    (Kind::Added, "axis+"),
    (Kind::Dropped, "axis-"),
    (Kind::NoClass, "C=0"),
    (Kind::High, "label>"),
    (Kind::Negative, "label<0"),
    (Kind::Domain, "domain"),
    (Kind::Missing, "missing"),
    (Kind::Unknown, "unknown"),
    (Kind::Twice, "twice"),
    (Kind::Type, "type"),
];

/// Whether a loss can be wrong in that way in that argument.
fn applies(kind: Kind, loss: &AnyLoss, argument: &Argument) -> bool {
    let classes = loss.definition().layout() != Layout::Pointwise;
    let main = matches!(argument.form, Form::Main | Form::Steps);
    let alone = main && loss.entry().arguments.iter().all(|other| other.form == Form::Main);
    let labels = !matches!(argument.values, Values::Numbers);
    // With other axes these are another problem, not a wrong one.
    let product = matches!(argument.form, Form::Matrix("linear_weight", _));
    let factor = argument.name == "linear_weight";
    match kind {
        Kind::Added if product || factor => false,
        Kind::Dropped if product => false,
        Kind::Unknown => argument.name == loss.entry().arguments[0].name,
        Kind::Side | Kind::Added => !alone,
        // What may be broadcast may lack axes.
        Kind::Dropped if matches!(argument.form, Form::Trailing | Form::Sample) => false,
        // Without its axis a length is that of every sample.
        Kind::Dropped if argument.form == Form::Lengths => false,
        Kind::Dropped => !alone || classes,
        Kind::NoClass => main && classes,
        Kind::High | Kind::Negative => labels,
        Kind::Domain => argument.domain.is_some(),
        Kind::Missing => !argument.optional,
        Kind::Twice => true,
        Kind::Type => argument.values != Values::Either,
    }
}

/// A problem made wrong, and what its error's message has to say.
struct Wrong {
    problem: Problem,
    says: Vec<String>,
}

/// The shape of an argument, if it is given.
fn shape_of(problem: &Problem, name: &str) -> Option<Vec<usize>> {
    let numbers = problem.numbers.iter().map(|(name, array)| (*name, array.shape().to_vec()));
    let labels = problem.labels.iter().map(|(name, labels)| (*name, labels.shape.clone()));
    numbers.chain(labels).find(|(other, _)| *other == name).map(|(_, shape)| shape)
}

/// Another shape for an argument, filled with what is right in every domain.
fn reshape(problem: &mut Problem, name: &str, shape: &[usize]) {
    for (_, array) in problem.numbers.iter_mut().filter(|(other, _)| *other == name) {
        *array = Dense::new(shape, vec![1.0; count(shape)]).unwrap();
    }
    for (_, labels) in problem.labels.iter_mut().filter(|(other, _)| *other == name) {
        *labels = Indices::new(shape, vec![0; count(shape)]).unwrap();
    }
}

/// The shape made wrong, or none where that cannot be done to it.
fn wrong_shape(
    kind: Kind,
    loss: &AnyLoss,
    argument: &Argument,
    [main, got]: [&[usize]; 2],
    class_axis: Option<usize>,
    seed: &mut Stream,
) -> Option<Vec<usize>> {
    let mut shape = got.to_vec();
    let batched = main.len() > 1;
    let in_rows = got.len() == 2;
    // Other lengths than these make another problem, or are wrong in other words.
    let possible = match (argument.form, kind) {
        (Form::Steps, Kind::Side | Kind::Added | Kind::Dropped) => batched,
        (Form::Sequences, Kind::Side | Kind::Added) => in_rows || kind == Kind::Added && !batched,
        (Form::Sequences, Kind::Dropped) => !in_rows,
        (Form::Lengths, Kind::Side | Kind::Added) => !(got.is_empty() && batched),
        _ => true,
    };
    if !possible {
        return None;
    }
    let pick = |seed: &mut Stream| (!got.is_empty()).then(|| seed.below(got.len()));
    match kind {
        Kind::Side => {
            // A matrix may have any number of rows, but not of columns.
            let columns = matches!(argument.form, Form::Matrix(..)).then(|| got.len() - 1);
            let samples = [(Form::Steps, 1), (Form::Sequences, 0)];
            let samples = samples.into_iter().find(|(form, _)| *form == argument.form);
            let axis = columns.or(samples.map(|(_, axis)| axis)).or(pick(seed))?;
            let rows_only = loss.entry().arguments[1..].iter().all(|other| {
                other.optional || other.form == Form::Rows || other.values == Values::Either
            });
            if argument.form == Form::Main && rows_only && class_axis == Some(axis) {
                return None;
            }
            let broadcasts = matches!(argument.form, Form::Trailing | Form::AnySideOne);
            let beside = match argument.form {
                Form::Trailing => main[main.len() - got.len() + axis],
                Form::AnySideOne => main[axis],
                Form::Main
                | Form::Same
                | Form::Rows
                | Form::PerClass
                | Form::Features
                | Form::Matrix(..)
                | Form::PerRow(_)
                | Form::Steps
                | Form::Sequences
                | Form::Lengths
                | Form::Sample
                | Form::Value => got[axis],
            };
            let more = broadcasts || seed.below(2) == 0;
            shape[axis] = if more { beside + 1 + seed.below(2) } else { beside - 1 };
        }
        Kind::Added => {
            // What is broadcast may have the axes of the main input, and no more.
            let exact = !matches!(argument.form, Form::Trailing | Form::AnySideOne | Form::Sample);
            let rank = if exact { got.len() } else { main.len() };
            while shape.len() <= rank {
                shape.insert(seed.below(shape.len() + 1), 1 + seed.below(3));
            }
        }
        Kind::Dropped => {
            // The classes of steps stay what they are.
            let axis = if argument.form == Form::Steps { seed.below(2) } else { pick(seed)? };
            shape.remove(axis);
            let alone = loss.entry().arguments.len() == 1;
            let right = argument.form == Form::AnySideOne
                && (shape.is_empty() || shape == main[..main.len() - 1]);
            if right || alone && !shape.is_empty() {
                return None;
            }
        }
        Kind::NoClass if argument.form == Form::Steps => *shape.last_mut()? = 0,
        Kind::NoClass => shape[class_axis?] = 0,
        Kind::High
        | Kind::Negative
        | Kind::Domain
        | Kind::Missing
        | Kind::Unknown
        | Kind::Twice
        | Kind::Type => return None,
    }
    Some(shape)
}

/// A random problem with one thing wrong, or none where it cannot be wrong in this one.
fn wrong(kind: Kind, loss: &AnyLoss, argument: &Argument, seed: &mut Stream) -> Option<Wrong> {
    let mut problem = Problem::random(loss, seed).unwrap();
    let (name, entry) = (argument.name, loss.entry());
    let shapes: Vec<_> = entry
        .arguments
        .iter()
        .filter_map(|other| shape_of(&problem, other.name).map(|shape| (other, shape)))
        .collect();
    let Main { name: main_name, shape: main, classes } =
        loss.definition().main(&Given(&shapes)).unwrap();
    let class_axis = match loss.definition().layout() {
        Layout::Pointwise => None,
        Layout::Classes => Some(usize::from(main.len() > 1)),
        Layout::Along(_) | Layout::Over(_) => Some(main.len() - 1),
    };
    if argument.form == Form::Value {
        let mut shape = main.clone();
        if matches!(loss.definition().layout(), Layout::Classes | Layout::Over(_)) {
            shape.remove(class_axis?);
        }
        let ones = vec![1.0; count(&shape)];
        problem.numbers.push((GRAD_OUTPUT.name, Dense::new(&shape, ones).unwrap()));
    }
    let got = shape_of(&problem, name)?;
    let is_labels = problem.labels.iter().any(|(other, _)| *other == name);
    let says = match kind {
        Kind::Side | Kind::Added | Kind::Dropped | Kind::NoClass => {
            // Any number of samples goes with lengths that are alike.
            let alike = shape_of(&problem, "input_lengths").is_some_and(|shape| shape.is_empty());
            if argument.form == Form::Steps && alike && kind != Kind::NoClass {
                return None;
            }
            let shape = wrong_shape(kind, loss, argument, [&main, &got], class_axis, seed)?;
            reshape(&mut problem, name, &shape);
            if argument.form == Form::Steps {
                // The others are held against a step, where there are steps.
                let steps = kind != Kind::NoClass && matches!(shape.len(), 2 | 3);
                let seen = Sides(&shape[usize::from(steps)..]);
                vec![format!("{name} "), format!("shape {seen}")]
            } else if matches!(argument.form, Form::Main | Form::Matrix(..) | Form::PerRow(_)) {
                vec![format!("{name} "), format!("shape {}", Sides(&shape))]
            } else {
                let both = [&shape, &main].map(|shape| format!("of shape {}", Sides(shape)));
                let [_, main] = both;
                vec![format!("{name} has shape {}", Sides(&shape)), format!("{main_name} {main}")]
            }
        }
        Kind::High | Kind::Negative => {
            let given = problem.clone();
            let of = |name: &str| {
                let mut found = given.labels.iter().filter(|(other, _)| *other == name);
                found.next().map(|(_, labels)| labels)
            };
            let (_, labels) = problem.labels.iter_mut().find(|(other, _)| *other == name)?;
            let classes = classes.unwrap_or(main[class_axis?]);
            let most = match name {
                "input_lengths" => shapes[0].1[0],
                "target_lengths" if main.len() > 1 && of("targets")?.shape.len() == 1 => {
                    of("targets")?.data.len()
                }
                "target_lengths" => *of("targets")?.shape.last()?,
                _ => classes - 1,
            };
            // A set's later labels may stand behind the −1 that ends it; its first does not.
            let index = match argument.values {
                Values::IndexSets => {
                    let inner: usize = main[class_axis? + 1..].iter().product();
                    let row = seed.below(labels.data.len() / classes);
                    row / inner * classes * inner + row % inner
                }
                Values::Numbers | Values::Indices | Values::Either | Values::Integers => {
                    seed.below(labels.data.len().max(1))
                }
            };
            // What pads a row is no label.
            if labels.data.get(index).is_none_or(|&label| label == -7) {
                return None;
            }
            let beyond = i64::try_from(seed.below(1000)).unwrap();
            let value = match (kind, seed.below(4)) {
                (Kind::High, 0) => i64::MAX - beyond,
                // 2³² + a class would be that class in 32 bits.
                (Kind::High, 1) => (1 << 32) + beyond,
                // The first that is too large.
                (Kind::High, 2) => i64::try_from(most).unwrap() + 1,
                (Kind::High, _) => i64::try_from(most).unwrap() + 1 + beyond,
                (_, 0) => i64::MIN + beyond,
                // A label that may not be one.
                (_, 1) if argument.form == Form::Sequences => loss.definition().blank()?,
                _ => -2 - beyond,
            };
            if loss.definition().ignore_index() == Some(value) {
                return None;
            }
            labels.data[index] = value;
            vec![format!("{name}[{index}] is {value}"), format!("give 0 to {most}")]
        }
        Kind::Domain => {
            let Domain { low, high, ends, .. } = argument.domain?;
            let (_, array) = problem.numbers.iter_mut().find(|(other, _)| *other == name)?;
            let quarters = f64::from(u8::try_from(1 + seed.below(40)).unwrap()) / 4.0;
            let value = match seed.below(if high.is_finite() { 4 } else { 2 }) {
                0 => low - quarters,
                1 => f64::NEG_INFINITY,
                2 if ends => 0.25,
                2 => f64::INFINITY,
                _ => high + quarters,
            };
            let mut data = array.data().to_vec();
            let index = seed.below(data.len());
            data[index] = value;
            *array = Dense::new(array.shape(), data).unwrap();
            vec![format!("{name}[{index}] is {value}, outside")]
        }
        Kind::Missing => {
            problem.numbers.retain(|(other, _)| *other != name);
            problem.labels.retain(|(other, _)| *other != name);
            vec![entry.name.into(), format!("needs {name}")]
        }
        Kind::Unknown => {
            let unknown = ["wieght", "Input", "", "targets ", "x"][seed.below(5)];
            problem.numbers.push((unknown, Dense::from(1.0)));
            vec![entry.name.into(), format!("{unknown:?}"), name.into()]
        }
        Kind::Twice => {
            let again = problem.numbers.iter().find(|(other, _)| *other == name).cloned();
            problem.numbers.extend(again);
            let again = problem.labels.iter().find(|(other, _)| *other == name).cloned();
            problem.labels.extend(again);
            vec![entry.name.into(), format!("{name:?}"), "once".into()]
        }
        Kind::Type => {
            problem.numbers.retain(|(other, _)| *other != name);
            problem.labels.retain(|(other, _)| *other != name);
            if is_labels {
                let ones = Dense::new(&got, vec![1.0; count(&got)]).unwrap();
                problem.numbers.push((argument.name, ones));
            } else {
                let zeros = Indices::new(&got, vec![0; count(&got)]).unwrap();
                problem.labels.push((argument.name, zeros));
            }
            vec![format!("{name} is "), argument.values.words().into(), "numbers".into()]
        }
    };
    Some(Wrong { problem, says })
}

/// Checks that a problem is refused everywhere, in the same words, and that they say what they have to.
fn refused(loss: &AnyLoss, problem: &Problem, says: &[String]) {
    let what = || format!("{loss:?} {problem:?}");
    for &(name, format, run) in BACKENDS {
        let inputs = problem.clone().rounded(format).inputs();
        let Err(expected) = REFERENCE(loss, &inputs) else { panic!("taken: {says:?} {}", what()) };
        let words = expected.to_string();
        assert!(!matches!(expected, Error::Backend(_) | Error::Objective { .. }), "{words}");
        for part in says {
            assert!(words.contains(part), "{words:?} does not say {part:?}: {}", what());
        }
        match run(loss, &inputs) {
            Ok(_) => panic!("{name} takes it: {}", what()),
            Err(Error::Backend(_)) => assert_eq!(name, "nalgebra", "{}", what()),
            Err(error) => assert_eq!(error.to_string(), words, "{name} {}", what()),
        }
    }
}

#[test]
fn every_kind_of_wrong_argument_is_refused() {
    let kinds = KINDS.map(|(_, name)| format!("{name:>8}")).concat();
    println!("{:34}{:16}{kinds}", "loss", "argument");
    let mut total = 0;
    for base in all() {
        let own = base.entry().arguments.iter();
        for argument in own.chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]) {
            let mut row = String::new();
            for (kind, _) in KINDS {
                let mut seed = Stream(kind as u64);
                let wanted = if applies(kind, &base, argument) { INSTANCES } else { 0 };
                let mut found = 0;
                for _ in 0..100 * wanted {
                    let loss = with_options(base.clone(), &mut seed).unwrap();
                    let set = |loss: AnyLoss, option, value| loss.with(option, value).unwrap();
                    let loss = match (argument.form, kind) {
                        (Form::Value, _) => set(loss, "reduction", "none"),
                        (_, Kind::Domain) => set(loss, "check", "full"),
                        _ => loss,
                    };
                    let of_options = loss.entry().arguments.iter();
                    // An option may change what an argument is, or its domain.
                    let argument = of_options
                        .chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT])
                        .find(|other| other.name == argument.name)
                        .unwrap();
                    if let Some(Wrong { problem, says }) = wrong(kind, &loss, argument, &mut seed) {
                        refused(&loss, &problem, &says);
                        found += 1;
                    }
                    if found == wanted {
                        break;
                    }
                }
                let (name, argument) = (base.entry().name, argument.name);
                assert_eq!(found, wanted, "{name} {argument} {kind:?}");
                total += found;
                row += &format!("{:>8}", if found == 0 { "-".into() } else { found.to_string() });
            }
            println!("{:34}{:16}{row}", base.entry().name, argument.name);
        }
    }
    let runs = total * (1 + BACKENDS.len());
    println!(
        "{total} problems, each on the reference and {} backends: {runs} runs",
        BACKENDS.len()
    );
    assert!(total >= LEAST, "{total} problems");
}

/// An array that says what shape it has, and has no elements.
struct Claims(Vec<usize>);

impl<B: Backend> Array<B> for Claims {
    type Output = Dense;
    fn shape(&self) -> Vec<usize> {
        self.0.clone()
    }
    fn enter(&self, backend: &B, view: &View) -> Result<B::Tensor, B::Error> {
        backend.upload(view.sides, &[])
    }
    fn leave(backend: &B, tensors: Vec<B::Tensor>, shape: &[usize]) -> Result<Dense, B::Error> {
        Dense::leave(backend, tensors, shape)
    }
}

#[test]
fn shapes_beyond_counting_and_indices_of_another_length_are_refused() {
    let mut seed = Stream(3);
    println!("{:34}{:16}{:>10}", "loss", "argument", "shapes");
    for base in all() {
        for argument in base.entry().arguments {
            let mut found = 0;
            for _ in 0..100 * INSTANCES {
                if found == INSTANCES {
                    break;
                }
                // An option may say whether an argument is wanted.
                let loss = with_options(base.clone(), &mut seed).unwrap();
                let reduction = if argument.form == Form::Value { "none" } else { "mean" };
                let loss = loss.with("reduction", reduction).unwrap();
                let problem = Problem::random(&loss, &mut seed).unwrap();
                let Some(got) = shape_of(&problem, argument.name) else { continue };
                // 2³² · 2³² · … · 0: what is empty overflows too, and has to be said of the argument.
                let mut huge = vec![1 << (32 + seed.below(20)); 2 + seed.below(3)];
                huge.extend((0..seed.below(2)).map(|_| 0));
                let labels = problem.labels.iter().any(|(name, _)| *name == argument.name);
                let mut inputs = Inputs::<Claims>::new();
                for (name, array) in &problem.numbers {
                    let shape = if *name == argument.name { &huge } else { array.shape() };
                    inputs = inputs.tensor(name, Claims(shape.to_vec()));
                }
                let mut plain = problem.clone();
                for (name, indices) in &problem.labels {
                    let mut indices = indices.clone();
                    if *name == argument.name {
                        indices.shape.clone_from(&huge);
                    }
                    inputs = inputs.labels(name, indices);
                }
                let name = argument.name;
                let words = loss.value(&Reference, &inputs).unwrap_err().to_string();
                assert!(
                    words.starts_with(&format!("{name} has shape {}", Sides(&huge))),
                    "{words}"
                );
                if labels {
                    let (_, short) =
                        plain.labels.iter_mut().find(|(other, _)| *other == name).unwrap();
                    if short.data.pop().is_none() {
                        continue;
                    }
                    let says = [format!("{name} has shape {}", Sides(&got)), "given".into()];
                    refused(&loss, &plain, &says);
                }
                found += 1;
            }
            assert_eq!(found, INSTANCES, "{} {}", base.entry().name, argument.name);
            println!("{:34}{:16}{found:>10}", base.entry().name, argument.name);
        }
    }
}
