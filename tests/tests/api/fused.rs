mod compiled {
    #[derive(Debug)]
    pub struct Io<'a, F> {
        private: _,
    }
    impl<F: Lane> Default for Io<'_, F> {}
    mod bodies {
        include!(concat!(env!("OUT_DIR"), "/bodies.rs"));
    }
}
mod element {
    pub trait Element: Copy + Send + Sync + 'static {
        type Compute: Multiply;
        fn widen(self) -> Self::Compute;
        fn narrow(x: Self::Compute) -> Self;
        fn of(x: f64) -> Self;
        fn as_computed(elements: &[Self]) -> Option<&[Self::Compute]>;
        fn as_computed_mut(elements: &mut [Self]) -> Option<&mut [Self::Compute]>;
    }
    impl Element for bf16 {
        type Compute = f32;
    }
    impl Element for f16 {
        type Compute = f32;
    }
}
mod engine {
    #[derive(Clone, Debug)]
    pub struct Fused {
        private: _,
    }
    impl Default for Fused {}
    impl Fused {
        #[must_use]
        pub fn new() -> Self {}
        #[must_use]
        pub fn level(mut self, level: Level) -> Self {}
        #[must_use]
        pub fn op_by_op(mut self) -> Self {}
        pub fn threads(mut self, threads: usize) -> Result<Self, Error> {}
    }
    impl<A> Runner<A> for Fused
    where
        A: Strided,
        A::Element: Element,
    {
        type Output = A::Output;
    }
    #[derive(Clone, Debug)]
    pub struct Rounded<T> {
        private: _,
    }
    impl Fused {
        #[must_use]
        pub fn rounded<T: Element>(self) -> Rounded<T> {}
    }
    impl<T: Element> Runner<Dense> for Rounded<T> {
        type Output = Dense;
    }
}
pub mod gemm {
    #[derive(Clone, Copy, Debug)]
    pub struct Matrix<'a, T> {
        pub elements: &'a [T],
        pub strides: [usize; 2],
    }
    impl<T> Matrix<'_, T> {
        #[must_use]
        pub fn turned(self) -> Self {}
    }
    pub fn product<T: Element>(
        level: Level,
        [a,
        b,
        ]: [Matrix<'_, T>; 2],
        [rows,
        columns,
        terms,
        ]: [usize; 3],
        out: &mut [T::Compute],
        add: bool,
    ) -> Result<(), Error> {}
    pub trait Multiply: Lane {
        type Vector<S: Simd>: Copy;
        fn lanes<S: Simd>() -> usize;
        fn splat<S: Simd>(simd: S, x: Self) -> Self::Vector<S>;
        fn fused<S: Simd>(
            simd: S,
            a: Self::Vector<S>,
            b: Self::Vector<S>,
            c: Self::Vector<S>,
        ) -> Self::Vector<S>;
        fn vectors<S: Simd>(x: &[Self]) -> &[Self::Vector<S>];
        fn store<S: Simd>(simd: S, to: &mut [Self], from: &[Self::Vector<S>], add: bool);
    }
}
pub mod math {
    pub trait Lane: Copy + Debug + Default + PartialOrd + Send + Sync + Turn + Neg<
            Output = Self,
        > + Add<
            Output = Self,
        > + AddAssign + Sub<
            Output = Self,
        > + Mul<Output = Self> + Div<Output = Self> + 'static {
        const ZERO: Self;
        const ONE: Self;
        const INFINITY: Self;
        const NAN: Self;
        fn from_f64(x: f64) -> Self;
        fn to_f64(self) -> f64;
        fn is_nan(self) -> bool;
        fn abs(self) -> Self;
        fn sqrt(self) -> Self;
        fn mul_add(self, a: Self, b: Self) -> Self;
        fn exp(self) -> Self;
        fn expm1(self) -> Self;
        fn ln(self) -> Self;
        fn ln1p(self) -> Self;
        fn sigmoid(self) -> Self;
        fn softplus(self) -> Self;
        fn tail(self) -> Self;
        fn log_of_tail(self) -> Self;
        fn exp_sub(self, b: Self) -> Self;
        fn compiled(place: usize) -> Option<Run<Self>>;
        #[must_use]
        fn select(mask: bool, then: Self, otherwise: Self) -> Self {}
        #[must_use]
        fn sign(self) -> Self {}
        #[must_use]
        fn max(self, b: Self) -> Self {}
        #[must_use]
        fn log_add_exp(self, b: Self) -> Self {}
        #[must_use]
        fn weigh(self, v: Self) -> Self {}
    }
}
mod prepared {
    #[derive(Debug)]
    pub struct Prepared<T: Element> {
        private: _,
    }
    impl Fused {
        pub fn prepare<T: Element>(&self, loss: impl Into<Objective>) -> Prepared<T> {}
    }
    impl<T: Element> Prepared<T> {
        pub fn value_and_grad<A: Strided<Element = T>>(
            &mut self,
            inputs: &Inputs<A>,
        ) -> Result<Evaluation<A::Output>, Error> {}
        pub fn value_and_grad_into<A: Strided<Element = T>>(
            &mut self,
            inputs: &Inputs<A>,
            grads: &mut [(&str, &mut [T])],
        ) -> Result<A::Output, Error> {}
    }
}
pub mod simd {
    pub trait Work {
        type Output;
        fn run(self) -> Self::Output;
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Level {
        Baseline,
        #[cfg(target_arch = "x86_64")]
        Avx2,
        #[cfg(target_arch = "x86_64")]
        Avx512,
    }
    impl Level {
        #[must_use]
        pub fn detect() -> Self {}
        #[must_use]
        pub fn available() -> Vec<Self> {}
        pub fn run<W: Work>(self, work: W) -> W::Output {}
    }
    impl fmt::Display for Level {}
    pub trait Turn: Copy {
        #[must_use]
        fn turned(square: [[Self; 4]; 4]) -> [[Self; 4]; 4] {}
    }
    impl Turn for f64 {}
    impl Turn for f32 {}
}
pub use element::Element;
pub use engine::{Fused, Rounded};
pub use prepared::Prepared;
pub use simd::Level;
