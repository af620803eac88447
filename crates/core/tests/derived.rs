//! What is derived from a graph: gradients where there is a choice, and error bounds, which are neither too small nor
//! loose where they can be told by hand.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod of;

use lossmith_core::catalogue::{Argument, Entry, Kind};
use lossmith_core::graph::{Dim, Var};
use lossmith_core::loss::{Arguments, ctc, gaussian_nll, linear_cross_entropy};
use lossmith_core::op::{Axis, Compare};
use lossmith_core::real::Real;
use lossmith_core::shape::Layout;
use lossmith_core::{Definition, Dense, Format, Inputs, Loss, Reduction, Reference, Terms};
use of::{Function, Of};

fn bound(of: Function, x: f64, format: Format) -> f64 {
    bounds(of, Reduction::None, &[x], format)[0]
}

fn bounds(of: Function, reduction: Reduction, x: &[f64], format: Format) -> Vec<f64> {
    let inputs = Inputs::<Dense>::new().tensor("input", x.to_vec());
    let bound = Loss::new(Of(of)).reduction(reduction).error_bound(&inputs, format).unwrap();
    bound.value.into_data()
}

fn gradient(of: Function, x: &[f64]) -> Vec<f64> {
    let inputs = Inputs::<Dense>::new().tensor("input", x.to_vec());
    let loss = Loss::new(Of(of)).reduction(Reduction::Sum);
    loss.value_and_grad(&Reference, &inputs).unwrap().grad("input").unwrap().data().to_vec()
}

#[test]
fn what_is_tied_shares_the_gradient() {
    // The maximum stands in each of three places.
    assert_eq!(gradient(|x| x.max(Axis::Batch), &[2.0, 1.0, 2.0]), [1.5, 0.0, 1.5]);
    assert_eq!(gradient(|x| x.minimum(x.constant(2.0)), &[2.0, 1.0, 3.0]), [0.5, 1.0, 0.0]);
    assert_eq!(gradient(|x| x.abs(), &[0.0, -1.0]), [0.0, -1.0]);
    assert_eq!(gradient(|x| x.relu(), &[0.0, 1.0]), [0.0, 1.0]);
}

/// A multiple of a square has a derivative of its own.
#[test]
fn what_only_looks_like_a_square_is_none() {
    // In powers of two and small integers every step is exact.
    assert_eq!(gradient(|x| x * (x * 0.5), &[3.0]), [3.0]);
    assert_eq!(gradient(|x| x * (x.square() * 0.5), &[3.0]), [13.5]);
    assert_eq!(gradient(|x| x * (x * x.sign()), &[3.0, -2.0]), [6.0, 4.0]);
    assert_eq!(gradient(|x| x * (x * x.square()), &[2.0]), [32.0]);
    assert_eq!(gradient(|x| x * (x * x.max(Axis::Batch)), &[1.0, 2.0]), [4.0, 13.0]);
}

#[test]
fn what_no_op_rounds_is_exact() {
    for format in [Format::F32, Format::F16, Format::BF16] {
        assert_eq!(bound(|x| x, 1.5, format), 0.0);
    }
}

