use super::norm::{cosine_distance, norm, norm_p};
use super::{Arguments, Definition, Loss};
use crate::catalogue::{ANY_NUMBER, Argument, Entry, Kind, Opt, Slot};
use crate::graph::Var;
use crate::op::Axis::Class;
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// max(0, d(a, p) − d(a, n) + margin) of each row, d(a, b) = ‖a − b + eps‖ₚ.
///
/// `anchor`∂, `positive`∂ and `negative`∂ are vectors of one shape, (D), (N, D) or with more sides before D. With
/// `swap`, d(a, n) is the smaller of it and d(p, n), ties sharing the gradient. A distance's gradient at 0 is 0.
/// Source: Balntas et al., "Learning local feature descriptors with triplets", 2016;
/// `torch.nn.functional.triplet_margin_loss`.
#[derive(Clone, Debug)]
pub struct TripletMargin {
    margin: f64,
    p: f64,
    eps: f64,
    swap: bool,
}

impl Default for TripletMargin {
    fn default() -> Self {
        Self { margin: 1.0, p: 2.0, eps: 1e-6, swap: false }
    }
}

/// The mean margin loss of triplets, [`TripletMargin`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::triplet_margin};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("anchor", vec![0.0, 0.0])
///     .tensor("positive", vec![3.0, 4.0])
///     .tensor("negative", vec![0.0, 5.5]);
/// let loss = triplet_margin().eps(0.0).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.5]);
/// assert_eq!(loss.grad("negative").map(Dense::data), Some(&[0.0, -1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn triplet_margin() -> Loss<TripletMargin> {
    Loss::new(TripletMargin::default())
}

impl Loss<TripletMargin> {
    /// How much farther the negative shall be; 1 by default.
    #[must_use]
    pub fn margin(mut self, margin: f64) -> Self {
        self.definition.margin = margin;
        self
    }

    /// The norm of the distance; 2 by default, from 1 to ∞.
    #[must_use]
    pub fn p(mut self, p: f64) -> Self {
        self.definition.p = p;
        self
    }

    /// What is added to each difference; 1e-6 by default.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.definition.eps = eps;
        self
    }

    /// Whether the negative's distance is the smaller of those to the anchor and to the positive; not by default.
    #[must_use]
    pub fn swap(mut self, swap: bool) -> Self {
        self.definition.swap = swap;
        self
    }
}

const ARGUMENTS: &[Argument] = &[
    Argument::input().named("anchor"),
    Argument::target().named("positive"),
    Argument::target().named("negative"),
];

const ENTRY: Entry = Entry {
    name: "triplet_margin",
    kind: Kind::Loss,
    formula: "max(0, d(a, p) − d(a, n) + margin), d = ‖a − b + ε‖ₚ",
    arguments: ARGUMENTS,
};

/// The unreduced loss with any distance.
fn formula<'g>(
    a: &Arguments<'g>,
    distance: impl Fn(Var<'g>, Var<'g>) -> Var<'g>,
    margin: f64,
    swap: bool,
) -> Terms<'g> {
    let [anchor, positive, negative] =
        ["anchor", "positive", "negative"].map(|name| a.tensor(name));
    let to_negative = distance(anchor, negative);
    let to_negative =
        if swap { to_negative.minimum(distance(positive, negative)) } else { to_negative };
    Terms::new((distance(anchor, positive) - to_negative + margin).relu())
}

impl Definition for TripletMargin {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Over(-1)
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let margin = Slot::Number(&mut self.margin, ANY_NUMBER);
        let p = Slot::Number(&mut self.p, 1.0..=f64::INFINITY);
        let eps = Slot::Number(&mut self.eps, 0.0..=f64::MAX);
        let swap = Slot::Flag(&mut self.swap);
        vec![
            Opt { name: "margin", doc: "how much farther the negative shall be", slot: margin },
            Opt { name: "p", doc: "the norm of the distance", slot: p },
            Opt { name: "eps", doc: "added to each difference", slot: eps },
            Opt {
                name: "swap",
                doc: "the negative's distance to the positive counts too",
                slot: swap,
            },
        ]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        formula(a, |a, b| norm_p(a - b + self.eps, self.p), self.margin, self.swap)
    }
}

