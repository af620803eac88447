//! A backend with one fault in one op, or none.

use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::sequence::Table;
use lossmith_core::{Backend, Matmul, Operand, Powers, Take, scalar};
use std::convert::Infallible;

/// What an op gets wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// NaN comes out as 0.
    NanHidden,
    /// An infinity comes out as the largest number.
    InfinityLost,
    /// A zero loses its sign.
    ZeroSign,
    /// What is below the normal numbers becomes 0.
    Flushed,
    /// The result is off in the ninth digit.
    Imprecise,
    /// A textbook formula that cancels or overflows.
    Textbook,
    /// A side of one is read on in memory instead of repeated.
    Broadcast,
    /// A number on the left is taken for one on the right.
    NumberSide,
    /// An operand that is handed over comes back as it was.
    OwnedKept,
    /// What is equal is treated as unequal, or the other way round.
    Tie,
    /// The other branch is multiplied by 0 instead of skipped.
    Blend,
    /// Hit and miss, or the branches, are swapped.
    Swapped,
    /// A row without a label has one.
    IgnoredRow,
    /// Class indices go through 16 bits.
    NarrowIndices,
    /// Sums in f32.
    Narrow,
    /// One running sum.
    PlainSum,
    /// A maximum that starts at 0.
    FromZero,
    /// The reduction takes another axis.
    Axis,
    /// The last element is left out.
    LastLost,
    /// What a table does not have is taken from the first class.
    NoneTaken,
    /// Every row goes by the first row's table.
    FirstRow,
    /// What comes to a class last is all that it keeps.
    Overwritten,
}

/// The phase of the op that is broken, and how.
pub(crate) type Broken = (&'static str, Fault);

#[derive(Clone, Copy, Debug)]
pub(crate) struct Backed(pub(crate) Option<Broken>);

#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    sides: [usize; 3],
    data: Vec<f64>,
}

type In<'a> = Operand<'a, Tensor>;

fn unary_name(op: Unary) -> &'static str {
    match op {
        Unary::Neg => "neg",
        Unary::Abs => "abs",
        Unary::Sign => "sign",
        Unary::Exp => "exp",
        Unary::Expm1 => "expm1",
        Unary::Ln => "ln",
        Unary::Ln1p => "ln1p",
        Unary::Sqrt => "sqrt",
        Unary::Sigmoid => "sigmoid",
        Unary::Softplus => "softplus",
    }
}

fn binary_name(op: Binary) -> &'static str {
    match op {
        Binary::Add => "add",
        Binary::Sub => "sub",
        Binary::Mul => "mul",
        Binary::Div => "div",
        Binary::Weigh => "weigh",
        Binary::ExpSub => "exp_sub",
        Binary::LogAddExp => "log_add_exp",
    }
}

fn compare_name(op: Compare) -> &'static str {
    match op {
        Compare::Eq => "select_eq",
        Compare::Lt => "select_lt",
        Compare::Le => "select_le",
    }
}

fn reduce_names(op: Reduce) -> [&'static str; 2] {
    match op {
        Reduce::Sum => ["reduce_sum", "fold_sum"],
        Reduce::Max => ["reduce_max", "fold_max"],
    }
}

fn textbook(op: Unary, x: f64) -> f64 {
    match op {
        Unary::Expm1 => x.exp() - 1.0,
        Unary::Ln1p => (1.0 + x).ln(),
        Unary::Sigmoid => x.exp() / (1.0 + x.exp()),
        Unary::Softplus => (1.0 + x.exp()).ln(),
        Unary::Sqrt => x.powf(0.5),
        Unary::Neg => 0.0 - x,
        Unary::Sign => x.signum(),
        Unary::Abs | Unary::Exp | Unary::Ln => scalar::unary(op, x),
    }
}

fn textbook_of_two(op: Binary, a: f64, b: f64) -> f64 {
    match op {
        Binary::Weigh => a * b,
        Binary::ExpSub => (a - b).exp(),
        Binary::LogAddExp => (a.exp() + b.exp()).ln(),
        Binary::Div => a * (1.0 / b),
        Binary::Sub => -(b - a),
        Binary::Add | Binary::Mul => scalar::binary(op, a, b),
    }
}

