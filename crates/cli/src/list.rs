//! `lossmith list`

use crate::error::Error;
use crate::run::Loss;
use comfy_table::{Table, presets};
use lossmith_core::catalogue::{self, Argument, SAMPLE_WEIGHT};
use serde_json::{Value, json};

pub(crate) fn run(name: Option<&str>, json: bool) -> Result<String, Error> {
    let losses = match name {
        Some(name) => vec![catalogue::find(name)?],
        None => catalogue::all(),
    };
    if json {
        return Ok(Value::from(losses.into_iter().map(describe).collect::<Vec<_>>()).to_string());
    }
    if name.is_some() {
        return Ok(losses.into_iter().map(full).collect());
    }
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["loss", "arguments", "options", "per element"]);
    for mut loss in losses {
        let entry = loss.entry();
        let arguments: Vec<_> = entry.arguments.iter().map(mark).collect();
        let own = loss.options().into_iter().filter(|[name, ..]| !COMMON.contains(&name.as_str()));
        let options: Vec<_> = own.map(|[name, value, ..]| format!("{name}={value}")).collect();
        table.add_row([entry.name, &arguments.join(" "), &options.join(" "), entry.formula]);
    }
    Ok(format!(
        "{}\n∂ differentiable, [ ] optional. Every loss also takes sample_weight, and the options {}.",
        table.trim_fmt(),
        COMMON.join(", ")
    ))
}

/// The options that every loss has.
const COMMON: [&str; 3] = ["reduction", "empty", "check"];

fn mark(argument: &Argument) -> String {
    let name = format!("{}{}", argument.name, if argument.differentiable { "∂" } else { "" });
    if argument.optional { format!("[{name}]") } else { name }
}

fn domain(argument: &Argument) -> &'static str {
    argument.domain.map_or("", |domain| domain.name)
}

fn full(mut loss: Loss) -> String {
    let entry = loss.entry();
    let mut arguments = Table::new();
    arguments.load_style(presets::NOTHING).set_header(["argument", "shape", "elements", "domain"]);
    for argument in entry.arguments.iter().chain([&SAMPLE_WEIGHT]) {
        let values = if argument.log { "logarithms" } else { argument.values.words() };
        let form = argument.form.words();
        arguments.add_row([&mark(argument), form, values, domain(argument)]);
    }
    let mut options = Table::new();
    options.load_style(presets::NOTHING).set_header([
        "option",
        "default",
        "may be",
        "what it does",
    ]);
    options.add_rows(loss.options());
    let (name, formula) = (entry.name, entry.formula);
    format!("{name}: {formula}\n\n{}\n\n{}", arguments.trim_fmt(), options.trim_fmt())
}

fn describe(mut loss: Loss) -> Value {
    let entry = loss.entry();
    let argument = |argument: &Argument| {
        json!({
            "name": argument.name, "form": format!("{:?}", argument.form),
            "values": format!("{:?}", argument.values), "log": argument.log, "domain": domain(argument),
            "optional": argument.optional, "differentiable": argument.differentiable,
        })
    };
    let option = |[name, value, expects, doc]: [String; 4]| json!({ "name": name, "default": value, "expects": expects, "doc": doc });
    json!({
        "name": entry.name, "kind": format!("{:?}", entry.kind), "formula": entry.formula,
        "arguments": entry.arguments.iter().chain([&SAMPLE_WEIGHT]).map(argument).collect::<Vec<_>>(),
        "options": loss.options().into_iter().map(option).collect::<Vec<_>>(),
    })
}
