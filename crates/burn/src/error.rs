//! What is wrong with tensors, before burn is asked.

use burn::tensor::DType;
use lossmith_core::shape::Sides;

/// What burn would panic at, or could not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A tensor lives elsewhere than the others.
    #[error("{argument} is on {got}, but the others are on {expected}: move it with to_device")]
    Device {
        /// The argument.
        argument: String,
        /// Its device.
        got: String,
        /// The others' device.
        expected: String,
    },
    /// A tensor is of another format than the others.
    #[error("{argument} is {got:?}, but the others are {expected:?}: cast it")]
    Format {
        /// The argument.
        argument: String,
        /// Its format.
        got: DType,
        /// The others' format.
        expected: DType,
    },
    /// A tensor is of a format that no loss computes in.
    #[error("{argument} is {got:?}, but losses are computed in F32 or F64: cast it")]
    Unsupported {
        /// The argument.
        argument: String,
        /// Its format.
        got: DType,
    },
    /// A tensor of flags, which no argument is.
    #[error(
        "{argument} is a tensor of flags, but losses take numbers or class indices: use float() or int()"
    )]
    Flags {
        /// The argument.
        argument: String,
    },
    /// More arguments than the loss has.
    #[error("{got} arguments are given by place, but there are {expected}: name the others")]
    Places {
        /// How many are given.
        got: usize,
        /// How many there are.
        expected: usize,
    },
    /// The cotangent of an unreduced loss, which is burn's to give.
    #[error(
        "grad_output comes from above in burn's backward pass: multiply the loss by it instead"
    )]
    Cotangent,
    /// A result has another number of sides than was asked for.
    #[error("the result has shape {got}, but a tensor of {expected} sides is asked for", got = Sides(got))]
    Rank {
        /// Its shape.
        got: Vec<usize>,
        /// The number of sides asked for.
        expected: usize,
    },
    /// A tensor is tracked that has no gradient.
    #[error("{argument} is tracked, but the loss has no gradient in it: detach it")]
    NoGradient {
        /// The argument.
        argument: String,
    },
    /// No tensor is tracked.
    #[error(
        "no argument is tracked, so there is nothing to differentiate: require_grad on what is to be trained"
    )]
    Untracked,
    /// More tensors are tracked than one node takes.
    #[error(
        "{got} tensors are tracked, but a node of burn's autodiff takes {most} here: use traced()"
    )]
    Tracked {
        /// How many are tracked.
        got: usize,
        /// How many there may be.
        most: usize,
    },
    /// Tensors whose autodiff contexts burn does not merge.
    #[error("tensors of different gradient checkpointing strategies are given: choose one")]
    Checkpointing,
    /// The device is none that the crate was built for.
    #[error(
        "a loss as one node, or on the fused engine, is not built for {device}: enable its feature of lossmith-burn, or use traced()"
    )]
    Backend {
        /// The device.
        device: String,
    },
    /// burn could not read a tensor.
    #[error("burn could not read a tensor: {0}")]
    Read(String),
}

impl From<Fault> for lossmith_core::Error {
    fn from(fault: Fault) -> Self {
        Self::backend(fault)
    }
}
