//! The `lossmith` command: losses and gradients on files, how exact each backend is, and how fast.

mod bench;
mod beside;
mod compare;
mod digits;
mod error;
mod eval;
mod list;
mod progress;
mod read;
mod report;
mod run;
mod shell;
mod write;

pub use beside::end_on_interrupt;
use clap::{Args, CommandFactory, Parser, Subcommand};
pub use error::Error;
pub use read::{Argument, Data, read};
#[doc(hidden)]
pub use report::worse_than;
pub use run::{BackendName, Dtype, Loss, loss};
use std::path::PathBuf;

/// Loss functions with derived gradients, on every backend.
#[derive(Debug, Parser)]
#[command(name = "lossmith", version)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the catalogue, or one loss in full
    List {
        /// A loss of the catalogue
        loss: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Evaluate a loss, and its gradients, on files
    Eval {
        #[command(flatten)]
        problem: Problem,
        /// The backend [default: ndarray; half for 16 bits]
        #[arg(long)]
        backend: Option<BackendName>,
        /// The number format [default: the input file's]
        #[arg(long)]
        dtype: Option<Dtype>,
        /// The gradient of each differentiable argument too
        #[arg(long)]
        grad: bool,
        /// Write value.npy and grad.NAME.npy into this directory
        #[arg(long)]
        save: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Judge value and gradients on every backend and number format against the exact ones
    Compare {
        /// A loss of the catalogue, for a report several with commas between; without one, every loss on the digits
        loss: Option<String>,
        /// NAME=FILE, NAME an argument of the loss
        arguments: Vec<String>,
        /// OPTION=VALUE
        #[arg(short, long = "option")]
        options: Vec<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        extent: compare::Extent,
        #[command(flatten)]
        report: report::Wanted,
    },
    /// Time value and gradients beside the roof, what memory allows
    Bench(bench::Wanted),
    /// Print what a shell completes the command with
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or that of one command, as roff
    Man {
        /// list, eval, compare …
        command: Option<String>,
    },
}

/// A loss with its arguments and options.
#[derive(Debug, Args)]
struct Problem {
    /// A loss of the catalogue
    loss: String,
    /// NAME=FILE, NAME an argument of the loss, FILE a .npy, .npz or .safetensors (NAME=FILE:MEMBER for one of several)
    arguments: Vec<String>,
    /// OPTION=VALUE
    #[arg(short, long = "option")]
    options: Vec<String>,
}

/// Carries out a command and returns what it prints.
///
/// # Errors
/// An [`Error`] of one line that says what is wrong, where, and how to put it right.
pub fn run(command: Command) -> Result<String, Error> {
    match command.action {
        Action::List { loss, json } => list::run(loss.as_deref(), json),
        Action::Eval {
            problem: Problem { loss, arguments, options },
            backend,
            dtype,
            grad,
            save,
            json,
        } => {
            let loss = run::loss(&loss, &options)?;
            let arguments = read::arguments(&loss, &arguments)?;
            eval::run(&loss, &arguments, &eval::Wanted { backend, dtype, grad, save, json })
        }
        Action::Compare { loss, arguments, options, json, extent, report }
            if report.is_wanted() =>
        {
            let argument = arguments.first().map(String::as_str);
            if let Some(argument) = argument.or(extent.given()) {
                let what =
                    format!("{argument:?}: a report makes its inputs itself, leave files out");
                return Err(Error::Usage(what));
            }
            report::run(loss.as_deref().map(|loss| (loss, &options[..])), &report, json)
        }
        Action::Compare { loss: None, json, extent, .. } => {
            compare::all(&digits::all()?, &extent, json)
        }
        Action::Compare { loss: Some(loss), arguments, options, json, extent, .. } => {
            let loss = run::loss(&loss, &options)?;
            let arguments = read::arguments(&loss, &arguments)?;
            compare::one(&loss, &arguments, &extent, json)
        }
        Action::Bench(wanted) => bench::run(&wanted),
        Action::Completions { shell } => Ok(shell::completions(shell, Command::command())),
        Action::Man { command } => shell::man(command.as_deref(), Command::command()),
    }
}
