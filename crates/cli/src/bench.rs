//! `lossmith bench`

use crate::compare::align;
use crate::error::Error;
use crate::progress::Progress;
use clap::Args;
use clap::builder::PossibleValuesParser;
use comfy_table::{Table, presets};
use lossmith_benches::{Arrays, Budget, CLASSES, Case, ENGINES, Engine, Roof, Size, alternate};
use lossmith_core::format::Format;
use lossmith_core::loss::Definition;
use lossmith_core::shape::Layout;
use lossmith_core::{Loss, catalogue};
use lossmith_fused::Level;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;

/// What is timed by default, and how near to the roof it has to be.
const BARS: &str = include_str!("bars.json");

/// What to time.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Losses of the catalogue [default: all]
    losses: Vec<String>,
    /// Sides of the main input, as in 4096x1000; several with commas [default: those of the bars]
    #[arg(long = "size", value_delimiter = ',')]
    sizes: Vec<Size>,
    /// The backend
    #[arg(long, default_value = ENGINES[0].backend, value_parser = one_of(|engine| engine.backend))]
    backend: String,
    /// The format of its numbers
    #[arg(long, default_value = ENGINES[0].format.name, value_parser = one_of(|engine| engine.format.name))]
    format: String,
    /// The vector instructions of the fused engine [default: the best of this machine]
    #[arg(long, value_parser = level)]
    level: Option<Level>,
    /// Seconds for each loss and size, though never fewer than five rounds
    #[arg(long, default_value = "0.5")]
    seconds: f64,
    /// Fail where a fraction of the roof is below its bar
    #[arg(long)]
    check: bool,
    /// Other bars than the built-in ones
    #[arg(long, value_name = "FILE")]
    bars: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What the engines have, each once.
fn one_of(what: fn(&Engine) -> &'static str) -> PossibleValuesParser {
    let mut all: Vec<_> = ENGINES.iter().map(what).collect();
    all.sort_unstable();
    all.dedup();
    PossibleValuesParser::new(all)
}

/// The level of this machine with that name.
fn level(name: &str) -> Result<Level, String> {
    let all = Level::available();
    let names: Vec<_> = all.iter().map(Level::to_string).collect();
    let named = names.iter().position(|level| level.eq_ignore_ascii_case(name));
    named.map(|place| all[place]).ok_or_else(|| format!("this machine has {}", names.join(", ")))
}

/// Losses at sizes, all with the same bar: a group of the bars' file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    losses: Vec<String>,
    sizes: Vec<String>,
    #[serde(default)]
    options: Vec<String>,
    #[serde(default)]
    with: Vec<String>,
    #[serde(default)]
    ignored: bool,
    classes: Option<usize>,
    #[serde(default)]
    columns: bool,
    bar: Option<f64>,
}

/// A case with its bar, on one engine.
struct Row {
    case: Case,
    engine: &'static Engine,
    bar: Option<f64>,
    seconds: f64,
    spread: f64,
    roof: f64,
    kernel: &'static str,
    bytes: usize,
}

pub(crate) fn run(wanted: &Wanted) -> Result<String, Error> {
    if !(0.0..=3600.0).contains(&wanted.seconds) {
        return Err(Error::Usage(format!("--seconds {}: it is from 0 to 3600", wanted.seconds)));
    }
    let cases = wanted.cases()?;
    let runs = cases.iter().flat_map(|(case, bar)| {
        let fits = |engine: &&Engine| {
            engine.backend == wanted.backend
                && engine.format.name == wanted.format
                && engine.arrays == case.arrays
        };
        ENGINES.iter().filter(fits).map(move |engine| (case, *bar, engine))
    });
    let runs: Vec<_> = runs.collect();
    if runs.is_empty() {
        let (backend, format) = (&wanted.backend, &wanted.format);
        return Err(Error::Usage(format!(
            "--backend {backend} --format {format} has none of these sizes: give --size, or another format"
        )));
    }
    let level = wanted.level.unwrap_or_else(Level::detect);
    let budget = Budget { time: Duration::from_secs_f64(wanted.seconds), rounds: 5 };
    let progress = Progress::new(runs.len());
    let mut rows = Vec::new();
    for (case, bar, engine) in runs {
        progress.step(&format!("{} {}", case.loss, case.size));
        rows.push(measure(level, case, bar, engine, budget)?);
    }
    progress.clear();
    let report = if wanted.json { describe(&rows, level) } else { show(&rows, level) };
    let misses: Vec<_> = rows.iter().filter_map(|row| row.miss(&rows)).collect();
    if wanted.check && !misses.is_empty() {
        return Err(Error::Slow { report, misses });
    }
    Ok(report)
}

