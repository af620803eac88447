//! A stage as Rust source. `build.rs` writes that of every loss of the catalogue, so that a stage is one compiled loop
//! whose values stay in registers; the source is also the name by which it is found again. What is not found, because
//! the loss is a reader's own, is run op by op, to the same bits.

use crate::compiled;
use crate::program::{Arg, FullOp, Into, Op, Stage, Target};
use lossmith_core::op::{Binary, Compare, Reduce, Unary};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most of each kind that a body takes.
pub(crate) const READS: usize = 8;
pub(crate) const ONES: usize = 12;
pub(crate) const WRITES: usize = 4;

/// The loop over the lanes of a stage, and what its variables are.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The slots that are another value for every lane, `x0` and so on.
    pub(crate) reads: Vec<usize>,
    /// The slots that are one value for all lanes, `n0`.
    pub(crate) ones: Vec<usize>,
    /// The outputs that are written, `y0`.
    pub(crate) writes: Vec<usize>,
    /// The folds that are added to, `v0`.
    pub(crate) sums: Vec<usize>,
    /// The place of the compiled loop.
    pub(crate) compiled: Option<usize>,
}

impl Body {
    /// The body of a stage with its source; none where it asks for labels or makes row values: those loops are short, and
    /// gain nothing.
    pub(crate) fn new(stage: &Stage) -> Option<(Self, String)> {
        let mut body = Self::default();
        let mut names = BTreeMap::new();
        for &(arg, slot) in &stage.loads {
            let one = matches!(arg, Arg::Number(_) | Arg::Row(_));
            let (list, letter, lane) =
                if one { (&mut body.ones, "n", "") } else { (&mut body.reads, "x", "[i]") };
            names.insert(slot, format!("{letter}{}{lane}", list.len()));
            list.push(slot);
        }
        let mut source = String::new();
        for (index, &op) in stage.full.iter().enumerate() {
            let name = |slot: usize| names.get(&slot).map(String::as_str);
            let line = match op {
                FullOp::Op(op, Target::Slot(slot)) => {
                    let value = expression(op.named(name)?)?;
                    names.insert(slot, format!("a{index}"));
                    format!("let a{index} = {value};")
                }
                FullOp::Op(op, Target::Output(place)) => {
                    let value = expression(op.named(name)?)?;
                    format!("{} = {value};", variable("y", &mut body.writes, place))
                }
                FullOp::Output(slot, place) => {
                    format!("{} = {};", variable("y", &mut body.writes, place), name(slot)?)
                }
                FullOp::Reduce(Reduce::Sum, slot, Into::Fold(place)) => {
                    format!("{} = {};", variable("v", &mut body.sums, place), name(slot)?)
                }
                FullOp::SumOfProducts([a, b], weighed, Into::Fold(place)) => {
                    let op = if weighed { Binary::Weigh } else { Binary::Mul };
                    let value = expression(Op::Binary(op, name(a)?, name(b)?))?;
                    format!("{} = {value};", variable("v", &mut body.sums, place))
                }
                FullOp::Op(_, Target::Kept(..))
                | FullOp::Reduce(..)
                | FullOp::SumOfProducts(..)
                | FullOp::Pick(..)
                | FullOp::LabelledOutput(..) => return None,
            };
            writeln!(source, "{line}").ok()?;
        }
        let fits = body.reads.len() <= READS
            && body.ones.len() <= ONES
            && body.writes.len().max(body.sums.len()) <= WRITES;
        let heads = [
            ("x", body.reads.len()),
            ("n", body.ones.len()),
            ("y", body.writes.len()),
            ("v", body.sums.len()),
        ];
        let list = |(letter, count)| {
            let all: Vec<_> = (0..count).map(|place| format!("{letter}{place}")).collect();
            format!("[{}]", all.join(" "))
        };
        let heads = heads.map(list);
        let source = format!("{} i {{\n{source}}}", heads.join(" "));
        body.compiled = compiled::find(&source);
        (fits && !stage.full.is_empty()).then_some((body, source))
    }
}

/// The lanes of the variable that stands for that place from here on.
fn variable(letter: &str, places: &mut Vec<usize>, place: usize) -> String {
    places.push(place);
    format!("{letter}{}[i]", places.len() - 1)
}

impl Op<usize> {
    /// The op of the names of slots.
    fn named<'n>(self, name: impl Fn(usize) -> Option<&'n str>) -> Option<Op<&'n str>> {
        let mut all = true;
        let named = self.map(|slot| {
            let name = name(slot);
            all &= name.is_some();
            name.unwrap_or_default()
        });
        all.then_some(named)
    }
}

/// The op as Rust; none if it asks for labels.
fn expression(op: Op<&str>) -> Option<String> {
    Some(match op {
        Op::Unary(Unary::Neg, x) => format!("-{x}"),
        Op::Unary(op, x) => {
            let function = match op {
                Unary::Neg => "neg",
                Unary::Abs => "abs",
                Unary::Sign => "sign",
                Unary::Exp => "exp",
                Unary::Expm1 => "expm1",
                Unary::Ln => "ln",
                Unary::Ln1p => "ln1p",
                Unary::Sqrt => "sqrt",
                Unary::Sigmoid => "sigmoid",
                Unary::Softplus => "softplus",
            };
            format!("Lane::{function}({x})")
        }
        Op::Binary(op, a, b) => match op {
            Binary::Add => format!("{a} + {b}"),
            Binary::Sub => format!("{a} - {b}"),
            Binary::Mul => format!("{a} * {b}"),
            Binary::Div => format!("{a} / {b}"),
            Binary::Weigh => format!("Lane::weigh({a}, {b})"),
            Binary::ExpSub => format!("Lane::exp_sub({a}, {b})"),
            Binary::LogAddExp => format!("Lane::log_add_exp({a}, {b})"),
        },
        Op::Select(compare, [a, b], [then, otherwise]) => {
            let compare = match compare {
                Compare::Eq => "==",
                Compare::Lt => "<",
                Compare::Le => "<=",
            };
            format!("Lane::select({a} {compare} {b}, {then}, {otherwise})")
        }
        Op::Tail(x) => format!("Lane::tail({x})"),
        Op::Log(tail) => format!("Lane::log_of_tail({tail})"),
        Op::Softplus(x, log) => format!("softplus_of({x}, {log})"),
        Op::Sigmoid(x, tail) => format!("sigmoid_of({x}, {tail})"),
        Op::AtLabel(..) => return None,
    })
}
