use crate::{PerturbationDescription, RunDescription};
use hard_imagenet_metrics::{MAP, condition_order};
use hard_imagenet_perturbations::{KINDS, PerturbationKind};
use std::cmp::Ordering;

/// The conditions of some runs in words, and their reading order.
///
/// Built-in conditions are described by [`PerturbationKind`], others by what their authors stated in `run.json`.
/// Everything that speaks of conditions (tables, figures, captions, the method section of a page) asks this table.
///
/// ```
/// use hard_imagenet_runs::Conditions;
///
/// let conditions = Conditions::built_in();
/// assert_eq!(conditions.title("blur:10"), "object blurred by 10");
/// assert!(conditions.keeps_object("mixed-rand") && !conditions.keeps_object("gray"));
///
/// let mut ids = ["noise:l2:30:fg", "mixed-rand", "noise:linf:0.5:bg", "tile", "gray", "none"];
/// ids.sort_by(|a, b| conditions.compare(a, b));
/// assert_eq!(ids, ["none", "gray", "tile", "mixed-rand", "noise:linf:0.5:bg", "noise:l2:30:fg"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    stated: Vec<PerturbationDescription>,
}

impl Conditions {
    /// Returns the table of the built-in conditions.
    pub fn built_in() -> Self {
        Self::default()
    }

    /// Returns the table for some runs: the built-in conditions and those that the runs describe.
    pub fn new<'a>(runs: impl IntoIterator<Item = &'a RunDescription>) -> Self {
        let mut stated: Vec<PerturbationDescription> = Vec::new();
        for description in runs.into_iter().flat_map(|run| &run.perturbations) {
            if stated.iter().all(|known| known.id != description.id) {
                stated.push(description.clone());
            }
        }
        Self { stated }
    }

    /// Returns the short title of a condition for table heads: "object gray". An unknown condition is its own title.
    pub fn title(&self, id: &str) -> String {
        match self.find(id) {
            Known::Stated(description) => description.title.clone(),
            Known::Kind(kind) => kind.title(id),
            Known::No => id.to_owned(),
        }
    }

    /// Returns the text under an image of a condition: "Object gray".
    pub fn caption(&self, id: &str) -> String {
        match self.find(id) {
            Known::Stated(description) => capitalize(&description.title),
            Known::Kind(kind) => kind.caption(id),
            Known::No => id.to_owned(),
        }
    }

    /// Returns whether the object's own pixels stay in the image, possibly disordered or in front of another background.
    /// Accuracy under such a condition is not accuracy without the object.
    pub fn keeps_object(&self, id: &str) -> bool {
        match self.find(id) {
            Known::Stated(description) => description.keeps_object,
            Known::Kind(kind) => kind.keeps_object,
            Known::No => false,
        }
    }

    /// Returns a name and a sentence for each kind of condition among `ids`, in reading order: "object blurred" stands
    /// for all strengths of the blur.
    pub fn explanations<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> Vec<Explanation> {
        let mut ids: Vec<&str> = ids.into_iter().collect();
        ids.sort_by(|a, b| self.compare(a, b));
        let mut explanations: Vec<Explanation> = Vec::new();
        for id in ids {
            let (name, sentence) = match self.find(id) {
                Known::Stated(description) => (description.title.clone(), description.sentence.clone()),
                Known::Kind(kind) => (kind.name.to_owned(), kind.sentence.to_owned()),
                Known::No => continue,
            };
            if explanations.iter().all(|known| known.name != name) {
                explanations.push(Explanation { name, sentence });
            }
        }
        explanations
    }

    /// Compares two conditions by reading order: the unchanged image, conditions that remove the object from mild to
    /// thorough, those that keep it, noise by norm, strength and region, maps. Conditions from outside follow the
    /// built-in ones that treat the object alike.
    pub fn compare(&self, a: &str, b: &str) -> Ordering {
        self.place(a).cmp(&self.place(b)).then_with(|| condition_order(a, b))
    }

    /// The place of a condition in reading order. Built-in kinds have even places, so that others fit between.
    fn place(&self, id: &str) -> usize {
        if id.starts_with(MAP) {
            return usize::MAX;
        }
        match self.find(id) {
            Known::Kind(kind) => 2 * kind.place(),
            // Before noise, which is the last kind.
            Known::Stated(PerturbationDescription { keeps_object: true, .. }) => 2 * (KINDS.len() - 1) - 1,
            // After the last kind that removes the object.
            _ => 2 * KINDS.iter().rposition(|kind| !kind.keeps_object).unwrap_or(0) + 1,
        }
    }

    fn find(&self, id: &str) -> Known<'_> {
        if let Some(description) = self.stated.iter().find(|description| description.id == id) {
            return Known::Stated(description);
        }
        PerturbationKind::find(id).map_or(Known::No, Known::Kind)
    }
}

