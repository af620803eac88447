//! An older report, and what has become worse since.

use super::{LAYOUT, Report, measured, wrong};
use crate::error::Error;
use lossmith_precision::Depth;
use serde_json::Value;
use std::path::Path;
use std::sync::LazyLock;

/// The data of an older report, of this layout.
pub(super) struct Older(Value);

impl Older {
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| wrong(path, error))?;
        Self::of(&text).map_err(|what| wrong(path, what))
    }

    fn of(text: &str) -> Result<Self, String> {
        let old: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        match old["layout"].as_u64() {
            Some(LAYOUT) => Ok(Self(old)),
            Some(other) => {
                Err(format!("is a report of layout {other}, not {LAYOUT}: make it again"))
            }
            None => Err("is no precision.json of a report".into()),
        }
    }

    pub(super) fn seed(&self) -> Option<u64> {
        self.0["seed"].as_u64()
    }

    pub(super) fn rounds(&self) -> Option<usize> {
        self.0["rounds"].as_u64().and_then(|rounds| usize::try_from(rounds).ok())
    }

    /// What has lost more bits than it had by more than the threshold, or disagrees with the exact results more often.
    pub(super) fn worse(&self, new: &Report, threshold: f64) -> Vec<String> {
        let mut worse = Vec::new();
        let empty = Vec::new();
        let olds = self.0["cells"].as_array().unwrap_or(&empty);
        for cell in &new.cells {
            let same = |old: &&Value| {
                old["loss"] == cell.loss
                    && old["backend"] == cell.backend
                    && old["dtype"] == cell.dtype
            };
            let Some(before) = olds.iter().find(same) else { continue };
            let name = format!("{} on {} {}", cell.loss, cell.backend, cell.dtype);
            if let (Some(why), true) = (&cell.unsupported, before["unsupported"].is_null()) {
                worse.push(format!("{name}: is not supported any more: {why}"));
            }
            for output in &cell.outputs {
                let outputs = before["outputs"].as_array().unwrap_or(&empty);
                let Some(before) = outputs.iter().find(|old| old["output"] == output.output) else {
                    continue;
                };
                let bits = before["bits"].as_f64().unwrap_or(0.0);
                if output.bits > bits + threshold {
                    let (now, output) = (output.bits, &output.output);
                    worse.push(format!("{name}: {output} loses {now:.1} bits, and lost {bits:.1}"));
                }
                let counts = [
                    ("NaN", output.nan),
                    ("infinite", output.infinite),
                    ("0", output.flushed),
                    ("of the other sign", output.sign),
                ];
                for ((word, now), key) in
                    counts.into_iter().zip(["nan", "infinite", "flushed", "sign"])
                {
                    let was = before[key].as_u64().unwrap_or(0);
                    if now as u64 > was {
                        let output = &output.output;
                        worse
                            .push(format!("{name}: {output} is {word} {now} times, and was {was}"));
                    }
                }
            }
        }
        worse
    }
}

/// What is worse in a small report of one loss than in the one whose data that is, a line for each.
///
/// # Errors
/// Why it is no data of a report.
#[doc(hidden)]
pub fn worse_than(text: &str, threshold: f64) -> Result<Vec<String>, String> {
    static SMALL: LazyLock<Option<Report>> = LazyLock::new(|| {
        let depth = Depth { rounds: 1, steps: 1, long: 64, seed: 1 };
        measured(Some(("l1", &[])), &depth).ok()
    });
    let (older, small) = (Older::of(text)?, SMALL.as_ref().ok_or("l1 cannot be measured")?);
    Ok(older.worse(small, threshold))
}
