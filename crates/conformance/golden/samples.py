"""Generate samples.json.gz: PyTorch's own test samples of its loss functions and loss modules, and ONNX's.

    env/bin/python samples.py

The samples are the `OpInfo` inputs of every loss function, the module inputs of every loss module, and the inputs of
ONNX's node tests of its two losses, in float64 on the CPU with the seed of their own name. Inputs are rounded to four
significant digits, then PyTorch computes the value and the gradient of each differentiable argument; an unreduced
value has a stored random cotangent. Results are stored to 13 significant digits, or to 1e-14 of the largest.

The first line holds the arrays that occur more than once; `{"same": i}` stands for the i-th. Then there is a case a
line, as in the other golden files, with its `origins`: two samples are one case only if they are equal in all the rest.
A sample that the library refuses by design has an `error`, the variant's name; if it is the domain that is wrong, the
results are there too, for they hold with check=off.
"""

import generate  # first: it settles how PyTorch computes

import collections
import gzip
import inspect
import json
import math
import random
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from onnx.backend.test.case.node import collect_testcases
from torch.testing._internal.common_methods_invocations import op_db
from torch.testing._internal.common_modules import module_db

# PyTorch's function, and its module after "nn.": our name and the differentiable arguments.
PAIR, LEFT, TRIPLET = ("input", "target"), ("input",), ("anchor", "positive", "negative")
LOSSES = {
    ("l1_loss", "L1Loss"): ("l1", PAIR),
    ("mse_loss", "MSELoss"): ("mse", PAIR),
    ("cross_entropy", "CrossEntropyLoss"): ("cross_entropy", PAIR),
    ("nll_loss", "NLLLoss"): ("nll", LEFT),
    ("binary_cross_entropy", "BCELoss"): ("binary_cross_entropy", PAIR),
    ("binary_cross_entropy_with_logits", "BCEWithLogitsLoss"): (
        "binary_cross_entropy_with_logits", PAIR,
    ),
    ("smooth_l1_loss", "SmoothL1Loss"): ("smooth_l1", PAIR),
    ("huber_loss", "HuberLoss"): ("huber", PAIR),
    ("kl_div", "KLDivLoss"): ("kl_div", PAIR),
    ("poisson_nll_loss", "PoissonNLLLoss"): ("poisson_nll", PAIR),
    ("gaussian_nll_loss", "GaussianNLLLoss"): ("gaussian_nll", (*PAIR, "var")),
    ("margin_ranking_loss", "MarginRankingLoss"): ("margin_ranking", ("input1", "input2")),
    ("hinge_embedding_loss", "HingeEmbeddingLoss"): ("hinge_embedding", LEFT),
    ("soft_margin_loss", "SoftMarginLoss"): ("soft_margin", LEFT),
    ("multi_margin_loss", "MultiMarginLoss"): ("multi_margin", LEFT),
    ("multilabel_margin_loss", "MultiLabelMarginLoss"): ("multilabel_margin", LEFT),
    ("multilabel_soft_margin_loss", "MultiLabelSoftMarginLoss"): ("multilabel_soft_margin", PAIR),
    ("cosine_embedding_loss", "CosineEmbeddingLoss"): ("cosine_embedding", ("input1", "input2")),
    ("triplet_margin_loss", None): ("triplet_margin", TRIPLET),
    ("triplet_margin_with_distance_loss", None): ("triplet_margin_with_distance", TRIPLET),
    ("ctc_loss", "CTCLoss"): ("ctc", ("log_probs",)),
    ("linear_cross_entropy", "LinearCrossEntropyLoss"): (
        "linear_cross_entropy", (*PAIR, "linear_weight", "linear_bias"),
    ),
}
ONNX = {"SoftmaxCrossEntropyLoss": "cross_entropy", "NegativeLogLikelihoodLoss": "nll_loss"}
CLASSES = ("cross_entropy", "nll", "multi_margin", "multilabel_margin", "ctc", "linear_cross_entropy")
# What PyTorch takes and the library refuses: broadcast shapes, and targets outside of these.
ALIKE = ("l1", "mse", "smooth_l1", "huber", "kl_div", "poisson_nll", "gaussian_nll")
SIGNS = ("margin_ranking", "hinge_embedding", "soft_margin", "cosine_embedding")
PROBABILITIES = (
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "multilabel_soft_margin",
)
LISTS = ("multi_margin", "multilabel_margin")
OPTIONS = (
    "reduction", "ignore_index", "label_smoothing", "beta", "delta", "margin", "p", "swap", "eps",
    "full", "log_input", "log_target", "blank", "zero_infinity",
)
MODULE_ARGUMENTS = ("weight", "pos_weight")


