"""Generate the golden files: PyTorch's values and gradients for every loss.

    python -m venv env
    env/bin/pip install -r requirements.txt
    env/bin/python generate.py

One `<loss>.json` per loss is written next to this script. Everything runs in
float64 on the CPU. Each case draws its data from a generator seeded by its own
name, so a re-run reproduces the files byte for byte and adding a case leaves
the others unchanged. (Another processor or C library may round differently.)

Cases come from a grid of options, shapes and arguments, thinned to the plain
ones and a selection that covers pairs of tokens, and from hand-written tables
of extremes and degenerate batches. Every value and gradient is compared with an independent evaluation in
60-digit arithmetic before it is written: a case where PyTorch is not right to
rounding stops the script.

`sample_weight` and `empty` are not PyTorch's. With values v, a sample weight s
(of v's shape, or of its leading axes) and the divisor d of PyTorch's mean (the
weight of l1 and mse, the label's class weight of cross_entropy and nll, else 1):

    none: s*v        sum: sum(s*v)        mean: sum(s*v) / sum(s*d)

A mean whose divisor is zero is NaN, or 0 with `"empty": "zero"`, and its
gradient is 0. The mean of ctc is that of v over the target's length, at least 1.
"""

import os

os.environ["ATEN_CPU_CAPABILITY"] = "default"  # no vector code chosen by the processor

import functools
import itertools
import json
import math
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import numpy as np
import torch
import torch.nn.functional as F
from mpmath import mp

assert torch.__version__.startswith("2.15.0"), torch.__version__
torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
mp.dps = 60

REDUCTIONS = ("none", "mean", "sum")
ZEROED = "PyTorch's gradient is NaN here; the library defines 0"
VALUE_ONLY = (
    "PyTorch's gradients are no reference here: it clamps the input's at 1e12 with an"
    " epsilon rounded to float32, and the target's is infinite"
)


@dataclass
class Case:
    name: str
    options: dict
    arguments: dict
    value_only: bool = False


@dataclass
class Loss:
    torch: Callable  # (**arguments, **options) -> reduced value
    exact: Callable  # (**arguments, **options) -> unreduced value, in mpmath
    cases: Callable  # (loss name) -> iterable of cases
    divisor: Callable = lambda **_: 1.0  # (**arguments, **options) -> array
    scale: Callable = lambda **_: 1.0  # what a mean first divides each value by
    differentiable: tuple = ("input", "target")


# ---------------------------------------------------------------- evaluation


def add(values):
    """The sum; exact arrays of rank 0 have decayed to numbers."""
    return values.sum() if hasattr(values, "sum") else values


def reduce(values, reduction, sample_weight, divisor, scale=1.0):
    """The definition of the reductions, for tensors and for exact arrays."""
    trailing = (1,) * (values.ndim - sample_weight.ndim)
    sample_weight = sample_weight.reshape(tuple(sample_weight.shape) + trailing)
    values = values * sample_weight
    if reduction == "mean":
        values = values / scale
    if reduction == "none":
        return values
    if reduction == "batchmean":
        return add(values) / (np.shape(values) or (1,))[0]
    return add(values) / add(sample_weight * divisor) if reduction == "mean" else add(values)


def split(case):
    """Arguments and options as PyTorch knows them, then the sample weight."""
    arguments = {k: v for k, v in case.arguments.items() if k != "sample_weight"}
    options = {k: v for k, v in case.options.items() if k not in ("reduction", "empty")}
    return arguments, options, case.arguments.get("sample_weight")


def differentiable(loss, case):
    floats = (k for k, v in case.arguments.items() if v.dtype == np.float64)
    return [k for k in floats if k in loss.differentiable]


def evaluate(loss, case, rng):
    """PyTorch's value, cotangent (for reduction none) and gradients."""
    arguments, options, sample_weight = split(case)
    tensors = {k: torch.tensor(v) for k, v in arguments.items()}
    leaves = {k: tensors[k].requires_grad_() for k in differentiable(loss, case)}
    reduction = case.options["reduction"]
    if sample_weight is None:
        value = loss.torch(**tensors, **options, reduction=reduction)
    else:
        values = loss.torch(**tensors, **options, reduction="none")
        divisor = np.broadcast_to(loss.divisor(**arguments, **options), values.shape)
        scale = torch.as_tensor(loss.scale(**arguments, **options))
        weight = torch.tensor(sample_weight)
        value = reduce(values, reduction, weight, torch.tensor(divisor), scale)
    cotangent = torch.tensor(normal(rng, value.shape)) if reduction == "none" else None
    grads = torch.autograd.grad(value, leaves.values(), cotangent, materialize_grads=True)
    cotangent = None if cotangent is None else cotangent.numpy()
    return value.detach().numpy(), cotangent, {k: g.numpy() for k, g in zip(leaves, grads)}


def to_exact(array):
    return np.asarray(np.frompyfunc(mp.mpf, 1, 1)(array), dtype=object)


def evaluate_exactly(loss, case, cotangent):
    """The value and, by central differences, the gradients in 60 digits."""
    arguments, options, sample_weight = split(case)
    exact = {k: to_exact(v) if v.dtype == np.float64 else v for k, v in arguments.items()}
    divisor = loss.divisor(**arguments, **options)
    scale = to_exact(loss.scale(**arguments, **options))

    def value():
        values = np.asarray(loss.exact(**exact, **options), dtype=object)
        sample = np.ones(values.shape) if sample_weight is None else sample_weight
        divisors = to_exact(np.broadcast_to(divisor, values.shape))
        return reduce(values, case.options["reduction"], to_exact(sample), divisors, scale)

    def total():
        return np.sum(value() if cotangent is None else value() * to_exact(cotangent))

    def derivative(array, i, step=mp.mpf("1e-20")):
        here = array.flat[i]
        array.flat[i] = here + step
        above = total()
        array.flat[i] = here - step
        below = total()
        array.flat[i] = here
        return (above - below) / (2 * step)

    grads = {}
    for k in [] if case.value_only else differentiable(loss, case):
        grads[k] = np.empty(exact[k].shape, dtype=object)
        for i in range(grads[k].size):
            grads[k].flat[i] = derivative(exact[k], i)
    return np.asarray(value(), dtype=object), grads


def require_close(ours, exact, what):
    assert ours.shape == exact.shape, f"{what}: {ours.shape} is not {exact.shape}"
    largest = max((abs(b) for b in exact.flat), default=0)
    for a, b in zip(ours.flat, exact.flat):
        error = abs(mp.mpf(float(a)) - b)
        # The last term is the error of the central differences themselves.
        assert error <= 1e-10 * abs(b) + 1e-13 * largest + 1e-35, f"{what}: {a} is not {b}"


def run(name, loss, case):
    """The JSON record of one case."""
    value, cotangent, grads = evaluate(loss, case, generator(name, case.name, "cotangent"))
    notes = []
    try:
        exact, exact_grads = evaluate_exactly(loss, case, cotangent)
    except ZeroDivisionError:  # a mean without divisor: the library's rule holds
        assert np.isnan(value), f"{name}/{case.name}: {value} is not NaN"
        value = np.array(0.0 if case.options.get("empty") == "zero" else math.nan)
        if any(np.isnan(g).any() for g in grads.values()):
            notes.append(ZEROED)
        grads = {k: np.zeros_like(g) for k, g in grads.items()}
    else:
        require_close(value, exact, f"{name}/{case.name}")
        for k, g in exact_grads.items():
            require_close(grads[k], g, f"{name}/{case.name}, gradient of {k}")
        if case.value_only:
            notes.append(VALUE_ONLY)
            grads = {}
    record = {"name": case.name, "options": case.options}
    record["arguments"] = {k: encode(v) for k, v in case.arguments.items()}
    if cotangent is not None:
        record["grad_output"] = encode(cotangent)
    record["value"] = encode(value)
    record["grads"] = {k: encode(g) for k, g in grads.items()}
    return record | {"note": note for note in notes}


