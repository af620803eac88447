//! Every input there is, of functions of one argument in formats of 16 bits.

use crate::inputs::{Class, Spot};
use crate::search::{Candidate, Cell, reduced};
use half::{bf16, f16};
use lossmith_core::shape::Layout;
use lossmith_core::{Dense, Error, Format};
use lossmith_exact::Oracle;
use lossmith_tests::Problem;
use lossmith_tests::backends::AnyLoss;

/// At a time.
const PIECE: usize = 4096;

/// Enters all numbers of each candidate's format that are not NaN, where the loss is a function of one argument and the
/// format has 16 bits.
///
/// # Errors
/// What the loss says of its argument.
pub fn exhaust(
    loss: &AnyLoss,
    candidates: &[Candidate],
    cells: &mut [Cell],
    oracle: &Oracle,
) -> Result<(), Error> {
    let mut required = loss.entry().arguments.iter().filter(|argument| !argument.optional);
    let (Some(argument), None) = (required.next(), required.next()) else { return Ok(()) };
    if loss.definition().layout() != Layout::Pointwise {
        return Ok(());
    }
    let judged = reduced(loss, Class::Ordinary)?;
    for format in [Format::F16, Format::BF16] {
        let number = |bits: u16| match format {
            Format::F16 => f16::from_bits(bits).to_f64(),
            _ => bf16::from_bits(bits).to_f64(),
        };
        let all: Vec<_> = (0..=u16::MAX).map(number).filter(|x| !x.is_nan()).collect();
        for piece in all.chunks(PIECE) {
            let numbers = vec![(argument.name, Dense::from(piece.to_vec()))];
            let problem = Problem { numbers, labels: Vec::new() };
            let exact = judged.value_and_grad(oracle, &problem.inputs())?;
            for (cell, candidate) in cells.iter_mut().zip(candidates) {
                if candidate.format == format {
                    let problem = problem.clone();
                    let (class, options) = (Class::Wide, Vec::new());
                    let spot = Spot { class, seed: 0, steps: 0, options, problem };
                    cell.enter((&judged, candidate), (&exact, None), &spot)?;
                }
            }
        }
    }
    Ok(())
}
