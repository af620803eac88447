//! What judges a backend: golden values from PyTorch, and the edge table, as data that every backend runs.
//!
//! [`golden`] are values and gradients of every loss in double precision, [`edges`] the cases that must come out
//! right at the limits; [`Case::run`] runs one on any backend and [`judge`] compares.

mod case;
mod judge;

pub use case::{Case, edges, golden};
pub use judge::{Format, Mismatch, judge};
