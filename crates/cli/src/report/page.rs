//! The report as one page of HTML: no network, light and dark, for a phone and for paper.

use super::{Entry, Output, Report, Settings, Spot};
use crate::error::Error;
use lossmith_core::catalogue;
use plotters::style::RGBColor;
use std::fmt::Write as _;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The page.
pub(super) fn page(report: &Report) -> Result<String, Error> {
    let mut html = String::new();
    let written = whole(&mut html, report);
    written.map_err(|error| Error::Report("index.html".into(), error.to_string()))?;
    Ok(html)
}

fn whole(html: &mut String, report: &Report) -> Result<(), Box<dyn std::error::Error>> {
    let Settings { version, seed, rounds, steps, long, longest, classes, .. } = &report.settings;
    write!(
        html,
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>lossmith: how exact is it?</title><style>{STYLE}</style></head><body>\
         <h1>How exact is it?</h1>\
         <p>Values and gradients at the worst inputs found, against the exact result in 256 bits: \
         <b>bits lost</b> = log<sub>2</sub>(ulp + 1), value / gradients, lossmith {version}, \
         seed {seed}, rounds of each class: {rounds}, {steps} steps of local search, means of {long} and {longest}, rows of {classes}.</p>\
         <p><b>!</b> marks results that are NaN, infinite, 0 or of the other sign where the exact ones are not; \
         they are counted apart. <b>naive</b> is narrow throughout, <b>half</b> stores every op's result in 16 bits and \
         computes in f32, <b>fused</b> is narrow only where arrays enter and leave.</p>"
    )?;
    matrix(html, report)?;
    for loss in report.losses() {
        section(html, report, loss)?;
    }
    writeln!(html, "<script>{SCRIPT}</script></body></html>")?;
    Ok(())
}

fn matrix(html: &mut String, report: &Report) -> Result<(), std::fmt::Error> {
    html.push_str("<form id=\"filters\"><label>Loss <input type=\"search\" id=\"wanted\"></label>");
    for (name, class) in [("f64", "f64"), ("f32", "f32"), ("f16", "f16"), ("bf16", "bf16")] {
        write!(html, "<label><input type=\"checkbox\" value=\"{class}\" checked> {name}</label>")?;
    }
    html.push_str("</form><div class=\"wide\"><table id=\"matrix\"><thead><tr><th>loss</th>");
    for (backend, dtype) in report.columns() {
        write!(html, "<th data-dtype=\"{dtype}\">{backend}<br>{dtype}</th>")?;
    }
    html.push_str("</tr></thead><tbody>");
    let mut last = "";
    for cell in &report.cells {
        if cell.loss != last {
            let end = if last.is_empty() { "" } else { "</tr>" };
            last = &cell.loss;
            let name = last.replace('_', "_<wbr>");
            write!(html, "{end}<tr data-loss=\"{last}\"><th><a href=\"#{last}\">{name}</a></th>")?;
        }
        let [value, grad] = cell.bits();
        let shade = shade(value.max(grad));
        let (dtype, short) = (&cell.dtype, cell.short());
        let why = cell.unsupported.as_deref().map(escape).unwrap_or_default();
        let shade = if why.is_empty() { shade } else { "none".into() };
        write!(
            html,
            "<td data-dtype=\"{dtype}\" style=\"background:{shade}\" title=\"{why}\">{short}</td>"
        )?;
    }
    html.push_str("</tr></tbody></table></div>");
    Ok(())
}

/// Green where no bit is lost, to red where ten are.
fn shade(bits: f64) -> String {
    let hue = 130.0 - 13.0 * bits.min(10.0);
    format!("hsl({hue:.0} 70% 50% / 0.45)")
}

