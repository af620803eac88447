//! Big numbers with three sides, and as results of any shape.

use crate::big::Big;
use lossmith_core::{Dense, Error, Format, Operand};

/// Numbers with three sides, row-major.
#[derive(Clone, Debug)]
pub struct Tensor {
    pub(crate) sides: [usize; 3],
    pub(crate) data: Vec<Big>,
}

impl Tensor {
    /// The tensor of those sides.
    pub(crate) fn build(sides: [usize; 3], value: impl Fn([usize; 3]) -> Big) -> Self {
        let [batch, classes, inner] = sides;
        let mut data = Vec::with_capacity(batch * classes * inner);
        for n in 0..batch {
            for c in 0..classes {
                for i in 0..inner {
                    data.push(value([n, c, i]));
                }
            }
        }
        Self { sides, data }
    }

    pub(crate) fn number(x: Big) -> Self {
        Self { sides: [1; 3], data: vec![x] }
    }

    /// The three sides.
    #[must_use]
    pub fn sides(&self) -> [usize; 3] {
        self.sides
    }

    /// The elements in row-major order.
    #[must_use]
    pub fn data(&self) -> &[Big] {
        &self.data
    }

    /// The same sides with other elements.
    #[must_use]
    pub fn with(&self, data: impl IntoIterator<Item = Big>) -> Self {
        Self { sides: self.sides, data: data.into_iter().collect() }
    }

    pub(crate) fn at(&self, [n, c, i]: [usize; 3]) -> &Big {
        let [_, classes, inner] = self.sides;
        let [n, c, i] = [(n, 0), (c, 1), (i, 2)].map(|(at, axis)| at.min(self.sides[axis] - 1));
        &self.data[(n * classes + c) * inner + i]
    }

    /// The element of a matrix of batch × (class · inner), transposed where the flag says so.
    pub(crate) fn entry(&self, turned: bool, row: usize, column: usize) -> &Big {
        let (row, column) = if turned { (column, row) } else { (row, column) };
        &self.data[row * self.sides[1] * self.sides[2] + column]
    }
}

/// An operand with its number, if it is one, made big once.
pub(crate) enum Seen<'a> {
    Tensor(&'a Tensor),
    Number(Big),
}

impl<'a> Seen<'a> {
    pub(crate) fn of(operand: &'a Operand<'_, Tensor>) -> Self {
        match operand {
            Operand::Owned(tensor) => Self::Tensor(tensor),
            Operand::Borrowed(tensor) => Self::Tensor(tensor),
            Operand::Scalar(number) => Self::Number(Big::from(*number)),
        }
    }

    pub(crate) fn at(&self, place: [usize; 3]) -> &Big {
        match self {
            Self::Tensor(tensor) => tensor.at(place),
            Self::Number(number) => number,
        }
    }

    pub(crate) fn sides(&self) -> [usize; 3] {
        match self {
            Self::Tensor(tensor) => tensor.sides,
            Self::Number(_) => [1; 3],
        }
    }
}

/// The sides of operands together: what is not one, wherever it stands.
pub(crate) fn together(operands: &[&Seen<'_>]) -> [usize; 3] {
    operands.iter().fold([1; 3], |mut sides, operand| {
        for (side, own) in sides.iter_mut().zip(operand.sides()) {
            if own != 1 {
                *side = own;
            }
        }
        sides
    })
}

/// An exact result: numbers in row-major order with a shape of any rank.
#[derive(Clone, Debug)]
pub struct BigArray {
    shape: Vec<usize>,
    data: Vec<Big>,
}

impl BigArray {
    pub(crate) fn new(shape: &[usize], data: Vec<Big>) -> Self {
        Self { shape: shape.to_vec(), data }
    }

    /// The sides.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The elements in row-major order.
    #[must_use]
    pub fn data(&self) -> &[Big] {
        &self.data
    }

    /// How many leading bits each element has in common with the other's, the fewest; two zeros, infinities or NaN have
    /// all of them.
    #[must_use]
    pub fn agreement(&self, other: &Self) -> f64 {
        let bits = |(a, b): (&Big, &Big)| {
            if a == b || a.is_nan() && b.is_nan() {
                return f64::INFINITY;
            }
            -a.distance(b).ratio(&b.abs()).log2()
        };
        self.data.iter().zip(&other.data).map(bits).fold(f64::INFINITY, f64::min)
    }

    /// Each element rounded once to a format.
    ///
    /// # Errors
    /// None, the shape being the data's.
    pub fn rounded(&self, format: Format) -> Result<Dense, Error> {
        Dense::new(&self.shape, self.data.iter().map(|x| x.round(format)).collect())
    }
}
