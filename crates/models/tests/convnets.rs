//! Small VGG, DenseNet, ResNeXt and CLIP networks against timm and torchvision (`golden/make_convnets.py`).

mod device;
mod family;
mod small;

use family::{Family, check};
use small::{CLIP, DENSENET, RESNEXT, VGG, VGG_BN};

const GOLDEN: &[u8] = include_bytes!("golden/convnets.safetensors");

#[test]
fn resnext() {
    check(&Family { golden: GOLDEN, name: "resnext", architecture: &RESNEXT, size: (64, 64) });
}

#[test]
fn vgg() {
    check(&Family { golden: GOLDEN, name: "vgg", architecture: &VGG, size: (28, 28) });
    check(&Family { golden: GOLDEN, name: "vgg_bn", architecture: &VGG_BN, size: (28, 28) });
}

#[test]
fn densenet() {
    check(&Family { golden: GOLDEN, name: "densenet", architecture: &DENSENET, size: (37, 50) });
}

#[test]
fn clip_resnet() {
    check(&Family { golden: GOLDEN, name: "clip_resnet", architecture: &CLIP, size: (32, 32) });
}
