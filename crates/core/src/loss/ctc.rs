use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Opt, Slot};
use crate::error::Error;
use crate::graph::{Dim, Var};
use crate::op::{Axis, Compare};
use crate::real::Real;
use crate::sequence::Sequence;
use crate::shape::{Given, Layout, Main};
use crate::terms::Terms;
use std::ops::Add;

/// −ln of the probability of all alignments of a sample's labels with its steps: connectionist temporal classification.
///
/// `log_probs`∂ are log-probabilities of shape (T, N, C) or (T, C), at every step one for each class; `targets` is each
/// sample's labels, in rows (N, S), padded at their ends, one after the other, or (S) of one sample alone;
/// `input_lengths` and `target_lengths` say how many steps and labels of each sample count, (N), or () for all alike.
/// An alignment gives every step a label or the `blank` and has the labels in their order, with a blank between equal
/// ones and possibly between others; a label may last. The mean divides each sample's loss by the number of its labels
/// first, 1 if it has none. What has no alignment is ∞, or 0 with `zero_infinity`, and its gradient is 0.
///
/// The gradient is the derivative in `log_probs`, minus the probability that the step has the class. PyTorch's own
/// assumes a log-softmax before it and returns what arrives ahead of that: a step's e^log_probs more.
/// Source: Graves et al., *Connectionist temporal classification*, 2006; `torch.nn.functional.ctc_loss`.
#[derive(Clone, Debug, Default)]
pub struct Ctc {
    blank: i64,
    zero_infinity: bool,
}

/// The mean loss of sequences that are aligned in any way, [`Ctc`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reduction, Reference, loss::ctc};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("log_probs", Dense::new(&[2, 2], vec![0.5_f64.ln(); 4])?)
///     .labels("targets", [1])
///     .labels("input_lengths", 2)
///     .labels("target_lengths", 1);
/// let loss = ctc().reduction(Reduction::Sum).value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.287682).abs() < 1e-6);
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn ctc() -> Loss<Ctc> {
    Loss::new(Ctc::default())
}

impl Loss<Ctc> {
    /// The class that stands for no label; 0 by default.
    #[must_use]
    pub fn blank(mut self, class: i64) -> Self {
        self.definition.blank = class;
        self
    }

    /// Whether a sample that has no alignment counts as 0.
    #[must_use]
    pub fn zero_infinity(mut self, zero: bool) -> Self {
        self.definition.zero_infinity = zero;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "ctc",
    kind: Kind::Loss,
    formula: "−ln Σ over alignments of Π over steps of p",
    arguments: &[
        Argument { form: Form::Steps, ..Argument::input() }.named("log_probs").logs(),
        Argument::sequences("targets"),
        Argument::lengths("input_lengths"),
        Argument::lengths("target_lengths"),
    ],
};

/// The class of a state: the labels, and blanks before, between and after them.
fn class(row: &Sequence, state: usize, blank: usize) -> Option<usize> {
    match state % 2 {
        0 => (state <= 2 * row.labels.len()).then_some(blank),
        _ => row.labels.get(state / 2).copied(),
    }
}

/// Whether the blank before a label may be left out: it is not between equal ones, or the first.
fn skips(row: &Sequence, state: usize) -> bool {
    let label = |state: usize| row.labels.get(state / 2);
    state % 2 == 1 && state > 2 && label(state) != label(state - 2)
}

/// The sum of neighbours, of their sums, and so on: a long one costs few roundings.
fn sum(mut terms: Vec<Var<'_>>) -> Option<Var<'_>> {
    while terms.len() > 1 {
        let pairs = terms.chunks(2).filter_map(|pair| pair.iter().copied().reduce(Add::add));
        terms = pairs.collect();
    }
    terms.pop()
}

impl Definition for Ctc {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let blank = Slot::Integer(&mut self.blank, 0..=i64::MAX);
        let zero_infinity = Slot::Flag(&mut self.zero_infinity);
        vec![
            Opt { name: "blank", doc: "the class that stands for no label", slot: blank },
            Opt { name: "zero_infinity", doc: "no alignment counts as 0", slot: zero_infinity },
        ]
    }

    fn blank(&self) -> Option<i64> {
        Some(self.blank)
    }

    fn main(&self, given: &Given<'_>) -> Result<Main, Error> {
        let (argument, got) = ("log_probs", given.shape("log_probs").unwrap_or(&[]));
        let rank = |expected: &str| {
            Err(Error::Rank { argument, got: got.to_vec(), expected: expected.into() })
        };
        match *got {
            [_, 0] | [_, _, 0] => rank("at least one class is wanted on the last axis"),
            [_, classes] | [_, _, classes] => {
                if usize::try_from(self.blank).is_ok_and(|blank| blank < classes) {
                    let shape = got[1..].to_vec();
                    return Ok(Main { name: "a step of log_probs", shape, classes: None });
                }
                let expected = format!("one of the {classes} classes");
                let (loss, option, value) = (ENTRY.name, "blank", self.blank.to_string());
                Err(Error::OptionValue { loss, option, value, expected })
            }
            _ => rank("(T, C) or (T, N, C) is wanted"),
        }
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        const NEVER: f64 = f64::NEG_INFINITY;
        let (targets, [_, classes, _]) = (a.sequences(), a.main());
        let states = targets.places();
        let blank = usize::try_from(self.blank).unwrap_or(0);
        // Before the first step all is at the first blank.
        let start = targets.table([Dim::One, states], |_, state| (state == 0).then_some(0));
        let (zero, infinity) = (a.number(0.0), a.number(f64::INFINITY));
        // What all states have in common is kept apart, so that it costs the others no digits.
        let (mut alpha, mut common) = (start.take(zero, NEVER), Vec::new());
        for (step, &log_p) in a.steps("log_probs").iter().enumerate() {
            let table = |from, taken: fn(&Sequence, usize, usize) -> Option<usize>| {
                // Nothing moves and nothing is added once a sample's steps are over.
                let live =
                    move |row: &Sequence, s| (step < row.steps).then(|| taken(row, s, blank))?;
                targets.table([from, states], live)
            };
            let next = table(states, |row, state, _| {
                (state <= 2 * row.labels.len()).then(|| state.checked_sub(1))?
            });
            let skip = table(states, |row, state, _| skips(row, state).then(|| state - 2));
            let emitted = table(classes, class);
            alpha = alpha.log_add_exp(next.take(alpha, NEVER)).log_add_exp(skip.take(alpha, NEVER))
                + emitted.take(log_p, 0.0);
            let most = alpha.max(Axis::Class);
            let most = Var::select(Compare::Lt, most.abs(), infinity, most, zero).detach();
            alpha = alpha - most;
            common.push(most);
        }
        let end = targets.table([states, Dim::One], |row, _| Some(2 * row.labels.len()));
        let before =
            targets.table([states, Dim::One], |row, _| (2 * row.labels.len()).checked_sub(1));
        let loss = -end.take(alpha, NEVER).log_add_exp(before.take(alpha, NEVER))
            - sum(common).unwrap_or(zero);
        let impossible = if self.zero_infinity { zero } else { infinity };
        let loss = Var::select(Compare::Eq, loss, infinity, impossible, loss);
        let counted = targets
            .table([Dim::One, states], |row, state| (state < row.labels.len().max(1)).then_some(0));
        let labels = counted.take(a.number(1.0), 0.0).sum(Axis::Class);
        Terms::new(loss).averaging(loss / labels)
    }
}

#[cfg(test)]
mod tests {
    use super::ctc;
    use crate::evaluate::Runner;
    use crate::loss::mse;
    use crate::{Dense, Indices, Inputs, Objective, Reduction, Reference};

