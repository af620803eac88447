mod array {
    #[derive(Clone, Debug)]
    pub enum Input<'a, F> {
        View(ArrayViewD<'a, F>),
        Owned(ArrayD<F>),
    }
    pub type Inputs<'a, F> = lossmith_core::Inputs<Input<'a, F>>;
    impl<'a, F, S: Data<Elem = F>, D: Dimension> From<&'a ArrayBase<S, D>>
    for Input<'a, F> {}
    impl<'a, F, D: Dimension> From<ArrayView<'a, F, D>> for Input<'a, F> {}
    impl<F, D: Dimension> From<Array<F, D>> for Input<'_, F> {}
    pub fn indices<S: Data<Elem = i64>, D: Dimension>(
        array: &ArrayBase<S, D>,
    ) -> Indices {}
    impl<'a, F: Element> LossArray<NdArray<'a, F>> for Input<'a, F> {
        type Output = ArrayD<F>;
    }
    impl<'a, F: Clone + 'a> Strided for Input<'a, F> {
        type Element = F;
        type Output = ArrayD<F>;
    }
}
mod backend {
    pub trait Element: LinalgScalar + Float + Into<f64> {
        fn narrow(x: f64) -> Self;
    }
    impl Element for f64 {}
    impl Element for f32 {}
    #[derive(Clone, Copy, Debug, Default)]
    pub struct NdArray<'a, F>(_);
    impl<F> NdArray<'_, F> {
        #[must_use]
        pub fn new() -> Self {}
    }
    impl<'a, F: Element> Backend for NdArray<'a, F> {
        type Tensor = Tensor<'a, F>;
        type Labels = Labels<'static>;
        type Error = ShapeError;
    }
    impl<'a, F: Element> Matmul<Tensor<'a, F>, ShapeError> for NdArray<'a, F> {}
    impl<'a, F: Element> Take<Tensor<'a, F>, ShapeError> for NdArray<'a, F> {}
}
pub use array::{Input, Inputs, indices};
pub use backend::{Element, NdArray};
