//! Generated images whose right answer is known.

mod draws;
mod palette;
mod scene;
mod silhouette;

pub use scene::Scene;
pub use silhouette::Silhouette;

use crate::entry::DatasetEntry;
use crate::{Class, Dataset, DatasetError, DatasetInfo, Sample};
use draws::Draws;
use hard_imagenet_images::{Gray8, Rgb8};
use palette::{Palette, blend};
use scene::Backdrop;

pub(crate) const HARD_ENTRY: DatasetEntry = DatasetEntry::new(
    "planted-hard",
    "Generated: small objects off center, nearly always in the scene of their class",
    |options| Ok(Box::new(PlantedCues::hard(ENTRY_SEED, options.limit.unwrap_or(ENTRY_SAMPLES), ENTRY_SIZE))),
);

pub(crate) const EASY_ENTRY: DatasetEntry = DatasetEntry::new(
    "planted-easy",
    "Generated: large central objects in scenes that say nothing about the class",
    |options| Ok(Box::new(PlantedCues::easy(ENTRY_SEED, options.limit.unwrap_or(ENTRY_SAMPLES), ENTRY_SIZE))),
);

/// The seed of the datasets in the list. It differs from the seeds that the demo's models were trained with.
const ENTRY_SEED: u64 = 2022;
/// The number of samples in a dataset of the list without a limit.
const ENTRY_SAMPLES: usize = 400;
/// The side of the images in a dataset of the list, in pixels.
const ENTRY_SIZE: usize = 64;

/// How planted cues are drawn. Lengths are in units of the image's side.
///
/// ```
/// use hard_imagenet_datasets::{Dataset, PlantedConfig, PlantedCues};
///
/// let base = PlantedConfig::hard();
/// let half = PlantedCues::new(PlantedConfig { name: "half".into(), cue: 0.5, ..base }, 1, 80, 64)?;
/// assert_eq!(half.info().name, "planted-half");
/// assert_eq!(half.id(0), "half/star/00000");
/// # Ok::<(), hard_imagenet_datasets::DatasetError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PlantedConfig {
    /// The name. The dataset is called "planted-NAME", and its ids begin with NAME.
    pub name: String,
    /// The probability that the scene is the class's own, in [0, 1]. Otherwise it is one of the others with equal
    /// probability.
    pub cue: f64,
    /// The radius of the circle around the object is uniform in this range, within (0, 0.5].
    pub radius: (f32, f32),
    /// The distance of the object's center from the image's center is uniform in this range, within [0, 0.75]. An
    /// object that would leave the image is moved back until it just lies inside.
    pub offset: (f32, f32),
    /// The share of the image that the scene fills is uniform in this range, within [0, 1]. The rest is filled by a
    /// scene that belongs to no class in the image.
    pub extent: (f32, f32),
}

/// One scene fills the image.
const WHOLE: (f32, f32) = (1.0, 1.0);

impl PlantedConfig {
    /// The value of `cue` at which the scene says nothing about the class.
    pub const CHANCE: f64 = 1.0 / Scene::ALL.len() as f64;

    /// Returns what makes Hard ImageNet hard: small objects off center, nearly always in their own scene.
    pub fn hard() -> Self {
        Self { name: "hard".into(), cue: 0.9, radius: (0.14, 0.22), offset: (0.15, 0.35), extent: WHOLE }
    }

    /// Returns what makes RIVAL easy: large central objects in any scene.
    pub fn easy() -> Self {
        Self { name: "easy".into(), cue: Self::CHANCE, radius: (0.30, 0.42), offset: (0.0, 0.08), extent: WHOLE }
    }

    /// Returns all sizes and positions of the other two, for training at any strength of the cue.
    pub fn train(cue: f64) -> Self {
        Self { name: "train".into(), cue, radius: (0.14, 0.42), offset: (0.0, 0.35), extent: WHOLE }
    }

    fn check(&self) -> Result<(), DatasetError> {
        let bad = |what: String| Err(DatasetError::Config { name: self.name.clone(), what });
        let ordered = |(low, high): (f32, f32)| low <= high;
        if !(0.0..=1.0).contains(&self.cue) {
            return bad(format!("cue must be a probability in [0, 1], got {}", self.cue));
        }
        if !(ordered(self.radius) && self.radius.0 > 0.0 && self.radius.1 <= 0.5) {
            return bad(format!("radius must be a range within (0, 0.5], got {:?}", self.radius));
        }
        if !(ordered(self.offset) && self.offset.0 >= 0.0 && self.offset.1 <= 0.75) {
            return bad(format!("offset must be a range within [0, 0.75], got {:?}", self.offset));
        }
        if !(ordered(self.extent) && self.extent.0 >= 0.0 && self.extent.1 <= 1.0) {
            return bad(format!("extent must be a range within [0, 1], got {:?}", self.extent));
        }
        Ok(())
    }
}

