//! Wrong input gets an error that says what, where and how to put it right.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::backend::View;
use lossmith_core::catalogue::{Argument, Entry, Kind};
use lossmith_core::loss::{
    Arguments, adaptive_log_softmax, binary_cross_entropy, binary_cross_entropy_with_logits,
    cross_entropy, ctc, gaussian_nll, l1, linear_cross_entropy, log_softmax, mse,
    multilabel_margin, nll, poisson_nll, smooth_l1, softplus,
};
use lossmith_core::reference::Tensor;
use lossmith_core::{
    Array, Check, Definition, Dense, Error, Indices, Inputs, Loss, Objective, Reduction, Reference,
    Terms, catalogue,
};
use std::convert::Infallible;

fn dense(shape: &[usize], fill: f64) -> Dense {
    Dense::new(shape, vec![fill; shape.iter().product()]).unwrap()
}

fn given(arguments: &[(&str, &[usize])]) -> Inputs<Dense> {
    let with = |inputs: Inputs<Dense>, (name, shape): &(&str, &[usize])| {
        inputs.tensor(name, dense(shape, 0.5))
    };
    arguments.iter().fold(Inputs::new(), with)
}

#[track_caller]
fn refused<D: Definition>(loss: Loss<D>, inputs: Inputs<Dense>, message: &str) {
    let error = loss.value_and_grad(&Reference, &inputs).expect_err("is refused");
    assert_eq!(error.to_string(), message);
}

#[test]
fn shapes_that_do_not_go_together() {
    refused(
        mse(),
        given(&[("input", &[3, 1]), ("target", &[3])]),
        "target has shape (3,), but input of shape (3, 1) wants (3, 1)",
    );
    refused(
        l1(),
        given(&[("input", &[2, 3]), ("target", &[2, 3]), ("weight", &[3])]),
        "weight has shape (3,), but input of shape (2, 3) wants (2, 3)",
    );
    refused(
        binary_cross_entropy(),
        given(&[("input", &[2, 3]), ("target", &[2, 3]), ("weight", &[2])]),
        "weight has shape (2,), but input of shape (2, 3) wants the same, or trailing sides of it, each full or 1",
    );
    refused(
        mse(),
        given(&[("input", &[2, 3]), ("target", &[2, 3]), ("sample_weight", &[3])]),
        "sample_weight has shape (3,), but input of shape (2, 3) wants (2, 3), the unreduced loss's, or leading sides of it",
    );
    refused(
        mse().reduction(Reduction::None),
        given(&[("input", &[2, 3]), ("target", &[2, 3]), ("grad_output", &[2])]),
        "grad_output has shape (2,), but input of shape (2, 3) wants (2, 3)",
    );
    refused(
        cross_entropy(),
        given(&[("input", &[2, 3]), ("target", &[3, 2])]),
        "target has shape (3, 2), but input of shape (2, 3) wants (2, 3)",
    );
    refused(
        cross_entropy(),
        given(&[("input", &[2, 3])]).labels("target", [0, 1, 2]),
        "target has shape (3,), but input of shape (2, 3) wants (2,)",
    );
    refused(
        cross_entropy(),
        given(&[("input", &[2, 3]), ("weight", &[2])]).labels("target", [0, 1]),
        "weight has shape (2,), but input of shape (2, 3) wants (3,)",
    );
}

#[test]
fn shapes_that_no_broadcast_allows() {
    for var in [&[1, 1][..], &[1], &[3], &[2, 2], &[2, 3, 1, 1]] {
        let inputs = given(&[("input", &[2, 3]), ("target", &[2, 3]), ("var", var)]);
        let error = gaussian_nll().value(&Reference, &inputs).expect_err("is refused");
        assert!(error.to_string().starts_with("var has shape"), "{error}");
    }
    for var in [&[2, 3][..], &[1, 3], &[2, 1], &[2], &[]] {
        let inputs = given(&[("input", &[2, 3]), ("target", &[2, 3]), ("var", var)]);
        assert!(gaussian_nll().value(&Reference, &inputs).is_ok(), "{var:?}");
    }
    refused(
        multilabel_margin(),
        given(&[("input", &[2, 3])]).labels("target", [0, 1]),
        "target has shape (2,), but input of shape (2, 3) wants (2, 3)",
    );
}

