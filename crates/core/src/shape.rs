//! The N-D boundary: every argument's shape is checked here, once, and mapped to batch × class × inner.

use crate::backend::View;
use crate::catalogue::{Argument, Form};
use crate::error::Error;
use crate::graph::{Dim, Shape, full};
use std::fmt;
use std::ops::Range;

/// Prints a shape as Python would: `()`, `(3,)`, `(3, 4)`.
#[derive(Debug)]
pub struct Sides<'a>(pub &'a [usize]);

impl fmt::Display for Sides<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [side] => write!(f, "({side},)"),
            sides => {
                let sides: Vec<_> = sides.iter().map(usize::to_string).collect();
                write!(f, "({})", sides.join(", "))
            }
        }
    }
}

/// The number of elements of a shape that is known to fit.
#[must_use]
pub fn count(shape: &[usize]) -> usize {
    shape.iter().product()
}

/// The most elements there may be: memory cannot be asked for more, at up to 16 bytes each.
const MOST: usize = isize::MAX.cast_unsigned() / 16;

/// The number of elements.
///
/// # Errors
/// [`Error::Overflow`] if it is 2⁵⁹ or more (2²⁷ on 32 bits), zeros among the sides not counted.
pub fn checked_count(shape: &[usize]) -> Result<usize, Error> {
    let product =
        shape.iter().filter(|&&side| side > 0).try_fold(1, |n: usize, &side| n.checked_mul(side));
    let product = product.filter(|&product| product <= MOST);
    let product = product.ok_or_else(|| Error::Overflow { shape: shape.to_vec() })?;
    Ok(if shape.contains(&0) { 0 } else { product })
}

/// Checks that the elements of an argument can be counted.
pub(crate) fn countable(argument: &'static str, shape: &[usize]) -> Result<(), Error> {
    let expected = "that is more elements than can be counted".into();
    let wrong = Error::Rank { argument, got: shape.to_vec(), expected };
    checked_count(shape).map(|_| ()).map_err(|_| wrong)
}

/// How a loss sees the axes of its main input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Every element alone; the unreduced value has the input's shape.
    Pointwise,
    /// PyTorch's class axis, 1, or 0 of an input with one axis; the unreduced value drops it.
    Classes,
    /// The given axis, from the end if negative; the value keeps it.
    Along(i64),
    /// The given axis, from the end if negative; the value drops it.
    Over(i64),
}

impl Layout {
    /// Whether the unreduced loss drops the class axis.
    fn drops(self) -> bool {
        matches!(self, Self::Classes | Self::Over(_))
    }

    fn class_axis(self, main: &'static str, shape: &[usize]) -> Result<Option<usize>, Error> {
        let rank = shape.len();
        let wrong =
            |expected: String| Err(Error::Rank { argument: main, got: shape.to_vec(), expected });
        let axis = match self {
            Self::Pointwise => return Ok(None),
            Self::Classes if rank == 0 => {
                return wrong("a class axis is wanted: (C), (N, C) or (N, C, d…)".into());
            }
            Self::Classes => usize::from(rank > 1),
            Self::Along(dim) | Self::Over(dim) => {
                let from_end = if dim < 0 { i64::try_from(rank).unwrap_or(i64::MAX) } else { 0 };
                match usize::try_from(dim.saturating_add(from_end)) {
                    Ok(axis) if axis < rank => axis,
                    _ => return wrong(format!("dim={dim} is not an axis of it")),
                }
            }
        };
        if shape[axis] == 0 {
            return wrong(format!("at least one class is wanted on axis {axis}"));
        }
        Ok(Some(axis))
    }

    /// The sides of the unreduced loss.
    pub(crate) fn value_sides(self, frame: usize) -> Shape {
        let [batch, class, inner] = full(frame);
        [batch, if self.drops() { Dim::One } else { class }, inner]
    }
}

/// The tensor arguments of a loss, each with its shape.
pub(crate) type Shapes = Vec<(&'static Argument, Vec<usize>)>;

/// The main input's shape, seen as three groups of axes.
#[derive(Clone, Debug)]
pub(crate) struct Frame {
    index: usize,
    main: &'static str,
    shape: Vec<usize>,
    class_axis: Option<usize>,
    classes: Option<usize>,
    groups: [Range<usize>; 3],
}

/// What the other arguments are placed against: the main input, or what is made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Main {
    /// What messages call it.
    pub name: &'static str,
    /// Its shape.
    pub shape: Vec<usize>,
    /// The number of classes of the labels, if it is not the class axis's side.
    pub classes: Option<usize>,
}

