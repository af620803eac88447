//! What can be wrong, each in one line with the argument, both shapes or the index and value, and the fix.

use crate::shape::Sides;

/// A wrong input or a backend's failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument's shape does not go with the main input's.
    #[error("{argument} has shape {got}, but {against} of shape {input} wants {expected}", got = Sides(got), input = Sides(input))]
    Shape {
        /// The argument.
        argument: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// The argument it has to go with.
        against: &'static str,
        /// That argument's shape.
        input: Vec<usize>,
        /// What would be right.
        expected: String,
    },
    /// The main input has a shape the loss cannot take.
    #[error("{argument} has shape {got}, but {expected}", got = Sides(got))]
    Rank {
        /// The argument.
        argument: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// What would be right.
        expected: String,
    },
    /// A class index is out of range.
    #[error("{argument}[{index}] is {value}, but there are {classes} classes: give 0 to {last}{also}", last = classes.saturating_sub(1))]
    Label {
        /// The argument.
        argument: &'static str,
        /// The position in row-major order.
        index: usize,
        /// The offending index.
        value: i64,
        /// How many classes there are.
        classes: usize,
        /// What else may stand there, with the words around it.
        also: String,
    },
    /// A length is negative or beyond what there is.
    #[error("{argument}[{index}] is {value}, but there are {most} {what}: give 0 to {most}")]
    Count {
        /// The argument.
        argument: &'static str,
        /// The position in row-major order.
        index: usize,
        /// The offending length.
        value: i64,
        /// The largest there may be.
        most: usize,
        /// What is counted.
        what: &'static str,
    },
    /// A number is outside the argument's domain.
    #[error("{argument}[{index}] is {value}, outside {domain} (check=off skips this)")]
    Domain {
        /// The argument.
        argument: &'static str,
        /// The position in row-major order.
        index: usize,
        /// The offending number.
        value: f64,
        /// The domain.
        domain: &'static str,
    },
    /// An argument the loss needs is not given.
    #[error("{loss} needs {argument}")]
    MissingArgument {
        /// The loss.
        loss: &'static str,
        /// The argument.
        argument: &'static str,
    },
    /// An argument the loss does not have, or one given twice.
    #[error("{loss} takes no argument {argument:?} here: it takes each of {expected} once")]
    UnknownArgument {
        /// The loss.
        loss: &'static str,
        /// The name given.
        argument: String,
        /// The names it has.
        expected: String,
    },
    /// Integers where numbers are wanted, or the other way round.
    #[error("{argument} is {got}, but {loss} wants {expected}")]
    Kind {
        /// The loss.
        loss: &'static str,
        /// The argument.
        argument: &'static str,
        /// What was given.
        got: &'static str,
        /// What is wanted.
        expected: &'static str,
    },
    /// No loss of that name.
    #[error("there is no loss {name:?}: see the catalogue ({known})")]
    UnknownLoss {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// No option of that name.
    #[error("{loss} has no option {option:?}: it has {known}")]
    UnknownOption {
        /// The loss.
        loss: &'static str,
        /// The name given.
        option: String,
        /// The names there are.
        known: String,
    },
    /// An option's value is out of its range or not of its type.
    #[error("option {option} of {loss} is {value}, but it wants {expected}")]
    OptionValue {
        /// The loss.
        loss: &'static str,
        /// The option.
        option: &'static str,
        /// The value given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// The number of elements is not the product of the sides.
    #[error("shape {shape} has {expected} elements, but {got} are given", shape = Sides(shape))]
    Length {
        /// The shape.
        shape: Vec<usize>,
        /// The product of its sides.
        expected: usize,
        /// The number of elements.
        got: usize,
    },
    /// The product of the sides does not fit.
    #[error("shape {shape} has more elements than can be counted", shape = Sides(shape))]
    Overflow {
        /// The shape.
        shape: Vec<usize>,
    },
    /// Losses do not add up, or a definition uses an argument that its entry does not list.
    #[error("the objective does not add up: {fault}")]
    Objective {
        /// What is wrong with it.
        fault: String,
    },
    /// The backend lacks a power that the loss needs.
    #[error("the backend has no {power}, which the loss needs: choose a backend that has")]
    Unsupported {
        /// The power.
        power: &'static str,
    },
    /// The backend reports an error.
    #[error("{0}")]
    Backend(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// The backend's own error.
    pub fn backend(error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Backend(Box::new(error))
    }
}
