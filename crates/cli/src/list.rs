//! `lossmith list`

use crate::error::Error;
use crate::run::Loss;
use comfy_table::{Table, presets};
use lossmith_core::catalogue::{self, Argument, SAMPLE_WEIGHT};
use serde_json::{Value, json};

pub(crate) fn run(name: Option<&str>, json: bool) -> Result<(), Error> {
    let losses = match name {
        Some(name) => vec![catalogue::find(name)?],
        None => catalogue::all(),
    };
    if json {
        let all: Vec<Value> = losses.into_iter().map(describe).collect();
        println!("{}", Value::from(all));
    } else if name.is_some() {
        losses.into_iter().for_each(full);
    } else {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_header([
            "loss",
            "arguments",
            "options",
            "per element",
        ]);
        for mut loss in losses {
            let entry = loss.entry();
            let arguments: Vec<_> = entry.arguments.iter().map(mark).collect();
            let options =
                loss.options().into_iter().filter(|[name, ..]| !COMMON.contains(&name.as_str()));
            let options: Vec<_> =
                options.map(|[name, value, ..]| format!("{name}={value}")).collect();
            table.add_row([entry.name, &arguments.join(" "), &options.join(" "), entry.formula]);
        }
        println!("{}", table.trim_fmt());
        println!(
            "∂ differentiable, [ ] optional. Every loss also takes sample_weight, and the options {}.",
            COMMON.join(", ")
        );
    }
    Ok(())
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

fn full(mut loss: Loss) {
    let entry = loss.entry();
    println!("{}: {}\n", entry.name, entry.formula);
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["argument", "shape", "elements", "domain"]);
    for argument in entry.arguments.iter().chain([&SAMPLE_WEIGHT]) {
        let (form, values) = (format!("{:?}", argument.form), format!("{:?}", argument.values));
        table.add_row([&mark(argument), &form, &values, domain(argument)]);
    }
    println!("{}\n", table.trim_fmt());
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["option", "default", "may be", "what it does"]);
    for option in loss.options() {
        table.add_row(option);
    }
    println!("{}", table.trim_fmt());
}

fn describe(mut loss: Loss) -> Value {
    let entry = loss.entry();
    let argument = |argument: &Argument| {
        json!({
            "name": argument.name, "form": format!("{:?}", argument.form),
            "values": format!("{:?}", argument.values), "domain": domain(argument),
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
