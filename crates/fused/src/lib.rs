//! The fused engine: every loss and its gradient at memory speed, with the same bits on any machine.

pub mod math;
pub mod simd;
