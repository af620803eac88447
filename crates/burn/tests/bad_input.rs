//! What burn panics at is a typed error here, in every mode and on every device.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(deprecated, reason = "burn still has the device ndarray")]

use burn::tensor::quantization::QuantScheme;
use burn::tensor::{Bool, DType, Device, GradientCheckpointingStrategy, Int, Tensor};
use lossmith_burn::{AnyTensor, Arguments, Burn, Fault, Forward, FusedBurn, Inputs, Mode, indices};
use lossmith_core::loss::{binary_cross_entropy, cross_entropy, gaussian_nll, mse, softmax};
use lossmith_core::{Error, Reduction};

fn modes() -> [Mode; 3] {
    [Mode::Node, Mode::Fused(FusedBurn::new()), Mode::Traced]
}

fn devices() -> [Device; 2] {
    [Device::flex().autodiff(), Device::ndarray().autodiff()]
}

fn logits(device: &Device) -> Tensor<2> {
    Tensor::from_floats([[2.0, 0.0, 0.5], [0.0, 1.0, 0.5]], device).require_grad()
}

/// The loss of these arguments is that fault in every mode.
#[track_caller]
fn refused(loss: &(impl Forward + Clone), arguments: &Arguments, fault: &Fault) {
    for mode in modes() {
        let error = loss.clone().through(mode).forward_with(arguments.clone()).unwrap_err();
        let Error::Backend(error) = error else { panic!("{error}") };
        assert_eq!(error.downcast_ref::<Fault>(), Some(fault), "{error}");
    }
}

