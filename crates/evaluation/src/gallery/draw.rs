//! Draws the chosen samples.

use super::select::{Chosen, select};
use crate::Result;
use crate::maps::{Asked, maps};
use crate::plan::{Picture, Plan, Prepared};
use hard_imagenet_images::{Filter, MaskRule, PairedTransform, Resize, Rgb8, outline, overlay};
use hard_imagenet_metrics::{CLEAN, NoiseCondition, NoiseRegion, Record};
use hard_imagenet_runs::{Exhibit, Gallery, Panel, Run, RunError, RunFolder};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// Longest side of a picture.
const SIDE: usize = 224;

/// Of the noise conditions these are shown, or else the first of the same region.
const NOISE: [&str; 2] = ["noise:linf:0.25:fg", "noise:linf:0.25:bg"];

const WHITE: [u8; 3] = [255, 255, 255];

/// Draws the telling samples of a run into `gallery/` and lists them in `gallery.json`.
///
/// `tick` hears the number of cases done and of all; if it breaks off, there is no list.
pub(crate) fn draw(
    plan: &Plan<'_>,
    folder: &RunFolder,
    run: &Run,
    tick: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<()> {
    let places: HashMap<&str, usize> = (0..plan.dataset.len()).map(|i| (plan.dataset.id(i), i)).collect();
    let conditions = shown(plan);
    let chosen = select(run.records());
    let mut gallery = Gallery::default();
    for (done, chosen_one) in chosen.iter().enumerate() {
        if tick(done, chosen.len()).is_break() {
            return Ok(());
        }
        // A file that was there a minute ago may be gone; a gallery is no reason to fail.
        let sample = places.get(chosen_one.sample);
        if let Some((&sample, prepared)) = sample.and_then(|i| Some((i, plan.prepare(*i).ok()?))) {
            let records: Vec<&Record> = run.records().iter().filter(|r| r.sample == chosen_one.sample).collect();
            gallery.exhibits.push(draw_exhibit(plan, folder, chosen_one, sample, prepared, &conditions, &records)?);
        }
    }
    let _ = tick(chosen.len(), chosen.len());
    Ok(folder.write_json(RunFolder::GALLERY, &gallery)?)
}

/// Which conditions are drawn, by index, with their titles: all but noise, and of that one strength in both regions.
fn shown(plan: &Plan<'_>) -> Vec<(usize, String)> {
    let ids = || plan.conditions.iter().map(|condition| condition.id.as_str());
    let noise = |word: &str, region| {
        let in_region = |id: &str| NoiseCondition::parse(id).is_some_and(|noise| noise.region == region);
        ids().position(|id| id == word).or_else(|| ids().position(in_region))
    };
    let changed = ids().enumerate().filter(|(_, id)| NoiseCondition::parse(id).is_none());
    let mut all: Vec<(usize, String)> = changed.map(|(at, id)| (at, title(id))).collect();
    all.sort_by_key(|&(at, _)| Some(at) != plan.clean());
    all.extend(noise(NOISE[0], NoiseRegion::Foreground).map(|at| (at, "Noise on the object".to_owned())));
    all.extend(noise(NOISE[1], NoiseRegion::Background).map(|at| (at, "Noise around it".to_owned())));
    all
}

/// What a picture shows.
fn title(condition: &str) -> String {
    let known = match condition {
        CLEAN => "Original",
        "gray" => "Object gray",
        "gray-box" => "Box gray",
        "tile" => "Box tiled",
        "average" => "Box averaged",
        "average:shape" => "Object averaged",
        "mean" => "Object in mean colour",
        "imagenet-mean" => "Object in ImageNet's mean",
        "noise-fill" => "Object all noise",
        "no-fg" => "Object black",
        "only-fg" => "All else black",
        "gray-bg" => "All else gray",
        "only-bg-b" => "Box black",
        "only-bg-t" => "Box covered from beside",
        "mixed-same" => "Surroundings of its class",
        "mixed-rand" => "Surroundings of another class",
        "mixed-next" => "Surroundings of the next class",
        other => match other.split_once(':') {
            Some(("blur", sigma)) => return format!("Object blurred by {sigma}"),
            Some(("shuffle", cell)) => return format!("Object shuffled by {cell}"),
            _ => other,
        },
    };
    known.to_owned()
}

fn draw_exhibit(
    plan: &Plan<'_>,
    folder: &RunFolder,
    chosen: &Chosen<'_>,
    sample: usize,
    prepared: Prepared,
    conditions: &[(usize, String)],
    records: &[&Record],
) -> Result<Exhibit> {
    let pictures: Vec<Picture> =
        conditions.iter().map(|&(condition, _)| Picture { at: 0, sample, condition, trial: 0 }).collect();
    let prepared = [prepared];
    let images = plan.make(&prepared, &pictures);
    let [prepared] = &prepared;

    let mut panels = Vec::new();
    for ((condition, title), pixels) in conditions.iter().zip(&images) {
        let id = plan.conditions[*condition].id.as_str();
        let mut picture = Rgb8::from(pixels);
        if id == CLEAN {
            outline(&mut picture, &prepared.mask, WHITE);
        }
        let record = records.iter().find(|record| record.condition == id && record.trial == 0);
        panels.push(Panel {
            file: save(folder, &format!("{}-{}", chosen.slug, id.replace(':', "-")), picture)?,
            title: title.clone(),
            condition: Some(id.to_owned()),
            prediction: record.and_then(|record| record.prediction).map(|class| name(plan, class)),
            correct: record.and_then(|record| record.correct),
            confidence: record.and_then(|record| record.confidence),
        });
    }
    let clean = records.iter().find(|record| record.condition == CLEAN);
    let asked = Asked { prepared, sample, prediction: clean.and_then(|record| record.prediction) };
    if let Some(explainer) = plan.explainers.first() {
        let maps = maps(plan, explainer, &[asked], &mut |_, _| ControlFlow::Continue(()))?;
        for map in maps.unwrap_or_default() {
            let mut picture = overlay(&Rgb8::from(&prepared.image), &map);
            outline(&mut picture, &prepared.mask, WHITE);
            panels.push(Panel {
                file: save(folder, &format!("{}-saliency", chosen.slug), picture)?,
                title: "Where the model looks".to_owned(),
                condition: None,
                prediction: None,
                correct: None,
                confidence: None,
            });
        }
    }
    let iou = clean.and_then(|record| record.map.get("iou"));
    let caption = caption(plan.class(sample), clean.and_then(|record| record.object_fraction), iou);
    let (sample, class) = (chosen.sample.to_owned(), plan.class(sample).to_owned());
    Ok(Exhibit { title: chosen.title.to_owned(), kind: chosen.kind, caption, sample, class, iou, panels })
}

/// What is known of the sample; what was predicted stands with each panel.
fn caption(class: &str, object: Option<f32>, iou: Option<f32>) -> String {
    let mut facts = vec![class.to_owned()];
    facts.extend(object.map(|share| format!("object {:.1} % of the picture", 100.0 * share)));
    facts.extend(iou.map(|iou| format!("saliency IoU {iou:.2}")));
    facts.join(", ")
}

/// A class of the head as a person reads it.
fn name(plan: &Plan<'_>, class: u32) -> String {
    plan.class_name(class).map_or_else(|| format!("class {class}"), str::to_owned)
}

/// Of the pictures' JPEG files: small enough for a page of hundreds, and no difference to the eye.
const QUALITY: u8 = 88;

/// Writes a JPEG of at most 224 pixels a side; gives its name in the run folder.
fn save(folder: &RunFolder, name: &str, picture: Rgb8) -> Result<String> {
    let file = format!("gallery/{name}.jpg");
    let picture = shrunk(picture);
    let bytes = picture
        .encode_jpeg(QUALITY)
        .map_err(|error| RunError::Encode { path: folder.path().join(&file), reason: error.to_string() })?;
    folder.write(&file, &bytes)?;
    Ok(file)
}

fn shrunk(picture: Rgb8) -> Rgb8 {
    let longest = picture.height.max(picture.width);
    if longest <= SIDE {
        return picture;
    }
    let side = |length: usize| (length * SIDE / longest).max(1);
    let resize = Resize::Squash(side(picture.height), side(picture.width));
    let transform = PairedTransform { resize, crop: None, filter: Filter::Bilinear, mask_rule: MaskRule::Half };
    Rgb8::from(&transform.apply_to_image(&picture))
}

#[cfg(test)]
mod tests {
    use super::{shrunk, title};
    use hard_imagenet_images::Rgb8;
    use hard_imagenet_metrics::NoiseCondition;
    use hard_imagenet_perturbations::KINDS;

    #[test]
    fn every_word_has_a_title() {
        for word in KINDS.iter().map(|kind| kind.pattern).filter(|word| !word.starts_with("noise:")) {
            let id = word.replace("SIGMA", "2").replace("CELL", "8");
            assert!(NoiseCondition::parse(&id).is_none());
            assert_ne!(title(&id), id);
        }
    }

    #[test]
    fn pictures_are_bounded() {
        let check = |height, width, expected| {
            let small = shrunk(Rgb8 { height, width, data: vec![7; height * width * 3] });
            assert_eq!((small.height, small.width), expected);
            assert!(small.data.iter().all(|&value| value == 7));
        };
        check(64, 64, (64, 64));
        check(384, 384, (224, 224));
        check(448, 224, (224, 112));
    }
}
