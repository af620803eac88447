//! Files that appear all at once or not at all: written beside where they go, then moved there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tempfile::TempDir;

/// What an interrupt has to take away.
static OPEN: Mutex<Vec<TempDir>> = Mutex::new(Vec::new());
/// What a shell reports of a command that was interrupted: 128 and the signal.
const INTERRUPTED: i32 = 130;
/// How often a directory is emptied that is still written to.
const TRIES: u32 = 100;

fn open() -> MutexGuard<'static, Vec<TempDir>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the program with 130 when it is interrupted, and leaves nothing half-written.
pub fn end_on_interrupt() {
    let end = || {
        // What is being moved is moved first, and nothing new is begun.
        let open = open();
        for files in open.iter() {
            // A file may be made while its directory is emptied.
            let gone = |_| !files.path().exists() || std::fs::remove_dir_all(files).is_ok();
            (0..TRIES).any(gone);
        }
        std::process::exit(INTERRUPTED);
    };
    // Where interrupts are ignored, as behind a shell's &, they stay so.
    drop(ctrlc::try_set_handler(end));
}

/// A directory in the one that is to be written.
#[derive(Debug)]
pub(crate) struct Beside {
    dir: PathBuf,
    files: PathBuf,
}

impl Beside {
    /// One in that directory, which is made if it is not there.
    pub(crate) fn new(dir: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let mut open = open();
        let made = tempfile::tempdir_in(dir)?;
        let files = made.path().to_owned();
        open.push(made);
        Ok(Self { dir: dir.to_owned(), files })
    }

    /// Where to write a file of that name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.files.join(name)
    }

    /// Moves the files of these names to where they belong, all of them or none.
    pub(crate) fn publish(self, names: &[&str]) -> io::Result<()> {
        let open = open();
        for name in names {
            let path = self.dir.join(name);
            if path.is_dir() {
                let what = format!("{} is a directory", path.display());
                return Err(io::Error::new(io::ErrorKind::IsADirectory, what));
            }
        }
        for name in names {
            std::fs::rename(self.path(name), self.dir.join(name))?;
        }
        drop(open);
        Ok(())
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // One that is taken off is removed from the disk before an interrupt can come between.
        open().retain(|files| files.path() != self.files);
    }
}
