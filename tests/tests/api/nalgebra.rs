mod array {
    #[derive(Clone, Debug)]
    pub struct Input<'a, F: Element> {
        private: _,
    }
    pub type Inputs<'a, F> = lossmith_core::Inputs<Input<'a, F>>;
    impl<'a, F: Element> From<&'a DMatrix<F>> for Input<'a, F> {}
    impl<'a, F: Element> From<&'a DVector<F>> for Input<'a, F> {}
    impl<'a, F: Element> From<DMatrixView<'a, F>> for Input<'a, F> {}
    impl<F: Element> From<DMatrix<F>> for Input<'_, F> {}
    impl<F: Element> From<DVector<F>> for Input<'_, F> {}
    impl<'a, F: Element> Array<Nalgebra<'a, F>> for Input<'a, F> {
        type Output = DMatrix<F>;
    }
    impl<F: Element> Strided for Input<'_, F> {
        type Element = F;
        type Output = DMatrix<F>;
    }
}
mod backend {
    pub trait Element: Scalar + Float + Into<f64> + ClosedAddAssign + ClosedMulAssign {
        fn narrow(x: f64) -> Self;
    }
    impl Element for f64 {}
    impl Element for f32 {}
    #[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
    pub enum Error {
        Inner { sides: [usize; 3] },
    }
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Nalgebra<'a, F>(_);
    impl<F> Nalgebra<'_, F> {
        #[must_use]
        pub fn new() -> Self {}
    }
    #[derive(Clone, Debug)]
    pub enum Matrix<'a, F: Element> {
        Owned(DMatrix<F>),
        View(DMatrixView<'a, F>),
    }
    impl<'a, F: Element> Backend for Nalgebra<'a, F> {
        type Tensor = Matrix<'a, F>;
        type Labels = Labels<'static>;
        type Error = Error;
    }
    impl<'a, F: Element> Matmul<Matrix<'a, F>, Error> for Nalgebra<'a, F> {}
    impl<'a, F: Element> Take<Matrix<'a, F>, Error> for Nalgebra<'a, F> {}
}
pub use array::{Input, Inputs};
pub use backend::{Element, Error, Matrix, Nalgebra};
