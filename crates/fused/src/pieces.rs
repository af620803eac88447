//! A stage of rows by its compiled loop: all rows of a block at once where everything lies in place, else in pieces that
//! are brought into the nearest cache, and stored from there.

use crate::body::{Body, WRITES, Write};
use crate::chunk::{CHUNK, LANES, SUMS, Sums, tree};
use crate::compiled::{Io, OfRows, Spaced, SpacedMut};
use crate::element::Element;
use crate::execute::{Ground, Part};
use crate::math::Lane;
use crate::program::{Arg, Into};
use crate::rows::{Place, Rows, lanes_of};
use crate::simd::fetch;
use crate::walk::Block;
use std::mem::{swap, take};

/// Elements of a piece.
const PIECE: usize = 2048;

impl<T: Element> Ground<'_, T> {
    /// Where lanes of a row lie in an input, and how far apart they are.
    #[inline(always)]
    fn lanes_lie(&self, block: &Block, input: usize, row: usize, first: usize) -> (usize, usize) {
        let own = self.walk.strides(self.inputs[input].strides);
        let (start, stride) = self.walk.row(block, row, own);
        (start + first * stride, stride)
    }

    /// Whether an argument is read where it lies.
    #[inline(always)]
    fn in_place(&self, block: &Block, arg: Arg) -> bool {
        match arg {
            Arg::Input(input) => {
                T::computed_as_stored() && self.lanes_lie(block, input, 0, 0).1 == 1
            }
            Arg::Number(_) | Arg::Row(_) | Arg::Class(_) | Arg::Slot(_) | Arg::Stored(_) => true,
        }
    }
}

