//! A comparison as tables and as JSON.

use super::{Comparison, Judged, OfFormat, Output, verdict};
use crate::run::{BackendName, Dtype, RUNNERS};
use crate::write::number;
use comfy_table::{CellAlignment, Table, presets};
use lossmith_precision::Worst;
use serde_json::{Map, Value, json};

const NOTES: &str = "Against the exact results, in 256 bits, on the inputs as rounded to each format.\n\
    ulp: units in the last place of the exact result; !: results are NaN, infinite, 0 or of the other sign where the exact ones are not.\n\
    input rounding: how far rounding the inputs moves the exact result, relative to the largest.";

/// The verdicts on one loss, and its figures.
pub(super) fn one(compared: &[Comparison]) -> String {
    let verdicts = compared.iter().map(|comparison| {
        let rows = match comparison.rows {
            Some([there, taken]) if taken < there => {
                format!(" on the first {taken} of {there} rows")
            }
            _ => String::new(),
        };
        format!("{}{rows}\n{}", comparison.loss, verdicts(comparison).trim_fmt())
    });
    let verdicts = verdicts.collect::<Vec<_>>().join("\n\n");
    format!("{verdicts}\n\n{}\n\n{NOTES}", figures(compared).trim_fmt())
}

/// The largest error of each loss on each backend and format, and all figures.
pub(super) fn all(compared: &[Comparison]) -> String {
    format!("{}\n\n{}\n\n{NOTES}", overview(compared).trim_fmt(), figures(compared).trim_fmt())
}

/// What each format is to the data, a line for those that are alike.
fn verdicts(comparison: &Comparison) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["format", "backend", "verdict"]);
    for of_format in &comparison.formats {
        let OfFormat { dtype, scale, judged, .. } = of_format;
        let mut lines: Vec<(String, String)> = Vec::new();
        for judged in judged {
            let words = verdict::of(judged, dtype.format()).words;
            match lines.iter_mut().find(|(_, said)| *said == words) {
                Some((by, _)) => by.extend([", ", judged.by]),
                None => lines.push((judged.by.to_owned(), words)),
            }
        }
        lines.extend(verdict::of_inputs(of_format).map(|words| ("rounded inputs".into(), words)));
        lines.extend(scale.map(|scale| (String::new(), verdict::of_scale(scale))));
        for (place, (by, words)) in lines.into_iter().enumerate() {
            let format = if place == 0 { dtype.name() } else { "" };
            table.add_row([format.to_owned(), by, words]);
        }
    }
    table
}

fn overview(compared: &[Comparison]) -> Table {
    let mut table = Table::new();
    let runners = || RUNNERS.iter().filter(|runner| runner.0 != BackendName::Reference);
    let heads =
        runners().map(|(backend, dtype, _)| format!("{}\n{}", backend.name(), dtype.name()));
    table
        .load_style(presets::NOTHING)
        .set_header(std::iter::once("worst ulp".to_owned()).chain(heads));
    for comparison in compared {
        let cells = runners().map(|(backend, dtype, _)| {
            let of_format = comparison.formats.iter().find(|of_format| of_format.dtype == *dtype);
            let judged = of_format.and_then(|of_format| {
                of_format.judged.iter().find(|judged| judged.by == backend.name())
            });
            let Some(Ok(outputs)) = judged.map(|judged| &judged.outputs) else {
                return "–".into();
            };
            let most = outputs.iter().map(|output| output.measures.max()).fold(0.0, f64::max);
            let wrong = outputs.iter().any(|output| output.measures.disagreements() > 0);
            let digits = if most < 1e4 { format!("{most:.1}") } else { format!("{most:.0e}") };
            format!("{digits}{}", if wrong { "!" } else { "" })
        });
        table.add_row(std::iter::once(comparison.loss.to_owned()).chain(cells));
    }
    align(&mut table, 1..runners().count() + 1);
    table
}

