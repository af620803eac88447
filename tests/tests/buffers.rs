//! The fused engine made ready once: into a caller's buffers the same bits as into new memory, whatever changes between
//! the runs, and what is wrong with a buffer is an error that leaves all of them alone.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::catalogue::{Argument, Form, SAMPLE_WEIGHT, all};
use lossmith_core::loss::{
    binary_cross_entropy, cross_entropy, linear_cross_entropy, mse, multilabel_margin, softplus,
};
use lossmith_core::shape::{Layout, count};
use lossmith_core::strided::{Order, Slice, Strided};
use lossmith_core::{Error, Evaluation, Indices, Input, Inputs, Reference};
use lossmith_fused::{Element, Fused, Prepared};
use lossmith_tests::backends::AnyLoss;
use lossmith_tests::{Beside, Problem, Stream, with_options};
use nalgebra::DMatrix;
use std::borrow::Cow;

type Slices = Inputs<Slice<'static, f32>>;

fn bits(numbers: &[f32]) -> Vec<u32> {
    numbers.iter().map(|x| if x.is_nan() { f32::NAN } else { *x }.to_bits()).collect()
}

/// Runs what is prepared into buffers full of other numbers, and compares all bits with those in new memory.
fn same(prepared: &mut Prepared<f32>, loss: &AnyLoss, inputs: &Slices) {
    let right = loss.value_and_grad(&Fused::new(), inputs).unwrap();
    let fresh = prepared.value_and_grad(inputs).unwrap();
    let mut buffers: Vec<(&str, Vec<f32>)> = right
        .grads
        .iter()
        .map(|(name, grad)| (name.as_str(), vec![-7.0; grad.data().len()]))
        .collect();
    // In another order than they leave.
    buffers.reverse();
    let mut given: Vec<_> =
        buffers.iter_mut().map(|(name, buffer)| (*name, buffer.as_mut_slice())).collect();
    let mut filled = vec![-7.0; right.value.data().len()];
    prepared.fill(inputs, &mut filled, &mut given).unwrap();
    given.iter_mut().for_each(|(_, buffer)| buffer.fill(-7.0));
    let value = prepared.value_and_grad_into(inputs, &mut given).unwrap();
    assert_eq!(bits(&filled), bits(right.value.data()), "{loss:?} {inputs:?}");
    let what = || format!("{loss:?} {inputs:?}");
    assert_eq!(value.shape(), right.value.shape(), "{}", what());
    for value in [&value, &fresh.value] {
        assert_eq!(bits(value.data()), bits(right.value.data()), "{}", what());
    }
    for ((name, right), (_, fresh)) in right.grads.iter().zip(&fresh.grads) {
        let (_, buffer) = buffers.iter().find(|(other, _)| other == name).unwrap();
        assert_eq!(bits(buffer), bits(right.data()), "grad.{name} {}", what());
        assert_eq!(bits(fresh.data()), bits(right.data()), "grad.{name} {}", what());
    }
    for (name, _) in &right.grads {
        over(prepared, inputs, name, &right);
    }
}

/// Writes the gradient in one argument over it, and compares all bits with those in new memory.
fn over(
    prepared: &mut Prepared<f32>,
    inputs: &Slices,
    name: &str,
    right: &Evaluation<Slice<'static, f32>>,
) {
    let argument = inputs.given().iter().find(|(given, _)| given == name);
    let Some((_, Input::Numbers(array))) = argument else { panic!("{name} has no numbers") };
    let mut memory: Vec<_> = right
        .grads
        .iter()
        .map(|(name, grad)| (name.as_str(), vec![-7.0; grad.data().len()]))
        .collect();
    memory.retain(|(other, _)| *other != name);
    let mut others: Vec<_> =
        memory.iter_mut().map(|(name, buffer)| (*name, buffer.as_mut_slice())).collect();
    let mut elements = array.data().to_vec();
    let rest = inputs.clone().without(name);
    let value = prepared
        .value_and_grad_over(&rest, (name, array.shape(), &mut elements), &mut others)
        .unwrap();
    let what = || format!("over {name}: {prepared:?}");
    assert_eq!(bits(value.data()), bits(right.value.data()), "{}", what());
    memory.push((name, elements));
    for (name, right) in &right.grads {
        let (_, got) = memory.iter().find(|(other, _)| other == name).unwrap();
        assert!(bits(got) == bits(right.data()), "grad.{name} {}", what());
    }
}

