//! How wrong losses and their gradients can be on any backend and format, where, and why.
//!
//! [`Measures`] judge results against the exact ones; [`search`] looks for the worst inputs, and [`exhaust`] takes all
//! there are; [`causes`] names the ops that lose the bits. `docs/precision.md` defines every measure.
//!
//! ```
//! use lossmith_core::{Dense, Format, Inputs, Reference, loss::poisson_nll};
//! use lossmith_exact::Oracle;
//! use lossmith_precision::ulps;
//!
//! // eˣ − t·x near its minimum is a difference of equals.
//! let t = std::f64::consts::E;
//! let inputs = Inputs::<Dense>::new().tensor("input", vec![1.0]).tensor("target", vec![t]);
//! let exact = poisson_nll().value(&Oracle::new(), &inputs)?;
//! let got = poisson_nll().value(&Reference, &inputs)?;
//! assert!(ulps(got.data()[0], &exact.data()[0], Format::F64) > 1e9);
//! # Ok::<(), lossmith_core::Error>(())
//! ```

mod cause;
mod exhaust;
mod inputs;
mod measure;
mod scale;
mod search;

pub use cause::{Cause, Overflow, causes, overflow};
pub use exhaust::exhaust;
pub use inputs::{Class, Spot, made, repeated};
pub use measure::{Measures, Worst, ulps};
pub use scale::{Scale, scale};
pub use search::{Candidate, Cell, Depth, search};
