//! The ops on 16-bit storage: widened to f32, computed, rounded once.

use half::{bf16, f16};
use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Matmul, Operand, Powers, Take, accumulate, scalar};
use std::borrow::Cow;
use std::convert::Infallible;
use std::marker::PhantomData;

/// A 16-bit format.
pub trait Element: Copy + std::fmt::Debug + 'static {
    /// The number, exactly.
    fn widen(self) -> f32;
    /// The number, rounded once.
    fn narrow(x: f32) -> Self;
    /// The number, rounded once.
    fn from_f64(x: f64) -> Self;
}

macro_rules! element {
    ($($format:ty),*) => {$(
        impl Element for $format {
            fn widen(self) -> f32 {
                self.to_f32()
            }
            fn narrow(x: f32) -> Self {
                Self::from_f32(x)
            }
            fn from_f64(x: f64) -> Self {
                Self::from_f64(x)
            }
        }
    )*};
}
element!(f16, bf16);

/// 16-bit storage as a backend, on slices that live at least as long as `'a`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Half<'a, H>(PhantomData<&'a H>);

impl<H> Half<'_, H> {
    /// The backend.
    #[must_use]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

/// 16-bit numbers with three sides, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a, H: Clone> {
    pub(crate) sides: [usize; 3],
    pub(crate) data: Cow<'a, [H]>,
}

type In<'x, 'a, H> = Operand<'x, Tensor<'a, H>>;

/// An operand as numbers to read along the sides of a result; a side of one has stride 0.
struct Reader<'x, H> {
    data: &'x [H],
    number: f32,
    strides: [usize; 3],
}

impl<'x, H: Element> Reader<'x, H> {
    fn new(x: &'x In<'_, '_, H>) -> Self {
        match (x.tensor(), x) {
            (Some(Tensor { sides: [n, c, i], data }), _) => {
                let stride = |side: usize, step: usize| if side == 1 { 0 } else { step };
                let strides = [stride(*n, c * i), stride(*c, *i), stride(*i, 1)];
                Self { data, number: 0.0, strides }
            }
            #[allow(clippy::cast_possible_truncation, reason = "inside an op numbers are f32")]
            (None, Operand::Scalar(number)) => {
                Self { data: &[], number: *number as f32, strides: [0; 3] }
            }
            (None, Operand::Owned(_) | Operand::Borrowed(_)) => {
                Self { data: &[], number: f32::NAN, strides: [0; 3] }
            }
        }
    }

    fn at(&self, [n, c, i]: [usize; 3]) -> f32 {
        let [by_n, by_c, by_i] = self.strides;
        self.data.get(n * by_n + c * by_c + i * by_i).map_or(self.number, |x| x.widen())
    }
}

/// The sides of operands together: what is not one, wherever it stands.
fn together<H: Element>(operands: &[&In<'_, '_, H>]) -> [usize; 3] {
    let tensors = operands.iter().filter_map(|operand| operand.tensor());
    tensors.fold([1; 3], |mut sides, tensor| {
        for (side, &own) in sides.iter_mut().zip(&tensor.sides) {
            if own != 1 {
                *side = own;
            }
        }
        sides
    })
}

fn build<'a, H: Element>(sides: [usize; 3], value: impl Fn([usize; 3]) -> f32) -> Tensor<'a, H> {
    let mut data = Vec::with_capacity(sides.iter().product());
    for n in 0..sides[0] {
        for c in 0..sides[1] {
            data.extend((0..sides[2]).map(|i| H::narrow(value([n, c, i]))));
        }
    }
    Tensor { sides, data: data.into() }
}

fn map<'a, H: Element>(x: In<'_, 'a, H>, f: impl Fn(f32) -> f32) -> Tensor<'a, H> {
    match x {
        Operand::Owned(Tensor { sides, data: Cow::Owned(mut data) }) => {
            data.iter_mut().for_each(|x| *x = H::narrow(f(x.widen())));
            Tensor { sides, data: data.into() }
        }
        x @ (Operand::Owned(_) | Operand::Borrowed(_) | Operand::Scalar(_)) => {
            let (sides, x) = (together(&[&x]), Reader::new(&x));
            build(sides, |at| f(x.at(at)))
        }
    }
}