#[test]
fn gradients_over_an_argument_of_many_blocks_have_the_bits_of_new_memory() {
    let shapes: [(&str, &[usize]); 9] = [
        ("cross_entropy", &[300, 700]),
        ("cross_entropy", &[40_000, 10]),
        ("cross_entropy", &[2, 5, 150, 100]),
        ("multi_margin", &[300, 700]),
        ("log_softmax", &[300, 700]),
        ("mse", &[200_001]),
        ("kl_div", &[300, 700]),
        ("cosine_embedding", &[3000, 64]),
        ("linear_cross_entropy", &[3000, 16]),
    ];
    for (name, shape) in shapes {
        let found = || lossmith_core::catalogue::find(name).unwrap();
        let weights = &[SAMPLE_WEIGHT.name][..];
        let unreduced = found().with("reduction", "none").unwrap_or(found());
        for (loss, optional) in [(found(), &[][..]), (found(), weights), (unreduced, weights)] {
            let beside = Beside { optional, rows: 3, ignored: false };
            let problem = Problem::with(&loss, shape, &beside, &mut Stream(7)).unwrap();
            let inputs = problem.slices().unwrap();
            let right = loss.value_and_grad(&Fused::new(), &inputs).unwrap();
            let mut prepared = Fused::new().prepare::<f32>(loss);
            for (name, _) in &right.grads {
                over(&mut prepared, &inputs, name, &right);
            }
        }
    }
}

#[test]
fn what_is_wrong_beside_an_argument_leaves_it_as_it_was() {
    let labels = |labels: &[i64]| Slices::new().labels("target", labels.to_vec());
    let mut prepared = Fused::new().prepare::<f32>(cross_entropy());
    let mut given = |inputs: &Slices, name: &str, shape: &[usize]| {
        let mut logits = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6];
        let before = logits;
        let got = prepared.value_and_grad_over(inputs, (name, shape, &mut logits), &mut []);
        assert_eq!(got.is_err(), logits == before);
        got
    };
    given(&labels(&[0, 2]), "input", &[2, 3]).unwrap();
    let error = given(&labels(&[0, 2]), "input", &[2, 4]).unwrap_err();
    assert!(matches!(error, Error::Length { expected: 8, got: 6, .. }), "{error}");
    let error = given(&labels(&[0, 3]), "input", &[2, 3]).unwrap_err();
    assert!(matches!(error, Error::Label { .. }), "{error}");
    let error = given(&labels(&[0, 2]), "logits", &[2, 3]).unwrap_err();
    assert!(error.to_string().contains("input"), "{error}");
    let twice = labels(&[0, 2]).tensor("input", Slice::new(&[2, 3], vec![0.0; 6]).unwrap());
    assert!(given(&twice, "input", &[2, 3]).is_err());
    let constant = labels(&[0, 2]).constant("input");
    assert!(given(&constant, "input", &[2, 3]).is_err());
}

#[test]
fn whatever_changes_the_bits_are_those_of_new_memory() {
    for base in all() {
        for options in 0..4 {
            let mut seed = Stream(options);
            let loss = with_options(base.clone(), &mut seed).unwrap();
            let mut prepared = Fused::new().prepare::<f32>(loss.clone());
            for _ in 0..4 {
                // Of another shape, then other numbers in the same.
                let problem = Problem::random(&loss, &mut seed).unwrap();
                same(&mut prepared, &loss, &problem.slices().unwrap());
                let mut problem = problem;
                for (_, array) in &mut problem.numbers {
                    let mut data = array.data().to_vec();
                    data.reverse();
                    *array = lossmith_core::Dense::new(array.shape(), data).unwrap();
                }
                problem.labels.iter_mut().for_each(|(_, labels)| {
                    if labels.data.iter().all(|&label| label >= 0) {
                        labels.data.reverse();
                    }
                });
                same(&mut prepared, &loss, &problem.slices().unwrap());
            }
        }
    }
}

#[test]
fn more_or_fewer_labels_a_row_are_another_plan() {
    let loss = lossmith_core::catalogue::find("multilabel_margin").unwrap();
    let mut prepared = Fused::new().prepare::<f32>(multilabel_margin());
    let logits = Slice::new(&[2, 4], vec![0.1, 0.2, 0.4, 0.8, -0.3, 0.5, 0.0, 1.0]).unwrap();
    for targets in [[3, -1, 0, 1, 0, 2, 1, -1], [3, 0, 1, 2, 0, -1, 1, -1], [-1; 8], [0; 8]] {
        let targets = Indices::new(&[2, 4], targets.to_vec()).unwrap();
        let inputs = Inputs::new().tensor("input", logits.clone()).labels("target", targets);
        same(&mut prepared, &loss, &inputs);
    }
}

