//! Tensors from files, and whether they are a model's.

use crate::ModelError;
use crate::zoo::bare;
use candle_core::{DType, Device, Tensor, pickle};
use hard_imagenet_graph::{Graph, Op, WeightMap};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Where weights come from.
#[derive(Clone, Debug)]
pub enum Weights {
    /// One file: safetensors, or a torch checkpoint (`.pth`, `.pt`, `.bin`) in the zip format of torch 1.6 and later.
    /// A checkpoint is read as data: nothing in it is executed.
    File(PathBuf),
    /// A folder of `<model>.safetensors` (also without the tag, also `.pth`, `.pt`, `.bin`).
    Folder(PathBuf),
    /// A safetensors file in memory.
    Bytes(&'static [u8]),
}

/// Tensors of one file, f32, on the CPU, under the model's own names.
pub(crate) struct Loaded {
    pub(crate) tensors: WeightMap,
    pub(crate) sha256: String,
    file: String,
}

impl Loaded {
    pub(crate) fn read(weights: &Weights, model: &str) -> Result<Self, ModelError> {
        match weights {
            Weights::File(path) => Self::from_file(path),
            Weights::Folder(folder) => Self::from_file(&in_folder(folder, model)?),
            Weights::Bytes(bytes) => Self::from_safetensors(bytes, format!("the embedded weights of {model}")),
        }
    }

    fn from_file(path: &Path) -> Result<Self, ModelError> {
        let bytes = std::fs::read(path).map_err(|source| ModelError::Read { path: path.to_owned(), source })?;
        let file = path.display().to_string();
        // By content, for names lie: a zip archive begins with PK, an old torch file with a pickle's first byte.
        match bytes.as_slice() {
            [b'P', b'K', ..] => Self::from_torch(path, &bytes, file),
            [0x80, ..] => Err(ModelError::Format {
                file,
                message:
                    "it has torch's old format; in Python, `torch.save(torch.load(f, map_location=\"cpu\"), f)` with \
                          torch 1.6 or later writes the new one"
                        .into(),
            }),
            _ => Self::from_safetensors(&bytes, file),
        }
    }

    fn from_safetensors(bytes: &[u8], file: String) -> Result<Self, ModelError> {
        let fail = |error: candle_core::Error| ModelError::Format { file: file.clone(), message: error.to_string() };
        let tensors = candle_core::safetensors::load_buffer(bytes, &Device::Cpu).map_err(fail)?;
        Self::new(tensors.into_iter().collect(), sha256(bytes), file)
    }

    fn from_torch(path: &Path, bytes: &[u8], file: String) -> Result<Self, ModelError> {
        let fail = |message: String| ModelError::Format { file: file.clone(), message };
        // The tensors themselves, or one level down, as training scripts store them.
        let mut tensors = Vec::new();
        for key in [None, Some("state_dict"), Some("model"), Some("state_dict_ema")] {
            match pickle::read_all_with_key(path, key) {
                Ok(found) if !found.is_empty() => {
                    tensors = found;
                    break;
                }
                Err(error) if key.is_none() => return Err(fail(error.to_string())),
                _ => {}
            }
        }
        if tensors.is_empty() {
            return Err(fail("there are no tensors at its top, nor under \"state_dict\" or \"model\"".into()));
        }
        Self::new(tensors, sha256(bytes), file)
    }

    fn new(tensors: Vec<(String, Tensor)>, sha256: String, file: String) -> Result<Self, ModelError> {
        let kept: Vec<_> = tensors.into_iter().filter(|(name, _)| !is_structural(name)).collect();
        let prefix = common_prefix(kept.iter().map(|(name, _)| name.as_str()));
        let tensors = kept
            .into_iter()
            .map(|(name, tensor)| Ok((name[prefix.len()..].to_owned(), tensor.to_dtype(DType::F32)?.contiguous()?)))
            .collect::<Result<_, ModelError>>()?;
        Ok(Self { tensors, sha256, file })
    }

    /// Are these the weights of the graph? Else one error with all that differs.
    pub(crate) fn check(
        &self,
        graph: &Graph,
        model: &str,
        looks_like: impl Fn() -> Option<&'static str>,
    ) -> Result<(), ModelError> {
        let Some(mut details) = describe_mismatch(&self.tensors, graph) else { return Ok(()) };
        if let Some(other) = looks_like() {
            details.push_str(&format!("; these look like weights of {other}"));
        }
        Err(ModelError::Mismatch { file: self.file.clone(), model: model.to_owned(), details })
    }
}

/// What is missing, extra or misshapen; `None` when all is well.
pub(crate) fn describe_mismatch(tensors: &WeightMap, graph: &Graph) -> Option<String> {
    let wanted = graph.parameters();
    let names: BTreeSet<&str> = wanted.iter().map(|p| p.name.as_str()).collect();
    let missing: Vec<String> =
        wanted.iter().filter(|p| !tensors.contains_key(&p.name)).map(|p| p.name.clone()).collect();
    let mut extra: Vec<String> = tensors.keys().filter(|name| !names.contains(name.as_str())).cloned().collect();
    extra.sort_unstable();
    let misshapen: Vec<String> = wanted
        .iter()
        .filter_map(|p| tensors.get(&p.name).map(|tensor| (p, tensor.dims())))
        .filter(|(p, dims)| p.shape != *dims)
        .map(|(p, dims)| format!("{} is {dims:?} instead of {:?}", p.name, p.shape))
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

/// Names listed of each kind of difference.
const LISTED: usize = 6;

/// Name of the weights of the last linear layer.
pub(crate) fn last_linear(graph: &Graph) -> Option<&str> {
    let last = graph.nodes().iter().rev().find(|node| matches!(node.op, Op::Linear { .. }))?;
    last.weights.first().map(String::as_str)
}

/// Counters and tables that follow from the architecture.
fn is_structural(name: &str) -> bool {
    ["num_batches_tracked", "relative_position_index", "attn_mask", "rel_indices"].iter().any(|end| name.ends_with(end))
}

/// What wrappers (data parallelism, training frameworks) put before every name.
fn common_prefix<'a>(names: impl Iterator<Item = &'a str> + Clone) -> &'static str {
    ["module.model.", "model.module.", "module.", "model."]
        .into_iter()
        .find(|prefix| names.clone().next().is_some() && names.clone().all(|name| name.starts_with(prefix)))
        .unwrap_or("")
}

fn in_folder(folder: &Path, model: &str) -> Result<PathBuf, ModelError> {
    let mut looked_for = Vec::new();
    for ending in ["safetensors", "pth", "pt", "bin"] {
        for name in [model, bare(model)] {
            let file = format!("{name}.{ending}");
            let path = folder.join(&file);
            if path.is_file() {
                return Ok(path);
            }
            if !looked_for.contains(&file) {
                looked_for.push(file);
            }
        }
    }
    Err(ModelError::NotFound { model: model.to_owned(), folder: folder.to_owned(), looked_for })
}

fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Lower-case digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
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

    #[test]
    fn checkpoints_of_torch_plain_and_nested() {
        for file in ["plain.pth", "nested.pth"] {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
            let loaded = Loaded::from_file(&path).unwrap();
            assert_eq!(describe_mismatch(&loaded.tensors, &stored()), None, "{file}");
            for (name, tensor) in &loaded.tensors {
                let want = generated::values(name, tensor.dims());
                assert_eq!(tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap(), want, "{file}: {name}");
            }
        }
    }
}
