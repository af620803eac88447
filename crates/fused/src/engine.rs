//! The runner: arrays in, passes in order with the numbers between them, arrays out.

use crate::domain;
use crate::element::Element;
use crate::math::Lane;
use crate::program::{Over, Program};
use crate::run::Run;
use crate::simd::{Level, Work};
use lossmith_core::plan::{Entering, Leaving, Picks};
use lossmith_core::strided::{Order, Seen, Slice, Strided, gather};
use lossmith_core::{Dense, Error, Labels, Plan, Reference, Runner};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::any::Any;
use std::error::Error as _;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex};

/// Up to so many elements in a walk, one thread is faster than several.
pub(crate) const ALONE: usize = 65_536;

/// Up to so many elements, a loss that is run once is sooner done op by op than its compiled loops are found.
const LOOPS: usize = 32_768;

/// More threads than any machine has use for.
const MOST_THREADS: usize = 4096;

/// The fused engine.
///
/// It keeps the memory that its threads work in for the next run, some for each format, as much as any run needed, until
/// it and its clones, which share that, are dropped.
#[derive(Clone, Debug)]
pub struct Fused {
    pub(crate) level: Level,
    /// Whether the loops that were compiled for the catalogue's losses are used.
    compiled: bool,
    pool: Option<Arc<ThreadPool>>,
    pub(crate) memory: Arc<Memory>,
}

impl Default for Fused {
    fn default() -> Self {
        Self::new()
    }
}

impl Fused {
    /// The engine with the best instructions of this machine and rayon's threads.
    #[must_use]
    pub fn new() -> Self {
        Self { level: Level::detect(), compiled: true, pool: None, memory: Arc::default() }
    }

    /// The engine with those instructions, to the same bits; where the machine lacks them, with the baseline's.
    ///
    /// ```
    /// use lossmith_fused::{Fused, Level};
    ///
    /// for level in Level::available() {
    ///     println!("{level}: {:?}", Fused::new().level(level));
    /// }
    /// assert!(Level::available().contains(&Level::detect()));
    /// ```
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// The engine without the loops that were compiled for the catalogue's losses: it runs each op by op, as it does a
    /// loss that is not of the catalogue, to the same bits.
    #[doc(hidden)]
    #[must_use]
    pub fn op_by_op(mut self) -> Self {
        self.compiled = false;
        self
    }

    /// The engine with so many threads of its own; with 0, as many as the machine has cores.
    ///
    /// # Errors
    /// [`Error::OptionValue`] if there are more than 4096, [`Error::Backend`] if they cannot be started.
    ///
    /// ```
    /// use lossmith_core::{Inputs, loss::l1, strided::Slice};
    /// use lossmith_fused::Fused;
    ///
    /// let (x, t) = (vec![0.1_f32; 100_000], vec![0.0_f32; 100_000]);
    /// let inputs = Inputs::<Slice<f32>>::new()
    ///     .tensor("input", Slice::new(&[100_000], x)?)
    ///     .tensor("target", Slice::new(&[100_000], t)?);
    /// let one = l1().value_and_grad(&Fused::new().threads(1)?, &inputs)?;
    /// let four = l1().value_and_grad(&Fused::new().threads(4)?, &inputs)?;
    /// assert_eq!(one.value.data(), four.value.data());
    /// # Ok::<(), lossmith_core::Error>(())
    /// ```
    pub fn threads(mut self, threads: usize) -> Result<Self, Error> {
        if threads > MOST_THREADS {
            let (loss, option, value) = ("the fused engine", "threads", threads.to_string());
            let expected = format!("an integer from 0 to {MOST_THREADS}");
            return Err(Error::OptionValue { loss, option, value, expected });
        }
        let pool = ThreadPoolBuilder::new().num_threads(threads).build();
        self.pool = Some(Arc::new(pool.map_err(Error::backend)?));
        Ok(self)
    }
}

impl<A> Runner<A> for Fused
where
    A: Strided,
    A::Element: Element,
{
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
        let program = self.program::<A::Element>(plan, false);
        self.outputs(plan, program.as_ref(), arrays, picks)
    }
}

