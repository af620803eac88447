//! Properties of every loss of the catalogue, on the reference.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::loss::cross_entropy;
use lossmith_core::{Dense, Inputs, Reduction, Reference, catalogue};
use lossmith_tests::{Problem, Stream, with_options};
use proptest::prelude::*;

fn nudged(x: &Dense, index: usize, by: f64) -> Dense {
    let mut data = x.data().to_vec();
    data[index] += by;
    Dense::new(x.shape(), data).unwrap()
}

fn sum(x: &Dense) -> f64 {
    x.data().iter().sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn gradients_are_central_differences(seed: u64) {
        for loss in catalogue::all() {
            let mut seed = Stream(seed);
            let loss = with_options(loss, &mut seed).unwrap();
            let problem = Problem::random(&loss, &mut seed).unwrap();
            let got = loss.value_and_grad(&Reference, &problem.inputs()).unwrap();
            for (name, grad) in &got.grads {
                let place = problem.numbers.iter().position(|(given, _)| given == name).unwrap();
                for index in 0..grad.data().len() {
                    let at = |by: f64| {
                        let mut nearby = problem.clone();
                        nearby.numbers[place].1 = nudged(&problem.numbers[place].1, index, by);
                        sum(&loss.value(&Reference, &nearby.inputs()).unwrap())
                    };
                    // The mean of nothing is NaN, and its gradient 0.
                    let slope = |h: f64| match (at(h) - at(-h)) / (2.0 * h) {
                        slope if slope.is_nan() => 0.0,
                        slope => slope,
                    };
                    // A margin's kink may lie within the wide step, and then not within the narrow one.
                    let slopes = [1e-5, 1e-7].map(slope);
                    let got = grad.data()[index];
                    prop_assert!(
                        slopes.iter().any(|slope| (got - slope).abs() <= 1e-6 * (1.0 + got.abs())),
                        "{loss:?} {problem:?}: grad.{name}[{index}] is {got}, the slopes {slopes:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn cross_entropy_does_not_see_a_shift(
        rows in prop::collection::vec(prop::collection::vec(-9.0..9.0, 5), 1..6),
        shift in -50.0..50.0,
    ) {
        let n = rows.len();
        let of = |shift: f64| {
            let data = rows.iter().flatten().map(|x| x + shift).collect();
            let labels: Vec<i64> = (0..5).cycle().take(n).collect();
            let inputs = Inputs::<Dense>::new()
                .tensor("input", Dense::new(&[n, 5], data).unwrap())
                .labels("target", labels);
            cross_entropy().reduction(Reduction::None).value_and_grad(&Reference, &inputs).unwrap()
        };
        let (a, b) = (of(0.0), of(shift));
        let pairs = |a: &Dense, b: &Dense| {
            a.data().iter().zip(b.data()).all(|(a, b)| (a - b).abs() <= 1e-12)
        };
        prop_assert!(pairs(&a.value, &b.value));
        prop_assert!(pairs(a.grad("input").unwrap(), b.grad("input").unwrap()));
    }

    #[test]
    fn rows_may_come_in_any_order(
        rows in prop::collection::vec((prop::collection::vec(-9.0..9.0, 4), 0_i64..4, 0.0..2.0), 1..9),
    ) {
        let of = |rows: &[(Vec<f64>, i64, f64)]| {
            let data = rows.iter().flat_map(|row| row.0.clone()).collect();
            let inputs = Inputs::<Dense>::new()
                .tensor("input", Dense::new(&[rows.len(), 4], data).unwrap())
                .tensor("sample_weight", rows.iter().map(|row| row.2).collect::<Vec<f64>>())
                .labels("target", rows.iter().map(|row| row.1).collect::<Vec<i64>>());
            cross_entropy().label_smoothing(0.1).value_and_grad(&Reference, &inputs).unwrap()
        };
        let there = of(&rows);
        let back: Vec<_> = rows.iter().rev().cloned().collect();
        let back = of(&back);
        prop_assert!((sum(&there.value) - sum(&back.value)).abs() <= 1e-13 * sum(&there.value).abs());
        let (there, back) = (there.grad("input").unwrap(), back.grad("input").unwrap());
        for (a, b) in there.data().chunks(4).zip(back.data().rchunks(4)) {
            prop_assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-15));
        }
    }
}
