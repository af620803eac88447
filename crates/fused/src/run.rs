//! A program phase by phase: its passes and what is between them, over everything or a few rows at a time.

use crate::between::{Tensor, across, empty, everywhere, inward, joined, multiply, row_major};
use crate::domain;
use crate::element::Element;
use crate::engine::{ALONE, Fused};
use crate::execute::Ground;
use crate::math::Lane;
use crate::program::{Joint, Operand, Over, Pass, Phase, Program, Role, Source, Step, sides_of};
use crate::walk::{Walk, dense};
use lossmith_core::catalogue::Domain;
use lossmith_core::graph::{Dim, NUMBER, Node, Shape};
use lossmith_core::op::Axis;
use lossmith_core::plan::{Entering, Leaving};
use lossmith_core::strided::{Order, Seen};
use lossmith_core::{Error, Labels, scalar};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::take;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};

/// What tensors of some rows may have in all, as a part of the largest with all its rows, and in elements at least.
const PART: usize = 10;
const LEAST: usize = 1 << 18;
/// Rows are taken in multiples of this, which tiles of products divide.
const ROWS: usize = 8;

/// A program with what it is run on.
pub(crate) struct Run<'a, T: Element> {
    pub(crate) engine: &'a Fused,
    pub(crate) sides: &'a [[usize; 3]],
    pub(crate) entering: &'a [Entering],
    pub(crate) leaving: &'a [Leaving],
    pub(crate) program: &'a Program,
    pub(crate) inputs: &'a [Seen<'a, T>],
    pub(crate) labels: &'a [Labels<'a>],
    /// The input that the caller wants its gradient over.
    pub(crate) over: Option<Over>,
}

/// What the steps have come to.
struct State<'b, 'c, T: Element> {
    numbers: Vec<f64>,
    orders: Vec<Order>,
    buffers: &'b mut [&'c mut [T]],
    made: Vec<Vec<T>>,
    /// The inputs whose domains were looked at as they were walked, and whether a number was outside.
    walked: Vec<usize>,
    outside: AtomicBool,
    /// What is added up over rows, by its place, in a format of its own.
    wide: BTreeMap<usize, Vec<T::Compute>>,
    sums: BTreeMap<usize, Vec<f64>>,
}

/// Which rows of how many a step is done for.
#[derive(Clone, Debug)]
struct Rows {
    of: Range<usize>,
    all: usize,
}

impl Rows {
    fn first(&self) -> bool {
        self.of.start == 0
    }

    fn last(&self) -> bool {
        self.of.end == self.all
    }

    /// The part of a slice that has all rows.
    fn within(&self, length: usize) -> Range<usize> {
        let row = length / self.all.max(1);
        row * self.of.start..row * self.of.end
    }
}

