//! What a report has so far, so that it can be stopped and gone on with.

use super::{Entry, LAYOUT, curves::Curves, write, wrong};
use crate::error::Error;
use lossmith_precision::Depth;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The file of a report that is not finished.
const UNFINISHED: &str = "unfinished.json";

/// What has to be the same for measurements to go together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Settings {
    pub(super) layout: u64,
    pub(super) version: String,
    /// When the program was built, in seconds: another one may compute otherwise.
    built: u64,
    pub(super) seed: u64,
    pub(super) rounds: usize,
    others: usize,
    pub(super) steps: usize,
    pub(super) long: usize,
    pub(super) longest: usize,
    pub(super) classes: usize,
    pub(super) losses: Vec<String>,
    pub(super) options: Vec<String>,
}

impl Settings {
    pub(super) fn new(losses: &[&str], options: &[String], depth: &Depth) -> Self {
        let built = std::env::current_exe().and_then(|program| program.metadata()?.modified());
        let built = built.ok().and_then(|built| built.duration_since(SystemTime::UNIX_EPOCH).ok());
        let Depth { rounds, others, steps, long, longest, classes, seed } = *depth;
        Self {
            layout: LAYOUT,
            version: env!("CARGO_PKG_VERSION").into(),
            built: built.map_or(0, |built| built.as_secs()),
            seed,
            rounds,
            others,
            steps,
            long,
            longest,
            classes,
            losses: losses.iter().map(ToString::to_string).collect(),
            options: options.to_vec(),
        }
    }
}

/// A loss that is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Measured {
    pub(super) loss: String,
    pub(super) cells: Vec<Entry>,
    pub(super) curves: Option<Curves>,
}

/// The losses that are done.
#[derive(Debug, Serialize, Deserialize)]
struct Unfinished {
    settings: Settings,
    measured: Vec<Measured>,
}

/// The losses that are done, in memory and in the directory of the report, if there is one.
#[derive(Debug)]
pub(super) struct Kept {
    dir: Option<PathBuf>,
    settings: Settings,
    unfinished: Mutex<Unfinished>,
}

impl Kept {
    /// What the directory has under the same settings, or nothing yet.
    ///
    /// # Errors
    /// Where the directory cannot be written, which shows before anything is measured.
    pub(super) fn new(dir: Option<PathBuf>, settings: Settings) -> Result<Self, Error> {
        let found = dir.as_ref().and_then(|dir| {
            let path = dir.join(UNFINISHED);
            let text = std::fs::read_to_string(&path).ok()?;
            let found = serde_json::from_str::<Unfinished>(&text).ok();
            let found = found.filter(|found| found.settings == settings);
            let (path, all) = (path.display(), settings.losses.len());
            match &found {
                Some(Unfinished { measured, .. }) => {
                    eprintln!("lossmith: {path} has {} of {all} losses: going on", measured.len());
                }
                None => eprintln!("lossmith: {path} is of other settings: starting anew"),
            }
            found
        });
        let nothing = || Unfinished { settings: settings.clone(), measured: Vec::new() };
        let unfinished = Mutex::new(found.unwrap_or_else(nothing));
        let kept = Self { dir, settings, unfinished };
        kept.save(&kept.lock())?;
        Ok(kept)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The losses that are still to be measured.
    pub(super) fn left(&self) -> Vec<String> {
        let unfinished = self.lock();
        let done = |name: &&String| unfinished.measured.iter().any(|one| one.loss == **name);
        self.settings.losses.iter().filter(|name| !done(name)).cloned().collect()
    }

    pub(super) fn keep(&self, measured: Measured) -> Result<(), Error> {
        let mut unfinished = self.lock();
        unfinished.measured.push(measured);
        self.save(&unfinished)
    }

    /// All losses that are done, in the order of the settings.
    pub(super) fn all(&self) -> Vec<Measured> {
        let mut all = self.lock().measured.clone();
        let place = |one: &Measured| self.settings.losses.iter().position(|name| *name == one.loss);
        all.sort_by_key(place);
        all
    }

    /// Writes the files of the whole report in place of what was kept.
    pub(super) fn finish(&self, files: &[(&str, &str)]) -> Result<(), Error> {
        let Some(dir) = &self.dir else { return Ok(()) };
        write(dir, files)?;
        let path = dir.join(UNFINISHED);
        std::fs::remove_file(&path).map_err(|error| wrong(&path, error))
    }

    fn save(&self, unfinished: &Unfinished) -> Result<(), Error> {
        let Some(dir) = &self.dir else { return Ok(()) };
        let text = serde_json::to_string(unfinished).map_err(|error| wrong(dir, error))?;
        write(dir, &[(UNFINISHED, &text)])
    }

    fn lock(&self) -> MutexGuard<'_, Unfinished> {
        self.unfinished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
