//! Faults that are known are found, and put down to the op that makes them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use half::f16;
use lossmith_core::catalogue::{self, Argument, Entry, Kind, Opt, Slot};
use lossmith_core::loss::{Arguments, Definition};
use lossmith_core::op::Axis::Class as Classes;
use lossmith_core::real::Real;
use lossmith_core::shape::Layout;
use lossmith_core::{Format, Loss, Terms};
use lossmith_exact::Oracle;
use lossmith_half::Half;
use lossmith_naive::Naive;
use lossmith_ndarray::NdArray;
use lossmith_precision::{Candidate, Cell, Class, Depth, Worst, causes, exhaust, search};
use lossmith_tests::backends::AnyLoss;

const DEPTH: Depth =
    Depth { rounds: 2, others: 2, steps: 10, long: 4096, longest: 1 << 16, classes: 4096, seed: 1 };
const SINGLE: Candidate = Candidate {
    backend: "ndarray",
    format: Format::F32,
    run: |loss, inputs| loss.value_and_grad(&NdArray::<f32>::new(), inputs),
};
const HALF: Candidate = Candidate {
    backend: "half",
    format: Format::F16,
    run: |loss, inputs| loss.value_and_grad(&Half::<f16>::new(), inputs),
};
const NAIVE: Candidate = Candidate {
    backend: "naive",
    format: Format::F16,
    run: |loss, inputs| loss.value_and_grad(&Naive::<f16>::default(), inputs),
};

fn found(loss: &AnyLoss, candidate: Candidate) -> Cell {
    let mut cells = search(loss, &[candidate], &DEPTH, &Oracle::new()).unwrap();
    cells.pop().unwrap()
}

fn value(cell: &Cell) -> &Worst {
    cell.outputs[0].1.worst.as_ref().unwrap()
}

/// The op that is most to blame.
fn blamed(loss: &AnyLoss, worst: &Worst, format: Format) -> String {
    let (spot, oracle) = ((&worst.spot.problem, worst.spot.class), Oracle::new());
    let at = ("value", worst.index);
    let all = if format == Format::F32 {
        causes(&NdArray::<f32>::new(), loss, spot, format, at, &oracle)
    } else {
        causes(&Naive::<f16>::default(), loss, spot, format, at, &oracle)
    };
    all.unwrap()[0].op.clone()
}

macro_rules! planted {
    ($name:ident, $layout:expr, $arguments:expr, |$a:ident| $terms:expr) => {{
        #[derive(Clone, Debug)]
        struct $name;
        const ENTRY: Entry =
            Entry { name: stringify!($name), kind: Kind::Loss, formula: "", arguments: $arguments };
        impl Definition for $name {
            fn entry(&self) -> &'static Entry {
                &ENTRY
            }
            fn layout(&self) -> Layout {
                $layout
            }
            fn terms<'g>(&self, $a: &Arguments<'g>) -> Terms<'g> {
                $terms
            }
        }
        let definition: Box<dyn Definition> = Box::new($name);
        Loss::new(definition)
    }};
}

#[test]
fn the_logarithm_of_a_sigmoid() {
    let loss = planted!(Naively, Layout::Pointwise, &[Argument::input()], |a| {
        Terms::new(a.tensor("input").sigmoid().ln())
    });
    let (bad, good) =
        (found(&loss, SINGLE), found(&catalogue::find("log_sigmoid").unwrap(), SINGLE));
    assert!(bad.outputs[0].1.flushed > 0 && good.outputs[0].1.flushed == 0);
    assert!(bad.outputs[0].1.max() > 1e4, "{}", bad.outputs[0].1.max());
    assert!(good.outputs[0].1.max() < 4.0, "{}", good.outputs[0].1.max());
    assert_eq!(blamed(&loss, value(&bad), Format::F32), "sigmoid");
}

#[test]
fn a_small_difference_of_large_numbers() {
    let loss =
        planted!(LessPicked, Layout::Classes, &[Argument::input(), Argument::labels()], |a| {
            let (x, y) = (a.tensor("input"), a.labels("target"));
            let m = x.max(Classes).detach();
            Terms::new(m + x.exp_sub(m).sum(Classes).ln() - y.pick(x))
        });
    let (bad, good) =
        (found(&loss, SINGLE), found(&catalogue::find("cross_entropy").unwrap(), SINGLE));
    let [bad_bits, good_bits] = [&bad, &good].map(|cell| cell.outputs[0].1.bits());
    assert!(bad_bits > good_bits + 5.0, "{bad_bits} {good_bits}");
    // Where the difference is all there is, nothing of it is left.
    let [bad_flushed, good_flushed] = [&bad, &good].map(|cell| cell.outputs[0].1.flushed);
    assert!(bad_flushed > good_flushed, "{bad_flushed} {good_flushed} {:?}", good.outputs[0].1.odd);
    let blamed = blamed(&loss, value(&bad), Format::F32);
    assert!(["add", "sub"].contains(&blamed.as_str()), "{blamed}");
}

