#!/usr/bin/env python3
"""Who is how wrong: the tables of docs/precision.md, of a report and of PyTorch, JAX, burn and candle on its inputs.

The report is made by `lossmith compare --report`, or is there already. Peers run on the inputs where any of our
backends was worst or disagreed with the exact result, with their options, and on the edge table's; `lossmith compare
--theirs` judges them and us. A peer is left out where it has no such loss, option or number format. burn and candle
run in the example `peers` of the crate beside, a process for each call.
"""

import argparse
import collections
import functools
import inspect
import json
import math
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs/precision.md"
EDGES = ROOT / "crates/conformance/edges.json"
BINARY = ROOT / "target/release/lossmith"
CRATES = ROOT / "target/release/examples/peers"

ODD = ("nan", "infinite", "flushed", "sign")
OURS = "fused"
# Bits that the tables do not tell apart.
SAME = 0.05
# Losses whose arguments are not rows of one batch.
WHOLE = ("ctc", "linear_cross_entropy", "adaptive_log_softmax")
# Functions, which have no reduction.
ALONG = ("softmax", "log_softmax", "logsumexp")
FUNCTIONS = (*ALONG, "sigmoid", "log_sigmoid", "softplus")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, default=ROOT / "target/precision", help="its directory [default: %(default)s]")
    parser.add_argument("--only", choices=["report", "peers"], help="one part of the page alone")
    arguments = parser.parse_args()
    subprocess.run(["cargo", "build", "--locked", "--release", "-p", "lossmith-cli", "--features", "burn,candle"], cwd=ROOT, check=True)
    data = arguments.report / "precision.json"
    if not data.exists():
        subprocess.run([BINARY, "compare", "--report", arguments.report], check=True, stdout=subprocess.DEVNULL)
    report = json.loads(data.read_text())
    if arguments.only in (None, "report"):
        fill("table", matrix(report))
        fill("exceptions", exceptions(report))
    if arguments.only in (None, "peers"):
        example = ["-p", "lossmith-benches", "--features", "peers", "--example", "peers"]
        subprocess.run(["cargo", "build", "--locked", "--release", *example], cwd=ROOT, check=True)
        fill("peers", peers(report))


def fill(name, text):
    """Puts a text between its marks on the page, and prints it."""
    before, _, rest = PAGE.read_text().partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    PAGE.write_text(f"{before}<!-- {name} -->\n{text}\n{end}{after}")
    print(f"{text}\n")


def lines(head, rows):
    """A Markdown table, numbers to the right."""
    return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---", *["---:"] * (len(head) - 1)], *rows])


# ---------------------------------------------------------------- the report


def odd(output):
    return sum(output[count] for count in ODD)


def matrix(report):
    """Bits lost of every loss on every backend and format, value / gradients."""
    rows = collections.defaultdict(dict)
    for cell in report["cells"]:
        most = lambda value: max((o["bits"] for o in cell["outputs"] if (o["output"] == "value") == value), default=0)
        short = f"{most(True):.1f}/{most(False):.1f}{'!' if any(map(odd, cell['outputs'])) else ''}"
        rows[cell["loss"]][f"{cell['backend']} {cell['dtype']}"] = "–" if cell["unsupported"] else short
    columns = list(next(iter(rows.values())))
    return lines(["loss", *columns], [[f"`{loss}`", *row.values()] for loss, row in rows.items()])


