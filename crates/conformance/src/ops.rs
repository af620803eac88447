//! The op level: every row of the contract in [`lossmith_core::op`] as calls, judged by the reference.

use crate::calls::{Arg, Call, Cases, Fault, Host, run};
use crate::certify::Report;
use crate::suite::{Claim, ulps};
use lossmith_core::labels::Labels;
use lossmith_core::op::{Binary, Compare, Reduce, Unary};
use lossmith_core::{Backend, Format, Reference};

/// What one named test of the op level is about.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Transfer,
    Unary(Unary),
    Binary(Binary),
    Select(Compare),
    Reduce(Reduce),
    Fold(Reduce),
    AtLabel,
    Matmul,
    Take,
    Put,
}

/// The phases of the op level, by the names of their tests.
const PHASES: [(&str, Phase); 29] = [
    ("transfer", Phase::Transfer),
    ("neg", Phase::Unary(Unary::Neg)),
    ("abs", Phase::Unary(Unary::Abs)),
    ("sign", Phase::Unary(Unary::Sign)),
    ("exp", Phase::Unary(Unary::Exp)),
    ("expm1", Phase::Unary(Unary::Expm1)),
    ("ln", Phase::Unary(Unary::Ln)),
    ("ln1p", Phase::Unary(Unary::Ln1p)),
    ("sqrt", Phase::Unary(Unary::Sqrt)),
    ("sigmoid", Phase::Unary(Unary::Sigmoid)),
    ("softplus", Phase::Unary(Unary::Softplus)),
    ("add", Phase::Binary(Binary::Add)),
    ("sub", Phase::Binary(Binary::Sub)),
    ("mul", Phase::Binary(Binary::Mul)),
    ("div", Phase::Binary(Binary::Div)),
    ("weigh", Phase::Binary(Binary::Weigh)),
    ("exp_sub", Phase::Binary(Binary::ExpSub)),
    ("log_add_exp", Phase::Binary(Binary::LogAddExp)),
    ("select_eq", Phase::Select(Compare::Eq)),
    ("select_lt", Phase::Select(Compare::Lt)),
    ("select_le", Phase::Select(Compare::Le)),
    ("reduce_sum", Phase::Reduce(Reduce::Sum)),
    ("reduce_max", Phase::Reduce(Reduce::Max)),
    ("fold_sum", Phase::Fold(Reduce::Sum)),
    ("fold_max", Phase::Fold(Reduce::Max)),
    ("at_label", Phase::AtLabel),
    ("matmul", Phase::Matmul),
    ("take", Phase::Take),
    ("put", Phase::Put),
];

/// The names of the phases of the op level, which are the names of its tests.
pub fn op_phases() -> impl Iterator<Item = &'static str> {
    PHASES.iter().map(|(name, _)| *name)
}

/// Runs one phase of the op level, or says that there is none of that name.
pub fn op<B: Backend>(backend: &B, claim: &Claim, phase: &str) -> Report {
    let mut report = Report::default();
    let Some((name, of)) = PHASES.iter().find(|(name, _)| *name == phase) else {
        report.failures.push((phase.into(), "there is no such phase".into()));
        return report;
    };
    for (case, call, args) in cases(*of, claim.format) {
        let tensors = args.iter().filter(|arg| matches!(arg, Arg::Tensor(_))).count();
        // Every way to own the operands, or for many of them all or none.
        let ways = if tensors > 2 { vec![0, usize::MAX] } else { (0..1 << args.len()).collect() };
        let wrong =
            ways.into_iter().find_map(|owned| check(backend, claim, &call, &args, owned).err());
        match wrong {
            None => report.passed += 1,
            Some(Fault::Unsupported) => report.unsupported += 1,
            Some(Fault::Wrong(what)) => {
                let name = format!("{name}: {case}");
                // Several calls may share a name; the first that is wrong stands for it.
                if report.failures.iter().all(|(failed, _)| *failed != name) {
                    report.failures.push((name, what));
                }
            }
        }
    }
    report
}

