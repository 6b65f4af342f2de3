"""Compares the criterion bench `models`, run just before on the same machine, with what Python uses on the CPU.

    cargo bench -p hard-imagenet-benches --bench models --features networks
    python benches/compare_cpu.py target/criterion      # torch, timm, onnx, onnxscript, onnxruntime, openvino

Prints for each network and batch size the images per second of ours and of candle-transformers (criterion's medians), of
torch (eager or channels last, whichever is faster), ONNX Runtime and OpenVINO, and ratios. All run the network of the same name
with random weights in f32 at 224 x 224, on as many threads as there are processors. `cargo xtask tables networks` copies the
table into docs/BENCHMARKS.md.
"""

import argparse
import json
import os
import pathlib
import statistics
import tempfile
import time
import warnings

import numpy as np
import onnxruntime
import openvino
import timm
import torch

warnings.filterwarnings("ignore")
parser = argparse.ArgumentParser()
parser.add_argument("criterion", type=pathlib.Path)
parser.add_argument("--threads", type=int, default=os.cpu_count())
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)


def seconds(run):
    run()
    times = []
    while len(times) < 5 or (sum(times) < 5 and len(times) < 20):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def criterion(name, who, size):
    """Returns criterion's median in seconds."""
    path = arguments.criterion / f"forward {name}" / who / str(size) / "new" / "estimates.json"
    return json.loads(path.read_text())["median"]["point_estimate"] / 1e9 if path.exists() else float("nan")


def others(model, size, folder):
    x = torch.randn(size, 3, 224, 224)
    path = f"{folder}/model.onnx"
    torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17)
    with torch.no_grad():
        times = {"torch": seconds(lambda: model(x))}
        last, z = model.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        times["channels last"] = seconds(lambda: last(z))
        model.to(memory_format=torch.contiguous_format)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = arguments.threads
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x.numpy()}
    times["ONNX Runtime"] = seconds(lambda: session.run(None, feed))
    config = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": arguments.threads}
    compiled = openvino.Core().compile_model(path, "CPU", config)
    array = np.ascontiguousarray(x.numpy())
    times["OpenVINO"] = seconds(lambda: compiled(array))
    return times


print(f"torch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__}")
print("<!-- begin: networks -->")
print("| | images | ours | candle-transformers | torch, better layout | ONNX Runtime | OpenVINO | ours to candle's | ours to torch's | ours to the best |")
print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
with tempfile.TemporaryDirectory() as folder:
    for title, name in (("ResNet-50", "resnet50.tv_in1k"), ("DeiT-S", "deit_small_patch16_224.fb_in1k")):
        model = timm.create_model(name, pretrained=False).eval()
        for size in (1, 8):
            mine, candle = (criterion(name, who, size) for who in ("ours", "candle-transformers"))
            times = others(model, size, folder)
            torch_time = min(times.pop("torch"), times.pop("channels last"))
            columns = [mine, candle, torch_time, *times.values()]
            rates = " | ".join(f"{size / t:.1f}" for t in columns)
            ratios = " | ".join(f"{t / mine:.2g}" for t in (candle, torch_time, min(columns[2:])))
            print(f"| {title} | {size} | {rates} | {ratios} |", flush=True)
print("<!-- end: networks -->")
