//! What a tensor library provides: ten methods over closed op enums, on tensors of three sides.
//!
//! For backend authors: a tensor has the sides *batch × class × inner*. Each side of an operand is full or one,
//! and a one broadcasts; every call has at least one full operand, which together with the others gives the
//! shape of the result (`at_label` takes its shape from the labels). Match on the op outside the loop. Element-wise ops are your
//! library's own; sums go through [`accumulate`](crate::accumulate). The contract of each op is the table in [`op`](crate::op).
//!
//! For users: pick a backend crate and pass its value to a loss; [`Array`] is how its own arrays go in and come out.

use crate::labels::Labels;
use crate::op::{Axis, Binary, Compare, Reduce, Unary};
use crate::sequence::Table;
use crate::shape::count;
use std::fmt;
use std::ops::Range;

/// An argument of an op.
#[derive(Debug)]
pub enum Operand<'a, T> {
    /// A tensor at its last use: its memory may be reused for the result.
    Owned(T),
    /// A tensor that is needed again.
    Borrowed(&'a T),
    /// A number that broadcasts everywhere, rounded to the backend's compute format on use.
    Scalar(f64),
}

impl<T> Operand<'_, T> {
    /// The tensor, if it is one.
    pub fn tensor(&self) -> Option<&T> {
        match self {
            Self::Owned(tensor) => Some(tensor),
            Self::Borrowed(tensor) => Some(tensor),
            Self::Scalar(_) => None,
        }
    }
}

/// A tensor library, as the interpreter sees it.
pub trait Backend {
    /// The library's tensor with the three sides batch × class × inner.
    type Tensor;
    /// Class indices as the backend wants them: made once from validated [`Labels`], used by every `at_label`.
    type Labels;
    /// What can go wrong in the library.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The op of every element.
    ///
    /// # Errors
    /// What the library reports.
    fn unary(&self, op: Unary, x: Operand<'_, Self::Tensor>) -> Result<Self::Tensor, Self::Error>;

    /// The op of every pair of elements, broadcasting.
    ///
    /// # Errors
    /// What the library reports.
    fn binary(
        &self,
        op: Binary,
        a: Operand<'_, Self::Tensor>,
        b: Operand<'_, Self::Tensor>,
    ) -> Result<Self::Tensor, Self::Error>;

    /// `then_else[0]` where `ab[0] compare ab[1]` holds, else `then_else[1]`, broadcasting all four.
    ///
    /// # Errors
    /// What the library reports.
    fn select(
        &self,
        compare: Compare,
        ab: [Operand<'_, Self::Tensor>; 2],
        then_else: [Operand<'_, Self::Tensor>; 2],
    ) -> Result<Self::Tensor, Self::Error>;

    /// The reduction along one axis, whose side becomes one.
    ///
    /// # Errors
    /// What the library reports.
    fn reduce(
        &self,
        op: Reduce,
        x: Operand<'_, Self::Tensor>,
        axis: Axis,
    ) -> Result<Self::Tensor, Self::Error>;

    /// The reduction of all elements, in `f64`, never narrowed: a mean is scaled before it is narrowed.
    ///
    /// # Errors
    /// What the library reports.
    fn fold(&self, op: Reduce, x: Operand<'_, Self::Tensor>) -> Result<f64, Self::Error>;

    /// A tensor of the labels' full shape: `hit` where the class is the row's label, else `miss`.
    ///
    /// # Errors
    /// What the library reports.
    fn at_label(
        &self,
        labels: &Self::Labels,
        hit: Operand<'_, Self::Tensor>,
        miss: Operand<'_, Self::Tensor>,
    ) -> Result<Self::Tensor, Self::Error>;

    /// What some losses need beyond the ops; [`Powers::NONE`] is a written decision to go without them.
    fn powers(&self) -> Powers<'_, Self::Tensor, Self::Error>;

    /// The labels as the backend wants them.
    ///
    /// # Errors
    /// What the library reports.
    fn labels(&self, labels: &Labels<'_>) -> Result<Self::Labels, Self::Error>;

    /// A tensor of the given sides from numbers in row-major order, each rounded once.
    ///
    /// # Errors
    /// What the library reports, a matrix library that is asked for an inner side among it.
    fn upload(&self, sides: [usize; 3], data: &[f64]) -> Result<Self::Tensor, Self::Error>;

    /// The elements in row-major order.
    ///
    /// # Errors
    /// What the library reports.
    fn download(&self, x: &Self::Tensor) -> Result<Vec<f64>, Self::Error>;
}

/// What a backend may do beyond its ops.
pub struct Powers<'a, T, E> {
    /// Products of matrices, for the losses with weights of their own.
    pub matmul: Option<&'a dyn Matmul<T, E>>,
    /// Elements by tables of their places, for the losses of sequences.
    pub take: Option<&'a dyn Take<T, E>>,
}

impl<T, E> Powers<'_, T, E> {
    /// None of them.
    pub const NONE: Self = Self { matmul: None, take: None };
}

impl<T, E> fmt::Debug for Powers<'_, T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (matmul, take) = (self.matmul.is_some(), self.take.is_some());
        f.debug_struct("Powers").field("matmul", &matmul).field("take", &take).finish()
    }
}

/// The product of matrices, a power that a backend may have.
pub trait Matmul<T, E> {
    /// a · b, each a matrix of batch × (class · inner), transposed first where its flag says so. The result has `sides`,
    /// which hold its rows × columns.
    ///
    /// # Errors
    /// What the library reports.
    fn matmul(&self, a: (&T, bool), b: (&T, bool), sides: [usize; 3]) -> Result<T, E>;
}

/// Elements by tables of their places along the class axis, a power that a backend may have.
pub trait Take<T, E> {
    /// At every place of a row the row's element of the class that the table has there, `otherwise` where it has none.
    ///
    /// # Errors
    /// What the library reports.
    fn take(&self, x: &T, table: &Table, otherwise: f64) -> Result<T, E>;