#[test]
fn an_epsilon_that_the_format_does_not_have() {
    let loss = planted!(Epsilon, Layout::Pointwise, &[Argument::input()], |a| {
        let x = a.tensor("input");
        Terms::new(x / ((x.square() + 1e-12).sqrt()))
    });
    let cell = found(&loss, HALF);
    let odd = cell.outputs[0].1.odd.as_ref().unwrap();
    assert!(cell.outputs[0].1.disagreements() > 0);
    // In the format the square is 0, and the sum where it is not.
    let blamed = blamed(&loss, odd, Format::F16);
    assert!(["square", "add"].contains(&blamed.as_str()), "{blamed}");
    let fine = found(&loss, SINGLE);
    assert!(fine.outputs[0].1.percentile_99() < cell.outputs[0].1.percentile_99());
}

#[test]
fn a_sum_in_16_bits() {
    let loss = catalogue::find("l1").unwrap();
    let [bad, good] = [NAIVE, HALF].map(|candidate| found(&loss, candidate));
    let worst = value(&bad);
    assert!([Class::Long, Class::Repeated].contains(&worst.spot.class));
    assert!(
        worst.ulps > 50.0 && value(&good).ulps <= 0.5 + 1e-3,
        "{} {}",
        worst.ulps,
        value(&good).ulps
    );
    assert_eq!(blamed(&loss, worst, Format::F16), "sum of all");
    // Sums of the contract explain the one, but not the other.
    let [bad, good] = [&bad, &good].map(|cell| cell.outputs[0].1.explained);
    assert!(bad > 10.0 && good > 0.0 && good <= 1.0, "{bad} {good}");
}

#[test]
fn a_mean_that_is_wrong_only_where_it_is_long() {
    let loss = catalogue::find("l1").unwrap();
    let naive = Candidate {
        backend: "naive",
        format: Format::F32,
        run: |loss, inputs| loss.value_and_grad(&Naive::<f32>::default(), inputs),
    };
    let [bad, good] = [naive, SINGLE].map(|candidate| found(&loss, candidate));
    assert_eq!(value(&bad).spot.class, Class::Repeated);
    assert!(value(&bad).ulps > 20.0 && value(&good).ulps <= 0.51, "{}", value(&bad).ulps);
}

/// ln σ(x), well or badly.
#[derive(Clone, Debug)]
struct Either {
    badly: bool,
}

impl Definition for Either {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = Entry {
            name: "either",
            kind: Kind::Loss,
            formula: "",
            arguments: &[Argument::input()],
        };
        &ENTRY
    }
    fn options(&mut self) -> Vec<Opt<'_>> {
        vec![Opt { name: "badly", doc: "", slot: Slot::Flag(&mut self.badly) }]
    }
    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let x = a.tensor("input");
        Terms::new(if self.badly { x.sigmoid().ln() } else { -(-x).softplus() })
    }
}

#[test]
fn an_option_that_is_not_set() {
    let found = |others| {
        let definition: Box<dyn Definition> = Box::new(Either { badly: false });
        let depth = Depth { others, ..DEPTH };
        search(&Loss::new(definition), &[SINGLE], &depth, &Oracle::new()).unwrap().pop().unwrap()
    };
    // Options at random are the bad one every other time.
    let cell = found(8);
    let worst = value(&cell);
    assert!(worst.ulps > 1e4 && worst.spot.options == ["badly=true"], "{worst:?}");
    assert!(value(&found(0)).ulps < 4.0);
}

#[test]
fn the_same_seed_gives_the_same_worst() {
    let loss = catalogue::find("huber").unwrap();
    let [one, two] = [(), ()].map(|()| format!("{:?}", found(&loss, SINGLE).worst()));
    assert_eq!(one, two);
}

#[test]
fn all_numbers_of_16_bits_are_tried() {
    let loss = catalogue::find("sigmoid").unwrap();
    let mut cells = search(&loss, &[HALF], &DEPTH, &Oracle::new()).unwrap();
    let before = cells[0].outputs[0].1.count();
    exhaust(&loss, &[HALF], &mut cells, &Oracle::with_bits(128)).unwrap();
    let value = &cells[0].outputs[0].1;
    // All but NaN: infinities have finite sigmoids.
    assert_eq!(value.count() - before, 63_490);
    assert!(value.max() <= 0.51 && value.disagreements() == 0, "{value:?}");
}
