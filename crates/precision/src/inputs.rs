//! Inputs that are hard on arithmetic, made of ordinary ones: a class says how, a seed says which.

use lossmith_core::catalogue::{Argument, Domain, Form};
use lossmith_core::shape::Layout;
use lossmith_core::{Dense, Error, Format};
use lossmith_tests::backends::AnyLoss;
use lossmith_tests::{Beside, Problem, Stream};

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
    /// Many classes, or features.
    ManyClasses,
    /// Nobody knows: they were given, not made.
    Given,
}

impl Class {
    /// All that are made.
    pub const ALL: [Self; 8] = [
        Self::Ordinary,
        Self::Moderate,
        Self::Wide,
        Self::Near,
        Self::Large,
        Self::Small,
        Self::Long,
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
            Self::ManyClasses => "many-classes",
            Self::Given => "given",
        }
    }

    /// Whether it is about the size rather than the numbers.
    pub(crate) fn sized(self) -> bool {
        match self {
            Self::Long | Self::ManyClasses => true,
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
    /// The numbers and class indices.
    pub problem: Problem,
}

/// The sides of the main input for that class.
fn main_shape(loss: &AnyLoss, class: Class, long: usize) -> Option<Vec<usize>> {
    let any = |form: fn(Form) -> bool| loss.entry().arguments.iter().any(|own| form(own.form));
    let (steps, matrices) =
        (any(|form| form == Form::Steps), any(|form| matches!(form, Form::Matrix(..))));
    let pointwise = loss.definition().layout() == Layout::Pointwise;
    match class {
        Class::Long if steps => None,
        Class::Long if pointwise => Some(vec![long]),
        Class::Long => Some(vec![long / 8, 4]),
        Class::ManyClasses if pointwise || steps || matrices => None,
        Class::ManyClasses => Some(vec![2, long]),
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

/// Inputs of a class for the loss, in a format; none where the class is not for the loss. `long` is how long sums are.
///
/// # Errors
/// If a shape and its data disagree, which they do not.
pub fn made(
    loss: &AnyLoss,
    class: Class,
    format: Format,
    seed: u64,
    long: usize,
) -> Result<Option<Problem>, Error> {
    let Some(main) = main_shape(loss, class, long) else { return Ok(None) };
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
        Class::Ordinary | Class::Long | Class::ManyClasses | Class::Given => ordinary,
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

/// The inputs of one row only, or of one element, where the first axis of the main input is theirs too.
pub(crate) fn row(problem: &Problem, at: usize) -> Option<Problem> {
    let rows = *problem.numbers.first()?.1.shape().first()?;
    let part = |shape: &[usize]| -> Option<(Vec<usize>, std::ops::Range<usize>)> {
        let (&first, others) = shape.split_first()?;
        let inner: usize = others.iter().product();
        let taken = first == rows && at < rows;
        taken.then(|| ([&[1], others].concat(), at * inner..(at + 1) * inner))
    };
    let mut one = problem.clone();
    for (_, array) in &mut one.numbers {
        if let Some((shape, range)) = part(array.shape()) {
            *array = Dense::new(&shape, array.data()[range].to_vec()).ok()?;
        }
    }
    for (_, labels) in &mut one.labels {
        if let Some((shape, range)) = part(&labels.shape) {
            *labels = lossmith_core::Indices::new(&shape, labels.data[range].to_vec()).ok()?;
        }
    }
    Some(one)
}
