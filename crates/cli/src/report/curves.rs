//! A loss along its first argument: what it is exactly and in each format, and the bits that are lost on the way.

use crate::error::Error;
use crate::run::Loss;
use lossmith_core::catalogue::{Domain, Form};
use lossmith_core::shape::Layout;
use lossmith_core::{Dense, Format};
use lossmith_exact::{Big, Oracle};
use lossmith_precision::{Candidate, Class, made, repeated, ulps};
use lossmith_tests::{Beside, Problem, Stream};
use plotters::prelude::*;
use serde::{Deserialize, Serialize};

/// How many points a curve has.
const POINTS: usize = 129;
/// The classes of a row whose first is moved.
const CLASSES: usize = 3;
/// More bits are not told apart.
const MOST_BITS: f64 = 12.0;
/// A colour for each name that a line has, seen on white and on black.
const COLOURS: [RGBColor; 9] = [
    RGBColor(128, 128, 128),
    RGBColor(31, 119, 180),
    RGBColor(230, 126, 34),
    RGBColor(39, 174, 96),
    RGBColor(192, 57, 43),
    RGBColor(142, 68, 173),
    RGBColor(22, 160, 133),
    RGBColor(211, 84, 160),
    RGBColor(183, 149, 11),
];

/// How many elements the means have, those that are too many left out.
const COUNTS: [usize; 8] = [16, 64, 256, 1024, 4096, 1 << 14, 1 << 17, 1 << 20];
/// Of more, these come over and over: their mean is known.
const LONG: usize = 4096;

/// A loss along its first argument.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Curves {
    pub(crate) loss: String,
    pub(crate) argument: String,
    pub(crate) x: Vec<f64>,
    value: Vec<Line>,
    grad: Vec<Line>,
    bits: Vec<Line>,
    /// Of means, by how many elements they have.
    sums: Vec<Line>,
}

/// A number for every x, where there is one.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Line {
    name: String,
    y: Vec<Option<f64>>,
}

/// The main input along the curve, everything else being the same at every point; none for what has no such curve.
fn along(loss: &Loss) -> Result<Option<(Problem, Vec<f64>)>, Error> {
    let first = &loss.entry().arguments[0];
    let pointwise = loss.definition().layout() == Layout::Pointwise;
    let beside = |form| matches!(form, Form::Steps | Form::Matrix(..));
    if loss.entry().arguments.iter().any(|argument| beside(argument.form)) {
        return Ok(None);
    }
    let (low, high) = match first.domain {
        None if first.log => (-16.0, 0.0),
        None => (-16.0, 16.0),
        Some(Domain { ends: true, .. }) => return Ok(None),
        Some(Domain { low, high: f64::INFINITY, .. }) => (low, low + 16.0),
        Some(Domain { low, high, .. }) => (low, high),
    };
    #[allow(clippy::cast_precision_loss, reason = "129")]
    let at = |place: usize| low + (high - low) * place as f64 / (POINTS - 1) as f64;
    let x: Vec<_> = (0..POINTS).map(at).collect();
    let main = if pointwise { vec![POINTS] } else { vec![POINTS, CLASSES] };
    let none = Beside { optional: &[], rows: CLASSES, ignored: false };
    let mut problem = Problem::with(loss, &main, &none, &mut Stream(7))?;
    for (place, (_, array)) in problem.numbers.iter_mut().enumerate() {
        let row =
            array.data().len().checked_div(POINTS).filter(|row| row * POINTS == array.data().len());
        let Some(row) = row else { continue };
        let number = |index: usize| match (place, index % row) {
            (0, 0) => x[index / row],
            (_, column) => array.data()[column],
        };
        *array = Dense::new(array.shape(), (0..array.data().len()).map(number).collect())?;
    }
    for (_, labels) in &mut problem.labels {
        let row = labels.data.len() / POINTS;
        labels.data = (0..labels.data.len()).map(|at| i64::from(at % row.max(1) == 1)).collect();
    }
    Ok(Some((problem, x)))
}

/// The curves of a loss, if it has any, and of its means up to the longest.
pub(crate) fn curves(
    loss: &Loss,
    candidates: &[Candidate],
    longest: usize,
    oracle: &Oracle,
) -> Result<Option<Curves>, Error> {
    let Some((problem, x)) = along(loss)? else { return Ok(None) };
    let argument = loss.entry().arguments[0].name;
    let unreduced = loss.clone().with("reduction", "none")?;
    let mut curves = Curves {
        loss: loss.entry().name.to_owned(),
        argument: argument.to_owned(),
        x,
        value: vec![],
        grad: vec![],
        bits: vec![],
        sums: sums(loss, candidates, longest, oracle)?,
    };
    let of = |data: usize, point: usize| point * (data / POINTS);
    let exactly = unreduced.value_and_grad(oracle, &problem.inputs())?;
    let numbers =
        |data: &[Big]| (0..POINTS).map(|at| finite(data[of(data.len(), at)].to_f64())).collect();
    let line = |y| Line { name: "exact".into(), y };
    curves.value.push(line(numbers(exactly.value.data())));
    if let Some(grad) = exactly.grad(argument) {
        curves.grad.push(line(numbers(grad.data())));
    }
    for format in [Format::F32, Format::F16, Format::BF16] {
        let problem = problem.clone().rounded(format);
        let exact = unreduced.value_and_grad(oracle, &problem.inputs())?;
        for candidate in shown(candidates, format) {
            let Ok(got) = (candidate.run)(&unreduced, &problem.inputs()) else { continue };
            let name = format!("{} {}", candidate.backend, format.name);
            let y = |data: &[f64]| {
                (0..POINTS).map(|at| finite(data[of(data.len(), at)])).collect::<Vec<_>>()
            };
            // The engine's storage, and arithmetic that is narrow throughout.
            if candidate.backend != "half" {
                curves.value.push(Line { name: name.clone(), y: y(got.value.data()) });
                let grad = got.grad(argument).map(|grad| y(grad.data()));
                curves.grad.extend(grad.map(|y| Line { name: name.clone(), y }));
            }
            let lost = |at: usize| {
                let pair = (got.value.data(), exact.value.data());
                let at = of(pair.0.len(), at);
                finite((ulps(pair.0[at], &pair.1[at], format) + 1.0).log2())
            };
            let capped = |at| lost(at).map(|bits: f64| bits.min(MOST_BITS));
            curves.bits.push(Line { name, y: (0..POINTS).map(capped).collect() });
        }
    }
    Ok(Some(curves))
}

