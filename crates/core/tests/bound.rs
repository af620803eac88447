//! Error bounds are neither too small nor loose where they can be told by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::catalogue::{Argument, Entry, Kind};
use lossmith_core::loss::Arguments;
use lossmith_core::{Definition, Dense, Format, Inputs, Loss, Reduction, Terms};

/// The input as it is, or three times as much.
#[derive(Clone, Debug)]
struct Times(Option<f64>);

impl Definition for Times {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "times",
            kind: Kind::Loss,
            formula: "c·x",
            arguments: &[Argument::input()],
        };
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let x = a.tensor("input");
        Terms::new(self.0.map_or(x, |factor| x * factor))
    }
}

fn bound(loss: Times, x: f64, format: Format) -> f64 {
    let inputs = Inputs::<Dense>::new().tensor("input", vec![x]);
    let bound = Loss::new(loss).reduction(Reduction::None).error_bound(&inputs, format).unwrap();
    bound.value.data()[0]
}

#[test]
fn what_no_op_rounds_is_exact() {
    for format in [Format::F32, Format::F16, Format::BF16] {
        assert_eq!(bound(Times(None), 1.5, format), 0.0);
    }
}

#[test]
fn a_product_is_off_by_a_rounding_and_a_number_by_its_own() {
    let unit = Format::F16.unit();
    let near = |got: f64, roundings: f64| (got / (3.0 * unit) - roundings).abs() < 0.01;
    let exact = bound(Times(Some(2.0)), 1.5, Format::F16);
    assert!(near(exact, 1.0), "{exact}");
    // A third is not in the format: two roundings.
    let rounded = bound(Times(Some(1.0 / 3.0)), 9.0, Format::F16);
    assert!(near(rounded, 2.0), "{rounded}");
}

#[test]
fn there_is_a_bound_up_to_the_formats_largest_number() {
    assert!(bound(Times(Some(3.0)), 20_000.0, Format::F16).is_finite());
    assert!(bound(Times(Some(4.0)), 20_000.0, Format::F16).is_infinite());
}
