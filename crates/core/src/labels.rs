//! Class indices: their own type, since a 16-bit float cannot hold 2049, validated once and read where they are.

use crate::error::Error;
use std::borrow::Cow;
use std::ops::Range;

/// Class indices as a caller has them: integers with a shape, not yet checked against a number of classes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indices {
    /// The sides; empty for one index alone.
    pub shape: Vec<usize>,
    /// The indices in row-major order.
    pub data: Vec<i64>,
}

impl Indices {
    /// Indices of the given shape.
    ///
    /// # Errors
    /// [`Error::Length`] if the number of indices is not the product of the sides.
    pub fn new(shape: &[usize], data: Vec<i64>) -> Result<Self, Error> {
        crate::dense::check_length(shape, data.len())?;
        Ok(Self { shape: shape.to_vec(), data })
    }

    /// Checks the length again, since the fields are open to a caller.
    pub(crate) fn check(&self, argument: &'static str) -> Result<(), Error> {
        let wrong = |_| {
            let expected = format!("{} class indices are given", self.data.len());
            Error::Rank { argument, got: self.shape.clone(), expected }
        };
        crate::dense::check_length(&self.shape, self.data.len()).map_err(wrong)
    }
}

impl From<Vec<i64>> for Indices {
    fn from(data: Vec<i64>) -> Self {
        Self { shape: vec![data.len()], data }
    }
}

impl From<&[i64]> for Indices {
    fn from(data: &[i64]) -> Self {
        data.to_vec().into()
    }
}

impl<const N: usize> From<[i64; N]> for Indices {
    fn from(data: [i64; N]) -> Self {
        data.to_vec().into()
    }
}

impl From<i64> for Indices {
    fn from(index: i64) -> Self {
        Self { shape: Vec::new(), data: vec![index] }
    }
}

/// Class indices as a tensor is read by them: each row (a batch and inner position) has a label below the number of
/// classes, or none. They stay where the caller has them.
#[derive(Clone, Debug)]
pub struct Labels<'a> {
    argument: &'static str,
    sides: [usize; 3],
    /// One a row; what is no class is a row without a label.
    data: Cow<'a, [i64]>,
    ignore_index: Option<i64>,
}

/// A row without a label, where the library has made the indices.
const NO_LABEL: i64 = -1;

impl<'a> Labels<'a> {
    /// The labels of batch × inner rows, `ignore_index` marking the rows without one.
    ///
    /// # Errors
    /// [`Error::Label`] names the first index outside `0..classes`.
    pub fn new(
        argument: &'static str,
        data: &'a [i64],
        sides: [usize; 3],
        ignore_index: Option<i64>,
    ) -> Result<Self, Error> {
        let labels = Self::unchecked(argument, data, sides, ignore_index);
        labels.check()?;
        Ok(labels)
    }

    /// The labels, not yet [checked](Self::check).
    pub(crate) fn unchecked(
        argument: &'static str,
        data: &'a [i64],
        sides: [usize; 3],
        ignore_index: Option<i64>,
    ) -> Self {
        Self { argument, sides, data: data.into(), ignore_index }
    }

    /// Checks every index.
    ///
    /// # Errors
    /// [`Error::Label`] names the first index outside `0..classes`.
    pub fn check(&self) -> Result<(), Error> {
        if self.labelled(0..self.data.len()).is_some() {
            return Ok(());
        }
        let (argument, classes) = (self.argument, self.sides[1]);
        let wrong = |(row, &value): (usize, &i64)| {
            (Some(value) != self.ignore_index && self.get(row).is_none()).then_some((row, value))
        };
        let wrong = self.data.iter().enumerate().find_map(wrong);
        wrong.map_or(Ok(()), |(index, value)| {
            let set = |_| format!(", or set ignore_index to {value}");
            let also = self.ignore_index.map_or_else(String::new, set);
            Err(Error::Label { argument, index, value, classes, also })
        })
    }

    /// How many of these rows have a label; none if an index among them is out of range. Inlined, for an engine that
    /// compiles it for better instructions.
    #[inline(always)]
    #[must_use]
    pub fn labelled(&self, rows: Range<usize>) -> Option<usize> {
        let classes = self.sides[1] as u64;
        // Without an index that is ignored, what is out of range twice.
        let ignore_index = self.ignore_index.unwrap_or(i64::MIN);
        let exempt = u64::from(self.ignore_index.is_some());
        let (mut labelled, mut wrong) = (0, 0);
        for &value in &self.data[rows] {
            let below = u64::from(value.cast_unsigned() < classes);
            let ignored = u64::from(value == ignore_index) & exempt;
            labelled += below & (1 - ignored);
            wrong |= (1 - below) & (1 - ignored);
        }
        (wrong == 0).then(|| usize::try_from(labelled).ok()).flatten()
    }

