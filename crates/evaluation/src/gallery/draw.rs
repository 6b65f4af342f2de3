//! Draws the selected samples.

use super::select::{Selected, select};
use crate::Result;
use crate::setup::Setup;
use crate::stages::decode::{Decoded, decode};
use crate::stages::explain::{Subject, explain};
use crate::stages::interrupt::Interrupt;
use crate::stages::perturb::{Variant, perturb};
use hard_imagenet_images::{Filter, MaskRule, PairedTransform, Resize, Rgb8, outline, overlay};
use hard_imagenet_metrics::{CLEAN, NoiseCondition, NoiseRegion, Record};
use hard_imagenet_runs::{Conditions, Exhibit, Gallery, Panel, Run, RunError, RunFolder};
use std::collections::HashMap;
use std::ops::ControlFlow;

/// The longest side of a drawn image in pixels.
const SIDE: usize = 224;

/// The strength of noise that is shown. Without it, the first of each region is.
const NOISE: &str = "noise:linf:0.25";

const WHITE: [u8; 3] = [255, 255, 255];

/// Draws the selected samples of a run into `gallery/` and lists them in `gallery.json`.
///
/// `progress` is called with the exhibits that are drawn and their total. Returning `Break` ends the drawing without a
/// list.
pub(crate) fn draw(
    setup: &Setup<'_>,
    folder: &RunFolder,
    run: &Run,
    progress: &mut dyn FnMut(usize, usize) -> ControlFlow<()>,
) -> Result<()> {
    let places: HashMap<&str, usize> = (0..setup.dataset.len()).map(|i| (setup.dataset.id(i), i)).collect();
    let table = Conditions::new([run.description()]);
    let shown = shown_conditions(setup, &table);
    let selected = select(run.records(), main_ablation(setup, &table));
    let mut gallery = Gallery::default();
    for (done, one) in selected.iter().enumerate() {
        if progress(done, selected.len()).is_break() {
            return Ok(());
        }
        let Some(&sample) = places.get(one.sample) else { continue };
        // A file that existed a minute ago may be gone. The gallery is no reason to fail.
        let Ok(decoded) = decode(setup, sample) else { continue };
        let records: Vec<&Record> = run.records().iter().filter(|r| r.sample == one.sample).collect();
        let artist = Artist { setup, folder, slug: &one.slug, sample, decoded: [decoded] };
        gallery.exhibits.push(artist.draw_exhibit(one, &shown, &records)?);
    }
    let _ = progress(selected.len(), selected.len());
    Ok(folder.write_json(RunFolder::GALLERY, &gallery)?)
}

/// The conditions to draw, by index, with their captions: the clean one, everything except noise, and one strength of
/// noise in both regions.
fn shown_conditions(setup: &Setup<'_>, table: &Conditions) -> Vec<(usize, String)> {
    let ids = || setup.conditions.iter().map(|condition| condition.id.as_str());
    let noise = |word: &str, region| {
        let in_region = |id: &str| NoiseCondition::parse(id).is_some_and(|noise| noise.region == region);
        ids().position(|id| id == word).or_else(|| ids().position(in_region))
    };
    let mut shown: Vec<usize> =
        ids().enumerate().filter(|(_, id)| NoiseCondition::parse(id).is_none()).map(|(at, _)| at).collect();
    shown.sort_by_key(|&at| Some(at) != setup.clean());
    shown.extend(noise(&format!("{NOISE}:fg"), NoiseRegion::Foreground));
    shown.extend(noise(&format!("{NOISE}:bg"), NoiseRegion::Background));
    shown.into_iter().map(|at| (at, table.caption(&setup.conditions[at].id))).collect()
}

/// The condition whose drop in confidence is looked at: the first in reading order that removes the object.
fn main_ablation<'s>(setup: &'s Setup<'_>, table: &Conditions) -> Option<&'s str> {
    let ids = setup.conditions.iter().map(|condition| condition.id.as_str());
    ids.filter(|id| !table.keeps_object(id)).min_by(|a, b| table.compare(a, b))
}

/// Draws one sample.
struct Artist<'s, 'a> {
    setup: &'s Setup<'a>,
    folder: &'s RunFolder,
    /// Begins the names of the files.
    slug: &'s str,
    sample: usize,
    decoded: [Decoded; 1],
}

impl Artist<'_, '_> {
    fn draw_exhibit(&self, selected: &Selected<'_>, shown: &[(usize, String)], records: &[&Record]) -> Result<Exhibit> {
        let clean = records.iter().copied().find(|record| record.condition == CLEAN);
        let mut panels = self.draw_conditions(shown, records)?;
        panels.extend(self.draw_map(clean.and_then(|record| record.prediction))?);
        let iou = clean.and_then(|record| record.map.get("iou"));
        let class = self.setup.class(self.sample);
        Ok(Exhibit {
            title: selected.title.to_owned(),
            kind: selected.kind,
            caption: caption(class, clean.and_then(|record| record.object_fraction), iou),
            sample: selected.sample.to_owned(),
            class: class.to_owned(),
            iou,
            panels,
        })
    }

