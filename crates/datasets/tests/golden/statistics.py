# Requires torch, torchvision (antialias switch of tensor resizes: 0.17 or later) and Pillow==12.0.0.
"""Writes statistics.json beside this script: what the published code computes from masks that formulas make.

    python statistics.py

Each case holds height, width, the ellipses (row, column, half height, half width) that form the object, the share of object
pixels before and after Pillow's resize to 256 × 256 and a center crop of 224 (values above 0), and the share that a tensor
resize of the shorter side to 256 and a center crop of 224 keep, without and with antialiasing.
"""
import json
from pathlib import Path

import numpy as np
import torch
import torchvision.transforms.functional as F
from PIL import Image

CASES = [
    (333, 500, [(150, 60, 40, 70)]),
    (500, 375, [(480, 180, 30, 90), (20, 200, 60, 30)]),
    (375, 500, [(187, 250, 9, 4)]),
    (120, 97, [(30, 90, 30, 20)]),
    (256, 341, [(128, 330, 100, 40)]),
    (224, 224, [(0, 0, 100, 100)]),
    (1200, 400, [(40, 200, 120, 150), (600, 200, 5, 150)]),
    (30, 400, [(15, 200, 14, 199)]),
    (64, 64, []),
]


def mask(height, width, ellipses):
    y, x = np.mgrid[:height, :width]
    inside = np.zeros((height, width), bool)
    for row, column, a, b in ellipses:
        # integers, so that every language agrees
        inside |= ((y - row) * b) ** 2 + ((x - column) * a) ** 2 <= (a * b) ** 2
    return inside


def retained(inside, antialias):
    whole = F.resize(torch.from_numpy(inside[None].astype(np.float32)), 256, antialias=antialias)
    share = (F.center_crop(whole, 224).sum() / whole.sum()).item()
    return None if np.isnan(share) else share


rows = []
for height, width, ellipses in CASES:
    inside = mask(height, width, ellipses)
    squashed = np.array(Image.fromarray(inside.astype(np.uint8) * 255).resize((256, 256), Image.Resampling.BILINEAR))
    crop = squashed[16:240, 16:240] > 0
    rows.append({
        "height": height, "width": width, "ellipses": ellipses,
        "raw": inside.mean(), "transformed": crop.mean(),
        "retained": retained(inside, False), "retained_antialiased": retained(inside, True),
        "centroid": [float(v.mean()) for v in np.nonzero(crop)] if crop.any() else None,
    })
text = ",\n".join(json.dumps(row) for row in rows)
(Path(__file__).parent / "statistics.json").write_text(f"[\n{text}\n]\n")
