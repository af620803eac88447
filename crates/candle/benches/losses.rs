//! Loss, and its gradient in the logits by candle's autodiff: candle-nn's own loss, ours op by op and ours fused.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark of known inputs")]

use candle_core::{DType, Device, Result, Tensor, Var};
use criterion::{Criterion, criterion_group, criterion_main};
use lossmith_candle::Forward;
use lossmith_core::loss::{binary_cross_entropy_with_logits, cross_entropy};
use std::hint::black_box;
use std::time::Duration;

type Loss<'a> = (&'a str, fn(&Tensor, &Tensor) -> Result<Tensor>);

/// Numbers from −2 to 2 in no simple order.
fn numbers(shape: &[usize]) -> Tensor {
    let count = u32::try_from(shape.iter().product::<usize>()).unwrap();
    let index = Tensor::arange(0, count, &Device::Cpu).unwrap().to_dtype(DType::F64).unwrap();
    let numbers = ((index * 1.7).unwrap().sin().unwrap() * 2.0).unwrap();
    numbers.to_dtype(DType::F32).unwrap().reshape(shape).unwrap()
}

fn group(
    criterion: &mut Criterion,
    name: &str,
    logits: &Tensor,
    target: &Tensor,
    all: &[Loss<'_>],
) {
    let logits = Var::from_tensor(logits).unwrap();
    let mut group = criterion.benchmark_group(name);
    for (engine, loss) in all {
        group.bench_function(*engine, |bench| {
            bench.iter(|| {
                let grads = loss(&logits, target).unwrap().backward().unwrap();
                black_box(grads.get(&logits).unwrap().clone())
            });
        });
    }
    group.finish();
}

fn losses(criterion: &mut Criterion) {
    let labels: Vec<_> = (0..4096_u32).map(|row| row * 7919 % 1000).collect();
    let labels = Tensor::new(labels, &Device::Cpu).unwrap();
    let all: [Loss<'_>; 3] = [
        ("candle-nn", candle_nn::loss::cross_entropy),
        ("ops", |x, t| cross_entropy().forward(x, t)),
        ("fused", |x, t| cross_entropy().fused().forward(x, t)),
    ];
    group(criterion, "cross_entropy/4096x1000", &numbers(&[4096, 1000]), &labels, &all);

    let logits = numbers(&[1_000_000]);
    let target = logits.gt(0.5).unwrap().to_dtype(DType::F32).unwrap();
    let all: [Loss<'_>; 3] = [
        ("candle-nn", candle_nn::loss::binary_cross_entropy_with_logit),
        ("ops", |x, t| binary_cross_entropy_with_logits().forward(x, t)),
        ("fused", |x, t| binary_cross_entropy_with_logits().fused().forward(x, t)),
    ];
    group(criterion, "binary_cross_entropy_with_logits/1000000", &logits, &target, &all);
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_millis(1500));
    targets = losses
}
criterion_main!(benches);
