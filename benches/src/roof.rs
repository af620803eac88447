//! What memory allows: the same bytes, read and written with next to nothing computed.

use lossmith_tests::Problem;
use rayon::prelude::*;
use std::hint::black_box;

/// A run over as many bytes as a loss reads and writes at least once.
#[derive(Debug)]
pub struct Roof {
    kernel: Kernel,
    bytes: usize,
    threads: usize,
    x: Vec<f32>,
    y: Vec<f32>,
    to: Vec<f32>,
}

#[derive(Debug)]
enum Kernel {
    Difference,
    Copy,
}

/// Fewer numbers than this go by one thread: waking another costs more.
const ALONE: usize = 1 << 16;

impl Roof {
    /// The roof of a loss on that problem that writes so many numbers: `g = x − y` where it reads at least half as much
    /// again as it writes, a copy otherwise.
    #[must_use]
    pub fn new(problem: &Problem, written: usize, threads: usize) -> Self {
        let numbers = problem.numbers.iter().map(|(_, numbers)| 4 * numbers.data().len());
        let labels = problem.labels.iter().map(|(_, labels)| 8 * labels.data.len());
        let read: usize = numbers.chain(labels).sum();
        Self::of(read, 4 * written, threads)
    }

    /// The roof over so many bytes.
    #[must_use]
    pub fn of(read: usize, written: usize, threads: usize) -> Self {
        let bytes = read + written;
        let (kernel, n) = if 2 * read >= 3 * written {
            (Kernel::Difference, bytes / 12)
        } else {
            (Kernel::Copy, bytes / 8)
        };
        let y = match kernel {
            Kernel::Difference => vec![0.5; n],
            Kernel::Copy => Vec::new(),
        };
        Self { kernel, bytes, threads, x: vec![1.0; n], y, to: vec![0.0; n] }
    }

    /// What it does.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kernel {
            Kernel::Difference => "x − y",
            Kernel::Copy => "copy",
        }
    }

    /// How many bytes it reads and writes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Runs it once.
    pub fn run(&mut self) {
        let n = self.to.len();
        let chunk = if n < ALONE { n } else { n.div_ceil(self.threads) }.max(1);
        let (x, y) = (black_box(&self.x), black_box(&self.y));
        let fill = |(index, to): (usize, &mut [f32])| {
            let of = index * chunk..index * chunk + to.len();
            match self.kernel {
                Kernel::Difference => {
                    let from = x[of.clone()].iter().zip(&y[of]);
                    to.iter_mut().zip(from).for_each(|(to, (x, y))| *to = x - y);
                }
                Kernel::Copy => to.copy_from_slice(&x[of]),
            }
        };
        if chunk >= n {
            self.to.chunks_mut(chunk).enumerate().for_each(fill);
        } else {
            self.to.par_chunks_mut(chunk).enumerate().for_each(fill);
        }
        black_box(&mut self.to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roof_reads_and_writes_the_bytes_of_its_loss() {
        for (read, written, name, value) in [(80, 40, "x − y", 0.5), (40, 40, "copy", 1.0)] {
            let mut roof = Roof::of(1_000_000 * read, 1_000_000 * written, 2);
            roof.run();
            assert_eq!((roof.name(), roof.bytes()), (name, 1_000_000 * (read + written)));
            assert_eq!(roof.to.len(), 10_000_000);
            assert!(roof.to.iter().all(|&x| x == value), "{name} leaves nothing out");
        }
        Roof::of(0, 0, 2).run();
    }
}
