//! Every op beside MPFR, which rounds it correctly.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use crate::arithmetic::{Arithmetic, compare};
use crate::big::Big;
use lossmith_core::op::{Binary, Compare, Reduce, Unary};
use rug::float::Special;
use rug::{Float, Integer};
use std::cmp::Ordering;

/// Bits more than the arithmetic has, in which MPFR says what is right.
const MORE: u32 = 200;
/// What a result may be off, in units of its last bit: of a sum or difference, but for what MPFR itself rounds.
const HALF: f64 = 0.5 + 1e-9;
/// Of what is not rounded once.
const MOST: f64 = 0.501;

/// The same number, of so many bits.
fn mpfr(x: &Big, precision: u32) -> Float {
    let signed = |special, negative| {
        let x = Float::with_val(precision, special);
        if negative { -x } else { x }
    };
    match x {
        Big::Nan => signed(Special::Nan, false),
        Big::Infinite(negative) => signed(Special::Infinity, *negative),
        Big::Finite(_) if x.is_zero() => signed(Special::Zero, x.is_negative()),
        Big::Finite(x) => {
            let digits = Integer::from_str_radix(&x.0.significand().to_string(), 10).unwrap();
            Float::with_val(precision, digits) << i32::try_from(x.0.exponent()).unwrap()
        }
    }
}

/// How far off a result is, in units of the last of so many bits of the right one; infinitely, where one is NaN,
/// infinite or 0 and the other is not, or of the other sign.
fn units(got: &Big, right: &Float, bits: usize) -> f64 {
    let precision = right.prec() * 2;
    let got = mpfr(got, precision);
    if !right.is_normal() || !got.is_normal() {
        let same = if right.is_nan() {
            got.is_nan()
        } else {
            got == *right && got.is_sign_negative() == right.is_sign_negative()
        };
        return if same { 0.0 } else { f64::INFINITY };
    }
    let unit = right.get_exp().unwrap() - i32::try_from(bits).unwrap();
    let apart = Float::with_val(precision, &got - right).abs();
    (apart >> unit).to_f64()
}

/// What is right, and how far off a result may be: not at all where it is exact, or correctly rounded to so many bits.
fn unary(op: Unary, x: &Float, narrow: u32) -> (Float, f64) {
    let x = x.clone();
    match op {
        Unary::Neg => (-x, 0.0),
        Unary::Abs => (x.abs(), 0.0),
        Unary::Sign if x.is_nan() || x.is_zero() => (x.abs(), 0.0),
        Unary::Sign => (x.signum(), 0.0),
        Unary::Sqrt => (Float::with_val(narrow, x.sqrt_ref()), 0.0),
        Unary::Exp => (x.exp(), MOST),
        Unary::Expm1 => (x.exp_m1(), MOST),
        Unary::Ln => (x.ln(), MOST),
        Unary::Ln1p => (x.ln_1p(), MOST),
        Unary::Sigmoid => (((-x).exp() + 1_u32).recip(), MOST),
        Unary::Softplus => {
            let tail = (-x.clone().abs()).exp().ln_1p();
            (if x.is_sign_negative() { tail } else { x + tail }, MOST)
        }
    }
}

fn binary(op: Binary, a: &Float, b: &Float, narrow: u32) -> (Float, f64) {
    let wide = a.prec();
    match op {
        // They may keep a bit more.
        Binary::Add => (Float::with_val(wide, a + b), HALF),
        Binary::Sub => (Float::with_val(wide, a - b), HALF),
        Binary::Weigh if a.is_zero() => (Float::new(narrow), 0.0),
        Binary::Mul | Binary::Weigh => (Float::with_val(narrow, a * b), 0.0),
        Binary::Div => (Float::with_val(narrow, a / b), 0.0),
        Binary::ExpSub if a == b => (Float::with_val(narrow, 1_u32), 0.0),
        Binary::ExpSub => (Float::with_val(wide, a - b).exp(), MOST),
        Binary::LogAddExp if a.is_nan() || b.is_nan() => {
            (Float::with_val(narrow, Special::Nan), 0.0)
        }
        Binary::LogAddExp => {
            let (more, less) = if a > b { (a, b) } else { (b, a) };
            let same = more == less;
            let apart = if same { Float::new(wide) } else { Float::with_val(wide, less - more) };
            // Of the larger part 32 bits more are right, whatever is left of it.
            let (right, larger) = (apart.exp().ln_1p() + more, more.get_exp().max(less.get_exp()));
            let lost = larger.unwrap_or(1).max(1) - right.get_exp().unwrap_or(0);
            (right, MOST + 2.0_f64.powi(lost - 31))
        }
    }
}

fn power(n: i32) -> Big {
    Big::power_of_two(n)
}

