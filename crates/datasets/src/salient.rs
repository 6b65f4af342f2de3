use crate::checkup::skipped;
use crate::dataset::listed;
use crate::entry::{DatasetEntry, DatasetOptions, PathUse};
use crate::files::{Split, is_image, is_unread_mask};
use crate::store::{file_stem, join, readable};
use crate::{Dataset, DatasetError, DatasetInfo, FileReading, ImageNet, Sample, SampleFacts, Store, answers, wnids};
use hard_imagenet_findings::Finding;
use hard_imagenet_findings::kinds::folders::{NO_IMAGE, UNREAD_KIND};
use hard_imagenet_images::{Gray8, Resize};
use std::collections::BTreeMap;
use std::path::Path;

const EXPECTED: &str = "<wnid>/feature_<index>/<image>.JPEG, as in the Salient ImageNet archive";

/// The table of the workers' answers.
const ANSWERS: &str = "discover_spurious_features.csv";

/// The robust network sees the central 224 × 224 of an image whose shorter side was resized to 256.
const SHORTER: usize = 256;
const CROP: usize = 224;
/// The largest ratio of the longer to the shorter side of an image. ImageNet's images are far below it.
const THINNEST: usize = 64;

pub(crate) const CORE_ENTRY: DatasetEntry = entry(
    "salient-imagenet",
    "Salient ImageNet: where features look that people called part of the object (training images only)",
    |options| open("salient-imagenet", options, FeatureKind::Core),
);

pub(crate) const SPURIOUS_ENTRY: DatasetEntry = entry(
    "salient-imagenet-spurious",
    "Salient ImageNet: where features look that people called a separate object or background (training images only)",
    |options| open("salient-imagenet-spurious", options, FeatureKind::Spurious),
);

const fn entry(
    word: &'static str,
    summary: &'static str,
    open: fn(&DatasetOptions) -> Result<Box<dyn Dataset>, DatasetError>,
) -> DatasetEntry {
    DatasetEntry {
        masks: PathUse::Required("the folder or an archive of the maps, with discover_spurious_features.csv"),
        images: PathUse::Required("ImageNet"),
        ..DatasetEntry::new(word, summary, open)
    }
}

fn open(word: &str, options: &DatasetOptions, kind: FeatureKind) -> Result<Box<dyn Dataset>, DatasetError> {
    let data = SalientImageNet::open(options.masks(word)?, options.images(word)?, kind)?;
    Ok(Box::new(data.with_reading(&options.reading())))
}

/// What a feature looks at, according to the workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FeatureKind {
    /// Part of the object.
    Core,
    /// Something else: at least three of five workers saw a separate object or the background.
    Spurious,
}

/// Salient ImageNet (Singla, Feizi 2022): where the five most important features of each ImageNet class look.
///
/// | file | contents |
/// |---|---|
/// | `MASKS/<wnid>/feature_<index>/<image>.JPEG` | where a feature looks in one of its top images, soft, 224 × 224 |
/// | `MASKS/discover_spurious_features.csv` | the workers' answers, from `mturk_results` in the authors' code |
/// | `IMAGES` | ImageNet, in any layout that [`ImageNet`](crate::ImageNet) accepts |
///
/// MASKS may also be a zip or tar, which is read in place.
///
/// A sample is an image with one mask for all features of the wanted kind: the largest of their values, left soft (0 to
/// 255). Classes without such a feature are skipped.
///
/// A map covers what the network saw: the central 224 × 224 of the image after its shorter side was resized to 256. The
/// mask has the size of the resized image, with the map in its center and 0 around it, so it stays aligned with the
/// image under every transform. (The published code resizes and crops the map a second time, which enlarges it by a
/// seventh.)
pub struct SalientImageNet {
    info: DatasetInfo,
    samples: Vec<Entry>,
    masks: Store,
    images: ImageNet,
    /// Maps of kinds that are not read.
    unread: Vec<String>,
    /// The state of the table of answers.
    answers: String,
}

struct Entry {
    id: String,
    class: usize,
    maps: Vec<String>,
}

impl SalientImageNet {
    /// Lists the images with maps of features of one kind in `masks`. `images` is ImageNet; its training images are
    /// needed.
    ///
    /// # Errors
    /// Returns [`DatasetError::Folder`] if the folder of the images is missing or if there are no maps for such
    /// features, and [`DatasetError::Meta`] if the table of answers is missing or cannot be understood.
    pub fn open(masks: impl AsRef<Path>, images: impl AsRef<Path>, kind: FeatureKind) -> Result<Self, DatasetError> {
        let masks = Store::open(masks)?.with_reading(FileReading::default().soft());
        let images = ImageNet::open(images, Split::Train)?;
        let votes = find_answers(&masks)?;
        let top = votes.strip_suffix(ANSWERS).unwrap_or_default().trim_end_matches('/');
        let answers = masks.stamp(&votes);
        let (mut classes, mut samples, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for (wnid, features) in features(&masks, &votes, kind)? {
            let mut maps: BTreeMap<String, Vec<String>> = BTreeMap::new();
            for feature in features {
                let folder = join(top, &format!("{wnid}/feature_{feature}"));
                let files = if masks.has_folder(&folder) { masks.files(&folder)? } else { Vec::new() };
                for map in files {
                    if !is_image(&map) {
                        unread.extend(Some(map).filter(|name| is_unread_mask(name)));
                        continue;
                    }
                    maps.entry(file_stem(&map).to_owned()).or_default().push(map);
                }
            }
            if maps.is_empty() {
                continue; // the user may have only a part of the archive
            }
            let class = classes.len();
            let entry =
                |(name, maps): (String, _)| Entry { id: format!("train/{wnid}/{}", readable(&name)), class, maps };
            samples.extend(maps.into_iter().map(entry));
            classes.extend(wnids::class(&wnid));
        }
        let (name, word) = match kind {
            FeatureKind::Core => ("salient-imagenet", "core"),
            FeatureKind::Spurious => ("salient-imagenet-spurious", "spurious"),
        };
        if samples.is_empty() {
            let problem = format!("there is no map of a {word} feature here");
            return Err(DatasetError::Folder { path: masks.path().into(), problem, expected: EXPECTED.into() });
        }
        let info = DatasetInfo { name: name.into(), classes };
        Ok(Self { info, samples, masks, images, unread, answers })
    }
}

impl SalientImageNet {
    /// Returns the WordNet id and the file of the image of a sample.
    fn image_of(&self, entry: &Entry) -> (&str, String) {
        let wnid = self.info.classes[entry.class].wnid.as_deref().unwrap_or_default();
        (wnid, format!("{}.JPEG", file_stem(&entry.maps[0])))
    }

