//! The fast path: the fused engine on the memory of burn's tensors, on its CPU devices.

use crate::array::AnyTensor;
use crate::error::Fault;
use crate::memory::{Memory, Number};
use burn::backend::Dispatch;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, TensorData};
use lossmith_core::plan::Picks;
use lossmith_core::strided::{Order, Strided};
use lossmith_core::{Error, Plan, Runner};
use lossmith_fused::Fused;
use std::borrow::Cow;
use std::marker::PhantomData;

/// The fused engine on burn's tensors of a CPU device, flex or ndarray, which it reads where they lie.
#[derive(Clone, Debug, Default)]
pub struct FusedBurn {
    engine: Fused,
}

impl FusedBurn {
    /// The engine with its defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl From<Fused> for FusedBurn {
    fn from(engine: Fused) -> Self {
        Self { engine }
    }
}

/// A tensor's memory as the engine reads it.
struct Lent<N> {
    shape: Vec<usize>,
    memory: Memory,
    number: PhantomData<N>,
}

impl<N: Number> Strided for Lent<N> {
    type Element = N;
    type Output = TensorData;

    fn shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn elements(&self) -> (Cow<'_, [N]>, Vec<usize>) {
        N::elements(&self.memory)
    }

    fn from_elements(shape: &[usize], elements: Vec<N>, order: Order) -> Result<TensorData, Error> {
        // burn has no tensors without sides.
        let sides = if shape.is_empty() { &[1] } else { shape };
        Ok(TensorData::new(order.row_major(elements, shape), sides))
    }
}

impl Runner<AnyTensor> for FusedBurn {
    type Output = AnyTensor;

    fn shape(&self, array: &AnyTensor) -> Vec<usize> {
        array.shape()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&AnyTensor>],
        picks: &Picks<'_>,
    ) -> Result<Vec<AnyTensor>, Error> {
        let Some(first) = arrays.iter().copied().flatten().next() else {
            // Without numbers there is no device either.
            return Err(Fault::Untracked.into());
        };
        let (device, format) = (first.device(), first.format());
        for array in arrays.iter().copied().flatten() {
            array.check("a tensor", &device, format)?;
        }
        let left = if format == DType::F64 {
            self.lent::<f64>(plan, arrays, picks)?
        } else {
            self.lent::<f32>(plan, arrays, picks)?
        };
        let tensor = |data| AnyTensor(Dispatch::float_from_data(data, device.as_dispatch()));
        Ok(left.into_iter().map(tensor).collect())
    }
}

impl FusedBurn {
    fn lent<N: Number>(
        &self,
        plan: &Plan,
        arrays: &[Option<&AnyTensor>],
        picks: &Picks<'_>,
    ) -> Result<Vec<TensorData>, Error> {
        let lent = |array: &AnyTensor| {
            let device = || Fault::Backend { device: format!("{:?}", array.device()) };
            let memory = Memory::of(&array.plain().0).ok_or_else(device)?;
            Ok::<_, Fault>(Lent { shape: array.shape(), memory, number: PhantomData::<N> })
        };
        let lent = arrays.iter().map(|array| array.map(lent).transpose());
        let lent = lent.collect::<Result<Vec<_>, _>>()?;
        let lent: Vec<_> = lent.iter().map(Option::as_ref).collect();
        self.engine.run(plan, &lent, picks)
    }
}
