//! Generated pictures with a known answer.

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

/// How planted cues are drawn. Lengths are in units of the picture's side.
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
    /// The dataset calls itself "planted-NAME", its ids begin with NAME.
    pub name: String,
    /// Probability that the scene is the class's own, in [0, 1]; otherwise it is one of the others, all equally likely.
    pub cue: f64,
    /// The object's radius (of the circle around it) is uniform in this range; within (0, 0.5].
    pub radius: (f32, f32),
    /// The distance of the object's centre from the picture's is uniform in this range. An object that would
    /// leave the picture is pushed back until it just lies inside.
    pub offset: (f32, f32),
    /// The scene fills this share of the picture, uniform in this range within [0, 1]; beside it lies one that belongs
    /// neither to it nor to the object.
    pub extent: (f32, f32),
}

/// One scene fills the picture.
const WHOLE: (f32, f32) = (1.0, 1.0);

impl PlantedConfig {
    /// The value of `cue` at which the scene tells nothing of the class.
    pub const CHANCE: f64 = 1.0 / Scene::ALL.len() as f64;

    /// What makes Hard ImageNet hard: small objects, off centre, nearly always in their own scene.
    pub fn hard() -> Self {
        Self { name: "hard".into(), cue: 0.9, radius: (0.14, 0.22), offset: (0.15, 0.35), extent: WHOLE }
    }

    /// What makes RIVAL easy: large objects, in the centre, in any scene.
    pub fn easy() -> Self {
        Self { name: "easy".into(), cue: Self::CHANCE, radius: (0.30, 0.42), offset: (0.0, 0.08), extent: WHOLE }
    }

    /// All sizes and places of the other two, for training at any strength of the cue.
    pub fn train(cue: f64) -> Self {
        Self { name: "train".into(), cue, radius: (0.14, 0.42), offset: (0.0, 0.35), extent: WHOLE }
    }

    fn check(&self) -> Result<(), DatasetError> {
        let bad = |what: String| Err(DatasetError::Config { name: self.name.clone(), what });
        let ordered = |(low, high): (f32, f32)| low <= high;
        if !(0.0..=1.0).contains(&self.cue) {
            return bad(format!("cue is a probability in [0, 1], got {}", self.cue));
        }
        if !(ordered(self.radius) && self.radius.0 > 0.0 && self.radius.1 <= 0.5) {
            return bad(format!("radius is a range within (0, 0.5], got {:?}", self.radius));
        }
        if !(ordered(self.offset) && self.offset.0 >= 0.0 && self.offset.1 <= 0.75) {
            return bad(format!("offset is a range within [0, 0.75], got {:?}", self.offset));
        }
        if !(ordered(self.extent) && self.extent.0 >= 0.0 && self.extent.1 <= 1.0) {
            return bad(format!("extent is a range within [0, 1], got {:?}", self.extent));
        }
        Ok(())
    }
}

/// Eight silhouettes on eight scenes: a dataset whose right answers are known, because we planted them.
///
/// The object's shape is the class. Its colour, place, size and turn tell nothing; the scene tells the class as
/// often as [`PlantedConfig::cue`] says. So a model trained where the cue is always there can be compared with one
/// trained where it tells nothing, and a measure of reliance on the object must tell them apart.
///
/// Sample `i` is a function of (seed, `i`) alone, the same on every machine, whatever the number of samples; class
/// `i % 8`, so that every prefix is balanced. Geometry is drawn in units of the side: another size is the same
/// picture, finer. The mask is the object's coverage of each pixel, counted on an 8 × 8 grid of points (255 all, 128 half).
///
/// Nothing of the object is drawn outside its mask, so the box and the tile ablation leave no trace of it. The gray
/// ablation leaves a gray silhouette, as it does in photographs.
pub struct PlantedCues {
    info: DatasetInfo,
    config: PlantedConfig,
    seed: u64,
    size: usize,
    ids: Vec<String>,
}

/// One object in its place.
struct Placement {
    shape: Silhouette,
    radius: f32,
    centre: (f32, f32),
    /// Cosine and sine of its turn.
    turn: (f32, f32),
}

impl PlantedCues {
    /// `n` pictures of `size` × `size` pixels.
    ///
    /// # Errors
    /// [`DatasetError::Config`] if a probability or range of the configuration makes no sense, or `size` is 0.
    pub fn new(config: PlantedConfig, seed: u64, n: usize, size: usize) -> Result<Self, DatasetError> {
        config.check()?;
        if size == 0 {
            return Err(DatasetError::Config { name: config.name, what: "the side of the pictures is 0".into() });
        }
        Ok(Self::build(config, seed, n, size))
    }

    /// [`PlantedConfig::hard`]: "planted-hard".
    pub fn hard(seed: u64, n: usize, size: usize) -> Self {
        Self::build(PlantedConfig::hard(), seed, n, size.max(1))
    }

