use crate::perturb::{assert_one_size, fill_colour, mean_colour};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Component, Connectivity, Mask, Rect};

/// The box of each connected part of the object in the mean colour of what surrounds the part within it, `average`;
/// or only the part itself, `average:shape`. Parts whose box has fewer than 100 pixels stay.
///
/// Parts are 4-connected and taken in raster order. In no table of the paper.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Average {
    /// Only the pixels of the part, not its box.
    pub keep_shape: bool,
    /// As published, or as meant.
    pub rule: AverageRule,
}

/// How colours are averaged. (Q5)
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AverageRule {
    /// What the published code does. It takes the first row of an array that marks the box for the box: parts that do
    /// not begin in row 0, or are not more than 100 columns wide, stay; for the others the box is all rows, without its
    /// last column. The colour is (nonzero values − sum of the object's values) of a channel over (nonzero values −
    /// object's values) of all, times three: beyond [0, 1] more often than not, and not finite where nothing is left
    /// to divide by. With the shape it paints the part's pixels; without it stops with an error, and here leaves the
    /// image as it is.
    Published,
    /// The mean of the box's pixels that are no object's, of the unmodified image; gray where there is none.
    Corrected,
}

pub(crate) static BOX: PerturbationKind = PerturbationKind {
    pattern: "average",
    help: "the box of each part of the object gets the mean color of the background within the box",
    name: "box averaged",
    caption: "Box averaged",
    sentence: "The box of each connected part of the object is painted in the mean color of the background within it.",
    switch: Some("average"),
    parse: |_, switches| Perturbation::single(Average { keep_shape: false, rule: switches.average }),
    ..PerturbationKind::BASE
};

pub(crate) static SHAPE: PerturbationKind = PerturbationKind {
    pattern: "average:shape",
    help: "the same for the parts themselves, without their boxes",
    name: "object averaged",
    caption: "Object averaged",
    sentence: "Each connected part of the object is painted in the mean color of the background within its box.",
    parse: |_, switches| Perturbation::single(Average { keep_shape: true, rule: switches.average }),
    ..BOX
};

impl From<Preset> for AverageRule {
    fn from(preset: Preset) -> Self {
        match preset {
            Preset::Paper => Self::Published,
            Preset::Strict => Self::Corrected,
        }
    }
}

/// Boxes with fewer pixels are passed over.
const LEAST: usize = 100;

impl Perturb for Average {
    fn id(&self) -> String {
        if self.keep_shape { SHAPE.pattern.to_owned() } else { BOX.pattern.to_owned() }
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _key: NoiseKey) -> Pixels {
        assert_one_size(image, mask);
        let mut changed = image.clone();
        let parts = mask.components(Connectivity::Four);
        for (index, part) in parts.iter().enumerate() {
            match (self.rule, self.keep_shape) {
                (AverageRule::Corrected, _) if part.bounds.area() < LEAST => (),
                (AverageRule::Corrected, false) => {
                    fill_colour(&mut changed, part.bounds, colour_beside(image, mask, part.bounds));
                }
                (AverageRule::Corrected, true) => {
                    let colour = colour_beside(image, mask, part.bounds);
                    fill_shape(&mut changed, &parts.mask(index), part, part.bounds.right, colour);
                }
                (AverageRule::Published, false) => (),
                (AverageRule::Published, true) => {
                    let right = part.bounds.right - 1;
                    let begins = part.bounds.top == 0 && part.bounds.bottom > 1;
                    if begins && right - part.bounds.left >= LEAST {
                        let shape = parts.mask(index);
                        let colour = published_colour(image, &shape, part.bounds.left, right);
                        fill_shape(&mut changed, &shape, part, right, colour);
                    }
                }
            }
        }
        changed
    }
}

/// The mean colour of what is no object within a box.
fn colour_beside(image: &Pixels, mask: &Mask, bounds: Rect) -> [f32; 3] {
    let width = image.width();
    let free = |row: usize| {
        let line = row * width + bounds.left..row * width + bounds.right;
        line.filter(|&place| mask.as_slice()[place] == 0).map(|place| place..place + 1)
    };
    mean_colour(image, &(bounds.top..bounds.bottom).flat_map(free).collect::<Vec<_>>())
}

/// Fills the pixels of one part up to a column.
fn fill_shape(image: &mut Pixels, shape: &Mask, part: &Component, right: usize, colour: [f32; 3]) {
    let width = image.width();
    for (plane, colour) in image.as_mut_slice().chunks_exact_mut(shape.as_slice().len()).zip(colour) {
        for row in part.bounds.top..part.bounds.bottom {
            let line = row * width + part.bounds.left..row * width + right;
            for (value, &object) in plane[line.clone()].iter_mut().zip(&shape.as_slice()[line]) {
                *value = if object != 0 { colour } else { *value };
            }
        }
    }
}

/// The colour that the published code paints, from the columns `left..right` of all rows.
fn published_colour(image: &Pixels, shape: &Mask, left: usize, right: usize) -> [f32; 3] {
    let (height, width) = (image.height(), image.width());
    let places = || (0..height).flat_map(|row| row * width + left..row * width + right);
    let object = places().filter(|&place| shape.as_slice()[place] != 0).count();
    let mut nonzero = [0usize; 3];
    let mut sums = [0f64; 3];
    for (channel, plane) in image.as_slice().chunks_exact(height * width).enumerate() {
        nonzero[channel] = places().filter(|&place| plane[place] != 0.0).count();
        let on_object = places().filter(|&place| shape.as_slice()[place] != 0);
        sums[channel] = on_object.map(|place| f64::from(plane[place])).sum();
    }
    let left_over = nonzero.iter().sum::<usize>() as f64 - 3.0 * object as f64;
    [0, 1, 2].map(|channel| ((nonzero[channel] as f64 - sums[channel]) / left_over * 3.0) as f32)
}
