//! Mask statistics compared with torch and Pillow, and over whole datasets.
#![allow(clippy::disallowed_methods, reason = "a test may print and read its settings")]

use hard_imagenet_datasets::{
    Class, Dataset, DatasetError, DatasetInfo, DatasetStatistics, MaskStatistics, PlantedCues, Retention, Sample,
    Subset,
};
use hard_imagenet_images::{
    Gray8, ImageError, MaskRule, PairedTransform, Preprocessing, RandomResizedCrop, Rgb8, read_mask,
};
use serde_json::Value;
use std::path::PathBuf;

fn paper() -> PairedTransform {
    Preprocessing::imagenet().squash().paired_transform(MaskRule::AnyInk)
}

fn sample(mask: Gray8, class: usize) -> Sample {
    Sample::new("", Rgb8 { height: 0, width: 0, data: vec![] }, mask, class)
}

fn close(got: Option<f64>, wanted: Option<f64>, tolerance: f64, what: &str) {
    match (got, wanted) {
        (Some(a), Some(b)) => assert!((a - b).abs() <= tolerance, "{what}: {a}, expected {b}"),
        (a, b) => assert_eq!(a, b, "{what}"),
    }
}

/// Draws the ellipses of a golden case as the script does.
fn draw(case: &Value) -> Gray8 {
    let whole = |value: &Value| value.as_i64().unwrap();
    let (height, width) = (whole(&case["height"]) as usize, whole(&case["width"]) as usize);
    let mut data = vec![0; height * width];
    for ellipse in case["ellipses"].as_array().unwrap() {
        let [row, column, a, b] = [0, 1, 2, 3].map(|i| whole(&ellipse[i]));
        for (i, value) in data.iter_mut().enumerate() {
            let (y, x) = ((i / width) as i64, (i % width) as i64);
            if ((y - row) * b).pow(2) + ((x - column) * a).pow(2) <= (a * b).pow(2) {
                *value = 255;
            }
        }
    }
    Gray8 { height, width, data }
}

#[test]
fn measures_equal_torch_and_pillow() {
    let cases: Vec<Value> = serde_json::from_str(include_str!("golden/statistics.json")).unwrap();
    assert_eq!(cases.len(), 9);
    for case in &cases {
        let sample = sample(draw(case), 0);
        let what = format!("{} × {}", case["height"], case["width"]);
        let (numbers, _) = MaskStatistics::measure(&sample, &paper(), Retention::Published);
        close(Some(numbers.raw), case["raw"].as_f64(), 1e-12, &what);
        close(Some(numbers.transformed), case["transformed"].as_f64(), 1e-12, &what);
        close(numbers.retained, case["retained"].as_f64(), 1e-6, &what);
        close(numbers.centroid.map(|c| c.0), case["centroid"][0].as_f64(), 1e-9, &what);
        close(numbers.centroid.map(|c| c.1), case["centroid"][1].as_f64(), 1e-9, &what);
        let (numbers, _) = MaskStatistics::measure(&sample, &paper(), Retention::PublishedAntialiased);
        close(numbers.retained, case["retained_antialiased"].as_f64(), 1e-6, &what);
    }
}

#[test]
fn an_empty_mask_has_no_position() {
    let empty = sample(Gray8 { height: 5, width: 6, data: vec![0; 30] }, 0);
    let (numbers, mask) = MaskStatistics::measure(&empty, &paper(), Retention::Transform);
    assert_eq!((numbers.raw, numbers.transformed, numbers.components), (0.0, 0.0, 0));
    assert_eq!((numbers.retained, numbers.centroid, numbers.eccentricity, numbers.at_border), (None, None, None, None));
    assert!(mask.is_empty());
}

/// Masks of the left half, the right half and nothing, and a file that cannot be read. The third class has no sample.
struct Four(DatasetInfo);

impl Dataset for Four {
    fn info(&self) -> &DatasetInfo {
        &self.0
    }
    fn len(&self) -> usize {
        4
    }
    fn id(&self, i: usize) -> &str {
        ["left", "right", "nothing", "broken"][i]
    }
    fn class(&self, i: usize) -> usize {
        i / 2
    }
    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let object = |column: usize| match i {
            0 => column < 128,
            1 => column >= 128,
            _ => false,
        };
        let data = (0..256 * 256).map(|at| if object(at % 256) { 255 } else { 0 }).collect();
        if i == 3 { Err(ImageError::Empty.into()) } else { Ok(sample(Gray8 { height: 256, width: 256, data }, i / 2)) }
    }
}

#[test]
fn classes_are_averaged_and_unreadable_samples_are_entries() {
    let class = |name: &str| Class { name: name.into(), wnid: None, imagenet: None };
    let data = Four(DatasetInfo { name: "four".into(), classes: ["halves", "poor", "absent"].map(class).to_vec() });
    let mut measured = Vec::new();
    let statistics = DatasetStatistics::measure(&data, &paper(), Retention::Transform, |done| measured.push(done));
    assert_eq!(measured, [4]);
    assert_eq!(
        statistics.samples.iter().map(|s| s.id.as_str()).collect::<Vec<_>>(),
        ["left", "right", "nothing", "broken"]
    );
    assert!(statistics.samples[3].numbers.as_ref().unwrap_err().contains("empty"));

    let average = statistics.averages[0].as_ref().unwrap();
    assert_eq!((average.height(), average.width()), (224, 224));
    assert!(average.as_slice().iter().all(|&v| v == 0.5));
    assert!(statistics.averages[1].as_ref().unwrap().as_slice().iter().all(|&v| v == 0.0));
    assert!(statistics.averages[2].is_none());

    let half = statistics.summary(Some(0), |m| Some(m.transformed)).unwrap();
    assert_eq!((half.n, half.mean), (2, 0.5));
    assert_eq!(statistics.summary(None, |m| Some(m.raw)).unwrap().quantiles, [0.0, 0.25, 0.5, 0.5, 0.5]);
    assert_eq!(statistics.summary(None, |m| m.retained).unwrap().n, 2);
    assert_eq!(statistics.summary(Some(1), |m| m.retained), None);
    assert_eq!(statistics.summary(Some(2), |m| Some(m.raw)), None);
    assert_eq!(
        statistics.measurements(Some(0)).map(|m| m.centroid).collect::<Vec<_>>(),
        [Some((111.5, 55.5)), Some((111.5, 167.5))]
    );
}

