//! What results are good for, in words.

use super::{Judged, OfFormat, Output};
use lossmith_core::Format;
use lossmith_precision::{Measures, Scale};

/// Whether results are as good as the format allows, and what is wrong with them where they are not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) safe: bool,
    pub(super) words: String,
}

/// Of the results of a backend.
pub(super) fn of(judged: &Judged, format: Format) -> Verdict {
    let outputs = match &judged.outputs {
        Ok(outputs) => outputs,
        Err(why) => return Verdict { safe: false, words: format!("cannot run it: {why}") },
    };
    let mut wrong: Vec<String> = overflows(outputs).into_iter().collect();
    wrong.extend(outputs.iter().flat_map(|output| amiss(output, format)));
    wrong.extend(bits(outputs));
    if wrong.is_empty() {
        return Verdict { safe: true, words: "within 1 ULP".into() };
    }
    Verdict { safe: false, words: wrong.join("; ") }
}

/// The op that overflows, and what it spoils.
fn overflows(outputs: &[Output]) -> Option<String> {
    let over = outputs.iter().find_map(|output| output.overflow.as_ref())?;
    let spoilt = outputs.iter().filter(|output| output.overflow.is_some());
    let spoilt: Vec<_> = spoilt.map(|output| output.name.as_str()).collect();
    let (op, elements) = (&over.op, elements(over.elements));
    Some(format!("overflows in {op} at {elements}, and with it {}", spoilt.join(", ")))
}

/// What of an output is no matter of bits.
fn amiss(output: &Output, format: Format) -> Vec<String> {
    let Output { name, measures, overflow, .. } = output;
    let Measures { nan, infinite, flushed, sign, beyond, below, .. } = measures;
    let (lost, zero) = (nan + infinite, flushed + below);
    let largest = format.huge();
    let said = [
        (lost > 0 && overflow.is_none()).then(|| {
            let words = match (nan, infinite) {
                (_, 0) => "NaN",
                (0, _) => "infinite",
                _ => "NaN or infinite",
            };
            format!("{name} is {words} at {}, where the exact result is not", elements(lost))
        }),
        (*beyond > 0).then(|| {
            let elements = elements(*beyond);
            format!("{name} is beyond {largest:.4e}, the largest of {}, at {elements}", format.name)
        }),
        (zero > 0).then(|| format!("{name} becomes 0 at {}", elements(zero))),
        (*sign > 0).then(|| format!("{name} has the wrong sign at {}", elements(*sign))),
    ];
    said.into_iter().flatten().collect()
}

/// The bits that the value loses, and the gradient that loses most.
fn bits(outputs: &[Output]) -> Option<String> {
    let (values, grads): (Vec<_>, Vec<_>) =
        outputs.iter().partition(|output| output.name == "value");
    let worst = |outputs: Vec<&'_ Output>| -> Option<String> {
        let worst =
            outputs.into_iter().max_by(|a, b| a.measures.max().total_cmp(&b.measures.max()));
        let worst = worst.filter(|output| output.measures.max() > 1.0)?;
        let by = worst.cause.as_ref().map(|op| format!(" ({op})")).unwrap_or_default();
        Some(format!("{:.1} bits in {}{by}", worst.measures.bits(), worst.name))
    };
    let lost: Vec<_> = [worst(values), worst(grads)].into_iter().flatten().collect();
    (!lost.is_empty()).then(|| format!("loses {}", lost.join(" and ")))
}

