use crate::perturb::{assert_one_size, fill};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Mask, Rect};

/// Removes the box around all object pixels, including its last row and column, as in ImageNet-9 (Xiao, Engstrom, Ilyas,
/// Madry 2021). An empty mask leaves the image unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnlyBg {
    /// `only-bg-b`: the box becomes black (Only-BG-B).
    Black,
    /// `only-bg-t`: the box is covered with the largest strip next to it (Only-BG-T). A strip reaches from the box to a
    /// border of the image, is as long as the image, and is repeated from the image's upper left corner. If the box
    /// reaches all four borders, there is no strip and the box becomes black; ImageNet-9 omits such images.
    Tiled,
}

pub(crate) static BLACK: PerturbationKind = PerturbationKind {
    pattern: "only-bg-b",
    help: "the box around the object becomes black",
    name: "box black",
    caption: "Box black",
    sentence: "As in ImageNet-9, the box around the object is painted black.",
    parse: |_, _| Perturbation::single(OnlyBg::Black),
    ..PerturbationKind::BASE
};

pub(crate) static TILED: PerturbationKind = PerturbationKind {
    pattern: "only-bg-t",
    help: "the box around the object is covered with the largest strip next to it",
    name: "box covered by a strip",
    caption: "Box covered by a strip",
    sentence: "As in ImageNet-9, the box around the object is covered with the largest strip of the image next to it.",
    parse: |_, _| Perturbation::single(OnlyBg::Tiled),
    ..PerturbationKind::BASE
};

impl Perturb for OnlyBg {
    fn id(&self) -> String {
        match self {
            Self::Black => BLACK.pattern.to_owned(),
            Self::Tiled => TILED.pattern.to_owned(),
        }
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let mut changed = image.clone();
        if let Some(bounds) = mask.bounding_box() {
            match self {
                Self::Tiled if cover(&mut changed, bounds) => (),
                _ => fill(&mut changed, bounds, 0.0),
            }
        }
        changed
    }
}

/// Covers a box with the largest strip next to it. Returns whether there is one.
pub(crate) fn cover(image: &mut Pixels, bounds: Rect) -> bool {
    let (height, width) = (image.height(), image.width());
    let tile = strip(bounds, height, width);
    if tile.is_empty() {
        return false;
    }
    // The strip and the box do not overlap, so no value is read after it was written.
    for plane in image.as_mut_slice().chunks_exact_mut(height * width) {
        for row in bounds.top..bounds.bottom {
            let from = (tile.top + row % tile.height()) * width + tile.left;
            let mut column = bounds.left;
            while column < bounds.right {
                let within = column % tile.width();
                let length = (tile.width() - within).min(bounds.right - column);
                plane.copy_within(from + within..from + within + length, row * width + column);
                column += length;
            }
        }
    }
    true
}

/// Returns the largest strip between the box and a border. Of equal strips it prefers below to above, right to left, and
/// both of the former to the latter.
fn strip(bounds: Rect, height: usize, width: usize) -> Rect {
    let (above, below) = (bounds.top, height - bounds.bottom);
    let (left, right) = (bounds.left, width - bounds.right);
    let all = Rect { top: 0, left: 0, bottom: height, right: width };
    if left.max(right) * height > above.max(below) * width {
        if left > right { Rect { right: left, ..all } } else { Rect { left: bounds.right, ..all } }
    } else if above > below {
        Rect { bottom: above, ..all }
    } else {
        Rect { top: bounds.bottom, ..all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_strip_wins() {
        let check = |(top, left, bottom, right): (usize, usize, usize, usize), expected| {
            let tile = strip(Rect { top, left, bottom, right }, 10, 10);
            assert_eq!((tile.top, tile.left, tile.bottom, tile.right), expected);
        };
        check((4, 5, 6, 9), (0, 0, 10, 5));
        check((4, 1, 6, 4), (0, 4, 10, 10));
        check((7, 4, 9, 6), (0, 0, 7, 10));
        check((1, 4, 3, 6), (3, 0, 10, 10));
        check((2, 2, 8, 8), (8, 0, 10, 10)); // all four are equal
        assert!(strip(Rect { top: 0, left: 0, bottom: 10, right: 10 }, 10, 10).is_empty());
    }

    #[test]
    fn the_strip_is_repeated_from_the_corner() {
        let image = Pixels::from_vec(9, 11, (0..297).map(|i| i as f32).collect()).unwrap();
        // Strips on the right, on the left, below and above, narrower and wider than the box.
        for (top, left, bottom, right) in [(1, 1, 8, 7), (2, 5, 7, 10), (1, 1, 6, 10), (5, 2, 8, 9), (4, 4, 5, 5)] {
            let bounds = Rect { top, left, bottom, right };
            let tile = strip(bounds, 9, 11);
            let mut covered = image.clone();
            assert!(cover(&mut covered, bounds));
            for (place, &value) in covered.as_slice().iter().enumerate() {
                let (channel, row, column) = (place / 99, place / 11 % 9, place % 11);
                let inside = (top..bottom).contains(&row) && (left..right).contains(&column);
                let (row, column) = match inside {
                    true => (tile.top + row % tile.height(), tile.left + column % tile.width()),
                    false => (row, column),
                };
                assert_eq!(value, image.as_slice()[channel * 99 + row * 11 + column]);
            }
        }
    }

    #[test]
    fn without_a_strip_the_box_is_black() {
        let image = Pixels::from_vec(2, 2, vec![0.25; 12]).unwrap();
        let corners = Mask::from_fn(2, 2, |row, column| row == column);
        assert_eq!(OnlyBg::Tiled.apply(&image, &corners, NoiseKey(0)).as_slice(), [0.0; 12]);
    }
}
