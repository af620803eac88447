//! What is wrong is a typed error that names it, on every engine, and never a panic from inside candle.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use candle_core::{DType, Device, Error as CandleError, Tensor, Var};
use lossmith_candle::{Candle, Engine, Forward, Fused, Given, Inputs, cause, indices};
use lossmith_core::loss::{
    binary_cross_entropy, cross_entropy, margin_ranking, mse, multilabel_margin,
};
use lossmith_core::{Error, Reduction};

fn zeros(shape: &[usize]) -> Tensor {
    Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap()
}

fn labels(data: &[i64]) -> Tensor {
    Tensor::new(data, &Device::Cpu).unwrap()
}

/// The error of a loss on every engine.
fn refused<'a>(loss: &impl Forward, given: impl Into<Given<'a>>) -> Vec<CandleError> {
    let given = given.into();
    let engines = [Engine::Ops, Engine::Fused(Fused::new()), Engine::Traced];
    let errors = engines.map(|engine| loss.on(engine).forward_with(given.clone()).unwrap_err());
    errors.into_iter().collect()
}

/// That every engine reports the loss's own error, with that message.
#[track_caller]
fn own<'a>(
    loss: &impl Forward,
    given: impl Into<Given<'a>>,
    such: fn(&Error) -> bool,
    message: &str,
) {
    for error in refused(loss, given) {
        assert_eq!(error.to_string(), message);
        let own = cause(&error).unwrap();
        assert!(such(own), "{own:?}");
    }
}

#[test]
fn shapes_that_do_not_go_together() {
    let such = |error: &Error| matches!(error, Error::Shape { .. });
    let message = "target has shape (3, 2), but input of shape (2, 3) wants (2, 3)";
    own(&mse(), [&zeros(&[2, 3]), &zeros(&[3, 2])], such, message);
    let message = "target has shape (3,), but input of shape (2, 4) wants (2,)";
    own(&cross_entropy(), [&zeros(&[2, 4]), &labels(&[0, 1, 2])], such, message);
}

#[test]
fn labels_out_of_range() {
    let such = |error: &Error| matches!(error, Error::Label { .. });
    for (label, message) in [
        (4, "target[1] is 4, but there are 4 classes: give 0 to 3, or set ignore_index to 4"),
        (-1, "target[1] is -1, but there are 4 classes: give 0 to 3, or set ignore_index to -1"),
        (
            1 << 32,
            "target[1] is 4294967296, but there are 4 classes: give 0 to 3, or set ignore_index to 4294967296",
        ),
    ] {
        own(&cross_entropy(), [&zeros(&[2, 4]), &labels(&[0, label])], such, message);
    }
    let sets = Tensor::new(&[[0_i64, 7, -1]], &Device::Cpu).unwrap();
    let message = "target[1] is 7, but there are 3 classes: give 0 to 2, or -1 to end the row";
    own(&multilabel_margin(), [&zeros(&[1, 3]), &sets], such, message);
}

#[test]
fn integers_and_numbers_in_each_others_place() {
    let such = |error: &Error| matches!(error, Error::Kind { .. });
    let message = "target is class indices, but mse wants numbers";
    own(&mse(), [&zeros(&[2]), &labels(&[0, 1])], such, message);
    let message = "input is class indices, but mse wants numbers";
    own(&mse(), [&labels(&[0, 1]), &zeros(&[2])], such, message);
    let message =
        "target is numbers, but multilabel_margin wants class indices, each row's ended by −1";
    own(&multilabel_margin(), [&zeros(&[1, 2]), &zeros(&[1, 2])], such, message);
    let error = indices(&zeros(&[2])).unwrap_err();
    assert!(matches!(error, CandleError::UnexpectedDType { got: DType::F32, .. }), "{error}");
}

#[test]
fn numbers_of_two_types() {
    let (x, t) = (zeros(&[2]), zeros(&[2]).to_dtype(DType::F64).unwrap());
    for error in refused(&mse(), [&x, &t]) {
        assert_eq!(
            error.to_string(),
            "argument target\ndtype mismatch in a loss, lhs: F32, rhs: F64"
        );
        let CandleError::Context { inner, .. } = error else { panic!("{error}") };
        assert!(matches!(*inner, CandleError::DTypeMismatchBinaryOp { .. }));
    }
    // Without the sugar too.
    let inputs = Inputs::new().tensor("input", x.clone()).tensor("target", t);
    let error = mse().value_and_grad(&Candle::like(&x).unwrap(), &inputs).unwrap_err();
    assert_eq!(error.to_string(), "dtype mismatch in a loss, lhs: F32, rhs: F64");
    let error = mse().value_and_grad(&Fused::new(), &inputs).unwrap_err();
    assert!(error.to_string().contains("got: F64"), "{error}");
}

