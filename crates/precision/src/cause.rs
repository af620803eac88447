//! Which op loses the bits: everything exact but one op at a time.

use crate::inputs::Class;
use crate::measure::units;
use crate::search::reduced;
use lossmith_core::graph::{NUMBER, Node};
use lossmith_core::op::Binary;
use lossmith_core::plan::{Picks, Plan};
use lossmith_core::{Backend, Dense, Error, Format, Inputs, Objective, Operand};
use lossmith_exact::{Big, BigArray, Oracle, Step, Tensor};
use lossmith_tests::Problem;
use lossmith_tests::backends::AnyLoss;

/// Of more elements than that only the sums are tried, as every op tried is an exact run.
const MANY: usize = 4096;

/// An op, and what a result is off where the op alone is the backend's.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The op's place in the graph.
    pub index: usize,
    /// The op.
    pub op: String,
    /// How far off the result is, in units in the last place.
    pub ulps: f64,
}

/// The ops that put an element of an output off, the worst first: each in turn is done by the backend, on its exact
/// arguments rounded to the format, and all others exactly. What is 0 on the host is `f64`, as ever.
///
/// # Errors
/// What the loss says of its arguments, or the backend.
pub fn causes<B: Backend>(
    backend: &B,
    loss: &AnyLoss,
    (problem, class): (&Problem, Class),
    format: Format,
    (output, index): (&str, usize),
    oracle: &Oracle,
) -> Result<Vec<Cause>, Error> {
    let loss = reduced(loss, class)?;
    let inputs: Inputs<Dense> = problem.inputs();
    let objective = Objective::from(loss);
    let plan = objective.plan(oracle, &inputs)?;
    let (arrays, picks) = (inputs.arrays(), inputs.picks(&plan)?);
    let run = Run { oracle, plan: &plan, arrays: &arrays, picks: &picks };
    let place = run.place(output);
    let element = |outputs: &[BigArray]| {
        place.and_then(|place| outputs.get(place)?.data().get(index).cloned()).unwrap_or(Big::Nan)
    };
    let mut ops = Vec::new();
    let exact = oracle.watched(&plan, &arrays, &picks, &mut |step| {
        ops.push((step.index, step.node));
        None
    })?;
    let exact = element(&exact);
    let mut causes = Vec::new();
    // A long sum's terms are as of any other class, and there are many.
    let sums =
        |node| matches!(node, Node::Fold(..) | Node::Reduce(..) | Node::Put(..) | Node::Matmul(..));
    let size: usize = problem.numbers.iter().map(|(_, array)| array.data().len()).sum();
    let long = class.sized() || size > MANY;
    for (place, node) in ops.into_iter().filter(|&(_, node)| !long || sums(node)) {
        // What leaves is not rounded again, so that the op's own error is seen.
        let got = element(&run.but_one(backend, place)?);
        let ulps = if got == exact { 0.0 } else { units(&got, &exact, format) };
        if ulps > 0.0 || ulps.is_nan() {
            causes.push(Cause { index: place, op: word(node), ulps });
        }
    }
    causes.sort_by(|a, b| b.ulps.total_cmp(&a.ulps));
    Ok(causes)
}

/// An op whose results the format cannot hold.
#[derive(Clone, Debug)]
pub struct Overflow {
    /// The op.
    pub op: String,
    /// How many of its results are infinite or NaN where the exact ones are neither.
    pub elements: usize,
}

/// The first op that overflows on the backend and takes that output with it; none where it is the result itself that
/// the format cannot hold, or nothing.
///
/// # Errors
/// What the loss says of its arguments, or the backend.
pub fn overflow<B: Backend>(
    backend: &B,
    loss: &AnyLoss,
    problem: &Problem,
    output: &str,
    oracle: &Oracle,
) -> Result<Option<Overflow>, Error> {
    let inputs: Inputs<Dense> = problem.inputs();
    let plan = Objective::from(loss.clone()).plan(oracle, &inputs)?;
    let (arrays, picks) = (inputs.arrays(), inputs.picks(&plan)?);
    let run = Run { oracle, plan: &plan, arrays: &arrays, picks: &picks };
    let Some(leaving) = run.place(output) else { return Ok(None) };
    let (mut found, mut fault) = (Vec::new(), None);
    let exact = oracle.watched(&plan, &arrays, &picks, &mut |step| {
        match done(backend, step, &picks) {
            Ok(Some(got)) => {
                let elements = lost(got.data(), step.value.data());
                found.extend((elements > 0).then_some((step.index, step.node, elements)));
            }
            Ok(None) => {}
            Err(error) => fault = Some(error),
        }
        None
    })?;
    if let Some(error) = fault {
        return Err(Error::backend(error));
    }
    for (index, node, elements) in found {
        let got = run.but_one(backend, index)?;
        if lost(got[leaving].data(), exact[leaving].data()) > 0 {
            return Ok(Some(Overflow { op: word(node), elements }));
        }
    }
    Ok(None)
}

