use crate::{Mix, Perturb, Switches};

/// Everything that the project states about one perturbation: its word, its names for people, its place and its parser.
///
/// Each perturbation declares its kind in its own file, and [`KINDS`] lists them. Whatever speaks of conditions (help
/// texts, tables, captions, the method section of a page, the order of columns) reads this declaration.
#[derive(Clone, Copy, Debug)]
pub struct PerturbationKind {
    /// How ids of this kind are written. Parts in capitals are arguments: `gray`, `blur:SIGMA`.
    pub pattern: &'static str,
    /// One line for a help text.
    pub help: &'static str,
    /// The name of the kind as a whole: "object blurred".
    pub name: &'static str,
    /// A short title for table heads, with the arguments of the pattern: "object blurred by SIGMA". `None` if it is the
    /// name.
    pub(crate) title: Option<&'static str>,
    /// The text under an image, with the arguments of the pattern: "Object blurred by SIGMA".
    pub(crate) caption: &'static str,
    /// What happens to the image, in a sentence or two.
    pub sentence: &'static str,
    /// Whether the object's own pixels stay in the image, possibly disordered or in front of another background.
    /// Accuracy under such a condition is not accuracy without the object.
    pub keeps_object: bool,
    /// Whether the result depends on the [`NoiseKey`](crate::NoiseKey), so that several trials make sense.
    pub is_random: bool,
    /// The field of [`Switches`] that selects the variant, if there is more than one.
    pub switch: Option<&'static str>,
    /// What an id without arguments lacks: "its size in pixels". Empty if there are no arguments.
    pub(crate) needs: &'static str,
    /// Values of arguments that titles write in another way: `linf` as "ℓ∞".
    pub(crate) values: &'static [(&'static str, &'static str)],
    /// Builds the perturbation from the parts of its id after the first. The error says what is wrong with them.
    pub(crate) parse: fn(&[&str], Switches) -> Result<Perturbation, String>,
}

/// All kinds in reading order: the unchanged image, perturbations that remove the object from mild to thorough, those
/// that keep it, and noise.
///
/// A new perturbation is a file of this crate and a line here.
pub static KINDS: &[&PerturbationKind] = &[
    &crate::identity::KIND,
    &crate::gray::KIND,
    &crate::gray_box::KIND,
    &crate::tile::KIND,
    &crate::paint::MEAN,
    &crate::paint::IMAGENET,
    &crate::average::BOX,
    &crate::average::SHAPE,
    &crate::noise_fill::KIND,
    &crate::paint::NO_FG,
    &crate::only_bg::BLACK,
    &crate::only_bg::TILED,
    &crate::blur::KIND,
    &crate::shuffle::KIND,
    &crate::paint::ONLY_FG,
    &crate::paint::GRAY_BG,
    &crate::mix::SAME,
    &crate::mix::RAND,
    &crate::mix::NEXT,
    &crate::noise::KIND,
];

/// A perturbation, by the number of images that it takes.
pub enum Perturbation {
    /// It changes one image.
    Single(Box<dyn Perturb>),
    /// It combines the objects of one image with the background of another.
    Mix(Mix),
}

impl Perturbation {
    /// Wraps a perturbation of one image.
    pub(crate) fn single(perturb: impl Perturb + 'static) -> Result<Self, String> {
        Ok(Self::Single(Box::new(perturb)))
    }

    /// Returns the id, which [`parse_any`](crate::parse_any) understands if the perturbation is built in.
    pub fn id(&self) -> String {
        match self {
            Self::Single(perturb) => perturb.id(),
            Self::Mix(mix) => mix.id().to_owned(),
        }
    }

    /// Returns whether the result depends on the key.
    pub fn is_random(&self) -> bool {
        match self {
            Self::Single(perturb) => perturb.is_random(),
            Self::Mix(_) => true,
        }
    }
}

impl PerturbationKind {
    /// What most kinds have in common. Not a kind itself.
    pub(crate) const BASE: Self = Self {
        pattern: "",
        help: "",
        name: "",
        title: None,
        caption: "",
        sentence: "",
        keeps_object: false,
        is_random: false,
        switch: None,
        needs: "",
        values: &[],
        parse: |_, _| Err(String::new()),
    };

