use crate::aggregate::sum;
use crate::correlation::{kendall, overlap, spearman};
use crate::{Aggregate, FeatureBank};
use hard_imagenet_metrics::{Estimate, mean_estimate};
use hard_imagenet_pickle::write_text_lists;
use serde_json::Value;
use std::collections::BTreeMap;

/// Pictures of each class in the order of how strong their spurious cues are, the strongest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ranking {
    /// Class name or WordNet id, and its pictures.
    pub classes: BTreeMap<String, Vec<RankedImage>>,
}

/// A picture in its place.
#[derive(Clone, Debug, PartialEq)]
pub struct RankedImage {
    /// Id of the sample.
    pub id: String,
    /// The higher, the stronger the cues; `None` for a ranking that was read.
    pub score: Option<f64>,
}

/// How alike two rankings of one class are, over the pictures that both have.
#[derive(Clone, Debug, PartialEq)]
pub struct RankingComparison {
    /// Class.
    pub class: String,
    /// Pictures that both rank.
    pub common: usize,
    /// Spearman's ρ.
    pub spearman: Option<f64>,
    /// Kendall's τ.
    pub kendall: Option<f64>,
    /// Share of the first k of one that are among the first k of the other.
    pub overlap: Option<f64>,
}

impl Ranking {
    /// Ranks the pictures of each class (by label, SPEC 11.6) by their activations of the features that `spurious` names
    /// for it. A class without such features is not ranked. Equal scores go by id; a score that is not a number comes last.
    pub fn new(bank: &FeatureBank, spurious: impl Fn(u32) -> Vec<u32>, aggregate: Aggregate) -> Self {
        let mut classes = BTreeMap::new();
        let spurious: Vec<Vec<u32>> = (0..bank.identity.classes.len() as u32).map(spurious).collect();
        for (class, name) in (0..).zip(&bank.identity.classes) {
            let (features, rows) = (&spurious[class as usize], bank.labeled_rows(class));
            if features.is_empty() || rows.is_empty() {
                continue;
            }
            let activations: Vec<Vec<f32>> = rows.iter().map(|&row| bank.some(row, features)).collect();
            let weights = bank.weights_of(class, features);
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

    /// The published form as JSON: a dictionary from class to a list of image paths, the strongest cues first.
    pub fn to_json(&self) -> String {
        let list =
            |ranked: &Vec<RankedImage>| ranked.iter().map(|one| Value::from(one.id.as_str())).collect::<Vec<_>>();
        let lists: serde_json::Map<String, Value> =
            self.classes.iter().map(|(class, ranked)| (class.clone(), list(ranked).into())).collect();
        let mut text = serde_json::to_string_pretty(&lists).unwrap_or_default();
        text.push('\n');
        text
    }

    /// The published form as it is published, a pickle (protocol 2): what `pickle.load` gives is the dictionary of
    /// [`to_json`](Self::to_json).
    pub fn to_pickle(&self) -> Vec<u8> {
        let lists = self.classes.iter();
        write_text_lists(lists.map(|(class, ranked)| (class.as_str(), ranked.iter().map(|one| one.id.as_str()))))
    }

    /// From lists, the strongest first; `Rankings` of hard-imagenet-datasets reads both published forms.
    pub fn from_lists(lists: BTreeMap<String, Vec<String>>) -> Self {
        let ranked = |ids: Vec<String>| ids.into_iter().map(|id| RankedImage { id, score: None }).collect();
        Self { classes: lists.into_iter().map(|(class, ids)| (class, ranked(ids))).collect() }
    }

    /// Compares the classes that both have; a picture counts by its file name, without folders and extension.
    pub fn compare(&self, other: &Self, k: usize) -> Vec<RankingComparison> {
        let both = self.classes.iter().filter_map(|(class, a)| Some((class, a, other.classes.get(class)?)));
        both.map(|(class, a, b)| {
            let names = |ranked: &[RankedImage]| ranked.iter().map(|one| stem(&one.id).to_owned()).collect::<Vec<_>>();
            let (a, b) = (names(a), names(b));
            let places: BTreeMap<&str, usize> =
                b.iter().enumerate().map(|(place, name)| (name.as_str(), place)).collect();
            let common: Vec<(f64, f64)> = a
                .iter()
                .enumerate()
                .filter_map(|(place, name)| Some((place as f64, *places.get(name.as_str())? as f64)))
                .collect();
            let (x, y): (Vec<f64>, Vec<f64>) = common.iter().copied().unzip();
            RankingComparison {
                class: class.clone(),
                common: common.len(),
                spearman: spearman(&x, &y),
                kendall: kendall(&x, &y),
                overlap: overlap(&a, &b, k),
            }
        })
        .collect()
    }
}

/// The largest sum of a picture's activations over the features of a class that is not its own; 0 where no other has any.
fn strongest_rival(bank: &FeatureBank, row: usize, own: u32, features: &[Vec<u32>]) -> f64 {
    let others = (0..).zip(features).filter(|(class, features)| *class != own && !features.is_empty());
    others.map(|(_, features)| sum(&bank.some(row, features))).reduce(f64::max).unwrap_or(0.0)
}

/// What a picture is ordered by: a score that is not a number stands below all others, and no zero below another.
fn key(one: &RankedImage) -> f64 {
    one.score.filter(|score| !score.is_nan()).map_or(f64::NEG_INFINITY, |score| score + 0.0)
}

/// Accuracy of the bank's model in each tenth of the ranking of a class, the strongest cues first, with Student's interval;
/// `None` for a tenth of fewer than two pictures. Pictures that are not in the bank do not count.
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

/// The file name without folders and extension, by which training pictures of ImageNet are known everywhere.
fn stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BankIdentity, ImageFeatures};

