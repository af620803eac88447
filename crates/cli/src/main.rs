//! The `lossmith` command.

use clap::Parser;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let printed =
        lossmith_cli::run(lossmith_cli::Command::parse()).map_err(|error| error.to_string());
    let shown = printed.and_then(|text| match writeln!(io::stdout(), "{}", text.trim_end()) {
        // Whoever reads may stop early.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    });
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lossmith: {error}");
            ExitCode::from(2)
        }
    }
}
