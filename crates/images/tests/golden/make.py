# Requires Pillow==12.0.0 and numpy. (Pillow 13 changed the order of the two passes of a resize for many portrait
# images; what is reproduced here is the order of all versions before.)
"""Writes the files beside it: pictures in every format that is decoded, and Pillow's resized versions of two.

    python make.py

All content is made from formulas. `decode/NAME.EXT` is decoded to `decode/NAME.rgb.png` (what `convert("RGB")` gives)
and, for masks, `decode/NAME.grey.png`; `resize/SOURCE.FILTER.WIDTHxHEIGHT.png` is `SOURCE.png` resized.
"""
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

assert PIL.__version__ == "12.0.0", PIL.__version__
HERE = Path(__file__).parent


def picture(height, width):
    """Smooth waves with a hard-edged block and some dither: all that makes a resampler err."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [128 + 120 * np.sin(x / 5 + y / 11), 128 + 127 * np.cos(x * y / 97), 255 * ((x // 3 + y // 4) % 2)]
    a = np.stack(planes, -1)
    a[height // 4 : height // 2, width // 3 : width // 2] = (255, 0, 30)
    a += ((x * 7919 + y * 104729) % 17 - 8)[..., None]
    return np.clip(a, 0, 255).astype(np.uint8)


def resized():
    folder = HERE / "resize"
    folder.mkdir(exist_ok=True)
    colour = Image.fromarray(picture(37, 53))
    grey = Image.fromarray(np.where(picture(61, 17)[..., 1] > 140, 255, 0).astype(np.uint8))
    filters = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}
    for name, source in {"colour": colour, "grey": grey}.items():
        source.save(folder / f"{name}.png")
        w, h = source.size
        # down, up, one side kept, tiny, and both at once
        for size in [(20, 15), (70, 90), (w, 22), (23, h), (1, 1), (60, 13)]:
            for word, kernel in filters.items():
                source.resize(size, kernel).save(folder / f"{name}.{word}.{size[0]}x{size[1]}.png", optimize=True)


def decoded():
    folder = HERE / "decode"
    folder.mkdir(exist_ok=True)
    a = picture(24, 40)
    rgb = Image.fromarray(a)
    grey = rgb.convert("L")
    alpha = Image.fromarray((a[..., 1] // 2 + 20).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    la = grey.copy()
    la.putalpha(alpha)
    rotated = Image.Exif()
    rotated[0x0112] = 6  # orientation: to be ignored
    smooth = Image.fromarray((picture(24, 40) // 8 + np.arange(40, dtype=np.uint8)[None, :, None] * 5))
    deep = (np.arange(24 * 40).reshape(24, 40) * 40).astype(np.uint16)
    files = {
        "rgb.jpg": lambda p: smooth.save(p, quality=95, subsampling=0),
        "rotated.jpg": lambda p: smooth.save(p, quality=95, subsampling=0, exif=rotated),
        "progressive.jpg": lambda p: smooth.save(p, quality=95, subsampling=0, progressive=True),
        "grey.jpg": lambda p: smooth.convert("L").save(p, quality=90),
        "cmyk.jpg": lambda p: smooth.convert("CMYK").save(p, quality=95, subsampling=0),
        "rgb.png": lambda p: rgb.save(p),
        "rgba.png": lambda p: rgba.save(p),
        "grey.png": lambda p: grey.save(p),
        "greyalpha.png": lambda p: la.save(p),
        "palette.png": lambda p: rgb.quantize(16).save(p),
        "onebit.png": lambda p: grey.convert("1").save(p),
        "sixteen.png": lambda p: Image.fromarray(deep).save(p),
        "gif.gif": lambda p: rgb.quantize(32).save(p),
        "bmp.bmp": lambda p: rgb.save(p),
        "webp.webp": lambda p: rgb.save(p, lossless=True),
    }
    for name, save in files.items():
        save(folder / name)
        image = Image.open(folder / name)
        full = image.convert("L") if image.mode.startswith("I") else image
        full.convert("RGB").save(folder / f"{name}.rgb.png", optimize=True)
        bands = np.asarray(full if full.mode == "L" else full.convert("RGB"))
        if full.mode in ("LA", "1"):
            bands = np.asarray(full.convert("L"))
        Image.fromarray(bands if bands.ndim == 2 else bands.max(-1)).save(folder / f"{name}.grey.png", optimize=True)


resized()
decoded()
