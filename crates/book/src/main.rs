//! Writes the book's catalogue and its curves into `docs/`.

use std::error::Error;
use std::fs;

fn main() -> Result<(), Box<dyn Error>> {
    let docs = lossmith_book::docs();
    fs::create_dir_all(docs.join("curves"))?;
    for (file, content) in lossmith_book::pages()? {
        fs::write(docs.join(file), content)?;
    }
    Ok(())
}
