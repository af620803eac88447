//! The ops on matrices, views included.

use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Matmul, Operand, Powers, Take, accumulate, scalar};
use nalgebra::{ClosedAddAssign, ClosedMulAssign, DMatrix, DMatrixView, Scalar};
use num_traits::Float;
use std::marker::PhantomData;

/// What the matrices hold: f64 or f32.
pub trait Element: Scalar + Float + Into<f64> + ClosedAddAssign + ClosedMulAssign {
    /// The number, rounded once.
    fn narrow(x: f64) -> Self;
}

impl Element for f64 {
    fn narrow(x: f64) -> Self {
        x
    }
}

impl Element for f32 {
    #[allow(clippy::cast_possible_truncation, reason = "rounding is what is asked for")]
    fn narrow(x: f64) -> Self {
        x as Self
    }
}

/// What a matrix cannot hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There is a side beyond batch and class.
    #[error(
        "nalgebra has matrices only: an input with {sides:?} sides around its class axis needs a backend with three, such as ndarray"
    )]
    Inner {
        /// Batch × class × inner.
        sides: [usize; 3],
    },
}

/// nalgebra as a backend, on matrices that live at least as long as `'a`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nalgebra<'a, F>(PhantomData<&'a F>);

impl<F> Nalgebra<'_, F> {
    /// The backend.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// A matrix of batch × class, borrowed or owned.
#[derive(Clone, Debug)]
pub enum Matrix<'a, F: Element> {
    /// A matrix of its own.
    Owned(DMatrix<F>),
    /// Somebody else's.
    View(DMatrixView<'a, F>),
}

impl<F: Element> Matrix<'_, F> {
    pub(crate) fn view(&self) -> DMatrixView<'_, F> {
        match self {
            Self::Owned(matrix) => matrix.view((0, 0), matrix.shape()),
            Self::View(view) => *view,
        }
    }

    pub(crate) fn into_owned(self) -> DMatrix<F> {
        match self {
            Self::Owned(matrix) => matrix,
            Self::View(view) => view.clone_owned(),
        }
    }
}

/// Rows and columns of three sides.
pub(crate) fn matrix_of(sides: [usize; 3]) -> Result<(usize, usize), Error> {
    match sides {
        [rows, columns, 1] => Ok((rows, columns)),
        _ => Err(Error::Inner { sides }),
    }
}

type In<'x, 'a, F> = Operand<'x, Matrix<'a, F>>;

fn map<'a, F: Element>(x: In<'_, 'a, F>, f: impl Fn(F) -> F) -> Matrix<'a, F> {
    Matrix::Owned(match x {
        Operand::Owned(Matrix::Owned(mut x)) => {
            x.apply(|x| *x = f(*x));
            x
        }
        Operand::Owned(Matrix::View(x)) => x.map(f),
        Operand::Borrowed(x) => x.view().map(f),
        Operand::Scalar(x) => DMatrix::from_element(1, 1, f(F::narrow(x))),
    })
}

fn zip<'a, F: Element>(a: In<'_, 'a, F>, b: In<'_, 'a, F>, f: impl Fn(F, F) -> F) -> Matrix<'a, F> {
    let sides = together(&[&a, &b]);
    let full = |x: &In<'_, 'a, F>| x.tensor().is_some_and(|x| x.view().shape() == sides);
    match (a, b) {
        (a, Operand::Scalar(b)) => map(a, |a| f(a, F::narrow(b))),
        (Operand::Scalar(a), b) => map(b, |b| f(F::narrow(a), b)),
        (Operand::Owned(Matrix::Owned(mut a)), b) if a.shape() == sides && full(&b) => {
            a.zip_apply(&read(&b).view(), |a, b| *a = f(*a, b));
            Matrix::Owned(a)
        }
        (a, b) if full(&a) && full(&b) => {
            Matrix::Owned(read(&a).view().zip_map(&read(&b).view(), f))
        }
        (a, b) => {
            let (a, b) = (read(&a), read(&b));
            build(sides, |at| f(pick(&a, at), pick(&b, at)))
        }
    }
}

