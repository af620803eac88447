//! The op vocabulary: every op a definition or a gradient can ask of a backend, and its contract.
//!
//! | op | value | NaN | ±0, ±∞, ties |
//! | --- | --- | --- | --- |
//! | `Neg` | −x | NaN | exact; flips the sign of 0 |
//! | `Abs` | \|x\| | NaN | exact |
//! | `Sign` | −1, 0 or 1 | NaN | exact; 0 at ±0 |
//! | `Exp` | eˣ | NaN | 0 at −∞, ∞ at ∞ |
//! | `Expm1` | eˣ − 1, accurate near 0 | NaN | −1 at −∞, ∞ at ∞; keeps the sign of 0 |
//! | `Ln` | ln x | NaN, also below 0 | −∞ at ±0 |
//! | `Ln1p` | ln(1 + x), accurate near 0 | NaN, also below −1 | −∞ at −1 |
//! | `Sqrt` | √x | NaN, also below 0 | keeps the sign of 0 |
//! | `Sigmoid` | 1/(1 + e⁻ˣ), accurate for very negative x | NaN | 0 at −∞, 1 at ∞ |
//! | `Softplus` | ln(1 + eˣ), accurate on both sides | NaN | 0 at −∞, ∞ at ∞ |
//! | `Add Sub Mul Div` | IEEE 754 | NaN | IEEE 754: ∞ − ∞, 0 · ∞ and 0 / 0 are NaN |
//! | `Weigh` | 0 where a = 0, else a · b | NaN in a; NaN in b unless a = 0 | a = 0 skips b, whatever b is |
//! | `ExpSub` | e^(a − b), 1 where a = b | NaN | equal infinities give 1 |
//! | `LogAddExp` | ln(eᵃ + eᵇ), without overflow | NaN | −∞ adds nothing; ∞ if either is |
//! | `Eq Lt Le` | IEEE 754 comparison | false | −0 = 0 |
//! | `select` | `then` where the comparison holds, else `otherwise` | the branch not taken never shows | |
//! | `Sum` | sum with `f64` partials in fixed blocks | NaN | of nothing: 0 |
//! | `Max` | largest | NaN if any is NaN | of nothing: −∞ |
//! | `matmul` | Σ a · b over rows and columns | NaN | IEEE 754 in every product: 0 · ∞ is NaN; of nothing: 0 |
//! | `take` | at each place of a row, the row's element of the class that the table has there | the one not taken never shows | exact; `otherwise` where the table has none |
//! | `put` | at each class of a row, the sum of the elements at the places where the table has it | NaN | as `Sum`; of nothing: 0 |
//! | `at_label` | `hit` at the label's class, else `miss` | the one not taken never shows | an ignored row has no hit |
//!
//! Results are rounded once, to nearest, into the backend's format; a composite op (`Sigmoid`, `Softplus`,
//! `ExpSub`, `LogAddExp`) may carry a few more units of error, as its library does.
//! A `matmul` may round every step of its sums, as its library does: its bound grows with their length.
//! Every side of an operand is full or one; a one broadcasts. A scalar broadcasts everywhere.

/// An element-wise op of one argument; the [module](self) has its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unary {
    /// −x
    Neg,
    /// |x|
    Abs,
    /// −1, 0 or 1
    Sign,
    /// eˣ
    Exp,
    /// eˣ − 1
    Expm1,
    /// ln x
    Ln,
    /// ln(1 + x)
    Ln1p,
    /// √x
    Sqrt,
    /// 1/(1 + e⁻ˣ)
    Sigmoid,
    /// ln(1 + eˣ)
    Softplus,
}

/// An element-wise op of two arguments, broadcasting; the [module](self) has its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Binary {
    /// a + b
    Add,
    /// a − b
    Sub,
    /// a · b
    Mul,
    /// a / b
    Div,
    /// 0 where a = 0, else a · b: a zero weight skips what it weighs
    Weigh,
    /// e^(a − b), 1 where a = b
    ExpSub,
    /// ln(eᵃ + eᵇ)
    LogAddExp,
}

/// The condition of a select; false where either side is NaN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compare {
    /// a = b
    Eq,
    /// a < b
    Lt,
    /// a ≤ b
    Le,
}

/// A reduction; the [module](self) has its contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reduce {
    /// Σ x
    Sum,
    /// max x
    Max,
}

/// One of the three axes of the canonical form *batch × class × inner*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// What comes before the class axis; everything, for a pointwise loss.
    Batch,
    /// The class (or row) axis.
    Class,
    /// What comes after the class axis.
    Inner,
}

impl Axis {
    /// The three axes in order.
    pub const ALL: [Self; 3] = [Self::Batch, Self::Class, Self::Inner];

    /// Its place in a `[usize; 3]` of sides.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
