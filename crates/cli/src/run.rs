//! The table of backends and number formats, and a run on any of them.

use crate::error::Error;
use crate::read::{Argument, Data};
use clap::ValueEnum;
use half::{bf16, f16};
#[cfg(feature = "burn")]
use lossmith_burn::Burn;
use lossmith_core::loss::Definition;
use lossmith_core::{Backend, Dense, Evaluation, Format, Inputs, Reference, catalogue};
use lossmith_exact::Oracle;
use lossmith_fused::{Element, Fused, Rounded};
use lossmith_half::Half;
use lossmith_naive::Naive;
use lossmith_nalgebra::Nalgebra;
use lossmith_ndarray::NdArray;
use lossmith_precision::{Cause, Class, Overflow, causes, overflow};
use lossmith_tests::Problem;

/// A loss of the catalogue.
pub type Loss = lossmith_core::Loss<Box<dyn Definition>>;

/// A backend by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "lower")]
pub enum BackendName {
    /// The slow f64 backend that the others are judged by.
    Reference,
    /// ndarray.
    NdArray,
    /// nalgebra, matrices.
    Nalgebra,
    /// 16-bit storage, f32 inside each op.
    Half,
    /// The fused engine.
    Fused,
    /// candle, on the CPU.
    #[cfg(feature = "candle")]
    Candle,
    /// The example of a custom backend: everything in the format, plain sums.
    Naive,
    /// burn, on its CPU device flex.
    #[cfg(feature = "burn")]
    Burn,
}

impl BackendName {
    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::NdArray => "ndarray",
            Self::Nalgebra => "nalgebra",
            Self::Half => "half",
            Self::Fused => "fused",
            #[cfg(feature = "candle")]
            Self::Candle => "candle",
            Self::Naive => "naive",
            #[cfg(feature = "burn")]
            Self::Burn => "burn",
        }
    }
}

/// A number format by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dtype {
    /// Double precision.
    F64,
    /// Single precision.
    F32,
    /// Half precision.
    F16,
    /// Brain floating point.
    Bf16,
}

impl Dtype {
    /// What it is to arithmetic.
    pub(crate) fn format(self) -> Format {
        match self {
            Self::F64 => Format::F64,
            Self::F32 => Format::F32,
            Self::F16 => Format::F16,
            Self::Bf16 => Format::BF16,
        }
    }

    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        self.format().name
    }
}

/// A run on one backend and format.
pub(crate) type Runner =
    fn(&Loss, &Inputs<Dense>) -> Result<Evaluation<Dense>, lossmith_core::Error>;

/// Every backend with each of its number formats.
pub(crate) const RUNNERS: &[(BackendName, Dtype, Runner)] = &[
    (BackendName::Reference, Dtype::F64, |loss, inputs| on(&Reference, loss, inputs)),
    (BackendName::NdArray, Dtype::F64, |loss, inputs| on(&NdArray::<f64>::new(), loss, inputs)),
    (BackendName::NdArray, Dtype::F32, |loss, inputs| on(&NdArray::<f32>::new(), loss, inputs)),
    (BackendName::Nalgebra, Dtype::F64, |loss, inputs| on(&Nalgebra::<f64>::new(), loss, inputs)),
    (BackendName::Nalgebra, Dtype::F32, |loss, inputs| on(&Nalgebra::<f32>::new(), loss, inputs)),
    (BackendName::Half, Dtype::F16, |loss, inputs| on(&Half::<f16>::new(), loss, inputs)),
    (BackendName::Half, Dtype::Bf16, |loss, inputs| on(&Half::<bf16>::new(), loss, inputs)),
    (BackendName::Fused, Dtype::F64, |loss, inputs| on(&fused::<f64>(), loss, inputs)),
    (BackendName::Fused, Dtype::F32, |loss, inputs| on(&fused::<f32>(), loss, inputs)),
    (BackendName::Fused, Dtype::F16, |loss, inputs| on(&fused::<f16>(), loss, inputs)),
    (BackendName::Fused, Dtype::Bf16, |loss, inputs| on(&fused::<bf16>(), loss, inputs)),
    #[cfg(feature = "candle")]
    (BackendName::Candle, Dtype::F64, |loss, inputs| on(&candle(Dtype::F64)?, loss, inputs)),
    #[cfg(feature = "candle")]
    (BackendName::Candle, Dtype::F32, |loss, inputs| on(&candle(Dtype::F32)?, loss, inputs)),
    #[cfg(feature = "candle")]
    (BackendName::Candle, Dtype::F16, |loss, inputs| on(&candle(Dtype::F16)?, loss, inputs)),
    #[cfg(feature = "candle")]
    (BackendName::Candle, Dtype::Bf16, |loss, inputs| on(&candle(Dtype::Bf16)?, loss, inputs)),
    (BackendName::Naive, Dtype::F64, |loss, inputs| on(&Naive::<f64>::new(), loss, inputs)),
    (BackendName::Naive, Dtype::F32, |loss, inputs| on(&Naive::<f32>::new(), loss, inputs)),
    (BackendName::Naive, Dtype::F16, |loss, inputs| on(&Naive::<f16>::new(), loss, inputs)),
    (BackendName::Naive, Dtype::Bf16, |loss, inputs| on(&Naive::<bf16>::new(), loss, inputs)),
    #[cfg(feature = "burn")]
    (BackendName::Burn, Dtype::F64, |loss, inputs| on(&Burn::flex().double(), loss, inputs)),
    #[cfg(feature = "burn")]
    (BackendName::Burn, Dtype::F32, |loss, inputs| on(&Burn::flex(), loss, inputs)),
];

/// What is asked of the ops of a backend, one at a time.
pub(crate) trait Question {
    type Answer;