def encode(array):
    shape = list(array.shape)
    if array.dtype == np.int64:
        return {"shape": shape, "labels": array.ravel().tolist()}
    data = [x + 0.0 if math.isfinite(x) else str(x) for x in array.ravel().tolist()]
    return {"shape": shape, "data": data}


# ---------------------------------------------------------------- data


def generator(*key):
    return np.random.default_rng(zlib.crc32("/".join(key).encode()))


def normal(rng, shape, scale=1.5):
    return np.round(rng.normal(scale=scale, size=shape), 3) + 0.0


def uniform(rng, shape, low=0.0, high=1.0):
    return np.round(rng.uniform(low, high, size=shape), 3) + 0.0


def weights(rng, shape, zero=False):
    out = np.asarray(uniform(rng, shape, 0.2, 2.0))
    if zero and out.size > 1:
        out.flat[-1] = 0.0
    return out


def probabilities(rng, shape, axis, parts):
    """Rows of multiples of 1/parts that sum to one."""
    rows = tuple(np.delete(shape, axis))
    uneven = rng.dirichlet(np.ones(shape[axis]))
    return np.moveaxis(rng.multinomial(parts, uneven, size=rows), -1, axis) / parts


# ---------------------------------------------------------------- the grid

# An axis of the grid maps a token of the case's name to a value.
REDUCTION = {r: r for r in REDUCTIONS}
RANKS = {"rank0": (), "rank1": (4,), "rank2": (2, 3), "rank3": (2, 3, 2), "rank4": (2, 2, 3, 2)}
SAMPLE = {"": None, "sample": "all", "sample_lead1": 1, "sample_lead2": 2}


def thin(rows, count):
    """At most `count` rows: the plain ones, then those that show the most new
    pairs of tokens, then the most new triples."""
    plain = max(row.count("") for row in rows)
    chosen = {i for i, row in enumerate(rows) if row.count("") == plain}
    order = generator("thin").permutation(len(rows)).tolist()
    for size in (2, 3):
        shown = [set(itertools.combinations(enumerate(row), size)) for row in rows]
        seen = set().union(*(shown[i] for i in chosen))
        for need in range(math.comb(len(rows[0]), size), 0, -1):
            for i in order:
                if len(chosen) < count and len(shown[i] - seen) >= need:
                    chosen.add(i)
                    seen |= shown[i]
    return [rows[i] for i in sorted(chosen)]


def grid(loss, count, axes, build, keep=lambda case: True):
    """Cases of a thinned grid: `build(rng, **values)` gives the options, the
    arguments and the unreduced value's shape, or None where there is no such case."""

    def case(tokens):
        values = {axis: axes[axis][token] for axis, token in zip(axes, tokens)}
        name = "-".join(filter(None, tokens))
        reduction, sample = values.pop("reduction"), values.pop("sample")
        rng = generator(loss, name)
        built = build(rng, **values)
        if built is None:
            return None
        options, arguments, shape = built
        if sample is not None:
            if sample != "all" and sample >= len(shape):
                return None
            lead = shape if sample == "all" else shape[:sample]
            arguments["sample_weight"] = weights(rng, lead, zero=True)
        made = Case(name, {"reduction": reduction} | options, arguments)
        return made if keep(made) else None

    cases = {tokens: case(tokens) for tokens in itertools.product(*axes.values())}
    kept = thin([tokens for tokens, c in cases.items() if c], count)
    for axis, *used in zip(axes, *kept):
        assert set(used) == set(axes[axis]), f"{loss}: {axis} is not covered"
    return [cases[tokens] for tokens in kept]


def table(name, arguments, reductions=REDUCTIONS, value_only=False, **options):
    """Hand-written arguments under several reductions."""
    arrays = {k: np.asarray(v) for k, v in arguments.items()}
    for k, v in arrays.items():
        integers = v.dtype.kind == "i" and k == "target"
        arrays[k] = v.astype(np.int64 if integers else np.float64)
    return [
        Case(f"{name}-{r}", {"reduction": r} | options, arrays, value_only) for r in reductions
    ]


def degenerate(name, arguments, **options):
    """A batch without weight: every reduction, and the mean that is zero."""
    return [
        *table(name, arguments, **options),
        *table(f"{name}-as_zero", arguments, ("mean",), **options, empty="zero"),
    ]


def degenerate_batches(*names):
    """Empty batches and a batch of zero weight, for all but the class losses."""

    def batch(*shape):
        return {k: np.full(shape, 0.5 / (i + 1)) for i, k in enumerate(names)}

    return [
        *degenerate("empty", batch(0, 3)),
        *degenerate("empty-sample", batch(0, 3) | {"sample_weight": np.zeros(0)}),
        *degenerate("zero-sample", batch(2, 3) | {"sample_weight": np.zeros(2)}),
    ]


# ---------------------------------------------------------------- exact formulas

exp, log, log1p = (np.frompyfunc(f, 1, 1) for f in (mp.exp, mp.log, mp.log1p))


def exact_log_sum_exp(input, dim=-1, keepdims=False):
    if input.size == 0:
        return np.sum(input, axis=dim, keepdims=keepdims)
    shift = np.max(input, axis=dim, keepdims=True)
    out = shift + log(np.sum(exp(input - shift), axis=dim, keepdims=True))
    return out if keepdims else np.squeeze(out, dim)


def exact_log_softmax(input, dim=-1):
    return input - exact_log_sum_exp(input, dim, keepdims=True)


def exact_log_sigmoid(input):
    return -log1p(exp(-input))


def exact_smooth_l1(input, target, beta=1.0):
    distance = abs(input - target)
    if beta == 0:
        return distance
    return np.where(distance < beta, distance**2 / 2 / beta, distance - beta / 2)


def exact_bce(input, target, weight=1):
    inside, outside = (np.maximum(log(p), mp.mpf(-100)) for p in (input, 1 - input))
    return -weight * (target * inside + (1 - target) * outside)


def exact_bce_with_logits(input, target, weight=1, pos_weight=1):
    positive = pos_weight * target * exact_log_sigmoid(input)
    return -weight * (positive + (1 - target) * exact_log_sigmoid(-input))


def class_axis(shape):
    return min(len(shape) - 1, 1)


def align_classes(weight, input):
    return weight.reshape((-1,) + (1,) * (input.ndim - 1 - class_axis(input.shape)))


def exact_nll(input, target, weight=None, ignore_index=-100):
    axis = class_axis(input.shape)
    label = np.expand_dims(np.where(target == ignore_index, 0, target), axis)
    if weight is not None:
        input = align_classes(weight, input) * input
    picked = np.squeeze(np.take_along_axis(input, label, axis), axis)
    return np.where(target == ignore_index, mp.zero, -picked)


def exact_cross_entropy(input, target, weight=None, ignore_index=-100, label_smoothing=0.0):
    axis = class_axis(input.shape)
    smooth = mp.mpf(label_smoothing)
    log_p = exact_log_softmax(input, axis)
    weighted = log_p if weight is None else align_classes(weight, input) * log_p
    if target.dtype == object:
        target = (1 - smooth) * target + smooth / input.shape[axis]
        return -np.sum(target * weighted, axis=axis)
    loss = exact_nll(weighted, target, None, ignore_index)
    if smooth:
        uniform_loss = -np.sum(weighted, axis=axis) / input.shape[axis]
        loss = (1 - smooth) * loss + smooth * uniform_loss
    return np.where(target == ignore_index, mp.zero, loss)


