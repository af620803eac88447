//! Curves as SVG: the value on the left, its derivative on the right.

use crate::curves::{Curves, Points};
use plotters::prelude::*;
use std::error::Error;

const COLOURS: [RGBColor; 3] =
    [RGBColor(31, 119, 180), RGBColor(230, 126, 34), RGBColor(39, 174, 96)];

const FONT: (&str, i32) = ("sans-serif", 14);

/// The lines of a loss as one picture.
pub(crate) fn plot(curves: &Curves) -> Result<String, Box<dyn Error>> {
    let lines = curves.points()?;
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (960, 300)).into_drawing_area();
        root.fill(&WHITE)?;
        let panels = root.split_evenly((1, 2));
        for (place, (panel, title)) in panels.iter().zip(["value", "derivative"]).enumerate() {
            let [low, high] = range(&lines, place + 1);
            let mut chart = ChartBuilder::on(panel)
                .margin(8)
                .caption(title, ("sans-serif", 18))
                .x_label_area_size(36)
                .y_label_area_size(44)
                .build_cartesian_2d(curves.ends[0]..curves.ends[1], low..high)?;
            let mut mesh = chart.configure_mesh();
            mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.15));
            mesh.label_style(FONT).x_desc(curves.x()).draw()?;
            for ((name, points), colour) in lines.iter().zip(COLOURS) {
                let finite = points.iter().filter(|point| point[place + 1].is_finite());
                let points = finite.map(|point| (point[0], point[place + 1].clamp(low, high)));
                let series = chart.draw_series(LineSeries::new(points, colour.stroke_width(2)))?;
                series.label(*name).legend(move |(x, y)| {
                    PathElement::new(vec![(x, y), (x + 14, y)], colour.stroke_width(2))
                });
            }
            if place == 0 {
                let mut labels = chart.configure_series_labels();
                labels.position(SeriesLabelPosition::UpperMiddle).label_font(FONT);
                labels.border_style(TRANSPARENT).draw()?;
            }
        }
        root.present()?;
    }
    Ok(svg)
}

/// The numbers from 0 that all lines have, and a little more.
fn range(lines: &[Points], place: usize) -> [f64; 2] {
    let numbers = lines.iter().flat_map(|(_, points)| points).map(|point| point[place]);
    let finite = numbers.filter(|y| y.is_finite());
    let (low, high) = finite.fold((0.0_f64, 0.0_f64), |(low, high), y| (low.min(y), high.max(y)));
    let margin = (high - low) * 0.05;
    [low - margin, high + margin]
}
