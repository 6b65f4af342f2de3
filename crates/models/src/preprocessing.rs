//! The preprocessing that the zoo's models were trained with.

use hard_imagenet_images::{Filter, Preprocessing, Resize};

/// Returns the usual preprocessing of ImageNet: the shorter side is resized to `shorter` pixels, the center 224 × 224
/// pixels are kept, and channels are normalized by ImageNet's mean and standard deviation.
pub(crate) const fn imagenet(shorter: usize, filter: Filter) -> Preprocessing {
    Preprocessing {
        resize: Resize::ShorterSide(shorter),
        input: (224, 224),
        filter,
        mean: [0.485, 0.456, 0.406],
        std: [0.229, 0.224, 0.225],
    }
}

/// Returns [`imagenet`] with a crop of `side` × `side` pixels and bicubic interpolation.
pub(crate) const fn imagenet_at(side: usize, shorter: usize) -> Preprocessing {
    Preprocessing { input: (side, side), ..imagenet(shorter, Filter::Bicubic) }
}

/// Returns [`imagenet`] with bicubic interpolation and values scaled to [-1, 1], as Inception networks introduced it.
pub(crate) const fn inception(shorter: usize) -> Preprocessing {
    Preprocessing { mean: [0.5; 3], std: [0.5; 3], ..imagenet(shorter, Filter::Bicubic) }
}

/// Returns [`imagenet`] with bicubic interpolation and CLIP's mean and standard deviation. OpenAI resizes the shorter
/// side to 224 pixels; timm often keeps a crop of a larger image.
pub(crate) const fn clip(shorter: usize) -> Preprocessing {
    Preprocessing {
        mean: [0.481_454_66, 0.457_827_5, 0.408_210_73],
        std: [0.268_629_54, 0.261_302_6, 0.275_777_1],
        ..imagenet(shorter, Filter::Bicubic)
    }
}

/// Returns the preprocessing of the planted-cue images: 64 × 64 pixels with values scaled to [-1, 1].
pub(crate) const fn planted() -> Preprocessing {
    Preprocessing {
        resize: Resize::Squash(64, 64),
        input: (64, 64),
        filter: Filter::Bilinear,
        mean: [0.5; 3],
        std: [0.5; 3],
    }
}
