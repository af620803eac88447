#!/usr/bin/env python3
"""Loss and gradient in PyTorch, JAX and ours, in turns; prints the table of docs/benchmarks.md, and fills the page.

Every round times each library for a moment and runs `lossmith bench` between them, so that what slows the machine slows
all of them. All use the same number of threads, on the same processors. Medians.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
import venv
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs/benchmarks.md"
PLOT = ROOT / "docs/benchmarks.svg"
RESULTS = HERE / "results.json"
BINARY = ROOT / "target/release/lossmith"

# What it is called, our name for it, the sides of its input.
ROWS = {
    "cross-entropy 4096×1000": ("cross_entropy", (4096, 1000)),
    "cross-entropy 512×32000": ("cross_entropy", (512, 32000)),
    "cross-entropy 128×128256": ("cross_entropy", (128, 128256)),
    "cross-entropy 65536×10": ("cross_entropy", (65536, 10)),
    "MSE 10 M": ("mse", (10_000_000,)),
    "BCE with logits 10 M": ("binary_cross_entropy_with_logits", (10_000_000,)),
}
PEERS = ["PyTorch eager", "torch.compile", "JAX jit + optax"]
CRATES = ["burn", "candle"]
# Sizes of the plot, by loss.
SWEEP = {
    "mse": [(10**power,) for power in range(3, 9)],
    "binary_cross_entropy_with_logits": [(10**power,) for power in range(3, 9)],
    "cross_entropy": [(rows, 1000) for rows in (1, 10, 100, 1000, 10_000, 100_000)],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"rows of the table [default: all]: {'; '.join(ROWS)}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.3, help="for each library in each round")
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count()))
    parser.add_argument("--backend", help="ours [default: that of lossmith bench]")
    parser.add_argument("--only", choices=["peers", "crates", "bench", "plot", "page"], help="one part of the page alone")
    parser.add_argument("--venv", type=Path, help="make this environment, install requirements.txt there, and run in it")
    arguments = parser.parse_args()
    if unknown := [row for row in arguments.rows if row not in ROWS]:
        parser.error(f"no row {unknown[0]!r}: {'; '.join(ROWS)}")
    if arguments.venv:
        install(arguments.venv)
    processors = sorted(os.sched_getaffinity(0))[: arguments.threads]
    os.sched_setaffinity(0, processors)
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ[name] = str(len(processors))
    subprocess.run(["cargo", "build", "--locked", "--release", "-p", "lossmith-cli"], cwd=ROOT, check=True)

    parts = {"peers": peers, "crates": crates, "bench": bench, "plot": sweep}
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, part in parts.items():
        if arguments.only in (None, name):
            results[name] = part(arguments, results.get(name, {}))
            RESULTS.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    fill(results)


def install(where):
    """Runs this script in an environment with what it needs."""
    python = where / "bin/python"
    if not python.exists():
        venv.create(where, with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
    rest = [word for word in sys.argv if word not in ("--venv", str(where))]
    os.execv(python, [str(python), *rest])


def ours(loss, sizes, seconds, backend, *more):
    """What `lossmith bench` says of a loss."""
    command = [BINARY, "bench", *loss, "--seconds", str(seconds), "--json", *more]
    if sizes:
        command += ["--size", ",".join("x".join(map(str, size)) for size in sizes)]
    if backend:
        command += ["--backend", backend]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def peers(arguments, results):
    """Seconds of every library on every row."""
    results = {"threads": arguments.threads, "rows": results.get("rows", {})}
    for row in arguments.rows or ROWS:
        loss, size = ROWS[row]
        runs = libraries(loss, size, arguments.threads)
        times, roofs = {name: [] for name in runs}, {}
        for run in runs.values():
            run()
        for _ in range(arguments.rounds):
            for name, run in runs.items():
                times[name] += timed(run, arguments.seconds)
            measured = ours([loss], [size], arguments.seconds, arguments.backend)
            results["simd"] = measured["simd"]
            for line in measured["rows"]:
                if line["variant"]:
                    continue
                name = f"{line['backend']}, {line['buffers']} buffers"
                times.setdefault(name, []).append(line["seconds"])
                roofs.setdefault(name, []).append(line["roof_seconds"])
        found = {name: {"seconds": statistics.median(all)} for name, all in times.items()}
        for name, all in roofs.items():
            found[name]["roof"] = statistics.median(all)
        results["rows"][row] = found
        print(row, {name: f"{ms(one['seconds'])} ms" for name, one in found.items()}, file=sys.stderr)
    return results


def timed(run, seconds):
    """Seconds of single runs, after one that does not count."""
    run()
    times, start = [], time.perf_counter()
    while len(times) < 3 or time.perf_counter() - start < seconds:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return times


def libraries(loss, size, threads):
    """A run of value and gradient of the input in each library, on the same numbers."""
    import jax
    import jax.numpy as jnp
    import numpy as np
    import optax
    import torch
    import torch.nn.functional as F

    torch.set_num_threads(threads)
    torch.compiler.reset()
    random = np.random.default_rng(1)
    input = random.standard_normal(size, dtype=np.float32)
    if loss == "cross_entropy":
        target = random.integers(0, size[1], size[0])
    else:
        target = random.random(size, dtype=np.float32)
    in_torch, in_jax = {
        "cross_entropy": (F.cross_entropy, optax.softmax_cross_entropy_with_integer_labels),
        "mse": (F.mse_loss, optax.squared_error),
        "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, optax.sigmoid_binary_cross_entropy),
    }[loss]

    x, t = torch.from_numpy(input).requires_grad_(), torch.from_numpy(target)

    def torch_run(of):
        def run():
            x.grad = None
            of(x, t).backward()

        return run

    in_jax = jax.jit(jax.value_and_grad(lambda x, t, of=in_jax: of(x, t).mean()))
    jx, jt = jnp.asarray(input), jnp.asarray(target)
    runs = [torch_run(in_torch), torch_run(torch.compile(in_torch)), lambda: jax.block_until_ready(in_jax(jx, jt))]
    # Who is timed has to compute the same.
    runs[0]()
    here, there = x.grad.numpy(), np.asarray(in_jax(jx, jt)[1])
    assert np.allclose(here, there, rtol=1e-4, atol=1e-6 * abs(there).max()), "PyTorch and JAX disagree"
    return dict(zip(PEERS, runs))


def crates(arguments, results):
    """Seconds of burn and candle beside ours and the roof, as criterion measures them in one run."""
    rows = results.get("rows", {})
    for row in arguments.rows or ROWS:
        loss, size = ROWS[row]
        name = f"{loss}/{'x'.join(map(str, size))}"
        command = ["cargo", "bench", "--locked", "-p", "lossmith-benches", "--features", "peers", "--bench", "table"]
        folder = ROOT / "target/criterion" / name.replace("/", "_")
        # Other benches may have measured something of that name, earlier.
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([*command, "--", f"{name}/"], cwd=ROOT, check=True, stdout=sys.stderr)
        files = folder.glob("*/new/estimates.json")
        found = {file.parent.parent.name: json.loads(file.read_text())["median"]["point_estimate"] for file in files}
        roof = found.pop("roof") / 1e9
        rows[row] = {name: {"seconds": nanoseconds / 1e9, "roof": roof} for name, nanoseconds in found.items()}
    return {"threads": arguments.threads, "rows": rows}


def bench(arguments, _):
    """The whole of `lossmith bench`."""
    return ours([], [], arguments.seconds, arguments.backend)


def sweep(arguments, _):
    """Time against size."""
    points = {}
    for loss, sizes in SWEEP.items():
        rows = ours([loss], sizes, arguments.seconds, arguments.backend)["rows"]
        points[loss] = sorted((row for row in rows if not row["variant"]), key=lambda row: elements(row["size"]))
    return points


def table(head, lines):
    """A Markdown table, numbers to the right."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def duration(seconds):
    """A time in the unit that suits it."""
    scale, unit = next(pair for pair in ((1, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns")) if seconds * pair[0] >= 1 or pair[1] == "ns")
    return f"{seconds * scale:.3g} {unit}"


def ms(seconds):
    return f"{1e3 * seconds:.{3 if seconds < 1e-3 else 2 if seconds < 1e-2 else 1}f}"


def multiple(ratio):
    """How many times, without more figures than are known."""
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.2g}×"


def compared(rows, others):
    """A table of times in ms; beside others', how many times our fastest, and beside ours, the fraction of the roof."""
    mine = sorted({name for times in rows.values() for name in times} - set(others))
    lines = []
    for row in (row for row in ROWS if row in rows):
        found = rows[row]
        best = min(found[name]["seconds"] for name in mine if name in found)
        theirs = [(found[name]["seconds"], multiple(found[name]["seconds"] / best)) for name in others]
        own = [(found[name]["seconds"], f"{found[name]['roof'] / found[name]['seconds']:.2f}") for name in mine]
        lines.append([row, *(f"{ms(seconds)} ({ratio})" for seconds, ratio in theirs + own)])
    return table(["ms", *others, *mine], lines)


def every(results):
    """What `lossmith bench` measured."""
    head = ["loss", "size", "", "buffers", "time", "GB/s", "roof", "of roof", "bar"]
    lines = []
    for row in results["rows"]:
        bar = f"{row['bar']:.2f}" if row["bar"] is not None else ""
        speed, fraction = f"{row['gb_per_s']:.1f}", f"{row['fraction']:.2f}"
        first = [f"`{row['loss']}`", row["size"].replace("x", "×"), row["variant"], row["buffers"]]
        roof = f"{row['roof']}, {duration(row['roof_seconds'])}"
        lines.append([*first, duration(row["seconds"]), speed, roof, fraction, bar])
    return table(head, lines)


def fill(results):
    """Writes the page's tables between their marks, and the plot."""
    page = PAGE.read_text()
    tables = {
        "peers": lambda found: compared(found["rows"], PEERS),
        "crates": lambda found: compared(found["rows"], CRATES),
        "bench": every,
    }
    for name, show in tables.items():
        if name in results:
            before, _, rest = page.partition(f"<!-- {name} -->\n")
            _, end, after = rest.partition(f"<!-- end of {name} -->")
            text = show(results[name])
            page = f"{before}<!-- {name} -->\n{text}\n{end}{after}"
            print(f"{text}\n")
    PAGE.write_text(page)
    if "plot" in results:
        plot(results["plot"])


def plot(points):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "lossmith", "svg.fonttype": "none"})
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, len(points), figsize=(10, 3.4), sharey=True, layout="constrained")
    for axis, (loss, rows) in zip(axes, points.items()):
        for name in dict.fromkeys(f"{row['backend']}, {row['buffers']} buffers" for row in rows):
            own = [row for row in rows if f"{row['backend']}, {row['buffers']} buffers" == name]
            sizes = [elements(row["size"]) for row in own]
            axis.loglog(sizes, [1e3 * row["seconds"] for row in own], "o-", ms=3, label=name)
        axis.loglog(sizes, [1e3 * row["roof_seconds"] for row in own], "k:", label="roof")
        axis.set(title=loss, xlabel="elements")
        axis.minorticks_off()
        axis.grid(alpha=0.3)
        axis.legend(frameon=False, fontsize=8)
    axes[0].set_ylabel("ms")
    figure.savefig(PLOT, metadata={"Date": None})


def elements(size):
    product = 1
    for side in size.split("x"):
        product *= int(side)
    return product


if __name__ == "__main__":
    main()
