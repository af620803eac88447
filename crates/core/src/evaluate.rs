//! Runs a loss: checks its arguments, builds its graph and gradients, and hands it to the interpreter.

use crate::backend::{Array, Backend, Operand};
use crate::catalogue::{Argument, Entry, GRAD_OUTPUT, SAMPLE_WEIGHT, Values};
use crate::error::Error;
use crate::grad::gradients;
use crate::graph::{Graph, Id, NUMBER, Shape, Var};
use crate::interpreter::{Run, Value, first_outside, shape_of};
use crate::labels::{Indices, Labels};
use crate::loss::{Arguments, Definition, Loss, Target};
use crate::op::Reduce;
use crate::shape::Frame;
use crate::terms::{Check, Reduction};
use std::collections::BTreeMap;

/// The arguments of a loss by name, in a library's own arrays.
#[derive(Clone, Debug)]
pub struct Inputs<A> {
    given: Vec<(String, Input<A>)>,
}

#[derive(Clone, Debug)]
enum Input<A> {
    Numbers(A),
    Indices(Indices),
}

impl<A> Default for Inputs<A> {
    fn default() -> Self {
        Self { given: Vec::new() }
    }
}

impl<A> Inputs<A> {
    /// No arguments yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With an argument of numbers, by PyTorch's name.
    #[must_use]
    pub fn tensor(mut self, name: &str, array: impl Into<A>) -> Self {
        self.given.push((name.into(), Input::Numbers(array.into())));
        self
    }

    /// With an argument of class indices, by PyTorch's name.
    #[must_use]
    pub fn labels(mut self, name: &str, indices: impl Into<Indices>) -> Self {
        self.given.push((name.into(), Input::Indices(indices.into())));
        self
    }
}

/// The value of a loss and its gradients, in the library's own arrays.
#[derive(Clone, Debug)]
pub struct Evaluation<O> {
    /// The value: one number of shape `()`, or the unreduced loss.
    pub value: O,
    /// The gradient of each differentiable argument that was given, with the argument's shape.
    pub grads: Vec<(&'static str, O)>,
}

impl<O> Evaluation<O> {
    /// The gradient in that argument, if it was given and has one.
    #[must_use]
    pub fn grad(&self, argument: &str) -> Option<&O> {
        self.grads.iter().find(|(name, _)| *name == argument).map(|(_, grad)| grad)
    }
}

impl<D: Definition + Clone> Loss<D> {
    /// The value of the loss.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the backend's own.
    pub fn value<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
    ) -> Result<A::Output, Error> {
        Ok(self.evaluate(backend, inputs, false)?.value)
    }

