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
const ARGUMENTS: [(&[&str], &str, &[u8]); 11] = [
    (&["l1", "mse", "smooth_l1"], "input", file!("regression_prediction")),
    (&["l1", "mse", "smooth_l1"], "target", file!("regression_target")),
    (&["cross_entropy"], "input", file!("logits")),
    (&["nll"], "input", file!("log_probabilities")),
    (&["cross_entropy", "nll"], "target", file!("labels")),
    (&["cross_entropy", "nll"], "weight", file!("class_weights")),
    (&["binary_cross_entropy"], "input", file!("ovr_probabilities")),
    (&["binary_cross_entropy_with_logits"], "input", file!("ovr_logits")),
    (&["binary_cross_entropy"], "target", file!("ovr_targets")),
    (&["binary_cross_entropy_with_logits"], "target", file!("ovr_targets")),
    (&["binary_cross_entropy_with_logits"], "pos_weight", file!("pos_weight")),
];

/// Every loss with its arguments.
pub(crate) fn all() -> Result<Vec<(Loss, Vec<Argument>)>, Error> {
    let losses = catalogue::all().into_iter().filter(|loss| loss.entry().kind == Kind::Loss);
    let with = |loss: Loss| {
        let own = ARGUMENTS.iter().filter(|(losses, ..)| losses.contains(&loss.entry().name));
        let own = own.map(|(_, name, bytes)| from_npy(&loss, name, bytes));
        Ok((loss.clone(), own.collect::<Result<_, _>>()?))
    };
    losses.map(with).collect()
}