/// The arguments' names and shapes, as far as they are numbers.
#[derive(Debug)]
pub struct Given<'a>(pub &'a [(&'static Argument, Vec<usize>)]);

impl Given<'_> {
    /// The shape of that argument, if it was given.
    #[must_use]
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        let found = self.0.iter().find(|(argument, _)| argument.name == name);
        found.map(|(_, shape)| shape.as_slice())
    }

    /// The first argument's.
    pub(crate) fn main(&self) -> Main {
        let main = self.0.iter().find(|(argument, _)| argument.form == Form::Main);
        let (name, shape) = main.map_or(("input", &[][..]), |(main, shape)| (main.name, shape));
        Main { name, shape: shape.to_vec(), classes: None }
    }

    /// Rows × columns of a matrix, or of a single vector, with as many as it should have.
    pub(crate) fn matrix(
        &self,
        argument: &'static Argument,
        rows: Option<usize>,
    ) -> Result<[usize; 2], Error> {
        let own = self.shape(argument.name).unwrap_or(&[]);
        let wrong = |against: &'static str, input: &[usize], expected: String| Error::Shape {
            argument: argument.name,
            got: own.to_vec(),
            against,
            input: input.to_vec(),
            expected,
        };
        match argument.form {
            Form::Matrix(of, first) => {
                let other = self.shape(of).unwrap_or(&[]);
                let columns = if first { other.first() } else { other.last() };
                let right = |own: &[usize]| rows.is_none_or(|rows| own.first() == Some(&rows));
                match (own.split_last(), columns) {
                    (Some((last, rows)), Some(columns)) if last == columns && right(own) => {
                        let own = [checked_count(rows)?, *columns];
                        checked_count(&own).map(|_| own)
                    }
                    (_, columns) => {
                        let rows = rows.map_or("…".into(), |rows| rows.to_string());
                        let columns = columns.map_or("F".into(), usize::to_string);
                        Err(wrong(of, other, format!("({rows}, {columns})")))
                    }
                }
            }
            Form::PerRow(of) => {
                let other = self.shape(of).unwrap_or(&[]);
                let rows = other.first().copied().unwrap_or(0);
                if own == [rows] {
                    Ok([1, rows])
                } else {
                    Err(wrong(of, other, format!("({rows},)")))
                }
            }
            Form::Main
            | Form::Same
            | Form::Rows
            | Form::PerClass
            | Form::Features
            | Form::Trailing
            | Form::AnySideOne
            | Form::Steps
            | Form::Sequences
            | Form::Lengths
            | Form::Sample
            | Form::Value => Err(wrong("input", &[], "a matrix".into())),
        }
    }
}

/// One argument as the frame sees it: which of its three sides are full or one, and how its array becomes them.
#[derive(Clone, Debug)]
pub(crate) struct Placed {
    pub(crate) sides: Shape,
    pub(crate) view: View,
}

impl Placed {
    /// A matrix, or the numbers for its rows, beside the frames, as the one at that place.
    pub(crate) fn matrix(index: usize, argument: &Argument, shape: &[usize]) -> Self {
        let [batch, class, _] = full(index);
        let batch = if matches!(argument.form, Form::PerRow(_)) { Dim::One } else { batch };
        let ends = [shape.len().saturating_sub(1), shape.len()];
        let view = View::new(shape.to_vec(), shape.to_vec(), ends);
        Self { sides: [batch, class, Dim::One], view }
    }
}

impl Frame {
    /// The frame of a main input for the losses that share it, each with its tensor arguments.
    pub(crate) fn new(
        index: usize,
        &Main { name: main, ref shape, classes }: &Main,
        losses: &[(Layout, Shapes)],
    ) -> Result<Self, Error> {
        countable(main, shape)?;
        let rank = shape.len();
        let mut class_axis = None;
        for (layout, _) in losses {
            let axis = layout.class_axis(main, shape)?;
            if axis.is_some() && class_axis.is_some() && axis != class_axis {
                let expected = "losses that share it want one class axis: rename it in one".into();
                return Err(Error::Rank { argument: main, got: shape.to_vec(), expected });
            }
            class_axis = class_axis.or(axis);
        }
        let groups = match class_axis {
            Some(axis) => [0..axis, axis..axis + 1, axis + 1..rank],
            None => [0..rank, rank..rank, rank..rank],
        };
        let mut frame = Self { index, main, shape: shape.clone(), class_axis, classes, groups };
        let (mut aligned, mut differentiable) = (Vec::new(), Vec::new());
        for (layout, arguments) in losses {
            for (argument, got) in arguments {
                if matches!(argument.form, Form::Matrix(..) | Form::PerRow(_)) {
                    continue;
                }
                let sides = frame.align(*layout, argument, got)?;
                differentiable.extend(argument.differentiable.then(|| sides.clone()));
                aligned.push(sides);
            }
        }
        if class_axis.is_none() {
            // Where that needs more than three groups, what has no gradient is expanded instead.
            let _ = frame.group_by_broadcast(&aligned) || frame.group_by_broadcast(&differentiable);
        }
        Ok(frame)
    }

