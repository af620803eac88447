//! The real binary on real files.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn lossmith(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lossmith")).args(arguments).output().unwrap()
}

fn digits(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/digits");
    root.join(format!("{name}.npy")).display().to_string()
}

#[track_caller]
fn shown(arguments: &[&str]) -> String {
    let output = lossmith(arguments);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn json(arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&shown(arguments)).unwrap()
}

#[track_caller]
fn refused(arguments: &[&str], message: &str) {
    let output = lossmith(arguments);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(error.lines().count(), 1, "{error}");
    assert!(error.contains(message), "{error}");
}

/// A .npy file in a directory, and where it is.
fn npy(dir: &Path, name: &str, descr: &str, fortran: &str, shape: &str, data: &[u8]) -> String {
    let path = dir.join(name);
    std::fs::write(&path, common::npy(&format!("'{descr}'"), fortran, shape, data)).unwrap();
    path.display().to_string()
}

fn bytes(data: &[f32]) -> Vec<u8> {
    data.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn value(results: &serde_json::Value, name: &str) -> Vec<f64> {
    let data = results["results"][name]["data"].as_array().unwrap();
    data.iter().map(|x| x.as_f64().unwrap()).collect()
}

#[test]
fn list_shows_every_loss_and_one_in_full() {
    let table = shown(&["list"]);
    for name in ["l1", "cross_entropy", "binary_cross_entropy_with_logits", "softplus"] {
        assert!(table.lines().any(|line| line.trim_start().starts_with(name)), "{table}");
    }
    let full = shown(&["list", "cross_entropy"]);
    assert!(full.contains("label_smoothing") && full.contains("[0, 1]"), "{full}");
    assert_eq!(json(&["list", "mse", "--json"])[0]["arguments"][0]["differentiable"], true);
}

#[test]
fn eval_on_the_digits() {
    let (input, target) =
        (format!("input={}", digits("logits")), format!("target={}", digits("labels")));
    let arguments = ["eval", "cross_entropy", &input, &target, "--grad", "--json"];
    let got = json(&arguments);
    assert_eq!((&got["backend"], &got["dtype"]), (&"ndarray".into(), &"f32".into()));
    let exact = json(&[&arguments[..], &["--backend", "reference"]].concat());
    let burn = json(&[&arguments[..], &["--backend", "burn"]].concat());
    let exact = value(&exact, "grad.input");
    for got in [got, burn] {
        let got = value(&got, "grad.input");
        assert_eq!(got.len(), 17970);
        assert!(got.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 1e-10));
    }
}

