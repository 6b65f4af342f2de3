use crate::perturb::{GRAY, assert_one_size, between, mean_colour, painted, runs};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Region};
use hard_imagenet_images::{IMAGENET_MEAN, Pixels};
use hard_imagenet_masks::Mask;

/// The object or all else in one colour. Like `gray`, all of these leave the object's shape to be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Paint {
    /// `mean`: the object in the mean colour of its surroundings, over the whole image; gray where there are none.
    Mean,
    /// `imagenet-mean`: the object in ImageNet's mean colour, which is 0 once normalised.
    ImageNetMean,
    /// `no-fg`: the object in black (ImageNet-9's No-FG).
    NoFg,
    /// `only-fg`: all but the object in black (ImageNet-9's Only-FG).
    OnlyFg,
    /// `gray-bg`: all but the object in gray (the background ablation of RIVAL10).
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
        let beside = || between(&object, mask.as_slice().len());
        match self {
            Self::Mean => painted(image, &object, mean_colour(image, &beside())),
            Self::ImageNetMean => painted(image, &object, IMAGENET_MEAN),
            Self::NoFg => painted(image, &object, [0.0; 3]),
            Self::OnlyFg => painted(image, &beside(), [0.0; 3]),
            Self::GrayBg => painted(image, &beside(), [GRAY; 3]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_has_one_colour() {
        // The left column is object; red 0.1 there and 0.4, 0.8 beside it.
        let values = [[0.1, 0.4, 0.1, 0.8], [0.2, 0.5, 0.2, 0.5], [0.3, 0.0, 0.3, 1.0]].concat();
        let image = Pixels::from_vec(2, 2, values).unwrap();
        let mask = Mask::from_fn(2, 2, |_, column| column == 0);
        let check = |paint: Paint, object: [f32; 3], beside: Option<f32>| {
            let changed = paint.apply(&image, &mask, NoiseKey(0));
            for ((before, after), object) in image.as_slice().chunks(4).zip(changed.as_slice().chunks(4)).zip(object) {
                let beside = |at: usize| beside.unwrap_or(before[at]);
                assert_eq!(after, [object, beside(1), object, beside(3)], "{paint:?}");
            }
        };
        check(Paint::Mean, [0.6, 0.5, 0.5], None);
        check(Paint::ImageNetMean, IMAGENET_MEAN, None);
        check(Paint::NoFg, [0.0; 3], None);
        check(Paint::OnlyFg, [0.1, 0.2, 0.3], Some(0.0));
        check(Paint::GrayBg, [0.1, 0.2, 0.3], Some(0.5));

        let all = mask.complement();
        let nothing_beside = Mask::from_fn(2, 2, |_, _| true);
        assert_eq!(Paint::Mean.apply(&image, &nothing_beside, NoiseKey(0)).as_slice(), [0.5; 12]);
        assert_ne!(Paint::Mean.apply(&image, &all, NoiseKey(0)), image);
    }
}