def seed(name):
    number = zlib.crc32(name.encode())
    torch.manual_seed(number)
    random.seed(number)
    np.random.seed(number)


# ---------------------------------------------------------------- the samples


def bind(function, args, kwargs):
    """Every argument by its name, without those that are None."""
    bound = inspect.signature(getattr(F, function)).bind(*args, **kwargs).arguments
    return {k: v for k, v in bound.items() if v is not None}


def op_samples(function):
    """The inputs of every variant of one function."""
    for op in op_db:
        if op.name == f"nn.functional.{function}":
            seed(f"{op.name}/{op.variant_test_name}")
            for sample in op.sample_inputs("cpu", torch.float64, requires_grad=False):
                yield bind(function, (sample.input, *sample.args), sample.kwargs)


def module_samples(function, module):
    """The inputs of one module, with what its constructor made of its arguments."""
    for info in (info for info in module_db if info.name == f"nn.{module}"):
        seed(info.name)
        samples = info.module_inputs_func(
            info, device="cpu", dtype=torch.float64, requires_grad=False, training=True
        )
        for sample in samples:
            constructor, forward = sample.constructor_input, sample.forward_input
            made = info.module_cls(*constructor.args, **constructor.kwargs)
            known = inspect.signature(getattr(F, function)).parameters
            kwargs = {
                k: getattr(made, k)
                for k in (*OPTIONS, *MODULE_ARGUMENTS, "options")
                if k in known and hasattr(made, k)
            }
            args = forward.args
            if function == "linear_cross_entropy":
                side = (made.num_classes, *made.out_features)
                weight, bias = made.linear.weight.detach(), made.linear.bias
                kwargs["linear_bias"] = None if bias is None else bias.detach().reshape(side)
                args = (args[0], weight.reshape(*side, -1), *args[1:])
            yield bind(function, args, kwargs | forward.kwargs)


def onnx_samples(operator):
    """The inputs of ONNX's node tests; those spelled out in simpler operators are the same again."""
    tests = {test.name: test for test in collect_testcases()}
    for test in tests.values():
        if test.model.graph.node[0].op_type == operator:
            yield onnx_sample(operator, test)


def onnx_sample(operator, test):
    (node,), ((inputs, outputs),) = test.model.graph.node, test.data_sets
    options = {a.name: a.s.decode() if a.name == "reduction" else a.i for a in node.attribute}
    tensors = [torch.tensor(np.asarray(x, np.float64 if x.dtype.kind == "f" else np.int64)) for x in inputs]
    sample = bind(ONNX[operator], tensors, options)
    value = getattr(F, ONNX[operator])(**sample).numpy()
    assert np.allclose(value, outputs[0], rtol=1e-5, atol=1e-6), f"{test.name}: {outputs[0]} is not {value}"
    return sample


# ---------------------------------------------------------------- evaluation


def short(x):
    return float(f"{x:.4g}")


def argument(loss, value):
    """The array an argument is for us: class indices stay integers."""
    array = value.detach().numpy() if torch.is_tensor(value) else np.asarray(value)
    if array.dtype.kind in "iub" and loss in CLASSES:
        return array.astype(np.int64)
    return np.asarray(np.vectorize(short, otypes=[float])(array.astype(np.float64)))


def spelled(value):
    return short(value) if isinstance(value, float) else value


