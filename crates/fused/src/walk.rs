//! How a pass walks memory: in which order, and in blocks of what size. Blocks depend on the sides alone, never on
//! the machine, so that sums have the same bits everywhere.

use crate::chunk::CHUNK;
use crate::program::Pass;
use smallvec::SmallVec;

/// Elements in a block, as far as one row of classes allows.
const BLOCK: usize = 32_768;
/// From as many classes on, a row is read along its classes; below, several rows side by side.
const LONG_ROW: usize = 64;
/// What lies along the lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Along {
    /// The classes of one row after the other.
    Classes,
    /// Batches, one class after the other.
    Batch,
    /// Inner positions of one batch, one class after the other.
    Inner,
}

/// The sides of a pass as they are walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk {
    pub(crate) sides: [usize; 3],
    pub(crate) along: Along,
    /// Every element by itself, in the order of memory.
    pub(crate) flat: bool,
    /// Batch and inner side have changed places, as have they in every stride.
    pub(crate) turned: bool,
    /// Positions a block, at most.
    pub(crate) span: usize,
}

/// A part of the walk: rows of lanes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block {
    /// The first batch, and the first inner position.
    pub(crate) batch: usize,
    pub(crate) inner: usize,
    /// Rows, and lanes in each.
    pub(crate) rows: usize,
    pub(crate) lanes: usize,
}

/// The strides of an array in row-major order, where sides of one have none.
pub(crate) fn dense([batch, classes, inner]: [usize; 3]) -> [usize; 3] {
    let stride = |side, stride| if side > 1 { stride } else { 0 };
    [stride(batch, classes * inner), stride(classes, inner), stride(inner, 1)]
}

/// Lanes of a tile: so few that its planes stay in the nearest cache.
fn tile(classes: usize) -> usize {
    (8192 / classes.max(1) / 64 * 64).clamp(64, CHUNK)
}

impl Block {
    /// How far apart the planes of its classes are, in whole vectors.
    pub(crate) fn pitch(&self) -> usize {
        self.lanes.next_multiple_of(32)
    }

    /// Whether those are whole vectors without a rest.
    pub(crate) fn whole(&self) -> bool {
        self.lanes == self.pitch()
    }
}

fn turn([batch, class, inner]: [usize; 3]) -> [usize; 3] {
    [inner, class, batch]
}

impl Walk {
    /// The walk of a pass over those sides, whose full inputs have those strides; in the order of memory, if it may turn.
    pub(crate) fn new(pass: &Pass, sides: [usize; 3], strides: &[[usize; 3]], turns: bool) -> Self {
        let masked =
            |own: [usize; 3]| [0, 1, 2].map(|axis| if sides[axis] > 1 { own[axis] } else { 0 });
        let strides: SmallVec<[_; 4]> = strides.iter().map(|&own| masked(own)).collect();
        let column_major = |own: &[usize; 3]| {
            *own == turn(dense(turn(sides))) && sides[2] == 1 && sides[0] > 1 && sides[1] > 1
        };
        let turned = turns && strides.first().is_some_and(column_major);
        let sides = if turned { turn(sides) } else { sides };
        let order = |own: &[usize; 3]| if turned { turn(*own) } else { *own };
        let full_only = !pass.by_row && pass.row_values == 0 && pass.class_values == 0;
        let flat = full_only && strides.iter().all(|own| order(own) == dense(sides));
        let sides = if flat { [sides.iter().product(), 1, 1] } else { sides };
        let [_, classes, inner] = sides;
        let along = if inner > 1 {
            Along::Inner
        } else if classes >= LONG_ROW {
            Along::Classes
        } else {
            Along::Batch
        };
        let span = match along {
            Along::Classes => (BLOCK / classes.max(1)).clamp(1, 64),
            Along::Batch | Along::Inner => (BLOCK / classes.max(1)).max(1).next_multiple_of(CHUNK),
        };
        Self { sides, along, flat, turned, span }
    }

