"""Compares the criterion bench `devices`, run just before on the same machine, with PyTorch on the GPU.

    python benches/compare_gpu.py target/criterion

Prints for each model, precision and batch size the milliseconds of ours (criterion's median) and of torch (eager, channels
last, and with --compile the channels-last model compiled), and the ratio of torch's best to ours. torch runs timm's or
torchvision's network of the same name with random weights, in f32 both by default (TF32 in convolutions, not in products) and
without any TF32. `cargo xtask tables gpu` copies the last table into docs/BENCHMARKS.md.
"""

import argparse
import json
import pathlib
import statistics
import time

import torch
import torchvision

parser = argparse.ArgumentParser()
parser.add_argument("criterion", type=pathlib.Path)
parser.add_argument("--compile", action="store_true")
arguments = parser.parse_args()

try:
    import timm
except ImportError:
    timm = None

NAMES = {
    "resnet50.tv_in1k": lambda: torchvision.models.resnet50(),
    "deit_small_patch16_224.fb_in1k": lambda: deit(),
    "convnext_tiny.fb_in1k": lambda: torchvision.models.convnext_tiny(),
    "efficientnet_b0.ra_in1k": lambda: torchvision.models.efficientnet_b0(),
}


def deit():
    """Returns timm's DeiT-S, or torchvision's vision transformer of the same widths."""
    if timm:
        return timm.create_model("deit_small_patch16_224")
    return torchvision.models.VisionTransformer(224, 16, 12, 6, 384, 1536)


def milliseconds(run):
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    times = []
    for _ in range(20):
        start = time.perf_counter()
        run()
        torch.cuda.synchronize()
        times.append(1e3 * (time.perf_counter() - start))
    return statistics.median(times)


def ours(name, word, what, size):
    """Returns criterion's median in milliseconds."""
    path = arguments.criterion / f"{name} {word}" / what / str(size) / "new" / "estimates.json"
    return json.loads(path.read_text())["median"]["point_estimate"] / 1e6 if path.exists() else float("nan")


def gradcam(model, layer, x):
    """Computes what pytorch-grad-cam computes, without its loops over images on the CPU, which would make it slower."""
    seen = {}
    handle = layer.register_forward_hook(lambda _, __, output: seen.__setitem__("a", output))
    logits = model(x)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[:, 0].sum(), seen["a"])
    cam = (gradient.mean((2, 3), keepdim=True) * seen["a"]).sum(1, keepdim=True).relu()
    return torch.nn.functional.interpolate(cam, x.shape[2:], mode="bilinear")


TITLES = dict(zip(NAMES, ("ResNet-50", "DeiT-S", "ConvNeXt-T", "EfficientNet-B0")))
# {(title, batch size): {precision: (ours, torch)}}
found = {}


def cells(times):
    if times is None:
        return " | | |"
    mine, best = times
    return f" {mine:.3g} | {best:.3g} | {best / mine:.2f} |"


print(torch.cuda.get_device_name(), torch.__version__)
print(f"{'model':32} {'':5} {'':8} {'batch':>5} {'ours':>8} {'eager':>8} {'no tf32':>8} {'last':>8} {'compile':>8} {'ratio':>6}")
for name, build in NAMES.items():
    for word in ("f32", "bf16"):
        dtype = {"f32": torch.float32, "bf16": torch.bfloat16}[word]
        model = build().eval().cuda().to(dtype)
        for size in (1, 16, 64):
            x = torch.randn(size, 3, 224, 224, device="cuda", dtype=dtype)
            with torch.no_grad():
                torch.backends.cudnn.allow_tf32 = False
                exact = milliseconds(lambda: model(x))
                torch.backends.cudnn.allow_tf32 = True
                eager = milliseconds(lambda: model(x))
                last = build().eval().cuda().to(dtype).to(memory_format=torch.channels_last)
                z = x.to(memory_format=torch.channels_last)
                channels_last = milliseconds(lambda: last(z))
                compiled = float("nan")
                if arguments.compile:
                    # Otherwise torch compiles the second batch size for batches of any size.
                    torch._dynamo.reset()
                    fast = torch.compile(last)
                    compiled = milliseconds(lambda: fast(z))
            mine = ours(name, word, "forward", size)
            best = min(t for t in (eager, exact, channels_last, compiled) if t == t)
            found.setdefault((TITLES[name], size), {})[word] = (mine, best)
            print(f"{name:32} {word:5} {'forward':8} {size:5} {mine:8.2f} {eager:8.2f} {exact:8.2f} {channels_last:8.2f} {compiled:8.2f} {best / mine:6.2f}", flush=True)
        if word == "f32" and name.startswith("resnet50"):
            x = torch.randn(16, 3, 224, 224, device="cuda")
            eager = milliseconds(lambda: gradcam(model, model.layer4, x))
            mine = ours(name, word, "gradcam", 16)
            found.setdefault((f"{TITLES[name]}, GradCAM", 16), {})[word] = (mine, eager)
            print(f"{name:32} {word:5} {'gradcam':8} {16:5} {mine:8.2f} {eager:8.2f} {'':8} {'':8} {'':8} {eager / mine:6.2f}", flush=True)

print("<!-- begin: gpu -->")
print("| | images | ours, f32 | torch, f32 | ratio | ours, bf16 | torch, bf16 | ratio |")
print("|---|--:|--:|--:|--:|--:|--:|--:|")
for (title, size), times in found.items():
    print(f"| {title} | {size} |{cells(times.get('f32'))}{cells(times.get('bf16'))}")
print("<!-- end: gpu -->")