#[test]
fn an_op_is_off_by_what_it_rounds() {
    let (unit, tiny) = (Format::F16.unit(), Format::F16.tiny());
    let near = 0.75_f64;
    let far = (near - 2.0).abs();
    let rows: [(&str, Function, f64); 18] = [
        ("−x", |x| -x, 0.0),
        ("|x|", |x| x.abs(), 0.0),
        ("sign x", |x| x.sign(), 0.0),
        ("detach x", |x| x.detach(), 0.0),
        ("x + x", |x| x + x, 1.5 * unit),
        ("x − −x", |x| x - -x, 1.5 * unit),
        ("x²", |x| x.square(), 0.5625 * unit + tiny),
        ("x / 2", |x| x / 2.0, 0.375 * unit + tiny),
        ("√x", |x| x.sqrt(), near.sqrt() * unit + tiny),
        ("eˣ", |x| x.exp(), 2.0 * near.exp() * unit + tiny),
        ("eˣ − 1", |x| x.exp_m1(), 2.0 * near.exp_m1() * unit + tiny),
        ("ln x", |x| x.ln(), 2.0 * near.ln().abs() * unit + tiny),
        ("ln(1 + x)", |x| x.ln_1p(), 2.0 * near.ln_1p() * unit + tiny),
        ("sigmoid x", |x| x.sigmoid(), 4.0 / (1.0 + (-near).exp()) * unit + tiny),
        ("softplus x", |x| x.softplus(), 4.0 * near.exp().ln_1p() * unit + tiny),
        ("eˣ⁻²", |x| x.exp_sub(x.constant(2.0)), 4.0 * (1.0 + far) * (-far).exp() * unit + tiny),
        ("ln(eˣ + eˣ)", |x| x.log_add_exp(x), 4.0 * (1.0 + near + 2.0_f64.ln()) * unit),
        ("x weighs x", |x| x.weigh(x), 0.5625 * unit + tiny),
    ];
    for (name, of, right) in rows {
        let got = bound(of, near, Format::F16);
        assert!((got - right).abs() <= 1e-12 * right, "{name}: {got:e}, {right:e}");
    }
}

#[test]
fn a_bound_passes_an_op_as_its_derivative_and_grows_by_what_the_op_rounds() {
    let (unit, tiny) = (Format::F16.unit(), Format::F16.tiny());
    let (twice, third) = (1.5 * unit, 1.0 / 3.0);
    let grown = 1.0 + unit;
    let rows: [(&str, Function, f64); 13] = [
        ("−2x", |x| -(x + x), twice),
        ("sign 2x", |x| (x + x).sign(), 0.0),
        ("sign(2x − 1.5)", |x| (x + x - 1.5).sign(), 2.0),
        ("2x + 1", |x| x + x + 1.0, twice * grown + 2.5 * unit),
        ("1 − 2x", |x| 1.0 - (x + x), twice * grown + 0.5 * unit),
        ("3 · 2x", |x| (x + x) * 3.0, 3.0 * twice * grown + 4.5 * unit + tiny),
        ("6 / 2x", |x| 6.0 / (x + x), 6.0 / 2.25 * twice * grown + 4.0 * unit + tiny),
        ("(2x)²", |x| (x + x).square(), (3.0 * twice + twice * twice) * grown + 2.25 * unit + tiny),
        (
            "x / 3 by a number",
            |x| x * (1.0 / 3.0),
            0.75 * (third * unit + tiny) * grown + 0.25 * unit + tiny,
        ),
        (
            "√2x",
            |x| (x + x).sqrt(),
            0.5 / 1.5_f64.sqrt() * twice * grown + 1.5_f64.sqrt() * unit + tiny,
        ),
        // The sides are equal: either branch may be taken.
        (
            "3x if 2x < 1.5, else 4x",
            |x| Var::select(Compare::Lt, x + x, x.constant(1.5), x * 3.0, x * 4.0),
            0.75 + 2.25 * unit + tiny + 3.0 * unit + tiny,
        ),
        (
            "x if 2x < 1.5, else 4x",
            |x| Var::select(Compare::Lt, x + x, x.constant(1.5), x, x * 4.0),
            2.25 + 3.0 * unit + tiny,
        ),
        (
            "4x if 2x < 9, else x",
            |x| Var::select(Compare::Lt, x + x, x.constant(9.0), x * 4.0, x),
            3.0 * unit + tiny,
        ),
    ];
    for (name, of, right) in rows {
        let got = bound(of, 0.75, Format::F16);
        assert!((got - right).abs() <= 1e-12 * right, "{name}: {got:e}, {right:e}");
    }
}

