//! An MLP on the digits in candle, with candle-nn's cross-entropy and with ours: the same curve, the time per step of
//! each, and a logit at which candle-nn's loss is no number.

use candle_core::{DType, Device, Result, Tensor, Var};
use candle_nn::{Optimizer, SGD};
use lossmith_candle::Forward;
use lossmith_core::loss::{binary_cross_entropy_with_logits, cross_entropy};
use std::time::{Duration, Instant};

/// A loss of logits and labels.
type Loss = fn(&Tensor, &Tensor) -> Result<Tensor>;

const LOSSES: [(&str, Loss); 3] = [
    ("candle-nn", candle_nn::loss::cross_entropy),
    ("ours", |logits, labels| cross_entropy().forward(logits, labels)),
    ("ours, fused", |logits, labels| cross_entropy().fused().forward(logits, labels)),
];

macro_rules! file {
    ($name:literal, $type:ty) => {{
        let bytes: &[u8] = include_bytes!(concat!("../../../data/digits/", $name, ".npy"));
        npyz::NpyFile::new(bytes)?.into_vec::<$type>()?
    }};
}

/// Images, a row of pixels from 0 to 1 each, and their digits.
fn digits() -> Result<[Tensor; 2]> {
    let pixels: Vec<_> = file!("images", u8).into_iter().map(|x| f32::from(x) / 16.0).collect();
    let labels = file!("labels", i64);
    let rows = labels.len();
    let labels = Tensor::from_vec(labels, rows, &Device::Cpu)?;
    Ok([Tensor::from_vec(pixels, (rows, 64), &Device::Cpu)?, labels])
}

/// Two layers, the same weights at every start.
struct Mlp([Var; 4]);

impl Mlp {
    fn new(hidden: usize) -> Result<Self> {
        let weight = |rows: usize, columns: usize| {
            let index = Tensor::arange(0, u32::try_from(rows * columns)?, &Device::Cpu)?;
            let spread = (index.to_dtype(DType::F64)? * 1.7)?.sin()?.to_dtype(DType::F32)?;
            Var::from_tensor(&(spread * (1.0 / (columns as f64).sqrt()))?.reshape((rows, columns))?)
        };
        let bias = |rows| Var::zeros(rows, DType::F32, &Device::Cpu);
        Ok(Self([weight(hidden, 64)?, bias(hidden)?, weight(10, hidden)?, bias(10)?]))
    }

    fn logits(&self, images: &Tensor) -> Result<Tensor> {
        let [w1, b1, w2, b2] = &self.0;
        let hidden = images.matmul(&w1.t()?)?.broadcast_add(b1)?.relu()?;
        hidden.matmul(&w2.t()?)?.broadcast_add(b2)
    }
}

/// The loss at every step of gradient descent, and the time of a step.
fn train(loss: Loss, hidden: usize, steps: usize) -> Result<(Vec<f32>, Duration)> {
    let [images, labels] = digits()?;
    let model = Mlp::new(hidden)?;
    let mut descent = SGD::new(model.0.to_vec(), 0.5)?;
    let mut curve = Vec::new();
    let start = Instant::now();
    for _ in 0..steps {
        let value = loss(&model.logits(&images)?, &labels)?;
        descent.backward_step(&value)?;
        curve.push(value.to_scalar()?);
    }
    Ok((curve, start.elapsed() / u32::try_from(steps.max(1))?))
}

/// Binary cross-entropy of a sure and right logit, candle-nn's and ours, each with its gradient.
fn sure(logit: f32) -> Result<[[f32; 2]; 2]> {
    let target = Tensor::new(&[1_f32], &Device::Cpu)?;
    let losses: [Loss; 2] = [candle_nn::loss::binary_cross_entropy_with_logit, |logit, target| {
        binary_cross_entropy_with_logits().forward(logit, target)
    }];
    let of = |loss: Loss| -> Result<[f32; 2]> {
        let logit = Var::new(&[logit], &Device::Cpu)?;
        let value = loss(&logit, &target)?;
        let grads = value.backward()?;
        let grad = grads.get(&logit).map_or(Ok(f32::NAN), |grad| grad.get(0)?.to_scalar::<f32>());
        Ok([value.to_scalar()?, grad?])
    };
    let [theirs, ours] = losses.map(of);
    Ok([theirs?, ours?])
}

fn main() -> Result<()> {
    let mut runs = Vec::new();
    for (name, loss) in LOSSES {
        runs.push((name, train(loss, 128, 200)?));
    }
    println!("step {}", runs.iter().map(|(name, _)| format!("{name:>14}")).collect::<String>());
    for step in (0..200).filter(|step| step % 20 == 0 || *step == 199) {
        let losses = runs.iter().map(|(_, (curve, _))| format!("{:14.7}", curve[step]));
        println!("{step:4} {}", losses.collect::<String>());
    }
    let times = runs.iter().map(|(_, (_, time))| format!("{:>11.2} ms", time.as_secs_f64() * 1e3));
    println!("time {}", times.collect::<String>());
    println!("\nbinary cross-entropy with logits, target 1: loss and gradient");
    for logit in [15.0, 17.4, 100.0] {
        let [[their_loss, their_grad], [loss, grad]] = sure(logit)?;
        let theirs = format!("{their_loss:10.3e} {their_grad:10.3e}");
        println!("logit {logit:5}   candle-nn {theirs}   ours {loss:10.3e} {grad:10.3e}");
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;

    #[test]
    fn the_curves_are_the_same() {
        let [theirs, ours, fused] = LOSSES.map(|(_, loss)| train(loss, 16, 30).unwrap().0);
        assert!(theirs[29] < 0.6 * theirs[0], "{theirs:?}");
        for curve in [ours, fused] {
            for (ours, theirs) in curve.iter().zip(&theirs) {
                assert!((ours - theirs).abs() <= 64.0 * f32::EPSILON * theirs, "{ours}, {theirs}");
            }
        }
    }

    #[test]
    fn where_candle_nn_has_no_number_ours_has() {
        let [theirs, [value, grad]] = sure(17.4).unwrap();
        assert!(theirs.iter().any(|x| x.is_nan()), "{theirs:?}");
        // Row 23 of the table of limits.
        assert!((value / 2.775_084_3e-8 - 1.0).abs() < 1e-6, "{value:e}");
        assert!((grad / -2.775_084_3e-8 - 1.0).abs() < 1e-6, "{grad:e}");
        let [[theirs, _], [ours, _]] = sure(10.0).unwrap();
        assert!((theirs - ours).abs() < 1e-6);
    }
}
