//! An older report's data, which a new one is held against: lines of what is worse, or an error of one line.

use lossmith_cli::worse_than;

/// Reads the bytes as data of a report, the first of them choosing the threshold.
///
/// # Panics
/// If a line of what is said is more than one.
pub fn run(bytes: &[u8]) {
    let [threshold, text @ ..] = bytes else { return };
    let said = worse_than(&String::from_utf8_lossy(text), f64::from(*threshold) / 64.0);
    for words in said.unwrap_or_else(|error| vec![error]) {
        assert_eq!(words.lines().count(), 1, "{words:?}");
    }
}