# ---------------------------------------------------------------- the losses


def weight_divisor(input, target, weight=None, **_):
    return 1.0 if weight is None else weight


def label_divisor(input, target, weight=None, ignore_index=-100, **_):
    if target.dtype == np.float64:
        return 1.0
    kept = target != ignore_index
    return kept * (1.0 if weight is None else weight[np.where(kept, target, 0)])


def distance_cases(loss, options, weighted, count):
    """l1, mse and smooth_l1; a kink is an element where input and target meet."""

    def build(rng, options, shape, weight, kink):
        input, target = np.asarray(normal(rng, shape)), np.asarray(normal(rng, shape))
        if kink:
            target.flat[::2] = input.flat[::2]
        arguments = {"input": input, "target": target}
        if weight:
            arguments["weight"] = weights(rng, shape, zero=weight == "zero")
        return options, arguments, shape

    axes = {
        "options": options,
        "shape": RANKS,
        "reduction": REDUCTION,
        "weight": {"": None, "weight": "all", "weight_zero": "zero"} if weighted else {"": None},
        "kink": {"": False, "kink": True},
        "sample": SAMPLE,
    }
    large = {"input": [1e8, -3e7, 2.5, -40.0], "target": [-2e8, 5.0, 1e7, -41.0]}
    small = {"input": [1e-8, -3e-7, 0.0], "target": [2e-9, 5e-8, -1e-9]}
    cases = grid(loss, count, axes, build) + table("large", large) + table("small", small)
    cases += degenerate_batches("input", "target")
    if weighted:
        batch = {"input": [[1.0, 2.0]], "target": [[0.5, 3.0]], "weight": [[0.0, 0.0]]}
        cases += degenerate("zero-weight", batch)
    else:
        edge = {"input": [1.5, -0.25, 4.0, 2.0], "target": [0.5, 0.75, -1.0, 2.5]}
        cases += table("at_beta", edge) + table("at_beta0.5", edge, beta=0.5)
    return cases


# How the weights of the binary losses broadcast to the input: the sides kept.
BROADCAST = {
    "": None,
    "_full": lambda s: s if s else None,
    "_0d": lambda s: (),
    "_trailing": lambda s: s[-1:] if len(s) > 1 else None,
    "_ones": lambda s: tuple(1 if i % 2 else n for i, n in enumerate(s)) if len(s) > 1 else None,
    "_column": lambda s: (s[-2], 1) if len(s) > 2 else None,
}


def binary_cases(loss, draw, arguments, extremes, count):
    """Both binary cross entropies; `arguments` names their weights."""

    def build(rng, shape, target, **chosen):
        built = {"input": draw(rng, shape), "target": uniform(rng, shape)}
        if target == "hard":
            built["target"] = np.round(built["target"])
        for name in arguments:
            side = chosen[name]
            if side is not None and side(shape) is None:
                return None
            if side is not None:
                built[name] = weights(rng, side(shape), zero=name == "weight")
        return {}, {k: np.asarray(v) for k, v in built.items()}, shape

    axes = {
        "shape": RANKS,
        "target": {"": "soft", "hard": "hard"},
        "reduction": REDUCTION,
        **{a: {t and a + t: side for t, side in BROADCAST.items()} for a in arguments},
        "sample": SAMPLE,
    }
    zero = {"input": [0.25, 0.5], "target": [1.0, 0.5], "weight": [0.0, 0.0]}
    cases = grid(loss, count, axes, build) + extremes
    return cases + degenerate_batches("input", "target") + table("zero-weight", zero)


def bce_cases(loss):
    near = {"input": [1e-6, 1 - 1e-6, 1e-4, 0.5], "target": [1.0, 0.25, 0.0, 0.5]}
    edge = {"input": [0.0, 1.0], "target": [1.0, 0.0]}
    extremes = table("near_edge", near) + table("at_edge", edge, value_only=True)
    draw = functools.partial(uniform, low=0.002, high=0.998)
    return binary_cases(loss, draw, ["weight"], extremes, 85)


def bce_with_logits_cases(loss):
    # A confident right answer is kept to label 1, where PyTorch is exact.
    large40 = {"input": [40.0, -40.0, 40.0, -40.0], "target": [1.0, 1.0, 0.0, 0.25]}
    large800 = {"input": [800.0, -800.0, 800.0, -800.0], "target": [0.0, 1.0, 0.75, 0.5]}
    pos = {"pos_weight": [0.5, 2.0, 3.0, 1.5]}
    extremes = [
        *table("large40", large40),
        *table("large40-pos_weight", large40 | pos),
        *table("large800", large800),
        *table("large800-pos_weight", large800 | pos),
        *table("zero-pos_weight", large40 | {"pos_weight": 0.0}),
    ]
    return binary_cases(loss, normal, ["weight", "pos_weight"], extremes, 95)


CLASSES = {"rank1": (4,), "rank2": (3, 4), "rank3": (2, 3, 2), "rank4": (2, 3, 2, 2)}


def class_build(
    rng, shape, target, weight, ignore=None, smoothing=0.0, log_probabilities=False
):
    """Arguments of cross_entropy and nll, `target` being "indices" or the
    number of parts that each row of probabilities is made of."""
    axis = class_axis(shape)
    rows = tuple(np.delete(shape, axis))
    input = normal(rng, shape, 2.0)
    if log_probabilities:
        input = np.round(torch.log_softmax(torch.tensor(input), axis).numpy(), 3)
    options = {"label_smoothing": smoothing} if smoothing else {}
    if target == "indices":
        labels = rng.choice([c for c in range(shape[axis]) if c != ignore], size=rows)
        labels = np.asarray(labels, dtype=np.int64)
        if ignore is not None and rows:
            labels.flat[1::3] = ignore
        if ignore not in (None, -100):
            options["ignore_index"] = ignore
        elif ignore and not rows:
            return None
    elif ignore is None:
        labels = probabilities(rng, shape, axis, target)
    else:
        return None
    arguments = {"input": input, "target": labels}
    if weight:
        arguments["weight"] = weights(rng, shape[axis])
    return options, arguments, rows


CLASS_AXES = {
    "shape": CLASSES,
    "reduction": REDUCTION,
    "weight": {"": False, "weight": True},
    "ignore": {"": None, "ignored": -100, "ignore2": 2, "ignore-1": -1},
    "sample": SAMPLE,
}


def class_degenerate():
    """Empty batches, and labels without weight, for cross_entropy and nll."""
    cases = []
    for rank, shape in CLASSES.items():
        rows = tuple(np.delete(shape, class_axis(shape)))
        batch = {"input": np.full(shape, -0.5), "target": np.full(rows, -100)}
        cases += table(f"all_ignored-{rank}", batch, ("mean",))
        batch["weight"] = np.linspace(0.5, 2.0, shape[class_axis(shape)])
        cases += table(f"all_ignored-{rank}-weight", batch, ("mean",))
    batch = {"input": [[-1.0, -2.0], [-0.5, -3.0]], "target": [0, 0]}
    return cases + [
        *degenerate("all_ignored", batch | {"target": [-100, -100]}),
        *table("all_ignored-ignore0", batch, ("mean",), ignore_index=0),
        *degenerate("zero-weight", batch | {"weight": [0.0, 1.0]}),
        *degenerate("zero-sample", batch | {"sample_weight": [0.0, 0.0]}),
        *table("partly-zero-weight", batch | {"target": [0, 1], "weight": [0.0, 2.0]}),
        *degenerate("empty", empty_batch((0, 4), (0,))),
        *table("empty-rank3", empty_batch((0, 3, 2), (0, 2))),
        *table("empty-last", empty_batch((2, 3, 0), (2, 0)), ("mean",)),
        *table("empty-sample", empty_batch((0, 4), (0,)) | {"sample_weight": np.zeros(0)}),
    ]


