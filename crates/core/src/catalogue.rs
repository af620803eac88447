//! The catalogue: every loss by name, with its arguments, options, domain and formula, as data.

use crate::backend::Backend;
use crate::error::Error;
use crate::loss::{self, Definition, Distance, Loss};
use std::fmt;
use std::ops::RangeInclusive;

/// What the catalogue says of a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entry {
    /// PyTorch's functional name without `_loss`.
    pub name: &'static str,
    /// A loss, reduced by default, or a building block, unreduced by default.
    pub kind: Kind,
    /// The unreduced loss.
    pub formula: &'static str,
    /// Its own arguments, the main input first; every loss takes [`SAMPLE_WEIGHT`] too.
    pub arguments: &'static [Argument],
}

/// A loss or a building block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Reduced to its mean by default.
    Loss,
    /// Unreduced by default.
    Function,
}

/// An argument of a loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Argument {
    /// PyTorch's name.
    pub name: &'static str,
    /// How its shape goes with the main input's.
    pub form: Form,
    /// Numbers, class indices, or either.
    pub values: Values,
    /// The interval its numbers lie in, checked unless `check` says otherwise.
    pub domain: Option<Domain>,
    /// Whether it can be left out.
    pub optional: bool,
    /// Whether it has a gradient.
    pub differentiable: bool,
    /// Whether its numbers are meant as logarithms, of probabilities or of a rate.
    pub log: bool,
}

/// How an argument's shape goes with the main input's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It is the main input.
    Main,
    /// The main input's shape.
    Same,
    /// The main input's shape without its class axis.
    Rows,
    /// One number a class.
    PerClass,
    /// The main input's shape from its class axis on.
    Features,
    /// A matrix in a product, with as many columns as that argument's last side, or as its first where it has the flag.
    Matrix(&'static str, bool),
    /// One number for each row of that matrix.
    PerRow(&'static str),
    /// Trailing sides of the main input, each full or one (NumPy broadcasting).
    Trailing,
    /// The main input's shape, also with any one side 1 or without its last; or one number.
    AnySideOne,
    /// Steps of it, each of the main input's shape, along a first axis of their own.
    Steps,
    /// A sequence a sample: a row each, padded, or one after the other.
    Sequences,
    /// One number a sample, or one for all.
    Lengths,
    /// The unreduced loss's shape, or leading sides of it.
    Sample,
    /// The unreduced loss's shape.
    Value,
}

impl Form {
    /// The shape in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Main => "any the loss takes",
            Self::Same => "the input's",
            Self::Rows => "the input's without its classes",
            Self::PerClass => "(C)",
            Self::Features => "the logits' from their class axis on",
            Self::Matrix(_, false) => "rows of vectors: the last side is that of the input",
            Self::Matrix(_, true) => {
                "rows of vectors: the last side is the first of the matrix before"
            }
            Self::PerRow(_) => "one number for each row of its matrix",
            Self::Steps => "(T, C) or (T, N, C)",
            Self::Sequences => "(N, S), (S) of one sample, or one after the other",
            Self::Lengths => "(N) or ()",
            Self::Trailing => "trailing sides of the input's, each full or 1",
            Self::AnySideOne => "the input's, any one side 1, without its last side, or ()",
            Self::Sample => "the unreduced loss's, or leading sides of it",
            Self::Value => "the unreduced loss's",
        }
    }
}

impl Values {
    /// The elements in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Numbers => "numbers",
            Self::Indices => "class indices",
            Self::Either => "class indices, one a row, or numbers",
            Self::IndexSets => "class indices, each row's ended by −1",
            Self::Integers => "integers from 0",
        }
    }
}

/// What an argument's elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    /// Real numbers.
    Numbers,
    /// Class indices.
    Indices,
    /// Class indices with the rows' shape, or numbers with the argument's own.
    Either,
    /// Several class indices a row, ended by −1, with the main input's shape.
    IndexSets,
    /// Integers from 0.
    Integers,
}

/// An interval of numbers, or its two ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Domain {
    /// How it is written.
    pub name: &'static str,
    /// The smallest number in it.
    pub low: f64,
    /// The largest number in it.
    pub high: f64,
    /// Whether only `low` and `high` themselves are in it.
    pub ends: bool,
}

impl Domain {
    /// Whether a number is in it; NaN is data, and in every domain.
    #[must_use]
    pub fn holds(&self, x: f64) -> bool {
        let inside = self.low <= x && x <= self.high && !self.ends;
        inside || x == self.low || x == self.high || x.is_nan()
    }
}

/// The probabilities, [0, 1].
pub const UNIT: Domain = Domain { name: "[0, 1]", low: 0.0, high: 1.0, ends: false };
/// The numbers from 0.
pub const FROM_ZERO: Domain =
    Domain { name: "[0, ∞)", low: 0.0, high: f64::INFINITY, ends: false };
