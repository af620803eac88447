//! Loss functions written once, against a small [`Backend`] trait, with gradients derived from their definitions.
//!
//! *For users:* pick a loss in [`loss`], a backend crate, and call [`Loss::value_and_grad`].
//! *For backend authors:* [`backend`] is the trait, [`op`] the contract of every op, [`Reference`] the specification.
//! *For authors of losses:* a [`Definition`] is a function of handles that returns [`Terms`].
//!
//! ```
//! use lossmith_core::{Dense, Inputs, Reference, loss::cross_entropy};
//!
//! let logits = Dense::new(&[2, 3], vec![2.0, 0.0, 0.0, 0.0, 1.0, 0.0])?;
//! let inputs = Inputs::<Dense>::new().tensor("input", logits).labels("target", [0, 2]);
//! let loss = cross_entropy().label_smoothing(0.1).value_and_grad(&Reference, &inputs)?;
//! assert!((loss.value.data()[0] - 0.945494740076968).abs() < 1e-15);
//! assert_eq!(loss.grad("input").map(Dense::shape), Some(&[2, 3][..]));
//! # Ok::<(), lossmith_core::Error>(())
//! ```

pub mod accumulate;
pub mod backend;
mod bound;
mod call;
pub mod catalogue;
pub mod dense;
pub mod derivative;
pub mod error;
mod evaluate;
mod exactly;
pub mod format;
mod grad;
pub mod graph;
mod inputs;
mod interpreter;
pub mod labels;
pub mod loss;
pub mod objective;
pub mod op;
pub mod plan;
pub mod real;
pub mod reference;
pub mod scalar;
pub mod sequence;
pub mod shape;
pub mod strided;
pub mod terms;

pub use backend::{Array, Backend, Matmul, Operand, Powers, Take};
pub use dense::Dense;
pub use error::Error;
pub use evaluate::Runner;
pub use format::Format;
pub use inputs::{Evaluation, Input, Inputs};
pub use labels::{Indices, Labels};
pub use loss::{Definition, Loss};
pub use objective::Objective;
pub use plan::Plan;
pub use reference::Reference;
pub use strided::Strided;
pub use terms::{Check, Empty, Reduction, Terms};
