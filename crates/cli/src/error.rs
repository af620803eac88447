//! What can go wrong, in one line.

/// A wrong command, file or input.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The loss refuses its input.
    #[error(transparent)]
    Loss(#[from] lossmith_core::Error),
    /// An argument's file cannot be used.
    #[error("{argument}={file}: {what}")]
    File {
        /// The argument.
        argument: String,
        /// The file.
        file: String,
        /// What is wrong with it.
        what: String,
    },
    /// The command line does not say what it should.
    #[error("{0}")]
    Usage(String),
    /// A loss is slower than its bar allows: a line for each, beside all that was measured.
    #[error("{}", misses.join("\n"))]
    Slow {
        /// What was measured.
        report: String,
        /// What is below its bar.
        misses: Vec<String>,
    },
    /// Something is less exact than it was: a line for each, beside the report.
    #[error("{}", worse.join("\n"))]
    Worse {
        /// What was measured.
        report: String,
        /// What is worse.
        worse: Vec<String>,
    },
    /// A report cannot be written or read.
    #[error("{0}: {1}")]
    Report(String, String),
    /// The results cannot be written.
    #[error("--save {0}: {1}")]
    Save(String, std::io::Error),
}
