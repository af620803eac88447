#![doc = include_str!("../README.md")]
#![cfg_attr(feature = "ndarray", allow(deprecated, reason = "burn still has the device ndarray"))]
#![cfg_attr(
    not(any(feature = "flex", feature = "ndarray")),
    allow(unused, reason = "without them there is no autodiff to register a node with")
)]

mod array;
mod autodiff;
mod backend;
mod error;
mod forward;
mod fused;
mod memory;
mod traced;

pub use array::{AnyTensor, Inputs, indices};
pub use backend::{Burn, Mask};
pub use error::Fault;
pub use forward::{Argument, Arguments, Forward, Mode, Through};
pub use fused::FusedBurn;