/// Numbers to the right.
pub(crate) fn align(table: &mut Table, columns: std::ops::Range<usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

fn figures(compared: &[Comparison]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "loss",
        "output",
        "backend",
        "dtype",
        "max ulp",
        "99 %",
        "mean",
        "max rel",
        "input rounding",
        "NaN",
        "∞",
        "0",
        "sign",
        "worst element",
    ]);
    for comparison in compared {
        let mut loss = comparison.loss;
        for (dtype, judged) in comparison.judged() {
            let outputs = match &judged.outputs {
                Ok(outputs) => outputs,
                Err(why) => {
                    let mut cells = vec![loss, "all", judged.by, dtype.name()];
                    cells.extend([""; 9]);
                    table.add_row([cells, vec![&format!("not supported: {why}")]].concat());
                    loss = "";
                    continue;
                }
            };
            for output in outputs {
                let Output { name, measures, rounding, .. } = output;
                table.add_row([
                    loss.to_owned(),
                    name.clone(),
                    judged.by.to_owned(),
                    dtype.name().to_owned(),
                    format!("{:.2}", measures.max()),
                    format!("{:.2}", measures.percentile_99()),
                    format!("{:.3}", measures.mean()),
                    format!("{:.1e}", measures.relative),
                    format!("{rounding:.1e}"),
                    measures.nan.to_string(),
                    measures.infinite.to_string(),
                    measures.flushed.to_string(),
                    measures.sign.to_string(),
                    measures.worst.as_ref().map_or(String::new(), |w| worst(w, output, dtype)),
                ]);
                loss = "";
            }
        }
    }
    align(&mut table, 4..13);
    table
}

/// What came, what should have, and the inputs there.
fn worst(worst: &Worst, output: &Output, dtype: Dtype) -> String {
    if worst.ulps == 0.0 {
        return "exact".into();
    }
    let digits = match dtype {
        Dtype::F64 => 16,
        Dtype::F32 => 8,
        Dtype::F16 | Dtype::Bf16 => 4,
    };
    let Worst { index, got, exact, .. } = worst;
    let exact = exact.to_f64();
    let at: Vec<_> = output.inputs.iter().map(|(name, x)| format!("{name}={x}")).collect();
    let at = if at.is_empty() { String::new() } else { format!(" at {}", at.join(" ")) };
    format!("[{index}] {got:.digits$e}, not {exact:.digits$e}{at}")
}

impl Comparison {
    fn judged(&self) -> impl Iterator<Item = (Dtype, &Judged)> {
        let of = |of_format: &'_ OfFormat| of_format.dtype;
        self.formats.iter().flat_map(move |of_format| {
            of_format.judged.iter().map(move |judged| (of(of_format), judged))
        })
    }
}

/// The figures, and the verdicts.
pub(super) fn json(compared: &[Comparison]) -> String {
    let (mut results, mut formats) = (Vec::new(), Vec::new());
    for comparison in compared {
        let loss = comparison.loss;
        for of_format in &comparison.formats {
            let dtype = of_format.dtype;
            let verdicts = of_format.judged.iter().map(|judged| {
                let verdict = verdict::of(judged, dtype.format());
                json!({ "backend": judged.by, "safe": verdict.safe, "words": verdict.words })
            });
            let scale = of_format
                .scale
                .map(|scale| json!({ "exponent": scale.exponent, "still_0": scale.below }));
            formats.push(json!({
                "loss": loss, "dtype": dtype.name(), "verdicts": verdicts.collect::<Vec<_>>(),
                "inputs": verdict::of_inputs(of_format), "loss_scale": scale,
                "rows": comparison.rows.map(|[_, taken]| taken),
            }));
        }
        for (dtype, judged) in comparison.judged() {
            let head = json!({ "loss": loss, "backend": judged.by, "dtype": dtype.name() });
            match &judged.outputs {
                Err(why) => results.push(with(head, json!({ "unsupported": why }))),
                Ok(outputs) => {
                    results
                        .extend(outputs.iter().map(|output| with(head.clone(), describe(output))));
                }
            }
        }
    }
    json!({ "results": results, "formats": formats }).to_string()
}

fn with(mut all: Value, more: Value) -> Value {
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}

fn describe(output: &Output) -> Value {
    let Output { name, measures, rounding, inputs, overflow, cause } = output;
    let worst = measures.worst.as_ref().map(|worst| {
        let inputs: Map<_, _> = inputs.iter().map(|(name, x)| (name.clone(), number(*x))).collect();
        json!({
            "index": worst.index, "got": number(worst.got), "exact": worst.exact.decimal(24),
            "inputs": inputs,
        })
    });
    let overflow = overflow.as_ref().map(|at| json!({ "op": at.op, "elements": at.elements }));
    json!({
        "output": name, "count": measures.count(), "bits": measures.bits(),
        "max_ulp": number(measures.max()), "p99_ulp": measures.percentile_99(),
        "mean_ulp": number(measures.mean()), "not_nearest": measures.misrounded(),
        "max_relative": number(measures.relative), "max_absolute": number(measures.absolute),
        "explained": number(measures.explained), "input_rounding": number(*rounding),
        "nan": measures.nan, "infinite": measures.infinite, "flushed": measures.flushed,
        "sign": measures.sign, "astray_ulp": number(measures.astray), "beyond": measures.beyond, "below": measures.below,
        "worst": worst, "cause": cause, "overflow": overflow,
    })
}
