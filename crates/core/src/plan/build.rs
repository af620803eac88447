//! How a plan is made: the arguments enter a graph, the definitions add their terms, and gradients or bounds are derived.

use super::{Entering, Labelling, Leaving, Plan, Sets, Wanted};
use crate::bound::bounds;
use crate::call::{Argued, Call, Seen, frames};
use crate::catalogue::{Argument, Form, GRAD_OUTPUT, SAMPLE_WEIGHT, Values};
use crate::error::Error;
use crate::grad::gradients;
use crate::graph::{Dim, Graph, LabelVar, NUMBER, Shape, Var, full};
use crate::labels::Labels;
use crate::loss::{Arguments, Definition, Target};
use crate::objective::Objective;
use crate::op::Axis;
use crate::sequence::{Reading, SequenceVar};
use crate::shape::{Frame, Given, Placed, count};
use crate::terms::{Check, Reduction};
use std::collections::BTreeMap;

impl Objective {
    /// The plan for arguments of these names and shapes, without the gradients of the constant ones.
    pub(crate) fn plan_for(
        &self,
        seen: &[(&str, Seen<'_>)],
        constant: &[String],
        wanted: Wanted,
    ) -> Result<Plan, Error> {
        let calls = self.calls(seen, constant)?;
        let frames = frames(&calls)?;
        let graph = Graph::default();
        let mut build = Build {
            graph: &graph,
            sides: frames.iter().map(Frame::sides).collect(),
            entering: Vec::new(),
            entered: Vec::new(),
            labels: Vec::new(),
            sequences: Vec::new(),
            sets: Vec::new(),
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

        let mut outputs: Vec<(Vec<Var<'_>>, Shape)> = vec![(vec![value], value_sides)];
        let mut names = vec![("", value_shape)];
        if wanted != Wanted::Value {
            let wanted = |input: &&Entered<'_, '_>| {
                input.differentiable && !constant.iter().any(|name| name == input.name)
            };
            let inputs: Vec<_> = build.entered.iter().filter(wanted).collect();
            for (index, input) in inputs.iter().enumerate() {
                if inputs[..index].iter().any(|other| other.name == input.name) {
                    let fault =
                        format!("they see {} in different shapes: rename it in one", input.name);
                    return Err(Error::Objective { fault });
                }
            }
            let vars: Vec<_> = inputs.iter().flat_map(|input| input.vars.clone()).collect();
            let found = gradients(&graph, value, value_sides, cotangent, &vars);
            let mut found = found.into_iter().map(|grad| grad.unwrap_or(graph.number(0.0)));
            for input in inputs {
                outputs.push((found.by_ref().take(input.vars.len()).collect(), input.sides));
                names.push((input.name, input.shape.to_vec()));
            }
        }
        if let Wanted::Bounds(format) = wanted {
            let bound = bounds(&graph, format);
            let vars = outputs.iter_mut().flat_map(|(vars, _)| vars);
            vars.for_each(|var| *var = bound(*var));
        }
        if let Some(fault) = graph.take_fault() {
            return Err(Error::Objective { fault });
        }
        let leaving =
            outputs.into_iter().zip(names).map(|((vars, sides), (name, shape))| Leaving {
                name: name.to_owned(),
                ids: vars.into_iter().map(|var| var.spread(sides).id()).collect(),
                shape,
            });
        let (leaving, tables) = (leaving.collect(), graph.take_tabled());
        let Build { sides, entering, labels, sequences, sets, .. } = build;
        let made_for = |(name, seen): &(&str, Seen<'_>)| {
            ((*name).to_owned(), seen.shape().clone(), seen.indices().is_some())
        };
        let made_for = seen.iter().map(made_for).collect();
        let constant = constant.to_vec();
        Ok(Plan {
            graph,
            sides,
            entering,
            labels,
            sequences,
            tables,
            leaving,
            made_for,
            sets,
            constant,
        })
    }
}

/// The graph's inputs as they are collected, each array entered once for a frame.
struct Build<'g, 'a> {
    graph: &'g Graph,
    /// The sides of the frames, and of the matrices that stand beside them.
    sides: Vec<[usize; 3]>,
    entering: Vec<Entering>,
    entered: Vec<Entered<'g, 'a>>,
    labels: Vec<Labelling>,
    sequences: Vec<Reading>,
    sets: Vec<Sets>,
}

/// What became of an argument, beside its [`Entering`]s, the first of which is at that place: as many as it has steps.
struct Entered<'g, 'a> {
    name: &'a str,
    differentiable: bool,
    first: usize,
    vars: Vec<Var<'g>>,
    sides: Shape,
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
            steps: BTreeMap::new(),
            sequences: None,
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
                    let longest = Labels::longest_set(&indices.data, sides);
                    self.sets.push(Sets { place, sides, longest });
                    let slot = |slot| {
                        let labelling = Labelling::Set { place, argument, sides, slot };
                        self.label(labelling, full(call.frame))
                    };
                    arguments.sets.insert(argument, (0..longest).map(slot).collect());
                    continue;
                }
                Seen::Indices(indices) if given.argument.values == Values::Integers => {
                    frame.check(layout, given.argument, &indices.shape)?;
                    continue;
                }
                Seen::Indices(indices) if given.argument.form == Form::Sequences => {
                    frame.check(layout, given.argument, &indices.shape)?;
                    arguments.sequences = Some(self.sequences(call, frame, place, argument));
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
                            Placed::matrix(index, given.argument, shape)
                        }
                        Form::Steps => {
                            let placed = frame.place(layout, given.argument, shape)?;
                            // Without samples there is nothing to go through.
                            let some = count(&placed.view.aligned) > 0;
                            let steps = if some { shape[0] } else { 0 };
                            let vars = self.enter(call, given, placed, shape, Some(steps));
                            arguments.steps.insert(argument, vars);
                            continue;
                        }
                        Form::Main
                        | Form::Same
                        | Form::Rows
                        | Form::PerClass
                        | Form::Features
                        | Form::Trailing
                        | Form::AnySideOne
                        | Form::Sequences
                        | Form::Lengths
                        | Form::Sample
                        | Form::Value => frame.place(layout, given.argument, shape)?,
                    };
                    Target::Numbers(self.enter(call, given, placed, shape, None)[0])
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

    /// A handle on sequences, and a side for their labels.
    fn sequences(
        &mut self,
        call: &Call<'a>,
        frame: &Frame,
        place: usize,
        argument: &'static str,
    ) -> SequenceVar<'g> {
        let of_form = |form| call.arguments.iter().filter(move |given| given.argument.form == form);
        let mut lengths = of_form(Form::Lengths);
        let [steps, lengths] = [lengths.next(), lengths.next()];
        let named = |given: Option<&Argued<'a>>| {
            given.map_or((0, ""), |given| (given.place, given.argument.name))
        };
        let [(steps_at, steps_name), (lengths_at, lengths_name)] = [named(steps), named(lengths)];
        let longest = match lengths.map(|given| given.seen) {
            Some(Seen::Indices(lengths)) => Reading::longest(lengths),
            Some(Seen::Numbers(_)) | None => 0,
        };
        let most = of_form(Form::Steps).next().map_or(0, |given| match given.seen {
            Seen::Numbers(shape) => shape[0],
            Seen::Indices(_) => 0,
        });
        let [rows, classes, _] = frame.sides();
        let definition = &call.loss.definition;
        self.sequences.push(Reading {
            places: [place, steps_at, lengths_at],
            names: [argument, steps_name, lengths_name],
            rows,
            batched: !frame.value_shape(definition.layout()).is_empty(),
            steps: most,
            classes,
            blank: definition.blank(),
            longest,
        });
        self.sides.push([rows, longest.saturating_mul(2).saturating_add(1), 1]);
        let places = Dim::Full(Axis::Class, self.sides.len() - 1);
        let (index, shape) = (self.sequences.len() - 1, full(call.frame));
        SequenceVar { graph: self.graph, index, shape, places }
    }

