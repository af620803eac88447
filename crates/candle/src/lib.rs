#![doc = include_str!("../README.md")]

mod array;
mod autodiff;
mod backend;
mod composed;
mod cpu;
mod forward;
mod fused;
mod traced;

pub use array::{Inputs, indices};
pub use autodiff::cause;
pub use backend::{Candle, Labels};
pub use forward::{Engine, Forward, Given, On};
pub use fused::Fused;
pub use traced::Traced;
