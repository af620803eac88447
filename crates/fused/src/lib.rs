//! The fused engine: a loss and its gradient in as few walks over memory as there can be, with the same bits for any
//! number of threads and any vector instructions.
//!
//! [`Fused`] stands where a backend stands, and takes and returns the arrays of any library that shows their memory
//! ([`Strided`](lossmith_core::Strided)). It runs the same definitions; none is written a second time.
//!
//! ```
//! use lossmith_core::{Dense, Inputs, loss::cross_entropy};
//! use lossmith_fused::Fused;
//!
//! let logits = Dense::new(&[2, 3], vec![2.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
//! let inputs = Inputs::<Dense>::new().tensor("input", logits).labels("target", [0, 2]);
//! let loss = cross_entropy().label_smoothing(0.1).value_and_grad(&Fused::new(), &inputs)?;
//! assert!((loss.value.data()[0] - 0.945494740076968).abs() < 1e-15);
//! # Ok::<(), lossmith_core::Error>(())
//! ```

mod between;
mod body;
mod chunk;
mod compiled;
mod cut;
mod domain;
mod element;
mod engine;
mod execute;
pub mod gemm;
mod kernel;
mod lower;
pub mod math;
mod pass;
mod pieces;
mod planes;
mod prepared;
mod program;
mod row_values;
mod rows;
mod run;
mod schedule;
pub mod simd;
mod tails;
mod tile;
mod turn;
mod walk;

pub use element::Element;
pub use engine::{Fused, Rounded};
pub use prepared::Prepared;
pub use simd::Level;
