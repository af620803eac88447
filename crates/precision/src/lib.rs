//! How wrong losses and their gradients can be on any backend and format, where, and why.
//!
//! [`Measures`] judge results against the exact ones; [`search`] looks for the worst inputs, and [`exhaust`] takes all
//! there are; [`causes`] names the ops that lose the bits. `docs/precision.md` defines every measure.

mod cause;
mod exhaust;
mod inputs;
mod measure;
mod scale;
mod search;

pub use cause::{Cause, Overflow, causes, overflow};
pub use exhaust::exhaust;
pub use inputs::{Class, Spot, made};
pub use measure::{Measures, Worst, ulps};
pub use scale::{Scale, scale};
pub use search::{Candidate, Cell, Depth, search};
