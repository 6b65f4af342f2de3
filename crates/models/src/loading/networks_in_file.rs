//! Finds the weights of a network in a file in which they are not alone, or whose names all have a prefix of the script
//! that saved them: "model.", "net.module." or any other.

use super::named_weights::{Difference, NamedWeights, listed, network_tensors};
use super::weight_table::WeightTable;
use crate::ModelError;
use crate::names::{IMAGE_SCHEMES, plain_names, recognize_source};
use hard_imagenet_findings::kinds::models::{PREFIX_REMOVED, TENSORS_UNUSED};
use hard_imagenet_findings::{Finding, Severity};
use hard_imagenet_graph::{Graph, Parameter};
use std::collections::{BTreeMap, BTreeSet};

/// The number of prefixes that are tried.
const MOST_PREFIXES: usize = 32;

/// The number of components that a prefix can have.
const LONGEST_PREFIX: usize = 6;

/// A network whose weights a file may hold: its graph with the head that the weights have, and anything that belongs to
/// it.
pub(crate) struct Fitted<T> {
    pub(crate) graph: Graph,
    pub(crate) of: T,
}

impl WeightTable {
    /// Finds the weights of a network, and keeps them.
    ///
    /// `fit` returns the network with the head that the weights have. `weights` is the usual number of its weights, and
    /// `looks_like` names a model that other weights belong to.
    ///
    /// # Errors
    /// Returns [`ModelError::Mismatch`] if no prefix leads to all weights of the network, or if several do, or if what
    /// remains may belong to the network.
    pub(crate) fn find_network<T>(
        &mut self,
        model: &str,
        weights: usize,
        fit: impl Fn(&NamedWeights) -> Result<Fitted<T>, ModelError>,
        looks_like: impl Fn(&NamedWeights) -> Option<&'static str>,
    ) -> Result<Fitted<T>, ModelError> {
        let all = fit(&self.named);
        if let Ok(fitted) = &all
            && Difference::new(&self.named, &fitted.graph.parameters()).describe().is_none()
        {
            self.findings.extend(self.about_prefix().into_iter().chain(self.about_groups()));
            return all;
        }
        let candidates: Vec<_> =
            self.candidates(weights).into_iter().filter_map(|named| Some((fit(&named).ok()?, named))).collect();
        let mut complete: Vec<usize> = Vec::new();
        for (i, (fitted, named)) in candidates.iter().enumerate() {
            let wanted = fitted.graph.parameters();
            let is_same = |&other: &usize| candidates[other].1.has_same_values(named, &wanted);
            if Difference::new(named, &wanted).is_complete() && !complete.iter().any(is_same) {
                complete.push(i);
            }
        }
        let mismatch =
            |details: String| ModelError::Mismatch { file: self.file().to_owned(), model: model.to_owned(), details };
        match complete[..] {
            [] => {
                // The error of a network that cannot be built comes before the one that tells the differences.
                let all = (all?, &self.named);
                let all = (&all.0, all.1);
                Err(mismatch(self.explain(all, candidates.iter().map(|(f, n)| (f, n)), looks_like)))
            }
            [only] => {
                let (fitted, named) = candidates.into_iter().nth(only).ok_or_else(|| mismatch(String::new()))?;
                self.findings = self.about_rest(&named, &fitted.graph.parameters()).map_err(mismatch)?;
                self.named = named;
                self.findings.extend(self.about_prefix().into_iter().chain(self.about_groups()));
                Ok(fitted)
            }
            _ => {
                let places: Vec<String> = complete.iter().map(|&i| place(candidates[i].1.prefix())).collect();
                Err(mismatch(format!(
                    "it has them {} times, {}; save those that are meant to a file of their own",
                    places.len(),
                    places.join(" and ")
                )))
            }
        }
    }