    /// Five pictures of two classes with two features; the second class has no picture.
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
    fn the_strongest_first_and_equal_ones_by_id() {
        let ranking = Ranking::new(&bank(), |class| if class == 0 { vec![0, 1] } else { vec![0] }, Aggregate::Sum);
        assert_eq!(ranking.classes.len(), 1);
        let want = [2, 0, 1, 4, 3].map(|i| format!("train/a/a_{i}.JPEG"));
        assert_eq!(ids(&ranking), want);
        assert_eq!(ranking.classes["a"][0].score, Some(4.0));
    }

    #[test]
    fn an_advantage_is_over_the_strongest_of_the_others() {
        let scores = |spurious: fn(u32) -> Vec<u32>| {
            let ranking = Ranking::new(&bank(), spurious, Aggregate::Advantage);
            ranking.classes["a"].iter().map(|one| (stem(&one.id).to_owned(), one.score.unwrap())).collect::<Vec<_>>()
        };
        let pairs = |pairs: [(&str, f64); 5]| pairs.map(|(id, score)| (id.to_owned(), score)).to_vec();
        let want = [("a_1", 3.0), ("a_4", 1.0), ("a_3", 0.0), ("a_0", -1.0), ("a_2", -4.0)];
        assert_eq!(scores(|class| vec![class]), pairs(want));
        // Nobody to exceed.
        let want = [("a_1", 3.0), ("a_4", 2.0), ("a_0", 1.0), ("a_3", 1.0), ("a_2", 0.0)];
        assert_eq!(scores(|class| if class == 0 { vec![0] } else { vec![] }), pairs(want));
    }

    #[test]
    fn scores_that_are_not_numbers_come_last() {
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
    fn both_published_forms_come_back() {
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
    fn accuracy_falls_along_a_ranking() {
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
    fn rankings_are_compared_by_file_name() {
        let list = |ids: &[&str]| {
            Ranking::from_lists([("a".to_owned(), ids.iter().map(|&id| id.to_owned()).collect())].into())
        };
        let likeness = list(&["x/1.JPEG", "2", "3", "4"]).compare(&list(&["y/1.png", "3", "2", "5"]), 2);
        assert_eq!((likeness[0].common, likeness[0].overlap), (3, Some(0.5)));
        assert!((likeness[0].spearman.unwrap() - 0.5).abs() < 1e-12);
        assert!((likeness[0].kendall.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(list(&["1"]).compare(&Ranking::default(), 2), []);
    }

    #[test]
    fn banks_come_back() {
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
        assert!(error.contains("bank.safetensors") && error.contains("a feature bank is"), "{error}");
    }
}
