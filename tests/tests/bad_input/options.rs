//! Options out of range, and words that are none.

use crate::{INSTANCES, refused};
use lossmith_core::Loss;
use lossmith_core::catalogue::{ANY_INTEGER, Slot, all};
use lossmith_tests::backends::AnyLoss;
use lossmith_tests::{Problem, Stream};
use std::collections::BTreeMap;

/// Words that are no value of an option, by what it expects.
fn malformed(expects: &str, k: usize) -> String {
    let junk = ["", "x", "1,5", "0x1", "--1", "1.5.", "None", "yes", " 1", "1e"][k % 10];
    if expects.contains("each above the last") && junk == "1,5" {
        return format!("{k},1");
    }
    if expects.starts_with("an integer") && k.is_multiple_of(3) {
        return format!("{k}.5");
    }
    format!("{junk}{}", "~".repeat(k / 10))
}

/// A number outside what a slot takes.
fn outside(low: f64, high: f64, k: usize, seed: &mut Stream) -> f64 {
    let beyond = seed.between(0.1, 9.0);
    let finite = low > f64::MIN;
    match k % 4 {
        0 => f64::NAN,
        1 => f64::NEG_INFINITY,
        2 if high < f64::MAX => high + beyond,
        2 if high == f64::MAX => f64::INFINITY,
        _ if low == f64::MIN_POSITIVE && k % 8 < 4 => 0.0,
        _ if finite => low - beyond,
        _ => f64::NAN,
    }
}

#[test]
fn every_wrong_option_is_refused() {
    let mut counts = BTreeMap::<(String, String), [usize; 3]>::new();
    let mut seed = Stream(7);
    for base in all() {
        let loss = base.entry().name;
        for [option, _, expects, _] in base.clone().options() {
            for k in 0..INSTANCES {
                let value = malformed(&expects, k);
                let words = base.clone().with(&option, &value).unwrap_err().to_string();
                let right = format!("option {option} of {loss} is {value}, but it wants {expects}");
                assert_eq!(words, right);
                let unknown = format!("{option}{}", "_".repeat(k + 1));
                let words = base.clone().with(&unknown, "1").unwrap_err().to_string();
                let right = format!("{loss} has no option {unknown:?}: it has ");
                assert!(words.starts_with(&right) && words.contains(&option), "{words}");
                let count = counts.entry((loss.into(), option.clone())).or_default();
                count[0] += 1;
                count[1] += 1;
                count[2] += out_of_range(&base, &option, k, &mut seed);
            }
        }
    }
    println!("{:34}{:18}{:>10}{:>8}{:>7}", "loss", "option", "malformed", "unknown", "range");
    for ((loss, option), [malformed, unknown, range]) in counts {
        println!("{loss:34}{option:18}{malformed:>10}{unknown:>8}{range:>7}");
    }
}

/// Runs a loss whose option was set out of range past its words; how many such values there were.
fn out_of_range(base: &AnyLoss, option: &str, k: usize, seed: &mut Stream) -> usize {
    let mut definition = base.definition().clone();
    let mut shown = None;
    for own in definition.options().into_iter().filter(|own| own.name == option) {
        let wrong = match own.slot {
            Slot::Number(value, range) => {
                *value = outside(*range.start(), *range.end(), k, seed);
                value.to_string()
            }
            Slot::MaybeNumber(value, range) => {
                let wrong = outside(*range.start(), *range.end(), k, seed);
                *value = Some(wrong);
                wrong.to_string()
            }
            Slot::Integer(value, range) if range != ANY_INTEGER => {
                let beyond = i64::try_from(k + 1).unwrap();
                let high = k.is_multiple_of(2) && *range.end() < i64::MAX;
                *value = if high { range.end() + beyond } else { range.start() - beyond };
                value.to_string()
            }
            Slot::Rising(values, _) => {
                let again = i64::try_from(k + 1).unwrap();
                *values = vec![again, again];
                format!("{again},{again}")
            }
            Slot::Integer(..) | Slot::Flag(_) | Slot::Distance(_) => continue,
        };
        shown = Some(wrong);
    }
    let Some(shown) = shown else { return 0 };
    let words = base.clone().with(option, &shown).unwrap_err().to_string();
    let problem = Problem::random(base, seed).unwrap();
    let right = format!("option {option} of {} is {shown}, but", base.entry().name);
    assert!(words.starts_with(&right), "{words}");
    refused(&Loss::new(definition), &problem, &[right]);
    1
}
