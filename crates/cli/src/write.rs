//! Results as .npy files and as JSON.

use crate::beside::Beside;
use crate::error::Error;
use crate::run::Dtype;
use half::f16;
use lossmith_core::Dense;
use npyz::WriterBuilder;
use serde_json::{Value, json};
use std::io::{self, Write};
use std::path::Path;

/// Writes `NAME.npy` for each array, all of them or none.
pub(crate) fn save(dir: &Path, arrays: &[(String, &Dense)], dtype: Dtype) -> Result<(), Error> {
    let wrong = |error| Error::Save(dir.display().to_string(), error);
    let beside = Beside::new(dir).map_err(wrong)?;
    let names: Vec<_> = arrays.iter().map(|(name, _)| format!("{name}.npy")).collect();
    for (name, (_, array)) in names.iter().zip(arrays) {
        npy(&beside.path(name), array, dtype).map_err(wrong)?;
    }
    beside.publish(&names.iter().map(String::as_str).collect::<Vec<_>>()).map_err(wrong)
}

fn npy(path: &Path, array: &Dense, dtype: Dtype) -> io::Result<()> {
    let shape: Vec<u64> = array.shape().iter().map(|&side| side as u64).collect();
    let mut file = io::BufWriter::new(std::fs::File::create(path)?);
    macro_rules! write {
        ($convert:expr) => {{
            let options = npyz::WriteOptions::new().default_dtype().shape(&shape);
            let mut writer = options.writer(&mut file).begin_nd()?;
            writer.extend(array.data().iter().map($convert))?;
            writer.finish()?;
        }};
    }
    #[allow(clippy::cast_possible_truncation, reason = "the numbers are of the format already")]
    match dtype {
        Dtype::F64 => write!(|&x| x),
        Dtype::F32 | Dtype::Bf16 => write!(|&x| x as f32),
        Dtype::F16 => write!(|&x| f16::from_f64(x)),
    }
    // What is still buffered may not fit on the disk, of which a drop says nothing.
    file.flush()
}

/// An array as JSON: shape and row-major data.
pub(crate) fn json(array: &Dense) -> Value {
    let data: Vec<Value> = array.data().iter().map(|&x| number(x)).collect();
    json!({ "shape": array.shape(), "data": data })
}

/// A number as JSON, which has no word for what is not finite.
pub(crate) fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { json!(x.to_string()) }
}
