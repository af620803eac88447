//! The minimum is one, and what is known of this data.

#![allow(clippy::unwrap_used, reason = "tests")]

use lossmith_argmin::{Regression, correct};
use lossmith_train::digits;

#[test]
fn the_minimum_is_where_the_gradient_ends() {
    let [train, held_out] = digits().unwrap();
    let (best, value, _) = Regression::new(&train).minimise(200).unwrap();
    let (again, grad) = Regression::new(&train).value_and_grad(&best).unwrap();
    assert_eq!(again, value);
    let largest = grad.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
    assert!(largest < 1e-5, "the gradient is {largest:e} at the minimum");
    let (right, all) = (correct(&best, &held_out), held_out.labels.len());
    assert!(right * 100 >= all * 95, "{right} of {all}");
}

#[test]
fn the_gradient_is_that_of_the_value() {
    let [train, _] = digits().unwrap();
    let problem = Regression::new(&train);
    let at: Vec<f64> = (0..650).map(|i| f64::from(i % 7) * 0.1 - 0.3).collect();
    let (_, grad) = problem.value_and_grad(&at).unwrap();
    for place in [20, 333, 641, 649] {
        let moved = |step: f64| {
            let mut at = at.clone();
            at[place] += step;
            problem.value_and_grad(&at).unwrap().0
        };
        let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
        assert!((slope - grad[place]).abs() < 1e-8, "{place}: {slope} and {}", grad[place]);
    }
}
