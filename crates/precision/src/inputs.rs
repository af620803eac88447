//! Inputs that are hard on arithmetic, made of ordinary ones: a class says how, a seed says which.

use lossmith_core::catalogue::{Argument, Domain, Form};
use lossmith_core::shape::Layout;
use lossmith_core::{Dense, Error, Format, Indices};
use lossmith_tests::backends::AnyLoss;
use lossmith_tests::{Beside, Problem, Stream, with_options};

/// What is hard about inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Ordinary numbers around 1.
    Ordinary,
    /// Magnitudes from 2⁻¹² to 2⁷, log-uniform.
    Moderate,
    /// Every magnitude that the format has, log-uniform.
    Wide,
    /// Predictions that are near their targets, or within a few neighbours of a kink; labels that are all but certain.
    Near,
    /// Close to the largest number.
    Large,
    /// Subnormal, or nearly.
    Small,
    /// Long sums, to a mean.
    Long,
    /// The mean of a long sum's elements over and over, which is theirs once.
    Repeated,
    /// Many classes, or features.
    ManyClasses,
    /// Nobody knows: they were given, not made.
    Given,
}

impl Class {
    /// All that are made.
    pub const ALL: [Self; 9] = [
        Self::Ordinary,
        Self::Moderate,
        Self::Wide,
        Self::Near,
        Self::Large,
        Self::Small,
        Self::Long,
        Self::Repeated,
        Self::ManyClasses,
    ];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ordinary => "ordinary",
            Self::Moderate => "moderate",
            Self::Wide => "wide",
            Self::Near => "near",
            Self::Large => "large",
            Self::Small => "small",
            Self::Long => "long",
            Self::Repeated => "repeated",
            Self::ManyClasses => "many-classes",
            Self::Given => "given",
        }
    }

    /// Whether it is about the size rather than the numbers.
    pub(crate) fn sized(self) -> bool {
        match self {
            Self::Long | Self::Repeated | Self::ManyClasses => true,
            Self::Ordinary
            | Self::Moderate
            | Self::Wide
            | Self::Near
            | Self::Large
            | Self::Small
            | Self::Given => false,
        }
    }
}

/// Inputs, and how to have them again.
#[derive(Clone, Debug)]
pub struct Spot {
    /// What is hard about them.
    pub class: Class,
    /// The seed they were made from.
    pub seed: u64,
    /// How many steps of the local search they are away from what the seed gives.
    pub steps: usize,
    /// The options that are not the loss's own, NAME=VALUE.
    pub options: Vec<String>,
    /// The numbers and class indices.
    pub problem: Problem,
}

impl Spot {
    /// The loss with the options of the spot.
    ///
    /// # Errors
    /// If it is not the loss that the spot is of.
    pub fn of(&self, loss: &AnyLoss) -> Result<AnyLoss, Error> {
        let options = self.options.iter().filter_map(|option| option.split_once('='));
        options.into_iter().try_fold(loss.clone(), |loss, (name, value)| loss.with(name, value))
    }
}

/// Options of the seed's choice, those that are not the loss's own.
pub(crate) fn others(loss: &AnyLoss, seed: u64) -> Result<Vec<String>, Error> {
    let own = loss.clone().options();
    let chosen = with_options(loss.clone(), &mut Stream(seed))?.options();
    let pairs = own.iter().zip(chosen).filter(|([name, value, ..], [_, other, ..])| {
        // How it is reduced is the class's; what is checked, and the mean of nothing, round nothing.
        !["reduction", "check", "empty"].contains(&name.as_str()) && value != other
    });
    Ok(pairs.map(|(_, [name, value, ..])| format!("{name}={value}")).collect())
}

