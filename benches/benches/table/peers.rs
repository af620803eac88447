//! burn on its CPU backend flex, and candle on the CPU: their own losses, and the gradient by their own autodiff.

use burn::nn::loss::{BinaryCrossEntropyLossConfig, CrossEntropyLossConfig, MseLoss, Reduction};
use burn::tensor::{Device, Int, Tensor, TensorData};
use candle_core::Var;
use candle_nn::loss as candle;
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use lossmith_benches::{AnyLoss, narrow};
use lossmith_burn::{Arguments, Forward, FusedBurn, Mode, Through};
use lossmith_core::{Dense, catalogue};
use lossmith_tests::Problem;
use std::hint::black_box;

pub(crate) fn bench(group: &mut BenchmarkGroup<'_, WallTime>, loss: &str, problem: &Problem) {
    let mut time = |name: &str, mut run: Box<dyn FnMut()>| {
        group.bench_function(name, |bench| bench.iter(&mut run));
    };
    time("burn", burn(loss, problem));
    time("lossmith on burn", on_burn(loss, problem, Mode::Node));
    time("lossmith on burn, fused", on_burn(loss, problem, Mode::Fused(FusedBurn::new())));
    time("candle", candle(loss, problem));
}

fn burn(loss: &str, problem: &Problem) -> Box<dyn FnMut()> {
    let device = Device::flex().autodiff();
    let numbers = |index: usize| &problem.numbers[index].1;
    let line = |index: usize| {
        let data = narrow::<f32>(numbers(index));
        Tensor::<1>::from_data(TensorData::new(data, numbers(index).shape()), &device)
    };
    match loss {
        "cross_entropy" => {
            let data = TensorData::new(narrow::<f32>(numbers(0)), numbers(0).shape());
            let input = Tensor::<2>::from_data(data, &device).require_grad();
            let labels = &problem.labels[0].1;
            let data = TensorData::new(labels.data.clone(), labels.shape.as_slice());
            let target = Tensor::<1, Int>::from_data(data, &device);
            let loss = CrossEntropyLossConfig::new().init(&device);
            Box::new(move || {
                let grads = loss.forward(input.clone(), target.clone()).backward();
                black_box(input.grad(&grads).unwrap());
            })
        }
        "mse" => {
            let (input, target) = (line(0).require_grad(), line(1));
            Box::new(move || {
                let value = MseLoss::new().forward(input.clone(), target.clone(), Reduction::Mean);
                black_box(input.grad(&value.backward()).unwrap());
            })
        }
        // burn's targets are labels, 0 or 1.
        "binary_cross_entropy_with_logits" => {
            let (input, target) = (line(0).require_grad(), line(1).greater_elem(0.5).int());
            let loss = BinaryCrossEntropyLossConfig::new().with_logits(true).init(&device);
            Box::new(move || {
                let grads = loss.forward(input.clone(), target.clone()).backward();
                black_box(input.grad(&grads).unwrap());
            })
        }
        other => unreachable!("{other} is not in the table"),
    }
}

/// Our loss in burn's autodiff: forward, and backward to the input.
fn on_burn(loss: &str, problem: &Problem, mode: Mode) -> Box<dyn FnMut()> {
    let loss = catalogue::find(loss).unwrap().through(mode);
    match problem.numbers[0].1.shape().len() {
        1 => on_rank::<1>(loss, problem),
        _ => on_rank::<2>(loss, problem),
    }
}

fn on_rank<const D: usize>(loss: Through<AnyLoss>, problem: &Problem) -> Box<dyn FnMut()> {
    let device = Device::flex().autodiff();
    let tensor = |numbers: &Dense| {
        Tensor::<D>::from_data(TensorData::new(narrow::<f32>(numbers), numbers.shape()), &device)
    };
    let input = tensor(&problem.numbers[0].1).require_grad();
    let mut arguments = Arguments::new().named(problem.numbers[0].0, &input);
    for (name, numbers) in &problem.numbers[1..] {
        arguments = arguments.named(name, tensor(numbers));
    }
    for (name, labels) in &problem.labels {
        let data = TensorData::new(labels.data.clone(), labels.shape.as_slice());
        arguments = arguments.named(name, Tensor::<1, Int>::from_data(data, &device));
    }
    Box::new(move || {
        let (_, grads) = loss.backward(arguments.clone()).unwrap();
        black_box(input.grad(&grads).unwrap());
    })
}

fn candle(loss: &str, problem: &Problem) -> Box<dyn FnMut()> {
    let device = candle_core::Device::Cpu;
    let numbers = |index: usize| {
        let numbers = &problem.numbers[index].1;
        candle_core::Tensor::from_vec(narrow::<f32>(numbers), numbers.shape(), &device).unwrap()
    };
    let input = Var::from_tensor(&numbers(0)).unwrap();
    let (of, target): (fn(&_, &_) -> _, _) = match loss {
        "cross_entropy" => {
            let labels = &problem.labels[0].1;
            let data: Vec<_> =
                labels.data.iter().map(|&label| u32::try_from(label).unwrap()).collect();
            let n = data.len();
            (candle::cross_entropy, candle_core::Tensor::from_vec(data, n, &device).unwrap())
        }
        "mse" => (candle::mse, numbers(1)),
        "binary_cross_entropy_with_logits" => (candle::binary_cross_entropy_with_logit, numbers(1)),
        other => unreachable!("{other} is not in the table"),
    };
    Box::new(move || {
        let value = of(&input, &target).unwrap();
        black_box(value.backward().unwrap().get(&input).unwrap());
    })
}
