//! candle certified: as a backend, op by op, and in its autodiff.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use candle_core::{DType, Device};
use common::Autodiff;
use lossmith_candle::{Candle, Engine, Fused};
use lossmith_conformance::{Claim, conformance, conformance_losses, loss};
use lossmith_core::Format;

fn fused(dtype: DType) -> Autodiff {
    Autodiff::new(Engine::Fused(Fused::new()), dtype)
}

fn cpu(dtype: DType) -> Candle {
    Candle::new(&Device::Cpu, dtype).unwrap()
}

conformance!(f64, cpu(DType::F64), Format::F64);
conformance!(f32, cpu(DType::F32), Format::F32);
conformance!(f16, cpu(DType::F16), Format::F16);
// candle's own sum of two bf16 takes subnormal numbers for 0.
conformance!(bf16, cpu(DType::BF16), Format::BF16, expected_failures = ["add: ends of the format"]);

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
conformance_losses!(ops_f64, Autodiff::new(Engine::Ops, DType::F64), Format::F64);
conformance_losses!(ops_f32, Autodiff::new(Engine::Ops, DType::F32), Format::F32);
conformance_losses!(ops_bf16, Autodiff::new(Engine::Ops, DType::BF16), Format::BF16);
conformance_losses!(fused_f64, fused(DType::F64), Format::F64);
conformance_losses!(fused_f32, fused(DType::F32), Format::F32);
conformance_losses!(fused_f16, fused(DType::F16), Format::F16);
conformance_losses!(fused_bf16, fused(DType::BF16), Format::BF16);

// Op by op candle multiplies an infinite derivative of a branch that is not taken by 0, has no derivative in a weight of
// 0, and sums as above; this is all that differs.
conformance_losses!(
    traced_f64,
    Autodiff::new(Engine::Traced, DType::F64),
    Format::F64,
    expected_failures = [
        "edges: cross_entropy 6b",
        "edges: cross_entropy 13, 66",
        "edges: binary_cross_entropy 19b",
        "edges: binary_cross_entropy_with_logits 24",
        "edges: binary_cross_entropy_with_logits 55s",
        "edges: multilabel_soft_margin 55j",
        "edges: kl_div 31",
        "edges: smooth_l1 41",
        "edges: huber 43",
        "edges: huber 44a",
        "edges: poisson_nll 47",
        "edges: poisson_nll 48",
        "edges: mse masked row with NaN",
        "samples: smooth_l1 smooth_l1_loss 7",
        "samples: poisson_nll PoissonNLLLoss 4",
        "samples: poisson_nll PoissonNLLLoss 6",
        "many_classes: cross_entropy",
        "many_rows: cross_entropy",
        "golden: cross_entropy infinite_off_label-none",
        "golden: cross_entropy infinite_off_label-mean",
        "golden: cross_entropy infinite_off_label-sum",
        "golden: smooth_l1 beta0.0-rank0-none-kink-sample",
        "golden: smooth_l1 beta0.0-rank0-mean",
        "golden: smooth_l1 beta0.0-rank0-sum-sample",
        "golden: smooth_l1 beta0.0-rank1-none",
        "golden: smooth_l1 beta0.0-rank1-sum-kink-sample",
        "golden: smooth_l1 beta0.0-rank2-none",
        "golden: smooth_l1 beta0.0-rank2-mean-sample",
        "golden: smooth_l1 beta0.0-rank2-sum-kink-sample_lead1",
        "golden: smooth_l1 beta0.0-rank3-none-sample",
        "golden: smooth_l1 beta0.0-rank3-mean-sample_lead1",
        "golden: smooth_l1 beta0.0-rank3-sum-kink",
        "golden: smooth_l1 beta0.0-rank3-sum-kink-sample_lead2",
        "golden: smooth_l1 beta0.0-rank4-none-sample_lead2",
        "golden: smooth_l1 beta0.0-rank4-none-kink-sample",
        "golden: smooth_l1 beta0.0-rank4-none-kink-sample_lead1",
        "golden: smooth_l1 beta0.0-rank4-mean-kink-sample_lead2",
        "golden: smooth_l1 beta0.0-rank4-sum-kink",
    ]
);

#[test]
fn traced_gradients_are_slopes_in_f32() {
    for phase in ["gradients", "many_classes", "many_rows"] {
        let traced = Autodiff::new(Engine::Traced, DType::F32);
        let claim = Claim::new(Format::F32);
        lossmith_conformance::test(&claim, phase, &loss(&traced, &claim, phase));
    }
}
