//! The ops on burn's tensors of three sides.
//!
//! Element-wise ops are burn's own, on the device the tensors live on, and composed of several where burn's one op is
//! not what the contract asks. What is not:
//!
//! - Sums and maxima: where the host sees the memory (flex, ndarray) they go through
//!   [`accumulate`](lossmith_core::accumulate), without a copy; elsewhere they are burn's own, in the tensor's format,
//!   so that the error of a sum grows with its length.
//! - Class indices go to the device once, as a mask of one byte an element; tables of sequences at every use.
//! - A fold is one number on the host: on a GPU that waits for the device.

use crate::array::AnyTensor;
use crate::error::Fault;
use crate::memory::Memory;
use burn::tensor::{Bool, DType, Device, IndexingUpdateOp, Int, Shape, Tensor, TensorData};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Labels, Matmul, Operand, Powers, Take};

/// burn as a backend: tensors of one format on one device.
#[derive(Clone, Debug)]
pub struct Burn {
    pub(crate) device: Device,
    pub(crate) format: DType,
    /// Whether only burn's own ops are used, so that it can differentiate them.
    pub(crate) traced: bool,
}

/// Class indices on the device.
#[derive(Clone, Debug)]
pub struct Mask {
    sides: [usize; 3],
    /// Where the class is the label.
    hits: Tensor<3, Bool>,
}

type In<'x> = Operand<'x, Tensor<3>>;
type Out = Result<Tensor<3>, Fault>;

impl Burn {
    /// The backend on a device, in f32.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone().inner(), format: DType::F32, traced: false }
    }

    /// The backend on burn's CPU device flex, in f32.
    #[cfg(feature = "flex")]
    #[must_use]
    pub fn flex() -> Self {
        Self::new(&Device::flex())
    }

    /// The backend on burn's CPU device ndarray, in f32.
    #[cfg(feature = "ndarray")]
    #[must_use]
    pub fn ndarray() -> Self {
        Self::new(&Device::ndarray())
    }

    /// The backend on the device of a tensor, in its format.
    #[must_use]
    pub fn of(tensor: &AnyTensor) -> Self {
        Self { device: tensor.device(), format: tensor.format(), traced: false }
    }

    /// The backend in f64.
    #[must_use]
    pub fn double(self) -> Self {
        Self { format: DType::F64, ..self }
    }

    /// A tensor of numbers in row-major order, each rounded once.
    fn tensor(&self, sides: [usize; 3], data: Vec<f64>) -> Tensor<3> {
        Tensor::from_data(TensorData::new(data, sides), (&self.device, self.format))
    }

    pub(crate) fn full(&self, sides: [usize; 3], x: f64) -> Tensor<3> {
        Tensor::full(sides, x, (&self.device, self.format))
    }

    fn indices(&self, sides: [usize; 3], data: Vec<i64>) -> Tensor<3, Int> {
        Tensor::from_data(TensorData::new(data, sides), &self.device)
    }

    /// The classes of a table at every place, and where it has none, which is given as `otherwise`.
    fn places(
        &self,
        table: &Table,
        sides: [usize; 3],
        otherwise: usize,
    ) -> (Tensor<3, Int>, Tensor<3, Bool>) {
        let [rows, places, _] = sides;
        let at = || (0..rows).flat_map(|row| (0..places).map(move |place| table.at(row, place)));
        let classes = at().map(|class| index_of(class.unwrap_or(otherwise))).collect();
        let none = at().map(|class| class.is_none()).collect::<Vec<_>>();
        let none = TensorData::new(none, [rows, places, 1]);
        let none = Tensor::<3, Bool>::from_data(none, &self.device);
        (
            self.indices([rows, places, 1], classes).expand(Shape::new(sides)),
            none.expand(Shape::new(sides)),
        )
    }

    fn lift(&self, x: In<'_>) -> Tensor<3> {
        match x {
            Operand::Owned(x) => x,
            Operand::Borrowed(x) => x.clone(),
            Operand::Scalar(x) => self.full([1; 3], x),
        }
    }

    /// The memory that a reduction reads itself.
    fn memory(&self, x: &Tensor<3>) -> Option<Memory> {
        if self.traced { None } else { Memory::of(&x.clone().into_dispatch()) }
    }
}