/// The operand as a matrix to read; a scalar as one of one element.
fn read<'b, F: Element>(x: &'b In<'_, '_, F>) -> Matrix<'b, F> {
    match x {
        Operand::Owned(x) => Matrix::View(x.view()),
        Operand::Borrowed(x) => Matrix::View(x.view()),
        Operand::Scalar(x) => Matrix::Owned(DMatrix::from_element(1, 1, F::narrow(*x))),
    }
}

/// The element at a place of the result: a side of one broadcasts.
fn pick<F: Element>(x: &Matrix<'_, F>, (row, column): (usize, usize)) -> F {
    let x = x.view();
    x[(row.min(x.nrows() - 1), column.min(x.ncols() - 1))]
}

fn build<'a, F: Element>(
    (rows, columns): (usize, usize),
    value: impl Fn((usize, usize)) -> F,
) -> Matrix<'a, F> {
    Matrix::Owned(DMatrix::from_fn(rows, columns, |row, column| value((row, column))))
}

/// The sides of operands together: what is not one, wherever it stands.
fn together<F: Element>(operands: &[&In<'_, '_, F>]) -> (usize, usize) {
    let side = |own: usize, more: usize| if more == 1 { own } else { more };
    let tensors = operands.iter().filter_map(|operand| operand.tensor());
    tensors.map(|x| x.view().shape()).fold((1, 1), |a, b| (side(a.0, b.0), side(a.1, b.1)))
}

impl<'a, F: Element> Backend for Nalgebra<'a, F> {
    type Tensor = Matrix<'a, F>;
    type Labels = Labels<'static>;
    type Error = Error;