impl Fused {
    /// The program of a plan, to be run once or again and again; none where a plan is none of passes.
    pub(crate) fn program<T: Element>(&self, plan: &Plan, again: bool) -> Option<Program> {
        let mut program = Program::new(plan)?;
        let much = || plan.sides().iter().any(|sides| sides.iter().product::<usize>() > LOOPS);
        let any = T::Compute::compiled(0).is_some();
        if self.compiled && any && (again || much()) {
            program.compile();
        }
        Some(program)
    }

    /// What leaves the plan, in arrays of its own.
    pub(crate) fn outputs<A>(
        &self,
        plan: &Plan,
        program: Option<&Program>,
        arrays: &[Option<&A>],
        picks: &Picks<'_>,
    ) -> Result<Vec<A::Output>, Error>
    where
        A: Strided,
        A::Element: Element,
    {
        let inputs = enter(self, plan, arrays)?;
        let Some(program) = program else {
            let outputs = slowly(plan, arrays, picks)?.into_iter().zip(plan.leaving());
            let array = |(elements, leaving): (Vec<_>, &Leaving)| {
                A::from_elements(&leaving.shape, elements, Order::RowMajor)
            };
            return outputs.map(array).collect();
        };
        let mut buffers: Vec<Vec<A::Element>> = plan
            .leaving()
            .iter()
            .map(|leaving| vec![A::Element::of(0.0); leaving.shape.iter().product()])
            .collect();
        let mut slices: Vec<_> = buffers.iter_mut().map(Vec::as_mut_slice).collect();
        let given = (inputs.as_slice(), picks.labels.as_slice(), None);
        let orders = self.fill(plan, program, given, &mut slices)?;
        let outputs = plan.leaving().iter().zip(buffers).zip(orders);
        outputs
            .map(|((leaving, buffer), order)| A::from_elements(&leaving.shape, buffer, order))
            .collect()
    }

    /// Writes what leaves the plan into the buffers, and says in which order each was written.
    ///
    /// Of the arguments' domains nothing has to be known, but where one is written over.
    pub(crate) fn fill<T: Element>(
        &self,
        plan: &Plan,
        program: &Program,
        (inputs, labels, over): (&[Seen<'_, T>], &[Labels<'_>], Option<Over>),
        buffers: &mut [&mut [T]],
    ) -> Result<Vec<Order>, Error> {
        let (sides, entering, leaving) = (plan.sides(), plan.entering(), plan.leaving());
        let run = Run { engine: self, sides, entering, leaving, program, inputs, labels, over };
        let elements = sides.iter().map(|sides| sides.iter().product()).max().unwrap_or(0);
        // A product of small matrices may be much work.
        let elements = if program.joins() { usize::MAX } else { elements };
        self.on_threads(elements, || run.phases(buffers))
    }

    /// Checks that what entered is in its domains.
    pub(crate) fn check<T: Element>(
        &self,
        entering: &[Entering],
        inputs: &[Seen<'_, T>],
    ) -> Result<(), Error> {
        let elements = inputs.iter().map(|seen| seen.elements.len()).max().unwrap_or(0);
        self.on_threads(elements, || {
            let mut all = entering.iter().zip(inputs);
            all.try_for_each(|(entering, seen)| domain::check(self.level, entering, seen))
        })
    }

    /// Starts rayon's threads unless they have been: where they cannot be started, what asks for them panics.
    fn workers(&self) -> Result<(), Error> {
        static FAULT: LazyLock<Option<ThreadPoolBuildError>> = LazyLock::new(|| {
            let fault = ThreadPoolBuilder::new().build_global().err()?;
            // Without a source it is that they are there already.
            fault.source().is_some().then_some(fault)
        });
        match (&self.pool, &*FAULT) {
            (None, Some(fault)) => Err(Error::backend(fault)),
            (Some(_), _) | (None, None) => Ok(()),
        }
    }

    /// Does it on the engine's own threads, if it has any and there is more than one thread does alone.
    fn on_threads<O: Send>(&self, elements: usize, work: impl FnOnce() -> O + Send) -> O {
        match &self.pool {
            Some(threads) if elements > ALONE => threads.install(work),
            Some(_) | None => work(),
        }
    }
}

/// Memory that blocks have worked in, for the next: of each kind as many pieces as were in use at a time.
#[derive(Default)]
pub(crate) struct Memory(Mutex<Vec<Box<dyn Any + Send>>>);

impl fmt::Debug for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory").finish_non_exhaustive()
    }
}