/// The labels of two classes, −1 and 1.
pub const SIGNS: Domain = Domain { name: "−1 or 1", low: -1.0, high: 1.0, ends: true };

/// A weight for each element, row or leading part of the unreduced loss; a mean divides by what is weighed.
pub const SAMPLE_WEIGHT: Argument = Argument::weight("sample_weight", Form::Sample);
/// The cotangent of an unreduced loss.
pub const GRAD_OUTPUT: Argument = Argument::weight("grad_output", Form::Value);

impl Argument {
    /// The main input: numbers with a gradient.
    #[must_use]
    pub const fn input() -> Self {
        Self {
            name: "input",
            form: Form::Main,
            values: Values::Numbers,
            domain: None,
            optional: false,
            differentiable: true,
            log: false,
        }
    }

    /// The argument as logarithms.
    #[must_use]
    pub const fn logs(self) -> Self {
        Self { log: true, ..self }
    }

    /// Numbers with the main input's shape and a gradient.
    #[must_use]
    pub const fn target() -> Self {
        Self { name: "target", form: Form::Same, ..Self::input() }
    }

    /// The argument under another name.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// Numbers without a gradient that are −1 or 1, the target of a loss of two classes.
    #[must_use]
    pub const fn signs(form: Form) -> Self {
        Self { form, domain: Some(SIGNS), differentiable: false, ..Self::target() }
    }

    /// Class indices, one a row.
    #[must_use]
    pub const fn labels() -> Self {
        let rows = Self { form: Form::Rows, values: Values::Indices, ..Self::target() };
        Self { differentiable: false, ..rows }
    }

    /// Class indices, a sequence a sample.
    #[must_use]
    pub const fn sequences(name: &'static str) -> Self {
        Self { form: Form::Sequences, ..Self::labels() }.named(name)
    }

    /// Integers from 0, one a sample.
    #[must_use]
    pub const fn lengths(name: &'static str) -> Self {
        Self { form: Form::Lengths, values: Values::Integers, ..Self::labels() }.named(name)
    }

    /// An optional argument without a gradient.
    #[must_use]
    pub const fn weight(name: &'static str, form: Form) -> Self {
        Self { name, form, optional: true, differentiable: false, ..Self::input() }
    }

    /// The argument with a domain.
    #[must_use]
    pub const fn within(self, domain: Domain) -> Self {
        Self { domain: Some(domain), ..self }
    }

    /// The argument as class indices or, where the caller has numbers, as them.
    #[must_use]
    pub const fn or_labels(self) -> Self {
        Self { values: Values::Either, ..self }
    }
}

/// An option of a loss: its name, where its value is, and what it may be.
#[derive(Debug)]
pub struct Opt<'a> {
    /// PyTorch's name.
    pub name: &'static str,
    /// What it does, in a phrase.
    pub doc: &'static str,
    /// Its value, to read or to set.
    pub slot: Slot<'a>,
}

