//! The ops on `Array3`, views included.

use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Matmul, Operand, Powers, Take, accumulate, scalar};
use ndarray::{Array3, ArrayView3, CowArray, Ix3, LinalgScalar, Order, ShapeError, Zip};
use num_traits::Float;
use std::marker::PhantomData;

/// What the arrays hold: f64 or f32.
pub trait Element: LinalgScalar + Float + Into<f64> {
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

/// ndarray as a backend, on arrays that live at least as long as `'a`.
#[derive(Clone, Copy, Debug, Default)]
pub struct NdArray<'a, F>(PhantomData<&'a F>);

impl<F> NdArray<'_, F> {
    /// The backend.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

type Tensor<'a, F> = CowArray<'a, F, Ix3>;

fn map<'a, F: Element>(x: Operand<'_, Tensor<'a, F>>, f: impl Fn(F) -> F) -> Tensor<'a, F> {
    match x {
        Operand::Owned(x) if x.is_view() => x.mapv(f).into(),
        Operand::Owned(x) => {
            let mut x = x.into_owned();
            x.mapv_inplace(f);
            x.into()
        }
        Operand::Borrowed(x) => x.mapv(f).into(),
        Operand::Scalar(x) => Array3::from_elem((1, 1, 1), f(F::narrow(x))).into(),
    }
}

fn zip<'a, F: Element>(
    a: Operand<'_, Tensor<'a, F>>,
    b: Operand<'_, Tensor<'a, F>>,
    f: impl Fn(F, F) -> F,
) -> Result<Tensor<'a, F>, ShapeError> {
    let sides = together(&[&a, &b]);
    Ok(match (a, b) {
        (a, Operand::Scalar(b)) => map(a, |a| f(a, F::narrow(b))),
        (Operand::Scalar(a), b) => map(b, |b| f(F::narrow(a), b)),
        (Operand::Owned(a), b) if a.dim() == sides && !a.is_view() => {
            let mut a = a.into_owned();
            Zip::from(&mut a).and(&spread(&tensor(&b), sides)?).for_each(|a, &b| *a = f(*a, b));
            a.into()
        }
        (a, Operand::Owned(b)) if b.dim() == sides && !b.is_view() => {
            let mut b = b.into_owned();
            Zip::from(&mut b).and(&spread(&tensor(&a), sides)?).for_each(|b, &a| *b = f(a, *b));
            b.into()
        }
        (a, b) => {
            let (a, b) = (tensor(&a), tensor(&b));
            Zip::from(&spread(&a, sides)?)
                .and(&spread(&b, sides)?)
                .map_collect(|&a, &b| f(a, b))
                .into()
        }
    })
}

/// The operand as an array to read; a scalar as one of one element.
fn tensor<'b, F: Element>(x: &'b Operand<'_, Tensor<'_, F>>) -> CowArray<'b, F, Ix3> {
    match x {
        Operand::Owned(x) => x.view().into(),
        Operand::Borrowed(x) => x.view().into(),
        Operand::Scalar(x) => Array3::from_elem((1, 1, 1), F::narrow(*x)).into(),
    }
}

/// The sides of operands together: what is not one, wherever it stands.
fn together<F>(operands: &[&Operand<'_, Tensor<'_, F>>]) -> (usize, usize, usize) {
    let side = |own: usize, more: usize| if more == 1 { own } else { more };
    let tensors = operands.iter().filter_map(|operand| operand.tensor());
    tensors
        .map(|x| x.dim())
        .fold((1, 1, 1), |a, b| (side(a.0, b.0), side(a.1, b.1), side(a.2, b.2)))
}

fn spread<'b, F>(
    x: &'b CowArray<'_, F, Ix3>,
    sides: (usize, usize, usize),
) -> Result<ArrayView3<'b, F>, ShapeError> {
    x.broadcast(sides).ok_or_else(|| ShapeError::from_kind(ndarray::ErrorKind::IncompatibleShape))
}

impl<'a, F: Element> Backend for NdArray<'a, F> {
    type Tensor = Tensor<'a, F>;
    type Labels = Labels<'static>;
    type Error = ShapeError;

