"""What Python uses on the CPU beside the criterion bench `models`, run just before on the same machine.

    cargo bench -p hard-imagenet-benches --bench models --features networks -- ours
    python benches/compare_cpu.py target/criterion      # torch, timm, onnx, onnxscript, onnxruntime, openvino

Prints for each network and batch: images a second of ours (criterion's median), of torch eager, torch channels last,
ONNX Runtime and OpenVINO, and the ratio to the best of them. All run the network of the same name with random weights in
f32, 224 x 224, on as many threads as there are processors.
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


def ours(name, size):
    path = arguments.criterion / f"forward {name}" / "ours" / str(size) / "new" / "estimates.json"
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
print("| | images | ours | torch | torch, channels last | ONNX Runtime | OpenVINO | ratio to the best |")
print("|---|--:|--:|--:|--:|--:|--:|--:|")
with tempfile.TemporaryDirectory() as folder:
    for name in ("resnet50.tv_in1k", "deit_small_patch16_224.fb_in1k"):
        model = timm.create_model(name, pretrained=False).eval()
        for size in (1, 8):
            mine = ours(name, size)
            times = others(model, size, folder)
            rates = " | ".join(f"{size / t:.2f}" for t in times.values())
            print(f"| {name} | {size} | {size / mine:.2f} | {rates} | {min(times.values()) / mine:.2f} |", flush=True)
