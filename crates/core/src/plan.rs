//! A loss made ready for arguments of given shapes: its graph, how every array enters it, and what leaves it.
//!
//! A plan knows no data and no backend. Class indices are validated, and derived ones made, at every run.

mod build;

use crate::backend::View;
use crate::call::Seen;
use crate::catalogue::Domain;
use crate::error::Error;
use crate::format::Format;
use crate::graph::{Derived, Graph, Id, Node, Shape, sides_of};
use crate::labels::{Indices, Labels};
use crate::sequence::{Reading, Table, Tabled, tables};
use std::sync::LazyLock;

/// What is asked of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    Value,
    ValueAndGrad,
    Bounds(Format),
}

/// A loss or an objective as a graph for arguments of given shapes.
#[derive(Debug)]
pub struct Plan {
    graph: Graph,
    sides: Vec<[usize; 3]>,
    entering: Vec<Entering>,
    labels: Vec<Labelling>,
    sequences: Vec<Reading>,
    tables: Vec<Tabled>,
    leaving: Vec<Leaving>,
    /// The arguments' names and shapes, and whether class indices stand there.
    made_for: Vec<(String, Vec<usize>, bool)>,
    sets: Vec<Sets>,
    constant: Vec<String>,
}

/// How many labels a row has at most, where it may have several.
#[derive(Debug)]
struct Sets {
    place: usize,
    sides: [usize; 3],
    longest: usize,
}

/// Class indices as a run has them: where the caller has them, and as tables where they are sequences.
#[derive(Clone, Debug)]
pub struct Picks<'a> {
    /// The labels that the graph's nodes pick by, each at its place.
    pub labels: Vec<Labels<'a>>,
    /// The tables that they take by.
    pub tables: Vec<Table>,
}

/// How an array becomes the input of the graph at its place in the list.
#[derive(Debug)]
pub struct Entering {
    /// The array's place among the arguments.
    pub place: usize,
    /// How it is seen as three sides.
    pub view: View,
    /// Which of those are full.
    pub shape: Shape,
    /// What its numbers have to be, each time with the argument's name.
    pub domains: Vec<(&'static str, Domain)>,
}

/// How the class indices at their place in the list are made.
#[derive(Debug)]
enum Labelling {
    /// One a row.
    Rows { place: usize, argument: &'static str, sides: [usize; 3], ignore: Option<i64> },
    /// The one at that slot of each row's.
    Set { place: usize, argument: &'static str, sides: [usize; 3], slot: usize },
    /// From others.
    Derived(Derived),
}

/// A result: the value, or the gradient in an argument.
#[derive(Debug)]
pub struct Leaving {
    /// The caller's name of the argument; the value's is empty.
    pub name: String,
    /// The nodes, one after the other: one, but as many as there are steps of what entered step by step.
    pub ids: Vec<Id>,
    /// The shape of the library's array.
    pub shape: Vec<usize>,
}

impl Leaving {
    /// The node, if it is one.
    #[must_use]
    pub fn id(&self) -> Option<Id> {
        match self.ids[..] {
            [id] => Some(id),
            _ => None,
        }
    }
}

impl Plan {
    /// The graph.
    #[must_use]
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Batch × class × inner of every frame, and of the matrices beside them.
    #[must_use]
    pub fn sides(&self) -> &[[usize; 3]] {
        &self.sides
    }

    /// How the inputs of the graph are made.
    #[must_use]
    pub fn entering(&self) -> &[Entering] {
        &self.entering
    }

    /// What leaves: the value first, then the gradients.
    #[must_use]
    pub fn leaving(&self) -> &[Leaving] {
        &self.leaving
    }

    /// Whether a product of matrices is in it.
    #[must_use]
    pub fn needs_matmul(&self) -> bool {
        self.graph.any(|node| matches!(node, Node::Matmul(..)))
    }

    /// Whether taking by tables is in it.
    #[must_use]
    pub fn needs_take(&self) -> bool {
        self.graph.any(|node| matches!(node, Node::Take(..) | Node::Put(..)))
    }

    /// Whether it is the plan for arguments of these names, kinds and shapes, and as many labels a row or sequence.
    pub(crate) fn fits(&self, seen: &[(&str, Seen<'_>)], constant: &[String]) -> bool {
        let same = |(made, (name, seen)): (&(String, Vec<usize>, bool), &(&str, Seen<'_>))| {
            made.0 == *name
                && made.1 == *seen.shape()
                && made.2 == seen.indices().is_some()
                && seen.indices().is_none_or(|indices| indices.check("").is_ok())
        };
        let sets = |sets: &Sets| {
            let longest = |indices: &Indices| Labels::longest_set(&indices.data, sets.sides);
            seen[sets.place].1.indices().map(longest) == Some(sets.longest)
        };
        let sequences = |reading: &Reading| {
            seen[reading.places[2]].1.indices().map(Reading::longest) == Some(reading.longest)
        };
        self.made_for.len() == seen.len()
            && self.made_for.iter().zip(seen).all(same)
            && self.constant == constant
            && self.sets.iter().all(sets)
            && self.sequences.iter().all(sequences)
    }

    /// The class indices of a run, not yet checked, and what is made of them.
    pub(crate) fn picks<'a>(
        &self,
        given: impl Fn(usize) -> Option<&'a Indices>,
    ) -> Result<Picks<'a>, Error> {
        static NONE: LazyLock<Indices> = LazyLock::new(|| [].into());
        let of = |place: usize| given(place).unwrap_or(&NONE);
        let tables = tables(&self.tables, &self.sequences, of, &self.sides)?;
        Ok(Picks { labels: self.labels(given)?, tables })
    }

    fn labels<'a>(
        &self,
        given: impl Fn(usize) -> Option<&'a Indices>,
    ) -> Result<Vec<Labels<'a>>, Error> {
        let of = |place: usize, argument| match given(place) {
            Some(indices) => indices.check(argument).map(|()| indices.data.as_slice()),
            None => Ok(&[][..]),
        };
        let mut made: Vec<Labels<'a>> = Vec::new();
        for labelling in &self.labels {
            let labels = match *labelling {
                Labelling::Rows { place, argument, sides, ignore } => {
                    Labels::unchecked(argument, of(place, argument)?, sides, ignore)
                }
                Labelling::Set { place, argument, sides, slot: 0 } => {
                    let mut sets = Labels::sets(argument, of(place, argument)?, sides)?.into_iter();
                    // The other slots come next, and are there already.
                    let first = sets.next();
                    made.extend(first);
                    made.extend(sets);
                    continue;
                }
                Labelling::Set { .. } => continue,
                Labelling::Derived(Derived { from, shape, ref relabel }) => {
                    made[from].relabel(sides_of(shape, &self.sides), relabel)
                }
            };
            made.push(labels);
        }
        Ok(made)
    }
}
