use crate::{PerturbationDescription, Result, RunError};
use hard_imagenet_metrics::{CLEAN, FAITHFULNESS};
use hard_imagenet_perturbations::{Perturbation, Preset, parse_any};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// A condition of a protocol: what is done to every sample, and how often.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// The id, which is "none" or that of a perturbation: "gray", "mixed-rand", "noise:linf:0.25:fg".
    pub id: String,
    /// The number of trials per sample; 1 for conditions that are not random.
    pub trials: u32,
}

/// The conditions under which a model is evaluated, and the explainers whose maps are scored.
///
/// # As a file
/// [`Protocol::from_toml`] reads
///
/// ```toml
/// # The conditions in their order; "none" is the unchanged image.
/// conditions = ["none", "gray", "gray-box", "tile", "noise:linf:0.25:fg"]
/// # The number of trials of each random condition; the default is 1.
/// trials = 3
/// # The explainers whose maps of the unchanged images are scored; the default is none. The scores of the first one are
/// # the saliency scores of the run.
/// explainers = ["gradcam", "random"]
/// # Whether the maps are faithful to the model; the default is not to measure it. Each map costs tens of forward passes.
/// faithfulness = ["insertion", "deletion", "road"]
///
/// # Many noise conditions at once: every strength in every region. All keys are optional.
/// [noise]
/// linf = [0.125, 0.25]
/// l2 = [30, 60]
/// regions = ["fg", "bg"] # the default is both
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protocol {
    /// The conditions in the order of the records.
    pub conditions: Vec<Condition>,
    /// The explainers whose maps are compared with the masks: `METHOD`, or `METHOD:NODE` for another node than the model's
    /// own, optionally followed by `@predicted` or `@CLASS` to explain another class than the label. Without explainers
    /// there are no saliency scores.
    pub explainers: Vec<String>,
    /// The faithfulness scores that are computed for every map, of [`FAITHFULNESS`](hard_imagenet_metrics::FAITHFULNESS).
    pub faithfulness: Vec<String>,
}

/// The conditions that every built-in protocol has besides noise.
const ABLATIONS: [&str; 4] = [CLEAN, "gray", "gray-box", "tile"];

/// The paper's explainer.
const GRADCAM: &str = "gradcam";

impl Protocol {
    /// Returns the complete protocol of the paper (Moayeri, Singla, Feizi 2022): the unchanged image, three ablations, six
    /// strengths of two kinds of noise in both regions with three trials each, and Grad-CAM. It needs 76 images per sample.
    pub fn paper() -> Self {
        let noise = Noise {
            linf: vec![0.125, 0.25, 0.375, 0.5, 0.625, 0.75],
            l2: vec![30.0, 60.0, 90.0, 120.0, 150.0, 180.0],
            regions: Region::BOTH.to_vec(),
        };
        Self::new(&ABLATIONS, Some(&noise), 3, &[])
    }

    /// Returns a protocol for a first look: the unchanged image, three ablations, one strength of noise in both regions,
    /// and Grad-CAM. It needs 6 images per sample.
    pub fn quick() -> Self {
        let noise = Noise { linf: vec![0.25], l2: Vec::new(), regions: Region::BOTH.to_vec() };
        Self::new(&ABLATIONS, Some(&noise), 1, &[])
    }

    /// Returns the protocol of the paper's table of many models: the unchanged image, three ablations, noise of ℓ∞ 0.25 in
    /// both regions with three trials, and Grad-CAM. It needs 10 images per sample.
    pub fn headline() -> Self {
        let noise = Noise { linf: vec![0.25], l2: Vec::new(), regions: Region::BOTH.to_vec() };
        Self::new(&ABLATIONS, Some(&noise), 3, &[])
    }

    fn new(words: &[&str], noise: Option<&Noise>, trials: u32, stated: &[PerturbationDescription]) -> Self {
        let words = words.iter().map(|&word| word.to_owned()).chain(noise.into_iter().flat_map(Noise::words));
        let condition = |id: String| {
            let trials = if is_random(&id, stated) { trials } else { 1 };
            Condition { id, trials }
        };
        Self {
            conditions: words.map(condition).collect(),
            explainers: vec![GRADCAM.to_owned()],
            faithfulness: Vec::new(),
        }
    }

    /// Parses a protocol in the form shown [above](Self#as-a-file).
    ///
    /// # Errors
    /// [`RunError::Protocol`] if the text is not TOML, if a key or condition is unknown (the message lists the known ones) or
    /// listed twice, if there is no condition or no trial, or if there is an explainer without the condition "none". Whether
    /// an explainer is known is checked when it is used.
    pub fn from_toml(text: &str) -> Result<Self> {
        Self::from_toml_with(text, &[])
    }