    /// The transpose: at every class of a row the sum of the row's elements at the places where the table has that class.
    ///
    /// # Errors
    /// What the library reports.
    fn put(&self, x: &T, table: &Table) -> Result<T, E>;
}

/// A library's own N-dimensional array, as it enters a backend and as results leave it.
pub trait Array<B: Backend> {
    /// What results come back as.
    type Output;

    /// The sides of the array.
    fn shape(&self) -> Vec<usize>;

    /// The array with `aligned` sides (ones inserted), broadcast to `expanded`, seen as three sides; without a
    /// copy where the layout allows.
    ///
    /// # Errors
    /// What the library reports.
    fn enter(&self, backend: &B, view: &View) -> Result<B::Tensor, B::Error>;

    /// The tensors one after the other, which have together as many elements as `shape`, as an array of that shape:
    /// one, but as many as there are steps where the array entered step by step.
    ///
    /// # Errors
    /// What the library reports.
    fn leave(
        backend: &B,
        tensors: Vec<B::Tensor>,
        shape: &[usize],
    ) -> Result<Self::Output, B::Error>;
}

/// How an N-dimensional array becomes one of three sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// The place on the array's first axis that is seen, if it is not all of it; the shapes below are then without that axis.
    pub step: Option<usize>,
    /// The array's shape with ones inserted, so that its axes stand beside the main input's.
    pub aligned: Vec<usize>,
    /// The shape after broadcasting; `aligned` again in all but rare cases.
    pub expanded: Vec<usize>,
    /// The three sides `expanded` is then seen as.
    pub sides: [usize; 3],
    /// Where in `expanded` the axes of the batch end, and those of the class.
    ends: [usize; 2],
}

impl View {
    /// The view that sees the axes of `expanded` before the first end as the batch, before the second as the class,
    /// and the others as the inner side.
    #[must_use]
    pub fn new(aligned: Vec<usize>, expanded: Vec<usize>, ends: [usize; 2]) -> Self {
        let mut view = Self { step: None, aligned, expanded, sides: [1; 3], ends };
        view.sides = view.groups().map(|group| count(&view.expanded[group]));
        view
    }

    /// The axes of `expanded` behind each of the three sides.
    #[must_use]
    pub fn groups(&self) -> [Range<usize>; 3] {
        let [batch, class] = self.ends;
        [0..batch, batch..class, class..self.expanded.len()]
    }

    /// The part of an array's elements, in row-major order, that is seen.
    pub fn part<'a, T>(&self, data: &'a [T]) -> &'a [T] {
        let length = count(&self.aligned);
        let start = self.step.map_or(0, |step| step.saturating_mul(length));
        data.get(start..start.saturating_add(length)).unwrap_or(data)
    }
}
