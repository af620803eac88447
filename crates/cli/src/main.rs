//! The `lossmith` command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match lossmith_cli::run(lossmith_cli::Command::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("lossmith: {error}");
            ExitCode::from(2)
        }
    }
}