/// An index as burn's integers have it; none is beyond them.
fn index_of(index: usize) -> i64 {
    i64::try_from(index).unwrap_or(i64::MAX)
}

/// What a reduction of nothing is.
fn nothing(op: Reduce) -> f64 {
    match op {
        Reduce::Sum => 0.0,
        Reduce::Max => f64::NEG_INFINITY,
    }
}

/// The sides of tensors together: what is not one, wherever it stands.
fn together<const N: usize>(sides: [[usize; 3]; N]) -> [usize; 3] {
    sides.into_iter().fold([1; 3], |all, own| {
        [0, 1, 2].map(|axis| if own[axis] == 1 { all[axis] } else { own[axis] })
    })
}

/// `then` where the mask holds, else `otherwise`, all broadcast to the sides.
fn choose(
    mask: Tensor<3, Bool>,
    sides: [usize; 3],
    then: In<'_>,
    otherwise: Tensor<3>,
) -> Tensor<3> {
    let (mask, otherwise) = (mask.expand(Shape::new(sides)), otherwise.expand(Shape::new(sides)));
    match then {
        Operand::Scalar(then) => otherwise.mask_fill(mask, then),
        Operand::Owned(then) => otherwise.mask_where(mask, then.expand(Shape::new(sides))),
        Operand::Borrowed(then) => {
            otherwise.mask_where(mask, then.clone().expand(Shape::new(sides)))
        }
    }
}

/// e^−|x|.
fn tail(x: Tensor<3>) -> Tensor<3> {
    x.abs().neg().exp()
}

/// eˣ − 1 from u = eˣ, as (u − 1) · x / ln u, whose errors cancel (Kahan).
fn expm1(x: Tensor<3>) -> Tensor<3> {
    let u = x.clone().exp();
    let less = u.clone().sub_scalar(1.0);
    let near = u.clone().equal_elem(1.0);
    // Where u is 0 or ∞, or rounds to them less one, it is the result.
    let far = less.clone().equal_elem(-1.0).bool_or(u.clone().is_inf());
    let between = less.clone() * (x.clone() / u.log());
    between.mask_where(near, x).mask_where(far, less)
}

impl Backend for Burn {
    type Tensor = Tensor<3>;
    type Labels = Mask;
    type Error = Fault;

    fn unary(&self, op: Unary, x: In<'_>) -> Out {
        let x = self.lift(x);
        Ok(match op {
            Unary::Neg => x.neg(),
            Unary::Abs => x.abs(),
            Unary::Sign => {
                let nan = x.clone().is_nan();
                x.clone().sign().mask_where(nan, x)
            }
            Unary::Exp => x.exp(),
            Unary::Expm1 => expm1(x),
            Unary::Ln => x.log(),
            Unary::Ln1p => x.log1p(),
            Unary::Sqrt => x.sqrt(),
            Unary::Sigmoid => {
                let (tail, negative) = (tail(x.clone()), x.lower_elem(0.0));
                let numerator = tail.ones_like().mask_where(negative, tail.clone());
                numerator / tail.add_scalar(1.0)
            }
            Unary::Softplus => {
                let (tail, positive) = (tail(x.clone()).log1p(), x.clone().greater_elem(0.0));
                tail.clone().mask_where(positive, x + tail)
            }
        })
    }