fn zip<'a, H: Element>(
    a: In<'_, 'a, H>,
    b: In<'_, 'a, H>,
    f: impl Fn(f32, f32) -> f32,
) -> Tensor<'a, H> {
    #[allow(clippy::cast_possible_truncation, reason = "inside an op numbers are f32")]
    match (a, b) {
        (a, Operand::Scalar(b)) => map(a, |a| f(a, b as f32)),
        (Operand::Scalar(a), b) => map(b, |b| f(a as f32, b)),
        (a, b) => {
            let sides = together(&[&a, &b]);
            let (a, b) = (Reader::new(&a), Reader::new(&b));
            build(sides, |at| f(a.at(at), b.at(at)))
        }
    }
}

impl<'a, H: Element> Backend for Half<'a, H> {
    type Tensor = Tensor<'a, H>;
    type Labels = Labels<'static>;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: In<'_, 'a, H>) -> Result<Tensor<'a, H>, Infallible> {
        Ok(match op {
            Unary::Neg => map(x, |x| -x),
            Unary::Abs => map(x, f32::abs),
            Unary::Sign => map(x, scalar::sign),
            Unary::Exp => map(x, f32::exp),
            Unary::Expm1 => map(x, f32::exp_m1),
            Unary::Ln => map(x, f32::ln),
            Unary::Ln1p => map(x, f32::ln_1p),
            Unary::Sqrt => map(x, f32::sqrt),
            Unary::Sigmoid => map(x, scalar::sigmoid),
            Unary::Softplus => map(x, scalar::softplus),
        })
    }

    fn binary(
        &self,
        op: Binary,
        a: In<'_, 'a, H>,
        b: In<'_, 'a, H>,
    ) -> Result<Tensor<'a, H>, Infallible> {
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
        [a, b]: [In<'_, 'a, H>; 2],
        [then, or]: [In<'_, 'a, H>; 2],
    ) -> Result<Tensor<'a, H>, Infallible> {
        let sides = together(&[&a, &b, &then, &or]);
        let [a, b, then, or] = [&a, &b, &then, &or].map(Reader::new);
        let choose = |holds: bool, at| if holds { then.at(at) } else { or.at(at) };
        Ok(match compare {
            Compare::Eq => build(sides, |at| choose(a.at(at) == b.at(at), at)),
            Compare::Lt => build(sides, |at| choose(a.at(at) < b.at(at), at)),
            Compare::Le => build(sides, |at| choose(a.at(at) <= b.at(at), at)),
        })
    }

    fn reduce(
        &self,
        op: Reduce,
        x: In<'_, 'a, H>,
        axis: Axis,
    ) -> Result<Tensor<'a, H>, Infallible> {
        let mut sides = together(&[&x]);
        let length = std::mem::replace(&mut sides[axis.index()], 1);
        let x = Reader::new(&x);
        let rows = positions(sides);
        let data = rows.map(|mut at| {
            let along = (0..length).map(|index| {
                at[axis.index()] = index;
                f64::from(x.at(at))
            });
            H::from_f64(accumulate::reduce(op, along))
        });
        Ok(Tensor { sides, data: data.collect::<Vec<_>>().into() })
    }

    fn fold(&self, op: Reduce, x: In<'_, 'a, H>) -> Result<f64, Infallible> {
        let (sides, x) = (together(&[&x]), Reader::new(&x));
        Ok(accumulate::reduce(op, positions(sides).map(|at| f64::from(x.at(at)))))
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: In<'_, 'a, H>,
        miss: In<'_, 'a, H>,
    ) -> Result<Tensor<'a, H>, Infallible> {
        let (hit, miss) = (Reader::new(&hit), Reader::new(&miss));
        Ok(build(labels.sides(), |at| {
            if labels.hit(at[0], at[1], at[2]) { hit.at(at) } else { miss.at(at) }
        }))
    }

    fn powers(&self) -> Powers<'_, Tensor<'a, H>, Infallible> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Labels<'static>, Infallible> {
        Ok(labels.clone().into_owned())
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor<'a, H>, Infallible> {
        let data: Vec<H> = data.iter().map(|&x| H::from_f64(x)).collect();
        Ok(Tensor { sides, data: data.into() })
    }

    fn download(&self, x: &Tensor<'a, H>) -> Result<Vec<f64>, Infallible> {
        Ok(x.data.iter().map(|x| f64::from(x.widen())).collect())
    }
}

