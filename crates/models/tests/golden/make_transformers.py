"""Makes the golden values of small transformers, one for each family and variant.

    python crates/models/tests/golden/make_transformers.py        # torch 2.15, timm 1.0.31

The generated numbers are those of make.py, and the networks are timm's classes. The script stores logits, features (the input
of the last linear layers, concatenated where there are two), every 97th element of the gradient of the logits of class 3 with
respect to the image, and for the saliency crate the raw GradCAM of class 3 at the first norm of the last block. With --sizes it
prints what check_size in the zoo compares with.
"""

import sys
from functools import partial

import numpy as np
import timm
import torch
from make import CRATES, fill, generated
from safetensors.numpy import save_file
from timm.models.convit import ConVit
from timm.models.deit import VisionTransformerDistilled
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer

SIZES = [
    "vit_base_patch32_224",
    "vit_base_patch16_384",
    "deit_small_distilled_patch16_224",
    "vit_small_patch14_dinov2",
    "vit_small_patch14_reg4_dinov2",
    "vit_base_patch16_clip_224",
    "swin_tiny_patch4_window7_224",
    "swin_small_patch4_window7_224",
    "swin_base_patch4_window7_224",
    "convit_tiny",
    "convit_small",
    "convit_base",
]


def networks():
    torch.manual_seed(0)
    vit = dict(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=10)
    clip = dict(pre_norm=True, norm_layer=partial(torch.nn.LayerNorm, eps=1e-5))
    swin = dict(img_size=32, patch_size=2, window_size=4, embed_dim=16, depths=(2, 2, 2), num_heads=(1, 2, 4))
    convit = dict(img_size=32, patch_size=8, embed_dim=16, depth=3, num_heads=2, local_up_to_layer=2)
    return {
        "distilled": VisionTransformerDistilled(**vit),
        "dinov2": VisionTransformer(**vit, init_values=1e-5),
        "dinov2_reg4": VisionTransformer(**vit, init_values=1e-5, reg_tokens=4, no_embed_class=True),
        "clip": VisionTransformer(**vit, **clip),
        "clip_quickgelu": VisionTransformer(**vit, **clip, act_layer="quick_gelu"),
        "swin": SwinTransformer(**swin, num_classes=10),
        "convit": ConVit(**convit, num_classes=10),
    }


def last_norm(model):
    blocks = model.layers[-1].blocks if isinstance(model, SwinTransformer) else model.blocks
    return blocks[-1].norm1


def places(value):
    """Returns (B, h, w, C) from (B, h, w, C), or from tokens of which the last 4 x 4 are patches."""
    return value if value.dim() == 4 else value[:, -16:].unflatten(1, (4, 4))


def results(model):
    """Returns logits, features, the gradient of the input, and raw GradCAM."""
    kept, inner = [], []

    def keep(_, __, output):
        output.retain_grad()
        inner.append(output)

    last_norm(model).register_forward_hook(keep)
    last = model.get_classifier()
    for layer in last if isinstance(last, tuple) else [last]:
        layer.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    x = generated("input", [2, 3, 32, 32]).requires_grad_()
    logits = model(x)
    logits[:, 3].sum().backward()
    gradient = x.grad.flatten()[::97]
    raw = (places(inner[0].grad).mean((1, 2), keepdim=True) * places(inner[0])).sum(3)
    tensors = {"logits": logits, "features": torch.cat(kept, 1), "gradient": gradient, "raw": raw}
    return {key: np.ascontiguousarray(value.detach().numpy()) for key, value in tensors.items()}


def multiply_adds(model, size):
    """Counts multiply-adds of convolutions, linear layers and attention for one image; torch counts each as two."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, *size))
    return counter.get_total_flops() / 2e9


def sizes():
    for name in SIZES:
        model = timm.create_model(name, num_classes=1000).eval()
        parameters = sum(p.numel() for p in model.parameters())
        print(f'check_size("{name}", {parameters:_}, {multiply_adds(model, model.default_cfg["input_size"]):.3f});')


def main():
    torch.set_num_threads(1)
    if "--sizes" in sys.argv:
        return sizes()
    golden, maps = {}, {}
    for name, model in networks().items():
        tensors = results(fill(model))
        maps[f"{name}.raw"] = tensors.pop("raw")
        golden.update({f"{name}.{key}": value for key, value in tensors.items()})
    save_file(golden, CRATES / "models/tests/golden/transformers.safetensors")
    save_file(maps, CRATES / "saliency/tests/golden/transformers.safetensors")


if __name__ == "__main__":
    main()
