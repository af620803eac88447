//! What runs a loss, on a library's own arrays, made before the clock starts.

use crate::case::AnyLoss;
use half::{bf16, f16};
use lossmith_core::format::Format;
use lossmith_core::strided::Strided;
use lossmith_core::{Dense, Error, Inputs, Runner};
use lossmith_fused::{Element, Fused, Level};
use lossmith_nalgebra::{Input as Matrix, Nalgebra};
use lossmith_ndarray::{Input, NdArray};
use lossmith_tests::Problem;
use nalgebra::{DMatrix, DVector};
use ndarray::ArrayD;
use std::hint::black_box;

/// Value and gradients once; returns how many numbers were written.
pub type Once<'a> = dyn FnMut() -> Result<usize, Error> + 'a;
/// What times a run.
pub type Measure<'a> = dyn FnMut(&mut Once<'_>) -> Result<(), Error> + 'a;

/// Something that runs a loss.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// The backend's name.
    pub backend: &'static str,
    /// The format of the numbers it takes and gives.
    pub format: Format,
    /// Whose arrays it takes.
    pub arrays: Arrays,
    /// Where it writes gradients.
    pub buffers: Buffers,
    /// How many threads it uses.
    pub threads: fn() -> usize,
    /// Makes the arrays and has the run measured, with these instructions where it can choose.
    pub time: fn(Level, &AnyLoss, &Problem, &mut Measure<'_>) -> Result<(), Error>,
}

/// Whose arrays are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Arrays {
    /// ndarray's, row-major, borrowed.
    #[default]
    Ndarray,
    /// nalgebra's, column-major, borrowed.
    Nalgebra,
}

/// Where gradients are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Buffers {
    /// Into memory allocated for each run.
    Fresh,
    /// Into memory that the caller hands in, the same for each run.
    Given,
}

impl Buffers {
    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Given => "given",
        }
    }
}

/// Everything that is timed; the first is the default.
pub const ENGINES: &[Engine] = &[
    FUSED,
    Engine { buffers: Buffers::Fresh, time: fresh_ndarray, ..FUSED },
    Engine { format: Format::F64, time: given_ndarray::<f64>, ..FUSED },
    Engine { format: Format::F16, time: given_ndarray::<f16>, ..FUSED },
    Engine { format: Format::BF16, time: given_ndarray::<bf16>, ..FUSED },
    Engine {
        arrays: Arrays::Nalgebra,
        time: |level, loss, problem, measure| {
            on_nalgebra(problem, |inputs| {
                into_buffers(level, loss, problem, inputs, DMatrix::len, measure)
            })
        },
        ..FUSED
    },
    Engine {
        backend: "ndarray",
        buffers: Buffers::Fresh,
        threads: || 1,
        time: |_, loss, problem, measure| {
            on_ndarray::<f32>(problem, |inputs| {
                fresh(loss, &NdArray::new(), inputs, ArrayD::len, measure)
            })
        },
        ..FUSED
    },
    Engine {
        backend: "nalgebra",
        arrays: Arrays::Nalgebra,
        buffers: Buffers::Fresh,
        threads: || 1,
        time: |_, loss, problem, measure| {
            on_nalgebra(problem, |inputs| {
                fresh(loss, &Nalgebra::new(), inputs, DMatrix::len, measure)
            })
        },
        ..FUSED
    },
];

/// The fused engine in f32 on ndarray's arrays, into given buffers.
const FUSED: Engine = Engine {
    backend: "fused",
    format: Format::F32,
    arrays: Arrays::Ndarray,
    buffers: Buffers::Given,
    threads: rayon::current_num_threads,
    time: given_ndarray::<f32>,
};

fn given_ndarray<T: Element>(
    level: Level,
    loss: &AnyLoss,
    problem: &Problem,
    measure: &mut Measure<'_>,
) -> Result<(), Error> {
    on_ndarray::<T>(problem, |inputs| {
        into_buffers(level, loss, problem, inputs, ArrayD::len, measure)
    })
}

fn fresh_ndarray(
    level: Level,
    loss: &AnyLoss,
    problem: &Problem,
    measure: &mut Measure<'_>,
) -> Result<(), Error> {
    on_ndarray::<f32>(problem, |inputs| {
        fresh(loss, &Fused::new().level(level), inputs, ArrayD::len, measure)
    })
}

