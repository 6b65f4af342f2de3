//! The weights of one network in a file, under the names of the zoo, and how they differ from those of a graph.

use super::StoredTensor;
use crate::names::{Schemes, Weight, common_prefix, is_structural, plain_names, translate_names, without_copies};
use hard_imagenet_graph::Parameter;
use std::collections::{BTreeMap, BTreeSet};

/// The weights of one network: all tensors of a file whose names begin with a prefix.
pub(crate) struct NamedWeights {
    prefix: String,
    weights: BTreeMap<String, Weight>,
}

/// The elements that a weight may have whose numbers the file repeats, if the size of the network follows from it.
const MOST_REPEATED: usize = 1 << 24;

impl NamedWeights {
    /// Takes all tensors of a file for one network's. The prefixes of known wrappers are removed if all names have them.
    pub(crate) fn all(tensors: &[StoredTensor], schemes: Schemes) -> Self {
        let named = plain_names(tensors);
        let kept = network_tensors(&named);
        let length = common_prefix(kept.iter().map(|(name, _)| *name));
        let prefix = kept.first().map_or("", |(name, _)| &name[..length]);
        Self::below(&kept, prefix, schemes)
    }

    /// Takes the tensors whose names begin with a prefix, which is removed.
    pub(super) fn below(tensors: &[(&str, &StoredTensor)], prefix: &str, schemes: Schemes) -> Self {
        let inner = tensors.iter().filter_map(|&(name, stored)| Some((name.strip_prefix(prefix)?, stored)));
        let weights = translate_names(&inner.collect::<Vec<_>>(), schemes);
        Self { prefix: prefix.to_owned(), weights }
    }

    /// Takes the tensors under the names that they have in the file.
    pub(super) fn untranslated(tensors: &[StoredTensor]) -> Self {
        let weight = |stored: &StoredTensor| (stored.name.clone(), Weight::rows(vec![stored.clone()]));
        Self { prefix: String::new(), weights: tensors.iter().map(weight).collect() }
    }

    /// Returns what has been removed from the start of every name.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.keys().map(String::as_str)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Weight> {
        self.weights.get(name)
    }

    /// Returns the shape of a weight. Returns `None` if it is missing, and if a few numbers of the file are repeated to a
    /// weight so large that no network's size should follow from it.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        let weight = self.get(name)?;
        let elements = weight.shape.iter().fold(1usize, |count, &length| count.saturating_mul(length));
        (elements <= MOST_REPEATED || !weight.repeats()).then_some(weight.shape.as_slice())
    }

    /// Returns whether both take the values of a network from the same tensors.
    pub(crate) fn has_same_values(&self, other: &Self, wanted: &[Parameter]) -> bool {
        let parts = |named: &Self, name: &str| named.get(name).map(|weight| weight.parts.clone());
        wanted.iter().all(|p| parts(self, &p.name) == parts(other, &p.name))
    }
}

/// Returns the tensors that can be weights of a network, by name.
pub(super) fn network_tensors<'a>(named: &'a [(String, &'a StoredTensor)]) -> Vec<(&'a str, &'a StoredTensor)> {
    let learned = named.iter().filter(|(name, _)| !is_structural(name));
    without_copies(learned.map(|(name, stored)| (name.as_str(), *stored)).collect())
}

/// What differs between the weights in a file and those that a graph needs.
pub(crate) struct Difference {
    /// The names of weights that are not in the file.
    pub(crate) missing: Vec<String>,
    /// The names of weights that the graph does not need.
    pub(crate) extra: Vec<String>,
    /// Descriptions of weights of another shape.
    pub(crate) misshapen: Vec<String>,
}

/// The number of names that an error lists of each kind of difference.
const LISTED: usize = 6;

impl Difference {
    pub(crate) fn new(named: &NamedWeights, wanted: &[Parameter]) -> Self {
        let names: BTreeSet<&str> = wanted.iter().map(|p| p.name.as_str()).collect();
        let misshapen = wanted
            .iter()
            .filter_map(|p| named.get(&p.name).map(|weight| (p, &weight.shape)))
            .filter(|(p, shape)| !holds_the_same_numbers(&p.shape, shape))
            .map(|(p, shape)| format!("{} is {shape:?} instead of {:?}", p.name, p.shape));
        Self {
            missing: wanted.iter().filter(|p| named.get(&p.name).is_none()).map(|p| p.name.clone()).collect(),
            extra: named.names().filter(|name| !names.contains(name)).map(str::to_owned).collect(),
            misshapen: misshapen.collect(),
        }
    }

    /// Returns whether every weight of the graph is there in its shape.
    pub(crate) fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.misshapen.is_empty()
    }

    /// Lists the differences. Returns `None` if there are none.
    pub(crate) fn describe(&self) -> Option<String> {
        let list =
            |what: &str, all: &[String]| (!all.is_empty()).then(|| format!("{} {what}: {}", all.len(), listed(all)));
        let Self { missing, extra, misshapen } = self;
        let lists = [list("missing", missing), list("not of this model", extra), list("of another shape", misshapen)];
        let lists: Vec<String> = lists.into_iter().flatten().collect();
        (!lists.is_empty()).then(|| lists.join("; "))
    }
}

/// Returns the first few names.
pub(super) fn listed(names: &[String]) -> String {
    let rest = if names.len() > LISTED { ", .." } else { "" };
    format!("{}{rest}", names[..names.len().min(LISTED)].join(", "))
}

/// Returns whether two shapes are equal except for dimensions of length 1, or have rows of the same number of elements.
/// Some files store the linear layer on a feature map (VGG's first) as a convolution with a kernel of the map's size.
fn holds_the_same_numbers(a: &[usize], b: &[usize]) -> bool {
    let squeezed = |shape: &[usize]| shape.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    let count = |shape: &[usize]| shape.iter().try_fold(1usize, |count, &length| count.checked_mul(length));
    let rows = |shape: &[usize]| (shape.len() >= 2).then(|| Some((shape[0], count(shape)?))).flatten();
    squeezed(a) == squeezed(b) || rows(a).is_some_and(|a| rows(b) == Some(a))
}
