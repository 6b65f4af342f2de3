use crate::perturb::{assert_one_size, runs};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Region};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::Mask;

/// Shuffles the object's pixels (`shuffle:1`) or the cells of a grid (`shuffle:16`).
///
/// The grid begins in the upper left corner. The whole cells that contain an object pixel exchange places at random, all
/// three channels together; background pixels in such a cell move with it. Cells that the right or lower border cuts off
/// stay. Colors, and textures smaller than a cell, survive; the shape within the object does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shuffle {
    /// The side of a cell in pixels, at least 1.
    pub cell: usize,
}

pub(crate) static KIND: PerturbationKind = PerturbationKind {
    pattern: "shuffle:CELL",
    help: "the object's pixels (CELL 1) or its cells of CELL × CELL pixels change places at random, e.g. shuffle:16",
    name: "object shuffled",
    title: Some("object shuffled by CELL"),
    caption: "Object shuffled by CELL",
    sentence: "Pixels or square cells of the object change places at random.",
    keeps_object: true,
    is_random: true,
    needs: "the side of a cell in pixels",
    parse: |arguments, _| match arguments[0].parse::<usize>() {
        Ok(cell) if cell > 0 => Perturbation::single(Shuffle { cell }),
        _ => Err(format!("the cell is a whole number of pixels, not {:?}", arguments[0])),
    },
    ..PerturbationKind::BASE
};

impl Perturb for Shuffle {
    fn id(&self) -> String {
        format!("shuffle:{}", self.cell)
    }

    fn apply(&self, image: &Pixels, mask: &Mask, key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let (width, cell) = (image.width(), self.cell);
        let places = self.cells(mask);
        let sources = shuffled(&places, key);
        let mut changed = image.clone();
        let plane = mask.as_slice().len().max(1);
        for (plane, source) in changed.as_mut_slice().chunks_exact_mut(plane).zip(image.as_slice().chunks_exact(plane))
        {
            if cell == 1 {
                places.iter().zip(&sources).for_each(|(&to, &from)| plane[to] = source[from]);
                continue;
            }
            for (&to, &from) in places.iter().zip(&sources) {
                for row in 0..cell {
                    plane[to + row * width..][..cell].copy_from_slice(&source[from + row * width..][..cell]);
                }
            }
        }
        changed
    }
}

impl Shuffle {
    /// Returns the index of the upper left pixel of each whole cell with an object pixel.
    fn cells(&self, mask: &Mask) -> Vec<usize> {
        let cell = self.cell;
        if cell == 1 {
            return runs(mask, Region::Foreground).into_iter().flatten().collect();
        }
        let mut places = Vec::new();
        for row in 0..mask.height() / cell {
            for column in 0..mask.width() / cell {
                let mut rows = (row * cell..(row + 1) * cell).map(|row| &mask.row(row)[column * cell..][..cell]);
                if rows.any(|pixels| pixels.contains(&1)) {
                    places.push(row * cell * mask.width() + column * cell);
                }
            }
        }
        places
    }
}

/// Returns the places in an order that the key determines (Fisher-Yates shuffle).
fn shuffled(places: &[usize], key: NoiseKey) -> Vec<usize> {
    let key = key.fork("shuffle");
    let mut places = places.to_vec();
    for last in (1..places.len()).rev() {
        places.swap(last, key.below(last as u64, last as u64 + 1) as usize);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_is_equally_likely() {
        let mut counts = std::collections::BTreeMap::new();
        for trial in 0..2400 {
            *counts.entry(shuffled(&[0, 1, 2, 3], NoiseKey::new(0, "a", trial))).or_insert(0) += 1;
        }
        assert_eq!(counts.len(), 24);
        // Chi-square with 23 degrees of freedom exceeds 41.6 with probability 0.01.
        let chi_square: f64 = counts.values().map(|&n| f64::from(n - 100).powi(2) / 100.0).sum();
        assert!(chi_square < 41.6, "{chi_square}");
    }

    #[test]
    fn single_pixels_move_like_cells_of_one_pixel() {
        let image = Pixels::from_vec(5, 7, (0..105).map(|i| i as f32 / 128.0).collect()).unwrap();
        let mask = Mask::from_fn(5, 7, |row, column| row * column % 3 == 2);
        let places: Vec<usize> = (0..35).filter(|&place| mask.as_slice()[place] == 1).collect();
        let key = NoiseKey::new(0, "a", 0);
        let mut expected = image.clone();
        for channel in 0..3 {
            for (&to, from) in places.iter().zip(shuffled(&places, key)) {
                expected.as_mut_slice()[channel * 35 + to] = image.as_slice()[channel * 35 + from];
            }
        }
        assert_eq!(Shuffle { cell: 1 }.apply(&image, &mask, key), expected);
        assert_ne!(expected, image);
    }

    #[test]
    fn cells_move_as_a_whole() {
        let image = Pixels::from_vec(5, 7, (0..105).map(|i| i as f32 / 128.0).collect()).unwrap();
        // One pixel lies in each of three whole cells of 2 × 2, and one in a cell that the border cuts off.
        let objects = [(0, 0), (1, 5), (3, 2), (4, 6)];
        let mask = Mask::from_fn(5, 7, |row, column| objects.contains(&(row, column)));
        let shuffle = Shuffle { cell: 2 };
        let places = shuffle.cells(&mask);
        assert_eq!(places, [0, 4, 16]);
        let mut moved = 0;
        for trial in 0..6 {
            let changed = shuffle.apply(&image, &mask, NoiseKey::new(0, "a", trial));
            let corner = |place: usize, of: &Pixels| [0, 1, 7, 8, 35, 78].map(|offset| of.as_slice()[place + offset]);
            for &place in &places {
                let found = places.iter().filter(|&&from| corner(from, &image) == corner(place, &changed));
                assert_eq!(found.count(), 1);
                moved += usize::from(corner(place, &image) != corner(place, &changed));
            }
            assert_eq!(changed.as_slice()[34], image.as_slice()[34]);
            let same = image.as_slice().iter().zip(changed.as_slice()).filter(|(a, b)| a == b).count();
            assert!(same >= 105 - 3 * 12);
        }
        assert!(moved > 0);
    }
}
