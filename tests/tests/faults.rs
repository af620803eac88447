//! What others do to a loss: many threads at once, panics in their code, and more elements than memory.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::backend::{Operand, Powers};
use lossmith_core::catalogue::{Argument, Entry, Kind, all};
use lossmith_core::loss::{Arguments, mse};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::reference::Tensor;
use lossmith_core::strided::Order;
use lossmith_core::{
    Backend, Definition, Dense, Error, Evaluation, Inputs, Labels, Loss, Reduction, Reference,
    Strided, Terms,
};
use lossmith_fused::Fused;
use lossmith_ndarray::NdArray;
use lossmith_tests::backends::{AnyLoss, BACKENDS};
use lossmith_tests::{Problem, Stream, with_options};
use std::borrow::Cow;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Barrier;

fn bits(got: &Evaluation<Dense>) -> Vec<u64> {
    got.outputs().flat_map(|(_, output)| output.data()).map(|x| x.to_bits()).collect()
}

/// Every loss of the catalogue with options of its own, and a problem for it.
fn problems() -> Vec<(AnyLoss, Problem)> {
    let mut seed = Stream(11);
    let with = |loss| {
        let loss = with_options(loss, &mut seed).unwrap();
        let problem = Problem::random(&loss, &mut seed).unwrap();
        (loss, problem)
    };
    all().into_iter().map(with).collect()
}

#[test]
fn a_loss_gives_the_same_bits_to_sixteen_threads_at_once() {
    const THREADS: usize = 16;
    for (loss, problem) in problems() {
        for &(name, format, run) in BACKENDS {
            let inputs = problem.clone().rounded(format).inputs();
            let Ok(right) = run(&loss, &inputs) else { continue };
            let at_once = Barrier::new(THREADS);
            let one = || {
                at_once.wait();
                run(&loss, &inputs).map(|got| bits(&got))
            };
            let all = std::thread::scope(|scope| {
                let threads = [(); THREADS].map(|()| scope.spawn(one));
                threads.map(|thread| thread.join().unwrap().unwrap())
            });
            let same = all.iter().all(|got| *got == bits(&right));
            assert!(same, "{name} {}: {loss:?} {problem:?}", format.name);
        }
    }
}

/// The reference, but for one op that panics.
struct Panics;

impl Backend for Panics {
    type Tensor = Tensor;
    type Labels = Labels<'static>;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: Operand<'_, Tensor>) -> Result<Tensor, Infallible> {
        Reference.unary(op, x)
    }

    fn binary(
        &self,
        _: Binary,
        _: Operand<'_, Tensor>,
        _: Operand<'_, Tensor>,
    ) -> Result<Tensor, Infallible> {
        panic!("in a backend")
    }

    fn select(
        &self,
        compare: Compare,
        ab: [Operand<'_, Tensor>; 2],
        then_else: [Operand<'_, Tensor>; 2],
    ) -> Result<Tensor, Infallible> {
        Reference.select(compare, ab, then_else)
    }

    fn reduce(&self, op: Reduce, x: Operand<'_, Tensor>, axis: Axis) -> Result<Tensor, Infallible> {
        Reference.reduce(op, x, axis)
    }

    fn fold(&self, op: Reduce, x: Operand<'_, Tensor>) -> Result<f64, Infallible> {
        Reference.fold(op, x)
    }

    fn at_label(
        &self,
        labels: &Self::Labels,
        hit: Operand<'_, Tensor>,
        miss: Operand<'_, Tensor>,
    ) -> Result<Tensor, Infallible> {
        Reference.at_label(labels, hit, miss)
    }

    fn powers(&self) -> Powers<'_, Tensor, Infallible> {
        Reference.powers()
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Self::Labels, Infallible> {
        Reference.labels(labels)
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor, Infallible> {
        Reference.upload(sides, data)
    }

    fn download(&self, x: &Tensor) -> Result<Vec<f64>, Infallible> {
        Reference.download(x)
    }
}

/// A loss that panics where its formula should be.
#[derive(Clone, Debug)]
struct Formula;

impl Definition for Formula {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "panics",
            kind: Kind::Loss,
            formula: "none",
            arguments: &[Argument::input(), Argument::target()],
        };
        &ENTRY
    }

    fn terms<'g>(&self, _: &Arguments<'g>) -> Terms<'g> {
        panic!("in a definition")
    }
}

