//! From the words of a protocol to what they name.

use crate::Result;
use crate::error::invalid;
use hard_imagenet_metrics as metrics;
use hard_imagenet_perturbations::{Average, GrayBox, Mix, Noise, NoiseFill, Norm, Perturb, Preset, Region, Tile};
use hard_imagenet_runs::{Protocol, Quirks};
use hard_imagenet_saliency::Explain;

/// What a condition does to a picture.
pub(crate) enum Change {
    /// Something done to the picture itself.
    Alone(Box<dyn Perturb>),
    /// Apart from the others because all noise of a sample and trial is made from one draw.
    Noise(Noise),
    /// Its background comes from another sample.
    Mix(Mix),
}

/// The change of that word, its variant by the switches.
pub(crate) fn change(id: &str, quirks: &Quirks) -> Result<Change> {
    if let Some(mix) = Mix::parse(id) {
        return Ok(Change::Mix(mix));
    }
    // Says what is wrong with a word, and knows those without variants.
    let parsed = hard_imagenet_perturbations::parse(id, Preset::Strict).map_err(|error| invalid(error.to_string()))?;
    if parsed.id() != id {
        return Err(invalid(format!("condition {id:?} is written {:?}", parsed.id())));
    }
    Ok(match (id, metrics::NoiseCondition::parse(id)) {
        ("gray-box", _) => Change::Alone(Box::new(GrayBox { edges: quirks.box_edges })),
        ("tile", _) => Change::Alone(Box::new(Tile { rule: quirks.tile })),
        ("average", _) => Change::Alone(Box::new(Average { keep_shape: false, rule: quirks.average })),
        ("average:shape", _) => Change::Alone(Box::new(Average { keep_shape: true, rule: quirks.average })),
        ("noise-fill", _) => Change::Alone(Box::new(NoiseFill { rule: quirks.noise_fill })),
        (_, Some(noise)) => Change::Noise(Noise {
            norm: if noise.norm == "l2" { Norm::L2 } else { Norm::Linf },
            sigma: noise.sigma as f32,
            region: match noise.region {
                metrics::NoiseRegion::Foreground => Region::Foreground,
                metrics::NoiseRegion::Background => Region::Background,
            },
            empty: quirks.empty_region,
        }),
        _ => Change::Alone(parsed),
    })
}

/// An explainer and the class it is asked about.
pub(crate) struct Explainer {
    /// As the protocol has it.
    pub(crate) word: String,
    pub(crate) explain: Box<dyn Explain>,
    pub(crate) target: Target,
}

/// Which class an explainer is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Label,
    /// Of the untouched picture.
    Predicted,
    Class(u32),
}

/// Checks that the explainers of a protocol are known. [`Evaluation::run`](crate::Evaluation::run) does the same after
/// the model was loaded; this finds a mistake before.
///
/// # Errors
/// [`RunError::Protocol`](hard_imagenet_runs::RunError::Protocol) names the explainer and lists the known ones.
pub fn check_explainers(protocol: &Protocol) -> Result<()> {
    protocol.explainers.iter().try_for_each(|word| explainer(word).map(drop))
}

/// The explainer of that word: of the saliency crate, with a target behind an `@`.
pub(crate) fn explainer(word: &str) -> Result<Explainer> {
    let (method, target) = match word.rsplit_once('@') {
        None => (word, Target::Label),
        Some((method, "predicted")) => (method, Target::Predicted),
        Some((method, class)) => match class.parse() {
            Ok(class) => (method, Target::Class(class)),
            Err(_) => {
                return Err(invalid(format!(
                    "explainer {word:?}: behind the @ stands predicted or a class's number, as in gradcam@predicted"
                )));
            }
        },
    };
    let explain = hard_imagenet_saliency::parse(method).map_err(|error| invalid(error.to_string()))?;
    Ok(Explainer { word: word.to_owned(), explain, target })
}

#[cfg(test)]
mod tests {
    use super::{Change, change, check_explainers};
    use hard_imagenet_images::Pixels;
    use hard_imagenet_masks::Mask;
    use hard_imagenet_perturbations::{AverageRule, BoxEdges, EmptyRegion, NoiseFillRule, NoiseKey, Perturb, Preset};
    use hard_imagenet_runs::{Protocol, Quirks};

    #[test]
    fn every_word_of_the_paper_names_itself() {
        for condition in Protocol::paper().conditions {
            let id = match change(&condition.id, &Quirks::from(Preset::Paper)).unwrap() {
                Change::Alone(perturb) => perturb.id(),
                Change::Noise(noise) => noise.id(),
                Change::Mix(mix) => mix.id().to_owned(),
            };
            assert_eq!(id, condition.id);
        }
    }

    #[test]
    fn errors_about_explainers_name_what_is_known() {
        let check = |text: &str, expected: &str| {
            let message = check_explainers(&Protocol::from_toml(text).unwrap()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check("conditions = ['none']\nexplainers = ['gradcem']", "gradcam");
        check("conditions = ['none']\nexplainers = ['gradcam@likely']", "@predicted");
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
            let Change::Alone(perturb) = change("gray-box", &quirks).unwrap() else { panic!("alone") };
            let black = Pixels::from_vec(2, 2, vec![0.0; 12]).unwrap();
            let changed = perturb.apply(&black, &Mask::from_fn(2, 2, |_, _| true), NoiseKey(0));
            assert_eq!(changed.as_slice()[3], grayed, "the last row and column");
        }
        for (average, painted) in [(AverageRule::Published, 0.0), (AverageRule::Corrected, 0.5)] {
            let quirks = Quirks { average, ..Quirks::from(Preset::Strict) };
            let Change::Alone(perturb) = change("average", &quirks).unwrap() else { panic!("alone") };
            let black = Pixels::from_vec(10, 10, vec![0.0; 300]).unwrap();
            let changed = perturb.apply(&black, &Mask::new(10, 10).complement(), NoiseKey(0));
            assert_eq!(changed.as_slice()[0], painted);
        }
        for noise_fill in [NoiseFillRule::Published, NoiseFillRule::Clipped] {
            let quirks = Quirks { noise_fill, ..Quirks::from(Preset::Strict) };
            let Change::Alone(perturb) = change("noise-fill", &quirks).unwrap() else { panic!("alone") };
            let black = Pixels::from_vec(10, 10, vec![0.0; 300]).unwrap();
            let changed = perturb.apply(&black, &Mask::new(10, 10).complement(), NoiseKey(0));
            let negative = changed.as_slice().iter().any(|&value| value < 0.0);
            assert_eq!(negative, noise_fill == NoiseFillRule::Published);
        }
    }
}
