//! One network, many spellings: torchvision, transformers and older files name the same weights differently.
//!
//! The zoo's names are timm's. A [`Scheme`] is a list of replacements that brings another's names to those; it is known
//! by a name that only its files have. Wrappers (data parallelism, compilation, robust training) are taken off first.

mod torchvision;
mod transformers;

use crate::checkpoint::Stored;
use std::collections::BTreeMap;

/// How somebody else names the weights of a family.
pub(crate) struct Scheme {
    /// Part of a name, by which files of it are known.
    mark: &'static str,
    /// What to replace by what in each name, one after the other. `#0`, `#1`, .. are parts of one tensor, to be put
    /// one after the other along the first dimension.
    replacements: &'static [(&'static str, &'static str)],
}

const SCHEMES: &[&[Scheme]] = &[transformers::SCHEMES, torchvision::SCHEMES];

/// A weight under the zoo's name: one stored tensor, or several, to be put together.
pub(crate) struct Weight {
    pub(crate) shape: Vec<usize>,
    pub(crate) parts: Vec<Stored>,
}

/// The tensors of a file under the zoo's names.
pub(crate) fn translated(tensors: &[Stored]) -> BTreeMap<String, Weight> {
    let kept: Vec<&Stored> = tensors.iter().filter(|stored| !is_structural(&stored.name)).collect();
    // The robustness library saves its networks twice, and the normalisation that models have outside here.
    let again = |name: &str| ["attacker.", "normalizer."].iter().any(|part| bare(name).starts_with(part));
    let is_robust = kept.iter().any(|stored| bare(&stored.name).starts_with("attacker."));
    let kept: Vec<&Stored> = kept.into_iter().filter(|stored| !(is_robust && again(&stored.name))).collect();
    let wrapped = common_prefix(kept.iter().map(|stored| stored.name.as_str()));
    let names: Vec<&str> = kept.iter().map(|stored| &stored.name[wrapped..]).collect();
    let known_by = |scheme: &&Scheme| names.iter().any(|name| name.contains(scheme.mark));
    let scheme = SCHEMES.iter().copied().flatten().find(known_by);
    let mut parts: BTreeMap<String, BTreeMap<String, Stored>> = BTreeMap::new();
    for (name, stored) in names.into_iter().zip(kept) {
        let mut name = name.to_owned();
        for (from, to) in scheme.map_or(&[][..], |scheme| scheme.replacements) {
            name = name.replace(from, to);
        }
        let part = name.find('#').map(|at| name.drain(at..at + 2).collect::<String>()).unwrap_or_default();
        parts.entry(name).or_default().insert(part, stored.clone());
    }
    parts.into_iter().filter_map(|(name, parts)| Some((name, Weight::new(parts.into_values().collect())?))).collect()
}

impl Weight {
    /// `None` for no parts.
    fn new(parts: Vec<Stored>) -> Option<Self> {
        let mut shape = parts.first()?.shape.clone();
        if let Some(rows) = shape.first_mut() {
            *rows = parts.iter().filter_map(|part| part.shape.first()).sum();
        }
        Some(Self { shape, parts })
    }
}

/// Counters and tables that follow from the architecture.
fn is_structural(name: &str) -> bool {
    ["num_batches_tracked", "relative_position_index", "attn_mask", "rel_indices"].iter().any(|end| name.ends_with(end))
}

/// What wrappers put before every name.
const WRAPPERS: [&str; 3] = ["module.", "model.", "_orig_mod."];

/// A name without wrappers.
fn bare(mut name: &str) -> &str {
    while let Some(inner) = WRAPPERS.iter().find_map(|wrapper| name.strip_prefix(wrapper)) {
        name = inner;
    }
    name
}

/// Length of the wrappers that are before every name.
fn common_prefix<'a>(names: impl Iterator<Item = &'a str> + Clone) -> usize {
    let Some(first) = names.clone().next() else { return 0 };
    let mut length = 0;
    while let Some(wrapper) = WRAPPERS.iter().find(|wrapper| first[length..].starts_with(**wrapper)) {
        let longer = &first[..length + wrapper.len()];
        if !names.clone().all(|name| name.starts_with(longer)) {
            break;
        }
        length = longer.len();
    }
    length
}
