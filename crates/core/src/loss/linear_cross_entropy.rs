use super::cross_entropy::{self, CrossEntropy};
use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Opt, UNIT};
use crate::error::Error;
use crate::shape::{Given, Layout, Main};
use crate::terms::Terms;

/// [`CrossEntropy`] of the logits input · linear_weightᵀ + linear_bias.
///
/// `input`∂ are vectors (F) or (N, F); `linear_weight`∂ is (C, F) or (C, d…, F) and `linear_bias`∂ that shape without
/// F, so that the logits are (C), (N, C) or (N, C, d…). `target`, `weight` (C) and the options are cross-entropy's.
/// A product is IEEE's: a row of input with an infinity makes the weight's gradient NaN even where it is ignored.
/// Source: `torch.nn.functional.linear_cross_entropy`; Wijmans et al., "Cut your losses", 2024.
#[derive(Clone, Debug, Default)]
pub struct LinearCrossEntropy {
    entropy: CrossEntropy,
}

/// The mean cross-entropy of a linear layer's logits, [`LinearCrossEntropy`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::linear_cross_entropy};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[1, 2], vec![1.0, 2.0])?)
///     .tensor("linear_weight", Dense::new(&[2, 2], vec![0.0; 4])?)
///     .labels("target", [0]);
/// let loss = linear_cross_entropy().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.693147).abs() < 1e-6);
/// assert_eq!(loss.grad("linear_weight").map(Dense::data), Some(&[-0.5, -1.0, 0.5, 1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn linear_cross_entropy() -> Loss<LinearCrossEntropy> {
    Loss::new(LinearCrossEntropy::default())
}

impl Loss<LinearCrossEntropy> {
    /// The label that marks a row without one; −100 by default.
    #[must_use]
    pub fn ignore_index(mut self, index: i64) -> Self {
        self.definition.entropy.ignore_index = index;
        self
    }

    /// How much of the target is spread evenly over all classes; 0 by default, up to 1.
    #[must_use]
    pub fn label_smoothing(mut self, epsilon: f64) -> Self {
        self.definition.entropy.label_smoothing = epsilon;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "linear_cross_entropy",
    kind: Kind::Loss,
    formula: "cross_entropy(input · linear_weightᵀ + linear_bias)",
    arguments: &[
        Argument { form: Form::Matrix("linear_weight", false), ..Argument::input() },
        Argument { form: Form::Matrix("input", false), ..Argument::input() }.named("linear_weight"),
        Argument::target().within(UNIT).or_labels(),
        Argument { form: Form::Features, optional: true, ..Argument::input() }.named("linear_bias"),
        Argument::weight("weight", Form::PerClass),
    ],
};

impl Definition for LinearCrossEntropy {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        self.entropy.options()
    }

    fn ignore_index(&self) -> Option<i64> {
        self.entropy.ignore_index()
    }

    fn main(&self, given: &Given<'_>) -> Result<Main, Error> {
        let shape = |name| given.shape(name).unwrap_or(&[]);
        let (input, weight) = (shape("input"), shape("linear_weight"));
        let wrong = |argument, got: &[usize], expected: &str| {
            Err(Error::Rank { argument, got: got.to_vec(), expected: expected.into() })
        };
        if input.is_empty() || input.len() > 2 {
            return wrong("input", input, "vectors are wanted: (F) or (N, F)");
        }
        if weight.len() < 2 || (input.len() == 1 && weight.len() > 2) {
            return wrong("linear_weight", weight, "(C, F) is wanted, or with (N, F) (C, d…, F)");
        }
        let logits = [&input[..input.len() - 1], &weight[..weight.len() - 1]].concat();
        Ok(Main { name: "input · linear_weightᵀ", shape: logits, classes: None })
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let logits = a.tensor("input").linear(a.tensor("linear_weight"), a.main());
        let logits = if a.has("linear_bias") { logits + a.tensor("linear_bias") } else { logits };
        cross_entropy::terms(&self.entropy, logits, a)
    }
}