impl Wanted {
    /// The cases of the bars that are asked for, or the losses at the sizes that are.
    fn cases(&self) -> Result<Vec<(Case, Option<f64>)>, Error> {
        let losses = self.losses.iter().map(|name| Ok(catalogue::find(name)?.entry().name));
        let losses: Vec<&str> = losses.collect::<Result<_, Error>>()?;
        let (text, name) = match &self.bars {
            None => (BARS.to_owned(), "bars.json".to_owned()),
            Some(file) => {
                let name = file.display().to_string();
                let unread = |error| Error::Usage(format!("--bars {name}: {error}"));
                (std::fs::read_to_string(file).map_err(unread)?, name)
            }
        };
        let mut cases = committed(&text).map_err(|what| Error::Usage(format!("{name}: {what}")))?;
        if self.bars.is_none() {
            cases.extend(plain(&cases));
        }
        let every = catalogue::all().into_iter().map(|loss| loss.entry().name);
        let asked: Vec<_> =
            every.filter(|name| losses.is_empty() || losses.contains(name)).collect();
        if !self.sizes.is_empty() {
            cases.retain(|(case, _)| self.sizes.contains(&case.size));
            let all = asked.iter().flat_map(|loss| self.sizes.iter().map(move |size| (loss, size)));
            for plain in all.map(|(loss, size)| Case::plain(loss, size.clone())) {
                if !cases.iter().any(|(case, _)| *case == plain) {
                    cases.push((plain, None));
                }
            }
        }
        let place = |case: &Case| asked.iter().position(|name| *name == case.loss);
        cases.retain(|(case, _)| place(case).is_some());
        cases.sort_by_key(|(case, _)| (place(case), case.size.elements()));
        Ok(cases)
    }
}

/// The cases of a file of bars.
fn committed(text: &str) -> Result<Vec<(Case, Option<f64>)>, String> {
    let groups: Vec<Group> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut cases = Vec::new();
    for group in groups {
        for loss in &group.losses {
            catalogue::find(loss).map_err(|error| error.to_string())?;
            for size in &group.sizes {
                let case = Case {
                    options: group.options.clone(),
                    with: group.with.clone(),
                    ignored: group.ignored,
                    classes: group.classes.unwrap_or(CLASSES),
                    arrays: if group.columns { Arrays::Nalgebra } else { Arrays::Ndarray },
                    ..Case::plain(loss, size.parse()?)
                };
                cases.push((case, group.bar));
            }
        }
    }
    Ok(cases)
}

/// Every loss that the file has nothing of: at a few sizes, the largest within three times its roof.
fn plain(cases: &[(Case, Option<f64>)]) -> Vec<(Case, Option<f64>)> {
    let missing = catalogue::all().into_iter().filter(|loss| {
        let name = loss.entry().name;
        !cases.iter().any(|(case, _)| case.loss == name)
    });
    let at_sizes = |loss: Loss<Box<dyn Definition>>| {
        let sizes: &[(&str, Option<f64>)] = match loss.definition().layout() {
            Layout::Pointwise => &[("1000", None), ("100000", None), ("10000000", Some(0.33))],
            Layout::Classes | Layout::Along(_) | Layout::Over(_) => {
                &[("32x10", None), ("4096x1000", Some(0.33))]
            }
        };
        let sized = sizes.iter().filter_map(move |&(size, bar)| {
            Some((Case::plain(loss.entry().name, size.parse().ok()?), bar))
        });
        sized.collect::<Vec<_>>()
    };
    missing.flat_map(at_sizes).collect()
}

fn measure(
    level: Level,
    case: &Case,
    bar: Option<f64>,
    engine: &'static Engine,
    budget: Budget,
) -> Result<Row, Error> {
    let loss = case.loss()?;
    let problem = case.problem(&loss)?;
    let mut row = None;
    (engine.time)(level, &loss, &problem, &mut |once| {
        let mut roof = Roof::new(&problem, once()?, engine.format, (engine.threads)());
        let [times, roofs] = alternate(budget, || once().map(drop), || roof.run())?;
        row = Some(Row {
            case: case.clone(),
            engine,
            // Bars are of f32, with 512-bit vectors; without them, half.
            bar: bar
                .filter(|_| engine.format == Format::F32)
                .map(|bar| if level.to_string() == "AVX-512" { bar } else { bar / 2.0 }),
            seconds: times.median(),
            spread: times.spread(),
            roof: roofs.median(),
            kernel: roof.name(),
            bytes: roof.bytes(),
        });
        Ok(())
    })?;
    row.ok_or_else(|| Error::Usage(format!("{} was not measured", case.loss)))
}