impl Memory {
    /// A piece of that kind, a used one if there is any.
    pub(crate) fn take<M: Any + Send + Default>(&self) -> Box<M> {
        let used = self.0.lock().ok().and_then(|mut all| {
            let place = all.iter().rposition(|one| one.is::<M>())?;
            all.swap_remove(place).downcast().ok()
        });
        used.unwrap_or_default()
    }

    pub(crate) fn give(&self, memory: Box<dyn Any + Send>) {
        if let Ok(mut all) = self.0.lock() {
            all.push(memory);
        }
    }
}

/// The arrays of a plan's arguments as it reads them.
pub(crate) fn enter<'a, A>(
    engine: &Fused,
    plan: &Plan,
    arrays: &[Option<&'a A>],
) -> Result<Vec<Seen<'a, A::Element>>, Error>
where
    A: Strided,
    A::Element: Element,
{
    engine.workers()?;
    plan.entering().iter().map(|entering| see(entering, arrays)).collect()
}

/// An argument's array as a plan reads it.
pub(crate) fn see<'a, A: Strided>(
    entering: &Entering,
    arrays: &[Option<&'a A>],
) -> Result<Seen<'a, A::Element>, Error> {
    let array = arrays[entering.place].ok_or(Error::Unsupported { power: "an array" })?;
    Seen::new(array, &entering.view)
}

/// The engine on host arrays of `f64`, each rounded into a format on its way in: for tools, tests and judges.
#[derive(Clone, Debug)]
pub struct Rounded<T> {
    engine: Fused,
    format: PhantomData<T>,
}

impl Fused {
    /// The engine in a format, on host arrays of `f64`.
    ///
    /// ```
    /// use half::bf16;
    /// use lossmith_core::{Dense, Inputs, loss::mse};
    /// use lossmith_fused::Fused;
    ///
    /// let inputs = Inputs::<Dense>::new().tensor("input", vec![1.001]).tensor("target", vec![0.0]);
    /// let loss = mse().value_and_grad(&Fused::new().rounded::<bf16>(), &inputs)?;
    /// assert_eq!(loss.value.data(), [1.0]);
    /// # Ok::<(), lossmith_core::Error>(())
    /// ```
    #[must_use]
    pub fn rounded<T: Element>(self) -> Rounded<T> {
        Rounded { engine: self, format: PhantomData }
    }
}

impl<T: Element> Runner<Dense> for Rounded<T> {
    type Output = Dense;

    fn shape(&self, array: &Dense) -> Vec<usize> {
        array.shape().to_vec()
    }

    fn run(
        &self,
        plan: &Plan,
        arrays: &[Option<&Dense>],
        picks: &Picks<'_>,
    ) -> Result<Vec<Dense>, Error> {
        let round = |array: &Dense| {
            let elements: Vec<T> = array.data().iter().map(|&x| T::of(x)).collect();
            Slice::new(array.shape(), elements)
        };
        let arrays = arrays.iter().map(|array| array.map(round).transpose());
        let arrays = arrays.collect::<Result<Vec<_>, Error>>()?;
        let arrays: Vec<_> = arrays.iter().map(Option::as_ref).collect();
        let outputs = self.engine.run(plan, &arrays, picks)?;
        let dense = |output: Slice<'_, T>| {
            Dense::new(output.shape(), output.data().iter().map(|x| x.widen().to_f64()).collect())
        };
        outputs.into_iter().map(dense).collect()
    }
}

