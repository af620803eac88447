//! Formulas of a user's own, with ops where no loss of the catalogue has them, as on the reference.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../../core/tests/of/mod.rs"]
mod of;

use lossmith_conformance::{Tolerance, judge};
use lossmith_core::catalogue::Entry;
use lossmith_core::loss::Arguments;
use lossmith_core::op::Axis::{Batch, Class, Inner};
use lossmith_core::real::Real;
use lossmith_core::shape::Layout;
use lossmith_core::strided::{self, Order, Strided};
use lossmith_core::{
    Definition, Dense, Error, Evaluation, Format, Inputs, Loss, Reduction, Reference, Terms,
};
use lossmith_fused::{Element, Fused};
use of::{Function, Of};
use std::borrow::Cow;

type AnyLoss = Loss<Box<dyn Definition>>;

/// Each with its name.
const FORMULAS: [(&str, Function); 14] = [
    ("the largest of all", |x| x.max(Batch).max(Class).max(Inner)),
    ("beside the largest of all", |x| x - x.max(Batch).max(Class).max(Inner)),
    ("the largest of negative numbers", |x| (x - 2.0).max(Batch) * x + (x - 2.0).max(Inner)),
    ("beside the largest of a row", |x| x.exp_sub(x.max(Class))),
    ("beside the sum of inner positions", |x| x * x.sum(Inner)),
    ("beside the sum of a column", |x| x.log_add_exp(x.sum(Batch) * 0.125)),
    ("of a sum of all", |x| x * x.sum(Batch).sum(Class).sum(Inner).sigmoid()),
    ("roots", |x| (x.square() + 1.0).sqrt() + x.max(Class)),
    ("roots of sums", |x| x / (x.square().sum(Class) + 1.0).sqrt()),
    ("sigmoid", |x| x.sigmoid() * x.sum(Class)),
    ("softplus", |x| x.softplus() - x.max(Class).softplus()),
    ("logarithms", |x| (x.square() + 1.0).ln() - x.square().ln_1p() * 0.5),
    ("signs", |x| -(x.sign() * x.abs().exp_m1())),
    ("a choice", |x| x.relu() + x.minimum(x.sum(Class))),
];

/// A formula whose classes lie along the second of three axes.
#[derive(Clone, Debug)]
struct OfMiddle(Of);

impl Definition for OfMiddle {
    fn entry(&self) -> &'static Entry {
        self.0.entry()
    }

    fn layout(&self) -> Layout {
        Layout::Along(1)
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        self.0.terms(a)
    }
}

const SHAPES: [&[usize]; 5] = [&[3], &[2, 3], &[5, 40], &[33, 7], &[2, 3, 4]];

fn check(
    engine: impl Fn(&AnyLoss, &Dense) -> Evaluation<Dense>,
    format: Format,
    shapes: &[&[usize]],
    formulas: &[(&str, Function)],
) {
    for &shape in shapes {
        let n = shape.iter().product::<usize>();
        #[allow(clippy::cast_precision_loss, reason = "far below 2⁵³")]
        let numbers = (0..n).map(|i| (i * 37 % 101) as f64 / 64.0 - 0.71);
        let numbers = numbers.map(|x| format.round(x)).collect();
        let x = Dense::new(shape, numbers).unwrap();
        let inputs = Inputs::<Dense>::new().tensor("input", x.clone());
        for &(name, of) in formulas {
            let definition = || -> Box<dyn Definition> {
                if shape.len() > 2 { Box::new(OfMiddle(Of(of))) } else { Box::new(Of(of)) }
            };
            for reduction in [Reduction::Mean, Reduction::None] {
                let loss = Loss::new(definition()).reduction(reduction);
                let expected = loss.value_and_grad(&Reference, &inputs).unwrap();
                let got = engine(&loss, &x);
                // In f64 the reference rounds as well.
                let bound = Tolerance::Bound(loss.error_bound(&inputs, format).unwrap());
                let wrong = judge(&got, &expected, &bound.times(2.0), format);
                assert!(wrong.is_none(), "{name} {shape:?} {reduction:?}: {}", wrong.unwrap());
            }
        }
    }
}

#[test]
fn in_double_precision() {
    check(rounded::<f64>, Format::F64, &SHAPES, &FORMULAS);
}

#[test]
fn in_single_precision() {
    check(rounded::<f32>, Format::F32, &SHAPES, &FORMULAS);
}