    /// Returns the weights below each prefix of enough names, the shortest prefix first.
    fn candidates(&self, weights: usize) -> Vec<NamedWeights> {
        let named = plain_names(self.checkpoint.tensors());
        let kept = network_tensors(&named);
        let mut counts = BTreeMap::from([("", kept.len())]);
        for (name, _) in &kept {
            for (at, _) in name.match_indices('.').take(LONGEST_PREFIX) {
                *counts.entry(&name[..=at]).or_default() += 1;
            }
        }
        // A few weights may be missing, and a file of another library can hold several of ours in one tensor.
        let least = weights.min(kept.len());
        let mut prefixes: Vec<&str> = counts.into_iter().filter(|&(_, n)| 2 * n > least).map(|(p, _)| p).collect();
        prefixes.sort_by_key(|prefix| prefix.len());
        prefixes.truncate(MOST_PREFIXES);
        prefixes.into_iter().map(|prefix| NamedWeights::below(&kept, prefix, IMAGE_SCHEMES)).collect()
    }

    /// Says what differs, for the prefix under which most weights were found, and what may be the reason.
    fn explain<'a, T: 'a>(
        &self,
        all: (&'a Fitted<T>, &'a NamedWeights),
        candidates: impl Iterator<Item = (&'a Fitted<T>, &'a NamedWeights)>,
        looks_like: impl Fn(&NamedWeights) -> Option<&'static str>,
    ) -> String {
        let found = |(fitted, named): &(&Fitted<T>, &NamedWeights)| {
            fitted.graph.parameters().iter().filter(|p| named.get(&p.name).is_some()).count()
        };
        let most = candidates.fold(all, |most, other| if found(&other) > found(&most) { other } else { most });
        let (fitted, named) = most;
        let wanted = fitted.graph.parameters();
        let mut details = Difference::new(named, &wanted).describe().unwrap_or_default();
        if !named.prefix().is_empty() {
            details = format!("below the prefix {:?}, {details}", named.prefix());
            let outside = self.outside(named);
            if !outside.is_empty() {
                details.push_str(&format!("; {} outside of it: {}", outside.len(), listed(&outside)));
            }
        }
        let mut hints: Vec<String> =
            looks_like(named).map(|other| format!("these look like weights of {other}")).into_iter().collect();
        if hints.is_empty() {
            hints.extend(self.hints(found(&most) == 0));
        }
        hints.into_iter().fold(details, |details, hint| format!("{details}; {hint}"))
    }

    /// Returns what the names in the file say about their origin.
    fn hints(&self, nothing_fits: bool) -> Vec<String> {
        let names: Vec<&str> = self.checkpoint.tensors().iter().map(|stored| stored.name.as_str()).collect();
        let any = |parts: &[&str]| names.iter().any(|name| parts.iter().any(|part| name.contains(part)));
        let mut hints = Vec::new();
        if let Some((first, count)) = shard_of(self.file()) {
            hints.push(format!("this file is shard {first} of {count}: use their index (.index.json) instead"));
        }
        if any(&["lora_A", "lora_B", ".base_layer."]) {
            hints.push("there are adapters (LoRA) in it: merge them into the network before saving it".into());
        }
        if any(&["weight_g", "weight_orig", "weight_mask", ".parametrizations."]) {
            hints.push(
                "some weights are stored in parts (weight or spectral normalization, pruning): undo this before saving \
                 them"
                    .into(),
            );
        }
        if nothing_fits && let Some(source) = recognize_source(names.iter().copied()) {
            hints.push(format!("the names are those of {source}, of another model"));
        } else if nothing_fits {
            let mut starts: BTreeMap<&str, usize> = BTreeMap::new();
            for name in &names {
                *starts.entry(name.split_inclusive('.').next().unwrap_or_default()).or_default() += 1;
            }
            let mut starts: Vec<_> = starts.into_iter().filter(|(start, _)| start.ends_with('.')).collect();
            starts.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
            let starts: Vec<String> =
                starts.iter().take(4).map(|(start, count)| format!("{start:?} ({count})")).collect();
            if !starts.is_empty() {
                hints.push(format!("its names begin with {}", starts.join(", ")));
            }
        }
        hints
    }

    /// Returns the names that do not begin with the prefix of a network.
    fn outside(&self, named: &NamedWeights) -> Vec<String> {
        let all = plain_names(self.checkpoint.tensors());
        let outside = network_tensors(&all).into_iter().filter(|(name, _)| !name.starts_with(named.prefix()));
        outside.map(|(name, _)| name.to_owned()).collect()
    }

