//! What is written on a command line: options of losses, and the words of every command.

use clap::Parser;
use lossmith_cli::{Command, loss};
use lossmith_core::Reference;
use lossmith_core::catalogue::{Argument, all};
use lossmith_tests::{Problem, Stream};

/// The most rows of a matrix that a problem is made with, where an option says how many there are.
const MOST: usize = 512;

/// Takes the bytes, a word a line, as options of a loss, the first of them choosing it, and as a command.
///
/// # Panics
/// If an option that is taken reads back as another, or a problem under it does anything but give a value or an error.
pub fn run(bytes: &[u8]) {
    let [choice, bytes @ ..] = bytes else { return };
    let words = String::from_utf8_lossy(bytes);
    let words: Vec<String> = words.split('\n').map(str::to_owned).collect();
    let losses = all();
    let default = &losses[usize::from(*choice) % losses.len()];
    let name = default.entry().name;
    if let Ok(loss) = loss(name, &words) {
        let back = |mut loss: lossmith_cli::Loss| {
            let options = loss.options();
            options.into_iter().map(|[name, value, ..]| format!("{name}={value}")).collect()
        };
        let read: Vec<String> = back(loss.clone());
        let again = lossmith_cli::loss(name, &read).map(back);
        assert_eq!(again.ok().as_ref(), Some(&read), "{words:?}");
        let rows = |argument: &Argument| loss.definition().rows(argument.name);
        let most = loss.entry().arguments.iter().filter_map(rows).max();
        let fits = if most > Some(MOST) { default } else { &loss };
        if let Ok(problem) = Problem::random(fits, &mut Stream(bytes.len() as u64)) {
            let got = loss.value_and_grad(&Reference, &problem.inputs());
            drop(got.map_err(|error| assert_eq!(error.to_string().lines().count(), 1, "{error}")));
        }
    }
    if let Err(error) = Command::try_parse_from([&["lossmith".to_owned()], &words[..]].concat()) {
        assert!(!error.to_string().is_empty());
    }
}
