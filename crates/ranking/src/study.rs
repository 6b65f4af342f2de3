//! From a feature bank to everything that a ranking of a dataset says.

use crate::sources::{SourceInput, collect_verdicts};
use crate::{
    Aggregate, Agreement, ClassHardness, FeatureBank, FeatureId, MaskCriterion, NamedVerdicts, Ranking, RankingError,
    Verdict, VerdictSource, Verdicts, class_importance, measure_agreement, rank_classes, top_features,
};
use hard_imagenet_files::write_whole;
use hard_imagenet_metrics::Estimate;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

/// How a dataset is ranked.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyOptions {
    /// How many of the most important features of each class are looked at.
    pub features: usize,
    /// The source that decides which features are spurious.
    pub source: VerdictSource,
    /// How the activations of several features become one score.
    pub aggregate: Aggregate,
}

impl Default for StudyOptions {
    /// Returns five features for each class, verdicts by masks, and the sum of activations.
    fn default() -> Self {
        Self { features: 5, source: VerdictSource::Listed("masks"), aggregate: Aggregate::Sum }
    }
}

/// A feature and its importance for a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ImportantFeature {
    /// Column of the features.
    pub feature: u32,
    /// Mean activation × weight, as [`feature_importance`](crate::feature_importance) returns it.
    pub importance: f64,
}

/// The result of ranking a dataset by the features of a model.
#[derive(Clone, Debug)]
pub struct RankingStudy {
    /// The features.
    pub bank: FeatureBank,
    /// How they were ranked.
    pub options: StudyOptions,
    /// The most important features of each class, the most important first.
    pub important: BTreeMap<u32, Vec<ImportantFeature>>,
    /// The verdicts of the source that decides, followed by those of other sources.
    pub sources: Vec<NamedVerdicts>,
    /// All classes with images, the hardest first.
    pub classes: Vec<ClassHardness>,
    /// The images of each class by the strength of their spurious cues.
    pub ranking: Ranking,
}

impl RankingStudy {
    /// Ranks the classes and images of a bank. `wnids` holds the WordNet id of each class, or its name if it has none.
    ///
    /// # Errors
    /// Returns [`RankingError::NoVerdicts`] if the source has no verdicts on these features, and [`RankingError::File`]
    /// or [`RankingError::Access`] for its file.
    pub fn new(bank: FeatureBank, wnids: &[&str], options: StudyOptions) -> Result<Self, RankingError> {
        let important = important_features(&bank, options.features);
        let ids: Vec<FeatureId> = important
            .iter()
            .flat_map(|(&class, all)| all.iter().map(move |one| FeatureId { class, feature: one.feature }))
            .collect();
        let sources = collect_verdicts(&options.source, &SourceInput { bank: &bank, wnids, important: &ids })?;
        let verdicts = sources.first().map_or_else(Verdicts::default, |source| source.verdicts.clone());
        let classes = rank_classes(&bank, &verdicts, options.features);
        let ranking = Ranking::new(&bank, |class| ranking_features(&verdicts, &important, class), options.aggregate);
        Ok(Self { bank, options, important, sources, classes, ranking })
    }

    /// Returns how far each other source agrees with the one that decides, by the other source's name.
    pub fn agreements(&self) -> Vec<(&str, Agreement)> {
        let Some((first, others)) = self.sources.split_first() else { return Vec::new() };
        let compare = |other: &NamedVerdicts| measure_agreement(&first.verdicts, &other.verdicts);
        others.iter().map(|other| (other.name.as_str(), compare(other))).collect()
    }

    /// Writes `features.csv`, `classes.csv`, `paths_by_rank.json` and `paths_by_rank.pkl` into a folder, which is
    /// created if necessary.
    ///
    /// # Errors
    /// Returns [`RankingError::Access`] if a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), RankingError> {
        let write = |name: &str, bytes: &[u8]| write_whole(&folder.join(name), bytes);
        write("features.csv", self.features_csv().as_bytes())?;
        write("classes.csv", self.classes_csv().as_bytes())?;
        write("paths_by_rank.json", self.ranking.to_json().as_bytes())?;
        write("paths_by_rank.pkl", &self.ranking.to_pickle())?;
        Ok(())
    }

    /// Returns a CSV table of the important features: class, number, rank, importance, focus by masks with its
    /// interval, and the verdict of each source.
    pub fn features_csv(&self) -> String {
        let mut out = String::from("class,feature,rank,importance,focus,focus_low,focus_high,pictures");
        self.sources.iter().for_each(|source| _ = write!(out, ",\"{}\"", source.name));
        out.push('\n');
        for (&class, features) in &self.important {
            for (rank, &ImportantFeature { feature, importance }) in features.iter().enumerate() {
                let id = FeatureId { class, feature };
                let _ = write!(out, "{},{feature},{},{importance}", self.quoted_name(class), rank + 1);
                match MaskCriterion::default().focus(&self.bank, id) {
                    Some(Estimate { value, low, high, n }) => _ = write!(out, ",{value},{low},{high},{n}"),
                    None => out.push_str(",,,,"),
                }
                for source in &self.sources {
                    let _ = write!(out, ",{}", source.verdicts.get(id).map_or("", Verdict::word));
                }
                out.push('\n');
            }
        }
        out
    }

    /// Returns a CSV table of the classes: how many of their important features are spurious.
    pub fn classes_csv(&self) -> String {
        let mut out = String::from("class,spurious,core,features,share,hard\n");
        for class in &self.classes {
            let name = self.quoted_name(class.class);
            let share = class.share.map_or(String::new(), |share| share.to_string());
            let (spurious, core, all) = (class.spurious, class.core, class.features.len());
            let _ = writeln!(out, "{name},{spurious},{core},{all},{share},{}", class.is_hard());
        }
        out
    }

    /// Returns a class's name as a field of a CSV table.
    fn quoted_name(&self, class: u32) -> String {
        format!("\"{}\"", self.bank.identity.classes[class as usize].replace('"', "'"))
    }
}

/// Returns the most important features of each class that has images.
fn important_features(bank: &FeatureBank, n: usize) -> BTreeMap<u32, Vec<ImportantFeature>> {
    let of_class = |class: u32| {
        let importance = class_importance(bank, class)?;
        let with_importance = |feature| ImportantFeature { feature, importance: importance[feature as usize] };
        Some((class, top_features(&importance, n).into_iter().map(with_importance).collect()))
    };
    (0..bank.identity.classes.len() as u32).filter_map(of_class).collect()
}

/// Returns the features by which the images of a class are ranked: those of the important ones that are spurious. If
/// none is, these are all spurious features of the class, such as those with published votes.
fn ranking_features(verdicts: &Verdicts, important: &BTreeMap<u32, Vec<ImportantFeature>>, class: u32) -> Vec<u32> {
    let spurious = verdicts.spurious(class);
    let important = important.get(&class).map_or(&[][..], Vec::as_slice);
    let both: Vec<u32> = important.iter().map(|one| one.feature).filter(|f| spurious.contains(f)).collect();
    if both.is_empty() { spurious } else { both }
}
