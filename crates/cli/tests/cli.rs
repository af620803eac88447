//! The real binary on real files.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

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

/// A .npy file of a header and bytes, as any writer may make it.
fn npy(dir: &Path, name: &str, descr: &str, fortran: &str, shape: &str, data: &[u8]) -> String {
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}");
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
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
    let rows = json(&["compare", "ctc", &x, &t, &steps, &right, "--json"]);
    let rows = rows.as_array().unwrap();
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
    refused(&["eval", "sigmoidal", &x], "there is no loss \"sigmoidal\"");
    refused(&["eval", "mse", &x, "-o", "reduction=average"], "none | mean | sum");
    refused(
        &["eval", "sigmoid", &x, "--backend", "half", "--dtype", "f64"],
        "give --dtype f16 or bf16",
    );
}

#[test]
fn compare_on_the_digits_has_every_backend() {
    let rows = json(&["compare", "--json"]);
    let rows = rows.as_array().unwrap();
    for dtype in ["f64", "f32", "f16", "bf16"] {
        assert!(rows.iter().any(|row| row["dtype"] == dtype), "no {dtype}");
    }
    for backend in ["ndarray", "nalgebra", "half", "fused", "naive", "burn"] {
        assert!(rows.iter().any(|row| row["backend"] == backend), "no {backend}");
    }
    for row in rows {
        assert_eq!((&row["nan"], &row["infinite"]), (&0.into(), &0.into()), "{row}");
        let value = row["output"] == "value" && row["backend"] != "naive";
        // The others have the reference's own functions in f64, the fused engine its own. Of sigmoid_focal, whose power
        // is e^(γ ln p), it is 1.8 from exact, and the reference 0.2.
        let own = row["backend"] == "fused" && row["dtype"] == "f64";
        let most = match own {
            true if row["loss"] == "sigmoid_focal" => 2.0,
            true => 1.0,
            false => 0.5,
        };
        assert!(!value || row["max_ulp"].as_f64().unwrap() <= most, "{row}");
    }
}
