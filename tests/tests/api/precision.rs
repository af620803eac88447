mod cause {
    #[derive(Clone, Debug)]
    pub struct Cause {
        pub index: usize,
        pub op: String,
        pub ulps: f64,
    }
    pub fn causes<B: Backend>(
        backend: &B,
        loss: &AnyLoss,
        (problem, class): (&Problem, Class),
        format: Format,
        (output, index): (&str, usize),
        oracle: &Oracle,
    ) -> Result<Vec<Cause>, Error> {}
}
mod exhaust {
    pub fn exhaust(
        loss: &AnyLoss,
        candidates: &[Candidate],
        cells: &mut [Cell],
        oracle: &Oracle,
    ) -> Result<(), Error> {}
}
mod inputs {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
    pub enum Class {
        Ordinary,
        Moderate,
        Wide,
        Near,
        Large,
        Small,
        Long,
        ManyClasses,
    }
    impl Class {
        pub const ALL: [Self; 8] = _;
        #[must_use]
        pub fn name(self) -> &'static str {}
    }
    #[derive(Clone, Debug)]
    pub struct Spot {
        pub class: Class,
        pub seed: u64,
        pub steps: usize,
        pub problem: Problem,
    }
    pub fn made(
        loss: &AnyLoss,
        class: Class,
        format: Format,
        seed: u64,
        long: usize,
    ) -> Result<Option<Problem>, Error> {}
}
mod measure {
    #[must_use]
    pub fn ulps(got: f64, exact: &Big, format: Format) -> f64 {}
    #[derive(Clone, Debug, Default)]
    pub struct Measures {
        pub relative: f64,
        pub absolute: f64,
        pub explained: f64,
        pub nan: usize,
        pub infinite: usize,
        pub flushed: usize,
        pub sign: usize,
        pub worst: Option<Worst>,
        pub odd: Option<Worst>,
        private: _,
    }
    #[derive(Clone, Debug)]
    pub struct Worst {
        pub ulps: f64,
        pub got: f64,
        pub exact: Big,
        pub index: usize,
        pub spot: Spot,
    }
    impl Measures {
        pub fn enter(
            &mut self,
            got: &Dense,
            (exact, bounds): (&BigArray, Option<&Dense>),
            format: Format,
            spot: &Spot,
        ) {}
        #[must_use]
        pub fn count(&self) -> usize {}
        #[must_use]
        pub fn disagreements(&self) -> usize {}
        #[must_use]
        pub fn max(&self) -> f64 {}
        #[must_use]
        pub fn mean(&self) -> f64 {}
        #[must_use]
        pub fn percentile_99(&self) -> f64 {}
        #[must_use]
        pub fn misrounded(&self) -> usize {}
        #[must_use]
        pub fn bits(&self) -> f64 {}
    }
}
mod search {
    #[derive(Clone, Copy, Debug)]
    pub struct Candidate {
        pub backend: &'static str,
        pub format: Format,
        pub run: Run,
    }
    #[derive(Clone, Copy, Debug)]
    pub struct Depth {
        pub rounds: usize,
        pub steps: usize,
        pub long: usize,
        pub seed: u64,
    }
    #[derive(Clone, Debug)]
    pub struct Cell {
        pub loss: &'static str,
        pub backend: &'static str,
        pub format: Format,
        pub outputs: Vec<(String, Measures)>,
        pub unsupported: Option<String>,
    }
    impl Cell {
        #[must_use]
        pub fn worst(&self) -> Option<(&str, &Worst)> {}
    }
    pub fn search(
        loss: &AnyLoss,
        candidates: &[Candidate],
        depth: &Depth,
        oracle: &Oracle,
    ) -> Result<Vec<Cell>, Error> {}
}
pub use cause::{Cause, causes};
pub use exhaust::exhaust;
pub use inputs::{Class, Spot, made};
pub use measure::{Measures, Worst, ulps};
pub use search::{Candidate, Cell, Depth, search};
