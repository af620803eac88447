//! A tensor's memory, where the host can see it: burn's devices flex and ndarray.

use burn::backend::{BackendTensor, DispatchTensor, DispatchTensorKind};
use burn::tensor::Element;
use lossmith_core::accumulate;
use lossmith_core::op::{Axis, Reduce};
use lossmith_core::sequence::Table;
use lossmith_core::strided::row_major;
use std::borrow::Cow;

/// A tensor whose elements lie in the host's memory, shared with burn.
#[derive(Clone, Debug)]
pub(crate) enum Memory {
    #[cfg(feature = "flex")]
    Flex(burn::backend::flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(burn::backend::ndarray::NdArrayTensor),
}

/// What a tensor holds.
pub(crate) trait Number: lossmith_fused::Element + Element + Into<f64> {
    /// The elements and their strides; a copy where they do not lie in one slice, or one stands for many.
    fn elements(memory: &Memory) -> (Cow<'_, [Self]>, Vec<usize>);
}

impl Memory {
    /// The memory of a tensor without autodiff, if the host sees it.
    pub(crate) fn of(tensor: &DispatchTensor) -> Option<Self> {
        #[cfg(feature = "flex")]
        if let DispatchTensorKind::Flex(BackendTensor::Float(tensor)) = &tensor.kind {
            return Some(Self::Flex(tensor.clone()));
        }
        #[cfg(feature = "ndarray")]
        if let DispatchTensorKind::NdArray(BackendTensor::Float(tensor)) = &tensor.kind {
            return Some(Self::NdArray(tensor.clone()));
        }
        None
    }

    /// The reduction of every lane along an axis, in row-major order.
    pub(crate) fn reduce<N: Number>(&self, op: Reduce, sides: [usize; 3], axis: Axis) -> Vec<f64> {
        let (elements, strides) = N::elements(self);
        let (axis, mut kept) = (axis.index(), sides);
        kept[axis] = 1;
        let lane = |start: usize| {
            let at = (0..sides[axis]).map(|place| start + place * strides[axis]);
            accumulate::reduce(op, at.map(|at| elements[at].into()))
        };
        places(kept, &strides).map(lane).collect()
    }

    /// The reduction of everything.
    pub(crate) fn fold<N: Number>(&self, op: Reduce, sides: [usize; 3]) -> f64 {
        let (elements, strides) = N::elements(self);
        if strides == row_major(&sides) {
            return accumulate::reduce(op, elements.iter().map(|&x| x.into()));
        }
        accumulate::reduce(op, places(sides, &strides).map(|at| elements[at].into()))
    }

    /// The sums at the classes of a table.
    pub(crate) fn put<N: Number>(&self, table: &Table, inner: usize) -> Vec<f64> {
        let (elements, strides) = N::elements(self);
        let [rows, _, classes] = table.sides();
        let mut all = vec![0.0; rows * classes * inner];
        for (row, i) in (0..rows).flat_map(|row| (0..inner).map(move |i| (row, i))) {
            let start = row * strides[0] + i * strides[2];
            let sums = table.sums(row, |place| elements[start + place * strides[1]].into());
            for (class, sum) in sums.into_iter().enumerate() {
                all[(row * classes + class) * inner + i] = sum;
            }
        }
        all
    }
}

/// Where the elements of three sides lie, in row-major order.
fn places(sides: [usize; 3], strides: &[usize]) -> impl Iterator<Item = usize> {
    (0..sides[0]).flat_map(move |n| {
        (0..sides[1]).flat_map(move |c| {
            (0..sides[2]).map(move |i| n * strides[0] + c * strides[1] + i * strides[2])
        })
    })
}

/// Strides that a slice can be read by: none backwards, and none of 0 along a side.
fn forward(shape: &[usize], strides: &[isize]) -> Option<Vec<usize>> {
    let forward = |(&side, &stride): (&usize, &isize)| match usize::try_from(stride) {
        Ok(0) if side > 1 => None,
        stride => stride.ok(),
    };
    shape.iter().zip(strides).map(forward).collect()
}

macro_rules! number {
    ($($format:ident $variant:ident)*) => {$(
        impl Number for $format {
            fn elements(memory: &Memory) -> (Cow<'_, [Self]>, Vec<usize>) {
                match *memory {
                    #[cfg(feature = "flex")]
                    Memory::Flex(ref tensor) => {
                        let layout = tensor.layout();
                        let shape: &[usize] = layout.shape();
                        let last = |strides: &[usize]| -> usize {
                            shape.iter().zip(strides).map(|(side, stride)| (side - 1) * stride).sum()
                        };
                        if shape.contains(&0) {
                            return (Vec::new().into(), row_major(shape));
                        }
                        match forward(shape, layout.strides()) {
                            Some(strides) => {
                                let start = layout.start_offset();
                                let end = start + last(&strides) + 1;
                                (tensor.storage::<Self>()[start..end].into(), strides)
                            }
                            None => {
                                let whole = tensor.to_contiguous();
                                (whole.storage::<Self>().to_vec().into(), row_major(shape))
                            }
                        }
                    }
                    #[cfg(feature = "ndarray")]
                    Memory::NdArray(ref tensor) => {
                        // Other formats do not come here: a tensor's format is checked before.
                        let burn::backend::ndarray::NdArrayTensor::$variant(storage) = tensor else {
                            return (Vec::new().into(), Vec::new());
                        };
                        let view = storage.view();
                        let strides = forward(view.shape(), view.strides());
                        match (storage.view().to_slice_memory_order(), strides) {
                            (Some(elements), Some(strides)) => (elements.into(), strides),
                            _ => (view.iter().copied().collect(), row_major(view.shape())),
                        }
                    }
                }
            }
        }
    )*};
}
number!(f32 F32 f64 F64);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;
    use burn::tensor::{Device, Tensor};

    #[test]
    fn what_lies_in_one_slice_is_not_copied() {
        for device in [Device::flex(), Device::ndarray()] {
            let whole = Tensor::<2>::from_floats([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], &device);
            let of = |tensor: &Tensor<2>| Memory::of(&tensor.clone().into_dispatch()).unwrap();
            let read = |memory: &Memory| {
                let (elements, strides) = f32::elements(memory);
                (matches!(elements, Cow::Borrowed(_)), elements.to_vec(), strides)
            };
            let numbers = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0].to_vec();
            assert_eq!(read(&of(&whole)), (true, numbers.clone(), vec![3, 1]));
            assert_eq!(read(&of(&whole.clone().transpose())), (true, numbers, vec![1, 3]));
            let row = whole.clone().slice([1..2, 0..3]);
            assert_eq!(read(&of(&row)).1, [3.0, 4.0, 5.0]);
            // One that stands for many is written out.
            let spread = whole.slice([0..1, 0..3]).expand([2, 3]);
            let (_, elements, strides) = read(&of(&spread));
            assert_eq!((elements, strides), (vec![0.0, 1.0, 2.0, 0.0, 1.0, 2.0], vec![3, 1]));
        }
    }

    #[test]
    fn a_reduction_sees_any_layout() {
        let turned =
            Tensor::<3>::from_floats([[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]], &Device::flex());
        let memory = Memory::of(&turned.swap_dims(1, 2).into_dispatch()).unwrap();
        let sums = memory.reduce::<f32>(Reduce::Sum, [1, 2, 3], Axis::Inner);
        assert_eq!(sums, [6.0, 9.0]);
        assert_eq!(memory.fold::<f32>(Reduce::Max, [1, 2, 3]), 5.0);
    }
}
