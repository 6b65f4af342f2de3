//! Synthetic runs from a handful of numbers, similar enough to real runs for a page.

use hard_imagenet_images::{Filter, Preprocessing, Resize};
use hard_imagenet_metrics::{MAP, MapScores, Options, Record, Scores, score};
use hard_imagenet_perturbations::Preset;
use hard_imagenet_runs::{
    DatasetDescription, Exhibit, ExhibitKind, Gallery, LabelSpace, ModelDescription, Panel, Protocol, Quirks, Run,
    RunDescription, RunFolder,
};
use tempfile::TempDir;

/// A run that is not written yet.
#[derive(Clone)]
pub(crate) struct Fixture {
    /// Its dataset is completed from the records.
    pub(crate) description: RunDescription,
    pub(crate) records: Vec<Record>,
    /// Samples that have no records yet.
    pub(crate) missing: usize,
    pub(crate) gallery: Gallery,
}

impl Fixture {
    pub(crate) fn scores(&self) -> Scores {
        score(&self.records, &Options::default())
    }

    fn write(&self, folder: &std::path::Path) -> Run {
        let ids = self.records.chunk_by(|a, b| a.sample == b.sample).map(|records| records[0].sample.as_str());
        let mut description = self.description.clone();
        description.dataset = DatasetDescription::new(&description.dataset.name, ids);
        description.dataset.samples += self.missing;
        let run = Run::create(folder, &description, &self.records).unwrap();
        let folder = RunFolder::new(folder);
        folder.write_json(RunFolder::GALLERY, &self.gallery).unwrap();
        for panel in self.gallery.exhibits.iter().flat_map(|exhibit| &exhibit.panels) {
            folder.write(&panel.file, &image(&panel.file)).unwrap();
        }
        run
    }
}

/// Writes runs into folders that exist as long as the first value.
pub(crate) fn write(fixtures: &[Fixture]) -> (TempDir, Vec<Run>) {
    let folder = tempfile::tempdir().unwrap();
    let write = |(i, fixture): (usize, &Fixture)| fixture.write(&folder.path().join(i.to_string()));
    let runs = fixtures.iter().enumerate().map(write).collect();
    (folder, runs)
}

/// How a synthetic model behaves on a dataset.
#[derive(Clone, Copy)]
pub(crate) struct Profile {
    pub(crate) clean: f64,
    /// The accuracy with the object gray, under a gray box, and tiled over.
    pub(crate) ablated: [f64; 3],
    /// The accuracy lost per unit of noise on the object and around it.
    pub(crate) slopes: [f64; 2],
    pub(crate) iou: f64,
    pub(crate) density: f64,
}

/// A model that leans on the surroundings.
pub(crate) const CUE: Profile =
    Profile { clean: 0.91, ablated: [0.90, 0.89, 0.86], slopes: [0.2, 1.2], iou: 0.05, density: -0.22 };
/// A model that needs the object.
pub(crate) const OBJECT: Profile =
    Profile { clean: 0.86, ablated: [0.30, 0.14, 0.12], slopes: [1.1, 0.25], iou: 0.33, density: 0.46 };

pub(crate) const CLASSES: [&str; 15] = [
    "dog sled",
    "howler monkey",
    "seat belt",
    "ski",
    "sunglasses",
    "swimming cap",
    "balance beam",
    "horizontal bar",
    "patio",
    "hockey puck",
    "miniskirt",
    "space bar",
    "volleyball",
    "ballplayer",
    "snorkel",
];

/// Returns a number in [0, 1) that depends on the name only.
pub(crate) fn uniform(name: &str) -> f64 {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    ((hash ^ (hash >> 32)) >> 11) as f64 / (1u64 << 53) as f64
}

