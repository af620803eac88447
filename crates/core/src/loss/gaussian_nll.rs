use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, FROM_ZERO, Form, Kind, Opt, Slot};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// ½(ln v + (x − t)²/v) of each element, v the variance, at least `eps`.
///
/// `input`∂, the means, and `target`∂ have one shape, any; `var`∂ has that shape too, or one with any one side 1,
/// or without the last side, or is one number. `full` adds ½ ln 2π. The gradient in `var` is taken at v, as if the
/// variance were not held at `eps`.
/// Source: Nix and Weigend, 1994; `torch.nn.functional.gaussian_nll_loss`.
#[derive(Clone, Debug)]
pub struct GaussianNll {
    full: bool,
    eps: f64,
}

impl Default for GaussianNll {
    fn default() -> Self {
        Self { full: false, eps: 1e-6 }
    }
}

/// The mean negative log-likelihood under normal distributions, [`GaussianNll`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::gaussian_nll};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 2.0])
///     .tensor("target", vec![0.0, 0.0])
///     .tensor("var", vec![1.0, 1.0]);
/// let loss = gaussian_nll().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [1.0]);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.0, 1.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn gaussian_nll() -> Loss<GaussianNll> {
    Loss::new(GaussianNll::default())
}

impl Loss<GaussianNll> {
    /// Whether the constant ½ ln 2π is added; not by default.
    #[must_use]
    pub fn full(mut self, full: bool) -> Self {
        self.definition.full = full;
        self
    }

    /// The smallest variance; 1e-6 by default, above 0.
    #[must_use]
    pub fn eps(mut self, eps: f64) -> Self {
        self.definition.eps = eps;
        self
    }
}

const ENTRY: Entry = Entry {
    name: "gaussian_nll",
    kind: Kind::Loss,
    formula: "½(ln v + (x − t)²/v), v = max(var, ε); full: + ½ ln 2π",
    arguments: &[
        Argument::input(),
        Argument::target(),
        Argument { form: Form::AnySideOne, ..Argument::target() }.named("var").within(FROM_ZERO),
    ],
};

/// The unreduced loss of one element.
fn formula<T: Real>(x: T, t: T, var: T, eps: f64) -> T {
    let eps = var.constant(eps);
    // At eps in value, with the slope of var itself.
    let v = T::select(Compare::Lt, var, eps, eps + (var - var.detach()), var);
    let r = x - t;
    (v.ln() + r * (r / v)) * 0.5
}

impl Definition for GaussianNll {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn options(&mut self) -> Vec<Opt<'_>> {
        let full = Slot::Flag(&mut self.full);
        let eps = Slot::Number(&mut self.eps, f64::MIN_POSITIVE..=f64::MAX);
        vec![
            Opt { name: "full", doc: "the constant ½ ln 2π is added", slot: full },
            Opt { name: "eps", doc: "the smallest variance", slot: eps },
        ]
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        let loss = formula(a.tensor("input"), a.tensor("target"), a.tensor("var"), self.eps);
        Terms::new(if self.full { loss + 0.5 * loss.tau().ln() } else { loss })
    }
}
