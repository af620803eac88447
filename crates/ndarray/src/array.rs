//! ndarray's own arrays, as they enter and leave.

use crate::backend::{Element, NdArray};
use lossmith_core::backend::View;
use lossmith_core::strided::{Order, Strided, row_major};
use lossmith_core::{Array as LossArray, Error, Indices};
use ndarray::{
    Array, ArrayBase, ArrayD, ArrayView, ArrayViewD, Axis, CowArray, Data, Dimension, Ix3, IxDyn,
    ShapeBuilder, ShapeError,
};
use std::borrow::Cow;

/// An array as an argument: borrowed, or owned, which costs a copy.
#[derive(Clone, Debug)]
pub enum Input<'a, F> {
    /// A view, of any strides.
    View(ArrayViewD<'a, F>),
    /// An array of its own.
    Owned(ArrayD<F>),
}

/// The arguments of a loss in ndarray's arrays.
pub type Inputs<'a, F> = lossmith_core::Inputs<Input<'a, F>>;

impl<F> Input<'_, F> {
    fn view(&self) -> ArrayViewD<'_, F> {
        match self {
            Self::View(view) => view.view(),
            Self::Owned(array) => array.view(),
        }
    }
}

impl<'a, F, S: Data<Elem = F>, D: Dimension> From<&'a ArrayBase<S, D>> for Input<'a, F> {
    fn from(array: &'a ArrayBase<S, D>) -> Self {
        Self::View(array.view().into_dyn())
    }
}

impl<'a, F, D: Dimension> From<ArrayView<'a, F, D>> for Input<'a, F> {
    fn from(array: ArrayView<'a, F, D>) -> Self {
        Self::View(array.into_dyn())
    }
}

impl<F, D: Dimension> From<Array<F, D>> for Input<'_, F> {
    fn from(array: Array<F, D>) -> Self {
        Self::Owned(array.into_dyn())
    }
}

/// Class indices from an array of integers.
pub fn indices<S: Data<Elem = i64>, D: Dimension>(array: &ArrayBase<S, D>) -> Indices {
    Indices { shape: array.shape().to_vec(), data: array.iter().copied().collect() }
}

impl<'a, F: Element> LossArray<NdArray<'a, F>> for Input<'a, F> {
    type Output = ArrayD<F>;

    fn shape(&self) -> Vec<usize> {
        self.view().shape().to_vec()
    }

    fn enter(&self, _: &NdArray<'a, F>, view: &View) -> Result<CowArray<'a, F, Ix3>, ShapeError> {
        let sides = Ix3(view.sides[0], view.sides[1], view.sides[2]);
        fn seen<F>(array: ArrayViewD<'_, F>, step: Option<usize>) -> ArrayViewD<'_, F> {
            match step {
                Some(step) => array.index_axis_move(Axis(0), step),
                None => array,
            }
        }
        if let (Self::View(array), true) = (self, view.aligned == view.expanded) {
            // A view whose strides allow it is seen as three sides where it lies.
            if let Ok(seen) = seen(array.clone(), view.step).into_shape_with_order(sides) {
                return Ok(seen.into());
            }
        }
        let array = seen(self.view(), view.step);
        let aligned = array.to_shape(IxDyn(&view.aligned))?;
        let expanded = aligned
            .broadcast(IxDyn(&view.expanded))
            .ok_or_else(|| ShapeError::from_kind(ndarray::ErrorKind::IncompatibleShape))?;
        Ok(expanded.to_shape(sides)?.into_owned().into())
    }

    fn leave(
        _: &NdArray<'a, F>,
        tensors: Vec<CowArray<'a, F, Ix3>>,
        shape: &[usize],
    ) -> Result<ArrayD<F>, ShapeError> {
        match <[_; 1]>::try_from(tensors) {
            Ok([tensor]) if tensor.is_standard_layout() => {
                tensor.into_owned().into_shape_with_order(IxDyn(shape))
            }
            Ok([tensor]) => Ok(tensor.to_shape(IxDyn(shape))?.into_owned()),
            Err(tensors) => {
                let all = tensors.iter().flat_map(|tensor| tensor.iter().copied());
                ArrayD::from_shape_vec(IxDyn(shape), all.collect())
            }
        }
    }
}

impl<'a, F: Clone + 'a> Strided for Input<'a, F> {
    type Element = F;
    type Output = ArrayD<F>;

    fn shape(&self) -> Vec<usize> {
        self.view().shape().to_vec()
    }

    fn elements(&self) -> (Cow<'_, [F]>, Vec<usize>) {
        let (slice, strides) = match self {
            Self::View(view) => (view.to_slice_memory_order(), view.strides()),
            Self::Owned(array) => (array.as_slice_memory_order(), array.strides()),
        };
        let strides = strides.iter().map(|&stride| usize::try_from(stride)).collect();
        // What lies there without gaps, and with no axis turned round, is read as it lies.
        match (slice, strides) {
            (Some(elements), Ok(strides)) => (elements.into(), strides),
            _ => {
                let view = self.view();
                (view.iter().cloned().collect(), row_major(view.shape()))
            }
        }
    }

    fn from_elements(shape: &[usize], elements: Vec<F>, order: Order) -> Result<ArrayD<F>, Error> {
        let shape = IxDyn(shape).set_f(order == Order::ColumnMajor);
        ArrayD::from_shape_vec(shape, elements).map_err(Error::backend)
    }
}
