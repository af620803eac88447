//! The ops composed of candle's own: what a device other than the CPU runs, and what candle differentiates op by op.
//!
//! No branch that is not taken holds a NaN or an infinity, and none meets another in a kink, so that candle's
//! derivatives of what is selected and of what is not are finite.

use candle_core::{DType, Device, Result, Tensor};
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};

/// The number in the tensor's type, with as many axes.
fn like(x: &Tensor, number: f64) -> Result<Tensor> {
    let number = Tensor::new(number, &Device::Cpu)?.to_dtype(x.dtype())?;
    number.to_device(x.device())?.reshape(vec![1; x.rank()])
}

/// `then` where the mask holds, else `otherwise`, broadcasting all three.
fn choose(mask: &Tensor, then: &Tensor, otherwise: &Tensor) -> Result<Tensor> {
    let shape = mask.shape().broadcast_shape_binary_op(then.shape(), "where")?;
    let shape = shape.broadcast_shape_binary_op(otherwise.shape(), "where")?;
    let then = then.broadcast_as(&shape)?;
    mask.broadcast_as(&shape)?.where_cond(&then, &otherwise.broadcast_as(&shape)?)
}

/// The type that sums are made in: `F64`, where the device has it.
pub(crate) fn widest(device: &Device) -> DType {
    if device.is_metal() { DType::F32 } else { DType::F64 }
}

fn wide(x: &Tensor) -> Result<Tensor> {
    x.to_dtype(widest(x.device()))
}

/// The one number of a tensor, on the host.
pub(crate) fn scalar(x: &Tensor) -> Result<f64> {
    x.reshape(())?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_scalar()
}

/// What `f` gives in f32 where the type has 16 bits, rounded once.
fn widened(x: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) -> Result<Tensor> {
    match x.dtype().size_in_bytes() {
        2 => f(&x.to_dtype(DType::F32)?)?.to_dtype(x.dtype()),
        _ => f(x),
    }
}

/// −|x|, whose derivative at 0 is that of the branch for negative numbers.
fn below_zero(x: &Tensor) -> Result<Tensor> {
    choose(&x.broadcast_gt(&like(x, 0.0)?)?, &x.neg()?, x)
}

/// The op of every element.
pub(crate) fn unary(op: Unary, x: &Tensor) -> Result<Tensor> {
    match op {
        Unary::Neg => x.neg(),
        // x · sign x has the derivative 0 at 0 that |x| has not in candle; adding 0 takes the sign off −0.
        Unary::Abs => x.mul(&unary(Unary::Sign, x)?.detach())?.broadcast_add(&like(x, 0.0)?),
        // candle's sign of NaN is 0.
        Unary::Sign => choose(&x.eq(x)?, &x.sign()?, x),
        Unary::Exp => x.exp(),
        Unary::Expm1 => widened(x, |x| {
            // Near 0 as 2t/(1 − t) of t = tanh(x/2).
            let near = x.abs()?.broadcast_lt(&like(x, 1.0)?)?;
            let [half, one, two] = [like(x, 0.5)?, like(x, 1.0)?, like(x, 2.0)?];
            let t = choose(&near, x, &like(x, 0.0)?)?.broadcast_mul(&half)?.tanh()?;
            let exact = t.broadcast_mul(&two)?.div(&one.broadcast_sub(&t)?)?;
            choose(&near, &exact, &x.exp()?.broadcast_sub(&one)?)
        }),
        Unary::Ln => x.log(),
        Unary::Ln1p => widened(x, |x| {
            // Near 0 as x·ln(u)/(u − 1) of u = 1 + x: the error of u cancels.
            let [zero, half, one] = [like(x, 0.0)?, like(x, 0.5)?, like(x, 1.0)?];
            let near = x.abs()?.broadcast_lt(&half)?;
            let small = choose(&near, x, &zero)?;
            let u = small.broadcast_add(&one)?;
            let whole = u.broadcast_eq(&one)?;
            let [ln, apart] = [u.log()?, u.broadcast_sub(&one)?];
            let ratio = choose(&whole, &one, &ln.div(&choose(&whole, &one, &apart)?)?)?;
            choose(&near, &small.mul(&ratio)?, &x.broadcast_add(&one)?.log()?)
        }),
        Unary::Sqrt => x.sqrt(),
        Unary::Sigmoid => widened(x, |x| {
            let (e, one) = (below_zero(x)?.exp()?, like(x, 1.0)?);
            let numerator = choose(&x.broadcast_gt(&like(x, 0.0)?)?, &one, &e)?;
            numerator.div(&e.broadcast_add(&one)?)
        }),
        Unary::Softplus => widened(x, |x| {
            let tail = unary(Unary::Ln1p, &below_zero(x)?.exp()?)?;
            let zero = like(x, 0.0)?;
            choose(&x.broadcast_gt(&zero)?, x, &zero)?.add(&tail)
        }),
    }
}

