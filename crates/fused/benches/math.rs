//! Nanoseconds per element of every function at every level, on data in the first-level cache.

use criterion::{
    BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main, measurement::WallTime,
};
use lossmith_fused::math::Lane;
use lossmith_fused::simd::{Level, Work};
use std::hint::black_box;

const LENGTH: usize = 1024;

struct Map<'a, T, F>(&'a [T], &'a mut [T], F);

impl<T: Lane, F: Fn(T) -> T> Work for Map<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (x, y) in self.0.iter().zip(self.1) {
            *y = self.2(*x);
        }
    }
}

fn bench<T: Lane, F: Fn(T) -> T + Copy>(
    group: &mut BenchmarkGroup<'_, WallTime>,
    name: &str,
    f: F,
) {
    // Not a whole number of 4 KiB apart, where a load would wait for the store before it.
    let mut data: Vec<T> = (0..3 * LENGTH).map(|i| T::from_f64(i as f64 / 64.0 - 7.9)).collect();
    let (x, y) = data.split_at_mut(2 * LENGTH - 160);
    let (x, y) = (&x[..LENGTH], &mut y[..LENGTH]);
    for level in Level::available() {
        group.bench_function(format!("{name}/{level}"), |b| {
            b.iter(|| level.run(Map(black_box(x), black_box(&mut *y), f)));
        });
    }
}

fn format<T: Lane>(c: &mut Criterion, name: &str) {
    let mut group = c.benchmark_group(name);
    group.throughput(Throughput::Elements(LENGTH as u64));
    let b = T::from_f64(black_box(0.7));
    bench(
        &mut group,
        "exp",
        #[inline(always)]
        |x: T| x.exp(),
    );
    bench(
        &mut group,
        "exp_sub",
        #[inline(always)]
        move |x: T| x.exp_sub(b),
    );
    let below = b.below();
    bench(
        &mut group,
        "exp_below",
        #[inline(always)]
        move |x: T| x.exp_below(below),
    );
    bench(
        &mut group,
        "expm1",
        #[inline(always)]
        |x: T| x.expm1(),
    );
    bench(
        &mut group,
        "ln",
        #[inline(always)]
        |x: T| x.ln(),
    );
    bench(
        &mut group,
        "ln1p",
        #[inline(always)]
        |x: T| x.ln1p(),
    );
    bench(
        &mut group,
        "sigmoid",
        #[inline(always)]
        |x: T| x.sigmoid(),
    );
    bench(
        &mut group,
        "softplus",
        #[inline(always)]
        |x: T| x.softplus(),
    );
}

fn formats(c: &mut Criterion) {
    format::<f32>(c, "f32");
    format::<f64>(c, "f64");
}

criterion_group! {
    name = math;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_millis(100))
        .measurement_time(std::time::Duration::from_millis(400));
    targets = formats
}
criterion_main!(math);
