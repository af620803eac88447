//! How a loss is called: by place, by name, several at once, one tensor twice.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use burn::tensor::{Device, Int, Tensor};
use lossmith_burn::{Arguments, Forward};
use lossmith_core::Reduction;
use lossmith_core::loss::{cross_entropy, gaussian_nll, mse, triplet_margin};

fn device() -> Device {
    Device::flex().autodiff()
}

fn leaf(numbers: [f32; 3]) -> Tensor<1> {
    Tensor::from_floats(numbers, &device()).require_grad()
}

fn numbers<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().iter::<f32>().collect()
}

#[test]
fn places_are_the_catalogues() {
    let (input, target, var) =
        (leaf([1.0, 2.0, 3.0]), leaf([0.5, 2.5, 2.0]), leaf([0.5, 1.0, 2.0]));
    let named = Arguments::new().named("var", &var).named("input", &input).named("target", &target);
    let by_name = gaussian_nll().forward_with(named).unwrap();
    let by_place = gaussian_nll().forward_with((&input, &target, &var)).unwrap();
    assert_eq!(numbers(&by_name), numbers(&by_place));
    // Three tracked at once, of which none misses its gradient.
    let grads = by_place.backward();
    for tensor in [input, target, var] {
        assert!(tensor.grad(&grads).is_some());
    }
}

#[test]
fn sample_weights_go_by_name() {
    let (input, target) = (leaf([1.0, 2.0, 3.0]), Tensor::<1>::zeros([3], &device()));
    let weight = Tensor::<1>::from_floats([1.0, 0.0, 3.0], &device());
    let arguments = Arguments::from((&input, target)).named("sample_weight", weight);
    let value = mse().forward_with(arguments).unwrap();
    assert_eq!(numbers(&value), [7.0]);
    assert_eq!(numbers(&input.grad(&value.backward()).unwrap()), [0.5, 0.0, 4.5]);
}

#[test]
fn an_objective_is_one_node() {
    let logits = Tensor::<2>::from_floats([[0.0, 0.0]], &device()).require_grad();
    let image = leaf([1.0, 2.0, 3.0]);
    let labels = Tensor::<1, Int>::from_ints([1], &device());
    let mse = mse().rename("input", "image").rename("target", "original");
    let arguments = Arguments::new()
        .named("input", &logits)
        .named("target", labels)
        .named("image", &image)
        .named("original", Tensor::<1>::zeros([3], &device()));
    let (value, grads) = (cross_entropy() + 3.0 * mse).backward(arguments).unwrap();
    assert!((numbers(&value)[0] - (2.0_f32.ln() + 14.0)).abs() < 1e-5);
    assert_eq!(numbers(&logits.grad(&grads).unwrap()), [0.5, -0.5]);
    assert_eq!(numbers(&image.grad(&grads).unwrap()), [2.0, 4.0, 6.0]);
}

#[test]
fn a_tensor_given_twice_has_both_gradients() {
    let x = leaf([1.0, 2.0, 3.0]);
    for reduction in [Reduction::Sum, Reduction::None] {
        let loss = mse().reduction(reduction);
        let double = x.clone().mul_scalar(2.0);
        // (x − 2x)², one of the two through an op of burn's.
        let value = loss.forward_as::<1>((&x, double)).unwrap();
        let grads = value.sum().backward();
        assert_eq!(numbers(&x.grad(&grads).unwrap()), [2.0, 4.0, 6.0]);
        let both = loss.forward_as::<1>((&x, &x)).unwrap();
        assert_eq!(numbers(&x.grad(&both.sum().backward()).unwrap()), [0.0; 3]);
    }
}

#[test]
fn an_unreduced_loss_takes_any_cotangent() {
    let rows = |numbers| Tensor::<2>::from_floats(numbers, &device()).require_grad();
    let (anchor, positive) = (rows([[0.0, 0.0], [1.0, 1.0]]), rows([[3.0, 4.0], [1.0, 2.0]]));
    let negative = rows([[1.0, 0.0], [0.0, 1.0]]);
    let loss = triplet_margin().reduction(Reduction::None);
    let value = loss.forward_as::<1>((&anchor, &positive, &negative)).unwrap();
    let cotangent = Tensor::<1>::from_floats([2.0, 0.0], &device());
    let grads = (value * cotangent).sum().backward();
    let near = |tensor: &Tensor<2>, expected: [f32; 4]| {
        let got = numbers(&tensor.grad(&grads).unwrap());
        let close = got.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-5);
        assert!(close, "{got:?}, not {expected:?}");
    };
    near(&positive, [1.2, 1.6, 0.0, 0.0]);
    near(&negative, [-2.0, 0.0, 0.0, 0.0]);
    near(&anchor, [0.8, -1.6, 0.0, 0.0]);
}