fn pair() -> Slices {
    let numbers = |by: f32| (0..6).map(|k| (k as f32 * by).sin()).collect::<Vec<f32>>();
    let array = |by| Slice::new(&[2, 3], numbers(by)).unwrap();
    Inputs::new().tensor("input", array(0.7)).tensor("target", array(1.3))
}

/// What comes of buffers of those names and sizes; an error has to leave them as they were.
fn given(inputs: &Slices, buffers: &[(&str, usize)]) -> Result<(), Error> {
    let mut memory: Vec<_> = buffers.iter().map(|(name, n)| (*name, vec![-7.0_f32; *n])).collect();
    let mut slices: Vec<_> =
        memory.iter_mut().map(|(name, buffer)| (*name, buffer.as_mut_slice())).collect();
    let got = Fused::new().prepare(mse()).value_and_grad_into(inputs, &mut slices).map(|_| ());
    let untouched = memory.iter().flat_map(|(_, buffer)| buffer).all(|&x| x == -7.0);
    assert!(got.is_ok() != untouched, "{got:?}");
    got
}

#[test]
fn wrong_buffers_are_refused() {
    let inputs = pair();
    given(&inputs, &[("input", 6), ("target", 6)]).unwrap();
    for size in [0, 5, 7, 600] {
        let error = given(&inputs, &[("input", 6), ("target", size)]).unwrap_err();
        let Error::Length { shape, expected, got } = error else { panic!("{error}") };
        assert_eq!((shape, expected, got), (vec![2, 3], 6, size));
    }
    for size in [0, 2] {
        let mut prepared = Fused::new().prepare(mse());
        let error = prepared.fill(&inputs, &mut vec![0.0; size], &mut []).unwrap_err();
        let Error::Length { shape, expected, got } = error else { panic!("{error}") };
        assert_eq!((shape, expected, got), (vec![], 1, size));
    }
    let says = |buffers: &[(&str, usize)], inputs: &Slices, part: &str| {
        let words = given(inputs, buffers).unwrap_err().to_string();
        assert!(words.contains(part), "{words}");
    };
    says(&[("input", 6)], &inputs, "no buffer for its gradient in target: make it constant");
    says(&[], &inputs, "no buffer for its gradient in input");
    let [input, target] = [("input", 6), ("target", 6)];
    says(&[input, target, ("weight", 6)], &inputs, "it has no gradient in weight");
    says(&[input, target, ("", 6)], &inputs, "it has no gradient in :");
    says(&[input, target, input], &inputs, "two buffers for its gradient in input");
    let constant = inputs.constant("target");
    given(&constant, &[input]).unwrap();
    says(&[input, target], &constant, "it has no gradient in target");
}

#[test]
fn wrong_labels_leave_buffers_alone() {
    let mut buffer = vec![-7.0_f32; 4];
    let of = |data: &[f32]| Slice::new(&[2, 2], data.to_vec()).unwrap();
    let logits = Slices::new().tensor("input", of(&[0.0; 4])).labels("target", [0, 2]);
    let mut prepared = Fused::new().prepare(cross_entropy());
    let error = prepared.value_and_grad_into(&logits, &mut [("input", &mut buffer)]).unwrap_err();
    assert!(matches!(error, Error::Label { index: 1, value: 2, classes: 2, .. }), "{error}");
    assert_eq!(buffer, [-7.0; 4]);
}

