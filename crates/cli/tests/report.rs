//! Reports by the real binary: written whole, compared with older ones, refused in one line.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output};

fn lossmith(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_lossmith")).args(arguments).output().unwrap()
}

/// How little is searched.
const LITTLE: [&str; 4] = ["--rounds", "1", "--longest", "8192"];

/// A report of one loss in that directory.
fn report(dir: &Path) -> Output {
    lossmith(&[&["compare", "l1", "--report", dir.to_str().unwrap()], &LITTLE[..]].concat())
}

#[track_caller]
fn refused(arguments: &[&str], message: &str) {
    let output = lossmith(arguments);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    assert!(error.contains(message), "{error}");
}

#[test]
fn a_report_is_a_page_and_its_data() {
    let dir = tempfile::tempdir().unwrap();
    let output = report(dir.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8(output.stdout).unwrap().contains("l1"));
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["index.html", "precision.json"]);

    let page = std::fs::read_to_string(dir.path().join("index.html")).unwrap();
    assert!(
        !page.contains("http://")
            || page.matches("http://").count() == page.matches("http://www.w3.org").count()
    );
    assert_eq!((page.matches("<svg").count(), page.matches("</svg>").count()), (4, 4));
    assert!(page.contains("fused") && page.contains("bf16"));

    let text = std::fs::read_to_string(dir.path().join("precision.json")).unwrap();
    let data: serde_json::Value = serde_json::from_str(&text).unwrap();
    let cells = data["cells"].as_array().unwrap();
    let more = [(cfg!(feature = "candle"), 4), (cfg!(feature = "burn"), 2)];
    let more: usize = more.iter().filter(|(on, _)| *on).map(|(_, formats)| formats).sum();
    assert_eq!(cells.len(), 14 + more);
    let of = |backend: &str, dtype: &str| {
        let same = |cell: &&serde_json::Value| cell["backend"] == backend && cell["dtype"] == dtype;
        cells.iter().find(same).unwrap()["outputs"][0].clone()
    };
    // The engine rounds once; a backend that is narrow throughout does not.
    assert!(of("fused", "f16")["max_ulp"].as_f64().unwrap() <= 0.51);
    let table = lossmith(&[&["compare", "l1"], &LITTLE[..]].concat());
    assert!(String::from_utf8(table.stdout).unwrap().starts_with(" bits lost"));
    let naive = of("naive", "f16");
    assert!(naive["max_ulp"].as_f64().unwrap() > 8.0);
    assert_eq!(naive["worst"]["causes"][0][0], "sum of all");
}

#[test]
fn what_has_become_worse_fails() {
    let dir = tempfile::tempdir().unwrap();
    assert!(report(dir.path()).status.success());
    let path = dir.path().join("precision.json");
    let old = path.to_str().unwrap();
    let again = lossmith(&["compare", "l1", "--against", old]);
    assert_eq!(again.status.code(), Some(0), "{}", String::from_utf8_lossy(&again.stderr));

    // An older report that was better, in one place.
    let mut data: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let cells = data["cells"].as_array_mut().unwrap();
    let cell = cells.iter_mut().find(|cell| cell["backend"] == "naive" && cell["dtype"] == "f16");
    cell.unwrap()["outputs"][0]["bits"] = 0.5.into();
    std::fs::write(&path, data.to_string()).unwrap();
    let worse = lossmith(&["compare", "l1", "--against", old]);
    let error = String::from_utf8(worse.stderr).unwrap();
    assert_eq!((worse.status.code(), error.lines().count()), (Some(1), 1), "{error}");
    assert!(error.contains("l1 on naive f16: value loses"), "{error}");
    let fine = lossmith(&["compare", "l1", "--against", old, "--threshold", "20"]);
    assert_eq!(fine.status.code(), Some(0));
}

#[test]
fn what_cannot_be_is_said_in_one_line() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let none = dir.path().join("none.json").display().to_string();
    refused(&["compare", "l1", "--against", &none], "none.json");
    refused(&["compare", "l1", "--against", &file("a.json", "{")], "a.json: EOF");
    refused(&["compare", "l1", "--against", &file("b.json", "[]")], "is no precision.json");
    let other = file("c.json", "{\"layout\": 99}");
    refused(&["compare", "l1", "--against", &other], "is a report of layout 99");
    let path = file("file", "");
    refused(&["compare", "l1", "--rounds", "1", "--report", &path], "file: ");
    refused(&["compare", "l2", "--report", &none], "l2");
    refused(&["compare", "l1", "input=x.npy", "--report", &none], "leave files out");
    assert!(!Path::new(&none).exists());
}

#[cfg(unix)]
#[test]
fn what_is_stopped_goes_on() {
    const LOSSES: usize = 6;
    let command = |dir: &Path| {
        let lossmith = env!("CARGO_BIN_EXE_lossmith");
        // Behind a shell's & this test is started with interrupts ignored, and the command would keep it so; other
        // systems' env has no word for it.
        let mut command = Command::new(if cfg!(target_os = "linux") { "env" } else { lossmith });
        if cfg!(target_os = "linux") {
            command.args(["--default-signal=INT", lossmith]);
        }
        command.args(["compare", "l1,mse,huber,smooth_l1,log_cosh,hinge_embedding"]);
        command.args(LITTLE).arg("--report").arg(dir);
        command
    };
    let data = |dir: &Path| std::fs::read_to_string(dir.join("precision.json")).unwrap();
    let whole = tempfile::tempdir().unwrap();
    assert!(command(whole.path()).output().unwrap().status.success());

    let dir = tempfile::tempdir().unwrap();
    let unfinished = dir.path().join("unfinished.json");
    let kept = || -> Option<serde_json::Value> {
        Some(serde_json::from_str(&std::fs::read_to_string(&unfinished).ok()?).unwrap())
    };
    let done = || kept().map_or(0, |kept| kept["measured"].as_array().unwrap().len());
    let mut child = command(dir.path()).spawn().unwrap();
    while done() == 0 {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be stopped");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let count = done();
    assert!((1..LOSSES).contains(&count), "{count}");
    let said = |output: &Output, what: &str| {
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        assert!(said.contains(what), "{said}");
    };
    assert!(!dir.path().join("precision.json").exists());

    // What is done is not done again: a mark on it is in the report.
    let marked = tempfile::tempdir().unwrap();
    let mut mark = kept().unwrap();
    let loss = mark["measured"][0]["loss"].clone();
    mark["measured"][0]["cells"][0]["unsupported"] = "a mark".into();
    std::fs::write(marked.path().join("unfinished.json"), mark.to_string()).unwrap();
    for dir in [dir.path(), marked.path()] {
        let output = command(dir).output().unwrap();
        assert!(output.status.success());
        said(&output, &format!("has {count} of {LOSSES} losses: going on"));
        assert!(!dir.join("unfinished.json").exists());
    }
    assert_eq!(data(dir.path()), data(whole.path()));
    let marked: serde_json::Value = serde_json::from_str(&data(marked.path())).unwrap();
    let cells = marked["cells"].as_array().unwrap();
    let marks: Vec<_> = cells.iter().filter(|cell| cell["unsupported"] == "a mark").collect();
    assert_eq!(marks.len(), 1);
    assert_eq!(marks[0]["loss"], loss);

    // Of other settings it is no use.
    std::fs::write(dir.path().join("unfinished.json"), mark.to_string()).unwrap();
    let other = report(dir.path());
    assert!(other.status.success());
    said(&other, "is of other settings: starting anew");
    assert!(!data(dir.path()).contains("a mark"));
}
