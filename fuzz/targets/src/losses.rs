//! Losses with any options on any arguments: every backend agrees with the reference, or refuses in the same words.

use crate::agree;
use crate::layout::{Layout, STRIDED};
use arbitrary::{Arbitrary, Unstructured};
use lossmith_core::catalogue::{GRAD_OUTPUT, SAMPLE_WEIGHT, all};
use lossmith_core::{Dense, Format, Indices, Reference};
use lossmith_tests::backends::{AnyLoss, BACKENDS};
use lossmith_tests::{Problem, Stream, with_options};
use std::sync::LazyLock;

/// The catalogue.
static LOSSES: LazyLock<Vec<AnyLoss>> = LazyLock::new(all);

/// The most elements that an edited argument has.
const MOST: usize = 512;

/// A random problem, what is then done to it, and what it is run on.
#[derive(Arbitrary, Debug)]
struct Case {
    loss: u8,
    runner: u8,
    seed: u64,
    cotangent: bool,
    options: Vec<(u8, Number)>,
    edits: Vec<Edit>,
    layout: Layout,
}

/// Something done to an argument: to the one at that place, from the first again after the last.
#[derive(Arbitrary, Debug)]
enum Edit {
    Element(u8, u16, Number),
    Fill(u8, Number),
    Label(u8, u16, Index),
    Shape(u8, Vec<u8>),
    Drop(u8),
    Again(u8),
    /// Numbers become class indices, and these numbers.
    Turn(u8),
}

/// Any number, the common and the hard ones often.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Number {
    Bits(f64),
    Single(f32),
    Eighths(i8),
    Power(i16, bool),
    NaN,
    Infinite(bool),
}

impl Number {
    fn value(self) -> f64 {
        match self {
            Self::Bits(x) => x,
            Self::Single(x) => x.into(),
            Self::Eighths(x) => f64::from(x) / 8.0,
            Self::Power(power, negative) => {
                let size = f64::from(power % 1100).exp2();
                if negative { -size } else { size }
            }
            Self::NaN => f64::NAN,
            Self::Infinite(negative) => {
                if negative {
                    f64::NEG_INFINITY
                } else {
                    f64::INFINITY
                }
            }
        }
    }
}

/// Any class index, small ones often.
#[derive(Arbitrary, Clone, Copy, Debug)]
enum Index {
    Any(i64),
    Small(i8),
}

impl Index {
    fn value(self) -> i64 {
        match self {
            Self::Any(index) => index,
            Self::Small(index) => index.into(),
        }
    }
}

/// Runs the case that the bytes are.
///
/// # Panics
/// If a backend gives something other than the reference.
pub fn run(bytes: &[u8]) {
    let Ok(case) = Case::arbitrary(&mut Unstructured::new(bytes)) else { return };
    let losses = &*LOSSES;
    let mut seed = Stream(case.seed);
    let base = losses[usize::from(case.loss) % losses.len()].clone();
    let mut loss = with_options(base, &mut seed).expect("the options are in their ranges");
    let own = loss.clone().options();
    for (place, number) in &case.options {
        let [name, _, expects, _] = &own[usize::from(*place) % own.len()];
        let words = match number.value() {
            // How many rows a matrix has.
            x if expects.contains("each above the last") => {
                (1.0 + x.abs().min(49.0).floor()).to_string()
            }
            x => x.to_string(),
        };
        // What is refused is left as it was; the target of options has the rest.
        loss = loss.clone().with(name, &words).unwrap_or(loss);
    }
    let Ok(mut problem) = Problem::random(&loss, &mut seed) else { return };
    if case.cotangent {
        cotangent(&loss, &mut problem, &mut seed);
    }
    for edit in &case.edits {
        apply(edit, &loss, &mut problem);
    }
    // A format may not hold the options, and what overflows on the way in 16 bits may be NaN there.
    let judged = |format| match (case.options.is_empty(), case.edits.is_empty()) {
        (true, true) => true,
        (true, false) => format == Format::F64 || format == Format::F32,
        (false, _) => format == Format::F64,
    };
    let place = usize::from(case.runner) % (BACKENDS.len() + STRIDED.len());
    let wrong = match place.checked_sub(BACKENDS.len()) {
        None => {
            let (name, format, run) = BACKENDS[place];
            agree(&loss, &problem, (name, format), judged(format), |inputs| run(&loss, inputs))
        }
        Some(place) => {
            let (name, format, run) = STRIDED[place];
            let run = |inputs: &_| run(&loss, inputs, &case.layout);
            agree(&loss, &problem, (name, format), judged(format), run)
        }
    };
    if let Err(wrong) = wrong {
        panic!("{wrong}\n{loss:?} {problem:?}\n{case:?}");
    }
}

