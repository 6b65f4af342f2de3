use crate::perturb::{assert_one_size, fill_color, mean_color};
use crate::{NoiseKey, Perturb, Perturbation, PerturbationKind, Preset};
use hard_imagenet_images::Pixels;
use hard_imagenet_masks::{Component, Connectivity, Mask, Rect};

/// Paints the box of each connected part of the object in the mean color of the background within it (`average`), or
/// paints only the part itself (`average:shape`). Parts whose box has fewer than 100 pixels stay unchanged.
///
/// Parts are 4-connected and processed in raster order. No table of the paper uses this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Average {
    /// Whether only the pixels of the part are painted, instead of its box.
    pub keep_shape: bool,
    /// Whether to follow the published code or its intention.
    pub rule: AverageRule,
}

/// How colors are averaged (Q5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AverageRule {
    /// The behavior of the published code. It mistakes the first row of an array that marks the box for the box itself.
    /// Parts that do not begin in row 0, or that are at most 100 columns wide, stay unchanged. For the others the box is
    /// all rows, without its last column. The color is 3 (nonzero values − sum of the object's values) of a channel over
    /// (nonzero values − object's values) of all channels. It is usually outside [0, 1], and not finite if the divisor is
    /// 0. With `keep_shape` the part's pixels are painted. Without it the published code stops with an error; here the
    /// image stays unchanged.
    Published,
    /// The mean over the box's background pixels in the unmodified image, or gray if there are none.
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

/// Boxes with fewer pixels are skipped.
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
                    fill_color(&mut changed, part.bounds, background_color(image, mask, part.bounds));
                }
                (AverageRule::Corrected, true) => {
                    let color = background_color(image, mask, part.bounds);
                    fill_shape(&mut changed, &parts.mask(index), part, part.bounds.right, color);
                }
                (AverageRule::Published, false) => (),
                (AverageRule::Published, true) => {
                    let right = part.bounds.right - 1;
                    let begins = part.bounds.top == 0 && part.bounds.bottom > 1;
                    if begins && right - part.bounds.left >= LEAST {
                        let shape = parts.mask(index);
                        let color = published_color(image, &shape, part.bounds.left, right);
                        fill_shape(&mut changed, &shape, part, right, color);
                    }
                }
            }
        }
        changed
    }
}

/// Returns the mean color of the background within a box.
fn background_color(image: &Pixels, mask: &Mask, bounds: Rect) -> [f32; 3] {
    let width = image.width();
    let free = |row: usize| {
        let line = row * width + bounds.left..row * width + bounds.right;
        line.filter(|&place| mask.as_slice()[place] == 0).map(|place| place..place + 1)
    };
    mean_color(image, &(bounds.top..bounds.bottom).flat_map(free).collect::<Vec<_>>())
}

/// Fills the pixels of one part, up to a column.
fn fill_shape(image: &mut Pixels, shape: &Mask, part: &Component, right: usize, color: [f32; 3]) {
    let width = image.width();
    for (plane, color) in image.as_mut_slice().chunks_exact_mut(shape.as_slice().len()).zip(color) {
        for row in part.bounds.top..part.bounds.bottom {
            let line = row * width + part.bounds.left..row * width + right;
            for (value, &object) in plane[line.clone()].iter_mut().zip(&shape.as_slice()[line]) {
                *value = if object != 0 { color } else { *value };
            }
        }
    }
}

/// Returns the color that the published code paints, from the columns `left..right` of all rows.
fn published_color(image: &Pixels, shape: &Mask, left: usize, right: usize) -> [f32; 3] {
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
