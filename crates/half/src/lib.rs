//! lossmith's losses and their gradients on 16-bit storage: [`f16`](half::f16) and [`bf16`](half::bf16).
//!
//! Inside an op everything is f32, and its result is rounded once; sums are in f64, and a mean is scaled before it
//! is narrowed.
//!
//! ```
//! use half::f16;
//! use lossmith_core::loss::mse;
//! use lossmith_half::{Half, Inputs, Slice};
//!
//! let [x, t] = [[1.0, 2.0], [0.0, 0.0]].map(|x| x.map(f16::from_f32));
//! let inputs = Inputs::new().tensor("input", Slice::new(&[2], &x)?).tensor("target", Slice::new(&[2], &t)?);
//! let loss = mse().value_and_grad(&Half::new(), &inputs)?;
//! assert_eq!(loss.value.data(), [f16::from_f32(2.5)]);
//! # Ok::<(), lossmith_core::Error>(())
//! ```

mod array;
mod backend;

pub use array::{Inputs, Slice};
pub use backend::{Element, Half, Tensor};