    fn unary(&self, op: Unary, x: In<'_, 'a, F>) -> Result<Matrix<'a, F>, Error> {
        Ok(match op {
            Unary::Neg => map(x, |x| -x),
            Unary::Abs => map(x, F::abs),
            Unary::Sign => map(x, scalar::sign),
            Unary::Exp => map(x, F::exp),
            Unary::Expm1 => map(x, F::exp_m1),
            Unary::Ln => map(x, F::ln),
            Unary::Ln1p => map(x, F::ln_1p),
            Unary::Sqrt => map(x, F::sqrt),
            Unary::Sigmoid => map(x, scalar::sigmoid),
            Unary::Softplus => map(x, scalar::softplus),
        })
    }

    fn binary(
        &self,
        op: Binary,
        a: In<'_, 'a, F>,
        b: In<'_, 'a, F>,
    ) -> Result<Matrix<'a, F>, Error> {
        Ok(match op {
            Binary::Add => zip(a, b, |a, b| a + b),
            Binary::Sub => zip(a, b, |a, b| a - b),
            Binary::Mul => zip(a, b, |a, b| a * b),
            Binary::Div => zip(a, b, |a, b| a / b),
            Binary::Weigh => zip(a, b, scalar::weigh),
            Binary::ExpSub => zip(a, b, scalar::exp_sub),
            Binary::LogAddExp => zip(a, b, scalar::log_add_exp),
        })
    }

    fn select(
        &self,
        compare: Compare,
        [a, b]: [In<'_, 'a, F>; 2],
        [then, or]: [In<'_, 'a, F>; 2],
    ) -> Result<Matrix<'a, F>, Error> {
        let sides = together(&[&a, &b, &then, &or]);
        let [a, b, then, or] = [&a, &b, &then, &or].map(|x| read(x));
        let choose = |holds: bool, at| if holds { pick(&then, at) } else { pick(&or, at) };
        Ok(match compare {
            Compare::Eq => build(sides, |at| choose(pick(&a, at) == pick(&b, at), at)),
            Compare::Lt => build(sides, |at| choose(pick(&a, at) < pick(&b, at), at)),
            Compare::Le => build(sides, |at| choose(pick(&a, at) <= pick(&b, at), at)),
        })
    }

    fn reduce(&self, op: Reduce, x: In<'_, 'a, F>, axis: Axis) -> Result<Matrix<'a, F>, Error> {
        let x = read(&x);
        let x = x.view();
        let (rows, columns) = x.shape();
        let narrow = |values: &mut dyn Iterator<Item = F>| {
            F::narrow(accumulate::reduce(op, values.map(Into::into)))
        };
        Ok(match axis {
            Axis::Batch => build((1, columns), |(_, c)| narrow(&mut x.column(c).iter().copied())),
            Axis::Class => build((rows, 1), |(r, _)| narrow(&mut x.row(r).iter().copied())),
            Axis::Inner => Matrix::Owned(x.clone_owned()),
        })
    }

    fn fold(&self, op: Reduce, x: In<'_, 'a, F>) -> Result<f64, Error> {
        Ok(accumulate::reduce(op, self.download(&read(&x))?))
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: In<'_, 'a, F>,
        miss: In<'_, 'a, F>,
    ) -> Result<Matrix<'a, F>, Error> {
        let (hit, miss) = (read(&hit), read(&miss));
        Ok(build(matrix_of(labels.sides())?, |at| {
            pick(if labels.hit(at.0, at.1, 0) { &hit } else { &miss }, at)
        }))
    }

    fn powers(&self) -> Powers<'_, Matrix<'a, F>, Error> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Labels<'static>, Error> {
        Ok(labels.clone().into_owned())
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Matrix<'a, F>, Error> {
        let (rows, columns) = matrix_of(sides)?;
        let data = data.iter().map(|&x| F::narrow(x));
        Ok(Matrix::Owned(DMatrix::from_row_iterator(rows, columns, data)))
    }

    fn download(&self, x: &Matrix<'_, F>) -> Result<Vec<f64>, Error> {
        let x = x.view();
        Ok(x.row_iter().flat_map(|row| row.iter().map(|&x| x.into()).collect::<Vec<_>>()).collect())
    }
}

impl<'a, F: Element> Matmul<Matrix<'a, F>, Error> for Nalgebra<'a, F> {
    fn matmul(
        &self,
        (a, turn_a): (&Matrix<'a, F>, bool),
        (b, turn_b): (&Matrix<'a, F>, bool),
        sides: [usize; 3],
    ) -> Result<Matrix<'a, F>, Error> {
        matrix_of(sides)?;
        let turned = |x: &Matrix<'a, F>| x.view().transpose();
        Ok(Matrix::Owned(match (turn_a, turn_b) {
            (false, false) => a.view() * b.view(),
            (false, true) => a.view() * turned(b),
            (true, false) => turned(a) * b.view(),
            (true, true) => turned(a) * turned(b),
        }))
    }
}

impl<'a, F: Element> Take<Matrix<'a, F>, Error> for Nalgebra<'a, F> {
    fn take(
        &self,
        x: &Matrix<'a, F>,
        table: &Table,
        otherwise: f64,
    ) -> Result<Matrix<'a, F>, Error> {
        let ([rows, places, _], otherwise) = (table.sides(), F::narrow(otherwise));
        Ok(build((rows, places), |(row, place)| {
            table.at(row, place).map_or(otherwise, |class| x.view()[(row, class)])
        }))
    }

    fn put(&self, x: &Matrix<'a, F>, table: &Table) -> Result<Matrix<'a, F>, Error> {
        let [rows, _, classes] = table.sides();
        let of_row = |row| table.sums(row, |place| x.view()[(row, place)].into());
        let sums = (0..rows).flat_map(of_row).map(F::narrow);
        Ok(Matrix::Owned(DMatrix::from_row_iterator(rows, classes, sums)))
    }
}
