//! What the catalogue says in words.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::catalogue::{Argument, GRAD_OUTPUT, SAMPLE_WEIGHT, all, support};
use lossmith_core::{Reference, catalogue};

#[test]
fn no_two_forms_and_no_two_kinds_of_values_have_the_same_words() {
    let losses = all();
    let own = losses.iter().flat_map(|loss| loss.entry().arguments);
    let arguments: Vec<&Argument> = own.chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]).collect();
    for one in &arguments {
        for other in &arguments {
            assert_eq!(one.values == other.values, one.values.words() == other.values.words());
            // A matrix has the same words beside whatever it stands.
            let same = std::mem::discriminant(&one.form) == std::mem::discriminant(&other.form);
            assert!(same || one.form.words() != other.form.words(), "{:?}", one.form);
        }
    }
}

#[test]
fn what_is_missing_is_counted_and_named() {
    let n = all().len();
    assert_eq!(support(&Reference).to_string(), format!("{n} of {n}"));
    let mut lacking = support(&Reference);
    lacking.take_adds.extend(lacking.runs.pop());
    lacking.matmul_adds.extend(lacking.runs.pop());
    let [matmul, take] = [lacking.matmul_adds[0], lacking.take_adds[0]];
    let words = format!("{} of {n}; matmul adds 1 ({matmul}); take adds 1 ({take})", n - 2);
    assert_eq!(lacking.to_string(), words);
    assert!(catalogue::find(take).is_ok());
}
