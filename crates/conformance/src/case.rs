//! A case: a loss with options and arguments, and the value and gradients expected, read from JSON.

use flate2::read::GzDecoder;
use lossmith_core::loss::Definition;
use lossmith_core::shape::count;
use lossmith_core::{Backend, Dense, Error, Evaluation, Format, Indices, Inputs, Loss, catalogue};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::io::Read as _;

/// One case of a loss.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What is in it.
    pub name: String,
    /// The loss; the file's, where a file has one loss.
    #[serde(default)]
    pub loss: String,
    #[serde(default)]
    options: BTreeMap<String, serde_json::Value>,
    arguments: BTreeMap<String, Array>,
    grad_output: Option<Array>,
    /// Absent where the right answer is an error.
    value: Option<Array>,
    #[serde(default)]
    grads: BTreeMap<String, Array>,
    /// The formats that can hold the case's inputs; empty for all.
    #[serde(default)]
    pub formats: Vec<String>,
    /// Why it differs from PyTorch, where it does.
    pub note: Option<String>,
    /// The error that is the right answer, a variant of [`Error`] by its name.
    pub error: Option<String>,
    /// The samples of others that it is, as the kind (`op`, `module` or `onnx`) and the index among its function's.
    #[serde(default)]
    pub origins: Vec<(String, usize)>,
}

/// An array as JSON: data or class indices in row-major order, or one number everywhere but at a few places.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Array {
    #[serde(default)]
    shape: Vec<usize>,
    data: Option<Vec<Number>>,
    labels: Option<Vec<i64>>,
    fill: Option<Number>,
    fill_label: Option<i64>,
    #[serde(default)]
    set: Vec<(usize, Number)>,
    /// Stands for that array of the file's shared ones.
    same: Option<usize>,
}

/// A number; `"nan"`, `"inf"` and `"-inf"` where JSON has none.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Word(String),
}

impl Number {
    fn get(&self) -> f64 {
        match self {
            Self::Finite(number) => *number,
            // Rust reads "nan", "inf" and "-inf" as JSON's writers spell them.
            Self::Word(word) => word.parse().unwrap_or(f64::NAN),
        }
    }
}

impl Array {
    fn numbers(&self) -> Result<Dense, Error> {
        let mut data = match (&self.data, &self.fill) {
            (Some(data), _) => data.iter().map(Number::get).collect(),
            (None, Some(fill)) => vec![fill.get(); count(&self.shape)],
            (None, None) => Vec::new(),
        };
        for (index, number) in &self.set {
            data[*index] = number.get();
        }
        Dense::new(&self.shape, data)
    }

    fn indices(&self) -> Option<Result<Indices, Error>> {
        let filled = self.fill_label.map(|label| vec![label; count(&self.shape)]);
        self.labels.clone().or(filled).map(|data| Indices::new(&self.shape, data))
    }
}