#[test]
fn a_sum_is_off_by_two_roundings_of_what_it_adds_up_and_a_maximum_by_its_arguments() {
    let (unit, tiny, host) = (Format::F16.unit(), Format::F16.tiny(), Format::F64.unit());
    // A number is added up in f64, and rounded as it leaves.
    let number = 4.5 * unit * (1.0 + host) + 2.0 * 4.5 * host + 1.5 * unit + tiny;
    let rows: [(&str, Function, Reduction, f64); 5] = [
        ("Σ 2x", |x| x + x, Reduction::Sum, number),
        ("Σ x on the way", |x| x.sum(Axis::Batch), Reduction::None, 2.0 * 2.25 * unit),
        (
            "Σ 2x on the way",
            |x| (x + x).sum(Axis::Batch),
            Reduction::None,
            4.5 * unit * (1.0 + unit) + 2.0 * 4.5 * unit,
        ),
        ("max 2x", |x| (x + x).max(Axis::Batch), Reduction::None, 3.0 * unit),
        (
            "max 2x, a number",
            |x| (x + x).max(Axis::Inner).max(Axis::Class).max(Axis::Batch),
            Reduction::None,
            3.0 * unit + 1.5 * unit + tiny,
        ),
    ];
    for (name, of, reduction, right) in rows {
        let got = bounds(of, reduction, &[0.75, -1.5], Format::F16)[0];
        assert!((got - right).abs() <= 1e-14 * right, "{name}: {got:e}, {right:e}");
    }
}