    /// [`PlantedConfig::easy`]: "planted-easy".
    pub fn easy(seed: u64, n: usize, size: usize) -> Self {
        Self::build(PlantedConfig::easy(), seed, n, size.max(1))
    }

    fn build(config: PlantedConfig, seed: u64, n: usize, size: usize) -> Self {
        let classes = Silhouette::ALL.map(|s| Class { name: s.name().into(), wnid: None, imagenet: None });
        let info = DatasetInfo { name: format!("planted-{}", config.name), classes: classes.into() };
        let ids = (0..n).map(|i| format!("{}/{}/{i:05}", config.name, silhouette_of(i).name())).collect();
        Self { info, config, seed, size, ids }
    }

    /// The configuration it was made with.
    pub fn config(&self) -> &PlantedConfig {
        &self.config
    }

    /// The scene of sample `i`.
    pub fn scene(&self, i: usize) -> Scene {
        let mut draws = Draws::new(self.seed, i as u64, 0);
        let own = self.class(i);
        let is_own = draws.unit() < self.config.cue;
        // One of the seven others: counted on from the own one.
        let other = (own + 1 + draws.below(Scene::ALL.len() - 1)) % Scene::ALL.len();
        Scene::ALL[if is_own { own } else { other }]
    }

    /// Does sample `i` show the scene of its class?
    pub fn has_own_scene(&self, i: usize) -> bool {
        self.scene(i) == Scene::ALL[self.class(i)]
    }

    /// Which share of the picture the scene of sample `i` fills, in [0, 1].
    pub fn extent(&self, i: usize) -> f32 {
        let (low, high) = self.config.extent;
        if low == high { low } else { Draws::new(self.seed, i as u64, 4).range(low, high) }
    }

    /// How strong the cue of sample `i` is, in [0, 1]: the share of the picture that the class's own scene fills.
    pub fn cue_strength(&self, i: usize) -> f32 {
        if self.has_own_scene(i) { self.extent(i) } else { 0.0 }
    }

    /// What lies beside the scene where that does not fill the picture, and on which side: -1 left, 1 right.
    fn beside(&self, i: usize) -> (Scene, f32) {
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
        Placement { shape: silhouette_of(i), radius, centre: (inside(dx), inside(dy)), turn }
    }
}

fn silhouette_of(i: usize) -> Silhouette {
    Silhouette::ALL[i % Silhouette::ALL.len()]
}

impl Placement {
    /// Distance to the outline in units of the side, negative inside.
    fn distance(&self, x: f32, y: f32) -> f32 {
        let (px, py) = ((x - self.centre.0) / self.radius, (y - self.centre.1) / self.radius);
        let (cosine, sine) = self.turn;
        self.radius * self.shape.distance(cosine * px + sine * py, cosine * py - sine * px)
    }

    /// Part of the pixel around (x, y) that the object covers, in 64ths.
    fn coverage(&self, x: f32, y: f32, pixel: f32) -> f32 {
        const GRID: usize = 8;
        let distance = self.distance(x, y);
        // Farther than half the diagonal: the pixel is all in or all out.
        if distance.abs() > 0.708 * pixel {
            return if distance < 0.0 { 1.0 } else { 0.0 };
        }
        let at = |k: usize| ((k as f32 + 0.5) / GRID as f32 - 0.5) * pixel;
        let points = (0..GRID * GRID).filter(|k| self.distance(x + at(k % GRID), y + at(k / GRID)) < 0.0).count();
        points as f32 / (GRID * GRID) as f32
    }

    /// Brightness of the object's surface: light from above on the left, a darker rim.
    fn shade(&self, x: f32, y: f32) -> f32 {
        let slant = ((x - self.centre.0) + 1.4 * (y - self.centre.1)) / self.radius;
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

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let size = self.size;
        let object = self.placement(i);
        let backdrop = Backdrop::draw(self.scene(i), &mut Draws::new(self.seed, i as u64, 2), size);
        let mut colours = Draws::new(self.seed, i as u64, 3);
        let palette = Palette::draw(&mut colours);
        let light = colours.direction();
        let (extent, (other, side)) = (self.extent(i), self.beside(i));
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
                // The scene is lit a little from one side.
                let lit = 1.0 + 0.10 * ((x - 0.5) * light.0 + (y - 0.5) * light.1);
                let mut colour = palette.scene(tone(x, y)).map(|v| v * lit);
                if coverage > 0.0 {
                    let shade = object.shade(x, y);
                    colour = blend(colour, palette.object().map(|v| v * shade), coverage);
                }
                image.extend(colour.map(to_u8));
                mask.push(to_u8(coverage));
            }
        }
        Ok(Sample {
            id: self.ids[i].clone(),
            image: Rgb8 { height: size, width: size, data: image },
            mask: Gray8 { height: size, width: size, data: mask },
            class: self.class(i),
        })
    }
}

/// [0, 1] to 0..=255, rounded half up, clipped.
fn to_u8(v: f32) -> u8 {
    (v * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}
