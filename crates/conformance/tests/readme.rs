//! The README's table of how many cases each loss is held to.

use lossmith_conformance::{golden, samples};
use lossmith_core::catalogue;

const HEAD: &str = "\
| loss | golden grid | PyTorch function samples | PyTorch module samples | ONNX |
| --- | ---: | ---: | ---: | ---: |
";

#[test]
fn the_table_of_the_readme_is_up_to_date() {
    let mut names: Vec<_> = catalogue::all().iter().map(|loss| loss.entry().name).collect();
    names.push("all");
    let (golden, samples) = (golden(), samples());
    let row = |name: &&str| {
        let of_loss = |loss: &str| *name == "all" || *name == loss;
        let grid = golden.iter().filter(|case| of_loss(&case.loss)).count();
        let origins = samples.iter().filter(|case| of_loss(&case.loss));
        let origins: Vec<_> = origins.flat_map(|case| &case.origins).collect();
        let [op, module, onnx] = ["op", "module", "onnx"]
            .map(|kind| origins.iter().filter(|(origin, _)| origin == kind).count());
        format!("| `{name}` | {grid} | {op} | {module} | {onnx} |\n")
    };
    let table = HEAD.to_owned() + &names.iter().map(row).collect::<String>();
    let readme = include_str!("../../../README.md");
    assert!(readme.contains(&table), "the README's table is stale: put this one in\n{table}");
}
