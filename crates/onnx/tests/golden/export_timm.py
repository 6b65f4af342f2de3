"""Writes whole models of timm as ONNX files, with torch's logits, for `tests/corpus.rs`.

    python crates/onnx/tests/golden/export_timm.py FOLDER [KIND,..] [MODEL ..]

The script needs torch 2.15, timm 1.0.31, onnx, onnxscript and safetensors. It exports one small model of nearly every family,
with random weights. KIND is old or new (the tracing exporter or the dynamo exporter) and fixed or any (for one image or for any
batch size); the default is old_fixed. A model that torch cannot export is named and skipped.
"""

import logging
import pathlib
import sys
import warnings

import timm
import torch
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
torch.set_num_threads(1)

MODELS = """
resnet18 deit_tiny_patch16_224 convnext_atto swin_tiny_patch4_window7_224 efficientnet_b0 mobilenetv3_small_050
mobilenetv2_050 densenet121 vgg11 resnext50_32x4d regnety_002 regnetx_002 mobilenetv4_conv_small_035 mnasnet_small
ghostnet_050 inception_v3 inception_v4 xception41 vit_tiny_patch16_224 beit_base_patch16_224 swinv2_cr_tiny_ns_224
swinv2_tiny_window8_256 convnextv2_atto convit_tiny mixer_s32_224 gmixer_24_224 gmlp_s16_224 resmlp_12_224
poolformer_s12 cait_xxs24_224 crossvit_tiny_240 coat_tiny levit_128s pit_ti_224 pvt_v2_b0 tnt_s_legacy_patch16_224
twins_svt_small twins_pcpvt_small maxvit_pico_rw_256 eva02_tiny_patch14_224 vit_small_patch14_dinov2 hrnet_w18_small
dla34 dpn48b senet154 seresnet18 legacy_seresnet18 resnest14d res2net50_26w_4s nf_resnet26 dm_nfnet_f0 nfnet_l0
repvgg_a0 hardcorenas_a tresnet_m ese_vovnet19b_slim edgenext_xx_small efficientformer_l1 efficientformerv2_s0
fastvit_t8 mobilevit_xxs mobilevitv2_050 nest_tiny volo_d1_224 xcit_nano_12_p16_224 davit_tiny efficientvit_b0
efficientvit_m0 focalnet_tiny_srf gcvit_xxtiny ghostnetv2_100 hgnet_tiny hgnetv2_b0 inception_next_atto
inception_resnet_v2 lcnet_035 mambaout_femto caformer_s18 convformer_s18 mvitv2_tiny nextvit_small pnasnet5large
nasnetalarge rdnet_tiny repghostnet_050 repvit_m0_9 rexnet_100 selecsls42 sequencer2d_s shvit_s1 starnet_s1
swiftformer_xs tiny_vit_5m_224 tinynet_e tf_efficientnet_lite0 tf_efficientnetv2_b0 visformer_tiny vitamin_small_224
vit_relpos_small_patch16_224 vit_srelpos_small_patch16_224 vovnet39a skresnet18 cspresnet50 cspdarknet53 darknet53
gernet_s eca_botnext26ts_256 halonet26t lambda_resnet26t coatnet_pico_rw_224 hieradet_small hiera_tiny_224 xception65
resnetv2_50 resnetv2_50x1_bit levit_conv_128s bat_resnext26ts fbnetc_100 spnasnet_100 semnasnet_075 mixnet_s
deit3_small_patch16_224 deit_tiny_distilled_patch16_224 naflexvit_base_patch16_gap csatv2 fasternet_t0 mobileone_s0
ese_vovnet39b resnet50_clip vit_base_patch32_clip_224 vit_pwee_patch16_reg1_gap_256 samvit_base_patch16_224
""".split()


def randomised(name):
    """Fills norms, biases and layer scales too, so that nothing is trivially one or zero."""
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, num_classes=100).eval().requires_grad_(False)
    for part, p in model.named_parameters():
        if any(word in part for word in ["gamma", "layer_scale", "ls1", "ls2"]):
            p.fill_(0.5)
        elif p.ndim == 1:
            p.add_(0.1 * torch.randn(p.shape))
    for part, b in model.named_buffers():
        if part.endswith("running_mean"):
            b.add_(0.1 * torch.randn(b.shape))
        if part.endswith("running_var"):
            b.mul_(1 + 0.2 * torch.rand(b.shape))
    return model


def export(name, kind, path):
    model = randomised(name)
    x = torch.rand(2, *model.pretrained_cfg["input_size"]) * 2 - 1
    names = dict(input_names=["input"], output_names=["logits"])
    some, any_number = (x[:1], False) if kind.endswith("fixed") else (x, True)
    if kind.startswith("old"):
        axes = {"input": {0: "batch"}, "logits": {0: "batch"}} if any_number else None
        torch.onnx.export(model, some, path, dynamo=False, dynamic_axes=axes, **names)
    else:
        shapes = ({0: torch.export.Dim("batch", min=1, max=64)},) if any_number else None
        torch.onnx.export(model, (some,), path, dynamo=True, dynamic_shapes=shapes, verbose=False, **names)
    save_file({"x": x, "y": model(x)}, f"{path}.safetensors")


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    kinds = sys.argv[2].split(",") if len(sys.argv) > 2 else ["old_fixed"]
    for name in sys.argv[3:] or MODELS:
        for kind in kinds:
            path = folder / f"{name}.{kind}.onnx"
            if path.exists():
                continue
            try:
                export(name, kind, path)
                print(name, kind, flush=True)
            except Exception as error:  # torch's exporters raise exceptions of any kind
                path.unlink(missing_ok=True)
                print(name, kind, "not exported:", str(error).splitlines()[0][:120], flush=True)


if __name__ == "__main__":
    main()