/// Numbers are looked at as they are walked, in many blocks by several threads: the first outside is the one that is named,
/// the argument's that comes first, whether an array is walked in the order of memory or not.
#[test]
fn the_first_number_outside_its_domain_is_named() {
    const ROWS: usize = 500;
    const SIDE: usize = 400;
    let shape = [ROWS, SIDE];
    for (input, target, first) in [
        (vec![150_001, 70_000], vec![3], ("input", 70_000)),
        (vec![], vec![199_999, 131_073], ("target", 131_073)),
        (vec![199_999], vec![], ("input", 199_999)),
        ((0..ROWS * SIDE).collect(), vec![], ("input", 0)),
    ] {
        let with = |outside: &[usize]| {
            let mut all = vec![0.5_f32; ROWS * SIDE];
            outside.iter().for_each(|&index| all[index] = 1.5);
            all
        };
        let (x, t) = (with(&input), with(&target));
        let is_named = |error: Error| {
            let Error::Domain { argument, index, value, .. } = error else { panic!("{error}") };
            assert_eq!(((argument, index), value), (first, 1.5));
        };
        let mut prepared = Fused::new().threads(3).unwrap().prepare(binary_cross_entropy());
        let slice = |all: &[f32]| Slice::new(&shape, all.to_vec()).unwrap();
        let inputs = Slices::new().tensor("input", slice(&x)).tensor("target", slice(&t));
        is_named(prepared.value_and_grad(&inputs).err().unwrap());
        let mut value = [0.0];
        let mut grad = vec![0.0; ROWS * SIDE];
        let constant = inputs.clone().constant("target");
        let mut grads = [("input", grad.as_mut_slice())];
        is_named(prepared.fill(&constant, &mut value, &mut grads).err().unwrap());
        // Three axes, whose last is the farthest apart.
        let [first, last] =
            [&x, &t].map(|all| ndarray::ArrayView3::from_shape((4, ROWS / 4, SIDE), all).unwrap());
        let reversed = first.t().as_standard_layout().into_owned();
        let axes = lossmith_ndarray::Inputs::<f32>::new();
        let axes = axes.tensor("input", reversed.t()).tensor("target", last);
        is_named(prepared.value_and_grad(&axes).err().unwrap());
        // Column-major, whose memory has another order than indices, and beside what is row-major.
        let [x, t] = [&x, &t].map(|all| DMatrix::from_row_slice(ROWS, SIDE, all));
        let columns = lossmith_nalgebra::Inputs::new().tensor("input", &x).tensor("target", &t);
        is_named(prepared.value_and_grad(&columns).err().unwrap());
        let turned = ndarray::ArrayView2::from_shape((SIDE, ROWS), x.as_slice()).unwrap();
        let rows = t.transpose();
        let plain = ndarray::ArrayView2::from_shape((ROWS, SIDE), rows.as_slice()).unwrap();
        let mixed = lossmith_ndarray::Inputs::<f32>::new();
        let mixed = mixed.tensor("input", turned.t()).tensor("target", plain);
        is_named(prepared.value_and_grad(&mixed).err().unwrap());
    }
}

#[test]
fn a_gradient_lies_as_its_argument_does() {
    let x = DMatrix::from_fn(40, 30, |r, c| (r as f32 - 1.3 * c as f32).sin());
    let t = DMatrix::from_fn(40, 30, |r, c| (r * c) as f32 / 1200.0);
    let labels: Vec<i64> = (0..40).map(|row| row % 30).collect();
    let by_element = lossmith_nalgebra::Inputs::new().tensor("input", &x).tensor("target", &t);
    let by_row = lossmith_nalgebra::Inputs::new().tensor("input", &x).labels("target", labels);
    let column_major = |got: &Evaluation<DMatrix<f32>>, name: &str, buffer: &[f32]| {
        assert_eq!(bits(got.grad(name).unwrap().as_slice()), bits(buffer));
    };
    let [mut input, mut target] = [vec![0.0; 1200], vec![0.0; 1200]];
    let mut prepared = Fused::new().prepare(mse());
    let mut buffers = [("input", input.as_mut_slice()), ("target", target.as_mut_slice())];
    prepared.value_and_grad_into(&by_element, &mut buffers).unwrap();
    let right = mse().value_and_grad(&Fused::new(), &by_element).unwrap();
    column_major(&right, "input", &input);
    column_major(&right, "target", &target);
    let mut prepared = Fused::new().prepare(cross_entropy());
    prepared.value_and_grad_into(&by_row, &mut [("input", &mut input)]).unwrap();
    column_major(&cross_entropy().value_and_grad(&Fused::new(), &by_row).unwrap(), "input", &input);
    // A row-major target beside a column-major input: each gradient in its own order.
    let rows: Vec<f32> = t.transpose().as_slice().to_vec();
    let turned = ndarray::ArrayView2::from_shape((30, 40), x.as_slice()).unwrap();
    let plain = ndarray::ArrayView2::from_shape((40, 30), &rows).unwrap();
    let mixed =
        lossmith_ndarray::Inputs::<f32>::new().tensor("input", turned.t()).tensor("target", plain);
    let mut prepared = Fused::new().prepare(mse());
    let mut buffers = [("input", input.as_mut_slice()), ("target", target.as_mut_slice())];
    prepared.value_and_grad_into(&mixed, &mut buffers).unwrap();
    column_major(&right, "input", &input);
    let by_rows = right.grad("target").unwrap().transpose();
    assert_eq!(bits(by_rows.as_slice()), bits(&target));
}