/// Eight silhouettes on eight scenes: a generated dataset whose right answers are known.
///
/// The shape of the object is the class. Its color, position, size and rotation say nothing about the class, and the
/// scene reveals the class as often as [`PlantedConfig::cue`] says. So a model that was trained where the cue is always
/// present can be compared with one that was trained where it is uninformative, and a measure of reliance on the object
/// must distinguish them.
///
/// Sample `i` depends only on the seed and on `i`. It is the same on every machine and for any number of samples. Its
/// class is `i % 8`, so every prefix is balanced. Geometry is drawn in units of the side: at another size, the image is
/// the same at another resolution. The mask is the share of each pixel that the object covers, counted on an 8 × 8 grid
/// of points (255 is all of it, 128 half).
///
/// No part of the object is drawn outside its mask, so the box and the tile ablation remove it completely. The gray
/// ablation leaves a gray silhouette, as it does in photographs.
pub struct PlantedCues {
    info: DatasetInfo,
    config: PlantedConfig,
    seed: u64,
    size: usize,
    ids: Vec<String>,
}

/// An object and its position.
struct Placement {
    shape: Silhouette,
    radius: f32,
    center: (f32, f32),
    /// The cosine and the sine of its rotation.
    turn: (f32, f32),
}

impl PlantedCues {
    /// Creates a dataset of `n` images of `size` × `size` pixels.
    ///
    /// # Errors
    /// Returns [`DatasetError::Config`] if a probability or a range of the configuration is invalid, or if `size` is 0.
    pub fn new(config: PlantedConfig, seed: u64, n: usize, size: usize) -> Result<Self, DatasetError> {
        config.check()?;
        if size == 0 {
            return Err(DatasetError::Config {
                name: config.name,
                what: "the side of the images must not be 0".into(),
            });
        }
        Ok(Self::build(config, seed, n, size))
    }

    /// Creates "planted-hard" with [`PlantedConfig::hard`].
    pub fn hard(seed: u64, n: usize, size: usize) -> Self {
        Self::build(PlantedConfig::hard(), seed, n, size.max(1))
    }

    /// Creates "planted-easy" with [`PlantedConfig::easy`].
    pub fn easy(seed: u64, n: usize, size: usize) -> Self {
        Self::build(PlantedConfig::easy(), seed, n, size.max(1))
    }

    fn build(config: PlantedConfig, seed: u64, n: usize, size: usize) -> Self {
        let classes = Silhouette::ALL.map(|s| Class { name: s.name().into(), wnid: None, imagenet: None });
        let info = DatasetInfo { name: format!("planted-{}", config.name), classes: classes.into() };
        let ids = (0..n).map(|i| format!("{}/{}/{i:05}", config.name, silhouette_of(i).name())).collect();
        Self { info, config, seed, size, ids }
    }

    /// Returns the configuration.
    pub fn config(&self) -> &PlantedConfig {
        &self.config
    }

    /// Returns the scene of sample `i`.
    pub fn scene(&self, i: usize) -> Scene {
        let mut draws = Draws::new(self.seed, i as u64, 0);
        let own = self.class(i);
        let is_own = draws.unit() < self.config.cue;
        // The seven other scenes are counted from the own one.
        let other = (own + 1 + draws.below(Scene::ALL.len() - 1)) % Scene::ALL.len();
        Scene::ALL[if is_own { own } else { other }]
    }

    /// Returns whether sample `i` shows the scene of its class.
    pub fn has_own_scene(&self, i: usize) -> bool {
        self.scene(i) == Scene::ALL[self.class(i)]
    }

    /// Returns the share of the image that the scene of sample `i` fills, in [0, 1].
    pub fn extent(&self, i: usize) -> f32 {
        let (low, high) = self.config.extent;
        if low == high { low } else { Draws::new(self.seed, i as u64, 4).range(low, high) }
    }

    /// Returns the strength of the cue in sample `i`, in [0, 1]: the share of the image that the class's own scene
    /// fills.
    pub fn cue_strength(&self, i: usize) -> f32 {
        if self.has_own_scene(i) { self.extent(i) } else { 0.0 }
    }

    /// Draws the second scene, for an image that the first one does not fill, and its side: -1 for left, 1 for right.
    fn second_scene(&self, i: usize) -> (Scene, f32) {
        let mut draws = Draws::new(self.seed, i as u64, 5);
        let others: Vec<Scene> =
            Scene::ALL.into_iter().filter(|&s| s != self.scene(i) && s != Scene::ALL[self.class(i)]).collect();
        (others[draws.below(others.len())], if draws.coin() { 1.0 } else { -1.0 })
    }

