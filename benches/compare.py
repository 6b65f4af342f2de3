# Requires what the scripts in python/ require: numpy, scipy, Pillow, pycocotools, scikit-learn, opencv, grad-cam,
# torch, torchvision.
"""Times our kernels and what Python users would call instead, in one run, and prints tables of ratios as Markdown.

    python benches/compare.py [masks images perturbations metrics] [--quick] [--rounds N] [--published FOLDER]

For each name it runs `cargo bench -p hard-imagenet-benches --bench NAME`, then the scripts of `benches/python` with the
same kernels on the same formula-made inputs; all on one core where `taskset` is there. Where a group of benchmarks has a
function "ours", its other functions are Rust crates to compare with; otherwise each function is a kernel of its own,
"group/function". Lines of the scripts join by kernel and size.

Figures are medians in microseconds, and with `--rounds` the least of several by turns, for machines that others disturb; a
ratio says how many times longer the other takes. With `--published`, a folder of clones of the published code (see
python/published.py), that code's own functions are among the others, unchanged, and a table of them alone comes last.
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
# A benchmark and the script that times the same kernels.
SCRIPTS = {"masks": "masks", "metrics": "masks", "images": "images", "perturbations": "perturbations"}
# Freed memory is kept, as our program keeps it: otherwise glibc hands it back, and both sides wait for new pages.
KEPT = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=67108864"}
QUICK = ["--warm-up-time", "0.2", "--measurement-time", "0.4", "--sample-size", "15", "--nresamples", "1000"]


def target():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    meta = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Path(json.loads(meta.stdout)["target_directory"])


def one_core():
    return ["taskset", "-c", "0"] if shutil.which("taskset") else []


def rust(name, quick):
    """{(kernel, size): {who: microseconds}} from criterion's own files."""
    home = target() / "criterion"
    shutil.rmtree(home, ignore_errors=True)
    bench = ["cargo", "bench", "-p", "hard-imagenet-benches", "--bench", name]
    subprocess.run(bench + ["--no-run"], cwd=ROOT, check=True)
    measure = one_core() + bench + ["--"] + (QUICK if quick else [])
    subprocess.run(measure, cwd=ROOT, env=os.environ | KEPT, check=True, stdout=sys.stderr)
    measured = []
    for file in sorted(home.rglob("new/benchmark.json")):
        what = json.loads(file.read_text())
        median = json.loads((file.parent / "estimates.json").read_text())["median"]["point_estimate"]
        measured.append((what["group_id"], what["function_id"], what["value_str"], median / 1000))
    compared = {group for group, function, _, _ in measured if function == "ours"}
    found = defaultdict(dict)
    for group, function, size, time in measured:
        kernel, who = (group, function) if group in compared else (f"{group}/{function}", "ours")
        found[kernel, size][who] = time
    return found


def python(name, published):
    """The same from the lines `kernel TAB size TAB library TAB microseconds` of a script."""
    script = ROOT / "benches" / "python" / f"{name}.py"
    threads = {key: "1" for key in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]}
    command = one_core() + [sys.executable, str(script)]
    clones = {"PUBLISHED": str(published.resolve())} if published else {}
    run = subprocess.run(command, env=os.environ | KEPT | threads | clones, check=True, stdout=subprocess.PIPE, text=True)
    found = defaultdict(dict)
    for line in run.stdout.splitlines():
        kernel, size, library, microseconds = line.split("\t")
        found[kernel, size][library] = float(microseconds)
    return found


def least(rounds):
    """The least of each time in several rounds."""
    found = defaultdict(dict)
    for times in rounds:
        for key, by in times.items():
            found[key] = {who: min(time, found[key].get(who, time)) for who, time in by.items()}
    return found


def shown(microseconds):
    return f"{microseconds:.3g}" if microseconds < 1000 else f"{microseconds:.0f}"


def by_size(key):
    kernel, size = key
    return kernel, int((size or "0").split("x")[0])


def table(name, ours, theirs):
    print(f"\n## {name}\n\n| kernel | size | ours, µs | others, µs | times longer |\n|---|--:|--:|---|---|")
    for key in sorted(ours, key=by_size):
        kernel, size = key
        base = ours[key].get("ours")
        others = {who: time for who, time in ours[key].items() if who != "ours"} | theirs.get(key, {})
        if base is None or not others:
            continue
        times = ", ".join(f"{who} {shown(time)}" for who, time in others.items())
        ratios = ", ".join(f"{time / base:.1f}" for time in others.values())
        print(f"| {kernel} | {size} | {shown(base)} | {times} | {ratios} |", flush=True)


def against_published(kernels):
    print("\n## the published code\n\n| kernel | size | ours, µs | published, µs | times longer |\n|---|--:|--:|--:|--:|")
    for (kernel, size), base, time in kernels:
        print(f"| {kernel} | {size} | {shown(base)} | {shown(time)} | {time / base:.1f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SCRIPTS)}; all if left out")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="rounds of both sides, by turns")
    parser.add_argument("--published", type=Path, metavar="FOLDER", help="clones HardImageNet and RIVAL10")
    options = parser.parse_args()
    names = options.names or list(SCRIPTS)
    scripts = {SCRIPTS[name] for name in names}
    ours, theirs = ({key: [] for key in keys} for keys in (names, scripts))
    for _ in range(options.rounds):
        for name in names:
            ours[name].append(rust(name, options.quick))
        for script in scripts:
            theirs[script].append(python(script, options.published))
    ours, theirs = ({key: least(rounds) for key, rounds in of.items()} for of in (ours, theirs))
    for name in names:
        table(name, ours[name], theirs[SCRIPTS[name]])
    if options.published:
        both = [(key, ours[name][key].get("ours"), theirs[SCRIPTS[name]].get(key, {}).get("published"))
                for name in names for key in sorted(ours[name], key=by_size)]
        against_published([line for line in both if line[1] and line[2]])


main()
