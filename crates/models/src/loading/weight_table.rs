//! The weights in a file, under the names of the zoo.

use super::Weights;
use super::checkpoint::{Checkpoint, StoredTensor};
use super::config::Config;
use super::file_names::find_in_folder;
use crate::ModelError;
use crate::names::{IMAGE_SCHEMES, TEXT_SCHEMES, Weight, translate_names};
use hard_imagenet_graph::{Graph, Op, Parameter, WeightMap};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The table of a weights file, under the names of the zoo. Values are read after the table is known to fit.
pub(crate) struct WeightTable {
    checkpoint: Checkpoint,
    weights: BTreeMap<String, Weight>,
    /// Repository and commit of a file from the Hugging Face hub.
    origin: Option<String>,
}

impl WeightTable {
    pub(crate) fn read(weights: &Weights, model: &str) -> Result<Self, ModelError> {
        match weights {
            Weights::File(path) => Self::open(path),
            Weights::Folder(folder) => Self::open(&find_in_folder(folder, model)?),
            Weights::Bytes(bytes) => {
                let name = format!("the embedded weights of {model}");
                Ok(Self::with_image_names(Checkpoint::from_bytes(bytes, name)?))
            }
            #[cfg(feature = "hub")]
            Weights::Hub(hub) => {
                let path = hub.fetch(model)?;
                // This comes first because a truncated file would otherwise be reported as an unknown format.
                hub.verify(model, &path, &super::checkpoint::sha256_of_file(&path)?)?;
                Ok(Self { origin: hub.origin(model, &path), ..Self::open(&path)? })
            }
        }
    }

    pub(crate) fn open(path: &Path) -> Result<Self, ModelError> {
        Ok(Self::with_image_names(Checkpoint::open(path)?))
    }

    /// Opens a file whose names are kept as they are.
    pub(crate) fn open_untranslated(path: &Path) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        let weight = |stored: &StoredTensor| (stored.name.clone(), Weight::rows(vec![stored.clone()]));
        Ok(Self { weights: checkpoint.tensors().iter().map(weight).collect(), checkpoint, origin: None })
    }

    /// Opens the text tower of a CLIP checkpoint.
    pub(crate) fn open_text_tower(path: &Path) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        Ok(Self { weights: translate_names(checkpoint.tensors(), TEXT_SCHEMES), checkpoint, origin: None })
    }

    fn with_image_names(checkpoint: Checkpoint) -> Self {
        Self { weights: translate_names(checkpoint.tensors(), IMAGE_SCHEMES), checkpoint, origin: None }
    }

    /// Returns the name of the file for error messages.
    pub(crate) fn file(&self) -> &str {
        self.checkpoint.file()
    }

    /// Returns repository and commit of a file from the Hugging Face hub.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.keys().map(String::as_str)
    }

    /// Returns the shape of a weight, or `None` if it is missing.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.get(name).map(|weight| weight.shape.as_slice())
    }

    /// Reads the weights that a graph needs (f32, on the CPU) and the SHA-256 of the file. Call [`check`](Self::check)
    /// first: missing weights are omitted.
    pub(crate) fn values(&self, graph: &Graph) -> Result<(WeightMap, String), ModelError> {
        self.values_of(&graph.parameters())
    }

    /// Reads certain weights, like [`values`](Self::values).
    pub(crate) fn values_of(&self, parameters: &[Parameter]) -> Result<(WeightMap, String), ModelError> {
        let wanted = parameters.iter().filter_map(|p| Some((p, self.weights.get(&p.name)?)));
        let wanted = wanted.map(|(parameter, weight)| ((parameter, weight), weight.parts.as_slice()));
        let mut values = WeightMap::with_capacity(parameters.len());
        let sha256 = self.checkpoint.read(wanted, |(parameter, weight), parts| {
            values.insert(parameter.name.clone(), weight.value(&parts)?.reshape(parameter.shape.as_slice())?);
            Ok(())
        })?;
        Ok((values, sha256))
    }

    /// Reads timm's `config.json` beside the file, if there is one.
    pub(crate) fn config(&self) -> Result<Option<Config>, ModelError> {
        self.checkpoint.path().map_or(Ok(None), Config::beside)
    }

    /// Checks that these are the weights of the graph. The error lists all differences.
    pub(crate) fn check(
        &self,
        graph: &Graph,
        model: &str,
        looks_like: impl Fn() -> Option<&'static str>,
    ) -> Result<(), ModelError> {
        let Some(mut details) = describe_mismatch(self, &graph.parameters()) else { return Ok(()) };
        if let Some(other) = looks_like() {
            details.push_str(&format!("; these look like weights of {other}"));
        }
        Err(ModelError::Mismatch { file: self.checkpoint.file().to_owned(), model: model.to_owned(), details })
    }
}