impl<T: Element> Run<'_, T> {
    /// Fills the buffers, and says in which order each is.
    pub(crate) fn phases(&self, buffers: &mut [&mut [T]]) -> Result<Vec<Order>, Error> {
        let mut state = State {
            numbers: vec![f64::NAN; self.program.nodes.len()],
            orders: vec![Order::RowMajor; self.leaving.len()],
            buffers,
            made: self.program.made.iter().map(|_| Vec::new()).collect(),
            walked: Vec::new(),
            outside: AtomicBool::new(false),
            wide: BTreeMap::new(),
            sums: BTreeMap::new(),
        };
        for phase in &self.program.phases {
            self.numbers(&mut state.numbers);
            for step in &phase.once {
                self.step(step, None, &mut state);
            }
            for rows in self.rows(phase) {
                for step in &phase.by_rows {
                    self.step(step, Some(&rows), &mut state);
                }
                self.again(phase, &mut state.made);
            }
            // What has some rows only is not read again.
            let parts = state.made.iter_mut().zip(&self.program.made);
            parts.filter(|(_, made)| !made.whole).for_each(|(made, _)| *made = Vec::new());
        }
        self.domains(&state)?;
        self.numbers(&mut state.numbers);
        for (leaving, buffer) in self.leaving.iter().zip(state.buffers) {
            if let Some(id) = leaving.id()
                && self.program.nodes[id.index()].1 == NUMBER
            {
                buffer.fill(T::of(state.numbers[id.index()]));
            }
        }
        Ok(state.orders)
    }

    /// Checks the domains of what no walk has looked at; of everything, if a walk has found a number outside.
    fn domains(&self, state: &State<'_, '_, T>) -> Result<(), Error> {
        // What is written over was checked before.
        if self.over.is_some() {
            return Ok(());
        }
        let outside = state.outside.load(Ordering::Relaxed);
        let all = self.entering.iter().zip(self.inputs).enumerate();
        let mut all = all.filter(|(input, _)| outside || !state.walked.contains(input));
        all.try_for_each(|(_, (entering, seen))| domain::check(self.engine.level, entering, seen))
    }

    /// The domains of what a walk reads in the order of memory, unless another has.
    fn of_walk(&self, pass: &Pass, walked: &mut Vec<usize>) -> Vec<(usize, Domain)> {
        let new = |&input: &usize| {
            let domains = &self.entering[input].domains;
            let new = !domains.is_empty() && !walked.contains(&input);
            walked.extend(new.then_some(input));
            domains.iter().filter(move |_| new).map(move |&(_, domain)| (input, domain))
        };
        pass.inputs.iter().flat_map(new).collect()
    }

    /// Gives what was written over an input back to it, for the next rows.
    fn again(&self, phase: &Phase, made: &mut [Vec<T>]) {
        for step in &phase.by_rows {
            if let Step::Pass(pass) = step
                && let (Some(input), &[output]) = (pass.over, &pass.outputs[..])
            {
                made[input - self.inputs.len()] = take(&mut made[output - self.leaving.len()]);
            }
        }
    }

    fn step(&self, step: &Step, rows: Option<&Rows>, state: &mut State<'_, '_, T>) {
        match step {
            Step::Pass(pass) => self.pass(pass, rows, state),
            Step::Joint(joint) => self.joint(joint, rows, state),
        }
    }

    /// The rows of a phase, as many at a time as the tensors made of them allow: by their sides alone, so that sums
    /// have the same bits everywhere.
    fn rows(&self, phase: &Phase) -> Vec<Rows> {
        let of_step = |step: &Step| match step {
            Step::Pass(pass) => pass.shape[0],
            Step::Joint(joint) => joint.operands.first().map_or(Dim::One, |of| of.shape[0]),
        };
        let Some(all) = phase.by_rows.first().map(|step| self.side(of_step(step))) else {
            return Vec::new();
        };
        let outputs = phase.by_rows.iter().flat_map(|step| match step {
            Step::Pass(pass) if pass.over.is_some() => &[],
            Step::Pass(pass) => pass.outputs.as_slice(),
            Step::Joint(joint) => std::slice::from_ref(&joint.place),
        });
        let made = outputs.filter_map(|place| place.checked_sub(self.leaving.len()));
        let parts = made.map(|made| &self.program.made[made]).filter(|made| !made.whole);
        let rows = parts.map(|made| {
            let [_, classes, inner] = self.sides_of(made.shape);
            classes * inner
        });
        let rows: Vec<usize> = rows.collect();
        let (row, largest) = (rows.iter().sum::<usize>(), rows.iter().max().unwrap_or(&0));
        let most = (largest * all / PART).max(LEAST) / row.max(1);
        let most = if most > ROWS { most / ROWS * ROWS } else { most.max(1) };
        let most = if row == 0 { all } else { most };
        let firsts = (0..all.max(1)).step_by(most.max(1));
        firsts.map(|first| Rows { of: first..all.min(first + most), all }).collect()
    }

    fn side(&self, dim: Dim) -> usize {
        self.sides_of([dim; 3])[0]
    }

    fn sides_of(&self, shape: Shape) -> [usize; 3] {
        sides_of(shape, self.sides)
    }

    /// The inputs of the plan and the tensors that are made, from the first of the rows on.
    fn seen<'s>(&'s self, rows: Option<&Rows>, made: &'s [Vec<T>]) -> Vec<Seen<'s, T>> {
        let start = rows.map_or(0, |rows| rows.of.start);
        let from = |elements: &'s [T], strides: [usize; 3], start: usize| {
            let elements = elements.get(start * strides[0]..).unwrap_or(&[]);
            Seen { elements: Cow::Borrowed(elements), strides }
        };
        let inputs = self.inputs.iter().map(|seen| from(&seen.elements, seen.strides, start));
        let made = made.iter().zip(&self.program.made).map(|(elements, made)| {
            let strides = dense(self.sides_of(made.shape));
            from(elements, strides, if made.whole { start } else { 0 })
        });
        inputs.chain(made).collect()
    }

    /// Takes the tensor at that place out of what is made, with room for those rows.
    fn take(&self, place: usize, rows: Option<&Rows>, made: &mut [Vec<T>]) -> Vec<T> {
        let made_place = place - self.leaving.len();
        let of = self.program.made[made_place];
        let mut sides = self.sides_of(of.shape);
        if let (Some(rows), false) = (rows, of.whole) {
            sides[0] = rows.of.len();
        }
        let mut elements = take(&mut made[made_place]);
        let count = sides.iter().product();
        if elements.len() < count {
            elements = vec![T::of(0.0); count];
        }
        elements.truncate(count);
        elements
    }

    /// What a pass reads, its labels from that position on.
    fn ground<'s>(
        &'s self,
        pass: &'s Pass,
        walk: Walk,
        inputs: &'s [Seen<'s, T>],
        first: usize,
        numbers: &'s [f64],
        (domains, outside): (&'s [(usize, Domain)], &'s AtomicBool),
    ) -> Ground<'s, T> {
        let (level, labels) = (self.engine.level, self.labels);
        let class_count = self.side(pass.classes_of);
        Ground { level, pass, walk, class_count, inputs, labels, first, numbers, domains, outside }
    }

    fn pass(&self, pass: &Pass, rows: Option<&Rows>, state: &mut State<'_, '_, T>) {
        let (leaving, inputs) = (self.leaving.len(), self.inputs.len());
        let of_rows = pass.over.filter(|_| rows.is_some());
        let over = match (of_rows, &pass.outputs[..]) {
            (Some(input), &[output]) => Some(Over { input, output }),
            _ => self.over.filter(|over| pass.outputs.contains(&over.output)),
        };
        let mut sides = self.sides_of(pass.shape);
        if let Some(rows) = rows {
            sides[0] = rows.of.len();
        }
        let among_made = pass.outputs.iter().filter(|place| **place >= leaving);
        let elements = among_made.map(|&place| {
            let elements = match of_rows {
                Some(input) => take(&mut state.made[input - inputs]),
                None => self.take(place, rows, &mut state.made),
            };
            (place, elements)
        });
        let mut taken: Vec<_> = elements.collect();
        let alone = rows.is_none() && state.made.is_empty();
        let seen =
            if alone { Cow::Borrowed(self.inputs) } else { self.seen(rows, &state.made).into() };
        let strides = pass.inputs.iter().map(|&input| seen[input].strides);
        let strides: SmallVec<[_; 4]> = strides.collect();
        let walk = Walk::new(pass, sides, &strides, alone && over.is_none());
        let mut own: SmallVec<[(usize, &mut [T]); 4]> = SmallVec::new();
        for (place, buffer) in state.buffers.iter_mut().enumerate() {
            if pass.outputs.contains(&place) {
                if walk.turned && !pass.of_row(place) {
                    state.orders[place] = Order::ColumnMajor;
                }
                let part = rows.map_or(0..buffer.len(), |rows| rows.within(buffer.len()));
                own.push((place, &mut buffer[part]));
            }
        }
        for (place, elements) in &mut taken {
            let whole = self.program.made[*place - leaving].whole;
            let rows = rows.filter(|_| whole);
            let part = rows.map_or(0..elements.len(), |rows| rows.within(elements.len()));
            own.push((*place, &mut elements[part]));
        }
        let first = rows.map_or(0, |rows| rows.of.start * sides[2]);
        let looks = alone && walk.flat && self.over.is_none();
        let domains = if looks { self.of_walk(pass, &mut state.walked) } else { Vec::new() };
        let domains = (domains.as_slice(), &state.outside);
        let ground = self.ground(pass, walk, &seen, first, &state.numbers, domains);
        let parallel = sides.iter().product::<usize>() > ALONE;
        let folds = ground.run(&ground.classes(), own, over, &self.engine.memory, parallel);
        for (&(node, op), fold) in pass.folds.iter().zip(folds) {
            let number = &mut state.numbers[node];
            let begins = rows.is_none_or(Rows::first);
            *number = if begins { fold } else { joined(op, *number, fold) };
        }
        for (place, elements) in taken {
            state.made[place - leaving] = elements;
        }
    }

    fn joint(&self, joint: &Joint, rows: Option<&Rows>, state: &mut State<'_, '_, T>) {
        let (leaving, place) = (self.leaving.len(), joint.place);
        // Only results of those rows are in parts.
        let of_rows = rows.filter(|_| joint.role == Role::Rows);
        let mut taken = (place >= leaving).then(|| self.take(place, of_rows, &mut state.made));
        let seen = self.seen(rows, &state.made);
        let tensor = |place: usize, operand: &Operand| {
            let along = joint.role == Role::Terms || (joint.role == Role::Rows && place == 0);
            let mut sides = self.sides_of(operand.shape);
            if let (Some(rows), true) = (rows, along) {
                sides[0] = rows.of.len();
            }
            match operand.source {
                Source::Number(number) => everywhere(T::of(state.numbers[number]), sides),
                Source::Input(input) if along => {
                    let Seen { elements, strides } = &seen[input];
                    Tensor { elements: Cow::Borrowed(elements), strides: *strides, sides }
                }
                Source::Input(input) => match input.checked_sub(self.inputs.len()) {
                    None => {
                        let Seen { elements, strides } = &self.inputs[input];
                        Tensor { elements: Cow::Borrowed(elements), strides: *strides, sides }
                    }
                    Some(made) => {
                        let shape = self.program.made[made].shape;
                        let all = row_major(&state.made[made], self.sides_of(shape));
                        Tensor { sides, ..all }
                    }
                },
            }
        };
        let mut operands = joint.operands.iter().enumerate().map(|(place, of)| tensor(place, of));
        let out: &mut [T] = match &mut taken {
            Some(elements) => elements,
            None => state.buffers[place],
        };
        let whole = place < leaving || self.program.made[place - leaving].whole;
        let part = of_rows.filter(|_| whole).map(|rows| rows.within(out.len()));
        let part = part.unwrap_or(0..out.len());
        let out = &mut out[part];
        let parts = rows.filter(|_| joint.role == Role::Terms);
        let (begins, ends) = (parts.is_none_or(Rows::first), parts.is_none_or(Rows::last));
        let level = self.engine.level;
        match (joint.node, operands.next(), operands.next()) {
            (Node::Matmul(_, _, [turn_a, turn_b]), Some(a), Some(b)) => {
                let wide = state.wide.entry(place).or_default();
                multiply(level, [(a, turn_a), (b, turn_b)], out, wide, (!begins, ends));
            }
            (Node::Reduce(op, _, Axis::Batch), Some(of), None) => {
                let sums = state.sums.entry(place).or_default();
                if begins {
                    *sums = vec![empty(op); out.len()];
                }
                across(level, op, of, sums);
                if ends {
                    out.iter_mut().zip(&*sums).for_each(|(out, &sum)| *out = T::of(sum));
                }
            }
            (Node::Reduce(op, ..), Some(of), None) => inward(level, op, &of, out),
            // A joint is of nothing else.
            _ => {}
        }
        drop(seen);
        if let Some(elements) = taken {
            state.made[place - leaving] = elements;
        }
    }

    /// The numbers on the host, as far as the folds they come from are known.
    fn numbers(&self, numbers: &mut [f64]) {
        for &index in &self.program.numbers {
            numbers[index] = match self.program.nodes[index].0 {
                Node::Constant(bits) => f64::from_bits(bits),
                #[allow(clippy::cast_precision_loss, reason = "a side above 2^53 does not exist")]
                Node::Size(axis, frame) => self.sides[frame][axis.index()] as f64,
                Node::Input(input) => self.inputs[input].elements[0].widen().to_f64(),
                Node::Unary(op, x) => scalar::unary(op, numbers[x.index()]),
                Node::Binary(op, a, b) => {
                    scalar::binary(op, numbers[a.index()], numbers[b.index()])
                }
                Node::Select(compare, [a, b], [then, otherwise]) => {
                    let holds = scalar::compare(compare, numbers[a.index()], numbers[b.index()]);
                    numbers[if holds { then } else { otherwise }.index()]
                }
                Node::Detach(x) | Node::Spread(x) => numbers[x.index()],
                Node::Fold(..)
                | Node::Reduce(..)
                | Node::AtLabel(..)
                | Node::Take(..)
                | Node::Put(..)
                | Node::Matmul(..) => numbers[index],
            };
        }
    }
}
