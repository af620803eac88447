//! A loss made ready for arguments of given shapes: its graph, how every array enters it, and what leaves it.
//!
//! A plan knows no data and no backend. Class indices are validated, and derived ones made, at every run.

use crate::backend::View;
use crate::bound::bounds;
use crate::catalogue::{Argument, Form, GRAD_OUTPUT, SAMPLE_WEIGHT, Values};
use crate::error::Error;
use crate::format::Format;
use crate::grad::gradients;
use crate::graph::{Derived, Graph, Id, LabelVar, NUMBER, Shape, Var, full, sides_of};
use crate::labels::{Indices, Labels};
use crate::loss::{Arguments, Definition, Loss, Target};
use crate::objective::{Objective, Term};
use crate::shape::{Frame, Given, Main, Placed, Shapes, countable};
use crate::terms::{Check, Reduction};
use std::collections::BTreeMap;

/// What a plan is made for: an argument's shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen<'a> {
    Numbers(Vec<usize>),
    Indices(&'a Indices),
}

/// What is asked of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Value,
    ValueAndGrad,
    Bounds(Format),
}

/// A loss or an objective as a graph for arguments of given shapes.
#[derive(Debug)]
pub struct Plan {
    graph: Graph,
    sides: Vec<[usize; 3]>,
    entering: Vec<Entering>,
    labels: Vec<Labelling>,
    leaving: Vec<Leaving>,
    matmul: bool,
}

