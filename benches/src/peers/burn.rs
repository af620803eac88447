//! burn's own losses and functions, on its tensors.

use super::{Fault, Given};
use burn::nn::loss::{
    BinaryCrossEntropyLossConfig, CTCLossConfig, CosineEmbeddingLossConfig, CrossEntropyLossConfig,
    GaussianNLLLossConfig, HingeEmbeddingLossConfig, HuberLossConfig, KLDivLossConfig,
    LpLossConfig, MarginRankingLossConfig, MseLoss, MultiMarginLossConfig, PoissonNllLossConfig,
    SmoothL1LossConfig, SoftMarginLoss, TripletMarginLossConfig,
};
use burn::tensor::{DType, Device, Int, Tensor, activation};

/// Losses that are a mean, and nothing else.
pub const MEANS: &[&str] =
    &["cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits"];

/// Losses whose target is whole numbers, and ours is any.
pub const WHOLE: &[&str] =
    &["binary_cross_entropy", "binary_cross_entropy_with_logits", "cosine_embedding"];

/// An argument: its elements in a line, whatever its rank, and its sides.
#[derive(Clone, Debug)]
pub struct Argument {
    /// The elements.
    pub line: Line,
    /// The sides.
    pub sides: Vec<usize>,
}

/// The elements of an argument.
#[derive(Clone, Debug)]
pub enum Line {
    /// Numbers.
    Numbers(Tensor<1>),
    /// Class indices, or lengths.
    Labels(Tensor<1, Int>),
}

impl Argument {
    fn sides<const D: usize>(&self) -> Result<[usize; D], Fault> {
        let sides = self.sides.as_slice().try_into();
        sides.map_err(|_| format!("takes no {:?} here", self.sides).into())
    }

    fn numbers<const D: usize>(&self) -> Result<Tensor<D>, Fault> {
        match &self.line {
            Line::Numbers(line) => Ok(line.clone().reshape(self.sides()?)),
            Line::Labels(_) => Err("takes no class indices here".into()),
        }
    }

    fn labels<const D: usize>(&self) -> Result<Tensor<D, Int>, Fault> {
        let Line::Labels(line) = &self.line else { return Err("takes no numbers here".into()) };
        Ok(line.clone().reshape(self.sides()?))
    }
}

