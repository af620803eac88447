//! Some rows of a problem: the others' data left out.

use crate::error::Error;
use crate::read::{Argument, Data};
use crate::run::Loss;
use lossmith_core::catalogue::{Form, GRAD_OUTPUT, SAMPLE_WEIGHT};
use lossmith_core::shape::Layout;
use lossmith_core::{Dense, Indices};
use std::ops::Range;

/// How many rows there are along the first axis of the main input; none where that axis is another's, as time's is.
pub(super) fn count(loss: &Loss, arguments: &[Argument]) -> Option<usize> {
    let main = &loss.entry().arguments[0];
    let shape = shape(arguments.iter().find(|argument| argument.name == main.name)?);
    let first = match loss.definition().layout() {
        Layout::Pointwise => false,
        Layout::Classes => shape.len() == 1,
        Layout::Along(axis) | Layout::Over(axis) => {
            axis == 0 || usize::try_from(-axis).is_ok_and(|from_end| from_end == shape.len())
        }
    };
    if first || main.form == Form::Steps { None } else { shape.first().copied() }
}

/// Whether the first axis of an argument of that form and shape is that of the rows.
fn by_rows(form: Form, shape: &[usize], main: &[usize]) -> bool {
    let placed = match form {
        Form::Main
        | Form::Same
        | Form::Rows
        | Form::Sequences
        | Form::Lengths
        | Form::Sample
        | Form::Value => true,
        Form::Trailing => shape.len() == main.len(),
        Form::AnySideOne => shape.len() + 1 >= main.len(),
        Form::PerClass | Form::Features | Form::Matrix(..) | Form::PerRow(_) | Form::Steps => false,
    };
    placed && !shape.is_empty() && shape.first() == main.first()
}

/// The names of the arguments that have a row for each of the main input's.
pub(super) fn with_rows<'a>(loss: &Loss, arguments: &'a [Argument]) -> Vec<&'a str> {
    let main = arguments.iter().find(|argument| argument.name == loss.entry().arguments[0].name);
    let Some(main) = main.map(shape) else { return Vec::new() };
    let known = || loss.entry().arguments.iter().chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]);
    let placed = arguments.iter().filter(|argument| {
        let form = known().find(|own| own.name == argument.name).map(|own| own.form);
        form.is_some_and(|form| by_rows(form, shape(argument), main))
    });
    placed.map(|argument| argument.name.as_str()).collect()
}

/// The same arguments with only some of the rows.
pub(super) fn only(
    loss: &Loss,
    arguments: &[Argument],
    rows: Range<usize>,
) -> Result<Vec<Argument>, Error> {
    let cut = with_rows(loss, arguments);
    let one = |argument: &Argument| {
        if !cut.contains(&argument.name.as_str()) {
            return Ok(argument.clone());
        }
        let (first, others) = shape(argument).split_first().unwrap_or((&0, &[]));
        let rows = rows.start.min(*first)..rows.end.min(*first);
        let sides = [&[rows.len()], others].concat();
        let inner: usize = others.iter().product();
        let part = rows.start * inner..rows.end * inner;
        let data = match &argument.data {
            Data::Numbers(numbers) => {
                Data::Numbers(Dense::new(&sides, numbers.data()[part].to_vec())?)
            }
            Data::Labels(labels) => Data::Labels(Indices::new(&sides, labels.data[part].to_vec())?),
        };
        Ok(Argument { data, ..argument.clone() })
    };
    arguments.iter().map(one).collect()
}

fn shape(argument: &Argument) -> &[usize] {
    match &argument.data {
        Data::Numbers(numbers) => numbers.shape(),
        Data::Labels(labels) => &labels.shape,
    }
}
