//! burn's own tensors, as they enter and leave.

use crate::backend::Burn;
use crate::error::Fault;
use burn::backend::ops::FloatTensorOps;
use burn::backend::{Dispatch, DispatchAutodiffContext, DispatchTensor, TensorMetadata};
use burn::tensor::{DType, Device, Int, Shape, Slice, Tensor};
use lossmith_core::backend::View;
use lossmith_core::{Array, Indices};

/// A float tensor of any rank: what [`Tensor<D>`](Tensor) is with its rank at run time. It shares the tensor's memory.
#[derive(Clone, Debug)]
pub struct AnyTensor(pub(crate) DispatchTensor);

/// The arguments of a loss in burn's tensors.
pub type Inputs = lossmith_core::Inputs<AnyTensor>;

impl<const D: usize> From<Tensor<D>> for AnyTensor {
    fn from(tensor: Tensor<D>) -> Self {
        Self(tensor.into_dispatch())
    }
}

impl<const D: usize> From<&Tensor<D>> for AnyTensor {
    fn from(tensor: &Tensor<D>) -> Self {
        tensor.clone().into()
    }
}

impl AnyTensor {
    /// The sides.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.0.shape().to_vec()
    }

    /// The tensor, whose rank has to be `D`.
    ///
    /// # Errors
    /// [`Fault::Rank`] if it is another.
    pub fn tensor<const D: usize>(self) -> Result<Tensor<D>, Fault> {
        let got = self.shape();
        if got.len() == D {
            Ok(Tensor::from_dispatch(self.0))
        } else {
            Err(Fault::Rank { got, expected: D })
        }
    }

    /// The tensor without autodiff.
    pub(crate) fn plain(&self) -> Self {
        if self.autodiff() == DispatchAutodiffContext::Disabled {
            return self.clone();
        }
        // The rank of the type does not matter here.
        Self(Tensor::<1>::from_dispatch(self.0.clone()).inner().into_dispatch())
    }

    /// The tensor with autodiff, as burn's `autodiff` has it.
    pub(crate) fn with_autodiff(self) -> Self {
        Self(Tensor::<1>::from_dispatch(self.0).autodiff().into_dispatch())
    }

    /// Whether burn differentiates in it.
    pub(crate) fn is_tracked(&self) -> bool {
        self.autodiff() != DispatchAutodiffContext::Disabled && Dispatch::is_tracked(&self.0)
    }

    pub(crate) fn autodiff(&self) -> DispatchAutodiffContext {
        self.0.autodiff
    }

    pub(crate) fn format(&self) -> DType {
        self.0.dtype()
    }

    /// The device, apart from autodiff.
    pub(crate) fn device(&self) -> Device {
        Device::new(self.0.device()).inner()
    }

    pub(crate) fn reshaped(self, shape: &[usize]) -> Self {
        // burn has no tensors without sides.
        let shape = if shape.is_empty() { &[1] } else { shape };
        Self(Dispatch::float_reshape(self.0, Shape::from(shape)))
    }

    /// Checks that it lives where the others do, in their format.
    pub(crate) fn check(&self, name: &str, device: &Device, format: DType) -> Result<(), Fault> {
        let (argument, got) = (name.to_owned(), self.format());
        if got != DType::F32 && got != DType::F64 {
            return Err(Fault::Unsupported { argument, got });
        }
        let own = self.device();
        if own != *device {
            let [got, expected] = [own, device.clone()].map(|device| format!("{device:?}"));
            return Err(Fault::Device { argument, got, expected });
        }
        if got != format {
            return Err(Fault::Format { argument, got, expected: format });
        }
        Ok(())
    }
}

/// Class indices from a tensor of integers, which are read from its device: a validated copy is all that losses use.
///
/// # Errors
/// [`Fault::Read`] if burn cannot read them.
pub fn indices<const D: usize>(tensor: &Tensor<D, Int>) -> Result<Indices, Fault> {
    let data = tensor.try_to_data().map_err(|error| Fault::Read(error.to_string()))?;
    let shape = data.shape().to_vec();
    // What an i64 does not hold is out of any range.
    let data = if data.dtype() == DType::U64 {
        data.iter::<u64>().map(|index| i64::try_from(index).unwrap_or(i64::MAX)).collect()
    } else {
        data.iter::<i64>().collect()
    };
    Ok(Indices { shape, data })
}

impl Array<Burn> for AnyTensor {
    type Output = Self;

    fn shape(&self) -> Vec<usize> {
        self.shape()
    }

    fn enter(&self, backend: &Burn, view: &View) -> Result<Tensor<3>, Fault> {
        self.check("a tensor", &backend.device, backend.format)?;
        let mut own = if backend.traced { self.clone() } else { self.plain() };
        if let Some(step) = view.step {
            let mut slices = vec![Slice::full(); own.shape().len()];
            slices[0] = Slice::from(step..step + 1);
            own = Self(Dispatch::float_slice(own.0, &slices));
        }
        let mut own = own.reshaped(&view.aligned);
        if view.expanded != view.aligned {
            own = Self(Dispatch::float_expand(own.0, Shape::from(view.expanded.as_slice())));
        }
        own.reshaped(&view.sides).tensor()
    }

    fn leave(backend: &Burn, tensors: Vec<Tensor<3>>, shape: &[usize]) -> Result<Self, Fault> {
        match <[_; 1]>::try_from(tensors) {
            Ok([tensor]) => Ok(Self::from(tensor).reshaped(shape)),
            Err(none) if none.is_empty() => {
                Ok(Self::from(backend.full([0, 1, 1], 0.0)).reshaped(shape))
            }
            Err(tensors) => {
                let flat = tensors.into_iter().map(|tensor| {
                    let count = tensor.shape().num_elements();
                    tensor.reshape([count])
                });
                Ok(Self::from(Tensor::cat(flat.collect(), 0)).reshaped(shape))
            }
        }
    }
}
