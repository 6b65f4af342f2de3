use crate::perturb::{GRAY, assert_one_size, between, mean_color, painted, runs};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Region};
use hard_imagenet_images::{IMAGENET_MEAN, Pixels};
use hard_imagenet_masks::Mask;

/// Paints the object or everything else in one color. Like `gray`, all of these leave the object's shape visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paint {
    /// `mean`: the object gets the mean color of the whole background, or gray if there is no background.
    Mean,
    /// `imagenet-mean`: the object gets ImageNet's mean color, which normalization turns into 0.
    ImageNetMean,
    /// `no-fg`: the object becomes black (No-FG of ImageNet-9).
    NoFg,
    /// `only-fg`: everything except the object becomes black (Only-FG of ImageNet-9).
    OnlyFg,
    /// `gray-bg`: everything except the object becomes gray (the background ablation of RIVAL10).
    GrayBg,
}

impl Paint {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Mean, Self::ImageNetMean, Self::NoFg, Self::OnlyFg, Self::GrayBg];

    fn kind(self) -> &'static PerturbationKind {
        match self {
            Self::Mean => &MEAN,
            Self::ImageNetMean => &IMAGENET,
            Self::NoFg => &NO_FG,
            Self::OnlyFg => &ONLY_FG,
            Self::GrayBg => &GRAY_BG,
        }
    }
}

pub(crate) static MEAN: PerturbationKind = PerturbationKind {
    pattern: "mean",
    help: "the object's pixels get the mean color of the rest of the image",
    name: "object in mean color",
    caption: "Object in mean color",
    sentence: "The object is painted in the mean color of everything else in the image.",
    parse: |_, _| Perturbation::single(Paint::Mean),
    ..PerturbationKind::BASE
};

pub(crate) static IMAGENET: PerturbationKind = PerturbationKind {
    pattern: "imagenet-mean",
    help: "the object's pixels get ImageNet's mean color",
    name: "object in ImageNet’s mean",
    caption: "Object in ImageNet's mean",
    sentence: "The object is painted in the color that normalization turns into 0.",
    parse: |_, _| Perturbation::single(Paint::ImageNetMean),
    ..PerturbationKind::BASE
};

pub(crate) static NO_FG: PerturbationKind = PerturbationKind {
    pattern: "no-fg",
    help: "the object's pixels become black",
    name: "object black",
    caption: "Object black",
    sentence: "As in ImageNet-9, the object is painted black. The outline stays visible.",
    parse: |_, _| Perturbation::single(Paint::NoFg),
    ..PerturbationKind::BASE
};

pub(crate) static ONLY_FG: PerturbationKind = PerturbationKind {
    pattern: "only-fg",
    help: "everything except the object becomes black",
    name: "all else black",
    caption: "All else black",
    sentence: "As in ImageNet-9, everything except the object is painted black.",
    keeps_object: true,
    parse: |_, _| Perturbation::single(Paint::OnlyFg),
    ..PerturbationKind::BASE
};

pub(crate) static GRAY_BG: PerturbationKind = PerturbationKind {
    pattern: "gray-bg",
    help: "everything except the object becomes gray",
    name: "all else gray",
    caption: "All else gray",
    sentence: "Everything except the object is painted mid-gray.",
    keeps_object: true,
    parse: |_, _| Perturbation::single(Paint::GrayBg),
    ..PerturbationKind::BASE
};

impl Perturb for Paint {
    fn id(&self) -> String {
        self.kind().pattern.to_owned()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let object = runs(mask, Region::Foreground);
        let background = || between(&object, mask.as_slice().len());
        match self {
            Self::Mean => painted(image, &object, mean_color(image, &background())),
            Self::ImageNetMean => painted(image, &object, IMAGENET_MEAN),
            Self::NoFg => painted(image, &object, [0.0; 3]),
            Self::OnlyFg => painted(image, &background(), [0.0; 3]),
            Self::GrayBg => painted(image, &background(), [GRAY; 3]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_region_gets_one_color() {
        // The left column is the object. Red is 0.1 there and 0.4 and 0.8 next to it.
        let values = [[0.1, 0.4, 0.1, 0.8], [0.2, 0.5, 0.2, 0.5], [0.3, 0.0, 0.3, 1.0]].concat();
        let image = Pixels::from_vec(2, 2, values).unwrap();
        let mask = Mask::from_fn(2, 2, |_, column| column == 0);
        let check = |paint: Paint, object: [f32; 3], background: Option<f32>| {
            let changed = paint.apply(&image, &mask, NoiseKey(0));
            for ((before, after), object) in image.as_slice().chunks(4).zip(changed.as_slice().chunks(4)).zip(object) {
                let around = |at: usize| background.unwrap_or(before[at]);
                assert_eq!(after, [object, around(1), object, around(3)], "{paint:?}");
            }
        };
        check(Paint::Mean, [0.6, 0.5, 0.5], None);
        check(Paint::ImageNetMean, IMAGENET_MEAN, None);
        check(Paint::NoFg, [0.0; 3], None);
        check(Paint::OnlyFg, [0.1, 0.2, 0.3], Some(0.0));
        check(Paint::GrayBg, [0.1, 0.2, 0.3], Some(0.5));

        let all = mask.complement();
        let no_background = Mask::from_fn(2, 2, |_, _| true);
        assert_eq!(Paint::Mean.apply(&image, &no_background, NoiseKey(0)).as_slice(), [0.5; 12]);
        assert_ne!(Paint::Mean.apply(&image, &all, NoiseKey(0)), image);
    }
}
