//! 16-bit storage certified.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use half::{bf16, f16};
use lossmith_conformance::conformance;
use lossmith_core::Array as _;
use lossmith_core::Format;
use lossmith_core::backend::View;
use lossmith_core::op::Reduce;
use lossmith_core::{Backend, Operand};
use lossmith_half::{Half, Slice};

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
