//! How far a long command is.

use indicatif::{ProgressBar, ProgressDrawTarget};
use std::time::{Duration, Instant};

/// A bar, shown when there is more than a second to wait.
pub(crate) struct Progress {
    bar: ProgressBar,
    started: Instant,
}

impl Progress {
    pub(crate) fn new(steps: usize) -> Self {
        let bar = ProgressBar::new(steps as u64);
        bar.set_draw_target(ProgressDrawTarget::hidden());
        Self { bar, started: Instant::now() }
    }

    pub(crate) fn step(&self, what: &str) {
        if self.bar.is_hidden() && self.started.elapsed() > Duration::from_secs(1) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.set_message(what.to_owned());
        self.bar.inc(1);
    }

    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