def empty_batch(shape, rows):
    return {"input": np.zeros(shape), "target": np.zeros(rows, dtype=np.int64)}


def cross_entropy_cases(loss):
    axes = {
        "target": {"indices": "indices", "probabilities": 1000, "probabilities_zeros": 4},
        "smoothing": {"": 0.0, "smoothing0.1": 0.1, "smoothing0.5": 0.5, "smoothing1": 1.0},
        **CLASS_AXES,
    }

    def scaled(size):
        input = np.array([[size, -size, 0.0], [-size, size, 1.0], [0.5, size, size]])
        return {"input": input, "target": [0, 0, 2]}

    rows = {"target": [[0.25, 0.75, 0.0], [0.5, 0.0, 0.5], [0.2, 0.3, 0.5]]}
    infinite = [[-math.inf, 1.0, 2.0], [0.5, -math.inf, -math.inf], [3.0, 1.5, -1.0]]
    empty = {"input": np.zeros((0, 4)), "target": np.zeros((0, 4))}
    ignored = {"input": [[1.0, 2.0], [0.5, -3.0]], "target": [-100, -100]}
    unweighted = {"input": [[1.0, 2.0], [0.5, -3.0]], "target": [0, 1], "weight": [0.0, 2.0]}
    offset = [[1e5 + 0.25, 1e5 - 0.5, 1e5], [-1e5, -1e5 + 1, -1e5 + 0.125]]
    return [
        *grid(loss, 79, axes, class_build),
        *table("large50", scaled(50.0)),
        *table("large50-probabilities", scaled(50.0) | rows, ("none",)),
        *table("large800", scaled(800.0)),
        *table("large800-smoothing0.1", scaled(800.0), ("none",), label_smoothing=0.1),
        *table("large800-probabilities", scaled(800.0) | rows, ("none",)),
        *table("offset", {"input": offset, "target": [1, 2]}, ("none",)),
        *table("infinite_off_label", {"input": infinite, "target": [2, 0, 1]}),
        *table("one_class", {"input": [[2.0], [-1.0]], "target": [0, 0]}, ("none", "mean")),
        *degenerate("all_ignored-smoothing0.1", ignored, label_smoothing=0.1),
        *table("partly-zero-weight-smoothing0.1", unweighted, label_smoothing=0.1),
        *table("empty-probabilities", empty),
        *table("empty-smoothing0.1", empty_batch((0, 4), (0,)), ("mean",), label_smoothing=0.1),
        *class_degenerate(),
    ]


def nll_cases(loss):
    axes = CLASS_AXES | {"target": {"": "indices"}, "log_probabilities": {"": True}}
    infinite = {"input": [[-math.inf, -0.5], [-0.25, -math.inf]], "target": [1, 0]}
    large = {"input": [[-800.0, -50.0, 0.0], [-1e6, -1.5, -0.25]], "target": [0, 2]}
    return [
        *grid(loss, 70, axes, class_build),
        *table("large", large),
        *table("infinite_off_label", infinite),
        *class_degenerate(),
    ]


NO_OPTIONS = {"": {}}


def drawn_cases(
    loss, count, draws, options=NO_OPTIONS, shapes=RANKS, rows=lambda shape: shape,
    reductions=REDUCTION, optional=None, extremes=(),
):
    """Losses whose arguments are drawn one by one; `optional` ones have an axis of the grid."""
    optional = optional or {}

    def build(rng, shape, options, **chosen):
        drawn = {k: draw(rng, shape, options) for k, draw in draws.items()}
        drawn |= {k: chosen[k](rng, shape, options) for k in optional if chosen[k]}
        if any(v is None for v in drawn.values()):
            return None
        return options, {k: np.asarray(v) for k, v in drawn.items()}, rows(shape)

    axes = {"shape": shapes, "options": options, "reduction": reductions, **optional}
    rank = max(len(rows(shape)) for shape in shapes.values())
    samples = {t: lead for t, lead in SAMPLE.items() if not isinstance(lead, int) or lead < rank}
    return grid(loss, count, axes | {"sample": samples}, build) + list(extremes)


def numbers(scale=1.5):
    return lambda rng, shape, options: normal(rng, shape, scale)


def between(low, high):
    """Off the multiples of a thousandth, where margins are, unless low is one."""
    return lambda rng, shape, options: low + uniform(rng, shape, 0.0, high - low)


def signs(shape_of=lambda shape: shape):
    return lambda rng, shape, options: rng.choice([-1.0, 1.0], size=shape_of(shape))


def log_numbers(low, high):
    """Numbers in a range, or their logarithms where the options say so."""

    def draw(rng, shape, options):
        drawn = uniform(rng, shape, low, high)
        return np.round(np.log(drawn), 3) if options.get("log_target") else drawn

    return draw


def rate(rng, shape, options):
    return uniform(rng, shape, 0.05, 4.0) if options.get("log_input") is False else normal(rng, shape)


def product(**axes):
    """Options by their tokens, each axis a list of values whose first is the default."""
    made = {}
    for values in itertools.product(*axes.values()):
        chosen = {k: v for (k, all), v in zip(axes.items(), values) if v != all[0]}
        made["-".join(f"{k}{v}" for k, v in chosen.items())] = chosen
    return made


VECTORS = {"rank1": (4,), "rank1-long": (9,), "rank2": (3, 4), "rank2-wide": (2, 7)}
MATRICES = VECTORS | {"rank3": (2, 2, 3), "rank4": (2, 1, 2, 3)}


def leading(shape):
    return shape[:-1]


# How a variance may stand to the input.
VARIANCES = {
    "": lambda s: s,
    "var_number": lambda s: (),
    "var_without_last": lambda s: s[:-1] if s else None,
    "var_last_one": lambda s: (*s[:-1], 1) if s else None,
    "var_first_one": lambda s: (1, *s[1:]) if len(s) > 1 else None,
    "var_middle_one": lambda s: (s[0], 1, *s[2:]) if len(s) > 2 else None,
}


def gaussian_nll_cases(loss):
    def var(side):
        def draw(rng, shape, options):
            return None if side(shape) is None else uniform(rng, side(shape), 0.2, 3.0)

        return draw

    draws = {"input": numbers(), "target": numbers()}
    options = product(full=[False, True], eps=[1e-6, 0.01])
    variances = {token: var(side) for token, side in VARIANCES.items()}
    return drawn_cases(loss, 80, draws, options, optional={"var": variances})


def expanded_gaussian_nll(input, target, var, **options):
    return F.gaussian_nll_loss(input, target, expand_variance(var, input), **options)


def expand_variance(var, input):
    without_last = var.ndim == input.ndim - 1 and var.shape == input.shape[:-1]
    var = var[..., None] if without_last and input.ndim else var
    return var + input * 0


def exact_gaussian_nll(input, target, var, full=False, eps=1e-6):
    var = expand_variance(np.asarray(var), np.asarray(input))
    constant = mp.log(2 * mp.pi) / 2 if full else 0
    return (log(var) + (input - target) ** 2 / var) / 2 + constant