/// An option's value by type.
#[derive(Debug)]
pub enum Slot<'a> {
    /// A number in a range.
    Number(&'a mut f64, RangeInclusive<f64>),
    /// Integers, each larger than the one before, the first above 0, and how many there may be.
    Rising(&'a mut Vec<i64>, usize),
    /// A number in a range, or `none`.
    MaybeNumber(&'a mut Option<f64>, RangeInclusive<f64>),
    /// An integer in a range.
    Integer(&'a mut i64, RangeInclusive<i64>),
    /// Yes or no.
    Flag(&'a mut bool),
    /// One of the [distances](crate::loss::Distance).
    Distance(&'a mut Distance),
}

impl Slot<'_> {
    /// The value in words.
    #[must_use]
    pub fn show(&self) -> String {
        match self {
            Self::Number(value, _) => value.to_string(),
            Self::MaybeNumber(value, _) => value.map_or("none".into(), |value| value.to_string()),
            Self::Integer(value, _) => value.to_string(),
            Self::Rising(values, _) => {
                values.iter().map(i64::to_string).collect::<Vec<_>>().join(",")
            }
            Self::Flag(value) => value.to_string(),
            Self::Distance(distance) => distance.name.into(),
        }
    }

    /// What the value may be.
    #[must_use]
    pub fn expects(&self) -> String {
        match self {
            Self::Number(_, range) => interval(range),
            Self::MaybeNumber(_, range) => format!("{}, or none", interval(range)),
            Self::Integer(_, range) if *range == ANY_INTEGER => "an integer".into(),
            Self::Integer(_, range) if *range.end() == i64::MAX => {
                format!("an integer from {}", range.start())
            }
            Self::Integer(_, range) => format!("{} or {}", range.start(), range.end()),
            Self::Rising(_, most) => {
                format!("1 to {most} integers from 1, each above the last, as in 10,100")
            }
            Self::Flag(_) => "true | false".into(),
            Self::Distance(_) => Distance::ALL.map(|distance| distance.name).join(" | "),
        }
    }

    /// Whether the value is what it may be.
    pub(crate) fn holds(&self) -> bool {
        match self {
            Self::Number(value, range) => range.contains(value),
            Self::MaybeNumber(value, range) => value.is_none_or(|value| range.contains(&value)),
            Self::Integer(value, range) => range.contains(value),
            Self::Rising(values, most) => {
                values.first().is_some_and(|&first| first > 0)
                    && values.len() <= *most
                    && values.windows(2).all(|pair| pair[0] < pair[1])
            }
            Self::Flag(_) | Self::Distance(_) => true,
        }
    }

    /// Sets a number, integer or `none` from its words; whether they are of the type.
    pub(crate) fn set(&mut self, words: &str) -> bool {
        match self {
            Self::Number(value, _) => words.parse().map(|new| **value = new).is_ok(),
            Self::MaybeNumber(value, _) if words == "none" => {
                **value = None;
                true
            }
            Self::MaybeNumber(value, _) => words.parse().map(|new| **value = Some(new)).is_ok(),
            Self::Integer(value, _) => words.parse().map(|new| **value = new).is_ok(),
            Self::Rising(values, _) => {
                let trimmed = words.trim_start_matches('[').trim_end_matches(']');
                let new: Result<Vec<i64>, _> = trimmed.split(',').map(str::parse).collect();
                new.map(|new| **values = new).is_ok()
            }
            Self::Flag(value) => words.parse().map(|new| **value = new).is_ok(),
            Self::Distance(distance) => {
                let named = Distance::ALL.into_iter().find(|distance| distance.name == words);
                named.map(|named| **distance = named).is_some()
            }
        }
    }
}

/// Every integer.
pub const ANY_INTEGER: RangeInclusive<i64> = i64::MIN..=i64::MAX;
/// Every finite number.
pub const ANY_NUMBER: RangeInclusive<f64> = f64::MIN..=f64::MAX;

fn interval(range: &RangeInclusive<f64>) -> String {
    match (*range.start(), *range.end()) {
        (f64::MIN, f64::MAX) => "a number".into(),
        (f64::MIN_POSITIVE, _) => "a number above 0".into(),
        (low, f64::MAX | f64::INFINITY) => format!("a number from {low}"),
        (low, high) => format!("a number from {low} to {high}"),
    }
}

/// Every loss and building block with its default options, in catalogue order.
#[must_use]
pub fn all() -> Vec<Loss<Box<dyn Definition>>> {
    loss::definitions().into_iter().map(Loss::new).collect()
}

/// Which losses a backend runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Support {
    /// Those it runs.
    pub runs: Vec<&'static str>,
    /// Those that a product of matrices would add.
    pub matmul_adds: Vec<&'static str>,
    /// Those that taking by tables would add.
    pub take_adds: Vec<&'static str>,
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { runs, matmul_adds, take_adds } = self;
        write!(f, "{} of {}", runs.len(), runs.len() + matmul_adds.len() + take_adds.len())?;
        for (power, more) in [("matmul", matmul_adds), ("take", take_adds)] {
            if !more.is_empty() {
                write!(f, "; {power} adds {} ({})", more.len(), more.join(", "))?;
            }
        }
        Ok(())
    }
}

/// Which losses of the catalogue a backend runs, and what is missing for the others; nothing is run.
pub fn support<B: Backend>(backend: &B) -> Support {
    let powers = backend.powers();
    let mut support = Support { runs: Vec::new(), matmul_adds: Vec::new(), take_adds: Vec::new() };
    for loss in all() {
        let entry = loss.entry();
        let any = |such: fn(Form) -> bool| entry.arguments.iter().any(|own| such(own.form));
        let list = if powers.matmul.is_none() && any(|form| matches!(form, Form::Matrix(..))) {
            &mut support.matmul_adds
        } else if powers.take.is_none() && any(|form| form == Form::Sequences) {
            &mut support.take_adds
        } else {
            &mut support.runs
        };
        list.push(entry.name);
    }
    support
}

/// The loss of that name with its default options.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, catalogue};
///
/// let huber = catalogue::find("huber")?.with("delta", "2")?;
/// let inputs = Inputs::<Dense>::new().tensor("input", vec![3.0]).tensor("target", vec![0.0]);
/// assert_eq!(huber.value(&Reference, &inputs)?.data(), [4.0]);
/// assert!(catalogue::find("hubert").is_err());
/// # Ok::<(), lossmith_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::UnknownLoss`] lists the names there are.
pub fn find(name: &str) -> Result<Loss<Box<dyn Definition>>, Error> {
    let unknown = || {
        let known: Vec<_> = all().iter().map(|loss| loss.entry().name).collect();
        Error::UnknownLoss { name: name.into(), known: known.join(", ") }
    };
    all().into_iter().find(|loss| loss.entry().name == name).ok_or_else(unknown)
}