    /// A panel for each condition, with the first trial's answer.
    fn draw_conditions(&self, shown: &[(usize, String)], records: &[&Record]) -> Result<Vec<Panel>> {
        let variant = |&(condition, _): &(usize, String)| Variant { at: 0, sample: self.sample, condition, trial: 0 };
        let images = perturb(self.setup, &self.decoded, &shown.iter().map(variant).collect::<Vec<_>>());
        let mut panels = Vec::new();
        for ((condition, caption), pixels) in shown.iter().zip(&images) {
            let id = self.setup.conditions[*condition].id.as_str();
            let mut image = Rgb8::from(pixels);
            if id == CLEAN {
                outline(&mut image, &self.decoded[0].mask, WHITE);
            }
            let record = records.iter().find(|record| record.condition == id && record.trial == 0);
            panels.push(Panel {
                file: save(self.folder, &format!("{}-{}", self.slug, id.replace(':', "-")), image)?,
                title: caption.clone(),
                condition: Some(id.to_owned()),
                prediction: record.and_then(|record| record.prediction).map(|class| self.class_name(class)),
                correct: record.and_then(|record| record.correct),
                confidence: record.and_then(|record| record.confidence),
            });
        }
        Ok(panels)
    }

    /// The map of the first explainer over the clean image.
    fn draw_map(&self, prediction: Option<u32>) -> Result<Option<Panel>> {
        let Some(explainer) = self.setup.explainers.first() else { return Ok(None) };
        let [decoded] = &self.decoded;
        let subject = Subject::from_record(decoded, self.sample, prediction);
        let maps = match explain(self.setup, explainer, &[subject], &mut |_, _| ControlFlow::Continue(())) {
            Ok(maps) => maps,
            Err(Interrupt::Canceled) => return Ok(None),
            Err(Interrupt::Failed(error)) => return Err(*error),
        };
        let Some(map) = maps.first() else { return Ok(None) };
        let mut image = overlay(&Rgb8::from(&decoded.image), map);
        outline(&mut image, &decoded.mask, WHITE);
        Ok(Some(Panel {
            file: save(self.folder, &format!("{}-saliency", self.slug), image)?,
            title: "Where the model looks".to_owned(),
            condition: None,
            prediction: None,
            correct: None,
            confidence: None,
        }))
    }

    /// The name of a class of the head for people.
    fn class_name(&self, class: u32) -> String {
        self.setup.class_name(class).map_or_else(|| format!("class {class}"), str::to_owned)
    }
}

/// The facts about a sample. Each panel has its own prediction.
fn caption(class: &str, object: Option<f32>, iou: Option<f32>) -> String {
    let mut facts = vec![class.to_owned()];
    facts.extend(object.map(|share| format!("object {:.1} % of the picture", 100.0 * share)));
    facts.extend(iou.map(|iou| format!("saliency IoU {iou:.2}")));
    facts.join(", ")
}

/// The quality of the JPEG files: small enough for a page of hundreds, without a visible difference.
const QUALITY: u8 = 88;

/// Writes an image as a JPEG of at most 224 pixels a side; returns its name in the run folder.
fn save(folder: &RunFolder, name: &str, image: Rgb8) -> Result<String> {
    let file = format!("gallery/{name}.jpg");
    let bytes = shrink(image)
        .encode_jpeg(QUALITY)
        .map_err(|error| RunError::Encode { path: folder.path().join(&file), reason: error.to_string() })?;
    folder.write(&file, &bytes)?;
    Ok(file)
}

fn shrink(image: Rgb8) -> Rgb8 {
    let longest = image.height.max(image.width);
    if longest <= SIDE {
        return image;
    }
    let side = |length: usize| (length * SIDE / longest).max(1);
    let resize = Resize::Squash(side(image.height), side(image.width));
    let transform = PairedTransform { resize, crop: None, filter: Filter::Bilinear, mask_rule: MaskRule::Half };
    Rgb8::from(&transform.apply_to_image(&image))
}

#[cfg(test)]
mod tests {
    use super::shrink;
    use hard_imagenet_images::Rgb8;

    #[test]
    fn images_are_bounded() {
        let check = |height, width, expected| {
            let small = shrink(Rgb8 { height, width, data: vec![7; height * width * 3] });
            assert_eq!((small.height, small.width), expected);
            assert!(small.data.iter().all(|&value| value == 7));
        };
        check(64, 64, (64, 64));
        check(384, 384, (224, 224));
        check(448, 224, (224, 112));
    }
}
