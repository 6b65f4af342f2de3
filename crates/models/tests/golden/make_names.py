"""Makes the golden names: what libraries call the weights of small networks, and the networks' logits.

    python crates/models/tests/golden/make_names.py     # torch 2.15, torchvision 0.29, timm 1.0.31, transformers 5.24

Every network gets numbers made from its own library's names; a test makes the same, loads them under those names, and
must come to the same logits. Where transformers 5 writes other names to files than it has in memory, both are kept.
"""

import json
import tempfile
from pathlib import Path

from safetensors import safe_open
from torchvision.models.resnet import Bottleneck, ResNet
from torchvision.models.vision_transformer import VisionTransformer
from transformers import DeiTConfig, DeiTForImageClassification, ResNetConfig, ResNetForImageClassification
from transformers import ViTConfig, ViTForImageClassification

from make import fill, generated

FOLDER = Path(__file__).resolve().parent


def stored_names(model):
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        with safe_open(f"{folder}/model.safetensors", "pt") as file:
            return {name: list(file.get_slice(name).get_shape()) for name in file.keys()}


def case(graph, model, side, only_file=False):
    shapes = {n: list(t.shape) for n, t in model.state_dict().items()}
    model = fill(model)
    output = model(generated("input", [2, 3, side, side]))
    logits = getattr(output, "logits", output)
    return {"graph": graph, "tensors": shapes, "logits": logits.detach().flatten().tolist()}


def main():
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=128, image_size=32)
    small = dict(small, patch_size=8, num_labels=10, layer_norm_eps=1e-6)
    vit = VisionTransformer(32, 8, 2, 2, 32, 128, num_classes=10)
    resnet = ResNetForImageClassification(ResNetConfig(embedding_size=64, hidden_sizes=[256, 512], depths=[1, 2], num_labels=10))
    cases = {
        "torchvision ResNet": case("resnet", ResNet(Bottleneck, [1, 1, 1, 1], num_classes=10), 64),
    }
    cases = {
        "torchvision ViT": case("vit", vit, 32),
        "transformers ViT": case("vit", ViTForImageClassification(ViTConfig(**small)), 32),
        "transformers ResNet": case("resnet", resnet, 64),
    }
    files = {
        "transformers ViT": stored_names(ViTForImageClassification(ViTConfig(**small))),
        "transformers ResNet": stored_names(resnet),
    }
    for k, f in files.items():
        print(k, sorted(set(f) ^ set(cases[k]["tensors"]))[:60])


if __name__ == "__main__":
    main()