    /// Returns the kind of a condition, or `None` if no built-in perturbation is written like that.
    ///
    /// Arguments at the end may be missing, but not all of them: "noise:linf:0.25" names a strength of noise in both
    /// regions.
    ///
    /// ```
    /// use hard_imagenet_perturbations::PerturbationKind;
    /// let kind = PerturbationKind::find("blur:10").unwrap();
    /// assert_eq!(kind.title("blur:10"), "object blurred by 10");
    /// assert_eq!(kind.name, "object blurred");
    /// assert!(PerturbationKind::find("mirror").is_none());
    /// ```
    pub fn find(id: &str) -> Option<&'static Self> {
        let parts: Vec<&str> = id.split(':').collect();
        KINDS
            .iter()
            .copied()
            .find(|kind| kind.has_words(&parts) && (parts.len() == kind.len() || kind.is_level(&parts)))
    }

    /// Returns the position of this kind in [`KINDS`], which is its place in the reading order.
    pub fn place(&self) -> usize {
        KINDS.iter().position(|kind| kind.pattern == self.pattern).unwrap_or(KINDS.len())
    }

    /// Returns the title of a condition of this kind for table heads: "object blurred by 10".
    pub fn title(&self, id: &str) -> String {
        self.fill(self.title.unwrap_or(self.name), id)
    }

    /// Returns the text under an image of a condition of this kind: "Object blurred by 10".
    pub fn caption(&self, id: &str) -> String {
        self.fill(self.caption, id)
    }

    /// Replaces the arguments in a template by those of an id; drops arguments that the id does not have.
    fn fill(&self, template: &str, id: &str) -> String {
        let arguments: Vec<(&str, &str)> =
            self.pattern.split(':').zip(id.split(':')).filter(|(name, _)| is_argument(name)).collect();
        let word = |word: &'_ str| -> Option<String> {
            if !is_argument(word) {
                return Some(word.to_owned());
            }
            let (_, value) = arguments.iter().find(|(name, _)| *name == word)?;
            let written = self.values.iter().find(|(plain, _)| plain == value).map_or(*value, |(_, written)| written);
            Some(written.to_owned())
        };
        template.split(' ').filter_map(word).collect::<Vec<String>>().join(" ")
    }

    /// The number of parts of a complete id.
    fn len(&self) -> usize {
        self.pattern.split(':').count()
    }

    /// Whether the parts of an id, as far as there are any, stand where the pattern has the same words or arguments.
    fn has_words(&self, parts: &[&str]) -> bool {
        parts.len() <= self.len()
            && self.pattern.split(':').zip(parts).all(|(pattern, part)| is_argument(pattern) || pattern == *part)
    }

    /// Whether some arguments are there and others are missing.
    fn is_level(&self, parts: &[&str]) -> bool {
        parts.len() > 1 && self.pattern.split(':').skip(1).all(is_argument)
    }

    /// Builds the perturbation of an id; `None` if the id is not of this kind.
    pub(crate) fn parse(&self, id: &str, switches: Switches) -> Option<Result<Perturbation, String>> {
        let parts: Vec<&str> = id.split(':').collect();
        let word = self.pattern.split(':').next();
        if parts.len() == self.len() && self.has_words(&parts) {
            Some((self.parse)(&parts[1..], switches))
        } else if !self.needs.is_empty() && word == parts.first().copied() {
            Some(Err(format!("{} needs {}", parts[0], self.needs)))
        } else {
            None
        }
    }
}

/// Arguments are written in capitals.
fn is_argument(part: &str) -> bool {
    part.len() > 1 && part.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NoiseKey, Preset, parse_any};
    use hard_imagenet_images::Pixels;
    use hard_imagenet_masks::Mask;
    use std::collections::HashSet;

    /// An id of a kind.
    fn example(kind: &PerturbationKind) -> String {
        kind.pattern.replace("NORM", "l2").replace("REGION", "bg").replace("SIGMA", "2").replace("CELL", "8")
    }

    #[test]
    fn every_kind_is_complete_and_finds_itself() {
        let mut seen = HashSet::new();
        for kind in KINDS {
            let id = example(kind);
            assert!(seen.insert(kind.pattern), "{} is listed twice", kind.pattern);
            assert_eq!(PerturbationKind::find(&id).map(|found| found.pattern), Some(kind.pattern));
            let parsed = parse_any(&id, Preset::Strict).unwrap();
            assert_eq!(parsed.id(), id);
            assert_eq!(parsed.is_random(), kind.is_random, "{id}");
            if let Perturbation::Single(perturb) = &parsed {
                assert_eq!(perturb.keeps_object(), kind.keeps_object);
                assert_eq!((perturb.title(), perturb.sentence()), (kind.title(&id), kind.sentence.to_owned()));
            }
            for text in [kind.help, kind.name, kind.caption, kind.sentence] {
                assert!(!text.is_empty(), "{id}");
            }
            assert!(kind.sentence.ends_with('.') && !kind.help.ends_with('.'), "{id}");
            let capitals = |text: &str| text.split(' ').any(is_argument);
            assert!(!capitals(&kind.title(&id)) && !capitals(&kind.caption(&id)), "{}", kind.title(&id));
            assert_eq!(kind.pattern.contains(char::is_uppercase), !kind.needs.is_empty(), "{id}");
        }
    }

    #[test]
    fn a_kind_names_the_switch_that_it_obeys() {
        let image = Pixels::from_vec(12, 12, (0..432).map(|i| (i * 37 % 101) as f32 / 101.0).collect()).unwrap();
        let masks = [Mask::new(12, 12), Mask::from_fn(12, 12, |row, column| row < 11 && column < 11)];
        for kind in KINDS {
            let id = example(kind);
            let changed = |preset: Preset| -> Option<Vec<Vec<u32>>> {
                let Ok(Perturbation::Single(perturb)) = parse_any(&id, preset) else { return None };
                let bits =
                    |mask| perturb.apply(&image, mask, NoiseKey(5)).as_slice().iter().map(|v| v.to_bits()).collect();
                Some(masks.iter().map(bits).collect())
            };
            // Noise of a given norm in an empty background.
            let full = kind.pattern.starts_with("noise:");
            if !full {
                assert_eq!(changed(Preset::Paper) != changed(Preset::Strict), kind.switch.is_some(), "{id}");
            }
        }
    }

    #[test]
    fn titles_have_the_values_of_the_id() {
        let check = |id: &str, title: &str, caption: &str| {
            let kind = PerturbationKind::find(id).unwrap();
            assert_eq!((kind.title(id).as_str(), kind.caption(id).as_str()), (title, caption));
        };
        check("none", "unchanged", "Original");
        check("tile", "tiled over", "Box tiled");
        check("average:shape", "object averaged", "Object averaged");
        check("blur:2.5", "object blurred by 2.5", "Object blurred by 2.5");
        check("mixed-rand", "background of another class", "Surroundings of another class");
        check("noise:l2:30:bg", "ℓ2 30 around it", "Noise around it");
        check("noise:linf:0.25", "ℓ∞ 0.25", "Noise");
        for odd in ["", "grey", "gray:0.5", "average:box", "blur", "noise", "noise:linf:0.25:fg:0", "painted blue"] {
            assert!(PerturbationKind::find(odd).is_none(), "{odd}");
        }
    }
}
