//! Looks for the worst: hard inputs of every class, then a local search from the worst of them.

use crate::inputs::{Class, Spot, made, nudged, others, repeated, rows, taken};
use crate::measure::{Measures, Worst};
use lossmith_core::{Dense, Error, Evaluation, Format};
use lossmith_exact::{BigArray, Oracle};
use lossmith_tests::Problem;
use lossmith_tests::backends::{AnyLoss, Run};

/// A backend in a format, to be measured.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its name.
    pub backend: &'static str,
    /// The format of its numbers.
    pub format: Format,
    /// What it gives.
    pub run: Run,
}

/// How long to look.
#[derive(Clone, Copy, Debug)]
pub struct Depth {
    /// How often inputs of each class are made.
    pub rounds: usize,
    /// How often inputs of each class are made for options that are not the loss's own.
    pub others: usize,
    /// How many steps a local search takes.
    pub steps: usize,
    /// How many elements a long sum has, each another.
    pub long: usize,
    /// How many it has where they come over and over.
    pub longest: usize,
    /// How many classes a row has that has many.
    pub classes: usize,
    /// What all random numbers come from.
    pub seed: u64,
}

/// A loss on a backend and format: what it is off.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The loss.
    pub loss: &'static str,
    /// The backend.
    pub backend: &'static str,
    /// The format.
    pub format: Format,
    /// `value` and each `grad.ARGUMENT`.
    pub outputs: Vec<(String, Measures)>,
    /// What the backend says that it lacks, where it cannot run the loss.
    pub unsupported: Option<String>,
}

impl Cell {
    fn new(loss: &AnyLoss, candidate: &Candidate) -> Self {
        let Candidate { backend, format, .. } = *candidate;
        let loss = loss.entry().name;
        Self { loss, backend, format, outputs: Vec::new(), unsupported: None }
    }

    pub(crate) fn of_output(&mut self, output: &str) -> &mut Measures {
        let found = self.outputs.iter().position(|(name, _)| name == output);
        let at = found.unwrap_or_else(|| {
            self.outputs.push((output.to_owned(), Measures::default()));
            self.outputs.len() - 1
        });
        &mut self.outputs[at].1
    }

    /// The output whose worst is the worst.
    #[must_use]
    pub fn worst(&self) -> Option<(&str, &Worst)> {
        let worst = self.outputs.iter().filter_map(|(name, measures)| {
            measures.worst.as_ref().map(|worst| (name.as_str(), worst))
        });
        worst.max_by(|a, b| a.1.ulps.total_cmp(&b.1.ulps))
    }

    /// What the candidate gives, judged.
    pub(crate) fn enter(
        &mut self,
        (loss, candidate): (&AnyLoss, &Candidate),
        exact: (&Evaluation<BigArray>, Option<&Evaluation<Dense>>),
        spot: &Spot,
    ) -> Result<(), Error> {
        self.judge(
            (candidate.run)(loss, &spot.problem.inputs()),
            usize::MAX,
            (candidate, exact),
            spot,
        )
    }

    /// The first so many outputs, judged.
    fn judge(
        &mut self,
        got: Result<Evaluation<Dense>, Error>,
        outputs: usize,
        (candidate, (exact, bounds)): (
            &Candidate,
            (&Evaluation<BigArray>, Option<&Evaluation<Dense>>),
        ),
        spot: &Spot,
    ) -> Result<(), Error> {
        let got = match got {
            Err(error @ (Error::Backend(_) | Error::Unsupported { .. })) => {
                self.unsupported = Some(error.to_string());
                return Ok(());
            }
            result => result?,
        };
        for ((output, got), (_, exact)) in got.outputs().zip(exact.outputs()).take(outputs) {
            let bounds = bounds.and_then(|bounds| {
                let found = bounds.outputs().find(|(name, _)| *name == output);
                found.map(|(_, bounds)| bounds)
            });
            self.of_output(&output).enter(got, (exact, bounds), candidate.format, spot);
        }
        Ok(())
    }
}

/// The loss as a class wants it: its elements one by one, or their mean; as it is for what is given.
pub(crate) fn reduced(loss: &AnyLoss, class: Class) -> Result<AnyLoss, Error> {
    if class == Class::Given {
        return Ok(loss.clone());
    }
    let reduction = match class {
        Class::Long | Class::Repeated => "mean",
        Class::Ordinary
        | Class::Moderate
        | Class::Wide
        | Class::Near
        | Class::Large
        | Class::Small
        | Class::ManyClasses
        | Class::Given => "none",
    };
    loss.clone().with("reduction", reduction)
}

