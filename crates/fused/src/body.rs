//! A stage as Rust source. `build.rs` writes that of every loss of the catalogue, so that a stage is one compiled loop
//! whose values stay in registers; the source is also the name by which it is found again. What is not found, because
//! the loss is a reader's own, is run op by op, to the same bits.

use crate::compiled;
use crate::program::{Arg, FullOp, Into, Op, Stage, Target};
use lossmith_core::op::{Binary, Compare, Reduce, Unary};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The most of each kind that a body takes; as many lower bounds as labels.
pub(crate) const READS: usize = 8;
pub(crate) const ONES: usize = 12;
pub(crate) const WRITES: usize = 4;
pub(crate) const LABELS: usize = 4;
pub(crate) const SUMMED: usize = 8;

/// What a body writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Write {
    /// The output at that place.
    Output(usize),
    /// What is kept at that place.
    Kept(usize),
}

/// How the rows lie that a body runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lying {
    /// One after the other: their lanes are classes, or elements of any kind.
    Apart,
    /// Side by side: their lanes are rows, of one class after the other.
    Beside,
}

/// The loop over the lanes of a stage, and what its variables are.
#[derive(Debug)]
pub(crate) struct Body {
    lying: Lying,
    /// What is another value for every lane, `x0` and so on, with its slot.
    pub(crate) reads: Vec<(Arg, usize)>,
    /// What is one value for all lanes, `n0`.
    pub(crate) ones: Vec<(Arg, usize)>,
    /// Of rows side by side, what is a value a row, `r0`, and a value a class, `c0`.
    pub(crate) rows: Vec<(Arg, usize)>,
    pub(crate) of_classes: Vec<(Arg, usize)>,
    /// The places of row values that exponentials are computed below: `b0`; `w0` of rows side by side.
    pub(crate) belows: Vec<usize>,
    /// The labels of rows: `l0`; `q0` of rows side by side.
    pub(crate) labels: Vec<usize>,
    /// What is written, `y0`.
    pub(crate) writes: Vec<Write>,
    /// What is added to, `v0`.
    pub(crate) sums: Vec<Into>,
    /// The row values that are maxima: `m0`; `h0` of rows side by side.
    pub(crate) largest: Vec<usize>,
    /// The row values that are sums, of rows side by side: `s0`.
    pub(crate) lane_sums: Vec<usize>,
    /// The place of the compiled loop.
    pub(crate) compiled: Option<usize>,
}

