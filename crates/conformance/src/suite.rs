//! What a backend claims, the verdict on it, and the macro that names the tests.

use crate::certify::Report;
use crate::losses::loss_phases;
use crate::ops::op_phases;
use lossmith_core::{Error, Format};
use std::fmt;

/// What a backend claims of itself.
#[derive(Clone, Copy, Debug)]
pub struct Claim {
    /// The format of its numbers.
    pub format: Format,
    /// How many times the error that correct rounding of every op explains it may be off; 1 by default.
    pub tolerance: f64,
    /// The cases it is known to fail, each as the failure is named: `reduce_sum: ones`.
    pub expected_failures: &'static [&'static str],
}

impl Claim {
    /// That everything is right in that format.
    #[must_use]
    pub const fn new(format: Format) -> Self {
        Self { format, tolerance: 1.0, expected_failures: &[] }
    }

    /// Whether a phase's report is what is claimed: no failure but the expected ones, and all of these.
    ///
    /// # Errors
    /// Every failure with what was got and expected, and every expected failure that is none.
    pub fn verdict(&self, phase: &str, report: &Report) -> Result<(), String> {
        let of_phase = |name: &&&str| name.split(':').next() == Some(phase);
        let wrong = report.failures.iter().filter(|(name, _)| !self.expects(name));
        let mut wrong: Vec<_> = wrong.map(|(name, what)| format!("{name}: {what}")).collect();
        for expected in self.expected_failures.iter().filter(of_phase) {
            if report.failures.iter().all(|(name, _)| name != expected) {
                wrong.push(format!("{expected}: does not fail, though it is expected to"));
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    /// Whether every phase of the level has a test, and every expected failure a phase.
    ///
    /// # Errors
    /// The phases without a test, and the expected failures that no test would see.
    pub fn covers(&self, level: Level, tests: &[&str]) -> Result<(), String> {
        let ops = op_phases().filter(|_| level == Level::Op);
        let phases: Vec<_> = ops.chain(loss_phases()).collect();
        let missing = phases.iter().filter(|phase| !tests.contains(phase));
        let mut wrong: Vec<_> = missing.map(|phase| format!("{phase}: has no test")).collect();
        let astray = self.expected_failures.iter().filter(|expected| {
            !expected.split_once(": ").is_some_and(|(phase, _)| phases.contains(&phase))
        });
        wrong.extend(astray.map(|name| format!("{name}: is no phase and case")));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
    }

    fn expects(&self, name: &str) -> bool {
        self.expected_failures.contains(&name)
    }
}

/// How much of a backend is certified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Its ops, and the losses on them.
    Op,
    /// The losses only: of what runs them otherwise than op by op.
    Loss,
}

impl Report {
    /// Both reports as one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.passed += other.passed;
        self.unsupported += other.unsupported;
        self.unjudged += other.unjudged;
        self.failures.extend(other.failures);
        self
    }

    /// Enters what came of a case: nothing, what is wrong with it, or an error, a backend's own being no fault.
    pub(crate) fn enter(&mut self, name: String, what: Result<Option<String>, Error>) {
        match what {
            Ok(None) => self.passed += 1,
            Ok(Some(what)) => self.failures.push((name, what)),
            Err(Error::Backend(_) | Error::Unsupported { .. }) => self.unsupported += 1,
            Err(error) => self.failures.push((name, error.to_string())),
        }
    }

    /// How many of what ran, in one line.
    #[must_use]
    pub fn coverage(&self) -> String {
        let Self { passed, unsupported, unjudged, failures } = self;
        let failed = failures.len();
        format!(
            "{passed} passed, {unsupported} unsupported, {failed} failed, {unjudged} elements unjudged"
        )
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.coverage())?;
        self.failures.iter().try_for_each(|(name, what)| write!(f, "\n{name}: {what}"))
    }
}

/// How far apart two numbers are, in units in the last place of the second.
pub(crate) fn ulps(got: f64, expected: f64, format: Format) -> String {
    format!("{:.3} ULP", (got - expected).abs() / format.ulp(expected))
}

/// Certifies a backend: expands to a module of named tests, one a phase of the op level and of the loss level.
///
/// The arguments are the module's name, an expression of the backend and its [`Format`]; then, if need be and in this
/// order, `tolerance`, [how many times](Claim::tolerance) the explained error is right, and `expected_failures`, the
/// names of the cases known to fail: one that passes is an error.
///
/// ```
/// use lossmith_core::{Format, Reference};
///
/// lossmith_conformance::conformance!(reference, Reference, Format::F64);
/// ```
///
/// What runs losses otherwise than op by op, as a [`Runner`](crate::Runner), takes
/// [`conformance_losses!`](crate::conformance_losses).
#[macro_export]
macro_rules! conformance {
    ($name:ident, $($claim:tt)*) => {
        $crate::__tests! {
            $name Op
            [
                transfer neg abs sign exp expm1 ln ln1p sqrt sigmoid softplus
                add sub mul div weigh exp_sub log_add_exp select_eq select_lt select_le
                reduce_sum reduce_max fold_sum fold_max at_label matmul take put
            ]
            [golden samples edges gradients many_classes many_rows]
            $($claim)*
        }
    };
}

/// Certifies a [`Runner`](crate::Runner) on the loss level only; the arguments are those of [`conformance!`].
#[macro_export]
macro_rules! conformance_losses {
    ($name:ident, $($claim:tt)*) => {
        $crate::__tests! {
            $name Loss [] [golden samples edges gradients many_classes many_rows] $($claim)*
        }
    };
}

/// The tests of both macros, by the names of their phases.
#[doc(hidden)]
#[macro_export]
macro_rules! __tests {
    (
        $name:ident $level:ident [$($op:ident)*] [$($loss:ident)*] $backend:expr, $format:expr
        $(, tolerance = $tolerance:expr)? $(, expected_failures = $expected:expr)? $(,)?
    ) => {
        #[cfg(test)]
        mod $name {
            #[allow(unused_imports, reason = "the backend may be a path of its own")]
            use super::*;

            #[allow(clippy::needless_update, reason = "either may be left out")]
            const CLAIM: $crate::Claim = $crate::Claim {
                $(tolerance: $tolerance,)?
                $(expected_failures: &$expected,)?
                ..$crate::Claim::new($format)
            };

            #[test]
            fn every_phase_has_its_test() {
                let tests = [$(stringify!($op),)* $(stringify!($loss)),*];
                if let Err(what) = CLAIM.covers($crate::Level::$level, &tests) {
                    panic!("{what}");
                }
            }

            $(
                #[test]
                fn $op() {
                    let phase = stringify!($op);
                    $crate::test(&CLAIM, phase, &$crate::op(&$backend, &CLAIM, phase));
                }
            )*

            $(
                #[test]
                fn $loss() {
                    let phase = stringify!($loss);
                    $crate::test(&CLAIM, phase, &$crate::loss(&$backend, &CLAIM, phase));
                }
            )*
        }
    };
}

/// Prints how much of a phase ran, and panics if what came of it is not what is claimed.
///
/// # Panics
/// If it is not what is claimed, as a test does.
#[doc(hidden)]
pub fn test(claim: &Claim, phase: &str, report: &Report) {
    println!("{phase}: {}", report.coverage());
    if let Err(what) = claim.verdict(phase, report) {
        panic!("{what}");
    }
}
