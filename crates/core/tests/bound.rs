//! Error bounds are neither too small nor loose where they can be told by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::catalogue::{Argument, Entry, Kind};
use lossmith_core::graph::Var;
use lossmith_core::loss::Arguments;
use lossmith_core::op::Compare;
use lossmith_core::real::Real;
use lossmith_core::{Definition, Dense, Format, Inputs, Loss, Reduction, Terms};

/// A function of the input.
#[derive(Clone, Debug)]
struct Of(for<'g> fn(Var<'g>) -> Var<'g>);

impl Definition for Of {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "of",
            kind: Kind::Loss,
            formula: "f(x)",
            arguments: &[Argument::input()],
        };
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new((self.0)(a.tensor("input")))
    }
}

fn bound(of: for<'g> fn(Var<'g>) -> Var<'g>, x: f64, format: Format) -> f64 {
    let inputs = Inputs::<Dense>::new().tensor("input", vec![x]);
    let bound = Loss::new(Of(of)).reduction(Reduction::None).error_bound(&inputs, format).unwrap();
    bound.value.data()[0]
}

#[test]
fn what_no_op_rounds_is_exact() {
    for format in [Format::F32, Format::F16, Format::BF16] {
        assert_eq!(bound(|x| x, 1.5, format), 0.0);
    }
}

#[test]
fn a_product_is_off_by_a_rounding_and_a_number_by_its_own() {
    let unit = Format::F16.unit();
    let near = |got: f64, roundings: f64| (got / (3.0 * unit) - roundings).abs() < 0.01;
    let exact = bound(|x| x * 2.0, 1.5, Format::F16);
    assert!(near(exact, 1.0), "{exact}");
    // A third is not in the format: two roundings.
    let rounded = bound(|x| x * (1.0 / 3.0), 9.0, Format::F16);
    assert!(near(rounded, 2.0), "{rounded}");
}

#[test]
fn there_is_a_bound_up_to_the_formats_largest_number() {
    assert!(bound(|x| x * 3.0, 20_000.0, Format::F16).is_finite());
    assert!(bound(|x| x * 4.0, 20_000.0, Format::F16).is_infinite());
    // Nor may a number be larger that meets a tensor.
    assert!(bound(|x| x * 65_000.0, 0.5, Format::F16).is_finite());
    assert!(bound(|x| x * 66_000.0, 0.5, Format::F16).is_infinite());
}

#[test]
fn a_comparison_of_what_has_overflowed_with_an_infinity_may_turn() {
    let infinite: for<'g> fn(Var<'g>) -> Var<'g> = |x| {
        let [zero, one, infinite] = [0.0, 1.0, f64::INFINITY].map(|number| x.constant(number));
        Var::select(Compare::Eq, x * 4.0, infinite, one, zero)
    };
    for (x, turns) in [(1.0, 0.0), (20_000.0, 1.0), (f64::INFINITY, 0.0)] {
        assert_eq!(bound(infinite, x, Format::F16), turns, "{x}");
    }
}

#[test]
fn what_has_overflowed_is_not_exact_further_on() {
    // e^−x² is 0 where x² is infinite, and where x is; but only the one is known to be.
    for (x, format) in [(1e200, Format::F64), (1e20, Format::F32), (300.0, Format::F16)] {
        assert_eq!(bound(|x| (-x.square()).exp(), x, format), f64::INFINITY, "{}", format.name);
        assert!(bound(|x| (-x.square()).exp(), f64::INFINITY, format) <= format.tiny());
        assert!(bound(|x| x.ln().exp(), 0.0, format) <= format.tiny());
    }
    // A weight of 0 skips what it weighs.
    assert!(bound(|x| x.constant(0.0).weigh(x.square()), 1e20, Format::F32) <= 0.0);
    assert!(bound(|x| (x - x.detach()).weigh(x.square()), 1e20, Format::F32) <= 0.0);
}
