//! lossmith's losses and their gradients on nalgebra's matrices, in f64 and f32.
//!
//! A matrix is batch × class, so a loss over classes takes (N, C) and one row, a vector; a third axis is an error.
//! A column vector has shape (N,). Results come back as a `DMatrix`, one number as 1 × 1.
//!
//! ```
//! use lossmith_core::loss::cross_entropy;
//! use lossmith_nalgebra::{Inputs, Nalgebra};
//! use nalgebra::DMatrix;
//!
//! let logits = DMatrix::from_row_slice(2, 3, &[2.0_f64, 0.0, 0.0, 0.0, 1.0, 0.0]);
//! let inputs = Inputs::new().tensor("input", &logits).labels("target", [0, 2]);
//! let loss = cross_entropy().label_smoothing(0.1).value_and_grad(&Nalgebra::new(), &inputs)?;
//! assert!((loss.value[(0, 0)] - 0.945494740076968).abs() < 1e-15);
//! assert_eq!(loss.grad("input").map(|grad| grad.shape()), Some((2, 3)));
//! # Ok::<(), lossmith_core::Error>(())
//! ```

mod array;
mod backend;

pub use array::{Input, Inputs};
pub use backend::{Element, Error, Matrix, Nalgebra};
