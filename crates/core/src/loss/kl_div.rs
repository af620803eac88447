use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, FROM_ZERO, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// t(ln t − x) of each element, 0 where t is 0; with `log_target`, eᵗ(t − x).
///
/// `input`∂ are log-probabilities and `target`∂ probabilities, or their logarithms with `log_target`, of one shape,
/// any. The mean divides by the number of elements; the reduction `batchmean` by the first side, as the divergence
/// wants. The gradient in the input is −t, in the target ln t + 1 − x, −∞ where t is 0.
/// Source: Kullback and Leibler, 1951; `torch.nn.functional.kl_div`.
#[derive(Clone, Debug, Default)]
pub struct KlDiv {
    log_target: bool,
}

/// The mean pointwise Kullback–Leibler divergence, [`KlDiv`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reduction, Reference, loss::kl_div};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", Dense::new(&[1, 2], vec![0.5_f64.ln(); 2])?)
///     .tensor("target", Dense::new(&[1, 2], vec![1.0, 0.0])?);
/// let loss = kl_div().reduction(Reduction::BatchMean).value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.693147).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[-1.0, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn kl_div() -> Loss<KlDiv> {
    Loss::new(KlDiv::default())
}

impl Loss<KlDiv> {
    /// Whether the target is log-probabilities too; not by default.
    #[must_use]
    pub fn log_target(mut self, log_target: bool) -> Self {
        self.definition.log_target = log_target;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "kl_div",
    kind: Kind::Loss,
    formula: "t(ln t − x), or eᵗ(t − x)",
    arguments: &[Argument::input().logs(), Argument::target().within(FROM_ZERO)],
};
const LOG_TARGET: Entry =
    Entry { arguments: &[Argument::input().logs(), Argument::target().logs()], ..ENTRY };

/// The unreduced loss of one element.
fn formula<T: Real>(x: T, t: T) -> T {
    let (p, zero) = (t.detach(), t.constant(0.0));
    // 0, with the derivative of t in its own logarithm, 1: t · 1/t is infinite where t is subnormal.
    let own = T::select(Compare::Lt, p, p.constant(f64::INFINITY), t - p, zero);
    t.weigh(p.ln() - x) + own
}

/// The same of the target's logarithm, whose −∞ is a probability of 0 and not a difference of ∞.
fn of_log<T: Real>(x: T, t: T) -> T {
    let zero = t.constant(0.0);
    let finite = T::select(Compare::Eq, t, t.constant(f64::NEG_INFINITY), zero, t - x);
    t.exp().weigh(finite)
}

impl Definition for KlDiv {
    fn entry(&self) -> &'static Entry {
        if self.log_target { &LOG_TARGET } else { &ENTRY }
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Flag(&mut self.log_target);
        vec![Opt { name: "log_target", doc: "the target is log-probabilities too", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, t) = (a.tensor("input"), a.tensor("target"));
        Terms::new(if self.log_target { of_log(x, t) } else { formula(x, t) })
    }
}