/// The op of every pair of elements.
pub(crate) fn binary(op: Binary, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let in_f32 = |op| {
        let wide = binary(op, &a.to_dtype(DType::F32)?, &b.to_dtype(DType::F32)?)?;
        wide.to_dtype(a.dtype())
    };
    match op {
        Binary::Add => a.broadcast_add(b),
        Binary::Sub => a.broadcast_sub(b),
        Binary::Mul => a.broadcast_mul(b),
        Binary::Div => a.broadcast_div(b),
        Binary::Weigh => {
            let zero = like(a, 0.0)?;
            let skipped = a.broadcast_eq(&zero)?.broadcast_mul(&infinite(b)?)?;
            a.broadcast_mul(&choose(&skipped, &zero, b)?)
        }
        Binary::ExpSub | Binary::LogAddExp if a.dtype().size_in_bytes() == 2 => in_f32(op),
        Binary::ExpSub => apart(a, b)?.exp(),
        Binary::LogAddExp => {
            let first = a.broadcast_gt(b)?;
            let [more, less] = [choose(&first, a, b)?, choose(&first, b, a)?];
            more.add(&unary(Unary::Ln1p, &apart(&less, &more)?.exp()?)?)
        }
    }
}

/// a − b, 0 where they are the same infinity.
fn apart(a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let apart = a.broadcast_sub(b)?;
    let same = a.broadcast_eq(b)?.mul(&apart.ne(&apart)?)?;
    choose(&same, &like(a, 0.0)?, &apart)
}

/// A mask of what is infinite or NaN.
fn infinite(x: &Tensor) -> Result<Tensor> {
    let nothing = x.sub(x)?;
    nothing.ne(&nothing)
}

/// `then` where the comparison holds, else `otherwise`.
pub(crate) fn select(
    compare: Compare,
    [a, b]: [&Tensor; 2],
    [then, otherwise]: [&Tensor; 2],
) -> Result<Tensor> {
    let mask = match compare {
        Compare::Eq => a.broadcast_eq(b),
        Compare::Lt => a.broadcast_lt(b),
        Compare::Le => a.broadcast_le(b),
    };
    choose(&mask?, then, otherwise)
}

/// The reduction along one axis, whose side becomes one.
pub(crate) fn reduce(op: Reduce, x: &Tensor, axis: Axis) -> Result<Tensor> {
    let axis = axis.index();
    match op {
        Reduce::Sum => wide(x)?.sum_keepdim(axis)?.to_dtype(x.dtype()),
        Reduce::Max if x.elem_count() == 0 => {
            let mut sides = x.dims().to_vec();
            sides[axis] = 1;
            like(x, f64::NEG_INFINITY)?.broadcast_as(sides)
        }
        Reduce::Max => {
            // candle's maximum may pass NaN over.
            let nan = x.ne(x)?.to_dtype(x.dtype())?.max_keepdim(axis)?;
            let nan = nan.broadcast_gt(&like(x, 0.0)?)?;
            choose(&nan, &like(x, f64::NAN)?, &x.max_keepdim(axis)?)
        }
    }
}

/// The reduction of everything, a number with three sides in the type that sums are made in.
pub(crate) fn fold(op: Reduce, x: &Tensor) -> Result<Tensor> {
    match op {
        Reduce::Sum => wide(x)?.sum_all()?.reshape((1, 1, 1)),
        Reduce::Max => reduce(op, &wide(x)?.reshape((1, x.elem_count(), 1))?, Axis::Class),
    }
}