#[test]
fn random_crops_measure_each_sample_several_times() {
    let data = PlantedCues::easy(1, 24, 64);
    let crop = RandomResizedCrop::imagenet();
    let crops = DatasetStatistics::measure_crops(&data, &crop, 10, |_| ());
    assert_eq!(crops.samples.len(), 240);
    assert_eq!(crops.samples[19].id, data.id(1));
    // Objects fill more of a crop than of the image, and are often cut.
    let mean = |pick: fn(&MaskStatistics) -> Option<f64>| crops.summary(None, pick).unwrap().mean;
    assert!(mean(|m| Some(m.transformed)) > mean(|m| Some(m.raw)));
    let retained = mean(|m| m.retained);
    assert!(retained > 0.3 && retained < 0.9, "{retained}");

    // The crops of a sample do not depend on the other samples.
    let odd = Subset::filter(&data, |i| i % 2 == 1);
    let fewer = DatasetStatistics::measure_crops(&odd, &crop, 10, |_| ());
    assert_eq!(fewer.samples[..10], crops.samples[10..20]);
    assert_ne!(crops.samples[0].numbers, crops.samples[1].numbers);

    // A crop of the whole image is the mask itself.
    let whole = RandomResizedCrop { size: (64, 64), scale: (1.0, 1.0), ratio: (1.0, 1.0), flip: 0.0, ..crop };
    for sample in DatasetStatistics::measure_crops(&data, &whole, 1, |_| ()).samples {
        let numbers = sample.numbers.unwrap();
        assert_eq!((numbers.transformed, numbers.retained), (numbers.raw, Some(1.0)));
    }
}

#[test]
fn planted_objects_have_their_size_and_position() {
    let measure = |data: &dyn Dataset| {
        let statistics = DatasetStatistics::measure(data, &paper(), Retention::Transform, |_| ());
        let mean = |pick: fn(&MaskStatistics) -> Option<f64>| statistics.summary(None, pick).unwrap().mean;
        (mean(|m| Some(m.transformed)), mean(|m| m.eccentricity))
    };
    let (hard, easy) = (measure(&PlantedCues::hard(1, 64, 64)), measure(&PlantedCues::easy(1, 64, 64)));
    assert!(hard.0 < easy.0 && hard.1 > easy.1, "(size, eccentricity): {hard:?} is harder than {easy:?}");
}

#[test]
#[ignore = "needs reference data: HARD_IMAGENET_REFERENCE=dir cargo test -p hard-imagenet-datasets --test statistics -- --ignored"]
fn reference_outputs() {
    let root = PathBuf::from(std::env::var_os("HARD_IMAGENET_REFERENCE").expect("HARD_IMAGENET_REFERENCE"));
    let table: Value = serde_json::from_slice(&std::fs::read(root.join("mask_stats.json")).unwrap()).unwrap();
    let (mut rows, mut masks) = (0, Vec::new());
    for (file, row) in table["rows"].as_object().unwrap() {
        let sample = sample(read_mask(&root.join("masks").join(file)).unwrap(), 0);
        let (numbers, mask) = MaskStatistics::measure(&sample, &paper(), Retention::Published);
        // Another JPEG decoder changes a few pixels around 0.
        let png = file.ends_with("png");
        let tolerance = |exact: f64, jpeg: f64| if png { exact } else { jpeg };
        let relative = |key: &str, share: f64| share * row[key].as_f64().unwrap();
        let (raw, transformed) = (relative("percent_obj_raw", 5e-3), relative("percent_obj_resize_crop", 5e-3));
        close(Some(numbers.raw), row["percent_obj_raw"].as_f64(), tolerance(1e-6, raw), file);
        let after = row["percent_obj_resize_crop"].as_f64();
        close(Some(numbers.transformed), after, tolerance(1e-6, transformed), file);
        close(numbers.retained, row["percent_retained_noaa"].as_f64(), tolerance(1e-5, 5e-3), file);
        let centroid = &row["centroid_yx_in_224"];
        close(numbers.centroid.map(|c| c.0), centroid[0].as_f64(), tolerance(1e-3, 0.5), file);
        close(numbers.centroid.map(|c| c.1), centroid[1].as_f64(), tolerance(1e-3, 0.5), file);
        let (numbers, _) = MaskStatistics::measure(&sample, &paper(), Retention::PublishedAntialiased);
        close(numbers.retained, row["percent_retained_aa"].as_f64(), tolerance(1e-5, 5e-3), file);
        rows += 1;
        if png {
            masks.push(mask);
        }
    }
    assert_eq!((rows, masks.len()), (40, 20));

    let bytes = std::fs::read(root.join("mask_average.safetensors")).unwrap();
    let tensors = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let average = tensors.tensor("average_mask_png").unwrap();
    for (at, wanted) in average.data().chunks_exact(4).enumerate() {
        let wanted = f32::from_le_bytes(wanted.try_into().unwrap());
        let mean = masks.iter().map(|mask| f32::from(mask.as_slice()[at % (224 * 224)])).sum::<f32>() / 20.0;
        assert!((mean - wanted).abs() < 1e-6, "{at}: {mean}, expected {wanted}");
    }
}