/// Runs every phase of the op level.
pub fn certify_ops<B: Backend>(backend: &B, claim: &Claim) -> Report {
    op_phases().fold(Report::default(), |report, phase| report.and(op(backend, claim, phase)))
}

fn check<B: Backend>(
    backend: &B,
    claim: &Claim,
    call: &Call,
    args: &[Arg],
    owned: usize,
) -> Result<(), Fault> {
    let rounded: Vec<_> = args.iter().map(|arg| arg.map(|x| claim.format.round(x))).collect();
    let given = if matches!(call, Call::Transfer) { args } else { &rounded };
    let got = run(backend, call, given, owned)?;
    let expected = run(&Reference, call, &rounded, owned)?;
    let allowed = allowed(call, &rounded, &expected, claim)?;
    if got.len() != expected.len() {
        let (got, expected) = (got.len(), expected.len());
        return Err(Fault::Wrong(format!(
            "{got} elements, expected {expected}; {call:?} of {args:?}"
        )));
    }
    for (index, ((&got, &expected), &allowed)) in
        got.iter().zip(&expected).zip(&allowed).enumerate()
    {
        // An infinity is matched by itself alone.
        let close = allowed.is_finite() && (got - expected).abs() <= allowed;
        let near = got == expected || close;
        let overflow = got.is_infinite()
            && got.is_sign_positive() == expected.is_sign_positive()
            && expected.abs() + allowed >= claim.format.huge();
        let right = near || overflow || got.is_nan() && expected.is_nan();
        let sign = expected == 0.0
            && signed_zero(call)
            && got.is_sign_negative() != expected.is_sign_negative();
        if !right || sign {
            let off = ulps(got, expected, claim.format);
            return Err(Fault::Wrong(format!(
                "element {index} is {got:e}, expected {expected:e} ({off}); {call:?} of {}, owned {owned:#b}",
                at(&rounded, index, call),
            )));
        }
    }
    Ok(())
}

/// The operands, at the element where that is one to one.
fn at(args: &[Arg], index: usize, call: &Call) -> String {
    let one_to_one = matches!(call, Call::Unary(_) | Call::Binary(_) | Call::Select(_));
    let show = |arg: &Arg| match arg {
        Arg::Tensor(host) if one_to_one && host.sides == widest(args) => {
            format!("{:e} in {:?}", host.data[index], host.sides)
        }
        Arg::Tensor(host) if host.data.len() > 12 => {
            format!("{:?}… in {:?}", &host.data[..12], host.sides)
        }
        Arg::Tensor(host) => format!("{:?} in {:?}", host.data, host.sides),
        Arg::Scalar(x) => format!("the number {x:e}"),
    };
    args.iter().map(show).collect::<Vec<_>>().join(", ")
}

fn widest(args: &[Arg]) -> [usize; 3] {
    args.iter().fold([1; 3], |mut sides, arg| {
        if let Arg::Tensor(host) = arg {
            for (side, own) in sides.iter_mut().zip(host.sides) {
                *side = if own == 1 { *side } else { own };
            }
        }
        sides
    })
}

/// Whether the contract fixes the sign of a zero.
fn signed_zero(call: &Call) -> bool {
    match call {
        Call::Transfer | Call::Select(_) | Call::AtLabel(_) | Call::Take(..) => true,
        Call::Unary(Unary::Neg | Unary::Abs | Unary::Expm1 | Unary::Sqrt) => true,
        Call::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div) => true,
        Call::Unary(
            Unary::Sign | Unary::Exp | Unary::Ln | Unary::Ln1p | Unary::Sigmoid | Unary::Softplus,
        )
        | Call::Binary(Binary::Weigh | Binary::ExpSub | Binary::LogAddExp)
        | Call::Reduce(..)
        | Call::Centre(..)
        | Call::Fold(_)
        | Call::Matmul(..)
        | Call::Put(_) => false,
    }
}

