"""Makes the golden values of explainers that need no node, and of faithfulness.

    python crates/saliency/tests/golden/make_gradients.py    # torch 2.15, timm 1.0.31, captum 0.9, grad-cam 1.5.7

Gradients are captum's, ROAD is pytorch-grad-cam's. SmoothGrad, attention rollout (Abnar and Zuidema 2020), gradient-weighted
attention (Chefer, Gur and Wolf 2021), RISE, insertion and deletion (Petsiuk, Das and Saenko 2018) are written here in torch. Their
random numbers come from the generator of crates/perturbations/tests/golden/make.py. Networks, weights and inputs are those of
make_cams.py, for classes 3 and 7, with the keys 0 and 1.

The script stores raw maps as NETWORK.WORD, (2, H, W) or (2, h, w), and the changing probabilities as NETWORK.IMAGE.WORD. ROAD's
noise is set to 0, because it would come from torch's generator; everything else is the package's.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from captum.attr import InputXGradient, IntegratedGradients, Saliency
from pytorch_grad_cam.metrics.road import NoisyLinearImputer, ROADLeastRelevantFirst, ROADMostRelevantFirst
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from safetensors.numpy import save_file
from scipy.ndimage import gaussian_filter
from timm.models.deit import VisionTransformerDistilled
from timm.models.vision_transformer import VisionTransformer

sys.path.append(str(Path(__file__).resolve().parent))
sys.path.append(str(Path(__file__).resolve().parents[3] / "models/tests/golden"))
from make import fill, fnv1a64, generated, resized  # noqa: E402
from make_cams import networks  # noqa: E402

SPEC = importlib.util.spec_from_file_location(
    "perturbations", Path(__file__).resolve().parents[3] / "perturbations/tests/golden/make.py"
)
random = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(random)

CLASSES, KEYS = [3, 7], [0, 1]
COPIES, MASKS = 5, 12
SMALL = {"img_size": 32, "patch_size": 8, "embed_dim": 32, "depth": 2, "num_heads": 2, "num_classes": 10}


def gradients(model, x):
    """Returns raw maps: the largest magnitude over channels, or the sum of shares."""
    classes = torch.tensor(CLASSES)
    yield "gradient", Saliency(model).attribute(x, classes).amax(1)
    yield "gradient-x-input", InputXGradient(model).attribute(x, classes).sum(1)
    yield "integrated-gradients", IntegratedGradients(model).attribute(x, torch.zeros_like(x), classes).sum(1)
    mean = torch.zeros_like(x)
    sigma = 0.15 * (x.amax((1, 2, 3), keepdim=True) - x.amin((1, 2, 3), keepdim=True))
    for copy in range(COPIES):
        noise = np.stack([random.normals(fork(fork(key, "explain"), str(copy)), x[0].numel()) for key in KEYS])
        noisy = x + sigma * torch.from_numpy(noise).view_as(x)
        mean += Saliency(model).attribute(noisy, classes, abs=False) / COPIES
    yield "smoothgrad", mean.abs().amax(1)


def fork(key, purpose):
    return random.mix(key ^ fnv1a64(purpose))


def below(key, index, bound):
    return random.mix((key + index * 0x9E3779B97F4A7C15) % 2**64) * bound >> 64


def rise(model, x):
    """Returns a grid of 7 × 7, stretched over 8 cells, whose cells are visible with probability one half."""
    side = x.shape[-1]
    cell, maps = -(-side // 7), []
    for image, target, key in zip(x, CLASSES, KEYS):
        total = torch.zeros(side, side)
        for mask in range(MASKS):
            one = fork(fork(key, "explain"), str(mask))
            coarse = np.array([below(one, i, 2**53) < 2**52 for i in range(49)], np.float32).reshape(7, 7)
            fine = resized(coarse, 8 * cell, 8 * cell)
            down, right = below(one, 49, cell), below(one, 50, cell)
            fine = torch.from_numpy(np.ascontiguousarray(fine[down : down + side, right : right + side], np.float32))
            total += probability(model, (image * fine)[None], target) * fine
        maps.append(total / (MASKS * 0.5))
    yield "rise", torch.stack(maps)


def attention(model, x, prefix):
    """Returns the attention of each block with its gradient, computed from timm's layers."""
    kept = []
    for block in model.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _, __, a: (a.retain_grad(), kept.append(a))[1])
    logits = model(x)
    logits[range(2), CLASSES].sum().backward()
    eye = torch.eye(kept[0].shape[-1])
    rollout, relevance = eye, eye
    for a in kept:
        rollout = (a.mean(1) / 2 + eye / 2) @ rollout
        relevance = relevance + (a.grad * a).clamp(min=0).mean(1) @ relevance
    rows = slice(0, prefix)  # the tokens that the head reads
    for word, product in [("rollout", rollout), ("attention", relevance)]:
        yield word, product[:, rows, prefix:].mean(1).unflatten(1, (4, 4))


