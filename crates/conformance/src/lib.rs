//! What judges a backend: golden values from PyTorch, and the edge table, as data that every backend runs.
//!
//! [`golden`] are values and gradients of every loss in double precision, [`edges`] the cases that must come out
//! right at the limits, [`samples`] PyTorch's own test samples; [`certify`] runs them all on a
//! backend, [`Case::run`] one, and [`judge`] compares.

mod case;
mod certify;
mod judge;

pub use case::{Case, edges, golden, samples};
pub use certify::{Counts, Report, certify};
pub use judge::{Mismatch, Tolerance, judge};
