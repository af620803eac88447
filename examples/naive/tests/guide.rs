//! The guide "Write a backend" is this crate's code, block after block.

/// Lines of code, without the module's own doc and without layout between blocks.
fn code<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    lines.filter(|line| !line.starts_with("//!") && !line.trim().is_empty()).collect()
}

#[test]
fn the_guide_is_the_code() {
    let guide = include_str!("../../../docs/write-a-backend.md");
    let blocks = guide.split("```rust\n").skip(1);
    let blocks = blocks.flat_map(|block| block.split("```").next().unwrap_or("").lines());
    let (told, written) = (code(blocks), code(include_str!("../src/lib.rs").lines()));
    for (told, written) in told.iter().zip(&written) {
        assert_eq!(told, written);
    }
    assert_eq!(told.len(), written.len());
    assert!(include_str!("../src/lib.rs").lines().count() <= 180, "short enough to read");
}