/// The loss of every element, or row, of the arguments, or what the function gives; one number where it is a mean.
///
/// # Errors
/// What burn does not have.
pub fn value(
    name: &str,
    options: &Given<String>,
    arguments: &Given<Argument>,
    device: &Device,
) -> Result<Tensor<1>, Fault> {
    let line = |name: &str| arguments.of(name)?.numbers::<1>();
    let rows = |name: &str| arguments.of(name)?.numbers::<2>();
    let (input, target) = (|| line("input"), || line("target"));
    // The middle one of three sides is the one that the option names.
    let along = |function: fn(Tensor<3>, i32) -> Tensor<3>| -> Result<Tensor<1>, Fault> {
        let argument = arguments.of("input")?;
        let (rank, dim) = (argument.sides.len(), options.option("dim", -1_isize)?);
        let at = usize::try_from(if dim < 0 { dim + isize::try_from(rank)? } else { dim })?;
        let (before, rest) = argument.sides.split_at_checked(at).ok_or("has no such dim")?;
        let (&side, after) = rest.split_first().ok_or("has no such dim")?;
        let sides = vec![before.iter().product(), side, after.iter().product()];
        let shaped = Argument { sides, line: argument.line.clone() };
        Ok(function(shaped.numbers()?, 1).flatten(0, 2))
    };
    // An option of 32 bits, which in 64 are others.
    let single = |name: &str, default: f64| -> Result<f32, Fault> {
        let option = options.option(name, default)?;
        #[allow(clippy::cast_possible_truncation, reason = "what is lost is looked at")]
        let narrow = option as f32;
        let double = matches!(&arguments.of("input").map(|input| &input.line),
            Ok(Line::Numbers(line)) if line.dtype() == DType::F64);
        if double && f64::from(narrow) != option {
            return Err(format!("has its {name} in 32 bits").into());
        }
        Ok(narrow)
    };
    let value = match name {
        "l1" => LpLossConfig::l1().forward_no_reduction(input()?, target()?),
        "mse" => MseLoss::new().forward_no_reduction(input()?, target()?),
        "smooth_l1" => {
            let beta = single("beta", 1.0)?;
            if beta <= 0.0 {
                return Err("has no beta of 0".into());
            }
            SmoothL1LossConfig::new().with_beta(beta).init().forward(input()?, target()?)
        }
        "huber" => HuberLossConfig::new(single("delta", 1.0)?)
            .init()
            .forward_no_reduction(input()?, target()?),
        "kl_div" => KLDivLossConfig { log_target: options.option("log_target", false)? }
            .init()
            .forward_no_reduction(input()?, target()?),
        "poisson_nll" => {
            let log_input = options.option("log_input", true)?;
            let eps = options.option("eps", 1e-8)?;
            if eps <= 0.0 && !log_input {
                return Err("has no eps of 0".into());
            }
            PoissonNllLossConfig::new()
                .with_log_input(log_input)
                .with_full(options.option("full", false)?)
                .with_eps(if log_input { 1e-8 } else { eps })
                .init()
                .forward_no_reduction(input()?, target()?)
        }
        "gaussian_nll" => GaussianNLLLossConfig::new()
            .with_eps(options.option("eps", 1e-6)?)
            .with_full(options.option("full", false)?)
            .init()
            .forward_no_reduction(input()?, target()?, line("var")?),
        "margin_ranking" => MarginRankingLossConfig::new()
            .with_margin(options.option("margin", 0.0)?)
            .init()
            .forward_no_reduction(line("input1")?, line("input2")?, target()?),
        "hinge_embedding" => HingeEmbeddingLossConfig::new()
            .with_margin(options.option("margin", 1.0)?)
            .init()
            .forward_no_reduction(input()?, target()?),
        "soft_margin" => SoftMarginLoss::new().forward_no_reduction(input()?, target()?),
        "multi_margin" => MultiMarginLossConfig::new()
            .with_p(options.option("p", 1)?)
            .with_margin(options.option("margin", 1.0)?)
            .init()
            .forward_no_reduction(rows("input")?, arguments.of("target")?.labels()?),
        "cosine_embedding" => CosineEmbeddingLossConfig::new()
            .with_margin(single("margin", 0.0)?)
            .init()
            .forward_no_reduction(
                rows("input1")?,
                rows("input2")?,
                arguments.of("target")?.labels()?,
            ),
        "triplet_margin" => {
            if options.option("eps", 1e-6)? != 0.0 || options.option("swap", false)? {
                return Err("has no eps and no swap".into());
            }
            TripletMarginLossConfig::new()
                .with_p(options.option("p", 2.0)?)
                .with_margin(options.option("margin", 1.0)?)
                .init()
                .forward_no_reduction(rows("anchor")?, rows("positive")?, rows("negative")?)
        }
        "ctc" => CTCLossConfig::new()
            .with_blank(options.option("blank", 0)?)
            .with_zero_infinity(options.option("zero_infinity", false)?)
            .init()
            .forward(
                arguments.of("log_probs")?.numbers()?,
                arguments.of("targets")?.labels()?,
                arguments.of("input_lengths")?.labels()?,
                arguments.of("target_lengths")?.labels()?,
            ),
        "cross_entropy" => {
            let smoothing = single("label_smoothing", 0.0)?;
            CrossEntropyLossConfig::new()
                .with_smoothing((smoothing > 0.0).then_some(smoothing))
                .init(device)
                .forward(rows("input")?, arguments.of("target")?.labels()?)
        }
        "binary_cross_entropy" | "binary_cross_entropy_with_logits" => {
            BinaryCrossEntropyLossConfig::new()
                .with_logits(name == "binary_cross_entropy_with_logits")
                .init(device)
                .forward(input()?, arguments.of("target")?.labels()?)
        }
        "softmax" => along(activation::softmax)?,
        "log_softmax" => along(activation::log_softmax)?,
        "sigmoid" => activation::sigmoid(input()?),
        "log_sigmoid" => activation::log_sigmoid(input()?),
        "softplus" => activation::softplus(input()?, options.option("beta", 1.0)?),
        _ => return Err(format!("has no {name}").into()),
    };
    options.all_asked()?;
    arguments.all_asked()?;
    Ok(value)
}