/// A distance between rows, by name.
#[derive(Clone, Copy, Debug)]
pub struct Distance {
    /// What the command line calls it.
    pub name: &'static str,
    /// Of two tensors of rows along the class axis, one number a row.
    pub of: for<'g> fn(Var<'g>, Var<'g>) -> Var<'g>,
}

impl Distance {
    /// ‖a − b + 1e-6‖₂, PyTorch's `pairwise_distance`.
    pub const PAIRWISE: Self = Self { name: "pairwise", of: |a, b| norm(a - b + 1e-6) };
    /// ‖a − b‖₂
    pub const EUCLIDEAN: Self = Self { name: "euclidean", of: |a, b| norm(a - b) };
    /// ‖a − b‖₂²
    pub const SQUARED: Self = Self { name: "squared", of: |a, b| (a - b).square().sum(Class) };
    /// ‖a − b‖₁
    pub const MANHATTAN: Self = Self { name: "manhattan", of: |a, b| norm_p(a - b, 1.0) };
    /// 1 − cos(a, b)
    pub const COSINE: Self = Self { name: "cosine", of: cosine_distance };
    /// All that have a name.
    pub const ALL: [Self; 5] =
        [Self::PAIRWISE, Self::EUCLIDEAN, Self::SQUARED, Self::MANHATTAN, Self::COSINE];
}

/// max(0, d(a, p) − d(a, n) + margin) of each row, with any distance d.
///
/// As [`TripletMargin`]; the [`Distance`] is any function of two graph handles.
/// Source: `torch.nn.functional.triplet_margin_with_distance_loss`.
#[derive(Clone, Debug)]
pub struct TripletMarginWithDistance {
    distance: Distance,
    margin: f64,
    swap: bool,
}

impl Default for TripletMarginWithDistance {
    fn default() -> Self {
        Self { distance: Distance::PAIRWISE, margin: 1.0, swap: false }
    }
}

/// The mean margin loss of triplets with any distance, [`TripletMarginWithDistance`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::{Distance, triplet_margin_with_distance}};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("anchor", vec![1.0, 0.0])
///     .tensor("positive", vec![0.0, 2.0])
///     .tensor("negative", vec![3.0, 0.0]);
/// let loss = triplet_margin_with_distance().distance(Distance::COSINE).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [2.0]);
/// assert_eq!(loss.grad("positive").map(Dense::data), Some(&[-0.5, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn triplet_margin_with_distance() -> Loss<TripletMarginWithDistance> {
    Loss::new(TripletMarginWithDistance::default())
}

impl Loss<TripletMarginWithDistance> {
    /// The distance; `pairwise` by default.
    #[must_use]
    pub fn distance(mut self, distance: Distance) -> Self {
        self.definition.distance = distance;
        self
    }

    /// How much farther the negative shall be; 1 by default.
    #[must_use]
    pub fn margin(mut self, margin: f64) -> Self {
        self.definition.margin = margin;
        self
    }

    /// Whether the negative's distance is the smaller of those to the anchor and to the positive; not by default.
    #[must_use]
    pub fn swap(mut self, swap: bool) -> Self {
        self.definition.swap = swap;
        self
    }
}

const WITH_DISTANCE: Entry = Entry {
    name: "triplet_margin_with_distance",
    formula: "max(0, d(a, p) − d(a, n) + margin)",
    ..ENTRY
};

impl Definition for TripletMarginWithDistance {
    fn entry(&self) -> &'static Entry {
        &WITH_DISTANCE
    }

    fn layout(&self) -> Layout {
        Layout::Over(-1)
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let distance = Slot::Distance(&mut self.distance);
        let margin = Slot::Number(&mut self.margin, ANY_NUMBER);
        let swap = Slot::Flag(&mut self.swap);
        vec![
            Opt { name: "distance", doc: "the distance", slot: distance },
            Opt { name: "margin", doc: "how much farther the negative shall be", slot: margin },
            Opt {
                name: "swap",
                doc: "the negative's distance to the positive counts too",
                slot: swap,
            },
        ]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        formula(a, self.distance.of, self.margin, self.swap)
    }
}
