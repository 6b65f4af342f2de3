//! From the words of a protocol to the perturbations and explainers that they name.

use crate::Result;
use crate::error::invalid;
use crate::extensions::Extensions;
use hard_imagenet_perturbations::{Mix, Perturb, Perturbation, parse_any};
use hard_imagenet_runs::{Protocol, Quirks};
use hard_imagenet_saliency::Explain;
use std::sync::Arc;

/// What a condition does to an image.
#[derive(Clone)]
pub(crate) enum Change<'a> {
    /// It changes the image itself.
    Single(Arc<dyn Perturb + 'a>),
    /// It takes the background from another sample.
    Mix(Mix),
}

impl Change<'_> {
    pub(crate) fn uses_normals(&self) -> bool {
        matches!(self, Self::Single(perturb) if perturb.uses_normals())
    }
}

/// Returns what a condition does, in the variant that the switches select.
pub(crate) fn resolve_condition<'a>(id: &str, quirks: &Quirks, extensions: &Extensions<'a>) -> Result<Change<'a>> {
    if let Some(perturb) = extensions.perturbation(id) {
        return Ok(Change::Single(perturb));
    }
    let parsed = parse_any(id, quirks.switches()).map_err(|error| invalid(error.to_string()))?;
    if parsed.id() != id {
        return Err(invalid(format!("condition {id:?} is written {:?}", parsed.id())));
    }
    Ok(match parsed {
        Perturbation::Single(perturb) => Change::Single(Arc::from(perturb)),
        Perturbation::Mix(mix) => Change::Mix(mix),
    })
}

/// An explainer and the class that it is asked about.
pub(crate) struct Explainer<'a> {
    /// The word as the protocol writes it.
    pub(crate) word: String,
    pub(crate) explain: Arc<dyn Explain + 'a>,
    pub(crate) target: Target,
}

/// Which class an explainer is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Label,
    /// The prediction for the unchanged image.
    Predicted,
    Class(u32),
}

/// Checks that the explainers of a protocol are known. [`Evaluation::run`](crate::Evaluation::run) does the same, but
/// only after the model was loaded; this finds a mistake earlier.
///
/// # Errors
/// [`RunError::Protocol`](hard_imagenet_runs::RunError::Protocol) names the explainer and lists the known ones.
pub fn check_explainers(protocol: &Protocol) -> Result<()> {
    let none = Extensions::default();
    protocol.explainers.iter().try_for_each(|word| resolve_explainer(word, &none).map(drop))
}

/// Returns the explainer of a word: one of the saliency crate or an extension, with a target after an `@`.
pub(crate) fn resolve_explainer<'a>(word: &str, extensions: &Extensions<'a>) -> Result<Explainer<'a>> {
    let (method, target) = match word.rsplit_once('@') {
        None => (word, Target::Label),
        Some((method, "predicted")) => (method, Target::Predicted),
        Some((method, class)) => match class.parse() {
            Ok(class) => (method, Target::Class(class)),
            Err(_) => {
                return Err(invalid(format!(
                    "explainer {word:?}: the @ is followed by predicted or by the number of a class, as in \
                     gradcam@predicted"
                )));
            }
        },
    };
    let explain = match extensions.explainer(method) {
        Some(explain) => explain,
        None => Arc::from(hard_imagenet_saliency::parse(method).map_err(|error| invalid(error.to_string()))?),
    };
    Ok(Explainer { word: word.to_owned(), explain, target })
}

#[cfg(test)]
mod tests {
    use super::{Change, check_explainers, resolve_condition};
    use crate::extensions::Extensions;
    use hard_imagenet_images::Pixels;
    use hard_imagenet_masks::Mask;
    use hard_imagenet_perturbations::{AverageRule, BoxEdges, EmptyRegion, NoiseFillRule, NoiseKey, Perturb, Preset};
    use hard_imagenet_runs::{Protocol, Quirks};
    use std::sync::Arc;

    fn single(id: &str, quirks: &Quirks) -> Arc<dyn Perturb> {
        match resolve_condition(id, quirks, &Extensions::default()).unwrap() {
            Change::Single(perturb) => perturb,
            Change::Mix(_) => panic!("{id} takes two images"),
        }
    }

    #[test]
    fn every_word_of_the_paper_names_itself() {
        for condition in Protocol::paper().conditions {
            assert_eq!(single(&condition.id, &Quirks::from(Preset::Paper)).id(), condition.id);
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
    fn switches_select_the_variant() {
        let applied = |id: &str, quirks: Quirks, size: usize, mask: &Mask| {
            let black = Pixels::from_vec(size, size, vec![0.0; 3 * size * size]).unwrap();
            single(id, &quirks).apply(&black, mask, NoiseKey(0))
        };
        let strict = Quirks::from(Preset::Strict);
        for empty_region in [EmptyRegion::NotANumber, EmptyRegion::Unchanged] {
            let quirks = Quirks { empty_region, ..Quirks::from(Preset::Paper) };
            let noisy = applied("noise:l2:30:fg", quirks, 2, &Mask::new(2, 2));
            assert_eq!(noisy.as_slice()[0].is_nan(), empty_region == EmptyRegion::NotANumber);
        }
        for (box_edges, grayed) in [(BoxEdges::Exclusive, 0.0), (BoxEdges::Inclusive, 0.5)] {
            let changed = applied("gray-box", Quirks { box_edges, ..strict }, 2, &Mask::from_fn(2, 2, |_, _| true));
            assert_eq!(changed.as_slice()[3], grayed, "the last row and column");
        }
        let everything = Mask::new(10, 10).complement();
        for (average, painted) in [(AverageRule::Published, 0.0), (AverageRule::Corrected, 0.5)] {
            let changed = applied("average", Quirks { average, ..strict }, 10, &everything);
            assert_eq!(changed.as_slice()[0], painted);
        }
        for noise_fill in [NoiseFillRule::Published, NoiseFillRule::Clipped] {
            let changed = applied("noise-fill", Quirks { noise_fill, ..strict }, 10, &everything);
            let negative = changed.as_slice().iter().any(|&value| value < 0.0);
            assert_eq!(negative, noise_fill == NoiseFillRule::Published);
        }
    }
}
