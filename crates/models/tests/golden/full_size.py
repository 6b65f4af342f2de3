"""Writes the outputs of timm's full-size models for two images, for tests/full_size.rs.

    python crates/models/tests/golden/full_size.py resnet18 swin_tiny_patch4_window7_224 full.safetensors
    HARD_IMAGENET_FULL_SIZE=$PWD/full.safetensors cargo test --release -p hard-imagenet-models --test full_size -- --ignored

Weights and images are numbers made from names, as in make.py. For each model the file holds "<model>.logits" (2, 1000) and
"<model>.features" (2, D), the input of the last linear layer, or of both concatenated. With --gradients it also holds
"<model>.gradient" (2, 3, H, W), the gradient of the logits of classes 3 and 7 with respect to the input, computed in f64, and
"<model>.gradient_f32", the same in f32, because in a deep network with ReLUs torch itself is far from exact.
"""

import sys

import numpy as np
import timm
import torch
from make import fill, generated
from safetensors.numpy import save_file


def input_gradient(model, x):
    x = x.clone().requires_grad_()
    model(x)[range(2), [3, 7]].sum().backward()
    return x.grad


def results(name, gradients):
    model = fill(timm.create_model(name, pretrained=False, num_classes=1000))
    kept = []
    last = model.get_classifier()
    for layer in last if isinstance(last, tuple) else [last]:
        layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0].flatten(1)))
    x = generated("input", [2, *model.default_cfg["input_size"]])
    with torch.no_grad():
        logits = model(x)
    tensors = {f"{name}.logits": logits, f"{name}.features": torch.cat(kept, 1)}
    if gradients:
        tensors[f"{name}.gradient_f32"] = input_gradient(model, x)
        tensors[f"{name}.gradient"] = input_gradient(model.double(), x.double()).float()
    return {key: np.ascontiguousarray(value.numpy()) for key, value in tensors.items()}


def main():
    torch.set_num_threads(1)
    gradients = "--gradients" in sys.argv
    *names, out = (word for word in sys.argv[1:] if word != "--gradients")
    golden = {}
    for name in names:
        golden.update(results(name, gradients))
        print(name)
    save_file(golden, out)


if __name__ == "__main__":
    main()
