//! What a machine or a stranger's file can do to the command: nothing is half-written, and the exit status says it.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::npy;
use lossmith_cli::{Data, loss, read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

fn lossmith() -> Command {
    Command::new(env!("CARGO_BIN_EXE_lossmith"))
}

/// The bytes of a .safetensors file.
fn safetensors(header: &str, data: &[u8]) -> Vec<u8> {
    [&u64::try_from(header.len()).unwrap().to_le_bytes()[..], header.as_bytes(), data].concat()
}

/// A file of that many zeros in f64, as the argument of a loss.
fn zeros(dir: &Path, n: usize) -> String {
    let path = dir.join("x.npy");
    std::fs::write(&path, npy("'<f8'", "False", &format!("({n},)"), &vec![0; 8 * n])).unwrap();
    format!("input={}", path.display())
}

/// What is in a directory, by name; nothing where there is none.
fn names(dir: &Path) -> Vec<String> {
    let Ok(files) = std::fs::read_dir(dir) else { return Vec::new() };
    let mut names: Vec<_> =
        files.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[track_caller]
fn one_line(output: &Output, message: &str) {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!((output.status.code(), error.lines().count()), (Some(2), 1), "{error}");
    assert!(error.contains(message), "{error}");
}

/// The command under a limit of so many blocks a file, beyond which a write fails as on a full disk.
fn on_a_full_disk(blocks: usize, arguments: &[&str]) -> Output {
    let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut command = Command::new("sh");
    command.args(["-c", &limited, env!("CARGO_BIN_EXE_lossmith")]).args(arguments);
    command.output().unwrap()
}

#[test]
fn threads_that_cannot_be_started_are_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let x = zeros(dir.path(), 10);
    let target = x.replace("input=", "target=");
    // No address space has room for such a stack.
    let output = lossmith()
        .args(["eval", "mse", &x, &target, "--backend", "fused"])
        .env("RUST_MIN_STACK", (1_u64 << 60).to_string())
        .output()
        .unwrap();
    one_line(&output, "Resource temporarily unavailable");
}

#[test]
fn a_full_disk_is_an_error_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let save = ["--grad", "--save", out.to_str().unwrap()];
    // The value fits, its gradient does not; and of what is small, not even the last bytes.
    for (blocks, n) in [(16, 100_000), (0, 10)] {
        let x = zeros(dir.path(), n);
        let output = on_a_full_disk(blocks, &[&["eval", "softplus", &x][..], &save].concat());
        one_line(&output, "--save ");
        assert_eq!(names(&out), Vec::<String>::new());
    }
    // What was there stays as it was.
    let x = zeros(dir.path(), 100_000);
    std::fs::write(out.join("value.npy"), "old").unwrap();
    let output = on_a_full_disk(16, &[&["eval", "softplus", &x][..], &save].concat());
    one_line(&output, "--save ");
    assert_eq!(names(&out), ["value.npy"]);
    assert_eq!(std::fs::read_to_string(out.join("value.npy")).unwrap(), "old");
    // A report that cannot keep what it has is not begun.
    let report = ["compare", "l1", "--rounds", "1", "--report", out.to_str().unwrap()];
    one_line(&on_a_full_disk(0, &report), "unfinished.json: ");
    assert_eq!(names(&out), ["value.npy"]);
}

#[test]
fn results_that_cannot_be_printed_are_an_error() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    one_line(&lossmith().args(["list"]).stdout(full).output().unwrap(), "No space left");
}

#[test]
fn where_nothing_can_be_written_nothing_is() {
    let dir = tempfile::tempdir().unwrap();
    let x = zeros(dir.path(), 10);
    let save = |out: &Path| {
        let mut command = lossmith();
        command.args(["eval", "softplus", &x, "--grad", "--save"]).arg(out).output().unwrap()
    };
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    one_line(&save(&file), "file: ");
    one_line(&save(&file.join("below")), "below: ");
    // Not even root makes a directory there.
    one_line(&save(Path::new("/proc/lossmith")), "/proc/lossmith: ");
    // All of them or none: one that cannot be replaced keeps the other from being.
    let out = dir.path().join("out");
    std::fs::create_dir_all(out.join("grad.input.npy")).unwrap();
    one_line(&save(&out), "grad.input.npy is a directory");
    assert_eq!(names(&out), ["grad.input.npy"]);
}

