//! Deliberately broken backends, one fault in one op each: the suite catches all of them and names the op.

mod backend;

use backend::{Backed, Broken, Fault};
use lossmith_conformance::{Claim, certify_ops, op, op_phases};
use lossmith_core::{Format, Reference};

/// Every op with every fault that makes a difference to it.
fn faults() -> Vec<Broken> {
    use Fault::*;
    let table: &[(&[&'static str], &[Fault])] = &[
        (&["transfer"], &[NanHidden, InfinityLost, ZeroSign, Flushed, Imprecise, LastLost]),
        (&["neg", "abs"], &[NanHidden, InfinityLost, Flushed, Imprecise, OwnedKept, LastLost]),
        (&["neg"], &[ZeroSign, Textbook]),
        (&["sign"], &[NanHidden, Textbook, Imprecise, OwnedKept, LastLost]),
        (&["exp", "softplus"], &[NanHidden, InfinityLost, Imprecise, OwnedKept, LastLost]),
        (&["expm1"], &[NanHidden, InfinityLost, ZeroSign, Flushed, Imprecise, Textbook, OwnedKept]),
        (&["ln", "ln1p"], &[NanHidden, InfinityLost, Imprecise, OwnedKept, LastLost]),
        (&["sqrt"], &[NanHidden, InfinityLost, ZeroSign, Imprecise, Textbook, OwnedKept, LastLost]),
        (&["sigmoid"], &[NanHidden, Imprecise, Textbook, OwnedKept, LastLost]),
        (&["ln1p", "softplus"], &[Textbook]),
        (&["add", "sub", "mul", "div"], &[ZeroSign, Flushed]),
        (
            &["add", "sub", "mul", "div", "weigh", "exp_sub", "log_add_exp"],
            &[NanHidden, InfinityLost, Imprecise, Broadcast, OwnedKept, LastLost],
        ),
        (&["sub", "div", "weigh", "exp_sub"], &[NumberSide, Swapped]),
        (&["sub", "div", "weigh", "exp_sub", "log_add_exp"], &[Textbook]),
        (
            &["select_eq", "select_lt", "select_le"],
            &[NanHidden, InfinityLost, ZeroSign, Flushed, Broadcast, Tie, Textbook, Swapped, Blend],
        ),
        (&["reduce_sum", "reduce_max"], &[NanHidden, InfinityLost, Axis, LastLost, Imprecise]),
        (&["fold_sum", "fold_max"], &[NanHidden, InfinityLost, LastLost, Imprecise]),
        (&["reduce_sum", "fold_sum"], &[Narrow, PlainSum]),
        (&["matmul"], &[NanHidden, InfinityLost, Imprecise, Narrow, Swapped, LastLost]),
        (&["take"], &[NanHidden, InfinityLost, ZeroSign, Imprecise, LastLost]),
        (&["put"], &[NanHidden, InfinityLost, Imprecise, Narrow, PlainSum, LastLost]),
        (&["take", "put"], &[NoneTaken, FirstRow]),
        (&["take"], &[Blend]),
        (&["put"], &[Overwritten]),
        (&["reduce_max", "fold_max"], &[FromZero]),
        (
            &["at_label"],
            &[
                NanHidden,
                InfinityLost,
                ZeroSign,
                Broadcast,
                Swapped,
                Blend,
                IgnoredRow,
                NarrowIndices,
            ],
        ),
    ];
    let pairs = |(ops, faults): &(&[&'static str], &[Fault])| {
        ops.iter().flat_map(|&op| faults.iter().map(move |&fault| (op, fault))).collect::<Vec<_>>()
    };
    table.iter().flat_map(pairs).collect()
}

#[test]
fn without_a_fault_the_suite_passes() {
    let claim = Claim::new(Format::F64);
    let report = certify_ops(&Backed(None), &claim);
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(report.passed, certify_ops(&Reference, &claim).passed);
}

#[test]
fn every_fault_is_caught_and_its_op_named() {
    let faults = faults();
    let mut missed = Vec::new();
    for &(phase, fault) in &faults {
        let report = op(&Backed(Some((phase, fault))), &Claim::new(Format::F64), phase);
        if !report.failures.iter().any(|failure| names(phase, failure)) {
            missed.push(format!("{phase} {fault:?}: {report}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    println!("{} faults, all caught", faults.len());
}

fn names(phase: &str, (name, _): &(String, String)) -> bool {
    name.split(": ").next() == Some(phase)
}

#[test]
fn a_fault_in_one_op_is_blamed_on_no_other() {
    for phase in op_phases() {
        // Every call takes numbers in and out.
        if phase == "transfer" {
            continue;
        }
        let backend = Backed(Some((phase, Fault::NanHidden)));
        let report = certify_ops(&backend, &Claim::new(Format::F64));
        assert!(report.failures.iter().all(|failure| names(phase, failure)), "{report}");
        assert!(!report.failures.is_empty(), "{phase}");
    }
}

#[test]
fn every_op_has_a_fault() {
    for phase in op_phases() {
        assert!(faults().iter().any(|(op, _)| *op == phase), "{phase}");
    }
}