impl Backed {
    fn fault(self, phase: &str) -> Option<Fault> {
        self.0.filter(|(broken, _)| *broken == phase).map(|(_, fault)| fault)
    }

    /// The sides together, and the operands' numbers at each place.
    fn read<const N: usize>(
        self,
        phase: &str,
        operands: [&In<'_>; N],
    ) -> ([usize; 3], Vec<[f64; N]>) {
        let mut sides = [1; 3];
        for tensor in operands.iter().filter_map(|operand| operand.tensor()) {
            for (side, own) in sides.iter_mut().zip(tensor.sides) {
                *side = if own == 1 { *side } else { own };
            }
        }
        (sides, self.read_in(phase, sides, operands))
    }

    fn read_in<const N: usize>(
        self,
        phase: &str,
        sides: [usize; 3],
        operands: [&In<'_>; N],
    ) -> Vec<[f64; N]> {
        let astray = self.fault(phase) == Some(Fault::Broadcast);
        let at = |operand: &In<'_>, index: usize| {
            let Some(Tensor { sides: own, data }) = operand.tensor() else {
                let Operand::Scalar(number) = operand else { return f64::NAN };
                return *number;
            };
            if astray {
                return data[index % data.len()];
            }
            let place =
                [index / (sides[1] * sides[2]), index / sides[2] % sides[1], index % sides[2]];
            let [n, c, i] = [0, 1, 2].map(|axis| place[axis].min(own[axis] - 1));
            data[(n * own[1] + c) * own[2] + i]
        };
        (0..sides.iter().product())
            .map(|index| operands.map(|operand| at(operand, index)))
            .collect()
    }

    /// The numbers as the broken op lets them out.
    fn out(self, phase: &str, sides: [usize; 3], mut data: Vec<f64>) -> Tensor {
        let fault = self.fault(phase);
        for x in &mut data {
            *x = spoilt(fault, *x);
        }
        if let (Some(Fault::LastLost), Some(last)) = (fault, data.last_mut()) {
            *last = 0.0;
        }
        Tensor { sides, data }
    }

    fn add_up(self, phase: &str, op: Reduce, row: &[f64]) -> f64 {
        #[allow(clippy::cast_possible_truncation, reason = "the fault")]
        match (self.fault(phase), op) {
            (Some(Fault::Narrow), Reduce::Sum) => {
                f64::from(row.iter().fold(0.0, |sum: f32, &x| sum + x as f32))
            }
            (Some(Fault::PlainSum), Reduce::Sum) => row.iter().sum(),
            (Some(Fault::NanHidden), Reduce::Max) => {
                row.iter().fold(f64::NEG_INFINITY, |most: f64, &x| most.max(x))
            }
            (Some(Fault::FromZero), Reduce::Max) => row.iter().fold(0.0, |a, &b| scalar::max(a, b)),
            (Some(Fault::LastLost), _) => lossmith_core::accumulate::reduce(
                op,
                row.iter().copied().take(row.len().max(1) - 1),
            ),
            _ => lossmith_core::accumulate::reduce(op, row.iter().copied()),
        }
    }
}

fn spoilt(fault: Option<Fault>, x: f64) -> f64 {
    match fault {
        Some(Fault::NanHidden) if x.is_nan() => 0.0,
        Some(Fault::InfinityLost) if x.is_infinite() => f64::MAX.copysign(x),
        Some(Fault::ZeroSign) if x == 0.0 => 0.0,
        Some(Fault::Flushed) if x.is_subnormal() => 0.0,
        Some(Fault::Imprecise) => x * (1.0 + 1e-9),
        _ => x,
    }
}

impl Backend for Backed {
    type Tensor = Tensor;
    type Labels = Labels<'static>;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: In<'_>) -> Result<Tensor, Infallible> {
        let phase = unary_name(op);
        let fault = self.fault(phase);
        let (sides, data) = self.read(phase, [&x]);
        if let (Some(Fault::OwnedKept), Operand::Owned(x)) = (fault, x) {
            return Ok(x);
        }
        let of = |[x]: [f64; 1]| match fault {
            Some(Fault::Textbook) => textbook(op, x),
            _ => scalar::unary(op, x),
        };
        Ok(self.out(phase, sides, data.into_iter().map(of).collect()))
    }