    fn placement(&self, i: usize) -> Placement {
        let mut draws = Draws::new(self.seed, i as u64, 1);
        let radius = draws.range(self.config.radius.0, self.config.radius.1);
        let offset = draws.range(self.config.offset.0, self.config.offset.1);
        let (dx, dy) = draws.direction();
        let inside = |v: f32| (0.5 + offset * v).clamp(radius, 1.0 - radius);
        // Up to about 17 degrees to either side.
        let (sine, cosine) = (draws.range(-0.3, 0.3), 1.0f32);
        let norm = (sine * sine + cosine * cosine).sqrt();
        let turn = (cosine / norm, sine / norm);
        Placement { shape: silhouette_of(i), radius, center: (inside(dx), inside(dy)), turn }
    }
}

fn silhouette_of(i: usize) -> Silhouette {
    Silhouette::ALL[i % Silhouette::ALL.len()]
}

impl Placement {
    /// Returns the distance to the outline in units of the side, negative inside.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (px, py) = ((x - self.center.0) / self.radius, (y - self.center.1) / self.radius);
        let (cosine, sine) = self.turn;
        self.radius * self.shape.distance(cosine * px + sine * py, cosine * py - sine * px)
    }

    /// Returns the share of the pixel around (x, y) that the object covers, in 64ths.
    fn coverage(&self, x: f32, y: f32, pixel: f32) -> f32 {
        const GRID: usize = 8;
        let distance = self.distance(x, y);
        // Farther away than half its diagonal, the pixel lies entirely inside or outside.
        if distance.abs() > 0.708 * pixel {
            return if distance < 0.0 { 1.0 } else { 0.0 };
        }
        let at = |k: usize| ((k as f32 + 0.5) / GRID as f32 - 0.5) * pixel;
        let points = (0..GRID * GRID).filter(|k| self.distance(x + at(k % GRID), y + at(k / GRID)) < 0.0).count();
        points as f32 / (GRID * GRID) as f32
    }

    /// Returns the brightness of the object's surface: lit from the upper left, with a darker rim.
    fn shade(&self, x: f32, y: f32) -> f32 {
        let slant = ((x - self.center.0) + 1.4 * (y - self.center.1)) / self.radius;
        let rim = (1.0 + self.distance(x, y) / (0.10 * self.radius)).clamp(0.0, 1.0);
        1.0 - 0.07 * slant.clamp(-1.4, 1.4) - 0.14 * rim * rim
    }
}

impl Dataset for PlantedCues {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn id(&self, i: usize) -> &str {
        &self.ids[i]
    }

    fn class(&self, i: usize) -> usize {
        i % Silhouette::ALL.len()
    }

    fn is_generated(&self) -> bool {
        true
    }

    fn stamp(&self, i: usize) -> Option<String> {
        let Self { config, seed, size, .. } = self;
        Some(format!("{config:?} seed {seed} size {size} sample {i}"))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let size = self.size;
        let object = self.placement(i);
        let backdrop = Backdrop::draw(self.scene(i), &mut Draws::new(self.seed, i as u64, 2), size);
        let mut colors = Draws::new(self.seed, i as u64, 3);
        let palette = Palette::draw(&mut colors);
        let light = colors.direction();
        let (extent, (other, side)) = (self.extent(i), self.second_scene(i));
        let other = (extent < 1.0).then(|| Backdrop::draw(other, &mut Draws::new(self.seed, i as u64, 6), size));
        let tone = |x: f32, y: f32| match &other {
            Some(other) if side * (x - 0.5) > extent - 0.5 => other.tone(x, y),
            _ => backdrop.tone(x, y),
        };

        let pixel = 1.0 / size as f32;
        let mut image = Vec::with_capacity(size * size * 3);
        let mut mask = Vec::with_capacity(size * size);
        for row in 0..size {
            for column in 0..size {
                let (x, y) = ((column as f32 + 0.5) * pixel, (row as f32 + 0.5) * pixel);
                let coverage = object.coverage(x, y, pixel);
                // The scene is lit slightly from one side.
                let lit = 1.0 + 0.10 * ((x - 0.5) * light.0 + (y - 0.5) * light.1);
                let mut color = palette.scene(tone(x, y)).map(|v| v * lit);
                if coverage > 0.0 {
                    let shade = object.shade(x, y);
                    color = blend(color, palette.object().map(|v| v * shade), coverage);
                }
                image.extend(color.map(to_u8));
                mask.push(to_u8(coverage));
            }
        }
        let image = Rgb8 { height: size, width: size, data: image };
        let mask = Gray8 { height: size, width: size, data: mask };
        Ok(Sample::new(self.ids[i].clone(), image, mask, self.class(i)))
    }
}

/// Converts [0, 1] to 0..=255, rounded half up and clipped.
fn to_u8(v: f32) -> u8 {
    (v * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}