    fn binary(&self, op: Binary, a: In<'_>, b: In<'_>) -> Out {
        Ok(match (op, b) {
            (Binary::Add, Operand::Scalar(b)) => self.lift(a).add_scalar(b),
            (Binary::Sub, Operand::Scalar(b)) => self.lift(a).sub_scalar(b),
            (Binary::Mul, Operand::Scalar(b)) => self.lift(a).mul_scalar(b),
            // burn's derivative of this op is off by the rounding of 1/b to f32.
            (Binary::Div, Operand::Scalar(b)) if !self.traced => self.lift(a).div_scalar(b),
            (Binary::Weigh, Operand::Scalar(b)) => {
                let a = self.lift(a);
                let skipped = a.clone().equal_elem(0.0);
                a.mul_scalar(b).mask_fill(skipped, 0.0)
            }
            (op, b) => {
                let (a, b) = (self.lift(a), self.lift(b));
                let sides = together([a.dims(), b.dims()]);
                match op {
                    Binary::Add => a + b,
                    Binary::Sub => a - b,
                    Binary::Mul => a * b,
                    Binary::Div => a / b,
                    Binary::Weigh => {
                        let skipped = a.clone().equal_elem(0.0);
                        choose(skipped, sides, Operand::Scalar(0.0), a * b)
                    }
                    Binary::ExpSub => {
                        // Equal infinities, whose difference is NaN.
                        let (same, apart) = (a.clone().equal(b.clone()), a - b);
                        let same = same.bool_and(apart.clone().is_nan());
                        apart.mask_fill(same, 0.0).exp()
                    }
                    Binary::LogAddExp => {
                        let same = a.clone().equal(b.clone());
                        let larger = a.clone().greater(b.clone());
                        let first = larger.bool_or(a.clone().is_nan().expand(Shape::new(sides)));
                        let most = choose(first, sides, Operand::Borrowed(&a), b.clone());
                        let apart = choose(same, sides, Operand::Scalar(0.0), a - b);
                        most + tail(apart).log1p()
                    }
                }
            }
        })
    }

    fn select(&self, compare: Compare, [a, b]: [In<'_>; 2], [then, otherwise]: [In<'_>; 2]) -> Out {
        let sides = |x: &In<'_>| x.tensor().map_or([1; 3], |x| x.dims());
        let sides = together([&a, &b, &then, &otherwise].map(sides));
        let mask = match (compare, self.lift(a), b) {
            (Compare::Eq, a, Operand::Scalar(b)) => a.equal_elem(b),
            (Compare::Lt, a, Operand::Scalar(b)) => a.lower_elem(b),
            (Compare::Le, a, Operand::Scalar(b)) => a.lower_equal_elem(b),
            (Compare::Eq, a, b) => a.equal(self.lift(b)),
            (Compare::Lt, a, b) => a.lower(self.lift(b)),
            (Compare::Le, a, b) => a.lower_equal(self.lift(b)),
        };
        Ok(choose(mask, sides, then, self.lift(otherwise)))
    }

    fn reduce(&self, op: Reduce, x: In<'_>, axis: Axis) -> Out {
        let x = self.lift(x);
        let mut sides = x.dims();
        let length = std::mem::replace(&mut sides[axis.index()], 1);
        if length == 0 || sides.contains(&0) {
            return Ok(self.full(sides, nothing(op)));
        }
        if let Some(memory) = self.memory(&x) {
            let reduced = if self.format == DType::F64 {
                memory.reduce::<f64>(op, x.dims(), axis)
            } else {
                memory.reduce::<f32>(op, x.dims(), axis)
            };
            return Ok(self.tensor(sides, reduced));
        }
        Ok(match op {
            Reduce::Sum => x.sum_dim(axis.index()),
            Reduce::Max => {
                // burn's devices differ in what becomes of NaN.
                let nan = x.clone().is_nan().int().max_dim(axis.index()).greater_elem(0);
                x.max_dim(axis.index()).mask_fill(nan, f64::NAN)
            }
        })
    }