fn section(
    html: &mut String,
    report: &Report,
    loss: &str,
) -> Result<(), Box<dyn std::error::Error>> {
    let formula = catalogue::find(loss).map(|loss| loss.entry().formula).unwrap_or_default();
    let formula = escape(formula);
    write!(
        html,
        "<section id=\"{loss}\" data-loss=\"{loss}\"><h2>{loss}</h2><p><code>{formula}</code></p>"
    )?;
    if let Some(curves) = report.curves.iter().find(|curves| curves.loss == loss) {
        html.push_str("<div class=\"plots\">");
        for (title, svg) in curves.plots()? {
            write!(html, "<figure>{svg}<figcaption>{title}</figcaption></figure>")?;
        }
        html.push_str("</div><p class=\"legend\">");
        for (name, RGBColor(red, green, blue)) in curves.legend() {
            write!(
                html,
                "<span><i style=\"background:rgb({red} {green} {blue})\"></i> {name}</span>"
            )?;
        }
        html.push_str("</p>");
    }
    html.push_str(
        "<div class=\"wide\"><table><thead><tr><th>backend</th><th>output</th><th>max ulp</th><th>99 %</th>\
         <th>mean</th><th>not nearest</th><th>rel</th><th>of bound</th><th>NaN</th><th>∞</th><th>0</th><th>sign</th><th>worst</th></tr></thead><tbody>",
    );
    for cell in report.cells.iter().filter(|cell| cell.loss == loss) {
        rows(html, cell)?;
    }
    html.push_str("</tbody></table></div><a href=\"#matrix\">back to the matrix</a></section>");
    Ok(())
}

fn rows(html: &mut String, cell: &Entry) -> Result<(), std::fmt::Error> {
    let Entry { backend, dtype, .. } = cell;
    let head = format!("<tr data-dtype=\"{dtype}\"><td>{backend} {dtype}</td>");
    if let Some(why) = &cell.unsupported {
        let why = escape(why);
        write!(html, "{head}<td colspan=\"12\">not supported: {why}</td></tr>")?;
    }
    for output in &cell.outputs {
        let Output {
            max_ulp, p99_ulp, mean_ulp, not_nearest, count, max_relative, explained, ..
        } = output;
        let Output { nan, infinite, flushed, sign, .. } = output;
        write!(
            html,
            "{head}<td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{not_nearest} of {count}</td>\
             <td>{max_relative:.1e}</td><td>{explained:.2}</td><td>{nan}</td><td>{infinite}</td><td>{flushed}</td><td>{sign}</td><td>",
            escape(&output.output),
            digits(*max_ulp),
            digits(*p99_ulp),
            digits(*mean_ulp),
        )?;
        if let Some(worst) = output.worst.as_ref().filter(|worst| worst.ulp != Some(0.0)) {
            case(html, "worst", worst)?;
        }
        if let Some(odd) = &output.odd {
            case(html, "odd", odd)?;
        }
        html.push_str("</td></tr>");
    }
    Ok(())
}

fn digits(ulps: f64) -> String {
    if ulps < 1e4 { format!("{ulps:.2}") } else { format!("{ulps:.0e}") }
}

fn case(html: &mut String, what: &str, spot: &Spot) -> Result<(), std::fmt::Error> {
    let Spot { got, got_hex, exact, index, class, seed, steps, options, .. } = spot;
    let options = escape(&options.iter().map(|option| format!(", {option}")).collect::<String>());
    write!(
        html,
        "<details><summary>{what}: {got}</summary><p>element {index} is {got} ({got_hex}), exactly {exact}; \
         class {class}, seed {seed}, {steps} steps away{options}</p>"
    )?;
    for (op, ulps) in &spot.causes {
        let ulps = ulps.map_or("infinitely many".into(), digits);
        write!(html, "<p>{} alone: {ulps} ulp</p>", escape(op))?;
    }
    for (name, numbers) in &spot.inputs {
        let shape = format!("{:?}", numbers.shape);
        if numbers.data.is_empty() {
            write!(html, "<p>{name} {shape} from the seed</p>")?;
        } else {
            let data = numbers.data.join(" ");
            write!(
                html,
                "<p>{name} {shape}: <code>{data}</code> <code>{}</code></p>",
                numbers.hex.join(" ")
            )?;
        }
    }
    html.push_str("</details>");
    Ok(())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
