//! The golden cases and the edge table on nalgebra, and its own layouts.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::{Report, certify};
use lossmith_core::Format;
use lossmith_core::loss::{cross_entropy, mse};
use lossmith_core::{Backend as _, Dense, Inputs as HostInputs};
use lossmith_nalgebra::{Inputs, Nalgebra};
use nalgebra::{DMatrix, DVector};

#[track_caller]
fn right(report: &Report) {
    println!("{report}");
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    assert!(report.unsupported * 3 < report.passed);
}

#[test]
fn f64_is_right() {
    right(&certify(&Nalgebra::<f64>::new(), Format::F64));
}

#[test]
fn f32_is_right() {
    right(&certify(&Nalgebra::<f32>::new(), Format::F32));
}

#[test]
fn an_inner_axis_is_an_error() {
    let logits = Dense::new(&[2, 3, 4], vec![0.0; 24]).unwrap();
    let labels = lossmith_core::Indices::new(&[2, 4], vec![0; 8]).unwrap();
    let inputs = HostInputs::<Dense>::new().tensor("input", logits).labels("target", labels);
    let error = cross_entropy().value(&Nalgebra::<f64>::new(), &inputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "nalgebra has matrices only: an input with [2, 3, 4] sides around its class axis needs a backend with three, such as ndarray"
    );
}

#[test]
fn native_matrices_and_views_give_the_host_arrays_results() {
    let x = DMatrix::from_fn(4, 3, |r, c| (r as f64 - 1.3 * c as f64).sin());
    let t = DMatrix::from_fn(4, 3, |r, c| (r * c) as f64);
    let w = DVector::from_vec(vec![1.0, 2.0, 0.0, 0.5]);
    let backend = Nalgebra::new();
    let host = |m: &DMatrix<f64>| {
        let data =
            backend.download(&lossmith_nalgebra::Matrix::View(m.view((0, 0), m.shape()))).unwrap();
        Dense::new(&[m.nrows(), m.ncols()], data).unwrap()
    };
    // With a sample weight the rows stay rows; without one the matrix is flattened.
    for weighted in [true, false] {
        let mut native = Inputs::new().tensor("input", x.view((0, 0), (4, 3))).tensor("target", &t);
        let mut plain =
            HostInputs::<Dense>::new().tensor("input", host(&x)).tensor("target", host(&t));
        if weighted {
            native = native.tensor("sample_weight", &w);
            plain = plain.tensor("sample_weight", w.as_slice().to_vec());
        }
        let native = mse().value_and_grad(&backend, &native).unwrap();
        let plain = mse().value_and_grad(&backend, &plain).unwrap();
        assert_eq!(native.value[(0, 0)], plain.value.data()[0]);
        assert_eq!(&host(native.grad("input").unwrap()), plain.grad("input").unwrap());
    }
    let wide = x.clone().insert_columns(1, 1, 9.0).remove_column(1);
    let part = x.view((0, 0), (4, 3));
    let run = |inputs: Inputs<'_, f64>| {
        cross_entropy()
            .value_and_grad(&Nalgebra::new(), &inputs.labels("target", [0, 1, 2, 0]))
            .unwrap()
    };
    let (a, b) =
        (run(Inputs::new().tensor("input", &wide)), run(Inputs::new().tensor("input", part)));
    assert_eq!(a.grad("input"), b.grad("input"));
}
