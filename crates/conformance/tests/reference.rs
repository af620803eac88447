//! The reference, the specification of every other backend, against PyTorch's numbers and the edge table.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::{Tolerance, certify, edges, golden, judge, samples};
use lossmith_core::{Format, Reference};
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
fn the_reference_is_certified_samples_and_all() {
    let report = certify(&Reference, Format::F64);
    println!("{report}");
    assert!(report.failures.is_empty(), "{:#?}", report.failures);
    let counted = report.samples.values().map(|of| of.passed + of.unknown).sum::<usize>();
    assert_eq!(counted, samples().iter().map(|case| case.origins.len()).sum::<usize>());
}
