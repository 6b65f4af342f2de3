# Requires Pillow==12.0.0, numpy and, for formats that Pillow cannot write, opencv-python. (Pillow 13 changed the order of the
# two passes of a resize for many portrait images; the files here have the order of all earlier versions.)
"""Writes the files beside this script: images in every format that is decoded, and two of them as Pillow resizes them.

    python make.py

Formulas make all content. `decode/NAME.EXT` is decoded to `decode/NAME.rgb.png` (the result of `convert("RGB")`) and, for
masks, to `decode/NAME.gray.png`. `resize/SOURCE.FILTER.WIDTHxHEIGHT.png` is `SOURCE.png` resized.
"""
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import PIL
from PIL import Image

assert PIL.__version__ == "12.0.0", PIL.__version__
HERE = Path(__file__).parent


def waves(height, width):
    """Makes smooth waves with a hard-edged block and some dither, on which resamplers make mistakes."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    planes = [128 + 120 * np.sin(x / 5 + y / 11), 128 + 127 * np.cos(x * y / 97), 255 * ((x // 3 + y // 4) % 2)]
    a = np.stack(planes, -1)
    a[height // 4 : height // 2, width // 3 : width // 2] = (255, 0, 30)
    a += ((x * 7919 + y * 104729) % 17 - 8)[..., None]
    return np.clip(a, 0, 255).astype(np.uint8)


def sampled(path, factor):
    """Returns a JPEG with the named chroma subsampling."""
    bgr = np.ascontiguousarray(smooth_waves()[..., ::-1])
    cv2.imwrite(str(path), bgr, [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])


def interlaced(path, a):
    """Returns a PNG in the seven passes of Adam7."""
    passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    rows = b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in a[y::dy, x::dx])
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    header = struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 8, 2, 0, 0, 1)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def smooth_waves():
    return waves(24, 40) // 8 + np.arange(40, dtype=np.uint8)[None, :, None] * 5


def resized():
    folder = HERE / "resize"
    folder.mkdir(exist_ok=True)
    color = Image.fromarray(waves(37, 53))
    gray = Image.fromarray(np.where(waves(61, 17)[..., 1] > 140, 255, 0).astype(np.uint8))
    often = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC]
    for name, source in {"color": color, "gray": gray}.items():
        source.save(folder / f"{name}.png")
        w, h = source.size
        # down, up, one side kept, tiny, and both at once
        for size in [(20, 15), (70, 90), (w, 22), (23, h), (1, 1), (60, 13)]:
            for kernel in often if size[0] not in (20, 60) else Image.Resampling:
                word = kernel.name.lower()
                source.resize(size, kernel).save(folder / f"{name}.{word}.{size[0]}x{size[1]}.png", optimize=True)


def decoded():
    folder = HERE / "decode"
    folder.mkdir(exist_ok=True)
    a = waves(24, 40)
    rgb = Image.fromarray(a)
    gray = rgb.convert("L")
    alpha = Image.fromarray((a[..., 1] // 2 + 20).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    la = gray.copy()
    la.putalpha(alpha)
    rotated = Image.Exif()
    rotated[0x0112] = 6  # the orientation, which decoders must ignore
    smooth = Image.fromarray(smooth_waves())
    deep = (np.arange(24 * 40).reshape(24, 40) * 40).astype(np.uint16)
    clear = rgb.quantize(16)
    clear.info["transparency"] = 3
    files = {
        "rgb.jpg": lambda p: smooth.save(p, quality=95, subsampling=0),
        "rotated.jpg": lambda p: smooth.save(p, quality=95, subsampling=0, exif=rotated),
        "progressive.jpg": lambda p: smooth.save(p, quality=95, subsampling=0, progressive=True),
        "422.jpg": lambda p: smooth.save(p, quality=95, subsampling=1),
        "420.jpg": lambda p: smooth.save(p, quality=95, subsampling=2),
        "progressive420.jpg": lambda p: smooth.save(p, quality=95, subsampling=2, progressive=True),
        "restarts.jpg": lambda p: smooth.save(p, quality=95, subsampling=2, restart_marker_rows=1),
        "440.jpg": lambda p: sampled(p, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
        "411.jpg": lambda p: sampled(p, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
        "gray.jpg": lambda p: smooth.convert("L").save(p, quality=90),
        "cmyk.jpg": lambda p: smooth.convert("CMYK").save(p, quality=95, subsampling=0),
        "rgb.png": lambda p: rgb.save(p),
        "rgba.png": lambda p: rgba.save(p),
        "gray.png": lambda p: gray.save(p),
        "grayalpha.png": lambda p: la.save(p),
        "palette.png": lambda p: rgb.quantize(16).save(p),
        "clear.png": lambda p: clear.save(p, transparency=3),
        "twobit.png": lambda p: rgb.quantize(4).save(p, bits=2),
        "fourbit.png": lambda p: rgb.quantize(16).save(p, bits=4),
        "onebit.png": lambda p: gray.convert("1").save(p),
        "interlaced.png": lambda p: interlaced(p, a),
        "deep.png": lambda p: cv2.imwrite(str(p), a.astype(np.uint16) * 256 + np.uint16(255)),
        "sixteen.png": lambda p: Image.fromarray(deep).save(p),
        "gif.gif": lambda p: rgb.quantize(32).save(p),
        "bmp.bmp": lambda p: rgb.save(p),
        "palette.bmp": lambda p: rgb.quantize(32).save(p),
        "gray.bmp": lambda p: gray.save(p),
        "onebit.bmp": lambda p: gray.convert("1").save(p),
        "alpha.bmp": lambda p: rgba.save(p),
        "webp.webp": lambda p: rgb.save(p, lossless=True),
        "alpha.webp": lambda p: rgba.save(p, lossless=True, exact=True),
        "lossy.webp": lambda p: smooth.save(p, quality=90),
    }
    for name, save in files.items():
        save(folder / name)
        image = Image.open(folder / name)
        full = image.convert("L") if image.mode.startswith("I") else image
        full.convert("RGB").save(folder / f"{name}.rgb.png", optimize=True)
        bands = np.asarray(full if full.mode == "L" else full.convert("RGB"))
        if full.mode in ("LA", "1"):
            bands = np.asarray(full.convert("L"))
        Image.fromarray(bands if bands.ndim == 2 else bands.max(-1)).save(folder / f"{name}.gray.png", optimize=True)


resized()
decoded()
