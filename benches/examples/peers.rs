//! Value and gradients of burn's or candle's own loss, from a file and into one.
//!
//! `peers LIBRARY LOSS GIVEN RESULTS REDUCTION [NAME=VALUE]… [ARGUMENT]…`: both files are .safetensors, NAME an option
//! and ARGUMENT what to differentiate by. What the library does not have is said in a line, with exit code 2; where it
//! panics, that is its own.

use burn::tensor::{DType, Device, FloatDType, Tensor as BurnTensor, TensorData};
use candle_core::{DType as Kind, Device as Cpu, Tensor, Var, safetensors};
use lossmith_benches::peers::{Fault, burn as burns, candle as candles};
use lossmith_core::catalogue::{self, Kind as Role};
use lossmith_core::shape::Layout;
use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;

/// Tensors by name; candle's, whatever the library is.
type Named = BTreeMap<String, Tensor>;

/// What a library is asked.
struct Asked {
    loss: String,
    reduction: String,
    options: Vec<(String, String)>,
    leaves: Vec<String>,
}

/// The value and the gradients.
type Run = fn(&Asked, &Named) -> Result<Named, Fault>;

fn main() -> ExitCode {
    match run(std::env::args().skip(1).collect()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(2)
        }
    }
}

fn run(words: Vec<String>) -> Result<(), Fault> {
    let [library, loss, given, results, reduction, rest @ ..] = words.as_slice() else {
        return Err("peers LIBRARY LOSS GIVEN RESULTS REDUCTION [NAME=VALUE]… [ARGUMENT]…".into());
    };
    let pair = |word: &String| word.split_once('=').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let asked = Asked {
        loss: loss.clone(),
        reduction: reduction.clone(),
        options: rest.iter().filter_map(pair).collect(),
        leaves: rest.iter().filter(|word| !word.contains('=')).cloned().collect(),
    };
    let arguments: Named = safetensors::load(given, &Cpu::Cpu)?.into_iter().collect();
    let (run, means): (Run, _) = match library.as_str() {
        "burn" => (in_burn, burns::MEANS),
        "candle" => (in_candle, candles::MEANS),
        other => return Err(format!("{other} is neither burn nor candle").into()),
    };
    let found = outputs(&asked, arguments, run, means)?;
    let found: HashMap<String, Tensor> = found.into_iter().collect();
    Ok(safetensors::save(&found, results)?)
}

/// Value and gradients in the shapes that ours have.
fn outputs(asked: &Asked, given: Named, run: Run, means: &[&str]) -> Result<Named, Fault> {
    let loss = catalogue::find(&asked.loss)?;
    let function = loss.entry().kind == Role::Function;
    let unreduced = function || asked.reduction == "none";
    // Element by element there is one shape, and the libraries need not see it.
    let pointwise = loss.definition().layout() == Layout::Pointwise;
    let mut arguments = given.clone();
    if pointwise {
        let mut shapes = given.values().map(Tensor::dims);
        let first = shapes.next();
        if shapes.any(|shape| Some(shape) != first) {
            return Err("arguments of several shapes".into());
        }
        for argument in arguments.values_mut() {
            *argument = argument.flatten_all()?;
        }
    }
    let mean = means.contains(&asked.loss.as_str());
    let mut found = match asked.reduction.as_str() {
        "none" if mean => one_by_one(asked, &arguments, run)?,
        "none" | "mean" => run(asked, &arguments)?,
        "sum" if !mean => run(asked, &arguments)?,
        other => return Err(format!("has no reduction {other}").into()),
    };
    for (name, tensor) in &mut found {
        let like = match name.strip_prefix("grad.") {
            Some(argument) => given.get(argument),
            None if pointwise || function => given.get("input").or(given.values().next()),
            None => None,
        };
        // That of rows has its own shape, as one number less along an axis has.
        if name == "value" && !unreduced {
            *tensor = tensor.reshape(())?;
        } else if let Some(like) = like.filter(|like| like.elem_count() == tensor.elem_count()) {
            *tensor = tensor.reshape(like.dims())?;
        }
    }
    Ok(found)
}

/// What is always a mean, of each row alone: the mean of one.
fn one_by_one(asked: &Asked, arguments: &Named, run: Run) -> Result<Named, Fault> {
    let rows = arguments.get("input").ok_or("has no input")?.dim(0)?;
    if arguments.len() != 2 || arguments.values().any(|argument| argument.dims()[0] != rows) {
        return Err("only a mean, and not of rows alone".into());
    }
    let mut parts: BTreeMap<String, Vec<Tensor>> = BTreeMap::new();
    for row in 0..rows {
        let of_row = |(name, argument): (&String, &Tensor)| {
            Ok((name.clone(), argument.narrow(0, row, 1)?.contiguous()?))
        };
        let alone = arguments.iter().map(of_row).collect::<Result<_, Fault>>()?;
        for (name, tensor) in run(asked, &alone)? {
            let tensor = if tensor.rank() == 0 { tensor.reshape(1)? } else { tensor };
            parts.entry(name).or_default().push(tensor);
        }
    }
    parts.into_iter().map(|(name, parts)| Ok((name, Tensor::cat(&parts, 0)?))).collect()
}