#[test]
fn axes_that_are_not_there() {
    refused(
        cross_entropy(),
        given(&[("input", &[])]).labels("target", 0),
        "input has shape (), but a class axis is wanted: (C), (N, C) or (N, C, d…)",
    );
    refused(
        nll(),
        given(&[("input", &[2, 0])]).labels("target", [0, 0]),
        "input has shape (2, 0), but at least one class is wanted on axis 1",
    );
    refused(
        log_softmax().dim(2),
        given(&[("input", &[2, 3])]),
        "input has shape (2, 3), but dim=2 is not an axis of it",
    );
    refused(
        log_softmax().dim(i64::MIN),
        given(&[("input", &[2, 3])]),
        "input has shape (2, 3), but dim=-9223372036854775808 is not an axis of it",
    );
}

#[test]
fn matrices_that_do_not_go_together() {
    let linear = |input: &[usize], weight: &[usize]| {
        given(&[("input", input), ("linear_weight", weight)]).labels("target", [0, 1])
    };
    refused(
        linear_cross_entropy(),
        linear(&[2, 3], &[4, 5]),
        "input has shape (2, 3), but linear_weight of shape (4, 5) wants (…, 5)",
    );
    refused(
        linear_cross_entropy(),
        linear(&[2, 2, 3], &[4, 3]),
        "input has shape (2, 2, 3), but vectors are wanted: (F) or (N, F)",
    );
    refused(
        linear_cross_entropy(),
        linear(&[3], &[4, 2, 3]),
        "linear_weight has shape (4, 2, 3), but (C, F) is wanted, or with (N, F) (C, d…, F)",
    );
    refused(
        linear_cross_entropy(),
        given(&[("input", &[2, 3]), ("linear_weight", &[4, 3])]).labels("target", [0, 4]),
        "target[1] is 4, but there are 4 classes: give 0 to 3, or set ignore_index to 4",
    );
    let adaptive = |head: &[usize], down: &[usize], up: &[usize]| {
        let weights = [("head.weight", head), ("tails.0.0", down), ("tails.0.1", up)];
        let inputs = given(&[("input", &[2, 4])]).labels("target", [0, 5]);
        weights.iter().fold(inputs, |inputs, (name, shape)| inputs.tensor(name, dense(shape, 0.5)))
    };
    let loss = || adaptive_log_softmax().cutoffs(&[2]);
    refused(
        loss(),
        adaptive(&[4, 4], &[2, 4], &[4, 2]),
        "head.weight has shape (4, 4), but input of shape (2, 4) wants (3, 4)",
    );
    refused(
        loss(),
        adaptive(&[3, 4], &[2, 4], &[4, 3]),
        "tails.0.1 has shape (4, 3), but tails.0.0 of shape (2, 4) wants (…, 2)",
    );
    refused(
        loss(),
        adaptive(&[3, 4], &[2, 4], &[3, 2]),
        "target[1] is 5, but there are 5 classes: give 0 to 4",
    );
    refused(
        loss(),
        adaptive(&[3, 4], &[2, 1, 4], &[4, 2]),
        "tails.0.0 has shape (2, 1, 4), but a matrix is wanted",
    );
    refused(
        loss().head_bias(true),
        adaptive(&[3, 4], &[2, 4], &[4, 2]),
        "option head_bias of adaptive_log_softmax is true, but it wants false without a head.bias",
    );
    refused(
        loss().div_value(Some(4.0)),
        adaptive(&[3, 4], &[2, 4], &[4, 2]),
        "option div_value of adaptive_log_softmax is 4, but it wants what gives tails.0.0 of 2 rows",
    );
    refused(
        adaptive_log_softmax().cutoffs(&[2, 2]),
        adaptive(&[3, 4], &[2, 4], &[4, 2]),
        "option cutoffs of adaptive_log_softmax is 2,2, but it wants 1 to 16 integers from 1, each above the last, as in 10,100",
    );
}

#[test]
fn labels_out_of_range() {
    let logits = || given(&[("input", &[3, 4])]);
    refused(
        cross_entropy(),
        logits().labels("target", [0, 4, 1]),
        "target[1] is 4, but there are 4 classes: give 0 to 3, or set ignore_index to 4",
    );
    refused(
        nll().ignore_index(-1),
        logits().labels("target", [0, -1, -2]),
        "target[2] is -2, but there are 4 classes: give 0 to 3, or set ignore_index to -2",
    );
    // 2³² + 1 is not class 1.
    refused(
        cross_entropy().check(Check::Off),
        logits().labels("target", [4_294_967_297, 0, 0]),
        "target[0] is 4294967297, but there are 4 classes: give 0 to 3, or set ignore_index to 4294967297",
    );
}

