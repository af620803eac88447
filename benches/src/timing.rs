//! Times that can be compared: taken in turns, so that what slows the machine slows all of them.

use std::time::{Duration, Instant};

/// How long to measure.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Until so much time has passed,
    pub time: Duration,
    /// but at least so many rounds.
    pub rounds: usize,
}

/// The times of one run, in seconds.
#[derive(Clone, Debug)]
pub struct Sample(Vec<f64>);

impl Sample {
    fn quantile(&self, part: usize, of: usize) -> f64 {
        self.0.get(self.0.len().saturating_sub(1) * part / of).copied().unwrap_or(f64::NAN)
    }

    /// The median.
    #[must_use]
    pub fn median(&self) -> f64 {
        self.quantile(1, 2)
    }

    /// How far the middle half of the times is apart, as a fraction of the median.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.quantile(3, 4) - self.quantile(1, 4)) / self.median()
    }
}

/// A time is of as many runs as take this long, so that the clock does not matter.
const LEAST: Duration = Duration::from_micros(100);
/// More rounds tell nothing new.
const MOST: usize = 1001;

/// The times of two runs in turns, after one of each that does not count.
///
/// # Errors
/// What the first run returns.
pub fn alternate<E>(
    budget: Budget,
    mut first: impl FnMut() -> Result<(), E>,
    mut second: impl FnMut(),
) -> Result<[Sample; 2], E> {
    let mut second = || {
        second();
        Ok(())
    };
    let repeats = [repeats(&mut first)?, repeats(&mut second)?];
    let mut samples = [Vec::new(), Vec::new()];
    let start = Instant::now();
    while samples[0].len() < budget.rounds
        || (start.elapsed() < budget.time && samples[0].len() < MOST)
    {
        samples[0].push(per_run(repeats[0], &mut first)?);
        samples[1].push(per_run(repeats[1], &mut second)?);
    }
    Ok(samples.map(|mut sample| {
        sample.sort_by(f64::total_cmp);
        Sample(sample)
    }))
}

/// How many runs take [`LEAST`].
fn repeats<E>(run: &mut impl FnMut() -> Result<(), E>) -> Result<u32, E> {
    let mut repeats = 1;
    while per_run(repeats, run)? * f64::from(repeats) < LEAST.as_secs_f64() && repeats < 1 << 20 {
        repeats *= 2;
    }
    Ok(repeats)
}

fn per_run<E>(repeats: u32, run: &mut impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let start = Instant::now();
    for _ in 0..repeats {
        run()?;
    }
    Ok(start.elapsed().as_secs_f64() / f64::from(repeats))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_in_turns_and_an_error_ends_them() {
        let budget = Budget { time: Duration::ZERO, rounds: 7 };
        let sleep = |micros| std::thread::sleep(Duration::from_micros(micros));
        let slow = || {
            sleep(3000);
            Ok::<(), ()>(())
        };
        let [slow, fast] = alternate(budget, slow, || sleep(300)).unwrap();
        assert_eq!((slow.0.len(), fast.0.len()), (7, 7));
        assert!(slow.median() >= 3e-3 && fast.median() < slow.median());
        assert_eq!(alternate(budget, || Err("why"), || ()).unwrap_err(), "why");
    }

    #[test]
    fn the_spread_is_of_the_middle_half() {
        let sample = Sample(vec![1.0, 9.0, 10.0, 11.0, 50.0]);
        assert_eq!((sample.median(), sample.spread()), (10.0, 0.2));
    }
}
