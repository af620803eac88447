//! A plain row-major array of `f64` on the host: the reference's array, and a way into every backend.

use crate::backend::{Array, Backend, View};
use crate::error::Error;
use crate::shape::count;

/// Numbers in row-major order with a shape of any rank.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Dense {
    /// The array of the given shape.
    ///
    /// # Errors
    /// [`Error::Length`] or [`Error::Overflow`] if the number of elements is not the product of the sides.
    pub fn new(shape: &[usize], data: Vec<f64>) -> Result<Self, Error> {
        check_length(shape, data.len())?;
        Ok(Self { shape: shape.to_vec(), data })
    }

    /// The sides.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    #[must_use]
    pub fn data(&self) -> &[f64] {
        &self.data
    }

    /// The elements in row-major order, without the shape.
    #[must_use]
    pub fn into_data(self) -> Vec<f64> {
        self.data
    }

    /// The same shape with every element passed through a function.
    #[must_use]
    pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|&x| f(x)).collect() }
    }
}

impl From<Vec<f64>> for Dense {
    fn from(data: Vec<f64>) -> Self {
        Self { shape: vec![data.len()], data }
    }
}

impl From<f64> for Dense {
    fn from(value: f64) -> Self {
        Self { shape: Vec::new(), data: vec![value] }
    }
}

impl<B: Backend> Array<B> for Dense {
    type Output = Self;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn enter(&self, backend: &B, view: &View) -> Result<B::Tensor, B::Error> {
        let data = broadcast(view.part(&self.data), &view.aligned, &view.expanded);
        backend.upload(view.sides, &data)
    }

    fn leave(backend: &B, tensors: Vec<B::Tensor>, shape: &[usize]) -> Result<Self, B::Error> {
        let parts = tensors.iter().map(|tensor| backend.download(tensor));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        Ok(Self { shape: shape.to_vec(), data: parts.concat() })
    }
}

/// The data of sides `from` repeated into sides `to`, both of one rank, each side of `from` full or one.
#[must_use]
pub fn broadcast<T: Clone>(data: &[T], from: &[usize], to: &[usize]) -> Vec<T> {
    if from == to {
        return data.to_vec();
    }
    let mut strides = vec![0; from.len()];
    let mut step = 1;
    for axis in (0..from.len()).rev() {
        strides[axis] = if from[axis] == 1 { 0 } else { step };
        step *= from[axis];
    }
    let at = |mut index: usize| {
        let mut offset = 0;
        for axis in (0..to.len()).rev() {
            offset += index % to[axis] * strides[axis];
            index /= to[axis];
        }
        data[offset].clone()
    };
    (0..count(to)).map(at).collect()
}

pub(crate) fn check_length(shape: &[usize], got: usize) -> Result<(), Error> {
    let expected = crate::shape::checked_count(shape)?;
    if expected == got {
        Ok(())
    } else {
        Err(Error::Length { shape: shape.to_vec(), expected, got })
    }
}