pub(crate) fn run(
    model: &str,
    dataset: &str,
    profile: Profile,
    classes: usize,
    samples: usize,
    levels: &[f64],
) -> Fixture {
    let mut records = Vec::new();
    for s in 0..classes * samples {
        let class = s % classes;
        let sample = format!("val/{}/{:04}", CLASSES[class].replace(' ', "_"), s);
        let key = format!("{model}/{dataset}/{sample}");
        let ease = 0.12 * (uniform(&format!("{model}/{dataset}/{class}")) - 0.5);
        let mut add = |condition: &str, trial: u32, accuracy: f64| {
            // One draw for each sample and a small one for each condition, so that outcomes are paired as in real runs.
            let draw = 0.85 * uniform(&key) + 0.15 * uniform(&format!("{key}/{condition}/{trial}"));
            let correct = draw < (accuracy + ease).clamp(0.0, 1.0);
            let bump = |salt: &str| (0..4).map(|i| uniform(&format!("{key}/{salt}/{i}")) - 0.5).sum::<f64>();
            let clean = condition == "none";
            // The maps of baselines do not depend on the model.
            let (iou, density) = if clean { (profile.iou, profile.density) } else { (0.05, 0.0) };
            let map: MapScores = [
                ("iou", (iou * (1.0 + 0.9 * bump("iou"))).clamp(0.0, 1.0) as f32),
                ("delta_density", (density + 0.3 * bump("density")).clamp(-1.0, 1.0) as f32),
            ]
            .into_iter()
            .collect();
            records.push(Record {
                sample: sample.clone(),
                label: class as u32,
                class: CLASSES[class].to_owned(),
                condition: condition.to_owned(),
                trial,
                prediction: Some(if correct { class as u32 } else { 999 }),
                correct: Some(correct),
                confidence: Some(if correct { 0.8 } else { 0.1 }),
                object_fraction: clean.then(|| (0.06 + 0.03 * bump("size")).clamp(0.01, 1.0) as f32),
                eccentricity: clean.then(|| (0.3 + 0.2 * bump("place")).clamp(0.0, 0.9) as f32),
                components: clean.then(|| 1 + (4.0 * uniform(&format!("{key}/pieces")).powi(3)) as u32),
                map: if clean || condition.starts_with(MAP) { map } else { MapScores::default() },
                ..Record::default()
            });
        };
        add("none", 0, profile.clean);
        add("map:random", 0, profile.clean);
        for (condition, accuracy) in ["gray", "gray-box", "tile"].into_iter().zip(profile.ablated) {
            add(condition, 0, accuracy);
        }
        for sigma in levels {
            for trial in 0..3 {
                for (region, slope) in ["fg", "bg"].into_iter().zip(profile.slopes) {
                    let floor = 1.0 / classes as f64;
                    let accuracy = floor + (profile.clean - floor) * (-slope * 2.0 * sigma).exp();
                    add(&format!("noise:linf:{sigma}:{region}"), trial, accuracy);
                    add(&format!("noise:l2:{}:{region}", sigma * 240.0), trial, (accuracy + profile.clean) / 2.0);
                }
            }
        }
    }
    Fixture { description: describe(model, dataset), gallery: gallery(&records), records, missing: 0 }
}

/// A description with a weights hash of its own for each model.
pub(crate) fn describe(model: &str, dataset: &str) -> RunDescription {
    RunDescription::new(
        DatasetDescription::new(dataset, std::iter::empty()),
        ModelDescription {
            name: model.to_owned(),
            weights_sha256: format!("{:016x}", (uniform(model) * 1e18) as u64).repeat(4),
            weights_origin: None,
            dtype: "f32".to_owned(),
            preprocess: Preprocessing {
                resize: Resize::Squash(256, 256),
                input: (224, 224),
                filter: Filter::Bilinear,
                mean: [0.5; 3],
                std: [0.5; 3],
            },
        },
        LabelSpace::Dataset,
        Quirks::from(Preset::Strict),
        &Protocol::paper(),
        0,
    )
}

fn gallery(records: &[Record]) -> Gallery {
    let density = |record: &Record| record.map.get("delta_density");
    let mut clean: Vec<&Record> = records.iter().filter(|r| density(r).is_some()).collect();
    clean.sort_by(|a, b| density(a).unwrap().total_cmp(&density(b).unwrap()));
    let exhibit = |r: &Record, kind| Exhibit {
        title: r.class.clone(),
        caption: format!("{}: Δ {:.2}", r.sample, density(r).unwrap()),
        kind,
        sample: r.sample.clone(),
        class: r.class.clone(),
        iou: r.map.get("iou"),
        panels: ["original", "box gray", "noise on the object", "heatmap"]
            .iter()
            .enumerate()
            .map(|(i, title)| Panel {
                file: format!("gallery/{}-{i}.png", r.sample.replace('/', "-")),
                title: (*title).to_owned(),
                condition: None,
                prediction: None,
                correct: None,
                confidence: None,
            })
            .collect(),
    };
    let worst = clean.iter().take(2).map(|r| exhibit(r, ExhibitKind::Worst));
    let best = clean.iter().rev().take(2).map(|r| exhibit(r, ExhibitKind::Best));
    Gallery { exhibits: worst.chain(best).collect() }
}

