"""Makes the golden values of insertion, deletion and ROAD.

    python crates/saliency/tests/golden/make_faithfulness.py        # torch 2.15, scipy 1.17, grad-cam 1.5.7

The network is make_cams.py's small ResNet, of classes 3 and 7; the maps are a permutation of 1/1024 .. 1, so that no two
pixels are equal and 1 - map is exact. Stored: maps (2, 32, 32); imputed.CASE (3, 32, 32) with imputed.CASE.removed, by
pytorch-grad-cam's imputer without its noise (SciPy's direct solver); road (2), by its ROADCombined, likewise;
deletion and insertion (2, 29), restated from the paper's code (github.com/eclique/RISE, evaluation.py) in a few lines,
and their areas.
"""

from pathlib import Path

import numpy as np
import torch
from make_cams import networks
from make import generated
from pytorch_grad_cam.metrics.road import NoisyLinearImputer, ROADCombined, neighbors_weights
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from safetensors.numpy import save_file
from scipy.ndimage import gaussian_filter

SIDE, STEPS, CLASSES = 32, 28, [3, 7]


def blurred(x):
    impulse = np.zeros((11, 11))
    impulse[5, 5] = 1
    kernel = np.zeros((3, 3, 11, 11))
    kernel[range(3), range(3)] = gaussian_filter(impulse, 5)
    return torch.nn.functional.conv2d(x, torch.from_numpy(kernel.astype(np.float32)), padding=5)


def curve(model, start, finish, saliency, target):
    order = np.argsort(-saliency.reshape(-1), kind="stable")
    picture, scores = start.clone().reshape(3, -1), []
    for step in range(STEPS + 1):
        changed = order[: step * SIDE * SIDE // STEPS]
        picture[:, changed] = finish.reshape(3, -1)[:, changed]
        with torch.no_grad():
            scores.append(torch.softmax(model(picture.reshape(1, 3, SIDE, SIDE)), 1)[0, target].item())
    return np.float32(scores)


def area(scores):
    return (scores.sum() - scores[0] / 2 - scores[-1] / 2) / (len(scores) - 1)


def main():
    torch.set_num_threads(1)
    NoisyLinearImputer.__init__.__defaults__ = (0.0, neighbors_weights)
    model = next(model for name, model, *_ in networks() if name == "resnet")
    x = generated("input", [2, 3, SIDE, SIDE])
    places = generated("saliency", [2, SIDE * SIDE]).numpy().argsort(1).argsort(1)
    maps = np.float32((places + 1) / SIDE**2).reshape(2, SIDE, SIDE)

    rows, columns = np.mgrid[:SIDE, :SIDE]
    removed = {
        "scattered": maps[0] > 0.1,
        "disc": (rows - 12) ** 2 + (columns - 20) ** 2 < 100,
        "corner": (rows < 25) & (columns < 31),
    }
    golden = {"maps": maps}
    for name, gone in removed.items():
        kept = torch.from_numpy(np.float32(~gone))
        golden[f"imputed.{name}"] = NoisyLinearImputer()(x[0], kept).numpy()
        golden[f"imputed.{name}.removed"] = gone.astype(np.uint8)
    targets = [ClassifierOutputSoftmaxTarget(target) for target in CLASSES]
    golden["road"] = np.float32(ROADCombined()(x, maps, targets, model))
    for name, start, finish in [("deletion", x, torch.zeros_like(x)), ("insertion", blurred(x), x)]:
        curves = [curve(model, *of_image) for of_image in zip(start, finish, maps, CLASSES)]
        golden[name] = np.stack(curves)
        golden[f"{name}.area"] = np.float32([area(scores) for scores in curves])
    print({name: golden[name] for name in ("road", "deletion.area", "insertion.area")})
    save_file(golden, Path(__file__).parent / "faithfulness.safetensors")


if __name__ == "__main__":
    main()
