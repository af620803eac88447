//! What is fuzzed: functions of bytes that panic where something is wrong, and do nothing else.
//!
//! libFuzzer runs them from the package in `fuzz`, which stands outside the workspace, and the tests here for a bounded
//! time.

mod agree;
pub mod files;
mod layout;
pub mod losses;
pub mod options;
pub mod reports;

pub use agree::agree;

/// A target: any bytes, and a panic where something is wrong.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: [(&str, Target); 4] = [
    ("losses", losses::run),
    ("files", files::run),
    ("reports", reports::run),
    ("options", options::run),
];