    /// The value and the gradient of every differentiable argument given; of an unreduced loss, the gradient for the
    /// cotangent `grad_output`, an argument of the value's shape, or of its sum without one.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the backend's own.
    pub fn value_and_grad<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
    ) -> Result<Evaluation<A::Output>, Error> {
        self.evaluate(backend, inputs, true)
    }

    fn evaluate<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
        grad: bool,
    ) -> Result<Evaluation<A::Output>, Error> {
        self.check_options()?;
        let entry = self.entry();
        let given = named(entry, self.reduction, inputs)?;
        let layout = self.definition.layout();
        let shapes = given.iter().filter_map(|(argument, input)| match input {
            Input::Numbers(array) => Some((*argument, array.shape())),
            Input::Indices(_) => None,
        });
        let frame = Frame::new(layout, entry.arguments[0].name, shapes.collect())?;

        let graph = Graph::default();
        let mut arguments = Arguments { graph: &graph, given: BTreeMap::new() };
        let (mut tensors, mut labels) = (Vec::new(), Vec::new());
        let mut differentiable: Vec<(&'static str, Var<'_>, Vec<usize>)> = Vec::new();
        for (argument, input) in &given {
            let handle = match input {
                Input::Indices(indices) => {
                    frame.check_rows(argument, &indices.shape)?;
                    let ignore = self.definition.ignore_index();
                    let checked = Labels::new(argument.name, &indices.data, frame.sides(), ignore)?;
                    labels.push(backend.labels(&checked).map_err(Error::backend)?);
                    Target::Labels(graph.labels(labels.len() - 1))
                }
                Input::Numbers(array) => {
                    let shape = array.shape();
                    let placed = frame.place(argument, &shape)?;
                    let tensor = array.enter(backend, &placed.view).map_err(Error::backend)?;
                    if let (Some(domain), Check::Full) = (argument.domain, self.check)
                        && let Some((index, value)) =
                            first_outside(backend, &tensor, domain.low, domain.high)
                                .map_err(Error::backend)?
                    {
                        let (argument, domain) = (argument.name, domain.name);
                        return Err(Error::Domain { argument, index, value, domain });
                    }
                    let var = graph.input(tensors.len(), shape_of(placed.full));
                    tensors.push(Some(if var.shape() == NUMBER {
                        let fold = backend.fold(Reduce::Sum, Operand::Owned(tensor));
                        Value::Number(fold.map_err(Error::backend)?)
                    } else {
                        Value::Tensor(tensor)
                    }));
                    if argument.differentiable {
                        differentiable.push((argument.name, var, shape));
                    }
                    Target::Numbers(var)
                }
            };
            arguments.given.insert(argument.name, handle);
        }

        let terms = self.definition.terms(&arguments);
        let optional = |name| arguments.given.contains_key(name).then(|| arguments.tensor(name));
        let shape = layout.value_shape();
        let sample_weight = optional(SAMPLE_WEIGHT.name);
        let value = terms.reduce(sample_weight, self.reduction, self.empty, shape);
        let (value_sides, value_nd) = match self.reduction {
            Reduction::None => (shape, frame.value_shape()),
            Reduction::Mean | Reduction::Sum => (NUMBER, &[][..]),
        };
        let mut outputs: Vec<(Id, Shape)> = vec![(value.id(), value_sides)];
        if grad {
            let cotangent = optional(GRAD_OUTPUT.name).unwrap_or_else(|| graph.number(1.0));
            let inputs: Vec<_> = differentiable.iter().map(|(_, var, _)| *var).collect();
            let found = gradients(&graph, value, value_sides, cotangent, &inputs);
            outputs.extend(found.iter().zip(&inputs).map(|(grad, input)| {
                (grad.unwrap_or_else(|| graph.number(0.0)).id(), input.shape())
            }));
        }
        if let Some(fault) = graph.take_fault() {
            return Err(Error::Definition { loss: entry.name, fault });
        }
        let run = Run { backend, graph: &graph, sides: frame.sides(), inputs: tensors, labels };
        let mut tensors = run.outputs(&outputs)?.into_iter();
        let mut leave = |shape: &[usize]| {
            let missing =
                || Error::Definition { loss: entry.name, fault: "an output is lost".into() };
            let tensor = tensors.next().ok_or_else(missing)?;
            A::leave(backend, tensor, shape).map_err(Error::backend)
        };
        let value = leave(value_nd)?;
        let differentiable = differentiable.iter().filter(|_| grad);
        let grads = differentiable.map(|(name, _, shape)| Ok((*name, leave(shape)?)));
        Ok(Evaluation { value, grads: grads.collect::<Result<_, Error>>()? })
    }
}

/// The arguments given, in the entry's order, each known, once and of the right kind, none missing.
fn named<'a, A>(
    entry: &'static Entry,
    reduction: Reduction,
    inputs: &'a Inputs<A>,
) -> Result<Vec<(&'static Argument, &'a Input<A>)>, Error> {
    let loss = entry.name;
    let cotangent = (reduction == Reduction::None).then_some(&GRAD_OUTPUT);
    let taken: Vec<_> = entry.arguments.iter().chain([&SAMPLE_WEIGHT]).chain(cotangent).collect();
    let mut found = Vec::new();
    for argument in &taken {
        let mut of_name = inputs.given.iter().filter(|(name, _)| name == argument.name);
        match (of_name.next(), of_name.next()) {
            (Some((_, input)), None) => found.push((*argument, input)),
            (None, _) if argument.optional => {}
            (None, _) => return Err(Error::MissingArgument { loss, argument: argument.name }),
            (Some(_), Some(_)) => return Err(unknown(loss, argument.name, &taken)),
        }
    }
    if let Some((name, _)) =
        inputs.given.iter().find(|(name, _)| taken.iter().all(|argument| argument.name != name))
    {
        return Err(unknown(loss, name, &taken));
    }
    for (argument, input) in &found {
        let (got, right, expected) = match input {
            Input::Numbers(_) => ("numbers", argument.values != Values::Indices, "class indices"),
            Input::Indices(_) => ("class indices", argument.values != Values::Numbers, "numbers"),
        };
        if !right {
            return Err(Error::Kind { loss, argument: argument.name, got, expected });
        }
    }
    Ok(found)
}

fn unknown(loss: &'static str, name: &str, taken: &[&Argument]) -> Error {
    let expected: Vec<_> = taken.iter().map(|argument| argument.name).collect();
    Error::UnknownArgument { loss, argument: name.into(), expected: expected.join(", ") }
}
