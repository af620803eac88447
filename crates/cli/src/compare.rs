//! `lossmith compare`

use crate::error::Error;
use crate::progress::Progress;
use crate::read::{Argument, Data};
use crate::run::{Dtype, Loss, RUNNERS, inputs};
use crate::write::number;
use comfy_table::{CellAlignment, Table, presets};
use lossmith_core::{Dense, Reference};
use serde_json::{Value, json};

/// One output of one loss on one backend and format.
struct Row {
    loss: &'static str,
    output: String,
    backend: String,
    dtype: Dtype,
    /// How far it is from the reference, or why the backend cannot hold the inputs.
    error: Result<Distance, String>,
}

/// How far an output is from the reference.
#[derive(Default)]
struct Distance {
    /// How far the reference's own result moves when its inputs are rounded to the format, relative to the largest.
    rounding: f64,
    largest_ulp: f64,
    mean_ulp: f64,
    relative: f64,
    worst: Option<Worst>,
    nan: usize,
    infinite: usize,
    flushed: usize,
}

/// Where an error is largest: what came, what should have, and the inputs there.
struct Worst {
    index: usize,
    got: f64,
    exact: f64,
    inputs: Vec<(String, f64)>,
}

pub(crate) fn run(problems: &[(Loss, Vec<Argument>)], json: bool) -> Result<String, Error> {
    let progress = Progress::new(problems.len() * RUNNERS.len());
    let mut rows = Vec::new();
    for (loss, arguments) in problems {
        let exact = loss.value_and_grad(&Reference, &inputs(arguments, Dtype::F64))?;
        for (backend, dtype, run) in RUNNERS.iter().skip(1) {
            progress.step(loss.entry().name);
            let inputs = inputs(arguments, *dtype);
            let rounded = loss.value_and_grad(&Reference, &inputs)?;
            let row = |output, error| Row {
                loss: loss.entry().name,
                output,
                backend: format!("{backend:?}").to_lowercase(),
                dtype: *dtype,
                error,
            };
            let got = match run(loss, &inputs) {
                // What a backend cannot hold or do is a row of its own, and the others go on.
                Err(
                    error @ (lossmith_core::Error::Backend(_)
                    | lossmith_core::Error::Unsupported { .. }),
                ) => {
                    rows.push(row("all".into(), Err(error.to_string())));
                    continue;
                }
                result => result?,
            };
            for ((output, got), ((_, rounded), (_, exact))) in
                got.outputs().zip(rounded.outputs().zip(exact.outputs()))
            {
                let mut error = distance(got, rounded, *dtype);
                error.rounding = moved(rounded, exact);
                if let Some(worst) = &mut error.worst {
                    worst.inputs = inputs_at(arguments, got.shape(), worst.index, *dtype);
                }
                rows.push(row(output, Ok(error)));
            }
        }
    }
    progress.clear();
    if json {
        return Ok(Value::from(rows.iter().map(describe).collect::<Vec<_>>()).to_string());
    }
    Ok(format!(
        "{}\n\n{}\n\nAgainst the f64 reference on the inputs as rounded to each format.\n\
         ulp: units in the last place of the exact result; !: results are NaN, infinite or 0 where the reference's are not.\n\
         input rounding: how far rounding the inputs moves the result, relative to the largest.",
        overview(&rows).trim_fmt(),
        table(&rows).trim_fmt()
    ))
}

fn distance(got: &Dense, exact: &Dense, dtype: Dtype) -> Distance {
    let mut row = Distance::default();
    let mut counted = 0.0;
    for (index, (&got, &exact)) in got.data().iter().zip(exact.data()).enumerate() {
        row.nan += usize::from(got.is_nan() && !exact.is_nan());
        row.infinite += usize::from(got.is_infinite() && exact.is_finite());
        row.flushed += usize::from(got == 0.0 && exact != 0.0);
        if !got.is_finite() || !exact.is_finite() {
            continue;
        }
        let error = (got - exact).abs();
        let ulps = error / dtype.format().ulp(exact);
        counted += 1.0;
        row.mean_ulp += (ulps - row.mean_ulp) / counted;
        if error > 0.0 {
            row.relative = row.relative.max(error / exact.abs());
        }
        if ulps > row.largest_ulp {
            row.largest_ulp = ulps;
            row.worst = Some(Worst { index, got, exact, inputs: Vec::new() });
        }
    }
    row
}

/// The arguments' elements at an element of an output: those of the output's own shape, and the row's label.
fn inputs_at(
    arguments: &[Argument],
    shape: &[usize],
    index: usize,
    dtype: Dtype,
) -> Vec<(String, f64)> {
    let mut found = Vec::new();
    for Argument { name, data, .. } in arguments {
        let element = match data {
            Data::Numbers(numbers) if numbers.shape() == shape && !shape.is_empty() => {
                Some(dtype.format().round(numbers.data()[index]))
            }
            Data::Numbers(_) => None,
            #[allow(clippy::cast_precision_loss, reason = "a label is small")]
            Data::Labels(labels) => label_at(labels.shape.len(), shape, index)
                .and_then(|row| labels.data.get(row).map(|&label| label as f64)),
        };
        found.extend(element.map(|element| (name.clone(), element)));
    }
    found
}

