"""Makes the golden names: what libraries call the weights of small networks, and the resulting logits.

    python crates/models/tests/golden/make_names.py     # torch 2.15, torchvision 0.29, timm 1.0.31, transformers 5.24,
                                                        # open_clip_torch 3.3

Every network of `logits` gets numbers made from its own library's names. The test makes the same numbers, loads them under those
names and must get the same logits. For the networks of `timm`, names and shapes must become timm's. The names are those in
files; transformers 5 uses others in memory.
"""

import json
import tempfile
from pathlib import Path

import timm
import torch
from open_clip.modified_resnet import ModifiedResNet
from open_clip.transformer import QuickGELU, VisionTransformer as ClipTransformer
from safetensors.torch import load_file, save_file
from timm.models.deit import VisionTransformerDistilled
from timm.models.swin_transformer import SwinTransformer as TimmSwin
from torch.nn.functional import linear
from torchvision.models import mobilenet_v3_large, mobilenet_v3_small
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.efficientnet import EfficientNet, MBConvConfig
from torchvision.models.swin_transformer import SwinTransformer
from torchvision.models.vision_transformer import VisionTransformer
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection, ConvNextConfig, ConvNextForImageClassification
from transformers import Dinov2Config, Dinov2ForImageClassification, Dinov2Model, Dinov2WithRegistersConfig, Dinov2WithRegistersModel
from transformers import DeiTConfig, DeiTForImageClassificationWithTeacher, ResNetConfig, ResNetForImageClassification
from transformers import SwinConfig, SwinForImageClassification, ViTConfig, ViTForImageClassification

from make import fill, generated

SKIPPED = ("num_batches_tracked", "relative_position_index", "attn_mask")


def shapes(state):
    return {name: list(tensor.shape) for name, tensor in state.items() if not name.endswith(SKIPPED)}


def from_file(model):
    """Returns the model with numbers made from the names in its file, and the content of that file."""
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        path = f"{folder}/model.safetensors"
        state = {n: generated(n, list(t.shape)) if t.is_floating_point() else t for n, t in load_file(path).items()}
        save_file(state, path, metadata={"format": "pt"})
        return type(model).from_pretrained(folder).eval(), shapes(state)


def filled(model, prefix=""):
    """Returns the model with numbers made from its names, and the names, both with a prefix."""
    state = {prefix + name: tensor for name, tensor in model.state_dict().items()}
    made = {name: generated(name, list(tensor.shape)) for name, tensor in state.items() if tensor.is_floating_point()}
    model.load_state_dict({name.removeprefix(prefix): tensor for name, tensor in made.items()}, strict=False)
    return model.eval(), shapes(state)


def logits(graph, model, names, side=32):
    with torch.no_grad():
        output = model(generated("input", [2, 3, side, side]))
    for key in ("logits", "image_embeds"):
        output = getattr(output, key, output)
    if hasattr(output, "pooler_output"):
        # It has no head; add one under timm's name.
        head = {"head.weight": [5, output.pooler_output.shape[1]], "head.bias": [5]}
        output = linear(output.pooler_output, *(generated(*item) for item in head.items()))
        names = names | head
    return {"graph": graph, "tensors": names, "logits": output.flatten().tolist()}


def efficientnet():
    """Returns B0 with a quarter of its channels and a second block in the first stage."""
    stages = [(1, 3, 1, 32, 16, 1), (6, 3, 2, 16, 24, 2), (6, 5, 2, 24, 40, 2), (6, 3, 2, 40, 80, 3)]
    stages += [(6, 5, 1, 80, 112, 3), (6, 5, 2, 112, 192, 4), (6, 3, 1, 192, 320, 1)]
    return EfficientNet([MBConvConfig(*stage, 0.25, 1.1) for stage in stages], dropout=0.0, num_classes=5)


def main():
    vit = dict(hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, image_size=32)
    vit = dict(vit, patch_size=8, num_labels=5, layer_norm_eps=1e-6)
    resnet = ResNetConfig(embedding_size=8, hidden_sizes=[32, 64], depths=[1, 2], num_labels=5)
    convnext = [CNBlockConfig(8, 16, 1), CNBlockConfig(16, 24, 2), CNBlockConfig(24, 32, 1), CNBlockConfig(32, None, 1)]
    hf_convnext = ConvNextConfig(hidden_sizes=[8, 16, 24, 32], depths=[1, 2, 1, 1], num_labels=5)
    clip = {key: value for key, value in vit.items() if key not in ("num_labels", "layer_norm_eps")}
    dino = {key: value for key, value in clip.items() if key != "intermediate_size"}
    clip = dict(clip, projection_dim=8)
    swin = dict(depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], embed_dim=8)
    tv_vit = fill(VisionTransformer(32, 8, 2, 2, 16, 64, num_classes=5))
    tv_swin = SwinTransformer([4, 4], 8, swin["depths"], swin["num_heads"], [7, 7], num_classes=5)
    hf_swin = SwinForImageClassification(SwinConfig(**swin, num_labels=5))
    hf_deit = DeiTForImageClassificationWithTeacher(DeiTConfig(**vit))
    timm_swin = shapes(TimmSwin(img_size=224, num_classes=5, **swin).state_dict())
    timm_deit = VisionTransformerDistilled(img_size=32, patch_size=8, embed_dim=16, depth=2, num_heads=2, num_classes=5)
    timm_mobilenet = timm.create_model("mobilenetv3_large_100", num_classes=5)
    golden = {
        "logits": [
            logits("vit", tv_vit, shapes(tv_vit.state_dict()), 32),
            logits("vit", *from_file(ViTForImageClassification(ViTConfig(**vit))), 32),
            logits("resnet", *from_file(ResNetForImageClassification(resnet)), 64),
            logits("convnext", *filled(ConvNeXt(convnext, num_classes=5))),
            logits("convnext", *from_file(ConvNextForImageClassification(hf_convnext))),
            logits("efficientnet", *filled(efficientnet())),
            logits("mobilenet", *filled(mobilenet_v3_small(num_classes=5)), 64),
            logits("clip", *filled(ClipTransformer(32, 8, 16, 2, 2, 4.0, act_layer=QuickGELU, output_dim=8), "visual.")),
            logits("clip", *from_file(CLIPVisionModelWithProjection(CLIPVisionConfig(**clip)))),
            logits("clip_resnet", *filled(ModifiedResNet([1, 1, 1, 1], 8, 2, 32, 4), "visual.")),
            logits("dinov2", *from_file(Dinov2Model(Dinov2Config(**dino)))),
            logits("dinov2_reg4", *from_file(Dinov2WithRegistersModel(Dinov2WithRegistersConfig(**dino)))),
            logits("dinov2_mean", *from_file(Dinov2ForImageClassification(Dinov2Config(**dino, num_labels=5)))),
        ],
        "timm": [
            {"tensors": shapes(tv_swin.state_dict()), "wanted": timm_swin},
            {"tensors": from_file(hf_swin)[1], "wanted": timm_swin},
            {"tensors": shapes(hf_swin.state_dict()), "wanted": timm_swin},
            {"tensors": shapes(mobilenet_v3_large(num_classes=5).state_dict()), "wanted": shapes(timm_mobilenet.state_dict())},
            {"tensors": from_file(hf_deit)[1], "wanted": shapes(timm_deit.state_dict())},
            {"tensors": shapes(hf_deit.state_dict()), "wanted": shapes(timm_deit.state_dict())},
        ],
    }
    (Path(__file__).resolve().parent / "names.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
