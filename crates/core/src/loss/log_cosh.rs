use super::{Arguments, Definition, Loss};
use crate::catalogue::{Argument, Entry, Kind};
use crate::op::Compare;
use crate::real::Real;
use crate::terms::Terms;

/// ln cosh(x − t) of each element.
///
/// `input`∂ and `target`∂ have one shape, any. It is (x − t)²/2 for small differences and |x − t| − ln 2 for large
/// ones, and accurate for both; the gradient is tanh(x − t). Source: `optax.losses.log_cosh`.
#[derive(Clone, Debug, Default)]
pub struct LogCosh {}

/// The mean of ln cosh of the errors, [`LogCosh`].
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::log_cosh};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 50.0])
///     .tensor("target", vec![0.0, 0.0]);
/// let loss = log_cosh().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 24.653426).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.0, 0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn log_cosh() -> Loss<LogCosh> {
    Loss::new(LogCosh::default())
}

const ENTRY: Entry = Entry {
    name: "log_cosh",
    kind: Kind::Loss,
    formula: "ln cosh(x − t)",
    arguments: &[Argument::input(), Argument::target()],
};

/// The unreduced loss of one element, by one exponential and one logarithm of 1 + z: near 0 that of cosh e − 1, which is
/// (e⁻ᵉ − 1)²/2e⁻ᵉ; else that of e⁻²ᵉ, less ln 2, is added to e.
///
/// Its derivative, tanh e = (1 − e⁻²ᵉ)/(1 + e⁻²ᵉ), is of the same exponential, and not left to the logarithm.
fn formula<T: Real>(input: T, target: T) -> T {
    let difference = input - target;
    let own = difference.detach();
    let e = own.abs();
    let [zero, one, infinite] = [0.0, 1.0, f64::INFINITY].map(|number| e.constant(number));
    let choose = |near, far| T::select(Compare::Lt, e, one, near, far);
    let m = (-e).exp_m1();
    let tail = m + 1.0;
    // The tail is 0 far away, where nothing is divided by it.
    let ln = choose(m * (m / choose(tail, one)) * 0.5, tail.square()).ln_1p();
    let value = choose(ln, e + (ln - e.constant(2.0).ln()));

    let tanh = -m * (m + 2.0) / (tail.square() + 1.0);
    let slope = T::select(Compare::Lt, own, zero, -tanh, tanh);
    // 0, but infinite where the difference is, as the loss is there.
    value + (difference - T::select(Compare::Lt, e, infinite, own, zero)).weigh(slope)
}

impl Definition for LogCosh {
    fn entry(&self) -> &'static Entry {
        &ENTRY
    }

    fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
        Terms::new(formula(a.tensor("input"), a.tensor("target")))
    }
}
