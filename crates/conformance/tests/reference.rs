//! The reference, the specification of every other backend, against PyTorch's numbers and the edge table.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::{Tolerance, edges, golden, judge, samples};
use lossmith_core::{Dense, Format, Inputs, Reference, catalogue};
use std::collections::BTreeMap;

#[test]
fn the_reference_has_pytorchs_values_and_gradients() {
    let mut counts = BTreeMap::<String, usize>::new();
    for case in golden() {
        let what = format!("{} {}", case.loss, case.name);
        let got =
            case.run(&Reference, Format::F64).unwrap_or_else(|error| panic!("{what}: {error}"));
        let tolerance = Tolerance::Relative { own: 1e-9, largest: 1e-12 };
        let wrong = judge(&got, &case.expected().unwrap(), &tolerance, Format::F64);
        assert!(wrong.is_none(), "{what}: {}", wrong.unwrap());
        *counts.entry(case.loss).or_default() += 1;
    }
    println!("{counts:#?}");
    for loss in lossmith_core::catalogue::all() {
        let (entry, least) = (loss.entry(), if loss.entry().arguments.len() > 1 { 40 } else { 20 });
        assert!(counts[entry.name] >= least, "{} has too few cases", entry.name);
    }
}

#[test]
fn the_reference_is_right_at_the_edges() {
    for case in edges() {
        if !case.formats.is_empty() && !case.formats.iter().any(|format| format == "f64") {
            continue;
        }
        let what = format!("row {} ({})", case.name, case.loss);
        let got =
            case.run(&Reference, Format::F64).unwrap_or_else(|error| panic!("{what}: {error}"));
        // The table prints nine digits.
        let tolerance = Tolerance::Relative { own: 2e-7, largest: 0.0 };
        let wrong = judge(&got, &case.expected().unwrap(), &tolerance, Format::F64);
        assert!(wrong.is_none(), "{what}: {}", wrong.unwrap());
    }
}

#[test]
fn the_gradient_of_ctc_through_a_log_softmax_is_pytorchs() {
    let logits = || Dense::new(&[2, 1, 2], vec![0.0; 4]).unwrap();
    let of = |name| catalogue::find(name).unwrap();
    let inputs = Inputs::<Dense>::new().tensor("input", logits());
    let log_probs = of("log_softmax").value(&Reference, &inputs).unwrap();
    let sequences = Inputs::<Dense>::new()
        .tensor("log_probs", log_probs)
        .labels("targets", [1])
        .labels("input_lengths", [2])
        .labels("target_lengths", [1]);
    let ctc = of("ctc").value_and_grad(&Reference, &sequences).unwrap();
    let inputs = inputs.tensor("grad_output", ctc.grad("log_probs").unwrap().clone());
    let got = of("log_softmax").value_and_grad(&Reference, &inputs).unwrap();
    let sixth = [1.0, -1.0, 1.0, -1.0].map(|sign| sign / 6.0);
    let pairs = got.grad("input").unwrap().data().iter().zip(sixth);
    assert!(pairs.into_iter().all(|(got, exact)| (got - exact).abs() < 1e-15), "{got:?}");
}

#[test]
fn every_sample_of_pytorch_is_there() {
    let mut counts = BTreeMap::<String, [usize; 4]>::new();
    for case in samples() {
        let count = counts.entry(case.loss.clone()).or_default();
        for (origin, _) in &case.origins {
            count[["op", "module", "onnx"].iter().position(|known| known == origin).unwrap()] += 1;
        }
        count[3] += if case.error.is_some() { case.origins.len() } else { 0 };
        assert!(lossmith_core::catalogue::find(&case.loss).is_ok(), "{}", case.loss);
    }
    println!("{:33}    op module   onnx errors", "samples");
    for (loss, [op, module, onnx, errors]) in &counts {
        println!("{loss:33}{op:6} {module:6} {onnx:6} {errors:6}");
    }
    let total = |column: usize| counts.values().map(|count| count[column]).sum::<usize>();
    assert_eq!([0, 1, 2].map(total), [989, 1157, 52]);
}
