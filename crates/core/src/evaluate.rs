//! Runs a loss: checks its arguments, builds its graph and gradients, and hands it to the interpreter.

use crate::backend::{Array, Backend, Operand};
use crate::bound::bounds;
use crate::catalogue::{Argument, Form, GRAD_OUTPUT, SAMPLE_WEIGHT, Values};
use crate::dense::Dense;
use crate::error::Error;
use crate::format::Format;
use crate::grad::gradients;
use crate::graph::{Derived, Graph, Id, LabelVar, NUMBER, Shape, Var, full, sides_of};
use crate::interpreter::{Run, Value, first_outside};
use crate::labels::{Indices, Labels};
use crate::loss::{Arguments, Definition, Loss, Target};
use crate::objective::{Objective, Term};
use crate::op::Reduce;
use crate::reference::Reference;
use crate::shape::{Frame, Given, Main, Placed, Shapes, countable};
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
    pub grads: Vec<(String, O)>,
}

impl<O> Evaluation<O> {
    /// `value` and each `grad.ARGUMENT`.
    pub fn outputs(&self) -> impl Iterator<Item = (String, &O)> {
        let grads = self.grads.iter().map(|(name, grad)| (format!("grad.{name}"), grad));
        std::iter::once(("value".to_owned(), &self.value)).chain(grads)
    }

    /// The gradient in that argument, if it was given and has one.
    #[must_use]
    pub fn grad(&self, argument: &str) -> Option<&O> {
        self.grads.iter().find(|(name, _)| name == argument).map(|(_, grad)| grad)
    }
}

impl<D: Definition> Loss<D> {
    /// The value of the loss.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the backend's own.
    pub fn value<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
    ) -> Result<A::Output, Error> {
        Objective::of(self).value(backend, inputs)
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
        Objective::of(self).value_and_grad(backend, inputs)
    }

    /// How far the value and each gradient may be from the exact ones on a backend that computes op by op in `format`:
    /// a running error bound, to first order; infinite where the format cannot hold a number on the way.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault.
    pub fn error_bound(
        &self,
        inputs: &Inputs<Dense>,
        format: Format,
    ) -> Result<Evaluation<Dense>, Error> {
        Objective::of(self).evaluate(&Reference, inputs, Wanted::Bounds(format))
    }
}

/// What is asked of an evaluation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Value,
    ValueAndGrad,
    Bounds(Format),
}

