//! The fast path: the fused engine's own bits, on burn's tensors of any layout.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(deprecated, reason = "burn still has the device ndarray")]

use burn::tensor::{Device, Tensor, TensorData};
use lossmith_burn::{Forward, FusedBurn, Inputs};
use lossmith_core::loss::cross_entropy;
use lossmith_core::strided::Slice;
use lossmith_fused::Fused;

const SHAPE: [usize; 2] = [257, 33];

fn logits() -> Vec<f32> {
    (0..SHAPE[0] * SHAPE[1]).map(|at| (at as f32 * 0.7).sin() * 5.0).collect()
}

fn labels() -> Vec<i64> {
    (0..257).map(|row| row * 7 % 33).collect()
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().iter::<f32>().collect()
}

#[test]
fn the_bits_are_the_engines() {
    let slice = Slice::new(&SHAPE, logits()).unwrap();
    let inputs = lossmith_core::Inputs::<Slice<'_, f32>>::new()
        .tensor("input", slice)
        .labels("target", labels());
    let loss = cross_entropy().label_smoothing(0.1);
    let engine = loss.value_and_grad(&Fused::new(), &inputs).unwrap();
    let gradient = engine.grad("input").unwrap().data();
    for device in [Device::flex(), Device::ndarray()] {
        let plain = Tensor::<2>::from_data(TensorData::new(logits(), SHAPE), &device);
        // The same numbers as columns, and as a part of more.
        let columns = plain.clone().transpose().mul_scalar(1.0).transpose();
        let part = Tensor::cat(vec![plain.clone(), plain.clone()], 1).slice([0..257, 33..66]);
        for tensor in [plain, columns, part] {
            let inputs = Inputs::new().tensor("input", &tensor).labels("target", labels());
            let got = loss.value_and_grad(&FusedBurn::new(), &inputs).unwrap();
            assert_eq!(numbers(got.value.tensor::<1>().unwrap()), engine.value.data());
            let grad = got.grads.into_iter().next().unwrap().1.tensor::<2>().unwrap();
            assert_eq!(numbers(grad), gradient);

            let leaf = tensor.autodiff().require_grad();
            let targets = lossmith_core::Indices::from(labels());
            let (value, grads) = loss.clone().fused().backward((&leaf, targets)).unwrap();
            assert_eq!(numbers(value), engine.value.data());
            assert_eq!(numbers(leaf.grad(&grads).unwrap()), gradient);
        }
    }
}

#[test]
fn what_comes_from_above_scales_the_gradient() {
    let device = Device::flex().autodiff();
    let leaf = Tensor::<1>::from_floats([1.0, -2.0, 0.5], &device).require_grad();
    let target = Tensor::<1>::zeros([3], &device);
    for (factor, expected) in [(1.0, [2.0, -4.0, 1.0]), (0.5, [1.0, -2.0, 0.5]), (0.0, [0.0; 3])] {
        let loss = lossmith_core::loss::mse().reduction(lossmith_core::Reduction::Sum).fused();
        let grads = loss.forward(&leaf, &target).unwrap().mul_scalar(factor).backward();
        assert_eq!(numbers(leaf.grad(&grads).unwrap()), expected);
    }
}