impl<T: Element> Rows<'_, '_, '_, T> {
    /// Runs a compiled body on all rows.
    #[inline(always)]
    pub(crate) fn run_body(&mut self, body: &Body, run: OfRows<T::Compute>) {
        let (ground, block) = (self.ground, self.block);
        let Block { rows, lanes, .. } = *block;
        let mut sums = take(&mut self.scratch.sums_of_rows);
        sums.clear();
        sums.resize(body.sums.len() * rows, [0.0; SUMS]);
        for (sums, &into) in sums.chunks_exact_mut(rows).zip(&body.sums) {
            if let Into::Fold(place) = into {
                sums[0] = self.folds.0[place];
            }
        }
        let mut largest = take(&mut self.scratch.largest_of_rows);
        largest.clear();
        largest.resize(body.largest.len() * rows, -T::Compute::INFINITY);

        let whole = |(_, part): &(usize, Part<'_, T>)| matches!(part, Part::Whole(_));
        let whole = self.parts.iter().all(whole);
        let read_in_place = body.reads.iter().all(|&(arg, _)| ground.in_place(block, arg));
        let (together, apart) = if whole && read_in_place && T::computed_as_stored() {
            (rows, lanes)
        } else if whole {
            ((PIECE / lanes.max(1)).max(1), lanes.min(PIECE))
        } else {
            (1, lanes.min(PIECE))
        };
        for row in (0..rows).step_by(together) {
            for first in (0..lanes).step_by(apart.max(1)) {
                let at = Place { row, first, lanes: apart.min(lanes - first) };
                let rows = together.min(rows - row);
                self.run_piece((body, run), (at, rows), (&mut sums, &mut largest));
            }
        }

        for (sums, &into) in sums.chunks_exact_mut(rows).zip(&body.sums) {
            match into {
                Into::Fold(place) => self.folds.0[place] = sums[0],
                Into::Row(place) => {
                    for (out, sums) in self.scratch.rows[place].iter_mut().zip(sums) {
                        *out = tree(sums, |a, b| a + b);
                    }
                }
            }
        }
        for (largest, &place) in largest.chunks_exact_mut(rows).zip(&body.largest) {
            for (out, largest) in self.scratch.rows[place].iter_mut().zip(largest) {
                *out = largest.to_f64();
            }
        }
        (self.scratch.sums_of_rows, self.scratch.largest_of_rows) = (sums, largest);
    }

    /// Runs a compiled body on some lanes of so many rows.
    #[inline(always)]
    fn run_piece(
        &mut self,
        (body, run): (&Body, OfRows<T::Compute>),
        (at, rows): (Place, usize),
        (sums, largest): (&mut [Sums], &mut [T::Compute]),
    ) {
        let (ground, block, Place { row, first, lanes }) = (self.ground, self.block, at);
        let ahead = self.ahead();
        // Of what is kept from stage to stage, and of what is brought here.
        let pitch = block.lanes.next_multiple_of(CHUNK);
        let padded = lanes.next_multiple_of(LANES);
        let mut gathered = take(&mut self.scratch.gathered);
        gathered.resize_with(body.reads.len().max(gathered.len()), Vec::new);
        for (values, &(arg, _)) in gathered.iter_mut().zip(&body.reads) {
            if let (Arg::Input(input), false) = (arg, ground.in_place(block, arg)) {
                values.resize(values.len().max(rows * padded), T::Compute::ZERO);
                for (index, values) in values.chunks_exact_mut(padded).take(rows).enumerate() {
                    self.gather(input, Place { row: row + index, ..at }, values);
                }
            }
        }
        let mut written = take(&mut self.scratch.written);
        written.resize_with(body.writes.len().max(written.len()), Vec::new);
        let in_place = T::computed_as_stored();
        for (written, write) in written.iter_mut().zip(&body.writes) {
            match *write {
                // Changed places, so that what else is kept can be read while it is written.
                Write::Kept(place) => swap(written, &mut self.scratch.kept[place]),
                Write::Output(_) if in_place => {}
                Write::Output(_) => {
                    written.resize(written.len().max(rows * padded), T::Compute::ZERO);
                }
            }
        }
        let mut outputs: [Option<&mut [T]>; WRITES] = [const { None }; WRITES];
        for (place, part) in &mut *self.parts {
            let this = |write: &Write| *write == Write::Output(*place);
            if let Some(index) = body.writes.iter().position(this) {
                outputs[index] = Some(lanes_of(part, at, block));
            }
        }

        let mut io = Io { rows, first, lanes, ahead, ..Io::default() };
        for ((read, &(arg, _)), gathered) in io.reads.iter_mut().zip(&body.reads).zip(&gathered) {
            *read = match arg {
                Arg::Input(input) if ground.in_place(block, arg) => {
                    let (start, _) = ground.lanes_lie(block, input, row, first);
                    let next = if rows > 1 {
                        ground.lanes_lie(block, input, row + 1, first).0
                    } else {
                        start
                    };
                    let all = T::as_computed(&ground.inputs[input].elements);
                    let all = all.and_then(|all| all.get(start..)).unwrap_or_default();
                    Spaced { all, pitch: next - start }
                }
                Arg::Input(_) => Spaced { all: gathered, pitch: padded },
                Arg::Class(place) => Spaced { all: &self.classes[place][first..], pitch: 0 },
                Arg::Stored(place) => {
                    Spaced { all: &self.scratch.kept[place][row * pitch + first..], pitch }
                }
                Arg::Number(_) | Arg::Row(_) | Arg::Slot(_) => Spaced::default(),
            };
        }
        for (one, &(arg, _)) in io.ones.iter_mut().zip(&body.ones) {
            *one = match arg {
                Arg::Number(index) => Spaced { all: &ground.numbers[index..], pitch: 0 },
                Arg::Row(place) => Spaced { all: &self.scratch.rows[place][row..], pitch: 1 },
                Arg::Class(_) | Arg::Input(_) | Arg::Slot(_) | Arg::Stored(_) => Spaced::default(),
            };
        }
        for (label, &labels) in io.labels.iter_mut().zip(&body.labels) {
            *label = Spaced { all: &self.scratch.labels[labels][row..], pitch: 1 };
        }
        let targets = written.iter_mut().zip(&body.writes).zip(&mut outputs);
        for (to, ((written, write), output)) in io.writes.iter_mut().zip(targets) {
            *to = match write {
                Write::Kept(_) => SpacedMut::All(&mut written[row * pitch + first..], pitch),
                Write::Output(_) if in_place => {
                    let out = output.take().and_then(T::as_computed_mut).unwrap_or_default();
                    SpacedMut::All(out, block.lanes)
                }
                Write::Output(_) => SpacedMut::All(written, padded),
            };
        }
        let all = block.rows;
        for ((to, sums), into) in io.sums.iter_mut().zip(sums.chunks_exact_mut(all)).zip(&body.sums)
        {
            *to = match into {
                Into::Row(_) => SpacedMut::All(&mut sums[row..], 1),
                Into::Fold(_) => SpacedMut::All(sums, 0),
            };
        }
        for (to, largest) in io.largest.iter_mut().zip(largest.chunks_exact_mut(all)) {
            *to = SpacedMut::All(&mut largest[row..], 1);
        }
        run(ground.level, &mut io);

        for ((written, write), output) in written.iter_mut().zip(&body.writes).zip(outputs) {
            match (write, output) {
                (Write::Kept(place), _) => swap(written, &mut self.scratch.kept[*place]),
                (Write::Output(_), Some(out)) => {
                    let all = out.chunks_mut(block.lanes).zip(written.chunks_exact(padded));
                    for (out, values) in all.take(rows) {
                        for (out, &value) in out.iter_mut().zip(&values[..lanes]) {
                            *out = T::narrow(value);
                        }
                    }
                }
                (Write::Output(_), None) => {}
            }
        }
        (self.scratch.written, self.scratch.gathered) = (written, gathered);
    }

    /// Brings lanes of a row into the format they are computed in.
    #[inline(always)]
    fn gather(&self, input: usize, at: Place, values: &mut [T::Compute]) {
        let (start, stride) = self.ground.lanes_lie(self.block, input, at.row, at.first);
        let elements = &self.ground.inputs[input].elements;
        let from = elements.get(start..).unwrap_or_default();
        match stride {
            0 => values.fill(from.first().map_or(T::Compute::ZERO, |x| x.widen())),
            1 => {
                let chunks = values.chunks_mut(CHUNK).zip(from[..at.lanes].chunks(CHUNK));
                for (index, (values, from)) in chunks.enumerate() {
                    if let Some((ahead, soon, _)) = self.ahead() {
                        fetch(elements, start + index * CHUNK + ahead, CHUNK, soon);
                    }
                    for (value, x) in values.iter_mut().zip(from) {
                        *value = x.widen();
                    }
                }
            }
            _ => {
                for (value, x) in values.iter_mut().zip(from.chunks(stride).take(at.lanes)) {
                    *value = x[0].widen();
                }
            }
        }
    }
}
