//! The reductions' rows of the contract, and what long sums must not lose.

use crate::calls::{Arg, Call, Cases};
use lossmith_core::Format;
use lossmith_core::op::{Axis, Reduce};

/// Rows of three that have every limit at every place, and ties.
fn rows() -> Vec<(&'static str, [f64; 3])> {
    let mut rows = vec![
        ("numbers", [1.0, -2.0, 3.5]),
        ("numbers", [-1.0, -2.0, -3.5]),
        ("ties", [2.0, 2.0, -1.0]),
        ("ties", [-1.0, 2.0, 2.0]),
        ("ties", [0.0, -0.0, -1.0]),
        ("limits", [f64::INFINITY, f64::NEG_INFINITY, 1.0]),
        ("limits", [f64::NEG_INFINITY; 3]),
        ("limits", [f64::INFINITY; 3]),
    ];
    for limit in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for place in 0..3 {
            let mut row = [1.0, -2.0, 3.0];
            row[place] = limit;
            rows.push(("limits", row));
        }
    }
    rows
}

/// Sums that plain accumulation in the format gets wrong.
fn long(format: Format) -> Vec<(&'static str, Vec<f64>)> {
    let mut sums = vec![("a long sum", vec![0.1; 60_000])];
    if format != Format::F64 {
        // Ones that the format cannot add to what is there already.
        let mut ones = vec![1.0; 1000];
        ones[0] = 1.0 / format.unit();
        sums.push(("ones", ones));
        let huge = format.huge();
        sums.push(("too large on the way", vec![huge, huge, -huge, -huge, 1.0]));
    }
    sums
}

fn whole_numbers(sides: [usize; 3]) -> Arg {
    let count: usize = sides.iter().product();
    Arg::tensor(sides, (0..count).map(|index| [3.0, -1.0, 4.0, 1.0, -5.0][index % 5] + 0.0))
}

/// The sides of a row along an axis, beside another axis.
fn along(axis: Axis, length: usize, others: usize) -> [usize; 3] {
    let mut sides = [1; 3];
    sides[axis.index()] = length;
    sides[if axis == Axis::Class { 0 } else { 1 }] = others;
    sides
}

/// Copies of a row, laid along an axis.
fn laid(axis: Axis, row: &[f64]) -> Arg {
    let sides = along(axis, row.len(), 2);
    let fast = if axis == Axis::Batch { 2 } else { 1 };
    let number = |index: usize| row[index / fast % row.len()];
    Arg::tensor(sides, (0..2 * row.len()).map(number))
}

/// The calls of a reduction along each axis.
pub(crate) fn along_axes(op: Reduce, format: Format) -> Cases {
    let mut cases: Cases = Vec::new();
    for axis in Axis::ALL {
        let mut add = |name, arg| cases.push((name, Call::Reduce(op, axis), vec![arg]));
        for (name, row) in rows() {
            add(name, laid(axis, &row));
        }
        for sides in [[2, 3, 1], [3, 4, 2], [5, 2, 1]] {
            add("axes", whole_numbers(sides));
        }
        for sides in [[0, 3, 1], [2, 0, 1], [2, 3, 0]] {
            add("empty", whole_numbers(sides));
        }
        // Exact whole numbers add up alike in any order.
        let up: Vec<f64> = (1..=20).map(f64::from).collect();
        let down: Vec<f64> = up.iter().rev().copied().collect();
        add("permuted", laid(axis, &up));
        add("permuted", laid(axis, &down));
        if op == Reduce::Sum {
            for (name, row) in long(format) {
                add(name, laid(axis, &row));
            }
        }
        for sides in [[2, 3, 1], [3, 4, 2]] {
            cases.push(("broadcast back", Call::Centre(op, axis), vec![whole_numbers(sides)]));
        }
    }
    cases
}

/// The calls of a reduction to one number.
pub(crate) fn folds(op: Reduce, format: Format) -> Cases {
    let mut cases: Cases = Vec::new();
    let mut add = |name, arg| cases.push((name, Call::Fold(op), vec![arg]));
    for (name, row) in rows() {
        add(name, Arg::tensor([3, 1, 1], row));
    }
    for sides in [[2, 3, 1], [1, 4, 1], [3, 4, 2]] {
        add("axes", whole_numbers(sides));
    }
    for sides in [[0, 3, 1], [2, 0, 1], [2, 3, 0]] {
        add("empty", whole_numbers(sides));
    }
    if op == Reduce::Sum {
        for (name, row) in long(format) {
            add(name, Arg::tensor([row.len(), 1, 1], row));
        }
        add("not narrowed", Arg::tensor([70_000, 1, 1], vec![1.0; 70_000]));
    }
    cases
}

/// Products of matrices: every way to turn them, the result in a matrix or with an inner side, limits, long sums, empty.
pub(crate) fn products() -> Cases {
    let mut cases: Cases = Vec::new();
    let ways = [[false, false], [false, true], [true, false], [true, true]];
    let matrix = |[rows, columns]: [usize; 2], turned: bool, from: f64| {
        let sides = if turned { [columns, rows, 1] } else { [rows, columns, 1] };
        let steps = (0..rows * columns).scan(from, |x, _| {
            *x = (*x * 1.7 + 0.3) % 3.0;
            Some(*x - 1.5)
        });
        Arg::tensor(sides, steps)
    };
    for turned @ [turn_a, turn_b] in ways {
        let mut add = |name, [m, k, n]: [usize; 3], sides, limit: Option<f64>| {
            let mut a = matrix([m, k], turn_a, 0.1);
            if let (Some(limit), Arg::Tensor(host)) = (limit, &mut a) {
                host.data[0] = limit;
            }
            cases.push((name, Call::Matmul(turned, sides), vec![a, matrix([k, n], turn_b, 0.2)]));
        };
        add("small", [2, 3, 4], [2, 4, 1], None);
        add("with an inner side", [2, 3, 6], [2, 3, 2], None);
        add("a long sum", [2, 500, 3], [2, 3, 1], None);
        for limit in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0] {
            add("limits", [2, 3, 4], [2, 4, 1], Some(limit));
        }
        add("of nothing", [2, 0, 4], [2, 4, 1], None);
        add("empty", [0, 3, 4], [0, 4, 1], None);
    }
    // 0 · ∞ is NaN, as everywhere but in `weigh`.
    let (a, b) = (Arg::tensor([1, 2, 1], [0.0, 1.0]), Arg::tensor([2, 1, 1], [f64::INFINITY, 2.0]));
    cases.push(("zero times infinity", Call::Matmul([false; 2], [1; 3]), vec![a, b]));
    cases
}