/// How many are infinite or NaN where the exact ones are neither.
fn lost(got: &[Big], exact: &[Big]) -> usize {
    got.iter().zip(exact).filter(|(got, exact)| exact.is_finite() && !got.is_finite()).count()
}

/// A plan on its inputs.
struct Run<'a> {
    oracle: &'a Oracle,
    plan: &'a Plan,
    arrays: &'a [Option<&'a Dense>],
    picks: &'a Picks<'a>,
}

impl Run<'_> {
    /// Which of what leaves is that output.
    fn place(&self, output: &str) -> Option<usize> {
        let argument = output.strip_prefix("grad.").unwrap_or("");
        self.plan.leaving().iter().position(|leaving| leaving.name == argument)
    }

    /// What leaves when all is exact but the op at that place, which the backend does.
    fn but_one<B: Backend>(&self, backend: &B, place: usize) -> Result<Vec<BigArray>, Error> {
        let mut fault = None;
        let got = self.oracle.watched(self.plan, self.arrays, self.picks, &mut |step| {
            if step.index != place {
                return None;
            }
            done(backend, step, self.picks).unwrap_or_else(|error| {
                fault = Some(error);
                None
            })
        })?;
        fault.map_or(Ok(got), |error| Err(Error::backend(error)))
    }
}

/// What the backend makes of a step; none for what is exact on it.
fn done<B: Backend>(
    backend: &B,
    step: &Step<'_>,
    picks: &Picks<'_>,
) -> Result<Option<Tensor>, B::Error> {
    let narrow = |tensor: &Tensor| tensor.data().iter().map(Big::to_f64).collect::<Vec<_>>();
    let mut arguments = Vec::new();
    for argument in step.arguments {
        let data = narrow(argument);
        arguments.push(if argument.sides() == [1; 3] && step.sides != [1; 3] {
            Operand::Scalar(data[0])
        } else {
            Operand::Owned(backend.upload(argument.sides(), &data)?)
        });
    }
    let mut arguments = arguments.into_iter();
    let mut next = || arguments.next().unwrap_or(Operand::Scalar(f64::NAN));
    let tensor = match step.node {
        // A number on the host is an f64.
        _ if step.shape == NUMBER && !matches!(step.node, Node::Fold(..)) => {
            let data = narrow(step.value);
            return Ok(Some(step.value.with(data.into_iter().map(Big::from))));
        }
        Node::Input(_) | Node::Constant(_) | Node::Size(..) | Node::Spread(_) | Node::Detach(_) => {
            return Ok(None);
        }
        Node::Fold(op, _) => {
            let number = backend.fold(op, next())?;
            return Ok(Some(step.value.with([Big::from(number)])));
        }
        Node::Unary(op, _) => backend.unary(op, next())?,
        Node::Binary(op, ..) => backend.binary(op, next(), next())?,
        Node::Select(op, ..) => backend.select(op, [next(), next()], [next(), next()])?,
        Node::Reduce(op, _, axis) => backend.reduce(op, next(), axis)?,
        Node::AtLabel(labels, ..) => {
            let labels = backend.labels(&picks.labels[labels])?;
            backend.at_label(&labels, next(), next())?
        }
        Node::Matmul(_, _, [turn_a, turn_b]) => {
            let (a, b) = (next(), next());
            match (backend.powers().matmul, a.tensor(), b.tensor()) {
                (Some(power), Some(a), Some(b)) => {
                    power.matmul((a, turn_a), (b, turn_b), step.sides)?
                }
                _ => return Ok(None),
            }
        }
        Node::Take(table, _, bits) => match (backend.powers().take, next().tensor()) {
            (Some(power), Some(x)) => power.take(x, &picks.tables[table], f64::from_bits(bits))?,
            _ => return Ok(None),
        },
        Node::Put(table, _) => match (backend.powers().take, next().tensor()) {
            (Some(power), Some(x)) => power.put(x, &picks.tables[table])?,
            _ => return Ok(None),
        },
    };
    let data = backend.download(&tensor)?;
    Ok(Some(step.value.with(data.into_iter().map(Big::from))))
}

/// The op in words.
fn word(node: Node) -> String {
    match node {
        Node::Unary(op, _) => format!("{op:?}").to_lowercase(),
        Node::Binary(Binary::Mul, a, b) if a == b => "square".into(),
        Node::Binary(op, ..) => format!("{op:?}").to_lowercase(),
        Node::Select(op, ..) => format!("select {op:?}").to_lowercase(),
        Node::Reduce(op, _, axis) => format!("{op:?} over {axis:?}").to_lowercase(),
        Node::Fold(op, _) => format!("{op:?} of all").to_lowercase(),
        Node::Constant(bits) => format!("the constant {}", f64::from_bits(bits)),
        Node::Input(_) => "input".into(),
        Node::Size(axis, _) => format!("the size of {axis:?}").to_lowercase(),
        Node::AtLabel(..) => "at_label".into(),
        Node::Take(..) => "take".into(),
        Node::Put(..) => "put".into(),
        Node::Matmul(..) => "matmul".into(),
        Node::Spread(_) => "spread".into(),
        Node::Detach(_) => "detach".into(),
    }
}