fn in_candle(asked: &Asked, arguments: &Named) -> Result<Named, Fault> {
    let mut variables = Vec::new();
    let mut given = arguments.clone();
    for leaf in &asked.leaves {
        let variable = Var::from_tensor(given.get(leaf).ok_or("is no argument")?)?;
        given.insert(leaf.clone(), variable.as_tensor().clone());
        variables.push((format!("grad.{leaf}"), variable));
    }
    let options = asked.options.iter().cloned().collect();
    let value = candles::value(&asked.loss, &options, &given.into_iter().collect())?;
    if asked.reduction != "none" && value.rank() > 0 {
        return Err(format!("has no reduction {}", asked.reduction).into());
    }
    let gradients = value.sum_all()?.backward()?;
    let mut found = Named::from([("value".to_owned(), value)]);
    for (name, variable) in variables {
        found.extend(gradients.get(&variable).map(|gradient| (name, gradient.clone())));
    }
    Ok(found)
}

fn in_burn(asked: &Asked, arguments: &Named) -> Result<Named, Fault> {
    let kinds = [
        (Kind::F64, DType::F64, FloatDType::F64),
        (Kind::F32, DType::F32, FloatDType::F32),
        (Kind::F16, DType::F16, FloatDType::F16),
        (Kind::BF16, DType::BF16, FloatDType::BF16),
    ];
    let kind = |of: Kind| kinds.iter().find(|(kind, ..)| *kind == of);
    let mut device = Device::flex();
    // What a loss makes of its own is of the same format then. It is set once, and is the same for all rows.
    let default = arguments.values().find_map(|argument| kind(argument.dtype()));
    if let Some(&(_, _, default)) = default
        && device.settings().float_dtype != default
    {
        device.configure(default).map_err(|error| format!("{error:?}"))?;
    }
    let device = device.autodiff();
    let bytes = |tensor: &Tensor| ::safetensors::View::data(tensor).into_owned();
    let mut given = BTreeMap::new();
    for (name, tensor) in arguments {
        let whole = name == "target" && burns::WHOLE.contains(&asked.loss.as_str());
        let line = match kind(tensor.dtype()).filter(|_| !whole) {
            Some(&(_, dtype, _)) => {
                let data = TensorData::from_bytes_vec(bytes(tensor), [tensor.elem_count()], dtype);
                let line = BurnTensor::<1>::from_data(data, (&device, dtype));
                let leaf = asked.leaves.contains(name);
                burns::Line::Numbers(if leaf { line.require_grad() } else { line })
            }
            None => {
                let integers = tensor.to_dtype(Kind::I64)?;
                if integers.to_dtype(tensor.dtype())?.ne(tensor)?.max_all()?.to_scalar::<u8>()? != 0
                {
                    return Err("takes no soft labels".into());
                }
                let labels = integers.flatten_all()?.to_vec1::<i64>()?;
                if !whole && labels.iter().any(|&label| label < 0) {
                    return Err("takes no class index below 0".into());
                }
                burns::Line::Labels(BurnTensor::from_data(labels.as_slice(), &device))
            }
        };
        given.insert(name.clone(), burns::Argument { line, sides: tensor.dims().to_vec() });
    }
    let options = asked.options.iter().cloned().collect();
    let given_all = given.clone().into_iter().collect();
    let value = burns::value(&asked.loss, &options, &given_all, &device)?;
    let value = match asked.reduction.as_str() {
        // That mean is over the lengths too, by another call.
        "mean" if asked.loss == "ctc" => return Err("is asked for no mean of ctc".into()),
        "mean" => value.mean(),
        "sum" => value.sum(),
        _ => value,
    };
    let back = |line: BurnTensor<1>| -> Result<Tensor, Fault> {
        let data = line.into_data();
        let of = kinds.iter().find(|(_, dtype, _)| *dtype == data.dtype()).ok_or("of no format")?;
        Ok(Tensor::from_raw_buffer(data.as_bytes(), of.0, data.shape(), &Cpu::Cpu)?)
    };
    let mut found = Named::from([("value".to_owned(), back(value.clone())?)]);
    if asked.leaves.is_empty() {
        return Ok(found);
    }
    let gradients = value.sum().backward();
    for (name, argument) in given {
        if let burns::Line::Numbers(line) = argument.line
            && asked.leaves.contains(&name)
            && let Some(gradient) = line.grad(&gradients)
        {
            found.insert(format!("grad.{name}"), back(gradient)?);
        }
    }
    Ok(found)
}
