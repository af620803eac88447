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
pub(crate) const LABELS: usize = 2;

/// The loop over the lanes of a stage, and what its variables are.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// The slots that are another value for every lane, `x0` and so on.
    pub(crate) reads: Vec<usize>,
    /// The slots that are one value for all lanes, `n0`.
    pub(crate) ones: Vec<usize>,
    /// What is written, `y0`.
    pub(crate) writes: Vec<Written>,
    /// What is added up, `v0`.
    pub(crate) sums: Vec<Into>,
    /// The row values that are the largest of something, `m0`.
    pub(crate) largest: Vec<usize>,
    /// Whose class is asked for, `l0`.
    pub(crate) labels: Vec<usize>,
    /// The place of the compiled loop.
    pub(crate) compiled: Option<usize>,
}

/// Where a body writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// The output at that place.
    Output(usize),
    /// What is kept at that place.
    Kept(usize),
}

impl Body {
    /// The body of a stage whose lanes lie along the classes, or do not, with its source; none where it needs labels or
    /// makes row values otherwise than along the classes.
    pub(crate) fn new(stage: &Stage, along_classes: bool) -> Option<(Self, String)> {
        let mut body = Self::default();
        let mut names = BTreeMap::new();
        for &(arg, slot) in &stage.loads {
            let one = match arg {
                Arg::Number(_) => true,
                Arg::Class(_) => !along_classes,
                Arg::Row(_) => along_classes,
                Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => false,
            };
            let (list, letter, lane) =
                if one { (&mut body.ones, "n", "") } else { (&mut body.reads, "x", "[i]") };
            names.insert(slot, format!("{letter}{}{lane}", list.len()));
            list.push(slot);
        }
        let mut source = String::new();
        for (index, &op) in stage.full.iter().enumerate() {
            let name = |slot: usize| names.get(&slot).map(String::as_str);
            let line = match op {
                FullOp::Op(op, target) => {
                    let value = body.expression(op.named(name)?, along_classes)?;
                    match target {
                        Target::Slot(slot) => {
                            let line = format!("let a{index} = {value};");
                            names.insert(slot, format!("a{index}"));
                            line
                        }
                        Target::Kept(place, slot) => {
                            let write = body.write(Written::Kept(place));
                            names.insert(slot, format!("a{index}"));
                            format!("let a{index} = {value}; {write} = a{index};")
                        }
                        Target::Output(place) => {
                            format!("{} = {value};", body.write(Written::Output(place)))
                        }
                    }
                }
                FullOp::Output(slot, place) => {
                    format!("{} = {};", body.write(Written::Output(place)), name(slot)?)
                }
                FullOp::Reduce(Reduce::Sum, slot, into) => {
                    format!("{} = {};", body.sum(into, along_classes)?, name(slot)?)
                }
                FullOp::SumOfProducts([a, b], weighed, into) => {
                    let op = if weighed { Binary::Weigh } else { Binary::Mul };
                    let value =
                        body.expression(Op::Binary(op, name(a)?, name(b)?), along_classes)?;
                    format!("{} = {value};", body.sum(into, along_classes)?)
                }
                FullOp::Reduce(Reduce::Max, slot, Into::Row(row)) if along_classes => {
                    body.largest.push(row);
                    format!("m{}[i] = {};", body.largest.len() - 1, name(slot)?)
                }
                FullOp::LabelledOutput(op, labels, hit, place) => {
                    let rest = body.expression(op.named(name)?, along_classes)?;
                    let op = Op::AtLabel(labels, name(hit)?, rest.as_str());
                    let value = body.expression(op, along_classes)?;
                    format!("{} = {value};", body.write(Written::Output(place)))
                }
                FullOp::Reduce(Reduce::Max, ..) | FullOp::Pick(..) => return None,
            };
            writeln!(source, "{line}").ok()?;
        }
        let fits = body.reads.len() <= READS
            && body.ones.len() <= ONES
            && body.writes.len().max(body.sums.len()).max(body.largest.len()) <= WRITES
            && body.labels.len() <= LABELS;
        let heads = [
            ("x", body.reads.len()),
            ("n", body.ones.len()),
            ("l", body.labels.len()),
            ("y", body.writes.len()),
            ("v", body.sums.len()),
            ("m", body.largest.len()),
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

    fn label(&mut self, labels: usize) -> usize {
        let known = self.labels.iter().position(|&other| other == labels);
        known.unwrap_or_else(|| {
            self.labels.push(labels);
            self.labels.len() - 1
        })
    }

    /// The op as Rust; none if it asks for labels otherwise than along the classes.
    fn expression(&mut self, op: Op<&str>, along_classes: bool) -> Option<String> {
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
            Op::Tail(x) => format!("Lane::exp(-Lane::abs({x}))"),
            Op::Softplus(x, tail) => format!("softplus_of({x}, {tail})"),
            Op::Sigmoid(x, tail) => format!("sigmoid_of({x}, {tail})"),
            Op::AtLabel(labels, hit, miss) => {
                along_classes.then_some(())?;
                format!("Lane::select(lane(i) == l{}, {hit}, {miss})", self.label(labels))
            }
        })
    }

    fn write(&mut self, written: Written) -> String {
        self.writes.push(written);
        format!("y{}[i]", self.writes.len() - 1)
    }

    fn sum(&mut self, into: Into, along_classes: bool) -> Option<String> {
        (along_classes || matches!(into, Into::Fold(_))).then_some(())?;
        self.sums.push(into);
        Some(format!("v{}[i]", self.sums.len() - 1))
    }
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