/// The loss of these arguments is an error with those words in every mode, on every device.
#[track_caller]
fn words(loss: &(impl Forward + Clone), arguments: impl Fn(&Device) -> Arguments, words: &str) {
    for (device, mode) in devices().iter().flat_map(|device| modes().map(|mode| (device, mode))) {
        let error = loss.clone().through(mode).forward_with(arguments(device)).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn shapes_that_do_not_go_together() {
    let labels = |device: &Device| Tensor::<1, Int>::from_ints([0, 1, 2], device);
    let both = |device: &Device| Arguments::from((logits(device), labels(device)));
    words(&cross_entropy(), both, "target has shape (3,), but input of shape (2, 3) wants (2,)");
    let column = |device: &Device| {
        Arguments::from((logits(device), Tensor::<2>::from_floats([[1.0], [2.0]], device)))
    };
    words(&mse(), column, "target has shape (2, 1)");
}

#[test]
fn class_indices_out_of_range() {
    for wrong in [3, -1, i64::MIN] {
        let labels =
            |device: &Device| Tensor::<1, Int>::from_data([0, wrong], (device, DType::I64));
        let both = |device: &Device| Arguments::from((logits(device), labels(device)));
        words(&cross_entropy(), both, &format!("target[1] is {wrong}, but there are 3 classes"));
    }
    // Unsigned integers that no i64 holds are no small ones, and none that is ignored.
    let ignored = u64::MAX - 99;
    let labels = |device: &Device| Tensor::<1, Int>::from_data([0, ignored], (device, DType::U64));
    let both = |device: &Device| Arguments::from((logits(device), labels(device)));
    words(&cross_entropy(), both, "target[1] is 9223372036854775807");
}

#[test]
fn numbers_outside_their_domain() {
    let both =
        |device: &Device| Arguments::from((logits(device), Tensor::<2>::zeros([2, 3], device)));
    words(&binary_cross_entropy(), both, "input[0] is 2, outside [0, 1]");
}

#[test]
fn tensors_of_another_kind() {
    let integers = |device: &Device| {
        Arguments::from((logits(device), Tensor::<2, Int>::zeros([2, 3], device)))
    };
    words(&mse(), integers, "target is class indices, but mse wants numbers");
    let floats =
        |device: &Device| Arguments::from((logits(device), logits(device), logits(device)));
    words(&gaussian_nll(), |device| floats(device).named("input", logits(device)), "input");
    let device = Device::flex().autodiff();
    let flags = Tensor::<2, Bool>::full([2, 3], true, &device);
    let fault = Fault::Flags { argument: "target".into() };
    refused(&mse(), &(logits(&device), flags).into(), &fault);
    let half = logits(&device).cast(DType::F16);
    let fault = Fault::Unsupported { argument: "input".into(), got: DType::F16 };
    refused(&mse(), &(half, logits(&device)).into(), &fault);
    let quantized = logits(&device).inner().quantize_dynamic(&QuantScheme::default());
    let got = quantized.dtype();
    let fault = Fault::Unsupported { argument: "target".into(), got };
    refused(&mse(), &(logits(&device), quantized).into(), &fault);
    let double = logits(&device).cast(DType::F64);
    let (got, expected) = (DType::F64, DType::F32);
    let fault = Fault::Format { argument: "target".into(), got, expected };
    refused(&mse(), &(logits(&device), double).into(), &fault);
}

#[test]
fn tensors_on_two_devices() {
    let [flex, ndarray] = devices();
    let fault = Fault::Device {
        argument: "target".into(),
        got: "Device<NdArray(Cpu)>".into(),
        expected: "Device<Flex(Cpu)>".into(),
    };
    refused(&mse(), &(logits(&flex), logits(&ndarray)).into(), &fault);
    let labels = Tensor::<1, Int>::from_ints([0, 1], &ndarray);
    refused(&cross_entropy(), &(logits(&flex), labels).into(), &fault);
    // Without burn's autodiff too.
    let inputs = Inputs::new().tensor("input", logits(&flex)).tensor("target", logits(&ndarray));
    for error in [
        mse().value_and_grad(&Burn::flex(), &inputs).unwrap_err(),
        mse().value_and_grad(&FusedBurn::new(), &inputs).unwrap_err(),
    ] {
        assert!(error.to_string().contains("is on Device<NdArray(Cpu)>"), "{error}");
    }
}

#[test]
fn what_tracks_nothing() {
    for (device, mode) in devices().iter().flat_map(|device| modes().map(|mode| (device, mode))) {
        let loss = mse().through(mode);
        let (input, target) = (logits(device), Tensor::<2>::zeros([2, 3], device));
        // A value there is, as in validation; a gradient there is not.
        let plain = (input.clone().inner(), target.clone().inner());
        assert!(!loss.forward_with(plain.clone()).unwrap().is_tracked());
        let error = loss.backward(plain).err().unwrap();
        assert_eq!(error.to_string(), Fault::Untracked.to_string());
        // With autodiff or without, a constant is a constant.
        let detached = (input.clone().detach().set_require_grad(false), target.clone());
        assert!(loss.backward(detached).is_err());
        let (_, grads) = loss.backward((&input, target.inner())).unwrap();
        assert!(input.grad(&grads).is_some());
    }
}

#[test]
fn what_is_tracked_without_a_gradient() {
    let device = Device::flex().autodiff();
    let weight = Tensor::<1>::ones([3], &device).require_grad();
    let labels = Tensor::<1, Int>::from_ints([0, 1], &device);
    let arguments = Arguments::from((logits(&device), labels)).named("weight", weight);
    let error = cross_entropy().forward_with(arguments).unwrap_err();
    assert!(error.to_string().contains("weight is tracked"), "{error}");
}

#[test]
fn strategies_that_burn_does_not_merge() {
    let device = Device::flex().autodiff();
    let balanced = logits(&device)
        .with_gradient_checkpointing_strategy(GradientCheckpointingStrategy::Balanced);
    refused(&mse(), &(logits(&device), balanced).into(), &Fault::Checkpointing);
}

#[test]
fn arguments_that_are_too_many_or_twice_or_missing() {
    let places = |device: &Device| {
        let [a, b, c, d] = [0; 4].map(|_| logits(device));
        Arguments::from((a, b, c, d))
    };
    words(&mse(), places, "4 arguments are given by place, but there are 3");
    let twice = |device: &Device| {
        Arguments::from((logits(device), logits(device))).named("target", logits(device))
    };
    words(&mse(), twice, "target");
    words(&mse(), |device| Arguments::from((logits(device),)), "mse needs target");
    words(&mse(), |_| Arguments::new(), "mse needs input");
    let cotangent = |device: &Device| {
        Arguments::from((logits(device), logits(device))).named("grad_output", logits(device))
    };
    let unreduced = mse().reduction(Reduction::None);
    words(&unreduced, cotangent, "grad_output");
}

#[test]
fn ranks_that_are_not_asked_for() {
    let device = Device::flex().autodiff();
    let error = softmax().forward_with((logits(&device),)).unwrap_err();
    let Error::Backend(error) = error else { panic!("{error}") };
    let fault = Fault::Rank { got: vec![2, 3], expected: 1 };
    assert_eq!(error.downcast_ref::<Fault>(), Some(&fault));
    assert!(softmax().forward_as::<2>((logits(&device),)).is_ok());
    assert!(AnyTensor::from(logits(&device)).tensor::<3>().is_err());
}

#[test]
fn indices_of_every_width_are_read() {
    for device in devices() {
        for format in [DType::I64, DType::I32, DType::I8, DType::U8, DType::U64] {
            let read = indices(&Tensor::<2, Int>::from_data([[0, 1], [2, 3]], (&device, format)));
            let read = read.unwrap();
            assert_eq!((read.shape, read.data), (vec![2, 2], vec![0, 1, 2, 3]), "{format:?}");
        }
    }
}
