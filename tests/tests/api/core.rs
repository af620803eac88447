pub mod accumulate {
    pub const BLOCK: usize = _;
    pub const LANES: usize = _;
    pub fn reduce(op: Reduce, values: impl IntoIterator<Item = f64>) -> f64 {}
}
pub mod backend {
    #[derive(Debug)]
    pub enum Operand<'a, T> {
        Owned(T),
        Borrowed(&'a T),
        Scalar(f64),
    }
    impl<T> Operand<'_, T> {
        pub fn tensor(&self) -> Option<&T> {}
    }
    pub trait Backend {
        type Tensor;
        type Labels;
        type Error: std::error::Error + Send + Sync + 'static;
        fn unary(
            &self,
            op: Unary,
            x: Operand<'_, Self::Tensor>,
        ) -> Result<Self::Tensor, Self::Error>;
        fn binary(
            &self,
            op: Binary,
            a: Operand<'_, Self::Tensor>,
            b: Operand<'_, Self::Tensor>,
        ) -> Result<Self::Tensor, Self::Error>;
        fn select(
            &self,
            compare: Compare,
            ab: [Operand<'_, Self::Tensor>; 2],
            then_else: [Operand<'_, Self::Tensor>; 2],
        ) -> Result<Self::Tensor, Self::Error>;
        fn reduce(
            &self,
            op: Reduce,
            x: Operand<'_, Self::Tensor>,
            axis: Axis,
        ) -> Result<Self::Tensor, Self::Error>;
        fn fold(
            &self,
            op: Reduce,
            x: Operand<'_, Self::Tensor>,
        ) -> Result<f64, Self::Error>;
        fn at_label(
            &self,
            labels: &Self::Labels,
            hit: Operand<'_, Self::Tensor>,
            miss: Operand<'_, Self::Tensor>,
        ) -> Result<Self::Tensor, Self::Error>;
        fn powers(&self) -> Powers<'_, Self::Tensor, Self::Error>;
        fn labels(&self, labels: &Labels<'_>) -> Result<Self::Labels, Self::Error>;
        fn upload(
            &self,
            sides: [usize; 3],
            data: &[f64],
        ) -> Result<Self::Tensor, Self::Error>;
        fn download(&self, x: &Self::Tensor) -> Result<Vec<f64>, Self::Error>;
    }
    pub struct Powers<'a, T, E> {
        pub matmul: Option<&'a dyn Matmul<T, E>>,
        pub take: Option<&'a dyn Take<T, E>>,
    }
    impl<T, E> Powers<'_, T, E> {
        pub const NONE: Self = _;
    }
    impl<T, E> fmt::Debug for Powers<'_, T, E> {}
    pub trait Matmul<T, E> {
        fn matmul(
            &self,
            a: (&T, bool),
            b: (&T, bool),
            sides: [usize; 3],
        ) -> Result<T, E>;
    }
    pub trait Take<T, E> {
        fn take(&self, x: &T, table: &Table, otherwise: f64) -> Result<T, E>;
        fn put(&self, x: &T, table: &Table) -> Result<T, E>;
    }
    pub trait Array<B: Backend> {
        type Output;
        fn shape(&self) -> Vec<usize>;
        fn enter(&self, backend: &B, view: &View) -> Result<B::Tensor, B::Error>;
        fn leave(
            backend: &B,
            tensors: Vec<B::Tensor>,
            shape: &[usize],
        ) -> Result<Self::Output, B::Error>;
    }
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct View {
        pub step: Option<usize>,
        pub aligned: Vec<usize>,
        pub expanded: Vec<usize>,
        pub sides: [usize; 3],
        private: _,
    }
    impl View {
        #[must_use]
        pub fn new(aligned: Vec<usize>, expanded: Vec<usize>, ends: [usize; 2]) -> Self {}
        #[must_use]
        pub fn groups(&self) -> [Range<usize>; 3] {}
        pub fn part<'a, T>(&self, data: &'a [T]) -> &'a [T] {}
    }
}
pub mod catalogue {
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Entry {
        pub name: &'static str,
        pub kind: Kind,
        pub formula: &'static str,
        pub arguments: &'static [Argument],
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Kind {
        Loss,
        Function,
    }
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Argument {
        pub name: &'static str,
        pub form: Form,
        pub values: Values,
        pub domain: Option<Domain>,
        pub optional: bool,
        pub differentiable: bool,
        pub log: bool,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Form {
        Main,
        Same,
        Rows,
        PerClass,
        Features,
        Matrix(&'static str, bool),
        PerRow(&'static str),
        Trailing,
        AnySideOne,
        Steps,
        Sequences,
        Lengths,
        Sample,
        Value,
    }
    impl Form {
        #[must_use]
        pub const fn words(self) -> &'static str {}
    }
    impl Values {
        #[must_use]
        pub const fn words(self) -> &'static str {}
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Values {
        Numbers,
        Indices,
        Either,
        IndexSets,
        Integers,
    }
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct Domain {
        pub name: &'static str,
        pub low: f64,
        pub high: f64,
        pub ends: bool,
    }
    impl Domain {
        #[must_use]
        pub fn holds(&self, x: f64) -> bool {}
    }
    pub const UNIT: Domain = _;
    pub const FROM_ZERO: Domain = _;
    pub const SIGNS: Domain = _;
    pub const SAMPLE_WEIGHT: Argument = _;
    pub const GRAD_OUTPUT: Argument = _;
    impl Argument {
        #[must_use]
        pub const fn input() -> Self {}
        #[must_use]
        pub const fn logs(self) -> Self {}
        #[must_use]
        pub const fn target() -> Self {}
        #[must_use]
        pub const fn named(self, name: &'static str) -> Self {}
        #[must_use]
        pub const fn signs(form: Form) -> Self {}
        #[must_use]
        pub const fn labels() -> Self {}
        #[must_use]
        pub const fn sequences(name: &'static str) -> Self {}
        #[must_use]
        pub const fn lengths(name: &'static str) -> Self {}
        #[must_use]
        pub const fn weight(name: &'static str, form: Form) -> Self {}
        #[must_use]
        pub const fn within(self, domain: Domain) -> Self {}
        #[must_use]
        pub const fn or_labels(self) -> Self {}
    }
    #[derive(Debug)]
    pub struct Opt<'a> {
        pub name: &'static str,
        pub doc: &'static str,
        pub slot: Slot<'a>,
    }
    #[derive(Debug)]
    pub enum Slot<'a> {
        Number(&'a mut f64, RangeInclusive<f64>),
        Rising(&'a mut Vec<i64>, usize),
        MaybeNumber(&'a mut Option<f64>, RangeInclusive<f64>),
        Integer(&'a mut i64, RangeInclusive<i64>),
        Flag(&'a mut bool),
        Distance(&'a mut Distance),
    }
    impl Slot<'_> {
        #[must_use]
        pub fn show(&self) -> String {}
        #[must_use]
        pub fn expects(&self) -> String {}
    }
    pub const ANY_INTEGER: RangeInclusive<i64> = _;
    pub const ANY_NUMBER: RangeInclusive<f64> = _;
    #[must_use]
    pub fn all() -> Vec<Loss<Box<dyn Definition>>> {}
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Support {
        pub runs: Vec<&'static str>,
        pub matmul_adds: Vec<&'static str>,
        pub take_adds: Vec<&'static str>,
    }
    impl fmt::Display for Support {}
    pub fn support<B: Backend>(backend: &B) -> Support {}
    pub fn find(name: &str) -> Result<Loss<Box<dyn Definition>>, Error> {}
}
pub mod dense {
    #[derive(Clone, Debug, PartialEq)]
    pub struct Dense {
        private: _,
    }
    impl Dense {
        pub fn new(shape: &[usize], data: Vec<f64>) -> Result<Self, Error> {}
        #[must_use]
        pub fn shape(&self) -> &[usize] {}
        #[must_use]
        pub fn data(&self) -> &[f64] {}
        #[must_use]
        pub fn into_data(self) -> Vec<f64> {}
        #[must_use]
        pub fn map(&self, f: impl Fn(f64) -> f64) -> Self {}
    }
    impl From<Vec<f64>> for Dense {}
    impl From<f64> for Dense {}
    impl<B: Backend> Array<B> for Dense {
        type Output = Self;
    }
    #[must_use]
    pub fn broadcast<T: Clone>(data: &[T], from: &[usize], to: &[usize]) -> Vec<T> {}
}
pub mod derivative {
    pub fn unary<T: Real>(op: Unary, x: T, y: T) -> T {}
    pub fn binary<T: Real>(op: Binary, a: T, b: T, y: T) -> [T; 2] {}
}
pub mod error {
    #[derive(Debug, thiserror::Error)]
    pub enum Error {
        Shape {
            argument: &'static str,
            got: Vec<usize>,
            against: &'static str,
            input: Vec<usize>,
            expected: String,
        },
        Rank { argument: &'static str, got: Vec<usize>, expected: String },
        Label {
            argument: &'static str,
            index: usize,
            value: i64,
            classes: usize,
            also: String,
        },
        Count {
            argument: &'static str,
            index: usize,
            value: i64,
            most: usize,
            what: &'static str,
        },
        Domain {
            argument: &'static str,
            index: usize,
            value: f64,
            domain: &'static str,
        },
        MissingArgument { loss: &'static str, argument: &'static str },
        UnknownArgument { loss: &'static str, argument: String, expected: String },
        Kind {
            loss: &'static str,
            argument: &'static str,
            got: &'static str,
            expected: &'static str,
        },
        UnknownLoss { name: String, known: String },
        UnknownOption { loss: &'static str, option: String, known: String },
        OptionValue {
            loss: &'static str,
            option: &'static str,
            value: String,
            expected: String,
        },
        Length { shape: Vec<usize>, expected: usize, got: usize },
        Overflow { shape: Vec<usize> },
        Objective { fault: String },
        Unsupported { power: &'static str },
        Backend(Box<dyn std::error::Error + Send + Sync>),
    }
    impl Error {
        pub fn backend(error: impl std::error::Error + Send + Sync + 'static) -> Self {}
    }
}
mod evaluate {
    pub trait Runner<A> {
        type Output;
        fn shape(&self, array: &A) -> Vec<usize>;
        fn run(
            &self,
            plan: &Plan,
            arrays: &[Option<&A>],
            picks: &Picks<'_>,
        ) -> Result<Vec<Self::Output>, Error>;
    }
    impl<B: Backend, A: Array<B>> Runner<A> for B {
        type Output = A::Output;
    }
    impl Entering {
        pub fn check<B: Backend>(
            &self,
            backend: &B,
            tensor: &B::Tensor,
        ) -> Result<(), Error> {}
    }
    impl<D: Definition> Loss<D> {
        pub fn value<A, R: Runner<A>>(
            &self,
            runner: &R,
            inputs: &Inputs<A>,
        ) -> Result<R::Output, Error> {}
        pub fn value_and_grad<A, R: Runner<A>>(
            &self,
            runner: &R,
            inputs: &Inputs<A>,
        ) -> Result<Evaluation<R::Output>, Error> {}
        pub fn error_bound(
            &self,
            inputs: &Inputs<Dense>,
            format: Format,
        ) -> Result<Evaluation<Dense>, Error> {}
    }
    impl Objective {
        pub fn value<A, R: Runner<A>>(
            &self,
            runner: &R,
            inputs: &Inputs<A>,
        ) -> Result<R::Output, Error> {}
        pub fn value_and_grad<A, R: Runner<A>>(
            &self,
            runner: &R,
            inputs: &Inputs<A>,
        ) -> Result<Evaluation<R::Output>, Error> {}
        pub fn plan<A, R: Runner<A>>(
            &self,
            runner: &R,
            inputs: &Inputs<A>,
        ) -> Result<Plan, Error> {}
    }
    impl<A> Inputs<A> {
        pub fn fit<R: Runner<A>>(&self, runner: &R, plan: &Plan) -> bool {}
        pub fn names(&self) -> impl Iterator<Item = &str> {}
        #[must_use]
        pub fn arrays(&self) -> Vec<Option<&A>> {}
        pub fn picks<R: Runner<A>>(
            &self,
            runner: &R,
            plan: &Plan,
        ) -> Result<Picks<'_>, Error> {}
        pub fn unchecked_picks<R: Runner<A>>(
            &self,
            runner: &R,
            plan: &Plan,
        ) -> Result<Picks<'_>, Error> {}
    }
}
pub mod format {
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Format {
        pub name: &'static str,
        private: _,
    }
    impl Format {
        pub const F64: Self = _;
        pub const F32: Self = _;
        pub const F16: Self = _;
        pub const BF16: Self = _;
        #[must_use]
        pub fn unit(self) -> f64 {}
        #[must_use]
        pub fn tiny(self) -> f64 {}
        #[must_use]
        pub fn huge(self) -> f64 {}
        #[must_use]
        pub fn ulp(self, x: f64) -> f64 {}
        #[must_use]
        pub fn spacing(self, exponent: i32) -> i32 {}
        #[must_use]
        pub fn round(self, x: f64) -> f64 {}
    }
}
pub mod graph {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
    pub struct Id(pub(crate) _);
    impl Id {
        #[must_use]
        pub fn index(self) -> usize {}
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Dim {
        One,
        Full(Axis, usize),
    }
    pub type Shape = [Dim; 3];
    pub const NUMBER: Shape = _;
    #[must_use]
    pub fn full(frame: usize) -> Shape {}
    #[must_use]
    pub fn sides_of(shape: Shape, frames: &[[usize; 3]]) -> [usize; 3] {}
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Node {
        Constant(u64),
        Input(usize),
        Size(Axis, usize),
        Unary(Unary, Id),
        Binary(Binary, Id, Id),
        Select(Compare, [Id; 2], [Id; 2]),
        Reduce(Reduce, Id, Axis),
        Fold(Reduce, Id),
        AtLabel(usize, Id, Id),
        Take(usize, Id, u64),
        Put(usize, Id),
        Matmul(Id, Id, [bool; 2]),
        Spread(Id),
        Detach(Id),
    }
    impl Node {
        pub fn arguments(self) -> impl Iterator<Item = Id> {}
    }
    #[derive(Debug, Default)]
    pub struct Graph {
        private: _,
    }
    #[derive(Clone, Copy, Debug)]
    pub struct Var<'g> {
        private: _,
    }
    #[derive(Clone, Copy, Debug)]
    pub struct LabelVar<'g> {
        private: _,
    }
    impl Graph {
        pub fn node(&self, id: Id) -> (Node, Shape) {}
        #[must_use]
        pub fn nodes(&self) -> Vec<(Node, Shape)> {}
    }
    impl<'g> Var<'g> {
        #[must_use]
        pub fn sum(self, axis: Axis) -> Self {}
        #[must_use]
        pub fn max(self, axis: Axis) -> Self {}
        #[must_use]
        pub fn size(self, axis: Axis) -> Self {}
        #[must_use]
        pub fn linear(self, weight: Self, shape: Shape) -> Self {}
    }
    impl<'g> LabelVar<'g> {
        #[must_use]
        pub fn at(self, hit: Var<'g>, miss: Var<'g>) -> Var<'g> {}
        #[must_use]
        pub fn relabel(
            self,
            shape: Shape,
            relabel: impl Fn(usize) -> Option<usize> + 'static,
        ) -> Self {}
        #[must_use]
        pub fn pick(self, from: Var<'g>) -> Var<'g> {}
        #[must_use]
        pub fn labelled(self) -> Var<'g> {}
    }
    impl Real for Var<'_> {}
    impl Neg for Var<'_> {
        type Output = Self;
    }
}
mod inputs {
    #[derive(Clone, Debug)]
    pub struct Inputs<A> {
        private: _,
    }
    #[derive(Clone, Debug)]
    pub enum Input<A> {
        Numbers(A),
        Indices(Indices),
    }
    impl<A> Default for Inputs<A> {}
    impl<A> Inputs<A> {
        #[must_use]
        pub fn new() -> Self {}
        #[must_use]
        pub fn tensor(mut self, name: &str, array: impl Into<A>) -> Self {}
        #[must_use]
        pub fn constant(mut self, name: &str) -> Self {}
        #[must_use]
        pub fn without(mut self, name: &str) -> Self {}
        #[must_use]
        pub fn given(&self) -> &[(String, Input<A>)] {}
        pub fn try_map<B, E>(
            &self,
            mut to: impl FnMut(&A) -> Result<B, E>,
        ) -> Result<Inputs<B>, E> {}
        #[must_use]
        pub fn labels(mut self, name: &str, indices: impl Into<Indices>) -> Self {}
    }
    #[derive(Clone, Debug)]
    pub struct Evaluation<O> {
        pub value: O,
        pub grads: Vec<(String, O)>,
    }
    impl<O> Evaluation<O> {
        pub fn outputs(&self) -> impl Iterator<Item = (String, &O)> {}
        #[must_use]
        pub fn grad(&self, argument: &str) -> Option<&O> {}
    }
}
pub mod labels {
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Indices {
        pub shape: Vec<usize>,
        pub data: Vec<i64>,
    }
    impl Indices {
        pub fn new(shape: &[usize], data: Vec<i64>) -> Result<Self, Error> {}
    }
    impl From<Vec<i64>> for Indices {}
    impl From<&[i64]> for Indices {}
    impl<const N: usize> From<[i64; N]> for Indices {}
    impl From<i64> for Indices {}
    #[derive(Clone, Debug)]
    pub struct Labels<'a> {
        private: _,
    }
    impl<'a> Labels<'a> {
        pub fn new(
            argument: &'static str,
            data: &'a [i64],
            sides: [usize; 3],
            ignore_index: Option<i64>,
        ) -> Result<Self, Error> {}
        pub fn check(&self) -> Result<(), Error> {}
        #[must_use]
        pub fn labelled(&self, rows: Range<usize>) -> Option<usize> {}
        #[must_use]
        pub fn into_owned(self) -> Labels<'static> {}
        pub fn sets(
            argument: &'static str,
            data: &[i64],
            sides: [usize; 3],
        ) -> Result<Vec<Self>, Error> {}
        #[must_use]
        pub fn sides(&self) -> [usize; 3] {}
        #[must_use]
        pub fn indices(&self) -> &[i64] {}
        #[must_use]
        pub fn ignore_index(&self) -> Option<i64> {}
        #[must_use]
        pub fn get(&self, row: usize) -> Option<usize> {}
        #[must_use]
        pub fn hit(&self, batch: usize, class: usize, inner: usize) -> bool {}
    }
}
pub mod loss {
    mod adaptive_log_softmax {
        #[derive(Clone, Debug)]
        pub struct AdaptiveLogSoftmax {
            private: _,
        }
        impl Default for AdaptiveLogSoftmax {}
        #[must_use]
        pub fn adaptive_log_softmax() -> Loss<AdaptiveLogSoftmax> {}
        impl Loss<AdaptiveLogSoftmax> {
            #[must_use]
            pub fn cutoffs(mut self, cutoffs: &[i64]) -> Self {}
            #[must_use]
            pub fn div_value(mut self, div_value: Option<f64>) -> Self {}
            #[must_use]
            pub fn head_bias(mut self, head_bias: bool) -> Self {}
        }
        impl Definition for AdaptiveLogSoftmax {}
    }
    mod bce_with_logits {
        #[derive(Clone, Debug, Default)]
        pub struct BceWithLogits {}
        #[must_use]
        pub fn binary_cross_entropy_with_logits() -> Loss<BceWithLogits> {}
        impl Definition for BceWithLogits {}
    }
    mod binary_cross_entropy {
        #[derive(Clone, Debug)]
        pub struct BinaryCrossEntropy {
            private: _,
        }
        impl Default for BinaryCrossEntropy {}
        #[must_use]
        pub fn binary_cross_entropy() -> Loss<BinaryCrossEntropy> {}
        impl Loss<BinaryCrossEntropy> {
            #[must_use]
            pub fn clamp(mut self, clamp: Option<f64>) -> Self {}
        }
        impl Definition for BinaryCrossEntropy {}
    }
    mod cosine_embedding {
        #[derive(Clone, Debug, Default)]
        pub struct CosineEmbedding {
            private: _,
        }
        #[must_use]
        pub fn cosine_embedding() -> Loss<CosineEmbedding> {}
        impl Loss<CosineEmbedding> {
            #[must_use]
            pub fn margin(mut self, margin: f64) -> Self {}
        }
        impl Definition for CosineEmbedding {}
    }
    mod cross_entropy {
        #[derive(Clone, Debug)]
        pub struct CrossEntropy {
            private: _,
        }
        impl Default for CrossEntropy {}
        #[must_use]
        pub fn cross_entropy() -> Loss<CrossEntropy> {}
        impl Loss<CrossEntropy> {
            #[must_use]
            pub fn ignore_index(mut self, index: i64) -> Self {}
            #[must_use]
            pub fn label_smoothing(mut self, epsilon: f64) -> Self {}
        }
        impl Definition for CrossEntropy {}
    }
    mod ctc {
        #[derive(Clone, Debug, Default)]
        pub struct Ctc {
            private: _,
        }
        #[must_use]
        pub fn ctc() -> Loss<Ctc> {}
        impl Loss<Ctc> {
            #[must_use]
            pub fn blank(mut self, class: i64) -> Self {}
            #[must_use]
            pub fn zero_infinity(mut self, zero: bool) -> Self {}
        }
        impl Definition for Ctc {}
    }
    mod gaussian_nll {
        #[derive(Clone, Debug)]
        pub struct GaussianNll {
            private: _,
        }
        impl Default for GaussianNll {}
        #[must_use]
        pub fn gaussian_nll() -> Loss<GaussianNll> {}
        impl Loss<GaussianNll> {
            #[must_use]
            pub fn full(mut self, full: bool) -> Self {}
            #[must_use]
            pub fn eps(mut self, eps: f64) -> Self {}
        }
        impl Definition for GaussianNll {}
    }
    mod hinge_embedding {
        #[derive(Clone, Debug)]
        pub struct HingeEmbedding {
            private: _,
        }
        impl Default for HingeEmbedding {}
        #[must_use]
        pub fn hinge_embedding() -> Loss<HingeEmbedding> {}
        impl Loss<HingeEmbedding> {
            #[must_use]
            pub fn margin(mut self, margin: f64) -> Self {}
        }
        impl Definition for HingeEmbedding {}
    }
    mod huber {
        #[derive(Clone, Debug)]
        pub struct Huber {
            private: _,
        }
        impl Default for Huber {}
        #[must_use]
        pub fn huber() -> Loss<Huber> {}
        impl Loss<Huber> {
            #[must_use]
            pub fn delta(mut self, delta: f64) -> Self {}
        }
        impl Definition for Huber {}
    }
    mod kl_div {
        #[derive(Clone, Debug, Default)]
        pub struct KlDiv {
            private: _,
        }
        #[must_use]
        pub fn kl_div() -> Loss<KlDiv> {}
        impl Loss<KlDiv> {
            #[must_use]
            pub fn log_target(mut self, log_target: bool) -> Self {}
        }
        impl Definition for KlDiv {}
    }
    mod l1 {
        #[derive(Clone, Debug, Default)]
        pub struct L1 {}
        #[must_use]
        pub fn l1() -> Loss<L1> {}
        impl Definition for L1 {}
    }
    mod linear_cross_entropy {
        #[derive(Clone, Debug, Default)]
        pub struct LinearCrossEntropy {
            private: _,
        }
        #[must_use]
        pub fn linear_cross_entropy() -> Loss<LinearCrossEntropy> {}
        impl Loss<LinearCrossEntropy> {
            #[must_use]
            pub fn ignore_index(mut self, index: i64) -> Self {}
            #[must_use]
            pub fn label_smoothing(mut self, epsilon: f64) -> Self {}
        }
        impl Definition for LinearCrossEntropy {}
    }
    mod log_cosh {
        #[derive(Clone, Debug, Default)]
        pub struct LogCosh {}
        #[must_use]
        pub fn log_cosh() -> Loss<LogCosh> {}
        impl Definition for LogCosh {}
    }
    mod margin_ranking {
        #[derive(Clone, Debug, Default)]
        pub struct MarginRanking {
            private: _,
        }
        #[must_use]
        pub fn margin_ranking() -> Loss<MarginRanking> {}
        impl Loss<MarginRanking> {
            #[must_use]
            pub fn margin(mut self, margin: f64) -> Self {}
        }
        impl Definition for MarginRanking {}
    }
    mod mse {
        #[derive(Clone, Debug, Default)]
        pub struct Mse {}
        #[must_use]
        pub fn mse() -> Loss<Mse> {}
        impl Definition for Mse {}
    }
    mod multi_margin {
        #[derive(Clone, Debug)]
        pub struct MultiMargin {
            private: _,
        }
        impl Default for MultiMargin {}
        #[must_use]
        pub fn multi_margin() -> Loss<MultiMargin> {}
        impl Loss<MultiMargin> {
            #[must_use]
            pub fn p(mut self, p: i64) -> Self {}
            #[must_use]
            pub fn margin(mut self, margin: f64) -> Self {}
        }
        impl Definition for MultiMargin {}
    }
    mod multilabel_margin {
        #[derive(Clone, Debug, Default)]
        pub struct MultilabelMargin {}
        #[must_use]
        pub fn multilabel_margin() -> Loss<MultilabelMargin> {}
        impl Definition for MultilabelMargin {}
    }
    mod multilabel_soft_margin {
        #[derive(Clone, Debug, Default)]
        pub struct MultilabelSoftMargin {}
        #[must_use]
        pub fn multilabel_soft_margin() -> Loss<MultilabelSoftMargin> {}
        impl Definition for MultilabelSoftMargin {}
    }
    mod nll {
        #[derive(Clone, Debug)]
        pub struct Nll {
            private: _,
        }
        impl Default for Nll {}
        #[must_use]
        pub fn nll() -> Loss<Nll> {}
        impl Loss<Nll> {
            #[must_use]
            pub fn ignore_index(mut self, index: i64) -> Self {}
        }
        impl Definition for Nll {}
    }
    mod poisson_nll {
        #[derive(Clone, Debug)]
        pub struct PoissonNll {
            private: _,
        }
        impl Default for PoissonNll {}
        #[must_use]
        pub fn poisson_nll() -> Loss<PoissonNll> {}
        impl Loss<PoissonNll> {
            #[must_use]
            pub fn log_input(mut self, log_input: bool) -> Self {}
            #[must_use]
            pub fn full(mut self, full: bool) -> Self {}
            #[must_use]
            pub fn eps(mut self, eps: f64) -> Self {}
        }
        impl Definition for PoissonNll {}
    }
    mod quantile {
        #[derive(Clone, Debug)]
        pub struct Quantile {
            private: _,
        }
        impl Default for Quantile {}
        #[must_use]
        pub fn quantile() -> Loss<Quantile> {}
        impl Loss<Quantile> {
            #[must_use]
            pub fn tau(mut self, tau: f64) -> Self {}
        }
        impl Definition for Quantile {}
    }
    mod sigmoid {
        #[derive(Clone, Debug, Default)]
        pub struct Sigmoid {}
        #[must_use]
        pub fn sigmoid() -> Loss<Sigmoid> {}
        impl Definition for Sigmoid {}
        #[derive(Clone, Debug, Default)]
        pub struct LogSigmoid {}
        #[must_use]
        pub fn log_sigmoid() -> Loss<LogSigmoid> {}
        impl Definition for LogSigmoid {}
        #[derive(Clone, Debug)]
        pub struct Softplus {
            private: _,
        }
        impl Default for Softplus {}
        #[must_use]
        pub fn softplus() -> Loss<Softplus> {}
        impl Loss<Softplus> {
            #[must_use]
            pub fn beta(mut self, beta: f64) -> Self {}
        }
        impl Definition for Softplus {}
    }
    mod sigmoid_focal {
        #[derive(Clone, Debug)]
        pub struct SigmoidFocal {
            private: _,
        }
        impl Default for SigmoidFocal {}
        #[must_use]
        pub fn sigmoid_focal() -> Loss<SigmoidFocal> {}
        impl Loss<SigmoidFocal> {
            #[must_use]
            pub fn alpha(mut self, alpha: Option<f64>) -> Self {}
            #[must_use]
            pub fn gamma(mut self, gamma: f64) -> Self {}
        }
        impl Definition for SigmoidFocal {}
    }
    mod smooth_l1 {
        #[derive(Clone, Debug)]
        pub struct SmoothL1 {
            private: _,
        }
        impl Default for SmoothL1 {}
        #[must_use]
        pub fn smooth_l1() -> Loss<SmoothL1> {}
        impl Loss<SmoothL1> {
            #[must_use]
            pub fn beta(mut self, beta: f64) -> Self {}
        }
        impl Definition for SmoothL1 {}
    }
    mod soft_margin {
        #[derive(Clone, Debug, Default)]
        pub struct SoftMargin {}
        #[must_use]
        pub fn soft_margin() -> Loss<SoftMargin> {}
        impl Definition for SoftMargin {}
    }
    mod softmax {
        macro_rules! over_a_dim {
            (
                $definition:ident, $name:literal, $formula:literal, $layout:ident,
                $terms:expr
            ) => {
                impl Default for $definition { fn default() -> Self { Self { dim : - 1 }
                } } impl Loss <$definition > { #[doc =
                " The axis, from the end if negative; −1 by default."] #[must_use] pub
                fn dim(mut self, dim : i64) -> Self { self.definition.dim = dim; self } }
                impl Definition for $definition { fn entry(& self) -> &'static Entry {
                const ENTRY : Entry = Entry { name : $name, kind : Kind::Function,
                formula : $formula, arguments : & [Argument::input()], }; & ENTRY } fn
                layout(& self) -> Layout { Layout::$layout (self.dim) } fn options(& mut
                self) -> Vec < Opt <'_ >> { let slot = Slot::Integer(& mut self.dim,
                ANY_INTEGER); vec![Opt { name : "dim", doc :
                "the axis, from the end if negative", slot }] } fn terms <'g > (& self, a
                : & Arguments <'g >) -> Terms <'g > { let terms : fn (Var <'g >) -> Var
                <'g > = $terms; Terms::new(terms(a.tensor("input"))) } }
            };
        }
        #[derive(Clone, Debug)]
        pub struct Softmax {
            private: _,
        }
        #[must_use]
        pub fn softmax() -> Loss<Softmax> {}
        over_a_dim!(
            Softmax, "softmax", "exp x_c / Σ exp x", Along, | x | { let (m, _) =
            shifted(x); let e = x.exp_sub(m); e / e.sum(Class) }
        );
        #[derive(Clone, Debug)]
        pub struct LogSoftmax {
            private: _,
        }
        #[must_use]
        pub fn log_softmax() -> Loss<LogSoftmax> {}
        over_a_dim!(
            LogSoftmax, "log_softmax", "x_c − ln Σ exp x", Along, | x | { let (m, s) =
            shifted(x); (x - m) - s }
        );
        #[derive(Clone, Debug)]
        pub struct Logsumexp {
            private: _,
        }
        #[must_use]
        pub fn logsumexp() -> Loss<Logsumexp> {}
        over_a_dim!(
            Logsumexp, "logsumexp", "ln Σ exp x", Over, | x | { let (m, s) = shifted(x);
            m + s }
        );
    }
    mod triplet_margin {
        #[derive(Clone, Debug)]
        pub struct TripletMargin {
            private: _,
        }
        impl Default for TripletMargin {}
        #[must_use]
        pub fn triplet_margin() -> Loss<TripletMargin> {}
        impl Loss<TripletMargin> {
            #[must_use]
            pub fn margin(mut self, margin: f64) -> Self {}
            #[must_use]
            pub fn p(mut self, p: f64) -> Self {}
            #[must_use]
            pub fn eps(mut self, eps: f64) -> Self {}
            #[must_use]
            pub fn swap(mut self, swap: bool) -> Self {}
        }
        impl Definition for TripletMargin {}
        #[derive(Clone, Copy, Debug)]
        pub struct Distance {
            pub name: &'static str,
            pub of: for<'g> fn(Var<'g>, Var<'g>) -> Var<'g>,
        }
        impl Distance {
            pub const PAIRWISE: Self = _;
            pub const EUCLIDEAN: Self = _;
            pub const SQUARED: Self = _;
            pub const MANHATTAN: Self = _;
            pub const COSINE: Self = _;
            pub const ALL: [Self; 5] = _;
        }
        #[derive(Clone, Debug)]
        pub struct TripletMarginWithDistance {
            private: _,
        }
        impl Default for TripletMarginWithDistance {}
        #[must_use]
        pub fn triplet_margin_with_distance() -> Loss<TripletMarginWithDistance> {}
        impl Loss<TripletMarginWithDistance> {
            #[must_use]
            pub fn distance(mut self, distance: Distance) -> Self {}
            #[must_use]
            pub fn margin(mut self, margin: f64) -> Self {}
            #[must_use]
            pub fn swap(mut self, swap: bool) -> Self {}
        }
        impl Definition for TripletMarginWithDistance {}
    }
    macro_rules! definitions {
        ($($module:ident : $definition:ident $constructor:ident,)*) => {
            $(pub use $module :: { $definition, $constructor };)* pub (crate) fn
            definitions() -> Vec < Box < dyn Definition >> { vec![$(Box::new($definition
            ::default())),*] }
        };
    }
    definitions! {
        l1 : L1 l1, mse : Mse mse, cross_entropy : CrossEntropy cross_entropy, nll : Nll
        nll, binary_cross_entropy : BinaryCrossEntropy binary_cross_entropy,
        bce_with_logits : BceWithLogits binary_cross_entropy_with_logits, smooth_l1 :
        SmoothL1 smooth_l1, huber : Huber huber, kl_div : KlDiv kl_div, poisson_nll :
        PoissonNll poisson_nll, gaussian_nll : GaussianNll gaussian_nll, margin_ranking :
        MarginRanking margin_ranking, hinge_embedding : HingeEmbedding hinge_embedding,
        soft_margin : SoftMargin soft_margin, multi_margin : MultiMargin multi_margin,
        multilabel_margin : MultilabelMargin multilabel_margin, multilabel_soft_margin :
        MultilabelSoftMargin multilabel_soft_margin, cosine_embedding : CosineEmbedding
        cosine_embedding, triplet_margin : TripletMargin triplet_margin, triplet_margin :
        TripletMarginWithDistance triplet_margin_with_distance, ctc : Ctc ctc,
        linear_cross_entropy : LinearCrossEntropy linear_cross_entropy,
        adaptive_log_softmax : AdaptiveLogSoftmax adaptive_log_softmax, log_cosh :
        LogCosh log_cosh, quantile : Quantile quantile, sigmoid_focal : SigmoidFocal
        sigmoid_focal, softmax : Softmax softmax, softmax : LogSoftmax log_softmax,
        softmax : Logsumexp logsumexp, sigmoid : Sigmoid sigmoid, sigmoid : LogSigmoid
        log_sigmoid, sigmoid : Softplus softplus,
    }
    pub use triplet_margin::Distance;
    pub trait Definition: CloneDefinition + fmt::Debug + Send + Sync {
        fn entry(&self) -> &'static Entry;
        fn layout(&self) -> Layout {}
        fn options(&mut self) -> Vec<Opt<'_>> {}
        fn ignore_index(&self) -> Option<i64> {}
        fn blank(&self) -> Option<i64> {}
        fn rows(&self, _argument: &str) -> Option<usize> {}
        fn main(&self, given: &Given<'_>) -> Result<Main, Error> {}
        fn terms<'g>(&self, arguments: &Arguments<'g>) -> Terms<'g>;
    }
    pub trait CloneDefinition {
        fn boxed(&self) -> Box<dyn Definition>;
    }
    impl<D: Definition + Clone + 'static> CloneDefinition for D {}
    impl Clone for Box<dyn Definition> {}
    impl Definition for Box<dyn Definition> {}
    #[derive(Debug)]
    pub struct Arguments<'g> {
        private: _,
    }
    #[derive(Clone, Copy, Debug)]
    pub enum Target<'g> {
        Labels(LabelVar<'g>),
        Numbers(Var<'g>),
    }
    impl<'g> Arguments<'g> {
        #[must_use]
        pub fn target(&self, name: &str) -> Target<'g> {}
        #[must_use]
        pub fn tensor(&self, name: &str) -> Var<'g> {}
        #[must_use]
        pub fn labels(&self, name: &str) -> LabelVar<'g> {}
        #[must_use]
        pub fn label_sets(&self, name: &str) -> &[LabelVar<'g>] {}
        #[must_use]
        pub fn steps(&self, name: &str) -> &[Var<'g>] {}
        #[must_use]
        pub fn sequences(&self) -> SequenceVar<'g> {}
        #[must_use]
        pub fn number(&self, value: f64) -> Var<'g> {}
        #[must_use]
        pub fn has(&self, name: &str) -> bool {}
        #[must_use]
        pub fn main(&self) -> Shape {}
        #[must_use]
        pub fn or(&self, name: &str, default: f64) -> Var<'g> {}
    }
    #[derive(Clone, Debug)]
    pub struct Loss<D> {
        private: _,
    }
    impl<D: Definition> Loss<D> {
        #[must_use]
        pub fn new(definition: D) -> Self {}
        #[must_use]
        pub fn definition(&self) -> &D {}
        #[must_use]
        pub fn entry(&self) -> &'static Entry {}
        #[must_use]
        pub fn reduction(mut self, reduction: Reduction) -> Self {}
        #[must_use]
        pub fn empty(mut self, empty: Empty) -> Self {}
        #[must_use]
        pub fn check(mut self, check: Check) -> Self {}
        #[must_use]
        pub fn rename(mut self, argument: &str, name: &str) -> Self {}
        #[must_use]
        pub fn given_name<'a>(&'a self, argument: &'a str) -> &'a str {}
        #[must_use]
        pub fn options(&mut self) -> Vec<[String; 4]> {}
        pub fn with(mut self, option: &str, value: &str) -> Result<Self, Error> {}
    }
}
pub mod objective {
    #[derive(Clone, Debug)]
    pub struct Objective {
        private: _,
    }
    impl<D: Definition> From<Loss<D>> for Objective {}
    impl<D: Definition> From<&Loss<D>> for Objective {}
    impl<T: Into<Self>> Add<T> for Objective {
        type Output = Self;
    }
    impl<D: Definition, T: Into<Objective>> Add<T> for Loss<D> {
        type Output = Objective;
    }
    impl Mul<Objective> for f64 {
        type Output = Objective;
    }
    impl<D: Definition> Mul<Loss<D>> for f64 {
        type Output = Objective;
    }
}
pub mod op {
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Unary {
        Neg,
        Abs,
        Sign,
        Exp,
        Expm1,
        Ln,
        Ln1p,
        Sqrt,
        Sigmoid,
        Softplus,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Binary {
        Add,
        Sub,
        Mul,
        Div,
        Weigh,
        ExpSub,
        LogAddExp,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Compare {
        Eq,
        Lt,
        Le,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Reduce {
        Sum,
        Max,
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub enum Axis {
        Batch,
        Class,
        Inner,
    }
    impl Axis {
        pub const ALL: [Self; 3] = _;
        #[must_use]
        pub const fn index(self) -> usize {}
    }
}
pub mod plan {
    #[derive(Debug)]
    pub struct Plan {
        private: _,
    }
    #[derive(Clone, Debug)]
    pub struct Picks<'a> {
        pub labels: Vec<Labels<'a>>,
        pub tables: Vec<Table>,
    }
    #[derive(Debug)]
    pub struct Entering {
        pub place: usize,
        pub view: View,
        pub shape: Shape,
        pub domains: Vec<(&'static str, crate::catalogue::Domain)>,
    }
    #[derive(Debug)]
    pub struct Leaving {
        pub name: String,
        pub ids: Vec<Id>,
        pub shape: Vec<usize>,
    }
    impl Leaving {
        #[must_use]
        pub fn id(&self) -> Option<Id> {}
    }
    impl Plan {
        #[must_use]
        pub fn graph(&self) -> &Graph {}
        #[must_use]
        pub fn sides(&self) -> &[[usize; 3]] {}
        #[must_use]
        pub fn entering(&self) -> &[Entering] {}
        #[must_use]
        pub fn leaving(&self) -> &[Leaving] {}
        #[must_use]
        pub fn needs_matmul(&self) -> bool {}
        #[must_use]
        pub fn needs_take(&self) -> bool {}
    }
}
pub mod real {
    pub trait Real: Copy + Neg<
            Output = Self,
        > + Add<
            Output = Self,
        > + Sub<
            Output = Self,
        > + Mul<
            Output = Self,
        > + Div<
            Output = Self,
        > + Add<
            f64,
            Output = Self,
        > + Sub<f64, Output = Self> + Mul<f64, Output = Self> + Div<f64, Output = Self> {
        #[must_use]
        fn constant(self, value: f64) -> Self;
        #[must_use]
        fn unary(self, op: Unary) -> Self;
        #[must_use]
        fn binary(self, op: Binary, other: Self) -> Self;
        #[must_use]
        fn select(
            compare: Compare,
            a: Self,
            b: Self,
            then: Self,
            otherwise: Self,
        ) -> Self;
        #[must_use]
        fn detach(self) -> Self;
        #[must_use]
        fn tau(self) -> Self {}
        #[must_use]
        fn abs(self) -> Self {}
        #[must_use]
        fn sign(self) -> Self {}
        #[must_use]
        fn exp(self) -> Self {}
        #[must_use]
        fn exp_m1(self) -> Self {}
        #[must_use]
        fn ln(self) -> Self {}
        #[must_use]
        fn ln_1p(self) -> Self {}
        #[must_use]
        fn sqrt(self) -> Self {}
        #[must_use]
        fn sigmoid(self) -> Self {}
        #[must_use]
        fn softplus(self) -> Self {}
        #[must_use]
        fn square(self) -> Self {}
        #[must_use]
        fn relu(self) -> Self {}
        #[must_use]
        fn minimum(self, other: Self) -> Self {}
        #[must_use]
        fn weigh(self, value: Self) -> Self {}
        #[must_use]
        fn exp_sub(self, other: Self) -> Self {}
        #[must_use]
        fn log_add_exp(self, other: Self) -> Self {}
    }
    impl Real for f64 {}
}
pub mod reference {
    #[derive(Clone, Copy, Debug, Default)]
    pub struct Reference;
    #[derive(Clone, Debug, PartialEq)]
    pub struct Tensor {
        private: _,
    }
    impl Backend for Reference {
        type Tensor = Tensor;
        type Labels = Labels<'static>;
        type Error = Infallible;
    }
    impl Matmul<Tensor, Infallible> for Reference {}
    impl Take<Tensor, Infallible> for Reference {}
}
pub mod scalar {
    pub fn sign<F: Float>(x: F) -> F {}
    pub fn sigmoid<F: Float>(x: F) -> F {}
    pub fn softplus<F: Float>(x: F) -> F {}
    pub fn weigh<F: Float>(w: F, v: F) -> F {}
    pub fn exp_sub<F: Float>(a: F, b: F) -> F {}
    pub fn log_add_exp<F: Float>(a: F, b: F) -> F {}
    pub fn max<F: Float>(a: F, b: F) -> F {}
    pub fn unary<F: Float>(op: Unary, x: F) -> F {}
    pub fn binary<F: Float>(op: Binary, a: F, b: F) -> F {}
    pub fn compare<F: Float>(op: Compare, a: F, b: F) -> bool {}
}
pub mod sequence {
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Sequence {
        pub steps: usize,
        pub labels: Vec<usize>,
    }
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Table {
        private: _,
    }
    impl Table {
        #[must_use]
        pub fn new(
            [rows,
            places,
            classes,
            ]: [usize; 3],
            class: impl Fn(usize, usize) -> Option<usize>,
        ) -> Self {}
        #[must_use]
        pub fn sides(&self) -> [usize; 3] {}
        #[must_use]
        pub fn at(&self, row: usize, place: usize) -> Option<usize> {}
        pub fn sums(&self, row: usize, value: impl Fn(usize) -> f64) -> Vec<f64> {}
    }
    #[derive(Clone, Copy, Debug)]
    pub struct SequenceVar<'g> {
        private: _,
    }
    #[derive(Clone, Copy, Debug)]
    pub struct TableVar<'g> {
        private: _,
    }
    impl<'g> SequenceVar<'g> {
        #[must_use]
        pub fn places(self) -> Dim {}
        #[must_use]
        pub fn table(
            self,
            [from,
            to,
            ]: [Dim; 2],
            class: impl Fn(&Sequence, usize) -> Option<usize> + 'static,
        ) -> TableVar<'g> {}
    }
    impl<'g> TableVar<'g> {
        #[must_use]
        pub fn take(self, x: Var<'g>, otherwise: f64) -> Var<'g> {}
    }
}
pub mod shape {
    #[derive(Debug)]
    pub struct Sides<'a>(pub &'a [usize]);
    impl fmt::Display for Sides<'_> {}
    #[must_use]
    pub fn count(shape: &[usize]) -> usize {}
    pub fn checked_count(shape: &[usize]) -> Result<usize, Error> {}
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Layout {
        Pointwise,
        Classes,
        Along(i64),
        Over(i64),
    }
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Main {
        pub name: &'static str,
        pub shape: Vec<usize>,
        pub classes: Option<usize>,
    }
    #[derive(Debug)]
    pub struct Given<'a>(pub &'a [(&'static Argument, Vec<usize>)]);
    impl Given<'_> {
        #[must_use]
        pub fn shape(&self, name: &str) -> Option<&[usize]> {}
    }
}
pub mod strided {
    pub trait Strided {
        type Element: Clone;
        type Output;
        fn shape(&self) -> Vec<usize>;
        fn elements(&self) -> (Cow<'_, [Self::Element]>, Vec<usize>);
        fn from_elements(
            shape: &[usize],
            elements: Vec<Self::Element>,
            order: Order,
        ) -> Result<Self::Output, Error>;
    }
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Order {
        RowMajor,
        ColumnMajor,
    }
    impl Order {
        #[must_use]
        pub fn row_major<T: Clone>(self, elements: Vec<T>, shape: &[usize]) -> Vec<T> {}
    }
    impl Strided for Dense {
        type Element = f64;
        type Output = Self;
    }
    #[derive(Clone, Debug, PartialEq)]
    pub struct Slice<'a, T: Clone> {
        private: _,
    }
    impl<'a, T: Clone> Slice<'a, T> {
        pub fn new(
            shape: &[usize],
            data: impl Into<Cow<'a, [T]>>,
        ) -> Result<Self, Error> {}
        #[must_use]
        pub fn shape(&self) -> &[usize] {}
        #[must_use]
        pub fn data(&self) -> &[T] {}
        #[must_use]
        pub fn borrowed(&self) -> Option<&'a [T]> {}
        #[must_use]
        pub fn of(shape: &[usize], data: Cow<'a, [T]>) -> Self {}
    }
    impl<T: Clone + 'static> Strided for Slice<'_, T> {
        type Element = T;
        type Output = Slice<'static, T>;
    }
    #[must_use]
    pub fn row_major(shape: &[usize]) -> Vec<usize> {}
    #[derive(Clone, Debug)]
    pub struct Seen<'a, T: Clone> {
        pub elements: Cow<'a, [T]>,
        pub strides: [usize; 3],
    }
    #[must_use]
    pub fn gather<T: Clone>(
        elements: &[T],
        strides: &[usize],
        sides: &[usize],
    ) -> Vec<T> {}
}
pub mod terms {
    #[derive(Clone, Copy, Debug)]
    pub struct Terms<'g> {
        pub value: Var<'g>,
        pub weight: Var<'g>,
        pub averaged: Var<'g>,
    }
    impl<'g> Terms<'g> {
        #[must_use]
        pub fn new(value: Var<'g>) -> Self {}
        #[must_use]
        pub fn weighted(value: Var<'g>, weight: Var<'g>) -> Self {}
        #[must_use]
        pub fn averaging(self, averaged: Var<'g>) -> Self {}
    }
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Reduction {
        None,
        Mean,
        Sum,
        BatchMean,
    }
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Empty {
        Nan,
        Zero,
    }
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
    pub enum Check {
        Full,
        Labels,
        Off,
    }
}
pub use backend::{Array, Backend, Matmul, Operand, Powers, Take};
pub use dense::Dense;
pub use error::Error;
pub use evaluate::Runner;
pub use format::Format;
pub use inputs::{Evaluation, Input, Inputs};
pub use labels::{Indices, Labels};
pub use loss::{Definition, Loss};
pub use objective::Objective;
pub use plan::Plan;
pub use reference::Reference;
pub use strided::Strided;
pub use terms::{Check, Empty, Reduction, Terms};