#[test]
fn eval_reads_any_order_width_and_rank() {
    let dir = tempfile::tempdir().unwrap();
    let c =
        npy(dir.path(), "c.npy", "<f4", "False", "(2, 3)", &bytes(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    let f =
        npy(dir.path(), "f.npy", "<f4", "True", "(2, 3)", &bytes(&[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]));
    let same = shown(&["eval", "mse", &format!("input={c}"), &format!("target={f}")]);
    assert_eq!(same, "value  0\n");
    let big = npy(dir.path(), "b.npy", ">i2", "False", "(2,)", &[0, 1, 0, 2]);
    let half = npy(dir.path(), "h.npy", "<f2", "False", "(2, 3)", &[0; 12]);
    let got = json(&[
        "eval",
        "cross_entropy",
        &format!("input={half}"),
        &format!("target={big}"),
        "--json",
    ]);
    assert_eq!(got["dtype"], "f16");
    assert_eq!(value(&got, "value"), [1.0986328125]);
    let [x, t] = [("x.npy", 2.0), ("t.npy", -1.0)]
        .map(|(name, x)| npy(dir.path(), name, "<f4", "False", "()", &bytes(&[x])));
    assert_eq!(shown(&["eval", "l1", &format!("input={x}"), &format!("target={t}")]), "value  3\n");
}

#[test]
fn save_writes_value_and_gradients() {
    let dir = tempfile::tempdir().unwrap();
    let x = npy(dir.path(), "x.npy", "<f4", "False", "(2,)", &bytes(&[2.0, 5.0]));
    let t = npy(dir.path(), "t.npy", "<f4", "False", "(2,)", &bytes(&[1.0, 1.0]));
    let g = npy(dir.path(), "g.npy", "<f4", "False", "(2,)", &bytes(&[1.0, 10.0]));
    let out = dir.path().join("out");
    let [x, t, g] =
        [("input", x), ("target", t), ("grad_output", g)].map(|(n, f)| format!("{n}={f}"));
    let save = ["--grad", "--save", out.to_str().unwrap(), "-o", "reduction=none"];
    shown(&[&["eval", "mse", &x, &t, &g][..], &save].concat());
    let again = format!("input={}", out.join("grad.input.npy").display());
    let written = json(&["eval", "sigmoid", &again, "--json"]);
    assert_eq!(written["results"]["value"]["shape"], serde_json::json!([2]));
    let raw = std::fs::read(out.join("grad.input.npy")).unwrap();
    assert!(raw.ends_with(&bytes(&[2.0, 80.0])));
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(&out).unwrap().map(|f| f.unwrap().path()).collect();
    files.sort();
    let names: Vec<_> = files.iter().map(|f| f.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(names, ["grad.input.npy", "grad.target.npy", "value.npy"]);
}

#[test]
fn eval_of_sequences() {
    let dir = tempfile::tempdir().unwrap();
    let labels = |name: &str, shape, data: &[i64]| {
        let data: Vec<u8> = data.iter().flat_map(|x| x.to_le_bytes()).collect();
        npy(dir.path(), &format!("{name}.npy"), "<i8", "False", shape, &data)
    };
    let half = 0.5_f32.ln();
    let x = npy(dir.path(), "x.npy", "<f4", "False", "(2, 2, 2)", &bytes(&[half; 8]));
    let [x, t, steps] = [
        format!("log_probs={x}"),
        format!("targets={}", labels("t", "(2, 2)", &[1, -1, 1, 1])),
        format!("input_lengths={}", labels("steps", "()", &[2])),
    ];
    let lengths = |name, data: &[i64]| format!("target_lengths={}", labels(name, "(2,)", data));
    let [right, wrong] = [lengths("right", &[1, 2]), lengths("wrong", &[1, 3])];
    let options = ["--grad", "--json", "-o", "reduction=none", "-o", "zero_infinity=true"];
    let got = json(&[&["eval", "ctc", &x, &t, &steps, &right][..], &options].concat());
    let near = |name, exact: &[f64]| {
        let got = value(&got, name);
        assert!(got.iter().zip(exact).all(|(a, b)| (a - b).abs() < 1e-6), "{got:?}");
        assert_eq!(got.len(), exact.len());
    };
    near("value", &[0.287_682_072, 0.0]);
    let third = 1.0 / 3.0;
    near("grad.log_probs", &[-third, -2.0 * third, 0.0, 0.0, -third, -2.0 * third, 0.0, 0.0]);
    // What a backend lacks is a row, and the others go on.
    let compared = json(&["compare", "ctc", &x, &t, &steps, &right, "--json"]);
    let rows = compared["results"].as_array().unwrap();
    let lacks = |row: &serde_json::Value| row["unsupported"].is_string();
    assert!(rows.iter().all(|row| lacks(row) == (row["backend"] == "naive")), "{rows:?}");
    assert!(rows.iter().any(|row| row["backend"] == "nalgebra" && !lacks(row)));
    refused(
        &["eval", "ctc", &x, &t, &steps, &wrong],
        "target_lengths[1] is 3, but there are 2 labels: give 0 to 2",
    );
    refused(
        &["eval", "ctc", &x, &t, &steps, &right, "--backend", "naive"],
        "the backend has no take, which the loss needs",
    );
    refused(
        &["compare", "ctc", &x, &t, &steps, &right, "--rows", "1"],
        "the first axis of ctc's log_probs has no rows",
    );
}

#[test]
fn wrong_input_is_one_line_and_writes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name, descr, shape, data: &[u8]| npy(dir.path(), name, descr, "False", shape, data);
    let x = format!("input={}", make("x.npy", "<f4", "(1, 2)", &bytes(&[0.0, 0.0])));
    let bad = format!("target={}", make("bad.npy", "<i8", "(1,)", &9_i64.to_le_bytes()));
    let out = dir.path().join("out");
    refused(
        &["eval", "cross_entropy", &x, &bad, "--save", out.to_str().unwrap()],
        "target[0] is 9, but there are 2 classes",
    );
    assert!(!out.exists());
    let wide = format!("target={}", make("wide.npy", "<u8", "(1,)", &u64::MAX.to_le_bytes()));
    refused(&["eval", "cross_entropy", &x, &wide], "element 0 is 18446744073709551615");
    let short = format!("input={}", make("short.npy", "<f8", "(1000000000000, 4)", &[0; 8]));
    refused(&["eval", "sigmoid", &short], "cut short");
    let huge = format!("input={}", make("huge.npy", "<f8", "(9000000000000000000, 9)", &[0; 8]));
    refused(&["eval", "sigmoid", &huge], "more elements than can be counted");
    let complex = format!("input={}", make("complex.npy", "<c8", "(1,)", &[0; 8]));
    refused(&["eval", "sigmoid", &complex], "not one of real numbers or integers");
    refused(&["eval", "sigmoid", "input=nowhere.npy"], "input=nowhere.npy: No such file");
    refused(&["eval", "sigmoid", "nowhere.npy"], "is not NAME=FILE");
    let option = "reduction is an option: write -o reduction=sum";
    refused(&["eval", "mse", &x, "reduction=sum"], option);
    refused(&["eval", "sigmoidal", &x], "there is no loss \"sigmoidal\"");
    refused(&["eval", "mse", &x, "-o", "reduction=average"], "none | mean | sum");
    refused(
        &["eval", "sigmoid", &x, "--backend", "half", "--dtype", "f64"],
        "give --dtype f16 or bf16",
    );
}

#[test]
fn compare_on_the_digits_has_every_backend() {
    let compared = json(&["compare", "--rows", "200", "--json"]);
    let rows = compared["results"].as_array().unwrap();
    for dtype in ["f64", "f32", "f16", "bf16"] {
        assert!(rows.iter().any(|row| row["dtype"] == dtype), "no {dtype}");
    }
    for backend in ["ndarray", "nalgebra", "half", "fused", "naive", "burn"] {
        assert!(rows.iter().any(|row| row["backend"] == backend), "no {backend}");
    }
    for row in rows {
        assert_eq!((&row["nan"], &row["infinite"]), (&0.into(), &0.into()), "{row}");
        let value = row["output"] == "value" && row["backend"] != "naive";
        // Partial sums are f64, so that a sum is the nearest number of every other format.
        let most = if row["dtype"] == "f64" { 1.0 } else { 0.5 };
        assert!(!value || row["max_ulp"].as_f64().unwrap() <= most, "{row}");
    }
}

/// The result of a backend in a comparison.
fn of<'a>(
    compared: &'a serde_json::Value,
    backend: &str,
    dtype: &str,
    output: &str,
) -> &'a serde_json::Value {
    let mut rows = compared["results"].as_array().unwrap().iter();
    rows.find(|row| row["backend"] == backend && row["dtype"] == dtype && row["output"] == output)
        .unwrap()
}