/// Every position in row-major order.
fn positions([batch, classes, inner]: [usize; 3]) -> impl Iterator<Item = [usize; 3]> {
    (0..batch).flat_map(move |n| (0..classes).flat_map(move |c| (0..inner).map(move |i| [n, c, i])))
}

impl<'a, H: Element> Matmul<Tensor<'a, H>, Infallible> for Half<'a, H> {
    fn matmul(
        &self,
        a: (&Tensor<'a, H>, bool),
        b: (&Tensor<'a, H>, bool),
        sides: [usize; 3],
    ) -> Result<Tensor<'a, H>, Infallible> {
        // Rows of one beside rows of the other, so that both are read in order.
        let rows = |(x, turned): (&Tensor<'a, H>, bool)| -> (usize, Vec<f32>) {
            let (rows, columns) = (x.sides[0], x.sides[1] * x.sides[2]);
            if !turned {
                return (columns, x.data.iter().map(|x| x.widen()).collect());
            }
            let at = |index: usize| x.data[index % rows * columns + index / rows].widen();
            (rows, (0..rows * columns).map(at).collect())
        };
        let ((terms, a), (_, b)) = (rows(a), rows((b.0, !b.1)));
        Ok(build(sides, |[row, class, inner]| {
            let column = class * sides[2] + inner;
            let (a, b) = (&a[row * terms..][..terms], &b[column * terms..][..terms]);
            let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
            #[allow(clippy::cast_possible_truncation, reason = "an op's result is f32 first")]
            let sum = accumulate::reduce(Reduce::Sum, products) as f32;
            sum
        }))
    }
}

impl<'a, H: Element> Take<Tensor<'a, H>, Infallible> for Half<'a, H> {
    fn take(
        &self,
        x: &Tensor<'a, H>,
        table: &Table,
        otherwise: f64,
    ) -> Result<Tensor<'a, H>, Infallible> {
        let ([rows, places, _], [_, classes, inner]) = (table.sides(), x.sides);
        let data = positions([rows, places, inner]).map(|[row, place, i]| {
            let taken =
                table.at(row, place).map(|class| x.data[(row * classes + class) * inner + i]);
            taken.unwrap_or_else(|| H::from_f64(otherwise))
        });
        Ok(Tensor { sides: [rows, places, inner], data: data.collect::<Vec<_>>().into() })
    }

    fn put(&self, x: &Tensor<'a, H>, table: &Table) -> Result<Tensor<'a, H>, Infallible> {
        let ([rows, places, classes], inner) = (table.sides(), x.sides[2]);
        let mut data = vec![H::from_f64(0.0); rows * classes * inner];
        for (row, i) in (0..rows).flat_map(|row| (0..inner).map(move |i| (row, i))) {
            let at = |place: usize| f64::from(x.data[(row * places + place) * inner + i].widen());
            for (class, sum) in table.sums(row, at).into_iter().enumerate() {
                data[(row * classes + class) * inner + i] = H::from_f64(sum);
            }
        }
        Ok(Tensor { sides: [rows, classes, inner], data: data.into() })
    }
}
