//! Calls of a backend's methods as data, so that a backend and the reference get the same ones.

use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Operand};

/// A tensor on the host.
#[derive(Clone, Debug)]
pub(crate) struct Host {
    pub(crate) sides: [usize; 3],
    pub(crate) data: Vec<f64>,
}

/// An operand on the host.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Tensor(Host),
    Scalar(f64),
}

impl Arg {
    pub(crate) fn tensor(sides: [usize; 3], data: impl IntoIterator<Item = f64>) -> Self {
        Self::Tensor(Host { sides, data: data.into_iter().collect() })
    }

    pub(crate) fn map(&self, f: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Tensor(Host { sides, data }) => Self::tensor(*sides, data.iter().map(|&x| f(x))),
            Self::Scalar(x) => Self::Scalar(f(*x)),
        }
    }
}

/// A method of a backend, with all but its operands.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// In and out again.
    Transfer,
    Unary(Unary),
    Binary(Binary),
    Select(Compare),
    Reduce(Reduce, Axis),
    /// x − reduce(x): what is reduced broadcasts back.
    Centre(Reduce, Axis),
    Fold(Reduce),
    AtLabel(Labels<'static>),
    /// Which operands are transposed, and the sides of the result.
    Matmul([bool; 2], [usize; 3]),
    /// What stands where the table has nothing.
    Take(Table, f64),
    Put(Table),
}

/// Calls by the names of what they are about, with their operands.
pub(crate) type Cases = Vec<(&'static str, Call, Vec<Arg>)>;

/// Why a call gives nothing to judge, or what is wrong with what it gives.
#[derive(Debug)]
pub(crate) enum Fault {
    /// The backend has matrices only, or lacks the power.
    Unsupported,
    Wrong(String),
}

/// What the call gives, in row-major order; bit k of `owned` hands operand k over. A borrowed operand must stay as it is.
pub(crate) fn run<B: Backend>(
    backend: &B,
    call: &Call,
    args: &[Arg],
    owned: usize,
) -> Result<Vec<f64>, Fault> {
    let powers = backend.powers();
    let lacks = match call {
        Call::Matmul(..) => powers.matmul.is_none(),
        Call::Take(..) | Call::Put(_) => powers.take.is_none(),
        Call::Transfer
        | Call::Unary(_)
        | Call::Binary(_)
        | Call::Select(_)
        | Call::Reduce(..)
        | Call::Centre(..)
        | Call::Fold(_)
        | Call::AtLabel(_) => false,
    };
    if lacks {
        return Err(Fault::Unsupported);
    }
    let wrong = |error: B::Error| Fault::Wrong(format!("{error}; {call:?}"));
    let upload = |host: &Host| {
        backend.upload(host.sides, &host.data).map_err(|error| match host.sides {
            // A matrix library has no inner side, and what it says of it is not a fault.
            [_, _, inner] if inner != 1 => Fault::Unsupported,
            _ => wrong(error),
        })
    };
    let is_owned = |place: usize| owned >> place & 1 == 1;
    let kept = args.iter().enumerate().map(|(place, arg)| match arg {
        Arg::Tensor(host) if !is_owned(place) => upload(host).map(Some),
        Arg::Tensor(_) | Arg::Scalar(_) => Ok(None),
    });
    let kept = kept.collect::<Result<Vec<_>, _>>()?;
    let operands = args.iter().zip(&kept).map(|(arg, kept)| match (arg, kept) {
        (Arg::Scalar(x), _) => Ok(Operand::Scalar(*x)),
        (Arg::Tensor(_), Some(tensor)) => Ok(Operand::Borrowed(tensor)),
        (Arg::Tensor(host), None) => upload(host).map(Operand::Owned),
    });
    let operands = operands.collect::<Result<Vec<_>, _>>()?;
    let before =
        kept.iter().flatten().map(|tensor| backend.download(tensor)).collect::<Result<Vec<_>, _>>();
    // The labels, or the result, have the inner side here.
    let inner = match call {
        Call::AtLabel(labels) => labels.sides()[2] != 1,
        Call::Matmul(_, sides) => sides[2] != 1,
        Call::Transfer
        | Call::Unary(_)
        | Call::Binary(_)
        | Call::Select(_)
        | Call::Reduce(..)
        | Call::Centre(..)
        | Call::Fold(_)
        | Call::Take(..)
        | Call::Put(_) => false,
    };
    let result = apply(backend, call, operands).map_err(|error| match error {
        Some(_) if inner => Fault::Unsupported,
        Some(error) => wrong(error),
        None => Fault::Wrong(format!("{call:?} of {} operands", args.len())),
    })?;
    let after =
        kept.iter().flatten().map(|tensor| backend.download(tensor)).collect::<Result<Vec<_>, _>>();
    let (before, after) = (before.map_err(wrong)?, after.map_err(wrong)?);
    let bits = |data: &[Vec<f64>]| data.iter().flatten().map(|x| x.to_bits()).collect::<Vec<_>>();
    if bits(&before) != bits(&after) {
        return Err(Fault::Wrong(format!("{call:?} changes an operand that it borrows")));
    }
    Ok(result)
}

/// The call of these operands; no error if there are not as many as it takes.
fn apply<B: Backend>(
    backend: &B,
    call: &Call,
    operands: Vec<Operand<'_, B::Tensor>>,
) -> Result<Vec<f64>, Option<B::Error>> {
    let mut operands = operands.into_iter();
    let mut next = || operands.next().ok_or(None);
    let result = match call {
        Call::Transfer => match next()? {
            Operand::Owned(x) => Ok(x),
            Operand::Borrowed(x) => return backend.download(x).map_err(Some),
            Operand::Scalar(_) => return Err(None),
        },
        Call::Unary(op) => backend.unary(*op, next()?),
        Call::Binary(op) => backend.binary(*op, next()?, next()?),
        Call::Select(compare) => backend.select(*compare, [next()?, next()?], [next()?, next()?]),
        Call::Reduce(op, axis) => backend.reduce(*op, next()?, *axis),
        Call::Centre(op, axis) => {
            let x = next()?;
            let again = x.tensor().ok_or(None)?;
            let reduced = backend.reduce(*op, Operand::Borrowed(again), *axis).map_err(Some)?;
            backend.binary(Binary::Sub, x, Operand::Owned(reduced))
        }
        Call::Fold(op) => return backend.fold(*op, next()?).map(|x| vec![x]).map_err(Some),
        Call::AtLabel(labels) => {
            let labels = backend.labels(labels).map_err(Some)?;
            backend.at_label(&labels, next()?, next()?)
        }
        Call::Matmul([turn_a, turn_b], sides) => {
            let (a, b) = (next()?, next()?);
            let (a, b) = (a.tensor().ok_or(None)?, b.tensor().ok_or(None)?);
            let power = backend.powers().matmul.ok_or(None)?;
            power.matmul((a, *turn_a), (b, *turn_b), *sides)
        }
        Call::Take(table, otherwise) => {
            let power = backend.powers().take.ok_or(None)?;
            power.take(next()?.tensor().ok_or(None)?, table, *otherwise)
        }
        Call::Put(table) => {
            let power = backend.powers().take.ok_or(None)?;
            power.put(next()?.tensor().ok_or(None)?, table)
        }
    };
    backend.download(&result.map_err(Some)?).map_err(Some)
}
