//! Slices with a shape, as they enter and leave.

use crate::backend::{Element, Half, Tensor};
use lossmith_core::backend::View;
use lossmith_core::dense::broadcast;
use lossmith_core::shape::checked_count;
use lossmith_core::{Array, Error};
use std::borrow::Cow;
use std::convert::Infallible;

/// 16-bit numbers in row-major order with a shape of any rank, borrowed or owned.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice<'a, H: Clone> {
    shape: Vec<usize>,
    data: Cow<'a, [H]>,
}

/// The arguments of a loss in slices.
pub type Inputs<'a, H> = lossmith_core::Inputs<Slice<'a, H>>;

impl<'a, H: Clone> Slice<'a, H> {
    /// The slice with that shape.
    ///
    /// # Errors
    /// [`Error::Length`] or [`Error::Overflow`] if the number of elements is not the product of the sides.
    pub fn new(shape: &[usize], data: impl Into<Cow<'a, [H]>>) -> Result<Self, Error> {
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
    pub fn data(&self) -> &[H] {
        &self.data
    }
}

impl<'a, H: Element> Array<Half<'a, H>> for Slice<'a, H> {
    type Output = Self;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn enter(&self, _: &Half<'a, H>, view: &View) -> Result<Tensor<'a, H>, Infallible> {
        let data = match self.data {
            Cow::Borrowed(data) if view.aligned == view.expanded => Cow::Borrowed(view.part(data)),
            Cow::Borrowed(_) | Cow::Owned(_) => {
                broadcast(view.part(&self.data), &view.aligned, &view.expanded).into()
            }
        };
        Ok(Tensor { sides: view.sides, data })
    }

    fn leave(
        _: &Half<'a, H>,
        tensors: Vec<Tensor<'a, H>>,
        shape: &[usize],
    ) -> Result<Self, Infallible> {
        let data = match <[_; 1]>::try_from(tensors) {
            Ok([tensor]) => tensor.data,
            Err(tensors) => {
                tensors.into_iter().flat_map(|tensor| tensor.data.into_owned()).collect()
            }
        };
        Ok(Self { shape: shape.to_vec(), data })
    }
}
