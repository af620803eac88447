//! Losses added up into one objective, run as one graph.

use crate::loss::{Definition, Loss};
use std::ops::{Add, Mul};

/// A weighted sum of losses: `cross_entropy() + 0.5 * mse().rename("input", "reconstruction")`.
///
/// Arguments of one name are one array, and its gradient is the sum of the losses'; [`Loss::rename`] sets them apart.
///
/// ```
/// use lossmith_core::{Dense, Inputs, Reference, loss::{l1, mse}};
///
/// let inputs = Inputs::<Dense>::new().tensor("input", vec![0.5, 3.0]).tensor("target", vec![1.0, 1.0]);
/// let both = (mse() + 2.0 * l1()).value_and_grad(&Reference, &inputs)?;
/// assert_eq!(both.value.data(), [2.125 + 2.0 * 1.25]);
/// assert_eq!(both.grad("input").map(Dense::data), Some(&[-1.5, 3.0][..]));
/// # Ok::<(), lossmith_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Objective {
    pub(crate) terms: Vec<Term>,
}

#[derive(Clone, Debug)]
pub(crate) struct Term {
    pub(crate) coefficient: f64,
    pub(crate) loss: Loss<Box<dyn Definition>>,
}

impl Objective {
    pub(crate) fn of<D: Definition>(loss: &Loss<D>) -> Self {
        Self { terms: vec![Term { coefficient: 1.0, loss: loss.boxed() }] }
    }
}

impl<D: Definition> From<Loss<D>> for Objective {
    fn from(loss: Loss<D>) -> Self {
        Self::of(&loss)
    }
}

impl<D: Definition> From<&Loss<D>> for Objective {
    fn from(loss: &Loss<D>) -> Self {
        Self::of(loss)
    }
}

impl<T: Into<Self>> Add<T> for Objective {
    type Output = Self;
    fn add(mut self, other: T) -> Self {
        self.terms.extend(other.into().terms);
        self
    }
}

impl<D: Definition, T: Into<Objective>> Add<T> for Loss<D> {
    type Output = Objective;
    fn add(self, other: T) -> Objective {
        Objective::of(&self) + other
    }
}

impl Mul<Objective> for f64 {
    type Output = Objective;
    fn mul(self, mut objective: Objective) -> Objective {
        objective.terms.iter_mut().for_each(|term| term.coefficient *= self);
        objective
    }
}

impl<D: Definition> Mul<Loss<D>> for f64 {
    type Output = Objective;
    fn mul(self, loss: Loss<D>) -> Objective {
        self * Objective::of(&loss)
    }
}

#[cfg(test)]
mod tests {
    use crate::loss::{cross_entropy, l1, mse};
    use crate::{Dense, Error, Inputs, Reference};

    fn dense(shape: &[usize], data: &[f64]) -> Dense {
        Dense::new(shape, data.to_vec()).unwrap()
    }

    #[test]
    fn a_shared_input_gets_the_sum_of_the_gradients() {
        let [x, t] =
            [[2.0, 0.0, -1.0, 0.5], [1.0, 0.0, 1.0, 0.0]].map(|data| dense(&[2, 2], &data));
        let labelled = Inputs::<Dense>::new().tensor("input", x.clone()).labels("target", [1, 0]);
        let numbers = Inputs::<Dense>::new().tensor("input", x).tensor("target", t.clone());
        let ce = cross_entropy().value_and_grad(&Reference, &labelled).unwrap();
        let l2 = mse().value_and_grad(&Reference, &numbers).unwrap();

        let both = cross_entropy() + 0.5 * mse().rename("target", "wanted");
        let both = both.value_and_grad(&Reference, &labelled.tensor("wanted", t)).unwrap();
        let close = |got: &Dense, a: &Dense, b: &Dense| {
            let each = got.data().iter().zip(a.data()).zip(b.data());
            each.for_each(|((got, a), b)| assert!((got - (a + 0.5 * b)).abs() < 1e-15));
        };
        close(&both.value, &ce.value, &l2.value);
        let grads = [&both, &ce, &l2].map(|evaluation| evaluation.grad("input").unwrap());
        close(grads[0], grads[1], grads[2]);
        assert!(both.grad("wanted").is_some());
    }

    #[test]
    fn losses_with_inputs_of_their_own_add_up() {
        let inputs = Inputs::<Dense>::new()
            .tensor("input", dense(&[1, 2], &[0.0, 0.0]))
            .labels("target", [1])
            .tensor("image", dense(&[3], &[1.0, 2.0, 3.0]))
            .tensor("original", dense(&[3], &[0.0, 0.0, 0.0]));
        let image = l1().rename("input", "image").rename("target", "original");
        let got = (cross_entropy() + image).value_and_grad(&Reference, &inputs).unwrap();
        assert!((got.value.data()[0] - (2.0_f64.ln() + 2.0)).abs() < 1e-15);
        assert_eq!(got.grad("image").unwrap().data(), [1.0 / 3.0; 3]);
        assert_eq!(got.grad("input").unwrap().data(), [0.5, -0.5]);
    }

    #[test]
    fn an_unreduced_loss_does_not_add_up() {
        let [x, t] = [dense(&[1], &[1.0]), dense(&[1], &[0.0])];
        let inputs = Inputs::<Dense>::new().tensor("input", x).tensor("target", t);
        let unreduced = mse().reduction(crate::Reduction::None) + l1();
        let error = unreduced.value(&Reference, &inputs).unwrap_err();
        assert!(matches!(error, Error::Objective { .. }), "{error}");
        assert!(error.to_string().contains("mse is unreduced"), "{error}");
    }
}
