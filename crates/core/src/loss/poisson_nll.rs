use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, FROM_ZERO, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// eˣ − t·x of each element, x the logarithm of the rate; without `log_input`, x − t ln(x + eps).
///
/// `input`∂ and `target`∂, counts, have one shape, any. `full` adds Stirling's t ln t − t + ½ ln 2πt where t > 1.
/// The gradient is eˣ − t, or 1 − t/(x + eps).
/// Source: `torch.nn.functional.poisson_nll_loss`.
#[derive(Clone, Debug)]
pub struct PoissonNll {
    log_input: bool,
    full: bool,
    eps: f64,
}

impl Default for PoissonNll {
    fn default() -> Self {
        Self { log_input: true, full: false, eps: 1e-8 }
    }
}

/// The mean negative log-likelihood of counts under Poisson's distribution, [`PoissonNll`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::poisson_nll};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 0.0])
///     .tensor("target", vec![1.0, 3.0]);
/// let loss = poisson_nll().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [1.0]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.0, -1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn poisson_nll() -> Loss<PoissonNll> {
    Loss::new(PoissonNll::default())
}

impl Loss<PoissonNll> {
    /// Whether the input is the rate's logarithm, as by default, or the rate.
    #[must_use]
    pub fn log_input(mut self, log_input: bool) -> Self {
        self.definition.log_input = log_input;
        self
    }

    /// Whether Stirling's approximation of ln t! is added; not by default.
    #[must_use]
    pub fn full(mut self, full: bool) -> Self {
        self.definition.full = full;
        self
    }

    /// What is added to a rate before its logarithm is taken; 1e-8 by default.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.definition.eps = eps;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "poisson_nll",
    kind: Kind::Loss,
    formula: "eˣ − t·x, or x − t ln(x + ε); full: + t ln t − t + ½ ln 2πt if t > 1",
    arguments: &[Argument::input().logs(), Argument::target()],
};
const RATE: Entry =
    Entry { arguments: &[Argument::input().within(FROM_ZERO), Argument::target()], ..ENTRY };

/// The unreduced loss of one element.
fn formula<T: Real>(x: T, t: T, log_input: bool, eps: f64) -> T {
    if log_input { x.exp() - t.weigh(x) } else { x - t.weigh((x + eps).ln()) }
}

/// ln t! by Stirling, above 1.
fn stirling<T: Real>(t: T) -> T {
    let zero = t.constant(0.0);
    let large = t * t.ln() - t + (t * t.tau()).ln() * 0.5;
    T::select(Compare::Le, t, t.constant(1.0), zero, large)
}

impl Definition for PoissonNll {
    fn entry(&self) -> &'static Entry {
        if self.log_input { &ENTRY } else { &RATE }
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let log_input = Slot::Flag(&mut self.log_input);
        let full = Slot::Flag(&mut self.full);
        let eps = Slot::Number(&mut self.eps, 0.0..=f64::MAX);
        vec![
            Opt { name: "log_input", doc: "the input is the rate's logarithm", slot: log_input },
            Opt { name: "full", doc: "Stirling's approximation of ln t! is added", slot: full },
            Opt { name: "eps", doc: "added to a rate before its logarithm", slot: eps },
        ]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let (x, t) = (a.tensor("input"), a.tensor("target"));
        let loss = formula(x, t, self.log_input, self.eps);
        Terms::new(if self.full { loss + stirling(t) } else { loss })
    }
}
