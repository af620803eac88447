//! A loss made ready once and run again and again, its gradients written where the caller wants them.

use crate::element::Element;
use crate::engine::{Fused, check_labels, enter, see, slowly};
use crate::program::{Over, Program, sides_of};
use crate::walk::dense;
use lossmith_core::plan::{Leaving, Picks};
use lossmith_core::strided::{Order, Seen, Slice, Strided};
use lossmith_core::{Error, Evaluation, Inputs, Objective, Plan};
use std::marker::PhantomData;

/// A loss with its plan, made for the shapes of the last arguments and kept as long as they stay the same.
#[derive(Debug)]
pub struct Prepared<T: Element> {
    engine: Fused,
    objective: Objective,
    made: Option<(Plan, Option<Program>)>,
    elements: PhantomData<T>,
}

impl Fused {
    /// The loss, or the objective of several, ready to be run again and again.
    ///
    /// ```
    /// use lossmith_core::{Inputs, loss::mse, strided::Slice};
    /// use lossmith_fused::Fused;
    ///
    /// let (x, t, mut slopes) = ([0.5_f32, 3.0], [1.0_f32, 1.0], [0.0_f32; 2]);
    /// let mut prepared = Fused::new().prepare(mse());
    /// for _ in 0..2 {
    ///     let inputs = Inputs::<Slice<f32>>::new()
    ///         .tensor("input", Slice::new(&[2], &x[..])?)
    ///         .tensor("target", Slice::new(&[2], &t[..])?)
    ///         .constant("target");
    ///     let value = prepared.value_and_grad_into(&inputs, &mut [("input", &mut slopes)])?;
    ///     assert_eq!((value.data(), slopes), (&[2.125][..], [-0.5, 2.0]));
    /// }
    /// # Ok::<(), lossmith_core::Error>(())
    /// ```
    pub fn prepare<T: Element>(&self, loss: impl Into<Objective>) -> Prepared<T> {
        let engine = self.clone();
        Prepared { engine, objective: loss.into(), made: None, elements: PhantomData }
    }
}

impl<T: Element> Prepared<T> {
    /// As [`Loss::value_and_grad`](lossmith_core::Loss::value_and_grad).
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault.
    pub fn value_and_grad<A: Strided<Element = T>>(
        &mut self,
        inputs: &Inputs<A>,
    ) -> Result<Evaluation<A::Output>, Error> {
        self.planned(inputs)?;
        let Some((plan, program)) = &self.made else { return Err(no_value()) };
        let picks = self.picks(plan, inputs)?;
        let arrays = inputs.arrays();
        let outputs = self.engine.outputs(plan, program.as_ref(), &arrays, &picks)?;
        let mut outputs = outputs.into_iter();
        let value = outputs.next().ok_or_else(no_value)?;
        let names = plan.leaving().iter().skip(1).map(|leaving| leaving.name.clone());
        Ok(Evaluation { value, grads: names.zip(outputs).collect() })
    }

    /// The value; the gradient of every differentiable argument that is not
    /// [constant](lossmith_core::Inputs::constant) goes into the buffer of its name, in the order in which the
    /// argument's own elements lie: column-major for a column-major matrix, else row-major.
    ///
    /// # Errors
    /// An [`Error`] that names the argument at fault, or the buffer that is missing, of another size or for nothing.
    /// After [`Error::Domain`] the buffers hold whatever numbers outside their domain give.
    pub fn value_and_grad_into<A: Strided<Element = T>>(
        &mut self,
        inputs: &Inputs<A>,
        grads: &mut [(&str, &mut [T])],
    ) -> Result<A::Output, Error> {
        let shape = self.shaped(inputs)?;
        let mut value = vec![T::of(0.0); shape.iter().product()];
        let order = self.write(inputs, &mut value, grads)?;
        A::from_elements(&shape, value, order)
    }

    /// As [`value_and_grad_into`](Self::value_and_grad_into), but the value goes into a slice too, in row-major order: for
    /// losses that are not reduced, so that nothing as large as an argument is allocated.
    ///
    /// ```
    /// use lossmith_core::{Inputs, loss::softplus, strided::Slice};
    /// use lossmith_fused::Fused;
    ///
    /// let (x, mut value, mut slopes) = ([0.0_f64, -800.0], [0.0; 2], [0.0; 2]);
    /// let inputs = Inputs::<Slice<f64>>::new().tensor("input", Slice::new(&[2], &x[..])?);
    /// Fused::new().prepare(softplus()).fill(&inputs, &mut value, &mut [("input", &mut slopes)])?;
    /// assert_eq!((value, slopes), ([2_f64.ln(), 0.0], [0.5, 0.0]));
    /// # Ok::<(), lossmith_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there, or that the slice is of another size than the value.
    pub fn fill<A: Strided<Element = T>>(
        &mut self,
        inputs: &Inputs<A>,
        value: &mut [T],
        grads: &mut [(&str, &mut [T])],
    ) -> Result<(), Error> {
        let shape = self.shaped(inputs)?;
        let (expected, got) = (shape.iter().product(), value.len());
        if got != expected {
            return Err(Error::Length { shape, expected, got });
        }
        let order = self.write(inputs, value, grads)?;
        reorder(value, &shape, order, Order::RowMajor);
        Ok(())
    }

