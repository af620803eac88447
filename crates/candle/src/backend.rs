//! The ops on tensors with three axes: candle's own, and on the CPU those of core where candle has none.

use crate::{composed, cpu};
use candle_core::{DType, Device, Error, Result, Tensor};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Matmul, Operand, Powers, Take};

/// candle as a backend, for tensors of one type on one device.
///
/// On the CPU the ops that candle lacks are core's own, one pass each, and sums are exact. On other devices every op is
/// composed of candle's; nothing but a reduction to one number comes to the host.
#[derive(Clone, Debug)]
pub struct Candle {
    pub(crate) device: Device,
    pub(crate) dtype: DType,
    composed: bool,
}

impl Candle {
    /// The backend for tensors of that type on that device: `F64`, `F32`, `F16` or `BF16`.
    ///
    /// # Errors
    /// [`Error::UnsupportedDTypeForOp`] if losses have no such type.
    pub fn new(device: &Device, dtype: DType) -> Result<Self> {
        let known = [DType::F64, DType::F32, DType::F16, DType::BF16].contains(&dtype);
        let new = Self { device: device.clone(), dtype, composed: !device.is_cpu() };
        known.then_some(new).ok_or(Error::UnsupportedDTypeForOp(dtype, "a loss"))
    }

    /// The backend for tensors like that one.
    ///
    /// # Errors
    /// [`Error::UnsupportedDTypeForOp`] if losses have no numbers of its type.
    pub fn like(tensor: &Tensor) -> Result<Self> {
        Self::new(tensor.device(), tensor.dtype())
    }

    /// The backend with every op composed of candle's own on the CPU too, as on other devices.
    #[must_use]
    pub fn composed(mut self) -> Self {
        self.composed = true;
        self
    }

    /// The number in the backend's type, rounded once.
    fn number(&self, number: f64) -> Result<Tensor> {
        self.number_of(number, self.dtype)
    }

    pub(crate) fn number_of(&self, number: f64, dtype: DType) -> Result<Tensor> {
        let number = Tensor::new(&[[[number]]], &Device::Cpu)?;
        number.to_dtype(dtype)?.to_device(&self.device)
    }

    fn tensor(&self, operand: Operand<'_, Tensor>) -> Result<Tensor> {
        match operand {
            Operand::Owned(tensor) => Ok(tensor),
            Operand::Borrowed(tensor) => Ok(tensor.clone()),
            Operand::Scalar(number) => self.number(number),
        }
    }

    /// The operands as tensors of one type: f32 in place of 16 bits beside a number, since 1/N is none of 16 bits.
    fn together<const N: usize>(&self, operands: [Operand<'_, Tensor>; N]) -> [Result<Tensor>; N] {
        let beside_number = operands.iter().any(|operand| operand.tensor().is_none());
        let dtype = beside(self.dtype, beside_number);
        operands.map(|operand| match operand {
            Operand::Owned(tensor) => tensor.to_dtype(dtype),
            Operand::Borrowed(tensor) => tensor.to_dtype(dtype),
            Operand::Scalar(number) => self.number_of(number, dtype),
        })
    }
}

/// The type that an op on tensors of that type is computed in.
pub(crate) fn beside(dtype: DType, number: bool) -> DType {
    if number && dtype.size_in_bytes() == 2 { DType::F32 } else { dtype }
}

/// Class indices on the device: the label of every row, a number beyond all classes where it has none.
#[derive(Clone, Debug)]
pub struct Labels {
    rows: Tensor,
    classes: Tensor,
}

impl Backend for Candle {
    type Tensor = Tensor;
    type Labels = Labels;
    type Error = Error;

    fn unary(&self, op: Unary, x: Operand<'_, Tensor>) -> Result<Tensor> {
        let x = self.tensor(x)?;
        if self.composed { composed::unary(op, &x) } else { cpu::unary(op, &x) }
    }

    fn binary(&self, op: Binary, a: Operand<'_, Tensor>, b: Operand<'_, Tensor>) -> Result<Tensor> {
        let [a, b] = self.together([a, b]);
        let ops = if self.composed { composed::binary } else { cpu::binary };
        ops(op, &a?, &b?)?.to_dtype(self.dtype)
    }