impl Objective {
    /// The value of the objective.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the backend's own.
    pub fn value<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
    ) -> Result<A::Output, Error> {
        Ok(self.evaluate(backend, inputs, Wanted::Value)?.value)
    }

    /// The value and the gradient of every differentiable argument given, the losses' together.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the backend's own.
    pub fn value_and_grad<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
    ) -> Result<Evaluation<A::Output>, Error> {
        self.evaluate(backend, inputs, Wanted::ValueAndGrad)
    }

    fn evaluate<B: Backend, A: Array<B>>(
        &self,
        backend: &B,
        inputs: &Inputs<A>,
        wanted: Wanted,
    ) -> Result<Evaluation<A::Output>, Error> {
        let calls = self.calls(inputs)?;
        let frames = frames(backend, &calls)?;
        let graph = Graph::default();
        let mut build = Build {
            backend,
            graph: &graph,
            tensors: Vec::new(),
            indices: Vec::new(),
            labels: Vec::new(),
            matrices: Vec::new(),
            first_matrix: frames.len(),
            entered: Vec::new(),
        };

        let mut value = graph.number(0.0);
        let (mut value_sides, mut value_shape, mut cotangent) =
            (NUMBER, Vec::new(), graph.number(1.0));
        for (term, call) in self.terms.iter().zip(&calls) {
            let (loss, frame) = (&term.loss, &frames[call.frame]);
            let arguments = build.arguments(call, frame)?;
            let optional = |argument: &Argument| {
                arguments.given.contains_key(argument.name).then(|| arguments.tensor(argument.name))
            };
            let layout = loss.definition.layout();
            let sides = layout.value_sides(call.frame);
            let terms = loss.definition.terms(&arguments);
            let batch = graph.number(frame.batch());
            let weight = optional(&SAMPLE_WEIGHT);
            let reduced = terms.reduce(weight, loss.reduction, loss.empty, sides, batch);
            if loss.reduction == Reduction::None {
                (value_sides, value_shape) = (sides, frame.value_shape(layout));
                cotangent = optional(&GRAD_OUTPUT).unwrap_or(cotangent);
            }
            let scaled = graph.number(term.coefficient) * reduced;
            value = if self.terms.len() == 1 { scaled } else { value + scaled };
            build.derive(&frames)?;
        }
        build.check_power()?;

        let mut outputs: Vec<(Var<'_>, Shape)> = vec![(value, value_sides)];
        let mut shapes = vec![("", value_shape)];
        if wanted != Wanted::Value {
            let inputs: Vec<_> =
                build.entered.iter().filter(|entered| entered.differentiable).collect();
            for (index, entered) in inputs.iter().enumerate() {
                if inputs[..index].iter().any(|other| other.name == entered.name) {
                    let fault =
                        format!("they see {} in different shapes: rename it in one", entered.name);
                    return Err(Error::Objective { fault });
                }
            }
            let vars: Vec<_> = inputs.iter().map(|entered| entered.var).collect();
            let found = gradients(&graph, value, value_sides, cotangent, &vars);
            for (grad, entered) in found.iter().zip(inputs) {
                let grad = grad.unwrap_or_else(|| graph.number(0.0));
                outputs.push((grad, entered.var.shape()));
                shapes.push((entered.name, entered.shape.clone()));
            }
        }
        if let Wanted::Bounds(format) = wanted {
            let all = bounds(&graph, format);
            outputs.iter_mut().for_each(|(var, _)| *var = all[var.id().0]);
        }
        if let Some(fault) = graph.take_fault() {
            return Err(Error::Objective { fault });
        }
        let outputs: Vec<Id> =
            outputs.into_iter().map(|(var, shape)| var.spread(shape).id()).collect();
        let sides = build.sides(&frames);
        let run =
            Run { backend, graph: &graph, sides, inputs: build.tensors, labels: build.labels };
        let leave = |(tensor, (name, shape)): (B::Tensor, (&str, Vec<usize>))| {
            Ok((name.to_owned(), A::leave(backend, tensor, &shape).map_err(Error::backend)?))
        };
        let left = run.outputs(&outputs)?.into_iter().zip(shapes).map(leave);
        let mut left = left.collect::<Result<Vec<_>, Error>>()?.into_iter();
        let lost = || Error::Objective { fault: "it has no value".into() };
        let (_, value) = left.next().ok_or_else(lost)?;
        Ok(Evaluation { value, grads: left.collect() })
    }

    /// Each loss with its arguments, and which losses share a main input.
    fn calls<'a, A>(&'a self, inputs: &'a Inputs<A>) -> Result<Vec<Call<'a, A>>, Error> {
        let mut mains: Vec<&str> = Vec::new();
        let mut calls = Vec::new();
        for Term { loss, .. } in &self.terms {
            loss.check_options()?;
            if loss.reduction == Reduction::None && self.terms.len() > 1 {
                let fault =
                    format!("{} is unreduced: give it reduction mean or sum", loss.entry().name);
                return Err(Error::Objective { fault });
            }
            let arguments = named(loss, inputs)?;
            let main = loss.given_name(loss.entry().arguments[0].name);
            let frame = mains.iter().position(|&other| other == main).unwrap_or_else(|| {
                mains.push(main);
                mains.len() - 1
            });
            calls.push(Call { loss, frame, arguments });
        }
        let known = |name: &str| {
            calls.iter().any(|call| call.arguments.iter().any(|given| given.name == name))
        };
        if let Some((name, _)) = inputs.given.iter().find(|(name, _)| !known(name)) {
            let expected: Vec<_> = self.terms.iter().flat_map(|term| term.loss.takes()).collect();
            let loss = self.terms.first().map_or("", |term| term.loss.entry().name);
            return Err(unknown(loss, name, &expected));
        }
        Ok(calls)
    }
}

/// A loss with its arguments.
struct Call<'a, A> {
    loss: &'a Loss<Box<dyn Definition>>,
    frame: usize,
    arguments: Vec<Argued<'a, A>>,
}

