# Requires numpy, scipy, Pillow, pycocotools, scikit-learn, torch, torchvision (see python/*.py for what each needs).
"""Times our kernels and what Python users would call instead, in one run, and prints tables of ratios as Markdown.

    python benches/compare.py [masks images perturbations metrics] [--quick]

For each name it runs `cargo bench -p hard-imagenet-benches --bench NAME` and `benches/python/NAME.py`, both on one
core where `taskset` is there, on the same formula-made inputs. A benchmark's function "ours" is set against the other
functions of its group (Rust crates) and against the lines of the script for the same kernel and size (Python
packages). Figures are medians in microseconds; a ratio says how many times longer the other takes.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAMES = ["masks", "images", "perturbations", "metrics"]


def target():
    meta = subprocess.run(["cargo", "metadata", "--no-deps", "--format-version", "1"],
                          cwd=ROOT, check=True, capture_output=True, text=True)
    return Path(json.loads(meta.stdout)["target_directory"])


def one_core():
    return ["taskset", "-c", "0"] if shutil.which("taskset") else []


def rust(name, quick):
    """{(kernel, size): {who: microseconds}} from criterion's own files."""
    home = target() / "criterion"
    shutil.rmtree(home, ignore_errors=True)
    subprocess.run(["cargo", "bench", "-p", "hard-imagenet-benches", "--bench", name, "--no-run"], cwd=ROOT, check=True)
    options = ["--warm-up-time", "0.5", "--measurement-time", "1", "--sample-size", "20"] if quick else []
    subprocess.run(one_core() + ["cargo", "bench", "-p", "hard-imagenet-benches", "--bench", name, "--"] + options,
                   cwd=ROOT, check=True, stdout=sys.stderr)
    found = defaultdict(dict)
    for file in sorted(home.rglob("new/benchmark.json")):
        what = json.loads(file.read_text())
        median = json.loads((file.parent / "estimates.json").read_text())["median"]["point_estimate"]
        found[what["group_id"], what["value_str"]][what["function_id"]] = median / 1000
    return found


def python(name):
    """The same from the lines `kernel TAB size TAB library TAB microseconds` of the script."""
    script = ROOT / "benches" / "python" / f"{name}.py"
    threads = {key: "1" for key in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]}
    lines = subprocess.run(one_core() + [sys.executable, str(script)], env=os.environ | threads,
                           check=True, capture_output=True, text=True).stdout
    found = defaultdict(dict)
    for line in lines.splitlines():
        kernel, size, library, microseconds = line.split("\t")
        found[kernel, size][library] = float(microseconds)
    return found


def shown(microseconds):
    return f"{microseconds:.3g}" if microseconds < 1000 else f"{microseconds:.0f}"


def table(name, ours, theirs):
    print(f"\n## {name}\n\n| kernel | size | ours, µs | others, µs | ratio |\n|---|---|--:|---|--:|")
    for (kernel, size), times in ours.items():
        base = times.get("ours")
        if base is None:
            continue
        others = {who: time for who, time in times.items() if who != "ours"} | theirs.get((kernel, size), {})
        for who, time in others.items():
            print(f"| {kernel} | {size} | {shown(base)} | {who} {shown(time)} | {time / base:.1f} |")
    for key in theirs:
        if "ours" not in ours.get(key, {}):
            print(f"{key} is timed in Python only", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", default=NAMES, choices=NAMES + [[]])
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    options = parser.parse_args()
    for name in options.names or NAMES:
        table(name, rust(name, options.quick), python(name))


main()
