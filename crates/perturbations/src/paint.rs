use crate::perturb::{GRAY, assert_one_size, between, mean_colour, painted, runs};
use crate::{NoiseKey, Perturb, Region};
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
    /// All there are.
    pub const ALL: [Self; 5] = [Self::Mean, Self::ImageNetMean, Self::NoFg, Self::OnlyFg, Self::GrayBg];

    fn word(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::ImageNetMean => "imagenet-mean",
            Self::NoFg => "no-fg",
            Self::OnlyFg => "only-fg",
            Self::GrayBg => "gray-bg",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|paint| paint.word() == word)
    }
}

impl Perturb for Paint {
    fn id(&self) -> String {
        self.word().to_owned()
    }

    fn is_random(&self) -> bool {
        false
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
