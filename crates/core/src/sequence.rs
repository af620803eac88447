//! Sequences of class indices, one a sample, validated once, and the tables of places that losses make of them.

use crate::accumulate;
use crate::error::Error;
use crate::labels::Indices;
use crate::op::Reduce;
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
}

impl Reading {
    /// The sequences, from labels that are padded to rows or stand one after the other.
    pub(crate) fn sequences(
        &self,
        [labels, steps, lengths]: [&Indices; 3],
    ) -> Result<Vec<Sequence>, Error> {
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