/// The sides of the main input for that class, of that size where it is about the size.
fn main_shape(loss: &AnyLoss, class: Class, size: usize) -> Option<Vec<usize>> {
    let any = |form: fn(Form) -> bool| loss.entry().arguments.iter().any(|own| form(own.form));
    let (steps, matrices) =
        (any(|form| form == Form::Steps), any(|form| matches!(form, Form::Matrix(..))));
    let pointwise = loss.definition().layout() == Layout::Pointwise;
    match class {
        Class::Long | Class::Repeated if steps => None,
        Class::Long | Class::Repeated if pointwise => Some(vec![size]),
        Class::Long | Class::Repeated => Some(vec![size / 8, 4]),
        Class::ManyClasses if pointwise || steps || matrices => None,
        Class::ManyClasses => Some(vec![1, size]),
        Class::Given => None,
        _ if steps => Some(vec![6, 2, 4]),
        _ if pointwise => Some(vec![16]),
        Class::Ordinary
        | Class::Moderate
        | Class::Wide
        | Class::Near
        | Class::Large
        | Class::Small => Some(vec![4, 6]),
    }
}

/// Inputs of a class for the loss, in a format; none where the class is not for the loss. Where the class is about the
/// size, it is that one.
///
/// # Errors
/// If a shape and its data disagree, which they do not.
pub fn made(
    loss: &AnyLoss,
    class: Class,
    format: Format,
    seed: u64,
    size: usize,
) -> Result<Option<Problem>, Error> {
    let Some(main) = main_shape(loss, class, size) else { return Ok(None) };
    let mut stream = Stream(seed);
    let beside = Beside { optional: &[], rows: 4, ignored: false };
    let mut problem = Problem::with(loss, &main, &beside, &mut stream)?;
    let first = problem.numbers.first().map(|(name, array)| (*name, array.clone()));
    for (name, array) in &mut problem.numbers {
        let argument = loss.entry().arguments.iter().find(|own| own.name == *name);
        let Some(argument) = argument.filter(|_| !class.sized() && class != Class::Ordinary) else {
            continue;
        };
        let beside = first.as_ref().filter(|(main, other)| {
            main != name && other.shape() == array.shape() && argument.domain.is_none()
        });
        let hard = array.data().iter().enumerate().map(|(index, &x)| {
            let near = beside.map(|(_, other)| other.data()[index]);
            hard(argument, class, format, x, near, &mut stream)
        });
        *array = Dense::new(array.shape(), hard.collect())?;
    }
    if class == Class::Near && !loss.entry().arguments[0].log {
        raise(&mut problem, &mut stream)?;
    }
    Ok(Some(problem.rounded(format)))
}

/// Puts the label of every row ahead of the other classes, by 4 to 40: probabilities near 1, losses near 0.
fn raise(problem: &mut Problem, stream: &mut Stream) -> Result<(), Error> {
    let (Some((_, main)), [(_, labels)]) = (problem.numbers.first_mut(), &problem.labels[..])
    else {
        return Ok(());
    };
    let ([rows, classes], true) = (main.shape(), labels.shape.len() == 1) else { return Ok(()) };
    let (rows, classes) = (*rows, *classes);
    let mut data = main.data().to_vec();
    for (row, &label) in labels.data.iter().enumerate().take(rows) {
        if let Some(class) = usize::try_from(label).ok().filter(|&class| class < classes) {
            data[row * classes + class] += stream.between(4.0, 40.0);
        }
    }
    *main = Dense::new(&[rows, classes], data)?;
    Ok(())
}

