# Requires pycocotools==2.0.11, numpy.
"""Writes coco.json beside this script: masks and polygons, and the results of pycocotools on them.

    python make_coco.py                        # the committed file
    python make_coco.py 10000 /tmp/coco.json   # for the ignored test of ../coco.rs

- masks: the compressed code of each, with its counts, area, box [x, y, width, height], and, with the next mask of the
  list, the codes of union and intersection, the overlap, and the overlap with the next one as a crowd.
- polygons: the corners [x, y, x, y, ..] of each and the compressed code of the pixels that it covers.
"""
import json
import sys
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

CASES, TARGET = (int(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) > 2 else (40, Path(__file__).parent / "coco.json")
random = np.random.default_rng(7)


def code(rle):
    return rle["counts"].decode()


def counts(mask):
    values = mask.T.reshape(-1)
    changes = np.flatnonzero(np.diff(values)) + 1
    runs = np.diff([0, *changes, values.size])
    return [int(run) for run in ([0, *runs] if values[0] else runs)]


def random_mask(height, width, kind):
    """Returns masks: empty, full, a single pixel, noise, stripes, discs."""
    rows, columns = np.indices((height, width))
    mask = np.zeros((height, width), bool)
    if kind == 1:
        mask[:] = True
    elif kind == 2:
        mask[random.integers(height), random.integers(width)] = True
    elif kind == 3:
        mask = random.random((height, width)) < random.random()
    elif kind == 4:
        mask = (rows * random.integers(3) + columns * random.integers(3)) // random.integers(1, 5) % 2 == 1
    elif kind == 5:
        for _ in range(3):
            row, column = random.random() * height, random.random() * width
            mask |= np.hypot(rows - row, columns - column) < random.random() * 0.4 * max(height, width)
    return np.asfortranarray(mask, np.uint8)


def masks():
    cases = []
    for place in range(CASES):
        if place % 5 == 0:  # One size for each group, so that neighbors can be compared.
            height, width = (int(v) for v in random.integers(1, 40, 2))
            group = [random_mask(height, width, int(kind)) for kind in random.permutation(6)]
        mask, other = group[place % 5], group[place % 5 + 1]
        rle, with_other = coco.encode(mask), coco.encode(other)
        cases.append({
            "size": [height, width],
            "code": code(rle),
            "counts": counts(mask),
            "area": int(coco.area(rle)),
            "box": [int(v) for v in coco.toBbox(rle)],
            "other": code(with_other),
            "union": code(coco.merge([rle, with_other])),
            "intersection": code(coco.merge([rle, with_other], intersect=True)),
            "iou": float(coco.iou([rle], [with_other], [0])[0, 0]),
            "in_crowd": float(coco.iou([rle], [with_other], [1])[0, 0]),
        })
    return cases


def corners(height, width, kind):
    """Returns polygons with corners inside, partly outside, on the grid, on halves, repeated or on one line, many, far away."""
    size = np.array([width, height])
    count = int(random.integers(3, 9))
    if kind == 0:
        points = random.random((count, 2)) * size
    elif kind == 1:
        points = (random.random((count, 2)) * 2 - 0.5) * size
    elif kind == 2:
        points = random.integers(0, size + 1, (count, 2))
    elif kind == 3:
        points = random.integers(-2, 2 * size + 3, (count, 2)) / 2
    elif kind == 4:
        points = random.integers(0, 4, (count, 2)) / 4 * size * [1, random.integers(2)]
    elif kind == 5:
        angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        radius = 0.2 + 0.4 * random.random(24)
        points = (0.5 + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)) * size
    else:
        points = (random.random((count, 2)) * 200 - 100) * size
    return [round(float(v), 2) for v in np.asarray(points, float).reshape(-1)]


def polygons():
    cases = []
    for place in range(CASES):
        height, width = (int(v) for v in random.integers(1, 60, 2))
        shape = corners(height, width, place % 7)
        rle = coco.frPyObjects([shape], height, width)[0]
        cases.append({"size": [height, width], "corners": shape, "code": code(rle)})
    return cases


golden = {"masks": masks(), "polygons": polygons()}
TARGET.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
