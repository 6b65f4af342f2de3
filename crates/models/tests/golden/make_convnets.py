"""Makes the golden values of the older convolutional families: VGG, DenseNet, ResNeXt, CLIP's residual networks.

    python crates/models/tests/golden/make_convnets.py        # torch 2.15, torchvision 0.29, timm 1.0.31

As in make.py, the networks are small ones of timm and torchvision, with weights and inputs made from names. Besides logits and
features the script stores every 97th element of the gradient of the sum of the images' logits of class 3, and for the saliency
crate the raw GradCAM of class 3 at the node that each family names.
"""

import numpy as np
from make import CRATES, fill, generated
from safetensors.numpy import save_file
from timm.layers import ClassifierHead
from timm.models.byobnet import ByobNet, ByoBlockCfg, ByoModelCfg
from timm.models.densenet import DenseNet
from timm.models.vgg import VGG, ConvMlp
from torchvision.models.resnet import Bottleneck, ResNet


def cam(activations):
    """Returns raw GradCAM, without its ReLU, after the backward pass."""
    return (activations.grad.mean((2, 3), keepdim=True) * activations).sum(1)


def keep(kept):
    """Returns a hook that keeps a module's output and its gradient."""

    def hook(_, __, output):
        output.retain_grad()
        kept.update(seen=output)

    return hook


def case(model, last, seen, height, width):
    kept = {}
    hook = last.register_forward_pre_hook(lambda _, inputs: kept.update(features=inputs[0]))
    seen.register_forward_hook(keep(kept))
    x = generated("input", [2, 3, height, width]).requires_grad_()
    logits = model(x)
    logits[:, 3].sum().backward()
    hook.remove()
    tensors = {"logits": logits, "features": kept["features"], "gradient": x.grad.flatten()[::97]}
    tensors["raw"] = cam(kept["seen"])
    return {name: np.ascontiguousarray(t.detach().numpy()) for name, t in tensors.items()}


def vgg(batch_norm):
    from torch.nn import BatchNorm2d

    model = VGG([8, "M", 16, 16, "M"], num_classes=10, norm_layer=BatchNorm2d if batch_norm else None)
    # timm's hidden layers always have 4096 channels. Replace them by narrow ones of the same kind.
    model.pre_logits = ConvMlp(16, 12, 7)
    model.head = ClassifierHead(12, 10)
    return fill(model)


def clip_resnet():
    blocks = tuple(ByoBlockCfg(type="bottle", d=d, c=c, s=s, br=0.25) for d, c, s in [(1, 64, 1), (2, 128, 2)])
    cfg = ByoModelCfg(
        blocks=blocks,
        stem_chs=(8, 8, 16),
        stem_type="",
        stem_pool="avg2",
        downsample="avg",
        aa_layer="avg",
        head_type="attn_abs",
    )
    return fill(ByobNet(cfg, num_classes=10, img_size=32))


def save(cases, file):
    """Writes the maps for the saliency crate and the rest for this one."""
    maps = {f"{name}.raw": case.pop("raw") for name, case in cases.items()}
    save_file(maps, CRATES / "saliency/tests/golden" / file)
    tensors = {f"{name}.{key}": value for name, case in cases.items() for key, value in case.items()}
    save_file(tensors, CRATES / "models/tests/golden" / file)


def main():
    resnext = fill(ResNet(Bottleneck, [1, 2, 1, 1], num_classes=10, groups=4, width_per_group=4))
    densenet = fill(DenseNet(growth_rate=8, block_config=(2, 3), num_classes=10))
    plain, normed, clip = vgg(False), vgg(True), clip_resnet()
    cases = {
        "resnext": case(resnext, resnext.fc, resnext.layer4, 64, 64),
        "vgg": case(plain, plain.head.fc, plain.features, 28, 28),
        "vgg_bn": case(normed, normed.head.fc, normed.features, 28, 28),
        "densenet": case(densenet, densenet.classifier, densenet.features, 37, 50),
    }
    cases["clip_resnet"] = case(clip, clip.head.proj, clip.stages[-1], 32, 32)
    # The projection there takes all tokens, of which only the first is used.
    cases["clip_resnet"]["features"] = np.ascontiguousarray(cases["clip_resnet"]["features"][:, 0])
    save(cases, "convnets.safetensors")


if __name__ == "__main__":
    main()
