"""Makes the golden values of attention rollout and gradient-weighted attention.

    python crates/saliency/tests/golden/make_attention.py        # torch 2.15, timm 1.0.31, onnx 1.23

The networks are small ones of timm, with the weights and inputs of crates/models/tests/golden. The methods are written here with
whole matrices and torch's gradients (Abnar and Zuidema 2020; Chefer, Gur and Wolf 2021, as in
github.com/hila-chefer/Transformer-MM-Explainability, ViT). For each network the script stores
NETWORK.rollout and NETWORK.attention (2, h, w), raw, of classes 3 and 7. `onnx` is the network of crates/onnx/tests/golden/make.py
with its inputs, for classes 1 and 2.
"""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import onnx
import torch
from safetensors.numpy import load_file, save_file

CRATES = Path(__file__).resolve().parents[3]
sys.path.append(str(CRATES / "models/tests/golden"))
from make import fill, generated  # noqa: E402
from make_transformers import networks  # noqa: E402
from timm.models.vision_transformer import VisionTransformer  # noqa: E402


def imported():
    """Returns the vision transformer of the ONNX crate's tests, filled as in its make.py, and its inputs."""
    folder = CRATES / "onnx/tests/golden"
    spec = importlib.util.spec_from_file_location("onnx_golden", folder / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    stored = {name: torch.from_numpy(t) for name, t in load_file(folder / "golden.safetensors").items()}
    model = next(model for name, model, *_ in module.networks() if name == "vit").eval()
    torch.manual_seed(0)
    for p in model.parameters():
        p.data = torch.randn(p.shape) * (0.5 if p.ndim > 1 else 0.2) + (p.data if p.ndim < 2 else 0)
    # The only parameter that keeps torch's random initial value there.
    tensors = {t.name: t for t in onnx.load(folder / "vit_old_any.onnx").graph.initializer}
    bias = onnx.numpy_helper.to_array(tensors["patch_embed.proj.bias"])
    model.patch_embed.proj.bias.data = torch.from_numpy(bias.copy())
    torch.testing.assert_close(model(stored["vit.x"]), stored["vit.y"])
    return model, stored["vit.x"]


def attentions(model, x, classes):
    """Returns (images, heads, tokens, tokens) of every layer, and the gradient of the classes' logits at each."""
    kept = []
    for block in model.blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    logits = model(x)
    target = logits[range(len(classes)), classes].sum()
    return [a.detach() for a in kept], torch.autograd.grad(target, kept)


def maps(model, x, classes, read, prefix):
    """Computes rollout; `read` lists the tokens that the head reads."""
    values, slopes = attentions(model, x, classes)
    identity = torch.eye(values[0].shape[-1])
    rollout, relevance = identity, identity
    for a, g in zip(values, slopes):
        rollout = (a.mean(1) + identity) / 2 @ rollout
        relevance = relevance + (a * g).clamp(min=0).mean(1) @ relevance
    for word, matrix in [("rollout", rollout), ("attention", relevance)]:
        row = matrix[:, :read].mean(1)[:, prefix:]
        side = round(row.shape[1] ** 0.5)
        yield word, np.ascontiguousarray(row.unflatten(1, (side, side)).numpy())


def main():
    torch.set_num_threads(1)
    x, classes = generated("input", [2, 3, 32, 32]), [3, 7]
    vit = VisionTransformer(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=10)
    others = networks()
    golden = {}
    for name, model, read, prefix in [
        ("vit", vit, 1, 1),
        ("distilled", others["distilled"], 2, 2),
        ("dinov2_reg4", others["dinov2_reg4"], 1, 5),
        ("clip_quickgelu", others["clip_quickgelu"], 1, 1),
    ]:
        for word, raw in maps(fill(model), x, classes, read, prefix):
            golden[f"{name}.{word}"] = raw
    model, x = imported()
    for word, raw in maps(model, x, [1, 2], 1, 1):
        golden[f"onnx.{word}"] = raw
    save_file(golden, Path(__file__).parent / "attention.safetensors")


if __name__ == "__main__":
    main()
