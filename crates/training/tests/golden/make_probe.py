"""Makes the golden values of linear probes with torch's optimizers on given features, in a given order.

    python crates/training/tests/golden/make_probe.py        # torch 2.15

There are 64 samples of 16 features and 5 classes, and 50 steps of 8 samples. The script stores features, labels, the order, the
initial weights, and weight and bias after the last step of each optimizer, with label smoothing, warm-up and cosine where the name
says so.
"""

import math
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file

rng = np.random.default_rng(7)
features = rng.standard_normal((64, 16)).astype(np.float32)
labels = rng.integers(0, 5, 64).astype(np.int64)
order = np.concatenate([rng.permutation(64) for _ in range(7)])[: 50 * 8].astype(np.int64)
weight = (rng.uniform(-1, 1, (5, 16)) / 4).astype(np.float32)
bias = (rng.uniform(-1, 1, 5) / 4).astype(np.float32)
tensors = {"features": features, "labels": labels, "order": order, "weight": weight, "bias": bias}

CASES = {
    "adam": (lambda p: torch.optim.Adam(p, lr=5e-3, weight_decay=1e-2), 0.0, False),
    "adam_w": (lambda p: torch.optim.AdamW(p, lr=5e-3, weight_decay=1e-1), 0.1, False),
    "sgd": (lambda p: torch.optim.SGD(p, lr=5e-2, momentum=0.9, weight_decay=1e-3), 0.0, True),
}
WARM_UP = 10


def share(step):
    """Returns the learning rate: a linear rise over WARM_UP steps, then half a cosine."""
    if step < WARM_UP:
        return (step + 1) / WARM_UP
    return 0.5 * (1 + math.cos(math.pi * (step - WARM_UP) / (50 - WARM_UP)))


for name, (make, smoothing, scheduled) in CASES.items():
    layer = torch.nn.Linear(16, 5)
    layer.weight.data, layer.bias.data = torch.tensor(weight), torch.tensor(bias)
    optimizer = make(layer.parameters())
    base = optimizer.param_groups[0]["lr"]
    losses = []
    for step in range(50):
        if scheduled:
            optimizer.param_groups[0]["lr"] = base * share(step)
        batch = order[8 * step : 8 * step + 8]
        loss = torch.nn.functional.cross_entropy(
            layer(torch.tensor(features[batch])), torch.tensor(labels[batch]), label_smoothing=smoothing
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    tensors[f"{name}.weight"], tensors[f"{name}.bias"] = layer.weight.detach().numpy(), layer.bias.detach().numpy()
    tensors[f"{name}.losses"] = np.array(losses, np.float32)

save_file(tensors, Path(__file__).parent / "probe.safetensors")
