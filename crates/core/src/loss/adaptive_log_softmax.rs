use super::cross_entropy::hard;
use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Form, Kind, Opt, Slot};
use crate::error::Error;
use crate::graph::{Dim, Var};
use crate::real::Real;
use crate::shape::{Given, Layout, Main};
use crate::terms::Terms;

/// −ln p_y of each row, the classes in clusters: the common ones in the head, the rare ones in tails.
///
/// `input`∂ are vectors (F) or (N, F) and `target` class indices, one a row. With k `cutoffs`, `head.weight`∂ is
/// (cutoffs₀ + k, F), one row for each class below the first cutoff and one for each tail; `tails.I.0`∂ (H, F) and
/// `tails.I.1`∂ (size, H) are the two layers of tail I, which has the classes from its cutoff up to the next. A class in
/// a tail has the probability of the tail in the head times its own there. `head.bias`∂ goes with `head_bias`, and
/// `div_value` d checks that H is F/dᴵ⁺¹, rounded down.
/// Source: Grave et al., "Efficient softmax approximation for GPUs", 2017; `torch.nn.AdaptiveLogSoftmaxWithLoss`.
#[derive(Clone, Debug)]
pub struct AdaptiveLogSoftmax {
    cutoffs: Vec<i64>,
    div_value: Option<f64>,
    head_bias: bool,
}

impl Default for AdaptiveLogSoftmax {
    fn default() -> Self {
        Self { cutoffs: vec![1], div_value: None, head_bias: false }
    }
}

/// The mean clustered negative log-likelihood, [`AdaptiveLogSoftmax`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::adaptive_log_softmax};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[1, 2], vec![1.0, 2.0])?)
///     .labels("target", [2])
///     .tensor("head.weight", Dense::new(&[2, 2], vec![0.0; 4])?)
///     .tensor("tails.0.0", Dense::new(&[1, 2], vec![1.0; 2])?)
///     .tensor("tails.0.1", Dense::new(&[2, 1], vec![0.0; 2])?);
/// let loss = adaptive_log_softmax().cutoffs(&[1]).value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 1.386294).abs() < 1e-6);
/// assert_eq!(loss.grad("head.weight").map(Dense::data), Some(&[0.5, 1.0, -0.5, -1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn adaptive_log_softmax() -> Loss<AdaptiveLogSoftmax> {
    Loss::new(AdaptiveLogSoftmax::default())
}

impl Loss<AdaptiveLogSoftmax> {
    /// The first class of each tail, rising from 1; one tail from class 1 by default, at most 16.
    #[must_use]
    pub fn cutoffs(mut self, cutoffs: &[i64]) -> Self {
        self.definition.cutoffs = cutoffs.to_vec();
        self
    }

    /// By how much each tail's vectors are smaller than the last one's; as the weights have it by default.
    #[must_use]
    pub fn div_value(mut self, div_value: Option<f64>) -> Self {
        self.definition.div_value = div_value;
        self
    }

    /// Whether the head has a bias; not by default.
    #[must_use]
    pub fn head_bias(mut self, head_bias: bool) -> Self {
        self.definition.head_bias = head_bias;
        self
    }
}

const MOST: usize = 16;

macro_rules! arguments {
    ($($tail:literal)*) => {
        const TAILS: [[&str; 2]; MOST] =
            [$([concat!("tails.", $tail, ".0"), concat!("tails.", $tail, ".1")]),*];
        const ARGUMENTS: &[Argument] = &[
            Argument::input(),
            Argument::labels(),
            Argument { form: Form::Matrix("input", false), ..Argument::input() }
                .named("head.weight"),
            Argument { form: Form::PerRow("head.weight"), optional: true, ..Argument::input() }
                .named("head.bias"),
            $(
                Argument { form: Form::Matrix("input", false), ..Argument::input() }
                    .named(TAILS[$tail][0]),
                Argument { form: Form::Matrix(TAILS[$tail][0], true), ..Argument::input() }
                    .named(TAILS[$tail][1]),
            )*
        ];
    };
}
arguments!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);

/// The entry by the number of tails.
const ENTRIES: [Entry; MOST + 1] = {
    let mut entries = [Entry {
        name: "adaptive_log_softmax",
        kind: Kind::Loss,
        formula: "−ln softmax(head)_y, or −ln softmax(head)_tail − ln softmax(tail)_y",
        arguments: ARGUMENTS,
    }; MOST + 1];
    let mut tails = 0;
    while tails <= MOST {
        entries[tails].arguments = ARGUMENTS.split_at(4 + 2 * tails).0;
        tails += 1;
    }
    entries
};

