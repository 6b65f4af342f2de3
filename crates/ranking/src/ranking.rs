use crate::aggregate::sum;
use crate::{Aggregate, FeatureBank};
use hard_imagenet_metrics::{Estimate, mean_estimate};
use hard_imagenet_pickle::write_text_lists;
use serde_json::Value;
use std::collections::BTreeMap;

/// The images of each class by the strength of their spurious cues, the strongest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// The images of each class, by the class's name or WordNet id.
    pub classes: BTreeMap<String, Vec<RankedImage>>,
}

/// An image in a ranking.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedImage {
    /// The sample's id.
    pub id: String,
    /// The score, which is higher for stronger cues. A ranking that was read from a file has no scores.
    pub score: Option<f64>,
}

impl Ranking {
    /// Ranks the images of each class by how much they activate the features that `spurious` returns for the class. A
    /// class without such features is not ranked. Images with equal scores are ordered by id, and those with a score of
    /// NaN come last.
    ///
    /// # Panics
    /// Panics if the bank does not have a feature.
    pub fn new(bank: &FeatureBank, spurious: impl Fn(u32) -> Vec<u32>, aggregate: Aggregate) -> Self {
        let mut classes = BTreeMap::new();
        let spurious: Vec<Vec<u32>> = (0..bank.identity.classes.len() as u32).map(spurious).collect();
        for (class, name) in (0..).zip(&bank.identity.classes) {
            let (features, rows) = (&spurious[class as usize], bank.labeled_rows(class));
            if features.is_empty() || rows.is_empty() {
                continue;
            }
            let activations: Vec<Vec<f32>> = rows.iter().map(|&row| bank.pick_features(row, features)).collect();
            let weights = bank.pick_weights(class, features);
            let rivals = match aggregate {
                Aggregate::Advantage => rows.iter().map(|&row| strongest_rival(bank, row, class, &spurious)).collect(),
                _ => Vec::new(),
            };
            let scores = aggregate.scores(&activations, &weights, &rivals);
            let mut ranked: Vec<RankedImage> = rows
                .iter()
                .zip(scores)
                .map(|(&row, score)| RankedImage { id: bank.ids[row].clone(), score: Some(score) })
                .collect();
            ranked.sort_by(|a, b| key(b).total_cmp(&key(a)).then_with(|| a.id.cmp(&b.id)));
            classes.insert(name.clone(), ranked);
        }
        Self { classes }
    }

