"""Makes the golden values of small ConvNeXts, EfficientNets and MobileNets, and prints the sizes of the large ones.

    python crates/models/tests/golden/make_modern_convnets.py        # torch 2.15, timm 1.0.31

As in make.py, the networks are timm's classes with weights and inputs made from the tensors' names. The script stores only
results: logits, features, every 97th element of the gradient of the sum of the images' logits of class 3, and for the saliency
crate the raw GradCAM of class 3 at the node that each family names.
Except in ConvNeXt, the weights of convolutions are 1.75 times the generated ones. Squeeze-and-excitation and SiLU damp small
values so much that logits would otherwise hardly depend on the image.
"""

from functools import partial

import numpy as np
import timm
import torch
from make import fill, generated
from make_convnets import cam, keep, save
from timm.models._efficientnet_blocks import SqueezeExcite
from timm.models._efficientnet_builder import decode_arch_def, round_channels
from timm.models.convnext import ConvNeXt
from timm.models.efficientnet import _gen_efficientnet
from timm.models.mobilenetv3 import MobileNetV3


def case(model, last, seen, height, width, gain=1.75):
    x = generated("input", [2, 3, height, width]).requires_grad_()
    kept = {}
    last.register_forward_pre_hook(lambda _, inputs: kept.update(features=inputs[0]))
    seen.register_forward_hook(keep(kept))
    fill(model)
    for weight in model.parameters():
        if weight.ndim == 4:
            weight.data *= gain
    logits = model(x)
    logits[:, 3].sum().backward()
    results = {"logits": logits, "features": kept["features"], "gradient": x.grad.flatten()[::97]}
    results["raw"] = cam(kept["seen"])
    return {name: np.ascontiguousarray(t.detach().numpy()) for name, t in results.items()}


def mobile_net(stages, **numbers):
    return MobileNetV3(block_args=decode_arch_def(stages), num_classes=10, stem_size=16, **numbers)


V3 = [
    ["ds_r1_k3_s1_e1_c16_se0.25_nre"],
    ["ir_r1_k5_s2_e2_c24_se0.25", "ir_r1_k3_s1_e3_c24"],
    ["cn_r1_k1_s1_c48"],
]
V4 = [
    ["cn_r1_k3_s2_e1_c16", "er_r1_k3_s1_e2_c16"],
    ["uir_r1_a5_k5_s2_e3_c24", "uir_r1_a0_k3_s1_e2_c24", "uir_r1_a3_k0_s1_e4_c24", "uir_r1_a0_k0_s1_e2_c24"],
    ["uir_r1_a3_k0_s2_e2_c32", "cn_r1_k1_s1_c48"],
]


def main():
    torch.set_num_threads(1)
    convnext = ConvNeXt(depths=(1, 1, 2, 1), dims=(16, 24, 32, 40), num_classes=10)
    efficientnet = _gen_efficientnet("efficientnet_b0", channel_multiplier=0.25, depth_multiplier=0.5, num_classes=10)
    se = partial(SqueezeExcite, gate_layer="hard_sigmoid", force_act_layer=torch.nn.ReLU, rd_round_fn=round_channels)
    v3 = mobile_net(V3, num_features=32, act_layer=torch.nn.Hardswish, se_layer=se)
    v4 = mobile_net(V4, num_features=32, act_layer=torch.nn.ReLU, head_bias=False, head_norm=True)
    cases = {
        # Sizes that no stride divides.
        "convnext": case(convnext, convnext.head.fc, convnext.stages[-1], 107, 70, 1.0),
        "efficientnet": case(efficientnet, efficientnet.classifier, efficientnet.bn2, 43, 38),
        "mobilenet_v3": case(v3, v3.classifier, v3.blocks[-1], 35, 30),
        "mobilenet_v4": case(v4, v4.classifier, v4.blocks[-1], 35, 30),
    }
    save(cases, "modern_convnets.safetensors")

    sizes = {224: ["convnext_tiny", "convnext_small", "convnext_base", "mobilenetv3_small_100", "mobilenetv3_large_100"]}
    sizes[224] += ["efficientnet_b0", "mobilenetv4_conv_small"]
    sizes[256] = ["efficientnet_b1", "mobilenetv4_conv_medium"]
    sizes |= {288: ["efficientnet_b2"], 320: ["efficientnet_b3"], 384: ["efficientnet_b4", "mobilenetv4_conv_large"]}
    for side, names in sizes.items():
        for name in names:
            print(size(name, side))


def size(name, side):
    """Returns parameters, and billions of multiply-adds of convolutions and linear layers at the size of our row."""
    model, work = timm.create_model(name).eval(), []

    def count(module, _, output):
        weight = module.weight
        work.append(output.numel() * weight[0].numel() if weight.ndim == 4 else output.numel() * weight.shape[1])

    for module in model.modules():
        if isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            module.register_forward_hook(count)
    with torch.no_grad():
        model(torch.zeros(1, 3, side, side))
    return f"{name} {sum(p.numel() for p in model.parameters())} {sum(work) / 1e9:.4f}"


if __name__ == "__main__":
    main()