#[test]
fn sequences_that_do_not_go_together() {
    type Labels<'a> = (&'a [usize], &'a [i64]);
    let with = |log_probs: &[usize], [targets, steps, lengths]: [Labels<'_>; 3]| {
        let labels = |(shape, data): Labels<'_>| Indices::new(shape, data.to_vec()).unwrap();
        given(&[("log_probs", log_probs)])
            .labels("targets", labels(targets))
            .labels("input_lengths", labels(steps))
            .labels("target_lengths", labels(lengths))
    };
    let (all, both): (Labels<'_>, Labels<'_>) = ((&[], &[4]), (&[2], &[2, 1]));
    let rows: Labels<'_> = (&[2, 2], &[1, 2, 1, 0]);
    refused(
        ctc(),
        with(&[4, 2], [(&[3], &[1, 1, 1]), (&[1], &[4]), (&[], &[3])]),
        "input_lengths has shape (1,), but a step of log_probs of shape (2,) wants ()",
    );
    refused(
        ctc(),
        with(&[4, 2, 3], [(&[4], &[1, 2, 1, 2]), all, both]),
        "targets has shape (4,), but target_lengths of shape (2,) wants (3,), their sum",
    );
    refused(
        ctc(),
        with(&[4, 2, 3], [(&[3, 2], &[1; 6]), all, both]),
        "targets has shape (3, 2), but a step of log_probs of shape (2, 3) wants (2, S), or (S,) in all",
    );
    refused(
        ctc(),
        with(&[4, 2, 3], [rows, (&[2], &[4, 5]), both]),
        "input_lengths[1] is 5, but there are 4 steps: give 0 to 4",
    );
    refused(
        ctc(),
        with(&[4, 2, 3], [rows, all, (&[2], &[-1, 1])]),
        "target_lengths[0] is -1, but there are 2 labels: give 0 to 2",
    );
    refused(
        ctc(),
        with(&[4, 2, 3], [rows, all, (&[], &[2])]),
        "targets[3] is 0, but there are 3 classes: give 0 to 2, but not 0, the blank",
    );
    refused(
        ctc(),
        with(&[4, 2, 3], [(&[2, 2], &[3, 2, 1, 1]), all, both]),
        "targets[0] is 3, but there are 3 classes: give 0 to 2, but not 0, the blank",
    );
    refused(
        ctc().blank(1),
        with(&[4, 2, 3], [(&[2, 2], &[0, 2, 1, 0]), all, both]),
        "targets[2] is 1, but there are 3 classes: give 0 to 2, but not 1, the blank",
    );
    for log_probs in [&[4, 0][..], &[4, 2, 0]] {
        let inputs = with(log_probs, [rows, all, both]);
        let error = ctc().value(&Reference, &inputs).expect_err("is refused").to_string();
        assert!(error.ends_with("at least one class is wanted on the last axis"), "{error}");
    }
    refused(
        ctc().blank(3),
        with(&[4, 2, 3], [rows, all, both]),
        "option blank of ctc is 3, but it wants one of the 3 classes",
    );
    for log_probs in [&[3][..], &[4, 2, 3, 1]] {
        refused(
            ctc(),
            with(log_probs, [rows, all, both]),
            &format!(
                "log_probs has shape {}, but (T, C) or (T, N, C) is wanted",
                lossmith_core::shape::Sides(log_probs)
            ),
        );
    }
}

#[test]
fn numbers_outside_the_domain() {
    let rate = Inputs::<Dense>::new().tensor("input", -1.0).tensor("target", 1.0);
    assert!(poisson_nll().value(&Reference, &rate).is_ok());
    let error = poisson_nll().log_input(false).value(&Reference, &rate).expect_err("is refused");
    assert!(error.to_string().starts_with("input"), "{error}");

    let half = || Inputs::<Dense>::new().tensor("target", vec![0.5, 0.5]);
    refused(
        binary_cross_entropy(),
        half().tensor("input", vec![0.2, 1.0000001]),
        "input[1] is 1.0000001, outside [0, 1] (check=off skips this)",
    );
    refused(
        binary_cross_entropy_with_logits(),
        Inputs::new().tensor("input", vec![0.0, 9.0]).tensor("target", vec![f64::NAN, -0.5]),
        "target[1] is -0.5, outside [0, 1] (check=off skips this)",
    );
    let skipped = binary_cross_entropy_with_logits().check(Check::Labels);
    let inputs = half().tensor("input", vec![0.0, 0.0]);
    assert!(skipped.value(&Reference, &inputs).is_ok());
}

