//! The fused engine on the libraries' own arrays: what each library's backend gives, in that library's arrays.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use half::{bf16, f16};
use lossmith_conformance::{Tolerance, judge};
use lossmith_core::catalogue::GRAD_OUTPUT;
use lossmith_core::shape::Layout;
use lossmith_core::strided::Slice;
use lossmith_core::{Dense, Error, Evaluation, Format, Inputs, Reference, catalogue};
use lossmith_fused::math::Lane as _;
use lossmith_fused::{Element, Fused};
use lossmith_half::Half;
use lossmith_nalgebra::Nalgebra;
use lossmith_ndarray::NdArray;
use lossmith_tests::backends::AnyLoss;
use lossmith_tests::{Beside, Problem, Stream};
use nalgebra::{DMatrix, DVector};
use ndarray::{ArrayD, ArrayViewD, Axis, IxDyn, Slice as Part};

/// A loss, its options, the optional arguments and the main input's shape.
type Case = (
    &'static str,
    &'static [(&'static str, &'static str)],
    &'static [&'static str],
    &'static [usize],
);

const CASES: [Case; 9] = [
    ("cross_entropy", &[("label_smoothing", "0.1")], &["weight", "sample_weight"], &[70, 100]),
    ("cross_entropy", &[("reduction", "none")], &["grad_output"], &[300, 5]),
    ("cross_entropy", &[], &["weight"], &[3, 5, 7, 11]),
    ("mse", &[], &["sample_weight"], &[40, 30]),
    ("mse", &[("reduction", "none")], &[], &[90]),
    ("binary_cross_entropy_with_logits", &[], &["weight", "pos_weight"], &[20, 30]),
    ("binary_cross_entropy_with_logits", &[], &["weight", "pos_weight"], &[4, 5, 6, 7]),
    ("triplet_margin", &[("swap", "true")], &[], &[20, 16]),
    ("softmax", &[("dim", "0")], &["grad_output"], &[30, 20]),
];

fn cases() -> impl Iterator<Item = (AnyLoss, Problem)> {
    CASES.iter().enumerate().map(|(place, &(name, options, optional, shape))| {
        let loss = options.iter().fold(catalogue::find(name).unwrap(), |loss, (option, value)| {
            loss.with(option, value).unwrap()
        });
        let beside = Beside { optional, rows: 1, ignored: true };
        let mut seed = Stream(place as u64);
        let mut problem = Problem::with(&loss, shape, &beside, &mut seed).unwrap();
        if optional.contains(&GRAD_OUTPUT.name) {
            let value = loss.value(&Reference, &problem.inputs()).unwrap();
            let data = value.data().iter().map(|_| seed.between(-1.0, 1.0)).collect();
            let cotangent = Dense::new(value.shape(), data).unwrap();
            problem.numbers.push((GRAD_OUTPUT.name, cotangent));
        }
        (loss, problem)
    })
}

fn round<T: Element>(array: &Dense) -> Vec<T> {
    array.data().iter().map(|&x| T::of(x)).collect()
}

fn labels<A>(inputs: Inputs<A>, problem: &Problem) -> Inputs<A> {
    problem
        .labels
        .iter()
        .fold(inputs, |inputs, (name, indices)| inputs.labels(name, indices.clone()))
}

/// Checks what the engine gives against the exact results, and against the library's own backend where it has one.
fn agree(
    loss: &AnyLoss,
    problem: &Problem,
    format: Format,
    fused: &Evaluation<Dense>,
    own: Option<&Evaluation<Dense>>,
) {
    let inputs = problem.clone().rounded(format).inputs();
    let exact = loss.value_and_grad(&Reference, &inputs).unwrap();
    let bound = || Tolerance::Bound(loss.error_bound(&inputs, format).unwrap());
    let wrong = judge(fused, &exact, &bound(), format);
    // Each of the two may be off by the bound.
    let wrong = wrong.or_else(|| judge(fused, own?, &bound().times(2.0), format));
    assert!(wrong.is_none(), "{} {}: {loss:?}", wrong.unwrap(), format.name);
}