/// What is said of a backend, and what of the whole format.
fn verdict<'a>(
    compared: &'a serde_json::Value,
    backend: &str,
    dtype: &str,
) -> (&'a str, &'a serde_json::Value) {
    let mut formats = compared["formats"].as_array().unwrap().iter();
    let of_format = formats.find(|format| format["dtype"] == dtype).unwrap();
    let mut verdicts = of_format["verdicts"].as_array().unwrap().iter();
    let found = verdicts.find(|verdict| verdict["backend"] == backend).unwrap();
    (found["words"].as_str().unwrap(), of_format)
}

/// So many of a number, then of another, as a file.
fn column(dir: &Path, name: &str, parts: &[(usize, f32)]) -> String {
    let data: Vec<f32> = parts.iter().flat_map(|&(n, x)| std::iter::repeat_n(x, n)).collect();
    let shape = format!("({},)", data.len());
    npy(dir, &format!("{name}.npy"), "<f4", "False", &shape, &bytes(&data))
}

#[test]
fn an_overflow_on_the_readers_data_is_found_and_named() {
    let dir = tempfile::tempdir().unwrap();
    // 300² is more than f16 has, and the mean of all is not.
    let x = format!("input={}", column(dir.path(), "x", &[(312, 300.0), (688, 0.5)]));
    let t = format!("target={}", column(dir.path(), "t", &[(1000, 0.0)]));
    let got = json(&["compare", "mse", &x, &t, "--json"]);
    let (words, _) = verdict(&got, "half", "f16");
    assert_eq!(words, "overflows in square at 312 elements, and with it value");
    assert_eq!(of(&got, "half", "f16", "value")["infinite"], 1);
    for (backend, dtype) in [("fused", "f16"), ("fused", "f32"), ("half", "bf16")] {
        assert_eq!(verdict(&got, backend, dtype).0, "within 1 ULP", "{backend} {dtype}");
    }
    let naive = verdict(&got, "naive", "bf16").0;
    assert!(naive.contains("bits in value (sum of all)"), "{naive}");
    let table = shown(&["compare", "mse", &x, &t]);
    assert!(table.contains("overflows in square at 312 elements"), "{table}");

    // Rows without the large ones, and inputs that are too large themselves.
    let small =
        json(&["compare", "mse", &x, &t, "--rows", "100", "-o", "reduction=none", "--json"]);
    assert_eq!(of(&small, "half", "f16", "value")["beyond"], 100);
    assert_eq!(small["formats"][0]["rows"], 100);
    let huge = format!("input={}", column(dir.path(), "huge", &[(3, 1e5), (997, 1.0)]));
    let got = json(&["compare", "l1", &huge, &t, "--json"]);
    let inputs = verdict(&got, "half", "f16").1["inputs"].as_str().unwrap();
    assert_eq!(inputs, "input is beyond 6.5504e4, the largest of f16, at 3 elements");
}