/// How far each element may be off: the roundings the op costs, as the error bounds of losses count them.
fn allowed(call: &Call, args: &[Arg], y: &[f64], claim: &Claim) -> Result<Vec<f64>, Fault> {
    let (format, factor) = (claim.format, claim.tolerance);
    let of_y = |units: f64| {
        let bound = |y: &f64| factor * (units * format.unit() * y.abs() + format.tiny());
        y.iter().map(bound).collect()
    };
    Ok(match call {
        Call::Binary(Binary::Add | Binary::Sub | Binary::Mul | Binary::Div | Binary::Weigh)
        | Call::Unary(Unary::Sqrt) => of_y(1.0),
        Call::Unary(Unary::Exp | Unary::Expm1 | Unary::Ln | Unary::Ln1p) => of_y(2.0),
        Call::Unary(Unary::Sigmoid | Unary::Softplus) => of_y(4.0),
        // The difference is rounded before its exponential magnifies it.
        Call::Binary(Binary::ExpSub) => {
            let apart = run(&Reference, &Call::Binary(Binary::Sub), args, 0)?;
            let bound = |(y, apart): (&f64, &f64)| {
                let lost = if *y == 0.0 { 0.0 } else { y * (1.0 + apart.abs()) };
                factor * (4.0 * format.unit() * lost + format.tiny())
            };
            y.iter().zip(&apart).map(bound).collect()
        }
        // The tail that is added to the larger is rounded as a number of its own.
        Call::Binary(Binary::LogAddExp) => {
            let bound = |y: &f64| factor * (4.0 * format.unit() * (y.abs() + 1.0));
            y.iter().map(bound).collect()
        }
        Call::Reduce(Reduce::Sum, _) | Call::Fold(Reduce::Sum) | Call::Put(_) => {
            let sizes: Vec<_> = args.iter().map(|arg| arg.map(f64::abs)).collect();
            let terms = run(&Reference, call, &sizes, 0)?;
            // A fold is not narrowed: nothing but `f64` is lost.
            let fold = matches!(call, Call::Fold(_));
            let unit = if fold { Format::F64.unit() * 32.0 } else { 2.0 * format.unit() };
            terms.iter().map(|terms| factor * unit * terms).collect()
        }
        // Each product and each step of the sum.
        Call::Matmul([turned, _], _) => {
            let sizes: Vec<_> = args.iter().map(|arg| arg.map(f64::abs)).collect();
            let terms = run(&Reference, call, &sizes, 0)?;
            let steps = match args.first() {
                Some(Arg::Tensor(Host { sides: [rows, _, _], .. })) if *turned => *rows,
                Some(Arg::Tensor(Host { sides: [_, class, inner], .. })) => class * inner,
                Some(Arg::Scalar(_)) | None => 0,
            };
            #[allow(clippy::cast_precision_loss, reason = "a side is small")]
            let steps = (steps + 1) as f64;
            let lost = |terms| factor * steps * (format.unit() * terms + format.tiny());
            terms.into_iter().map(lost).collect()
        }
        Call::Transfer
        | Call::Unary(Unary::Neg | Unary::Abs | Unary::Sign)
        | Call::Select(_)
        | Call::Reduce(Reduce::Max, _)
        | Call::Fold(Reduce::Max)
        | Call::Centre(..)
        | Call::Take(..)
        | Call::AtLabel(_) => vec![0.0; y.len()],
    })
}

/// Shapes that are empty, on one axis or another.
const EMPTY: [[usize; 3]; 4] = [[0, 3, 1], [2, 0, 1], [0, 1, 1], [2, 3, 0]];
/// A matrix, and what has an inner side as well.
const FULL: [[usize; 3]; 2] = [[2, 3, 1], [2, 3, 2]];

