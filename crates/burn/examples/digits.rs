//! An MLP on the digits, trained with burn-nn's loss and with ours: the same curve, and what a step takes; then with
//! classes that cannot be, whose logits are −∞, where burn-nn's loss is NaN.
//!
//! `cargo run --release -p lossmith-burn --example digits`

use burn::module::Module;
use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig};
use burn::nn::{Linear, LinearConfig};
use burn::optim::{GradientsParams, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use lossmith_burn::Forward;
use lossmith_core::Error;
use lossmith_core::loss::{binary_cross_entropy_with_logits, cross_entropy};
use std::error;
use std::time::{Duration, Instant};

/// Two layers, 64 pixels to 10 digits.
#[derive(Module, Debug)]
struct Mlp {
    hidden: Linear,
    output: Linear,
}

impl Mlp {
    fn new(device: &Device) -> Self {
        let [hidden, output] =
            [(64, 32), (32, 10)].map(|(a, b)| LinearConfig::new(a, b).init(device));
        Self { hidden, output }
    }

    fn logits(&self, images: Tensor<2>) -> Tensor<2> {
        self.output.forward(relu(self.hidden.forward(images)))
    }
}

/// Images, a row each, and their digits.
struct Digits {
    images: Tensor<2>,
    labels: Tensor<1, Int>,
}

macro_rules! file {
    ($name:literal, $type:ty) => {{
        let bytes: &[u8] = include_bytes!(concat!("../../../data/digits/", $name, ".npy"));
        npyz::NpyFile::new(bytes)?.into_vec::<$type>()?
    }};
}

/// The first so many digits.
fn digits(count: usize, device: &Device) -> Result<Digits, Box<dyn error::Error>> {
    let pixels = file!("images", u8).into_iter().map(|pixel| f32::from(pixel) / 16.0);
    let labels: Vec<i64> = file!("labels", i64).into_iter().take(count).collect();
    let count = labels.len();
    let images = TensorData::new(pixels.take(count * 64).collect::<Vec<_>>(), [count, 64]);
    Ok(Digits {
        images: Tensor::from_data(images, device),
        labels: Tensor::from_data(TensorData::new(labels, [count]), device),
    })
}

/// The losses of every step, and what one takes.
struct Curve {
    losses: Vec<f32>,
    step: Duration,
}

/// Trains by gradient descent on all images at once.
fn train(
    mut model: Mlp,
    images: &Tensor<2>,
    steps: u32,
    loss: impl Fn(Tensor<2>) -> Result<Tensor<1>, Error>,
) -> Result<Curve, Error> {
    let mut optimizer = SgdConfig::new().init();
    let mut losses = Vec::new();
    let start = Instant::now();
    for _ in 0..steps {
        let value = loss(model.logits(images.clone()))?;
        let grads = GradientsParams::from_grads(value.backward(), &model);
        model = optimizer.step(0.5, model, grads);
        losses.push(value.into_scalar::<f32>());
    }
    Ok(Curve { losses, step: start.elapsed() / steps.max(1) })
}

/// The curves of burn-nn's cross-entropy and of ours, op by op and on the fused engine, from the same weights.
fn curves(count: usize, steps: u32) -> Result<[Curve; 3], Box<dyn error::Error>> {
    let device = Device::flex().autodiff();
    let Digits { images, labels } = digits(count, &device)?;
    let model = Mlp::new(&device);
    let burn_nn = CrossEntropyLossConfig::new().init(&device);
    let theirs = |logits| Ok::<_, Error>(burn_nn.forward(logits, labels.clone()));
    let ours = cross_entropy();
    let fused = cross_entropy().fused();
    Ok([
        train(model.clone(), &images, steps, theirs)?,
        train(model.clone(), &images, steps, |logits| ours.forward(logits, &labels))?,
        train(model, &images, steps, |logits| fused.forward(logits, &labels))?,
    ])
}

/// The curves of burn-nn's binary cross-entropy and of ours, one digit against the others, where the digits from 5 on
/// are known not to be: their logits are −∞, and their targets 0.
fn masked(count: usize, steps: u32) -> Result<[Curve; 2], Box<dyn error::Error>> {
    let device = Device::flex().autodiff();
    let Digits { images, labels } = digits(count, &device)?;
    let rows = labels.clone().lower_elem(5).nonzero().swap_remove(0);
    let digits = Tensor::<1, Int>::arange(0..10, &device).unsqueeze::<2>();
    let (images, labels) = (images.select(0, rows.clone()), labels.select(0, rows));
    let targets = labels.unsqueeze_dim::<2>(1).equal(digits.clone()).int();
    let mask = digits.greater_equal_elem(5);
    let masked = |logits: Tensor<2>| {
        let mask = mask.clone().expand(logits.dims());
        logits.mask_fill(mask, f32::NEG_INFINITY)
    };
    let model = Mlp::new(&device);
    let burn_nn = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device);
    let theirs = |logits| Ok::<_, Error>(burn_nn.forward(masked(logits), targets.clone()));
    let ours = |logits| {
        binary_cross_entropy_with_logits().forward(masked(logits), targets.clone().float())
    };
    Ok([train(model.clone(), &images, steps, theirs)?, train(model, &images, steps, ours)?])
}

fn main() -> Result<(), Box<dyn error::Error>> {
    let steps = 100;
    let all = curves(usize::MAX / 64, steps)?;
    println!("cross-entropy of 1797 digits, by gradient descent");
    println!("{:>5} {:>12} {:>12} {:>12}", "step", "burn-nn", "lossmith", "fused");
    for step in (0..steps as usize).step_by(10) {
        let [theirs, ours, fused] = all.each_ref().map(|curve| curve.losses[step]);
        println!("{step:>5} {theirs:>12.7} {ours:>12.7} {fused:>12.7}");
    }
    let [theirs, ours, fused] = all.each_ref().map(|curve| curve.step);
    println!("a step {theirs:>11.1?} {ours:>12.1?} {fused:>12.1?}");

    let both = masked(usize::MAX / 64, 5)?;
    println!("\nbinary cross-entropy where the digits from 5 on cannot be: logits −∞");
    println!("{:>5} {:>12} {:>12}", "step", "burn-nn", "lossmith");
    for step in 0..5 {
        let [theirs, ours] = both.each_ref().map(|curve| curve.losses[step]);
        println!("{step:>5} {theirs:>12.7} {ours:>12.7}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curves_are_one() {
        let [theirs, ours, fused] = curves(200, 20).unwrap();
        assert!(theirs.losses[19] < 0.8 * theirs.losses[0], "{:?}", theirs.losses);
        for other in [ours, fused] {
            for (a, b) in theirs.losses.iter().zip(&other.losses) {
                assert!((a - b).abs() <= 1e-5 * a, "{a} {b}");
            }
        }
    }

    #[test]
    fn ours_trains_where_theirs_is_nan() {
        let [theirs, ours] = masked(200, 10).unwrap();
        assert!(theirs.losses.iter().all(|loss| loss.is_nan()), "{:?}", theirs.losses);
        assert!(ours.losses[9] < ours.losses[0], "{:?}", ours.losses);
    }
}
