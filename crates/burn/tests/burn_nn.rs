//! The values of burn-nn's own tests, through our losses on its tensors.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]
#![allow(deprecated, reason = "burn still has the device ndarray")]

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use lossmith_burn::{Argument, Arguments, Forward, FusedBurn, Mode};
use lossmith_core::loss::{Definition, ctc};
use lossmith_core::{Loss, Reduction, catalogue};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
    ctc: Vec<Ctc>,
}

#[derive(Deserialize)]
struct Case {
    source: String,
    loss: String,
    options: BTreeMap<String, String>,
    arguments: BTreeMap<String, Numbers>,
    /// The value by reduction.
    expected: BTreeMap<String, Numbers>,
    /// Of the sum, in the input.
    gradient: Option<Numbers>,
    tolerance: f32,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Numbers {
    Labels(Vec<i64>),
    Number(f32),
    Line(Vec<f32>),
    Matrix(Vec<Vec<f32>>),
}

#[derive(Deserialize)]
struct Ctc {
    source: String,
    size: [usize; 3],
    targets: Vec<Vec<i64>>,
    input_lengths: Vec<i64>,
    target_lengths: Vec<i64>,
    blank: i64,
    losses: Vec<f32>,
    gradient: Vec<f32>,
}

impl Numbers {
    fn flat(&self) -> Vec<f32> {
        match self {
            Self::Labels(labels) => panic!("{labels:?} are labels"),
            Self::Number(number) => vec![*number],
            Self::Line(line) => line.clone(),
            Self::Matrix(rows) => rows.concat(),
        }
    }

    fn argument(&self, device: &Device) -> Argument {
        match self {
            Self::Labels(labels) => integers(labels, device).into(),
            Self::Number(number) => Tensor::<1>::from_floats([*number], device).into(),
            Self::Line(line) => Tensor::<1>::from_floats(line.as_slice(), device).into(),
            Self::Matrix(_) => self.matrix(device).into(),
        }
    }

    fn matrix(&self, device: &Device) -> Tensor<2> {
        let Self::Matrix(rows) = self else { panic!("it is no matrix") };
        let data = TensorData::new(rows.concat(), [rows.len(), rows[0].len()]);
        Tensor::from_data(data, device)
    }
}

fn integers(data: &[i64], device: &Device) -> Tensor<1, Int> {
    Tensor::from_data(TensorData::new(data.to_vec(), [data.len()]), device)
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("burn-nn.json")).unwrap()
}

fn everywhere() -> impl Iterator<Item = (Device, Mode)> {
    [Device::flex(), Device::ndarray()].into_iter().flat_map(|device| {
        let modes = [Mode::Node, Mode::Fused(FusedBurn::new()), Mode::Traced];
        modes.map(|mode| (device.clone().autodiff(), mode))
    })
}

#[track_caller]
fn close<const D: usize>(what: &str, got: &Tensor<D>, expected: &[f32], tolerance: f32) {
    let got: Vec<f32> = got.to_data().iter::<f32>().collect();
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        let off = (got - expected).abs();
        assert!(off <= tolerance * expected.abs().max(1.0), "{what}: {got}, not {expected}");
    }
}

impl Case {
    fn loss(&self, reduction: &str) -> Loss<Box<dyn Definition>> {
        let loss = catalogue::find(&self.loss).unwrap().with("reduction", reduction).unwrap();
        self.options.iter().fold(loss, |loss, (name, value)| loss.with(name, value).unwrap())
    }

    fn arguments(&self, device: &Device) -> Arguments {
        self.arguments.iter().fold(Arguments::new(), |arguments, (name, numbers)| {
            arguments.named(name, numbers.argument(device))
        })
    }
}

#[test]
fn values() {
    for (case, (device, mode)) in golden()
        .cases
        .iter()
        .flat_map(|case| everywhere().map(move |everywhere| (case, everywhere)))
    {
        for (reduction, expected) in &case.expected {
            let loss = case.loss(reduction).through(mode.clone());
            let what = format!("{}: {reduction}, {mode:?}", case.source);
            let (arguments, flat) = (case.arguments(&device), expected.flat());
            if let Numbers::Matrix(_) = expected {
                close(&what, &loss.forward_as::<2>(arguments).unwrap(), &flat, case.tolerance);
            } else {
                close(&what, &loss.forward_with(arguments).unwrap(), &flat, case.tolerance);
            }
        }
    }
}

#[test]
fn gradients() {
    let golden = golden();
    let cases = golden.cases.iter().filter_map(|case| Some((case, case.gradient.as_ref()?)));
    for ((case, expected), (device, mode)) in
        cases.flat_map(|case| everywhere().map(move |everywhere| (case, everywhere)))
    {
        let flat = case.arguments["input"].flat();
        let input = Tensor::<1>::from_floats(flat.as_slice(), &device).require_grad();
        let given: Argument = match &case.arguments["input"] {
            Numbers::Matrix(rows) => input.clone().reshape([rows.len(), rows[0].len()]).into(),
            Numbers::Labels(_) | Numbers::Number(_) | Numbers::Line(_) => (&input).into(),
        };
        let others = case.arguments.iter().filter(|(name, _)| *name != "input");
        let arguments = others
            .fold(Arguments::new().named("input", given), |all, (name, other)| {
                all.named(name, other.argument(&device))
            });
        let (_, grads) = case.loss("sum").through(mode).backward(arguments).unwrap();
        close(&case.source, &input.grad(&grads).unwrap(), &expected.flat(), case.tolerance);
    }
}

#[test]
fn ctc_with_gradients_through_log_softmax() {
    for (case, (device, mode)) in
        golden().ctc.iter().flat_map(|case| everywhere().map(move |everywhere| (case, everywhere)))
    {
        let [steps, samples, classes] = case.size;
        let number = |at: usize| {
            let (t, n, c) = (at / classes / samples, at / classes % samples, at % classes);
            ((t * 7 + n * 13 + c * 3) as f32 * 0.1).sin()
        };
        let data = (0..steps * samples * classes).map(number).collect::<Vec<_>>();
        let logits =
            Tensor::<3>::from_data(TensorData::new(data, case.size), &device).require_grad();
        let width = case.targets[0].len();
        let targets = integers(&case.targets.concat(), &device).reshape([samples, width]);
        let lengths = [&case.input_lengths, &case.target_lengths].map(|all| integers(all, &device));
        let [input_lengths, target_lengths] = lengths;
        let log_probs = log_softmax(logits.clone(), 2);
        let loss = ctc().blank(case.blank).reduction(Reduction::None).through(mode);
        let arguments = (log_probs, targets, input_lengths, target_lengths);
        let value = loss.forward_as::<1>(arguments).unwrap();
        close(&case.source, &value, &case.losses, 1e-4);
        let grads = value.sum().backward();
        close(&case.source, &logits.grad(&grads).unwrap(), &case.gradient, 1e-3);
    }
}
