//! Tensors from files, and whether they are a model's.

use crate::ModelError;
use crate::checkpoint::{Checkpoint, Stored};
use crate::config::Config;
use crate::names::{IMAGES, TEXTS, Weight, translated};
use crate::zoo::bare;
use hard_imagenet_graph::{Graph, Op, Parameter, WeightMap};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Where weights come from.
#[derive(Clone, Debug)]
pub enum Weights {
    /// One file: safetensors, or a checkpoint of torch (`.pth`, `.pt`, `.bin`, `.ckpt`), also of one before 1.6.
    /// A checkpoint is read as data: nothing in it is executed. Names may be timm's,
    /// torchvision's, transformers', or those of DINOv2's, CLIP's and Swin's authors.
    File(PathBuf),
    /// A folder of `<model>.safetensors` (also without the tag, also `.pth`, `.pt`, `.bin`, `.ckpt`), or a folder as
    /// the Hugging Face hub has it: `model.safetensors` or `pytorch_model.bin`, and `config.json`.
    Folder(PathBuf),
    /// A safetensors file in memory.
    Bytes(&'static [u8]),
    /// A repository of the Hugging Face hub, through the cache.
    #[cfg(feature = "hub")]
    Hub(crate::Hub),
}

/// The table of one file, under the model's own names; values are read when they are known to fit.
pub(crate) struct Loaded {
    checkpoint: Checkpoint,
    weights: BTreeMap<String, Weight>,
    /// Repository and commit, of a file from the hub.
    origin: Option<String>,
}

impl Loaded {
    pub(crate) fn read(weights: &Weights, model: &str) -> Result<Self, ModelError> {
        match weights {
            Weights::File(path) => Self::from_file(path),
            Weights::Folder(folder) => Self::from_file(&in_folder(folder, model)?),
            Weights::Bytes(bytes) => {
                Ok(Self::new(Checkpoint::of_bytes(bytes, format!("the embedded weights of {model}"))?))
            }
            #[cfg(feature = "hub")]
            Weights::Hub(hub) => {
                let path = hub.fetch(model)?;
                // Before anything is made of them: a cut file would only be said to be no safetensors.
                hub.verify(model, &path, &crate::checkpoint::sha256_of(&path)?)?;
                Ok(Self { origin: hub.origin(model, &path), ..Self::from_file(&path)? })
            }
        }
    }

    pub(crate) fn from_file(path: &Path) -> Result<Self, ModelError> {
        Ok(Self::new(Checkpoint::open(path)?))
    }

    /// A file whose names are taken as they are.
    pub(crate) fn as_named(path: &Path) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        let named = |stored: &Stored| (stored.name.clone(), Weight::rows(vec![stored.clone()]));
        Ok(Self { weights: checkpoint.tensors().iter().map(named).collect(), checkpoint, origin: None })
    }

    fn new(checkpoint: Checkpoint) -> Self {
        Self { weights: translated(checkpoint.tensors(), IMAGES), checkpoint, origin: None }
    }

    /// The text tower of a file of CLIP's.
    pub(crate) fn texts_of(path: &Path) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        Ok(Self { weights: translated(checkpoint.tensors(), TEXTS), checkpoint, origin: None })
    }

    /// The file's name in errors.
    pub(crate) fn file(&self) -> &str {
        self.checkpoint.file()
    }

    /// Repository and commit, of a file from the hub.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The names of all weights.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.weights.keys().map(String::as_str)
    }

    /// The shape of a weight, if it is there.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.weights.get(name).map(|weight| weight.shape.as_slice())
    }

    /// The values of the weights that a graph needs, f32, on the CPU; and the file's sha256. Check them before.
    pub(crate) fn values(&self, graph: &Graph) -> Result<(WeightMap, String), ModelError> {
        self.read_all(&graph.parameters())
    }

    /// The values of weights, f32, on the CPU; and the file's sha256.
    pub(crate) fn read_all(&self, parameters: &[Parameter]) -> Result<(WeightMap, String), ModelError> {
        let wanted = parameters.iter().filter_map(|p| Some((p, self.weights.get(&p.name)?)));
        let wanted = wanted.map(|(parameter, weight)| ((parameter, weight), weight.parts.as_slice()));
        let mut values = WeightMap::with_capacity(parameters.len());
        let sha256 = self.checkpoint.read(wanted, |(parameter, weight), parts| {
            values.insert(parameter.name.clone(), weight.value(&parts)?.reshape(parameter.shape.as_slice())?);
            Ok(())
        })?;
        Ok((values, sha256))
    }

    /// What is said of the model beside its weights.
    pub(crate) fn config(&self) -> Result<Option<Config>, ModelError> {
        self.checkpoint.path().map_or(Ok(None), Config::beside)
    }

    /// Are these the weights of the graph? Else one error with all that differs.
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