def exceptions(report):
    """What of the fused engine's 32 and 16 bits is not within the bounds, a loss a line; the page has to say why."""
    rows, counts, bound = collections.defaultdict(dict), collections.Counter(), collections.Counter()
    for cell in report["cells"]:
        loss, dtype = cell["loss"], cell["dtype"]
        if cell["backend"] != OURS or dtype == "f64":
            continue
        for output in cell["outputs"]:
            value = output["output"] == "value"
            most = (3 if value else 4) if dtype == "f32" else 1
            far = dtype != "f32" and output["not_nearest"] > output["count"] / 100
            counts[dtype] += 1
            # JSON has no infinity.
            bound[loss] = max(bound[loss], math.inf if output["explained"] is None else output["explained"])
            if output["max_ulp"] > most or far or odd(output):
                counts[dtype, "others"] += 1
                worst = rows[loss].setdefault(dtype, {True: 0.0, False: 0.0, "odd": 0, "far": 0.0})
                worst[value] = max(worst[value], output["max_ulp"])
                worst["odd"] += odd(output)
                worst["far"] = max(worst["far"], output["not_nearest"] / max(output["count"], 1))
    page = PAGE.read_text()
    for loss in rows:
        assert any(line.startswith("- **") and f"`{loss}`" in line.split(":")[0] for line in page.splitlines()), f"the page does not say why of {loss}"

    def show(worst, dtype):
        if worst is None:
            return "–"
        words = [f"{worst[True]:.2g} / {worst[False]:.2g}"]
        words += [f"{100 * worst['far']:.2g} %"] * (dtype != "f32") + [f"{worst['odd']} !"] * (worst["odd"] > 0)
        return ", ".join(words)

    formats = ("f32", "f16", "bf16")
    said = ", ".join(f"{counts[f] - counts[f, 'others']} of {counts[f]} in `{f}`" for f in formats)
    table = [[f"`{loss}`", *(show(row.get(f), f) for f in formats), f"{bound[loss]:.2g}"] for loss, row in rows.items()]
    return f"Within: {said}.\n\n{lines(['loss', *formats, 'of bound'], table)}"


# ---------------------------------------------------------------- the peers


class Missing(Exception):
    """The peer has no such loss, option or number format."""


class Panic(Exception):
    """The peer stops the process that asks."""


