//! lossmith's losses and their gradients on [`ndarray`], in f64 and f32.
//!
//! Arrays of any rank and layout enter as they are: views are borrowed, and copied only where three sides cannot be
//! had from their strides.
//!
//! ```
//! use lossmith_core::loss::cross_entropy;
//! use lossmith_ndarray::{Inputs, NdArray};
//! use ndarray::array;
//!
//! let logits = array![[2.0_f32, 0.0, 0.0], [0.0, 1.0, 0.0]];
//! let inputs = Inputs::new().tensor("input", &logits).labels("target", [0, 2]);
//! let loss = cross_entropy().label_smoothing(0.1).value_and_grad(&NdArray::new(), &inputs)?;
//! assert!((loss.value.sum() - 0.9454947).abs() < 1e-6);
//! assert_eq!(loss.grad("input").map(|grad| grad.shape()), Some(&[2, 3][..]));
//! # Ok::<(), lossmith_core::Error>(())
//! ```

mod array;
mod backend;

pub use array::{Input, Inputs, indices};
pub use backend::{Element, NdArray};