impl Body {
    /// The body of a stage with its source; none where it looks for one lane of a row.
    pub(crate) fn new(stage: &Stage, lying: Lying) -> Option<(Self, String)> {
        let mut body = Self {
            lying,
            reads: Vec::new(),
            ones: Vec::new(),
            rows: Vec::new(),
            of_classes: Vec::new(),
            belows: Vec::new(),
            labels: Vec::new(),
            writes: Vec::new(),
            sums: Vec::new(),
            largest: Vec::new(),
            lane_sums: Vec::new(),
            compiled: None,
        };
        let beside = lying == Lying::Beside;
        let (form, lanes) = if beside { ("beside", "FEW") } else { ("apart", "LANES") };
        let mut names: BTreeMap<usize, (String, Option<usize>)> = BTreeMap::new();
        for &(arg, slot) in &stage.loads {
            let (list, letter, lane) = match (arg, lying) {
                (Arg::Number(_), _) | (Arg::Row(_), Lying::Apart) => (&mut body.ones, "n", ""),
                (Arg::Row(_), Lying::Beside) => (&mut body.rows, "r", "[i]"),
                (Arg::Class(_), Lying::Beside) => (&mut body.of_classes, "c", ""),
                (Arg::Class(_), Lying::Apart)
                | (Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_), _) => {
                    (&mut body.reads, "x", "[i]")
                }
            };
            names.insert(slot, (format!("{letter}{}{lane}", list.len()), None));
            list.push((arg, slot));
        }
        // Each loop has one op that takes long, so that several vectors are at it at the same time.
        let mut loops = vec![String::new()];
        let mut long_ops = 0;
        let mut between = String::new();
        for (index, &op) in stage.full.iter().enumerate() {
            long_ops += usize::from(op.takes_long());
            if long_ops > loops.len() {
                loops.push(String::new());
            }
            let last = loops.len() - 1;
            for slot in op.slots() {
                let (name, made) = names.get_mut(&slot)?;
                if let Some(earlier) = made.take_if(|made| *made < last) {
                    let (own, shared) = (name.clone(), name.replace('a', "b"));
                    writeln!(between, "let {shared} = &mut Line([0.0; {lanes}]).0;").ok()?;
                    writeln!(loops[earlier], "{shared}[i] = {own};").ok()?;
                    *name = format!("{shared}[i]");
                }
            }
            let name = |slot: usize| names.get(&slot).map(|(name, _)| name.as_str());
            let line = match op {
                FullOp::Op(op, target) => {
                    let value = body.expression(op.named(name)?);
                    let (slot, write) = match target {
                        Target::Slot(slot) => (Some(slot), None),
                        Target::Kept(place, slot) => (Some(slot), Some(Write::Kept(place))),
                        Target::Output(place) => (None, Some(Write::Output(place))),
                    };
                    let written = write.map(|write| variable("y", &mut body.writes, write));
                    let written = written.map(|y| format!(" {y} = a{index};")).unwrap_or_default();
                    if let Some(slot) = slot {
                        names.insert(slot, (format!("a{index}"), Some(last)));
                    }
                    format!("let a{index} = {value};{written}")
                }
                FullOp::Output(slot, place) => {
                    let output = variable("y", &mut body.writes, Write::Output(place));
                    format!("{output} = {};", name(slot)?)
                }
                FullOp::LabelledOutput(op, labels, hit, place) => {
                    let miss = body.expression(op.named(name)?);
                    let op = Op::AtLabel(labels, name(hit)?, miss.as_str());
                    let value = body.expression(op);
                    format!("{} = {value};", variable("y", &mut body.writes, Write::Output(place)))
                }
                FullOp::Reduce(Reduce::Sum, slot, into) => body.sum(name(slot)?, into)?,
                FullOp::SumOfProducts([a, b], weighed, into) => {
                    let op = if weighed { Binary::Weigh } else { Binary::Mul };
                    let value = body.expression(Op::Binary(op, name(a)?, name(b)?));
                    body.sum(&value, into)?
                }
                FullOp::Reduce(Reduce::Max, slot, Into::Row(row)) if beside => {
                    let largest = variable("h", &mut body.largest, row);
                    format!("{largest} = Lane::max({largest}, {});", name(slot)?)
                }
                FullOp::Reduce(Reduce::Max, slot, Into::Row(row)) => {
                    format!("{} = {};", variable("m", &mut body.largest, row), name(slot)?)
                }
                FullOp::Reduce(Reduce::Max, _, Into::Fold(_)) | FullOp::Pick(..) => return None,
            };
            writeln!(loops[last], "{line}").ok()?;
        }
        let most = |lists: &[usize]| lists.iter().copied().max().unwrap_or(0);
        let fits = most(&[body.reads.len(), body.rows.len(), body.of_classes.len()]) <= READS
            && body.ones.len() <= ONES
            && most(&[body.labels.len(), body.belows.len()]) <= LABELS
            && most(&[body.sums.len(), body.lane_sums.len()]) <= SUMMED
            && most(&[body.writes.len(), body.largest.len()]) <= WRITES;
        let list = |letter: &str, count: usize| {
            let all: Vec<_> = (0..count).map(|place| format!("{letter}{place}")).collect();
            format!("[{}]", all.join(" "))
        };
        let (x, n) = (list("x", body.reads.len()), list("n", body.ones.len()));
        let (y, labels, largest) = (body.writes.len(), body.labels.len(), body.largest.len());
        let heads = match lying {
            Lying::Apart => {
                let of_row = body.belows.iter().enumerate().filter_map(|(place, row)| {
                    let one = body.ones.iter().position(|(arg, _)| *arg == Arg::Row(*row))?;
                    Some(format!("b{place} n{one}"))
                });
                let of_row = of_row.collect::<Vec<_>>().join(" ");
                let [l, y, m] = [list("l", labels), list("y", y), list("m", largest)];
                let v = list("v", body.sums.len());
                format!("{x} {n} {l} {y} {v} {m} [{of_row}] at")
            }
            Lying::Beside => {
                let [r, c] = [list("r", body.rows.len()), list("c", body.of_classes.len())];
                let [q, y, h] = [list("q", labels), list("y", y), list("h", largest)];
                let [s, w] = [list("s", body.lane_sums.len()), list("w", body.belows.len())];
                format!("{x} {r} {n} {c} {y} {q} {s} {h} {w}")
            }
        };
        let loops: String =
            loops.iter().map(|lines| format!("for i in 0..{lanes} {{\n{lines}}}\n")).collect();
        let source = format!("{form} {heads} class {{\n{between}{loops}}}");
        body.compiled = compiled::find(&source);
        (fits && !stage.full.is_empty()).then_some((body, source))
    }

    /// A value that is added up; of rows side by side, into a sum a row only.
    fn sum(&mut self, value: &str, into: Into) -> Option<String> {
        let sum = match (self.lying, into) {
            (Lying::Beside, Into::Row(row)) => variable("s", &mut self.lane_sums, row),
            (Lying::Beside, Into::Fold(_)) => return None,
            (Lying::Apart, _) => variable("v", &mut self.sums, into),
        };
        Some(format!("{sum} = {value};"))
    }

    /// The place of the row value of that name.
    fn row(&self, name: &str) -> Option<usize> {
        let (list, place) = match self.lying {
            Lying::Apart => (&self.ones, name.strip_prefix('n')?),
            Lying::Beside => (&self.rows, name.strip_prefix('r')?.strip_suffix("[i]")?),
        };
        match list.get(place.parse::<usize>().ok()?)? {
            (Arg::Row(row), _) => Some(*row),
            _ => None,
        }
    }

    /// The op as Rust; which labels and which largest of a row it asks for is noted.
    fn expression(&mut self, op: Op<&str>) -> String {
        match op {
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
            Op::AtLabel(labels, hit, miss) => {
                let place = place_of(&mut self.labels, labels);
                let at_label = match self.lying {
                    Lying::Apart => format!("LABELLED && at + lane(i) == l{place}"),
                    Lying::Beside => format!("q{place}[i] == class"),
                };
                format!("Lane::select({at_label}, {hit}, {miss})")
            }
            Op::ExpBelow(a, b) => {
                let row = self.row(b).map(|row| place_of(&mut self.belows, row));
                match (self.lying, row) {
                    (Lying::Apart, Some(place)) => format!("{a}.exp_below(b{place})"),
                    (Lying::Beside, Some(place)) => format!("{a}.exp_below(below(w{place}, i))"),
                    (_, None) => format!("{a}.exp_below({b}.below())"),
                }
            }
        }
    }
}