#[test]
fn a_value_that_is_filled_lies_by_rows() {
    let x = DMatrix::from_fn(40, 30, |r, c| (r as f32 - 1.3 * c as f32).sin());
    let inputs = lossmith_nalgebra::Inputs::new().tensor("input", &x);
    let [mut value, mut grad] = [vec![0.0; 1200], vec![0.0; 1200]];
    let mut grads = [("input", grad.as_mut_slice())];
    Fused::new().prepare(softplus()).fill(&inputs, &mut value, &mut grads).unwrap();
    let right = softplus().value_and_grad(&Fused::new(), &inputs).unwrap();
    assert_eq!(bits(right.value.transpose().as_slice()), bits(&value));
    assert_eq!(bits(right.grad("input").unwrap().as_slice()), bits(&grad));
}

#[test]
fn what_is_empty_is_what_it_is_on_the_reference() {
    let (mut run, mut refused) = (0, 0);
    for base in all() {
        for reduction in ["none", "mean", "sum"] {
            let loss = base.clone().with("reduction", reduction).unwrap();
            let of_matrices = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
            if loss.entry().arguments.iter().any(of_matrices) {
                continue;
            }
            for shape in [&[0][..], &[0, 3], &[3, 0], &[0, 0], &[2, 3, 0], &[0, 3, 2], &[2, 0, 3]] {
                if shape.len() == 1 && loss.definition().layout() != Layout::Pointwise {
                    continue;
                }
                let Ok(problem) = Problem::required(&loss, shape, &mut Stream(1)) else { continue };
                let inputs = problem.slices().unwrap();
                let right = loss.value_and_grad(&Reference, &problem.inputs());
                match (right, loss.value_and_grad(&Fused::new(), &inputs)) {
                    (Ok(right), Ok(got)) => {
                        assert_eq!(got.grads.len(), right.grads.len());
                        for ((name, got), (_, right)) in got.outputs().zip(right.outputs()) {
                            let what = format!("{name} {loss:?} {shape:?}");
                            assert_eq!(got.shape(), right.shape(), "{what}");
                            let right: Vec<f32> =
                                right.data().iter().map(|&x| f32::of(x)).collect();
                            assert_eq!(bits(got.data()), bits(&right), "{what}");
                        }
                        same(&mut Fused::new().prepare(loss.clone()), &loss, &inputs);
                        run += 1;
                    }
                    (Err(right), Err(got)) => {
                        assert_eq!(got.to_string(), right.to_string());
                        refused += 1;
                    }
                    (right, got) => panic!("{loss:?} {shape:?}: {got:?}, not {right:?}"),
                }
            }
        }
    }
    assert!(run > 100 && refused > 20, "{run} run, {refused} refused");
}

/// An array that says what shape it has, and has no elements.
struct Claims(Vec<usize>);

impl Strided for Claims {
    type Element = f32;
    type Output = Slice<'static, f32>;
    fn shape(&self) -> Vec<usize> {
        self.0.clone()
    }
    fn elements(&self) -> (Cow<'_, [f32]>, Vec<usize>) {
        let mut strides = lossmith_core::strided::row_major(&[1, 1, 1, 1]);
        strides.truncate(self.0.len());
        ((&[][..]).into(), strides)
    }
    fn from_elements(
        shape: &[usize],
        elements: Vec<f32>,
        order: Order,
    ) -> Result<Slice<'static, f32>, Error> {
        Slice::<f32>::from_elements(shape, elements, order)
    }
}

