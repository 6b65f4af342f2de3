//! From the words of a protocol to what they name.

use crate::protocol::invalid;
use crate::{Quirks, Result};
use hard_imagenet_metrics as metrics;
use hard_imagenet_perturbations::{GrayBox, Noise, Norm, Perturb, Preset, Region, Tile};
use hard_imagenet_saliency::{Explain, GradCam};

/// What a condition does to a picture.
pub(crate) enum Change {
    /// The same in every trial.
    Fixed(Box<dyn Perturb>),
    /// Apart from the others because all noise of a sample and trial is made from one draw.
    Noise(Noise),
}

impl Change {
    pub(crate) fn is_random(&self) -> bool {
        matches!(self, Self::Noise(_))
    }
}

/// The change of that word, its variant by the switches.
pub(crate) fn change(id: &str, quirks: &Quirks) -> Result<Change> {
    // Says what is wrong with a word, and knows those without variants.
    let parsed = hard_imagenet_perturbations::parse(id, Preset::Strict).map_err(|error| invalid(error.to_string()))?;
    if parsed.id() != id {
        return Err(invalid(format!("condition {id:?} is written {:?}", parsed.id())));
    }
    Ok(match (id, metrics::Noise::parse(id)) {
        ("gray-box", _) => Change::Fixed(Box::new(GrayBox { edges: quirks.box_edges })),
        ("tile", _) => Change::Fixed(Box::new(Tile { rule: quirks.tile })),
        (_, Some(noise)) => Change::Noise(Noise {
            norm: if noise.norm == "l2" { Norm::L2 } else { Norm::Linf },
            sigma: noise.sigma as f32,
            region: match noise.region {
                metrics::Region::Foreground => Region::Foreground,
                metrics::Region::Background => Region::Background,
            },
            empty: quirks.empty_region,
        }),
        _ => Change::Fixed(parsed),
    })
}

/// The explainer of that word: "gradcam", or "gradcam:NODE" to look from another node than the model's own.
pub(crate) fn explainer(word: &str) -> Result<Box<dyn Explain>> {
    Ok(Box::new(gradcam(word)?))
}

/// The node that an explainer names, if it names one.
pub(crate) fn explainer_node(word: &str) -> Result<Option<String>> {
    Ok(gradcam(word)?.node)
}

fn gradcam(word: &str) -> Result<GradCam> {
    match word.split_once(':') {
        None if word == "gradcam" => Ok(GradCam { node: None }),
        Some(("gradcam", node)) if !node.is_empty() => Ok(GradCam { node: Some(node.to_owned()) }),
        _ => Err(invalid(format!("unknown explainer {word:?}; known are: gradcam, gradcam:NODE"))),
    }
}

#[cfg(test)]
mod tests {
    use super::{Change, change};
    use crate::{Protocol, Quirks};
    use hard_imagenet_images::Pixels;
    use hard_imagenet_masks::Mask;
    use hard_imagenet_perturbations::{BoxEdges, EmptyRegion, NoiseKey, Perturb, Preset};

    #[test]
    fn every_word_of_the_paper_names_itself() {
        for condition in Protocol::paper().conditions {
            let id = match change(&condition.id, &Quirks::from(Preset::Paper)).unwrap() {
                Change::Fixed(perturb) => perturb.id(),
                Change::Noise(noise) => noise.id(),
            };
            assert_eq!(id, condition.id);
        }
    }

    #[test]
    fn switches_choose_the_variant() {
        for empty_region in [EmptyRegion::NotANumber, EmptyRegion::Unchanged] {
            let quirks = Quirks { empty_region, ..Quirks::from(Preset::Paper) };
            let Change::Noise(noise) = change("noise:l2:30:bg", &quirks).unwrap() else { panic!("noise") };
            assert_eq!(noise.empty, empty_region);
        }
        for (box_edges, grayed) in [(BoxEdges::Exclusive, 0.0), (BoxEdges::Inclusive, 0.5)] {
            let quirks = Quirks { box_edges, ..Quirks::from(Preset::Strict) };
            let Change::Fixed(perturb) = change("gray-box", &quirks).unwrap() else { panic!("fixed") };
            let black = Pixels::from_vec(2, 2, vec![0.0; 12]);
            let changed = perturb.apply(&black, &Mask::from_fn(2, 2, |_, _| true), NoiseKey(0));
            assert_eq!(changed.as_slice()[3], grayed, "the last row and column");
        }
    }
}