/// What is missing, extra or misshapen; `None` when all is well.
pub(crate) fn describe_mismatch(loaded: &Loaded, wanted: &[Parameter]) -> Option<String> {
    let names: BTreeSet<&str> = wanted.iter().map(|p| p.name.as_str()).collect();
    let missing: Vec<String> =
        wanted.iter().filter(|p| !loaded.weights.contains_key(&p.name)).map(|p| p.name.clone()).collect();
    let extra: Vec<String> = loaded.weights.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
    let misshapen: Vec<String> = wanted
        .iter()
        .filter_map(|p| loaded.shape(&p.name).map(|shape| (p, shape)))
        .filter(|(p, shape)| !is_same_but_flat(&p.shape, shape))
        .map(|(p, shape)| format!("{} is {shape:?} instead of {:?}", p.name, p.shape))
        .collect();
    let part = |what: &str, all: &[String]| match all.len() {
        0 => None,
        n if n <= LISTED => Some(format!("{n} {what}: {}", all.join(", "))),
        n => Some(format!("{n} {what}: {}, ..", all[..LISTED].join(", "))),
    };
    let parts = [part("missing", &missing), part("not of this model", &extra), part("of another shape", &misshapen)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Are these one shape, but for dimensions of length 1, or both a row of as many numbers for each output? A linear layer
/// over a picture of features (VGG's first) is in other files the convolution with a kernel of the picture's size.
fn is_same_but_flat(a: &[usize], b: &[usize]) -> bool {
    let longer = |shape: &[usize]| shape.iter().copied().filter(|&length| length != 1).collect::<Vec<_>>();
    let rows = |shape: &[usize]| (shape.len() >= 2).then(|| (shape[0], shape.iter().product::<usize>()));
    longer(a) == longer(b) || rows(a).is_some_and(|a| rows(b) == Some(a))
}

/// Names listed of each kind of difference.
const LISTED: usize = 6;

/// Name of the weights of the last linear layer.
pub(crate) fn last_linear(graph: &Graph) -> Option<&str> {
    let last = graph.nodes().iter().rev().find(|node| matches!(node.op, Op::Linear { .. }))?;
    last.weights.first().map(String::as_str)
}

/// How the Hugging Face hub names weights, of any model; the best first.
pub(crate) const OF_THE_HUB: [&str; 2] = ["model.safetensors", "pytorch_model.bin"];

fn in_folder(folder: &Path, model: &str) -> Result<PathBuf, ModelError> {
    let mut looked_for = Vec::new();
    let named = ["safetensors", "pth", "pt", "bin", "ckpt"]
        .iter()
        .flat_map(|ending| [model, bare(model)].map(|name| format!("{name}.{ending}")));
    for file in named.chain(OF_THE_HUB.map(str::to_owned)) {
        let path = folder.join(&file);
        if path.is_file() {
            return Ok(path);
        }
        if !looked_for.contains(&file) {
            looked_for.push(file);
        }
    }
    Err(ModelError::NotFound { model: model.to_owned(), folder: folder.to_owned(), looked_for })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generated;
    use hard_imagenet_graph::{Conv2d, GraphBuilder};

    /// What `tests/golden/make.py` stores: `Sequential(Conv2d(3, 4, 3), BatchNorm2d(4), Linear(4, 5))`.
    fn stored() -> Graph {
        let mut g = GraphBuilder::new();
        let x = g.input();
        let x = g.conv2d("0", x, Conv2d { bias: true, ..Conv2d::new(3, 4, 3) });
        let x = g.batch_norm("1", x, 4);
        let x = g.global_average_pool("pool", x);
        let x = g.linear("2", x, 4, 5, true);
        g.finish(x).unwrap()
    }

    /// Every form in which torch writes the same tensors; `tests/golden/make_checkpoints.py` says what is in each.
    #[test]
    fn checkpoints_of_torch() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/checkpoints");
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        assert_eq!(paths.len(), 15);
        for path in paths {
            let (graph, loaded) = (stored(), Loaded::from_file(&path).unwrap());
            assert_eq!(describe_mismatch(&loaded, &graph.parameters()), None, "{}", path.display());
            let halved = path.to_string_lossy().contains("half");
            for (name, tensor) in loaded.values(&graph).unwrap().0 {
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
