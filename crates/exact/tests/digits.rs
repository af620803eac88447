//! How many bits an exact result has, and how many are left where numbers on the host are `f64`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use lossmith_conformance::golden;
use lossmith_core::{Dense, Evaluation, Format};
use lossmith_exact::{BigArray, Exact, Oracle};

fn agreement(a: &Evaluation<BigArray>, b: &Evaluation<BigArray>) -> f64 {
    let pairs = a.outputs().zip(b.outputs());
    pairs.map(|((_, a), (_, b))| a.agreement(b)).fold(f64::INFINITY, f64::min)
}

/// Values and gradients of PyTorch's grid stand in twice as many bits.
#[test]
fn results_are_exact_far_beyond_f64() {
    let (few, many) = (Oracle::new(), Oracle::with_bits(512));
    let mut fewest = (f64::INFINITY, String::new());
    for case in golden() {
        let (loss, inputs) = (case.loss().unwrap(), case.inputs(Format::F64).unwrap());
        let run = |oracle: &Oracle| loss.value_and_grad(oracle, &inputs).unwrap();
        let bits = agreement(&run(&few), &run(&many));
        if bits < fewest.0 {
            fewest = (bits, format!("{} {}", case.loss, case.name));
        }
    }
    println!("{fewest:?}");
    assert!(fewest.0 > 150.0, "{fewest:?}");
}

/// What a backend's `f64` on the host costs an exact one: why the oracle has none.
#[test]
fn numbers_on_the_host_are_what_a_backend_loses() {
    let (mut elements, mut off, mut most) = (0, 0, 0.0_f64);
    for case in golden() {
        let (loss, inputs) = (case.loss().unwrap(), case.inputs(Format::F64).unwrap());
        let exact = loss.value_and_grad(&Oracle::new(), &inputs).unwrap();
        let backend = case.run(&Exact::new(), Format::F64).unwrap();
        for ((_, exact), (_, got)) in exact.outputs().zip(backend.outputs()) {
            for (exact, &got) in exact.data().iter().zip(got.data()) {
                let ulps = (exact.to_f64() - got).abs() / Format::F64.ulp(got);
                elements += 1;
                off += usize::from(ulps > 0.0);
                most = most.max(ulps);
            }
        }
    }
    println!("{off} of {elements} elements are not the nearest f64, by up to {most} ULP");
    assert!(off > 0 && most < 64.0, "{off} {most}");
}

/// A constant that `f64` does not hold is one in as many bits as there are: no run gives what `f64` makes of it.
#[test]
fn constants_are_exact() {
    use lossmith_core::loss::{cross_entropy, gaussian_nll, log_cosh};
    let oracle = Oracle::new();
    let inputs = |names: &[(&str, f64)]| {
        names.iter().fold(lossmith_core::Inputs::<Dense>::new(), |inputs, (name, x)| {
            inputs.tensor(name, vec![*x])
        })
    };
    // ½ ln 2π, to the 106 bits that 2π has.
    let gaussian = inputs(&[("input", 1.0), ("target", 1.0), ("var", 1.0)]);
    let got = gaussian_nll().full(true).value(&oracle, &gaussian).unwrap();
    assert_eq!(got.data()[0].decimal(31), "0.9189385332046727417803297364056");
    // 700 + ln(1 + e^−1400) − ln 2
    let far = inputs(&[("input", 700.0), ("target", 0.0)]);
    let got = log_cosh().value(&oracle, &far).unwrap();
    assert_eq!(got.data()[0].decimal(40), "699.3068528194400546905827678785418234319");
    // (1 − ε) ln 2 + ε ln 2
    let even = lossmith_core::Inputs::<Dense>::new()
        .tensor("input", Dense::new(&[1, 2], vec![0.0; 2]).unwrap())
        .labels("target", [0]);
    let got = cross_entropy().label_smoothing(0.1).value(&oracle, &even).unwrap();
    assert_eq!(got.data()[0].decimal(50), "0.69314718055994530941723212145817656807550013436026");
}