fn cases(phase: Phase, format: Format) -> Cases {
    match phase {
        Phase::Transfer => transfers(format),
        Phase::Unary(op) => element_wise(&Call::Unary(op), 1, format),
        Phase::Binary(op) => element_wise(&Call::Binary(op), 2, format),
        Phase::Select(op) => element_wise(&Call::Select(op), 4, format),
        Phase::Reduce(op) => crate::reductions::along_axes(op, format),
        Phase::Fold(op) => crate::reductions::folds(op, format),
        Phase::AtLabel => at_label(),
        Phase::Matmul => crate::reductions::products(),
        Phase::Take => crate::tables::takes(),
        Phase::Put => crate::tables::puts(),
    }
}

fn numbers() -> Vec<f64> {
    let up = [0.001, 0.1, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 10.0, 17.4, 30.0, 88.0];
    up.into_iter().flat_map(|x| [x, -x]).collect()
}

/// What the contract table says something of: NaN, zeros, infinities.
pub(crate) const LIMITS: [f64; 7] =
    [f64::NAN, 0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, 1.0, -1.0];

/// The ends of the format: below its normal numbers, the least of these, and the largest.
fn ends(format: Format) -> Vec<f64> {
    let (tiny, huge) = (format.tiny(), format.huge());
    let normal = tiny / (2.0 * format.unit());
    [tiny, 3.0 * tiny, normal - tiny, normal, 1.0, huge].into_iter().flat_map(|x| [x, -x]).collect()
}

/// Every combination of `arity` of the values, one tensor an operand.
fn product(values: &[f64], arity: usize) -> Vec<Arg> {
    let n = values.len();
    let count = n.pow(u32::try_from(arity).unwrap_or(1));
    let operand = |place: usize| {
        let step = n.pow(u32::try_from(place).unwrap_or(0));
        Arg::tensor([count, 1, 1], (0..count).map(|index| values[index / step % n]))
    };
    (0..arity).map(operand).collect()
}

/// Numbers that tell their places, operands and operands' order apart.
pub(crate) fn told_apart(sides: [usize; 3], operand: usize) -> Arg {
    let count: usize = sides.iter().product();
    let number = |index: usize| {
        [1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 13.0][(index + 2 * operand) % 7] * [0.25, -0.5][operand % 2]
    };
    Arg::tensor(sides, (0..count).map(number))
}

/// The sides that are full where the bit of the axis is set, and one elsewhere.
fn masked(full: [usize; 3], mask: usize) -> [usize; 3] {
    [0, 1, 2].map(|axis| if mask >> axis & 1 == 1 { full[axis] } else { 1 })
}

fn element_wise(call: &Call, arity: usize, format: Format) -> Cases {
    let mut cases: Cases = Vec::new();
    let mut add = |name, args| cases.push((name, call.clone(), args));
    // Four operands of a few values each are combinations enough.
    let few = [-1.0, 0.5, 2.0];
    let inner = if arity > 2 { few.to_vec() } else { numbers() };
    add("numbers", product(&inner, arity));
    add("limits", product(&LIMITS, arity));
    let pairs = product(&ends(format), arity.min(2)).into_iter();
    add("ends of the format", pairs.cycle().take(arity).collect());
    if arity < 3 {
        // Beyond what the exponential of any format holds.
        add("large", product(&[-20_000.0, -800.0, 0.0, 800.0, 20_000.0], arity));
    }
    if arity == 2 {
        let limits = Arg::tensor([LIMITS.len(), 1, 1], LIMITS);
        for number in LIMITS {
            add("numbers that broadcast", vec![Arg::Scalar(number), limits.clone()]);
            add("numbers that broadcast", vec![limits.clone(), Arg::Scalar(number)]);
        }
    }
    for full in FULL {
        // One operand with any of its sides one; and the others, the operand full.
        for (operand, mask) in
            (0..arity).flat_map(|operand| (0..8).map(move |mask| (operand, mask)))
        {
            for swap in [false, true] {
                let sides = |other| {
                    if (other == operand) != swap { masked(full, mask) } else { full }
                };
                if arity > 1 || mask == 7 {
                    add(
                        "broadcast",
                        (0..arity).map(|other| told_apart(sides(other), other)).collect(),
                    );
                }
            }
            // Each has sides that the other lacks.
            if arity == 2 {
                let sides = [masked(full, mask), masked(full, 7 ^ mask)];
                add(
                    "broadcast",
                    vec![told_apart(sides[operand], 0), told_apart(sides[1 - operand], 1)],
                );
            }
            for number in LIMITS {
                let arg = |other| {
                    if other == operand { Arg::Scalar(number) } else { told_apart(full, other) }
                };
                if arity > 1 && mask == 7 {
                    add("numbers that broadcast", (0..arity).map(arg).collect());
                }
            }
        }
    }
    for sides in EMPTY {
        add("empty", (0..arity).map(|operand| told_apart(sides, operand)).collect());
    }
    cases
}

