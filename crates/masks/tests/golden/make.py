# Requires Pillow>=10, numpy, scipy, pycocotools.
"""Writes golden.json beside this script, from masks.png (24 synthetic masks of 48 × 48, one below the other): the pixels as
hexadecimal digits, row by row; SciPy's connected components, each [area, top, left, bottom, right], half-open; its center of
mass; and the results of its dilation and erosion with several elements, as COCO's run lengths.

    python make.py
"""
import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco
from scipy import ndimage

HERE = Path(__file__).parent
NAMES = """empty full px_mid px_tl px_br rect rect_on_diagonal corner_touch borders full_height_bar full_width_bar
L_shape ring three_in_row three_in_column line_h1 line_h2 line_v2 almost_full large checker blobs speckle
mirror_pair""".split()


def components(mask, structure):
    labels, count = ndimage.label(mask, structure)
    firsts = [np.flatnonzero(labels == k)[0] for k in range(1, count + 1)]
    found = []
    for k in np.argsort(firsts) + 1:  # raster order of the first pixel
        rows, columns = np.nonzero(labels == k)
        box = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        found.append([len(rows)] + [int(v) for v in box])
    return found


CROSS, BLOCK = ndimage.generate_binary_structure(2, 1), ndimage.generate_binary_structure(2, 2)
ELEMENTS = [("diamond", 1, CROSS), ("diamond", 5, CROSS), ("square", 1, BLOCK), ("square", 4, BLOCK), ("disk", 6, None)]


def morphology(operation, mask):
    changed = []
    for _, radius, step in ELEMENTS:
        if step is None:
            rows, columns = np.indices((2 * radius + 1,) * 2) - radius
            result = operation(mask, rows**2 + columns**2 <= radius**2)
        else:
            result = operation(mask, step, iterations=radius)
        changed.append(coco.encode(np.asfortranarray(result, np.uint8))["counts"].decode())
    return changed


masks = (np.asarray(Image.open(HERE / "masks.png")) > 0).reshape(len(NAMES), 48, 48)
golden = {
    name: {
        "mask": np.packbits(mask).tobytes().hex(),
        "four": components(mask, None),
        "eight": components(mask, np.ones((3, 3))),
        "centroid": [float(v) for v in ndimage.center_of_mass(mask)] if mask.any() else None,
        "dilated": morphology(ndimage.binary_dilation, mask),
        "eroded": morphology(ndimage.binary_erosion, mask),
    }
    for name, mask in zip(NAMES, masks)
}
(HERE / "golden.json").write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")
