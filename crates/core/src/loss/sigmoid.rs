use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Kind, Opt, Slot};
use crate::real::Real;
use crate::terms::Terms;

const fn entry(name: &'static str, formula: &'static str) -> Entry {
    const ARGUMENTS: &[Argument] = &[Argument::input()];
    Entry { name, kind: Kind::Function, formula, arguments: ARGUMENTS }
}

/// 1/(1 + e⁻ˣ) of each element of `input`∂, any shape.
///
/// Source: `torch.sigmoid`.
#[derive(Clone, Debug, Default)]
pub struct Sigmoid {}

/// [`Sigmoid`], unreduced.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::sigmoid};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, -1000.0]);
/// let loss = sigmoid().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.5, 0.0]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.25, 0.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn sigmoid() -> Loss<Sigmoid> {
    Loss::new(Sigmoid::default())
}

impl Definition for Sigmoid {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = entry("sigmoid", "1/(1 + e⁻ˣ)");
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(a.tensor("input").sigmoid())
    }
}

/// ln σ(x) = −softplus(−x) of each element of `input`∂, any shape.
///
/// Source: `torch.nn.functional.logsigmoid`.
#[derive(Clone, Debug, Default)]
pub struct LogSigmoid {}

/// [`LogSigmoid`], unreduced.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::log_sigmoid};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, -1000.0]);
/// let loss = log_sigmoid().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - -0.693147).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.5, 1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn log_sigmoid() -> Loss<LogSigmoid> {
    Loss::new(LogSigmoid::default())
}

impl Definition for LogSigmoid {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = entry("log_sigmoid", "−softplus(−x)");
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(-(-a.tensor("input")).softplus())
    }
}

/// ln(1 + exp βx)/β of each element of `input`∂, any shape.
///
/// PyTorch's switch to a line beyond a threshold is not needed. Source: `torch.nn.functional.softplus`.
#[derive(Clone, Debug)]
pub struct Softplus {
    beta: f64,
}

impl Default for Softplus {
    fn default() -> Self {
        Self { beta: 1.0 }
    }
}

/// [`Softplus`], unreduced.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::softplus};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 1000.0]);
/// let loss = softplus().beta(2.0).value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 0.346574).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.5, 1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn softplus() -> Loss<Softplus> {
    Loss::new(Softplus::default())
}

impl Loss<Softplus> {
    /// How sharp the bend is; 1 by default, above 0.
    #[must_use]
    pub fn beta(mut self, beta: f64) -> Self {
        self.definition.beta = beta;
        self
    }
}

impl Definition for Softplus {
    fn entry(&self) -> &'static Entry {
        const ENTRY: Entry = entry("softplus", "ln(1 + exp βx)/β");
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let slot = Slot::Number(&mut self.beta, f64::MIN_POSITIVE..=f64::MAX);
        vec![Opt { name: "beta", doc: "how sharp the bend is", slot }]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new((a.tensor("input") * self.beta).softplus() / self.beta)
    }
}
