//! Arguments from .npy, .npz and .safetensors files: real numbers and integers of any width, order and rank.

use crate::error::Error;
use crate::run::{Dtype, Loss};
use half::{bf16, f16};
use lossmith_core::catalogue::{GRAD_OUTPUT, SAMPLE_WEIGHT, Values};
use lossmith_core::{Dense, Indices};
use npyz::{DType, NpyFile, NpyHeader, Order, TypeChar};
use std::io::{Cursor, Read};
use zip::ZipArchive;

/// An argument as it was read.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// The file's number format; f32 for integers.
    pub dtype: Dtype,
    /// Its elements.
    pub data: Data,
}

/// Numbers, or class indices.
#[derive(Clone, Debug)]
pub enum Data {
    /// Numbers of any format.
    Numbers(Dense),
    /// Integers, where the loss takes class indices.
    Labels(Indices),
}

/// Elements as the file has them.
enum Elements {
    Reals(Vec<f64>, Dtype),
    Integers(Vec<i64>),
}

/// The arguments named on the command line, each NAME=FILE.
pub(crate) fn arguments(loss: &Loss, words: &[String]) -> Result<Vec<Argument>, Error> {
    let one = |word: &String| {
        let usage = || Error::Usage(format!("{word:?} is not NAME=FILE, as in input=logits.npy"));
        let (name, file) = word.split_once('=').ok_or_else(usage)?;
        let argument = loss.entry().arguments.iter().any(|argument| argument.name == name);
        if !argument && loss.clone().options().iter().any(|[option, ..]| option == name) {
            return Err(Error::Usage(format!("{name} is an option: write -o {word}")));
        }
        let bytes =
            std::fs::read(split(file).0).map_err(|error| wrong(name, file, error.to_string()))?;
        read(loss, name, file, &bytes)
    };
    words.iter().map(one).collect()
}

fn wrong(argument: &str, file: &str, what: String) -> Error {
    // What a parser says may be several lines.
    let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
    Error::File { argument: argument.into(), file: file.into(), what }
}

/// The path of a file, and the member of it that is asked for.
fn split(file: &str) -> (&str, Option<&str>) {
    match file.rsplit_once(':') {
        Some((path, member)) if path.ends_with(".npz") || path.ends_with(".safetensors") => {
            (path, Some(member))
        }
        _ => (file, None),
    }
}

/// The argument of that name from the bytes of a file, which are what its name says they are.
///
/// # Errors
/// [`Error::File`] says what is wrong with them.
pub fn read(loss: &Loss, name: &str, file: &str, bytes: &[u8]) -> Result<Argument, Error> {
    let wrong = |what: String| wrong(name, file, what);
    let (path, member) = split(file);
    let (shape, elements) = if path.ends_with(".safetensors") {
        safetensors(bytes, name, member)
    } else if path.ends_with(".npz") {
        npz(bytes, name, member)
    } else {
        npy(bytes)
    }
    .map_err(wrong)?;
    argument(loss, name, &shape, elements).map_err(|error| wrong(error.to_string()))
}

/// Integers are class indices where the loss takes them, else numbers.
fn argument(
    loss: &Loss,
    name: &str,
    shape: &[usize],
    elements: Elements,
) -> Result<Argument, lossmith_core::Error> {
    let mut known = loss.entry().arguments.iter().chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]);
    let takes_labels =
        known.any(|argument| argument.name == name && argument.values != Values::Numbers);
    let (dtype, data) = match elements {
        Elements::Integers(data) if takes_labels => {
            (Dtype::F32, Data::Labels(Indices::new(shape, data)?))
        }
        #[allow(clippy::cast_precision_loss, reason = "integers that are used as numbers")]
        Elements::Integers(data) => {
            let data = data.into_iter().map(|x| x as f64).collect();
            (Dtype::F32, Data::Numbers(Dense::new(shape, data)?))
        }
        Elements::Reals(data, dtype) => (dtype, Data::Numbers(Dense::new(shape, data)?)),
    };
    Ok(Argument { name: name.into(), dtype, data })
}

/// The most bytes that deflate makes of one.
const PACKED: u64 = 1032;