/// The evaluation with every array turned into one on the host.
fn map<A>(got: &Evaluation<A>, host: impl Fn(&str, &A) -> Dense) -> Evaluation<Dense> {
    let grads = got.grads.iter().map(|(name, grad)| (name.clone(), host(name, grad)));
    Evaluation { value: host("", &got.value), grads: grads.collect() }
}

/// How the same array can be handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Handed {
    Owned,
    View,
    Transposed,
    Sliced,
    /// Repeated along its first axis, where it is the same all along it.
    Broadcast,
}

fn on_ndarray<T: Element + lossmith_ndarray::Element>(format: Format) {
    let host = |_: &str, array: &ArrayD<T>| {
        Dense::new(array.shape(), array.iter().map(|&x| x.into()).collect()).unwrap()
    };
    let ways = [Handed::Owned, Handed::View, Handed::Transposed, Handed::Sliced, Handed::Broadcast];
    for (loss, mut problem) in cases() {
        for way in ways {
            if way == Handed::Broadcast {
                for (_, array) in problem.numbers.iter_mut().filter(|(_, a)| a.shape().len() > 1) {
                    let [first, rest @ ..] = array.shape() else { unreachable!() };
                    let row = &array.data()[..rest.iter().product()];
                    *array = Dense::new(array.shape(), row.repeat(*first)).unwrap();
                }
            }
            let lies = |array: &Dense| {
                let plain = ArrayD::from_shape_vec(array.shape(), round::<T>(array)).unwrap();
                match (way, array.shape().len()) {
                    (Handed::Transposed, _) => plain.t().as_standard_layout().into_owned(),
                    (Handed::Sliced, 1..) => {
                        let mut sides = plain.shape().to_vec();
                        sides[0] += 2;
                        let mut wide = ArrayD::from_elem(IxDyn(&sides), T::of(f64::NAN));
                        wide.slice_axis_mut(Axis(0), Part::new(1, Some(-1), 1)).assign(&plain);
                        wide
                    }
                    (Handed::Broadcast, 2..) => plain.index_axis_move(Axis(0), 0),
                    _ => plain,
                }
            };
            let arrays = problem.numbers.iter().map(|(name, array)| (*name, lies(array), array));
            let arrays: Vec<_> = arrays.collect();
            let mut inputs = lossmith_ndarray::Inputs::<T>::new();
            for (name, array, plain) in &arrays {
                let mut view = array.view();
                inputs = match way {
                    Handed::Owned => inputs.tensor(name, array.clone()),
                    Handed::View => inputs.tensor(name, array),
                    Handed::Transposed => inputs.tensor(name, view.reversed_axes()),
                    Handed::Sliced => {
                        if view.ndim() > 0 {
                            view.slice_axis_inplace(Axis(0), Part::new(1, Some(-1), 1));
                        }
                        inputs.tensor(name, view)
                    }
                    Handed::Broadcast => {
                        inputs.tensor(name, array.broadcast(IxDyn(plain.shape())).unwrap())
                    }
                };
            }
            let inputs = labels(inputs, &problem);
            let own = loss.value_and_grad(&NdArray::new(), &inputs).unwrap();
            let got = loss.value_and_grad(&Fused::new(), &inputs).unwrap();
            for (_, output) in got.outputs() {
                let lies = output.as_slice_memory_order().is_some();
                assert!(lies, "{way:?}: gaps in a result of {loss:?}");
                let standard = output.is_standard_layout();
                assert!(standard || way == Handed::Transposed, "{way:?} {loss:?}");
            }
            agree(&loss, &problem, format, &map(&got, host), Some(&map(&own, host)));
        }
    }
}

#[test]
fn ndarray_f64() {
    on_ndarray::<f64>(Format::F64);
}

#[test]
fn ndarray_f32() {
    on_ndarray::<f32>(Format::F32);
}