    /// The shape of the unreduced loss.
    pub(crate) fn value_shape(&self, layout: Layout) -> Vec<usize> {
        let mut shape = self.shape.clone();
        if let (true, Some(axis)) = (layout.drops(), self.class_axis) {
            shape.remove(axis);
        }
        shape
    }

    /// Batch × class × inner of the main input.
    pub(crate) fn sides(&self) -> [usize; 3] {
        self.groups.clone().map(|group| count(&self.shape[group]))
    }

    /// Batch × class × inner of what labels pick from.
    pub(crate) fn label_sides(&self) -> [usize; 3] {
        let [batch, class, inner] = self.sides();
        [batch, self.classes.unwrap_or(class), inner]
    }

    /// The first side of the main input, 1 if it has none.
    #[allow(clippy::cast_precision_loss, reason = "a side above 2^53 does not exist")]
    pub(crate) fn batch(&self) -> f64 {
        self.shape.first().map_or(1.0, |&side| side as f64)
    }

    /// Checks that there are as many class indices as elements.
    pub(crate) fn check_same(
        &self,
        layout: Layout,
        argument: &Argument,
        got: &[usize],
    ) -> Result<(), Error> {
        self.check(layout, &Argument { form: Form::Same, ..*argument }, got)
    }

    /// Checks that there is one class index a row.
    pub(crate) fn check_rows(
        &self,
        layout: Layout,
        argument: &Argument,
        got: &[usize],
    ) -> Result<(), Error> {
        self.check(layout, &Argument { form: Form::Rows, ..*argument }, got)
    }

    /// Checks an argument's shape.
    pub(crate) fn check(
        &self,
        layout: Layout,
        argument: &Argument,
        got: &[usize],
    ) -> Result<(), Error> {
        self.align(layout, argument, got).map(|_| ())
    }

    /// An argument with the given shape, placed in the frame.
    pub(crate) fn place(
        &self,
        layout: Layout,
        argument: &Argument,
        got: &[usize],
    ) -> Result<Placed, Error> {
        let aligned = self.align(layout, argument, got)?;
        let mut expanded = aligned.clone();
        let mut placed = [Dim::One; 3];
        for (axis, group) in self.groups.clone().into_iter().enumerate() {
            // Where the main argument has one element too, there is nothing to broadcast over.
            let mut sides = aligned[group.clone()].iter().zip(&self.shape[group.clone()]);
            let one = sides.clone().all(|(&own, _)| own == 1) && sides.any(|(_, &main)| main != 1);
            let of_class = self.class_axis.is_some_and(|axis| group.contains(&axis));
            // A side of size one is full where the argument has no choice, so that it is never taken for a broadcast.
            let is_full = match argument.form {
                Form::Main | Form::Same | Form::Steps => true,
                Form::Rows | Form::Value | Form::Sample if of_class && layout.drops() => false,
                Form::Rows | Form::Value => true,
                Form::PerClass => of_class || !one,
                Form::Features => of_class || axis == 2,
                // These stand beside the frame, with sides of their own.
                Form::Matrix(..) | Form::PerRow(_) | Form::Sequences | Form::Lengths => false,
                Form::Trailing | Form::AnySideOne | Form::Sample => !one,
            };
            if is_full {
                placed[axis] = full(self.index)[axis];
                expanded[group.clone()].copy_from_slice(&self.shape[group]);
            }
        }
        let view = View::new(aligned, expanded, [self.groups[0].end, self.groups[1].end]);
        Ok(Placed { sides: placed, view })
    }