#[test]
fn a_loss_scale_is_given_where_one_helps() {
    let dir = tempfile::tempdir().unwrap();
    let x = format!("input={}", column(dir.path(), "x", &[(1000, 1e-5)]));
    let t = format!("target={}", column(dir.path(), "t", &[(1000, 0.0)]));
    let got = json(&["compare", "mse", &x, &t, "--json"]);
    let (words, f16) = verdict(&got, "fused", "f16");
    assert!(words.contains("grad.input becomes 0 at 1000 elements"), "{words}");
    assert_eq!(f16["loss_scale"], serde_json::json!({ "exponent": 12, "still_0": 0 }));
    assert!(verdict(&got, "fused", "f32").1["loss_scale"].is_null());
    let table = shown(&["compare", "mse", &x, &t]);
    assert!(table.contains("a loss scale of 4096 keeps all gradients in range"), "{table}");
}

#[test]
fn results_of_another_framework_are_judged_as_ours_are() {
    let dir = tempfile::tempdir().unwrap();
    let x = format!("input={}", digits("regression_prediction"));
    let t = format!("target={}", digits("regression_target"));
    let out = dir.path().join("theirs");
    shown(&["eval", "huber", &x, &t, "--grad", "--save", out.to_str().unwrap()]);
    let file = |name: &str| format!("{name}={}", out.join(format!("{name}.npy")).display());
    let compare = ["compare", "huber", &x, &t];
    let theirs = ["--theirs", &file("value"), &file("grad.input")];
    let got = json(&[&compare[..], &["--json"], &theirs].concat());
    for output in ["value", "grad.input"] {
        let (ours, theirs) =
            (of(&got, "ndarray", "f32", output), of(&got, "theirs", "f32", output));
        assert_eq!(ours["mean_ulp"], theirs["mean_ulp"]);
        assert_eq!(theirs["count"], if output == "value" { 1 } else { 1797 });
    }
    // Some are spoilt.
    let path = out.join("grad.input.npy");
    let mut raw = std::fs::read(&path).unwrap();
    let end = raw.len();
    raw[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    raw[end - 5] ^= 0x80;
    raw[end - 12..end - 8].copy_from_slice(&0.0_f32.to_le_bytes());
    std::fs::write(&path, raw).unwrap();
    let got = json(&[&compare[..], &["--json"], &theirs].concat());
    let grad = of(&got, "theirs", "f32", "grad.input");
    assert_eq!([&grad["nan"], &grad["flushed"], &grad["sign"]], [1, 1, 1], "{grad}");
    let words = verdict(&got, "theirs", "f32").0;
    assert!(words.contains("grad.input is NaN at 1 element, where the exact result is not"));

    let given = |words: &[&str], message| refused(&[&compare[..], words].concat(), message);
    given(&["--theirs", &file("grad.input"), "--rows", "9"], "has shape [1797], but [9] is right");
    let other = file("value").replacen("value", "loss", 1);
    given(&["--theirs", &other], "--theirs loss: the results are value, grad.input, grad.target");
    given(&["--theirs", "value=nowhere.npy"], "value=nowhere.npy: No such file");
    given(&["--rows", "0"], "--rows 0: give at least 1");
    given(&["--theirs", "value"], "is not NAME=FILE");
    refused(&["compare", "huber", &x, "other=x.npy"], "other=x.npy: No such file");
    refused(&["compare", "huber", &x, &t.replacen("target", "label", 1)], "no argument \"label\"");
    refused(&["compare", "--theirs", &file("value")], "say which loss");
    refused(&["compare", "huber", "--rows", "5", "--rounds", "1"], "\"--rows\": a report makes");
}
