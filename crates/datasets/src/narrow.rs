//! The samples that the options ask for.

use crate::entry::{DatasetEntry, DatasetOptions};
use crate::files::Split;
use crate::store::normal;
use crate::{Class, Dataset, DatasetError, RankedDataset, Rankings, Subset};

/// Narrows a dataset down to the wanted classes, the ends of its ranking and the limit, and adds its ranking.
pub(crate) fn narrow(
    entry: &DatasetEntry,
    dataset: Box<dyn Dataset>,
    options: &DatasetOptions,
) -> Result<Box<dyn Dataset>, DatasetError> {
    let dataset = keep_classes(entry.word, dataset, &options.classes)?;
    let dataset: Box<dyn Dataset> = match (options.balanced, rankings(entry, options)?) {
        (Some(n), Some(rankings)) => {
            let subset = Subset::take_balanced(dataset, &rankings, n);
            Box::new(RankedDataset::new(subset, rankings))
        }
        (Some(_), None) => return Err(DatasetError::MissingRanking { path: options.masks(entry.word)?.into() }),
        (None, Some(rankings)) => Box::new(RankedDataset::new(dataset, rankings)),
        (None, None) => dataset,
    };
    Ok(match options.limit {
        Some(n) => Box::new(Subset::take_spread(dataset, n)),
        None => dataset,
    })
}

/// Keeps the samples of the named classes, or all samples if no class is named.
fn keep_classes(word: &str, dataset: Box<dyn Dataset>, names: &[String]) -> Result<Box<dyn Dataset>, DatasetError> {
    if names.is_empty() {
        return Ok(dataset);
    }
    let matches =
        |name: &String, class: &Class| normal(&class.name) == normal(name) || class.wnid.as_ref() == Some(name);
    let classes = &dataset.info().classes;
    if let Some(unknown) = names.iter().find(|name| !classes.iter().any(|class| matches(name, class))) {
        let known: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
        let problem = format!("has no class {unknown:?}; its classes are {}", known.join(", "));
        return Err(DatasetError::Choice { dataset: word.into(), problem });
    }
    let is_wanted: Vec<bool> = classes.iter().map(|class| names.iter().any(|name| matches(name, class))).collect();
    let keep: Vec<bool> = (0..dataset.len()).map(|i| is_wanted[dataset.class(i)]).collect();
    Ok(Box::new(Subset::filter(dataset, |i| keep[i])))
}

/// Reads the ranking that the options name, or else the one that was published with the masks.
fn rankings(entry: &DatasetEntry, options: &DatasetOptions) -> Result<Option<Rankings>, DatasetError> {
    if let Some(file) = &options.ranks {
        return Rankings::read(file).map(Some);
    }
    let may_be_published = entry.is_ranked && options.split == Split::Train;
    if options.balanced.is_some() || may_be_published {
        Rankings::published(options.masks(entry.word)?)
    } else {
        Ok(None)
    }
}
