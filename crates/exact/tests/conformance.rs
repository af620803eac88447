//! Both certified: the backend, and the judge on the loss level.

use lossmith_conformance::{Runner, conformance, conformance_losses};
use lossmith_core::loss::Definition;
use lossmith_core::op::{Axis, Reduce};
use lossmith_core::{Backend, Dense, Error, Evaluation, Format, Inputs, Loss, Operand};
use lossmith_exact::{Exact, Oracle};

// The judge of these two is f64, and the one that is off, by 14 and 32 units; see the test below.
conformance!(
    exact,
    Exact::new(),
    Format::F64,
    expected_failures = ["reduce_sum: a long sum", "put: a long sum"],
);

#[test]
fn a_long_sum_is_exact() {
    let (exact, count) = (Exact::new(), 60_000);
    let tenths = exact.upload([count, 1, 1], &vec![0.1; count]).unwrap();
    let sum = exact.reduce(Reduce::Sum, Operand::Owned(tenths), Axis::Batch).unwrap();
    // 60,000 times what f64 has for 0.1.
    assert_eq!(sum.data()[0].decimal(30), "6000.00000000000033306690738755");
    assert_eq!(exact.download(&sum).unwrap(), [6000.0]);
}

/// The oracle with its results narrowed.
struct Narrowed(Oracle);

impl Runner for Narrowed {
    fn value_and_grad(
        &self,
        loss: &Loss<Box<dyn Definition>>,
        inputs: &Inputs<Dense>,
    ) -> Result<Evaluation<Dense>, Error> {
        let Evaluation { value, grads } = loss.value_and_grad(&self.0, inputs)?;
        let grads = grads.into_iter().map(|(name, grad)| Ok((name, grad.rounded(Format::F64)?)));
        let grads = grads.collect::<Result<_, Error>>()?;
        Ok(Evaluation { value: value.rounded(Format::F64)?, grads })
    }
}

conformance_losses!(oracle, Narrowed(Oracle::new()), Format::F64);
