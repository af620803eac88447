//! nalgebra certified, and its own layouts.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::{Claim, certify_losses, conformance};
use lossmith_core::Format;
use lossmith_core::loss::{cross_entropy, ctc, mse};
use lossmith_core::{Backend as _, Dense, Inputs as HostInputs};
use lossmith_nalgebra::{Inputs, Nalgebra};
use nalgebra::{DMatrix, DVector};

conformance!(f64, Nalgebra::<f64>::new(), Format::F64);
conformance!(f32, Nalgebra::<f32>::new(), Format::F32);

#[test]
fn most_cases_are_matrices() {
    let report = certify_losses(&Nalgebra::<f64>::new(), &Claim::new(Format::F64));
    println!("{}", report.coverage());
    assert!(report.unsupported * 3 < report.passed);
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
fn steps_are_the_rows_of_a_matrix() {
    let x = DMatrix::from_fn(4, 3, |t, c| (t as f64 - 1.3 * c as f64).sin());
    let by_rows = x.transpose();
    let host = Dense::new(&[4, 3], by_rows.as_slice().to_vec()).unwrap();
    macro_rules! run {
        ($inputs:expr) => {{
            let inputs = $inputs.labels("targets", [1, 2]).labels("input_lengths", 4);
            ctc()
                .value_and_grad(&Nalgebra::<f64>::new(), &inputs.labels("target_lengths", 2))
                .unwrap()
        }};
    }
    let native = run!(Inputs::new().tensor("log_probs", &x));
    let plain = run!(HostInputs::<Dense>::new().tensor("log_probs", host));
    assert_eq!(native.value[(0, 0)], plain.value.data()[0]);
    let grad = native.grad("log_probs").unwrap();
    assert_eq!(grad.transpose().as_slice(), plain.grad("log_probs").unwrap().data());
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