    fn fold(&self, op: Reduce, x: In<'_>) -> Result<f64, Fault> {
        let x = self.lift(x);
        if x.dims().contains(&0) {
            return Ok(nothing(op));
        }
        if let Some(memory) = self.memory(&x) {
            let sides = x.dims();
            return Ok(if self.format == DType::F64 {
                memory.fold::<f64>(op, sides)
            } else {
                memory.fold::<f32>(op, sides)
            });
        }
        let folded = match op {
            Reduce::Sum => x.sum(),
            Reduce::Max if x.clone().contains_nan().into_scalar::<bool>() => return Ok(f64::NAN),
            Reduce::Max => x.max(),
        };
        folded.try_into_scalar::<f64>().map_err(|error| Fault::Read(error.to_string()))
    }

    fn at_label(&self, labels: &Mask, hit: In<'_>, miss: In<'_>) -> Out {
        Ok(choose(labels.hits.clone(), labels.sides, hit, self.lift(miss)))
    }

    fn powers(&self) -> Powers<'_, Tensor<3>, Fault> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &Labels<'_>) -> Result<Mask, Fault> {
        let sides @ [batch, classes, inner] = labels.sides();
        let rows = (0..batch * inner).map(|row| labels.get(row).map_or(-1, index_of)).collect();
        let rows = self.indices([batch, 1, inner], rows).expand(Shape::new(sides));
        let classes = self.indices([1, classes, 1], (0..classes).map(index_of).collect());
        Ok(Mask { sides, hits: rows.equal(classes.expand(Shape::new(sides))) })
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Out {
        Ok(self.tensor(sides, data.to_vec()))
    }

    fn download(&self, x: &Tensor<3>) -> Result<Vec<f64>, Fault> {
        let data = x.clone().try_into_data().map_err(|error| Fault::Read(error.to_string()))?;
        Ok(data.iter::<f64>().collect())
    }
}

impl Matmul<Tensor<3>, Fault> for Burn {
    fn matmul(&self, a: (&Tensor<3>, bool), b: (&Tensor<3>, bool), sides: [usize; 3]) -> Out {
        let matrix = |(x, turned): (&Tensor<3>, bool)| {
            let [rows, classes, inner] = x.dims();
            let matrix = x.clone().reshape([rows, classes * inner]);
            if turned { matrix.transpose() } else { matrix }
        };
        let (a, b) = (matrix(a), matrix(b));
        // Not every device of burn's multiplies nothing.
        let nothing = a.dims().contains(&0) || b.dims().contains(&0);
        Ok(if nothing { self.full(sides, 0.0) } else { a.matmul(b).reshape(sides) })
    }
}

impl Take<Tensor<3>, Fault> for Burn {
    fn take(&self, x: &Tensor<3>, table: &Table, otherwise: f64) -> Out {
        let ([rows, places, classes], inner) = (table.sides(), x.dims()[2]);
        let sides = [rows, places, inner];
        if sides.contains(&0) || classes == 0 {
            return Ok(self.full(sides, otherwise));
        }
        let (places, none) = self.places(table, sides, 0);
        Ok(x.clone().gather(1, places).mask_fill(none, otherwise))
    }

    fn put(&self, x: &Tensor<3>, table: &Table) -> Out {
        let ([rows, places, classes], inner) = (table.sides(), x.dims()[2]);
        if rows * places * inner == 0 || classes == 0 {
            return Ok(self.full([rows, classes, inner], 0.0));
        }
        if let Some(memory) = self.memory(x) {
            let sums = if self.format == DType::F64 {
                memory.put::<f64>(table, inner)
            } else {
                memory.put::<f32>(table, inner)
            };
            return Ok(self.tensor([rows, classes, inner], sums));
        }
        // What has no class is put beside them.
        let (places, _) = self.places(table, [rows, places, inner], classes);
        let wide = self.full([rows, classes + 1, inner], 0.0);
        let sums = wide.scatter(1, places, x.clone(), IndexingUpdateOp::Add);
        Ok(sums.narrow(1, 0, classes))
    }
}
