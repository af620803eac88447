//! Sequences of class indices, one a sample, validated once, and the tables of places that losses make of them:
//! a definition says through [`SequenceVar`] how, and they are made before a run.

use crate::accumulate;
use crate::error::Error;
use crate::graph::{Dim, Graph, Node, Shape, Var, sides_of};
use crate::labels::Indices;
use crate::op::Reduce;
use std::fmt;
use std::sync::Arc;

/// A sample's sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// How many steps of the sample's data count.
    pub steps: usize,
    /// Its labels.
    pub labels: Vec<usize>,
}

/// The arguments that sequences are read from, their labels, steps and lengths, and what these are checked against.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    /// Where they stand among the arguments.
    pub(crate) places: [usize; 3],
    pub(crate) names: [&'static str; 3],
    /// The number of sequences, and whether one alone may be without an axis for it.
    pub(crate) rows: usize,
    pub(crate) batched: bool,
    pub(crate) steps: usize,
    pub(crate) classes: usize,
    /// The class that no label may be.
    pub(crate) blank: Option<i64>,
    /// The most labels that a sequence has.
    pub(crate) longest: usize,
}

impl Reading {
    /// The sequences, from labels that are padded to rows or stand one after the other.
    pub(crate) fn sequences(&self, given: [&Indices; 3]) -> Result<Vec<Sequence>, Error> {
        self.names.iter().zip(given).try_for_each(|(name, indices)| indices.check(name))?;
        let [labels, steps, lengths] = given;
        let padded = labels.shape.len() == 2 || !self.batched;
        let width = if padded { labels.shape.last().copied() } else { Some(labels.data.len()) };
        let steps = self.counts(self.names[1], steps, self.steps, "steps")?;
        let lengths = self.counts(self.names[2], lengths, width.unwrap_or(0), "labels")?;
        let total = lengths.iter().fold(0, |sum: usize, &length| sum.saturating_add(length));
        if !padded && total != labels.data.len() {
            return Err(Error::Shape {
                argument: self.names[0],
                got: labels.shape.clone(),
                against: self.names[2],
                input: vec![self.rows],
                expected: format!("({total},), their sum"),
            });
        }
        let mut end = 0;
        let sequence = |(row, (steps, length)): (usize, (usize, usize))| {
            let start = if padded { row * width.unwrap_or(0) } else { end };
            end = start + length;
            let labels = (start..end).map(|index| self.label(index, labels.data[index]));
            Ok(Sequence { steps, labels: labels.collect::<Result<_, _>>()? })
        };
        steps.into_iter().zip(lengths).enumerate().map(sequence).collect()
    }

    /// A number for each row, or one for all.
    fn counts(
        &self,
        argument: &'static str,
        given: &Indices,
        most: usize,
        what: &'static str,
    ) -> Result<Vec<usize>, Error> {
        let count = |(index, &value): (usize, &i64)| {
            let count = usize::try_from(value).ok().filter(|&count| count <= most);
            count.ok_or(Error::Count { argument, index, value, most, what })
        };
        let counts: Vec<_> = given.data.iter().enumerate().map(count).collect::<Result<_, _>>()?;
        Ok(if given.shape.is_empty() { vec![counts[0]; self.rows] } else { counts })
    }

    fn label(&self, index: usize, value: i64) -> Result<usize, Error> {
        let label = usize::try_from(value).ok().filter(|&label| label < self.classes);
        label.filter(|_| Some(value) != self.blank).ok_or_else(|| {
            let also = self
                .blank
                .map_or_else(String::new, |blank| format!(", but not {blank}, the blank"));
            Error::Label { argument: self.names[0], index, value, classes: self.classes, also }
        })
    }

    /// The most labels that a sequence has, as far as they are right.
    pub(crate) fn longest(lengths: &Indices) -> usize {
        let right = lengths.data.iter().filter_map(|&length| usize::try_from(length).ok());
        right.max().unwrap_or(0)
    }
}

/// For every row of a result and every place along it, the class that the element there is taken from, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    sides: [usize; 3],
    data: Arc<[Option<usize>]>,
}

impl Table {
    /// The table of rows × places, from tensors of so many classes; a class beyond them is none.
    #[must_use]
    pub fn new(
        [rows, places, classes]: [usize; 3],
        class: impl Fn(usize, usize) -> Option<usize>,
    ) -> Self {
        let at = |row| (0..places).map(move |place| (row, place));
        let taken = |(row, place)| class(row, place).filter(|&class| class < classes);
        let data = (0..rows).flat_map(at).map(taken).collect();
        Self { sides: [rows, places, classes], data }
    }

    /// The number of rows, of places in one, and of the classes that they are taken from.
    #[must_use]
    pub fn sides(&self) -> [usize; 3] {
        self.sides
    }

