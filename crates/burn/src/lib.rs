//! lossmith's losses on burn's tensors, in its autodiff.
#![cfg_attr(feature = "ndarray", allow(deprecated, reason = "burn still has the device ndarray"))]

mod array;
mod backend;
mod error;
mod memory;

pub use array::{AnyTensor, Inputs, indices};
pub use backend::{Burn, Mask};
pub use error::Fault;
