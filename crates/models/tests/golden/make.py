"""Makes the golden values of small networks, for this crate's tests and those of the saliency crate.

    python crates/models/tests/golden/make.py        # torch 2.15, torchvision 0.29, timm 1.0.31

The networks are small ones of torchvision and timm. Their weights and inputs are numbers made from the tensors' names
(hard_imagenet_models::generated), so that only results need storing: logits, features (the input of the last linear layer) and
GradCAM. GradCAM is written here in a few lines (Selvaraju et al. 2017, scaled like pytorch-grad-cam's), with torch's
gradients.
"""

import math
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save_file
from timm.models.vision_transformer import VisionTransformer
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

CRATES = Path(__file__).resolve().parents[3]
MASK = (1 << 64) - 1


def fnv1a64(name):
    h = 0xCBF29CE484222325
    for byte in name.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return h


def value_range(name, shape):
    if name.endswith("running_mean"):
        return -0.1, 0.1
    if name.endswith("running_var"):
        return 0.5, 1.5
    if name.endswith("bias"):
        return -0.05, 0.05
    if name.endswith("weight") and len(shape) == 1:
        return 0.5, 1.5
    if name.endswith("weight"):
        bound = math.sqrt(3.0 / math.prod(shape[1:]))
        return -bound, bound
    return -0.5, 0.5


def generated(name, shape):
    with np.errstate(over="ignore"):
        z = np.arange(math.prod(shape), dtype=np.uint64) + np.uint64(fnv1a64(name)) + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    low, high = value_range(name, shape)
    unit = (z >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return torch.from_numpy((low + (high - low) * unit).astype(np.float32).reshape(shape))


def fill(model):
    state = {n: generated(n, list(t.shape)) for n, t in model.state_dict().items() if not n.endswith("num_batches_tracked")}
    model.load_state_dict(state, strict=False)
    return model.eval()


def min_max(a):
    a = a - a.min()
    return a / (np.float32(1e-7) + a.max())


def resized(a, height, width):
    """Does what cv2.resize does (bilinear, half-pixel centers, borders replicated), in NumPy so that OpenCV is not needed."""

    def axis(a, n):
        m = a.shape[0]
        place = (np.arange(n) + 0.5) * (m / n) - 0.5
        low = np.floor(place).astype(int)
        share = (place - low).astype(np.float32)[:, None]
        return a[np.clip(low, 0, m - 1)] * (1 - share) + a[np.clip(low + 1, 0, m - 1)] * share

    return axis(axis(a, height).T, width).T


def case(model, layer, last, x, targets, tokens=None):
    """Returns logits, features and GradCAM at a module. `tokens` is the number of rows and columns of patches after one class token."""
    kept = {}

    def keep(_, __, output):
        output.retain_grad()
        kept["a"] = output

    hooks = [
        layer.register_forward_hook(keep),
        last.register_forward_pre_hook(lambda _, inputs: kept.update(features=inputs[0])),
    ]
    logits = model(x)
    logits[range(len(targets)), targets].sum().backward()
    for hook in hooks:
        hook.remove()
    a, g = kept["a"].detach(), kept["a"].grad
    if tokens:
        a, g = (t[:, 1:].transpose(1, 2).reshape(len(t), -1, *tokens) for t in (a, g))
    raw = (g.mean((2, 3), keepdim=True) * a).sum(1).numpy()
    height, width = x.shape[2:]
    maps = [min_max(np.maximum(resized(min_max(np.maximum(r, 0)), height, width), 0)) for r in raw]
    results = {"logits": logits, "features": kept["features"]}
    results = {name: np.ascontiguousarray(t.detach().numpy()) for name, t in results.items()}
    return results, {"raw": np.ascontiguousarray(raw), "map": np.ascontiguousarray(np.stack(maps))}


def main():
    basic = fill(ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10))
    bottleneck = fill(ResNet(Bottleneck, [1, 1, 2, 1], num_classes=10))
    vit = fill(VisionTransformer(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=10))
    square, odd = generated("input", [2, 3, 64, 64]), generated("input", [2, 3, 45, 38])
    small = generated("input", [2, 3, 32, 32])
    cases = {
        "basic": case(basic, basic.layer4[-1], basic.fc, square, [3, 7]),
        # Sizes that no stride divides, and a layer in the middle so that convolutions are differentiated.
        "odd": case(basic, basic.layer2[-1], basic.fc, odd, [3, 7]),
        "bottleneck": case(bottleneck, bottleneck.layer4[-1], bottleneck.fc, square, [0, 9]),
        "vit": case(vit, vit.blocks[-1].norm1, vit.head, small, [3, 7], (4, 4)),
        "vit_early": case(vit, vit.blocks[0].norm2, vit.head, small, [3, 7], (4, 4)),
    }
    models, maps = {}, {}
    for name, (results, explanation) in cases.items():
        models.update({f"{name}.{key}": value for key, value in results.items()})
        maps.update({f"{name}.{key}": value for key, value in explanation.items()})
    folder = CRATES / "saliency/tests/golden"
    folder.mkdir(parents=True, exist_ok=True)
    save_file(models, CRATES / "models/tests/golden/models.safetensors")
    save_file(maps, folder / "gradcam.safetensors")


if __name__ == "__main__":
    main()
