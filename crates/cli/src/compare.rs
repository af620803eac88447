//! `lossmith compare`

use crate::error::Error;
use crate::read::Argument;
use crate::run::{Dtype, Loss, RUNNERS, inputs};
use crate::write::number;
use comfy_table::{CellAlignment, Table, presets};
use lossmith_core::{Dense, Reference};
use serde_json::{Value, json};

/// How far one output of one backend and format is from the reference.
struct Row {
    loss: &'static str,
    output: String,
    backend: String,
    dtype: &'static str,
    /// How far the reference's own result moves when its inputs are rounded to the format, relative to the largest.
    rounding: f64,
    largest_ulp: f64,
    mean_ulp: f64,
    relative: f64,
    /// Where the error is largest: the element, and what came there and should have.
    worst: Option<(usize, f64, f64)>,
    nan: usize,
    infinite: usize,
    flushed: usize,
}

pub(crate) fn run(problems: &[(Loss, Vec<Argument>)], json: bool) -> Result<(), Error> {
    let mut rows = Vec::new();
    for (loss, arguments) in problems {
        let exact = loss.value_and_grad(&Reference, &inputs(arguments, Dtype::F64))?;
        for (backend, dtype, run) in RUNNERS.iter().skip(1) {
            let inputs = inputs(arguments, *dtype);
            let rounded = loss.value_and_grad(&Reference, &inputs)?;
            let backend = format!("{backend:?}").to_lowercase();
            let got = match run(loss, &inputs) {
                // What a backend cannot hold is said, and the others go on.
                Err(lossmith_core::Error::Backend(error)) => {
                    eprintln!(
                        "{} on {backend} {}: not supported: {error}",
                        loss.entry().name,
                        dtype.name()
                    );
                    continue;
                }
                result => result?,
            };
            for ((output, got), ((_, rounded), (_, exact))) in
                got.outputs().zip(rounded.outputs().zip(exact.outputs()))
            {
                let mut row = judge(got, rounded, *dtype);
                row.loss = loss.entry().name;
                row.output = output;
                row.backend.clone_from(&backend);
                row.rounding = moved(rounded, exact);
                rows.push(row);
            }
        }
    }
    if json {
        println!("{}", Value::from(rows.iter().map(describe).collect::<Vec<_>>()));
    } else {
        println!("{}", table(&rows).trim_fmt());
        println!(
            "\nAgainst the f64 reference on the inputs as rounded to each format. ulp: units in the last place of the exact result;\n\
             input rounding: how far rounding the inputs moves the result; NaN ∞ 0: where the reference has none."
        );
    }
    Ok(())
}

fn judge(got: &Dense, exact: &Dense, dtype: Dtype) -> Row {
    let mut row = Row {
        loss: "",
        output: String::new(),
        backend: String::new(),
        dtype: dtype.name(),
        rounding: 0.0,
        largest_ulp: 0.0,
        mean_ulp: 0.0,
        relative: 0.0,
        worst: None,
        nan: 0,
        infinite: 0,
        flushed: 0,
    };
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
            row.worst = Some((index, got, exact));
        }
    }
    row
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
        let worst = row.worst.map_or("exact".into(), |(index, got, exact)| {
            format!("[{index}] {got:.6e}, not {exact:.6e}")
        });
        let loss = if row.loss == last { "" } else { row.loss };
        last = row.loss;
        table.add_row([
            loss,
            &row.output,
            &row.backend,
            row.dtype,
            &format!("{:.2}", row.largest_ulp),
            &format!("{:.3}", row.mean_ulp),
            &format!("{:.1e}", row.relative),
            &format!("{:.1e}", row.rounding),
            &row.nan.to_string(),
            &row.infinite.to_string(),
            &row.flushed.to_string(),
            &worst,
        ]);
    }
    for index in 4..11 {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

fn describe(row: &Row) -> Value {
    let worst = row.worst.map(|(index, got, exact)| {
        json!({ "index": index, "got": number(got), "expected": number(exact) })
    });
    json!({
        "loss": row.loss, "output": row.output, "backend": row.backend, "dtype": row.dtype,
        "max_ulp": number(row.largest_ulp), "mean_ulp": number(row.mean_ulp),
        "max_relative": number(row.relative), "input_rounding": number(row.rounding),
        "worst": worst, "nan": row.nan, "infinite": row.infinite, "flushed": row.flushed,
    })
}