    fn select(
        &self,
        compare: Compare,
        [a, b]: [Operand<'_, Tensor>; 2],
        [then, otherwise]: [Operand<'_, Tensor>; 2],
    ) -> Result<Tensor> {
        let [a, b] = self.together([a, b]);
        let [then, otherwise] = self.together([then, otherwise]);
        composed::select(compare, [&a?, &b?], [&then?, &otherwise?])?.to_dtype(self.dtype)
    }

    fn reduce(&self, op: Reduce, x: Operand<'_, Tensor>, axis: Axis) -> Result<Tensor> {
        let x = self.tensor(x)?;
        if self.composed { composed::reduce(op, &x, axis) } else { cpu::reduce(op, &x, axis) }
    }

    fn fold(&self, op: Reduce, x: Operand<'_, Tensor>) -> Result<f64> {
        let x = self.tensor(x)?;
        if self.composed { composed::scalar(&composed::fold(op, &x)?) } else { cpu::fold(op, &x) }
    }

    fn at_label(
        &self,
        labels: &Labels,
        hit: Operand<'_, Tensor>,
        miss: Operand<'_, Tensor>,
    ) -> Result<Tensor> {
        let (hit, miss) = (self.tensor(hit)?, self.tensor(miss)?);
        composed::select(Compare::Eq, [&labels.rows, &labels.classes], [&hit, &miss])
    }

    fn powers(&self) -> Powers<'_, Tensor, Error> {
        Powers { matmul: Some(self), take: Some(self) }
    }

    fn labels(&self, labels: &lossmith_core::Labels<'_>) -> Result<Labels> {
        let [batch, classes, inner] = labels.sides();
        let classes = u32::try_from(classes)?;
        let row = |row| labels.get(row).map_or(Ok(u32::MAX), u32::try_from);
        let rows = (0..batch * inner).map(row).collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(Labels {
            rows: Tensor::from_vec(rows, (batch, 1, inner), &self.device)?,
            classes: Tensor::arange(0, classes, &self.device)?.reshape((1, (), 1))?,
        })
    }

    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor> {
        // One number everywhere is made where it is wanted.
        if let Some((first, rest)) = data.split_first()
            && rest.iter().all(|x| x.to_bits() == first.to_bits())
        {
            return self.number(*first)?.broadcast_as(&sides[..])?.contiguous();
        }
        let data = Tensor::from_slice(data, &sides[..], &Device::Cpu)?;
        data.to_dtype(self.dtype)?.to_device(&self.device)
    }

    fn download(&self, x: &Tensor) -> Result<Vec<f64>> {
        x.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1()
    }
}

impl Matmul<Tensor, Error> for Candle {
    fn matmul(&self, a: (&Tensor, bool), b: (&Tensor, bool), sides: [usize; 3]) -> Result<Tensor> {
        let matrix = |(x, turned): (&Tensor, bool)| {
            let (rows, classes, inner) = x.dims3()?;
            let matrix = x.reshape((rows, classes * inner))?;
            if turned { matrix.t() } else { Ok(matrix) }
        };
        matrix(a)?.matmul(&matrix(b)?)?.reshape(&sides[..])
    }
}

impl Candle {
    /// The class at each place of each row of a table, on the device, and a mask of the places that have one.
    fn places(&self, table: &Table, inner: usize) -> Result<[Tensor; 2]> {
        let [rows, places, _] = table.sides();
        let at = |index: usize| table.at(index / places, index % places);
        let classes = (0..rows * places).map(at);
        let index = classes.clone().map(|class| u32::try_from(class.unwrap_or(0)));
        let index = index.collect::<std::result::Result<Vec<_>, _>>()?;
        let mask: Vec<_> = classes.map(|class| u8::from(class.is_some())).collect();
        let spread = |x: Tensor| x.broadcast_as((rows, places, inner))?.contiguous();
        Ok([
            spread(Tensor::from_vec(index, (rows, places, 1), &self.device)?)?,
            spread(Tensor::from_vec(mask, (rows, places, 1), &self.device)?)?,
        ])
    }
}

impl Take<Tensor, Error> for Candle {
    fn take(&self, x: &Tensor, table: &Table, otherwise: f64) -> Result<Tensor> {
        let [index, mask] = self.places(table, x.dim(2)?)?;
        let otherwise = self.number(otherwise)?.broadcast_as(index.shape())?;
        if x.dim(1)? == 0 {
            return otherwise.contiguous();
        }
        mask.where_cond(&x.contiguous()?.gather(&index, 1)?, &otherwise)
    }

    fn put(&self, x: &Tensor, table: &Table) -> Result<Tensor> {
        if !self.composed {
            return cpu::put(x, table);
        }
        let ([rows, _, classes], inner) = (table.sides(), x.dim(2)?);
        let [index, mask] = self.places(table, inner)?;
        let zero = self.number(0.0)?.broadcast_as(x.shape())?;
        let x = mask.where_cond(x, &zero)?.to_dtype(composed::widest(&self.device))?;
        let sums = Tensor::zeros((rows, classes, inner), x.dtype(), &self.device)?;
        if classes == 0 {
            return sums.to_dtype(self.dtype);
        }
        sums.scatter_add(&index, &x, 1)?.to_dtype(self.dtype)
    }
}