    /// Reports tensors that the network does not use, or describes those that may belong to it after all.
    fn about_rest(&self, named: &NamedWeights, wanted: &[Parameter]) -> Result<Vec<Finding>, String> {
        let modules: BTreeSet<&str> = wanted.iter().filter_map(|p| p.name.split('.').next()).collect();
        let prefix = named.prefix();
        let extra =
            Difference::new(named, wanted).extra.into_iter().map(|name| (format!("{prefix}{name}"), prefix.len()));
        let outside = self.outside(named).into_iter().map(|name| {
            let shared = common_components(&name, prefix);
            (name, shared)
        });
        let (mut helpers, mut unknown, mut layers) = (Vec::new(), Vec::new(), Vec::new());
        for (name, shared) in extra.chain(outside) {
            let group = match Role::of(&name[shared..], &modules) {
                Role::Layer => &mut layers,
                Role::Helper => &mut helpers,
                Role::Unknown => &mut unknown,
            };
            group.push(name);
        }
        if !layers.is_empty() {
            let below = if prefix.is_empty() { String::new() } else { format!("below the prefix {prefix:?}, ") };
            let (count, layers) = (layers.len(), listed(&layers));
            return Err(format!(
                "{below}all weights are there, but {count} may belong to the network too and are not of this model: {layers}"
            ));
        }
        let all = self.checkpoint.tensors().len();
        let unknown = TENSORS_UNUSED.about(&unknown).map(|finding| {
            let mut finding =
                finding.of(all).remedy("check that the network ends where it should: its own last layer is used");
            finding.effect = "none, if they belong to another network".into();
            finding.severity = Severity::Warning;
            finding
        });
        Ok(TENSORS_UNUSED.about(&helpers).map(|finding| finding.of(all)).into_iter().chain(unknown).collect())
    }

    /// Reports a prefix that was removed.
    fn about_prefix(&self) -> Option<Finding> {
        let prefix = self.named.prefix();
        let what = format!("the names of the weights begin with {prefix:?}, which was taken off");
        (!prefix.is_empty()).then(|| PREFIX_REMOVED.found().saying(what))
    }

    /// Reports that the file holds several sets of weights, of which one was chosen by its place.
    fn about_groups(&self) -> Option<Finding> {
        let (used, unused) = self.checkpoint.groups();
        let what = format!("sets of weights in the file that are not used, besides the one under {used:?}, which is");
        let mut finding = TENSORS_UNUSED.about(unused)?.saying(what);
        finding.effect = "none, if the set that is used is the one that is meant".into();
        Some(finding)
    }
}

/// Words in the usual names of a last layer.
const HEADS: [&str; 5] = ["head", "heads", "classifier", "fc", "linear"];

/// Words in the names of tensors that belong to training: losses, metrics, averages, copies, normalization.
const HELPER_WORDS: [&str; 28] = [
    "acc",
    "auc",
    "f1",
    "map",
    "tp",
    "fp",
    "tn",
    "fn",
    "ema",
    "swa",
    "avg",
    "averaged",
    "teacher",
    "student",
    "momentum",
    "queue",
    "mean",
    "std",
    "normalize",
    "normalizer",
    "normalization",
    "weights",
    "meter",
    "meters",
    "updates",
    "center",
    "step",
    "steps",
];

/// Parts of such words.
const HELPER_PARTS: [&str; 10] = [
    "loss",
    "criterion",
    "criteria",
    "metric",
    "accuracy",
    "auroc",
    "confmat",
    "optimizer",
    "pos_weight",
    "class_weight",
];

/// What a tensor may be that a network does not use.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    /// A layer of a larger network, or its real head.
    Layer,
    /// A part of a loss, a metric, an optimizer, an average of the weights or the like.
    Helper,
    Unknown,
}

