//! The calls of `take` and `put`: tables that leave out, repeat and cross over, limits, long sums, empty.

use crate::calls::{Arg, Call, Cases};
use crate::ops::{LIMITS, told_apart};
use lossmith_core::sequence::Table;

/// Tables of two rows between three classes and four places, each row its own way.
fn tables() -> Vec<Table> {
    let rows: [[[Option<usize>; 4]; 2]; 4] = [
        [[Some(0), Some(1), Some(2), None], [Some(2), Some(1), Some(0), None]],
        [[None, Some(0), Some(1), Some(2)], [None, None, Some(0), Some(1)]],
        [[Some(1), Some(1), Some(1), Some(1)], [Some(0), Some(2), Some(0), Some(2)]],
        [[None; 4], [Some(2), None, None, Some(2)]],
    ];
    rows.map(|rows| Table::new([2, 4, 3], |row, place| rows[row][place])).into()
}

/// Takes from two rows of three classes.
pub(crate) fn takes() -> Cases {
    let mut cases: Cases = Vec::new();
    for (inner, table) in
        (1..3).flat_map(|inner| tables().into_iter().map(move |table| (inner, table)))
    {
        let sides = [2, 3, inner];
        for otherwise in [f64::NEG_INFINITY, 0.0, -0.0, 0.5, f64::NAN] {
            let call = Call::Take(table.clone(), otherwise);
            cases.push(("places", call, vec![told_apart(sides, 0)]));
        }
        // Each class the limit in turn, taken or not.
        for (limit, class) in LIMITS.into_iter().flat_map(|x| (0..3).map(move |class| (x, class))) {
            let at = |index| if index / inner % 3 == class { limit } else { 0.25 };
            let x = Arg::tensor(sides, (0..6 * inner).map(at));
            cases.push(("limits", Call::Take(table.clone(), f64::NEG_INFINITY), vec![x]));
        }
    }
    for [rows, places, classes] in [[0, 4, 3], [2, 0, 3], [2, 4, 0]] {
        let table = Table::new([rows, places, classes], |_, place| Some(place));
        let x = told_apart([rows, classes, 1], 0);
        cases.push(("empty", Call::Take(table, 0.5), vec![x]));
    }
    cases
}

/// Puts of two rows of four places.
pub(crate) fn puts() -> Cases {
    let mut cases: Cases = Vec::new();
    for (inner, table) in
        (1..3).flat_map(|inner| tables().into_iter().map(move |table| (inner, table)))
    {
        let sides = [2, 4, inner];
        cases.push(("places", Call::Put(table.clone()), vec![told_apart(sides, 0)]));
        for (limit, place) in LIMITS.into_iter().flat_map(|x| (0..4).map(move |place| (x, place))) {
            let at = |index| if index / inner % 4 == place { limit } else { 0.25 };
            let x = Arg::tensor(sides, (0..8 * inner).map(at));
            cases.push(("limits", Call::Put(table.clone()), vec![x]));
        }
    }
    // What one running sum, or one that is not f64, loses.
    let places = 40_000;
    let table = Table::new([1, places, 2], |_, place| Some(place % 2));
    let long = Arg::tensor([1, places, 1], (0..places).map(|at| if at < 2 { 1.0 } else { 0.001 }));
    cases.push(("a long sum", Call::Put(table.clone()), vec![long]));
    let tiny = Arg::tensor(
        [1, places, 1],
        (0..places).map(|at| if at < 2 { 1.0 } else { f64::EPSILON / 4.0 }),
    );
    cases.push(("a long sum", Call::Put(table), vec![tiny]));
    for [rows, places, classes] in [[0, 4, 3], [2, 0, 3], [2, 4, 0]] {
        let table = Table::new([rows, places, classes], |_, place| Some(place));
        let x = told_apart([rows, places, 1], 0);
        cases.push(("empty", Call::Put(table), vec![x]));
    }
    cases
}
