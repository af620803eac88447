//! What memory allows: the same bytes, read and written with next to nothing computed; for a loss with layers of its
//! own, their products of matrices and those of their gradients, and nothing else.

use lossmith_core::format::Format;
use lossmith_fused::gemm::{Matrix, product};
use lossmith_fused::simd::Level;
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
    layers: Vec<Layer>,
}

/// A product of rows with a weight's, and the two of its gradients.
#[derive(Debug)]
struct Layer {
    input: Vec<f32>,
    weight: Vec<f32>,
    output: Vec<f32>,
    grads: [Vec<f32>; 2],
    sides: [usize; 3],
}

impl Layer {
    fn new(sides: [usize; 3]) -> Self {
        let [rows, features, classes] = sides;
        let of = |rows: usize, columns: usize| vec![1.0; rows * columns];
        let (input, weight) = (of(rows, features), of(classes, features));
        let grads = [input.clone(), weight.clone()];
        Self { input, weight, output: of(rows, classes), grads, sides }
    }

    fn run(&mut self) {
        let [rows, features, classes] = self.sides;
        let matrix = |elements, columns| Matrix { elements, strides: [columns, 1] };
        let (x, w) = (matrix(&self.input[..], features), matrix(&self.weight[..], features));
        let level = Level::detect();
        let sides = [rows, classes, features];
        let forward = product(level, [x, w.turned()], sides, &mut self.output, false);
        let y = matrix(&self.output[..], classes);
        let [dx, dw] = &mut self.grads;
        let sides = [rows, features, classes];
        let backward = product(level, [y, w], sides, dx, false)
            .and_then(|()| product(level, [y.turned(), x], [classes, features, rows], dw, false));
        debug_assert!(forward.and(backward).is_ok(), "the sides are those of the matrices");
    }
}

/// The layers of a loss on that problem: rows, features and classes of each.
fn layers(problem: &Problem) -> Vec<[usize; 3]> {
    let side = |name: &str| {
        let found = problem.numbers.iter().find(|(other, _)| *other == name);
        found.map(|(_, array)| array.shape())
    };
    let input = side("input").unwrap_or(&[]);
    let [.., features] = *input else { return Vec::new() };
    let rows = input[..input.len() - 1].iter().product();
    let classes = |shape: &[usize]| shape[..shape.len() - 1].iter().product();
    let first = ["linear_weight", "head.weight"].into_iter().find_map(side);
    let mut layers: Vec<_> = first.iter().map(|shape| [rows, features, classes(shape)]).collect();
    let tail =
        |tail: usize| Some([side(&format!("tails.{tail}.0"))?, side(&format!("tails.{tail}.1"))?]);
    for [down, up] in (0..).map_while(tail) {
        layers.extend([[rows, features, classes(down)], [rows, classes(down), classes(up)]]);
    }
    layers
}

#[derive(Debug)]
enum Kernel {
    Difference,
    Copy,
    Products,
}

/// Fewer numbers than this go by one thread: waking another costs more.
const ALONE: usize = 1 << 16;

impl Roof {
    /// The roof of a loss on that problem that writes so many numbers of a format: `g = x − y` where it reads at least
    /// half as much again as it writes, a copy otherwise.
    #[must_use]
    pub fn new(problem: &Problem, written: usize, format: Format, threads: usize) -> Self {
        let numbers = problem.numbers.iter().map(|(_, numbers)| numbers.data().len());
        let [numbers, written] =
            [numbers.sum(), written].map(|count: usize| count * format.bytes());
        let labels = problem.labels.iter().map(|(_, labels)| 8 * labels.data.len());
        let read: usize = numbers + labels.sum::<usize>();
        let layers = layers(problem);
        if layers.is_empty() {
            return Self::of(read, written, threads);
        }
        let layers = layers.into_iter().map(Layer::new).collect();
        let (x, y, to) = (Vec::new(), Vec::new(), Vec::new());
        Self { kernel: Kernel::Products, bytes: read + written, threads, x, y, to, layers }
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
            Kernel::Copy | Kernel::Products => Vec::new(),
        };
        let layers = Vec::new();
        Self { kernel, bytes, threads, x: vec![1.0; n], y, to: vec![0.0; n], layers }
    }

    /// What it does.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self.kernel {
            Kernel::Difference => "x − y",
            Kernel::Copy => "copy",
            Kernel::Products => "products",
        }
    }

    /// How many bytes it reads and writes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Runs it once.
    pub fn run(&mut self) {
        self.layers.iter_mut().for_each(Layer::run);
        black_box(&mut self.layers);
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
                // Nothing is left to copy where there are layers.
                Kernel::Copy | Kernel::Products => to.copy_from_slice(&x[of]),
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
    fn the_roof_of_layers_is_their_products() {
        let loss = lossmith_core::catalogue::find("linear_cross_entropy").unwrap();
        let mut seed = lossmith_tests::Stream(1);
        let problem = Problem::with(
            &loss,
            &[3, 5],
            &lossmith_tests::Beside { optional: &[], rows: 7, ignored: false },
            &mut seed,
        )
        .unwrap();
        let mut roof = Roof::new(&problem, 3 * 5 + 7 * 5, Format::F32, 2);
        roof.run();
        let [layer] = &roof.layers[..] else { panic!("{:?}", roof.layers) };
        assert_eq!((roof.name(), layer.sides), ("products", [3, 5, 7]));
        assert!(layer.output.iter().all(|&x| x == 5.0));
        assert!(
            layer.grads[0].iter().all(|&x| x == 35.0) && layer.grads[1].iter().all(|&x| x == 15.0)
        );
    }

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
