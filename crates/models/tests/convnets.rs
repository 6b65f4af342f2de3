//! VGG, DenseNet, ResNeXt and CLIP's residual networks, small, against timm and torchvision
//! (`golden/make_convnets.py`).

mod device;
mod family;

use family::{Family, check};
use hard_imagenet_models::{Block, ClipResNet, DenseNet, ResNet, Stem, Vgg};

const GOLDEN: &[u8] = include_bytes!("golden/convnets.safetensors");

#[test]
fn resnext() {
    let stages = &[(64, 1), (128, 2), (256, 1), (512, 1)];
    let block = Block::Grouped { groups: 4, width: 4 };
    let resnext = ResNet { stem: Stem::ImageNet, stem_width: 64, block, stages };
    check(&Family { golden: GOLDEN, name: "resnext", architecture: &resnext, size: (64, 64) });
}

#[test]
fn vgg() {
    let stages = &[(8, 1), (16, 2)];
    for (name, batch_norm) in [("vgg", false), ("vgg_bn", true)] {
        let vgg = Vgg { stages, batch_norm, hidden: 12, side: 7 };
        check(&Family { golden: GOLDEN, name, architecture: &vgg, size: (28, 28) });
    }
}

#[test]
fn densenet() {
    let densenet = DenseNet { stem_width: 16, growth: 8, blocks: &[2, 3] };
    check(&Family { golden: GOLDEN, name: "densenet", architecture: &densenet, size: (37, 50) });
}

#[test]
fn clip_resnet() {
    let clip = ClipResNet { image: 32, width: 16, blocks: &[1, 2], heads: 2 };
    check(&Family { golden: GOLDEN, name: "clip_resnet", architecture: &clip, size: (32, 32) });
}
