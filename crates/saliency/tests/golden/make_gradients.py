"""Makes the golden values of the explainers that look at the input, by captum and torch.

    python crates/saliency/tests/golden/make_gradients.py        # torch 2.15, torchvision 0.29, timm 1.0.31, captum 0.9.0

The networks are those of make_cams.py, with the generated weights and inputs of crates/models/tests/golden/make.py.
Stored for each: NETWORK.slope (2, 3, H, W), the input gradient, and NETWORK.WORD (2, H, W), the raw map; of classes 3
and 7. Captum has no RISE, and its SmoothGrad draws its own noise: both are restated here in the papers' formulas, with
the noise and masks that follow from the keys 0 and 1, in float64 (hard_imagenet_perturbations::NoiseKey, normal).
"""

import math
from pathlib import Path

import numpy as np
import torch
from captum.attr import InputXGradient, IntegratedGradients, Saliency
from make_cams import generated, networks
from safetensors.numpy import save_file
from torch.nn.functional import interpolate

COPIES, SPREAD = 5, 0.15
MASKS, GRID, OPEN = 40, 7, 0.5
TARGETS = [3, 7]
BITS = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


def mix(x):
    """SplitMix64's next output at state x."""
    x = (x + GAMMA) & BITS
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & BITS
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & BITS
    return x ^ (x >> 31)


def fork(key, purpose):
    h = 0xCBF29CE484222325
    for byte in purpose.encode():
        h = ((h ^ byte) * 0x100000001B3) & BITS
    return mix(key ^ h)


def bits(key, index):
    return mix((key + index * GAMMA) & BITS)


def below(key, index, bound):
    return (bits(key, index) * bound) >> 64


def normals(key, shape):
    values = []
    for pair in range((math.prod(shape) + 1) // 2):
        high, low = bits(key, pair) >> 32, bits(key, pair) & 0xFFFFFFFF
        radius = math.sqrt(-2 * math.log(((high >> 1) + 0.5) / 2**31))
        angle = ((low & 0x3FFFFFFF) / 2**30 - 0.5 + (low >> 30)) * math.pi / 2
        values += [radius * math.cos(angle), radius * math.sin(angle)]
    return torch.tensor(values[: math.prod(shape)]).reshape(shape)


def smoothgrad(model, x, target, key):
    noise = torch.stack([normals(fork(key, str(copy)), x.shape) for copy in range(COPIES)])
    noisy = (x + SPREAD * (x.max() - x.min()) * noise).requires_grad_()
    (slopes,) = torch.autograd.grad(model(noisy)[:, target].sum(), noisy)
    return slopes.mean(0).abs().amax(0)


def mask(key, height, width):
    opened = [float(below(key, cell, 1 << 24) < OPEN * (1 << 24)) for cell in range(GRID**2)]
    rows, columns = -(-height // GRID), -(-width // GRID)
    size = ((GRID + 1) * rows, (GRID + 1) * columns)
    large = interpolate(torch.tensor(opened).reshape(1, 1, GRID, GRID), size, mode="bilinear", align_corners=False)
    top, left = below(key, GRID**2, rows), below(key, GRID**2 + 1, columns)
    return large[0, :, top : top + height, left : left + width]


@torch.no_grad()
def rise(model, x, target, key):
    masks = torch.stack([mask(fork(key, str(number)), *x.shape[1:]) for number in range(MASKS)])
    scores = model(x * masks).softmax(1)[:, target]
    return (scores[:, None, None] * masks[:, 0]).sum(0) / (MASKS * OPEN)


def main():
    torch.set_num_threads(1)
    x, target = generated("input", [2, 3, 32, 32]), torch.tensor(TARGETS)
    golden = {}
    for name, model, _, _ in networks():
        each = list(zip(x, TARGETS, [fork(key, "explain") for key in (0, 1)]))
        results = {
            "slope": Saliency(model).attribute(x.clone(), target, abs=False),
            "gradient": Saliency(model).attribute(x.clone(), target).amax(1),
            "gradient-x-input": InputXGradient(model).attribute(x.clone(), target).sum(1),
            "integrated-gradients": IntegratedGradients(model).attribute(x.clone(), 0, target).sum(1),
            "smoothgrad": torch.stack([smoothgrad(model, *one) for one in each]),
            "rise": torch.stack([rise(model, *one) for one in each]),
        }
        for word, value in results.items():
            golden[f"{name}.{word}"] = np.ascontiguousarray(value.detach().numpy(), dtype=np.float32)
    save_file(golden, Path(__file__).parent / "gradients.safetensors")


if __name__ == "__main__":
    main()
