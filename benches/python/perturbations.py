# Requires numpy, scipy, torch, torchvision (CPU).
"""Times what benches/perturbations.rs measures, done in Python as the published code and its libraries do it: on torch tensors of
shape (1, 3, side, side), in one thread, on the same inputs, which formulas make.

    python perturbations.py [REPEATS]

With clones of the published code (see published.py) it also times that code itself, as the library "published".

Prints a line for each kernel and size: `kernel<TAB>size<TAB>library<TAB>microseconds`, the median of the repeats. The kernel has
the name that criterion gives ours ("perturb Paper/tile"), so that both can be joined into a table of ratios.
"""
import statistics
import sys
import time

import numpy as np
import published
import torch
from scipy import ndimage
from torchvision.transforms import functional

torch.set_num_threads(1)
ABLATIONS, RFS = published.load("HardImageNet/ablations.py"), published.load("HardImageNet/rfs.py")
LINF, L2 = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75), (30, 60, 90, 120, 150, 180)
REPEATS = int(sys.argv[1]) if len(sys.argv) > 1 else 20


def scene(side):
    """Returns image and mask, both (1, 3, side, side)."""
    values = (np.arange(3 * side * side) * 7919 % 256).astype(np.float32) / np.float32(255)
    mask = np.zeros((side, side), np.float32)
    mask[side * 2 // 8 : side * 5 // 8, side * 1 // 8 : side * 3 // 8] = 1
    mask[side * 4 // 8 : side * 6 // 8, side * 5 // 8 : side * 7 // 8] = 1
    image = torch.from_numpy(values.reshape(1, 3, side, side))
    return image, torch.from_numpy(mask).expand(1, 3, side, side).contiguous()


def box(mask):
    """Returns the half-open box without its last row and column (Q3)."""
    rows, columns = np.nonzero(mask)
    return rows.min(), rows.max(), columns.min(), columns.max()


def gray(image, mask):
    return image * (1 - mask) + 0.5 * mask


def gray_box(image, mask):
    boxes = torch.zeros_like(mask)
    for each, of in zip(boxes, mask):
        top, bottom, left, right = box(of[0].numpy())
        each[:, top:bottom, left:right] = 1
    return image * (1 - boxes) + 0.5 * boxes


def tile(image, mask):
    """Does what the published code does, with its means: labeled parts, a mask for each part, a search strip by strip."""
    image = image.clone()
    whole = mask[0, 0].numpy()
    labels, count = ndimage.label(whole)
    height, width = whole.shape
    for label in range(1, count + 1):
        part = np.where(labels == label, 1.0, 0.0)
        top, bottom, left, right = box(part)
        h, w = bottom - top, right - left
        if h <= 0 or w <= 0:
            continue
        best, best_area = None, 0
        for down, across in ((0, w), (0, -w), (h, 0), (-h, 0)):
            t, b = max(top + down, 0), min(bottom + down, height)
            l, r = max(left + across, 0), min(right + across, width)
            seen = whole[t:b, l:r]
            along = 1 if across else 0
            length = seen.shape[along]
            for keep in range(length, 0, -1):  # until it contains no object pixel
                first = keep if across > 0 or down > 0 else length - keep
                strip = seen.take(range(keep) if across > 0 or down > 0 else range(first, length), axis=along)
                if strip.sum() == 0:
                    break
            else:
                keep = 0
            area = keep * seen.shape[1 - along]
            if area > best_area:
                if across:
                    l, r = (l, l + keep) if across > 0 else (r - keep, r)
                else:
                    t, b = (t, t + keep) if down > 0 else (b - keep, b)
                best, best_area = image[0, :, t:b, l:r], area
        if best is not None:
            times = (1, -(-h // best.shape[1]), -(-w // best.shape[2]))
            image[0, :, top:bottom, left:right] = best.repeat(times)[:, :h, :w]
    return image


def noise(image, where, normals, norm, sigma):
    added = normals * where
    if norm == "l2":
        added = added / added.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return (image + sigma * added).clamp(0, 1)


def pair(image, mask, norm, sigma):
    normals = torch.randn_like(image)
    return noise(image, mask, normals, norm, sigma), noise(image, 1 - mask, normals, norm, sigma)


def blur_scipy(image, mask, sigma):
    blurred = ndimage.gaussian_filter(image[0].numpy(), (0, sigma, sigma))
    return torch.where(mask > 0, torch.from_numpy(blurred)[None], image)


def blur_torchvision(image, mask, sigma):
    size = 2 * int(4 * sigma + 0.5) + 1
    return torch.where(mask > 0, functional.gaussian_blur(image, size, sigma), image)


def mean(image, mask):
    free = 1 - mask
    color = (image * free).sum((2, 3), keepdim=True) / free.sum((2, 3), keepdim=True)
    return image * free + color * mask


def shuffle(image, mask):
    image = image.clone()
    places = torch.nonzero(mask[0, 0].flatten()).flatten()
    flat = image.view(3, -1)
    flat[:, places] = flat[:, places[torch.randperm(len(places))]]
    return image


def kernels(side):
    image, mask = scene(side)
    free, other, black = 1 - mask, image.flip(2), torch.zeros_like(image)
    boxes = torch.zeros_like(mask)
    top, bottom, left, right = box(mask[0, 0].numpy())
    boxes[:, :, top : bottom + 1, left : right + 1] = 1
    yield "perturb Paper/copy", "torch", image.clone
    for preset in ("Paper", "Strict"):
        yield f"perturb {preset}/gray", "torch", lambda: gray(image, mask)
        yield f"perturb {preset}/gray-box", "numpy, torch", lambda: gray_box(image, mask)
        yield f"perturb {preset}/tile", "scipy, numpy, torch", lambda: tile(image, mask)
    yield "perturb Strict/mean", "torch", lambda: mean(image, mask)
    yield "perturb Strict/no-fg", "torch", lambda: image * free
    yield "perturb Strict/only-fg", "torch", lambda: image * mask
    yield "perturb Strict/only-bg-b", "torch", lambda: torch.where(boxes > 0, black, image)
    yield "perturb Strict/shuffle:1", "torch", lambda: shuffle(image, mask)
    yield "perturb Strict/noise-fill", "torch", lambda: image * free + 0.5 * torch.randn_like(image) * mask
    for sigma in (4, 16):
        yield f"perturb Strict/blur:{sigma}", "scipy", lambda s=sigma: blur_scipy(image, mask, s)
        if int(4 * sigma + 0.5) < side:
            yield f"perturb Strict/blur:{sigma}", "torchvision", lambda s=sigma: blur_torchvision(image, mask, s)
    yield "perturb Strict/noise:linf:0.25:fg", "torch", lambda: noise(image, mask, torch.randn_like(image), "linf", 0.25)
    yield "perturb Strict/noise:l2:90:bg", "torch", lambda: noise(image, free, torch.randn_like(image), "l2", 90)
    yield "mix/paste", "torch", lambda: image * mask + other * free
    yield "standard normals/a tensor at once", "torch", lambda: torch.randn_like(image)
    yield "noisy pair/linf", "torch", lambda: pair(image, mask, "linf", 0.25)
    yield "noisy pair/l2", "torch", lambda: pair(image, mask, "l2", 90.0)
    yield "noisy pair/trial", "torch", lambda: trial(lambda norm, sigma: pair(image, mask, norm, sigma))


def published_pair(image, mask, norm, sigma):
    """Repeats lines of `noisy_fg_bg_accs` in rfs.py, which runs them between a loader and a network."""
    noise = torch.randn_like(image, device=image.device)
    if norm == "l2":
        return [torch.clamp(image + sigma * RFS.l2_normalize(x * noise), 0, 1) for x in [mask, 1 - mask]]
    return [torch.clamp(image + (x * noise * sigma), 0, 1) for x in [mask, 1 - mask]]


def trial(pair):
    return [pair("linf", sigma) for sigma in LINF] + [pair("l2", sigma) for sigma in L2]


def published_kernels(side):
    image, mask = scene(side)
    for preset in ("Paper", "Strict"):
        yield f"perturb {preset}/gray", lambda: ABLATIONS.replace_with_gray(image, mask)
        yield f"perturb {preset}/gray-box", lambda: ABLATIONS.replace_with_gray(image, mask, False)
        # It works in place; the changed content of the boxes costs the same.
        yield f"perturb {preset}/tile", lambda: ABLATIONS.tile(image, mask)
        average = lambda: ABLATIONS.fill_with_avg_surrounding_color(image[0], mask[0], True)
        yield f"perturb {preset}/average:shape", average
    yield "perturb Strict/noise-fill", lambda: ABLATIONS.replace_with_noise(image, mask)
    yield "noisy pair/linf", lambda: published_pair(image, mask, "linf", 0.25)
    yield "noisy pair/l2", lambda: published_pair(image, mask, "l2", 90)
    yield "noisy pair/trial", lambda: trial(lambda norm, sigma: published_pair(image, mask, norm, sigma))


def microseconds(call):
    call()
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return 1e6 * statistics.median(times)


for side in (64, 224, 384):
    for kernel, library, call in kernels(side):
        print(f"{kernel}\t{side}\t{library}\t{microseconds(call):.1f}", flush=True)
    if ABLATIONS:
        for kernel, call in published_kernels(side):
            print(f"{kernel}\t{side}\tpublished\t{microseconds(call):.1f}", flush=True)
