//! Every backend and format, as functions of one type.

use half::{bf16, f16};
#[cfg(feature = "burn")]
use lossmith_burn::Burn;
use lossmith_core::loss::Definition;
use lossmith_core::{Backend, Dense, Error, Evaluation, Format, Inputs, Loss, Reference};
use lossmith_fused::{Element, Fused};
use lossmith_half::Half;
use lossmith_naive::Naive;
use lossmith_nalgebra::Nalgebra;
use lossmith_ndarray::NdArray;

/// Any loss of the catalogue.
pub type AnyLoss = Loss<Box<dyn Definition>>;
/// Value and gradients of a loss on some backend.
pub type Run = fn(&AnyLoss, &Inputs<Dense>) -> Result<Evaluation<Dense>, Error>;

fn on<B: Backend + Default>(
    loss: &AnyLoss,
    inputs: &Inputs<Dense>,
) -> Result<Evaluation<Dense>, Error> {
    loss.value_and_grad(&B::default(), inputs)
}

fn fused<T: Element>(loss: &AnyLoss, inputs: &Inputs<Dense>) -> Result<Evaluation<Dense>, Error> {
    loss.value_and_grad(&Fused::new().rounded::<T>(), inputs)
}

#[cfg(feature = "candle")]
fn candle(
    dtype: candle_core::DType,
    loss: &AnyLoss,
    inputs: &Inputs<Dense>,
) -> Result<Evaluation<Dense>, Error> {
    let candle = lossmith_candle::Candle::new(&candle_core::Device::Cpu, dtype);
    loss.value_and_grad(&candle.map_err(Error::backend)?, inputs)
}

/// Value and gradients on the reference.
pub const REFERENCE: Run = |loss, inputs| loss.value_and_grad(&Reference, inputs);

/// Every backend but the reference, in every format it has.
pub const BACKENDS: &[(&str, Format, Run)] = &[
    ("ndarray", Format::F64, on::<NdArray<'_, f64>>),
    ("ndarray", Format::F32, on::<NdArray<'_, f32>>),
    ("nalgebra", Format::F64, on::<Nalgebra<'_, f64>>),
    ("nalgebra", Format::F32, on::<Nalgebra<'_, f32>>),
    ("half", Format::F16, on::<Half<'_, f16>>),
    ("half", Format::BF16, on::<Half<'_, bf16>>),
    ("fused", Format::F64, fused::<f64>),
    ("fused", Format::F32, fused::<f32>),
    ("fused", Format::F16, fused::<f16>),
    ("fused", Format::BF16, fused::<bf16>),
    #[cfg(feature = "candle")]
    ("candle", Format::F64, |loss, inputs| candle(candle_core::DType::F64, loss, inputs)),
    #[cfg(feature = "candle")]
    ("candle", Format::F32, |loss, inputs| candle(candle_core::DType::F32, loss, inputs)),
    #[cfg(feature = "candle")]
    ("candle", Format::F16, |loss, inputs| candle(candle_core::DType::F16, loss, inputs)),
    #[cfg(feature = "candle")]
    ("candle", Format::BF16, |loss, inputs| candle(candle_core::DType::BF16, loss, inputs)),
    ("naive", Format::F64, on::<Naive<f64>>),
    ("naive", Format::F32, on::<Naive<f32>>),
    ("naive", Format::F16, on::<Naive<f16>>),
    #[cfg(feature = "burn")]
    ("burn", Format::F64, |loss, inputs| loss.value_and_grad(&Burn::flex().double(), inputs)),
    #[cfg(feature = "burn")]
    ("burn", Format::F32, |loss, inputs| loss.value_and_grad(&Burn::flex(), inputs)),
];
