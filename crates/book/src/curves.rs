//! What is drawn of each loss: an element, a row or a sample with one number moved.

use lossmith_core::catalogue::{Kind, find};
use lossmith_core::{Dense, Error, Inputs, Reduction, Reference};

/// A loss by one number of one argument.
#[derive(Debug)]
pub(crate) struct Curves {
    pub(crate) loss: &'static str,
    /// The argument whose first number is moved.
    argument: &'static str,
    pub(crate) ends: [f64; 2],
    lines: Vec<Line>,
}

/// A loss with some options on some arguments.
#[derive(Debug)]
struct Line {
    name: &'static str,
    /// `OPTION=VALUE`, with blanks between.
    options: &'static str,
    inputs: fn(f64) -> Inputs<Dense>,
}

/// A line's name, and x, value and derivative at each point.
pub(crate) type Points = (&'static str, Vec<[f64; 3]>);

/// How many points a line has: with a kink at a whole number, one is on it.
const POINTS: u32 = 240;

impl Curves {
    /// What the first number is called.
    pub(crate) fn x(&self) -> String {
        format!("first number of {}", self.argument)
    }

    /// Every line at its points, on the reference.
    pub(crate) fn points(&self) -> Result<Vec<Points>, Error> {
        self.lines.iter().map(|line| Ok((line.name, self.along(line)?))).collect()
    }

    fn along(&self, line: &Line) -> Result<Vec<[f64; 3]>, Error> {
        let mut loss = find(self.loss)?;
        for option in line.options.split_whitespace() {
            let (name, value) = option.split_once('=').unwrap_or((option, ""));
            loss = loss.with(name, value)?;
        }
        let function = loss.entry().kind == Kind::Function;
        if !function {
            loss = loss.reduction(Reduction::Sum);
        }
        let [low, high] = self.ends;
        let mut points = Vec::new();
        for place in 0..=POINTS {
            let x = low + (high - low) * f64::from(place) / f64::from(POINTS);
            let mut inputs = (line.inputs)(x);
            let value = loss.value(&Reference, &inputs)?;
            if function {
                // The derivative of the first element alone.
                let cotangent = (0..value.data().len()).map(|at| f64::from(u8::from(at == 0)));
                let cotangent = Dense::new(value.shape(), cotangent.collect())?;
                inputs = inputs.tensor("grad_output", cotangent);
            }
            let loss = loss.value_and_grad(&Reference, &inputs)?;
            let derivative = loss.grad(self.argument).map_or(f64::NAN, |grad| grad.data()[0]);
            points.push([x, value.data()[0], derivative]);
        }
        Ok(points)
    }
}

fn one(x: f64) -> Inputs<Dense> {
    Inputs::new().tensor("input", vec![x])
}

fn pair(x: f64, target: f64) -> Inputs<Dense> {
    one(x).tensor("target", vec![target])
}

/// A row of three classes, the others' scores being 0 and −1.
fn row(x: f64) -> Inputs<Dense> {
    Inputs::new().tensor("input", vec![x, 0.0, -1.0])
}

fn two(x: f64, target: f64) -> Inputs<Dense> {
    let inputs = Inputs::new().tensor("input1", vec![x]).tensor("input2", vec![0.0]);
    inputs.tensor("target", vec![target])
}

/// A vector (x, 1) beside (1, 1).
fn vectors(x: f64, target: f64) -> Inputs<Dense> {
    let inputs = Inputs::new().tensor("input1", vec![x, 1.0]).tensor("input2", vec![1.0, 1.0]);
    inputs.tensor("target", Dense::from(target))
}

/// The anchor x between a positive at 0 and a negative at 2.
fn triplet(x: f64) -> Inputs<Dense> {
    let inputs = Inputs::new().tensor("anchor", vec![x]).tensor("positive", vec![0.0]);
    inputs.tensor("negative", vec![2.0])
}

/// What a layer gets: one feature.
fn layer(x: f64, label: i64) -> Inputs<Dense> {
    one(x).labels("target", label)
}

/// A matrix; with other sides than its numbers have, a row, which a loss refuses.
fn matrix(sides: [usize; 2], numbers: &[f64]) -> Dense {
    Dense::new(&sides, numbers.to_vec()).unwrap_or_else(|_| numbers.to_vec().into())
}

/// Weights of one feature, which the second class does not use.
fn weights() -> Dense {
    matrix([2, 1], &[1.0, 0.0])
}

/// A head whose logits are (x, 0), and a tail of two classes whose logits are (x, 0) too.
fn clusters(x: f64, label: i64) -> Inputs<Dense> {
    let head = layer(x, label).tensor("head.weight", weights());
    head.tensor("tails.0.0", matrix([1, 1], &[1.0])).tensor("tails.0.1", weights())
}

/// Two steps of two classes, both with the logits (0, x), for one label.
fn steps(x: f64) -> Inputs<Dense> {
    let whole = x.exp().ln_1p();
    let [other, own] = [-whole, x - whole];
    let steps = matrix([2, 2], &[other, own, other, own]);
    let inputs = Inputs::new().tensor("log_probs", steps).labels("targets", [1]);
    inputs.labels("input_lengths", 2).labels("target_lengths", 1)
}

macro_rules! curves {
    ($($loss:ident $argument:ident $low:literal..$high:literal {
        $($name:literal $options:literal $inputs:expr;)*
    })*) => {
        vec![$(Curves {
            loss: stringify!($loss),
            argument: stringify!($argument),
            ends: [$low, $high],
            lines: vec![$(Line { name: $name, options: $options, inputs: $inputs }),*],
        }),*]
    };
}

/// The curves of every loss, in catalogue order.
pub(crate) fn all() -> Vec<Curves> {
    curves! {
        l1 input -3.0..3.0 { "t = 0" "" |x| pair(x, 0.0); }
        mse input -3.0..3.0 { "t = 0" "" |x| pair(x, 0.0); }
        cross_entropy input -6.0..6.0 {
            "its label" "" |x| row(x).labels("target", 0);
            "another label" "" |x| row(x).labels("target", 1);
            "its label, ε = 0.1" "label_smoothing=0.1" |x| row(x).labels("target", 0);
        }
        nll input -5.0..0.0 {
            "its label" "" |x| row(x).labels("target", 0);
            "another label" "" |x| row(x).labels("target", 1);
        }
        binary_cross_entropy input 0.0025..0.9975 {
            "t = 1" "" |x| pair(x, 1.0);
            "t = 0" "" |x| pair(x, 0.0);
            "t = 0.5" "" |x| pair(x, 0.5);
        }
        binary_cross_entropy_with_logits input -6.0..6.0 {
            "t = 1" "" |x| pair(x, 1.0);
            "t = 0" "" |x| pair(x, 0.0);
            "t = 0.5" "" |x| pair(x, 0.5);
        }
        smooth_l1 input -3.0..3.0 {
            "β = 0.5" "beta=0.5" |x| pair(x, 0.0);
            "β = 1" "beta=1" |x| pair(x, 0.0);
            "β = 2" "beta=2" |x| pair(x, 0.0);
        }
        huber input -3.0..3.0 {
            "δ = 0.5" "delta=0.5" |x| pair(x, 0.0);
            "δ = 1" "delta=1" |x| pair(x, 0.0);
            "δ = 2" "delta=2" |x| pair(x, 0.0);
        }
        kl_div input -5.0..0.0 {
            "t = 0.1" "" |x| pair(x, 0.1);
            "t = 0.5" "" |x| pair(x, 0.5);
            "t = 1" "" |x| pair(x, 1.0);
        }
        poisson_nll input -2.0..3.0 {
            "t = 0" "" |x| pair(x, 0.0);
            "t = 2" "" |x| pair(x, 2.0);
            "t = 5" "" |x| pair(x, 5.0);
        }
        gaussian_nll var 0.1..4.0 {
            "x − t = 0.5" "" |v| pair(0.5, 0.0).tensor("var", vec![v]);
            "x − t = 1" "" |v| pair(1.0, 0.0).tensor("var", vec![v]);
            "x − t = 1.5" "" |v| pair(1.5, 0.0).tensor("var", vec![v]);
        }
        margin_ranking input1 -3.0..3.0 {
            "t = 1" "" |x| two(x, 1.0);
            "t = −1" "" |x| two(x, -1.0);
            "t = 1, margin 1" "margin=1" |x| two(x, 1.0);
        }
        hinge_embedding input 0.0..3.0 {
            "t = 1" "" |x| pair(x, 1.0);
            "t = −1" "" |x| pair(x, -1.0);
            "t = −1, margin 2" "margin=2" |x| pair(x, -1.0);
        }
        soft_margin input -6.0..6.0 {
            "t = 1" "" |x| pair(x, 1.0);
            "t = −1" "" |x| pair(x, -1.0);
        }
        multi_margin input -3.0..3.0 {
            "its label" "" |x| row(x).labels("target", 0);
            "another label" "" |x| row(x).labels("target", 1);
            "its label, p = 2" "p=2" |x| row(x).labels("target", 0);
        }
        multilabel_margin input -3.0..3.0 {
            "its label" "" |x| row(x).labels("target", [0, -1, -1]);
            "another label" "" |x| row(x).labels("target", [1, -1, -1]);
        }
        multilabel_soft_margin input -6.0..6.0 {
            "t = 1" "" |x| row(x).tensor("target", vec![1.0, 0.0, 0.0]);
            "t = 0" "" |x| row(x).tensor("target", vec![0.0, 0.0, 0.0]);
        }
        cosine_embedding input1 -4.0..4.0 {
            "t = 1" "" |x| vectors(x, 1.0);
            "t = −1" "" |x| vectors(x, -1.0);
            "t = −1, margin 0.5" "margin=0.5" |x| vectors(x, -1.0);
        }
        triplet_margin anchor -3.0..3.5 {
            "margin 1" "" triplet;
            "margin 0" "margin=0" triplet;
            "margin 1, swap" "swap=true" triplet;
        }
        triplet_margin_with_distance anchor -3.0..3.5 {
            "euclidean" "distance=euclidean" triplet;
            "squared" "distance=squared" triplet;
        }
        ctc log_probs -6.0..6.0 { "2 steps, 1 label" "" steps; }
        linear_cross_entropy input -6.0..6.0 {
            "first label" "" |x| layer(x, 0).tensor("linear_weight", weights());
            "second label" "" |x| layer(x, 1).tensor("linear_weight", weights());
        }
        adaptive_log_softmax input -6.0..6.0 {
            "label in the head" "" |x| clusters(x, 0);
            "first of the tail" "" |x| clusters(x, 1);
            "second of the tail" "" |x| clusters(x, 2);
        }
        log_cosh input -3.0..3.0 { "t = 0" "" |x| pair(x, 0.0); }
        quantile input -3.0..3.0 {
            "τ = 0.1" "tau=0.1" |x| pair(x, 0.0);
            "τ = 0.5" "tau=0.5" |x| pair(x, 0.0);
            "τ = 0.9" "tau=0.9" |x| pair(x, 0.0);
        }
        sigmoid_focal input -6.0..6.0 {
            "t = 1, γ = 0" "gamma=0 alpha=none" |x| pair(x, 1.0);
            "t = 1, γ = 2" "gamma=2 alpha=none" |x| pair(x, 1.0);
            "t = 1, γ = 5" "gamma=5 alpha=none" |x| pair(x, 1.0);
        }
        softmax input -6.0..6.0 { "beside 0 and −1" "" row; }
        log_softmax input -6.0..6.0 { "beside 0 and −1" "" row; }
        logsumexp input -6.0..6.0 { "beside 0 and −1" "" row; }
        sigmoid input -6.0..6.0 { "σ" "" one; }
        log_sigmoid input -6.0..6.0 { "ln σ" "" one; }
        softplus input -6.0..6.0 {
            "β = 0.5" "beta=0.5" one;
            "β = 1" "beta=1" one;
            "β = 2" "beta=2" one;
        }
    }
}
