# Requires what the scripts in python/ require: numpy, scipy, Pillow, pycocotools, scikit-learn, opencv, grad-cam,
# torch, torchvision.
"""Times our kernels and what Python users would call instead, in one run, and prints tables as Markdown.

    python benches/compare.py [masks images perturbations metrics] [--quick] [--rounds N] [--published FOLDER]

For each name it runs `cargo bench -p hard-imagenet-benches --bench NAME`, then the scripts of `benches/python` with the same
kernels on the same inputs, which formulas make. Everything runs on one core if `taskset` is available. If a group of
benchmarks has a function "ours", its other functions are Rust crates to compare with. Otherwise each function is a separate
kernel, "group/function". Lines of the scripts are matched by kernel and size.

Numbers are medians in microseconds. With `--rounds` both sides take turns and each number is the minimum of several rounds,
for machines that others disturb. A ratio says how many times longer the other side takes. `--published` names a folder of
clones of the published code (see python/published.py): its own functions then are among the others, unchanged, and a table of
them alone follows. PUBLISHED in the environment does the same.

The tables of one size come last, between the markers that `cargo xtask tables kernels` looks for.
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
# Benchmarks, and the scripts that time the same kernels.
SCRIPTS = {"masks": "masks", "metrics": "masks", "images": "images", "perturbations": "perturbations"}
# Keep freed memory, as our program does. Otherwise glibc returns it to the system and both sides wait for new pages.
KEEP_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=67108864"}
# Sizes of the tables in docs/BENCHMARKS.md.
DOCUMENTED = {"224", "224x224", "375x500"}
QUICK = ["--warm-up-time", "0.2", "--measurement-time", "0.4", "--sample-size", "15", "--nresamples", "1000"]


def target():
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    meta = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return Path(json.loads(meta.stdout)["target_directory"])


def one_core():
    return ["taskset", "-c", "0"] if shutil.which("taskset") else []


def rust(name, quick):
    """Returns {(kernel, size): {who: microseconds}} from criterion's files."""
    home = target() / "criterion"
    shutil.rmtree(home, ignore_errors=True)
    bench = ["cargo", "bench", "-p", "hard-imagenet-benches", "--bench", name]
    subprocess.run(bench + ["--no-run"], cwd=ROOT, check=True)
    measure = one_core() + bench + ["--"] + (QUICK if quick else [])
    subprocess.run(measure, cwd=ROOT, env=os.environ | KEEP_MEMORY, check=True, stdout=sys.stderr)
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
    """Returns the same from a script, which prints lines `kernel TAB size TAB library TAB microseconds`."""
    script = ROOT / "benches" / "python" / f"{name}.py"
    threads = {key: "1" for key in ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"]}
    command = one_core() + [sys.executable, str(script)]
    clones = {"PUBLISHED": str(published.resolve())} if published else {}
    run = subprocess.run(command, env=os.environ | KEEP_MEMORY | threads | clones, check=True, stdout=subprocess.PIPE, text=True)
    found = defaultdict(dict)
    for line in run.stdout.splitlines():
        kernel, size, library, microseconds = line.split("\t")
        found[kernel, size][library] = float(microseconds)
    return found


def minimum(rounds):
    """Returns the minimum of each time over several rounds."""
    found = defaultdict(dict)
    for times in rounds:
        for key, by in times.items():
            found[key] = {who: min(time, found[key].get(who, time)) for who, time in by.items()}
    return found


def format_time(microseconds):
    return f"{microseconds:.3g}" if microseconds < 1000 else f"{microseconds:.0f}"


def by_size(key):
    kernel, size = key
    return kernel, int((size or "0").split("x")[0])


def table(ours, theirs, documented):
    """Prints a table of all sizes, or of the documented ones without their column."""
    print(f"| kernel |{'' if documented else ' size |'} ours, µs | others, µs | times longer |")
    print(f"|---|{'' if documented else '--:|'}--:|---|---|")
    for key in sorted(ours, key=by_size):
        kernel, size = key
        if documented and size not in DOCUMENTED:
            continue
        base = ours[key].get("ours")
        others = {who: time for who, time in ours[key].items() if who != "ours"} | theirs.get(key, {})
        if base is None or not others:
            continue
        times = ", ".join(f"{who} {format_time(time)}" for who, time in others.items())
        ratios = ", ".join(f"{time / base:.1f}" for time in others.values())
        sizes = "" if documented else f" {size} |"
        print(f"| {kernel} |{sizes} {format_time(base)} | {times} | {ratios} |", flush=True)


def published_table(kernels, documented):
    print(f"| kernel |{'' if documented else ' size |'} ours, µs | published, µs | times longer |")
    print(f"|---|{'' if documented else '--:|'}--:|--:|--:|")
    for (kernel, size), base, time in kernels:
        if not documented or size in DOCUMENTED:
            sizes = "" if documented else f" {size} |"
            print(f"| {kernel} |{sizes} {format_time(base)} | {format_time(time)} | {time / base:.1f} |")


def marked(name, print_table):
    print(f"\n<!-- begin: {name} -->")
    print_table()
    print(f"<!-- end: {name} -->")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help=f"of {', '.join(SCRIPTS)}; all by default")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter measurements")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="rounds in which both sides take turns")
    parser.add_argument("--published", type=Path, metavar="FOLDER", help="folder with clones of HardImageNet and RIVAL10")
    options = parser.parse_args()
    if not options.published and "PUBLISHED" in os.environ:
        options.published = Path(os.environ["PUBLISHED"])
    names = options.names or list(SCRIPTS)
    scripts = {SCRIPTS[name] for name in names}
    ours, theirs = ({key: [] for key in keys} for keys in (names, scripts))
    for _ in range(options.rounds):
        for name in names:
            ours[name].append(rust(name, options.quick))
        for script in scripts:
            theirs[script].append(python(script, options.published))
    ours, theirs = ({key: minimum(rounds) for key, rounds in of.items()} for of in (ours, theirs))
    for name in names:
        print(f"\n## {name}\n")
        table(ours[name], theirs[SCRIPTS[name]], False)
    lines = []
    if options.published:
        both = [(key, ours[name][key].get("ours"), theirs[SCRIPTS[name]].get(key, {}).get("published"))
                for name in names for key in sorted(ours[name], key=by_size)]
        lines = [line for line in both if line[1] and line[2]]
        print("\n## the published code\n")
        published_table(lines, False)
    for name in names:
        marked(name, lambda: table(ours[name], theirs[SCRIPTS[name]], True))
    if lines:
        marked("published", lambda: published_table(lines, True))


main()