/// An array whose first axis is contiguous.
struct Reversed {
    shape: Vec<usize>,
    strides: Vec<usize>,
    elements: Vec<f32>,
}

impl Reversed {
    #[allow(clippy::cast_possible_truncation, reason = "numbers that the format has")]
    fn new(array: &Dense) -> Self {
        let (shape, elements) = (array.shape().to_vec(), array.data());
        let reversed: Vec<usize> = shape.iter().rev().copied().collect();
        let (of, to) = (strided::row_major(&shape), strided::row_major(&reversed));
        let of: Vec<usize> = of.into_iter().rev().collect();
        let elements = strided::gather(elements, &of, &reversed);
        let elements = elements.into_iter().map(|x| x as f32).collect();
        Self { shape, strides: to.into_iter().rev().collect(), elements }
    }
}

impl Strided for Reversed {
    type Element = f32;
    type Output = Dense;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn elements(&self) -> (Cow<'_, [f32]>, Vec<usize>) {
        (self.elements.as_slice().into(), self.strides.clone())
    }

    fn from_elements(shape: &[usize], elements: Vec<f32>, order: Order) -> Result<Dense, Error> {
        Dense::from_elements(shape, elements.into_iter().map(f64::from).collect(), order)
    }
}

fn reversed(loss: &AnyLoss, x: &Dense) -> Evaluation<Dense> {
    let inputs = Inputs::<Reversed>::new().tensor("input", Reversed::new(x));
    loss.value_and_grad(&Fused::new(), &inputs).unwrap()
}

fn rounded<T: Element>(loss: &AnyLoss, x: &Dense) -> Evaluation<Dense> {
    let inputs = Inputs::<Dense>::new().tensor("input", x.clone());
    loss.value_and_grad(&Fused::new().rounded::<T>(), &inputs).unwrap()
}

#[test]
fn however_axes_lie() {
    let shapes: [&[usize]; 4] = [&[5, 40], &[3, 600], &[2, 3, 4], &[3, 2, 600]];
    check(reversed, Format::F32, &shapes, &FORMULAS);
}

#[test]
fn of_many_rows_and_columns() {
    let across: Vec<_> = FORMULAS.into_iter().filter(|(name, _)| name.contains("column")).collect();
    assert!(!across.is_empty());
    let shapes: [&[usize]; 2] = [&[3, 5000], &[60_000, 5]];
    check(rounded::<f32>, Format::F32, &shapes, &across);
    check(reversed, Format::F32, &shapes, &across);
}

/// What such a sum has lost is no number, and not added.
#[test]
fn sums_that_overflow_are_infinite() {
    for rows in [1, 4, 65] {
        let x = Dense::new(&[rows, 3], vec![1e308; rows * 3]).unwrap();
        let loss: AnyLoss = Loss::new(Box::new(Of(|x| x.sum(Class))));
        let got = rounded::<f64>(&loss.reduction(Reduction::Sum), &x);
        assert_eq!(got.value.data(), [f64::INFINITY]);
    }
}

#[test]
fn sums_of_doubles_over_few_classes_keep_what_they_lose() {
    // Each row's sum is there once for every class.
    const FORMULAS: [(&str, Function, f64); 4] = [
        ("of rows", |x| x.sum(Class), 63.0 * 63.0 * 0.1),
        ("of products in rows", |x| (x * x).sum(Class), 63.0 * 63.0 * (0.1 * 0.1)),
        ("of all", |x| x + x.max(Class), 63.0 * 0.2),
        ("of all products", |x| x * x.max(Class), 63.0 * (0.1 * 0.1)),
    ];
    for rows in [1, 4, 16, 65] {
        let x = Dense::new(&[rows, 63], vec![0.1; rows * 63]).unwrap();
        let inputs = Inputs::<Dense>::new().tensor("input", x);
        for (name, of, row) in FORMULAS {
            let loss = Loss::new(Of(of)).reduction(Reduction::Sum);
            let got = loss.value(&Fused::new().rounded::<f64>(), &inputs).unwrap().data()[0];
            #[allow(clippy::cast_precision_loss, reason = "65")]
            let expected = rows as f64 * row;
            let off = (got - expected).abs() / (expected * f64::EPSILON);
            assert!(off <= 2.0, "{name} {rows}: {got:e} is off by {off} ε");
        }
    }
}
