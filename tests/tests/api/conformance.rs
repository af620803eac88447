mod case {
    #[derive(Clone, Debug, Deserialize)]
    pub struct Case {
        pub name: String,
        pub loss: String,
        pub formats: Vec<String>,
        pub note: Option<String>,
        pub error: Option<String>,
        pub origins: Vec<(String, usize)>,
        private: _,
    }
    impl Case {
        pub fn loss(&self) -> Result<Loss<Box<dyn Definition>>, Error> {}
        pub fn inputs(&self, format: Format) -> Result<Inputs<Dense>, Error> {}
        #[must_use]
        pub fn unchecked(&self) -> Option<Self> {}
        pub fn run<B: Backend>(
            &self,
            backend: &B,
            format: Format,
        ) -> Result<Evaluation<Dense>, Error> {}
        pub fn expected(&self) -> Result<Evaluation<Dense>, Error> {}
    }
    #[must_use]
    pub fn golden() -> Vec<Case> {}
    #[must_use]
    pub fn edges() -> Vec<Case> {}
    #[must_use]
    pub fn samples() -> Vec<Case> {}
}
mod certify {
    #[derive(Clone, Debug, Default)]
    pub struct Report {
        pub passed: usize,
        pub unsupported: usize,
        pub unjudged: usize,
        pub failures: Vec<(String, String)>,
    }
}
mod judge {
    #[derive(Clone, Debug, PartialEq)]
    pub struct Mismatch {
        pub output: String,
        pub index: usize,
        pub got: f64,
        pub expected: f64,
    }
    impl fmt::Display for Mismatch {}
    #[derive(Clone, Debug)]
    pub enum Tolerance {
        Relative { own: f64, largest: f64 },
        Bound(Evaluation<Dense>),
    }
    impl Tolerance {
        #[must_use]
        pub fn times(self, factor: f64) -> Self {}
    }
    #[must_use]
    pub fn judge(
        got: &Evaluation<Dense>,
        expected: &Evaluation<Dense>,
        tolerance: &Tolerance,
        format: Format,
    ) -> Option<Mismatch> {}
}
mod losses {
    pub trait Runner {
        fn value_and_grad(
            &self,
            loss: &Loss<Box<dyn Definition>>,
            inputs: &Inputs<Dense>,
        ) -> Result<Evaluation<Dense>, Error>;
    }
    impl<R: lossmith_core::Runner<Dense, Output = Dense>> Runner for R {}
    pub fn loss_phases() -> impl Iterator<Item = &'static str> {}
    pub fn loss<R: Runner>(runner: &R, claim: &Claim, phase: &str) -> Report {}
    pub fn certify_losses<R: Runner>(runner: &R, claim: &Claim) -> Report {}
}
mod ops {
    pub fn op_phases() -> impl Iterator<Item = &'static str> {}
    pub fn op<B: Backend>(backend: &B, claim: &Claim, phase: &str) -> Report {}
    pub fn certify_ops<B: Backend>(backend: &B, claim: &Claim) -> Report {}
}
mod suite {
    #[derive(Clone, Copy, Debug)]
    pub struct Claim {
        pub format: Format,
        pub tolerance: f64,
        pub expected_failures: &'static [&'static str],
    }
    impl Claim {
        #[must_use]
        pub const fn new(format: Format) -> Self {}
        pub fn verdict(&self, phase: &str, report: &Report) -> Result<(), String> {}
        pub fn covers(&self, level: Level, tests: &[&str]) -> Result<(), String> {}
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Level {
        Op,
        Loss,
    }
    impl Report {
        #[must_use]
        pub fn and(mut self, other: Self) -> Self {}
        #[must_use]
        pub fn coverage(&self) -> String {}
    }
    impl fmt::Display for Report {}
    #[macro_export]
    macro_rules! conformance {
        ($name:ident, $($claim:tt)*) => {
            $crate::__tests! { $name Op[transfer neg abs sign exp expm1 ln ln1p sqrt
            sigmoid softplus add sub mul div weigh exp_sub log_add_exp select_eq
            select_lt select_le reduce_sum reduce_max fold_sum fold_max at_label matmul
            take put] [golden samples edges gradients many_classes many_rows] $($claim)*
            }
        };
    }
    #[macro_export]
    macro_rules! conformance_losses {
        ($name:ident, $($claim:tt)*) => {
            $crate::__tests! { $name Loss[] [golden samples edges gradients many_classes
            many_rows] $($claim)* }
        };
    }
    #[macro_export]
    macro_rules! __tests {
        (
            $name:ident $level:ident [$($op:ident)*] [$($loss:ident)*] $backend:expr,
            $format:expr $(, tolerance = $tolerance:expr)? $(, expected_failures =
            $expected:expr)? $(,)?
        ) => {
            #[cfg(test)] mod $name { #[allow(unused_imports, reason =
            "the backend may be a path of its own")] use super::*;
            #[allow(clippy::needless_update, reason = "either may be left out")] const
            CLAIM : $crate::Claim = $crate::Claim { $(tolerance : $tolerance,)?
            $(expected_failures : &$expected,)? ..$crate::Claim::new($format) }; #[test]
            fn every_phase_has_its_test() { let tests = [$(stringify!($op),)*
            $(stringify!($loss)),*]; if let Err(what) = CLAIM
            .covers($crate::Level::$level, & tests) { panic!("{what}"); } } $(#[test] fn
            $op () { let phase = stringify!($op); $crate::test(& CLAIM, phase,
            &$crate::op(&$backend, & CLAIM, phase)); })* $(#[test] fn $loss () { let
            phase = stringify!($loss); $crate::test(& CLAIM, phase,
            &$crate::loss(&$backend, & CLAIM, phase)); })* }
        };
    }
    pub fn test(claim: &Claim, phase: &str, report: &Report) {}
}
pub use case::{Case, edges, golden, samples};
pub use certify::Report;
pub use judge::{Mismatch, Tolerance, judge};
pub use losses::{Runner, certify_losses, loss, loss_phases};
pub use ops::{certify_ops, op, op_phases};
pub use suite::{Claim, Level, test};
