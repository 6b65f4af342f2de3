"""Writes what timm's full-size models make of two pictures, for tests/full_size.rs.

    python crates/models/tests/golden/full_size.py resnet18 swin_tiny_patch4_window7_224 full.safetensors
    HARD_IMAGENET_FULL_SIZE=$PWD/full.safetensors cargo test --release -p hard-imagenet-models --test full_size -- --ignored

Weights and pictures are numbers made from names, as in make.py. For each model the file holds "<model>.logits" (2, 1000)
and "<model>.features" (2, D), the input of the last linear layer, side by side where there are two, and "<model>.slope"
(2, 3, H, W), the gradients of the logits of classes 3 and 7 by their pictures. "<model>.slope_error" is torch's own
error in f32, the largest difference from float64 as a share of the largest value.
"""

import sys

import numpy as np
import timm
import torch
from make import fill, generated
from safetensors.numpy import save_file


def results(name):
    model = fill(timm.create_model(name, pretrained=False, num_classes=1000))
    kept = []
    last = model.get_classifier()
    for layer in last if isinstance(last, tuple) else [last]:
        layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].flatten(1)))
    x = generated("input", [2, *model.default_cfg["input_size"]])
    with torch.no_grad():
        logits = model(x)
    tensors = {f"{name}.logits": logits, f"{name}.features": torch.cat(kept, 1), f"{name}.slope": slope(model, x)}
    exact = slope(model.double(), x.double())
    tensors[f"{name}.slope_error"] = (tensors[f"{name}.slope"] - exact).abs().max() / exact.abs().max()
    return {key: np.ascontiguousarray(value.numpy(), dtype=np.float32) for key, value in tensors.items()}


def slope(model, x):
    x = x.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model(x)[[0, 1], [3, 7]].sum(), x)
    return gradient


def main():
    torch.set_num_threads(1)
    *names, out = sys.argv[1:]
    golden = {}
    for name in names:
        golden.update(results(name))
        print(name)
    save_file(golden, out)


if __name__ == "__main__":
    main()
