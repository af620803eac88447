//! Runs a loss: plans it for its arguments' shapes and hands the plan to what runs it.

use crate::backend::{Array, Backend, Operand};
use crate::call::Seen;
use crate::dense::Dense;
use crate::error::Error;
use crate::format::Format;
use crate::graph::NUMBER;
use crate::inputs::{Evaluation, Input, Inputs};
use crate::interpreter::{Run, Value, first_outside};
use crate::labels::Labels;
use crate::loss::{Definition, Loss};
use crate::objective::Objective;
use crate::op::Reduce;
use crate::plan::{Entering, Leaving, Picks, Plan, Wanted};
use crate::reference::Reference;

/// What runs a plan on arrays of some library: every [`Backend`] does, op by op, and so may an engine that sees the
/// whole graph.
pub trait Runner<A> {
    /// What results come back as.
    type Output;

    /// The sides of an array.
    fn shape(&self, array: &A) -> Vec<usize>;

    /// What leaves the plan, in its order. The arrays of the arguments are at their places; class indices, which are
    /// none there, come validated.
    ///
    /// # Errors
    /// An [`Error`] that names the argument outside its domain, or the runner's own.
    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&A>],
        picks: &Picks<'_>,
    ) -> Result<Vec<Self::Output>, Error>;
}

impl<B: Backend, A: Array<B>> Runner<A> for B {
    type Output = A::Output;

    fn shape(&self, array: &A) -> Vec<usize> {
        array.shape()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&A>],
        picks: &Picks<'_>,
    ) -> Result<Vec<A::Output>, Error> {
        let labels = picks.labels.iter().map(|labels| self.labels(labels).map_err(Error::backend));
        let labels = labels.collect::<Result<_, _>>()?;
        let inputs = plan.entering().iter().map(|entering| enter(self, entering, arrays));
        let inputs = inputs.collect::<Result<_, Error>>()?;
        let powers = self.powers();
        if plan.needs_matmul() && powers.matmul.is_none() {
            return Err(Error::Unsupported { power: "matmul" });
        }
        if plan.needs_take() && powers.take.is_none() {
            return Err(Error::Unsupported { power: "take" });
        }
        let (graph, sides) = (plan.graph(), plan.sides());
        let tables = &picks.tables;
        let run = Run { backend: self, graph, sides, inputs, labels, tables };
        let outputs: Vec<_> =
            plan.leaving().iter().flat_map(|leaving| leaving.ids.iter().copied()).collect();
        let mut left = run.outputs(&outputs)?.into_iter();
        let leave = |leaving: &Leaving| {
            let tensors = left.by_ref().take(leaving.ids.len()).collect();
            A::leave(self, tensors, &leaving.shape).map_err(Error::backend)
        };
        plan.leaving().iter().map(leave).collect()
    }
}

impl Entering {
    /// Checks that what entered is in its domains.
    ///
    /// # Errors
    /// [`Error::Domain`] names the first number outside, or the backend's own.
    pub fn check<B: Backend>(&self, backend: &B, tensor: &B::Tensor) -> Result<(), Error> {
        for &(argument, domain) in &self.domains {
            let outside = first_outside(backend, tensor, domain).map_err(Error::backend)?;
            if let Some((index, value)) = outside {
                return Err(Error::Domain { argument, index, value, domain: domain.name });
            }
        }
        Ok(())
    }
}

/// An array as an input of the graph, in its domain; what is one number, however it is stored, goes to the host.
fn enter<B: Backend, A: Array<B>>(
    backend: &B,
    entering: &Entering,
    arrays: &[Option<&A>],
) -> Result<Option<Value<B::Tensor>>, Error> {
    let Some(array) = arrays[entering.place] else { return Ok(None) };
    let tensor = array.enter(backend, &entering.view).map_err(Error::backend)?;
    entering.check(backend, &tensor)?;
    Ok(Some(if entering.shape == NUMBER {
        let number = backend.fold(Reduce::Sum, Operand::Owned(tensor));
        Value::Number(number.map_err(Error::backend)?)
    } else {
        Value::Tensor(tensor)
    }))
}

impl<D: Definition> Loss<D> {
    /// The value of the loss.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the runner's own.
    pub fn value<A, R: Runner<A>>(
        &self,
        runner: &R,
        inputs: &Inputs<A>,
    ) -> Result<R::Output, Error> {
        Objective::of(self).value(runner, inputs)
    }

    /// The value and the gradient of every differentiable argument given; of an unreduced loss, the gradient for the
    /// cotangent `grad_output`, an argument of the value's shape, or of its sum without one.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the runner's own.
    pub fn value_and_grad<A, R: Runner<A>>(
        &self,
        runner: &R,
        inputs: &Inputs<A>,
    ) -> Result<Evaluation<R::Output>, Error> {
        Objective::of(self).value_and_grad(runner, inputs)
    }