impl AdaptiveLogSoftmax {
    /// The first class of each tail; an option out of range is refused before it is used.
    fn first_classes(&self) -> impl Iterator<Item = usize> + Clone {
        self.cutoffs.iter().map(|&cutoff| usize::try_from(cutoff).unwrap_or(0))
    }

    fn wrong_option(option: &'static str, value: &str, expected: String) -> Error {
        Error::OptionValue { loss: ENTRIES[0].name, option, value: value.into(), expected }
    }
}

/// A layer's results, one for each row of its weight.
fn layer<'g>(x: Var<'g>, weight: Var<'g>) -> Var<'g> {
    x.linear(weight, [x.shape()[0], weight.shape()[0], Dim::One])
}

impl Definition for AdaptiveLogSoftmax {
    fn entry(&self) -> &'static Entry {
        const { &ENTRIES }.get(self.cutoffs.len()).unwrap_or(const { &ENTRIES[0] })
    }

    fn layout(&self) -> Layout {
        Layout::Classes
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let cutoffs = Slot::Rising(&mut self.cutoffs, MOST);
        let div_value = Slot::MaybeNumber(&mut self.div_value, f64::MIN_POSITIVE..=f64::MAX);
        let head_bias = Slot::Flag(&mut self.head_bias);
        vec![
            Opt { name: "cutoffs", doc: "the first class of each tail", slot: cutoffs },
            Opt {
                name: "div_value",
                doc: "how much smaller each tail's vectors are",
                slot: div_value,
            },
            Opt { name: "head_bias", doc: "the head has a bias", slot: head_bias },
        ]
    }

    fn rows(&self, argument: &str) -> Option<usize> {
        let tails = self.first_classes();
        if argument == "head.weight" {
            return tails.clone().next().map(|first| first.saturating_add(tails.count()));
        }
        // Every tail but the last ends where the next begins.
        let sizes = tails.clone().skip(1).zip(tails).map(|(next, first)| next - first);
        TAILS.iter().zip(sizes).find(|(names, _)| names[1] == argument).map(|(_, size)| size)
    }

    fn main(&self, given: &Given<'_>) -> Result<Main, Error> {
        let main = given.main();
        if main.shape.len() > 2 {
            let (argument, got) = (main.name, main.shape);
            return Err(Error::Rank { argument, got, expected: "(F) or (N, F) is wanted".into() });
        }
        let matrices =
            given.0.iter().filter(|(argument, _)| matches!(argument.form, Form::Matrix(..)));
        if let Some((argument, got)) = matrices.into_iter().find(|(_, shape)| shape.len() != 2) {
            let (argument, got) = (argument.name, got.clone());
            return Err(Error::Rank { argument, got, expected: "a matrix is wanted".into() });
        }
        if given.shape("head.bias").is_some() != self.head_bias {
            let (has, wants) =
                if self.head_bias { ("true", "false without a") } else { ("false", "true with a") };
            return Err(Self::wrong_option("head_bias", has, format!("{wants} head.bias")));
        }
        let rows = |name: &str| given.shape(name).and_then(<[usize]>::first).copied().unwrap_or(0);
        if let (Some(div), Some(&width)) = (self.div_value, main.shape.last()) {
            let mut expected = width as f64;
            for [first, _] in &TAILS[..self.cutoffs.len()] {
                expected /= div;
                if rows(first) as f64 != expected.floor() {
                    let wants = format!("what gives {first} of {} rows", rows(first));
                    return Err(Self::wrong_option("div_value", &div.to_string(), wants));
                }
            }
        }
        let last = self.first_classes().zip(TAILS).last();
        let classes = last.map(|(first, [_, second])| first.saturating_add(rows(second)));
        Ok(Main { classes, ..main })
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, y) = (a.tensor("input"), a.labels("target"));
        let head = layer(x, a.tensor("head.weight"));
        let head = if self.head_bias { head + a.tensor("head.bias") } else { head };
        let firsts: Vec<usize> = self.first_classes().collect();
        let in_head = y.relabel(head.shape(), move |class| {
            // The tails' own classes come after the common ones.
            match firsts.iter().rposition(|&first| first <= class) {
                Some(tail) => Some(firsts[0] + tail),
                None => Some(class),
            }
        });
        let mut loss = hard(head, in_head);
        for (first, [down, up]) in self.first_classes().zip(TAILS) {
            let tail = layer(layer(x, a.tensor(down)), a.tensor(up));
            let in_tail = y.relabel(tail.shape(), move |class| class.checked_sub(first));
            loss = loss + in_tail.labelled().weigh(hard(tail, in_tail));
        }
        Terms::new(loss)
    }
}