def dtypes():
    import ml_dtypes
    import numpy as np

    return {"f64": np.float64, "f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def problems(report):
    """Loss, format, options and arrays of everything that is compared."""
    for cell in report["cells"]:
        for spot in (spot for output in cell["outputs"] for spot in (output["worst"], output["odd"]) if spot):
            # What is long is not in the report.
            if all(a["data"] for a in spot["inputs"].values()):
                options = dict(option.split("=") for option in spot["options"]) | {"reduction": "none"}
                if spot["class"] in ("long", "repeated"):
                    options["reduction"] = "mean"
                arrays = {name: (a["data"], a["shape"], bool(a["hex"])) for name, a in spot["inputs"].items()}
                yield cell["loss"], cell["dtype"], options, arrays
    for edge in json.loads(EDGES.read_text()):
        if "error" not in edge and not any("fill" in a or "fill_label" in a for a in edge["arguments"].values()):
            options = {name: str(value).lower() for name, value in edge.get("options", {}).items()}
            arrays = {k: (a.get("data", a.get("labels")), a["shape"], "data" in a) for k, a in edge["arguments"].items()}
            for dtype in edge.get("formats", dtypes()):
                yield edge["loss"], dtype, options, arrays


def batches(report):
    """The same, with rows that may stand in one batch put together."""
    import numpy as np

    groups = collections.defaultdict(dict)
    for loss, dtype, options, arrays in problems(report):
        made = {}
        for name, (data, shape, numbers) in arrays.items():
            made[name] = np.array(data, np.float64).astype(dtypes()[dtype] if numbers else np.int64).reshape(shape)
        rows = {array.shape[:1] for array in made.values()}
        alone = loss in WHOLE or "dim" in options or len(rows) > 1 or () in rows or options.get("reduction") != "none"
        sides = [(name, array.shape if alone else array.shape[1:], array.dtype.name) for name, array in made.items()]
        content = b"".join(array.tobytes() for array in made.values())
        key = json.dumps([loss, dtype, sorted(options.items()), sorted(sides), content.hex() if alone else ""])
        groups[key].setdefault(content, (loss, dtype, options, made))
    for group in groups.values():
        loss, dtype, options, first = next(iter(group.values()))
        together = [made for *_, made in group.values()]
        yield loss, dtype, options, {k: np.concatenate([made[k] for made in together]) if len(together) > 1 else first[k] for k in first}


def option(text):
    """The value that an option's text stands for."""
    if text in ("true", "false", "none"):
        return {"true": True, "false": False, "none": None}[text]
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return text


def in_torch(loss, options, reduction, arrays, leaves):
    """Value and gradients in PyTorch, eager, on the CPU."""
    import torch
    import torch.nn.functional as F

    names = {"kl_div": "kl_div", "linear_cross_entropy": "linear_cross_entropy", "log_sigmoid": "logsigmoid"}
    own = torch if loss in (*ALONG, "sigmoid") else F
    function = getattr(own, loss if own is torch else names.get(loss, loss if loss in FUNCTIONS else f"{loss}_loss"), None)
    if loss in ("cross_entropy", "binary_cross_entropy", "binary_cross_entropy_with_logits"):
        function = getattr(F, loss)
    if function is None:
        raise Missing(loss)
    narrow = lambda array: array.dtype.name == "bfloat16"
    tensors = {k: torch.tensor(a.astype("float32")).bfloat16() if narrow(a) else torch.tensor(a) for k, a in arrays.items()}
    if loss in FUNCTIONS:
        options = ({"dim": -1} if loss in ALONG else {}) | options
        call = functools.partial(function, tensors["input"], **options)
    else:
        known = inspect.signature(function).parameters
        if unknown := [name for name in (*tensors, *options) if name not in known]:
            raise Missing(unknown)
        call = functools.partial(function, **tensors, **options, reduction=reduction)
    variables = [tensors[name].requires_grad_() for name in leaves]
    value = call()
    grads = torch.autograd.grad(value, variables, torch.ones_like(value), allow_unused=True)
    # That of ctc is through a log-softmax.
    pairs = {f"grad.{name}": grad for name, grad in zip(leaves, grads) if grad is not None and loss != "ctc"}
    numpy = lambda x: x.detach().float().numpy().astype(dtypes()["bf16"]) if x.dtype == torch.bfloat16 else x.detach().numpy()
    return {name: numpy(x) for name, x in ({"value": value} | pairs).items()}


def in_jax(loss, options, reduction, arrays, leaves):
    """Value and gradients in JAX and optax, on the CPU."""
    import jax
    import numpy as np
    import optax

    jax.config.update("jax_enable_x64", True)
    one = lambda of: lambda x, t: of(x[..., None], t[..., None])
    pair = ("input", "target")
    function, names, taken = {
        "mse": (optax.squared_error, pair, {}),
        "huber": (optax.huber_loss, pair, {"delta": "delta"}),
        "log_cosh": (optax.log_cosh, pair, {}),
        "cross_entropy": (optax.softmax_cross_entropy_with_integer_labels, pair, {}),
        "binary_cross_entropy_with_logits": (optax.sigmoid_binary_cross_entropy, pair, {}),
        "kl_div": (one(optax.kl_divergence), pair, {}),
        "sigmoid_focal": (functools.partial(optax.sigmoid_focal_loss, alpha=0.25), pair, {"alpha": "alpha", "gamma": "gamma"}),
        "triplet_margin": (optax.losses.triplet_margin_loss, ("anchor", "positive", "negative"), {"p": "norm_degree", "margin": "margin", "eps": "eps"}),
        "softmax": (jax.nn.softmax, ("input",), {"dim": "axis"}),
        "log_softmax": (jax.nn.log_softmax, ("input",), {"dim": "axis"}),
        "logsumexp": (functools.partial(jax.nn.logsumexp, axis=-1), ("input",), {"dim": "axis"}),
        "sigmoid": (jax.nn.sigmoid, ("input",), {}),
        "log_sigmoid": (jax.nn.log_sigmoid, ("input",), {}),
        "softplus": (jax.nn.softplus, ("input",), {}),
    }.get(loss, (None, (), {}))
    if loss == "cross_entropy" and arrays["target"].dtype.kind != "i":
        function = optax.softmax_cross_entropy
    if loss == "kl_div" and options.get("log_target"):
        function, options = one(optax.losses.kl_divergence_with_log_targets), {k: v for k, v in options.items() if k != "log_target"}
    if function is None or set(arrays) != set(names) or set(options) - set(taken) or reduction not in ("none", "mean"):
        raise Missing(loss)
    function = functools.partial(function, **{taken[name]: value for name, value in options.items()})
    fixed = {name: jax.numpy.asarray(arrays[name]) for name in names}

    def call(*variables):
        value = function(*(fixed | dict(zip(leaves, variables))).values())
        return value.mean() if reduction == "mean" and loss not in FUNCTIONS else value

    value, back = jax.vjp(call, *(fixed[name] for name in leaves))
    grads = back(jax.numpy.ones_like(value))
    return {name: np.asarray(x) for name, x in {"value": value, **{f"grad.{k}": g for k, g in zip(leaves, grads)}}.items()}


def in_rust(crate, loss, options, reduction, arrays, leaves):
    """Value and gradients in a Rust crate, on the CPU."""
    reduction = "none" if loss in FUNCTIONS else reduction
    words = [f"{name}={str(value).lower()}" for name, value in options.items()]
    with tempfile.TemporaryDirectory() as directory:
        given, results = Path(directory) / "given.safetensors", Path(directory) / "results.safetensors"
        save(given, arrays)
        done = subprocess.run([CRATES, crate, loss, given, results, reduction, *words, *leaves], capture_output=True, text=True)
        if done.returncode == 101:
            raise Panic(next(line for line in done.stderr.splitlines() if line and not line.startswith("thread ")))
        if done.returncode:
            raise Missing(done.stderr.partition("\n")[0])
        return load(results)


PEERS = {"PyTorch": in_torch, "JAX": in_jax, "burn": functools.partial(in_rust, "burn"), "candle": functools.partial(in_rust, "candle")}
# What there is a count of alone as well.
PYTHON = ("PyTorch", "JAX")
NAMES = {"float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "int64": "I64"}


def save(path, arrays):
    """A .safetensors file, which has bf16 as well."""
    head, parts, at = {}, [], 0
    for name, array in arrays.items():
        part = array.tobytes()
        head[name] = {"dtype": NAMES[array.dtype.name], "shape": array.shape, "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    text = json.dumps(head).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))


def load(path):
    """The arrays of such a file."""
    import numpy as np

    data = path.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    kinds = {NAMES[np.dtype(kind).name]: kind for kind in (*dtypes().values(), np.int64)}
    part = lambda one: np.frombuffer(data[start + one["data_offsets"][0] : start + one["data_offsets"][1]], kinds[one["dtype"]])
    return {name: part(one).reshape(one["shape"]) for name, one in json.loads(data[8:start]).items() if name != "__metadata__"}


def judged(loss, dtype, options, arrays, theirs):
    """How wrong their results and ours are, of the outputs that they have."""
    with tempfile.TemporaryDirectory() as directory:
        given, results = Path(directory) / "given.safetensors", Path(directory) / "results.safetensors"
        save(given, arrays)
        save(results, theirs)
        command = [BINARY, "compare", loss, *(f"{name}={given}" for name in arrays), "--json"]
        command += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
        done = subprocess.run([*command, "--theirs", *(f"{name}={results}" for name in theirs)], capture_output=True, text=True)
    if done.returncode:
        raise Missing(done.stderr)
    results = [r for r in json.loads(done.stdout)["results"] if r["dtype"] == dtype and r.get("output") in theirs]
    return [wrong([r for r in results if r["backend"] == by]) for by in (OURS, "theirs")]


def wrong(results):
    """How many results are NaN or infinite where the exact one is not, and the bits lost at the worst of the rest."""
    if not results:
        raise Missing("not supported")
    worst = max(max(result["max_ulp"], result["astray_ulp"]) for result in results)
    return sum(result["nan"] + result["infinite"] for result in results), math.log2(worst + 1)


def peers(report):
    """Ours beside theirs, and in how many cells ours is no worse."""
    # Loss and format, and the peer: [ours, theirs], on what the peer can run.
    cells, refused, panics = collections.defaultdict(dict), collections.Counter(), collections.Counter()
    differentiable = collections.defaultdict(set)
    for cell in report["cells"]:
        differentiable[cell["loss"]] |= {o["output"].removeprefix("grad.") for o in cell["outputs"]} - {"value"}
    for loss, dtype, options, arrays in batches(report):
        leaves = [name for name in arrays if name in differentiable[loss] and arrays[name].dtype.kind != "i"]
        parsed = {name: option(value) for name, value in options.items() if name != "reduction"}
        for peer, run in PEERS.items():
            try:
                theirs = run(loss, parsed, options.get("reduction", "mean"), arrays, leaves)
                pair = judged(loss, dtype, options, arrays, theirs)
            except Panic as why:
                panics[peer, loss, dtype, str(why)] += 1
                continue
            except (Missing, RuntimeError, TypeError, ValueError, NotImplementedError, KeyError) as why:
                refused[peer, loss, dtype, str(why)[:100]] += 1
                continue
            before = cells[loss, dtype].setdefault(peer, [(0, 0.0), (0, 0.0)])
            cells[loss, dtype][peer] = [(a + c, max(b, d)) for (a, b), (c, d) in zip(before, pair)]
    for (peer, *what), count in sorted(refused.items()):
        print(peer, *what, count, file=sys.stderr)
    return table_of_peers(cells, panics)


def table_of_peers(cells, panics):
    worse = lambda ours, theirs: ours[0] > theirs[0] or ours[0] == theirs[0] and ours[1] > theirs[1] + SAME
    show = lambda one: f"{one[1]:.1f}{'!' if one[0] else ''}"
    rows, lost, counts = [], [], collections.Counter()
    for (loss, dtype), found in cells.items():
        behind = [peer for peer, (ours, theirs) in found.items() if worse(ours, theirs)]
        for peers in (tuple(PEERS), PYTHON):
            counts[peers] += any(peer in found for peer in peers)
            counts[peers, "best"] += any(peer in found for peer in peers) and not any(peer in behind for peer in peers)
        counts["bits"] += all(ours[1] <= theirs[1] + SAME for ours, theirs in found.values())
        for peer in found:
            counts[peer] += 1
            counts[peer, "best"] += peer not in behind
        row = [f"{show(found[peer][0])} : {show(found[peer][1])}" if peer in found else "–" for peer in PEERS]
        rows.append([f"`{loss}` {dtype}", *row])
        lost += [f"`{loss}` {dtype} ({peer}: {' : '.join(map(show, found[peer]))})" for peer in behind]
    of = lambda what: f"{counts[what, 'best']} of {counts[what]}"
    part = lambda what: f"{of(what)} ({100 * counts[what, 'best'] / max(counts[what], 1):.1f} %)"
    said = f"Ours is the smallest error, or equal, in {part(tuple(PEERS))} cells of loss × format: "
    said += ", ".join(f"{of(peer)} against {peer}" for peer in PEERS)
    said += f"; against {' and '.join(PYTHON)} alone in {part(PYTHON)}."
    said += f" By the bits alone, whatever is marked, it is in {counts['bits']} of {counts[tuple(PEERS)]}."
    if lost:
        said += f"\nBehind, ours first: {', '.join(lost)}."
    if panics:
        told = [f"{peer} in `{loss}` {dtype} ({count}: {why})" for (peer, loss, dtype, why), count in sorted(panics.items())]
        said += f"\nPanics, which are in no cell: {', '.join(told)}."
    return f"{said}\n\n{lines(['ours : theirs', *PEERS], rows)}"


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