/// A 32 x 32 image of a disc in front of stripes: as it is, boxed, noisy, or as a blob of heat.
fn image(name: &str) -> Vec<u8> {
    let kind = name.as_bytes()[name.len() - 5] - b'0';
    let (cy, cx) = (10.0 + 12.0 * uniform(&format!("{name}/y")), 10.0 + 12.0 * uniform(&format!("{name}/x")));
    let mut rows = Vec::new();
    for y in 0..32 {
        rows.push(0);
        for x in 0..32 {
            let distance = (f64::from(y) - cy).hypot(f64::from(x) - cx);
            let stripes = if (x + y) % 8 < 4 { [150, 170, 120] } else { [90, 120, 90] };
            let plain = if distance < 6.0 { [210, 80, 60] } else { stripes };
            let heat = (255.0 * (-(distance / 9.0).powi(2)).exp()) as u8;
            let noise = (160.0 * (uniform(&format!("{name}/{y}/{x}")) - 0.5)) as i32;
            rows.extend(match kind {
                1 if (f64::from(y) - cy).abs() < 6.0 && (f64::from(x) - cx).abs() < 6.0 => [128; 3],
                2 if distance < 6.0 => plain.map(|v| (i32::from(v) + noise).clamp(0, 255) as u8),
                3 => [heat, 40, 255 - heat],
                _ => plain,
            });
        }
    }
    png(32, 32, &rows)
}

/// Encodes an RGB image as an uncompressed PNG; each row starts with a filter byte of 0.
fn png(width: u32, height: u32, rows: &[u8]) -> Vec<u8> {
    let crc = |data: &[u8]| {
        !data.iter().fold(!0u32, |crc, b| {
            (0..8).fold(crc ^ u32::from(*b), |c, _| if c & 1 == 1 { (c >> 1) ^ 0xedb8_8320 } else { c >> 1 })
        })
    };
    let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut part = |kind: &[u8; 4], data: &[u8]| {
        let body = [kind.as_slice(), data].concat();
        out.extend((data.len() as u32).to_be_bytes());
        out.extend(&body);
        out.extend(crc(&body).to_be_bytes());
    };
    part(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat());
    let (a, b) = rows.iter().fold((1u32, 0u32), |(a, b), v| {
        let a = (a + u32::from(*v)) % 65521;
        (a, (b + a) % 65521)
    });
    let length = rows.len() as u16;
    let zlib = [&[0x78, 1, 1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), rows, &(b << 16 | a).to_be_bytes()]
        .concat();
    part(b"IDAT", &zlib);
    part(b"IEND", &[]);
    out
}

/// Returns runs of two models on two datasets; the first run has a failure.
pub(crate) fn demo() -> Vec<Fixture> {
    let levels = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75];
    let easy_cue = Profile { clean: 0.24, ablated: [0.24, 0.23, 0.23], slopes: [0.1, 0.3], iou: 0.08, density: -0.1 };
    let easy_object = Profile { clean: 0.98, ablated: [0.33, 0.15, 0.14], slopes: [0.9, 0.1], iou: 0.37, density: 0.5 };
    let mut runs = vec![
        run("planted-cue", "hard", CUE, 8, 40, &levels),
        run("planted-object", "hard", OBJECT, 8, 40, &levels),
        run("planted-cue", "easy", easy_cue, 8, 40, &levels),
        run("planted-object", "easy", easy_object, 8, 40, &levels),
    ];
    let mut failed = runs[0].records[0].clone();
    failed.sample = "val/broken & <small>".to_owned();
    failed.error = Some("expected 3 channels, found 4; convert the image to RGB".to_owned());
    runs[0].records.push(failed);
    runs
}