/// The row of an element of a gradient by classes, or of an unreduced loss.
fn label_at(rank: usize, shape: &[usize], index: usize) -> Option<usize> {
    if shape.len() == rank {
        return (rank > 0).then_some(index);
    }
    let class_axis = usize::from(shape.len() > 1);
    let inner: usize = shape.get(class_axis + 1..)?.iter().product();
    Some(index / (inner * shape.get(class_axis)?) * inner + index % inner)
}

/// The largest difference, relative to the largest number.
fn moved(rounded: &Dense, exact: &Dense) -> f64 {
    let finite = |x: &f64| x.is_finite();
    let largest =
        exact.data().iter().filter(|x| finite(x)).fold(0.0, |most: f64, x| most.max(x.abs()));
    let pairs = rounded.data().iter().zip(exact.data());
    let differences = pairs.map(|(a, b)| (a - b).abs()).filter(finite);
    let most = differences.fold(0.0, f64::max);
    if most == 0.0 { 0.0 } else { most / largest }
}

/// The largest error of each loss on each backend and format.
fn overview(rows: &[Row]) -> Table {
    let mut table = Table::new();
    let runners = RUNNERS.iter().skip(1);
    let heads = runners
        .clone()
        .map(|(backend, dtype, _)| format!("{backend:?}\n{}", dtype.name()).to_lowercase());
    table
        .load_style(presets::NOTHING)
        .set_header(std::iter::once("worst ulp".to_owned()).chain(heads));
    let mut losses: Vec<&str> = rows.iter().map(|row| row.loss).collect();
    losses.dedup();
    for loss in losses {
        let cells = runners.clone().map(|(backend, dtype, _)| {
            let backend = format!("{backend:?}").to_lowercase();
            let of_runner =
                |row: &&Row| row.loss == loss && row.backend == backend && row.dtype == *dtype;
            let errors = rows.iter().filter(of_runner).map(|row| row.error.as_ref());
            errors.collect::<Result<Vec<_>, _>>().map_or("–".into(), |errors| {
                let most = errors.iter().fold(0.0, |most: f64, error| most.max(error.largest_ulp));
                let wrong = errors.iter().any(|e| e.nan + e.infinite + e.flushed > 0);
                let digits = if most < 1e4 { format!("{most:.1}") } else { format!("{most:.0e}") };
                format!("{digits}{}", if wrong { "!" } else { "" })
            })
        });
        table.add_row(std::iter::once(loss.to_owned()).chain(cells));
    }
    align(&mut table, 1..RUNNERS.len());
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

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "loss",
        "output",
        "backend",
        "dtype",
        "max ulp",
        "mean ulp",
        "max rel",
        "input rounding",
        "NaN",
        "∞",
        "0",
        "worst element",
    ]);
    let mut last = "";
    for row in rows {
        let loss = if row.loss == last { "" } else { row.loss };
        last = row.loss;
        let mut cells = vec![loss.into(), row.output.clone(), row.backend.clone()];
        cells.push(row.dtype.name().into());
        match &row.error {
            Ok(error) => cells.extend([
                format!("{:.2}", error.largest_ulp),
                format!("{:.3}", error.mean_ulp),
                format!("{:.1e}", error.relative),
                format!("{:.1e}", error.rounding),
                error.nan.to_string(),
                error.infinite.to_string(),
                error.flushed.to_string(),
                error.worst.as_ref().map_or("exact".into(), |worst| worst.show(row.dtype)),
            ]),
            Err(why) => {
                cells.extend(std::iter::repeat_n(String::new(), 7));
                cells.push(format!("not supported: {why}"));
            }
        }
        table.add_row(cells);
    }
    align(&mut table, 4..11);
    table
}

impl Worst {
    fn show(&self, dtype: Dtype) -> String {
        let digits = match dtype {
            Dtype::F64 => 16,
            Dtype::F32 => 8,
            Dtype::F16 | Dtype::Bf16 => 4,
        };
        let Self { index, got, exact, inputs } = self;
        let at: Vec<_> = inputs.iter().map(|(name, x)| format!("{name}={x}")).collect();
        let at = if at.is_empty() { String::new() } else { format!(" at {}", at.join(" ")) };
        format!("[{index}] {got:.digits$e}, not {exact:.digits$e}{at}")
    }
}

fn describe(row: &Row) -> Value {
    let mut all = json!({
        "loss": row.loss, "output": row.output, "backend": row.backend, "dtype": row.dtype.name(),
    });
    let more = match &row.error {
        Err(why) => json!({ "unsupported": why }),
        Ok(error) => {
            let worst = error.worst.as_ref().map(|Worst { index, got, exact, inputs }| {
                let inputs = inputs.iter().map(|(name, x)| (name.clone(), number(*x)));
                let inputs: serde_json::Map<_, _> = inputs.collect();
                json!({
                    "index": index, "got": number(*got), "expected": number(*exact),
                    "inputs": inputs,
                })
            });
            json!({
                "max_ulp": number(error.largest_ulp), "mean_ulp": number(error.mean_ulp),
                "max_relative": number(error.relative), "input_rounding": number(error.rounding),
                "worst": worst, "nan": error.nan, "infinite": error.infinite,
                "flushed": error.flushed,
            })
        }
    };
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}
