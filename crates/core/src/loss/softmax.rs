use super::{Arguments, Definition, Loss};
use crate::catalogue::{ANY_INTEGER, Argument, Entry, Kind, Opt, Slot};
use crate::graph::Var;
use crate::op::{Axis::Class, Compare};
use crate::real::Real;
use crate::shape::Layout;
use crate::terms::Terms;

/// The maximum m of each row, and ln Σ exp(x − m): logsumexp in two parts. No derivative passes through m, which is
/// 0 where the row is all −∞.
pub(super) fn shifted<'g>(x: Var<'g>) -> (Var<'g>, Var<'g>) {
    let m = x.max(Class).detach();
    let [zero, nothing] = [0.0, f64::NEG_INFINITY].map(|number| x.constant(number));
    let m = Var::select(Compare::Eq, m, nothing, zero, m);
    (m, x.exp_sub(m).sum(Class).ln())
}

macro_rules! over_a_dim {
    ($definition:ident, $name:literal, $formula:literal, $layout:ident, $terms:expr) => {
        impl Default for $definition {
            fn default() -> Self {
                Self { dim: -1 }
            }
        }

        impl Loss<$definition> {
            /// The axis, from the end if negative; −1 by default.
            #[must_use]
            pub fn dim(mut self, dim: i64) -> Self {
                self.definition.dim = dim;
                self
            }
        }

        impl Definition for $definition {
            fn entry(&self) -> &'static Entry {
                const ENTRY: Entry = Entry {
                    name: $name,
                    kind: Kind::Function,
                    formula: $formula,
                    arguments: &[Argument::input()],
                };
                &ENTRY
            }

            fn layout(&self) -> Layout {
                Layout::$layout(self.dim)
            }

            fn options(&mut self) -> Vec<Opt<'_>> {
                let slot = Slot::Integer(&mut self.dim, ANY_INTEGER);
                vec![Opt { name: "dim", doc: "the axis, from the end if negative", slot }]
            }

            fn terms<'g>(&self, a: &Arguments<'g>) -> Terms<'g> {
                let terms: fn(Var<'g>) -> Var<'g> = $terms;
                Terms::new(terms(a.tensor("input")))
            }
        }
    };
}

/// exp x_c / Σ exp x along an axis.
///
/// `input`∂ of any shape with that axis; the value has its shape and sums to 1 along the axis.
/// Source: `torch.nn.functional.softmax`.
#[derive(Clone, Debug)]
pub struct Softmax {
    dim: i64,
}

/// [`Softmax`], unreduced.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::softmax};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 0.0, f64::NEG_INFINITY]);
/// let loss = softmax().value_and_grad(&Reference, &inputs)?;
/// assert_eq!(loss.value.data(), [0.5, 0.5, 0.0]);
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn softmax() -> Loss<Softmax> {
    Loss::new(Softmax::default())
}

over_a_dim!(Softmax, "softmax", "exp x_c / Σ exp x", Along, |x| {
    let (m, _) = shifted(x);
    let e = x.exp_sub(m);
    e / e.sum(Class)
});

/// x_c − ln Σ exp x along an axis.
///
/// `input`∂ of any shape with that axis; the value has its shape.
/// Source: `torch.nn.functional.log_softmax`.
#[derive(Clone, Debug)]
pub struct LogSoftmax {
    dim: i64,
}

/// [`LogSoftmax`], unreduced.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::log_softmax};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![0.0, 0.0]);
/// let loss = log_softmax().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - -0.693147).abs() < 1e-6);
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn log_softmax() -> Loss<LogSoftmax> {
    Loss::new(LogSoftmax::default())
}

over_a_dim!(LogSoftmax, "log_softmax", "x_c − ln Σ exp x", Along, |x| {
    let (m, _) = shifted(x);
    let [zero, one] = [0.0, 1.0].map(|number| x.constant(number));
    let largest = Var::select(Compare::Eq, x, m, one, zero);
    // The sum less 1, which is all there is of the logarithm where one class has the rest far behind it.
    let rest = (x.exp_sub(m) - largest).sum(Class) + (largest.sum(Class) - 1.0);
    (x - m) - rest.ln_1p()
});

/// ln Σ exp x along an axis.
///
/// `input`∂ of any shape with that axis; the value drops it. A row of −∞ gives −∞.
/// Source: `torch.logsumexp`.
#[derive(Clone, Debug)]
pub struct Logsumexp {
    dim: i64,
}

/// [`Logsumexp`], unreduced.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::logsumexp};
///
/// let inputs = Inputs::<Dense>::new()
///     .tensor("input", vec![1000.0, 1000.0]);
/// let loss = logsumexp().value_and_grad(&Reference, &inputs)?;
/// assert!((loss.value.data()[0] - 1000.693147).abs() < 1e-6);
/// assert_eq!(loss.grad("input").map(Dense::data), Some(&[0.5, 0.5][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[must_use]
pub fn logsumexp() -> Loss<Logsumexp> {
    Loss::new(Logsumexp::default())
}

over_a_dim!(Logsumexp, "logsumexp", "ln Σ exp x", Over, |x| {
    let (m, s) = shifted(x);
    m + s
});
