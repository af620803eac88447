//! The losses of an objective with their arguments: each of the right kind and given once, and which share a main input.

use crate::catalogue::{Argument, Form, Values};
use crate::error::Error;
use crate::labels::Indices;
use crate::loss::{Definition, Loss};
use crate::objective::{Objective, Term};
use crate::shape::{Frame, Given, Main, Shapes, countable};
use crate::terms::Reduction;

/// What a plan is made for: an argument's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    Numbers(Vec<usize>),
    Indices(&'a Indices),
}

impl Seen<'_> {
    pub(crate) fn shape(&self) -> &Vec<usize> {
        match self {
            Self::Numbers(shape) => shape,
            Self::Indices(indices) => &indices.shape,
        }
    }

    pub(crate) fn indices(&self) -> Option<&Indices> {
        match self {
            Self::Numbers(_) => None,
            Self::Indices(indices) => Some(indices),
        }
    }
}

/// A loss with its arguments.
pub(crate) struct Call<'a> {
    pub(crate) loss: &'a Loss<Box<dyn Definition>>,
    pub(crate) frame: usize,
    pub(crate) arguments: Vec<Argued<'a>>,
}

impl Call<'_> {
    /// The arguments that are numbers, each with its shape.
    pub(crate) fn shapes(&self) -> Shapes {
        let numbers = self.arguments.iter().filter_map(|given| match given.seen {
            Seen::Numbers(shape) => Some((given.argument, shape.clone())),
            Seen::Indices(_) => None,
        });
        numbers.collect()
    }
}

/// An argument as it was given.
pub(crate) struct Argued<'a> {
    pub(crate) argument: &'static Argument,
    pub(crate) name: &'a str,
    pub(crate) place: usize,
    pub(crate) seen: &'a Seen<'a>,
}

/// The frame of each main input.
pub(crate) fn frames(calls: &[Call<'_>]) -> Result<Vec<Frame>, Error> {
    let count = calls.iter().map(|call| call.frame + 1).max().unwrap_or(0);
    let of_index = |index: usize| {
        let mut main = None;
        let mut losses = Vec::new();
        for call in calls.iter().filter(|call| call.frame == index) {
            let shapes = call.shapes();
            shapes.iter().try_for_each(|(argument, shape)| countable(argument.name, shape))?;
            let of_call = call.loss.definition.main(&Given(&shapes))?;
            losses.push((call.loss.definition.layout(), shapes));
            main.get_or_insert(of_call);
        }
        let main = main.unwrap_or(Main { name: "input", shape: Vec::new(), classes: None });
        Frame::new(index, &main, &losses)
    };
    (0..count).map(of_index).collect()
}

impl Objective {
    /// Each loss with its arguments, and which losses share a main input.
    pub(crate) fn calls<'a>(
        &'a self,
        seen: &'a [(&'a str, Seen<'a>)],
        constant: &[String],
    ) -> Result<Vec<Call<'a>>, Error> {
        let mut mains = Vec::new();
        let mut calls = Vec::new();
        for Term { loss, .. } in &self.terms {
            loss.check_options()?;
            if loss.reduction == Reduction::None && self.terms.len() > 1 {
                let fault =
                    format!("{} is unreduced: give it reduction mean or sum", loss.entry().name);
                return Err(Error::Objective { fault });
            }
            let arguments = named(loss, seen)?;
            let first = &loss.entry().arguments[0];
            // What is seen step by step is no main input of a loss that sees it whole.
            let main = (loss.given_name(first.name), first.form == Form::Steps);
            let frame = mains.iter().position(|&other| other == main).unwrap_or_else(|| {
                mains.push(main);
                mains.len() - 1
            });
            calls.push(Call { loss, frame, arguments });
        }
        let known = |name: &str| {
            calls.iter().any(|call| call.arguments.iter().any(|given| given.name == name))
        };
        let names = seen.iter().map(|(name, _)| *name);
        if let Some(name) =
            names.chain(constant.iter().map(String::as_str)).find(|name| !known(name))
        {
            let expected: Vec<_> = self.terms.iter().flat_map(|term| term.loss.takes()).collect();
            let loss = self.terms.first().map_or("", |term| term.loss.entry().name);
            return Err(unknown(loss, name, &expected));
        }
        Ok(calls)
    }
}

/// The arguments of a loss, in its entry's order, each of the right kind and at most once, none missing.
fn named<'a>(
    loss: &'a Loss<Box<dyn Definition>>,
    seen: &'a [(&'a str, Seen<'a>)],
) -> Result<Vec<Argued<'a>>, Error> {
    let entry = loss.entry();
    let mut found = Vec::new();
    for argument in loss.takes() {
        let name = loss.given_name(argument.name);
        let mut of_name = seen.iter().enumerate().filter(|(_, (given, _))| *given == name);
        let (place, seen) = match (of_name.next(), of_name.next()) {
            (Some((place, (_, seen))), None) => (place, seen),
            (None, _) if argument.optional => continue,
            (None, _) => {
                return Err(Error::MissingArgument { loss: entry.name, argument: argument.name });
            }
            (Some(_), Some(_)) => return Err(unknown(entry.name, name, &loss.takes())),
        };
        let (got, right) = match seen {
            Seen::Numbers(_) => {
                ("numbers", matches!(argument.values, Values::Numbers | Values::Either))
            }
            Seen::Indices(_) => ("class indices", argument.values != Values::Numbers),
        };
        let expected = argument.values.words();
        if !right {
            let (loss, argument) = (entry.name, argument.name);
            return Err(Error::Kind { loss, argument, got, expected });
        }
        found.push(Argued { argument, name, place, seen });
    }
    Ok(found)
}

fn unknown(loss: &'static str, name: &str, taken: &[&Argument]) -> Error {
    let expected: Vec<_> = taken.iter().map(|argument| argument.name).collect();
    Error::UnknownArgument { loss, argument: name.into(), expected: expected.join(", ") }
}
