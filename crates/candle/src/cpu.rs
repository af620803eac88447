//! The ops that candle lacks, and exact sums, on the memory of the CPU.

use crate::composed;
use candle_core::{Device, Error, Result, Storage, Tensor, WithDType};
use lossmith_core::op::{Axis, Binary, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{accumulate, scalar};
use lossmith_fused::math::Lane as _;
use num_traits::Float;

/// What a tensor may hold: f64, f32, and f16 and bf16, which are computed in f32.
pub(crate) trait Element: lossmith_fused::Element<Compute: Float> + WithDType {}

impl<T: lossmith_fused::Element<Compute: Float> + WithDType> Element for T {}

/// Expands to the expression with `$element` the type that a tensor of that `DType` holds, or candle's error.
macro_rules! of_type {
    ($dtype:expr, $element:ident => $body:expr) => {{
        let dtype: candle_core::DType = $dtype;
        if dtype == candle_core::DType::F64 {
            type $element = f64;
            Ok($body)
        } else if dtype == candle_core::DType::F32 {
            type $element = f32;
            Ok($body)
        } else if dtype == candle_core::DType::F16 {
            type $element = half::f16;
            Ok($body)
        } else if dtype == candle_core::DType::BF16 {
            type $element = half::bf16;
            Ok($body)
        } else {
            Err(candle_core::Error::UnsupportedDTypeForOp(dtype, "a loss"))
        }
    }};
}
pub(crate) use of_type;

/// What reads a tensor's memory, all of it.
fn read<T: WithDType, O>(x: &Tensor, with: impl FnOnce(&[T]) -> O) -> Result<O> {
    let (storage, _) = x.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => Ok(with(T::cpu_storage_as_slice(storage)?)),
        Storage::Cuda(_) | Storage::Metal(_) => Err(Error::DeviceMismatchBinaryOp {
            lhs: x.device().location(),
            rhs: Device::Cpu.location(),
            op: "an op on the CPU",
        }),
    }
}

/// A tensor's elements in row-major order, out of its memory.
fn elements<'a, T: Copy>(x: &'a Tensor, data: &'a [T]) -> impl Iterator<Item = T> + 'a {
    let lying = x.layout().contiguous_offsets().map(|(start, end)| &data[start..end]);
    let strided = lying.is_none().then(|| x.strided_index());
    let strided = strided.into_iter().flatten().map(|index| data[index]);
    lying.unwrap_or_default().iter().copied().chain(strided)
}

fn map<T: Element>(x: &Tensor, f: impl Fn(T::Compute) -> T::Compute) -> Result<Tensor> {
    let mapped = read(x, |data: &[T]| {
        let mut mapped = Vec::with_capacity(x.elem_count());
        elements(x, data).for_each(|x| mapped.push(T::narrow(f(x.widen()))));
        mapped
    })?;
    Tensor::from_vec(mapped, x.shape(), &Device::Cpu)
}

fn zip<T: Element>(
    a: &Tensor,
    b: &Tensor,
    f: impl Fn(T::Compute, T::Compute) -> T::Compute,
) -> Result<Tensor> {
    let shape = a.shape().broadcast_shape_binary_op(b.shape(), "a loss")?;
    let (a, b) = (a.broadcast_as(&shape)?, b.broadcast_as(&shape)?);
    let zipped = read(&a, |of_a: &[T]| {
        read(&b, |of_b: &[T]| {
            let mut zipped = Vec::with_capacity(shape.elem_count());
            let pairs = elements(&a, of_a).zip(elements(&b, of_b));
            pairs.for_each(|(a, b)| zipped.push(T::narrow(f(a.widen(), b.widen()))));
            zipped
        })
    })??;
    Tensor::from_vec(zipped, shape, &Device::Cpu)
}

/// The op of every element.
pub(crate) fn unary(op: Unary, x: &Tensor) -> Result<Tensor> {
    macro_rules! with {
        ($f:expr) => {
            of_type!(x.dtype(), T => map::<T>(x, $f))?
        };
    }
    match op {
        Unary::Neg | Unary::Abs | Unary::Exp | Unary::Ln | Unary::Sqrt => composed::unary(op, x),
        Unary::Sign => with!(scalar::sign),
        Unary::Expm1 => with!(Float::exp_m1),
        Unary::Ln1p => with!(Float::ln_1p),
        Unary::Sigmoid => with!(scalar::sigmoid),
        Unary::Softplus => with!(scalar::softplus),
    }
}

/// The op of every pair of elements.
pub(crate) fn binary(op: Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    macro_rules! with {
        ($f:expr) => {
            of_type!(a.dtype(), T => zip::<T>(a, b, $f))?
        };
    }
    match op {
        Binary::Add | Binary::Sub | Binary::Mul | Binary::Div => composed::binary(op, a, b),
        Binary::Weigh => with!(scalar::weigh),
        Binary::ExpSub => with!(scalar::exp_sub),
        Binary::LogAddExp => with!(scalar::log_add_exp),
    }
}

/// The reduction along one axis, whose side becomes one.
pub(crate) fn reduce(op: Reduce, x: &Tensor, axis: Axis) -> Result<Tensor> {
    fn along<T: Element>(op: Reduce, x: &Tensor, axis: usize) -> Result<Tensor> {
        let rows = x.narrow(axis, 0, 1.min(x.dim(axis)?))?;
        let (side, step) = (x.dim(axis)?, x.stride()[axis]);
        let mut sides = x.dims().to_vec();
        sides[axis] = 1;
        let of_row = |data: &[T], start: usize| {
            let row = (0..side).map(|index| data[start + index * step].widen().to_f64());
            T::of(accumulate::reduce(op, row))
        };
        let reduced = if side == 0 {
            vec![of_row(&[], 0); sides.iter().product()]
        } else {
            read(&rows, |data: &[T]| {
                rows.strided_index().map(|start| of_row(data, start)).collect()
            })?
        };
        Tensor::from_vec(reduced, sides, &Device::Cpu)
    }
    of_type!(x.dtype(), T => along::<T>(op, x, axis.index()))?
}

/// The reduction of everything.
pub(crate) fn fold(op: Reduce, x: &Tensor) -> Result<f64> {
    fn all<T: Element>(op: Reduce, x: &Tensor) -> Result<f64> {
        read(x, |data: &[T]| accumulate::reduce(op, elements(x, data).map(|x| x.widen().to_f64())))
    }
    of_type!(x.dtype(), T => all::<T>(op, x))?
}

/// At every class of a row the sum of the row's elements at the places where the table has that class.
pub(crate) fn put(x: &Tensor, table: &Table) -> Result<Tensor> {
    fn sums<T: Element>(x: &Tensor, table: &Table) -> Result<Tensor> {
        let ([rows, places, classes], inner) = (table.sides(), x.dim(2)?);
        let all: Vec<T> = read(x, |data: &[T]| elements(x, data).collect())?;
        let mut sums = vec![T::of(0.0); rows * classes * inner];
        for (row, i) in (0..rows).flat_map(|row| (0..inner).map(move |i| (row, i))) {
            let at = |place: usize| all[(row * places + place) * inner + i].widen().to_f64();
            for (class, sum) in table.sums(row, at).into_iter().enumerate() {
                sums[(row * classes + class) * inner + i] = T::of(sum);
            }
        }
        Tensor::from_vec(sums, (rows, classes, inner), &Device::Cpu)
    }
    of_type!(x.dtype(), T => sums::<T>(x, table))?
}