def probability(model, x, target):
    with torch.no_grad():
        return F.softmax(model(x), 1)[:, target]


def blurred(x):
    """Blurs with the published code's kernel: a point, smoothed over 11 × 11 pixels."""
    point = np.zeros((11, 11))
    point[5, 5] = 1
    kernel = torch.from_numpy(gaussian_filter(point, 5)).float().expand(3, 1, 11, 11)
    return F.conv2d(x, kernel, padding=5, groups=3)


def game(model, start, finish, target, order, steps):
    """Replaces pixels of `start` by those of `finish`, in order."""
    scores, picture = [probability(model, start, target).item()], start.clone().flatten(2)
    for step in range(steps):
        span = order[step * len(order) // steps : (step + 1) * len(order) // steps]
        picture[:, :, span] = finish.flatten(2)[:, :, span]
        scores.append(probability(model, picture.view_as(start), target).item())
    return np.float32(scores)


def faithfulness(model, x, maps):
    NoisyLinearImputer.__init__.__defaults__ = (0.0, *NoisyLinearImputer.__init__.__defaults__[1:])
    for image, target in enumerate(CLASSES):
        one, saliency = x[image : image + 1], maps[image]
        order = torch.argsort(saliency.flatten(), descending=True, stable=True)
        yield f"{image}.deletion", game(model, one, torch.zeros_like(one), target, order, 20)
        yield f"{image}.insertion", game(model, blurred(one), one, target, order, 20)
        targets = [ClassifierOutputSoftmaxTarget(target)]
        for word, metric in [("most", ROADMostRelevantFirst), ("least", ROADLeastRelevantFirst)]:
            measures = [metric(percentile) for percentile in range(10, 100, 10)]
            scores = [measure(one, saliency[None].numpy(), targets, model)[0] for measure in measures]
            yield f"{image}.road_{word}", np.float32(scores)


def main():
    torch.set_num_threads(1)
    x = generated("input", [2, 3, 32, 32])
    maps = generated("map", [2, 32, 32]) + 0.5
    golden = {}
    for name, model, _, _ in networks():
        golden.update({f"{name}.{word}": raw.detach().numpy() for word, raw in [*gradients(model, x), *rise(model, x)]})
        if name != "swin":
            golden.update({f"{name}.{word}": value for word, value in faithfulness(model, x, maps)})
    # As in timm: a distilled network reads both tokens.
    models = {"vit": (VisionTransformer(**SMALL), 1), "distilled": (VisionTransformerDistilled(**SMALL), 2)}
    for name, (model, prefix) in models.items():
        raws = attention(fill(model), x, prefix)
        golden.update({f"{name}.{word}": raw.detach().numpy() for word, raw in raws})
    golden = {key: np.ascontiguousarray(value, dtype=np.float32) for key, value in golden.items()}
    golden["imputed"] = NoisyLinearImputer(noise=0.0)(x[0], (maps[0] < 0.3).float()).numpy()
    save_file(golden, Path(__file__).parent / "gradients.safetensors")


if __name__ == "__main__":
    main()
