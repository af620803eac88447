//! `lossmith compare --report` and `--against`: the worst that each loss can be off, on every backend and format.

mod curves;
mod kept;
mod page;

use crate::beside::Beside;
use crate::compare::align;
use crate::error::Error;
use crate::progress::Progress;
use crate::run::{BackendName, Dtype, Loss, RUNNERS, WhichOps, ask, loss as loss_of};
use clap::Args;
use comfy_table::{Table, presets};
use curves::{Curves, curves};
use half::{bf16, f16};
use kept::{Kept, Measured, Settings};
use lossmith_core::catalogue;
use lossmith_exact::Oracle;
use lossmith_precision::{Candidate, Cell, Depth, Measures, Worst, exhaust, search};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What a report's JSON is read by; another number is another layout.
const LAYOUT: u64 = 2;
/// The file of a report that holds its data.
const DATA: &str = "precision.json";
/// Longer arrays are left out: the seed makes them again.
const SHOWN: usize = 64;

/// How long to look where nothing else is said.
const DEPTH: Depth =
    Depth { rounds: 1, others: 0, steps: 24, long: 4096, longest: 4096, classes: 4096, seed: 1 };

/// What is asked of a report.
#[derive(Debug, Args)]
pub(crate) struct Wanted {
    /// Search for the worst inputs and write index.html and precision.json into this directory
    #[arg(long)]
    report: Option<PathBuf>,
    /// Search as an older report's precision.json was made, and fail with 1 where something has become worse
    #[arg(long)]
    against: Option<PathBuf>,
    /// How many bits more than the older report's are a failure
    #[arg(long, default_value_t = 0.5)]
    threshold: f64,
    /// What the inputs are made from [default: 1, or the older report's]
    #[arg(long)]
    seed: Option<u64>,
    /// How often inputs of each class are made [default: 4, or the older report's]
    #[arg(long)]
    rounds: Option<usize>,
    /// How many elements the longest mean has [default: 65536, or the older report's]
    #[arg(long)]
    longest: Option<usize>,
    /// How many classes the longest row has [default: 4096, or the older report's]
    #[arg(long)]
    classes: Option<usize>,
}

impl Wanted {
    /// Whether inputs are to be searched for: what says how is enough, and then the table is all.
    pub(crate) fn is_wanted(&self) -> bool {
        let how = [self.rounds, self.longest, self.classes].iter().any(Option::is_some);
        how || self.seed.is_some() || self.report.is_some() || self.against.is_some()
    }
}

/// Losses, with commas between, and their options; without, all there are.
pub(crate) type Chosen<'a> = Option<(&'a str, &'a [String])>;

/// All that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    #[serde(flatten)]
    settings: Settings,
    cells: Vec<Entry>,
    curves: Vec<Curves>,
}

/// A loss on a backend and format.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Entry {
    loss: String,
    backend: String,
    dtype: String,
    outputs: Vec<Output>,
    unsupported: Option<String>,
}

/// The value, or a gradient.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Output {
    output: String,
    count: usize,
    bits: f64,
    max_ulp: f64,
    p99_ulp: f64,
    mean_ulp: f64,
    not_nearest: usize,
    #[serde(deserialize_with = "or_infinite")]
    max_relative: f64,
    #[serde(deserialize_with = "or_infinite")]
    max_absolute: f64,
    #[serde(deserialize_with = "or_infinite")]
    explained: f64,
    nan: usize,
    infinite: usize,
    flushed: usize,
    sign: usize,
    worst: Option<Spot>,
    odd: Option<Spot>,
}

/// A result that is off, and the inputs that give it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Spot {
    ulp: Option<f64>,
    got: String,
    got_hex: String,
    exact: String,
    index: usize,
    class: String,
    seed: u64,
    steps: usize,
    options: Vec<String>,
    inputs: BTreeMap<String, Numbers>,
    causes: Vec<(String, Option<f64>)>,
}

/// An array, in decimal and in the format's own bits.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Numbers {
    shape: Vec<usize>,
    data: Vec<String>,
    hex: Vec<String>,
}

/// A number that is infinite where JSON, which has no word for that, says null.
fn or_infinite<'de, D: Deserializer<'de>>(json: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(json)?.unwrap_or(f64::INFINITY))
}

