//! What an engine that reads memory itself needs of a library's array: its elements as a slice with strides.

use crate::backend::View;
use crate::dense::Dense;
use crate::error::Error;
use crate::shape::{checked_count, count};
use std::borrow::Cow;

/// An array whose elements lie in one slice.
pub trait Strided {
    /// The type of an element.
    type Element: Clone;
    /// What results come back as.
    type Output;

    /// The sides.
    fn shape(&self) -> Vec<usize>;

    /// The elements, and for each side how far apart its neighbours are; a copy where they do not lie in one slice
    /// without gaps.
    fn elements(&self) -> (Cow<'_, [Self::Element]>, Vec<usize>);

    /// An array of that shape from its elements.
    ///
    /// # Errors
    /// What the library reports.
    fn from_elements(
        shape: &[usize],
        elements: Vec<Self::Element>,
        order: Order,
    ) -> Result<Self::Output, Error>;
}

/// In which order elements lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The last axis is contiguous.
    RowMajor,
    /// A matrix whose columns are contiguous.
    ColumnMajor,
}

impl Order {
    /// The elements of a matrix that lie in this order, in row-major order.
    #[must_use]
    pub fn row_major<T: Clone>(self, elements: Vec<T>, shape: &[usize]) -> Vec<T> {
        match (self, shape) {
            (Self::ColumnMajor, &[rows, columns]) => {
                gather(&elements, &[1, rows], &[rows, columns])
            }
            _ => elements,
        }
    }
}

impl Strided for Dense {
    type Element = f64;
    type Output = Self;

    fn shape(&self) -> Vec<usize> {
        self.shape().to_vec()
    }

    fn elements(&self) -> (Cow<'_, [f64]>, Vec<usize>) {
        (self.data().into(), row_major(self.shape()))
    }

    fn from_elements(shape: &[usize], elements: Vec<f64>, order: Order) -> Result<Self, Error> {
        Self::new(shape, order.row_major(elements, shape))
    }
}

/// Numbers in row-major order with a shape of any rank, borrowed or owned.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice<'a, T: Clone> {
    shape: Vec<usize>,
    data: Cow<'a, [T]>,
}

impl<'a, T: Clone> Slice<'a, T> {
    /// The slice with that shape.
    ///
    /// # Errors
    /// [`Error::Length`] or [`Error::Overflow`] if the number of elements is not the product of the sides.
    pub fn new(shape: &[usize], data: impl Into<Cow<'a, [T]>>) -> Result<Self, Error> {
        let (data, expected) = (data.into(), checked_count(shape)?);
        let (shape, got) = (shape.to_vec(), data.len());
        if got == expected {
            Ok(Self { shape, data })
        } else {
            Err(Error::Length { shape, expected, got })
        }
    }

    /// The sides.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    #[must_use]
    pub fn data(&self) -> &[T] {
        &self.data
    }

    /// The elements for as long as they are borrowed, if they are.
    #[must_use]
    pub fn borrowed(&self) -> Option<&'a [T]> {
        match self.data {
            Cow::Borrowed(data) => Some(data),
            Cow::Owned(_) => None,
        }
    }

    /// The slice of a shape that is known to have as many elements.
    #[must_use]
    pub fn of(shape: &[usize], data: Cow<'a, [T]>) -> Self {
        Self { shape: shape.to_vec(), data }
    }
}

impl<T: Clone + 'static> Strided for Slice<'_, T> {
    type Element = T;
    type Output = Slice<'static, T>;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn elements(&self) -> (Cow<'_, [T]>, Vec<usize>) {
        (self.data.as_ref().into(), row_major(&self.shape))
    }

    fn from_elements(
        shape: &[usize],
        elements: Vec<T>,
        order: Order,
    ) -> Result<Slice<'static, T>, Error> {
        Slice::new(shape, order.row_major(elements, shape))
    }
}

/// How far apart neighbours are in row-major order.
#[must_use]
pub fn row_major(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![0; shape.len()];
    let mut step = 1;
    for (stride, &side) in strides.iter_mut().zip(shape).rev() {
        *stride = step;
        step *= side.max(1);
    }
    strides
}

/// An array seen as three sides.
#[derive(Clone, Debug)]
pub struct Seen<'a, T: Clone> {
    /// The elements.
    pub elements: Cow<'a, [T]>,
    /// How far apart neighbours are on each of the three sides; 0 where one stands for all.
    pub strides: [usize; 3],
}