    /// Reads a protocol that may name perturbations which are not built in.
    ///
    /// ```
    /// use hard_imagenet_runs::{PerturbationDescription, Protocol};
    ///
    /// // `PerturbationDescription::new` makes this from a perturbation.
    /// let mirror = PerturbationDescription {
    ///     id: "mirror".into(),
    ///     version: "1".into(),
    ///     title: "object mirrored".into(),
    ///     sentence: "The object is mirrored in its place.".into(),
    ///     keeps_object: true,
    ///     is_random: false,
    /// };
    /// let protocol = Protocol::from_toml_with("conditions = ['none', 'mirror']", &[mirror])?;
    /// assert_eq!(protocol.conditions[1].id, "mirror");
    /// # Ok::<(), hard_imagenet_runs::RunError>(())
    /// ```
    ///
    /// # Errors
    /// The errors of [`from_toml`](Self::from_toml).
    pub fn from_toml_with(text: &str, stated: &[PerturbationDescription]) -> Result<Self> {
        let file: File = toml::from_str(text).map_err(|error| invalid(error.to_string().trim_end()))?;
        let words: Vec<&str> = file.conditions.iter().map(String::as_str).collect();
        let mut protocol = Self::new(&words, file.noise.as_ref(), file.trials, stated);
        protocol.explainers = file.explainers;
        protocol.faithfulness = file.faithfulness;
        protocol.check_with(stated)?;
        Ok(protocol)
    }

    /// Returns the number of images that a model processes for one sample.
    pub fn images_per_sample(&self) -> usize {
        self.conditions.iter().map(|condition| condition.trials as usize).sum()
    }

    /// Checks that all conditions are known and that the protocol is consistent. The words of explainers are not parsed.
    ///
    /// # Errors
    /// [`RunError::Protocol`], as from [`from_toml`](Self::from_toml).
    pub fn check(&self) -> Result<()> {
        self.check_with(&[])
    }

    /// [`check`](Self::check) with conditions that are not built in.
    ///
    /// # Errors
    /// [`RunError::Protocol`], as from [`from_toml`](Self::from_toml).
    pub fn check_with(&self, stated: &[PerturbationDescription]) -> Result<()> {
        let mut seen = HashSet::new();
        for condition in &self.conditions {
            let is_random = match stated.iter().find(|description| description.id == condition.id) {
                Some(description) => description.is_random,
                None => parse(&condition.id)?.is_random(),
            };
            if !seen.insert(&condition.id) {
                return Err(invalid(format!("condition {:?} is listed twice", condition.id)));
            }
            if condition.trials == 0 {
                return Err(invalid(format!("condition {:?} needs at least one trial", condition.id)));
            }
            if condition.trials > 1 && !is_random {
                return Err(invalid(format!("condition {:?} is not random: one trial is enough", condition.id)));
            }
        }
        if self.conditions.is_empty() {
            return Err(invalid("it has no condition; start with conditions = [\"none\", \"gray\"]"));
        }
        for (at, word) in self.explainers.iter().enumerate() {
            if self.explainers[..at].contains(word) {
                return Err(invalid(format!("explainer {word:?} is listed twice")));
            }
        }
        if !self.explainers.is_empty() && !self.conditions.iter().any(|condition| condition.id == CLEAN) {
            return Err(invalid("explainers are scored on the unchanged images: add condition \"none\""));
        }
        if let Some(word) = self.faithfulness.iter().find(|word| !FAITHFULNESS.contains(&word.as_str())) {
            return Err(invalid(format!("unknown faithfulness {word:?}; known are: {}", FAITHFULNESS.join(", "))));
        }
        if !self.faithfulness.is_empty() && self.explainers.is_empty() {
            return Err(invalid("faithfulness is a property of saliency maps: add explainers = [\"gradcam\"]"));
        }
        Ok(())
    }
}

/// Returns an error about a protocol.
fn invalid(message: impl Into<String>) -> RunError {
    RunError::Protocol { message: message.into() }
}

/// Parses a condition.
fn parse(id: &str) -> Result<Perturbation> {
    // The presets differ in variants only, never in words.
    let parsed = parse_any(id, Preset::Strict).map_err(|error| invalid(error.to_string()))?;
    if parsed.id() == id { Ok(parsed) } else { Err(invalid(format!("condition {id:?} is written {:?}", parsed.id()))) }
}

fn is_random(id: &str, stated: &[PerturbationDescription]) -> bool {
    if let Some(description) = stated.iter().find(|description| description.id == id) {
        return description.is_random;
    }
    // `check` reports what is wrong with an unknown word.
    parse(id).is_ok_and(|perturbation| perturbation.is_random())
}

/// The protocol as a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    conditions: Vec<String>,
    #[serde(default = "one")]
    trials: u32,
    #[serde(default)]
    explainers: Vec<String>,
    #[serde(default)]
    faithfulness: Vec<String>,
    noise: Option<Noise>,
}

