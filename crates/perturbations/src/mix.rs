use crate::only_bg::cover;
use crate::perturb::{append, assert_one_size, rewritten, runs};
use crate::{Perturbation, PerturbationKind, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Places the object in front of the background of another image, as in ImageNet-9 (Xiao, Engstrom, Ilyas, Madry 2021).
///
/// This is not a [`Perturb`](crate::Perturb), because it takes two images. The owner of a dataset chooses the other image,
/// extracts its [`background`] and calls [`paste`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mix {
    /// `mixed-same`: the background of another image of the same class. It still suggests the class.
    SameClass,
    /// `mixed-rand`: the background of an image of another class, drawn from all others.
    OtherClass,
    /// `mixed-next`: the background of an image of the next class; the first class follows the last. It always suggests
    /// the same wrong class.
    NextClass,
}

pub(crate) static SAME: PerturbationKind = PerturbationKind {
    pattern: "mixed-same",
    help: "the object in front of the background of another image of its class",
    name: "background of its class",
    caption: "Surroundings of its class",
    sentence: "As in ImageNet-9, the object is pasted onto another image of the same class, whose own object is covered \
               with the largest strip next to it.",
    keeps_object: true,
    is_random: true,
    parse: |_, _| Ok(Perturbation::Mix(Mix::SameClass)),
    ..PerturbationKind::BASE
};

pub(crate) static RAND: PerturbationKind = PerturbationKind {
    pattern: "mixed-rand",
    help: "the object in front of the background of an image of another class",
    name: "background of another class",
    caption: "Surroundings of another class",
    sentence: "As in ImageNet-9, the object is pasted onto an image of any other class, whose own object is covered with \
               the largest strip next to it.",
    parse: |_, _| Ok(Perturbation::Mix(Mix::OtherClass)),
    ..SAME
};

pub(crate) static NEXT: PerturbationKind = PerturbationKind {
    pattern: "mixed-next",
    help: "the object in front of the background of an image of the next class",
    name: "background of the next class",
    caption: "Surroundings of the next class",
    sentence: "As in ImageNet-9, the object is pasted onto an image of the next class, whose own object is covered with \
               the largest strip next to it.",
    parse: |_, _| Ok(Perturbation::Mix(Mix::NextClass)),
    ..SAME
};

impl Mix {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SameClass, Self::OtherClass, Self::NextClass];

    /// Returns the word that names it.
    pub fn id(self) -> &'static str {
        match self {
            Self::SameClass => SAME.pattern,
            Self::OtherClass => RAND.pattern,
            Self::NextClass => NEXT.pattern,
        }
    }

    /// Returns the kind of that word.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mix| mix.id() == id)
    }
}

/// Returns an image without its object: the box around it is covered with the largest strip next to it, as `only-bg-t`
/// does. Returns `None` if the box reaches all four borders, so that there is no background. `image` is `(3, H, W)`,
/// `mask` is `(H, W)`.
///
/// # Panics
/// Panics if image and mask differ in size.
pub fn background(image: &Pixels, mask: &Mask) -> Option<Pixels> {
    assert_one_size(image, mask);
    let mut background = image.clone();
    match mask.bounding_box() {
        Some(bounds) if !cover(&mut background, bounds) => None,
        _ => Some(background),
    }
}

/// Places the object of `image` (where `mask` is on) in front of a background. All three have the same size.
///
/// # Panics
/// Panics if the three differ in size.
pub fn paste(image: &Pixels, mask: &Mask, background: &Pixels) -> Pixels {
    assert_one_size(image, mask);
    assert_one_size(background, mask);
    let plane = mask.as_slice().len();
    rewritten(background, &runs(mask, Region::Foreground), |mixed, channel, run| {
        append(mixed, &image.as_slice()[channel * plane..][run]);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_come_back() {
        for mix in Mix::ALL {
            assert_eq!(Mix::parse(mix.id()), Some(mix));
        }
        assert_eq!(Mix::parse("mixed"), None);
    }

    #[test]
    fn an_object_is_pasted_onto_another_background() {
        let image = Pixels::from_vec(4, 4, vec![1.0; 48]).unwrap();
        let object = Mask::from_fn(4, 4, |row, column| row == 1 && column == 1);
        // The other image is 0.25, its object in the left half 0.75.
        let left = Mask::from_fn(4, 4, |_, column| column < 2);
        let other = Pixels::from_vec(4, 4, [0.75, 0.75, 0.25, 0.25].repeat(12)).unwrap();
        let behind = background(&other, &left).unwrap();
        assert_eq!(behind.as_slice(), [0.25; 48]);
        let mixed = paste(&image, &object, &behind);
        let at = |i: usize| if i % 16 == 5 { 1.0 } else { 0.25 };
        assert_eq!(mixed.as_slice(), (0..48).map(at).collect::<Vec<f32>>());

        let everywhere = Mask::from_fn(4, 4, |row, column| row == column);
        assert_eq!(background(&other, &everywhere), None);
        assert_eq!(background(&other, &Mask::new(4, 4)), Some(other));
    }
}
