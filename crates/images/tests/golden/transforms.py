# Requires Pillow==12.0.0, numpy, torchvision (0.29 was used) and timm==1.0.31.
"""Writes transforms.json: the results of timm, torchvision and a plain version of our draws on images that formulas make.

    python transforms.py

An image is identified by its size (see `waves` and `ink`, which tests/transforms.rs repeats), a result by the SHA-256 of its
u8 values, (H, W, C). A mask goes through the same transforms as its image, with a border of zeros.
"""
import hashlib
import json
import math
from pathlib import Path

import numpy as np
import PIL
import timm
from PIL import Image
from timm.data.transforms_factory import transforms_imagenet_eval
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as F
from torchvision.transforms._presets import ImageClassification

assert (PIL.__version__, timm.__version__) == ("12.0.0", "1.0.31")
SIZES = [(75, 100), (101, 67), (64, 64), (30, 90), (12, 9)]
IMAGENET = (0.485, 0.456, 0.406)
FILTERS = ["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]


def waves(height, width):
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([(y * y * 3 + x * 7 + x * y // 5 + c * 85) % 256 for c in range(3)], -1).astype(np.uint8))


def ink(height, width):
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.where((x // 9 + y // 7) % 3 == 0, 255, 0).astype(np.uint8))


def digest(values):
    return hashlib.sha256(np.ascontiguousarray(values, dtype=np.uint8).tobytes()).hexdigest()


def timms():
    for input, crop_pct in [((56, 56), 0.875), ((56, 56), 0.9), ((48, 48), 0.95), ((48, 36), 0.9), ((40, 64), 1.0)]:
        for mode in ["center", "squash", "border"]:
            for size in SIZES:
                filter = FILTERS[(len(mode) + size[0] + input[1]) % 6]
                mean = IMAGENET if input[0] == 56 else (0.5, 0.5, 0.5)
                args = dict(img_size=input, crop_pct=crop_pct, crop_mode=mode, interpolation=filter, normalize=False)
                transform = transforms_imagenet_eval(mean=mean, **args)
                resized = transform.transforms[0](waves(*size)).size
                image = transform(waves(*size)).numpy().transpose(1, 2, 0)
                mask = transforms_imagenet_eval(mean=(0, 0, 0), **args)(ink(*size).convert("RGB")).numpy()[0]
                assert image.shape[:2] == input
                yield dict(
                    size=size, input=input, crop_pct=crop_pct, mode=mode, filter=filter, mean=mean,
                    resized=resized[::-1], image=digest(image), mask=digest(mask >= 128),
                )


def presets():
    for resize, crop in [(64, 56), (58, 56), (40, 64)]:
        for size in SIZES:
            filter = ["bilinear", "bicubic"][size[0] % 2]
            preset = ImageClassification(crop_size=crop, resize_size=resize, interpolation=InterpolationMode(filter))
            normal = preset(waves(*size)).numpy()
            image = normal * np.array(preset.std)[:, None, None] + np.array(preset.mean)[:, None, None]
            yield dict(size=size, resize=resize, crop=crop, filter=filter, image=digest(np.round(image * 255).transpose(1, 2, 0)))


def crops():
    for size, box, flip in [
        ((75, 100), (3, 5, 40, 31), False), ((101, 67), (17, 20, 84, 47), True), ((64, 64), (0, 0, 64, 64), True),
        ((30, 90), (1, 2, 9, 60), False), ((12, 9), (11, 8, 1, 1), True),
    ]:
        for filter in ["bilinear", "bicubic"]:
            def transform(image):
                image = F.crop(image, *box)
                return np.asarray(F.resize(F.hflip(image) if flip else image, (56, 48), InterpolationMode(filter)))

            yield dict(
                size=size, box=box, flip=flip, filter=filter, image=digest(transform(waves(*size))),
                mask=digest(transform(ink(*size)) > 0),
            )


def splitmix(key):
    while True:
        key = (key + 0x9E3779B97F4A7C15) % 2**64
        z = ((key ^ key >> 30) * 0xBF58476D1CE4E5B9) % 2**64
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) % 2**64
        yield z ^ z >> 31


def draws():
    """Does what torchvision's get_params does with SplitMix64's numbers: the coin, then area, ratio, row and column."""
    for key in [*range(12), 2**64 - 1]:
        for height, width in [(375, 500), (500, 333), (40, 400)]:
            numbers = splitmix(key)
            unit = lambda: (next(numbers) >> 11) / 2**53
            flip = unit() < 0.5
            for _ in range(10):
                target = height * width * (0.08 + (1.0 - 0.08) * unit())
                low, high = math.log(3 / 4), math.log(4 / 3)
                ratio = math.exp(low + (high - low) * unit())
                w, h = round(math.sqrt(target * ratio)), round(math.sqrt(target / ratio))
                if 0 < w <= width and 0 < h <= height:
                    i, j = next(numbers) * (height - h + 1) >> 64, next(numbers) * (width - w + 1) >> 64
                    break
            else:
                h, w = (height, round(height * 4 / 3)) if width / height > 4 / 3 else (round(width / (3 / 4)), width)
                i, j = (height - h) // 2, (width - w) // 2
            yield dict(key=str(key), size=(height, width), box=(i, j, h, w), flip=flip)


table = dict(timm=list(timms()), torchvision=list(presets()), crops=list(crops()), draws=list(draws()))
lines = [f'"{name}": [\n' + ",\n".join(json.dumps(row) for row in rows) + "\n]" for name, rows in table.items()]
(Path(__file__).parent / "transforms.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