    fn log_probs() -> Dense {
        let data = (0_u8..18).map(|x| f64::from(x % 5) / 4.0 - 1.5).collect();
        Dense::new(&[3, 2, 3], data).unwrap()
    }

    /// Two samples of three steps and classes.
    fn inputs(labels: [i64; 4], steps: [i64; 2], lengths: [i64; 2]) -> Inputs<Dense> {
        Inputs::new()
            .tensor("log_probs", log_probs())
            .labels("targets", Indices::new(&[2, 2], labels.to_vec()).unwrap())
            .labels("input_lengths", steps)
            .labels("target_lengths", lengths)
    }

    #[test]
    fn a_plan_is_run_again_with_other_labels_and_lengths() {
        let loss = Objective::of(&ctc().reduction(Reduction::None));
        let made_for = inputs([1, 2, 2, 2], [3, 2], [2, 1]);
        let plan = loss.plan(&Reference, &made_for).unwrap();
        let other = inputs([2, 1, 1, 2], [1, 3], [1, 2]);
        assert!(other.fit(&Reference, &plan));
        let picks = other.picks(&plan).unwrap();
        let got = Reference.run(&plan, &other.arrays(), &picks).unwrap();
        let exact = loss.value_and_grad(&Reference, &other).unwrap();
        assert_eq!([&got[0], &got[1]], [&exact.value, exact.grad("log_probs").unwrap()]);
        // With another longest sequence there are other states.
        assert!(!inputs([1, 2, 2, 2], [3, 2], [1, 1]).fit(&Reference, &plan));
    }

    #[test]
    fn losses_of_one_input_share_its_steps() {
        let given = inputs([1, 2, 2, 1], [3, 3], [2, 1]);
        let one = ctc().value_and_grad(&Reference, &given).unwrap();
        let both = ctc() + 0.5 * ctc();
        let both = both.value_and_grad(&Reference, &given).unwrap();
        let pairs = |evaluation: &crate::Evaluation<Dense>| {
            let grad = evaluation.grad("log_probs").unwrap().data().to_vec();
            [evaluation.value.data().to_vec(), grad].concat()
        };
        for (one, both) in pairs(&one).into_iter().zip(pairs(&both)) {
            assert!((both - 1.5 * one).abs() < 1e-15, "{both} is not half as much again as {one}");
        }
    }

    #[test]
    fn an_input_is_not_seen_whole_and_step_by_step() {
        let zeros = Dense::new(&[3, 2, 3], vec![0.0; 18]).unwrap();
        let shared = inputs([1, 2, 2, 1], [3, 3], [2, 1]).tensor("zeros", zeros);
        let objective = |input| ctc() + mse().rename("input", input).rename("target", "zeros");
        let error = objective("log_probs").value_and_grad(&Reference, &shared).unwrap_err();
        let said = "they see log_probs in different shapes: rename it in one";
        assert!(error.to_string().contains(said), "{error}");
        let value = objective("log_probs").value(&Reference, &shared).unwrap();
        let apart = shared.tensor("again", log_probs());
        assert_eq!(value, objective("again").value(&Reference, &apart).unwrap());
    }

    #[test]
    fn no_samples_cost_nothing_however_many_their_steps() {
        let inputs = Inputs::<Dense>::new()
            .tensor("log_probs", Dense::new(&[1 << 40, 0, 3], Vec::new()).unwrap())
            .labels("targets", Vec::new())
            .labels("input_lengths", Vec::new())
            .labels("target_lengths", Vec::new());
        let got = ctc().reduction(Reduction::Sum).value_and_grad(&Reference, &inputs).unwrap();
        assert_eq!(got.value.data(), [0.0]);
        assert_eq!(got.grad("log_probs").unwrap().shape(), [1 << 40, 0, 3]);
    }
}
