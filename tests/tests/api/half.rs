mod array {
    pub use lossmith_core::strided::Slice;
    pub type Inputs<'a, H> = lossmith_core::Inputs<Slice<'a, H>>;
    impl<'a, H: Element> Array<Half<'a, H>> for Slice<'a, H> {
        type Output = Self;
    }
}
mod backend {
    pub trait Element: Copy + std::fmt::Debug + 'static {
        fn widen(self) -> f32;
        fn narrow(x: f32) -> Self;
        fn from_f64(x: f64) -> Self;
    }
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Half<'a, H>(_);
    impl<H> Half<'_, H> {
        #[must_use]
        pub fn new() -> Self {}
    }
    #[derive(Clone, Debug, PartialEq)]
    pub struct Tensor<'a, H: Clone> {
        private: _,
    }
    impl<'a, H: Element> Backend for Half<'a, H> {
        type Tensor = Tensor<'a, H>;
        type Labels = Labels<'static>;
        type Error = Infallible;
    }
    impl<'a, H: Element> Matmul<Tensor<'a, H>, Infallible> for Half<'a, H> {}
    impl<'a, H: Element> Take<Tensor<'a, H>, Infallible> for Half<'a, H> {}
}
pub use array::{Inputs, Slice};
pub use backend::{Element, Half, Tensor};
