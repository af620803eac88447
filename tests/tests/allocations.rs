//! What the fused engine allocates when it is run again into the same buffers: next to nothing, however large the input.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::loss::{cross_entropy, linear_cross_entropy, mse, softplus};
use lossmith_core::strided::Slice;
use lossmith_core::{Inputs, Objective};
use lossmith_fused::Fused;

/// Counts what every thread allocates.
#[global_allocator]
static COUNTING: dhat::Alloc = dhat::Alloc;

/// How many bytes the third run allocates, and how many so many numbers have.
fn third(mut run: impl FnMut(), numbers: usize) -> [u64; 2] {
    run();
    run();
    let before = dhat::HeapStats::get().total_bytes;
    run();
    let allocated = dhat::HeapStats::get().total_bytes - before;
    [allocated, (numbers * size_of::<f32>()).try_into().unwrap()]
}

/// Of a loss, with its gradient in a buffer.
fn third_run(
    loss: impl Into<Objective>,
    inputs: &Inputs<Slice<'_, f32>>,
    [elements, arrays]: [usize; 2],
) -> [u64; 2] {
    let mut prepared = Fused::new().threads(2).unwrap().prepare(loss);
    let mut grad = vec![0.0_f32; elements];
    let mut run = || prepared.value_and_grad_into(inputs, &mut [("input", &mut grad)]).unwrap();
    third(|| drop(run()), elements * arrays)
}

/// Of a loss that is not reduced, with its value and its gradient in buffers.
fn third_run_filled(loss: impl Into<Objective>, x: &[f32]) -> [u64; 2] {
    let inputs =
        Inputs::<Slice<'_, f32>>::new().tensor("input", Slice::new(&[x.len()], x).unwrap());
    let mut prepared = Fused::new().threads(2).unwrap().prepare(loss);
    let [mut value, mut grad] = [x.to_vec(), x.to_vec()];
    let run = || prepared.fill(&inputs, &mut value, &mut [("input", &mut grad)]).unwrap();
    third(run, x.len())
}

/// Of a loss, with its gradient over the input.
fn third_run_over(
    loss: impl Into<Objective>,
    inputs: &Inputs<Slice<'_, f32>>,
    (shape, elements): (&[usize], &[f32]),
) -> [u64; 2] {
    let mut prepared = Fused::new().threads(2).unwrap().prepare(loss);
    let mut over = elements.to_vec();
    let mut run =
        || prepared.value_and_grad_over(inputs, ("input", shape, &mut over), &mut []).unwrap();
    third(|| drop(run()), elements.len())
}

/// How many bytes a linear cross-entropy and its gradients need beside arguments and results, and how many the logits
/// have.
fn beside_logits() -> [usize; 2] {
    let [rows, features, classes] = [2048, 8, 8192];
    let numbers = |count: usize| (0..count).map(|k| (k as f32).sin()).collect::<Vec<f32>>();
    let (input, weight, bias) =
        (numbers(rows * features), numbers(classes * features), numbers(classes));
    let labels: Vec<i64> = (0..2048).collect();
    let inputs = Inputs::<Slice<'_, f32>>::new()
        .tensor("input", Slice::new(&[rows, features], &input[..]).unwrap())
        .tensor("linear_weight", Slice::new(&[classes, features], &weight[..]).unwrap())
        .tensor("linear_bias", Slice::new(&[classes], &bias[..]).unwrap())
        .labels("target", labels);
    let mut prepared = Fused::new().threads(2).unwrap().prepare(linear_cross_entropy());
    let mut grads = [input.clone(), weight.clone(), bias.clone()];
    let [input, weight, bias] = &mut grads;
    let mut grads: [(&str, &mut [f32]); 3] =
        [("input", input), ("linear_weight", weight), ("linear_bias", bias)];
    let before = dhat::HeapStats::get();
    prepared.value_and_grad_into(&inputs, &mut grads).unwrap();
    let after = dhat::HeapStats::get();
    assert!(after.max_bytes > before.max_bytes, "the peak is in the run");
    [after.max_bytes - before.curr_bytes, rows * classes * size_of::<f32>()]
}

// One test: what others allocate meanwhile would count too.
#[test]
fn a_third_run_allocates_next_to_nothing_and_logits_are_never_held() {
    let _counting = dhat::Profiler::builder().testing().build();
    let [beside, logits] = beside_logits();
    println!("linear_cross_entropy: {beside} bytes beside its arguments, {logits} the logits");
    assert!(beside * 8 <= logits, "{beside} bytes beside, {logits} the logits");
    let numbers = |by: f32| (0..1_000_000).map(|k| (k as f32 * by).sin()).collect::<Vec<f32>>();
    let (input, target) = (numbers(0.7), numbers(1.3));
    let array = |shape: &[usize], data| Slice::<f32>::new(shape, data).unwrap();
    let by_element = Inputs::<Slice<'_, f32>>::new()
        .tensor("input", array(&[1_000_000], &input))
        .tensor("target", array(&[1_000_000], &target))
        .constant("target");
    let labels: Vec<i64> = (0..1000).collect();
    let by_row = Inputs::<Slice<'_, f32>>::new()
        .tensor("input", array(&[1000, 1000], &input))
        .labels("target", labels);
    let few_classes = Inputs::<Slice<'_, f32>>::new()
        .tensor("input", Slice::new(&[1000, 16], &input[..16_000]).unwrap())
        .labels("target", (0..1000).map(|k| k % 16).collect::<Vec<i64>>());
    let unprepared = |engine: &Fused| {
        drop(cross_entropy().value_and_grad(engine, &few_classes).unwrap());
    };
    let engine = Fused::new();
    let [kept, _] = third(|| unprepared(&engine.clone()), 0);
    let [thrown_away, _] = third(|| unprepared(&Fused::new()), 0);
    println!(
        "not prepared: {kept} bytes by one engine and its clones, {thrown_away} by a new one each time"
    );
    assert!(kept * 2 < thrown_away, "{kept} bytes by one engine, {thrown_away} by new ones");
    let measured = [
        ("mse", third_run(mse(), &by_element, [1_000_000, 2])),
        ("cross_entropy", third_run(cross_entropy(), &by_row, [1_000_000, 1])),
        ("softplus", third_run_filled(softplus(), &input)),
        (
            "mse over",
            third_run_over(mse(), &by_element.clone().without("input"), (&[1_000_000], &input)),
        ),
        (
            "cross_entropy over",
            third_run_over(
                cross_entropy(),
                &by_row.clone().without("input"),
                (&[1000, 1000], &input),
            ),
        ),
    ];
    for (loss, [allocated, given]) in measured {
        println!("{loss}: {allocated} bytes allocated, {given} given");
        assert!(allocated * 20 < given, "{loss}: {allocated} bytes for {given}");
    }
}
