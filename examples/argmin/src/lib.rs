//! Softmax regression by argmin's L-BFGS: what any optimiser on plain numbers needs, a value and a gradient in slices.

use argmin::core::{CostFunction, Error, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use lossmith_core::Inputs;
use lossmith_core::loss::linear_cross_entropy;
use lossmith_core::strided::Slice;
use lossmith_fused::{Fused, Prepared};
use lossmith_train::Digits;
use std::cell::RefCell;

/// Digits, and pixels of each image.
const CLASSES: usize = 10;
const PIXELS: usize = 64;
/// How much of half the squared weights is added to the loss, so that there is a best model.
const DECAY: f64 = 1e-3;

/// The regularised mean of the cross-entropy as a function of the weights, a row a digit, and the ten biases after them.
#[derive(Debug)]
pub struct Regression {
    images: Vec<f64>,
    labels: Vec<i64>,
    loss: RefCell<Prepared<f64>>,
}

impl Regression {
    /// The problem of fitting those images.
    #[must_use]
    pub fn new(digits: &Digits) -> Self {
        Self {
            images: digits.images.iter().map(|&pixel| pixel.into()).collect(),
            labels: digits.labels.to_vec(),
            loss: RefCell::new(Fused::new().prepare(linear_cross_entropy())),
        }
    }

    /// The value, and the gradient in all parameters.
    ///
    /// # Errors
    /// What the loss reports.
    pub fn value_and_grad(&self, parameters: &[f64]) -> Result<(f64, Vec<f64>), Error> {
        let (weight, bias) = parameters.split_at(CLASSES * PIXELS);
        let inputs = Inputs::<Slice<'_, f64>>::new()
            .tensor("input", Slice::new(&[self.labels.len(), PIXELS], &self.images)?)
            .tensor("linear_weight", Slice::new(&[CLASSES, PIXELS], weight)?)
            .tensor("linear_bias", Slice::new(&[CLASSES], bias)?)
            .labels("target", self.labels.as_slice())
            .constant("input");
        let mut grad = vec![0.0; parameters.len()];
        let (of_weight, of_bias) = grad.split_at_mut(weight.len());
        let mut grads = [("linear_weight", of_weight), ("linear_bias", of_bias)];
        let value = self.loss.borrow_mut().value_and_grad_into(&inputs, &mut grads)?;
        let square = weight.iter().map(|w| w * w).sum::<f64>();
        grad.iter_mut().zip(weight).for_each(|(grad, w)| *grad += DECAY * w);
        Ok((value.data()[0] + 0.5 * DECAY * square, grad))
    }

    /// The best parameters from zero, the value there, and how many steps it took.
    ///
    /// # Errors
    /// What the loss or the optimiser reports.
    pub fn minimise(self, steps: u64) -> Result<(Vec<f64>, f64, u64), Error> {
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), 10);
        let zero = vec![0.0; CLASSES * (PIXELS + 1)];
        let executor = Executor::new(self, solver);
        let result = executor.configure(|state| state.param(zero).max_iters(steps)).run()?;
        let state = result.state();
        let best = state.get_best_param().cloned().unwrap_or_default();
        Ok((best, state.get_best_cost(), state.get_iter()))
    }
}

impl CostFunction for Regression {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, parameters: &Vec<f64>) -> Result<f64, Error> {
        Ok(self.value_and_grad(parameters)?.0)
    }
}

impl Gradient for Regression {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, parameters: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok(self.value_and_grad(parameters)?.1)
    }
}

/// How many digits the parameters get right.
#[must_use]
pub fn correct(parameters: &[f64], digits: &Digits) -> usize {
    let (weight, bias) = parameters.split_at(CLASSES * PIXELS);
    let logit = |image: &[f64], class: usize| {
        let row = &weight[class * PIXELS..(class + 1) * PIXELS];
        bias[class] + image.iter().zip(row).map(|(x, w)| x * w).sum::<f64>()
    };
    let pairs = digits.images.rows().into_iter().zip(&digits.labels);
    let right = pairs.filter(|(image, label)| {
        let image: Vec<f64> = image.iter().map(|&pixel| pixel.into()).collect();
        let best = (0..CLASSES).max_by(|&a, &b| logit(&image, a).total_cmp(&logit(&image, b)));
        best.and_then(|best| i64::try_from(best).ok()) == Some(**label)
    });
    right.count()
}