    /// The argument's shape with ones inserted to stand beside the main input's.
    fn align(
        &self,
        layout: Layout,
        argument: &Argument,
        got: &[usize],
    ) -> Result<Vec<usize>, Error> {
        let rank = self.shape.len();
        let value_shape = self.value_shape(layout);
        let wrong = |expected: String| Error::Shape {
            argument: argument.name,
            got: got.to_vec(),
            against: self.main,
            input: self.shape.clone(),
            expected,
        };
        let exactly = |expected: &[usize]| {
            if got == expected { Ok(()) } else { Err(wrong(Sides(expected).to_string())) }
        };
        let rows = |sides: &[usize]| {
            let mut aligned = sides.to_vec();
            if let (Some(axis), true) = (self.class_axis, layout.drops()) {
                aligned.resize(rank - 1, 1);
                aligned.insert(axis, 1);
            }
            aligned.resize(rank, 1);
            aligned
        };
        match argument.form {
            Form::Main | Form::Same => exactly(&self.shape).map(|()| got.to_vec()),
            Form::Rows | Form::Value => exactly(&value_shape).map(|()| rows(got)),
            Form::PerClass => {
                let no_axis = || wrong("a loss with a class axis".into());
                let axis = self.class_axis.ok_or_else(no_axis)?;
                exactly(&[self.shape[axis]])?;
                let mut aligned = vec![1; rank];
                aligned[axis] = got[0];
                Ok(aligned)
            }
            Form::Features => {
                let from = self.class_axis.unwrap_or(0);
                exactly(&self.shape[from..])?;
                let mut aligned = vec![1; from];
                aligned.extend(got);
                Ok(aligned)
            }
            // Of steps each is seen alone.
            Form::Steps => Ok(self.shape.clone()),
            Form::Lengths if got.is_empty() => Ok(vec![1; rank]),
            Form::Lengths => exactly(&value_shape).map(|()| rows(got)),
            Form::Sequences => match (&value_shape[..], got) {
                ([], [_]) | ([_], [_]) => Ok(vec![1; rank]),
                ([samples], [rows, _]) if rows == samples => Ok(vec![1; rank]),
                ([], _) => Err(wrong("(S,)".into())),
                ([samples, ..], _) => Err(wrong(format!("({samples}, S), or (S,) in all"))),
            },
            Form::Matrix(..) | Form::PerRow(_) => Err(wrong("no place in it".into())),
            Form::Trailing => {
                let fits = got.len() <= rank
                    && got
                        .iter()
                        .rev()
                        .zip(self.shape.iter().rev())
                        .all(|(&a, &b)| a == b || a == 1);
                if !fits {
                    return Err(wrong("the same, or trailing sides of it, each full or 1".into()));
                }
                let mut aligned = vec![1; rank - got.len()];
                aligned.extend(got);
                Ok(aligned)
            }
            Form::AnySideOne => {
                if got.is_empty() {
                    return Ok(vec![1; rank]);
                }
                if self.shape.split_last().is_some_and(|(_, leading)| leading == got) {
                    return Ok(got.iter().copied().chain([1]).collect());
                }
                let differ = got.iter().zip(&self.shape).filter(|(a, b)| a != b);
                let ones = differ.clone().all(|(&side, _)| side == 1) && differ.count() <= 1;
                if got.len() != rank || !ones {
                    return Err(wrong(argument.form.words().into()));
                }
                Ok(got.to_vec())
            }
            Form::Sample => {
                if !value_shape.starts_with(got) {
                    let value = Sides(&value_shape);
                    return Err(wrong(format!(
                        "{value}, the unreduced loss's, or leading sides of it"
                    )));
                }
                Ok(rows(got))
            }
        }
    }

    /// Joins neighbouring axes that every argument treats alike; false if more than three groups are left.
    fn group_by_broadcast(&mut self, aligned: &[Vec<usize>]) -> bool {
        let rank = self.shape.len();
        // A matrix stays one, whatever the order of its elements in memory.
        if rank == 2 {
            self.groups = [0..1, 1..2, 2..2];
            return true;
        }
        let pattern = |axis: usize| -> Vec<bool> {
            aligned.iter().map(|sides| sides[axis] == self.shape[axis]).collect()
        };
        let mut starts: Vec<usize> = Vec::new();
        let mut last: Option<Vec<bool>> = None;
        for axis in (0..rank).filter(|&axis| self.shape[axis] != 1) {
            let here = pattern(axis);
            if last.as_ref() != Some(&here) {
                starts.push(if starts.is_empty() { 0 } else { axis });
                last = Some(here);
            }
        }
        self.groups = match starts[..] {
            [_, class] => [0..class, class..rank, rank..rank],
            [_, class, inner] => [0..class, class..inner, inner..rank],
            _ => [0..rank, rank..rank, rank..rank],
        };
        starts.len() <= 3
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_side_of_zero_hides_no_overflow() {
        assert!(checked_count(&[0, usize::MAX, 2]).is_err());
        assert!(matches!(checked_count(&[0, 3]), Ok(0)));
        assert!(matches!(checked_count(&[MOST]), Ok(MOST)));
        assert!(checked_count(&[MOST + 1]).is_err());
    }
}
