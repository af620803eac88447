//! The `lossmith` command.

use clap::Parser;
use lossmith_cli::Error;
use std::io::{self, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    lossmith_cli::end_on_interrupt();
    let shown = match lossmith_cli::run(lossmith_cli::Command::parse()) {
        Ok(text) => show(&text),
        Err(Error::Slow { report, misses }) => show(&report).and(Err(misses.join("\n"))),
        Err(Error::Worse { report, worse }) => {
            return match show(&report) {
                Ok(()) => {
                    eprintln!("{}", worse.join("\n"));
                    ExitCode::FAILURE
                }
                Err(_) => ExitCode::from(2),
            };
        }
        Err(error) => Err(error.to_string()),
    };
    match shown {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lossmith: {error}");
            ExitCode::from(2)
        }
    }
}

fn show(text: &str) -> Result<(), String> {
    match writeln!(io::stdout(), "{}", text.trim_end()) {
        // Whoever reads may stop early.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        _ => Ok(()),
    }
}
