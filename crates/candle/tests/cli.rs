//! The command with candle among its backends.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use clap::Parser as _;
use lossmith_cli::{Command, run};
use std::path::Path;

fn lossmith(arguments: &[&str]) -> Result<String, String> {
    let command = Command::try_parse_from([&["lossmith"], arguments].concat()).unwrap();
    run(command).map_err(|error| error.to_string())
}

fn problem() -> [String; 2] {
    let digits = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits");
    ["input=logits", "target=labels"].map(|argument| {
        let (name, file) = argument.split_once('=').unwrap();
        format!("{name}={}", digits.join(file).with_extension("npy").display())
    })
}

fn numbers(json: &str, output: &str) -> Vec<f64> {
    let json: serde_json::Value = serde_json::from_str(json).unwrap();
    let data = json["results"][output]["data"].as_array().unwrap();
    data.iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn eval_runs_on_candle() {
    let [input, target] = problem();
    let eval = |backend| {
        let what = ["eval", "cross_entropy", &input, &target, "--grad", "--json"];
        lossmith(&[&what[..], &["--backend", backend, "--dtype", "f64"]].concat()).unwrap()
    };
    let (ours, reference) = (eval("candle"), eval("reference"));
    for output in ["value", "grad.input"] {
        let (ours, reference) = (numbers(&ours, output), numbers(&reference, output));
        assert_eq!(ours.len(), reference.len());
        for (a, b) in ours.iter().zip(&reference) {
            assert!((a - b).abs() <= 1e-15, "{output}: {a}, not {b}");
        }
    }
}

#[test]
fn compare_includes_candle_in_every_format() {
    let [input, target] = problem();
    let table = lossmith(&["compare", "cross_entropy", &input, &target, "--json"]).unwrap();
    let rows: serde_json::Value = serde_json::from_str(&table).unwrap();
    let rows = rows["results"].as_array().unwrap();
    for dtype in ["f64", "f32", "f16", "bf16"] {
        let of_candle =
            rows.iter().filter(|row| row["backend"] == "candle" && row["dtype"] == dtype);
        let outputs: Vec<_> = of_candle.map(|row| row["output"].as_str().unwrap()).collect();
        assert_eq!(outputs, ["value", "grad.input"], "{dtype}");
    }
}