    /// The shape of the value, after the plan is made.
    fn shaped<A: Strided<Element = T>>(&mut self, inputs: &Inputs<A>) -> Result<Vec<usize>, Error> {
        let (plan, _) = self.planned(inputs)?;
        plan.leaving().first().map(|value| value.shape.clone()).ok_or_else(no_value)
    }

    /// Writes the value, and the gradients in their arguments' order; says in which order the value is.
    fn write<A: Strided<Element = T>>(
        &self,
        inputs: &Inputs<A>,
        value: &mut [T],
        grads: &mut [(&str, &mut [T])],
    ) -> Result<Order, Error> {
        let Some((plan, program)) = &self.made else { return Err(no_value()) };
        let picks = self.picks(plan, inputs)?;
        let (leaving, arrays) = (plan.leaving(), inputs.arrays());
        let mut buffers = buffers(leaving, value, grads)?;
        let seen = enter(&self.engine, plan, &arrays)?;
        let Some(program) = program else {
            let outputs = slowly::<A>(plan, &arrays, &picks)?;
            for (buffer, output) in buffers.iter_mut().zip(outputs) {
                buffer.copy_from_slice(&output);
            }
            return Ok(Order::RowMajor);
        };
        let wanted = |leaving: &Leaving| {
            let own = plan.entering().iter().zip(&seen).find(|(entering, _)| {
                inputs.names().nth(entering.place) == Some(leaving.name.as_str())
            });
            own.map_or(Order::RowMajor, |(entering, seen)| seen.order(&entering.view))
        };
        let given = (seen.as_slice(), picks.labels.as_slice(), None);
        let orders = self.engine.fill(plan, program, given, &mut buffers)?;
        for ((leaving, buffer), got) in leaving.iter().zip(&mut buffers).zip(&orders).skip(1) {
            reorder(buffer, &leaving.shape, *got, wanted(leaving));
        }
        Ok(orders[0])
    }

    /// As [`value_and_grad_into`](Self::value_and_grad_into), but one argument, of that name and shape, is read from the
    /// slice that its gradient is written to. Both are in row-major order.
    ///
    /// No more memory is taken than the blocks have that threads work on, where one walk alone reads the argument, as with
    /// `mse` and `cross_entropy`; elsewhere, as before a product of matrices, it is copied first.
    ///
    /// ```
    /// use lossmith_core::{Inputs, loss::cross_entropy, strided::Slice};
    /// use lossmith_fused::Fused;
    ///
    /// let mut logits = [0.0_f32, 0.0, 3.0, 3.0];
    /// let inputs = Inputs::<Slice<f32>>::new().labels("target", [0, 1]);
    /// let mut prepared = Fused::new().prepare(cross_entropy());
    /// let value = prepared.value_and_grad_over(&inputs, ("input", &[2, 2], &mut logits), &mut [])?;
    /// assert_eq!((value.data(), logits), (&[0.6931472][..], [-0.25, 0.25, 0.25, -0.25]));
    /// # Ok::<(), lossmith_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// As there; the slice is as it was then.
    pub fn value_and_grad_over(
        &mut self,
        inputs: &Inputs<Slice<'_, T>>,
        (name, shape, elements): (&str, &[usize], &mut [T]),
        grads: &mut [(&str, &mut [T])],
    ) -> Result<Slice<'static, T>, Error> {
        let (given, picked) =
            (with(inputs, name, Slice::new(shape, &*elements)?), inputs.given().len());
        self.planned(&given)?;
        let Some((plan, program)) = &self.made else { return Err(no_value()) };
        self.picks(plan, &given)?;
        let (leaving, entering) = (plan.leaving(), plan.entering());
        let seen = enter(&self.engine, plan, &given.arrays())?;
        self.engine.check(entering, &seen)?;
        let input = entering.iter().position(|entering| entering.place == picked);
        let output = leaving.iter().position(|leaving| leaving.name == name);
        let over = input.zip(output).and_then(|(input, output)| {
            let over = Over { input, output };
            let once = entering.iter().filter(|entering| entering.place == picked).count() == 1;
            let sides = sides_of(program.as_ref()?.over(over)?.shape, plan.sides());
            (once && seen[input].strides == dense(sides)).then_some(over)
        });
        let strides: Vec<_> = seen.iter().map(|seen| seen.strides).collect();
        let (Some(over), Some(program), [first, ..]) = (over, program, leaving) else {
            let given = with(inputs, name, Slice::new(shape, elements.to_vec())?);
            return self.value_and_grad_into(&given, &mut together((name, elements), grads));
        };
        // The same arguments, without the elements that are written.
        let shaped = with(inputs, name, Slice::of(shape, (&[]).into()));
        let (picks, arrays) = (shaped.unchecked_picks(plan)?, shaped.arrays());
        let read =
            |(place, strides): (usize, [usize; 3])| match (&entering[place], place == over.input) {
                (_, true) => Ok(Seen { elements: (&[]).into(), strides }),
                (entering, false) => see(entering, &arrays),
            };
        let seen = strides.into_iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
        let mut value = vec![T::of(0.0); first.shape.iter().product()];
        let mut grads = together((name, elements), grads);
        let mut buffers = buffers(leaving, &mut value, &mut grads)?;
        let given = (seen.as_slice(), picks.labels.as_slice(), Some(over));
        let orders = self.engine.fill(plan, program, given, &mut buffers)?;
        Slice::from_elements(&first.shape, value, orders[0])
    }

    /// The plan and its program, made unless there is one for such arguments.
    fn planned<A: Strided<Element = T>>(
        &mut self,
        inputs: &Inputs<A>,
    ) -> Result<&(Plan, Option<Program>), Error> {
        let fits = self.made.as_ref().is_some_and(|(plan, _)| inputs.fit(&self.engine, plan));
        if !fits {
            let plan = self.objective.plan(&self.engine, inputs)?;
            let program = self.engine.program::<T>(&plan, true);
            self.made = Some((plan, program));
        }
        self.made.as_ref().ok_or_else(no_value)
    }

    /// The class indices that a plan wants, all in range.
    fn picks<'i, A: Strided<Element = T>>(
        &self,
        plan: &Plan,
        inputs: &'i Inputs<A>,
    ) -> Result<Picks<'i>, Error> {
        let picks = inputs.unchecked_picks(plan)?;
        check_labels(&self.engine, &picks.labels)?;
        Ok(picks)
    }
}

