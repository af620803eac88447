//! Class indices: their own type, since a 16-bit float cannot hold 2049, validated once.

use crate::error::Error;

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

/// Validated class indices: each row (a batch and inner position) has a label below `classes`, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    sides: [usize; 3],
    data: Vec<Option<usize>>,
}

impl Labels {
    /// The labels of batch × inner rows, `ignore_index` marking the rows without one.
    ///
    /// # Errors
    /// [`Error::Label`] names the first index outside `0..classes`.
    pub fn new(
        argument: &'static str,
        data: &[i64],
        sides: [usize; 3],
        ignore_index: Option<i64>,
    ) -> Result<Self, Error> {
        let classes = sides[1];
        let label = |(index, &value): (usize, &i64)| match usize::try_from(value) {
            _ if Some(value) == ignore_index => Ok(None),
            Ok(label) if label < classes => Ok(Some(label)),
            _ => {
                let set = |_| format!(", or set ignore_index to {value}");
                let also = ignore_index.map_or_else(String::new, set);
                Err(Error::Label { argument, index, value, classes, also })
            }
        };
        let data = data.iter().enumerate().map(label).collect::<Result<_, _>>()?;
        Ok(Self { sides, data })
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
        let mut slots: Vec<Self> = Vec::new();
        for row in 0..batch * inner {
            let at = |class: usize| (row / inner * classes + class) * inner + row % inner;
            for class in 0..classes {
                let (index, value) = (at(class), data[at(class)]);
                if value == -1 {
                    break;
                }
                let label = usize::try_from(value).ok().filter(|&label| label < classes);
                let also = ", or -1 to end the row".to_owned();
                let out_of_range = move || Error::Label { argument, index, value, classes, also };
                if slots.len() == class {
                    slots.push(Self { sides, data: vec![None; batch * inner] });
                }
                slots[class].data[row] = Some(label.ok_or_else(out_of_range)?);
            }
        }
        Ok(slots)
    }

    /// The labels of the same rows in tensors of other sides: `relabel` has the new index for an old one, or none.
    pub(crate) fn relabel(
        &self,
        sides: [usize; 3],
        relabel: impl Fn(usize) -> Option<usize>,
    ) -> Self {
        let new = |label: &Option<usize>| label.and_then(&relabel).filter(|&new| new < sides[1]);
        Self { sides, data: self.data.iter().map(new).collect() }
    }

    /// Batch × class × inner of the tensors these labels pick from.
    #[must_use]
    pub fn sides(&self) -> [usize; 3] {
        self.sides
    }

    /// The label of each row, batch-major; none where it is ignored.
    #[must_use]
    pub fn rows(&self) -> &[Option<usize>] {
        &self.data
    }

    /// Whether `class` is the label at this batch and inner position.
    #[must_use]
    pub fn hit(&self, batch: usize, class: usize, inner: usize) -> bool {
        self.data.get(batch * self.sides[2] + inner).is_some_and(|&label| label == Some(class))
    }
}