    /// The handles on an argument of numbers: one, or one a step.
    fn enter(
        &mut self,
        call: &Call<'a>,
        given: &Argued<'a>,
        placed: Placed,
        shape: &'a [usize],
        steps: Option<usize>,
    ) -> Vec<Var<'g>> {
        let Placed { sides, view } = placed;
        let again = |other: &Entered<'_, '_>| other.name == given.name && other.sides == sides;
        let index = self.entered.iter().position(again).unwrap_or_else(|| {
            let first = self.entering.len();
            let mut enter = |step| {
                let mut view = view.clone();
                view.step = step;
                let (place, domains) = (given.place, Vec::new());
                self.entering.push(Entering { place, view, shape: sides, domains });
                self.graph.input(self.entering.len() - 1, sides)
            };
            let vars = match steps {
                Some(steps) => (0..steps).map(|step| enter(Some(step))).collect(),
                None => vec![enter(None)],
            };
            let name = given.name;
            self.entered.push(Entered { name, differentiable: false, first, vars, sides, shape });
            self.entered.len() - 1
        });
        let entered = &mut self.entered[index];
        if let (Some(domain), Check::Full) = (given.argument.domain, call.loss.check) {
            for entering in &mut self.entering[entered.first..][..entered.vars.len()] {
                entering.domains.push((given.argument.name, domain));
            }
        }
        entered.differentiable |= given.argument.differentiable;
        entered.vars.clone()
    }
}