    fn binary(&self, op: Binary, a: In<'_>, b: In<'_>) -> Result<Tensor, Infallible> {
        let phase = binary_name(op);
        let fault = self.fault(phase);
        let (sides, data) = self.read(phase, [&a, &b]);
        let number_first = matches!(a, Operand::Scalar(_));
        if let (Some(Fault::OwnedKept), Operand::Owned(a)) = (fault, a) {
            return Ok(a);
        }
        let of = |[a, b]: [f64; 2]| match fault {
            Some(Fault::Textbook) => textbook_of_two(op, a, b),
            Some(Fault::NumberSide) if number_first => scalar::binary(op, b, a),
            Some(Fault::Swapped) => scalar::binary(op, b, a),
            _ => scalar::binary(op, a, b),
        };
        Ok(self.out(phase, sides, data.into_iter().map(of).collect()))
    }

    fn select(
        &self,
        compare: Compare,
        [a, b]: [In<'_>; 2],
        [then, or]: [In<'_>; 2],
    ) -> Result<Tensor, Infallible> {
        let phase = compare_name(compare);
        let fault = self.fault(phase);
        let (sides, data) = self.read(phase, [&a, &b, &then, &or]);
        let of = |[a, b, then, or]: [f64; 4]| {
            let holds = scalar::compare(compare, a, b);
            match fault {
                Some(Fault::Tie) if a == b => [then, or][usize::from(holds)],
                // Taken for not-greater and the like, which hold of NaN.
                Some(Fault::Textbook) if a.is_nan() || b.is_nan() => then,
                Some(Fault::Swapped) => [then, or][usize::from(holds)],
                Some(Fault::Blend) => {
                    let mask = f64::from(u8::from(holds));
                    mask * then + (1.0 - mask) * or
                }
                _ => [or, then][usize::from(holds)],
            }
        };
        Ok(self.out(phase, sides, data.into_iter().map(of).collect()))
    }

    fn reduce(&self, op: Reduce, x: In<'_>, axis: Axis) -> Result<Tensor, Infallible> {
        let [phase, _] = reduce_names(op);
        let axis = match (self.fault(phase), axis) {
            (Some(Fault::Axis), Axis::Batch) => Axis::Class,
            (Some(Fault::Axis), Axis::Class) => Axis::Batch,
            (_, axis) => axis,
        };
        let (whole, data) = self.read(phase, [&x]);
        let mut sides = whole;
        let length = std::mem::replace(&mut sides[axis.index()], 1);
        let step: usize = whole[axis.index() + 1..].iter().product();
        let row = |index: usize| {
            let start = index / step * step * length + index % step;
            let row: Vec<_> = (0..length).map(|at| data[start + at * step][0]).collect();
            self.add_up(phase, op, &row)
        };
        let count = sides.iter().product();
        Ok(self.out(phase, sides, (0..count).map(row).collect()))
    }

    fn fold(&self, op: Reduce, x: In<'_>) -> Result<f64, Infallible> {
        let [_, phase] = reduce_names(op);
        let (_, data) = self.read(phase, [&x]);
        let all: Vec<_> = data.into_iter().map(|[x]| x).collect();
        Ok(spoilt(self.fault(phase), self.add_up(phase, op, &all)))
    }

    fn at_label(
        &self,
        labels: &Labels<'static>,
        hit: In<'_>,
        miss: In<'_>,
    ) -> Result<Tensor, Infallible> {
        let fault = self.fault("at_label");
        let sides = labels.sides();
        let data = self.read_in("at_label", sides, [&hit, &miss]);
        let narrow = |class: usize| match fault {
            // Beyond 2,048 f16 holds even numbers only.
            Some(Fault::NarrowIndices) if class > 2048 => class / 2 * 2,
            _ => class,
        };
        let of = |(index, [hit, miss]): (usize, [f64; 2])| {
            let (row, class) = (
                index / (sides[1] * sides[2]) * sides[2] + index % sides[2],
                index / sides[2] % sides[1],
            );
            let label = labels.get(row).map(narrow);
            let holds = match fault {
                Some(Fault::IgnoredRow) => label.unwrap_or(0) == class,
                Some(Fault::Swapped) => label != Some(class),
                _ => label == Some(class),
            };
            let mask = f64::from(u8::from(holds));
            match fault {
                Some(Fault::Blend) => mask * hit + (1.0 - mask) * miss,
                _ if holds => hit,
                _ => miss,
            }
        };
        Ok(self.out("at_label", sides, data.into_iter().enumerate().map(of).collect()))
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
        Ok(self.out("transfer", x.sides, x.data.clone()).data)
    }
}

impl Matmul<Tensor, Infallible> for Backed {
    fn matmul(
        &self,
        (a, turn_a): (&Tensor, bool),
        (b, turn_b): (&Tensor, bool),
        sides: [usize; 3],
    ) -> Result<Tensor, Infallible> {
        let swapped = self.fault("matmul") == Some(Fault::Swapped);
        let at = |x: &Tensor, turned: bool, row: usize, column: usize| {
            let columns = x.sides[1] * x.sides[2];
            // Read in the other order of rows and columns.
            let place =
                if turned != swapped { column * columns + row } else { row * columns + column };
            x.data[place % x.data.len()]
        };
        let terms = if turn_a { a.sides[0] } else { a.sides[1] * a.sides[2] };
        let columns = sides[1] * sides[2];
        let element = |index: usize| {
            let (row, column) = (index / columns, index % columns);
            let products: Vec<f64> =
                (0..terms).map(|k| at(a, turn_a, row, k) * at(b, turn_b, k, column)).collect();
            self.add_up("matmul", Reduce::Sum, &products)
        };
        let data = (0..sides.iter().product()).map(element).collect();
        Ok(self.out("matmul", sides, data))
    }
}

impl Take<Tensor, Infallible> for Backed {
    fn take(&self, x: &Tensor, table: &Table, otherwise: f64) -> Result<Tensor, Infallible> {
        let ([rows, places, classes], inner) = (table.sides(), x.sides[2]);
        let fault = self.fault("take");
        let element = |index: usize| {
            let (row, place, i) = (index / inner / places, index / inner % places, index % inner);
            let of_row = if fault == Some(Fault::FirstRow) { 0 } else { row };
            let taken = table.at(of_row, place);
            let none = fault == Some(Fault::NoneTaken) && taken.is_none() && classes > 0;
            let taken = if none { Some(0) } else { taken };
            let at = |class: usize| x.data[(row * classes + class) * inner + i];
            match (fault, taken) {
                (Some(Fault::Blend), _) => (0..classes)
                    .fold(if taken.is_none() { otherwise } else { 0.0 }, |sum, class| {
                        sum + f64::from(u8::from(taken == Some(class))) * at(class)
                    }),
                (_, taken) => taken.map_or(otherwise, at),
            }
        };
        let sides = [rows, places, inner];
        Ok(self.out("take", sides, (0..sides.iter().product()).map(element).collect()))
    }

    fn put(&self, x: &Tensor, table: &Table) -> Result<Tensor, Infallible> {
        let ([rows, places, classes], inner) = (table.sides(), x.sides[2]);
        let fault = self.fault("put");
        let element = |index: usize| {
            let (row, class, i) = (index / inner / classes, index / inner % classes, index % inner);
            let of_row = if fault == Some(Fault::FirstRow) { 0 } else { row };
            let here = (0..places).filter(|&place| match fault {
                Some(Fault::NoneTaken) => table.at(of_row, place).unwrap_or(0) == class,
                _ => table.at(of_row, place) == Some(class),
            });
            let values = here.map(|place| x.data[(row * places + place) * inner + i]);
            let values: Vec<f64> = values.collect();
            match fault {
                Some(Fault::Overwritten) => values.last().copied().unwrap_or(0.0),
                _ => self.add_up("put", Reduce::Sum, &values),
            }
        };
        let sides = [rows, classes, inner];
        Ok(self.out("put", sides, (0..sides.iter().product()).map(element).collect()))
    }
}