impl Role {
    /// Guesses the role of a tensor by its name. `modules` are the first components of the names of the network's
    /// weights.
    fn of(name: &str, modules: &BTreeSet<&str>) -> Self {
        let without_number = |text: &str| text.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
        let module = name.split('.').next().unwrap_or_default();
        // The network has "layer3", and this is "layer4".
        if modules.iter().any(|known| without_number(known) == without_number(module)) {
            return Self::Layer;
        }
        if is_training_helper(name) {
            return Self::Helper;
        }
        // The network has "norm", and this is "norm_pre".
        let has_word = |word: &str| {
            let is_word = |known: &str| !word.is_empty() && without_number(known) == word;
            modules.iter().chain(&HEADS).any(|known| known.split('_').any(is_word))
        };
        if module.split('_').any(|word| has_word(&without_number(word))) { Self::Layer } else { Self::Unknown }
    }
}

/// Returns whether a name tells that its tensor belongs to training and not to the network.
fn is_training_helper(name: &str) -> bool {
    let name = name.to_lowercase();
    let mut words = name.split(['.', '_']);
    words.any(|word| HELPER_WORDS.contains(&word)) || HELPER_PARTS.iter().any(|part| name.contains(part))
}

/// Returns the length of the components that a name shares with a prefix.
fn common_components(name: &str, prefix: &str) -> usize {
    let shared =
        name.split_inclusive('.').zip(prefix.split_inclusive('.')).take_while(|(a, b)| a == b && a.ends_with('.'));
    shared.map(|(component, _)| component.len()).sum()
}

/// Describes a place in a file.
fn place(prefix: &str) -> String {
    if prefix.is_empty() { "without a prefix".into() } else { format!("under {prefix:?}") }
}

/// Returns the number of a shard and that of all shards, from a name such as "model-00001-of-00002.safetensors".
fn shard_of(file: &str) -> Option<(usize, usize)> {
    let stem = file.rsplit_once('.')?.0;
    let (before, count) = stem.rsplit_once("-of-")?;
    Some((before.rsplit_once('-')?.1.parse().ok()?, count.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_of_training_are_known_by_their_names() {
        for name in
            ["criterion.pos_weight", "loss.weight", "val_acc.tp", "train_f1", "ema.decay", "model_ema.module.fc.weight"]
        {
            assert!(is_training_helper(name), "{name}");
        }
        for name in ["projector.0.weight", "decoder.weight", "classifier.bias", "lossy"] {
            assert_eq!(is_training_helper(name), name == "lossy", "{name}");
        }
    }

    #[test]
    fn layers_of_larger_networks_are_known_by_their_names() {
        let resnet = BTreeSet::from(["conv1", "bn1", "layer1", "fc"]);
        let vit = BTreeSet::from(["cls_token", "pos_embed", "patch_embed", "blocks", "norm", "head"]);
        for (modules, name, role) in [
            (&resnet, "layer4.0.conv1.weight", Role::Layer),
            (&resnet, "fc2.weight", Role::Layer),
            (&resnet, "bn1.loss", Role::Layer),
            (&resnet, "classifier.weight", Role::Layer),
            (&resnet, "extra.mask", Role::Unknown),
            (&resnet, "projector.0.weight", Role::Unknown),
            (&vit, "blocks.12.norm1.weight", Role::Layer),
            (&vit, "norm_pre.weight", Role::Layer),
            (&vit, "head_dist.weight", Role::Layer),
            (&vit, "reg_token", Role::Layer),
            (&vit, "pos_weight", Role::Helper),
            (&vit, "ema_head.weight", Role::Helper),
        ] {
            assert_eq!(Role::of(name, modules), role, "{name}");
        }
    }

    #[test]
    fn names_share_whole_components() {
        assert_eq!(common_components("model.fc.weight", "model.net."), 6);
        assert_eq!(common_components("models.fc", "model."), 0);
        assert_eq!(common_components("a.b.c", "a.b."), 4);
        assert_eq!(common_components("a", "a."), 0);
    }

    #[test]
    fn shards_are_known_by_their_names() {
        assert_eq!(shard_of("/x/model-00001-of-00002.safetensors"), Some((1, 2)));
        assert_eq!(shard_of("/x-of-y/model.safetensors"), None);
    }
}