def refused(loss, options, arguments):
    """The error of the library's that is right by design, or None."""
    target, first = arguments.get("target"), next(iter(arguments.values()))
    if loss in LISTS and first.ndim == 0:
        return "Rank"
    if loss in ALIKE and first.shape != target.shape:
        return "Shape"
    if loss == "multi_margin" and first.shape[:-1] != target.shape:
        return "Shape"
    outside = [
        loss in SIGNS and (abs(target) != 1).any(),
        loss in PROBABILITIES and ((target < 0) | (target > 1)).any(),
        loss == "kl_div" and not options.get("log_target") and (target < 0).any(),
        loss == "poisson_nll" and not options.get("log_input", True) and (first < 0).any(),
    ]
    return "Domain" if any(outside) else None


def gradient(value, leaf, cotangent):
    """None where PyTorch has no derivative of the argument."""
    try:
        return torch.autograd.grad(value, leaf, cotangent, retain_graph=True)[0]
    except (RuntimeError, NotImplementedError) as error:
        assert "derivative" in str(error) or "not require grad" in str(error), error
        return None


def ctc_correction(log_probs, lengths, target_lengths, reduction, cotangent):
    """What PyTorch's gradient, taken through a log-softmax, has more than the derivative in `log_probs`."""
    per_sample = torch.ones(log_probs.shape[1], dtype=torch.float64)
    if reduction == "none":
        per_sample = cotangent
    elif reduction == "mean":
        per_sample = 1 / target_lengths.clamp(min=1).double() / log_probs.shape[1]
    inside = torch.arange(log_probs.shape[0])[:, None] < lengths
    return (log_probs.exp() * (per_sample * inside)[..., None]).detach()


def run(function, loss, differentiable, sample):
    """The record of one sample, and the arguments that PyTorch does not differentiate."""
    distance = sample.pop("distance_function", None)
    assert distance is None or isinstance(distance, torch.nn.PairwiseDistance), distance
    how = {"options": sample.pop("options")} if "options" in sample else {}
    options = {k: spelled(v) for k, v in sample.items() if k in OPTIONS}
    arguments = {k: argument(loss, v) for k, v in sample.items() if k not in OPTIONS}
    options = {"reduction": "mean"} | options
    encoded = {k: generate.encode(v) for k, v in arguments.items()}
    record = {"loss": loss, "options": options, "arguments": {k: compact(v) for k, v in encoded.items()}}
    error = refused(loss, options, arguments)
    if error:
        record["error"] = error
    if error in ("Shape", "Rank") or error and loss == "hinge_embedding":  # has no third case
        return record, []
    tensors = {k: torch.tensor(v) for k, v in arguments.items()}
    leaves = {k: tensors[k].requires_grad_() for k in differentiable if k in tensors and tensors[k].is_floating_point()}
    value = getattr(F, function)(**tensors, **options, **how, **({"distance_function": distance} if distance else {}))
    cotangent = None
    if options["reduction"] == "none":
        cotangent = torch.tensor(generate.normal(generate.generator(json.dumps(record)), value.shape))
        record["grad_output"] = compact(generate.encode(cotangent.numpy()))
    grads = {k: gradient(value, leaf, cotangent) for k, leaf in leaves.items()}
    if loss == "ctc":
        lengths = (tensors["input_lengths"], tensors["target_lengths"])
        grads["log_probs"] -= ctc_correction(
            tensors["log_probs"], *lengths, options["reduction"], cotangent
        )
    if loss == "poisson_nll" and options.get("full") and grads["target"].isnan().any():
        plain = getattr(F, function)(**tensors, **options | {"full": False})
        masked = gradient(plain, leaves["target"], cotangent)
        grads["target"] = torch.where(leaves["target"] > 1, grads["target"], masked)
        record["note"] = STIRLING
    record["value"] = result(value.detach().numpy())
    record["grads"] = {k: result(g.numpy()) for k, g in grads.items() if g is not None}
    return record, [k for k, g in grads.items() if g is None]


STIRLING = (
    "PyTorch's gradient of target is NaN at 0 and below, from the logarithm in Stirling's term, which"
    " is not added there: right is that of the other terms"
)