/// The place of a value among others, added where it is not there.
fn place_of<P: PartialEq>(all: &mut Vec<P>, value: P) -> usize {
    all.iter().position(|other| *other == value).unwrap_or_else(|| {
        all.push(value);
        all.len() - 1
    })
}

/// The lanes of the variable that stands for that place from here on.
fn variable<P>(letter: &str, places: &mut Vec<P>, place: P) -> String {
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

impl FullOp {
    /// The slots it reads.
    fn slots(self) -> Vec<usize> {
        let of = |op: Op<usize>| {
            let mut slots = Vec::new();
            op.map(|slot| slots.push(slot));
            slots
        };
        match self {
            Self::Op(op, _) => of(op),
            Self::LabelledOutput(op, _, hit, _) => [of(op), vec![hit]].concat(),
            Self::Reduce(_, slot, _) | Self::Pick(_, slot, _) | Self::Output(slot, _) => vec![slot],
            Self::SumOfProducts(slots, ..) => slots.to_vec(),
        }
    }

    /// Whether it takes many more steps than to read and write what it needs.
    fn takes_long(self) -> bool {
        let (Self::Op(op, _) | Self::LabelledOutput(op, ..)) = self else { return false };
        match op {
            Op::Unary(op, _) => !matches!(op, Unary::Neg | Unary::Abs | Unary::Sign),
            Op::Binary(op, ..) => matches!(op, Binary::ExpSub | Binary::LogAddExp),
            Op::ExpBelow(..) | Op::Tail(_) | Op::Log(_) => true,
            Op::Select(..) | Op::AtLabel(..) | Op::Softplus(..) | Op::Sigmoid(..) => false,
        }
    }
}