    /// Sets how images and masks are decoded. By default, maps are read as their brightness.
    #[must_use]
    pub fn with_reading(mut self, reading: &FileReading) -> Self {
        self.images = self.images.with_orientation(reading.orientation);
        self.masks = self.masks.with_reading(reading.clone().soft());
        self
    }
}

/// Finds the table: at the top, or next to the classes in a folder there.
fn find_answers(masks: &Store) -> Result<String, DatasetError> {
    let tops = std::iter::once(String::new()).chain(masks.folders("")?);
    tops.map(|top| join(&top, ANSWERS)).find(|name| masks.has_file(name)).ok_or_else(|| DatasetError::Meta {
        path: masks.location(ANSWERS),
        problem: format!(
            "no such file; copy mturk_results/{ANSWERS} of github.com/singlasahil14/salient_imagenet there"
        ),
    })
}

/// Finds the features of one kind by WordNet id, according to the workers' answers.
fn features(masks: &Store, votes: &str, kind: FeatureKind) -> Result<BTreeMap<String, Vec<u32>>, DatasetError> {
    let fail = |problem: String| DatasetError::Meta { path: masks.location(votes), problem };
    let answers = answers::parse(&masks.read(votes)?, |wnid| wnids::class(wnid).is_some()).map_err(fail)?;
    let mut found: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for ((wnid, feature), answers) in answers {
        if answers.is_spurious() == (kind == FeatureKind::Spurious) {
            found.entry(wnid).or_default().push(feature);
        }
    }
    Ok(found)
}

/// Combines several maps by their largest values, in the resized frame of an image of `height × width`.
fn mask(masks: &Store, maps: &[String], height: usize, width: usize) -> Result<Gray8, DatasetError> {
    let (tall, wide) = Resize::ShorterSide(SHORTER).size(height, width);
    let start = |length: usize| ((length - CROP) as f64 / 2.0).round_ties_even() as usize; // torchvision's center crop
    let mut mask = Gray8 { height: tall, width: wide, data: vec![0; tall * wide] };
    for name in maps {
        let map = masks.read_mask(name)?;
        if (map.height, map.width) != (CROP, CROP) {
            let problem = format!("expected a map of {CROP} × {CROP}, got {} × {}", map.height, map.width);
            return Err(DatasetError::Meta { path: masks.location(name), problem });
        }
        for (row, values) in map.data.chunks_exact(CROP).enumerate() {
            let at = (start(tall) + row) * wide + start(wide);
            for (to, &value) in mask.data[at..at + CROP].iter_mut().zip(values) {
                *to = value.max(*to);
            }
        }
    }
    Ok(mask)
}

impl Dataset for SalientImageNet {
    listed!();

    fn findings(&self) -> Vec<Finding> {
        let lacks_image = |entry: &&Entry| {
            let (wnid, file) = self.image_of(entry);
            matches!(self.images.find(wnid, &file), Ok(None))
        };
        let shown = |name: &String| self.masks.location(name).display().to_string();
        let alone: Vec<String> = self.samples.iter().filter(lacks_image).map(|entry| shown(&entry.maps[0])).collect();
        let unread: Vec<String> = self.unread.iter().map(shown).collect();
        let found = [NO_IMAGE.about(&alone).map(|finding| finding.of(self.len())), UNREAD_KIND.about(&unread)];
        found.into_iter().flatten().chain(skipped(&self.images, &self.masks)).collect()
    }

    fn stamp(&self, i: usize) -> Option<String> {
        let (wnid, file) = self.image_of(&self.samples[i]);
        let image = self.images.stamp(wnid, &file).unwrap_or_else(|| format!("{file} missing"));
        let maps: Vec<String> = self.samples[i].maps.iter().map(|map| self.masks.stamp(map)).collect();
        Some(format!("{image}\n{}\n{}", maps.join("\n"), self.answers))
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let Entry { id, class, maps } = &self.samples[i];
        let (wnid, file) = self.image_of(&self.samples[i]);
        let (image, facts) = self.images.read_image_with_facts(wnid, &file)?;
        let facts = SampleFacts { image: facts, ..SampleFacts::default() };
        let (long, short) = (image.height.max(image.width), image.height.min(image.width));
        if long > THINNEST * short {
            let problem = format!("its image is {} × {}, which is too thin", image.height, image.width);
            return Err(DatasetError::Meta { path: self.masks.location(&maps[0]), problem });
        }
        let mask = mask(&self.masks, maps, image.height, image.width)?;
        Ok(Sample { id: id.clone(), image, mask, class: *class, facts })
    }
}