/// Searches, writes what is wanted, and says how it went.
pub(crate) fn run(chosen: Chosen<'_>, wanted: &Wanted, json: bool) -> Result<String, Error> {
    let old = wanted.against.as_deref().map(read).transpose()?;
    let of_old = |name: &str| old.as_ref().and_then(|old| old[name].as_u64());
    let seed = wanted.seed.or(of_old("seed")).unwrap_or(1);
    let of_old = |name: &str| of_old(name).and_then(|n| usize::try_from(n).ok());
    let how = |wanted: Option<usize>, name: &str, default| {
        wanted.or(of_old(name)).unwrap_or(default).max(1)
    };
    let depth = Depth {
        rounds: how(wanted.rounds, "rounds", 4),
        longest: how(wanted.longest, "longest", 1 << 16),
        classes: how(wanted.classes, "classes", 4096),
        seed,
        // Options that are given are not changed.
        others: usize::from(chosen.is_none_or(|(_, options)| options.is_empty())),
        ..DEPTH
    };
    let kept = measured(chosen, wanted.report.clone(), &depth)?;
    let report = Report::of(&kept);
    let text = serde_json::to_string(&report).map_err(|error| wrong(DATA.as_ref(), error))?;
    if wanted.report.is_some() {
        kept.finish(&[("index.html", &page::page(&report)?), (DATA, &text)])?;
    }
    let shown = if json { text } else { summary(&report) };
    let worse = old.map(|old| worse(&old, &report, wanted.threshold)).unwrap_or_default();
    if worse.is_empty() { Ok(shown) } else { Err(Error::Worse { report: shown, worse }) }
}

fn wrong(path: &Path, error: impl ToString) -> Error {
    Error::Report(path.display().to_string(), error.to_string())
}

/// All losses, or the chosen ones, with those that the directory has already.
fn measured(chosen: Chosen<'_>, dir: Option<PathBuf>, depth: &Depth) -> Result<Kept, Error> {
    let mut losses: Vec<_> = catalogue::all().iter().map(|loss| loss.entry().name).collect();
    if let Some((names, options)) = chosen {
        let names: Vec<_> = names.split(',').collect();
        names.iter().try_for_each(|name| loss_of(name, options).map(drop))?;
        losses.retain(|name| names.contains(name));
    }
    let options = chosen.map_or(&[][..], |(_, options)| options);
    let kept = Kept::new(dir, Settings::new(&losses, options, depth))?;
    measure(&kept, depth)?;
    Ok(kept)
}

/// Measures the losses that are left, each by one of two threads.
fn measure(kept: &Kept, depth: &Depth) -> Result<(), Error> {
    let runners: Vec<_> =
        RUNNERS.iter().filter(|runner| runner.0 != BackendName::Reference).collect();
    let candidates: Vec<_> = runners
        .iter()
        .map(|&&(backend, dtype, run)| Candidate {
            backend: backend.name(),
            format: dtype.format(),
            run,
        })
        .collect();
    let names = kept.left();
    let (progress, next) = (Progress::new(names.len()), AtomicUsize::new(0));
    let work = || -> Result<(), Error> {
        // Each thread has its own: its constants grow as they are needed.
        let oracle = Oracle::new();
        loop {
            let place = next.fetch_add(1, Ordering::Relaxed);
            let Some(name) = names.get(place) else { return Ok(()) };
            progress.step(name);
            let loss = loss_of(name, &kept.settings().options)?;
            let mut cells = search(&loss, &candidates, depth, &oracle)?;
            exhaust(&loss, &candidates, &mut cells, &Oracle::with_bits(128))?;
            let entries = cells.iter().zip(&runners);
            let entries =
                entries.map(|(cell, runner)| entry(cell, (runner.0, runner.1), &loss, &oracle));
            let cells = entries.collect::<Result<_, _>>()?;
            let curves = curves(&loss, &candidates, depth.longest, &oracle)?;
            kept.keep(Measured { loss: name.clone(), cells, curves })?;
        }
    };
    std::thread::scope(|scope| {
        let work = &work;
        let thread = |_| std::thread::Builder::new().spawn_scoped(scope, work);
        let threads: Vec<_> = (0..2).map(thread).collect();
        for thread in threads {
            let thread = thread.map_err(|error| Error::Usage(error.to_string()))?;
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        }
        Ok::<(), Error>(())
    })?;
    progress.clear();
    Ok(())
}

impl Report {
    fn of(kept: &Kept) -> Self {
        let (mut cells, mut curves) = (Vec::new(), Vec::new());
        for measured in kept.all() {
            cells.extend(measured.cells);
            curves.extend(measured.curves);
        }
        Self { settings: kept.settings().clone(), cells, curves }
    }