#[test]
fn a_product_of_matrices_is_off_by_a_rounding_a_product_and_a_sum() {
    const ROWS: Dim = Dim::Full(Axis::Batch, 0);
    let (unit, tiny) = (Format::F16.unit(), Format::F16.tiny());
    let x = Dense::new(&[2, 2], vec![0.75, -1.5, 0.5, 1.0]).unwrap();
    let inputs = Inputs::<Dense>::new().tensor("input", x);
    let of = |of: Function, reduction| {
        Loss::new(Of(of)).reduction(reduction).error_bound(&inputs, Format::F16).unwrap()
    };
    // Of x · xᵀ the largest of each row's: two products, and a sum that is no more than rounded each time.
    let largest = of(|x| x.linear(x, [ROWS, ROWS, Dim::One]).max(Axis::Class), Reduction::None);
    let [first, second] = [2.8125, 1.875].map(|terms| terms * 3.0 * unit + 3.0 * tiny);
    assert_eq!(largest.value.data(), [first, first, second, second]);
    // What is passed: of 2x, twice a rounding in every product.
    let largest =
        of(|x| (x + x).linear(x + x, [ROWS, ROWS, Dim::One]).max(Axis::Class), Reduction::None);
    let passed = 2.0 * 4.0 * 2.8125 * unit * (1.0 + unit);
    assert_eq!(largest.value.data()[0], passed + 4.0 * 2.8125 * 3.0 * unit + 3.0 * tiny);
    // Of its gradient, which adds up the rows; what arrives is a number, 2, and rounded as it meets them.
    let sum = of(|x| x.detach().linear(x, [ROWS, ROWS, Dim::One]).sum(Axis::Class), Reduction::Sum);
    let of_sum = |terms| {
        let passed = terms * (2.0 * unit + tiny) * (1.0 + unit);
        passed + 2.0 * terms * 3.0 * unit + 3.0 * tiny
    };
    for (got, terms) in sum.grad("input").unwrap().data().iter().zip([1.25, 2.5, 1.25, 2.5]) {
        assert!((got - of_sum(terms)).abs() <= 1e-12 * got, "{got:e}, {:e}", of_sum(terms));
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
    // What the largest may be off by is beyond it.
    assert!(bound(|x| x * 2.0, 32_752.0, Format::F16).is_infinite());
    // A pole is exact.
    assert!(bound(|x| 1.0 / x, 0.0, Format::F16) <= Format::F16.tiny());
    // Nor may a number be larger that meets a tensor.
    assert!(bound(|x| x * 65_000.0, 0.5, Format::F16).is_finite());
    assert!(bound(|x| x * 66_000.0, 0.5, Format::F16).is_infinite());
}

#[test]
fn there_is_none_where_the_terms_of_a_sum_overflow_and_the_sum_does_not() {
    let weight = Dense::new(&[2, 1], vec![2e35, 2e35]).unwrap();
    let inputs = Inputs::<Dense>::new()
        .tensor("input", vec![0.0])
        .tensor("linear_weight", weight)
        .tensor("sample_weight", Dense::from(5e4))
        .labels("target", 1);
    let loss = linear_cross_entropy().reduction(Reduction::Sum);
    let bound = |format| loss.error_bound(&inputs, format).unwrap();
    assert_eq!(bound(Format::F32).grad("input").unwrap().data(), [f64::INFINITY]);
    assert!(bound(Format::F64).grad("input").unwrap().data()[0].is_finite());

    let sum = |x: &[f64], format| bounds(|x| x.sum(Axis::Batch), Reduction::None, x, format)[0];
    assert!(sum(&[1e308, 1e308, -1e308], Format::F64).is_infinite());
    // In a narrow format it is added up in f64.
    assert!(sum(&[2e38, 2e38, -2e38], Format::F32).is_finite());
}

#[test]
fn a_comparison_of_what_has_overflowed_with_an_infinity_may_turn() {
    let infinite: Function = |x| {
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

/// Twice the input where the label is.
#[derive(Clone, Debug)]
struct Picked;

impl Definition for Picked {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "picked",
            kind: Kind::Loss,
            formula: "2xₜ",
            arguments: &[Argument::input(), Argument::labels()],
        };
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let x = a.tensor("input");
        Terms::new(a.labels("target").pick(x + x))
    }
}

#[test]
fn what_is_picked_by_a_label_keeps_its_bound() {
    let x = Dense::new(&[1, 2], vec![0.75, -1.5]).unwrap();
    let inputs = Inputs::<Dense>::new().tensor("input", x).labels("target", [1]);
    let loss = Loss::new(Picked).reduction(Reduction::None);
    let unit = Format::F16.unit();
    let bound = loss.error_bound(&inputs, Format::F16).unwrap();
    assert_eq!(bound.value.data(), [3.0 * unit * (1.0 + unit) + 2.0 * 3.0 * unit]);
}

#[test]
fn a_gradient_through_tables_is_off_by_some_roundings() {
    let third = Dense::new(&[4, 1, 3], vec![-(3.0_f64.ln()); 12]).unwrap();
    let inputs = Inputs::<Dense>::new()
        .tensor("log_probs", third)
        .labels("targets", [1, 2])
        .labels("input_lengths", 4)
        .labels("target_lengths", 2);
    let bound = ctc().error_bound(&inputs, Format::F32).unwrap();
    let roundings = bound.grad("log_probs").unwrap().map(|bound| bound / Format::F32.unit());
    assert!(roundings.data().iter().all(|n| (0.0..100.0).contains(n)), "{roundings:?}");
}

#[test]
fn a_value_that_is_its_own_gradient_is_both() {
    let inputs = Inputs::<Dense>::new().tensor("input", vec![0.0, 1.0]);
    let exp = Loss::new(Of(|x| x.exp())).reduction(Reduction::None);
    let exp = exp.value_and_grad(&Reference, &inputs).unwrap();
    assert_eq!(exp.value.data(), [1.0, 1.0_f64.exp()]);
    assert_eq!(exp.grad("input"), Some(&exp.value));
}

#[test]
fn a_variance_below_eps_counts_as_eps_and_has_a_slope() {
    let inputs = Inputs::<Dense>::new().tensor("input", 3.0).tensor("target", 1.0);
    let inputs = inputs.tensor("var", 0.25);
    let loss = gaussian_nll().eps(0.5).value_and_grad(&Reference, &inputs).unwrap();
    // (ln v + r²/v) / 2 and (1/v − r²/v²) / 2, at v = 0.5.
    assert_eq!(loss.value.data(), [0.5 * (0.5_f64.ln() + 8.0)]);
    assert_eq!(loss.grad("var").unwrap().data(), [0.5 * (2.0 - 16.0)]);
}
