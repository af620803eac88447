//! The reference, watched: how large what it computes on the way to a result is.

use lossmith_core::labels::Labels;
use lossmith_core::op::{Axis, Binary, Compare, Reduce, Unary};
use lossmith_core::reference::Tensor;
use lossmith_core::{Backend, Operand, Reference};
use std::cell::Cell;
use std::convert::Infallible;

/// The reference, and the largest finite number among its intermediate results.
#[derive(Debug, Default)]
pub(crate) struct Probe {
    largest: Cell<f64>,
}

impl Probe {
    /// The largest finite magnitude so far.
    pub(crate) fn largest(&self) -> f64 {
        self.largest.get()
    }

    fn see(&self, result: Result<Tensor, Infallible>) -> Result<Tensor, Infallible> {
        let tensor = result?;
        let finite = Reference.download(&tensor)?.into_iter().filter(|x| x.is_finite());
        self.largest.set(finite.fold(self.largest.get(), |largest, x| largest.max(x.abs())));
        Ok(tensor)
    }
}

type In<'a> = Operand<'a, Tensor>;

impl Backend for Probe {
    type Tensor = Tensor;
    type Labels = Labels;
    type Error = Infallible;

    fn unary(&self, op: Unary, x: In<'_>) -> Result<Tensor, Infallible> {
        self.see(Reference.unary(op, x))
    }
    fn binary(&self, op: Binary, a: In<'_>, b: In<'_>) -> Result<Tensor, Infallible> {
        self.see(Reference.binary(op, a, b))
    }
    fn select(
        &self,
        op: Compare,
        ab: [In<'_>; 2],
        then_else: [In<'_>; 2],
    ) -> Result<Tensor, Infallible> {
        self.see(Reference.select(op, ab, then_else))
    }
    fn reduce(&self, op: Reduce, x: In<'_>, axis: Axis) -> Result<Tensor, Infallible> {
        self.see(Reference.reduce(op, x, axis))
    }
    fn fold(&self, op: Reduce, x: In<'_>) -> Result<f64, Infallible> {
        Reference.fold(op, x)
    }
    fn at_label(&self, labels: &Labels, hit: In<'_>, miss: In<'_>) -> Result<Tensor, Infallible> {
        self.see(Reference.at_label(labels, hit, miss))
    }
    fn labels(&self, labels: &Labels) -> Result<Labels, Infallible> {
        Reference.labels(labels)
    }
    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Tensor, Infallible> {
        Reference.upload(sides, data)
    }
    fn download(&self, x: &Tensor) -> Result<Vec<f64>, Infallible> {
        Reference.download(x)
    }
}