/// A hard number for an argument in place of an ordinary one; `near` is the main input's there.
fn hard(
    argument: &Argument,
    class: Class,
    format: Format,
    ordinary: f64,
    near: Option<f64>,
    stream: &mut Stream,
) -> f64 {
    let highest = format.huge().log2();
    let lowest = format.tiny().log2();
    let mut magnitude = |low: f64, high: f64| {
        // Whole powers of two as well, which is where the spacing changes.
        let exponent = stream.between(low, high);
        let exponent = if stream.below(8) == 0 { exponent.round() } else { exponent };
        // No power beyond the largest, which the last one is.
        2.0_f64.powf(exponent).min(format.huge()) * [1.0, -1.0][stream.below(2)]
    };
    let drawn = match class {
        Class::Ordinary | Class::Long | Class::Repeated | Class::ManyClasses | Class::Given => {
            ordinary
        }
        Class::Moderate => magnitude(-12.0, 7.0),
        Class::Wide => magnitude(lowest, highest),
        Class::Large => magnitude(highest - 4.0, highest),
        Class::Small => magnitude(lowest, lowest + 14.0),
        Class::Near => match near {
            None => magnitude(-3.0, 3.0),
            Some(near) => {
                let kink = [0.0, 0.0, 1.0, -1.0][stream.below(4)];
                let at = format.round(near + kink);
                #[allow(clippy::cast_precision_loss, reason = "a few")]
                let neighbours = stream.below(9) as f64 - 4.0;
                at + neighbours * format.ulp(at)
            }
        },
    };
    match argument.domain {
        None if argument.log => -drawn.abs(),
        None => drawn,
        Some(Domain { ends: true, .. }) => ordinary,
        Some(Domain { low: 0.0, high: f64::INFINITY, .. }) => drawn.abs(),
        // As near to either end as it is small, or large.
        Some(Domain { low: 0.0, high: 1.0, .. }) => {
            let part = drawn.abs().min(1.0 / drawn.abs());
            if stream.below(2) == 0 { part } else { 1.0 - part.max(format.unit()) }
        }
        Some(_) => ordinary,
    }
}

/// Inputs a few neighbours, or a small factor, away.
pub(crate) fn nudged(problem: &Problem, loss: &AnyLoss, format: Format, seed: u64) -> Problem {
    let (mut stream, mut near) = (Stream(seed), problem.clone());
    let odds = 1 + stream.below(4);
    for (name, array) in &mut near.numbers {
        let domain = loss.entry().arguments.iter().find(|own| own.name == *name);
        let domain = domain.and_then(|argument| argument.domain);
        let nudge = |&x: &f64| {
            if stream.below(odds) > 0 || domain.is_some_and(|domain| domain.ends) {
                return x;
            }
            #[allow(clippy::cast_precision_loss, reason = "a few")]
            let by = match stream.below(3) {
                0 => (stream.below(9) as f64 - 4.0) * format.ulp(x),
                1 => x * stream.between(-1e-3, 1e-3),
                _ => x * stream.between(-0.3, 0.3),
            };
            let moved = format.round(x + by);
            let inside = domain.is_none_or(|domain| domain.holds(moved));
            if inside && moved.is_finite() { moved } else { x }
        };
        let data: Vec<_> = array.data().iter().map(nudge).collect();
        // The shape is the data's own.
        if let Ok(moved) = Dense::new(array.shape(), data) {
            *array = moved;
        }
    }
    near
}

/// The inputs that many times over.
///
/// # Errors
/// If a shape and its data disagree, which they do not.
pub fn repeated(problem: &Problem, times: usize) -> Result<Problem, Error> {
    let rows = rows(problem);
    taken(problem, &(0..times).flat_map(|_| 0..rows).collect::<Vec<_>>())
}

/// How many rows the main input has, or elements.
pub(crate) fn rows(problem: &Problem) -> usize {
    problem.numbers.first().and_then(|(_, array)| array.shape().first()).copied().unwrap_or(0)
}

/// Those rows of the main input, and of all whose first axis is as long.
pub(crate) fn taken(problem: &Problem, rows: &[usize]) -> Result<Problem, Error> {
    fn part<T: Clone>(shape: &[usize], data: &[T], rows: &[usize]) -> (Vec<usize>, Vec<T>) {
        let inner: usize = shape[1..].iter().product();
        let data = rows.iter().flat_map(|&row| &data[row * inner..(row + 1) * inner]);
        ([&[rows.len()], &shape[1..]].concat(), data.cloned().collect())
    }
    let (mut some, own) = (problem.clone(), self::rows(problem));
    for (_, array) in &mut some.numbers {
        if array.shape().first() == Some(&own) {
            let (shape, data) = part(array.shape(), array.data(), rows);
            *array = Dense::new(&shape, data)?;
        }
    }
    for (_, labels) in &mut some.labels {
        if labels.shape.first() == Some(&own) {
            let (shape, data) = part(&labels.shape, &labels.data, rows);
            *labels = Indices::new(&shape, data)?;
        }
    }
    Ok(some)
}
