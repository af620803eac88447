pub use lossmith_core::*;
#[cfg(feature = "burn")]
pub use lossmith_burn as burn;
#[cfg(feature = "candle")]
pub use lossmith_candle as candle;
#[cfg(feature = "fused")]
pub use lossmith_fused as fused;
#[cfg(feature = "half")]
pub use lossmith_half as half;
#[cfg(feature = "nalgebra")]
pub use lossmith_nalgebra as nalgebra;
#[cfg(feature = "ndarray")]
pub use lossmith_ndarray as ndarray;