fn transfers(format: Format) -> Cases {
    let unit = format.unit();
    // Half-way between neighbours, to even; and beyond the largest.
    let ties =
        [1.0 + unit, 1.0 + 3.0 * unit, 1.0 + 1.5 * unit, -1.0 - unit, 0.1, format.tiny() * 1.5];
    let over = if format == Format::F64 { f64::INFINITY } else { format.huge() * 2.0 };
    let flat = |data: &[f64]| vec![Arg::tensor([data.len(), 1, 1], data.iter().copied())];
    let mut cases = vec![
        ("numbers", Call::Transfer, flat(&numbers())),
        ("limits", Call::Transfer, flat(&LIMITS)),
        ("ends of the format", Call::Transfer, flat(&ends(format))),
        ("rounding", Call::Transfer, flat(&ties)),
        ("rounding", Call::Transfer, flat(&[over, -over])),
    ];
    cases.extend(FULL.map(|sides| ("order", Call::Transfer, vec![told_apart(sides, 0)])));
    cases.extend(EMPTY.map(|sides| ("empty", Call::Transfer, vec![told_apart(sides, 0)])));
    cases
}

fn at_label() -> Cases {
    let mut cases: Cases = Vec::new();
    let mut add = |name, sides: [usize; 3], data: &[i64], args: [Arg; 2]| {
        // The labels are in range: they are written here.
        if let Ok(labels) = Labels::new("target", data, sides, Some(-100)) {
            cases.push((name, Call::AtLabel(labels.into_owned()), args.to_vec()));
        }
    };
    for (full, data) in FULL.into_iter().zip([&[2, 0][..], &[2, 0, 1, 2]]) {
        for (hit, miss) in (0..8).flat_map(|hit| (0..8).map(move |miss| (hit, miss))) {
            let [hit, miss] = [masked(full, hit), masked(full, miss)];
            add("broadcast", full, data, [told_apart(hit, 0), told_apart(miss, 1)]);
        }
        for number in LIMITS {
            let full_operand = told_apart(full, 0);
            add("numbers that broadcast", full, data, [Arg::Scalar(number), full_operand.clone()]);
            add("numbers that broadcast", full, data, [full_operand, Arg::Scalar(number)]);
            let limits = Arg::tensor(full, vec![number; full.iter().product()]);
            add("the one not taken", full, data, [limits.clone(), told_apart(full, 1)]);
            add("the one not taken", full, data, [told_apart(full, 1), limits]);
        }
    }
    for data in [[-100, 1], [0, -100], [-100, -100]] {
        add("ignored rows", [2, 3, 1], &data, [told_apart([2, 3, 1], 0), Arg::Scalar(0.0)]);
        add("ignored rows", [2, 3, 1], &data, [Arg::Scalar(1.0), told_apart([2, 3, 1], 1)]);
    }
    for data in [[2047, 2048], [2049, 4999], [4095, 4097]] {
        let one_hot = [Arg::Scalar(1.0), Arg::Scalar(0.0)];
        add("more than 2,048 classes", [2, 5000, 1], &data, one_hot);
    }
    add("empty", [0, 3, 1], &[], [told_apart([0, 3, 1], 0), Arg::Scalar(0.0)]);
    cases
}