/// What rounding the inputs to the format does to them.
pub(super) fn of_inputs(of: &OfFormat) -> Option<String> {
    let format = of.dtype.format();
    let said = of.inputs.iter().flat_map(|(name, [infinite, zero])| {
        let beyond = (*infinite > 0).then(|| {
            let elements = elements(*infinite);
            format!(
                "{name} is beyond {:.4e}, the largest of {}, at {elements}",
                format.huge(),
                format.name
            )
        });
        beyond
            .into_iter()
            .chain((*zero > 0).then(|| format!("{name} becomes 0 at {}", elements(*zero))))
    });
    let said: Vec<_> = said.collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What a loss scale does for the gradients.
pub(super) fn of_scale(Scale { exponent, below }: Scale) -> String {
    let scale = format!("a loss scale of {}", power(exponent));
    match below {
        0 => format!("{scale} keeps all gradients in range"),
        _ => format!("{scale} is the best, and leaves {} of the gradients 0", elements(below)),
    }
}

/// 2ⁿ, written out where it is short.
fn power(n: i32) -> String {
    match n {
        0..=20 => (1_u32 << n).to_string(),
        _ => format!("2^{n}"),
    }
}

fn elements(n: usize) -> String {
    if n == 1 { "1 element".into() } else { format!("{n} elements") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lossmith_core::{Dense, Inputs};
    use lossmith_exact::{BigArray, Oracle};
    use lossmith_precision::{Class, Overflow, Spot};
    use lossmith_tests::Problem;

    /// Numbers as an exact result: |x − 0|.
    fn exact(data: &[f64]) -> BigArray {
        let loss = crate::run::loss("l1", &["reduction=none".into()]).unwrap();
        let inputs = Inputs::new()
            .tensor("input", Dense::from(data.to_vec()))
            .tensor("target", Dense::from(vec![0.0; data.len()]));
        loss.value_and_grad(&Oracle::new(), &inputs).unwrap().value
    }

    fn output(name: &str, got: &[f64], right: &[f64], format: Format) -> Output {
        let mut measures = Measures::default();
        let (class, options, problem) = (Class::Given, Vec::new(), Problem::default());
        let spot = Spot { class, seed: 0, steps: 0, options, problem };
        measures.enter(&Dense::from(got.to_vec()), (&exact(right), None), format, &spot);
        let (name, inputs) = (name.to_owned(), Vec::new());
        Output { name, measures, rounding: 0.0, inputs, overflow: None, cause: None }
    }

    fn judged(outputs: Vec<Output>) -> Judged {
        Judged { by: "half", outputs: Ok(outputs) }
    }

    #[track_caller]
    fn says(outputs: Vec<Output>, words: &str) {
        let verdict = of(&judged(outputs), Format::F16);
        assert_eq!((verdict.words.as_str(), verdict.safe), (words, words == "within 1 ULP"));
    }

    #[test]
    fn one_unit_is_safe_and_more_is_bits() {
        let value = |got| output("value", &[got], &[1.0], Format::F16);
        let unit = 2.0_f64.powi(-10);
        says(vec![value(1.0 + unit)], "within 1 ULP");
        let grad = output("grad.input", &[1.0 + 31.0 * unit], &[1.0], Format::F16);
        let caused = Output { cause: Some("sub".into()), ..grad };
        says(
            vec![value(1.0 + 3.0 * unit), caused],
            "loses 2.0 bits in value and 5.0 bits in grad.input (sub)",
        );
    }

    #[test]
    fn an_overflow_names_its_op_and_what_it_spoils() {
        let over = |name| Output {
            overflow: Some(Overflow { op: "square".into(), elements: 312 }),
            ..output(name, &[f64::INFINITY], &[9.0], Format::F16)
        };
        says(
            vec![over("value"), over("grad.input")],
            "overflows in square at 312 elements, and with it value, grad.input",
        );
        // Without a cause the result itself is named.
        says(
            vec![output("value", &[f64::NAN, f64::INFINITY, 1.0], &[9.0, 9.0, 1.0], Format::F16)],
            "value is NaN or infinite at 2 elements, where the exact result is not",
        );
    }

    #[test]
    fn what_the_format_cannot_hold_is_not_safe_however_well_it_is_rounded() {
        says(
            vec![output("value", &[f64::INFINITY], &[90_000.0], Format::F16)],
            "value is beyond 6.5504e4, the largest of f16, at 1 element",
        );
        says(
            vec![output("grad.input", &[0.0, 0.0, 0.0], &[1e-9, 1e-5, 0.0], Format::F16)],
            "grad.input becomes 0 at 2 elements",
        );
    }

    #[test]
    fn a_scale_says_what_it_leaves() {
        assert_eq!(
            of_scale(Scale { exponent: 12, below: 0 }),
            "a loss scale of 4096 keeps all gradients in range"
        );
        assert_eq!(
            of_scale(Scale { exponent: -3, below: 1 }),
            "a loss scale of 2^-3 is the best, and leaves 1 element of the gradients 0"
        );
    }
}