def exact_kl_div(input, target, log_target=False):
    return exp(target) * (target - input) if log_target else target * (log(target) - input)


def exact_poisson_nll(input, target, log_input=True, full=False, eps=1e-8):
    loss = exp(input) - target * input if log_input else input - target * log(input + mp.mpf(eps))
    stirling = target * log(target) - target + log(2 * mp.pi * target) / 2
    return loss + np.where(target > 1, stirling, 0) if full else loss


def relu(x):
    return np.maximum(x, mp.zero)


def exact_multi_margin(input, target, weight=None, p=1, margin=1.0):
    label = np.expand_dims(target, -1)
    missed = relu(margin - np.take_along_axis(input, label, -1) + input) ** p
    np.put_along_axis(missed, label, mp.zero, -1)
    w = 1 if weight is None else weight[target]
    return w * missed.sum(-1) / input.shape[-1]


def exact_multilabel_margin(input, target):
    out = np.zeros(input.shape[:-1], dtype=object)
    for row in np.ndindex(*out.shape):
        labels = list(itertools.takewhile(lambda y: y >= 0, target[row]))
        others = [i for i in range(input.shape[-1]) if i not in labels]
        missed = (relu(1 - input[row][y] + input[row][i]) for y in labels for i in others)
        out[row] = sum(missed, mp.zero) / input.shape[-1]
    return out


def label_lists(rng, shape, options):
    lists = np.full(shape, -1, dtype=np.int64)
    for row in np.ndindex(*shape[:-1]):
        labels = rng.permutation(shape[-1])[: rng.integers(shape[-1] + 1)]
        lists[row][: len(labels)] = labels
    return lists


def labels(rng, shape, options):
    return np.asarray(rng.integers(shape[-1], size=shape[:-1]), dtype=np.int64)


def exact_norm(x, p=2):
    if p == math.inf:
        return np.max(abs(x), axis=-1)
    root = np.frompyfunc(lambda s: mp.root(s, p) if s else s, 1, 1)
    return root(np.sum(abs(x) ** p, axis=-1))


def exact_cosine_embedding(input1, input2, target, margin=0.0):
    lengths = exact_norm(input1) * exact_norm(input2)
    cos = np.sum(input1 * input2, axis=-1) / lengths
    return np.where(target == 1, 1 - cos, relu(cos - margin))


def cosine_embedding(input1, input2, target, margin=0.0, reduction="mean"):
    """PyTorch's formula without the 1e-12 that it adds to the squared lengths."""
    cos = (input1 * input2).sum(-1) / (input1.norm(dim=-1) * input2.norm(dim=-1))
    loss = torch.where(target == 1, 1 - cos, (cos - margin).clamp(min=0))
    return {"none": lambda v: v, "mean": torch.mean, "sum": torch.sum}[reduction](loss)


def exact_triplet(anchor, positive, negative, distance, margin, swap):
    far = distance(anchor, negative)
    far = np.minimum(far, distance(positive, negative)) if swap else far
    return relu(distance(anchor, positive) - far + margin)


def exact_triplet_margin(margin=1.0, p=2, eps=1e-6, swap=False, **vectors):
    distance = lambda a, b: exact_norm(a - b + mp.mpf(eps), p)
    return exact_triplet(**vectors, distance=distance, margin=margin, swap=swap)


DISTANCES = {
    "pairwise": (lambda a, b: exact_norm(a - b + mp.mpf(1e-6)), F.pairwise_distance),
    "euclidean": (lambda a, b: exact_norm(a - b), lambda a, b: (a - b).norm(dim=-1)),
    "squared": (
        lambda a, b: np.sum((a - b) ** 2, axis=-1), lambda a, b: (a - b).square().sum(-1)
    ),
    "manhattan": (lambda a, b: exact_norm(a - b, 1), lambda a, b: (a - b).abs().sum(-1)),
    "cosine": (
        lambda a, b: 1 - np.sum(a * b, axis=-1) / exact_norm(a) / exact_norm(b),
        lambda a, b: 1 - (a * b).sum(-1) / a.norm(dim=-1) / b.norm(dim=-1),
    ),
}


def exact_triplet_with_distance(distance="pairwise", margin=1.0, swap=False, **vectors):
    return exact_triplet(**vectors, distance=DISTANCES[distance][0], margin=margin, swap=swap)


def triplet_with_distance(distance="pairwise", **rest):
    distance = DISTANCES[distance][1]
    return F.triplet_margin_with_distance_loss(distance_function=distance, **rest)


def exact_sigmoid_focal(input, target, alpha=0.25, gamma=2.0):
    missed = target / (1 + exp(input)) + (1 - target) / (1 + exp(-input))
    loss = exact_bce_with_logits(input, target) * missed ** mp.mpf(gamma)
    return loss if alpha == "none" else (alpha * target + (1 - alpha) * (1 - target)) * loss


def sigmoid_focal(input, target, alpha=0.25, gamma=2.0):
    """As torchvision has it."""
    p = torch.sigmoid(input)
    p_t = p * target + (1 - p) * (1 - target)
    loss = F.binary_cross_entropy_with_logits(input, target, reduction="none")
    loss = loss * (1 - p_t) ** gamma
    return loss if alpha == "none" else (alpha * target + (1 - alpha) * (1 - target)) * loss


TRIPLET = {"anchor": numbers(), "positive": numbers(), "negative": numbers()}
MARGINS = product(margin=[1.0, 0.25, -0.5])


def linear_logits(input, linear_weight, linear_bias=0):
    """input times the weight's rows, (N, C, d...) or (C)."""
    logits = np.tensordot(input, linear_weight, axes=([-1], [-1])) if input.size else np.zeros(
        (*input.shape[:-1], *linear_weight.shape[:-1]), dtype=object
    )
    return np.asarray(logits + linear_bias, dtype=object)


def exact_linear_cross_entropy(input, target, linear_weight, linear_bias=0, **rest):
    return exact_cross_entropy(linear_logits(input, linear_weight, linear_bias), target, **rest)


def linear_cross_entropy_cases(loss):
    axes = {
        "target": {"indices": "indices", "probabilities": 1000},
        "bias": {"": False, "bias": True},
        "smoothing": {"": 0.0, "smoothing0.1": 0.1},
        **CLASS_AXES,
    }

    def build(rng, shape, bias, **rest):
        built = class_build(rng, shape, **rest)
        if built is None:
            return None
        options, arguments, rows = built
        classes = shape[class_axis(shape) :]
        arguments["input"] = normal(rng, (*shape[: class_axis(shape)], 3))
        arguments["linear_weight"] = normal(rng, (*classes, 3), 1.0)
        if bias:
            arguments["linear_bias"] = normal(rng, classes, 1.0)
        return options, arguments, rows

    weight = {"linear_weight": [[1.0, 0.5], [-0.25, 2.0], [0.0, -1.0]]}
    batch = {"input": [[1.0, 2.0], [0.5, -3.0]], **weight}
    return [
        *grid(loss, 60, axes, build),
        *table("large", {"input": [[400.0, -30.0], [2.0, 500.0]], "target": [0, 2], **weight}),
        *degenerate("all_ignored", batch | {"target": [-100, -100]}),
        *degenerate("empty", empty_batch((0, 2), (0,)) | weight),
    ]