/// With a derivative that arrives at an unreduced loss.
fn cotangent(loss: &AnyLoss, problem: &mut Problem, seed: &mut Stream) {
    let Ok(value) = loss.value(&Reference, &problem.inputs()) else { return };
    let numbers = value.map(|_| 0.0).data().iter().map(|_| seed.between(-2.0, 2.0)).collect();
    if let (false, Ok(array)) = (value.shape().is_empty(), Dense::new(value.shape(), numbers)) {
        problem.numbers.push((GRAD_OUTPUT.name, array));
    }
}

fn apply(edit: &Edit, loss: &AnyLoss, problem: &mut Problem) {
    let place = |place: u8, n: usize| usize::from(place) % n.max(1);
    let (numbers, labels) = (problem.numbers.len(), problem.labels.len());
    match edit {
        Edit::Element(argument, index, number) => {
            if let Some((_, array)) = problem.numbers.get_mut(place(*argument, numbers)) {
                let mut data = array.data().to_vec();
                let index = usize::from(*index) % data.len().max(1);
                data.get_mut(index).into_iter().for_each(|x| *x = number.value());
                *array = Dense::new(array.shape(), data).expect("the shape is its own");
            }
        }
        Edit::Fill(argument, number) => {
            if let Some((_, array)) = problem.numbers.get_mut(place(*argument, numbers)) {
                *array = array.map(|_| number.value());
            }
        }
        Edit::Label(argument, index, label) => {
            if let Some((_, indices)) = problem.labels.get_mut(place(*argument, labels)) {
                let index = usize::from(*index) % indices.data.len().max(1);
                indices.data.get_mut(index).into_iter().for_each(|x| *x = label.value());
            }
        }
        Edit::Shape(argument, sides) => {
            let sides: Vec<usize> = sides.iter().take(6).map(|&side| side.into()).collect();
            let n = sides.iter().try_fold(1_usize, |n, side| n.checked_mul(*side));
            let Some(n) = n.filter(|&n| n <= MOST) else { return };
            let at = place(*argument, numbers + labels);
            if let Some((_, array)) = problem.numbers.get_mut(at) {
                let data = array.data().iter().copied().chain([0.5]).cycle().take(n).collect();
                *array = Dense::new(&sides, data).expect("there are as many");
            } else if let Some((_, indices)) = problem.labels.get_mut(at - numbers) {
                let data = indices.data.iter().copied().chain([0]).cycle().take(n).collect();
                *indices = Indices::new(&sides, data).expect("there are as many");
            }
        }
        Edit::Drop(argument) => {
            let at = place(*argument, numbers + labels);
            if at < numbers {
                problem.numbers.remove(at);
            } else if at < numbers + labels {
                problem.labels.remove(at - numbers);
            }
        }
        Edit::Again(argument) => {
            let at = place(*argument, numbers + labels);
            let again = problem.numbers.get(at).cloned();
            problem.numbers.extend(again);
            let again = problem.labels.get(at.wrapping_sub(numbers)).cloned();
            problem.labels.extend(again);
        }
        Edit::Turn(argument) => {
            let own = loss.entry().arguments.iter().chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]);
            let names: Vec<_> = own.map(|argument| argument.name).collect();
            let name = names[place(*argument, names.len())];
            if let Some(at) = problem.numbers.iter().position(|(other, _)| *other == name) {
                let (_, array) = problem.numbers.remove(at);
                #[allow(clippy::cast_possible_truncation, reason = "any index will do")]
                let data = array.data().iter().map(|&x| x as i64).collect();
                let indices = Indices::new(array.shape(), data).expect("the shape is its own");
                problem.labels.push((name, indices));
            } else if let Some(at) = problem.labels.iter().position(|(other, _)| *other == name) {
                let (_, indices) = problem.labels.remove(at);
                let data = indices.data.iter().map(|&x| x as f64).collect();
                let array = Dense::new(&indices.shape, data).expect("the shape is its own");
                problem.numbers.push((name, array));
            }
        }
    }
}
