//! The reference backend: `f64`, plain loops over the scalar functions. It is the specification the others are judged by.

use crate::accumulate;
use crate::backend::{Backend, Matmul, Operand, Powers, Take};
use crate::labels::Labels;
use crate::op::{Axis, Binary, Compare, Reduce, Unary};
use crate::scalar;
use crate::sequence::Table;
use std::convert::Infallible;

/// The slow and certain backend.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

/// Numbers with three sides, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    sides: [usize; 3],
    data: Vec<f64>,
}

impl Tensor {
    fn at(&self, [n, c, i]: [usize; 3]) -> f64 {
        let [_, classes, inner] = self.sides;
        let [n, c, i] = [(n, 0), (c, 1), (i, 2)].map(|(at, axis)| at.min(self.sides[axis] - 1));
        self.data[(n * classes + c) * inner + i]
    }
}

fn get(x: &Operand<'_, Tensor>, at: [usize; 3]) -> f64 {
    match x {
        Operand::Owned(tensor) => tensor.at(at),
        Operand::Borrowed(tensor) => tensor.at(at),
        Operand::Scalar(value) => *value,
    }
}

fn build(sides: [usize; 3], value: impl Fn([usize; 3]) -> f64) -> Tensor {
    let [batch, classes, inner] = sides;
    let mut data = Vec::with_capacity(batch * classes * inner);
    for n in 0..batch {
        for c in 0..classes {
            for i in 0..inner {
                data.push(value([n, c, i]));
            }
        }
    }
    Tensor { sides, data }
}

/// The sides of operands together: what is not one, wherever it stands.
fn together(operands: &[&Operand<'_, Tensor>]) -> [usize; 3] {
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

impl Backend for Reference {
    type Tensor = Tensor;
    type Labels = Labels<'static>;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: Operand<'_, Tensor>) -> Result<Tensor, Infallible> {
        Ok(build(together(&[&x]), |at| scalar::unary(op, get(&x, at))))
    }

    fn binary(
        &self,
        op: Binary,
        a: Operand<'_, Tensor>,
        b: Operand<'_, Tensor>,
    ) -> Result<Tensor, Infallible> {
        Ok(build(together(&[&a, &b]), |at| scalar::binary(op, get(&a, at), get(&b, at))))
    }

    fn select(
        &self,
        compare: Compare,
        [a, b]: [Operand<'_, Tensor>; 2],
        [then, otherwise]: [Operand<'_, Tensor>; 2],
    ) -> Result<Tensor, Infallible> {
        Ok(build(together(&[&a, &b, &then, &otherwise]), |at| {
            let holds = scalar::compare(compare, get(&a, at), get(&b, at));
            get(if holds { &then } else { &otherwise }, at)
        }))
    }

    fn reduce(&self, op: Reduce, x: Operand<'_, Tensor>, axis: Axis) -> Result<Tensor, Infallible> {
        let mut sides = together(&[&x]);
        let length = std::mem::replace(&mut sides[axis.index()], 1);
        Ok(build(sides, |mut at| {
            let along = (0..length).map(|index| {
                at[axis.index()] = index;
                get(&x, at)
            });
            accumulate::reduce(op, along)
        }))
    }

    fn fold(&self, op: Reduce, x: Operand<'_, Tensor>) -> Result<f64, Infallible> {
        Ok(match x.tensor() {
            Some(tensor) => accumulate::reduce(op, tensor.data.iter().copied()),
            None => get(&x, [0; 3]),
        })
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: Operand<'_, Tensor>,
        miss: Operand<'_, Tensor>,
    ) -> Result<Tensor, Infallible> {
        Ok(build(labels.sides(), |at| {
            get(if labels.hit(at[0], at[1], at[2]) { &hit } else { &miss }, at)
        }))
    }

    fn powers(&self) -> Powers<'_, Tensor, Infallible> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Labels<'static>, Infallible> {
        Ok(labels.clone().into_owned())
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor, Infallible> {
        Ok(Tensor { sides, data: data.to_vec() })
    }

    fn download(&self, x: &Tensor) -> Result<Vec<f64>, Infallible> {
        Ok(x.data.clone())
    }
}

impl Matmul<Tensor, Infallible> for Reference {
    fn matmul(
        &self,
        (a, turn_a): (&Tensor, bool),
        (b, turn_b): (&Tensor, bool),
        sides: [usize; 3],
    ) -> Result<Tensor, Infallible> {
        let at = |x: &Tensor, turned: bool, row: usize, column: usize| {
            let (row, column) = if turned { (column, row) } else { (row, column) };
            x.data[row * x.sides[1] * x.sides[2] + column]
        };
        let terms = if turn_a { a.sides[0] } else { a.sides[1] * a.sides[2] };
        Ok(build(sides, |[row, class, inner]| {
            let column = class * sides[2] + inner;
            let products = (0..terms).map(|k| at(a, turn_a, row, k) * at(b, turn_b, k, column));
            accumulate::reduce(Reduce::Sum, products)
        }))
    }
}

impl Take<Tensor, Infallible> for Reference {
    fn take(&self, x: &Tensor, table: &Table, otherwise: f64) -> Result<Tensor, Infallible> {
        let [rows, places, _] = table.sides();
        Ok(build([rows, places, x.sides[2]], |[row, place, i]| {
            table.at(row, place).map_or(otherwise, |class| x.at([row, class, i]))
        }))
    }

    fn put(&self, x: &Tensor, table: &Table) -> Result<Tensor, Infallible> {
        let [rows, places, classes] = table.sides();
        Ok(build([rows, classes, x.sides[2]], |[row, class, i]| {
            let here = (0..places).filter(|&place| table.at(row, place) == Some(class));
            accumulate::reduce(Reduce::Sum, here.map(|place| x.at([row, place, i])))
        }))
    }
}
