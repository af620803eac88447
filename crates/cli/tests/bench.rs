//! `lossmith bench` on tiny sizes, by the real binary.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::PathBuf;
use std::process::{Command, Output};

fn lossmith(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lossmith")).args(arguments).output().unwrap()
}

fn bench(arguments: &[&str]) -> Output {
    lossmith(&[&["bench", "--seconds", "0"], arguments].concat())
}

fn rows(output: &Output) -> Vec<serde_json::Value> {
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(json["simd"].is_string());
    json["rows"].as_array().unwrap().clone()
}

fn bars(dir: &tempfile::TempDir, bar: f64) -> PathBuf {
    let path = dir.path().join("bars.json");
    let group = r#""losses": ["mse", "cross_entropy"], "sizes": ["4x3"]"#;
    std::fs::write(&path, format!(r#"[{{{group}, "bar": {bar}}}]"#)).unwrap();
    path
}

#[test]
fn every_loss_is_timed_at_a_tiny_size() {
    let output = bench(&["--size", "4x3", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let rows = rows(&output);
    let mut names: Vec<_> = rows.iter().map(|row| row["loss"].as_str().unwrap()).collect();
    names.dedup();
    assert_eq!(names.len(), lossmith_core::catalogue::all().len());
    for row in rows {
        for figure in ["seconds", "roof_seconds", "fraction", "gb_per_s"] {
            assert!(row[figure].as_f64().unwrap() > 0.0, "{row}");
        }
    }
}

#[test]
fn narrower_instructions_have_half_the_bar() {
    let dir = tempfile::tempdir().unwrap();
    let path = bars(&dir, 0.5);
    let arguments = ["mse", "--level", "BASELINE", "--bars", path.to_str().unwrap(), "--json"];
    let output = bench(&arguments);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(json["simd"], "baseline");
    assert!(rows(&output).iter().all(|row| row["bar"] == 0.25), "{json}");
    let unknown = String::from_utf8(bench(&["mse", "--level", "AVX3"]).stderr).unwrap();
    assert!(unknown.contains("this machine has baseline"), "{unknown}");
}

#[test]
fn bytes_are_those_that_must_be_read_and_written() {
    let arguments = ["mse", "cross_entropy", "--size", "4x3", "--backend", "ndarray", "--json"];
    let output = bench(&arguments);
    let bytes: Vec<_> = rows(&output).iter().map(|row| row["bytes"].as_u64().unwrap()).collect();
    // Two arrays, a gradient and the value; logits, their gradient, labels of 8 bytes, and the value.
    assert_eq!(bytes, [3 * 12 * 4 + 4, 2 * 12 * 4 + 4 * 8 + 4]);
}

#[test]
fn options_weights_and_layouts_of_the_bars_are_timed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bars.json");
    let variants = r#"[
        {"losses": ["cross_entropy"], "sizes": ["4x3"], "options": ["label_smoothing=0.1"]},
        {"losses": ["cross_entropy"], "sizes": ["4x3"], "with": ["weight"], "ignored": true},
        {"losses": ["linear_cross_entropy"], "sizes": ["4x3"], "classes": 5}
    ]"#;
    std::fs::write(&path, variants).unwrap();
    let output = bench(&["--bars", path.to_str().unwrap(), "--backend", "ndarray", "--json"]);
    let rows = rows(&output);
    let variants: Vec<_> = rows.iter().map(|row| row["variant"].as_str().unwrap()).collect();
    assert_eq!(variants, ["label_smoothing=0.1", "+weight ignored", ""]);
    // Input and weight with their gradients, labels, and the value.
    assert_eq!(rows[2]["bytes"], 2 * (12 + 15) * 4 + 4 * 8 + 4);

    std::fs::write(&path, r#"[{"losses": ["mse"], "sizes": ["4x3"], "columns": true}]"#).unwrap();
    let arguments = ["--bars", path.to_str().unwrap(), "--backend", "nalgebra", "--json"];
    assert_eq!(self::rows(&bench(&arguments))[0]["variant"], "nalgebra");
}

#[test]
fn check_fails_below_a_bar_and_names_what_is() {
    let dir = tempfile::tempdir().unwrap();
    let high = bars(&dir, 1e9);
    let arguments = ["--check", "--bars", high.to_str().unwrap()];
    let output = bench(&arguments);
    assert_eq!(output.status.code(), Some(2));
    let misses = String::from_utf8(output.stderr).unwrap();
    assert_eq!(misses.lines().count(), 2, "{misses}");
    assert!(misses.contains("mse 4x3: ") && misses.contains("cross_entropy 4x3: "), "{misses}");
    assert!(
        String::from_utf8(output.stdout).unwrap().contains("of roof"),
        "the table is shown too"
    );

    let low = bars(&dir, 0.0);
    let output = bench(&["--check", "--bars", low.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_cannot_be_timed_is_refused_in_a_line() {
    let refused = |arguments: &[&str], message: &str| {
        let output = lossmith(&[&["bench"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.contains(message), "{error}");
    };
    refused(&["rmse"], "no loss \"rmse\"");
    refused(&["mse", "--size", "4x0"], "4x0");
    refused(&["mse", "--size", "4x3", "--seconds=-1"], "--seconds -1: ");
    refused(&["mse", "--size", "4x3", "--seconds=nan"], "--seconds NaN: ");
    refused(&["mse", "--bars", "no such file"], "no such file");
    refused(&["cosine_embedding", "--size", "4x3", "--backend", "nalgebra"], "--backend nalgebra");
    refused(&["adaptive_log_softmax", "--size", "2x3x4"], "input");
}
