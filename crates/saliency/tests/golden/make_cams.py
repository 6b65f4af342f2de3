"""Makes the golden values of the CAM family with pytorch-grad-cam.

    python crates/saliency/tests/golden/make_cams.py        # torch 2.15, torchvision 0.29, timm 1.0.31, grad-cam 1.5.7

The networks are small ones of torchvision and timm, with the generated weights and inputs of
crates/models/tests/golden/make.py. For each network and explainer the script stores NETWORK.WORD.raw (2, h, w), the result of
`get_cam_image`, and NETWORK.WORD.map (2, H, W), what the caller receives, for classes 3 and 7.

Two of the package's choices depend on the machine or on the size of a batch. They are fixed here:
- EigenCAM's sign is that of LAPACK's singular vector. The package's own function corrects it.
- AblationCAM subtracts another 1e7 for each further channel of a batch. Here a batch is one channel.
"""

import sys
from pathlib import Path

import numpy as np
import pytorch_grad_cam as package
import torch
from pytorch_grad_cam.ablation_layer import AblationLayer, AblationLayerVit
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from pytorch_grad_cam.utils.svd_on_activations import get_2d_projection_with_sign_correction
from safetensors.numpy import save_file
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from torchvision.models.resnet import BasicBlock, ResNet

sys.path.append(str(Path(__file__).resolve().parents[3] / "models/tests/golden"))
from make import fill, generated  # noqa: E402


class EigenCAM(package.EigenCAM):
    def get_cam_image(self, input_tensor, target_layer, targets, activations, grads, eigen_smooth):
        return get_2d_projection_with_sign_correction(activations)


class AblationCAM(package.AblationCAM):
    """Makes a copy of the ablation layer, which the package shares between all instances."""

    def __init__(self, model, layers, reshape):
        layer = AblationLayerVit() if reshape else AblationLayer()
        super().__init__(model, layers, reshape, ablation_layer=layer, batch_size=1)


EXPLAINERS = {
    "gradcam": package.GradCAM,
    "hirescam": package.HiResCAM,
    "gradcam++": package.GradCAMPlusPlus,
    "xgradcam": package.XGradCAM,
    "layercam": package.LayerCAM,
    "eigencam": EigenCAM,
    "scorecam": package.ScoreCAM,
    "ablationcam": AblationCAM,
}


def networks():
    """Yields name, network, module to look from, and how its value becomes (B, C, h, w)."""
    resnet = fill(ResNet(BasicBlock, [1, 1, 1, 1], num_classes=10))
    vit = fill(VisionTransformer(img_size=32, patch_size=8, embed_dim=32, depth=2, num_heads=2, num_classes=10))
    swin = fill(
        SwinTransformer(
            img_size=32, patch_size=2, window_size=4, embed_dim=16, depths=(2, 2, 2), num_heads=(1, 2, 4), num_classes=10
        )
    )
    yield "resnet", resnet, resnet.layer2[-1], None
    yield "vit", vit, vit.blocks[-1].norm1, lambda t: t[:, 1:].transpose(1, 2).unflatten(2, (4, 4))
    yield "swin", swin, swin.layers[-1].blocks[-1].norm1, lambda t: t.permute(0, 3, 1, 2)


def main():
    torch.set_num_threads(1)
    x, targets = generated("input", [2, 3, 32, 32]), [ClassifierOutputTarget(3), ClassifierOutputTarget(7)]
    golden = {}
    for name, model, layer, reshape in networks():
        for word, explainer in EXPLAINERS.items():
            cam = explainer(model, [layer], reshape)
            image, raw = cam.get_cam_image, []

            def keep(*arguments, image=image, raw=raw):
                raw.append(image(*arguments))
                return raw[-1]

            cam.get_cam_image = keep
            final = cam(x, targets)
            golden[f"{name}.{word}.raw"] = np.ascontiguousarray(raw[0], dtype=np.float32)
            golden[f"{name}.{word}.map"] = np.ascontiguousarray(final, dtype=np.float32)
    save_file(golden, Path(__file__).parent / "cams.safetensors")


if __name__ == "__main__":
    main()