#[test]
fn more_than_there_is_is_refused_before_any_of_it_is_made() {
    for base in all() {
        let matrices = |argument: &Argument| matches!(argument.form, Form::Matrix(..));
        let by_row = base.entry().arguments.iter().any(|argument| argument.form == Form::Rows);
        if by_row || base.entry().arguments.iter().any(matrices) {
            continue;
        }
        let mut seed = Stream(5);
        // More than 2³² and than there can be; an array that has less than it says.
        for shape in [&[1 << 40, 1 << 40][..], &[usize::MAX, 3], &[1 << 17, 1 << 17]] {
            let problem = Problem::required(&base, &[2, 3], &mut seed).unwrap();
            if !problem.labels.is_empty() {
                continue;
            }
            let mut inputs = Inputs::<Claims>::new();
            for (name, array) in &problem.numbers {
                let all = array.shape() == [2, 3];
                inputs =
                    inputs.tensor(name, Claims(if all { shape } else { array.shape() }.into()));
            }
            let got = base.value_and_grad(&Fused::new(), &inputs);
            let error = got.map(|got| got.value.shape().to_vec()).unwrap_err();
            let overflows = shape[0].checked_mul(shape[1]).is_none();
            let right = if overflows {
                matches!(error, Error::Overflow { .. } | Error::Rank { .. })
            } else {
                matches!(error, Error::Length { got: 0, .. })
            };
            assert!(right, "{base:?} {shape:?}: {error:?}");
        }
    }
}

#[test]
fn threads_that_no_machine_has_are_refused() {
    for threads in [usize::MAX, 1 << 32, 65_536] {
        let words = Fused::new().threads(threads).unwrap_err().to_string();
        assert!(
            words.starts_with(&format!("option threads of the fused engine is {threads}, but"))
        );
    }
    assert!(Fused::new().threads(3).is_ok());
}

#[test]
fn what_was_made_ready_for_other_arguments_is_not_run() {
    let array = |shape: &[usize]| Slice::new(shape, vec![0.5_f32; count(shape)]).unwrap();
    let labelled =
        |labels: Indices| Slices::new().tensor("input", array(&[4, 2])).labels("target", labels);
    let mut prepared = Fused::new().prepare::<f32>(cross_entropy());
    prepared.value_and_grad(&labelled([0, 1, 0, 1].into())).unwrap();
    // The fields of indices are open: as many as the shape says have to be there.
    let short = Indices { shape: vec![4], data: vec![0, 1, 0] };
    let words = prepared.value_and_grad(&labelled(short)).unwrap_err().to_string();
    assert_eq!(words, "target has shape (4,), but 3 class indices are given");
    let numbers = Slices::new().tensor("input", array(&[4, 2])).tensor("target", array(&[4]));
    let error = prepared.value_and_grad(&numbers).unwrap_err();
    assert!(matches!(error, Error::Shape { argument: "target", .. }), "{error}");
    let renamed = Slices::new().tensor("inputs", array(&[4, 2])).labels("target", [0, 1, 0, 1]);
    assert!(prepared.value_and_grad(&renamed).is_err());
    prepared.value_and_grad(&labelled([1, 1, 0, 1].into())).unwrap();
}

#[test]
fn an_array_of_fewer_elements_than_it_says_is_refused_on_the_reference_too() {
    let inputs = Inputs::<Claims>::new()
        .tensor("input", Claims(vec![2, 3]))
        .tensor("linear_weight", Claims(vec![4, 3]))
        .labels("target", [0, 1]);
    let mut prepared = Fused::new().prepare(linear_cross_entropy());
    let ([mut input, mut weight], buffers) = ([[0.0; 12]; 2], ["input", "linear_weight"]);
    let mut grads = [(buffers[0], &mut input[..6]), (buffers[1], &mut weight[..])];
    let into = prepared.value_and_grad_into(&inputs, &mut grads).unwrap_err();
    let fresh = prepared.value_and_grad(&inputs).unwrap_err();
    for error in [into, fresh] {
        assert!(matches!(error, Error::Length { expected: 6, got: 0, .. }), "{error}");
    }
}

#[test]
fn sizes_are_those_of_the_shapes() {
    let shapes = [vec![], vec![4], vec![2, 3], vec![2, 3, 4]];
    let mut prepared = Fused::new().prepare(mse());
    for shape in shapes {
        let array = || Slice::new(&shape, vec![0.5_f32; count(&shape)]).unwrap();
        let inputs =
            Slices::new().tensor("input", array()).tensor("target", array()).constant("target");
        let mut grad = vec![1.0; count(&shape)];
        prepared.value_and_grad_into(&inputs, &mut [("input", &mut grad)]).unwrap();
        assert!(grad.iter().all(|&x| x == 0.0));
    }
}
