//! The suite itself: the reference certified by it, a runner that is no backend, and its verdicts.

use lossmith_conformance::{
    Claim, Level, Report, Runner, conformance, conformance_losses, loss, op,
};
use lossmith_core::loss::Definition;
use lossmith_core::{Dense, Error, Evaluation, Format, Inputs, Loss, Reference};

conformance!(reference, Reference, Format::F64);

/// What a foreign library is to the suite: no ops and no plan, only losses; the factor is its fault.
struct Whole(f64);

impl Runner for Whole {
    fn value_and_grad(
        &self,
        loss: &Loss<Box<dyn Definition>>,
        inputs: &Inputs<Dense>,
    ) -> Result<Evaluation<Dense>, Error> {
        let Evaluation { value, grads } = loss.value_and_grad(&Reference, inputs)?;
        let off = |(name, grad): (String, Dense)| (name, grad.map(|x| x * self.0));
        Ok(Evaluation { value, grads: grads.into_iter().map(off).collect() })
    }
}

conformance_losses!(no_backend, Whole(1.0), Format::F64, tolerance = 2.0);

#[test]
fn wrong_gradients_fail_each_phase_that_has_losses() {
    let claim = Claim::new(Format::F64);
    for phase in ["golden", "edges", "gradients", "many_classes"] {
        let report = loss(&Whole(1.001), &claim, phase);
        let (name, what) = &report.failures[0];
        assert!(name.starts_with(&format!("{phase}: ")), "{name}");
        assert!(what.contains("grad.input") && what.contains("ULP"), "{what}");
    }
}

fn failing(names: &[&str]) -> Report {
    let failures = names.iter().map(|&name| (name.into(), "wrong".into())).collect();
    Report { passed: 7, failures, ..Report::default() }
}

#[test]
fn only_expected_failures_pass_and_they_have_to_fail() {
    let expected_failures = &["exp: limits", "ln: limits"];
    let claim = Claim { expected_failures, ..Claim::new(Format::F32) };
    assert_eq!(claim.verdict("exp", &failing(&["exp: limits"])), Ok(()));
    let verdict = claim.verdict("exp", &failing(&["exp: limits", "exp: numbers"]));
    assert_eq!(verdict, Err("exp: numbers: wrong".into()));
    let verdict = claim.verdict("exp", &failing(&[]));
    assert_eq!(verdict, Err("exp: limits: does not fail, though it is expected to".into()));
}

#[test]
fn what_no_test_would_see_is_an_error() {
    let claim = Claim { expected_failures: &["exq: limits"], ..Claim::new(Format::F32) };
    let phases: Vec<_> = lossmith_conformance::loss_phases().collect();
    let covers = claim.covers(Level::Loss, &phases);
    assert_eq!(covers, Err("exq: limits: is no phase and case".into()));
    let covers = Claim::new(Format::F32).covers(Level::Op, &phases);
    assert!(covers.is_err_and(|what| what.contains("at_label: has no test")));
    let report = op(&Reference, &claim, "exq");
    assert_eq!(
        report.to_string(),
        "0 passed, 0 unsupported, 1 failed, 0 elements unjudged\nexq: there is no such phase"
    );
}
