//! The fused engine gives the same bits with any number of threads, with any instructions, compiled or op by op, and
//! from any layout, and those of the tables in `bits/`, whatever the machine.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use half::{bf16, f16};
use lossmith_core::catalogue::{Argument, Form, all};
use lossmith_core::shape::Layout;
use lossmith_core::strided::Slice;
use lossmith_core::{Evaluation, Inputs};
use lossmith_fused::math::Lane as _;
use lossmith_fused::{Element, Fused, Level};
use lossmith_ndarray::Input;
use lossmith_tests::backends::AnyLoss;
use lossmith_tests::{Beside, Problem, Stream, with_options};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice as Every};
use std::fmt::Write as _;
use std::path::Path;

/// Whether the loss is a recursion over steps, which is as long as the input.
fn sequences(loss: &AnyLoss) -> bool {
    loss.entry().arguments.iter().any(|argument| argument.form == Form::Sequences)
}

/// Main inputs that are several blocks, and enough for several threads.
fn shapes(loss: &AnyLoss) -> Vec<Vec<usize>> {
    let matrices = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
    if loss.entry().arguments.iter().any(matrices) {
        // The second is more rows than are taken at a time, and products of several tasks.
        return vec![vec![9, 7], vec![30_000, 9]];
    }
    if sequences(loss) {
        return vec![vec![6, 3, 7]];
    }
    match loss.definition().layout() {
        Layout::Pointwise => vec![vec![60, 37, 31], vec![200_000]],
        Layout::Classes => {
            vec![vec![70, 1000], vec![3, 40_000], vec![8000, 10], vec![2, 5, 100, 90]]
        }
        Layout::Along(_) | Layout::Over(_) => vec![vec![70, 1000], vec![8000, 10]],
    }
}

/// A loss with other options than its own and a problem of that shape, optional arguments given or not.
fn random(base: &AnyLoss, shape: &[usize], seed: &mut Stream) -> (AnyLoss, Problem) {
    let loss = with_options(base.clone(), seed).unwrap();
    let optional = loss.entry().arguments.iter().filter(|argument| argument.optional);
    let mut optional: Vec<_> = optional.map(|argument| argument.name).collect();
    optional.push("sample_weight");
    optional.retain(|_| seed.below(2) == 0);
    let beside = Beside { optional: &optional, rows: 11, ignored: true };
    let problem = Problem::with(&loss, shape, &beside, seed).unwrap();
    (loss, problem)
}

/// A 64-bit FNV-1a hash of numbers, every NaN alike.
fn hash(numbers: impl Iterator<Item = f64>) -> u64 {
    let bits = numbers.map(|x| if x.is_nan() { f64::NAN } else { x }.to_bits());
    let bytes = bits.flat_map(u64::to_le_bytes);
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The bits of value and gradients.
fn bits<T: Element>(engine: &Fused, loss: &AnyLoss, inputs: &Inputs<Slice<'static, T>>) -> u64 {
    let got = loss.value_and_grad(engine, inputs).unwrap();
    hash(got.outputs().flat_map(|(_, output)| output.data()).map(|x| x.widen().to_f64()))
}

/// The bits of every loss and shape in a format, the same on every engine, against its table.
fn check<T: Element>(name: &str, table: &str) {
    let best = Fused::new().threads(1).unwrap();
    let threads = [2, 7, 16].map(|threads| (threads, Fused::new().threads(threads).unwrap()));
    let mut levels = Level::available();
    assert_eq!(levels.pop(), Some(Level::detect()));
    let mut lines = String::new();
    for base in all() {
        let loss_name = base.entry().name;
        for (place, shape) in shapes(&base).iter().enumerate() {
            let mut seed = Stream(place as u64);
            let (loss, problem) = random(&base, shape, &mut seed);
            let inputs = problem.slices::<T>().unwrap();
            let right = bits(&best, &loss, &inputs);
            for (threads, engine) in &threads {
                let got = bits(engine, &loss, &inputs);
                assert_eq!(got, right, "{loss_name} {shape:?} {name} with {threads} threads");
            }
            let got = bits(&best.clone().op_by_op(), &loss, &inputs);
            assert_eq!(got, right, "{loss_name} {shape:?} {name} op by op");
            for &level in &levels {
                // The baseline calls a function for every multiply-add: a shape of each loss has to do.
                if level == Level::Baseline && place > 0 {
                    continue;
                }
                let got = bits(&threads[0].1.clone().level(level), &loss, &inputs);
                assert_eq!(got, right, "{loss_name} {shape:?} {name} at {level}");
            }
            writeln!(lines, "{right:016x} {loss_name} {shape:?}").unwrap();
        }
    }
    let new = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.txt"));
    std::fs::write(&new, &lines).unwrap();
    let wrong = lines.lines().filter(|line| !table.lines().any(|right| right == *line));
    let wrong: Vec<_> = wrong.collect();
    let right = wrong.is_empty() && lines.lines().count() == table.lines().count();
    assert!(
        right,
        "other bits than tests/tests/bits/{name}.txt has; all of them are in {}, and here those that differ:\n{}",
        new.display(),
        wrong.join("\n")
    );
}

/// They give the same bits, so that nothing else tells them apart.
#[test]
fn an_engine_is_what_it_was_asked_to_be() {
    let shown = |engine: Fused| format!("{engine:?}");
    for level in Level::available() {
        assert!(shown(Fused::new().level(level)).contains(&format!("level: {level:?}")));
    }
    assert_ne!(shown(Fused::new().op_by_op()), shown(Fused::new()));
}

#[test]
fn what_was_worked_in_before_changes_nothing() {
    let engine = Fused::new().threads(2).unwrap();
    for base in all().iter().filter(|base| !sequences(base)) {
        let mut shapes = shapes(base);
        shapes.push(vec![32, 9]);
        for (place, shape) in shapes.iter().enumerate().rev().chain(shapes.iter().enumerate()) {
            let (loss, problem) = random(base, shape, &mut Stream(place as u64));
            let of_formats = |engine: &Fused| {
                [
                    bits(engine, &loss, &problem.slices::<f32>().unwrap()),
                    bits(engine, &loss, &problem.slices::<bf16>().unwrap()),
                    bits(engine, &loss, &problem.slices::<f64>().unwrap()),
                ]
            };
            let name = base.entry().name;
            assert_eq!(of_formats(&engine), of_formats(&Fused::new()), "{name} {shape:?}");
        }
    }
}

#[test]
fn f64_bits() {
    check::<f64>("f64", include_str!("bits/f64.txt"));
}

#[test]
fn f32_bits() {
    check::<f32>("f32", include_str!("bits/f32.txt"));
}

#[test]
fn f16_bits() {
    check::<f16>("f16", include_str!("bits/f16.txt"));
}

#[test]
fn bf16_bits() {
    check::<bf16>("bf16", include_str!("bits/bf16.txt"));
}

/// How the same array can lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lies {
    Contiguous,
    EverySecondRow,
    EverySecondColumn,
    Reversed,
    /// The axes in the other order.
    Transposed,
}

