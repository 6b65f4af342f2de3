# Requires Pillow>=10, numpy, scipy.
"""Writes golden.json beside this script, from image.png (48 × 48, synthetic) and masks.png (24 masks of 48 × 48, one below the
other): the result of each ablation, written in array operations, as SHA-256 of the f32 values (3, 48, 48), little-endian, or as
every 211th value where sums are rounded.

    python make.py

The file also holds exchanged backgrounds, noise added to an image that a formula makes, and the bits of the first standard normals
of some keys, from a second implementation of the generator.
"""
import hashlib
import json
import re
from pathlib import Path

import numpy as np
from PIL import Image
from scipy import ndimage

HERE = Path(__file__).parent
NAMES = """empty full px_mid px_tl px_br rect rect_on_diagonal corner_touch borders full_height_bar full_width_bar
L_shape ring three_in_row three_in_column line_h1 line_h2 line_v2 almost_full large checker blobs speckle
mirror_pair""".split()


def digest(image):
    return hashlib.sha256(np.ascontiguousarray(image, "<f4").tobytes()).hexdigest()


def box(mask):
    """Returns the half-open box (top, bottom, left, right)."""
    rows, columns = np.nonzero(mask)
    return rows.min(), rows.max() + 1, columns.min(), columns.max() + 1


def gray(image, mask):
    return np.where(mask, np.float32(0.5), image)


def gray_box(image, mask, lost):
    image = image.copy()
    if mask.any():
        top, bottom, left, right = box(mask)
        image[:, top : bottom - lost, left : right - lost] = 0.5
    return image


def parts(mask):
    labels, count = ndimage.label(mask)  # 4-connected, raster order
    return [labels == k for k in range(1, count + 1)]


def repeat(tile, height, width, side):
    """Fills a box with copies of a tile, from the edge at which the tile lies."""
    tall, wide = tile.shape[1:]
    rows, columns = np.arange(height) % tall, np.arange(width) % wide
    if side == "above":
        rows = tall - 1 - (height - 1 - np.arange(height)) % tall
    if side == "left":
        columns = wide - 1 - (width - 1 - np.arange(width)) % wide
    return tile[:, rows][:, :, columns]


def free(strips):
    """Returns the number of strips before the first that contains an object pixel."""
    busy = np.flatnonzero(strips)
    return int(busy[0]) if len(busy) else len(strips)


def tile_corrected(image, mask):
    out, (rows, columns) = image.copy(), mask.shape
    for part in parts(mask):
        top, bottom, left, right = box(part)
        h, w = bottom - top, right - left
        k = [
            free(mask[top:bottom, right : min(right + w, columns)].any(0)),
            free(mask[top:bottom, max(left - w, 0) : left].any(0)[::-1]),
            free(mask[bottom : min(bottom + h, rows), left:right].any(1)),
            free(mask[max(top - h, 0) : top, left:right].any(1)[::-1]),
        ]
        areas = [k[0] * h, k[1] * h, k[2] * w, k[3] * w]
        best = int(np.argmax(areas))  # the first of several
        if areas[best] == 0:
            out[:, top:bottom, left:right] = 0.5
            continue
        side = ["right", "left", "below", "above"][best]
        tile = {
            "right": image[:, top:bottom, right : right + k[0]],
            "left": image[:, top:bottom, left - k[1] : left],
            "below": image[:, bottom : bottom + k[2], left:right],
            "above": image[:, top - k[3] : top, left:right],
        }[side]
        out[:, top:bottom, left:right] = repeat(tile, h, w, side)
    return out


def tile_published(image, mask):
    """Tiles as the published code does. It confuses rows and columns: x runs along rows; see Q4."""
    image, n = image.copy(), mask.shape[0]
    for part in parts(mask):
        x0, x1, y0, y1 = box(part)
        x1, y1 = x1 - 2, y1 - 2  # exclusive twice
        if x1 <= x0 or y1 <= y0:
            continue
        w, h = x1 - x0, y1 - y0
        found = []
        for side, (xa, xb, ya, yb) in {
            "right": (x1, x1 + w, y0, y1),
            "left": (x0 - w, x0, y0, y1),
            "below": (x0, x1, y1, y1 + h),
            "above": (x0, x1, y0 - h, y1),  # contains the box itself
        }.items():
            xa, xb, ya, yb = (int(np.clip(v, 0, n)) for v in (xa, xb, ya, yb))
            seen = mask[ya:yb, xa:xb]
            nx, ny = xb - xa, yb - ya
            score = nx * ny
            if seen.any():
                # Sums over an axis, which is correct for right and above only.
                sums = seen.sum(0) if side in ("right", "below") else seen.sum(1)
                length, other = (nx, ny) if side in ("right", "left") else (ny, nx)
                if side in ("right", "below"):
                    steps = [s for s, i in enumerate(range(length, 0, -1)) if sums[:i].sum() == 0]
                else:
                    steps = [s for s in range(length) if sums[s:].sum() == 0]
                step = steps[0] if steps else 0
                score = step * other
                xb = xa + step if side == "right" else xb
                yb = ya + step if side == "below" else yb
                xa = xa + step if side == "left" else xa
                ya = ya + step if side == "above" else ya
            found.append((score, side, image[:, ya:yb, xa:xb].copy()))
        _, side, tile = max(found, key=lambda candidate: candidate[0])  # the first of several
        cover = repeat(tile, h, w, side) if tile.size else np.zeros((3, h, w), np.float32)
        image[:, x0:x1, y0:y1] = cover.swapaxes(1, 2)
    return image


