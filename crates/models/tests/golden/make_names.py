"""Makes the golden names: what libraries call the weights of small networks, and what comes of it.

    python crates/models/tests/golden/make_names.py     # torch 2.15, torchvision 0.29, timm 1.0.31, transformers 5.24

Every network of `logits` gets numbers made from its own library's names; the test makes the same, loads them under those
names, and must come to the same logits. Of the networks of `timm` names and shapes must become timm's. Names are those
in files: transformers 5 has others in memory.
"""

import json
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from timm.models.deit import VisionTransformerDistilled
from timm.models.swin_transformer import SwinTransformer as TimmSwin
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer
from transformers import DeiTConfig, DeiTForImageClassificationWithTeacher, ResNetConfig, ResNetForImageClassification
from transformers import SwinConfig, SwinForImageClassification, ViTConfig, ViTForImageClassification

from make import fill, generated

SKIPPED = ("num_batches_tracked", "relative_position_index", "attn_mask")


def shapes(state):
    return {name: list(tensor.shape) for name, tensor in state.items() if not name.endswith(SKIPPED)}


def from_file(model):
    """The model with numbers made from the names in its file, and what that file holds."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        path = f"{folder}/model.safetensors"
        state = {n: generated(n, list(t.shape)) if t.is_floating_point() else t for n, t in load_file(path).items()}
        save_file(state, path, metadata={"format": "pt"})
        return type(model).from_pretrained(folder).eval(), shapes(state)


def logits(graph, model, names, side):
    with torch.no_grad():
        output = model(generated("input", [2, 3, side, side]))
    return {"graph": graph, "tensors": names, "logits": getattr(output, "logits", output).flatten().tolist()}


def main():
    vit = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32)
    vit = dict(vit, patch_size=8, num_labels=5, layer_norm_eps=1e-6)
    resnet = ResNetConfig(embedding_size=8, hidden_sizes=[32, 64], depths=[1, 2], num_labels=5)
    swin = dict(depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], embed_dim=8)
    tv_vit = fill(VisionTransformer(32, 8, 2, 2, 16, 64, num_classes=5))
    tv_swin = SwinTransformer([4, 4], 8, swin["depths"], swin["num_heads"], [7, 7], num_classes=5)
    hf_swin = SwinForImageClassification(SwinConfig(**swin, num_labels=5))
    hf_deit = DeiTForImageClassificationWithTeacher(DeiTConfig(**vit))
    timm_swin = shapes(TimmSwin(img_size=224, num_classes=5, **swin).state_dict())
    timm_deit = VisionTransformerDistilled(img_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2, num_classes=5)
    golden = {
        "logits": [
            logits("vit", tv_vit, shapes(tv_vit.state_dict()), 32),
            logits("vit", *from_file(ViTForImageClassification(ViTConfig(**vit))), 32),
            logits("resnet", *from_file(ResNetForImageClassification(resnet)), 64),
        ],
        "timm": [
            {"tensors": shapes(tv_swin.state_dict()), "wanted": timm_swin},
            {"tensors": from_file(hf_swin)[1], "wanted": timm_swin},
            {"tensors": shapes(hf_swin.state_dict()), "wanted": timm_swin},
            {"tensors": from_file(hf_deit)[1], "wanted": shapes(timm_deit.state_dict())},
            {"tensors": shapes(hf_deit.state_dict()), "wanted": shapes(timm_deit.state_dict())},
        ],
    }
    (Path(__file__).resolve().parent / "names.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
