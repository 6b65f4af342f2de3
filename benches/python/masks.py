# Requires numpy, scipy, scikit-learn, pycocotools, opencv-python-headless, grad-cam, torch, torchvision.
"""Times the kernels of ../masks.rs and of the group alignment of ../metrics.rs in Python packages, on the same inputs, in one
thread. Prints a line for each kernel: name, side, library and the median of repeated runs in microseconds, separated by tabs.
Names are those of the Rust benchmarks.

    taskset -c 0 python masks.py > masks.tsv

With clones of the published code (see published.py) it also times that code itself, as the library "published".
"""
import os

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
import statistics
import time

import cv2
import numpy as np
import published
from pycocotools import mask as coco
from pytorch_grad_cam.utils.image import scale_cam_image
from scipy import ndimage
from sklearn.metrics import average_precision_score

cv2.setNumThreads(1)
ABLATIONS, UTILS = published.load("HardImageNet/ablations.py"), published.load("HardImageNet/utils.py")
ALIGNMENT, RIVAL10 = published.load("HardImageNet/saliency_analysis.py"), published.load("RIVAL10/bg_fg_saliency.py")


def mask(side, shift):
    """Makes three ellipses and a stripe, moved to the right by a share of the width."""
    y, x = ((np.indices((side, side)) + 0.5) / side)
    x = x - shift

    def ellipse(y, x, height, width):
        return (y / height) ** 2 + (x / width) ** 2 <= 1.0

    return (
        ellipse(y - 0.4, x - 0.4, 0.25, 0.2)
        | ellipse(y - 0.7, x - 0.65, 0.12, 0.25)
        | ellipse(y - 0.15, x - 0.85, 0.08, 0.08)
        | ((0.48 <= y) & (y < 0.52))
    )


def star(side):
    angle = np.arange(64) / 64 * 2 * np.pi
    radius = (0.3 + 0.1 * np.sin(5 * angle)) * side
    return np.stack([side / 2 + radius * np.cos(angle), side / 2 + radius * np.sin(angle)], 1).reshape(-1).tolist()


def blob(side):
    y, x = (np.indices((side, side)) + 0.5) / side
    return np.maximum(0, 1 - ((y - 0.45) / 0.5) ** 2 - ((x - 0.4) / 0.4) ** 2).astype(np.float32)


def timed(kernel, side, library, run):
    run()
    start = time.perf_counter()
    run()
    rounds = max(1, int(0.01 / (time.perf_counter() - start)))
    times = []
    for _ in range(15):
        start = time.perf_counter()
        for _ in range(rounds):
            run()
        times.append((time.perf_counter() - start) / rounds)
    print(kernel, side, library, f"{statistics.median(times) * 1e6:.2f}", sep="\t", flush=True)


def disk(reach):
    rows, columns = np.indices((2 * reach + 1,) * 2) - reach
    return rows**2 + columns**2 <= reach**2


def overlap(a, b):
    both = np.count_nonzero(a & b)
    return both / (np.count_nonzero(a) + np.count_nonzero(b) - both)


def inside_box(a):
    rows, columns = np.flatnonzero(a.any(1)), np.flatnonzero(a.any(0))
    return rows[0], rows[-1] + 1, columns[0], columns[-1] + 1


def mass_thresholds(map):
    ordered = np.sort(map, axis=None)
    running = np.cumsum(ordered, dtype=np.float64)
    return ordered[np.searchsorted(running, np.array([0.25, 0.5, 0.75]) * running[-1], side="right")]


