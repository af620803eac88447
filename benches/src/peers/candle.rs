//! candle's own losses and functions, on its tensors.

use super::{Fault, Given};
use candle_core::Tensor;
use candle_nn::{loss, ops};

/// Losses that are a mean, and nothing else.
pub const MEANS: &[&str] =
    &["mse", "huber", "nll", "cross_entropy", "binary_cross_entropy_with_logits"];

/// The loss of the arguments, or the function.
///
/// # Errors
/// What candle does not have, or what it says.
pub fn value(
    name: &str,
    options: &Given<String>,
    arguments: &Given<Tensor>,
) -> Result<Tensor, Fault> {
    let input = arguments.of("input")?;
    let axis = || -> Result<usize, Fault> {
        let dim: i64 = options.option("dim", -1)?;
        Ok(usize::try_from(if dim < 0 { dim + i64::try_from(input.rank())? } else { dim })?)
    };
    let value = match name {
        "mse" => loss::mse(input, arguments.of("target")?),
        "huber" => loss::huber(input, arguments.of("target")?, options.option("delta", 1.0)?),
        "nll" => loss::nll(input, arguments.of("target")?),
        "cross_entropy" => loss::cross_entropy(input, arguments.of("target")?),
        "binary_cross_entropy_with_logits" => {
            loss::binary_cross_entropy_with_logit(input, arguments.of("target")?)
        }
        "softmax" => ops::softmax(input, axis()?),
        "log_softmax" => ops::log_softmax(input, axis()?),
        "logsumexp" => input.log_sum_exp(axis()?),
        "sigmoid" => ops::sigmoid(input),
        _ => return Err(format!("has no {name}").into()),
    };
    options.all_asked()?;
    arguments.all_asked()?;
    Ok(value?)
}