fn npz(bytes: &[u8], name: &str, member: Option<&str>) -> Result<(Vec<usize>, Elements), String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let array = |name: &str| name.strip_suffix(".npy").map(str::to_owned);
    let names: Vec<String> = archive.file_names().filter_map(|name| array(&name.ok()?)).collect();
    let path = format!("{}.npy", pick(&names, name, member)?);
    let file = archive.by_name(&path).map_err(|error| error.to_string())?;
    // No more is unpacked than the archive says, which is no more than can be packed into it.
    let size = file.size();
    let most = (bytes.len() as u64).saturating_mul(PACKED);
    let mut data = Vec::new();
    let fits = |size| data.try_reserve_exact(size).is_ok();
    if size > most || !usize::try_from(size).is_ok_and(fits) {
        return Err(format!(
            "{path} unpacks to {size} bytes, more than it can hold or there is memory for"
        ));
    }
    file.take(size).read_to_end(&mut data).map_err(|error| error.to_string())?;
    npy(&data)
}

/// The member asked for, the one called as the argument, or the only one.
fn pick(names: &[String], name: &str, member: Option<&str>) -> Result<String, String> {
    let wanted = member.unwrap_or(name);
    match (names.iter().any(|name| name == wanted), names, member) {
        (true, ..) => Ok(wanted.into()),
        (false, [only], None) => Ok(only.clone()),
        _ => Err(format!("there is no member {wanted:?}: it has {}", names.join(", "))),
    }
}

fn safetensors(
    bytes: &[u8],
    name: &str,
    member: Option<&str>,
) -> Result<(Vec<usize>, Elements), String> {
    use safetensors::{Dtype as Kind, SafeTensors};
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let names: Vec<String> = file.names().into_iter().map(|name| name.to_string()).collect();
    let tensor = file.tensor(&pick(&names, name, member)?).map_err(|error| error.to_string())?;
    macro_rules! each {
        ($type:ty, $convert:expr) => {{
            let chunks = tensor.data().chunks_exact(size_of::<$type>());
            let numbers = chunks.map(|x| <$type>::from_le_bytes(x.try_into().unwrap_or_default()));
            numbers.map($convert).collect()
        }};
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "formats that this tool does not read")]
    let elements = match tensor.dtype() {
        Kind::F64 => Elements::Reals(each!(f64, |x| x), Dtype::F64),
        Kind::F32 => Elements::Reals(each!(f32, f64::from), Dtype::F32),
        Kind::F16 => Elements::Reals(each!(f16, f64::from), Dtype::F16),
        Kind::BF16 => Elements::Reals(each!(bf16, f64::from), Dtype::Bf16),
        Kind::I64 => Elements::Integers(each!(i64, |x| x)),
        Kind::I32 => Elements::Integers(each!(i32, i64::from)),
        Kind::I16 => Elements::Integers(each!(i16, i64::from)),
        Kind::I8 => Elements::Integers(each!(i8, i64::from)),
        Kind::U8 | Kind::BOOL => Elements::Integers(each!(u8, i64::from)),
        other => {
            return Err(format!(
                "its format {other:?} is not f64, f32, f16, bf16 or a signed integer"
            ));
        }
    };
    Ok((tensor.shape().to_vec(), elements))
}

