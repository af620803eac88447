//! What is computed in a pass: at which stage every value is made, from which slots and into which.

use crate::lower::{CLASS, Lowering, Root, mask};
use crate::program::{Arg, FullOp, Into, Op, Pass, RowOp, Stage, Target};
use crate::tails::Tails;
use lossmith_core::graph::{Dim, Id, NUMBER, Node, Shape};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use std::collections::{BTreeMap, BTreeSet};
use std::mem::take;

/// What kind of value a node is in a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Number,
    Class,
    Row,
    Full,
}

/// More than this many simple ops, and a value is kept for later stages instead of being computed again.
const AGAIN: usize = 4;
const COSTLY: usize = 100;

/// A pass as it is written down.
pub(crate) struct Building<'a> {
    of: &'a Lowering,
    space: [bool; 3],
    pass: Pass,
    classes: BTreeMap<usize, usize>,
    rows: BTreeMap<usize, usize>,
    /// The stage of every row and full value.
    stage: BTreeMap<usize, usize>,
    stored: BTreeMap<usize, usize>,
    /// Row values that full values are computed from.
    narrowed: BTreeSet<usize>,
}

impl<'a> Building<'a> {
    pub(crate) fn new(of: &'a Lowering, shape: Shape, classes_of: Dim) -> Self {
        let space = mask(shape);
        let pass = Pass {
            shape,
            classes_of,
            by_row: false,
            inputs: Vec::new(),
            over: None,
            classes: Vec::new(),
            stages: Vec::new(),
            outputs: Vec::new(),
            row_folds: Vec::new(),
            row_outputs: Vec::new(),
            folds: Vec::new(),
            class_values: 0,
            row_values: 0,
            slots: 0,
            stored: 0,
        };
        let (classes, rows) = (BTreeMap::new(), BTreeMap::new());
        let (stage, stored) = (BTreeMap::new(), BTreeMap::new());
        Self { of, space, pass, classes, rows, stage, stored, narrowed: BTreeSet::new() }
    }

    fn kind(&self, index: usize) -> Kind {
        let (node, shape) = self.of.nodes[index];
        let own = mask(shape);
        if shape == NUMBER {
            Kind::Number
        } else if own == self.space && !self.space[CLASS] && !matches!(node, Node::Reduce(..)) {
            // Without classes there is nothing but rows.
            Kind::Row
        } else if own == [false, true, false] && self.space != own {
            Kind::Class
        } else if own[CLASS] {
            Kind::Full
        } else {
            Kind::Row
        }
    }