/// Waits until the command hears interrupts, and interrupts it.
#[cfg(target_os = "linux")]
fn interrupted(child: Child) -> Output {
    let status = format!("/proc/{}/status", child.id());
    let hears = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
    };
    while !hears() {
        std::thread::yield_now();
    }
    interrupt(child)
}

/// Interrupts the command, and waits for its end.
#[cfg(target_os = "linux")]
fn interrupt(child: Child) -> Output {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    child.wait_with_output().unwrap()
}

#[cfg(target_os = "linux")]
fn start(arguments: &[&str]) -> Child {
    // Behind a shell's & these tests are started with interrupts ignored, and the command would keep it so.
    let mut command = Command::new("env");
    command.arg("--default-signal=INT").arg(lossmith().get_program()).args(arguments);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn what_is_interrupted_ends_with_130() {
    for arguments in [&["bench", "--seconds", "60"][..], &["compare", "--rounds", "99"]] {
        let output = interrupted(start(arguments));
        assert_eq!(output.status.code(), Some(130), "{arguments:?}");
        assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_interrupted_save_is_whole_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let save = ["--grad", "--save", out.to_str().unwrap()];
    // While it reads, of a pipe that never ends.
    let pipe = dir.path().join("pipe.npy");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let endless = format!("input={}", pipe.display());
    let child = start(&[&["eval", "softplus", &endless][..], &save].concat());
    assert_eq!(interrupted(child).status.code(), Some(130));
    assert_eq!(names(&out), Vec::<String>::new());
    // While it writes.
    let x = zeros(dir.path(), 2_000_000);
    let child = start(&[&["eval", "softplus", &x][..], &save].concat());
    while names(&out).is_empty() {
        std::thread::yield_now();
    }
    let all = ["grad.input.npy", "value.npy"];
    match interrupt(child).status.code() {
        Some(130) => assert!(names(&out).is_empty() || names(&out) == all, "{:?}", names(&out)),
        code => assert_eq!((code, names(&out)), (Some(0), all.map(String::from).to_vec())),
    }
}

/// What the command says of a file with these bytes, or the shape and numbers that it reads.
fn of(file: &str, bytes: &[u8]) -> Result<(Vec<usize>, Vec<f64>), String> {
    let loss = loss("softplus", &[]).unwrap();
    let argument = read(&loss, "input", file, bytes).map_err(|error| error.to_string())?;
    match argument.data {
        Data::Numbers(array) => Ok((array.shape().to_vec(), array.into_data())),
        Data::Labels(_) => panic!("softplus takes no labels"),
    }
}

#[test]
fn files_of_any_order_are_read_and_hostile_ones_refused() {
    let numbers = |to: fn(f32) -> [u8; 4]| [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(to).concat();
    let (little, big) = (numbers(f32::to_le_bytes), numbers(f32::to_be_bytes));
    let right = Ok((vec![2, 3], vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
    assert_eq!(of("x.npy", &npy("'<f4'", "False", "(2, 3)", &little)), right);
    assert_eq!(of("x.npy", &npy("'>f4'", "False", "(2, 3)", &big)), right);
    let turned = [1.0_f32, 4.0, 2.0, 5.0, 3.0, 6.0].map(f32::to_le_bytes).concat();
    assert_eq!(of("x.npy", &npy("'<f4'", "True", "(2, 3)", &turned)), right);
    assert_eq!(of("x.npy", &npy("'<f4'", "True", "(2, 0)", &[])), Ok((vec![2, 0], vec![])));

    let whole = 1_u64 << 62;
    let nested = "[".repeat(64);
    let hostile = [
        ("'|O'", "(1,)", "not one of real numbers"),
        ("'<c8'", "(1,)", "not one of real numbers"),
        ("'<U1'", "(1,)", "not one of real numbers"),
        ("'<f16'", "(1,)", ""),
        ("[('a', '<f4')]", "(1,)", "not one of real numbers"),
        ("('<f4', (2,))", "(1,)", ""),
        (&nested, "(1,)", "4 brackets one in the other"),
        ("'<f4'", "(3, 3)", "cut short"),
        ("'<f4'", "(-1,)", "not one of whole numbers"),
        ("'<f4'", &format!("({whole}, {whole})"), "more elements than can be counted"),
        ("'<f4'", &format!("({},)", 1_u64 << 40), "cut short"),
        ("'<f4'", &format!("({whole}, 0, {whole})"), "more elements than can be counted"),
    ];
    for (descr, shape, message) in hostile {
        let words = of("x.npy", &npy(descr, "False", shape, &little)).unwrap_err();
        assert!(words.contains(message) && words.lines().count() == 1, "{descr} {shape}: {words}");
    }

    let tensor = |name: &str, shape: &str, from: usize, to: usize| {
        let offsets = format!(r#""data_offsets": [{from}, {to}]"#);
        format!(r#""{name}": {{"dtype": "F32", "shape": {shape}, {offsets}}}"#)
    };
    let file = |tensors: &[String]| safetensors(&format!("{{{}}}", tensors.join(",")), &little);
    assert_eq!(of("x.safetensors", &file(&[tensor("input", "[2, 3]", 0, 24)])), right);
    let huge = format!("[{whole}, {whole}]");
    let hostile = [
        file(&[tensor("input", "[4]", 0, 16), tensor("b", "[3]", 12, 24)]),
        file(&[tensor("input", "[2]", 0, 8), tensor("b", "[2]", 16, 24)]),
        file(&[tensor("input", "[8]", 0, 32)]),
        file(&[tensor("input", "[6]", 24, 0)]),
        file(&[tensor("input", &huge, 0, 24)]),
        file(&[tensor("input", "[2]", 0, 24)]),
        safetensors("{", &little),
        [&(whole).to_le_bytes()[..], b"{}"].concat(),
    ];
    for bytes in hostile {
        let words = of("x.safetensors", &bytes).unwrap_err();
        assert!(
            words.starts_with("input=x.safetensors: ") && words.lines().count() == 1,
            "{words}"
        );
    }
}

/// A .npz file as NumPy writes it, of one member.
fn npz() -> Vec<u8> {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/files");
    // Its first byte is the fuzz target's.
    std::fs::read(seeds.join("npz_packed")).unwrap()[1..].to_vec()
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let header = r#"{"input": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}"#;
    let files = [
        ("x.npy", npy("'<f4'", "False", "(4,)", &[0; 16])),
        ("x.npz", npz()),
        ("x.safetensors", safetensors(header, &[0; 16])),
    ];
    for (file, whole) in files {
        assert!(of(file, &whole).is_ok(), "{file}");
        for length in 0..whole.len() {
            let words = of(file, &whole[..length]).unwrap_err();
            assert_eq!(words.lines().count(), 1, "{file} of {length} bytes: {words}");
        }
    }
}

#[test]
fn an_archive_is_not_believed_to_hold_more_than_it_can() {
    let mut bytes = npz();
    // Where the directory at the end, and the member's own header, say how long it is unpacked.
    for (mark, offset) in [(b"PK\x01\x02", 24), (b"PK\x03\x04", 22)] {
        let place = bytes.windows(4).position(|window| window == mark).unwrap();
        bytes[place + offset..place + offset + 4].fill(0xfe);
    }
    let words = of("x.npz", &bytes).unwrap_err();
    assert!(words.contains("unpacks to 4278124286 bytes"), "{words}");
}