fn npy(bytes: &[u8]) -> Result<(Vec<usize>, Elements), String> {
    check_header(bytes)?;
    let mut elements = bytes;
    let header = NpyHeader::from_reader(&mut elements)
        .map_err(|error| format!("it is no .npy file: {error}"))?;
    let file = NpyFile::with_header(header, elements);
    let sides = file.shape().iter().map(|&side| usize::try_from(side));
    let shape: Vec<usize> = sides.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let n = lossmith_core::shape::checked_count(&shape).map_err(|error| error.to_string())?;
    let dtype = file.dtype();
    let unreadable =
        || format!("its format {} is not one of real numbers or integers", dtype.descr());
    let DType::Plain(kind) = &dtype else { return Err(unreadable()) };
    let width = kind.num_bytes().ok_or_else(unreadable)?;
    // The header's shape is not believed before the file is seen to be as long.
    if n.checked_mul(width).is_none_or(|needed| needed > elements.len()) {
        return Err(format!("it is cut short: {n} elements of {width} bytes do not fit in it"));
    }
    let fortran = file.order() == Order::Fortran;
    macro_rules! each {
        ($type:ty, $convert:expr) => {{
            let data = file.into_vec::<$type>().map_err(|error| error.to_string())?;
            let data = if fortran { from_fortran(&data, &shape) } else { data };
            data.into_iter().map($convert).collect()
        }};
    }
    #[allow(clippy::wildcard_enum_match_arm, reason = "formats that this tool does not read")]
    let elements = match (kind.type_char(), width) {
        (TypeChar::Float, 8) => Elements::Reals(each!(f64, |x| x), Dtype::F64),
        (TypeChar::Float, 4) => Elements::Reals(each!(f32, f64::from), Dtype::F32),
        (TypeChar::Float, 2) => Elements::Reals(each!(f16, f64::from), Dtype::F16),
        (TypeChar::Bool, _) => Elements::Integers(each!(bool, i64::from)),
        (TypeChar::Int, 8) => Elements::Integers(each!(i64, |x| x)),
        (TypeChar::Int, 4) => Elements::Integers(each!(i32, i64::from)),
        (TypeChar::Int, 2) => Elements::Integers(each!(i16, i64::from)),
        (TypeChar::Int, 1) => Elements::Integers(each!(i8, i64::from)),
        (TypeChar::Uint, 4) => Elements::Integers(each!(u32, i64::from)),
        (TypeChar::Uint, 2) => Elements::Integers(each!(u16, i64::from)),
        (TypeChar::Uint, 1) => Elements::Integers(each!(u8, i64::from)),
        (TypeChar::Uint, 8) => {
            let wide: Vec<u64> = each!(u64, |x| x);
            let narrow = |(index, &x): (usize, &u64)| {
                i64::try_from(x)
                    .map_err(|_| format!("element {index} is {x}, too large for a label"))
            };
            Elements::Integers(wide.iter().enumerate().map(narrow).collect::<Result<_, _>>()?)
        }
        _ => return Err(unreadable()),
    };
    Ok((shape, elements))
}

/// How deep brackets may be nested in a header: numbers have 2, records up to 4, and with each more npyz takes a few
/// times as long.
const NESTED: usize = 4;

/// The text of a header, which begins with its version and how long the text is.
fn header_text(bytes: &[u8]) -> Option<&[u8]> {
    let start = if *bytes.get(6)? == 1 { 10 } else { 12 };
    let mut size = [0; 4];
    let given = bytes.get(8..start)?;
    size[..given.len()].copy_from_slice(given);
    bytes.get(start..)?.get(..usize::try_from(u32::from_le_bytes(size)).ok()?)
}

/// How deep brackets are nested.
fn nesting(text: &[u8]) -> usize {
    let mut depth = 0_usize;
    let depths = text.iter().map(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth
    });
    depths.max().unwrap_or(0)
}

/// Refuses a header that is not all there or nested too deep before npyz reads it, and a shape that overflows before it
/// multiplies its sides.
fn check_header(bytes: &[u8]) -> Result<(), String> {
    if !bytes.starts_with(b"\x93NUMPY") {
        return Err("it is no .npy file: it does not begin with \\x93NUMPY".into());
    }
    let text = header_text(bytes).ok_or("it is cut short: its header is not all there")?;
    if nesting(text) > NESTED {
        return Err(format!("its header has more than {NESTED} brackets one in the other"));
    }
    let head = String::from_utf8_lossy(text);
    let shape =
        head.split_once("'shape':").and_then(|(_, rest)| rest.split_once('(')?.1.split_once(')'));
    let sides = shape.map_or("", |(sides, _)| sides).split(',').map(str::trim);
    let sides: Result<Vec<usize>, _> =
        sides.filter(|side| !side.is_empty()).map(str::parse).collect();
    let sides = sides.map_err(|error| format!("its shape is not one of whole numbers: {error}"))?;
    // Eight bytes an element is the widest that is read.
    let widest: Vec<usize> = sides.iter().copied().chain([8]).collect();
    lossmith_core::shape::checked_count(&widest)
        .map(|_| ())
        .map_err(|_| lossmith_core::Error::Overflow { shape: sides }.to_string())
}

/// Row-major elements from column-major ones.
fn from_fortran<T: Clone>(data: &[T], shape: &[usize]) -> Vec<T> {
    let at = |mut index: usize| {
        let mut offset = 0;
        let mut stride = data.len();
        for &side in shape.iter().rev() {
            stride /= side;
            offset += index % side * stride;
            index /= side;
        }
        data[offset].clone()
    };
    (0..data.len()).map(at).collect()
}