def adaptive(input, target, reduction, cutoffs=(1,), div_value=None, head_bias=False, **weights):
    """PyTorch's module with the weights given."""
    tails = len(cutoffs)
    classes = cutoffs[-1] + weights[f"tails.{tails - 1}.1"].shape[0]
    module = torch.nn.AdaptiveLogSoftmaxWithLoss(
        input.shape[-1], classes, list(cutoffs), div_value or 2.0, head_bias, dtype=torch.float64
    )
    named = {
        k if k.startswith("head") else f"{k.replace('tails', 'tail')}.weight": v for k, v in weights.items()
    }
    output = torch.func.functional_call(module, named, (input, target)).output
    return {"none": -output, "mean": -output.mean(), "sum": -output.sum()}[reduction]


def exact_adaptive(input, target, cutoffs=(1,), div_value=None, head_bias=False, **weights):
    head = linear_logits(input, weights["head.weight"], weights.get("head.bias", 0))
    head = exact_log_softmax(head)
    tails = [
        exact_log_softmax(linear_logits(linear_logits(input, weights[f"tails.{i}.0"]),
                                        weights[f"tails.{i}.1"]))
        for i in range(len(cutoffs))
    ]

    def row(place, label):
        tail = sum(label >= cutoff for cutoff in cutoffs) - 1
        if tail < 0:
            return -head[place][label]
        return -head[place][cutoffs[0] + tail] - tails[tail][place][label - cutoffs[tail]]

    loss = [row(place, target[place]) for place in np.ndindex(target.shape)]
    return np.array(loss, dtype=object).reshape(target.shape)


def adaptive_cases(loss):
    axes = {
        "shape": {"rank2": (5, 8), "rank1": (8,), "rank2-one": (1, 8)},
        "cutoffs": {"": [2], "cutoffs1": [1], "cutoffs2,4": [2, 4], "cutoffs1,2,6": [1, 2, 6]},
        "bias": {"": False, "bias": True},
        "div": {"": None, "div2": 2.0},
        "reduction": REDUCTION,
        "sample": {"": None, "sample": "all"},
    }

    def build(rng, shape, cutoffs, bias, div):
        rows = shape[:-1]
        # Small enough that PyTorch's p - 1 does not cancel.
        arguments = {"input": normal(rng, shape, 0.7)}
        labels = rng.integers(0, cutoffs[-1] + 3, size=rows)
        arguments["target"] = np.asarray(labels, dtype=np.int64)
        arguments["head.weight"] = normal(rng, (cutoffs[0] + len(cutoffs), 8), 0.7)
        if bias:
            arguments["head.bias"] = normal(rng, (cutoffs[0] + len(cutoffs),), 0.7)
        for i, size in enumerate([b - a for a, b in zip(cutoffs, cutoffs[1:] + [cutoffs[-1] + 3])]):
            width = 8 // 2 ** (i + 1)
            arguments[f"tails.{i}.0"] = normal(rng, (width, 8), 0.7)
            arguments[f"tails.{i}.1"] = normal(rng, (size, width), 0.7)
        options = {"cutoffs": cutoffs} | ({"head_bias": True} if bias else {})
        return options | ({"div_value": div} if div else {}), arguments, rows

    return grid(loss, 50, axes, build)


WEIGHTS = ("head.weight", "head.bias", *(f"tails.{i}.{j}" for i in range(3) for j in range(2)))


def ctc_samples(log_probs, targets, input_lengths, target_lengths):
    """Each sample's log-probabilities (T, C) and targets, without padding."""
    if log_probs.ndim == 2:
        log_probs = log_probs[:, None]
    inputs = np.atleast_1d(input_lengths).tolist()
    lengths = np.atleast_1d(target_lengths).tolist()
    rows = np.atleast_1d(targets)
    if rows.ndim == 1:
        rows = np.split(rows, np.cumsum(lengths)[:-1])
    for n, (steps, length) in enumerate(zip(inputs, lengths)):
        yield log_probs[:steps, n], rows[n][:length].tolist()


def ctc_likelihood(probs, target, blank):
    """The probability of all alignments, by the forward recursion on tensors or exact numbers."""
    states = [blank] + [state for label in target for state in (label, blank)]
    # Before the first step all is at the first blank, which leads to itself and to the first label.
    alpha = [1 if s == 0 else 0 for s in range(len(states))]
    for step in probs:
        skips = (s > 1 and x not in (blank, states[s - 2]) for s, x in enumerate(states))
        reached = [sum(alpha[max(s - 1 - skip, 0) : s + 1]) for s, skip in enumerate(skips)]
        alpha = [step[x] * alpha_x for x, alpha_x in zip(states, reached)]
    return sum(alpha[-2:])


def ctc(log_probs, targets, input_lengths, target_lengths, blank=0, zero_infinity=False, reduction="mean"):
    """PyTorch's value. The gradient is this recursion's: PyTorch's own is one in the input of a log-softmax before it."""
    arguments = (log_probs, targets, input_lengths, target_lengths)
    values = []
    for sample, target in ctc_samples(*(log_probs, *(x.numpy() for x in arguments[1:]))):
        likelihood = ctc_likelihood(sample.exp(), target, blank)
        impossible = zero_infinity and likelihood == 0
        values.append(0 * sample.exp().sum() if impossible else -torch.log(likelihood))
    values = torch.stack(values).reshape(input_lengths.shape if log_probs.ndim == 2 else (-1,))
    if reduction == "mean":
        values = values / target_lengths.clamp(min=1)
    value = values if reduction == "none" else add(values) / (len(values.ravel()) if reduction == "mean" else 1)
    with torch.no_grad():
        how = {"blank": blank, "zero_infinity": zero_infinity, "reduction": reduction}
        theirs = F.ctc_loss(*arguments, **how)
        assert torch.allclose(value, theirs.reshape(value.shape), rtol=1e-12, atol=1e-12), (value, theirs)
    return value


def exact_ctc(log_probs, targets, input_lengths, target_lengths, blank=0, zero_infinity=False):
    values = []
    for sample, target in ctc_samples(log_probs, targets, input_lengths, target_lengths):
        likelihood = ctc_likelihood(exp(sample), target, blank)
        values.append(mp.zero if zero_infinity and likelihood == 0 else -mp.log(likelihood))
    return np.asarray(values, dtype=object).reshape(input_lengths.shape if log_probs.ndim == 2 else -1)