    /// The same labels in memory of their own.
    #[must_use]
    pub fn into_owned(self) -> Labels<'static> {
        Labels { data: self.data.into_owned().into(), ..self }
    }

    /// The most labels that a row has, each row's ended by −1.
    pub(crate) fn longest_set(data: &[i64], [batch, classes, inner]: [usize; 3]) -> usize {
        let at = |row: usize, class: usize| (row / inner * classes + class) * inner + row % inner;
        let length = |row| (0..classes).take_while(|&class| data[at(row, class)] != -1).count();
        (0..batch * inner).map(length).max().unwrap_or(0)
    }

    /// The labels of rows that have several, each row's ended by −1, as one `Labels` a place in the list.
    ///
    /// # Errors
    /// [`Error::Label`] names the first index outside `0..classes` before its row's end.
    pub fn sets(
        argument: &'static str,
        data: &[i64],
        sides: [usize; 3],
    ) -> Result<Vec<Self>, Error> {
        let [batch, classes, inner] = sides;
        let mut slots: Vec<Vec<i64>> = Vec::new();
        for row in 0..batch * inner {
            let at = |class: usize| (row / inner * classes + class) * inner + row % inner;
            for class in 0..classes {
                let (index, value) = (at(class), data[at(class)]);
                if value == -1 {
                    break;
                }
                if usize::try_from(value).ok().is_none_or(|label| label >= classes) {
                    let also = ", or -1 to end the row".to_owned();
                    return Err(Error::Label { argument, index, value, classes, also });
                }
                if slots.len() == class {
                    slots.push(vec![NO_LABEL; batch * inner]);
                }
                slots[class][row] = value;
            }
        }
        Ok(slots.into_iter().map(|data| Self::made(argument, data, sides)).collect())
    }

    /// Labels that the library has made.
    fn made(argument: &'static str, data: Vec<i64>, sides: [usize; 3]) -> Self {
        Self { argument, sides, data: data.into(), ignore_index: Some(NO_LABEL) }
    }

    /// The labels of the same rows in tensors of other sides: `relabel` has the new index for an old one, or none.
    pub(crate) fn relabel(
        &self,
        sides: [usize; 3],
        relabel: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let new = |row| {
            let new = self.get(row).and_then(&relabel).filter(|&new| new < sides[1]);
            new.and_then(|new| i64::try_from(new).ok()).unwrap_or(NO_LABEL)
        };
        Self::made(self.argument, (0..self.data.len()).map(new).collect(), sides)
    }

    /// Batch × class × inner of the tensors these labels pick from.
    #[must_use]
    pub fn sides(&self) -> [usize; 3] {
        self.sides
    }

    /// The index of each row, batch-major.
    #[must_use]
    pub fn indices(&self) -> &[i64] {
        &self.data
    }

    /// The index that marks a row without a label, if there is one.
    #[must_use]
    pub fn ignore_index(&self) -> Option<i64> {
        self.ignore_index
    }

    /// The label of a row, by its place in batch-major order; none where it is ignored.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<usize> {
        let index = self.data.get(row).filter(|index| Some(**index) != self.ignore_index)?;
        usize::try_from(*index).ok().filter(|&label| label < self.sides[1])
    }

    /// Whether `class` is the label at this batch and inner position.
    #[must_use]
    pub fn hit(&self, batch: usize, class: usize, inner: usize) -> bool {
        self.get(batch * self.sides[2] + inner) == Some(class)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;

    #[test]
    fn rows_with_a_label_are_counted_and_none_if_one_is_wrong() {
        let of = |data: &'static [i64], ignore| {
            Labels::unchecked("target", data, [data.len(), 3, 1], ignore)
        };
        let labels = of(&[0, -1, 2, -1, 1], Some(-1));
        assert_eq!(labels.labelled(0..5), Some(3));
        assert_eq!(labels.labelled(1..2), Some(0));
        assert_eq!((labels.indices().len(), labels.ignore_index()), (5, Some(-1)));
        // A class may be what is ignored, and what is out of range too.
        assert_eq!(of(&[0, 1, 2], Some(1)).labelled(0..3), Some(2));
        assert_eq!(of(&[0, 7], Some(7)).labelled(0..2), Some(1));
        assert_eq!(of(&[], Some(7)).ignore_index(), Some(7));
        assert_eq!(of(&[0, i64::MIN], None).labelled(0..2), None);
        for wrong in [[0, 3], [3, 0], [-2, 0], [1, i64::MAX]] {
            let labels = Labels::unchecked("target", &wrong, [2, 3, 1], Some(-1));
            assert_eq!(labels.labelled(0..2), None, "{wrong:?}");
        }
    }

    #[test]
    fn sets_of_labels_are_read_along_their_axis() {
        // Two batches of three places for two rows each: {2, 0}, {1}, {}, {0, 1, 2}.
        let data = [2, 1, 0, -1, -1, 0, -1, 0, 2, 1, 1, 2];
        let sides = [2, 3, 2];
        assert_eq!(Labels::longest_set(&data, sides), 3);
        assert_eq!(Labels::longest_set(&data[..6], [1, 3, 2]), 2);
        let sets = Labels::sets("target", &data, sides).unwrap();
        let rows = |row| sets.iter().map(|labels| labels.get(row)).collect::<Vec<_>>();
        assert_eq!(rows(0), [Some(2), Some(0), None]);
        assert_eq!(rows(1), [Some(1), None, None]);
        assert_eq!(rows(2), [None; 3]);
        assert_eq!(rows(3), [Some(0), Some(1), Some(2)]);
        let wrong = Labels::sets("target", &[0, 1, 3, -1], [1, 2, 2]).unwrap_err();
        assert!(
            wrong.to_string().starts_with("target[2] is 3, but there are 2 classes"),
            "{wrong}"
        );
    }
}
