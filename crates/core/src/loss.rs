//! Losses: their definitions, one a file, and [`Loss`], a definition with the options that every loss has.

mod adaptive_log_softmax;
mod bce_with_logits;
mod binary_cross_entropy;
mod cosine_embedding;
mod cross_entropy;
mod ctc;
mod gaussian_nll;
mod hinge_embedding;
mod huber;
mod kl_div;
mod l1;
mod linear_cross_entropy;
mod log_cosh;
mod margin_ranking;
mod mse;
mod multi_margin;
mod multilabel_margin;
mod multilabel_soft_margin;
mod nll;
mod norm;
mod poisson_nll;
mod quantile;
mod sigmoid;
mod sigmoid_focal;
mod smooth_l1;
mod soft_margin;
mod softmax;
mod triplet_margin;

/// Exports each definition and its constructor, and lists them for the catalogue in this order.
macro_rules! definitions {
    ($($module:ident: $definition:ident $constructor:ident,)*) => {
        $(pub use $module::{$definition, $constructor};)*

        pub(crate) fn definitions() -> Vec<Box<dyn Definition>> {
            vec![$(Box::new($definition::default())),*]
        }
    };
}

definitions! {
    l1: L1 l1,
    mse: Mse mse,
    cross_entropy: CrossEntropy cross_entropy,
    nll: Nll nll,
    binary_cross_entropy: BinaryCrossEntropy binary_cross_entropy,
    bce_with_logits: BceWithLogits binary_cross_entropy_with_logits,
    smooth_l1: SmoothL1 smooth_l1,
    huber: Huber huber,
    kl_div: KlDiv kl_div,
    poisson_nll: PoissonNll poisson_nll,
    gaussian_nll: GaussianNll gaussian_nll,
    margin_ranking: MarginRanking margin_ranking,
    hinge_embedding: HingeEmbedding hinge_embedding,
    soft_margin: SoftMargin soft_margin,
    multi_margin: MultiMargin multi_margin,
    multilabel_margin: MultilabelMargin multilabel_margin,
    multilabel_soft_margin: MultilabelSoftMargin multilabel_soft_margin,
    cosine_embedding: CosineEmbedding cosine_embedding,
    triplet_margin: TripletMargin triplet_margin,
    triplet_margin: TripletMarginWithDistance triplet_margin_with_distance,
    ctc: Ctc ctc,
    linear_cross_entropy: LinearCrossEntropy linear_cross_entropy,
    adaptive_log_softmax: AdaptiveLogSoftmax adaptive_log_softmax,
    log_cosh: LogCosh log_cosh,
    quantile: Quantile quantile,
    sigmoid_focal: SigmoidFocal sigmoid_focal,
    softmax: Softmax softmax,
    softmax: LogSoftmax log_softmax,
    softmax: Logsumexp logsumexp,
    sigmoid: Sigmoid sigmoid,
    sigmoid: LogSigmoid log_sigmoid,
    sigmoid: Softplus softplus,
}

pub use triplet_margin::Distance;

use crate::catalogue::{Argument, Entry, GRAD_OUTPUT, Kind, Opt, SAMPLE_WEIGHT};
use crate::error::Error;
use crate::graph::{Dim, Graph, LabelVar, Shape, Var, full};
use crate::sequence::SequenceVar;
use crate::shape::{Given, Layout, Main};
use crate::terms::{Check, Empty, Reduction, Terms};
use std::collections::BTreeMap;
use std::fmt;

/// A loss, written once: what it takes, and its value per element or row as a formula.
pub trait Definition: CloneDefinition + fmt::Debug + Send + Sync {
    /// Its name, arguments and formula.
    fn entry(&self) -> &'static Entry;

    /// How it sees the axes of its main input.
    fn layout(&self) -> Layout {
        Layout::Pointwise
    }

    /// Its own options, each with a place to read or set it.
    fn options(&mut self) -> Vec<Opt<'_>> {
        Vec::new()
    }

    /// The label that marks a row without one.
    fn ignore_index(&self) -> Option<i64> {
        None
    }

    /// The class that no label of a sequence may be.
    fn blank(&self) -> Option<i64> {
        None
    }

    /// How many rows a matrix has, where an option says so.
    fn rows(&self, _argument: &str) -> Option<usize> {
        None
    }

    /// What the other arguments are placed against; the main input, unless it is only made of that.
    ///
    /// # Errors
    /// An [`Error`] that names the argument whose shape does not go with the others.
    fn main(&self, given: &Given<'_>) -> Result<Main, Error> {
        Ok(given.main())
    }

    /// The unreduced loss.
    fn terms<'g>(&self, arguments: &Arguments<'g>) -> Terms<'g>;
}

/// Lets a boxed definition be cloned; every `Clone` definition has it.
pub trait CloneDefinition {
    /// The definition in a new box.
    fn boxed(&self) -> Box<dyn Definition>;
}

impl<D: Definition + Clone + 'static> CloneDefinition for D {
    fn boxed(&self) -> Box<dyn Definition> {
        Box::new(self.clone())
    }
}

