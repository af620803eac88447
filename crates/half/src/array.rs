//! Slices with a shape, as they enter and leave.

use crate::backend::{Element, Half, Tensor};
use lossmith_core::Array;
use lossmith_core::backend::View;
use lossmith_core::dense::broadcast;
pub use lossmith_core::strided::Slice;
use std::borrow::Cow;
use std::convert::Infallible;

/// The arguments of a loss in slices.
pub type Inputs<'a, H> = lossmith_core::Inputs<Slice<'a, H>>;

impl<'a, H: Element> Array<Half<'a, H>> for Slice<'a, H> {
    type Output = Self;

    fn shape(&self) -> Vec<usize> {
        self.shape().to_vec()
    }

    fn enter(&self, _: &Half<'a, H>, view: &View) -> Result<Tensor<'a, H>, Infallible> {
        let data = match self.borrowed() {
            Some(data) if view.aligned == view.expanded => Cow::Borrowed(view.part(data)),
            _ => broadcast(view.part(self.data()), &view.aligned, &view.expanded).into(),
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
        Ok(Self::of(shape, data))
    }
}
