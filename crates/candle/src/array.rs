//! candle's own tensors, as they enter and leave.

use crate::backend::Candle;
use candle_core::{DType, Device, Error, Result, Tensor};
use lossmith_core::backend::View;
use lossmith_core::{Array, Indices};

/// The arguments of a loss in candle's tensors.
pub type Inputs = lossmith_core::Inputs<Tensor>;

/// Class indices from a tensor of integers: they come to the host, where they are checked, and go back once for all ops.
///
/// # Errors
/// [`Error::UnexpectedDType`] if the tensor holds no integers.
pub fn indices(tensor: &Tensor) -> Result<Indices> {
    if !tensor.dtype().is_int() {
        let (msg, expected, got) = ("class indices are integers", DType::I64, tensor.dtype());
        return Err(Error::UnexpectedDType { msg, expected, got });
    }
    let data = tensor.to_device(&Device::Cpu)?.to_dtype(DType::I64)?.flatten_all()?.to_vec1()?;
    Ok(Indices { shape: tensor.dims().to_vec(), data })
}

/// The error if a tensor is not of that type and on that device.
pub(crate) fn matches(of: &Candle, tensor: &Tensor) -> Result<()> {
    let op = "a loss";
    if tensor.dtype() != of.dtype {
        return Err(Error::DTypeMismatchBinaryOp { lhs: of.dtype, rhs: tensor.dtype(), op });
    }
    if !tensor.device().same_device(&of.device) {
        let (lhs, rhs) = (of.device.location(), tensor.device().location());
        return Err(Error::DeviceMismatchBinaryOp { lhs, rhs, op });
    }
    Ok(())
}

/// The tensor through a view; a copy only where its strides do not allow it.
pub(crate) fn seen(tensor: &Tensor, view: &View) -> Result<Tensor> {
    let tensor = view.step.map_or_else(|| Ok(tensor.clone()), |step| tensor.get(step))?;
    let aligned = tensor.reshape(view.aligned.as_slice())?;
    aligned.broadcast_as(view.expanded.as_slice())?.reshape(&view.sides[..])
}

/// Tensors one after the other as one of that shape.
pub(crate) fn joined(mut tensors: Vec<Tensor>, shape: &[usize]) -> Result<Tensor> {
    match (tensors.len(), tensors.pop()) {
        (1, Some(tensor)) => tensor.reshape(shape),
        (_, last) => {
            let flat = tensors.iter().chain(&last).map(Tensor::flatten_all);
            Tensor::cat(&flat.collect::<Result<Vec<_>>>()?, 0)?.reshape(shape)
        }
    }
}

impl Array<Candle> for Tensor {
    type Output = Self;

    fn shape(&self) -> Vec<usize> {
        self.dims().to_vec()
    }

    fn enter(&self, backend: &Candle, view: &View) -> Result<Self> {
        matches(backend, self)?;
        seen(&self.detach(), view)
    }

    fn leave(_: &Candle, tensors: Vec<Self>, shape: &[usize]) -> Result<Self> {
        joined(tensors, shape)
    }
}
