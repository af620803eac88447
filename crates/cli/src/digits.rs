//! The digits, embedded: a problem for every loss of the catalogue that takes predictions and their targets.

use crate::error::Error;
use crate::read::{Argument, read};
use crate::run::Loss;
use lossmith_core::catalogue::{self, Entry, FROM_ZERO, Form, Kind, UNIT, Values};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../data/digits/", $name, ".npy")).as_slice()
    };
}

/// The predictions and targets that go with what the loss says of its two required arguments; none if it has others.
fn problem(entry: &Entry) -> Option<[&'static [u8]; 2]> {
    let mut required = entry.arguments.iter().filter(|argument| !argument.optional);
    let (input, target) = (required.next()?, required.next()?);
    let others = required.next().is_some() || [input.name, target.name] != ["input", "target"];
    match (target.values, target.domain, input.domain) {
        _ if others => None,
        (Values::Indices | Values::Either, ..) => {
            let input = if input.log { file!("log_probabilities") } else { file!("logits") };
            Some([input, file!("labels")])
        }
        (Values::Numbers, Some(UNIT), Some(UNIT)) => {
            Some([file!("ovr_probabilities"), file!("ovr_targets")])
        }
        (Values::Numbers, Some(UNIT), None) => Some([file!("ovr_logits"), file!("ovr_targets")]),
        (Values::Numbers, Some(FROM_ZERO), None) if input.log => {
            Some([file!("log_probabilities"), file!("soft_targets")])
        }
        (Values::Numbers, None, None) if !input.log => {
            Some([file!("regression_prediction"), file!("regression_target")])
        }
        (Values::Numbers | Values::IndexSets | Values::Integers, ..) => None,
    }
}

/// The weights that the digits have, and what they are weights of.
const WEIGHTS: [(&str, Form, &[u8]); 2] = [
    ("weight", Form::PerClass, file!("class_weights")),
    ("pos_weight", Form::Trailing, file!("pos_weight")),
];

/// Every loss that the digits are a problem for, with its arguments.
pub(crate) fn all() -> Result<Vec<(Loss, Vec<Argument>)>, Error> {
    let losses = catalogue::all().into_iter().filter(|loss| loss.entry().kind == Kind::Loss);
    let known = losses.filter_map(|loss| problem(loss.entry()).map(|problem| (loss, problem)));
    let with = |(loss, [input, target]): (Loss, [&'static [u8]; 2])| {
        let taken = |(name, form, _): &(&str, Form, _)| {
            loss.entry().arguments.iter().any(|own| (own.name, own.form) == (*name, *form))
        };
        let weights = WEIGHTS.into_iter().filter(taken).map(|(name, _, bytes)| (name, bytes));
        let own = [("input", input), ("target", target)].into_iter().chain(weights);
        let read = own.map(|(name, bytes)| read(&loss, name, "(embedded)", bytes));
        let read = read.collect::<Result<_, _>>()?;
        Ok((loss, read))
    };
    known.map(with).collect()
}
