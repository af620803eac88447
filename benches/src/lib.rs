//! Losses to be timed, and how: each in turns with the roof, what its bytes cost when nothing is computed.
//!
//! `lossmith bench` and the criterion benches are made of these.

mod case;
mod engine;
#[cfg(feature = "peers")]
pub mod peers;
mod roof;
mod timing;

pub use case::{AnyLoss, CLASSES, Case, Size};
pub use engine::{Arrays, Buffers, ENGINES, Engine, Measure, Once, narrow};
pub use roof::Roof;
pub use timing::{Budget, Sample, alternate};
