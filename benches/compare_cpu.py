# Requires numpy, torch, timm, safetensors, onnx, onnxruntime and openvino; torch.compile needs g++.
"""Times forward passes on the CPU in alternation with the runtimes that Python users would choose instead.

    python benches/compare_cpu.py [NETWORK ..] [--batches 1 16] [--dtypes f32 bf16] [--isa avx2]

For each network, dtype and batch size, the script starts one process per runtime: `pace.rs`, which it builds and which times
`Model::forward`, and `python/runtimes.py` for torch (eager), torch.compile (frozen weights), ONNX Runtime and OpenVINO. torch
runs channels last. Every process has as many threads as there are processors, and runs the same network with the same
generated weights on the same batch. The script stops with an error if logits differ from ours by more than 1e-3 of their
standard deviation in f32, or 0.1 in bf16.

Then the processes take turns of 0.7 s, six rounds by default. Only one runs at a time; the others are stopped. Shared machines
change their pace within seconds, so separate runs cannot be compared. The tables show:

- images per second as "best / median": the fastest pass of all turns, and the median of the turns' medians;
- ratios, which divide ours by the fastest of the others, once for the bests and once for the medians;
- `sgemm`: the speed of NumPy's product of two 1024 x 1024 matrices, which takes turns with the rest, to measure the machine;
- "other load": the share of the processors that other programs used during the turns. Discard rows with more than a few
  percent. Most of the runtimes spin while their threads wait for one another, so other load slows them down far more than ours;
- the peak resident memory of the process, including loading and compiling. For torch it also includes the libraries of a CUDA
  build. All processes keep the memory that they free, as the program does;
- the seconds from the start of loading to the first logits: loading, compiling and one pass.

ONNX Runtime has no bf16 on the CPU. `--isa avx2` limits every runtime to AVX2. ONNX Runtime cannot be limited and is left out,
as is OpenVINO for networks in which it uses products that cannot be limited. `--pace FILE` measures another build of `pace.rs`.
`cargo xtask tables networks` copies the tables into docs/BENCHMARKS.md.
"""
import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
RUNTIMES = ROOT / "benches" / "python" / "runtimes.py"
PEERS = ["torch", "torch.compile", "ONNX Runtime", "OpenVINO"]
NETWORKS = {
    "resnet50.tv_in1k": "ResNet-50",
    "deit_small_patch16_224.fb_in1k": "DeiT-S",
    "resnet18.tv_in1k": "ResNet-18",
    "vit_base_patch16_224.augreg2_in21k_ft_in1k": "ViT-B/16",
    "convnext_tiny.fb_in1k": "ConvNeXt-T",
    "efficientnet_b0.ra_in1k": "EfficientNet-B0",
    "mobilenetv3_large_100.ra_in1k": "MobileNetV3-L",
    "densenet121.tv_in1k": "DenseNet-121",
    "swin_tiny_patch4_window7_224.ms_in1k": "Swin-T",
}
DEFAULT = list(NETWORKS)[:2]
# How far logits may differ from ours, as a fraction of their standard deviation.
TOLERANCES = {"f32": 1e-3, "bf16": 0.1}
THREADS = str(len(os.sched_getaffinity(0)))
SETTINGS = {
    **dict.fromkeys(["RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "INFERENCE_THREADS"], THREADS),
    # Keep freed memory. Otherwise glibc returns it to the system, which clears new pages for every tensor.
    "GLIBC_TUNABLES": "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=17179869184:glibc.malloc.top_pad=67108864",
}
# Limits of our kernels, oneDNN, torch's own kernels, MKL and NumPy's OpenBLAS.
AVX2 = {
    "HARD_IMAGENET_ISA": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}


class Process:
    """One network in one runtime. Between its turns the process is stopped, because some runtimes spin while they wait."""

    def __init__(self, runtime, command, environment):
        self.runtime, self.times, self.loads = runtime, [], []
        self.process = subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.read()
        self.declined = line if line.startswith("declined") else None
        if not self.declined:
            self.seconds = sum(map(float, line.split()))
            self.process.send_signal(signal.SIGSTOP)

    def read(self):
        line = self.process.stdout.readline().strip()
        if not line:
            raise SystemExit(f"{self.runtime} failed")
        return line

    def turn(self, seconds):
        """Lets the process run passes for some seconds. Keeps its best and median time and the other load meanwhile."""
        start, others = time.perf_counter(), busy_seconds() - busy_seconds(self.process.pid)
        self.process.send_signal(signal.SIGCONT)
        print(seconds, file=self.process.stdin, flush=True)
        best, median, _ = map(float, self.read().split())
        self.process.send_signal(signal.SIGSTOP)
        self.times.append((best, median))
        others = busy_seconds() - busy_seconds(self.process.pid) - others
        self.loads.append(others / (time.perf_counter() - start) / os.cpu_count())

    def summary(self):
        """Returns the best time and the median time of all turns."""
        return min(best for best, _ in self.times), statistics.median(median for _, median in self.times)

    def finish(self):
        """Ends the process and keeps its peak of memory in MiB."""
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.memory = float(self.read())

    def kill(self):
        self.process.kill()
        self.process.wait()


def busy_seconds(process=None):
    """Returns the processor time that a process has used; without one, that of all processes and what the host withheld."""
    if process:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[11:13]
    else:
        user, nice, system, _, _, *interrupts_and_steal = Path("/proc/stat").read_text().split()[1:9]
        fields = [user, nice, system, *interrupts_and_steal]
    return sum(map(int, fields)) / os.sysconf("SC_CLK_TCK")


def build():
    """Builds `pace.rs` and returns the program."""
    command = ["cargo", "bench", "-p", "hard-imagenet-benches", "--bench", "pace", "--features", "networks", "--no-run"]
    run = subprocess.run([*command, "--message-format=json"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    messages = map(json.loads, run.stdout.splitlines())
    return next(m["executable"] for m in messages if m.get("target", {}).get("name") == "pace" and m.get("executable"))


def write_batch(file, size):
    """Writes a batch of images made of squares in random colors. Finer noise would give all images nearly the same logits."""
    squares = np.random.default_rng(0).standard_normal((size, 3, 14, 14))
    np.kron(squares, np.ones((16, 16))).astype("<f4").tofile(file)


def start(name, size, dtype, folder, options, stack):
    """Starts every runtime, one after another, checks its logits, and returns the processes that take turns."""
    environment = os.environ | SETTINGS | (AVX2 if options.isa else {}) | {"TORCHINDUCTOR_CACHE_DIR": f"{folder}/inductor"}
    weights, network = folder / "weights.safetensors", folder / f"network-{size}.onnx"
    batch, logits = folder / "batch.f32", folder / "logits.f32"

    def command(program, file, target):
        return [*map(str, program), name, str(size), dtype, file, batch, target]

    def process(runtime, program, file, *flags):
        report(f"{name}, {dtype}, {size}: {runtime}")
        found = Process(runtime, [*command(program, file, logits), *flags], environment)
        stack.callback(found.kill)
        return found

    write_batch(batch, size)
    processes = [process("ours", [options.pace], weights, *([] if weights.exists() else ["--write"]))]
    expected = np.fromfile(logits, "<f4")
    if not network.exists():
        export = command([sys.executable, RUNTIMES, "export"], weights, network)
        subprocess.run(export, env=environment, check=True, stdout=sys.stderr)
    for runtime in [*PEERS, "sgemm"]:
        file = weights if runtime.startswith("torch") else network
        peer = process(runtime, [sys.executable, RUNTIMES, runtime], file)
        if peer.declined:
            report(peer.declined)
            continue
        if runtime != "sgemm":
            check(runtime, np.fromfile(logits, "<f4"), expected, TOLERANCES[dtype])
        processes.append(peer)
    return processes


def check(runtime, logits, expected, tolerance):
    """Stops the script if logits differ from ours."""
    difference = np.abs(logits - expected).max() / expected.std()
    report(f"logits differ by {difference:.1e} of their standard deviation")
    if not difference < tolerance:
        raise SystemExit(f"{runtime} does not compute the same network: the logits differ by {difference:.2g}")


def measure(name, size, dtype, folder, options):
    """Returns {runtime: process} after all turns."""
    with contextlib.ExitStack() as stack:
        processes = start(name, size, dtype, folder, options, stack)
        for _ in range(options.rounds):
            for process in processes:
                process.turn(options.seconds)
        for process in processes:
            process.finish()
    return {process.runtime: process for process in processes}


def speed_row(label, size, found):
    """Returns a line of the table of images per second."""
    work = {runtime: size for runtime in found} | {"sgemm": 2 * 1024**3 / 1e9}
    rates = {runtime: [work[runtime] / seconds for seconds in process.summary()] for runtime, process in found.items()}
    cells = [" / ".join(f"{rate:.1f}" for rate in rates.get(runtime, [])) for runtime in ["ours", *PEERS]]
    for i in range(2):
        best = max((rates[peer][i] for peer in PEERS if peer in rates), default=float("nan"))
        cells.append(f"{rates['ours'][i] / best:.2f}")
    cells.append(" / ".join(f"{rate:.0f}" for rate in rates["sgemm"]))
    cells.append(f"{statistics.mean(share for process in found.values() for share in process.loads):.0%}")
    return row([*label, *cells])


def cost_row(label, found):
    """Returns a line of the table of memory and seconds."""
    cells = [f"{found[r].memory:.0f} / {found[r].seconds:.1f}" if r in found else "" for r in ["ours", *PEERS]]
    return row([*label, *cells])


def row(cells):
    return f"| {' | '.join(cells)} |"


def machine(isa):
    """Returns a sentence that names the processor, the threads and the versions."""
    lines = dict(line.split("\t", 1) for line in Path("/proc/cpuinfo").read_text().splitlines() if "\t" in line)
    info = {key.strip(): value.strip(" \t:") for key, value in lines.items()}
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in info.get("flags", "").split()]
    versions = [f"{title} {version(package)}" for title, package in
                (("torch", "torch"), ("timm", "timm"), ("ONNX Runtime", "onnxruntime"), ("OpenVINO", "openvino"))]
    limit = ", limited to AVX2" if isa else ""
    name = info.get("model name", "unknown processor")
    return f"{name} ({', '.join(flags)}), {THREADS} threads{limit}; {', '.join(versions)}."


def report(text):
    print(text, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = ", ".join(NETWORKS)
    parser.add_argument("networks", nargs="*", metavar="NETWORK", help=f"such as {names}; by default the first two")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16], metavar="N", help="batch sizes")
    parser.add_argument("--dtypes", nargs="+", choices=TOLERANCES, default=["f32"])
    parser.add_argument("--isa", choices=["avx2"], help="limit every runtime to this instruction set")
    parser.add_argument("--rounds", type=int, default=6, metavar="N")
    parser.add_argument("--seconds", type=float, default=0.7, metavar="S", help="length of a turn")
    parser.add_argument("--pace", type=Path, metavar="FILE", help="a build of pace.rs; without it, cargo builds one")
    options = parser.parse_args()
    options.pace = options.pace.resolve() if options.pace else build()
    speeds, costs = [], []
    for name in options.networks or DEFAULT:
        with tempfile.TemporaryDirectory() as folder:
            for dtype in options.dtypes:
                for size in options.batches:
                    found = measure(name, size, dtype, Path(folder), options)
                    label = [NETWORKS.get(name, name), dtype, str(size)]
                    speeds.append(speed_row(label, size, found))
                    costs.append(cost_row(label, found))
                    report(f"{speeds[-1]}\n{costs[-1]}")
    name = f"networks-{options.isa}" if options.isa else "networks"
    head = ["network", "dtype", "images", "ours", *PEERS]
    print(f"<!-- begin: {name} -->\n{machine(options.isa)}\n\nImages per second, best / median:\n")
    print(row([*head, "ratio of bests", "ratio of medians", "sgemm, GFLOP/s", "other load"]))
    print("|---|---|" + "--:|" * 10, *speeds, sep="\n")
    print(f"\nPeak memory in MiB / seconds until the first logits:\n\n{row(head)}")
    print("|---|---|" + "--:|" * 6, *costs, sep="\n")
    print(f"<!-- end: {name} -->")


if __name__ == "__main__":
    main()
