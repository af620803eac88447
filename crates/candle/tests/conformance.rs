//! candle certified: as a backend, op by op, and in its autodiff.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use candle_core::{DType, Device};
use common::Autodiff;
use lossmith_candle::{Candle, Engine, Fused};
use lossmith_conformance::{conformance, conformance_losses};
use lossmith_core::Format;

fn cpu(dtype: DType) -> Candle {
    Candle::new(&Device::Cpu, dtype).unwrap()
}

conformance!(f64, cpu(DType::F64), Format::F64);
conformance!(f32, cpu(DType::F32), Format::F32);
conformance!(f16, cpu(DType::F16), Format::F16);
// candle's own sum of two bf16 takes subnormal numbers for 0.
conformance!(
    bf16,
    cpu(DType::BF16),
    Format::BF16,
    expected_failures = ["add: ends of the format"]
);

// As on other devices; on the CPU candle adds up one element after the other, which in f64 shows.
conformance!(
    composed_f64,
    cpu(DType::F64).composed(),
    Format::F64,
    expected_failures = [
        "reduce_sum: a long sum",
        "fold_sum: a long sum",
        "put: a long sum",
        "many_classes: cross_entropy",
        "many_rows: cross_entropy",
        "edges: cross_entropy 13, 66",
    ]
);
conformance!(composed_f32, cpu(DType::F32).composed(), Format::F32, tolerance = 2.0);
conformance!(composed_f16, cpu(DType::F16).composed(), Format::F16);
conformance!(
    composed_bf16,
    cpu(DType::BF16).composed(),
    Format::BF16,
    expected_failures = ["add: ends of the format"]
);

// In candle's autodiff.
conformance_losses!(autodiff_f64, Autodiff::new(Engine::Ops, DType::F64), Format::F64);
conformance_losses!(autodiff_f32, Autodiff::new(Engine::Ops, DType::F32), Format::F32);
conformance_losses!(fused_f64, Autodiff::new(Engine::Fused(Fused::new()), DType::F64), Format::F64);
conformance_losses!(fused_f32, Autodiff::new(Engine::Fused(Fused::new()), DType::F32), Format::F32);
conformance_losses!(fused_bf16, Autodiff::new(Engine::Fused(Fused::new()), DType::BF16), Format::BF16);
conformance_losses!(traced_f64, Autodiff::new(Engine::Traced, DType::F64), Format::F64);
conformance_losses!(traced_f32, Autodiff::new(Engine::Traced, DType::F32), Format::F32);
