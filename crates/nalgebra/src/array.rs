//! nalgebra's own matrices, as they enter and leave.

use crate::backend::{Element, Error, Matrix, Nalgebra, matrix_of};
use lossmith_core::Array;
use lossmith_core::backend::View;
use lossmith_core::strided::{Order, Strided};
use nalgebra::{DMatrix, DMatrixView, DVector, Dyn};
use std::borrow::Cow;

/// A matrix or column vector as an argument: borrowed, or owned, which costs a copy.
#[derive(Clone, Debug)]
pub struct Input<'a, F: Element> {
    shape: Vec<usize>,
    matrix: Matrix<'a, F>,
    /// The elements, where they are borrowed and lie without gaps.
    slice: Option<&'a [F]>,
}

/// The arguments of a loss in nalgebra's matrices.
pub type Inputs<'a, F> = lossmith_core::Inputs<Input<'a, F>>;

impl<'a, F: Element> From<&'a DMatrix<F>> for Input<'a, F> {
    fn from(matrix: &'a DMatrix<F>) -> Self {
        Self { slice: Some(matrix.as_slice()), ..matrix.view((0, 0), matrix.shape()).into() }
    }
}

impl<'a, F: Element> From<&'a DVector<F>> for Input<'a, F> {
    fn from(vector: &'a DVector<F>) -> Self {
        let shape = vec![vector.len()];
        let view = DMatrixView::from_slice(vector.as_slice(), vector.len(), 1);
        Self { shape, matrix: Matrix::View(view), slice: Some(vector.as_slice()) }
    }
}

impl<'a, F: Element> From<DMatrixView<'a, F>> for Input<'a, F> {
    fn from(view: DMatrixView<'a, F>) -> Self {
        let shape = vec![view.nrows(), view.ncols()];
        Self { shape, matrix: Matrix::View(view), slice: None }
    }
}

impl<F: Element> From<DMatrix<F>> for Input<'_, F> {
    fn from(matrix: DMatrix<F>) -> Self {
        let shape = vec![matrix.nrows(), matrix.ncols()];
        Self { shape, matrix: Matrix::Owned(matrix), slice: None }
    }
}

impl<F: Element> From<DVector<F>> for Input<'_, F> {
    fn from(vector: DVector<F>) -> Self {
        let n = vector.len();
        let matrix = Matrix::Owned(vector.reshape_generic(Dyn(n), Dyn(1)));
        Self { shape: vec![n], matrix, slice: None }
    }
}

impl<'a, F: Element> Array<Nalgebra<'a, F>> for Input<'a, F> {
    type Output = DMatrix<F>;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn enter(&self, _: &Nalgebra<'a, F>, view: &View) -> Result<Matrix<'a, F>, Error> {
        let (rows, columns) = matrix_of(view.sides)?;
        let own = match view.step {
            // A step of a matrix is a row of it.
            Some(step) => return Ok(Matrix::Owned(self.matrix.view().rows(step, 1).into_owned())),
            None => self.matrix.view(),
        };
        if own.shape() == (rows, columns) {
            return Ok(self.matrix.clone());
        }
        // Row-major order, as everywhere in the library: the elements of a flattened matrix row by row.
        let aligned = match view.aligned[..] {
            [r, c] => (r, c),
            _ => (own.len(), 1),
        };
        let expanded = match view.expanded[..] {
            [r, c] => (r, c),
            _ => (view.expanded.iter().product(), 1),
        };
        let at = |index: usize, columns: usize| (index / columns.max(1), index % columns.max(1));
        let element = |index: usize| {
            let (r, c) = at(index, expanded.1);
            let (r, c) = (if aligned.0 == 1 { 0 } else { r }, if aligned.1 == 1 { 0 } else { c });
            own[at(r * aligned.1 + c, own.ncols())]
        };
        Ok(Matrix::Owned(DMatrix::from_fn(rows, columns, |r, c| element(r * columns + c))))
    }

    fn leave(
        _: &Nalgebra<'a, F>,
        tensors: Vec<Matrix<'a, F>>,
        shape: &[usize],
    ) -> Result<DMatrix<F>, Error> {
        let (rows, columns) = match *shape {
            [rows, columns] => (rows, columns),
            _ => (shape.iter().product(), 1),
        };
        let tensors = match <[_; 1]>::try_from(tensors) {
            Ok([tensor]) if tensor.view().shape() == (rows, columns) => {
                return Ok(tensor.into_owned());
            }
            Ok([tensor]) => vec![tensor],
            Err(tensors) => tensors,
        };
        let elements = tensors.iter().flat_map(|tensor| {
            let rows: Vec<F> = tensor.view().transpose().iter().copied().collect();
            rows
        });
        Ok(DMatrix::from_row_iterator(rows, columns, elements))
    }
}

impl<F: Element> Strided for Input<'_, F> {
    type Element = F;
    type Output = DMatrix<F>;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn elements(&self) -> (Cow<'_, [F]>, Vec<usize>) {
        let elements = match (&self.matrix, self.slice) {
            (_, Some(slice)) => slice.into(),
            (Matrix::Owned(matrix), None) => matrix.as_slice().into(),
            // The columns of a part of a matrix have gaps between them.
            (Matrix::View(view), None) => view.iter().copied().collect(),
        };
        let strides = [1, self.matrix.view().nrows()];
        (elements, strides[..self.shape.len()].to_vec())
    }

    fn from_elements(
        shape: &[usize],
        elements: Vec<F>,
        order: Order,
    ) -> Result<DMatrix<F>, lossmith_core::Error> {
        Ok(match (order, shape) {
            (Order::ColumnMajor, &[rows, columns]) => DMatrix::from_vec(rows, columns, elements),
            (Order::RowMajor, &[rows, columns]) => {
                DMatrix::from_row_slice(rows, columns, &elements)
            }
            _ => DMatrix::from_vec(elements.len(), 1, elements),
        })
    }
}
