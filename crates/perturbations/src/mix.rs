use crate::only_bg::cover;
use crate::perturb::{append, assert_one_size, rewritten, runs};
use crate::{Perturbation, PerturbationKind, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// The object before the surroundings of another picture, as in ImageNet-9 (Xiao, Engstrom, Ilyas, Madry 2021).
///
/// Not a [`Perturb`](crate::Perturb), for it takes two pictures: who holds a dataset chooses the other one, takes its
/// [`background`] and calls [`paste`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mix {
    /// `mixed-same`: of another picture of the same class. The surroundings still speak for the class.
    SameClass,
    /// `mixed-rand`: of a picture of another class, drawn among all others.
    OtherClass,
    /// `mixed-next`: of a picture of the next class, the first after the last. The surroundings always speak for the
    /// same wrong class.
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
    /// All there are.
    pub const ALL: [Self; 3] = [Self::SameClass, Self::OtherClass, Self::NextClass];

    /// The word that names it.
    pub fn id(self) -> &'static str {
        match self {
            Self::SameClass => SAME.pattern,
            Self::OtherClass => RAND.pattern,
            Self::NextClass => NEXT.pattern,
        }
    }

    /// The one of that word.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mix| mix.id() == id)
    }
}

/// A picture without its object: the box around it is covered with the largest strip beside it, as `only-bg-t` does.
/// `None` where the box reaches all four borders, so that there is nothing to take. `image` is `(3, H, W)`, `mask`
/// `(H, W)`.
///
/// # Panics
/// If image and mask differ in size.
pub fn background(image: &Pixels, mask: &Mask) -> Option<Pixels> {
    assert_one_size(image, mask);
    let mut background = image.clone();
    match mask.bounding_box() {
        Some(bounds) if !cover(&mut background, bounds) => None,
        _ => Some(background),
    }
}

/// The object of `image` (where `mask` is on) before a background of the same size.
///
/// # Panics
/// If the three differ in size.
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
    fn the_object_of_one_before_the_surroundings_of_another() {
        let image = Pixels::from_vec(4, 4, vec![1.0; 48]).unwrap();
        let object = Mask::from_fn(4, 4, |row, column| row == 1 && column == 1);
        // The other picture: 0.25, its object 0.75 in the left half.
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
