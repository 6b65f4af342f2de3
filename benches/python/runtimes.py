# Requires numpy; torch, timm and safetensors for torch; these and onnx to export; onnxruntime or openvino for the others.
"""Times forward passes of one network in a runtime that Python users would choose, by the protocol of `benches/pace.rs`.

    python benches/python/runtimes.py RUNTIME NAME BATCH DTYPE FILE INPUT LOGITS

RUNTIME is a key of RUNTIMES below. FILE holds the weights (safetensors) for torch and the network (ONNX) for the others. The
runtime "export" writes that network to LOGITS and times nothing. A runtime that cannot compute in DTYPE, or within the
instruction set that HARD_IMAGENET_ISA names, prints "declined: " and the reason. INFERENCE_THREADS is the number of threads.
"""
import os
import statistics
import sys
import time
import warnings
from pathlib import Path

import numpy as np

warnings.filterwarnings("ignore")
THREADS = int(os.environ.get("INFERENCE_THREADS", os.cpu_count()))
AVX2 = os.environ.get("HARD_IMAGENET_ISA") == "avx2"
# The side of the square matrices that `sgemm` multiplies.
SIDE = 1024


def decline(reason):
    print(f"declined: {reason}")
    raise SystemExit


def load_timm(name, file):
    """Returns timm's network with the weights of a file. Disables gradients for the whole process."""
    import timm
    import torch
    from safetensors.torch import load_file

    torch.set_grad_enabled(False)
    torch.set_num_threads(THREADS)
    model = timm.create_model(name, num_classes=1000).eval()
    model.load_state_dict(load_file(file))
    return model


def export(name, file, x, target):
    import torch

    model = load_timm(name, file)
    torch.onnx.export(model, (torch.from_numpy(x),), target, dynamo=False, opset_version=17)


def torch_eager(name, dtype, file, x):
    model, z = load_channels_last(name, dtype, file, x)
    return lambda: model(z).float().numpy()


def torch_compile(name, dtype, file, x):
    model, z = load_channels_last(name, dtype, file, x)
    import torch
    from torch._inductor import config

    # Frozen weights are constants: batch norms are folded into them, and they are packed once.
    config.freezing = True
    if AVX2:
        config.cpp.march = "x86-64-v3"
    compiled = torch.compile(model)
    return lambda: compiled(z).float().numpy()


def load_channels_last(name, dtype, file, x):
    """Returns network and input in the dtype, both channels last."""
    model = load_timm(name, file)
    import torch

    if AVX2 and torch.backends.cpu.get_cpu_capability() != "AVX2":
        decline("torch does not keep to AVX2")
    as_wanted = {"dtype": {"f32": torch.float32, "bf16": torch.bfloat16}[dtype], "memory_format": torch.channels_last}
    return model.to(**as_wanted), torch.from_numpy(x).to(**as_wanted)


def onnx_runtime(name, dtype, file, x):
    import onnxruntime

    if dtype != "f32":
        decline("ONNX Runtime has no bf16 on the CPU")
    if AVX2:
        decline("ONNX Runtime cannot be limited to AVX2")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: x}
    return lambda: session.run(None, feed)[0]


def openvino(name, dtype, file, x):
    import openvino

    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": dtype, "INFERENCE_NUM_THREADS": THREADS,
               "ENABLE_HYPER_THREADING": True}
    compiled = openvino.Core().compile_model(file, "CPU", options)
    infos = [operation.get_rt_info() for operation in compiled.get_runtime_model().get_ops()]
    # These layers take nearly all of the time.
    kernels = [info["primitiveType"].astype(str) for info in infos
               if info["layerType"].astype(str) in ("Convolution", "FullyConnected", "MatMul")]
    if dtype == "bf16" and not any("bf16" in kernel for kernel in kernels):
        decline("OpenVINO has no bf16 on this processor")
    # MLAS ignores the limit. That matters in transformers, but not for the single product at the end of a ResNet.
    if AVX2 and sum("avx512" in kernel or "mlas" in kernel for kernel in kernels) > len(kernels) / 10:
        decline("OpenVINO does not keep to AVX2 in this network")
    request = compiled.create_infer_request()
    return lambda: request.infer([x], share_inputs=True, share_outputs=True)[0]


def sgemm(name, dtype, file, x):
    """Multiplies two matrices in NumPy. This is no network but measures the machine."""
    a = np.ones((SIDE, SIDE), "f4")
    return lambda: a @ a


RUNTIMES = {"torch": torch_eager, "torch.compile": torch_compile, "ONNX Runtime": onnx_runtime, "OpenVINO": openvino,
            "sgemm": sgemm}


def time_passes(run, duration):
    """Runs passes for `duration` seconds, at least one, and returns the seconds of each."""
    start, times = time.perf_counter(), []
    while not times or time.perf_counter() - start < duration:
        before = time.perf_counter()
        run()
        times.append(time.perf_counter() - before)
    return times


def peak_memory():
    """Returns the peak resident memory of this process in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


def main():
    runtime, name, size, dtype, file, batch, logits = sys.argv[1:]
    x = np.fromfile(batch, "<f4")
    side = round((x.size / 3 / int(size)) ** 0.5)
    x = x.reshape(int(size), 3, side, side)
    if runtime == "export":
        return export(name, file, x, logits)
    start = time.perf_counter()
    run = RUNTIMES[runtime](name, dtype, file, x)
    loaded = time.perf_counter()
    first = run()
    end = time.perf_counter()
    first.astype("<f4").tofile(logits)
    print(loaded - start, end - loaded, flush=True)
    for line in sys.stdin:
        times = time_passes(run, float(line))
        print(min(times), statistics.median(times), len(times), flush=True)
    print(peak_memory())


if __name__ == "__main__":
    main()