    /// Every backend and format.
    fn columns(&self) -> Vec<(&str, &str)> {
        let mut columns = Vec::new();
        for cell in &self.cells {
            let column = (cell.backend.as_str(), cell.dtype.as_str());
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        columns
    }

    /// Every loss.
    fn losses(&self) -> Vec<&str> {
        let mut losses: Vec<_> = self.cells.iter().map(|cell| cell.loss.as_str()).collect();
        losses.dedup();
        losses
    }
}

fn entry(
    cell: &Cell,
    runner: (BackendName, Dtype),
    loss: &Loss,
    oracle: &Oracle,
) -> Result<Entry, Error> {
    let mut outputs = Vec::new();
    let most = cell.worst().map(|(output, _)| output.to_owned());
    for (output, measures) in &cell.outputs {
        let blame = most.as_ref() == Some(output);
        outputs.push(output_of(output, measures, runner, loss, blame.then_some(oracle))?);
    }
    Ok(Entry {
        loss: cell.loss.to_owned(),
        backend: cell.backend.to_owned(),
        dtype: cell.format.name.to_owned(),
        outputs,
        unsupported: cell.unsupported.clone(),
    })
}

/// With the causes of the worst, where the exact backend to look for them is given.
fn output_of(
    output: &str,
    measures: &Measures,
    runner: (BackendName, Dtype),
    loss: &Loss,
    oracle: Option<&Oracle>,
) -> Result<Output, Error> {
    let mut worst = measures.worst.as_ref().map(|worst| spot(worst, runner.1));
    if let (Some(spot), Some(found), Some(oracle)) = (&mut worst, &measures.worst, oracle)
        && found.ulps > 0.5
    {
        let (format, element) = (runner.1.format(), (output, found.index));
        let at = (&found.spot.problem, found.spot.class);
        let loss = &found.spot.of(loss)?;
        let causes = ask(&WhichOps { loss, spot: at, format, element, oracle }, runner)?;
        let finite = |ulps: f64| ulps.is_finite().then_some(ulps);
        let causes = causes.into_iter().take(4).map(|cause| (cause.op, finite(cause.ulps)));
        spot.causes = causes.collect();
    }
    Ok(Output {
        output: output.to_owned(),
        count: measures.count(),
        bits: measures.bits(),
        max_ulp: measures.max(),
        p99_ulp: measures.percentile_99(),
        mean_ulp: measures.mean(),
        not_nearest: measures.misrounded(),
        max_relative: measures.relative,
        max_absolute: measures.absolute,
        explained: measures.explained,
        nan: measures.nan,
        infinite: measures.infinite,
        flushed: measures.flushed,
        sign: measures.sign,
        worst,
        odd: measures.odd.as_ref().map(|odd| spot(odd, runner.1)),
    })
}

fn spot(worst: &Worst, dtype: Dtype) -> Spot {
    let mut inputs = BTreeMap::new();
    for (name, array) in &worst.spot.problem.numbers {
        let few = if array.data().len() > SHOWN { &[] } else { array.data() };
        let data = few.iter().map(|x| format!("{x:e}")).collect();
        let hex = few.iter().map(|&x| hex(x, dtype)).collect();
        inputs.insert((*name).to_owned(), Numbers { shape: array.shape().to_vec(), data, hex });
    }
    for (name, labels) in &worst.spot.problem.labels {
        let few = if labels.data.len() > SHOWN { &[] } else { &labels.data[..] };
        let data = few.iter().map(i64::to_string).collect();
        let numbers = Numbers { shape: labels.shape.clone(), data, hex: Vec::new() };
        inputs.insert((*name).to_owned(), numbers);
    }
    Spot {
        ulp: worst.ulps.is_finite().then_some(worst.ulps),
        got: format!("{:e}", worst.got),
        got_hex: hex(worst.got, dtype),
        exact: worst.exact.decimal(24),
        index: worst.index,
        class: worst.spot.class.name().to_owned(),
        seed: worst.spot.seed,
        steps: worst.spot.steps,
        options: worst.spot.options.clone(),
        inputs,
        causes: Vec::new(),
    }
}

/// The bits of a number of the format.
fn hex(x: f64, dtype: Dtype) -> String {
    #[allow(clippy::cast_possible_truncation, reason = "the numbers are of the format already")]
    match dtype {
        Dtype::F64 => format!("{:#018x}", x.to_bits()),
        Dtype::F32 => format!("{:#010x}", (x as f32).to_bits()),
        Dtype::F16 => format!("{:#06x}", f16::from_f64(x).to_bits()),
        Dtype::Bf16 => format!("{:#06x}", bf16::from_f64(x).to_bits()),
    }
}

/// Writes the files into the directory, all of them or none.
fn write(dir: &Path, files: &[(&str, &str)]) -> Result<(), Error> {
    let beside = Beside::new(dir).map_err(|error| wrong(dir, error))?;
    for (name, text) in files {
        let path = beside.path(name);
        std::fs::write(&path, text).map_err(|error| wrong(&path, error))?;
    }
    let names: Vec<_> = files.iter().map(|(name, _)| *name).collect();
    beside.publish(&names).map_err(|error| wrong(dir, error))
}

/// An older report, of this layout.
fn read(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| wrong(path, error))?;
    parse(&text).map_err(|what| wrong(path, what))
}