/// Runs that allocate their results.
fn fresh<A, R: Runner<A>>(
    loss: &AnyLoss,
    runner: &R,
    inputs: &Inputs<A>,
    len: impl Fn(&R::Output) -> usize,
    measure: &mut Measure<'_>,
) -> Result<(), Error> {
    measure(&mut || {
        let evaluation = black_box(loss.value_and_grad(runner, black_box(inputs))?);
        Ok(evaluation.outputs().map(|(_, output)| len(output)).sum())
    })
}

/// Runs of the fused engine that write their results into the same buffers.
fn into_buffers<A>(
    level: Level,
    loss: &AnyLoss,
    problem: &Problem,
    inputs: &Inputs<A>,
    len: impl Fn(&A::Output) -> usize,
    measure: &mut Measure<'_>,
) -> Result<(), Error>
where
    A: Strided,
    A::Element: Element,
{
    let mut prepared = Fused::new().level(level).prepare::<A::Element>(loss.clone());
    let evaluation = prepared.value_and_grad(inputs)?;
    let of = |name: &str| problem.numbers.iter().find(|(other, _)| *other == name);
    let zero = <A::Element as Element>::of(0.0);
    let buffer =
        |(name, _): &(String, _)| of(name).map(|(name, x)| (*name, vec![zero; x.data().len()]));
    let mut buffers: Vec<_> = evaluation.grads.iter().filter_map(buffer).collect();
    let written = evaluation.outputs().map(|(_, output)| len(output)).sum();
    let mut value = vec![zero; len(&evaluation.value)];
    measure(&mut || {
        let buffers = buffers.iter_mut().map(|(name, buffer)| (*name, buffer.as_mut_slice()));
        let mut grads: Vec<_> = buffers.collect();
        prepared.fill(black_box(inputs), black_box(&mut value), &mut grads)?;
        Ok(written)
    })
}

/// The problem in a library's arrays.
fn native<A>(
    problem: &Problem,
    array: impl Fn(&Dense) -> Result<A, Error>,
) -> Result<Vec<A>, Error> {
    problem.numbers.iter().map(|(_, numbers)| array(numbers)).collect()
}

/// The problem as a loss takes it, by views of the library's arrays; targets are data, which nobody derives by.
fn inputs<'a, A, V>(problem: &Problem, arrays: &'a [A], view: impl Fn(&'a A) -> V) -> Inputs<V> {
    let mut inputs = Inputs::new();
    for ((name, _), array) in problem.numbers.iter().zip(arrays) {
        inputs = inputs.tensor(name, view(array));
        inputs = if *name == "target" { inputs.constant(name) } else { inputs };
    }
    problem.labels.iter().fold(inputs, |inputs, (name, labels)| inputs.labels(name, labels.clone()))
}

fn on_ndarray<T: Element>(
    problem: &Problem,
    run: impl FnOnce(&Inputs<Input<'_, T>>) -> Result<(), Error>,
) -> Result<(), Error> {
    let arrays = native(problem, |numbers| {
        ArrayD::from_shape_vec(numbers.shape(), narrow(numbers)).map_err(Error::backend)
    })?;
    run(&inputs(problem, &arrays, Input::from))
}

fn on_nalgebra(
    problem: &Problem,
    run: impl FnOnce(&Inputs<Matrix<'_, f32>>) -> Result<(), Error>,
) -> Result<(), Error> {
    enum Own {
        Matrix(DMatrix<f32>),
        Vector(DVector<f32>),
    }
    let arrays = native(problem, |numbers| {
        let data = narrow(numbers);
        Ok(match *numbers.shape() {
            [rows, columns] => Own::Matrix(DMatrix::from_row_slice(rows, columns, &data)),
            _ => Own::Vector(DVector::from_vec(data)),
        })
    })?;
    run(&inputs(problem, &arrays, |array| match array {
        Own::Matrix(matrix) => Matrix::from(matrix),
        Own::Vector(vector) => Matrix::from(vector),
    }))
}

/// The numbers in a format, each rounded once.
#[must_use]
pub fn narrow<T: Element>(numbers: &Dense) -> Vec<T> {
    numbers.data().iter().map(|&x| T::of(x)).collect()
}