def ctc_cases(loss):
    axes = {
        "shape": {
            "batch": (6, 3, 4), "unbatched": (5, 4), "one_sample": (7, 1, 5), "wide": (4, 2, 9),
            "one_step": (1, 2, 3),
        },
        "targets": {"": "padded", "concatenated": "flat", "repeats": "repeats", "empty": "empty"},
        "lengths": {"": False, "short": True},
        "blank": {"": 0, "blank2": 2},
        "scale": {"": 0.0, "raw": 1.5, "peaked": 12.0},
        "zero_infinity": {"": False, "zero_infinity": True},
        "reduction": REDUCTION,
        "sample": {"": None, "sample": "all"},
    }

    def build(rng, shape, targets, lengths, blank, scale, zero_infinity):
        steps, classes, rows = shape[0], shape[-1], shape[1:-1]
        count = rows[0] if rows else 1
        if (targets == "flat" and not rows) or (lengths and steps == 1):
            return None
        # Where infinity is zeroed, some samples have too few steps.
        most = steps if zero_infinity else max(1, steps // 2)
        inputs = np.array([steps - (lengths and i % 2) for i in range(count)])
        sizes = np.array([1 + int(rng.integers(most)) for _ in range(count)])
        if targets == "empty":
            sizes[-1] = 0
        others = [c for c in range(classes) if c != blank]
        chosen = rng.choice(others[:1] if targets == "repeats" else others, size=(count, most))
        if targets == "repeats" and not zero_infinity:
            sizes = np.minimum(sizes, (inputs + 1) // 2)
        elif not zero_infinity:
            # A label and its like need a blank between them.
            need = lambda i: sizes[i] + sum(chosen[i, 1 : sizes[i]] == chosen[i, : max(sizes[i] - 1, 0)])
            for i in range(count):
                while need(i) > inputs[i]:
                    sizes[i] -= 1
        if targets == "flat":
            chosen = np.concatenate([chosen[i, : sizes[i]] for i in range(count)])
        if not rows:
            chosen, inputs, sizes = chosen[0, : sizes[0]], inputs[0], sizes[0]
        numbers = normal(rng, shape, scale or 1.0)
        if not scale:
            numbers -= np.log(np.exp(numbers).sum(-1, keepdims=True))
        integers = {"targets": chosen, "input_lengths": inputs, "target_lengths": sizes}
        options = {"blank": blank} if blank else {}
        options |= {"zero_infinity": True} if zero_infinity else {}
        arguments = {"log_probs": numbers} | {k: np.asarray(v, dtype=np.int64) for k, v in integers.items()}
        return options, arguments, rows

    ruled_out = np.array([[[-math.inf, -1.0, -0.5]], [[-0.25, -math.inf, -2.0]], [[-1.5, -0.75, -math.inf]]])
    whole = {"log_probs": ruled_out, "targets": [[1, 2]], "input_lengths": [3], "target_lengths": [2]}
    extremes = [*table("ruled_out", whole), *table("tie", whole | {"log_probs": np.zeros((3, 1, 3))})]
    for case in extremes:
        case.arguments |= {k: v.astype(np.int64) for k, v in case.arguments.items() if k != "log_probs"}
    return grid(loss, 70, axes, build) + extremes


def block_cases(loss, count, extremes, shapes, options=NO_OPTIONS, keep=lambda case: True):
    """Building blocks: functions of one input."""

    def build(rng, shape, options):
        dim = options.get("dim", -1)
        if "dim" in options and not -len(shape) <= dim < len(shape):
            return None
        rows = tuple(np.delete(shape, dim)) if loss == "logsumexp" else shape
        return options, {"input": np.asarray(normal(rng, shape, 2.0))}, rows

    axes = {"shape": shapes, "options": options, "reduction": REDUCTION, "sample": SAMPLE}
    return grid(loss, count, axes, build, keep) + extremes + degenerate_batches("input")


def varies(case):
    """Whether the case has a gradient although softmax sums to one along `dim`."""
    sample = case.arguments.get("sample_weight", np.array(1.0))
    dim = case.options.get("dim", -1) % case.arguments["input"].ndim
    return case.options["reduction"] == "none" or dim < sample.ndim


def axis_cases(loss):
    """softmax and its kin, along every axis of ranks 1 to 4."""
    shapes = {rank: shape for rank, shape in RANKS.items() if shape}
    dims = NO_OPTIONS | {f"dim{dim}": {"dim": dim} for dim in range(-4, 4)}
    # Rows with ties, so that no gradient vanishes.
    ties = np.array([[1.0, -1.0, 1.0], [-1.0, -1.0, -2.0]])
    extremes = [
        *table("large50", {"input": 50 * ties}, ("none",)),
        *table("large800", {"input": 800 * ties}, ("none",)),
        *table("uniform", {"input": np.full((2, 4), 0.5)}),
    ]
    if loss != "log_softmax":
        infinite = {"input": [[-math.inf, 1.0, 2.0], [0.5, -0.25, -math.inf]]}
        extremes += table("infinite", infinite, ("none",))
    keep = {"keep": varies} if loss == "softmax" else {}
    return block_cases(loss, 42, extremes, shapes, dims, **keep)


def pointwise_cases(loss):
    sizes = [[0.0, 50.0, -50.0], [30.0, -30.0, -600.0], [600.0, 1e-8, -5.0]]
    extremes = table("large", {"input": sizes})
    if loss == "softplus":
        betas = NO_OPTIONS | {"beta0.5": {"beta": 0.5}, "beta3": {"beta": 3.0}}
        extremes += table("large-beta3", {"input": [200.0, -200.0, 20.0, -20.0]}, beta=3.0)
        return block_cases(loss, 40, extremes, RANKS, betas)
    extremes += table("large800", {"input": [800.0, -800.0, 0.25]})
    return block_cases(loss, 38, extremes, RANKS)


def block(function):
    """A function of one input, with the reductions of a loss."""
    reduced = {"none": lambda v: v, "mean": torch.mean, "sum": torch.sum}
    return lambda reduction, **rest: reduced[reduction](function(**rest))


BETAS = NO_OPTIONS | {f"beta{b}": {"beta": b} for b in (0.0, 0.3, 5.0)}

LOSSES = {
    "l1": Loss(
        F.l1_loss,
        lambda input, target, weight=1: weight * abs(input - target),
        lambda loss: distance_cases(loss, NO_OPTIONS, True, 70),
        weight_divisor,
    ),
    "mse": Loss(
        F.mse_loss,
        lambda input, target, weight=1: weight * (input - target) ** 2,
        lambda loss: distance_cases(loss, NO_OPTIONS, True, 70),
        weight_divisor,
    ),
    "smooth_l1": Loss(
        F.smooth_l1_loss,
        exact_smooth_l1,
        lambda loss: distance_cases(loss, BETAS, False, 80),
    ),
    "cross_entropy": Loss(
        F.cross_entropy, exact_cross_entropy, cross_entropy_cases, label_divisor
    ),
    "nll": Loss(F.nll_loss, exact_nll, nll_cases, label_divisor),
    "binary_cross_entropy": Loss(F.binary_cross_entropy, exact_bce, bce_cases),
    "binary_cross_entropy_with_logits": Loss(
        F.binary_cross_entropy_with_logits, exact_bce_with_logits, bce_with_logits_cases
    ),
    "huber": Loss(
        F.huber_loss,
        lambda input, target, weight=1, delta=1.0: weight * np.where(
            abs(input - target) <= delta,
            (input - target) ** 2 / 2,
            delta * (abs(input - target) - mp.mpf(delta) / 2),
        ),
        lambda loss: drawn_cases(
            loss, 60, {"input": numbers(), "target": numbers()}, product(delta=[1.0, 0.3, 2.5]),
            optional={"weight": {"": None, "weight": between(0.2, 2.0)}},
            extremes=table("large", {"input": [1e8, -3e7, 2.5], "target": [-2e8, 5.0, 1e7]})
            + degenerate_batches("input", "target"),
        ),
    ),
    "kl_div": Loss(
        F.kl_div,
        exact_kl_div,
        lambda loss: drawn_cases(
            loss, 60, {"input": numbers(), "target": log_numbers(0.02, 1.0)},
            product(log_target=[False, True]),
            reductions=REDUCTION | {"batchmean": "batchmean"},
            extremes=degenerate_batches("input", "target"),
        ),
    ),
    "poisson_nll": Loss(
        F.poisson_nll_loss,
        exact_poisson_nll,
        lambda loss: drawn_cases(
            loss, 70, {"input": rate, "target": between(0.0, 6.0)},
            product(log_input=[True, False], full=[False, True], eps=[1e-8, 0.1]),
            extremes=degenerate_batches("input", "target"),
        ),
    ),
    "gaussian_nll": Loss(
        expanded_gaussian_nll, exact_gaussian_nll, gaussian_nll_cases,
        differentiable=("input", "target", "var"),
    ),
    "margin_ranking": Loss(
        F.margin_ranking_loss,
        lambda input1, input2, target, margin=0.0: relu(-target * (input1 - input2) + margin),
        lambda loss: drawn_cases(
            loss, 50, {"input1": numbers(), "input2": numbers(), "target": signs()},
            product(margin=[0.0, 0.75, -0.3]),
        ),
        differentiable=("input1", "input2"),
    ),
    "hinge_embedding": Loss(
        F.hinge_embedding_loss,
        lambda input, target, margin=1.0: np.where(target == 1, input, relu(margin - input)),
        lambda loss: drawn_cases(
            loss, 50, {"input": between(0.0005, 2.0005), "target": signs()}, MARGINS
        ),
        differentiable=("input",),
    ),
    "soft_margin": Loss(
        F.soft_margin_loss,
        lambda input, target: log1p(exp(-target * input)),
        lambda loss: drawn_cases(
            loss, 40, {"input": numbers(), "target": signs()},
            extremes=table("large", {"input": [30.0, -30.0, -600.0], "target": [1.0, 1.0, 1.0]}),
        ),
        differentiable=("input",),
    ),
    "multi_margin": Loss(
        F.multi_margin_loss,
        exact_multi_margin,
        lambda loss: drawn_cases(
            loss, 60, {"input": numbers(), "target": labels},
            product(p=[1, 2], margin=[1.0, 0.25]), VECTORS, leading,
            optional={"weight": {"": None, "weight": lambda r, s, o: weights(r, s[-1])}},
        ),
        differentiable=("input",),
    ),
    "multilabel_margin": Loss(
        F.multilabel_margin_loss,
        exact_multilabel_margin,
        lambda loss: drawn_cases(
            loss, 40, {"input": numbers(), "target": label_lists},
            shapes=VECTORS | {"rank2-tall": (6, 4), "rank2-one_class": (3, 1), "rank1-wide": (7,)},
            rows=leading,
        ),
        differentiable=("input",),
    ),
    "multilabel_soft_margin": Loss(
        F.multilabel_soft_margin_loss,
        lambda input, target, weight=1: np.sum(
            exact_bce_with_logits(input, target, weight), axis=-1
        ) / input.shape[-1],
        lambda loss: drawn_cases(
            loss, 60, {"input": numbers(), "target": between(0.0, 1.0)}, shapes=MATRICES,
            rows=leading,
            optional={
                "weight": {
                    "": None,
                    "weight": lambda r, s, o: weights(r, s[-1:]),
                    "weight_full": lambda r, s, o: weights(r, s),
                    "weight_0d": lambda r, s, o: weights(r, ()),
                }
            },
        ),
    ),
    "cosine_embedding": Loss(
        cosine_embedding,
        exact_cosine_embedding,
        lambda loss: drawn_cases(
            loss, 50, {"input1": numbers(), "input2": numbers(), "target": signs(leading)},
            product(margin=[0.0, 0.5, -0.5]), VECTORS | {"rank2-long": (5, 16)}, leading,
        ),
        differentiable=("input1", "input2"),
    ),
    "triplet_margin": Loss(
        F.triplet_margin_loss,
        exact_triplet_margin,
        lambda loss: drawn_cases(
            loss, 80, TRIPLET,
            product(margin=[1.0, 0.25], p=[2.0, 1.0, 3.0], eps=[1e-6, 0.01], swap=[False, True]),
            MATRICES, leading,
        ),
        differentiable=tuple(TRIPLET),
    ),
    "triplet_margin_with_distance": Loss(
        triplet_with_distance,
        exact_triplet_with_distance,
        lambda loss: drawn_cases(
            loss, 80, TRIPLET,
            product(distance=list(DISTANCES), margin=[1.0, 0.25], swap=[False, True]),
            MATRICES, leading,
        ),
        differentiable=tuple(TRIPLET),
    ),
    "linear_cross_entropy": Loss(
        F.linear_cross_entropy, exact_linear_cross_entropy, linear_cross_entropy_cases,
        label_divisor, ("input", "target", "linear_weight", "linear_bias"),
    ),
    "adaptive_log_softmax": Loss(
        adaptive, exact_adaptive, adaptive_cases, differentiable=("input", *WEIGHTS)
    ),
    "ctc": Loss(
        ctc, exact_ctc, ctc_cases, differentiable=("log_probs",),
        scale=lambda target_lengths, **_: np.maximum(target_lengths, 1).astype(np.float64),
    ),
    "log_cosh": Loss(
        # PyTorch has none: its logarithm of a sum of exponentials.
        block(
            lambda input, target: torch.logaddexp(input - target, target - input) - math.log(2)
        ),
        lambda input, target: log((exp(input - target) + exp(target - input)) / 2),
        lambda loss: drawn_cases(loss, 40, {"input": numbers(), "target": numbers()}),
    ),
    "quantile": Loss(
        # PyTorch has none.
        block(
            lambda input, target, tau=0.5: torch.maximum(
                tau * (target - input), (tau - 1) * (target - input)
            )
        ),
        lambda input, target, tau=0.5: np.where(
            target >= input, mp.mpf(tau) * (target - input), (mp.mpf(tau) - 1) * (target - input)
        ),
        lambda loss: drawn_cases(
            loss, 40, {"input": numbers(), "target": numbers()}, product(tau=[0.5, 0.1, 0.9])
        ),
    ),
    "sigmoid_focal": Loss(
        block(sigmoid_focal),
        exact_sigmoid_focal,
        lambda loss: drawn_cases(
            loss, 60, {"input": numbers(), "target": between(0.0, 1.0)},
            product(alpha=[0.25, 0.6, "none"], gamma=[2.0, 0.5, 0.0]),
        ),
    ),
    "softmax": Loss(
        block(lambda input, dim=-1: torch.softmax(input, dim)),
        lambda input, dim=-1: exp(exact_log_softmax(input, dim)),
        axis_cases,
    ),
    "log_softmax": Loss(
        block(lambda input, dim=-1: torch.log_softmax(input, dim)),
        exact_log_softmax,
        axis_cases,
    ),
    "logsumexp": Loss(
        block(lambda input, dim=-1: torch.logsumexp(input, dim)),
        exact_log_sum_exp,
        axis_cases,
    ),
    "sigmoid": Loss(block(torch.sigmoid), lambda input: 1 / (1 + exp(-input)), pointwise_cases),
    "log_sigmoid": Loss(block(F.logsigmoid), exact_log_sigmoid, pointwise_cases),
    "softplus": Loss(
        # The threshold is beyond every input: no switch to the identity.
        block(lambda input, beta=1.0: F.softplus(input, beta, threshold=700.0)),
        lambda input, beta=1.0: log1p(exp(beta * input)) / beta,
        pointwise_cases,
    ),
}


def main():
    """The files of the losses named, or all."""
    for name, loss in LOSSES.items():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        cases = loss.cases(name)
        assert len({case.name for case in cases}) == len(cases), f"{name}: repeated names"
        lines = (
            json.dumps(run(name, loss, case), separators=(",", ":"), allow_nan=False)
            for case in cases
        )
        header = f'{{"loss":"{name}","torch":"2.15.0","cases":[\n'
        text = header + ",\n".join(lines) + "\n]}\n"
        Path(__file__).with_name(f"{name}.json").write_text(text, newline="\n")
        print(f"{name}: {len(cases)} cases, {len(text)} bytes")


if __name__ == "__main__":
    main()
