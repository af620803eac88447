//! Lists the golden files, so that a new one needs no hand: an array of `include_str!`, in the order of their names.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=golden");
    let root = env::var("CARGO_MANIFEST_DIR").map_err(io::Error::other)?;
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    let files = fs::read_dir(Path::new(&root).join("golden"))?.map(|file| Ok(file?.path()));
    let mut files = files.collect::<io::Result<Vec<_>>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    let lines = files.iter().map(|file| format!("include_str!({file:?}),\n"));
    fs::write(Path::new(&out).join("golden.rs"), format!("[{}]", lines.collect::<String>()))
}
