//! candle-nn's own published values, from candle-nn 0.11.1, `tests/loss.rs` (github.com/huggingface/candle), which are
//! PyTorch's, to the four digits given there.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use candle_core::{DType, Device, Result, Tensor, Var};
use lossmith_candle::{Engine, Forward, Fused};
use lossmith_core::loss::{binary_cross_entropy_with_logits, cross_entropy, huber, nll};

const ENGINES: [fn() -> Engine; 3] =
    [|| Engine::Ops, || Engine::Fused(Fused::new()), || Engine::Traced];

fn rounded(value: &Tensor) -> f64 {
    let value: f64 = value.to_dtype(DType::F64).unwrap().to_scalar().unwrap();
    (value * 1e4).round() / 1e4
}

/// On every engine, in f32 and f64, the value as it is published.
#[track_caller]
fn published(loss: &impl Forward, input: &Tensor, target: &Tensor, value: f64) {
    for engine in ENGINES {
        for dtype in [DType::F32, DType::F64] {
            let input = Var::from_tensor(&input.to_dtype(dtype).unwrap()).unwrap();
            let of_type =
                |x: &Tensor| if x.dtype().is_int() { Ok(x.clone()) } else { x.to_dtype(dtype) };
            let got = loss.on(engine()).forward(&input, &of_type(target).unwrap()).unwrap();
            assert_eq!(rounded(&got), value, "{:?} {dtype:?}", engine());
            assert!(got.backward().unwrap().get(&input).is_some());
        }
    }
}

#[test]
fn nll_and_cross_entropy() -> Result<()> {
    let input = [
        [1.1050_f32, 0.3013, -1.5394, -2.1528, -0.8634],
        [1.0730, -0.9419, -0.1670, -0.6582, 0.5061],
        [0.8318, 1.1154, -0.3610, 0.5351, 1.0830],
    ];
    let input = Tensor::new(&input, &Device::Cpu)?;
    let target = Tensor::new(&[1_u32, 0, 4], &Device::Cpu)?;
    published(&cross_entropy(), &input, &target, 1.1312);
    published(&nll(), &candle_nn::ops::log_softmax(&input, 1)?, &target, 1.1312);
    Ok(())
}

fn logits_and_targets() -> Result<[Tensor; 2]> {
    let input = [
        [2.3611_f32, -0.8813, -0.5006, -0.2178],
        [0.0419, 0.0763, -1.0457, -1.6692],
        [-1.0494, 0.8111, 1.5723, 1.2315],
        [1.3081, 0.6641, 1.1802, -0.2547],
        [0.5292, 0.7636, 0.3692, -0.8318],
    ];
    let target = [
        [0.0_f32, 1., 0., 0.],
        [0., 1., 0., 0.],
        [0., 0., 0., 1.],
        [1., 0., 0., 0.],
        [0., 0., 1., 0.],
    ];
    Ok([Tensor::new(&input, &Device::Cpu)?, Tensor::new(&target, &Device::Cpu)?])
}

#[test]
fn binary_cross_entropy_with_logit() -> Result<()> {
    let [input, target] = logits_and_targets()?;
    published(&binary_cross_entropy_with_logits(), &input, &target, 0.8224);
    Ok(())
}

#[test]
fn huber_loss() -> Result<()> {
    let [input, target] = logits_and_targets()?;
    published(&huber(), &input, &target, 0.4734);
    published(&huber().delta(0.88), &input, &target, 0.4483);
    Ok(())
}