for side in (224, 512, 1024):
    a, b = mask(side, 0.0), mask(side, 0.1)
    a8, b8 = a.astype(np.uint8), b.astype(np.uint8)
    timed("area", side, "numpy", lambda: np.count_nonzero(a))
    timed("bounding-box", side, "numpy", lambda: inside_box(a))
    timed("bounding-box", side, "scipy", lambda: ndimage.find_objects(a8))
    timed("centroid", side, "scipy", lambda: ndimage.center_of_mass(a8))
    timed("iou", side, "numpy", lambda: overlap(a, b))

    block = np.ones((3, 3), bool)
    timed("components-4", side, "scipy", lambda: ndimage.label(a8))
    timed("components-8", side, "scipy", lambda: ndimage.label(a8, block))
    timed("components-4", side, "opencv", lambda: cv2.connectedComponents(a8, connectivity=4))
    timed("components-8", side, "opencv", lambda: cv2.connectedComponents(a8, connectivity=8))

    cross, eight, round8 = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)), np.ones((17, 17), np.uint8), disk(8)
    timed("dilate-diamond-1", side, "scipy", lambda: ndimage.binary_dilation(a))
    timed("dilate-diamond-8", side, "scipy", lambda: ndimage.binary_dilation(a, iterations=8))
    timed("dilate-square-8", side, "scipy", lambda: ndimage.binary_dilation(a, block, iterations=8))
    timed("dilate-disk-8", side, "scipy", lambda: ndimage.binary_dilation(a, round8))
    timed("dilate-diamond-1", side, "opencv", lambda: cv2.dilate(a8, cross))
    timed("dilate-diamond-8", side, "opencv", lambda: cv2.dilate(a8, cross, iterations=8))
    timed("dilate-square-8", side, "opencv", lambda: cv2.dilate(a8, eight))
    timed("dilate-disk-8", side, "opencv", lambda: cv2.dilate(a8, round8.astype(np.uint8)))

    # Like ours, from and to rows of pixels. The second line is the time without the transposition.
    codes = coco.encode(np.asfortranarray(a8)), coco.encode(np.asfortranarray(b8))
    columns = np.asfortranarray(a8)
    timed("rle-encode", side, "pycocotools", lambda: coco.encode(np.asfortranarray(a8)))
    timed("rle-encode", side, "pycocotools, columns", lambda: coco.encode(columns))
    timed("rle-decode", side, "pycocotools", lambda: np.ascontiguousarray(coco.decode(codes[0])))
    timed("rle-decode", side, "pycocotools, columns", lambda: coco.decode(codes[0]))
    timed("rle-iou", side, "pycocotools", lambda: coco.iou([codes[0]], [codes[1]], [0]))
    corners = [star(side)]
    timed("polygon", side, "pycocotools", lambda: coco.frPyObjects(corners, side, side))

    small = (np.arange(49) * 31 % 17 / 16).astype(np.float32).reshape(7, 7)
    timed("heatmap-resize", side, "opencv", lambda: cv2.resize(small, (side, side)))
    # As GradCAM does after the network, in the published code too.
    scaled = lambda: scale_cam_image(np.maximum(scale_cam_image(small[None], (side, side)), 0))
    timed("saliency-map", side, "pytorch-grad-cam", scaled)

    map = blob(side)
    timed("alignment-iou", side, "numpy", lambda: overlap(map >= 0.5, a))
    timed("delta-density", side, "numpy", lambda: map[a].mean() - map[~a].mean())
    timed("inside-fraction", side, "numpy", lambda: map[a].sum() / map.sum())
    timed("coverage", side, "numpy", lambda: (map[a] >= 0.5).mean())
    timed("mass-thresholds", side, "numpy", lambda: mass_thresholds(map))
    flat_mask, flat_map = a.reshape(-1), map.reshape(-1)
    timed("average-precision", side, "scikit-learn", lambda: average_precision_score(flat_mask, flat_map))
    if ABLATIONS:
        a32, b32 = a.astype(np.float32), b.astype(np.float32)
        timed("bounding-box", side, "published", lambda: ABLATIONS.get_corners(a32))
        timed("iou", side, "published", lambda: UTILS.intersection_over_union([a32, b32]))
        timed("alignment-iou", side, "published", lambda: ALIGNMENT.intersection_over_union_and_dice([a32, map]))
        timed("delta-density", side, "published", lambda: ALIGNMENT.delta_saliency_density(map, a32))
        # This is a line of `gradcam_vis_and_score`.
        timed("inside-fraction", side, "published", lambda: np.sum(map * a32) / np.sum(map))
        timed("mass-thresholds", side, "published", lambda: RIVAL10.compute_saliency_thresholds(map))
        timed("mass-coverage", side, "published", lambda: RIVAL10.compute_mask_coverage(a32, map))
