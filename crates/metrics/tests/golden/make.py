# Requires numpy>=2, scikit-learn.
"""Writes alignment.json beside this script: scores of saliency maps against masks, from their formulas in NumPy (f64, except the
running sums, which are f32), and average precision and ROC AUC from scikit-learn.

    python make.py

Maps and masks are 16 × 16, with pixel i counted row by row. ../golden.rs makes the same ones.
"""
import json
from pathlib import Path

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

i = np.arange(256)
row, column = i // 16, i % 16
MAPS = {
    "ramp": i / 256,
    "scatter": (i * 7919 % 1009) / 1024,
    "ties": (i * 31 % 5) / 4,
    "dim": (i * 13 % 64) / 128,  # its largest value is 63/128
    "blob": np.maximum(0, 64 - (row - 5) ** 2 - (column - 6) ** 2) / 64,
    "half": np.full(256, 0.5),
    "zeros": np.zeros(256),
}
MASKS = {
    "square": (4 <= row) & (row < 10) & (4 <= column) & (column < 12),
    "stripes": i * 31 % 7 < 3,
    "pixel": i == 100,
    "full": i >= 0,
    "empty": i < 0,
}
SHARES = [0.25, 0.5, 0.75]
# f32, like the thresholds of the curves.
CURVE = (np.arange(1, 20) * 0.05).astype(np.float32)


def overlap(map, mask, threshold=0.5):
    on = map >= threshold
    both, either = (on & mask).sum(), (on | mask).sum()
    return [(both + 1e-10) / (either + 1e-10), (2 * both + 1e-10) / (either + both + 1e-10)]


def thresholds(map, dtype):
    found = []
    for share in SHARES:
        limit, running = dtype(share * map.sum()), dtype(0)
        found.append(1.0)
        for value in np.sort(map).astype(dtype):
            running = dtype(running + value)
            if running > limit:
                found[-1] = float(value)
                break
    return found


def ratio(a, b):
    return float(a / b) if b > 0 else None


def rank_accuracy(map, mask):
    """Returns for each pixel whether it is among the highest, by ranks; a probability where it is tied with the last of them."""
    places = mask.sum()
    above = (map[None] > map[:, None]).sum(1)
    tied = (map[None] == map[:, None]).sum(1)
    return ratio((np.clip((places - above) / tied, 0, 1) * mask).sum(), places)


def scores(map, mask):
    curve = np.array([overlap(map, mask, threshold) for threshold in CURVE])
    inside, area = map[mask].sum(), mask.sum()
    both_regions = 0 < area < 256
    return {
        "overlap": overlap(map, mask),
        "delta_density": map[mask].mean() - map[~mask].mean() if both_regions else None,
        "overlap_divided": overlap(map / (map.max() or 1), mask),
        "inside_fraction": ratio(inside, map.sum()),
        "coverage": [ratio(((map >= t) & (map > 0) & mask).sum(), area) for t in thresholds(map, np.float64)],
        "average_precision": float(average_precision_score(mask, map)) if area else None,
        "auc": float(roc_auc_score(mask, map)) if both_regions else None,
        "rank_accuracy": rank_accuracy(map, mask),
        "pointing": float(mask[map == map.max()].mean()) if area else None,
        "curve_mean": curve.mean(0).tolist(),
        "curve_best": curve.max(0).tolist(),
    }


golden = {
    name: {
        "thresholds": thresholds(map, np.float64),
        "thresholds_f32": thresholds(map, np.float32),
        "masks": {mask_name: scores(map, mask) for mask_name, mask in MASKS.items()},
    }
    for name, map in MAPS.items()
}
(Path(__file__).parent / "alignment.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