impl<A> Call<'_, A> {
    /// The arguments that are numbers, each with its shape.
    fn shapes<B: Backend>(&self) -> Shapes
    where
        A: Array<B>,
    {
        let numbers = self.arguments.iter().filter_map(|given| match given.input {
            Input::Numbers(array) => Some((given.argument, array.shape())),
            Input::Indices(_) => None,
        });
        numbers.collect()
    }
}

struct Argued<'a, A> {
    argument: &'static Argument,
    name: &'a str,
    input: &'a Input<A>,
}

/// The frame of each main input.
fn frames<B: Backend, A: Array<B>>(_: &B, calls: &[Call<'_, A>]) -> Result<Vec<Frame>, Error> {
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

/// The graph's inputs as they are collected, each array entered once for a frame.
struct Build<'g, 'a, B: Backend> {
    backend: &'a B,
    graph: &'g Graph,
    tensors: Vec<Option<Value<B::Tensor>>>,
    /// The class indices, on the host and as the backend wants them.
    indices: Vec<Labels>,
    labels: Vec<B::Labels>,
    /// The sides of matrices, which stand beside the frames.
    matrices: Vec<[usize; 3]>,
    first_matrix: usize,
    entered: Vec<Entered<'g, 'a>>,
}

struct Entered<'g, 'a> {
    name: &'a str,
    differentiable: bool,
    var: Var<'g>,
    shape: Vec<usize>,
}

impl<'g, 'a, B: Backend> Build<'g, 'a, B> {
    fn arguments<A: Array<B>>(
        &mut self,
        call: &Call<'a, A>,
        frame: &Frame,
    ) -> Result<Arguments<'g>, Error> {
        let definition = &call.loss.definition;
        let layout = definition.layout();
        let shapes = call.shapes();
        let mut arguments = Arguments {
            graph: self.graph,
            frame: call.frame,
            given: BTreeMap::new(),
            sets: BTreeMap::new(),
        };
        for given in &call.arguments {
            let argument = given.argument;
            if let Input::Indices(indices) = given.input {
                indices.check(argument.name)?;
            }
            let handle = match given.input {
                Input::Indices(indices) if argument.values == Values::IndexSets => {
                    frame.check_same(layout, argument, &indices.shape)?;
                    let sets = Labels::sets(argument.name, &indices.data, frame.sides())?;
                    let slots = sets.into_iter().map(|slot| self.label(slot, full(call.frame)));
                    let slots = slots.collect::<Result<_, Error>>()?;
                    arguments.sets.insert(argument.name, slots);
                    continue;
                }
                Input::Indices(indices) => {
                    frame.check_rows(layout, argument, &indices.shape)?;
                    let ignore = definition.ignore_index();
                    let sides = frame.label_sides();
                    let checked = Labels::new(argument.name, &indices.data, sides, ignore)?;
                    Target::Labels(self.label(checked, full(call.frame))?)
                }
                Input::Numbers(array) => {
                    let shape = array.shape();
                    let placed = match argument.form {
                        Form::Matrix(..) | Form::PerRow(_) => {
                            let [rows, columns] =
                                Given(&shapes).matrix(argument, definition.rows(argument.name))?;
                            self.matrices.push([rows, columns, 1]);
                            let index = self.first_matrix + self.matrices.len() - 1;
                            Placed::matrix(index, argument, &shape, [rows, columns])
                        }
                        Form::Main
                        | Form::Same
                        | Form::Rows
                        | Form::PerClass
                        | Form::Features
                        | Form::Trailing
                        | Form::AnySideOne
                        | Form::Sample
                        | Form::Value => frame.place(layout, argument, &shape)?,
                    };
                    Target::Numbers(self.enter(call, given, array, &placed, shape)?)
                }
            };
            arguments.given.insert(argument.name, handle);
        }
        Ok(arguments)
    }

    /// A handle on class indices.
    fn label(&mut self, labels: Labels, shape: Shape) -> Result<LabelVar<'g>, Error> {
        self.labels.push(self.backend.labels(&labels).map_err(Error::backend)?);
        self.indices.push(labels);
        Ok(self.graph.next_labels(shape))
    }

    /// Makes the class indices that a definition asked for.
    fn derive(&mut self, frames: &[Frame]) -> Result<(), Error> {
        let sides = self.sides(frames);
        for Derived { from, shape, relabel } in self.graph.take_derived() {
            let labels = self.indices[from].relabel(sides_of(shape, &sides), relabel);
            self.labels.push(self.backend.labels(&labels).map_err(Error::backend)?);
            self.indices.push(labels);
        }
        Ok(())
    }

    /// That the backend has the power that a loss needs.
    fn check_power(&self) -> Result<(), Error> {
        if self.backend.matmul().is_none() && !self.matrices.is_empty() {
            return Err(Error::Unsupported { power: "matmul" });
        }
        Ok(())
    }

    /// The sides of every frame, and of the matrices.
    fn sides(&self, frames: &[Frame]) -> Vec<[usize; 3]> {
        frames.iter().map(Frame::sides).chain(self.matrices.iter().copied()).collect()
    }

    fn enter<A: Array<B>>(
        &mut self,
        call: &Call<'a, A>,
        given: &Argued<'a, A>,
        array: &A,
        placed: &Placed,
        shape: Vec<usize>,
    ) -> Result<Var<'g>, Error> {
        let backend = self.backend;
        let checked = given.argument.domain.filter(|_| call.loss.check == Check::Full);
        let again = self
            .entered
            .iter_mut()
            .find(|other| other.name == given.name && other.var.shape() == placed.sides);
        if let (Some(entered), None) = (again, checked) {
            entered.differentiable |= given.argument.differentiable;
            return Ok(entered.var);
        }
        let tensor = array.enter(backend, &placed.view).map_err(Error::backend)?;
        if let Some(domain) = checked {
            let outside = first_outside(backend, &tensor, domain);
            if let Some((index, value)) = outside.map_err(Error::backend)? {
                let (argument, domain) = (given.argument.name, domain.name);
                return Err(Error::Domain { argument, index, value, domain });
            }
        }
        let var = self.graph.input(self.tensors.len(), placed.sides);
        let differentiable = given.argument.differentiable;
        // What is one number, however it is stored, goes to the host.
        self.tensors.push(Some(if placed.sides == NUMBER {
            let number = backend.fold(Reduce::Sum, Operand::Owned(tensor));
            Value::Number(number.map_err(Error::backend)?)
        } else {
            Value::Tensor(tensor)
        }));
        self.entered.push(Entered { name: given.name, differentiable, var, shape });
        Ok(var)
    }
}