/// A seed of its own for each loss, class and round.
fn seed_of(seed: u64, loss: &str, class: Class, round: usize) -> u64 {
    let words = [class as u64, round as u64];
    let bytes = loss.bytes().map(u64::from).chain(words);
    bytes.fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ byte).wrapping_mul(0x0100_0000_01b3)
    })
}

/// A cell for each candidate, with the worst that was found.
///
/// # Errors
/// What the loss says of its arguments, none of which is outside its domain.
pub fn search(
    loss: &AnyLoss,
    candidates: &[Candidate],
    depth: &Depth,
    oracle: &Oracle,
) -> Result<Vec<Cell>, Error> {
    let mut cells: Vec<_> = candidates.iter().map(|one| Cell::new(loss, one)).collect();
    let mut formats: Vec<Format> = Vec::new();
    for candidate in candidates {
        if !formats.contains(&candidate.format) {
            formats.push(candidate.format);
        }
    }
    for class in Class::ALL {
        let rounds = if class.sized() { 1 } else { depth.rounds };
        let size = if class == Class::ManyClasses { depth.classes } else { depth.long };
        let each =
            (0..rounds + depth.others).flat_map(|round| formats.iter().map(move |f| (round, *f)));
        for (round, format) in each {
            let seed = seed_of(depth.seed, loss.entry().name, class, round);
            let options = if round < rounds { Vec::new() } else { others(loss, seed)? };
            let mut spot = Spot { class, seed, steps: 0, options, problem: Problem::default() };
            let judged = reduced(&spot.of(loss)?, class)?;
            let Some(problem) = made(&judged, class, format, seed, size)? else { continue };
            spot.problem = problem;
            let exact = judged.value_and_grad(oracle, &spot.problem.inputs())?;
            let bounds = judged.error_bound(&spot.problem.inputs(), format)?;
            // The mean of the same over and over is theirs once; a gradient is so much less.
            let (inputs, outputs) = if class == Class::Repeated {
                (repeated(&spot.problem, (depth.longest / depth.long).max(1))?.inputs(), 1)
            } else {
                (spot.problem.inputs(), usize::MAX)
            };
            for (cell, candidate) in cells.iter_mut().zip(candidates) {
                if candidate.format == format && cell.unsupported.is_none() {
                    let got = (candidate.run)(&judged, &inputs);
                    cell.judge(got, outputs, (candidate, (&exact, Some(&bounds))), &spot)?;
                }
            }
        }
    }
    for (cell, candidate) in cells.iter_mut().zip(candidates) {
        climb(cell, loss, candidate, depth, oracle)?;
    }
    Ok(cells)
}

/// Goes on from the cell's worst to worse inputs near it, in the row where it is.
fn climb(
    cell: &mut Cell,
    loss: &AnyLoss,
    candidate: &Candidate,
    depth: &Depth,
    oracle: &Oracle,
) -> Result<(), Error> {
    let Some((output, worst)) = cell.worst() else { return Ok(()) };
    let (output, mut best) = (output.to_owned(), worst.clone());
    let judged = reduced(&best.spot.of(loss)?, best.spot.class)?;
    // The worst of an output after inputs are changed.
    let tried = |spot: Spot| -> Result<Option<Worst>, Error> {
        let exact = judged.value_and_grad(oracle, &spot.problem.inputs())?;
        let mut alone = Cell::new(loss, candidate);
        alone.enter((&judged, candidate), (&exact, None), &spot)?;
        Ok(alone.outputs.into_iter().find(|(name, _)| *name == output).and_then(|o| o.1.worst))
    };
    if !best.spot.class.sized() {
        for at in 0..rows(&best.spot.problem) {
            let problem = taken(&best.spot.problem, &[at])?;
            let alone = tried(Spot { problem, ..best.spot.clone() });
            // What is not made of rows stays whole.
            if let Ok(Some(alone)) = alone
                && alone.ulps >= best.ulps
            {
                best = alone;
                break;
            }
        }
        for step in 0..depth.steps {
            let seed = best.spot.seed.wrapping_add(1 + step as u64);
            let problem = nudged(&best.spot.problem, loss, candidate.format, seed);
            let spot = Spot { problem, steps: step + 1, ..best.spot.clone() };
            if let Some(near) = tried(spot)?.filter(|near| near.ulps > best.ulps) {
                best = near;
            }
        }
    }
    cell.of_output(&output).worst = Some(best);
    Ok(())
}