    /// The strides of an array as this walk sees them.
    pub(crate) fn strides(&self, own: [usize; 3]) -> [usize; 3] {
        match (self.flat, self.turned) {
            (true, _) => [1, 0, 0],
            (false, true) => turn(own),
            (false, false) => own,
        }
    }

    /// How many blocks there are for a batch, where they divide its inner positions.
    pub(crate) fn parts(&self) -> usize {
        match self.along {
            Along::Inner => self.sides[2].div_ceil(self.span),
            Along::Classes | Along::Batch => 1,
        }
    }

    /// How many blocks there are.
    pub(crate) fn blocks(&self) -> usize {
        match self.along {
            Along::Inner => self.sides[0] * self.parts(),
            Along::Classes | Along::Batch => self.sides[0].div_ceil(self.span),
        }
    }

    pub(crate) fn block(&self, index: usize) -> Block {
        let [batches, classes, inner] = self.sides;
        match self.along {
            Along::Inner => {
                let (batch, first) = (index / self.parts(), index % self.parts() * self.span);
                let lanes = self.span.min(inner - first);
                Block { batch, inner: first, rows: classes, lanes }
            }
            Along::Classes => {
                let batch = index * self.span;
                Block { batch, inner: 0, rows: self.span.min(batches - batch), lanes: classes }
            }
            Along::Batch => {
                let batch = index * self.span;
                Block { batch, inner: 0, rows: classes, lanes: self.span.min(batches - batch) }
            }
        }
    }

    /// The walk of a block alone.
    pub(crate) fn of_block(&self, block: &Block) -> Self {
        let [_, classes, inner] = self.sides;
        let sides = match self.along {
            Along::Inner => [1, classes, block.lanes],
            Along::Classes => [block.rows, classes, inner],
            Along::Batch => [block.lanes, classes, inner],
        };
        Self { sides, ..*self }
    }

    /// Whether rows lie side by side, their classes one after the other.
    pub(crate) fn beside(&self) -> bool {
        !self.flat && self.along != Along::Classes
    }

    /// The parts of a block that are computed one after the other, each with its first lane.
    pub(crate) fn tiles(&self, block: &Block) -> impl Iterator<Item = (usize, Block)> + use<> {
        let (along, block) = (self.along, *block);
        let lanes = if self.beside() { tile(block.rows) } else { block.lanes };
        (0..block.lanes).step_by(lanes.max(1)).map(move |offset| {
            let lanes = lanes.min(block.lanes - offset);
            let tile = match along {
                Along::Inner => Block { inner: block.inner + offset, lanes, ..block },
                Along::Batch => Block { batch: block.batch + offset, lanes, ..block },
                Along::Classes => block,
            };
            (offset, tile)
        })
    }

    /// How many elements after one of this block the same of the next lies.
    pub(crate) fn next_block(&self, block: &Block) -> usize {
        match self.along {
            Along::Classes | Along::Batch => block.rows * block.lanes,
            Along::Inner => block.lanes,
        }
    }

    /// How many row values a block has.
    pub(crate) fn positions(&self, block: &Block) -> usize {
        match self.along {
            Along::Classes => block.rows,
            Along::Batch | Along::Inner => block.lanes,
        }
    }

    /// Where a row of a full array begins, and how far apart its lanes are.
    pub(crate) fn row(&self, block: &Block, row: usize, own: [usize; 3]) -> (usize, usize) {
        let [batch, class, inner] = own;
        let start = block.batch * batch + block.inner * inner;
        match self.along {
            Along::Classes => (start + row * batch, class),
            Along::Batch => (start + row * class, batch),
            Along::Inner => (start + row * class, inner),
        }
    }

    /// Where the row values of a block begin in an array without a class axis, and how far apart they are.
    pub(crate) fn positions_of(&self, block: &Block, own: [usize; 3]) -> (usize, usize) {
        let [batch, _, inner] = own;
        let start = block.batch * batch + block.inner * inner;
        (start, if self.along == Along::Inner { inner } else { batch })
    }

    /// The place of a block's first position among all, batch-major; they follow one another.
    pub(crate) fn first_position(&self, block: &Block) -> usize {
        block.batch * self.sides[2] + block.inner
    }
}