    /// How far the value and each gradient may be from the exact ones on a backend that computes op by op in `format`:
    /// a running error bound, to first order; infinite where the format cannot hold a number on the way.
    ///
    /// ```
    /// use lossmith_core::{Dense, Format, Inputs, loss::mse};
    ///
    /// let inputs = Inputs::<Dense>::new().tensor("input", vec![0.1, 300.0]).tensor("target", vec![0.0; 2]);
    /// let bound = mse().error_bound(&inputs, Format::F32)?;
    /// assert!(bound.value.data()[0] < 0.02);
    /// assert_eq!(mse().error_bound(&inputs, Format::F16)?.value.data(), [f64::INFINITY]);
    /// # Ok::<(), lossmith_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault.
    pub fn error_bound(
        &self,
        inputs: &Inputs<Dense>,
        format: Format,
    ) -> Result<Evaluation<Dense>, Error> {
        Objective::of(self).evaluate(&Reference, inputs, Wanted::Bounds(format))
    }
}

impl Objective {
    /// The value of the objective.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the runner's own.
    pub fn value<A, R: Runner<A>>(
        &self,
        runner: &R,
        inputs: &Inputs<A>,
    ) -> Result<R::Output, Error> {
        Ok(self.evaluate(runner, inputs, Wanted::Value)?.value)
    }

    /// The value and the gradient of every differentiable argument given, the losses' together.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the runner's own.
    pub fn value_and_grad<A, R: Runner<A>>(
        &self,
        runner: &R,
        inputs: &Inputs<A>,
    ) -> Result<Evaluation<R::Output>, Error> {
        self.evaluate(runner, inputs, Wanted::ValueAndGrad)
    }

    fn evaluate<A, R: Runner<A>>(
        &self,
        runner: &R,
        inputs: &Inputs<A>,
        wanted: Wanted,
    ) -> Result<Evaluation<R::Output>, Error> {
        let plan = self.plan_for(&inputs.seen(runner), &inputs.constant, wanted)?;
        let mut left = runner.run(&plan, &inputs.arrays(), &inputs.picks(&plan)?)?;
        let grads = left.split_off(left.len().min(1));
        let lost = || Error::Objective { fault: "it has no value".into() };
        let value = left.pop().ok_or_else(lost)?;
        let names = plan.leaving().iter().skip(1).map(|leaving| leaving.name.clone());
        Ok(Evaluation { value, grads: names.zip(grads).collect() })
    }

    /// The plan for the value and the gradients in arguments of these shapes, to be run again and again.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault.
    pub fn plan<A, R: Runner<A>>(&self, runner: &R, inputs: &Inputs<A>) -> Result<Plan, Error> {
        self.plan_for(&inputs.seen(runner), &inputs.constant, Wanted::ValueAndGrad)
    }
}

impl<A> Inputs<A> {
    /// What a plan is made for.
    fn seen<R: Runner<A>>(&self, runner: &R) -> Vec<(&str, Seen<'_>)> {
        let seen = self.given.iter().map(|(name, input)| match input {
            Input::Numbers(array) => (name.as_str(), Seen::Numbers(runner.shape(array))),
            Input::Indices(indices) => (name.as_str(), Seen::Indices(indices)),
        });
        seen.collect()
    }

    /// Whether the plan is one for arguments of these names and shapes.
    pub fn fit<R: Runner<A>>(&self, runner: &R, plan: &Plan) -> bool {
        plan.fits(&self.seen(runner), &self.constant)
    }

    /// The names of the arguments at their places.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.given.iter().map(|(name, _)| name.as_str())
    }

    /// The arrays at their places, none where class indices are.
    #[must_use]
    pub fn arrays(&self) -> Vec<Option<&A>> {
        let arrays = self.given.iter().map(|(_, input)| match input {
            Input::Numbers(array) => Some(array),
            Input::Indices(_) => None,
        });
        arrays.collect()
    }

    /// The class indices as a plan that fits wants them.
    ///
    /// # Errors
    /// [`Error::Label`] and [`Error::Count`] name the first index or length out of range.
    pub fn picks(&self, plan: &Plan) -> Result<Picks<'_>, Error> {
        let picks = self.unchecked_picks(plan)?;
        picks.labels.iter().try_for_each(Labels::check)?;
        Ok(picks)
    }

    /// The same without its pass over the labels, for an engine with a faster one: [`Labels::check`] is still to be done.
    ///
    /// # Errors
    /// [`Error::Label`] and [`Error::Count`] of indices that others are made of.
    pub fn unchecked_picks(&self, plan: &Plan) -> Result<Picks<'_>, Error> {
        plan.picks(|place| match &self.given[place].1 {
            Input::Numbers(_) => None,
            Input::Indices(indices) => Some(indices),
        })
    }
}
