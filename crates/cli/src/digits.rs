//! The digits, embedded: a problem for every loss of the catalogue.

use crate::error::Error;
use crate::read::{Argument, from_npy};
use crate::run::Loss;
use lossmith_core::catalogue::{self, Kind};

macro_rules! file {
    ($name:literal) => {
        include_bytes!(concat!("../../../data/digits/", $name, ".npy")).as_slice()
    };
}

/// Which file is which argument of which loss.
const ARGUMENTS: [(&[&str], &str, &[u8]); 12] = [
    (&["l1", "mse", "smooth_l1", "huber", "log_cosh"], "input", file!("regression_prediction")),
    (&["l1", "mse", "smooth_l1", "huber", "log_cosh"], "target", file!("regression_target")),
    (&["cross_entropy", "multi_margin"], "input", file!("logits")),
    (&["nll", "kl_div"], "input", file!("log_probabilities")),
    (&["kl_div"], "target", file!("soft_targets")),
    (&["cross_entropy", "nll", "multi_margin"], "target", file!("labels")),
    (&["cross_entropy", "nll"], "weight", file!("class_weights")),
    (&["binary_cross_entropy"], "input", file!("ovr_probabilities")),
    (
        &["binary_cross_entropy_with_logits", "sigmoid_focal", "multilabel_soft_margin"],
        "input",
        file!("ovr_logits"),
    ),
    (&["binary_cross_entropy"], "target", file!("ovr_targets")),
    (
        &["binary_cross_entropy_with_logits", "sigmoid_focal", "multilabel_soft_margin"],
        "target",
        file!("ovr_targets"),
    ),
    (&["binary_cross_entropy_with_logits"], "pos_weight", file!("pos_weight")),
];

/// Every loss that the digits are a problem for, with its arguments.
pub(crate) fn all() -> Result<Vec<(Loss, Vec<Argument>)>, Error> {
    let losses = catalogue::all().into_iter().filter(|loss| loss.entry().kind == Kind::Loss);
    let with = |loss: Loss| {
        let own = ARGUMENTS.iter().filter(|(losses, ..)| losses.contains(&loss.entry().name));
        let own = own.map(|(_, name, bytes)| from_npy(&loss, name, bytes));
        Ok((loss.clone(), own.collect::<Result<_, _>>()?))
    };
    let known = losses.filter(|loss| {
        let name = loss.entry().name;
        ARGUMENTS.iter().any(|(losses, ..)| losses.contains(&name))
    });
    known.map(with).collect()
}
