"""Makes the golden files of `tests/golden.rs`: small networks with random weights as torch's two exporters write them.

    python crates/onnx/tests/golden/make.py

The script needs torch 2.15, timm 1.0.31, onnx, onnxscript and safetensors. It writes NAME.onnx for each network and export, and
golden.safetensors with NAME.x (2, 3, H, W), NAME.y (2, K) and NAME.cam (2, h, w) for each network. The latter is GradCAM's raw map
of classes 1 and 2 at one module, from torch's gradients. `old` is the tracing exporter, `new` the dynamo exporter, and `older` the
tracing exporter with version 16 of the operators, which has no layer normalization. `fixed` is for one image, `any` for any batch
size. Stack traces are removed.
"""

import logging
import pathlib
import warnings

import onnx
import timm
import torch
from safetensors.torch import save_file
from timm.layers import SqueezeExcite
from torch import nn

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent


class Sharp(nn.Module):
    """Returns log-probabilities whose probabilities are 0 in single precision."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)
        self.act = nn.ReLU()
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return torch.log_softmax(300 * self.fc(self.act(self.conv(x)).mean((2, 3))), 1)


class Cnn(nn.Module):
    """A network with odd sizes, one-sided padding, depthwise convolution, squeeze and excitation, concatenation and a shortcut."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, stride=2, bias=False)
        self.bn = nn.BatchNorm2d(8)
        self.pool = nn.MaxPool2d(3, 2, ceil_mode=True)
        self.depthwise = nn.Conv2d(8, 8, (3, 1), padding=(1, 0), groups=8)
        self.se = SqueezeExcite(8, rd_channels=4)
        self.mix = nn.Conv2d(16, 8, 1)
        self.act = nn.SiLU()
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        x = self.pool(torch.relu(self.bn(self.stem(nn.functional.pad(x, (0, 1, 0, 1))))))
        y = self.se(self.depthwise(x))
        y = self.act(self.mix(torch.cat([x, y], 1))) + x
        return self.fc(y.mean((2, 3)))


def networks():
    vit = timm.models.vision_transformer.VisionTransformer(
        img_size=16, patch_size=4, embed_dim=16, depth=2, num_heads=2, num_classes=5
    )
    swin = timm.models.swin_transformer.SwinTransformer(
        img_size=32, patch_size=4, embed_dim=8, depths=(2, 1), num_heads=(1, 2), window_size=4, num_classes=5
    )
    yield "cnn", Cnn(), 29, "act", ["old_fixed", "old_any", "new_fixed", "new_any"]
    yield "vit", vit, 16, "blocks.1.norm1", ["old_fixed", "old_any", "older_any"]
    yield "sharp", Sharp(), 8, "act", ["old_any", "new_any"]
    yield "swin", swin, 32, "norm", ["new_fixed", "new_any"]


def gradcam(model, x, module, classes):
    kept = []
    hook = model.get_submodule(module).register_forward_hook(lambda m, i, o: kept.append(o))
    y = model(x)
    hook.remove()
    (a,) = kept
    (g,) = torch.autograd.grad(y[torch.arange(len(y)), classes].sum(), a)
    if module == "act":  # (B, C, H, W)
        a, g = a.permute(0, 2, 3, 1), g.permute(0, 2, 3, 1)
    if a.ndim == 3:  # a class token and square patches
        a, g = (t[:, 1:].unflatten(1, (4, 4)) for t in (a, g))
    return (a * g.mean((1, 2), keepdim=True)).sum(-1).detach(), y.detach()


def main():
    tensors = {}
    for name, model, side, cam, kinds in networks():
        torch.manual_seed(0)
        model = model.eval().requires_grad_(True)
        for p in model.parameters():
            p.data = torch.randn(p.shape) * (0.5 if p.ndim > 1 else 0.2) + (p.data if p.ndim < 2 else 0)
        x = torch.randn(2, 3, side, side)
        raw, y = gradcam(model, x, cam, torch.tensor([1, 2]))
        tensors |= {f"{name}.x": x, f"{name}.y": y, f"{name}.cam": raw.contiguous()}
        names = dict(input_names=["input"], output_names=["logits"])
        model.requires_grad_(False)
        for kind in kinds:
            path = HERE / f"{name}_{kind}.onnx"
            some, any_number = x[:1] if kind.endswith("fixed") else x, kind.endswith("any")
            if kind.startswith("old"):
                axes = {"input": {0: "batch"}} if any_number else None
                version = 16 if kind.startswith("older") else None
                torch.onnx.export(model, some, path, dynamo=False, dynamic_axes=axes, opset_version=version, **names)
            else:
                shapes = ({0: torch.export.Dim("batch", min=1, max=64)},) if any_number else None
                torch.onnx.export(model, (some,), path, dynamo=True, external_data=False, dynamic_shapes=shapes,
                                  verbose=False, **names)
            stored = onnx.load(path)
            del stored.metadata_props[:], stored.graph.value_info[:]
            for node in stored.graph.node:
                node.doc_string = ""
                kept = [p for p in node.metadata_props if p.key == "pkg.torch.onnx.name_scopes"]
                del node.metadata_props[:]
                node.metadata_props.extend(kept)
            onnx.save(stored, path)
    save_file(tensors, HERE / "golden.safetensors")


if __name__ == "__main__":
    main()
