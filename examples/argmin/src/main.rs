//! Fits the digits by L-BFGS, and says how many of the held-out images are right.

use lossmith_argmin::{Regression, correct};
use lossmith_train::digits;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [train, held_out] = digits()?;
    let (best, value, steps) = Regression::new(&train).minimise(200)?;
    let (right, all) = (correct(&best, &held_out), held_out.labels.len());
    println!("{steps} steps of L-BFGS: loss {value:.6}, {right} of {all} held-out digits right");
    Ok(())
}