impl Case {
    /// The loss with the case's options.
    ///
    /// # Errors
    /// If the catalogue has no such loss or option.
    pub fn loss(&self) -> Result<Loss<Box<dyn Definition>>, Error> {
        let set = |loss: Loss<_>, (name, value): (&String, &serde_json::Value)| {
            loss.with(name, &value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        self.options.iter().try_fold(catalogue::find(&self.loss)?, set)
    }

    /// The arguments, each number rounded to the format of the backend under test.
    ///
    /// # Errors
    /// If a shape and its data disagree.
    pub fn inputs(&self, format: Format) -> Result<Inputs<Dense>, Error> {
        self.inputs_with(|_, exact| exact.map(|x| format.round(x)))
    }

    /// The arguments, each of numbers passed with its name through a function.
    pub(crate) fn inputs_with(
        &self,
        through: impl Fn(&str, Dense) -> Dense,
    ) -> Result<Inputs<Dense>, Error> {
        let cotangent = self.grad_output.iter().map(|array| ("grad_output", array));
        let arguments = self.arguments.iter().map(|(name, array)| (name.as_str(), array));
        arguments.chain(cotangent).try_fold(Inputs::new(), |inputs, (name, array)| {
            Ok(match array.indices() {
                Some(indices) => inputs.labels(name, indices?),
                None => inputs.tensor(name, through(name, array.numbers()?)),
            })
        })
    }

    /// What the gradients are the slopes of: Σ value · cotangent, each in double precision.
    pub(crate) fn objective(&self, value: &Dense, format: Format) -> Result<f64, Error> {
        let cotangent = self.grad_output.as_ref().map(Array::numbers).transpose()?;
        let weight =
            |index: usize| cotangent.as_ref().map_or(1.0, |c| format.round(c.data()[index]));
        Ok(value.data().iter().enumerate().map(|(index, x)| x * weight(index)).sum())
    }

    /// The case with `check=off`, if it has results although its right answer is an error.
    #[must_use]
    pub fn unchecked(&self) -> Option<Self> {
        let mut case = Self { error: None, ..self.clone() };
        case.options.insert("check".to_owned(), "off".into());
        case.value.is_some().then_some(case)
    }

    /// Value and gradients on a backend.
    ///
    /// # Errors
    /// What the loss or the backend reports.
    pub fn run<B: Backend>(&self, backend: &B, format: Format) -> Result<Evaluation<Dense>, Error> {
        self.loss()?.value_and_grad(backend, &self.inputs(format)?)
    }

    fn arrays_mut(&mut self) -> impl Iterator<Item = &mut Array> {
        let named = self.arguments.values_mut().chain(self.grads.values_mut());
        named.chain(&mut self.grad_output).chain(&mut self.value)
    }

    /// The value and gradients expected; an empty value where an error is.
    ///
    /// # Errors
    /// If a shape and its data disagree.
    pub fn expected(&self) -> Result<Evaluation<Dense>, Error> {
        let grads = self.grads.iter().map(|(name, array)| Ok((name.clone(), array.numbers()?)));
        let value =
            self.value.as_ref().map_or_else(|| Dense::new(&[0], Vec::new()), Array::numbers)?;
        Ok(Evaluation { value, grads: grads.collect::<Result<_, _>>()? })
    }
}

#[derive(Deserialize)]
struct File {
    loss: String,
    cases: Vec<Case>,
}

/// The text of every file of the golden grid, as `build.rs` lists them.
const GOLDEN: &[&str] = &include!(concat!(env!("OUT_DIR"), "/golden.rs"));

/// PyTorch's values and gradients in double precision, over a grid of options, target kinds, ranks, reductions and
/// weights; `golden/generate.py` makes them.
///
/// # Panics
/// If a golden file is not what this crate reads, which its own tests rule out.
#[must_use]
pub fn golden() -> Vec<Case> {
    let mut files: Vec<File> = GOLDEN.iter().map(|text| read(text)).collect();
    // In the catalogue's order, whatever the names are.
    let order: Vec<_> = catalogue::all().iter().map(|loss| loss.entry().name).collect();
    files.sort_by_key(|file| order.iter().position(|name| *name == file.loss));
    let cases = |File { loss, mut cases }: File| {
        cases.iter_mut().for_each(|case| case.loss.clone_from(&loss));
        cases
    };
    files.into_iter().flat_map(cases).collect()
}

/// The edge table: limits, kinks, ties, infinities and NaN, ignored and empty data, long sums.
///
/// # Panics
/// If the table is not what this crate reads, which its own tests rule out.
#[must_use]
pub fn edges() -> Vec<Case> {
    read(include_str!("../edges.json"))
}

/// PyTorch's own test samples of its loss functions and modules, and ONNX's of its two losses, with PyTorch's values and
/// gradients in double precision; `golden/samples.py` makes them.
///
/// # Panics
/// If the file is not what this crate reads, which its own tests rule out.
#[must_use]
#[allow(clippy::expect_used, reason = "the file is compiled in and read by this crate's tests")]
pub fn samples() -> Vec<Case> {
    let mut text = String::new();
    GzDecoder::new(&include_bytes!("../golden/samples.json.gz")[..])
        .read_to_string(&mut text)
        .expect("a packed file of this crate");
    let mut lines = text.lines();
    let shared: Vec<Array> = read(lines.next().unwrap_or("[]"));
    let case = |line| {
        let mut case: Case = read(line);
        for array in case.arrays_mut() {
            if let Some(index) = array.same {
                array.clone_from(&shared[index]);
            }
        }
        case
    };
    lines.map(case).collect()
}

#[allow(clippy::expect_used, reason = "the files are compiled in and read by this crate's tests")]
fn read<'a, T: Deserialize<'a>>(text: &'a str) -> T {
    serde_json::from_str(text).expect("a data file of this crate")
}
