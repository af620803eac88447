//! burn certified, on its devices flex and ndarray.

#![allow(deprecated, reason = "burn still has the device ndarray")]

use burn::tensor::Device;
use lossmith_burn::Burn;
use lossmith_conformance::conformance;
use lossmith_core::Format;

conformance!(flex_f64, Burn::new(&Device::flex()).double(), Format::F64);
conformance!(flex_f32, Burn::new(&Device::flex()), Format::F32);
conformance!(ndarray_f64, Burn::new(&Device::ndarray()).double(), Format::F64);
conformance!(ndarray_f32, Burn::new(&Device::ndarray()), Format::F32);