fn one() -> u32 {
    1
}

/// Every strength in every region.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Noise {
    #[serde(default)]
    linf: Vec<f64>,
    #[serde(default)]
    l2: Vec<f64>,
    #[serde(default = "Region::both")]
    regions: Vec<Region>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Region {
    Fg,
    Bg,
}

impl Region {
    const BOTH: [Self; 2] = [Self::Fg, Self::Bg];

    fn both() -> Vec<Self> {
        Self::BOTH.to_vec()
    }
}

impl Noise {
    fn words(&self) -> Vec<String> {
        let kinds = [("linf", &self.linf), ("l2", &self.l2)];
        let mut words = Vec::new();
        for (kind, strength) in kinds.into_iter().flat_map(|(kind, all)| all.iter().map(move |s| (kind, s))) {
            for region in &self.regions {
                let region = match region {
                    Region::Fg => "fg",
                    Region::Bg => "bg",
                };
                words.push(format!("noise:{kind}:{strength}:{region}"));
            }
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Protocol, is_random};

    fn ids(protocol: &Protocol) -> Vec<&str> {
        protocol.conditions.iter().map(|condition| condition.id.as_str()).collect()
    }

    #[test]
    fn the_paper_protocol_needs_76_images_per_sample() {
        let paper = Protocol::paper();
        assert_eq!(paper.images_per_sample(), 4 + 2 * 6 * 2 * 3);
        assert_eq!(paper.conditions[3], Condition { id: "tile".into(), trials: 1 });
        assert_eq!(paper.conditions[4], Condition { id: "noise:linf:0.125:fg".into(), trials: 3 });
        assert_eq!(paper.conditions[27], Condition { id: "noise:l2:180:bg".into(), trials: 3 });
        paper.check().unwrap();
    }

    #[test]
    fn the_quick_protocol_needs_six_images_per_sample() {
        let quick = Protocol::quick();
        assert_eq!(ids(&quick), ["none", "gray", "gray-box", "tile", "noise:linf:0.25:fg", "noise:linf:0.25:bg"]);
        assert_eq!(quick.images_per_sample(), 6);
        quick.check().unwrap();
        assert_eq!(Protocol::headline().images_per_sample(), 10);
    }

    #[test]
    fn a_file_can_state_the_paper_protocol() {
        let text = r#"
            conditions = ["none", "gray", "gray-box", "tile"]
            trials = 3
            explainers = ["gradcam"]
            [noise]
            linf = [0.125, 0.25, 0.375, 0.5, 0.625, 0.75]
            l2 = [30, 60, 90, 120, 150, 180]
        "#;
        assert_eq!(Protocol::from_toml(text).unwrap(), Protocol::paper());
    }

    #[test]
    fn most_keys_are_optional() {
        let protocol = Protocol::from_toml("conditions = ['gray']").unwrap();
        assert_eq!(ids(&protocol), ["gray"]);
        assert_eq!(protocol.explainers, [""; 0]);
    }

    #[test]
    fn a_protocol_survives_json() {
        let json = serde_json::to_string(&Protocol::paper()).unwrap();
        assert_eq!(serde_json::from_str::<Protocol>(&json).unwrap(), Protocol::paper());
    }

    #[test]
    fn only_random_conditions_can_be_drawn_again() {
        let check = |id: &str, random| assert_eq!(is_random(id, &[]), random, "{id}");
        for id in ["none", "tile", "average", "blur:8", "only-fg"] {
            check(id, false);
        }
        for id in ["noise:l2:30:bg", "noise-fill", "shuffle:16", "mixed-same", "mixed-rand", "mixed-next"] {
            check(id, true);
        }
    }

    #[test]
    fn errors_list_the_alternatives() {
        let check = |text: &str, expected: &str| {
            let message = Protocol::from_toml(text).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        };
        check("conditions = 3", "conditions");
        check("condition = ['none']", "conditions");
        check("conditions = ['grey']", "gray-box");
        check("conditions = ['none']\nexplainers = ['gradcam', 'gradcam']", "twice");
        check("conditions = ['none']\nfaithfulness = ['road']", "add explainers");
        check("conditions = ['none']\nexplainers = ['gradcam']\nfaithfulness = ['street']", "insertion");
        check("conditions = ['noise:linf:0.250:fg']", "noise:linf:0.25:fg");
        check("conditions = ['mixed']", "mixed-same");
        check("conditions = ['blur:5.0']", "blur:5");
        check("conditions = ['none', 'none']", "twice");
        check("conditions = []", "no condition");
        check("conditions = ['noise:linf:0.1:fg']\ntrials = 0", "at least one trial");
        check("conditions = ['gray']\nexplainers = ['gradcam']", "add condition");
        check("conditions = ['none']\n[noise]\nregions = ['middle']", "fg");
    }
}