/// Lists what is missing, unexpected or misshapen. Returns `None` if the weights fit.
pub(crate) fn describe_mismatch(table: &WeightTable, wanted: &[Parameter]) -> Option<String> {
    let names: BTreeSet<&str> = wanted.iter().map(|p| p.name.as_str()).collect();
    let missing: Vec<String> =
        wanted.iter().filter(|p| !table.weights.contains_key(&p.name)).map(|p| p.name.clone()).collect();
    let extra: Vec<String> = table.weights.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
    let misshapen: Vec<String> = wanted
        .iter()
        .filter_map(|p| table.shape(&p.name).map(|shape| (p, shape)))
        .filter(|(p, shape)| !holds_the_same_numbers(&p.shape, shape))
        .map(|(p, shape)| format!("{} is {shape:?} instead of {:?}", p.name, p.shape))
        .collect();
    let list = |what: &str, all: &[String]| match all.len() {
        0 => None,
        n if n <= LISTED => Some(format!("{n} {what}: {}", all.join(", "))),
        n => Some(format!("{n} {what}: {}, ..", all[..LISTED].join(", "))),
    };
    let lists = [list("missing", &missing), list("not of this model", &extra), list("of another shape", &misshapen)];
    let lists: Vec<String> = lists.into_iter().flatten().collect();
    (!lists.is_empty()).then(|| lists.join("; "))
}

/// The number of names that an error lists of each kind of difference.
const LISTED: usize = 6;

/// Returns whether two shapes are equal except for dimensions of length 1, or have rows of the same number of elements.
/// Some files store the linear layer on a feature map (VGG's first) as a convolution with a kernel of the map's size.
fn holds_the_same_numbers(a: &[usize], b: &[usize]) -> bool {
    let squeezed = |shape: &[usize]| shape.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    let rows = |shape: &[usize]| (shape.len() >= 2).then(|| (shape[0], shape.iter().product::<usize>()));
    squeezed(a) == squeezed(b) || rows(a).is_some_and(|a| rows(b) == Some(a))
}

/// Returns the name of the weight of the last linear layer.
pub(crate) fn last_linear(graph: &Graph) -> Option<&str> {
    let last = graph.nodes().iter().rev().find(|node| matches!(node.op, Op::Linear { .. }))?;
    last.weights.first().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated;
    use hard_imagenet_graph::{Conv2d, GraphBuilder};

    /// The network whose weights `tests/golden/make_checkpoints.py` stores: `Sequential(Conv2d(3, 4, 3),
    /// BatchNorm2d(4), Linear(4, 5))`.
    fn golden_graph() -> Graph {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let x = g.conv2d("0", x, Conv2d { bias: true, ..Conv2d::new(3, 4, 3) });
        let x = g.batch_norm("1", x, 4);
        let x = g.global_average_pool("pool", x);
        let x = g.linear("2", x, 4, 5, true);
        g.finish(x).unwrap()
    }

    /// `tests/golden/make_checkpoints.py` documents the files.
    #[test]
    fn every_torch_format_holds_the_same_weights() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints");
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert_eq!(paths.len(), 15);
        for path in paths {
            let (graph, table) = (golden_graph(), WeightTable::open(&path).unwrap());
            assert_eq!(describe_mismatch(&table, &graph.parameters()), None, "{}", path.display());
            let halved = path.to_string_lossy().contains("half");
            for (name, tensor) in table.values(&graph).unwrap().0 {
                let mut want = generated::values(&name, tensor.dims());
                if halved {
                    want.iter_mut().for_each(|value| *value = f32::from_bits((value.to_bits() + 0x8000) & 0xffff_0000));
                }
                let got = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                assert_eq!(got, want, "{}: {name}", path.display());
            }
        }
    }
}
