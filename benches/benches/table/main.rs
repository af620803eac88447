//! Value and gradient at the sizes of the table in docs/benchmarks.md, in one run: the roof, our own engines, and with
//! the feature `peers` burn and candle, which give the gradient of the input alone, and our losses in their autodiff.

#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark of known inputs")]

#[cfg(feature = "peers")]
mod peers;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use lossmith_benches::{Arrays, Case, ENGINES, Engine, Roof};
use lossmith_core::format::Format;
use lossmith_fused::Level;
use std::time::Duration;

const ROWS: [(&str, &str); 7] = [
    ("cross_entropy", "4096x1000"),
    ("cross_entropy", "512x32000"),
    ("cross_entropy", "128x128256"),
    ("cross_entropy", "65536x10"),
    ("mse", "10000000"),
    ("binary_cross_entropy_with_logits", "1000000"),
    ("binary_cross_entropy_with_logits", "10000000"),
];

fn table(criterion: &mut Criterion) {
    for (name, size) in ROWS {
        let case = Case::plain(name, size.parse().unwrap());
        let loss = case.loss().unwrap();
        let problem = case.problem(&loss).unwrap();
        let mut group = criterion.benchmark_group(format!("{name}/{size}"));

        // The input's gradient is all that every engine of the table writes.
        let written = problem.numbers[0].1.data().len();
        let mut roof = Roof::new(&problem, written, Format::F32, rayon::current_num_threads());
        group.throughput(Throughput::Bytes(roof.bytes() as u64));
        group.bench_function("roof", |bench| bench.iter(|| roof.run()));
        let fits =
            |engine: &&Engine| engine.arrays == Arrays::Ndarray && engine.format == Format::F32;
        for engine in ENGINES.iter().filter(fits) {
            let time = &mut |once: &mut lossmith_benches::Once<'_>| {
                let name = format!("{}, {} buffers", engine.backend, engine.buffers.name());
                group.bench_function(name, |bench| bench.iter(|| once().unwrap()));
                Ok(())
            };
            (engine.time)(Level::detect(), &loss, &problem, time).unwrap();
        }
        #[cfg(feature = "peers")]
        peers::bench(&mut group, name, &problem);
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(800));
    targets = table
}
criterion_main!(benches);