impl<'a, T: Clone> Seen<'a, T> {
    /// The array through a view; copied only where neighbouring sides do not lie one in the other.
    ///
    /// # Errors
    /// [`Error::Length`] if the array has fewer elements than its shape and strides reach.
    pub fn new<A: Strided<Element = T>>(array: &'a A, view: &View) -> Result<Self, Error> {
        let (mut elements, mut own) = array.elements();
        let mut shape = array.shape();
        if reach(&shape, &own).is_none_or(|reach| reach > elements.len()) {
            let (expected, got) = (count(&shape), elements.len());
            return Err(Error::Length { shape, expected, got });
        }
        if let Some(step) = view.step {
            let start = (step * own.remove(0)).min(elements.len());
            shape.remove(0);
            elements = match elements {
                Cow::Borrowed(all) => Cow::Borrowed(&all[start..]),
                Cow::Owned(mut all) => Cow::Owned(all.split_off(start)),
            };
        }
        // Only ones were inserted, so the other sides stand in their old order.
        let mut left = shape.iter().zip(own).filter(|(side, _)| **side != 1).map(|(_, own)| own);
        let strides: Vec<_> = view
            .aligned
            .iter()
            .map(|&side| if side == 1 { 0 } else { left.next().unwrap_or(0) })
            .collect();
        let merged = view.groups().map(|group| {
            let mut sides = group.filter(|&axis| view.expanded[axis] != 1).rev();
            let Some(last) = sides.next() else { return Some(0) };
            let mut next = strides[last] * view.expanded[last];
            for axis in sides {
                if strides[axis] != next {
                    return None;
                }
                next *= view.expanded[axis];
            }
            Some(strides[last])
        });
        if let [Some(batch), Some(class), Some(inner)] = merged {
            let seen = Self { elements, strides: [batch, class, inner] };
            // A turned matrix gives results that lie as it does, which an order only says of two axes.
            if view.expanded.len() == 2 || seen.order(view) == Order::RowMajor {
                return Ok(seen);
            }
            elements = seen.elements;
        }
        let elements = gather(&elements, &strides, &view.expanded);
        let [batch, classes, inner] = view.sides;
        let full = |side, stride| if side == 1 { 0 } else { stride };
        let strides = [full(batch, classes * inner), full(classes, inner), full(inner, 1)];
        Ok(Self { elements: elements.into(), strides })
    }

    /// Whether the columns of a matrix of rows × classes are contiguous.
    #[must_use]
    pub fn order(&self, view: &View) -> Order {
        match (self.strides, view.sides) {
            ([1, class, _], [rows, classes, 1]) if class == rows && rows > 1 && classes > 1 => {
                Order::ColumnMajor
            }
            _ => Order::RowMajor,
        }
    }
}

/// How many elements there have to be for the last one of a shape with those strides.
fn reach(shape: &[usize], strides: &[usize]) -> Option<usize> {
    if shape.contains(&0) {
        return Some(0);
    }
    let mut axes = shape.iter().zip(strides);
    axes.try_fold(1_usize, |past, (side, stride)| {
        past.checked_add((side - 1).checked_mul(*stride)?)
    })
}