/// Edges, and numbers of all bits with magnitudes between those powers of two, of both signs and beside 1.
fn numbers(arithmetic: &Arithmetic, magnitudes: std::ops::Range<i32>) -> Vec<Big> {
    let edges = [0.0, 1.0, 0.5, 0.75, 1.5, 2.0, f64::INFINITY, f64::NAN, f64::MAX, 5e-324];
    let mut all: Vec<_> = edges.into_iter().map(Big::from).collect();
    // Where other means are used.
    all.extend([-33, -32, -31, 19, 20, 21].map(power));
    let one = Big::from(1.0);
    let steps = u64::try_from(magnitudes.len()).unwrap();
    for step in 0..600_u64 {
        let random = |salt: u64| {
            let bits = (2 * step + salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            Big::from(1.0 + (bits >> 12) as f64 / 2.0_f64.powi(52))
        };
        let exponent = magnitudes.start + i32::try_from(step * 7 % steps).unwrap();
        let digits = arithmetic.binary(Binary::Div, &random(0), &random(1));
        let x = arithmetic.binary(Binary::Mul, &digits, &power(exponent));
        all.push(arithmetic.binary(Binary::Add, &one, &x));
        all.push(arithmetic.binary(Binary::Sub, &one, &x));
        all.push(x);
    }
    let negative: Vec<_> = all.iter().map(Big::neg).collect();
    all.extend(negative);
    all
}

#[test]
fn ops_are_mpfrs() {
    const UNARY: [Unary; 10] = [
        Unary::Neg,
        Unary::Abs,
        Unary::Sign,
        Unary::Exp,
        Unary::Expm1,
        Unary::Ln,
        Unary::Ln1p,
        Unary::Sqrt,
        Unary::Sigmoid,
        Unary::Softplus,
    ];
    const BINARY: [Binary; 7] = [
        Binary::Add,
        Binary::Sub,
        Binary::Mul,
        Binary::Div,
        Binary::Weigh,
        Binary::ExpSub,
        Binary::LogAddExp,
    ];
    let (mut exactly, mut nearly, mut most) = (0, 0, 0.0_f64);
    for bits in [64, 256, 1000] {
        let arithmetic = Arithmetic::new(bits);
        let narrow = u32::try_from(bits).unwrap();
        let wide = narrow + MORE;
        let mut judge = |got: &Big, (right, may): (Float, f64), what: &dyn Fn() -> String| {
            let off = units(got, &right, bits);
            assert!(off <= may, "{} in {bits} bits is off by {off}", what());
            if may == 0.0 {
                exactly += 1;
            } else {
                (nearly, most) = (nearly + 1, most.max(off));
            }
        };
        for x in numbers(&arithmetic, -1074..28) {
            for op in UNARY {
                let right = unary(op, &mpfr(&x, wide), narrow);
                judge(&arithmetic.unary(op, &x), right, &|| format!("{op:?} of {x:?}"));
            }
        }
        let all = numbers(&arithmetic, -60..20);
        let edges = all.iter().filter(|x| x.exponent().is_none_or(|e| e.abs() > 30)).take(60);
        let edges: Vec<_> = edges.collect();
        let pairs = edges.iter().flat_map(|a| edges.iter().map(move |b| (*a, *b)));
        // Neighbours in the list are x and 1 ± x; the others have nothing to do with each other.
        let pairs = pairs.chain(all.windows(2).map(|pair| (&pair[0], &pair[1])));
        let pairs = pairs.chain(all.windows(8).map(|pair| (&pair[0], &pair[7])));
        for (a, b) in pairs {
            let (p, q) = (mpfr(a, wide), mpfr(b, wide));
            let far =
                Float::with_val(wide, &p - &q).get_exp().is_some_and(|exponent| exponent > 24);
            for op in BINARY.into_iter().filter(|op| !far || *op != Binary::ExpSub) {
                let right = binary(op, &p, &q, narrow);
                let got = arithmetic.binary(op, a, b);
                judge(&got, right, &|| format!("{op:?} of {a:?}, {b:?}"));
            }
            let order = p.partial_cmp(&q);
            assert_eq!(compare(Compare::Eq, a, b), order == Some(Ordering::Equal));
            assert_eq!(compare(Compare::Lt, a, b), order == Some(Ordering::Less));
            assert_eq!(compare(Compare::Le, a, b), order.is_some_and(Ordering::is_le));
        }
    }
    println!("{exactly} correctly rounded, {nearly} within {most} units");
    assert!(exactly > 50_000 && nearly > 50_000 && most > 0.49, "{exactly} {nearly} {most}");
}

#[test]
fn sums_are_mpfrs() {
    let mut most = 0.0_f64;
    for bits in [64, 256, 1000] {
        let arithmetic = Arithmetic::new(bits);
        let wide = 2 * u32::try_from(bits).unwrap() + 2048;
        let all = numbers(&arithmetic, -60..20);
        for terms in all.chunks(50) {
            let floats: Vec<_> = terms.iter().map(|x| mpfr(x, wide)).collect();
            let products: Vec<_> = floats.iter().map(|x| x.clone() * &floats[7]).collect();
            let sums = [
                (arithmetic.reduce(Reduce::Sum, terms.iter()), floats.clone()),
                (arithmetic.products(terms.iter().map(|x| (x, &terms[7]))), products),
            ];
            for (got, terms) in sums {
                let right = Float::with_val(wide, Float::sum(terms.iter()));
                let largest = terms.iter().filter_map(Float::get_exp).max().unwrap_or(0);
                let lost = largest + 6 - right.get_exp().unwrap_or(0);
                let off = units(&got, &right, bits);
                // 50 roundings in 64 bits more than the largest part has.
                assert!(off <= 0.5 + 50.0 * 2.0_f64.powi(lost - 64), "a sum is off by {off}");
                most = most.max(off);
            }
            let greatest =
                floats.iter().fold(Float::with_val(wide, Special::NegInfinity), |a, b| {
                    if a.is_nan() || a >= *b { a } else { b.clone() }
                });
            let got = mpfr(&arithmetic.reduce(Reduce::Max, terms.iter()), wide);
            assert!(got == greatest || got.is_nan() && greatest.is_nan(), "{got} {greatest}");
        }
    }
    assert!(most > 0.4, "{most}");
}
