//! Loss functions written once, with derived gradients, on the tensor library you have.
//!
//! Everything of `lossmith-core`, and by feature the backends `ndarray`, `nalgebra`, `half`, `burn` and `candle`, and
//! the engine `fused`.

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

/// The pages whose snippets are run.
#[cfg(doctest)]
mod pages {
    macro_rules! pages {
        ($($page:ident $file:literal;)*) => {
            $(#[doc = include_str!(concat!("../../../", $file))] struct $page;)*
        };
    }

    pages! {
        Readme "README.md";
        Quickstart "docs/quickstart.md";
        Migrating "docs/migrating.md";
        PrecisionGuide "docs/precision-guide.md";
        Performance "docs/performance.md";
        WriteALoss "docs/write-a-loss.md";
        Design "docs/design.md";
    }
}