/// How an array becomes the input of the graph at its place in the list.
#[derive(Debug)]
pub struct Entering {
    /// The array's place among the arguments.
    pub place: usize,
    /// How it is seen as three sides.
    pub view: View,
    /// Which of those are full.
    pub shape: Shape,
    /// What its numbers have to be, each time with the argument's name.
    pub domains: Vec<(&'static str, crate::catalogue::Domain)>,
}

/// How the class indices at their place in the list are made.
#[derive(Debug)]
enum Labelling {
    /// One a row.
    Rows { place: usize, argument: &'static str, sides: [usize; 3], ignore: Option<i64> },
    /// The one at that slot of each row's.
    Set { place: usize, argument: &'static str, sides: [usize; 3], slot: usize },
    /// From others.
    Derived(Derived),
}

/// A result: the value, or the gradient in an argument.
#[derive(Debug)]
pub struct Leaving {
    /// The caller's name of the argument; the value's is empty.
    pub name: String,
    /// The node.
    pub id: Id,
    /// The shape of the library's array.
    pub shape: Vec<usize>,
}

impl Plan {
    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Batch × class × inner of every frame, and of the matrices beside them.
    #[must_use]
    pub fn sides(&self) -> &[[usize; 3]] {
        &self.sides
    }

    /// How the inputs of the graph are made.
    #[must_use]
    pub fn entering(&self) -> &[Entering] {
        &self.entering
    }

    /// What leaves: the value first, then the gradients.
    #[must_use]
    pub fn leaving(&self) -> &[Leaving] {
        &self.leaving
    }

    /// Whether a product of matrices is in it.
    #[must_use]
    pub fn needs_matmul(&self) -> bool {
        self.matmul
    }

    /// The class indices of a run, validated.
    pub(crate) fn labels(&self, seen: &[(&str, Seen<'_>)]) -> Result<Vec<Labels>, Error> {
        let of = |place: usize| match seen[place].1 {
            Seen::Indices(indices) => indices.data.as_slice(),
            Seen::Numbers(_) => &[],
        };
        let mut made: Vec<Labels> = Vec::new();
        for labelling in &self.labels {
            let labels = match *labelling {
                Labelling::Rows { place, argument, sides, ignore } => {
                    Labels::new(argument, of(place), sides, ignore)?
                }
                Labelling::Set { place, argument, sides, slot: 0 } => {
                    let mut sets = Labels::sets(argument, of(place), sides)?.into_iter();
                    // The other slots come next, and are there already.
                    let first = sets.next();
                    made.extend(first);
                    made.extend(sets);
                    continue;
                }
                Labelling::Set { .. } => continue,
                Labelling::Derived(Derived { from, shape, ref relabel }) => {
                    made[from].relabel(sides_of(shape, &self.sides), relabel)
                }
            };
            made.push(labels);
        }
        Ok(made)
    }
}

impl Objective {
    /// The plan for arguments of these names and shapes.
    pub(crate) fn plan(&self, seen: &[(&str, Seen<'_>)], wanted: Wanted) -> Result<Plan, Error> {
        let calls = self.calls(seen)?;
        let frames = frames(&calls)?;
        let graph = Graph::default();
        let mut build = Build {
            graph: &graph,
            sides: frames.iter().map(Frame::sides).collect(),
            entering: Vec::new(),
            entered: Vec::new(),
            labels: Vec::new(),
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
            build.labels.extend(graph.take_derived().into_iter().map(Labelling::Derived));
        }

        let mut outputs: Vec<(Var<'_>, Shape)> = vec![(value, value_sides)];
        let mut names = vec![("", value_shape)];
        if wanted != Wanted::Value {
            let inputs: Vec<_> =
                build.entered.iter().filter(|input| input.differentiable).collect();
            for (index, input) in inputs.iter().enumerate() {
                if inputs[..index].iter().any(|other| other.name == input.name) {
                    let fault =
                        format!("they see {} in different shapes: rename it in one", input.name);
                    return Err(Error::Objective { fault });
                }
            }
            let vars: Vec<_> = inputs.iter().map(|input| input.var).collect();
            let found = gradients(&graph, value, value_sides, cotangent, &vars);
            for (grad, input) in found.iter().zip(inputs) {
                let grad = grad.unwrap_or_else(|| graph.number(0.0));
                outputs.push((grad, input.var.shape()));
                names.push((input.name, input.shape.to_vec()));
            }
        }
        if let Wanted::Bounds(format) = wanted {
            let all = bounds(&graph, format);
            outputs.iter_mut().for_each(|(var, _)| *var = all[var.id().0]);
        }
        if let Some(fault) = graph.take_fault() {
            return Err(Error::Objective { fault });
        }
        let leaving = outputs.into_iter().zip(names).map(|((var, sides), (name, shape))| Leaving {
            name: name.to_owned(),
            id: var.spread(sides).id(),
            shape,
        });
        let (leaving, matmul) = (leaving.collect(), build.sides.len() > frames.len());
        let Build { sides, entering, labels, .. } = build;
        Ok(Plan { graph, sides, entering, labels, leaving, matmul })
    }

    /// Each loss with its arguments, and which losses share a main input.
    fn calls<'a>(&'a self, seen: &'a [(&'a str, Seen<'a>)]) -> Result<Vec<Call<'a>>, Error> {
        let mut mains: Vec<&str> = Vec::new();
        let mut calls = Vec::new();
        for Term { loss, .. } in &self.terms {
            loss.check_options()?;
            if loss.reduction == Reduction::None && self.terms.len() > 1 {
                let fault =
                    format!("{} is unreduced: give it reduction mean or sum", loss.entry().name);
                return Err(Error::Objective { fault });
            }
            let arguments = named(loss, seen)?;
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
        if let Some((name, _)) = seen.iter().find(|(name, _)| !known(name)) {
            let expected: Vec<_> = self.terms.iter().flat_map(|term| term.loss.takes()).collect();
            let loss = self.terms.first().map_or("", |term| term.loss.entry().name);
            return Err(unknown(loss, name, &expected));
        }
        Ok(calls)
    }
}

/// A loss with its arguments.
struct Call<'a> {
    loss: &'a Loss<Box<dyn Definition>>,
    frame: usize,
    arguments: Vec<Argued<'a>>,
}

impl Call<'_> {
    /// The arguments that are numbers, each with its shape.
    fn shapes(&self) -> Shapes {
        let numbers = self.arguments.iter().filter_map(|given| match given.seen {
            Seen::Numbers(shape) => Some((given.argument, shape.clone())),
            Seen::Indices(_) => None,
        });
        numbers.collect()
    }
}

struct Argued<'a> {
    argument: &'static Argument,
    name: &'a str,
    place: usize,
    seen: &'a Seen<'a>,
}

/// The frame of each main input.
fn frames(calls: &[Call<'_>]) -> Result<Vec<Frame>, Error> {
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
struct Build<'g, 'a> {
    graph: &'g Graph,
    /// The sides of the frames, and of the matrices that stand beside them.
    sides: Vec<[usize; 3]>,
    entering: Vec<Entering>,
    entered: Vec<Entered<'g, 'a>>,
    labels: Vec<Labelling>,
}

/// What became of an argument, beside its [`Entering`].
struct Entered<'g, 'a> {
    name: &'a str,
    differentiable: bool,
    var: Var<'g>,
    shape: &'a [usize],
}

impl<'g, 'a> Build<'g, 'a> {
    fn arguments(&mut self, call: &Call<'a>, frame: &Frame) -> Result<Arguments<'g>, Error> {
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
            let (place, argument) = (given.place, given.argument.name);
            if let Seen::Indices(indices) = given.seen {
                indices.check(argument)?;
            }
            let handle = match given.seen {
                Seen::Indices(indices) if given.argument.values == Values::IndexSets => {
                    frame.check_same(layout, given.argument, &indices.shape)?;
                    let sides = frame.sides();
                    let slots = Labels::longest_set(&indices.data, sides);
                    let slot = |slot| {
                        let labelling = Labelling::Set { place, argument, sides, slot };
                        self.label(labelling, full(call.frame))
                    };
                    arguments.sets.insert(argument, (0..slots).map(slot).collect());
                    continue;
                }
                Seen::Indices(indices) => {
                    frame.check_rows(layout, given.argument, &indices.shape)?;
                    let (sides, ignore) = (frame.label_sides(), definition.ignore_index());
                    let labelling = Labelling::Rows { place, argument, sides, ignore };
                    Target::Labels(self.label(labelling, full(call.frame)))
                }
                Seen::Numbers(shape) => {
                    let placed = match given.argument.form {
                        Form::Matrix(..) | Form::PerRow(_) => {
                            let [rows, columns] =
                                Given(&shapes).matrix(given.argument, definition.rows(argument))?;
                            self.sides.push([rows, columns, 1]);
                            let index = self.sides.len() - 1;
                            Placed::matrix(index, given.argument, shape, [rows, columns])
                        }
                        Form::Main
                        | Form::Same
                        | Form::Rows
                        | Form::PerClass
                        | Form::Features
                        | Form::Trailing
                        | Form::AnySideOne
                        | Form::Sample
                        | Form::Value => frame.place(layout, given.argument, shape)?,
                    };
                    Target::Numbers(self.enter(call, given, placed, shape))
                }
            };
            arguments.given.insert(argument, handle);
        }
        Ok(arguments)
    }

    /// A handle on class indices.
    fn label(&mut self, labelling: Labelling, shape: Shape) -> LabelVar<'g> {
        self.labels.push(labelling);
        self.graph.next_labels(shape)
    }

    fn enter(
        &mut self,
        call: &Call<'a>,
        given: &Argued<'a>,
        placed: Placed,
        shape: &'a [usize],
    ) -> Var<'g> {
        let Placed { sides, view } = placed;
        let again =
            |other: &Entered<'_, '_>| other.name == given.name && other.var.shape() == sides;
        let index = self.entered.iter().position(again).unwrap_or_else(|| {
            let var = self.graph.input(self.entering.len(), sides);
            let (place, domains) = (given.place, Vec::new());
            self.entering.push(Entering { place, view, shape: sides, domains });
            let name = given.name;
            self.entered.push(Entered { name, differentiable: false, var, shape });
            self.entered.len() - 1
        });
        if let (Some(domain), Check::Full) = (given.argument.domain, call.loss.check) {
            self.entering[index].domains.push((given.argument.name, domain));
        }
        let entered = &mut self.entered[index];
        entered.differentiable |= given.argument.differentiable;
        entered.var
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
        let indices = matches!(argument.values, Values::Indices | Values::IndexSets);
        let (got, right, expected) = match seen {
            Seen::Numbers(_) => ("numbers", !indices, "class indices"),
            Seen::Indices(_) => ("class indices", argument.values != Values::Numbers, "numbers"),
        };
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