/// The array as it lies there, what is between its elements being NaN, and how to look at it.
fn lay(lies: Lies, array: &ArrayD<f32>) -> ArrayD<f32> {
    let Some(last) = array.ndim().checked_sub(1) else { return array.clone() };
    let stretched = |axis: usize| {
        let mut sides = array.shape().to_vec();
        sides[axis] *= 2;
        let mut wide = ArrayD::from_elem(IxDyn(&sides), f32::NAN);
        wide.slice_axis_mut(Axis(axis), Every::new(0, None, 2)).assign(array);
        wide
    };
    match lies {
        Lies::Contiguous => array.clone(),
        Lies::EverySecondRow => stretched(0),
        Lies::EverySecondColumn => stretched(last),
        Lies::Reversed => {
            let mut array = array.clone();
            array.invert_axis(Axis(last));
            array.as_standard_layout().into_owned()
        }
        Lies::Transposed => array.t().as_standard_layout().into_owned(),
    }
}

fn seen(lies: Lies, array: &ArrayD<f32>) -> ArrayViewD<'_, f32> {
    let mut view = array.view();
    let Some(last) = array.ndim().checked_sub(1) else { return view };
    match lies {
        Lies::Contiguous => {}
        Lies::EverySecondRow => view.slice_axis_inplace(Axis(0), Every::new(0, None, 2)),
        Lies::EverySecondColumn => view.slice_axis_inplace(Axis(last), Every::new(0, None, 2)),
        Lies::Reversed => view.invert_axis(Axis(last)),
        Lies::Transposed => return view.reversed_axes(),
    }
    view
}

#[test]
fn a_layout_does_not_change_a_bit() {
    let run = |lies: Lies, loss: &AnyLoss, problem: &Problem| -> Evaluation<ArrayD<f32>> {
        let arrays = problem.numbers.iter().map(|(name, array)| {
            let rounded = array.data().iter().map(|&x| f32::of(x)).collect();
            let plain = ArrayD::from_shape_vec(IxDyn(array.shape()), rounded).unwrap();
            (*name, lay(lies, &plain))
        });
        let arrays: Vec<_> = arrays.collect();
        let mut inputs = Inputs::<Input<'_, f32>>::new();
        for (name, array) in &arrays {
            inputs = inputs.tensor(name, seen(lies, array));
        }
        for (name, indices) in &problem.labels {
            inputs = inputs.labels(name, indices.clone());
        }
        loss.value_and_grad(&Fused::new(), &inputs).unwrap()
    };
    let of = |array: &ArrayD<f32>| hash(array.iter().map(|&x| f64::from(x)));
    for base in all() {
        for (place, shape) in [&[90, 700][..], &[5000, 7], &[3, 4, 40, 9]].iter().enumerate() {
            let matrices = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
            let matrices = base.entry().arguments.iter().any(matrices);
            let shape = match (matrices, sequences(&base)) {
                (true, _) => &[9, 7][..],
                (_, true) => &[6, 3, 7],
                _ => shape,
            };
            let mut seed = Stream(place as u64 + 100);
            let (loss, problem) = random(&base, shape, &mut seed);
            let plain = run(Lies::Contiguous, &loss, &problem);
            for lies in
                [Lies::EverySecondRow, Lies::EverySecondColumn, Lies::Reversed, Lies::Transposed]
            {
                let other = run(lies, &loss, &problem);
                let what = || format!("{loss:?} {shape:?} {lies:?}");
                assert_eq!(plain.grads.len(), other.grads.len());
                for ((name, plain), (_, other)) in plain.grads.iter().zip(&other.grads) {
                    assert_eq!(plain.shape(), other.shape(), "{name} {}", what());
                    assert_eq!(of(plain), of(other), "grad.{name} {}", what());
                }
                // Sums of what is transposed are added up in another order.
                if lies != Lies::Transposed || plain.value.ndim() > 0 {
                    assert_eq!(of(&plain.value), of(&other.value), "value {}", what());
                }
            }
        }
    }
}
