//! A custom backend in one file: a plain `Vec` of any float, plain loops, plain sums.
//!
//! Sums are in the format itself, where the library's backends add up in f64: `lossmith compare` shows what that
//! costs in 16 bits. `docs/write-a-backend.md` builds this file step by step.

use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::{Backend, Operand, Powers, scalar};
use num_traits::Float;
use std::convert::Infallible;
use std::marker::PhantomData;

/// The backend for one float type.
#[derive(Clone, Copy, Debug, Default)]
pub struct Naive<T>(PhantomData<T>);

impl<T> Naive<T> {
    /// The backend.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// Numbers in row-major order with three sides: batch × class × inner.
#[derive(Clone, Debug)]
pub struct Tensor<T> {
    sides: [usize; 3],
    data: Vec<T>,
}

fn narrow<T: Float>(x: f64) -> T {
    T::from(x).unwrap_or_else(T::nan)
}

impl<T: Float> Tensor<T> {
    fn build(sides: [usize; 3], value: impl Fn([usize; 3]) -> T) -> Self {
        let mut data = Vec::with_capacity(sides.iter().product());
        for n in 0..sides[0] {
            for c in 0..sides[1] {
                for i in 0..sides[2] {
                    data.push(value([n, c, i]));
                }
            }
        }
        Self { sides, data }
    }

    /// The element at a place of the result; a side of one broadcasts.
    fn at(&self, place: [usize; 3]) -> T {
        let [n, c, i] = [0, 1, 2].map(|axis| place[axis].min(self.sides[axis] - 1));
        self.data[(n * self.sides[1] + c) * self.sides[2] + i]
    }
}

type In<'a, T> = Operand<'a, Tensor<T>>;

fn at<T: Float>(x: &In<'_, T>, place: [usize; 3]) -> T {
    match x {
        Operand::Owned(x) => x.at(place),
        Operand::Borrowed(x) => x.at(place),
        Operand::Scalar(x) => narrow(*x),
    }
}

/// The sides of operands together: what is not one, wherever it stands.
fn sides<T: Float>(operands: &[&In<'_, T>]) -> [usize; 3] {
    let mut sides = [1; 3];
    for x in operands.iter().filter_map(|operand| operand.tensor()) {
        for (side, &own) in sides.iter_mut().zip(&x.sides) {
            *side = if own == 1 { *side } else { own };
        }
    }
    sides
}

// The match on the op stands outside the loop, so that each op is a loop of its own.
fn map<T: Float>(x: &In<'_, T>, f: impl Fn(T) -> T) -> Tensor<T> {
    Tensor::build(sides(&[x]), |place| f(at(x, place)))
}

fn zip<T: Float>(a: &In<'_, T>, b: &In<'_, T>, f: impl Fn(T, T) -> T) -> Tensor<T> {
    Tensor::build(sides(&[a, b]), |place| f(at(a, place), at(b, place)))
}

fn add_up<T: Float>(op: Reduce, values: impl Iterator<Item = T>) -> T {
    match op {
        Reduce::Sum => values.fold(T::zero(), |sum, x| sum + x),
        Reduce::Max => values.fold(T::neg_infinity(), scalar::max),
    }
}

impl<T: Float> Backend for Naive<T> {
    type Tensor = Tensor<T>;
    type Labels = Labels<'static>;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: In<'_, T>) -> Result<Tensor<T>, Infallible> {
        Ok(match op {
            Unary::Neg => map(&x, |x| -x),
            Unary::Abs => map(&x, T::abs),
            Unary::Sign => map(&x, scalar::sign),
            Unary::Exp => map(&x, T::exp),
            Unary::Expm1 => map(&x, T::exp_m1),
            Unary::Ln => map(&x, T::ln),
            Unary::Ln1p => map(&x, T::ln_1p),
            Unary::Sqrt => map(&x, T::sqrt),
            Unary::Sigmoid => map(&x, scalar::sigmoid),
            Unary::Softplus => map(&x, scalar::softplus),
        })
    }

    fn binary(&self, op: Binary, a: In<'_, T>, b: In<'_, T>) -> Result<Tensor<T>, Infallible> {
        Ok(match op {
            Binary::Add => zip(&a, &b, |a, b| a + b),
            Binary::Sub => zip(&a, &b, |a, b| a - b),
            Binary::Mul => zip(&a, &b, |a, b| a * b),
            Binary::Div => zip(&a, &b, |a, b| a / b),
            Binary::Weigh => zip(&a, &b, scalar::weigh),
            Binary::ExpSub => zip(&a, &b, scalar::exp_sub),
            Binary::LogAddExp => zip(&a, &b, scalar::log_add_exp),
        })
    }

    fn select(
        &self,
        compare: Compare,
        [a, b]: [In<'_, T>; 2],
        [then, or]: [In<'_, T>; 2],
    ) -> Result<Tensor<T>, Infallible> {
        Ok(Tensor::build(sides(&[&a, &b, &then, &or]), |place| {
            let holds = scalar::compare(compare, at(&a, place), at(&b, place));
            at(if holds { &then } else { &or }, place)
        }))
    }

    fn reduce(&self, op: Reduce, x: In<'_, T>, axis: Axis) -> Result<Tensor<T>, Infallible> {
        let mut sides = sides(&[&x]);
        let length = std::mem::replace(&mut sides[axis.index()], 1);
        Ok(Tensor::build(sides, |mut place| {
            let along = (0..length).map(|index| {
                place[axis.index()] = index;
                at(&x, place)
            });
            add_up(op, along)
        }))
    }

    fn fold(&self, op: Reduce, x: In<'_, T>) -> Result<f64, Infallible> {
        Ok(add_up(op, map(&x, |x| x).data.into_iter()).to_f64().unwrap_or(f64::NAN))
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: In<'_, T>,
        miss: In<'_, T>,
    ) -> Result<Tensor<T>, Infallible> {
        Ok(Tensor::build(labels.sides(), |place| {
            let [n, c, i] = place;
            at(if labels.hit(n, c, i) { &hit } else { &miss }, place)
        }))
    }

    fn powers(&self) -> Powers<'_, Tensor<T>, Infallible> {
        Powers::NONE
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Labels<'static>, Infallible> {
        Ok(labels.clone().into_owned())
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor<T>, Infallible> {
        Ok(Tensor { sides, data: data.iter().map(|&x| narrow(x)).collect() })
    }

    fn download(&self, x: &Tensor<T>) -> Result<Vec<f64>, Infallible> {
        Ok(x.data.iter().map(|x| x.to_f64().unwrap_or(f64::NAN)).collect())
    }
}