/// A kind of condition in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Its name: "object blurred".
    pub name: String,
    /// What happens to the image, in a sentence or two.
    pub sentence: String,
}

/// What the table has about a condition.
enum Known<'a> {
    Stated(&'a PerturbationDescription),
    Kind(&'static PerturbationKind),
    No,
}

fn capitalize(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;
    use hard_imagenet_perturbations::{Preset, parse_any};

    /// A complete id of a kind.
    fn example(kind: &PerturbationKind) -> String {
        kind.pattern.replace("NORM", "linf").replace("REGION", "fg").replace("SIGMA", "2").replace("CELL", "8")
    }

    fn stated(id: &str, keeps_object: bool) -> PerturbationDescription {
        PerturbationDescription {
            id: id.to_owned(),
            version: "1".to_owned(),
            title: format!("object {id}"),
            sentence: format!("The object is {id}."),
            keeps_object,
            is_random: false,
        }
    }

    #[test]
    fn every_kind_can_be_spoken_of() {
        let conditions = Conditions::built_in();
        let unknown = Protocol::from_toml("conditions = ['unknown']").unwrap_err().to_string();
        for kind in KINDS {
            let id = example(kind);
            assert!(parse_any(&id, Preset::Paper).is_ok(), "{id} does not parse");
            assert!(unknown.contains(kind.pattern), "errors about protocols do not name {}: {unknown}", kind.pattern);
            let protocol = Protocol::from_toml(&format!("conditions = ['{id}']\ntrials = 2")).unwrap();
            assert_eq!(protocol.conditions[0].trials, if kind.is_random { 2 } else { 1 }, "{id}");
            assert_ne!(conditions.title(&id), id);
            assert_ne!(conditions.caption(&id), id);
            assert_eq!(conditions.keeps_object(&id), kind.keeps_object);
            let explanation = Explanation { name: kind.name.to_owned(), sentence: kind.sentence.to_owned() };
            assert_eq!(conditions.explanations([id.as_str()]), [explanation]);
        }
    }

    #[test]
    fn conditions_are_read_in_order() {
        let conditions = Conditions { stated: vec![stated("inverted", false), stated("mirrored", true)] };
        let expected = [
            "none",
            "gray",
            "gray-box",
            "tile",
            "only-bg-t",
            "inverted",
            "painted blue",
            "blur:5",
            "blur:10",
            "only-fg",
            "mixed-rand",
            "mirrored",
            "noise:linf:0.25:bg",
            "noise:linf:0.5",
            "noise:linf:0.5:fg",
            "noise:linf:0.5:bg",
            "noise:l2:30:fg",
            "map:random",
        ];
        let mut ids = expected;
        ids.sort_unstable();
        assert_ne!(ids, expected);
        ids.sort_by(|a, b| conditions.compare(a, b));
        assert_eq!(ids, expected);
    }

    #[test]
    fn other_conditions_say_what_they_are() {
        let conditions = Conditions { stated: vec![stated("inverted", false)] };
        assert_eq!(conditions.title("inverted"), "object inverted");
        assert_eq!(conditions.caption("inverted"), "Object inverted");
        assert_eq!(conditions.title("painted blue"), "painted blue");
        let names: Vec<String> = conditions
            .explanations(["inverted", "blur:5", "map:random", "blur:10", "none"])
            .into_iter()
            .map(|explanation| explanation.name)
            .collect();
        assert_eq!(names, ["unchanged", "object inverted", "object blurred"]);
    }
}
