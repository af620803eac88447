//! What judges a backend: golden values from PyTorch, the edge table and the contract of every op, as named tests.
//!
//! *For backend authors:* [`conformance!`] expands to the tests of a backend, one a phase, on two levels: each op of
//! the contract, and the losses on golden data, at the edges, against finite differences, and where 16 bits run out.
//! A [`Runner`] that is no op-by-op backend takes the second, [`conformance_losses!`].
//! What fails says the phase, the inputs, what was got and expected and how far that is in units in the last place.
//!
//! *For tools:* [`op`] and [`loss`] run one phase and return a [`Report`] that names what failed;
//! [`certify_ops`] and [`certify_losses`] run them all. [`golden`], [`samples`] and [`edges`] are the data, [`Case::run`] runs one
//! case, and [`judge`] compares.

mod calls;
mod case;
mod certify;
mod judge;
mod losses;
mod ops;
mod reductions;
mod suite;
mod tables;

pub use case::{Case, edges, golden, samples};
pub use certify::Report;
pub use judge::{Mismatch, Tolerance, judge};
pub use losses::{Runner, certify_losses, loss, loss_phases};
pub use ops::{certify_ops, op, op_phases};
pub use suite::{Claim, Level, test};