/// The arguments of a loss, in its entry's order, each of the right kind and at most once, none missing.
fn named<'a, A>(
    loss: &'a Loss<Box<dyn Definition>>,
    inputs: &'a Inputs<A>,
) -> Result<Vec<Argued<'a, A>>, Error> {
    let entry = loss.entry();
    let mut found = Vec::new();
    for argument in loss.takes() {
        let name = loss.given_name(argument.name);
        let mut of_name = inputs.given.iter().filter(|(given, _)| given == name);
        let input = match (of_name.next(), of_name.next()) {
            (Some((_, input)), None) => input,
            (None, _) if argument.optional => continue,
            (None, _) => {
                return Err(Error::MissingArgument { loss: entry.name, argument: argument.name });
            }
            (Some(_), Some(_)) => return Err(unknown(entry.name, name, &loss.takes())),
        };
        let indices = matches!(argument.values, Values::Indices | Values::IndexSets);
        let (got, right, expected) = match input {
            Input::Numbers(_) => ("numbers", !indices, "class indices"),
            Input::Indices(_) => ("class indices", argument.values != Values::Numbers, "numbers"),
        };
        if !right {
            let (loss, argument) = (entry.name, argument.name);
            return Err(Error::Kind { loss, argument, got, expected });
        }
        found.push(Argued { argument, name, input });
    }
    Ok(found)
}

fn unknown(loss: &'static str, name: &str, taken: &[&Argument]) -> Error {
    let expected: Vec<_> = taken.iter().map(|argument| argument.name).collect();
    Error::UnknownArgument { loss, argument: name.into(), expected: expected.join(", ") }
}
