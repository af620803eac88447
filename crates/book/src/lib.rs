//! What the book has from the definitions: the page of the catalogue, and the curves of every loss.
//!
//! `cargo run -p lossmith-book` writes them into `docs/`; a test says when what is there is stale.

mod catalogue;
mod curves;
mod plot;

use std::error::Error;
use std::path::{Path, PathBuf};

/// The directory of the book's pages.
#[must_use]
pub fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs")
}

/// Every file that is made, by its path in [`docs`].
///
/// # Errors
/// If a definition's source has no documentation or example, or a curve cannot be drawn.
pub fn pages() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut pages = vec![("catalogue.md".to_owned(), catalogue::page()?)];
    for curves in curves::all() {
        pages.push((format!("curves/{}.svg", curves.loss), plot::plot(&curves)?));
    }
    Ok(pages)
}