impl Clone for Box<dyn Definition> {
    fn clone(&self) -> Self {
        (**self).boxed()
    }
}

impl Definition for Box<dyn Definition> {
    fn entry(&self) -> &'static Entry {
        (**self).entry()
    }
    fn layout(&self) -> Layout {
        (**self).layout()
    }
    fn options(&mut self) -> Vec<Opt<'_>> {
        (**self).options()
    }
    fn ignore_index(&self) -> Option<i64> {
        (**self).ignore_index()
    }
    fn blank(&self) -> Option<i64> {
        (**self).blank()
    }
    fn rows(&self, argument: &str) -> Option<usize> {
        (**self).rows(argument)
    }
    fn main(&self, given: &Given<'_>) -> Result<Main, Error> {
        (**self).main(given)
    }
    fn terms<'g>(&self, arguments: &Arguments<'g>) -> Terms<'g> {
        (**self).terms(arguments)
    }
}

/// The arguments of a loss as handles, by name.
#[derive(Debug)]
pub struct Arguments<'g> {
    pub(crate) graph: &'g Graph,
    pub(crate) frame: usize,
    pub(crate) given: BTreeMap<&'static str, Target<'g>>,
    pub(crate) sets: BTreeMap<&'static str, Vec<LabelVar<'g>>>,
    pub(crate) steps: BTreeMap<&'static str, Vec<Var<'g>>>,
    pub(crate) sequences: Option<SequenceVar<'g>>,
}

/// An argument: numbers, or class indices.
#[derive(Clone, Copy, Debug)]
pub enum Target<'g> {
    /// Class indices.
    Labels(LabelVar<'g>),
    /// Numbers.
    Numbers(Var<'g>),
}

impl<'g> Arguments<'g> {
    /// The argument, numbers or class indices.
    #[must_use]
    pub fn target(&self, name: &str) -> Target<'g> {
        let missing = || Target::Numbers(self.graph.fault(format!("no argument {name}")));
        self.given.get(name).copied().unwrap_or_else(missing)
    }

    /// The argument, which is numbers.
    #[must_use]
    pub fn tensor(&self, name: &str) -> Var<'g> {
        match self.target(name) {
            Target::Numbers(numbers) => numbers,
            Target::Labels(_) => self.graph.fault(format!("{name} is class indices")),
        }
    }

    /// The argument, which is class indices.
    #[must_use]
    pub fn labels(&self, name: &str) -> LabelVar<'g> {
        match self.target(name) {
            Target::Labels(labels) => labels,
            Target::Numbers(_) => {
                self.graph.fault(format!("{name} is not class indices"));
                self.graph.labels(0, full(0))
            }
        }
    }

    /// The argument, which is several class indices a row: the first of each row, the second, and so on.
    #[must_use]
    pub fn label_sets(&self, name: &str) -> &[LabelVar<'g>] {
        self.sets.get(name).map_or(&[], Vec::as_slice)
    }

    /// The argument, which enters step by step.
    #[must_use]
    pub fn steps(&self, name: &str) -> &[Var<'g>] {
        self.steps.get(name).map_or(&[], Vec::as_slice)
    }

    /// The sequences of class indices.
    #[must_use]
    pub fn sequences(&self) -> SequenceVar<'g> {
        self.sequences.unwrap_or_else(|| {
            self.graph.fault("no argument is sequences".into());
            SequenceVar { graph: self.graph, index: 0, shape: self.main(), places: Dim::One }
        })
    }

    /// A number.
    #[must_use]
    pub fn number(&self, value: f64) -> Var<'g> {
        self.graph.number(value)
    }

    /// Whether an optional argument was given.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.given.contains_key(name)
    }

    /// The shape of what the arguments are placed against.
    #[must_use]
    pub fn main(&self) -> Shape {
        full(self.frame)
    }

    /// The argument, or a number in its place.
    #[must_use]
    pub fn or(&self, name: &str, default: f64) -> Var<'g> {
        if self.has(name) { self.tensor(name) } else { self.graph.number(default) }
    }
}

/// A definition with the options that every loss has; [`value`](Self::value) and
/// [`value_and_grad`](Self::value_and_grad) run it on any backend.
#[derive(Clone, Debug)]
pub struct Loss<D> {
    pub(crate) definition: D,
    pub(crate) reduction: Reduction,
    pub(crate) empty: Empty,
    pub(crate) check: Check,
    renamed: Vec<(String, String)>,
}

impl<D: Definition> Loss<D> {
    /// The loss of a definition, reduced to its mean; a building block is not reduced.
    #[must_use]
    pub fn new(definition: D) -> Self {
        let reduction = match definition.entry().kind {
            Kind::Loss => Reduction::Mean,
            Kind::Function => Reduction::None,
        };
        Self {
            definition,
            reduction,
            empty: Empty::default(),
            check: Check::default(),
            renamed: Vec::new(),
        }
    }

    /// Its definition.
    #[must_use]
    pub fn definition(&self) -> &D {
        &self.definition
    }

