use crate::Ranking;
use crate::correlation::{kendall, overlap, spearman};
use std::collections::BTreeMap;

/// How similar two rankings of a class are, over the images that both rank.
#[derive(Clone, Debug, PartialEq)]
pub struct RankingComparison {
    /// The class.
    pub class: String,
    /// Number of images that both rank.
    pub common: usize,
    /// Spearman's ρ of the places.
    pub spearman: Option<f64>,
    /// Kendall's τ of the places.
    pub kendall: Option<f64>,
    /// The share of the first k images of one ranking that are among the first k of the other.
    pub overlap: Option<f64>,
}

impl Ranking {
    /// Compares the classes that both rankings have; `k` is for the overlap. Images are matched by their file names
    /// without folders and extensions.
    pub fn compare(&self, other: &Self, k: usize) -> Vec<RankingComparison> {
        let both = self.classes.iter().filter_map(|(class, a)| Some((class, a, other.classes.get(class)?)));
        both.map(|(class, a, b)| {
            let a: Vec<&str> = a.iter().map(|image| file_stem(&image.id)).collect();
            let b: Vec<&str> = b.iter().map(|image| file_stem(&image.id)).collect();
            let places: BTreeMap<&str, usize> = b.iter().enumerate().map(|(place, name)| (*name, place)).collect();
            let both_places = |(place, name): (usize, &&str)| Some((place as f64, *places.get(name)? as f64));
            let (x, y): (Vec<f64>, Vec<f64>) = a.iter().enumerate().filter_map(both_places).unzip();
            RankingComparison {
                class: class.clone(),
                common: x.len(),
                spearman: spearman(&x, &y),
                kendall: kendall(&x, &y),
                overlap: overlap(&a, &b, k),
            }
        })
        .collect()
    }
}

/// Returns the file name without folders and extension. ImageNet's training images have the same file names everywhere.
pub(crate) fn file_stem(path: &str) -> &str {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rankings_are_compared_by_file_name() {
        let list = |ids: &[&str]| {
            Ranking::from_lists([("a".to_owned(), ids.iter().map(|&id| id.to_owned()).collect())].into())
        };
        let comparisons = list(&["x/1.JPEG", "2", "3", "4"]).compare(&list(&["y/1.png", "3", "2", "5"]), 2);
        assert_eq!((comparisons[0].common, comparisons[0].overlap), (3, Some(0.5)));
        assert!((comparisons[0].spearman.unwrap() - 0.5).abs() < 1e-12);
        assert!((comparisons[0].kendall.unwrap() - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(list(&["1"]).compare(&Ranking::default(), 2), []);
    }
}