/// The bits that a mean loses, by how many elements it has.
fn sums(
    loss: &Loss,
    candidates: &[Candidate],
    longest: usize,
    oracle: &Oracle,
) -> Result<Vec<Line>, Error> {
    let mean = loss.clone().with("reduction", "mean")?;
    let mut lines: Vec<Line> = Vec::new();
    for (place, &count) in COUNTS.iter().enumerate().filter(|(_, count)| **count <= longest) {
        for format in [Format::F32, Format::F16, Format::BF16] {
            let long = count.min(LONG);
            let Some(problem) = made(loss, Class::Long, format, 7, long)? else { continue };
            let exact = mean.value(oracle, &problem.inputs())?;
            let inputs = repeated(&problem, count / long)?.inputs();
            for candidate in shown(candidates, format) {
                let Ok(got) = (candidate.run)(&mean, &inputs) else { continue };
                let name = format!("{} {}", candidate.backend, format.name);
                let at = lines.iter().position(|line| line.name == name).unwrap_or_else(|| {
                    lines.push(Line { name, y: vec![None; COUNTS.len()] });
                    lines.len() - 1
                });
                let bits = (ulps(got.value.data()[0], &exact.data()[0], format) + 1.0).log2();
                lines[at].y[place] = finite(bits).map(|bits| bits.min(MOST_BITS));
            }
        }
    }
    Ok(lines)
}

/// The candidates of a format that curves are drawn of.
fn shown(candidates: &[Candidate], format: Format) -> impl Iterator<Item = &Candidate> {
    candidates.iter().filter(move |candidate| {
        candidate.format == format && ["fused", "half", "naive"].contains(&candidate.backend)
    })
}

fn finite(x: f64) -> Option<f64> {
    x.is_finite().then_some(x)
}

impl Curves {
    /// What lines are called, and their colour, which is the same in all plots.
    pub(crate) fn legend(&self) -> Vec<(&str, RGBColor)> {
        let mut names: Vec<&str> = Vec::new();
        for line in self.value.iter().chain(&self.bits) {
            if !names.contains(&line.name.as_str()) {
                names.push(&line.name);
            }
        }
        names.into_iter().zip(COLOURS.into_iter().cycle()).collect()
    }

    /// The plots as SVG: value, gradient, bits lost, and bits lost by means.
    pub(crate) fn plots(&self) -> Result<Vec<(String, String)>, Error> {
        #[allow(clippy::cast_precision_loss, reason = "thousands")]
        let counts = COUNTS.map(|count| (count as f64).log2());
        let (x, counts) =
            ((self.argument.as_str(), &self.x[..]), ("log2 of the elements", &counts[..]));
        let (legend, mut plots) = (self.legend(), Vec::new());
        for (title, x, lines) in [
            ("value".to_owned(), x, &self.value),
            (format!("gradient in {}", self.argument), x, &self.grad),
            ("bits lost by the value".to_owned(), x, &self.bits),
            ("bits lost by the mean".to_owned(), counts, &self.sums),
        ] {
            if !lines.is_empty() {
                let svg = plot(&title, x, lines, &legend);
                let svg = svg.map_err(|error| Error::Report(title.clone(), error.to_string()))?;
                plots.push((title, svg));
            }
        }
        Ok(plots)
    }
}

fn plot(
    title: &str,
    (x_name, x): (&str, &[f64]),
    lines: &[Line],
    legend: &[(&str, RGBColor)],
) -> Result<String, Box<dyn std::error::Error>> {
    let all = if title.starts_with("bits") { lines } else { &lines[..1] };
    let numbers = all.iter().flat_map(|line| line.y.iter().flatten().copied());
    let (low, high) = numbers.fold((0.0_f64, 0.0_f64), |(low, high), y| (low.min(y), high.max(y)));
    let margin = (high - low).max(1e-3) * 0.05;
    let (left, right) = (x.first().copied().unwrap_or(0.0), x.last().copied().unwrap_or(1.0));
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (480, 300)).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(left..right, low - margin..high + margin)?;
        let faint = BLACK.mix(0.12);
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(faint)
            .x_desc(x_name)
            .draw()?;
        for line in lines {
            let colour = legend.iter().find(|(name, _)| *name == line.name);
            let width = if line.name == "exact" { 4 } else { 1 };
            let style = colour.map_or(BLACK, |(_, colour)| *colour).stroke_width(width);
            // A gap where there is no number.
            let points: Vec<_> = x.iter().copied().zip(&line.y).collect();
            for part in points.split(|(_, y)| y.is_none()) {
                let part = part
                    .iter()
                    .filter_map(|(x, y)| y.map(|y| (*x, y.clamp(low - margin, high + margin))));
                chart.draw_series(LineSeries::new(part, style))?;
            }
        }
        root.present()?;
    }
    // Black is the page's own colour of text, light or dark.
    Ok(svg.replace("#000000", "currentColor"))
}