/// Checks class indices, in vectors and by all threads.
pub(crate) fn check_labels(engine: &Fused, labels: &[Labels<'_>]) -> Result<(), Error> {
    labels.iter().try_for_each(|labels| {
        let count = labels.indices().len();
        let right = |part: usize| {
            let rows = part * ALONE..count.min((part + 1) * ALONE);
            engine.level.run(Labelled { labels, rows }).is_some()
        };
        let parts = count.div_ceil(ALONE);
        let all = match parts {
            0 | 1 => right(0),
            _ => engine.on_threads(count, || (0..parts).into_par_iter().all(right)),
        };
        if all { Ok(()) } else { labels.check() }
    })
}

/// How many rows have a label, if no index is out of range.
struct Labelled<'a> {
    labels: &'a Labels<'a>,
    rows: Range<usize>,
}

impl Work for Labelled<'_> {
    type Output = Option<usize>;

    #[inline(always)]
    fn run(self) -> Option<usize> {
        self.labels.labelled(self.rows)
    }
}

/// The elements of what leaves the plan, from the reference, for what no walk over one frame computes.
pub(crate) fn slowly<A>(
    plan: &Plan,
    arrays: &[Option<&A>],
    picks: &Picks<'_>,
) -> Result<Vec<Vec<A::Element>>, Error>
where
    A: Strided,
    A::Element: Element,
{
    let dense = |array: &&A| {
        let shape = array.shape();
        let (elements, strides) = array.elements();
        let elements = gather(&elements, &strides, &shape);
        Dense::new(&shape, elements.into_iter().map(|x| x.widen().to_f64()).collect())
    };
    let arrays = arrays.iter().map(|array| array.as_ref().map(dense).transpose());
    let arrays = arrays.collect::<Result<Vec<Option<Dense>>, Error>>()?;
    let arrays: Vec<_> = arrays.iter().map(Option::as_ref).collect();
    let outputs = Reference.run(plan, &arrays, picks)?.into_iter();
    Ok(outputs.map(|output| output.into_data().into_iter().map(A::Element::of).collect()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "helpers of tests")]
mod tests {
    use super::*;
    use crate::body::{Body, Lying};
    use crate::program::Stage;
    use lossmith_core::loss::cross_entropy;
    use lossmith_core::{Inputs, Objective};

    /// The loop of every stage for rows that lie so, if one is looked for.
    fn loops(program: Option<Program>, lying: Lying) -> Vec<Option<usize>> {
        let mut program = program.unwrap();
        let found = |stage: &mut Stage| stage.body(lying)?.compiled;
        program.stages().map(found).collect()
    }

    #[test]
    fn loops_are_looked_for_where_they_pay() {
        let plan = |rows: usize| {
            let logits = Dense::new(&[rows, 8], vec![0.0; rows * 8]).unwrap();
            let inputs = Inputs::<Dense>::new().tensor("input", logits);
            let inputs = inputs.labels("target", vec![0; rows]);
            Objective::from(cross_entropy()).plan(&Reference, &inputs).unwrap()
        };
        let (some, many) = (plan(LOOPS / 8), plan(LOOPS / 8 + 1));
        let engine = Fused::new();
        for lying in [Lying::Apart, Lying::Beside] {
            let mut program = Program::new(&many).unwrap();
            let body = |stage: &mut _| Body::new(stage, lying).and_then(|(body, _)| body.compiled);
            let all: Vec<_> = program.stages().map(body).collect();
            assert!(all.iter().any(Option::is_some));
            let none = vec![None; all.len()];
            assert_eq!(loops(engine.program::<f32>(&many, false), lying), all);
            assert_eq!(loops(engine.program::<f32>(&some, false), lying), none, "not enough");
            assert_eq!(loops(engine.program::<f32>(&some, true), lying), all, "run again");
            assert_eq!(loops(engine.program::<f64>(&many, true), lying), none, "f64 has none");
            let op_by_op = Fused::new().op_by_op();
            assert_eq!(loops(op_by_op.program::<f32>(&many, true), lying), none, "op by op");
        }
    }
}