# ---------------------------------------------------------------- storage


def compact(encoded):
    """Whole numbers without a point."""
    if "data" in encoded:
        encoded["data"] = [int(x) if not isinstance(x, str) and x == int(x) else x for x in encoded["data"]]
    return encoded


def result(array):
    finite = np.abs(array[np.isfinite(array)])
    largest = finite.max() if finite.size else 0.0
    places = 14 - math.floor(math.log10(largest)) if largest else 0
    rounded = [round(float(f"{x:.13g}"), places) if math.isfinite(x) else x for x in array.ravel().tolist()]
    return compact(generate.encode(np.asarray(rounded, dtype=np.float64).reshape(array.shape)))


def arrays(record):
    """The places of a record that hold arrays: the object and the key."""
    for part in ("arguments", "grads"):
        yield from ((record[part], k) for k in record.get(part, {}))
    yield from ((record, k) for k in ("grad_output", "value") if k in record)


def share(records):
    """The arrays worth writing once, which the records then refer to."""
    dumped = lambda place, key: json.dumps(place[key])
    seen = collections.Counter(dumped(*at) for record in records for at in arrays(record))
    shared = {text: i for i, text in enumerate(t for t, n in seen.items() if n > 1 and len(t) > 200)}
    for record in records:
        for place, key in arrays(record):
            text = dumped(place, key)
            if text in shared:
                place[key] = {"same": shared[text]}
    return [json.loads(text) for text in shared]


def main():
    sources = []
    for (function, module), (loss, differentiable) in LOSSES.items():
        sources.append(("op", function, function, loss, differentiable, op_samples(function)))
        if module:
            samples = module_samples(function, module)
            sources.append(("module", module, function, loss, differentiable, samples))
    for operator, function in ONNX.items():
        name = "cross_entropy" if function == "cross_entropy" else "nll"
        sources.append(("onnx", operator, function, name, LEFT, onnx_samples(operator)))
    losses_of_pytorch()
    cases, found, written = {}, collections.Counter(), collections.Counter()
    undifferentiated = collections.Counter()
    for kind, source, function, loss, differentiable, samples in sources:
        for index, sample in enumerate(samples):
            found[kind, source] += 1
            record, skipped = run(function, loss, differentiable, sample)
            undifferentiated.update((source, k) for k in skipped)
            case = cases.setdefault(json.dumps(record), ({"name": f"{source} {index}", "origins": []}, record))
            case[0]["origins"].append([kind, index])
    records = [head | record for head, record in cases.values()]
    for record in records:
        written.update((kind, record["name"].split()[0]) for kind, _ in record["origins"])
    lines = [share(records), *records]
    text = "".join(json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n" for line in lines)
    packed = gzip.compress(text.encode(), 9, mtime=0)
    Path(__file__).with_name("samples.json.gz").write_bytes(packed)
    for (kind, source), count in found.items():
        print(f"{kind:6} {source:33} {count:4} found {written[kind, source]:4} written")
    assert written == found
    kinds = collections.Counter()
    for (kind, _), count in found.items():
        kinds[kind] += count
    assert kinds["op"] == 989 and kinds["module"] == 1157, kinds
    print(f"{dict(kinds)}: {len(records)} cases, since {sum(found.values()) - len(records)} are the same again")
    print(f"{sum('error' in r for r in records)} are errors; no derivative in PyTorch: {dict(undifferentiated)}")
    print(f"{len(text)} bytes, {len(packed)} packed")


def losses_of_pytorch():
    """Stops where PyTorch has a loss that is not in the table."""
    functions = {op.name.removeprefix("nn.functional.") for op in op_db}
    named = {f for f in functions if f.endswith("_loss") or "cross_entropy" in f or f == "kl_div"}
    assert named == {function for function, _ in LOSSES}, named
    modules = {m.name.removeprefix("nn.") for m in module_db if m.name.endswith("Loss")}
    assert modules == {module for _, module in LOSSES if module}, modules


if __name__ == "__main__":
    main()
