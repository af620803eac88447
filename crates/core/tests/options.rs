//! Every option's method sets what its name sets in words, and nothing else.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::loss::*;
use lossmith_core::{Check, Definition, Empty, Loss, Reduction, catalogue};
use std::collections::BTreeSet;

/// The options of a loss that are not the default's, which have to be those of the same words.
fn set<D: Definition>(
    mut built: Loss<D>,
    words: &[(&'static str, &str)],
) -> BTreeSet<(&'static str, String)> {
    let name = built.entry().name;
    let plain = catalogue::find(name).unwrap();
    let with = |loss: Loss<Box<dyn Definition>>, &(option, value): &(&str, &str)| {
        loss.with(option, value).unwrap()
    };
    let mut named = words.iter().fold(plain.clone(), with);
    assert_eq!(built.options(), named.options(), "{name}");
    let pairs = built.options().into_iter().zip(plain.clone().options());
    let other = pairs.filter(|(own, plain)| own != plain).map(|(own, _)| own[0].clone());
    let other: BTreeSet<_> = other.map(|option| (name, option)).collect();
    assert_eq!(other, words.iter().map(|(option, _)| (name, (*option).to_owned())).collect());
    other
}

#[test]
fn a_method_sets_the_option_of_its_name() {
    let tested = [
        set(
            adaptive_log_softmax().cutoffs(&[2, 5]).div_value(Some(2.0)).head_bias(true),
            &[("cutoffs", "2,5"), ("div_value", "2"), ("head_bias", "true")],
        ),
        set(binary_cross_entropy().clamp(None), &[("clamp", "none")]),
        set(cosine_embedding().margin(0.5), &[("margin", "0.5")]),
        set(
            cross_entropy().ignore_index(-1).label_smoothing(0.1),
            &[("ignore_index", "-1"), ("label_smoothing", "0.1")],
        ),
        set(ctc().blank(1).zero_infinity(true), &[("blank", "1"), ("zero_infinity", "true")]),
        set(gaussian_nll().full(true).eps(0.5), &[("full", "true"), ("eps", "0.5")]),
        set(hinge_embedding().margin(0.5), &[("margin", "0.5")]),
        set(huber().delta(2.0), &[("delta", "2")]),
        set(kl_div().log_target(true), &[("log_target", "true")]),
        set(
            linear_cross_entropy().ignore_index(-1).label_smoothing(0.1),
            &[("ignore_index", "-1"), ("label_smoothing", "0.1")],
        ),
        set(log_softmax().dim(0), &[("dim", "0")]),
        set(logsumexp().dim(0), &[("dim", "0")]),
        set(margin_ranking().margin(0.5), &[("margin", "0.5")]),
        set(multi_margin().p(2).margin(0.5), &[("p", "2"), ("margin", "0.5")]),
        set(nll().ignore_index(-1), &[("ignore_index", "-1")]),
        set(
            poisson_nll().log_input(false).full(true).eps(0.5),
            &[("log_input", "false"), ("full", "true"), ("eps", "0.5")],
        ),
        set(quantile().tau(0.25), &[("tau", "0.25")]),
        set(sigmoid_focal().alpha(None).gamma(3.0), &[("alpha", "none"), ("gamma", "3")]),
        set(smooth_l1().beta(0.5), &[("beta", "0.5")]),
        set(softmax().dim(0), &[("dim", "0")]),
        set(softplus().beta(2.0), &[("beta", "2")]),
        set(
            triplet_margin().margin(0.5).p(1.0).eps(0.5).swap(true),
            &[("margin", "0.5"), ("p", "1"), ("eps", "0.5"), ("swap", "true")],
        ),
        set(
            triplet_margin_with_distance().distance(Distance::COSINE).margin(0.5).swap(true),
            &[("distance", "cosine"), ("margin", "0.5"), ("swap", "true")],
        ),
    ];
    let tested: BTreeSet<_> = tested.into_iter().flatten().collect();
    let common = ["reduction", "empty", "check"];
    let mut all = BTreeSet::new();
    for mut loss in catalogue::all() {
        let name = loss.entry().name;
        let own = loss.options().into_iter().map(|[option, ..]| option);
        all.extend(own.filter(|option| !common.contains(&&**option)).map(|option| (name, option)));
    }
    assert_eq!(tested, all);
}

#[test]
fn a_loss_without_options_is_the_catalogues() {
    set(binary_cross_entropy_with_logits(), &[]);
    set(l1(), &[]);
    set(log_cosh(), &[]);
    set(log_sigmoid(), &[]);
    set(multilabel_margin(), &[]);
    set(multilabel_soft_margin(), &[]);
    set(sigmoid(), &[]);
    set(soft_margin(), &[]);
    set(
        mse().reduction(Reduction::Sum).empty(Empty::Zero).check(Check::Off),
        &[("reduction", "sum"), ("empty", "zero"), ("check", "off")],
    );
}