    fn unary(&self, op: Unary, x: Operand<'_, Tensor<'a, F>>) -> Result<Tensor<'a, F>, ShapeError> {
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
        a: Operand<'_, Tensor<'a, F>>,
        b: Operand<'_, Tensor<'a, F>>,
    ) -> Result<Tensor<'a, F>, ShapeError> {
        match op {
            Binary::Add => zip(a, b, |a, b| a + b),
            Binary::Sub => zip(a, b, |a, b| a - b),
            Binary::Mul => zip(a, b, |a, b| a * b),
            Binary::Div => zip(a, b, |a, b| a / b),
            Binary::Weigh => zip(a, b, scalar::weigh),
            Binary::ExpSub => zip(a, b, scalar::exp_sub),
            Binary::LogAddExp => zip(a, b, scalar::log_add_exp),
        }
    }

    fn select(
        &self,
        compare: Compare,
        [a, b]: [Operand<'_, Tensor<'a, F>>; 2],
        [then, otherwise]: [Operand<'_, Tensor<'a, F>>; 2],
    ) -> Result<Tensor<'a, F>, ShapeError> {
        let sides = together(&[&a, &b, &then, &otherwise]);
        let all = [tensor(&a), tensor(&b), tensor(&then), tensor(&otherwise)];
        let [a, b, then, otherwise] =
            [&all[0], &all[1], &all[2], &all[3]].map(|x| spread(x, sides));
        let zip = Zip::from(a?).and(b?).and(then?).and(otherwise?);
        Ok(match compare {
            Compare::Eq => zip.map_collect(|a, b, &then, &or| if a == b { then } else { or }),
            Compare::Lt => zip.map_collect(|a, b, &then, &or| if a < b { then } else { or }),
            Compare::Le => zip.map_collect(|a, b, &then, &or| if a <= b { then } else { or }),
        }
        .into())
    }

    fn reduce(
        &self,
        op: Reduce,
        x: Operand<'_, Tensor<'a, F>>,
        axis: Axis,
    ) -> Result<Tensor<'a, F>, ShapeError> {
        let axis = ndarray::Axis(axis.index());
        let reduced = tensor(&x).map_axis(axis, |lane| {
            F::narrow(accumulate::reduce(op, lane.iter().map(|&x| x.into())))
        });
        Ok(reduced.insert_axis(axis).into())
    }

    fn fold(&self, op: Reduce, x: Operand<'_, Tensor<'a, F>>) -> Result<f64, ShapeError> {
        Ok(accumulate::reduce(op, tensor(&x).iter().map(|&x| x.into())))
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: Operand<'_, Tensor<'a, F>>,
        miss: Operand<'_, Tensor<'a, F>>,
    ) -> Result<Tensor<'a, F>, ShapeError> {
        let sides = labels.sides().into();
        let (hit, miss) = (tensor(&hit), tensor(&miss));
        let chosen = Zip::indexed(spread(&hit, sides)?)
            .and(spread(&miss, sides)?)
            .map_collect(|(n, c, i), &hit, &miss| if labels.hit(n, c, i) { hit } else { miss });
        Ok(chosen.into())
    }

    fn powers(&self) -> Powers<'_, Tensor<'a, F>, ShapeError> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Labels<'static>, ShapeError> {
        Ok(labels.clone().into_owned())
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor<'a, F>, ShapeError> {
        let data = data.iter().map(|&x| F::narrow(x)).collect();
        Ok(Array3::from_shape_vec(sides, data)?.into())
    }

    fn download(&self, x: &Tensor<'a, F>) -> Result<Vec<f64>, ShapeError> {
        Ok(x.iter().map(|&x| x.into()).collect())
    }
}

impl<'a, F: Element> Matmul<Tensor<'a, F>, ShapeError> for NdArray<'a, F> {
    fn matmul(
        &self,
        a: (&Tensor<'a, F>, bool),
        b: (&Tensor<'a, F>, bool),
        sides: [usize; 3],
    ) -> Result<Tensor<'a, F>, ShapeError> {
        let matrix = |(x, turned): (&Tensor<'a, F>, bool)| {
            let (rows, classes, inner) = x.dim();
            let matrix = x.to_shape(((rows, classes * inner), Order::RowMajor))?.into_owned();
            Ok(if turned { matrix.reversed_axes() } else { matrix })
        };
        let product = matrix(a)?.dot(&matrix(b)?);
        Ok(product.to_shape((sides, Order::RowMajor))?.into_owned().into())
    }
}

impl<'a, F: Element> Take<Tensor<'a, F>, ShapeError> for NdArray<'a, F> {
    fn take(
        &self,
        x: &Tensor<'a, F>,
        table: &Table,
        otherwise: f64,
    ) -> Result<Tensor<'a, F>, ShapeError> {
        let ([rows, places, _], otherwise) = (table.sides(), F::narrow(otherwise));
        let taken = Array3::from_shape_fn((rows, places, x.dim().2), |(row, place, i)| {
            table.at(row, place).map_or(otherwise, |class| x[(row, class, i)])
        });
        Ok(taken.into())
    }

    fn put(&self, x: &Tensor<'a, F>, table: &Table) -> Result<Tensor<'a, F>, ShapeError> {
        let ([rows, _, classes], inner) = (table.sides(), x.dim().2);
        let mut sums = Array3::zeros((rows, classes, inner));
        for (row, i) in (0..rows).flat_map(|row| (0..inner).map(move |i| (row, i))) {
            let of_row = table.sums(row, |place| x[(row, place, i)].into());
            for (class, sum) in of_row.into_iter().enumerate() {
                sums[(row, class, i)] = F::narrow(sum);
            }
        }
        Ok(sums.into())
    }
}