fn parse(text: &str) -> Result<Value, String> {
    let old: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    match old["layout"].as_u64() {
        Some(LAYOUT) => Ok(old),
        Some(other) => Err(format!("is a report of layout {other}, not {LAYOUT}: make it again")),
        None => Err("is no precision.json of a report".into()),
    }
}

/// What is worse in a small report of one loss than in the one whose data that is, a line for each.
///
/// # Errors
/// Why it is no data of a report.
#[doc(hidden)]
pub fn worse_than(text: &str, threshold: f64) -> Result<Vec<String>, String> {
    static SMALL: LazyLock<Option<Report>> = LazyLock::new(|| {
        let depth = Depth { steps: 1, long: 64, longest: 64, ..DEPTH };
        measured(Some(("l1", &[])), None, &depth).ok().map(|kept| Report::of(&kept))
    });
    let (old, small) = (parse(text)?, SMALL.as_ref().ok_or("l1 cannot be measured")?);
    Ok(worse(&old, small, threshold))
}

/// What has lost more bits than it had by more than the threshold, or disagrees with the exact results more often.
fn worse(old: &Value, new: &Report, threshold: f64) -> Vec<String> {
    let mut worse = Vec::new();
    let empty = Vec::new();
    let olds = old["cells"].as_array().unwrap_or(&empty);
    for cell in &new.cells {
        let same = |old: &&Value| {
            old["loss"] == cell.loss && old["backend"] == cell.backend && old["dtype"] == cell.dtype
        };
        let Some(before) = olds.iter().find(same) else { continue };
        let name = format!("{} on {} {}", cell.loss, cell.backend, cell.dtype);
        if let (Some(why), true) = (&cell.unsupported, before["unsupported"].is_null()) {
            worse.push(format!("{name}: is not supported any more: {why}"));
        }
        for output in &cell.outputs {
            let outputs = before["outputs"].as_array().unwrap_or(&empty);
            let Some(before) = outputs.iter().find(|old| old["output"] == output.output) else {
                continue;
            };
            let bits = before["bits"].as_f64().unwrap_or(0.0);
            if output.bits > bits + threshold {
                let (now, output) = (output.bits, &output.output);
                worse.push(format!("{name}: {output} loses {now:.1} bits, and lost {bits:.1}"));
            }
            let counts = [
                ("NaN", output.nan),
                ("infinite", output.infinite),
                ("0", output.flushed),
                ("of the other sign", output.sign),
            ];
            for ((word, now), key) in counts.into_iter().zip(["nan", "infinite", "flushed", "sign"])
            {
                let was = before[key].as_u64().unwrap_or(0);
                if now as u64 > was {
                    let output = &output.output;
                    worse.push(format!("{name}: {output} is {word} {now} times, and was {was}"));
                }
            }
        }
    }
    worse
}

/// The bits lost of each loss on each backend and format.
fn summary(report: &Report) -> String {
    let columns = report.columns();
    let heads = columns.iter().map(|(backend, dtype)| format!("{backend}\n{dtype}"));
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(std::iter::once("bits lost".to_owned()).chain(heads));
    for loss in report.losses() {
        let of_loss = report.cells.iter().filter(|cell| cell.loss == loss).map(Entry::short);
        table.add_row(std::iter::once(loss.to_owned()).chain(of_loss));
    }
    align(&mut table, 1..columns.len() + 1);
    let Settings { seed, rounds, .. } = &report.settings;
    format!(
        "{}\n\nAt the worst inputs found, against the exact result: log2(ulp + 1), value / gradients; --seed {seed} --rounds {rounds}.\n\
         !: some results are NaN, infinite, 0 or of the other sign where the exact ones are not.",
        table.trim_fmt()
    )
}

impl Entry {
    /// The bits lost of the value, and the most of a gradient.
    fn bits(&self) -> [f64; 2] {
        let most = |value: bool| {
            let outputs = self.outputs.iter().filter(|output| (output.output == "value") == value);
            outputs.map(|output| output.bits).fold(0.0, f64::max)
        };
        [most(true), most(false)]
    }

    fn odd(&self) -> usize {
        let odd = |output: &Output| output.nan + output.infinite + output.flushed + output.sign;
        self.outputs.iter().map(odd).sum()
    }

    fn short(&self) -> String {
        if self.unsupported.is_some() {
            return "–".into();
        }
        let [value, grad] = self.bits();
        format!("{value:.1}/{grad:.1}{}", if self.odd() > 0 { "!" } else { " " })
    }
}