    fn ask<B: Backend>(&self, backend: &B) -> Result<Self::Answer, lossmith_core::Error>;
}

/// Which ops put an element of an output off.
pub(crate) struct WhichOps<'a> {
    pub(crate) loss: &'a Loss,
    pub(crate) spot: (&'a Problem, Class),
    pub(crate) format: Format,
    pub(crate) element: (&'a str, usize),
    pub(crate) oracle: &'a Oracle,
}

impl Question for WhichOps<'_> {
    type Answer = Vec<Cause>;

    fn ask<B: Backend>(&self, backend: &B) -> Result<Vec<Cause>, lossmith_core::Error> {
        causes(backend, self.loss, self.spot, self.format, self.element, self.oracle)
    }
}

/// Where an output overflows.
pub(crate) struct WhereOver<'a> {
    pub(crate) loss: &'a Loss,
    pub(crate) problem: &'a Problem,
    pub(crate) output: &'a str,
    pub(crate) oracle: &'a Oracle,
}

impl Question for WhereOver<'_> {
    type Answer = Option<Overflow>;

    fn ask<B: Backend>(&self, backend: &B) -> Result<Option<Overflow>, lossmith_core::Error> {
        overflow(backend, self.loss, self.problem, self.output, self.oracle)
    }
}

/// What the ops of a backend answer; for those of the fused engine, ndarray's.
pub(crate) fn ask<Q: Question>(
    question: &Q,
    (backend, dtype): (BackendName, Dtype),
) -> Result<Q::Answer, lossmith_core::Error> {
    macro_rules! on {
        ($backend:expr) => {
            question.ask(&$backend)
        };
    }
    match (backend, dtype) {
        (BackendName::Reference, _) => on!(Reference),
        (BackendName::Nalgebra, Dtype::F64) => on!(Nalgebra::<f64>::new()),
        (BackendName::Nalgebra, _) => on!(Nalgebra::<f32>::new()),
        (BackendName::NdArray | BackendName::Fused, Dtype::F64) => on!(NdArray::<f64>::new()),
        (BackendName::NdArray | BackendName::Fused, _) => on!(NdArray::<f32>::new()),
        (BackendName::Half, Dtype::Bf16) => on!(Half::<bf16>::new()),
        (BackendName::Half, _) => on!(Half::<f16>::new()),
        (BackendName::Naive, Dtype::F64) => on!(Naive::<f64>::new()),
        (BackendName::Naive, Dtype::F32) => on!(Naive::<f32>::new()),
        (BackendName::Naive, Dtype::F16) => on!(Naive::<f16>::new()),
        (BackendName::Naive, Dtype::Bf16) => on!(Naive::<bf16>::new()),
        #[cfg(feature = "candle")]
        (BackendName::Candle, dtype) => on!(candle(dtype)?),
        #[cfg(feature = "burn")]
        (BackendName::Burn, Dtype::F64) => on!(Burn::flex().double()),
        #[cfg(feature = "burn")]
        (BackendName::Burn, _) => on!(Burn::flex()),
    }
}

fn fused<T: Element>() -> Rounded<T> {
    Fused::new().rounded()
}

#[cfg(feature = "candle")]
fn candle(dtype: Dtype) -> Result<lossmith_candle::Candle, lossmith_core::Error> {
    let dtype = match dtype {
        Dtype::F64 => candle_core::DType::F64,
        Dtype::F32 => candle_core::DType::F32,
        Dtype::F16 => candle_core::DType::F16,
        Dtype::Bf16 => candle_core::DType::BF16,
    };
    let candle = lossmith_candle::Candle::new(&candle_core::Device::Cpu, dtype);
    candle.map_err(lossmith_core::Error::backend)
}

fn on<R: lossmith_core::Runner<Dense, Output = Dense>>(
    runner: &R,
    loss: &Loss,
    inputs: &Inputs<Dense>,
) -> Result<Evaluation<Dense>, lossmith_core::Error> {
    loss.value_and_grad(runner, inputs)
}

/// The run on that backend and format.
pub(crate) fn runner(backend: BackendName, dtype: Dtype) -> Result<Runner, Error> {
    let mut of_both = RUNNERS.iter().filter(|runner| runner.0 == backend && runner.1 == dtype);
    of_both.next().map(|runner| runner.2).ok_or_else(|| {
        let has = RUNNERS.iter().filter(|runner| runner.0 == backend).map(|runner| runner.1.name());
        let (has, name) = (has.collect::<Vec<_>>().join(" or "), dtype.name());
        let backend = backend.name();
        Error::Usage(format!(
            "backend {backend} has no {name}: give --dtype {has}, or another backend"
        ))
    })
}

/// The loss of that name with options, each OPTION=VALUE.
///
/// # Errors
/// An [`Error`] that names what there is none of, or what the option wants.
pub fn loss(name: &str, options: &[String]) -> Result<Loss, Error> {
    options.iter().try_fold(catalogue::find(name)?, |loss, option| {
        let usage = || Error::Usage(format!("{option:?} is not OPTION=VALUE, as in reduction=sum"));
        let (name, value) = option.split_once('=').ok_or_else(usage)?;
        Ok(loss.with(name, value)?)
    })
}

/// The arguments as a loss takes them, their numbers rounded to a format.
pub(crate) fn inputs(arguments: &[Argument], dtype: Dtype) -> Inputs<Dense> {
    let format = dtype.format();
    arguments.iter().fold(Inputs::new(), |inputs, argument| match &argument.data {
        Data::Labels(labels) => inputs.labels(&argument.name, labels.clone()),
        Data::Numbers(numbers) => inputs.tensor(&argument.name, numbers.map(|x| format.round(x))),
    })
}
