//! The command's readers of `.npy`, `.npz` and `.safetensors`: an argument that a loss can be given, or an error of one
//! line.

use lossmith_cli::{Data, loss, read};
use lossmith_core::shape::count;

/// The files that the bytes may be, and the arguments that are read from them: numbers, and class indices.
const FILES: [&str; 5] = ["x.npy", "x.npz", "x.npz:input", "x.safetensors", "x.safetensors:input"];

/// The most that a byte of a file can be unpacked to, as elements of eight bytes each: deflate makes of it 1032.
const PACKED: usize = 1032;

/// Reads the bytes as a file of each kind, the first of them choosing the argument.
///
/// # Panics
/// If what is read has another length than its shape says, or an error is more than a line.
pub fn run(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let name = ["input", "target"][usize::from(choice % 2)];
    let loss = loss("cross_entropy", &[]).expect("it is in the catalogue");
    for file in FILES {
        match read(&loss, name, file, bytes) {
            Ok(argument) => {
                let (shape, n) = match &argument.data {
                    Data::Numbers(array) => (array.shape(), array.data().len()),
                    Data::Labels(indices) => (&indices.shape[..], indices.data.len()),
                };
                assert_eq!(count(shape), n, "{file} {shape:?}");
                assert!(n <= bytes.len() * PACKED, "{n} elements of {} bytes", bytes.len());
            }
            Err(error) => {
                let words = error.to_string();
                assert!(words.starts_with(&format!("{name}={file}: ")), "{words:?}");
                assert_eq!(words.lines().count(), 1, "{words:?}");
            }
        }
    }
}