def one_color(image, where, color):
    return np.where(where, np.asarray(color, np.float32).reshape(3, 1, 1), image)


def mean_of(image, where):
    return image[:, where].astype(np.float64).mean(1) if where.any() else np.full(3, 0.5)


def average(image, mask, keep_shape):
    out = image.copy()
    for part in parts(mask):
        top, bottom, left, right = box(part)
        inside = np.zeros_like(mask)
        inside[top:bottom, left:right] = True
        if inside.sum() >= 100:
            out = one_color(out, part if keep_shape else inside, mean_of(image, inside & ~mask))
    return out


def published_average(image, part):
    """Returns the color for a part that begins in row 0; see Q5."""
    _, _, left, right = box(part)
    image, part = image[:, :, left : right - 1], part[:, left : right - 1]
    nonzero, on_part = (image != 0).sum((1, 2)), image[:, part].astype(np.float64).sum(1)
    return 3 * (nonzero - on_part) / (nonzero.sum() - 3 * part.sum())


def blur(image, mask, sigma):
    blurred = np.stack([ndimage.gaussian_filter(p.astype(np.float64), sigma, mode="reflect", truncate=4) for p in image])
    return np.where(mask, blurred, image)


def only_bg(image, mask, tiled):
    """Returns None if there is no strip beside the box."""
    if not mask.any():
        return image
    (top, bottom, left, right), (h, w) = box(mask), mask.shape
    strips = {  # The first of equal strips.
        "below": image[:, bottom:],
        "above": image[:, :top],
        "right": image[:, :, right:],
        "left": image[:, :, :left],
    }
    strip = max(strips.values(), key=lambda strip: strip.size)
    if tiled and not strip.size:
        return None
    cover = np.zeros_like(image)
    if tiled:
        cover = np.tile(strip, (1, -(-h // strip.shape[1]), -(-w // strip.shape[2])))[:, :h, :w]
    out = image.copy()
    out[:, top:bottom, left:right] = cover[:, top:bottom, left:right]
    return out


def only_bg_t(image, mask):
    tiled = only_bg(image, mask, True)
    return only_bg(image, mask, False) if tiled is None else tiled


def mix(z):
    """Returns an output of SplitMix64."""
    z = (z + 0x9E3779B97F4A7C15) % 2**64
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    z = (z ^ z >> 27) * 0x94D049BB133111EB % 2**64
    return z ^ z >> 31


def shuffle(image, mask, cell):
    """Returns normals under key 0."""
    fnv = 0xCBF29CE484222325
    for byte in b"shuffle":
        fnv = (fnv ^ byte) * 0x100000001B3 % 2**64
    key = mix(fnv)
    corners = [(r, c) for r in range(0, mask.shape[0] - cell + 1, cell) for c in range(0, mask.shape[1] - cell + 1, cell)]
    corners = [(r, c) for r, c in corners if mask[r : r + cell, c : c + cell].any()]
    order = list(corners)
    for last in range(len(order) - 1, 0, -1):
        other = mix((key + last * 0x9E3779B97F4A7C15) % 2**64) * (last + 1) >> 64
        order[last], order[other] = order[other], order[last]
    out = image.copy()
    for (r, c), (y, x) in zip(corners, order):
        out[:, r : r + cell, c : c + cell] = image[:, y : y + cell, x : x + cell]
    return out


def some(image):
    return [round(float(v), 7) for v in image.ravel()[::211]]


def noise():
    """Adds noise to an image, mask and normals of 3 × 12 × 10; returns every fifth value of each result."""
    i = np.arange(3 * 12 * 10)
    image = ((i * 37 % 256) / np.float32(255)).astype(np.float32).reshape(3, 12, 10)
    normals = ((i * 7919 % 2001 - 1000) / 400).astype(np.float32).reshape(3, 12, 10)
    mask = np.zeros((12, 10), np.float32)
    mask[3:8, 2:9] = 1
    results = {}
    for norm, sigma in (("linf", 0.25), ("linf", 0.75), ("l2", 30.0), ("l2", 2.5)):
        for region, m in (("fg", mask), ("bg", 1 - mask)):
            added = normals * m
            if norm == "l2":
                added = added / np.sqrt((added.astype(np.float64) ** 2).sum()).astype(np.float32)
            changed = np.clip(image + np.float32(sigma) * added, 0, 1)
            results[f"noise:{norm}:{sigma:g}:{region}"] = [round(float(v), 7) for v in changed.ravel()[::5]]
    return results


def normals(key, count):
    """Computes every operation in f32, rounded once."""
    u64, f = np.uint64, np.float32
    pairs = np.arange((count + 1) // 2, dtype=u64)
    with np.errstate(over="ignore"):
        gamma = u64(0x9E3779B97F4A7C15)
        z = u64(key) + pairs * gamma + gamma
        z = (z ^ (z >> u64(30))) * u64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> u64(27))) * u64(0x94D049BB133111EB)
        z = z ^ (z >> u64(31))
    high, low = (z >> u64(32)).astype(np.uint32), (z & u64(0xFFFFFFFF)).astype(np.uint32)
    u = ((high >> 1).astype(f) + f(0.5)) * f(2.0**-31)
    bits = u.view(np.int32)
    e = (bits - np.int32(0x3F3504F3)) >> 23
    m = (bits - (e << 23)).view(f)
    s = (m - f(1)) / (m + f(1))
    q = s * s
    series = ((((f(1) / f(9) * q + f(1) / f(7)) * q + f(1) / f(5)) * q + f(1) / f(3)) * q + f(1)) * s
    ln = e.astype(f) * f(np.log(2)) + (series + series)
    radius = np.sqrt(f(-2) * ln)
    quarter = low >> 30
    a = ((low & 0x3FFFFFFF).astype(np.int32) - 0x20000000).astype(f) * (f(np.pi / 2) / f(2.0**30))
    q = a * a
    sin = ((((f(1) / f(362880) * q - f(1) / f(5040)) * q + f(1) / f(120)) * q - f(1) / f(6)) * q) * a + a
    cos = (((((f(-1) / f(3628800)) * q + f(1) / f(40320)) * q - f(1) / f(720)) * q + f(1) / f(24)) * q - f(0.5)) * q
    cos = cos + f(1)
    x = np.choose(quarter, [cos, -sin, -cos, sin])
    y = np.choose(quarter, [sin, cos, -sin, -cos])
    out = np.stack([radius * x, radius * y], -1).ravel()[:count]
    assert out.dtype == np.float32
    return out


image = np.asarray(Image.open(HERE / "image.png")).transpose(2, 0, 1).astype(np.float32) / np.float32(255)
masks = (np.asarray(Image.open(HERE / "masks.png")) > 0).reshape(len(NAMES), 48, 48)
standard = normals(0, image.size).reshape(image.shape)
ablations = {
    name: {
        "gray": digest(gray(image, mask)),
        "gray-box paper": digest(gray_box(image, mask, 1)),
        "gray-box strict": digest(gray_box(image, mask, 0)),
        "tile paper": digest(tile_published(image, mask)),
        "tile strict": digest(tile_corrected(image, mask)),
        "no-fg": digest(one_color(image, mask, [0, 0, 0])),
        "only-fg": digest(one_color(image, ~mask, [0, 0, 0])),
        "gray-bg": digest(one_color(image, ~mask, [0.5, 0.5, 0.5])),
        "only-bg-b": digest(only_bg(image, mask, False)),
        "only-bg-t": digest(only_bg_t(image, mask)),
        "shuffle:1": digest(shuffle(image, mask, 1)),
        "shuffle:7": digest(shuffle(image, mask, 7)),
        "mean": some(one_color(image, mask, mean_of(image, ~mask))),
        "blur:1.5": some(blur(image, mask, 1.5)),
        "blur:20": some(blur(image, mask, 20)),
        "average": some(average(image, mask, False)),
        "average:shape": some(average(image, mask, True)),
        "noise-fill paper": some(np.where(mask, standard / 2, image)),
        "noise-fill strict": some(np.where(mask, np.clip(standard / 2 + 0.5, 0, 1), image)),
    }
    for name, mask in zip(NAMES, masks)
}
mixed = {}
for name, mask, other in zip(NAMES, masks, np.roll(masks, -1, 0)):
    background = only_bg(image[::-1, ::-1, ::-1], other, True)
    mixed[name] = None if background is None else digest(np.where(mask, image, background))
formula = ((np.arange(3 * 128 * 128) * 7919 % 251) / np.float32(255)).astype(np.float32).reshape(3, 128, 128)
top = np.zeros((128, 128), bool)
top[:12, 4:120] = True
keys = [0, 1, 0x0123456789ABCDEF]
golden = {
    "ablations": ablations,
    "mixed": mixed,
    "published average": published_average(formula, top).tolist(),
    "noise": noise(),
    "normals": {str(key): normals(key, 16).view(np.uint32).tolist() for key in keys},
    "normals sha256 of 150528": {str(key): digest(normals(key, 150528)) for key in keys},
}
text = json.dumps(golden, indent=1)
text = re.sub(r"\[[^][]*\]", lambda numbers: " ".join(numbers[0].split()), text)  # one list a line
(HERE / "golden.json").write_text(text + "\n")