#[test]
fn types_without_losses() {
    for dtype in [DType::U8, DType::I64, DType::F8E4M3] {
        let error = Candle::new(&Device::Cpu, dtype).unwrap_err();
        assert!(matches!(error, CandleError::UnsupportedDTypeForOp(..)), "{error}");
    }
    let eight = zeros(&[2]).to_dtype(DType::F8E4M3).unwrap();
    for error in refused(&mse(), [&eight, &eight]) {
        assert!(matches!(error, CandleError::UnsupportedDTypeForOp(DType::F8E4M3, _)), "{error}");
    }
    let inputs = Inputs::new().tensor("input", eight.clone()).tensor("target", eight);
    let error = mse().value_and_grad(&Fused::new(), &inputs).unwrap_err();
    assert!(matches!(error, Error::Backend(_)), "{error}");
}

#[test]
fn numbers_outside_their_domain() {
    let such = |error: &Error| matches!(error, Error::Domain { .. });
    let p = Tensor::new(&[0.5_f32, 1.5], &Device::Cpu).unwrap();
    let message = "input[1] is 1.5, outside [0, 1] (check=off skips this)";
    own(&binary_cross_entropy(), [&p, &zeros(&[2])], such, message);
}

#[test]
fn arguments_that_are_missing_unknown_or_too_many() {
    let x = zeros(&[2]);
    let missing = |error: &Error| matches!(error, Error::MissingArgument { .. });
    own(&mse(), &x, missing, "mse needs target");
    let unknown = |error: &Error| matches!(error, Error::UnknownArgument { .. });
    let message = "mse takes no argument \"targets\" here: it takes each of input, target, weight, sample_weight once";
    own(&mse(), [("input", &x), ("target", &x), ("targets", &x)], unknown, message);
    let objective = |error: &Error| matches!(error, Error::Objective { .. });
    let message = "the objective does not add up: argument 3 has no name: it takes 3 by position";
    own(&mse(), [&x, &x, &x, &x], objective, message);
    let message = "the objective does not add up: argument 0 has no name: it takes 0 by position";
    own(&(mse() + mse()), [&x, &x], objective, message);
    let message = "the objective does not add up: it is given no numbers";
    own(&mse(), [&labels(&[0])], objective, message);
    let message = "the objective does not add up: grad_output comes from candle's backward pass: leave it out";
    let given = Given::from([&x, &x]).and("grad_output", &x);
    own(&mse().reduction(Reduction::None), given, objective, message);
}

#[test]
fn a_gradient_that_is_tracked_but_not_there() {
    let x = Var::from_tensor(&zeros(&[2])).unwrap();
    let signs = Var::from_tensor(&zeros(&[2]).ones_like().unwrap()).unwrap();
    let given = [x.as_tensor(), x.as_tensor(), signs.as_tensor()];
    for engine in [Engine::Ops, Engine::Fused(Fused::new())] {
        let error = margin_ranking().on(engine.clone()).forward_with(given).unwrap_err();
        let message = "the objective does not add up: it has no gradient in target, which candle tracks: detach it";
        assert_eq!(error.to_string(), message);
        let given = [given[0], given[1], &signs.as_detached_tensor()];
        let value = margin_ranking().on(engine).forward_with(given).unwrap();
        assert!(value.backward().unwrap().get(&x).is_some());
    }
}

#[test]
fn nothing_that_is_tracked() {
    let x = Var::from_tensor(&zeros(&[2])).unwrap();
    let message = "the objective does not add up: candle tracks none of its arguments: make a Var of what is to be trained";
    for engine in [Engine::Ops, Engine::Fused(Fused::new()), Engine::Traced] {
        let loss = mse().on(engine);
        let error = loss.backward([&zeros(&[2]), &zeros(&[2])]).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert!(matches!(cause(&error), Some(Error::Objective { .. })));
        let (_, grads) = loss.backward([x.as_tensor(), &zeros(&[2])]).unwrap();
        assert_eq!(grads.get(&x).unwrap().dims(), [2]);
    }
}

#[test]
fn empty_and_broadcast_tensors() {
    let nothing = Var::from_tensor(&zeros(&[0, 3])).unwrap();
    let none = labels(&[]);
    for engine in [Engine::Ops, Engine::Fused(Fused::new())] {
        let value = cross_entropy().on(engine.clone()).forward(&nothing, &none).unwrap();
        assert!(value.to_scalar::<f32>().unwrap().is_nan());
        assert_eq!(value.backward().unwrap().get(&nothing).unwrap().dims(), [0, 3]);
        let no_classes = zeros(&[2, 0]);
        let error = cross_entropy().on(engine.clone()).forward(&no_classes, &labels(&[0, 0]));
        assert!(matches!(cause(&error.unwrap_err()), Some(Error::Rank { .. })));
        // One number seen as many.
        let spread = Tensor::new(2.0_f32, &Device::Cpu).unwrap().broadcast_as((2, 3)).unwrap();
        let value = mse().on(engine).forward(&spread, &zeros(&[2, 3])).unwrap();
        assert_eq!(value.to_scalar::<f32>().unwrap(), 4.0);
    }
}
