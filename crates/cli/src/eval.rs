//! `lossmith eval`

use crate::error::Error;
use crate::read::Argument;
use crate::run::{BackendName, Dtype, Loss, inputs, runner};
use crate::write;
use lossmith_core::Dense;
use lossmith_core::shape::Sides;
use serde_json::json;
use std::path::PathBuf;

/// How to run, and what to do with the results.
pub(crate) struct Wanted {
    pub(crate) backend: Option<BackendName>,
    pub(crate) dtype: Option<Dtype>,
    pub(crate) grad: bool,
    pub(crate) save: Option<PathBuf>,
    pub(crate) json: bool,
}

pub(crate) fn run(loss: &Loss, arguments: &[Argument], wanted: &Wanted) -> Result<String, Error> {
    let main = loss.entry().arguments[0].name;
    let of_main = arguments.iter().find(|argument| argument.name == main);
    let native = of_main.map_or(Dtype::F32, |argument| argument.dtype);
    let (backend, dtype) = match (wanted.backend, wanted.dtype) {
        (Some(backend), Some(dtype)) => (backend, dtype),
        (Some(BackendName::Reference), None) => (BackendName::Reference, Dtype::F64),
        (Some(backend), None) => (backend, native),
        (None, dtype) => match dtype.unwrap_or(native) {
            dtype @ (Dtype::F64 | Dtype::F32) => (BackendName::NdArray, dtype),
            dtype @ (Dtype::F16 | Dtype::Bf16) => (BackendName::Half, dtype),
        },
    };
    let mut result = runner(backend, dtype)?(loss, &inputs(arguments, dtype))?;
    if !wanted.grad {
        result.grads.clear();
    }
    let arrays: Vec<(String, &Dense)> = result.outputs().collect();
    if let Some(dir) = &wanted.save {
        write::save(dir, &arrays, dtype)?;
    }
    if wanted.json {
        let all = arrays.iter().map(|(name, array)| (name.clone(), write::json(array)));
        let all: serde_json::Map<_, _> = all.collect();
        let backend = format!("{backend:?}").to_lowercase();
        let printed = json!({
            "loss": loss.entry().name, "backend": backend, "dtype": dtype.name(), "results": all,
        });
        return Ok(printed.to_string());
    }
    let width = arrays.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let lines = arrays.iter().map(|(name, array)| format!("{name:width$}  {}", show(array)));
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// One number, or the shape and the first of many.
fn show(array: &Dense) -> String {
    const MOST: usize = 8;
    if let ([], [value]) = (array.shape(), array.data()) {
        return value.to_string();
    }
    let first: Vec<_> = array.data().iter().take(MOST).map(f64::to_string).collect();
    let more = if array.data().len() > MOST { ", …" } else { "" };
    format!("{} [{}{more}]", Sides(array.shape()), first.join(", "))
}