#[test]
fn a_transposed_matrix_has_its_gradient_in_its_own_order() {
    let turned = ndarray::Array2::from_shape_fn((40, 30), |(r, c)| (r as f32 - c as f32).sin());
    let zeros = ndarray::Array2::<f32>::zeros((40, 30));
    let inputs = lossmith_ndarray::Inputs::<f32>::new()
        .tensor("input", turned.t())
        .tensor("target", zeros.t());
    let got = lossmith_core::loss::mse().value_and_grad(&Fused::new(), &inputs).unwrap();
    let grad = got.grad("input").unwrap();
    assert_eq!((grad.shape(), grad.is_standard_layout()), (&[30, 40][..], false));
    assert!(grad.t().is_standard_layout());
    let near = |(grad, x): (&f32, &f32)| (grad - 2.0 * x / 1200.0).abs() <= 1e-9;
    assert!(grad.t().iter().zip(&turned).all(near));
}

#[test]
fn axes_in_any_order_have_their_own_results() {
    let array = ndarray::Array3::from_shape_fn((4, 2, 3), |(a, b, c)| (a * 6 + b * 3 + c) as f64);
    let seen = array.view().permuted_axes([1, 2, 0]);
    let of = |x: ArrayViewD<'_, f64>| {
        let inputs = lossmith_ndarray::Inputs::<f64>::new().tensor("input", x);
        let got = catalogue::find("softplus").unwrap().value_and_grad(&Fused::new(), &inputs);
        got.unwrap().grads.remove(0).1
    };
    assert_eq!(of(seen.view().into_dyn()), of(seen.as_standard_layout().view().into_dyn()));
}

fn on_nalgebra<T: Element + lossmith_nalgebra::Element>(format: Format) {
    for (loss, problem) in cases() {
        // nalgebra has matrices, and losses over classes of a matrix.
        let shape = problem.numbers[0].1.shape();
        if shape.len() > 2 {
            continue;
        }
        for way in ["owned", "borrowed", "part"] {
            let matrix = |array: &Dense| match *array.shape() {
                [rows, columns] => DMatrix::from_row_slice(rows, columns, &round::<T>(array)),
                _ => DMatrix::from_vec(array.data().len(), 1, round::<T>(array)),
            };
            let lies = |array: &Dense| {
                let plain = matrix(array);
                if way != "part" {
                    return plain;
                }
                let (rows, columns) = plain.shape();
                let mut wide = DMatrix::from_element(rows + 3, columns + 2, T::of(f64::NAN));
                wide.view_mut((1, 2), (rows, columns)).copy_from(&plain);
                wide
            };
            let vector = |array: &Dense| DVector::from_vec(round::<T>(array));
            let arrays = problem.numbers.iter();
            let arrays: Vec<_> =
                arrays.map(|(name, array)| (*name, lies(array), vector(array), array)).collect();
            let mut inputs = lossmith_nalgebra::Inputs::<T>::new();
            for (name, matrix, vector, array) in &arrays {
                inputs = match (array.shape(), way) {
                    (&[rows, columns], "part") => {
                        inputs.tensor(name, matrix.view((1, 2), (rows, columns)))
                    }
                    ([_, _], "owned") => inputs.tensor(name, matrix.clone()),
                    ([_, _], _) => inputs.tensor(name, matrix),
                    (_, "owned") => inputs.tensor(name, vector.clone()),
                    _ => inputs.tensor(name, vector),
                };
            }
            let inputs = labels(inputs, &problem);
            let shape_of = |name: &str| {
                let of = problem.numbers.iter().find(|(other, _)| *other == name);
                let exact = || loss.value(&Reference, &problem.inputs()).unwrap();
                of.map_or_else(|| exact().shape().to_vec(), |(_, array)| array.shape().to_vec())
            };
            let host = |name: &str, matrix: &DMatrix<T>| {
                let shape = shape_of(name);
                let sides = match shape[..] {
                    [rows, columns] => (rows, columns),
                    _ => (shape.iter().product(), 1),
                };
                assert_eq!(matrix.shape(), sides, "{name} {loss:?}");
                let rows = matrix.transpose();
                Dense::new(&shape, rows.iter().map(|&x| x.into()).collect()).unwrap()
            };
            let own = match loss.value_and_grad(&Nalgebra::new(), &inputs) {
                // The one with an axis behind its classes, which the engine takes.
                Err(Error::Backend(_)) => {
                    assert_eq!(loss.entry().name, "softmax");
                    None
                }
                own => Some(map(&own.unwrap(), host)),
            };
            let got = loss.value_and_grad(&Fused::new(), &inputs).unwrap();
            agree(&loss, &problem, format, &map(&got, host), own.as_ref());
        }
    }
}

