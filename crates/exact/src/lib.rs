//! Losses and their gradients in hundreds of bits, so that every `f64` result can be judged.
//!
//! [`Exact`] is a [`Backend`](lossmith_core::Backend) like any other, and certified as one: its tensors are of [`Big`]
//! numbers. A backend's numbers on the host are `f64`, though (1/N, a folded sum), and so are its results. [`Oracle`]
//! runs the same plans with no `f64` anywhere, and gives [`BigArray`]s: that is the exact result.
//!
//! # What is guaranteed
//! With p bits, `× ÷ √` are correctly rounded, to nearest, ties to even, on exponents of 63 bits: nothing that any
//! format holds over- or underflows on the way. `+ −` are off by half a unit at most; a difference may keep a bit more.
//! `exp expm1 ln ln1p` are, before they are rounded, right to 2⁻³⁰ units of the p-th bit; `sigmoid` and `softplus` carry
//! 32 bits more inside: all are off by less than 0.501 units. `ExpSub` likewise, for differences below 2²⁴; `LogAddExp`
//! is to p + 32 bits of its larger part. A sum is accumulated in p + 64 bits and rounded once. A result has p bits less
//! what its graph loses by cancellation: run it in twice as many to see how many [agree](BigArray::agreement).
//! Behind the feature `mpfr`, tests hold every op to this by MPFR, in 64, 256 and 1,000 bits; `rug` builds it from C.
//!
//! ```
//! use lossmith_core::{Dense, Inputs, loss::mse};
//! use lossmith_exact::Oracle;
//!
//! let inputs = Inputs::<Dense>::new().tensor("input", vec![0.1, 0.2, 0.4]).tensor("target", vec![0.0; 3]);
//! let exact = mse().value_and_grad(&Oracle::new(), &inputs)?;
//! assert_eq!(exact.value.data()[0].decimal(30), "0.0700000000000000077715611723761");
//! # Ok::<(), lossmith_core::Error>(())
//! ```

mod arithmetic;
mod backend;
mod big;
mod functions;
#[cfg(all(test, feature = "mpfr"))]
mod mpfr;
mod oracle;
mod tensor;

pub use backend::Exact;
pub use big::Big;
pub use oracle::{Oracle, Step};
pub use tensor::{BigArray, Tensor};