/// Elements with strides, in row-major order.
#[must_use]
pub fn gather<T: Clone>(elements: &[T], strides: &[usize], sides: &[usize]) -> Vec<T> {
    let mut index = vec![0; sides.len()];
    let mut at = 0;
    let mut row_major = Vec::with_capacity(count(sides));
    for _ in 0..count(sides) {
        row_major.push(elements[at].clone());
        for axis in (0..sides.len()).rev() {
            index[axis] += 1;
            at += strides[axis];
            if index[axis] < sides[axis] {
                break;
            }
            at -= strides[axis] * sides[axis];
            index[axis] = 0;
        }
    }
    row_major
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;

    /// Numbers with strides of their own.
    struct Own(Vec<usize>, Vec<usize>, Vec<f64>);

    impl Strided for Own {
        type Element = f64;
        type Output = Dense;
        fn shape(&self) -> Vec<usize> {
            self.0.clone()
        }
        fn elements(&self) -> (Cow<'_, [f64]>, Vec<usize>) {
            (self.2.as_slice().into(), self.1.clone())
        }
        fn from_elements(
            shape: &[usize],
            elements: Vec<f64>,
            order: Order,
        ) -> Result<Dense, Error> {
            Dense::from_elements(shape, elements, order)
        }
    }

    fn view(aligned: &[usize], expanded: &[usize], groups: [usize; 2]) -> View {
        View::new(aligned.to_vec(), expanded.to_vec(), groups)
    }

    #[test]
    fn numbers_in_row_major_order_are_lent_with_their_strides() {
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let dense = Dense::new(&[3, 1, 2], numbers.to_vec()).unwrap();
        let slice = Slice::new(&[3, 1, 2], &numbers[..]).unwrap();
        assert_eq!((slice.shape(), slice.data()), (&[3, 1, 2][..], &numbers[..]));
        assert_eq!(slice.borrowed(), Some(&numbers[..]));
        assert_eq!(Slice::new(&[6], numbers.to_vec()).unwrap().borrowed(), None);
        let strides = vec![2, 2, 1];
        assert_eq!(Strided::shape(&dense), [3, 1, 2]);
        assert_eq!(dense.elements(), (numbers.as_slice().into(), strides.clone()));
        assert_eq!(Strided::shape(&slice), [3, 1, 2]);
        assert_eq!(slice.elements(), (numbers.as_slice().into(), strides));
    }

    #[test]
    fn columns_come_back_as_rows() {
        let columns = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let of = |order| Dense::from_elements(&[2, 3], columns.clone(), order).unwrap();
        assert_eq!(of(Order::RowMajor).data(), columns);
        assert_eq!(of(Order::ColumnMajor).data(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
        let view = view(&[2, 3], &[2, 3], [1, 2]);
        let order = |strides| Seen { elements: columns.as_slice().into(), strides }.order(&view);
        assert_eq!(order([3, 1, 0]), Order::RowMajor);
        assert_eq!(order([1, 2, 0]), Order::ColumnMajor);
        // Columns with gaps between them, and one that is also a row.
        assert_eq!(order([1, 4, 0]), Order::RowMajor);
        let one = View::new(vec![1, 3], vec![1, 3], [1, 2]);
        let seen = Seen { elements: columns.as_slice().into(), strides: [1, 1, 0] };
        assert_eq!(seen.order(&one), Order::RowMajor);
    }

    #[test]
    fn what_lies_one_in_the_other_is_not_copied() {
        let numbers = (0..24).map(f64::from).collect::<Vec<_>>();
        let plain = Own(vec![2, 3, 4], vec![12, 4, 1], numbers.clone());
        let seen = Seen::new(&plain, &view(&[2, 3, 4], &[2, 3, 4], [1, 2])).unwrap();
        assert!(matches!(seen.elements, Cow::Borrowed(_)));
        assert_eq!(seen.strides, [12, 4, 1]);
        let seen = Seen::new(&plain, &view(&[2, 3, 4], &[2, 3, 4], [3, 3])).unwrap();
        assert_eq!(seen.strides, [1, 0, 0]);
        // A column-major matrix as rows × columns; in one group it has to be copied.
        let turned = Own(vec![4, 6], vec![1, 4], numbers);
        let seen = Seen::new(&turned, &view(&[4, 6], &[4, 6], [1, 2])).unwrap();
        assert_eq!((seen.strides, matches!(seen.elements, Cow::Borrowed(_))), ([1, 4, 0], true));
        let seen = Seen::new(&turned, &view(&[4, 6], &[4, 6], [2, 2])).unwrap();
        assert_eq!((seen.strides, seen.elements[1]), ([1, 0, 0], 4.0));
    }

    #[test]
    fn only_a_matrix_is_seen_turned() {
        // The axes of (2, 3, 4) one place on: the last lies outermost, as the columns of a matrix of 6 rows.
        let numbers = (0..24).map(f64::from).collect::<Vec<_>>();
        let turned = Own(vec![2, 3, 4], vec![3, 1, 6], numbers);
        let view = view(&[2, 3, 4], &[2, 3, 4], [2, 3]);
        let seen = Seen::new(&turned, &view).unwrap();
        assert_eq!((seen.order(&view), seen.strides), (Order::RowMajor, [4, 1, 0]));
        assert_eq!(seen.elements[..5], [0.0, 6.0, 12.0, 18.0, 1.0]);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let short = Own(vec![2, 3], vec![3, 1], vec![1.0; 5]);
        let error = Seen::new(&short, &view(&[2, 3], &[2, 3], [1, 2])).unwrap_err();
        assert_eq!(error.to_string(), "shape (2, 3) has 6 elements, but 5 are given");
        let far = Own(vec![3, 3], vec![usize::MAX / 2, 1], vec![1.0; 9]);
        assert!(Seen::new(&far, &view(&[3, 3], &[3, 3], [1, 2])).is_err());
        let empty = Own(vec![0, 3], vec![3, 1], Vec::new());
        assert!(Seen::new(&empty, &view(&[0, 3], &[0, 3], [1, 2])).is_ok());
    }

    #[test]
    fn what_is_broadcast_has_no_stride() {
        let weight = Own(vec![3], vec![1], vec![1.0, 2.0, 3.0]);
        let seen = Seen::new(&weight, &view(&[1, 3, 1], &[2, 3, 4], [1, 2])).unwrap();
        assert_eq!(seen.strides, [0, 1, 0]);
        // In one group with others it has to be written out.
        let seen = Seen::new(&weight, &view(&[1, 3], &[2, 3], [2, 2])).unwrap();
        assert_eq!(seen.elements.as_ref(), [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]);
        // Written out along a part of the batch axes, one still stands for all on the others.
        let seen = Seen::new(&weight, &view(&[3, 1, 1, 1], &[3, 2, 1, 1], [2, 3])).unwrap();
        assert_eq!(seen.strides, [1, 0, 0]);
        assert_eq!(seen.elements.as_ref(), [1.0, 1.0, 2.0, 2.0, 3.0, 3.0]);
    }
}