impl Row {
    fn fraction(&self) -> f64 {
        self.roof / self.seconds
    }

    /// GB/s of what must be read and written at least once.
    fn speed(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "bytes of memory fit 53 bits")]
        let bytes = self.bytes as f64;
        bytes / self.seconds / 1e9
    }

    /// What to say if the case is below its bar; where gradients go to fresh and to given buffers, by the faster.
    fn miss(&self, rows: &[Self]) -> Option<String> {
        let bar = self.bar.filter(|&bar| self.fraction() < bar)?;
        let faster = |row: &Self| row.case == self.case && row.seconds < self.seconds;
        let (case, fraction) = (&self.case, self.fraction());
        let name = [case.loss.as_str(), &case.size.to_string(), &case.variant()].join(" ");
        let name = name.trim_end();
        (!rows.iter().any(faster))
            .then(|| format!("{name}: {fraction:.2} of the roof, below its bar of {bar:.2}"))
    }
}

fn show(rows: &[Row], level: Level) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header([
        "loss", "size", "", "buffers", "time", "spread", "GB/s", "roof", "", "of roof", "bar",
    ]);
    let mut last = "";
    for row in rows {
        let loss = if row.case.loss == last { "" } else { &row.case.loss };
        last = &row.case.loss;
        table.add_row([
            loss.to_owned(),
            row.case.size.to_string(),
            row.case.variant(),
            row.engine.buffers.name().to_owned(),
            time(row.seconds),
            format!("{:.0} %", 100.0 * row.spread),
            format!("{:.1}", row.speed()),
            time(row.roof),
            row.kernel.to_owned(),
            format!("{:.2}", row.fraction()),
            row.bar.map_or(String::new(), |bar| format!("{bar:.2}")),
        ]);
    }
    align(&mut table, 4..8);
    align(&mut table, 9..11);
    let [backend, format, threads] = rows.first().map_or(["", "", ""].map(String::from), |row| {
        let Engine { backend, format, threads, .. } = row.engine;
        [(*backend).to_owned(), format.name.to_owned(), threads().to_string()]
    });
    format!(
        "{}\n\n\
         Value and gradients on {backend} in {format}: {threads} thread(s), {level}. Medians; spread: of the middle half.\n\
         roof: a copy, or x − y, of the bytes that must be read and written at least once, by as many threads, in turns;\n\
         products: those of a loss's layers and of their gradients alone.",
        table.trim_fmt(),
    )
}

/// A time in the unit that suits it.
fn time(seconds: f64) -> String {
    match seconds {
        1.0.. => format!("{seconds:.2} s"),
        1e-3.. => format!("{:.2} ms", seconds * 1e3),
        _ => format!("{:.2} µs", seconds * 1e6),
    }
}

fn describe(rows: &[Row], level: Level) -> String {
    let row = |row: &Row| {
        json!({
            "loss": row.case.loss, "size": row.case.size.to_string(), "variant": row.case.variant(),
            "backend": row.engine.backend, "format": row.engine.format.name, "buffers": row.engine.buffers.name(),
            "threads": (row.engine.threads)(), "seconds": row.seconds, "spread": row.spread,
            "bytes": row.bytes, "gb_per_s": row.speed(), "roof": row.kernel,
            "roof_seconds": row.roof, "fraction": row.fraction(), "bar": row.bar,
        })
    };
    json!({ "simd": level.to_string(), "rows": Value::from(rows.iter().map(row).collect::<Vec<_>>()) })
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_of_the_catalogue_is_timed() {
        let mut cases = committed(BARS).unwrap();
        cases.extend(plain(&cases));
        for loss in catalogue::all() {
            let name = loss.entry().name;
            assert!(cases.iter().any(|(case, _)| case.loss == name), "{name} is not timed");
        }
        for (case, _) in cases {
            case.loss().unwrap();
        }
    }

    #[test]
    fn a_file_of_bars_names_what_there_is() {
        let group = |loss: &str, size: &str| {
            committed(&format!(r#"[{{"losses": ["{loss}"], "sizes": ["{size}"], "bar": 1}}]"#))
        };
        assert_eq!(group("mse", "2x3").unwrap().len(), 1);
        assert!(group("rmse", "2x3").unwrap_err().contains("rmse"));
        assert!(group("mse", "2y3").unwrap_err().contains("2y3"));
        assert!(group("mse", "99999999999x99999999999").is_err());
    }
}