#[test]
fn arguments_that_are_missing_unknown_twice_or_of_the_wrong_kind() {
    refused(mse(), given(&[("input", &[2])]), "mse needs target");
    refused(
        mse(),
        given(&[("input", &[2]), ("target", &[2]), ("wieght", &[2])]),
        "mse takes no argument \"wieght\" here: it takes each of input, target, weight, sample_weight once",
    );
    refused(
        mse(),
        given(&[("input", &[2]), ("input", &[2]), ("target", &[2])]),
        "mse takes no argument \"input\" here: it takes each of input, target, weight, sample_weight once",
    );
    refused(
        mse(),
        given(&[("input", &[2]), ("target", &[2]), ("grad_output", &[2])]),
        "mse takes no argument \"grad_output\" here: it takes each of input, target, weight, sample_weight once",
    );
    refused(
        nll(),
        given(&[("input", &[2, 2]), ("target", &[2])]),
        "target is numbers, but nll wants class indices",
    );
    refused(
        mse(),
        given(&[("input", &[2])]).labels("target", [0, 1]),
        "target is class indices, but mse wants numbers",
    );
}

#[test]
fn options_out_of_range() {
    let pair = || given(&[("input", &[2]), ("target", &[2])]);
    refused(
        smooth_l1().beta(-1.0),
        pair(),
        "option beta of smooth_l1 is -1, but it wants a number from 0",
    );
    refused(
        smooth_l1().beta(f64::NAN),
        pair(),
        "option beta of smooth_l1 is NaN, but it wants a number from 0",
    );
    refused(
        cross_entropy().label_smoothing(1.5),
        given(&[("input", &[2, 2])]).labels("target", [0, 1]),
        "option label_smoothing of cross_entropy is 1.5, but it wants a number from 0 to 1",
    );
    assert!(softplus().beta(0.0).value(&Reference, &given(&[("input", &[2])])).is_err());
    let set = |option, value| catalogue::find("cross_entropy").unwrap().with(option, value);
    assert_eq!(
        set("label_smooting", "0.1").unwrap_err().to_string(),
        "cross_entropy has no option \"label_smooting\": it has ignore_index, label_smoothing, reduction, empty, check"
    );
    assert_eq!(
        set("ignore_index", "1.5").unwrap_err().to_string(),
        "option ignore_index of cross_entropy is 1.5, but it wants an integer"
    );
    assert_eq!(
        set("reduction", "average").unwrap_err().to_string(),
        "option reduction of cross_entropy is average, but it wants none | mean | sum | batchmean"
    );
    assert!(matches!(catalogue::find("cross-entropy"), Err(Error::UnknownLoss { .. })));
}

#[test]
fn shapes_and_data_that_disagree() {
    let error = Dense::new(&[2, 3], vec![0.0; 5]).unwrap_err();
    assert_eq!(error.to_string(), "shape (2, 3) has 6 elements, but 5 are given");
    let error = Dense::new(&[usize::MAX, 2, 0], Vec::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "shape (18446744073709551615, 2, 0) has more elements than can be counted"
    );
    assert!(Indices::new(&[2], vec![1]).is_err());
}

#[test]
fn a_plan_is_not_run_again_with_what_its_first_run_refuses() {
    let with = |shape: &[usize], data: &[i64]| {
        let target = Indices { shape: shape.to_vec(), data: data.to_vec() };
        given(&[("input", &[2, 2])]).labels("target", target)
    };
    let again = |loss: Objective, [right, wrong]: [Inputs<Dense>; 2], message: &str| {
        let plan = loss.plan(&Reference, &right).unwrap();
        assert_eq!(loss.value(&Reference, &wrong).unwrap_err().to_string(), message);
        assert_eq!(wrong.picks(&plan).unwrap_err().to_string(), message);
    };
    again(
        cross_entropy().into(),
        [with(&[2], &[0, 1]), with(&[2], &[0])],
        "target has shape (2,), but 1 class indices are given",
    );
    again(
        multilabel_margin().into(),
        [with(&[2, 2], &[0, -1, 1, -1]), with(&[2, 2], &[0])],
        "target has shape (2, 2), but 1 class indices are given",
    );
    // Numbers are no class indices, whatever their shape.
    let numbers = given(&[("input", &[2, 2]), ("target", &[2, 2])]);
    let plan = Objective::from(l1()).plan(&Reference, &numbers).unwrap();
    assert!(numbers.fit(&Reference, &plan));
    assert!(!with(&[2, 2], &[0; 4]).fit(&Reference, &plan));
}