/// One argument more.
fn with<'a, T: Clone>(
    inputs: &Inputs<Slice<'a, T>>,
    name: &str,
    array: Slice<'a, T>,
) -> Inputs<Slice<'a, T>> {
    inputs.clone().tensor(name, array)
}

/// One buffer more.
fn together<'g, T>(
    one: (&'g str, &'g mut [T]),
    others: &'g mut [(&str, &mut [T])],
) -> Vec<(&'g str, &'g mut [T])> {
    let others = others.iter_mut().map(|(name, buffer)| (&**name, &mut **buffer));
    [one].into_iter().chain(others).collect()
}

/// Where the value and the gradients go, in their order.
fn buffers<'g, T>(
    leaving: &[Leaving],
    value: &'g mut [T],
    grads: &'g mut [(&str, &mut [T])],
) -> Result<Vec<&'g mut [T]>, Error> {
    let of = |name: &str| leaving.iter().skip(1).find(|leaving| leaving.name == name);
    let fault = |fault: String| Err(Error::Objective { fault });
    if let Some((name, _)) = grads.iter().find(|(name, _)| of(name).is_none()) {
        return fault(format!("it has no gradient in {name}: give no buffer for it"));
    }
    let twice = |(place, (name, _)): &(usize, &(&str, &mut [T]))| {
        grads[..*place].iter().any(|(other, _)| other == name)
    };
    if let Some((_, (name, _))) = grads.iter().enumerate().find(twice) {
        return fault(format!("two buffers for its gradient in {name}: give one"));
    }
    let mut buffers = vec![value];
    let mut given: Vec<_> = grads.iter_mut().map(Some).collect();
    for leaving in leaving.iter().skip(1) {
        let buffer = given
            .iter_mut()
            .find(|buffer| buffer.as_ref().is_some_and(|(name, _)| *name == leaving.name));
        let Some((_, buffer)) = buffer.and_then(Option::take) else {
            let name = &leaving.name;
            return fault(format!("no buffer for its gradient in {name}: make it constant"));
        };
        let (expected, got) = (leaving.shape.iter().product(), buffer.len());
        if got != expected {
            let shape = leaving.shape.clone();
            return Err(Error::Length { shape, expected, got });
        }
        buffers.push(buffer);
    }
    Ok(buffers)
}

fn no_value() -> Error {
    Error::Objective { fault: "it has no value".into() }
}

/// Brings the elements of a matrix from one order into another.
fn reorder<T: Copy>(elements: &mut [T], shape: &[usize], from: Order, to: Order) {
    if let (true, &[rows, columns]) = (from != to, shape) {
        let turned = match from {
            Order::ColumnMajor => from.row_major(elements.to_vec(), shape),
            Order::RowMajor => Order::ColumnMajor.row_major(elements.to_vec(), &[columns, rows]),
        };
        elements.copy_from_slice(&turned);
    }
}