#[test]
fn nalgebra_f64() {
    on_nalgebra::<f64>(Format::F64);
}

#[test]
fn nalgebra_f32() {
    on_nalgebra::<f32>(Format::F32);
}

/// The engine's results in slices that are borrowed, and in those that are owned.
fn on_slices<T: Element>(loss: &AnyLoss, problem: &Problem) -> Evaluation<Slice<'static, T>> {
    let arrays = problem.numbers.iter().map(|(name, array)| (*name, array, round::<T>(array)));
    let arrays: Vec<_> = arrays.collect();
    let [mut borrowed, mut owned] = [Inputs::<Slice<'_, T>>::new(), Inputs::new()];
    for (name, array, elements) in &arrays {
        borrowed = borrowed.tensor(name, Slice::new(array.shape(), elements).unwrap());
        owned = owned.tensor(name, Slice::new(array.shape(), elements.clone()).unwrap());
    }
    let [borrowed, owned] = [borrowed, owned]
        .map(|inputs| loss.value_and_grad(&Fused::new(), &labels(inputs, problem)).unwrap());
    for ((name, a), (_, b)) in borrowed.outputs().zip(owned.outputs()) {
        let same = a
            .data()
            .iter()
            .zip(b.data())
            .all(|(a, b)| a.widen().to_f64().to_bits() == b.widen().to_f64().to_bits());
        assert!(same && a.shape() == b.shape(), "{name} {loss:?}");
    }
    owned
}

fn of_slice<T: Element>(_: &str, slice: &Slice<'_, T>) -> Dense {
    Dense::new(slice.shape(), slice.data().iter().map(|x| x.widen().to_f64()).collect()).unwrap()
}

fn on_half<T: Element + lossmith_half::Element>(format: Format) {
    for (loss, problem) in cases() {
        let got = map(&on_slices::<T>(&loss, &problem), of_slice);
        let mut inputs = lossmith_half::Inputs::<T>::new();
        for (name, array) in &problem.numbers {
            inputs = inputs.tensor(name, Slice::new(array.shape(), round::<T>(array)).unwrap());
        }
        let own = loss.value_and_grad(&Half::new(), &labels(inputs, &problem)).unwrap();
        agree(&loss, &problem, format, &got, Some(&map(&own, of_slice)));
    }
}

#[test]
fn half_f16() {
    on_half::<f16>(Format::F16);
}

#[test]
fn half_bf16() {
    on_half::<bf16>(Format::BF16);
}

#[test]
fn vectors_of_f32_and_f64() {
    for (loss, problem) in cases() {
        let got = map(&on_slices::<f32>(&loss, &problem), of_slice);
        agree(&loss, &problem, Format::F32, &got, None);
        let got = map(&on_slices::<f64>(&loss, &problem), of_slice);
        agree(&loss, &problem, Format::F64, &got, None);
    }
}

#[test]
fn the_cases_cover_what_they_are_for() {
    let layouts = cases().map(|(loss, _)| loss.definition().layout());
    let layouts: Vec<_> = layouts.collect();
    assert!(layouts.iter().any(|layout| matches!(layout, Layout::Pointwise)));
    assert!(layouts.iter().any(|layout| matches!(layout, Layout::Classes)));
    let given = |name: &str| {
        cases().any(|(_, problem)| problem.numbers.iter().any(|(other, _)| *other == name))
    };
    assert!(["weight", "pos_weight", "sample_weight", "grad_output"].into_iter().all(given));
}
