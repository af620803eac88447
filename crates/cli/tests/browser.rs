//! The report in a real browser, headless: it renders, its links and filters work, and its script has no errors.
//!
//! `cargo test -p lossmith-cli --test browser -- --ignored`, where there is a Chromium or Chrome.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::Path;
use std::process::{Command, Output};

/// What a browser is called.
const NAMES: [&str; 2] = ["chromium", "google-chrome"];

/// The browser, with a profile of its own, on a page of that directory.
fn browser(dir: &Path, page: &str, arguments: &[&str]) -> Output {
    let profile = tempfile::tempdir().unwrap();
    let run = |name: &&str| {
        let mut command = Command::new(name);
        command.args(["--headless", "--disable-gpu", "--no-first-run", "--enable-logging=stderr"]);
        // It has no sandbox of its own as root, as in a container; the pages are ours.
        command.args(["--no-sandbox", "--allow-file-access-from-files"]);
        command.arg(format!("--user-data-dir={}", profile.path().display()));
        command.arg("--virtual-time-budget=20000").args(arguments);
        command.arg(format!("file://{}", dir.join(page).display())).output().ok()
    };
    let output = NAMES.iter().find_map(run);
    let output = output.unwrap_or_else(|| panic!("none of {} is there", NAMES.join(", ")));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

/// What the page says in the console: errors and warnings.
fn said(output: &Output) -> Vec<String> {
    let all = String::from_utf8_lossy(&output.stderr);
    all.lines().filter(|line| line.contains(":CONSOLE")).map(String::from).collect()
}

/// The page in that directory as `check.html` reads it: what is wrong.
fn wrong(dir: &Path, arguments: &[&str]) -> Vec<String> {
    let checks = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/check.html");
    std::fs::copy(checks, dir.join("check.html")).unwrap();
    let output = browser(dir, "check.html", &[arguments, &["--dump-dom"]].concat());
    let page = String::from_utf8(output.stdout.clone()).unwrap();
    let found =
        page.split_once("<pre id=\"found\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let found = found.map_or("", |(found, _)| found);
    let found: serde_json::Value = serde_json::from_str(found)
        .unwrap_or_else(|error| panic!("{found:?} is not what was found: {error}"));
    assert_ne!(found["held"], "0 checks");
    let mut wrong = said(&output);
    let complaints = found["complaints"].as_array().unwrap();
    wrong.extend(complaints.iter().map(|complaint| complaint.as_str().unwrap().to_owned()));
    wrong
}

#[test]
#[ignore = "needs a browser, which .ci/run installs where it can"]
fn the_report_is_read_in_a_browser() {
    let dir = tempfile::tempdir().unwrap();
    let (dir, page) = (dir.path(), dir.path().join("index.html"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_lossmith"));
    command.args(["compare", "l1,smooth_l1,linear_cross_entropy", "--rounds", "1"]);
    command.args(["--longest", "8192", "--report"]);
    assert!(command.arg(dir).output().unwrap().status.success());

    assert_eq!(wrong(dir, &[]), [""; 0]);
    let dark = "--blink-settings=preferredColorScheme=0";
    assert_eq!(wrong(dir, &[dark]), [""; 0]);
    // On paper it is more than a line, and none of it is a request.
    let paper = dir.join("page.pdf");
    let print = format!("--print-to-pdf={}", paper.display());
    assert_eq!(said(&browser(dir, "index.html", &[&print])), [""; 0]);
    assert!(std::fs::read(paper).unwrap().starts_with(b"%PDF-"));

    // The reader would have seen a fault.
    let whole = std::fs::read_to_string(&page).unwrap();
    let faults = [
        ("</script>", "none.length;</script>", "none is not defined"),
        ("href=\"#smooth_l1\"", "href=\"#smooth\"", "leads somewhere"),
        ("formats.has(", "!formats.has(", "f16 is hidden"),
        ("includes(word)", "includes(\"l1\")", "l1: its sections"),
        ("max-width: 80rem", "min-width: 80rem", "at 390 pixels"),
        ("<svg", "<svg hidden", "a plot is seen"),
    ];
    for (right, fault, complaint) in faults {
        assert!(whole.contains(right), "{right}");
        std::fs::write(&page, whole.replace(right, fault)).unwrap();
        let wrong = wrong(dir, &[]);
        assert!(wrong.iter().any(|wrong| wrong.contains(complaint)), "{fault}: {wrong:?}");
    }
}
