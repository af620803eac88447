//! Value and gradient of every loss on every backend at two sizes, beside a plain copy of the same bytes.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark of known inputs")]

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use half::{bf16, f16};
use lossmith_core::catalogue::{self, Form, Kind};
use lossmith_core::loss::Definition;
use lossmith_core::{Array, Backend, Dense, Inputs, Loss};
use lossmith_half::{Half, Slice};
use lossmith_nalgebra::{Input as Matrix, Nalgebra};
use lossmith_ndarray::{Input, NdArray};
use lossmith_tests::{Problem, Stream};
use nalgebra::{DMatrix, DVector};
use ndarray::{Array2, ArrayD};
use std::hint::black_box;
use std::time::Duration;

const SIZES: [[usize; 2]; 2] = [[128, 100], [4096, 256]];

type Group<'a> = BenchmarkGroup<'a, WallTime>;
type AnyLoss = Loss<Box<dyn Definition>>;

/// The problem in a library's own arrays, made before the clock starts.
fn native<A>(problem: &Problem, array: impl Fn(&Dense) -> A) -> Inputs<A> {
    let inputs = problem
        .numbers
        .iter()
        .fold(Inputs::new(), |inputs, (name, numbers)| inputs.tensor(name, array(numbers)));
    problem.labels.iter().fold(inputs, |inputs, (name, labels)| inputs.labels(name, labels.clone()))
}

fn run<B: Backend, A: Array<B>>(
    group: &mut Group<'_>,
    name: &str,
    bytes: usize,
    backend: &B,
    loss: &AnyLoss,
    inputs: &Inputs<A>,
) {
    group.throughput(Throughput::Bytes(bytes as u64));
    group.bench_function(name, |bench| {
        bench.iter(|| loss.value_and_grad(backend, black_box(inputs)).unwrap());
    });
}

fn ndarray<F: Clone>(numbers: &Dense, narrow: impl Fn(f64) -> F) -> Input<'static, F> {
    let data = numbers.data().iter().map(|&x| narrow(x)).collect();
    Input::from(ArrayD::from_shape_vec(numbers.shape(), data).unwrap())
}

fn nalgebra<F: lossmith_nalgebra::Element>(numbers: &Dense) -> Matrix<'static, F> {
    let data = numbers.data().iter().map(|&x| F::narrow(x));
    match *numbers.shape() {
        [rows, columns] => Matrix::from(DMatrix::from_row_iterator(rows, columns, data)),
        _ => Matrix::from(DVector::from_iterator(numbers.data().len(), data)),
    }
}

fn losses(criterion: &mut Criterion) {
    for loss in catalogue::all().into_iter().filter(|loss| loss.entry().kind == Kind::Loss) {
        let in_steps = loss.entry().arguments[0].form == Form::Steps;
        for [rows, columns] in SIZES {
            // The work is steps × labels, and there are half as many labels as steps.
            let shape = [if in_steps { rows / 32 } else { rows }, columns];
            let problem = Problem::required(&loss, &shape, &mut Stream(1)).unwrap();
            let numbers: usize = problem.numbers.iter().map(|(_, array)| array.data().len()).sum();
            let [rows, columns] = shape;
            let mut group =
                criterion.benchmark_group(format!("{}/{rows}x{columns}", loss.entry().name));

            let from = Array2::<f32>::ones((numbers, 1));
            let mut to = from.clone();
            group.throughput(Throughput::Bytes(4 * numbers as u64));
            group.bench_function("copy f32", |bench| {
                bench.iter(|| to.assign(black_box(&from)));
            });

            let inputs = native(&problem, |x| ndarray(x, |x| x));
            run(&mut group, "ndarray f64", 8 * numbers, &NdArray::new(), &loss, &inputs);
            #[allow(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
            let inputs = native(&problem, |x| ndarray(x, |x| x as f32));
            run(&mut group, "ndarray f32", 4 * numbers, &NdArray::new(), &loss, &inputs);
            let inputs = native(&problem, nalgebra::<f64>);
            run(&mut group, "nalgebra f64", 8 * numbers, &Nalgebra::new(), &loss, &inputs);
            let inputs = native(&problem, nalgebra::<f32>);
            run(&mut group, "nalgebra f32", 4 * numbers, &Nalgebra::new(), &loss, &inputs);
            let narrow = |x: &Dense| x.data().iter().map(|&x| f16::from_f64(x)).collect::<Vec<_>>();
            let inputs = native(&problem, |x| Slice::new(x.shape(), narrow(x)).unwrap());
            run(&mut group, "half f16", 2 * numbers, &Half::<f16>::new(), &loss, &inputs);
            let narrow =
                |x: &Dense| x.data().iter().map(|&x| bf16::from_f64(x)).collect::<Vec<_>>();
            let inputs = native(&problem, |x| Slice::new(x.shape(), narrow(x)).unwrap());
            run(&mut group, "half bf16", 2 * numbers, &Half::<bf16>::new(), &loss, &inputs);
            group.finish();
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800));
    targets = losses
}
criterion_main!(benches);