    /// The class that is taken at a row's place.
    #[must_use]
    pub fn at(&self, row: usize, place: usize) -> Option<usize> {
        self.data.get(row * self.sides[1] + place).copied().flatten()
    }

    /// The sum at every class of a row, of the values at the places where the table has it: what a `put` gives.
    pub fn sums(&self, row: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut of_class = vec![Vec::new(); self.sides[2]];
        for place in 0..self.sides[1] {
            if let Some(class) = self.at(row, place) {
                of_class[class].push(value(place));
            }
        }
        of_class.into_iter().map(|values| accumulate::reduce(Reduce::Sum, values)).collect()
    }
}

/// A handle on sequences of class indices.
#[derive(Clone, Copy, Debug)]
pub struct SequenceVar<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) index: usize,
    /// The shape of a step of what they go with.
    pub(crate) shape: Shape,
    pub(crate) places: Dim,
}

/// A handle on a table of places.
#[derive(Clone, Copy, Debug)]
pub struct TableVar<'g> {
    graph: &'g Graph,
    index: usize,
    from: Shape,
    to: Shape,
}

/// The class for a place of a sequence.
type Class = Box<dyn Fn(&Sequence, usize) -> Option<usize>>;

/// A table that is made of sequences before a run.
pub(crate) struct Tabled {
    /// The place of the sequences.
    pub(crate) sequences: usize,
    /// The shape of what is taken from, and of what is made.
    pub(crate) shapes: [Shape; 2],
    /// The class for a place.
    pub(crate) class: Class,
}

impl fmt::Debug for Tabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "table of sequences {} for {:?}", self.sequences, self.shapes)
    }
}

impl<'g> SequenceVar<'g> {
    /// A side with a place for every label of the longest sequence and one before, between and after them.
    #[must_use]
    pub fn places(self) -> Dim {
        self.places
    }

    /// A table of what the elements along `to` are taken from along `from`: `class` has it for a sequence and a place.
    #[must_use]
    pub fn table(
        self,
        [from, to]: [Dim; 2],
        class: impl Fn(&Sequence, usize) -> Option<usize> + 'static,
    ) -> TableVar<'g> {
        let [batch, _, inner] = self.shape;
        let shapes = [from, to].map(|side| [batch, side, inner]);
        let tabled = Tabled { sequences: self.index, shapes, class: Box::new(class) };
        TableVar::new(self.graph, self.graph.give_tabled(tabled), shapes)
    }
}

impl<'g> TableVar<'g> {
    /// The table at place `index` of the run, between tensors of those shapes.
    pub(crate) fn new(graph: &'g Graph, index: usize, [from, to]: [Shape; 2]) -> Self {
        Self { graph, index, from, to }
    }

    /// The elements of `x` at the table's places, `otherwise` where it has none.
    #[must_use]
    pub fn take(self, x: Var<'g>, otherwise: f64) -> Var<'g> {
        let x = x.spread(self.from);
        self.graph.push(Node::Take(self.index, x.id(), otherwise.to_bits()), self.to)
    }

    /// The sums of the elements of `x` at the table's classes, the transpose.
    pub(crate) fn put(self, x: Var<'g>) -> Var<'g> {
        let x = x.spread(self.to);
        self.graph.push(Node::Put(self.index, x.id()), self.from)
    }
}

/// How many tables back that of the same kind for the step before is looked for.
const BACK: usize = 4;

/// The tables of a run, from the sequences that are read.
pub(crate) fn tables<'a>(
    tabled: &[Tabled],
    readings: &[Reading],
    given: impl Fn(usize) -> &'a Indices,
    sides: &[[usize; 3]],
) -> Result<Vec<Table>, Error> {
    let read = |reading: &Reading| reading.sequences(reading.places.map(&given));
    let sequences = readings.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    let mut made: Vec<Table> = Vec::new();
    for Tabled { sequences: index, shapes, class } in tabled {
        let [from, to] = shapes.map(|shape| sides_of(shape, sides));
        let rows = &sequences[*index];
        let table = Table::new([to[0], to[1], from[1]], |row, place| class(&rows[row], place));
        // Most steps have the tables of the step before, and share them.
        let same = made.iter().rev().take(BACK).find(|other| **other == table).cloned();
        made.push(same.unwrap_or(table));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_sums_the_places_that_take_it() {
        // Two rows of three places: 1, none, 1 and 0, 1, 5, which is no class.
        let taken = [[Some(1), None, Some(1)], [Some(0), Some(1), Some(5)]];
        let table = Table::new([2, 3, 2], |row, place| taken[row][place]);
        let value = |place: usize| [1.0, 10.0, 100.0][place];
        assert_eq!(table.sums(0, value), [0.0, 101.0]);
        assert_eq!(table.sums(1, value), [1.0, 10.0]);
    }
}