/// An array of one number over and over, which takes no memory; it panics when it is read where it has none.
#[derive(Clone, Debug)]
struct Repeated(Vec<usize>, Option<f32>);

impl Strided for Repeated {
    type Element = f32;
    type Output = Dense;

    fn shape(&self) -> Vec<usize> {
        self.0.clone()
    }

    fn elements(&self) -> (Cow<'_, [f32]>, Vec<usize>) {
        let number = self.1.expect("in an array");
        (vec![number].into(), vec![0; self.0.len()])
    }

    fn from_elements(shape: &[usize], elements: Vec<f32>, _: Order) -> Result<Dense, Error> {
        Dense::new(shape, elements.into_iter().map(f64::from).collect())
    }
}

/// The panic that a call ends in.
fn panics<T>(call: impl FnOnce() -> T) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).err().expect("it panics");
    let owned = panic.downcast_ref::<String>().cloned();
    owned.or_else(|| panic.downcast_ref::<&str>().map(|&words| words.into())).unwrap()
}

#[test]
fn a_panic_in_what_a_user_gives_changes_nothing_after_it() {
    let (loss, fused) = (mse(), Fused::new().threads(3).unwrap());
    let data: Vec<f64> = (0..300_000).map(f64::from).map(f64::sin).collect();
    let inputs = Inputs::<Dense>::new()
        .tensor("input", data.clone())
        .tensor("target", vec![0.5; data.len()]);
    let run = || {
        let exact = loss.value_and_grad(&Reference, &inputs).unwrap();
        [bits(&exact), bits(&loss.value_and_grad(&fused, &inputs).unwrap())]
    };
    let before = run();
    assert_eq!(panics(|| loss.value_and_grad(&Panics, &inputs)), "in a backend");
    assert_eq!(run(), before);
    for engine in [&fused, &Fused::new()] {
        assert_eq!(
            panics(|| Loss::new(Formula).value_and_grad(engine, &inputs)),
            "in a definition"
        );
    }
    assert_eq!(panics(|| Loss::new(Formula).value(&Reference, &inputs)), "in a definition");
    assert_eq!(run(), before);
    let unreadable = Inputs::<Repeated>::new()
        .tensor("input", Repeated(vec![300_000], None))
        .tensor("target", Repeated(vec![300_000], Some(0.5)));
    assert!(panics(|| loss.value(&fused, &unreadable)).contains("in an array"));
    assert_eq!(run(), before);
}

fn repeated(shape: &[usize], x: f32) -> Inputs<Repeated> {
    Inputs::new()
        .tensor("input", Repeated(shape.to_vec(), Some(x)))
        .tensor("target", Repeated(shape.to_vec(), Some(1.0)))
}

#[test]
fn more_elements_than_32_bits_count_are_all_added_up() {
    let n = (1_usize << 31) + 9;
    let sum = mse().reduction(Reduction::Sum).value(&Fused::new(), &repeated(&[n], 1.5)).unwrap();
    assert_eq!(sum.data(), [f64::from(n as f32 * 0.25)]);
}

#[test]
fn more_elements_than_memory_can_be_asked_for_are_refused() {
    for shape in [&[1 << 59][..], &[1 << 62], &[1 << 30, 1 << 30], &[1 << 40, 1 << 40, 0]] {
        let inputs = repeated(shape, 1.5);
        for words in [
            mse().value(&Fused::new(), &inputs).unwrap_err().to_string(),
            mse().value_and_grad(&Fused::new(), &inputs).unwrap_err().to_string(),
        ] {
            assert!(words.contains("more elements than can be counted"), "{words}");
        }
    }
    // ndarray counts elements, not bytes.
    let one = ndarray::arr0(1.0_f32);
    let wide = one.broadcast(ndarray::IxDyn(&[1 << 61])).unwrap();
    let inputs = lossmith_ndarray::Inputs::<f32>::new()
        .tensor("input", wide.view())
        .tensor("target", wide.view());
    let words = mse().value_and_grad(&NdArray::new(), &inputs).unwrap_err().to_string();
    assert!(words.contains("more elements than can be counted"), "{words}");
}
