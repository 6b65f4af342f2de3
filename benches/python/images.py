# Requires Pillow==12.0.0, numpy, scipy, torch and torchvision.
"""Times the libraries of the published code on the kernels of benches/images.rs, in one thread.

    taskset -c 0 python benches/python/images.py

With clones of the published code (see published.py) it also times that code itself, as the library "published".

Prints `kernel<TAB>size<TAB>library<TAB>microseconds`. Kernel and size are those of criterion's `kernel/ours/size`.
"""
import io
import time

import numpy as np
import published
import torch
from PIL import Image
from torchvision import transforms
from torchvision.transforms import functional as F

torch.set_num_threads(1)
AUGMENTATIONS = published.load("HardImageNet/augmentations.py")
SIZES = [(375, 500), (500, 375), (1080, 1920)]


def make_image(height, width):
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(3), indexing="ij")
    waves = 60 * np.sin(x / 37 + c) + 40 * np.cos(y / 23 + x / 91)
    texture = (y * 7919 + x * 104729 + (y * x) % 97) % 23
    return Image.fromarray((128 + waves + texture - 11).astype(np.uint8))


def make_mask(height, width):
    y, x = np.mgrid[:height, :width]
    inside = (y / height - 0.5) ** 2 + (x / width - 0.5) ** 2 < 0.09
    return Image.fromarray(np.where(inside, 255, 0).astype(np.uint8))


def encode(image, **options):
    file = io.BytesIO()
    image.save(file, **options)
    return file.getvalue()


def decode(data):
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def report(kernel, size, library, function, seconds=1.0):
    """Prints the median of seven rounds that together take about a second."""
    function()
    start = time.perf_counter()
    function()
    count = max(1, int(seconds / 7 / (time.perf_counter() - start)))
    rounds = []
    for _ in range(7):
        start = time.perf_counter()
        for _ in range(count):
            function()
        rounds.append((time.perf_counter() - start) / count)
    print(kernel, "x".join(map(str, size)), library, f"{sorted(rounds)[3] * 1e6:.1f}", sep="\t", flush=True)


def tensor(image):
    """Applies ToTensor; one channel becomes three, as in the published code."""
    values = F.to_tensor(image)
    return values.repeat(3, 1, 1) if values.shape[0] == 1 else values


def paired(image, mask):
    def one(image):
        return tensor(F.center_crop(F.resize(image, (256, 256)), 224))

    return one(image), (one(mask) > 0).float()


def random_crop(image, mask):
    box = transforms.RandomResizedCrop.get_params(image, (0.08, 1.0), (3 / 4, 4 / 3))
    flip = torch.rand(()) < 0.5

    def one(image):
        image = F.crop(image, *box)
        return tensor(F.resize(F.hflip(image) if flip else image, (224, 224)))

    return one(image), (one(mask) > 0).float()


def published_item(transform, image, mask):
    """Repeats the end of `HardImageNet.__getitem__`."""
    image, mask = transform(image, mask)
    mask[mask > 0] = 1
    return image, mask


for size in SIZES:
    jpeg = encode(make_image(*size), format="JPEG", quality=90)
    report("decode jpeg", size, "Pillow", lambda: decode(jpeg).convert("RGB"))
for kernel in Image.Resampling:
    for size in SIZES:
        image = make_image(*size)
        report(f"resize {kernel.name.lower()}", size, "Pillow", lambda: image.resize((256, 256), kernel))
        report(f"resize {kernel.name.lower()}", size, "Pillow, to tensor", lambda: tensor(image.resize((256, 256), kernel)))
for side in [64, 224, 512]:
    image = make_image(side, side)
    report("to tensor", (side, side), "torchvision", lambda: tensor(image))
for size in SIZES:
    image, mask = make_image(*size), make_mask(*size)
    jpeg, png = encode(image, format="JPEG", quality=90), encode(mask, format="PNG")
    report("item", size, "torchvision", lambda: paired(decode(jpeg).convert("RGB"), decode(png)))
    report("paired resize and crop", size, "torchvision", lambda: paired(image, mask))
    report("random resized crop", size, "torchvision", lambda: random_crop(image, mask))
    if AUGMENTATIONS:
        standard, random = AUGMENTATIONS.standard_resize_center_crop, AUGMENTATIONS.random_resized_crop
        files = lambda: [Image.open(io.BytesIO(data)) for data in (jpeg, png)]
        report("item", size, "published", lambda: published_item(standard, *files()))
        report("paired resize and crop", size, "published", lambda: published_item(standard, image, mask))
        report("random resized crop", size, "published", lambda: published_item(random, image, mask))
