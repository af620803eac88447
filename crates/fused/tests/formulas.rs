//! Formulas of a user's own, with ops where no loss of the catalogue has them, as on the reference.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::{Tolerance, judge};
use lossmith_core::catalogue::{Argument, Entry, Kind};
use lossmith_core::graph::Var;
use lossmith_core::loss::Arguments;
use lossmith_core::op::Axis::{Batch, Class, Inner};
use lossmith_core::real::Real;
use lossmith_core::{Definition, Dense, Format, Inputs, Loss, Reduction, Reference, Runner, Terms};
use lossmith_fused::Fused;

type Function = for<'g> fn(Var<'g>) -> Var<'g>;

/// A function of the input.
#[derive(Clone, Debug)]
struct Of(Function);

impl Definition for Of {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "of",
            kind: Kind::Loss,
            formula: "f(x)",
            arguments: &[Argument::input()],
        };
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new((self.0)(a.tensor("input")))
    }
}

/// Each with its name.
const FORMULAS: [(&str, Function); 12] = [
    ("the largest of all", |x| x.max(Batch).max(Class).max(Inner)),
    ("beside the largest of all", |x| x - x.max(Batch).max(Class).max(Inner)),
    ("beside the largest of a row", |x| x.exp_sub(x.max(Class))),
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

fn check(engine: &impl Runner<Dense, Output = Dense>, format: Format) {
    for shape in [&[3][..], &[2, 3], &[5, 40], &[33, 7], &[2, 3, 4]] {
        let n = shape.iter().product::<usize>();
        #[allow(clippy::cast_precision_loss, reason = "a few hundred")]
        let numbers = (0..n).map(|i| (i * 37 % 101) as f64 / 64.0 - 0.71);
        let numbers = numbers.map(|x| format.round(x)).collect();
        let x = Dense::new(shape, numbers).unwrap();
        let inputs = Inputs::<Dense>::new().tensor("input", x);
        for (name, of) in FORMULAS {
            for reduction in [Reduction::Mean, Reduction::None] {
                let loss = Loss::new(Of(of)).reduction(reduction);
                let expected = loss.value_and_grad(&Reference, &inputs).unwrap();
                let got = loss.value_and_grad(engine, &inputs).unwrap();
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
    check(&Fused::new().rounded::<f64>(), Format::F64);
}

#[test]
fn in_single_precision() {
    check(&Fused::new().rounded::<f32>(), Format::F32);
}
