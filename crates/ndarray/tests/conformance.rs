//! ndarray certified, and its own layouts.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::conformance;
use lossmith_core::Array as _;
use lossmith_core::Format;
use lossmith_core::backend::View;
use lossmith_core::loss::{cross_entropy, ctc};
use lossmith_ndarray::{Input, Inputs, NdArray};
use ndarray::{Array2, Array3, Array4};

conformance!(f64, NdArray::<f64>::new(), Format::F64);
conformance!(f32, NdArray::<f32>::new(), Format::F32);

fn logits() -> Array2<f32> {
    Array2::from_shape_fn((6, 5), |(n, c)| (n as f32 - 2.5 * c as f32).sin())
}

#[test]
fn strides_do_not_change_a_bit() {
    let labels = [0, 1, 2, 3, 4, 0];
    let run = |inputs: Inputs<'_, f32>| {
        cross_entropy().value_and_grad(&NdArray::new(), &inputs.labels("target", labels)).unwrap()
    };
    let x = logits();
    let plain = run(Inputs::new().tensor("input", &x));
    let transposed = x.t().as_standard_layout().into_owned();
    let turned = run(Inputs::new().tensor("input", transposed.t()));
    let wide = ndarray::stack![ndarray::Axis(2), x, x];
    let sliced = run(Inputs::new().tensor("input", wide.index_axis(ndarray::Axis(2), 1)));
    for other in [turned, sliced] {
        assert_eq!(plain.value, other.value);
        assert_eq!(plain.grad("input"), other.grad("input"));
    }
}

#[test]
fn steps_are_seen_where_they_lie() {
    let x =
        Array3::from_shape_fn((4, 2, 3), |(t, n, c)| (t as f32 - 1.7 * (n * 3 + c) as f32).sin());
    let run = |inputs: Inputs<'_, f32>| {
        let inputs = inputs.labels("targets", [1, 2, 1]).labels("input_lengths", [4, 3]);
        ctc().value_and_grad(&NdArray::new(), &inputs.labels("target_lengths", [2, 1])).unwrap()
    };
    let plain = run(Inputs::new().tensor("log_probs", &x));
    // Batch first in memory, as many models have it; and owned.
    let batch_first = x.view().permuted_axes([1, 0, 2]).as_standard_layout().into_owned();
    let view = batch_first.view().permuted_axes([1, 0, 2]);
    for other in
        [Inputs::new().tensor("log_probs", view), Inputs::new().tensor("log_probs", x.clone())]
    {
        let other = run(other);
        assert_eq!(plain.value, other.value);
        assert_eq!(plain.grad("log_probs"), other.grad("log_probs"));
    }
    let mut step = View::new(vec![2, 3], vec![2, 3], [1, 2]);
    step.step = Some(1);
    let entered = Input::from(&x).enter(&NdArray::new(), &step).unwrap();
    assert_eq!(entered.as_ptr(), x.index_axis(ndarray::Axis(0), 1).as_ptr());
}

#[test]
fn contiguous_arrays_enter_without_a_copy() {
    let x = Array4::<f32>::zeros((2, 3, 4, 5));
    let view = View::new(vec![2, 3, 4, 5], vec![2, 3, 4, 5], [1, 2]);
    let entered = Input::from(&x).enter(&NdArray::new(), &view).unwrap();
    assert_eq!(entered.as_ptr(), x.as_ptr());
    assert_eq!(entered.shape(), [2, 3, 20]);
}
