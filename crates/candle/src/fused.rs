//! The fused engine on the memory of candle's tensors.

use crate::cpu::{Element, of_type};
use candle_core::{DType, Device, Layout, Storage, Tensor};
use lossmith_core::plan::Picks;
use lossmith_core::strided::{Order, Strided};
use lossmith_core::{Error, Plan, Runner};
use std::borrow::Cow;

/// The fused engine, for tensors on the CPU: value and gradient in as few walks over memory as there can be.
#[derive(Clone, Debug, Default)]
pub struct Fused(lossmith_fused::Fused);

impl Fused {
    /// The engine with the best instructions of this machine and rayon's threads.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl From<lossmith_fused::Fused> for Fused {
    fn from(engine: lossmith_fused::Fused) -> Self {
        Self(engine)
    }
}

/// The memory of a tensor, from its first element on.
struct Memory<'a, T> {
    elements: &'a [T],
    shape: &'a [usize],
    strides: &'a [usize],
}

impl<'a, T: Element> Memory<'a, T> {
    fn new(storage: &'a Storage, layout: &'a Layout) -> candle_core::Result<Self> {
        let (lhs, rhs) = (storage.device().location(), Device::Cpu.location());
        let op = "the fused engine";
        match storage {
            Storage::Cpu(storage) => {
                let elements = T::cpu_storage_as_slice(storage)?;
                let start = layout.start_offset().min(elements.len());
                let (shape, strides) = (layout.dims(), layout.stride());
                Ok(Self { elements: &elements[start..], shape, strides })
            }
            Storage::Cuda(_) | Storage::Metal(_) => {
                Err(candle_core::Error::DeviceMismatchBinaryOp { lhs, rhs, op })
            }
        }
    }
}

impl<T: Element> Strided for Memory<'_, T> {
    type Element = T;
    type Output = Tensor;

    fn shape(&self) -> Vec<usize> {
        self.shape.to_vec()
    }

    fn elements(&self) -> (Cow<'_, [T]>, Vec<usize>) {
        (self.elements.into(), self.strides.to_vec())
    }

    fn from_elements(shape: &[usize], elements: Vec<T>, order: Order) -> Result<Tensor, Error> {
        let tensor = match (order, shape) {
            (Order::ColumnMajor, &[rows, columns]) => {
                Tensor::from_vec(elements, (columns, rows), &Device::Cpu).and_then(|x| x.t())
            }
            _ => Tensor::from_vec(elements, shape, &Device::Cpu),
        };
        tensor.map_err(Error::backend)
    }
}

impl Runner<Tensor> for Fused {
    type Output = Tensor;

    fn shape(&self, tensor: &Tensor) -> Vec<usize> {
        tensor.dims().to_vec()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&Tensor>],
        picks: &Picks<'_>,
    ) -> Result<Vec<Tensor>, Error> {
        let dtype = arrays.iter().flatten().next().map_or(DType::F32, |first| first.dtype());
        of_type!(dtype, T => self.of_type::<T>(plan, arrays, picks)).map_err(Error::backend)?
    }
}

impl Fused {
    fn of_type<T: Element>(
        &self,
        plan: &Plan,
        tensors: &[Option<&Tensor>],
        picks: &Picks<'_>,
    ) -> Result<Vec<Tensor>, Error> {
        let guards = tensors.iter().map(|tensor| tensor.map(Tensor::storage_and_layout));
        let guards: Vec<_> = guards.collect();
        let memories = guards.iter().map(|guard| {
            let memory = guard.as_ref().map(|(storage, layout)| Memory::<T>::new(storage, layout));
            memory.transpose()
        });
        let memories = memories.collect::<candle_core::Result<Vec<_>>>().map_err(Error::backend)?;
        let arrays: Vec<_> = memories.iter().map(Option::as_ref).collect();
        self.0.run(plan, &arrays, picks)
    }
}
