//! burn on its CPU backend flex, and candle on the CPU: their own losses, and the gradient by their own autodiff.

use burn::tensor::{Device, Int, Tensor, TensorData};
use candle_core::Var;
use criterion::BenchmarkGroup;
use criterion::measurement::WallTime;
use lossmith_benches::peers::burn::{self as burns, Argument, Line};
use lossmith_benches::peers::{Given, candle as candles};
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
    let line = |numbers: &Dense| Tensor::<1>::from_data(narrow::<f32>(numbers).as_slice(), &device);
    let input = line(&problem.numbers[0].1).require_grad();
    let mut given = Vec::new();
    for (name, numbers) in &problem.numbers {
        let line = match *name {
            "input" => Line::Numbers(input.clone()),
            // burn's targets are labels, 0 or 1.
            _ if burns::WHOLE.contains(&loss) => {
                Line::Labels(line(numbers).greater_elem(0.5).int())
            }
            _ => Line::Numbers(line(numbers)),
        };
        given.push(((*name).to_owned(), Argument { line, sides: numbers.shape().to_vec() }));
    }
    for (name, labels) in &problem.labels {
        let line = Line::Labels(Tensor::from_data(labels.data.as_slice(), &device));
        given.push(((*name).to_owned(), Argument { line, sides: labels.shape.clone() }));
    }
    let loss = loss.to_owned();
    let (options, given) = (Given::from_iter([]), given.into_iter().collect());
    Box::new(move || {
        let value = burns::value(&loss, &options, &given, &device).unwrap().mean();
        black_box(input.grad(&value.backward()).unwrap());
    })
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
    let tensor = |numbers: &Dense| {
        let device = candle_core::Device::Cpu;
        candle_core::Tensor::from_vec(narrow::<f32>(numbers), numbers.shape(), &device).unwrap()
    };
    let numbers = problem.numbers.iter().map(|(name, numbers)| (name, tensor(numbers)));
    let labels = problem.labels.iter().map(|(name, labels)| {
        let data: Vec<_> = labels.data.iter().map(|&label| u32::try_from(label).unwrap()).collect();
        let device = candle_core::Device::Cpu;
        (name, candle_core::Tensor::from_vec(data, labels.shape.as_slice(), &device).unwrap())
    });
    let named = |(name, tensor): (&&str, _)| ((*name).to_owned(), tensor);
    let mut given: Vec<_> = numbers.chain(labels).map(named).collect();
    let input = Var::from_tensor(&given[0].1).unwrap();
    given[0].1 = input.as_tensor().clone();
    let (options, given) = (Given::from_iter([]), given.into_iter().collect());
    let loss = loss.to_owned();
    Box::new(move || {
        let value = candles::value(&loss, &options, &given).unwrap();
        black_box(value.backward().unwrap().get(&input).unwrap());
    })
}
