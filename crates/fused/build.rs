//! Writes the loops that the losses of the catalogue come to, for `src/compiled.rs` to compile.

#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "modules of the crate, of which not all is used here"
)]

#[path = "src/body.rs"]
mod body;
#[path = "src/cut.rs"]
mod cut;
#[path = "src/lower.rs"]
mod lower;
#[path = "src/pass.rs"]
mod pass;
#[path = "src/program.rs"]
mod program;
#[path = "src/schedule.rs"]
mod schedule;
#[path = "src/tails.rs"]
mod tails;

use lossmith_core::catalogue::{self, Argument, Form, SAMPLE_WEIGHT, Values};
use lossmith_core::loss::Definition;
use lossmith_core::{Dense, Error, Indices, Inputs, Loss, Objective, Reference};
use std::collections::BTreeSet;
use std::error;
use std::fmt::Write as _;
use std::{env, fs, path::Path};

/// Nothing is compiled yet.
mod compiled {
    pub(crate) fn find(_: &str) -> Option<usize> {
        None
    }
}

type AnyLoss = Loss<Box<dyn Definition>>;

/// As many as labels in the largest set that a body takes.
const CLASSES: usize = body::LABELS;

fn main() -> Result<(), Box<dyn error::Error>> {
    let mut sources = BTreeSet::new();
    for loss in catalogue::all() {
        for inputs in inputs(&loss, true) {
            sources.extend(bodies(&loss, inputs));
        }
        for loss in variants(&loss) {
            for inputs in inputs(&loss, false) {
                sources.extend(bodies(&loss, inputs));
            }
        }
    }
    let mut out = String::new();
    for (place, source) in sources.iter().enumerate() {
        let (form, body) = source.split_once(' ').unwrap_or_default();
        writeln!(out, "{form}! {{ body{place} {body} }}")?;
    }
    writeln!(out, "pub(super) static BODIES: &[(&str, Run<f32>)] = &[")?;
    for (place, source) in sources.iter().enumerate() {
        let form = if source.starts_with("apart") { "Apart" } else { "Beside" };
        writeln!(out, "    ({source:?}, Run::{form}(body{place})),")?;
    }
    writeln!(out, "];")?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("bodies.rs"), out)?;
    for module in ["body", "cut", "lower", "pass", "program", "schedule", "tails"] {
        println!("cargo::rerun-if-changed=src/{module}.rs");
    }
    Ok(())
}

/// The loss with one option each that is not as it is by default.
fn variants(loss: &AnyLoss) -> Vec<AnyLoss> {
    let mut all = Vec::new();
    for [name, default, ..] in loss.clone().options() {
        let values: &[&str] = match name.as_str() {
            "reduction" => &["none"],
            "empty" | "check" => &[],
            _ => &["true", "false", "0.5", "1.5", "2", "none"],
        };
        let others = values.iter().filter(|&&value| value != default);
        all.extend(others.filter_map(|value| loss.clone().with(&name, value).ok()));
    }
    all
}

/// Arguments with none, or also one or all, that may be left out, and gradients of none, the first, all, or all but the
/// target, which is data as a rule.
fn inputs(loss: &AnyLoss, optional_too: bool) -> Vec<Inputs<Dense>> {
    let own = loss.entry().arguments;
    let optional = own.iter().chain([&SAMPLE_WEIGHT]).filter(|argument| argument.optional);
    let optional: Vec<_> = optional.collect();
    let mut given: Vec<Vec<&Argument>> = vec![Vec::new()];
    if optional_too {
        given.extend(optional.iter().map(|&argument| vec![argument]));
        given.push(optional);
    }
    let mut all = Vec::new();
    for optional in given {
        let required = own.iter().filter(|argument| !argument.optional);
        let arguments: Vec<_> = required.chain(optional).collect();
        // What the classes of a target may be given as; a set has as many labels as a body takes at most.
        let sets = arguments.iter().any(|argument| argument.values == Values::IndexSets);
        for labels in 0..=if sets { CLASSES } else { 1 } {
            let Some(inputs) = arguments
                .iter()
                .try_fold(Inputs::new(), |inputs, argument| with(inputs, argument, labels).ok())
            else {
                continue;
            };
            let later = arguments.iter().skip(1);
            let first_only =
                later.fold(inputs.clone(), |inputs, other| inputs.constant(other.name));
            let none = first_only.clone().constant("input");
            let but_target = inputs.clone().constant("target");
            all.extend([inputs, but_target, first_only, none]);
        }
    }
    all
}

/// With an argument of two rows of so many classes, of which `labels` are labels.
fn with(inputs: Inputs<Dense>, argument: &Argument, labels: usize) -> Result<Inputs<Dense>, Error> {
    let shape: &[usize] = if argument.form == Form::Rows {
        &[2]
    } else if matches!(argument.form, Form::PerClass | Form::Features) {
        &[CLASSES]
    } else {
        &[2, CLASSES]
    };
    let one =
        |shape: &[usize], value: i64| Indices::new(shape, vec![value; shape.iter().product()]);
    Ok(match argument.values {
        Values::Indices => inputs.labels(argument.name, one(&[2], 0)?),
        Values::Either if labels > 0 => inputs.labels(argument.name, one(&[2], 0)?),
        Values::IndexSets => {
            let set = (0..CLASSES).map(|place| if place < labels { 0 } else { -1 });
            inputs.labels(argument.name, Indices::new(shape, set.clone().chain(set).collect())?)
        }
        Values::Numbers | Values::Either | Values::Integers => {
            let ones = vec![1.0; shape.iter().product()];
            inputs.tensor(argument.name, Dense::new(shape, ones)?)
        }
    })
}

/// The bodies of a loss; none where it takes no such arguments.
fn bodies(loss: &AnyLoss, inputs: Inputs<Dense>) -> Vec<String> {
    let Ok(plan) = Objective::from(loss.clone()).plan(&Reference, &inputs) else {
        return Vec::new();
    };
    let Some(mut program) = program::Program::new(&plan) else { return Vec::new() };
    let lying = [body::Lying::Apart, body::Lying::Beside];
    let bodies =
        program.stages().flat_map(|stage| lying.map(|lying| body::Body::new(stage, lying)));
    bodies.flatten().map(|(_, source)| source).collect()
}
