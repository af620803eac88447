//! Which rows of the edge table there are.

use lossmith_conformance::edges;
use std::collections::BTreeSet;

/// The numbers a row's name starts with: `13, 66` has two, `19b` one, a name in words none.
fn numbers(name: &str) -> impl Iterator<Item = u32> + '_ {
    name.split(", ").filter_map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part[..digits].parse().ok()
    })
}

#[test]
fn every_numbered_row_is_here_but_the_documented_ones() {
    let names: Vec<_> = edges().into_iter().map(|case| case.name).collect();
    let covered: BTreeSet<_> = names.iter().flat_map(|name| numbers(name)).collect();
    println!("{} rows cover {covered:?}", names.len());
    // 62, threads and instruction sets, is an engine's own; 63, layout, each backend's own.
    let missing: Vec<_> = (1..=67).filter(|number| !covered.contains(number)).collect();
    assert_eq!(missing, [62, 63]);
    assert!(covered.iter().all(|number| (1..=67).contains(number)));
}