    /// The pass that makes those results; none where it cannot.
    pub(crate) fn pass(mut self, roots: &[Root]) -> Option<Pass> {
        // Everything that is computed here, arguments first.
        let mut all = BTreeSet::new();
        let mut open: Vec<_> =
            roots.iter().map(|&root| self.of.alias[self.of.source(root)]).collect();
        while let Some(index) = open.pop() {
            if self.of.nodes[index].1 != NUMBER && all.insert(index) {
                open.extend(self.of.reads(index));
                if let Some((_, hit)) = self.of.pick(index) {
                    // A class value that is picked from is made before.
                    if self.kind(hit) == Kind::Class {
                        open.push(hit);
                    }
                }
            }
        }
        for &index in &all {
            self.place(index)?;
        }
        let stages = self.stage.values().map(|stage| stage + 1).max().unwrap_or(1);
        self.pass.stages = (0..stages).map(|_| Stage::default()).collect();

        // What full values each stage is for.
        let mut wanted: Vec<Vec<(usize, FullOp)>> = vec![Vec::new(); stages];
        for &index in &all {
            let node = self.of.nodes[index].0;
            if self.kind(index) != Kind::Row {
                continue;
            }
            let row = self.rows[&index];
            let (full, op) = match (node, self.of.pick(index)) {
                (_, Some((labels, hit))) if !self.of.at_hand(hit) => {
                    (hit, FullOp::Pick(labels, 0, row))
                }
                (_, Some(_)) => continue,
                (Node::Reduce(op, x, _), None) => {
                    (self.of.alias[x.index()], FullOp::Reduce(op, 0, Into::Row(row)))
                }
                _ => continue,
            };
            wanted[self.stage_of(full)].push((full, op));
        }
        for root in roots {
            let source = self.of.alias[self.of.source(*root)];
            let full = mask(self.of.root_shape(*root))[CLASS];
            let place = match (root.output, self.of.nodes[root.node].0) {
                (Some(place), _) => place,
                (None, Node::Fold(op, _)) => {
                    self.pass.folds.push((root.node, op));
                    self.pass.folds.len() - 1
                }
                (None, _) => return None,
            };
            self.pass.outputs.extend(root.output);
            match (full, root.output) {
                (true, Some(_)) => {
                    wanted[self.stage_of(source)].push((source, FullOp::Output(0, place)));
                }
                (true, None) => {
                    wanted[self.stage_of(source)].push((
                        source,
                        FullOp::Reduce(self.pass.folds[place].1, 0, Into::Fold(place)),
                    ));
                }
                (false, Some(_)) => {
                    let arg = self.row_arg(source);
                    self.pass.row_outputs.push((place, arg));
                }
                (false, None) => {
                    let arg = self.row_arg(source);
                    self.pass.row_folds.push((place, arg));
                }
            }
        }
        for (stage, wanted) in wanted.iter().enumerate().rev() {
            self.full(stage, wanted);
        }
        let rows = all.iter().copied().filter(|&index| self.kind(index) == Kind::Row);
        let mut tails = Tails::new(self.of, rows);
        for &index in &all {
            self.row(index, &mut tails);
        }
        self.sink();
        self.pass.by_row = stages > 1
            || all.iter().any(|&index| matches!(self.of.nodes[index].0, Node::AtLabel(..)));
        for (index, place) in &self.rows {
            if self.narrowed.contains(place) {
                let stage = self.stage_of(*index);
                self.pass.stages[stage].narrowed.push(*place);
            }
        }
        Some(self.pass)
    }

    /// Gives a value its place and its stage.
    fn place(&mut self, index: usize) -> Option<()> {
        let (node, _) = self.of.nodes[index];
        match self.kind(index) {
            Kind::Number => {}
            Kind::Class => {
                let place = self.pass.class_values;
                let op = if let Node::Input(input) = node {
                    Err(input)
                } else {
                    Ok(self.op(node, |own, x| own.class_arg(x))?)
                };
                self.pass.classes.push((op, place));
                self.pass.class_values += 1;
                self.classes.insert(index, place);
            }
            kind @ (Kind::Row | Kind::Full) => {
                let reads = self.of.reads(index);
                let before = reads.iter().map(|&x| self.stage_of(x)).max().unwrap_or(0);
                let reduces = kind == Kind::Row
                    && matches!(node, Node::Reduce(..))
                    && self.of.pick(index).is_none_or(|(_, hit)| !self.of.at_hand(hit));
                self.stage.insert(index, before + usize::from(reduces));
                if kind == Kind::Row {
                    self.rows.insert(index, self.pass.row_values);
                    self.pass.row_values += 1;
                } else if let Node::Input(input) = node {
                    self.pass.inputs.push(input);
                }
            }
        }
        Some(())
    }

    fn stage_of(&self, index: usize) -> usize {
        self.stage.get(&index).copied().unwrap_or(0)
    }