    /// Returns the ranking as JSON of the published form: a dictionary from class to a list of image paths, the
    /// strongest cues first.
    pub fn to_json(&self) -> String {
        let list =
            |ranked: &Vec<RankedImage>| ranked.iter().map(|one| Value::from(one.id.as_str())).collect::<Vec<_>>();
        let lists: serde_json::Map<String, Value> =
            self.classes.iter().map(|(class, ranked)| (class.clone(), list(ranked).into())).collect();
        let mut text = serde_json::to_string_pretty(&lists).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Returns the ranking as a pickle (protocol 2) of the published form. Python's `pickle.load` returns the
    /// dictionary that [`to_json`](Self::to_json) writes.
    pub fn to_pickle(&self) -> Vec<u8> {
        let lists = self.classes.iter();
        write_text_lists(lists.map(|(class, ranked)| (class.as_str(), ranked.iter().map(|one| one.id.as_str()))))
    }

    /// Creates a ranking from lists of ids, the strongest cues first. `Rankings` of hard-imagenet-datasets reads both
    /// published forms.
    pub fn from_lists(lists: BTreeMap<String, Vec<String>>) -> Self {
        let ranked = |ids: Vec<String>| ids.into_iter().map(|id| RankedImage { id, score: None }).collect();
        Self { classes: lists.into_iter().map(|(class, ids)| (class, ranked(ids))).collect() }
    }
}

/// Returns the largest sum of an image's activations over the features of another class, or 0 if no other class has
/// features.
fn strongest_rival(bank: &FeatureBank, row: usize, own: u32, features: &[Vec<u32>]) -> f64 {
    let others = (0..).zip(features).filter(|(class, features)| *class != own && !features.is_empty());
    others.map(|(_, features)| sum(&bank.pick_features(row, features))).reduce(f64::max).unwrap_or(0.0)
}

/// Returns what an image is ordered by. NaN is below all numbers, and −0 equals 0.
fn key(one: &RankedImage) -> f64 {
    one.score.filter(|score| !score.is_nan()).map_or(f64::NEG_INFINITY, |score| score + 0.0)
}

/// Returns the accuracy of the bank's model in each tenth of a class's ranking, the strongest cues first, with
/// Student's 95 % interval. The accuracy of a tenth with fewer than two images is undefined. Images that are not in the
/// bank do not count.
pub fn accuracy_by_decile(bank: &FeatureBank, ranked: &[RankedImage]) -> Vec<Option<Estimate>> {
    let rows: BTreeMap<&str, usize> = bank.ids.iter().enumerate().map(|(row, id)| (id.as_str(), row)).collect();
    let mut tenths = vec![Vec::new(); 10];
    for (place, one) in ranked.iter().enumerate() {
        let Some(&row) = rows.get(one.id.as_str()) else { continue };
        let column = bank.identity.columns[bank.labels[row] as usize];
        tenths[place * 10 / ranked.len()].push(f64::from(u8::from(bank.predictions[row] == column)));
    }
    tenths.iter().map(|right| mean_estimate(right, 0.95)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::comparison::file_stem;
    use crate::{BankIdentity, ImageFeatures};

    /// A bank of five images with two features and two classes, of which the second has no images.
    pub(crate) fn bank() -> FeatureBank {
        let about = BankIdentity {
            model: "toy".into(),
            weights_sha256: "00".into(),
            feature_node: "pool".into(),
            map_node: "act".into(),
            preprocess: String::new(),
            dataset: "toys".into(),
            samples: String::new(),
            classes: vec!["a".into(), "b".into()],
            columns: vec![3, 7],
        };
        let mut bank = FeatureBank::new(about, vec![1.0, 0.5, 2.0, -1.0]).unwrap();
        for (i, features) in [[1.0, 2.0], [3.0, 0.0], [0.0, 4.0], [1.0, 1.0], [2.0, 1.0]].into_iter().enumerate() {
            let (id, on_object) = (format!("train/a/a_{i}.JPEG"), vec![0.5, f32::NAN]);
            bank.push(ImageFeatures { id, label: 0, prediction: 3, object: 0.1, features: features.into(), on_object })
                .unwrap();
        }
        bank
    }

    fn ids(ranking: &Ranking) -> Vec<&str> {
        ranking.classes["a"].iter().map(|one| one.id.as_str()).collect()
    }

    #[test]
    fn images_are_ordered_by_score_and_then_by_id() {
        let ranking = Ranking::new(&bank(), |class| if class == 0 { vec![0, 1] } else { vec![0] }, Aggregate::Sum);
        assert_eq!(ranking.classes.len(), 1);
        let want = [2, 0, 1, 4, 3].map(|i| format!("train/a/a_{i}.JPEG"));
        assert_eq!(ids(&ranking), want);
        assert_eq!(ranking.classes["a"][0].score, Some(4.0));
    }

    #[test]
    fn advantages_subtract_the_strongest_other_class() {
        let scores = |spurious: fn(u32) -> Vec<u32>| {
            let ranking = Ranking::new(&bank(), spurious, Aggregate::Advantage);
            ranking.classes["a"]
                .iter()
                .map(|one| (file_stem(&one.id).to_owned(), one.score.unwrap()))
                .collect::<Vec<_>>()
        };
        let pairs = |pairs: [(&str, f64); 5]| pairs.map(|(id, score)| (id.to_owned(), score)).to_vec();
        let want = [("a_1", 3.0), ("a_4", 1.0), ("a_3", 0.0), ("a_0", -1.0), ("a_2", -4.0)];
        assert_eq!(scores(|class| vec![class]), pairs(want));
        // No other class has features.
        let want = [("a_1", 3.0), ("a_4", 2.0), ("a_0", 1.0), ("a_3", 1.0), ("a_2", 0.0)];
        assert_eq!(scores(|class| if class == 0 { vec![0] } else { vec![] }), pairs(want));
    }

    #[test]
    fn nan_scores_come_last() {
        let mut bank = FeatureBank::new(bank().identity, vec![1.0; 4]).unwrap();
        for i in 0..60 {
            let id = format!("{:02}", i * 37 % 60);
            let features = vec![if i % 3 == 0 { f32::NAN } else { (i % 7) as f32 }, 1.0];
            let on_object = vec![f32::NAN; 2];
            bank.push(ImageFeatures { id, label: 0, prediction: 3, object: 0.1, features, on_object }).unwrap();
        }
        let sum = Ranking::new(&bank, |_| vec![0], Aggregate::Sum);
        let scores: Vec<f64> = sum.classes["a"].iter().filter_map(|one| one.score).collect();
        assert!(scores[..40].is_sorted_by(|a, b| a >= b) && scores[40..].iter().all(|v| v.is_nan()), "{scores:?}");
        for (word, aggregate) in Aggregate::ALL {
            assert_eq!(Ranking::new(&bank, |_| vec![0], aggregate).classes["a"].len(), 60, "{word}");
        }
    }

    #[test]
    fn both_published_forms_round_trip() {
        let ranking = Ranking::new(&bank(), |_| vec![0], Aggregate::Maximum);
        let folder = tempfile::tempdir().unwrap();
        let (json, pickle) = (folder.path().join("ranks.json"), folder.path().join("paths_by_rank.pkl"));
        std::fs::write(&json, ranking.to_json()).unwrap();
        std::fs::write(&pickle, ranking.to_pickle()).unwrap();
        for file in [json, pickle] {
            let read = hard_imagenet_datasets::Rankings::read(&file).unwrap();
            for (rank, id) in ids(&ranking).into_iter().enumerate() {
                assert_eq!(
                    read.position(id).map(|position| (position.rank, position.total)),
                    Some((rank, 5)),
                    "{}",
                    file.display()
                );
            }
        }
    }

    #[test]
    fn accuracy_is_measured_in_tenths() {
        let mut bank = FeatureBank::new(bank().identity, vec![1.0; 4]).unwrap();
        for i in 0..40u8 {
            let (features, on_object) = (vec![-f32::from(i), 0.0], vec![f32::NAN; 2]);
            let prediction = if i < 30 { 3 } else { 7 };
            bank.push(ImageFeatures { id: i.to_string(), label: 0, prediction, object: 0.1, features, on_object })
                .unwrap();
        }
        let ranking = Ranking::new(&bank, |_| vec![0], Aggregate::Sum);
        let tenths = accuracy_by_decile(&bank, &ranking.classes["a"]);
        let values: Vec<f64> = tenths.iter().map(|tenth| tenth.unwrap().value).collect();
        assert_eq!(values, [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0]);
        assert_eq!(accuracy_by_decile(&bank, &ranking.classes["a"][..5]), vec![None; 10]);
    }

    #[test]
    fn banks_round_trip_and_refuse_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bank.safetensors");
        let bank = bank();
        bank.write(&path).unwrap();
        let read = FeatureBank::read(&path).unwrap();
        assert_eq!((&read.identity, &read.ids, &read.features), (&bank.identity, &bank.ids, &bank.features));
        assert_eq!((read.on_object(1, 0), read.on_object(1, 1)), (Some(0.5), None));
        let mut twice = read.clone();
        twice.join(read).unwrap();
        assert_eq!(twice.len(), 10);
        let other =
            FeatureBank::new(BankIdentity { model: "other".into(), ..bank.identity.clone() }, vec![0.0; 4]).unwrap();
        assert!(twice.join(other).unwrap_err().to_string().contains("toy (00) on toys and other (00) on toys"));
        std::fs::write(&path, b"nonsense").unwrap();
        let error = FeatureBank::read(&path).unwrap_err().to_string();
        assert!(error.contains("bank.safetensors") && error.contains("expected a feature bank"), "{error}");
    }
}
