//! The backend: plain loops over the ops on big numbers.

use crate::arithmetic::{Arithmetic, compare};
use crate::big::Big;
use crate::tensor::{Seen, Tensor, together};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Labels, Matmul, Operand, Powers, Take};
use std::convert::Infallible;

/// Every op in so many bits, rounded to nearest; results and numbers on the host are `f64`, as a backend's are.
#[derive(Debug)]
pub struct Exact {
    pub(crate) arithmetic: Arithmetic,
}

impl Default for Exact {
    fn default() -> Self {
        Self::new()
    }
}

impl Exact {
    /// In 256 bits.
    #[must_use]
    pub fn new() -> Self {
        Self::with_bits(256)
    }

    /// In so many bits, at least 64.
    #[must_use]
    pub fn with_bits(bits: usize) -> Self {
        Self { arithmetic: Arithmetic::new(bits.max(64)) }
    }

    /// How many bits there are.
    #[must_use]
    pub fn bits(&self) -> usize {
        self.arithmetic.bits()
    }

    pub(crate) fn unary_of(&self, op: Unary, x: &Seen<'_>) -> Tensor {
        Tensor::build(x.sides(), |at| self.arithmetic.unary(op, x.at(at)))
    }

    pub(crate) fn binary_of(&self, op: Binary, a: &Seen<'_>, b: &Seen<'_>) -> Tensor {
        Tensor::build(together(&[a, b]), |at| self.arithmetic.binary(op, a.at(at), b.at(at)))
    }

    pub(crate) fn reduce_of(&self, op: Reduce, x: &Seen<'_>, axis: Axis) -> Tensor {
        let mut sides = x.sides();
        let length = std::mem::replace(&mut sides[axis.index()], 1);
        Tensor::build(sides, |mut at| {
            let along = (0..length).map(|index| {
                at[axis.index()] = index;
                x.at(at)
            });
            self.arithmetic.reduce(op, along)
        })
    }

    pub(crate) fn fold_of(&self, op: Reduce, x: &Seen<'_>) -> Big {
        match x {
            Seen::Tensor(tensor) => self.arithmetic.reduce(op, tensor.data.iter()),
            Seen::Number(number) => number.clone(),
        }
    }
}

pub(crate) fn select_of(
    op: Compare,
    [a, b]: [&Seen<'_>; 2],
    [then, otherwise]: [&Seen<'_>; 2],
) -> Tensor {
    Tensor::build(together(&[a, b, then, otherwise]), |at| {
        let taken = if compare(op, a.at(at), b.at(at)) { then } else { otherwise };
        taken.at(at).clone()
    })
}

pub(crate) fn at_label_of(labels: &Labels<'_>, hit: &Seen<'_>, miss: &Seen<'_>) -> Tensor {
    Tensor::build(labels.sides(), |at| {
        let taken = if labels.hit(at[0], at[1], at[2]) { hit } else { miss };
        taken.at(at).clone()
    })
}

impl Backend for Exact {
    type Tensor = Tensor;
    type Labels = Labels<'static>;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: Operand<'_, Tensor>) -> Result<Tensor, Infallible> {
        Ok(self.unary_of(op, &Seen::of(&x)))
    }

    fn binary(
        &self,
        op: Binary,
        a: Operand<'_, Tensor>,
        b: Operand<'_, Tensor>,
    ) -> Result<Tensor, Infallible> {
        Ok(self.binary_of(op, &Seen::of(&a), &Seen::of(&b)))
    }

    fn select(
        &self,
        op: Compare,
        [a, b]: [Operand<'_, Tensor>; 2],
        [then, otherwise]: [Operand<'_, Tensor>; 2],
    ) -> Result<Tensor, Infallible> {
        let branches = [&Seen::of(&then), &Seen::of(&otherwise)];
        Ok(select_of(op, [&Seen::of(&a), &Seen::of(&b)], branches))
    }

    fn reduce(&self, op: Reduce, x: Operand<'_, Tensor>, axis: Axis) -> Result<Tensor, Infallible> {
        Ok(self.reduce_of(op, &Seen::of(&x), axis))
    }

    fn fold(&self, op: Reduce, x: Operand<'_, Tensor>) -> Result<f64, Infallible> {
        Ok(self.fold_of(op, &Seen::of(&x)).to_f64())
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: Operand<'_, Tensor>,
        miss: Operand<'_, Tensor>,
    ) -> Result<Tensor, Infallible> {
        Ok(at_label_of(labels, &Seen::of(&hit), &Seen::of(&miss)))
    }

    fn powers(&self) -> Powers<'_, Tensor, Infallible> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Labels<'static>, Infallible> {
        Ok(labels.clone().into_owned())
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor, Infallible> {
        Ok(Tensor { sides, data: data.iter().map(|&x| Big::from(x)).collect() })
    }

    fn download(&self, x: &Tensor) -> Result<Vec<f64>, Infallible> {
        Ok(x.data.iter().map(Big::to_f64).collect())
    }
}

impl Matmul<Tensor, Infallible> for Exact {
    fn matmul(
        &self,
        (a, turn_a): (&Tensor, bool),
        (b, turn_b): (&Tensor, bool),
        sides: [usize; 3],
    ) -> Result<Tensor, Infallible> {
        let terms = if turn_a { a.sides[0] } else { a.sides[1] * a.sides[2] };
        Ok(Tensor::build(sides, |[row, class, inner]| {
            let column = class * sides[2] + inner;
            let pair = |k| (a.entry(turn_a, row, k), b.entry(turn_b, k, column));
            self.arithmetic.products((0..terms).map(pair))
        }))
    }
}

impl Take<Tensor, Infallible> for Exact {
    fn take(&self, x: &Tensor, table: &Table, otherwise: f64) -> Result<Tensor, Infallible> {
        let [rows, places, _] = table.sides();
        Ok(Tensor::build([rows, places, x.sides[2]], |[row, place, i]| {
            let taken = table.at(row, place).map(|class| x.at([row, class, i]).clone());
            taken.unwrap_or_else(|| Big::from(otherwise))
        }))
    }

    fn put(&self, x: &Tensor, table: &Table) -> Result<Tensor, Infallible> {
        let [rows, places, classes] = table.sides();
        Ok(Tensor::build([rows, classes, x.sides[2]], |[row, class, i]| {
            let here = (0..places).filter(|&place| table.at(row, place) == Some(class));
            self.arithmetic.reduce(Reduce::Sum, here.map(|place| x.at([row, place, i])))
        }))
    }
}