    /// The op of a node, its arguments as they are read.
    fn op(&mut self, node: Node, mut arg: impl FnMut(&mut Self, usize) -> Arg) -> Option<Op<Arg>> {
        let mut get = |id: Id| {
            let index = self.of.alias[id.index()];
            arg(self, index)
        };
        Some(match node {
            Node::Unary(op, x) => Op::Unary(op, get(x)),
            Node::Binary(op, a, b) => Op::Binary(op, get(a), get(b)),
            Node::Select(compare, [a, b], [then, otherwise]) => {
                Op::Select(compare, [get(a), get(b)], [get(then), get(otherwise)])
            }
            Node::AtLabel(labels, hit, miss) => Op::AtLabel(labels, get(hit), get(miss)),
            Node::Constant(_)
            | Node::Input(_)
            | Node::Size(..)
            | Node::Reduce(..)
            | Node::Fold(..)
            | Node::Take(..)
            | Node::Put(..)
            | Node::Matmul(..)
            | Node::Spread(_)
            | Node::Detach(_) => return None,
        })
    }

    fn class_arg(&mut self, index: usize) -> Arg {
        self.classes.get(&index).map_or(Arg::Number(index), |&place| Arg::Class(place))
    }

    fn row_arg(&mut self, index: usize) -> Arg {
        match self.rows.get(&index) {
            Some(&place) => Arg::Row(place),
            None => self.class_arg(index),
        }
    }

    /// Writes down how a row value is made, at its stage.
    fn row(&mut self, index: usize, tails: &mut Tails<Arg>) {
        if self.kind(index) != Kind::Row {
            return;
        }
        let (place, stage) = (self.rows[&index], self.stage_of(index));
        let node = self.of.nodes[index].0;
        let op = match (node, self.of.pick(index)) {
            (Node::Input(input), _) => RowOp::Input(input),
            (_, Some((labels, hit))) if self.of.at_hand(hit) => match self.of.nodes[hit] {
                (Node::Input(input), shape)
                    if mask(shape)[CLASS] && self.kind(hit) == Kind::Full =>
                {
                    RowOp::Pick(labels, Arg::Input(input))
                }
                (_, shape) if mask(shape)[CLASS] => RowOp::Pick(labels, self.class_arg(hit)),
                _ => RowOp::Labelled(labels, self.row_arg(hit)),
            },
            // A reduction of the stage before has left it there.
            (Node::Reduce(..), _) => return,
            _ => {
                let Some(op) = self.op(node, Self::row_arg) else { return };
                let Pass { stages, row_values, .. } = &mut self.pass;
                RowOp::Op(tails.op(index, op, |op| {
                    stages[stage].rows.push((RowOp::Op(op), *row_values));
                    *row_values += 1;
                    Arg::Row(*row_values - 1)
                }))
            }
        };
        self.pass.stages[stage].rows.push((op, place));
    }

    /// Moves what is picked from inputs to the stage that reads it first: by then the inputs are in a near cache.
    fn sink(&mut self) {
        let stages = &mut self.pass.stages;
        let last = stages.len() - 1;
        let (picked, others): (Vec<_>, _) = take(&mut stages[0].rows)
            .into_iter()
            .partition(|(op, _)| matches!(op, RowOp::Pick(_, Arg::Input(_))));
        stages[0].rows = others;
        for (op, place) in picked {
            let reads = |stage: &Stage| {
                stage.loads.iter().any(|&(arg, _)| arg == Arg::Row(place))
                    || stage.rows.iter().any(|(op, _)| op.reads(place))
            };
            let to = stages.iter().position(reads).unwrap_or(last);
            stages[to].rows.insert(0, (op, place));
            let index = self.rows.iter().find(|(_, other)| **other == place);
            self.stage.extend(index.map(|(&index, _)| (index, to)));
        }
    }

