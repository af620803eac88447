//! 16-bit storage certified.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use half::{bf16, f16};
use lossmith_conformance::conformance;
use lossmith_core::Array as _;
use lossmith_core::Format;
use lossmith_core::backend::View;
use lossmith_core::loss::ctc;
use lossmith_core::op::Reduce;
use lossmith_core::{Backend, Operand, Reduction};
use lossmith_half::{Half, Inputs, Slice};

conformance!(f16_storage, Half::<f16>::new(), Format::F16);
conformance!(bf16_storage, Half::<bf16>::new(), Format::BF16);

#[test]
fn a_sum_beyond_the_format_is_not_narrowed() {
    let half = Half::<f16>::new();
    let ones = half.upload([100_000, 1, 1], &[1.0; 100_000]).unwrap();
    assert_eq!(half.fold(Reduce::Sum, Operand::Owned(ones)).unwrap(), 100_000.0);
}

#[test]
fn a_slice_enters_without_a_copy() {
    let data = [f16::ONE; 6];
    let view = View::new(vec![2, 3], vec![2, 3], [1, 2]);
    let slice = Slice::new(&[2, 3], &data).unwrap();
    let entered = slice.enter(&Half::new(), &view).unwrap();
    let left = Slice::leave(&Half::new(), vec![entered], &[6]).unwrap();
    assert_eq!(left.data().as_ptr(), data.as_ptr());
}

#[test]
fn the_probabilities_of_a_long_sequence_add_up_to_one() {
    let (steps, samples, classes) = (300, 2, 8);
    let number = |i| bf16::from_f32(-0.3 - (i * 7919 % 101) as f32 / 25.0);
    let log_probs: Vec<_> = (0..steps * samples * classes).map(number).collect();
    let log_probs = Slice::new(&[steps, samples, classes], log_probs).unwrap();
    let inputs = Inputs::new().tensor("log_probs", log_probs).labels("targets", [1, 2, 2, 3, 1]);
    let inputs = inputs.labels("input_lengths", steps as i64).labels("target_lengths", [3, 2]);
    let loss = ctc().reduction(Reduction::Sum);
    let got = loss.value_and_grad(&Half::<bf16>::new(), &inputs).unwrap();
    // The gradient is minus the probability that a step has the class.
    for step in got.grad("log_probs").unwrap().data().chunks(classes) {
        let sum: f32 = step.iter().map(|x| x.to_f32()).sum();
        assert!((sum + 1.0).abs() < 0.3, "{sum}");
    }
    // PyTorch has it in `f64`.
    let value = got.value.data()[0].to_f64();
    assert!((value / 1_159.442_5 - 1.0).abs() < 0.06, "{value}");
}

#[test]
fn formats_round_as_half_does() {
    // Every 16-bit number, its neighbourhood and the ties between.
    for bits in 0..=u16::MAX {
        for nudge in [-1e-3, -1e-12, 0.0, 0.25, 0.5, 0.75] {
            let wide = |x: f64, format: Format| x + nudge * format.ulp(x);
            let x = wide(f16::from_bits(bits).to_f64(), Format::F16);
            let y = wide(bf16::from_bits(bits).to_f64(), Format::BF16);
            let pairs = [
                (Format::F16.round(x), f16::from_f64(x).to_f64()),
                (Format::BF16.round(y), bf16::from_f64(y).to_f64()),
            ];
            for (got, right) in pairs {
                assert!(got == right || got.is_nan() && right.is_nan(), "{bits:#06x}");
            }
        }
    }
}