    /// What the catalogue says of it.
    #[must_use]
    pub fn entry(&self) -> &'static Entry {
        self.definition.entry()
    }

    /// The loss with that reduction.
    #[must_use]
    pub fn reduction(mut self, reduction: Reduction) -> Self {
        self.reduction = reduction;
        self
    }

    /// The loss with that mean of nothing.
    #[must_use]
    pub fn empty(mut self, empty: Empty) -> Self {
        self.empty = empty;
        self
    }

    /// The loss with that much validation of its data.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.check = check;
        self
    }

    /// The loss with an argument called otherwise, to set it apart from another loss's in an objective.
    #[must_use]
    pub fn rename(mut self, argument: &str, name: &str) -> Self {
        self.renamed.push((argument.into(), name.into()));
        self
    }

    /// What the caller calls an argument.
    #[must_use]
    pub fn given_name<'a>(&'a self, argument: &'a str) -> &'a str {
        let renamed = self.renamed.iter().rev().find(|(from, _)| from == argument);
        renamed.map_or(argument, |(_, to)| to)
    }

    /// The arguments it takes: its own, a sample weight, and a cotangent where it is unreduced.
    pub(crate) fn takes(&self) -> Vec<&'static Argument> {
        let cotangent = (self.reduction == Reduction::None).then_some(&GRAD_OUTPUT);
        self.entry().arguments.iter().chain([&SAMPLE_WEIGHT]).chain(cotangent).collect()
    }

    pub(crate) fn boxed(&self) -> Loss<Box<dyn Definition>> {
        let Self { reduction, empty, check, .. } = *self;
        let (definition, renamed) = (self.definition.boxed(), self.renamed.clone());
        Loss { definition, reduction, empty, check, renamed }
    }

    /// Every option: name, value, what it may be, what it does.
    #[must_use]
    pub fn options(&mut self) -> Vec<[String; 4]> {
        let own = self.definition.options().into_iter().map(|option| {
            [option.name.into(), option.slot.show(), option.slot.expects(), option.doc.into()]
        });
        let mut all: Vec<_> = own.collect();
        all.extend(COMMON.iter().map(|common| {
            let value = (common.show)(self.reduction, self.empty, self.check);
            [common.name.into(), value.into(), common.words.join(" | "), common.doc.into()]
        }));
        all
    }

    /// The loss with an option set from words, as on a command line.
    ///
    /// # Errors
    /// [`Error::UnknownOption`] and [`Error::OptionValue`] say what there is and what it may be.
    pub fn with(mut self, option: &str, value: &str) -> Result<Self, Error> {
        let loss = self.entry().name;
        let wrong =
            |option, expected| Error::OptionValue { loss, option, value: value.into(), expected };
        if let Some(common) = COMMON.iter().find(|common| common.name == option) {
            let Some(place) = common.words.iter().position(|&word| word == value) else {
                return Err(wrong(common.name, common.words.join(" | ")));
            };
            match option {
                "reduction" => self.reduction = REDUCTIONS[place],
                "empty" => self.empty = EMPTIES[place],
                _ => self.check = CHECKS[place],
            }
            return Ok(self);
        }
        for mut own in self.definition.options() {
            if own.name == option {
                let right = own.slot.set(value) && own.slot.holds();
                return if right { Ok(()) } else { Err(wrong(own.name, own.slot.expects())) }
                    .map(|()| self);
            }
        }
        let known: Vec<_> = self.options().into_iter().map(|[name, ..]| name).collect();
        Err(Error::UnknownOption { loss, option: option.into(), known: known.join(", ") })
    }
}

impl Loss<Box<dyn Definition>> {
    /// Checks that every option is in its range.
    pub(crate) fn check_options(&self) -> Result<(), Error> {
        let loss = self.entry().name;
        let mut definition = self.definition.clone();
        let wrong = definition.options().into_iter().find(|option| !option.slot.holds());
        wrong.map_or(Ok(()), |option| {
            let (value, expected) = (option.slot.show(), option.slot.expects());
            Err(Error::OptionValue { loss, option: option.name, value, expected })
        })
    }
}

struct Common {
    name: &'static str,
    words: &'static [&'static str],
    show: fn(Reduction, Empty, Check) -> &'static str,
    doc: &'static str,
}

const REDUCTIONS: [Reduction; 4] =
    [Reduction::None, Reduction::Mean, Reduction::Sum, Reduction::BatchMean];
const EMPTIES: [Empty; 2] = [Empty::Nan, Empty::Zero];
const CHECKS: [Check; 3] = [Check::Full, Check::Labels, Check::Off];

const COMMON: [Common; 3] = [
    Common {
        name: "reduction",
        words: &["none", "mean", "sum", "batchmean"],
        show: |reduction, _, _| COMMON[0].words[reduction as usize],
        doc: "what becomes of the unreduced loss",
    },
    Common {
        name: "empty",
        words: &["nan", "zero"],
        show: |_, empty, _| COMMON[1].words[empty as usize],
        doc: "the mean of nothing, or of weight 0",
    },
    Common {
        name: "check",
        words: &["full", "labels", "off"],
        show: |_, _, check| COMMON[2].words[check as usize],
        doc: "what is validated in the data",
    },
];
