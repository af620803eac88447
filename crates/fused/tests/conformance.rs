//! The fused engine certified on the losses, in every format.

use half::{bf16, f16};
use lossmith_conformance::conformance_losses;
use lossmith_core::Format;
use lossmith_fused::Fused;

conformance_losses!(double, Fused::new().rounded::<f64>(), Format::F64);
conformance_losses!(single, Fused::new().rounded::<f32>(), Format::F32);
conformance_losses!(f16_storage, Fused::new().rounded::<f16>(), Format::F16);
conformance_losses!(bf16_storage, Fused::new().rounded::<bf16>(), Format::BF16);
