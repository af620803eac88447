mod array {
    pub type Inputs = lossmith_core::Inputs<Tensor>;
    pub fn indices(tensor: &Tensor) -> Result<Indices> {}
    impl Array<Candle> for Tensor {
        type Output = Self;
    }
}
mod autodiff {
    #[must_use]
    pub fn cause(error: &candle_core::Error) -> Option<&Error> {}
}
mod backend {
    #[derive(Clone, Debug)]
    pub struct Candle {
        private: _,
    }
    impl Candle {
        pub fn new(device: &Device, dtype: DType) -> Result<Self> {}
        pub fn like(tensor: &Tensor) -> Result<Self> {}
        #[must_use]
        pub fn composed(mut self) -> Self {}
    }
    #[derive(Clone, Debug)]
    pub struct Labels {
        private: _,
    }
    impl Backend for Candle {
        type Tensor = Tensor;
        type Labels = Labels;
        type Error = Error;
    }
    impl Matmul<Tensor, Error> for Candle {}
    impl Take<Tensor, Error> for Candle {}
}
mod forward {
    #[derive(Clone, Debug, Default)]
    pub enum Engine {
        Ops,
        Fused(Fused),
        Traced,
    }
    #[derive(Clone, Debug)]
    pub struct Given<'a>(_);
    impl<'a> Given<'a> {
        #[must_use]
        pub fn and(mut self, name: &'a str, tensor: &'a Tensor) -> Self {}
    }
    impl<'a> From<&'a Tensor> for Given<'a> {}
    impl<'a, const N: usize> From<[&'a Tensor; N]> for Given<'a> {}
    impl<'a, const N: usize> From<[(&'a str, &'a Tensor); N]> for Given<'a> {}
    pub trait Forward {
        fn on(&self, engine: Engine) -> On;
        fn fused(&self) -> On {}
        fn traced(&self) -> On {}
        fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {}
        fn forward_with<'a>(&self, given: impl Into<Given<'a>>) -> Result<Tensor> {}
    }
    impl<D: Definition> Forward for Loss<D> {}
    impl Forward for Objective {}
    #[derive(Clone, Debug)]
    pub struct On {
        private: _,
    }
    impl On {
        pub fn forward(&self, input: &Tensor, target: &Tensor) -> Result<Tensor> {}
        pub fn forward_with<'a>(&self, given: impl Into<Given<'a>>) -> Result<Tensor> {}
        pub fn call(&self, inputs: &Inputs) -> Result<Tensor> {}
    }
}
mod fused {
    #[derive(Clone, Debug, Default)]
    pub struct Fused(_);
    impl Fused {
        #[must_use]
        pub fn new() -> Self {}
    }
    impl From<lossmith_fused::Fused> for Fused {}
    impl Runner<Tensor> for Fused {
        type Output = Tensor;
    }
}
mod traced {
    #[derive(Clone, Debug)]
    pub struct Traced(_);
    impl Traced {
        pub fn like(tensor: &Tensor) -> Result<Self> {}
    }
    impl Runner<Tensor> for Traced {
        type Output = Tensor;
    }
}
pub use array::{Inputs, indices};
pub use autodiff::cause;
pub use backend::{Candle, Labels};
pub use forward::{Engine, Forward, Given, On};
pub use fused::Fused;
pub use traced::Traced;
