//! What the catalogue says in words.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_core::catalogue::{
    Argument, FROM_ZERO, Form, GRAD_OUTPUT, SAMPLE_WEIGHT, Values, all, support,
};
use lossmith_core::{Reference, catalogue};

#[test]
fn no_two_forms_and_no_two_kinds_of_values_have_the_same_words() {
    let losses = all();
    let own = losses.iter().flat_map(|loss| loss.entry().arguments);
    let arguments: Vec<&Argument> = own.chain([&SAMPLE_WEIGHT, &GRAD_OUTPUT]).collect();
    for one in &arguments {
        for other in &arguments {
            assert_eq!(one.values == other.values, one.values.words() == other.values.words());
            // A matrix has the same words beside whatever it stands.
            let same = std::mem::discriminant(&one.form) == std::mem::discriminant(&other.form);
            assert!(same || one.form.words() != other.form.words(), "{:?}", one.form);
        }
    }
}

#[test]
fn what_is_missing_is_counted_and_named() {
    let n = all().len();
    assert_eq!(support(&Reference).to_string(), format!("{n} of {n}"));
    let mut lacking = support(&Reference);
    lacking.take_adds.extend(lacking.runs.pop());
    lacking.matmul_adds.extend(lacking.runs.pop());
    let [matmul, take] = [lacking.matmul_adds[0], lacking.take_adds[0]];
    let words = format!("{} of {n}; matmul adds 1 ({matmul}); take adds 1 ({take})", n - 2);
    assert_eq!(lacking.to_string(), words);
    assert!(catalogue::find(take).is_ok());
}

#[test]
fn what_an_option_may_be_is_said_and_held_to() {
    let expects = |loss: &str, option: &str| {
        let own = catalogue::find(loss).unwrap().options();
        own.into_iter().find(|[name, ..]| name == option).unwrap()[2].clone()
    };
    assert_eq!(expects("cross_entropy", "ignore_index"), "an integer");
    assert_eq!(expects("ctc", "blank"), "an integer from 0");
    assert_eq!(expects("multi_margin", "p"), "1 or 2");
    let cutoffs = expects("adaptive_log_softmax", "cutoffs");
    assert_eq!(cutoffs, "1 to 16 integers from 1, each above the last, as in 10,100");

    let with =
        |cutoffs: &str| catalogue::find("adaptive_log_softmax").unwrap().with("cutoffs", cutoffs);
    let up_to = |n: usize| (1..=n).map(|n| n.to_string()).collect::<Vec<_>>().join(",");
    for right in ["1", "2,5", &up_to(16)] {
        assert!(with(right).is_ok(), "{right}");
    }
    for wrong in ["0", "0,5", "5,2", "2,2", &up_to(17)] {
        assert!(with(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_argument_is_what_it_is_made_as() {
    let given = Argument::input();
    assert_eq!((given.name, given.form, given.values), ("input", Form::Main, Values::Numbers));
    assert_eq!((given.domain, given.optional, given.differentiable), (None, false, true));
    assert!(!given.log && given.logs().log);
    let target = Argument::target();
    assert_eq!((target.name, target.form, target.differentiable), ("target", Form::Same, true));
    let signs = Argument::signs(Form::Value).named("y");
    assert_eq!((signs.name, signs.form, signs.differentiable), ("y", Form::Value, false));
    assert!(signs.domain.is_some_and(|signs| signs.holds(-1.0) && !signs.holds(0.5)));
    let labels = Argument::labels();
    assert_eq!((labels.form, labels.values), (Form::Rows, Values::Indices));
    assert!(!labels.differentiable && labels.or_labels().values == Values::Either);
    let sequences = Argument::sequences("targets");
    assert_eq!((sequences.name, sequences.form), ("targets", Form::Sequences));
    let lengths = Argument::lengths("lengths");
    assert_eq!((lengths.form, lengths.values), (Form::Lengths, Values::Integers));
    let weight = Argument::weight("weight", Form::PerClass).within(FROM_ZERO);
    assert_eq!(
        (weight.name, weight.form, weight.domain),
        ("weight", Form::PerClass, Some(FROM_ZERO))
    );
    assert!(weight.optional && !weight.differentiable);
}
