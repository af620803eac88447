mod backend {
    #[derive(Debug)]
    pub struct Exact {
        private: _,
    }
    impl Default for Exact {}
    impl Exact {
        #[must_use]
        pub fn new() -> Self {}
        #[must_use]
        pub fn with_bits(bits: usize) -> Self {}
        #[must_use]
        pub fn bits(&self) -> usize {}
    }
    impl Backend for Exact {
        type Tensor = Tensor;
        type Labels = Labels<'static>;
        type Error = Infallible;
    }
    impl Matmul<Tensor, Infallible> for Exact {}
    impl Take<Tensor, Infallible> for Exact {}
}
mod big {
    #[derive(Clone, Debug)]
    pub enum Big {
        Nan,
        Infinite(bool),
        Finite(Finite),
    }
    #[derive(Clone, Debug)]
    pub struct Finite(pub(crate) _);
    impl From<f64> for Big {}
    impl PartialEq for Big {}
    impl PartialOrd for Big {}
    impl Big {
        #[must_use]
        pub fn is_nan(&self) -> bool {}
        #[must_use]
        pub fn is_finite(&self) -> bool {}
        #[must_use]
        pub fn is_zero(&self) -> bool {}
        #[must_use]
        pub fn is_negative(&self) -> bool {}
        #[must_use]
        pub fn exponent(&self) -> Option<isize> {}
        #[must_use]
        pub fn neg(&self) -> Self {}
        #[must_use]
        pub fn abs(&self) -> Self {}
        #[must_use]
        pub fn distance(&self, other: &Self) -> Self {}
        #[must_use]
        pub fn ratio(&self, other: &Self) -> f64 {}
        #[must_use]
        pub fn power_of_two(n: i32) -> Self {}
        #[must_use]
        pub fn round(&self, format: Format) -> f64 {}
        #[must_use]
        pub fn to_f64(&self) -> f64 {}
        #[must_use]
        pub fn decimal(&self, digits: usize) -> String {}
    }
}
mod oracle {
    #[derive(Debug, Default)]
    pub struct Oracle {
        private: _,
    }
    #[derive(Debug)]
    pub struct Step<'a> {
        pub index: usize,
        pub node: Node,
        pub shape: Shape,
        pub sides: [usize; 3],
        pub arguments: &'a [&'a Tensor],
        pub value: &'a Tensor,
    }
    impl Oracle {
        #[must_use]
        pub fn new() -> Self {}
        #[must_use]
        pub fn with_bits(bits: usize) -> Self {}
        pub fn watched(
            &self,
            plan: &Plan,
            arrays: &[Option<&Dense>],
            picks: &Picks<'_>,
            replace: &mut dyn FnMut(&Step<'_>) -> Option<Tensor>,
        ) -> Result<Vec<BigArray>, Error> {}
    }
    impl Runner<Dense> for Oracle {
        type Output = BigArray;
    }
}
mod tensor {
    #[derive(Clone, Debug)]
    pub struct Tensor {
        private: _,
    }
    impl Tensor {
        #[must_use]
        pub fn sides(&self) -> [usize; 3] {}
        #[must_use]
        pub fn data(&self) -> &[Big] {}
        #[must_use]
        pub fn with(&self, data: impl IntoIterator<Item = Big>) -> Self {}
    }
    #[derive(Clone, Debug)]
    pub struct BigArray {
        private: _,
    }
    impl BigArray {
        #[must_use]
        pub fn shape(&self) -> &[usize] {}
        #[must_use]
        pub fn data(&self) -> &[Big] {}
        #[must_use]
        pub fn agreement(&self, other: &Self) -> f64 {}
        pub fn rounded(&self, format: Format) -> Result<Dense, Error> {}
    }
}
pub use backend::Exact;
pub use big::Big;
pub use oracle::{Oracle, Step};
pub use tensor::{BigArray, Tensor};
