//! What runs a loss, on a library's own arrays, made before the clock starts.

use crate::case::AnyLoss;
use lossmith_core::{Dense, Error, Evaluation, Inputs};
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

/// Something that runs a loss in f32.
#[derive(Clone, Copy, Debug)]
pub struct Engine {
    /// The backend's name.
    pub backend: &'static str,
    /// Whose arrays it takes.
    pub arrays: Arrays,
    /// Where it writes gradients.
    pub buffers: Buffers,
    /// How many threads it uses.
    pub threads: fn() -> usize,
    /// Makes the arrays and has the run measured.
    pub time: fn(&AnyLoss, &Problem, &mut Measure<'_>) -> Result<(), Error>,
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
    Engine {
        backend: "ndarray",
        arrays: Arrays::Ndarray,
        buffers: Buffers::Fresh,
        threads: || 1,
        time: |loss, problem, measure| {
            on_ndarray(problem, measure, |inputs| loss.value_and_grad(&NdArray::new(), inputs))
        },
    },
    Engine {
        backend: "nalgebra",
        arrays: Arrays::Nalgebra,
        buffers: Buffers::Fresh,
        threads: || 1,
        time: |loss, problem, measure| {
            on_nalgebra(problem, measure, |inputs| loss.value_and_grad(&Nalgebra::new(), inputs))
        },
    },
];

/// The problem in a library's arrays.
fn native<A>(
    problem: &Problem,
    array: impl Fn(&Dense) -> Result<A, Error>,
) -> Result<Vec<A>, Error> {
    problem.numbers.iter().map(|(_, numbers)| array(numbers)).collect()
}

/// The problem as a loss takes it, by views of the library's arrays.
fn inputs<'a, A, V>(problem: &Problem, arrays: &'a [A], view: impl Fn(&'a A) -> V) -> Inputs<V> {
    let named = problem.numbers.iter().zip(arrays);
    let inputs =
        named.fold(Inputs::new(), |inputs, ((name, _), array)| inputs.tensor(name, view(array)));
    problem.labels.iter().fold(inputs, |inputs, (name, labels)| inputs.labels(name, labels.clone()))
}

fn on_ndarray(
    problem: &Problem,
    measure: &mut Measure<'_>,
    run: impl Fn(&Inputs<Input<'_, f32>>) -> Result<Evaluation<ArrayD<f32>>, Error>,
) -> Result<(), Error> {
    let arrays = native(problem, |numbers| {
        ArrayD::from_shape_vec(numbers.shape(), narrow(numbers)).map_err(Error::backend)
    })?;
    let inputs = inputs(problem, &arrays, Input::from);
    measure(&mut || Ok(written(&run(black_box(&inputs))?, ArrayD::len)))
}

fn on_nalgebra(
    problem: &Problem,
    measure: &mut Measure<'_>,
    run: impl Fn(&Inputs<Matrix<'_, f32>>) -> Result<Evaluation<DMatrix<f32>>, Error>,
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
    let inputs = inputs(problem, &arrays, |array| match array {
        Own::Matrix(matrix) => Matrix::from(matrix),
        Own::Vector(vector) => Matrix::from(vector),
    });
    measure(&mut || Ok(written(&run(black_box(&inputs))?, DMatrix::len)))
}

/// The numbers in f32.
#[must_use]
pub fn narrow(numbers: &Dense) -> Vec<f32> {
    #[allow(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
    numbers.data().iter().map(|&x| x as f32).collect()
}

/// How many numbers a run wrote.
fn written<O>(evaluation: &Evaluation<O>, len: impl Fn(&O) -> usize) -> usize {
    black_box(evaluation).outputs().map(|(_, output)| len(output)).sum()
}