#[test]
fn a_plan_fits_what_it_was_made_for() {
    let with = |input: &[usize], shape: &[usize], data: &[i64]| {
        given(&[("input", input)]).labels("target", Indices::new(shape, data.to_vec()).unwrap())
    };
    let rows = with(&[2, 3], &[2], &[0, 1]);
    let plan = Objective::from(cross_entropy()).plan(&Reference, &rows).unwrap();
    assert!(with(&[2, 3], &[2], &[2, 2]).fit(&Reference, &plan));
    assert!(!with(&[2, 4], &[2], &[0, 1]).fit(&Reference, &plan));
    assert!(!with(&[2, 3], &[1], &[0]).fit(&Reference, &plan));
    assert!(!given(&[("input", &[2, 3])]).fit(&Reference, &plan));
    assert!(!with(&[2, 3], &[2], &[0, 1]).constant("input").fit(&Reference, &plan));
    assert_eq!((plan.needs_matmul(), plan.needs_take()), (false, false));
    // As many labels a row.
    let sets = with(&[2, 3], &[2, 3], &[0, 1, -1, 2, -1, -1]);
    let plan = Objective::from(multilabel_margin()).plan(&Reference, &sets).unwrap();
    assert!(with(&[2, 3], &[2, 3], &[1, -1, -1, 2, 0, -1]).fit(&Reference, &plan));
    assert!(!with(&[2, 3], &[2, 3], &[1, -1, -1, 2, 0, 1]).fit(&Reference, &plan));

    let linear = given(&[("input", &[2, 3]), ("linear_weight", &[4, 3])]).labels("target", [0, 1]);
    let plan = Objective::from(linear_cross_entropy()).plan(&Reference, &linear).unwrap();
    assert_eq!((plan.needs_matmul(), plan.needs_take()), (true, false));

    let steps = given(&[("log_probs", &[4, 2, 3])])
        .labels("targets", [1, 2])
        .labels("input_lengths", 4)
        .labels("target_lengths", 1);
    let plan = Objective::from(ctc()).plan(&Reference, &steps).unwrap();
    assert_eq!((plan.needs_matmul(), plan.needs_take()), (false, true));
    // The value is a node, the gradient one a step.
    let nodes = plan.leaving().iter().map(|leaving| (leaving.ids.len(), leaving.id().is_some()));
    assert_eq!(nodes.collect::<Vec<_>>(), [(1, true), (4, false)]);
}

/// A definition that takes numbers for class indices.
#[derive(Clone, Debug)]
struct Wrong;

impl Definition for Wrong {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "wrong",
            kind: Kind::Loss,
            formula: "x",
            arguments: &[Argument::input()],
        };
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(a.labels("input").labelled())
    }
}

#[test]
fn what_is_wrong_with_a_definition_is_an_error() {
    refused(
        Loss::new(Wrong),
        given(&[("input", &[2])]),
        "the objective does not add up: input is not class indices",
    );
}

/// An array of more elements than there can be.
struct Huge;

impl Array<Reference> for Huge {
    type Output = Dense;

    fn shape(&self) -> Vec<usize> {
        vec![1 << 30, 1 << 30]
    }

    fn enter(&self, _: &Reference, _: &View) -> Result<Tensor, Infallible> {
        unreachable!("its shape is refused")
    }

    fn leave(_: &Reference, _: Vec<Tensor>, _: &[usize]) -> Result<Dense, Infallible> {
        unreachable!("its shape is refused")
    }
}

#[test]
fn more_elements_than_can_be_counted_are_refused() {
    let inputs = Inputs::<Huge>::new().tensor("input", Huge).tensor("target", Huge);
    let error = mse().value(&Reference, &inputs).unwrap_err();
    assert_eq!(
        error.to_string(),
        "input has shape (1073741824, 1073741824), but that is more elements than can be counted"
    );
}
