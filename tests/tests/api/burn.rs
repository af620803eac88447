mod array {
    #[derive(Clone, Debug)]
    pub struct AnyTensor(pub(crate) _);
    pub type Inputs = lossmith_core::Inputs<AnyTensor>;
    impl<const D: usize> From<Tensor<D>> for AnyTensor {}
    impl<const D: usize> From<&Tensor<D>> for AnyTensor {}
    impl AnyTensor {
        #[must_use]
        pub fn shape(&self) -> Vec<usize> {}
        pub fn tensor<const D: usize>(self) -> Result<Tensor<D>, Fault> {}
    }
    pub fn indices<const D: usize>(tensor: &Tensor<D, Int>) -> Result<Indices, Fault> {}
    impl Array<Burn> for AnyTensor {
        type Output = Self;
    }
}
mod backend {
    #[derive(Clone, Debug)]
    pub struct Burn {
        private: _,
    }
    #[derive(Clone, Debug)]
    pub struct Mask {
        private: _,
    }
    impl Burn {
        #[must_use]
        pub fn new(device: &Device) -> Self {}
        #[cfg(feature = "flex")]
        #[must_use]
        pub fn flex() -> Self {}
        #[cfg(feature = "ndarray")]
        #[must_use]
        pub fn ndarray() -> Self {}
        #[must_use]
        pub fn of(tensor: &AnyTensor) -> Self {}
        #[must_use]
        pub fn double(self) -> Self {}
    }
    impl Backend for Burn {
        type Tensor = Tensor<3>;
        type Labels = Mask;
        type Error = Fault;
    }
    impl Matmul<Tensor<3>, Fault> for Burn {}
    impl Take<Tensor<3>, Fault> for Burn {}
}
mod error {
    #[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum Fault {
        Device { argument: String, got: String, expected: String },
        Format { argument: String, got: DType, expected: DType },
        Unsupported { argument: String, got: DType },
        Flags { argument: String },
        Places { got: usize, expected: usize },
        Cotangent,
        Rank { got: Vec<usize>, expected: usize },
        NoGradient { argument: String },
        Untracked,
        Tracked { got: usize, most: usize },
        Checkpointing,
        Backend { device: String },
        Read(String),
    }
    impl From<Fault> for lossmith_core::Error {}
}
mod forward {
    #[derive(Clone, Debug)]
    pub struct Argument(_);
    impl<const D: usize> From<Tensor<D>> for Argument {}
    impl<const D: usize> From<&Tensor<D>> for Argument {}
    impl From<AnyTensor> for Argument {}
    impl<const D: usize> From<Tensor<D, Int>> for Argument {}
    impl<const D: usize> From<&Tensor<D, Int>> for Argument {}
    impl From<Indices> for Argument {}
    impl<const D: usize> From<Tensor<D, Bool>> for Argument {}
    #[derive(Clone, Debug, Default)]
    pub struct Arguments {
        private: _,
    }
    impl Arguments {
        #[must_use]
        pub fn new() -> Self {}
        #[must_use]
        pub fn named(mut self, name: &str, argument: impl Into<Argument>) -> Self {}
    }
    #[derive(Clone, Debug, Default)]
    pub enum Mode {
        Node,
        Fused(FusedBurn),
        Traced,
    }
    pub trait Forward: Sized {
        fn objective(&self) -> Objective;
        fn places(&self) -> Vec<&str>;
        fn mode(&self) -> Mode {}
        fn forward(
            &self,
            input: impl Into<Argument>,
            target: impl Into<Argument>,
        ) -> Result<Tensor<1>, Error> {}
        fn forward_with(
            &self,
            arguments: impl Into<Arguments>,
        ) -> Result<Tensor<1>, Error> {}
        fn forward_as<const D: usize>(
            &self,
            arguments: impl Into<Arguments>,
        ) -> Result<Tensor<D>, Error> {}
        fn backward(
            &self,
            arguments: impl Into<Arguments>,
        ) -> Result<(Tensor<1>, Gradients), Error> {}
        fn fused(self) -> Through<Self> {}
        fn traced(self) -> Through<Self> {}
        fn through(self, mode: Mode) -> Through<Self> {}
    }
    impl Forward for Objective {}
    #[derive(Clone, Debug)]
    pub struct Through<L> {
        private: _,
    }
    impl<L: Forward> Forward for Through<L> {}
}
mod fused {
    #[derive(Clone, Debug, Default)]
    pub struct FusedBurn {
        private: _,
    }
    impl FusedBurn {
        #[must_use]
        pub fn new() -> Self {}
    }
    impl From<Fused> for FusedBurn {}
    impl Runner<AnyTensor> for FusedBurn {
        type Output = AnyTensor;
    }
}
pub use array::{AnyTensor, Inputs, indices};
pub use backend::{Burn, Mask};
pub use error::Fault;
pub use forward::{Argument, Arguments, Forward, Mode, Through};
pub use fused::FusedBurn;