    /// How many ops it takes to compute a full value again at a later stage.
    fn cost(&self, index: usize) -> usize {
        if self.kind(index) != Kind::Full {
            return 0;
        }
        let node = self.of.nodes[index].0;
        if matches!(node, Node::Input(_)) {
            return 0;
        }
        let simple = matches!(
            node,
            Node::Unary(Unary::Neg | Unary::Abs | Unary::Sign, _)
                | Node::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Weigh, ..)
                | Node::Select(..)
                | Node::AtLabel(..)
        );
        let own = if simple { 1 } else { COSTLY };
        own + self.of.reads(index).iter().map(|&x| self.cost(x)).sum::<usize>()
    }

    /// Writes down the full values of a stage, for what they are wanted; later stages come first, and say what is kept.
    fn full(&mut self, stage: usize, wanted: &[(usize, FullOp)]) {
        let mut needed = BTreeSet::new();
        let mut open: Vec<_> = wanted.iter().map(|(index, _)| *index).collect();
        open.extend(self.stored.keys().copied().filter(|&kept| self.stage_of(kept) == stage));
        while let Some(index) = open.pop() {
            if self.kind(index) != Kind::Full || matches!(self.of.nodes[index].0, Node::Input(_)) {
                continue;
            }
            if self.stage_of(index) < stage && self.cost(index) > AGAIN {
                let next = self.stored.len();
                self.stored.entry(index).or_insert(next);
            } else if needed.insert(index) {
                open.extend(self.of.reads(index));
            }
        }
        self.pass.stored = self.stored.len();
        // A slot is free again after the last that reads it.
        let mut last: BTreeMap<usize, usize> = BTreeMap::new();
        let order: Vec<usize> = needed.iter().copied().collect();
        for (at, &index) in order.iter().enumerate() {
            for x in self.of.reads(index) {
                last.insert(x, at);
            }
        }
        // What is elsewhere than at a label may stand for the whole.
        for &index in order.iter().rev() {
            if let (Node::AtLabel(_, _, miss), Some(&until)) =
                (self.of.nodes[index].0, last.get(&index))
            {
                let miss = last.entry(self.of.alias[miss.index()]).or_insert(until);
                *miss = until.max(*miss);
            }
        }
        let uses = |index: usize| -> Vec<FullOp> {
            wanted.iter().filter(|(other, _)| *other == index).map(|(_, op)| *op).collect()
        };
        let mut tails = Tails::new(self.of, order.iter().copied());
        let mut slots = Slots::default();
        let mut program = Vec::new();
        // An op whose value is only the rest of an output.
        let mut rest: Option<(usize, Op<usize>)> = None;
        for (at, &index) in order.iter().enumerate() {
            let node = self.of.nodes[index].0;
            if let (Node::AtLabel(labels, hit, miss), Some((of, op))) = (node, rest.take())
                && of == self.of.alias[miss.index()]
                && let &[FullOp::Output(_, place)] = &uses(index)[..]
            {
                let hit = self.full_arg(self.of.alias[hit.index()], &slots);
                program.push(FullOp::LabelledOutput(op, labels, slots.of(hit), place));
                continue;
            }
            let op = self.op(node, |own, x| own.full_arg(x, &slots));
            let Some(op) = op.map(|op| op.map(|arg| slots.of(arg))) else { continue };
            let op = match (node, op) {
                (Node::Binary(Binary::ExpSub, of, most), Op::Binary(_, a, b))
                    if self.most(most, of) =>
                {
                    Op::ExpBelow(a, b)
                }
                _ => op,
            };
            let op = tails.op(index, op, |op| {
                let slot = slots.more();
                program.push(FullOp::Op(op, Target::Slot(slot)));
                slot
            });
            let kept = self.stored.get(&index).copied().filter(|_| self.stage_of(index) == stage);
            let uses_here = uses(index);
            let read_later = last.contains_key(&index);
            let next = order.get(at + 1).map(|&next| (next, self.of.nodes[next].0));
            let is_rest = matches!(
                next,
                Some((next, Node::AtLabel(_, hit, miss)))
                    if self.of.alias[miss.index()] == index
                        && self.of.alias[hit.index()] != index
                        && last.get(&index) == Some(&(at + 1))
                        && !last.contains_key(&next)
                        && matches!(uses(next)[..], [FullOp::Output(..)])
            );
            match (op, kept, &uses_here[..], read_later) {
                // What is only added up, or only written, needs no slot.
                (
                    Op::Binary(op @ (Binary::Mul | Binary::Weigh), a, b),
                    None,
                    &[FullOp::Reduce(Reduce::Sum, _, into)],
                    false,
                ) => program.push(FullOp::SumOfProducts([a, b], op == Binary::Weigh, into)),
                (op, None, &[FullOp::Output(_, place)], false) => {
                    program.push(FullOp::Op(op, Target::Output(place)));
                }
                (op, None, [], _) if is_rest => rest = Some((index, op)),
                (op, kept, uses, _) => {
                    let slot = slots.next(index);
                    let target = kept.map_or(Target::Slot(slot), |place| Target::Kept(place, slot));
                    program.push(FullOp::Op(op, target));
                    program.extend(uses.iter().map(|op| op.of(slot)));
                    last.entry(index).or_insert(at);
                }
            }
            let over: Vec<_> =
                slots.taken.keys().copied().filter(|x| last.get(x) == Some(&at)).collect();
            over.into_iter().for_each(|x| slots.free(x));
        }
        for &(index, op) in wanted.iter().filter(|(index, _)| !needed.contains(index)) {
            let arg = self.full_arg(index, &slots);
            program.push(op.of(slots.of(arg)));
        }
        self.pass.slots = self.pass.slots.max(slots.count);
        let Slots { loads, .. } = slots;
        let stage = &mut self.pass.stages[stage];
        (stage.full, stage.loads) = (program, loads);
    }

    /// Whether a row value is the largest of a row of full values, or 0 where that is −∞.
    fn most(&self, most: Id, of: Id) -> bool {
        let alias = |id: Id| self.of.alias[id.index()];
        let node = |index: usize| self.of.nodes[index].0;
        let is = |id: Id, number: f64| node(id.index()) == Node::Constant(number.to_bits());
        let mut largest = alias(most);
        if let Node::Select(Compare::Eq, [m, nothing], [zero, other]) = node(largest)
            && alias(m) == alias(other)
            && is(nothing, f64::NEG_INFINITY)
            && is(zero, 0.0)
        {
            largest = alias(m);
        }
        self.kind(alias(most)) == Kind::Row
            && matches!(node(largest), Node::Reduce(Reduce::Max, x, Axis::Class) if alias(x) == alias(of))
    }

    fn full_arg(&mut self, index: usize, slots: &Slots) -> Arg {
        if let Node::Input(input) = self.of.nodes[index].0
            && self.kind(index) == Kind::Full
        {
            return Arg::Input(input);
        }
        if let Some(&slot) = slots.taken.get(&index) {
            return Arg::Slot(slot);
        }
        if let Some(&place) = self.stored.get(&index) {
            return Arg::Stored(place);
        }
        let arg = self.row_arg(index);
        if let Arg::Row(row) = arg {
            self.narrowed.insert(row);
        }
        arg
    }
}

/// Which slots of a stage are taken.
#[derive(Default)]
struct Slots {
    /// By a value that is computed.
    taken: BTreeMap<usize, usize>,
    /// By what is brought there before: for the whole stage.
    loads: Vec<(Arg, usize)>,
    free: Vec<usize>,
    count: usize,
}

impl Slots {
    fn more(&mut self) -> usize {
        self.count += 1;
        self.count - 1
    }

    /// A slot for a node's value.
    fn next(&mut self, node: usize) -> usize {
        let slot = self.free.pop().unwrap_or_else(|| self.more());
        self.taken.insert(node, slot);
        slot
    }

    /// The slot that an argument is read from.
    fn of(&mut self, arg: Arg) -> usize {
        if let Arg::Slot(slot) = arg {
            return slot;
        }
        let loaded = self.loads.iter().find(|(other, _)| *other == arg).map(|(_, slot)| *slot);
        loaded.unwrap_or_else(|| {
            let slot = self.more();
            self.loads.push((arg, slot));
            slot
        })
    }

    fn free(&mut self, node: usize) {
        if let Some(slot) = self.taken.remove(&node) {
            self.free.push(slot);
        }
    }
}
