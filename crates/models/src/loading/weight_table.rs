//! The weights in a file, under the names of the zoo.

use super::Weights;
use super::checkpoint::Checkpoint;
use super::config::Config;
use super::file_names::find_in_folder;
use super::named_weights::{Difference, NamedWeights};
use crate::ModelError;
use crate::names::{IMAGE_SCHEMES, TEXT_SCHEMES};
use hard_imagenet_findings::Finding;
use hard_imagenet_graph::{Graph, Op, Parameter, WeightMap};
use std::path::Path;

/// The table of a weights file, under the names of the zoo. Values are read after the table is known to fit.
pub(crate) struct WeightTable {
    pub(super) checkpoint: Checkpoint,
    pub(super) named: NamedWeights,
    /// Repository and commit of a file from the Hugging Face hub.
    origin: Option<String>,
    /// What was noticed while the weights of a network were found.
    pub(super) findings: Vec<Finding>,
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
        Ok(Self::new(NamedWeights::untranslated(checkpoint.tensors()), checkpoint))
    }

    /// Opens the text tower of a CLIP checkpoint.
    pub(crate) fn open_text_tower(path: &Path) -> Result<Self, ModelError> {
        let checkpoint = Checkpoint::open(path)?;
        Ok(Self::new(NamedWeights::all(checkpoint.tensors(), TEXT_SCHEMES), checkpoint))
    }

    fn with_image_names(checkpoint: Checkpoint) -> Self {
        Self::new(NamedWeights::all(checkpoint.tensors(), IMAGE_SCHEMES), checkpoint)
    }

    fn new(named: NamedWeights, checkpoint: Checkpoint) -> Self {
        Self { checkpoint, named, origin: None, findings: Vec::new() }
    }

    /// Returns the name of the file for error messages.
    pub(crate) fn file(&self) -> &str {
        self.checkpoint.file()
    }

    /// Returns repository and commit of a file from the Hugging Face hub.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// Returns what was noticed about the file by [`find_network`](Self::find_network).
    pub(crate) fn findings(&self) -> &[Finding] {
        &self.findings
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.named.names()
    }

    /// Returns the shape of a weight, like [`NamedWeights::shape`].
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.named.shape(name)
    }

    /// Reads the weights that a graph needs (f32, on the CPU) and the SHA-256 of the file. Call [`check`](Self::check)
    /// or [`find_network`](Self::find_network) first: missing weights are omitted.
    pub(crate) fn values(&self, graph: &Graph) -> Result<(WeightMap, String), ModelError> {
        self.values_of(&graph.parameters())
    }

    /// Reads certain weights, like [`values`](Self::values).
    pub(crate) fn values_of(&self, parameters: &[Parameter]) -> Result<(WeightMap, String), ModelError> {
        let wanted = parameters.iter().filter_map(|p| Some((p, self.named.get(&p.name)?)));
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
    Difference::new(&table.named, wanted).describe()
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

    fn golden(path: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
    }

    /// The expectations are what `torch.load` returns. One tensor of the files has 2⁴⁰ elements and is never read.
    #[test]
    fn repeated_tensors_are_read_as_torch_reads_them() {
        let channels: Vec<f32> = (0..108).map(|i| (i / 9 % 3) as f32).collect();
        let windows = vec![0., 1., 2., 3., 1., 2., 3., 4., 2., 3., 4., 5., 3., 4., 5., 6., 4., 5., 6., 7.];
        for file in ["repeated/zip.pth", "repeated/old.pth"] {
            let (graph, table) = (golden_graph(), WeightTable::open(&golden(file)).unwrap());
            assert_eq!(
                describe_mismatch(&table, &graph.parameters()).as_deref(),
                Some("1 not of this model: loss.mask")
            );
            let (values, _) = table.values(&graph).unwrap();
            for (name, want) in [
                ("0.weight", &channels),
                ("0.bias", &vec![0.5; 4]),
                ("1.weight", &vec![1.0; 4]),
                ("1.bias", &vec![0.0, 1.0, 2.0, 3.0]),
                ("1.running_mean", &vec![0.0; 4]),
                ("1.running_var", &vec![1.0, 3.0, 5.0, 7.0]),
                ("2.weight", &windows),
                ("2.bias", &vec![1.0; 5]),
            ] {
                let got = values[name].flatten_all().unwrap().to_vec1::<f32>().unwrap();
                assert_eq!(&got, want, "{file}: {name}");
            }
            // No size follows from it, and nobody who asks for its values gets them.
            assert_eq!(table.shape("loss.mask"), None);
            let mask = Parameter { name: "loss.mask".into(), shape: vec![1 << 40] };
            let error = table.values_of(&[mask]).unwrap_err().to_string();
            assert!(error.contains("loss.mask") && error.contains("repeats a few numbers too often"), "{error}");
        }
    }

    /// `tests/golden/make_checkpoints.py` documents the files.
    #[test]
    fn weights_are_found_under_the_keys_of_scripts() {
        let check = |file: &str, group: &str, unused: &[&str]| {
            let (graph, table) = (golden_graph(), WeightTable::open(&golden(file)).unwrap());
            assert_eq!(describe_mismatch(&table, &graph.parameters()), None, "{file}");
            for (name, tensor) in table.values(&graph).unwrap().0 {
                let got = tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
                assert_eq!(got, generated::values(&name, tensor.dims()), "{file}: {name}");
            }
            let (used, others) = table.checkpoint.groups();
            assert_eq!(
                (used, others.iter().map(String::as_str).collect::<Vec<_>>().as_slice()),
                (group, unused),
                "{file}"
            );
        };
        check("groups/number_beside.pth", "model", &[]);
        check("groups/own_key.pth", "my_net", &[]);
        check("groups/shadow.pth", "ema.shadow", &["model"]);
        check("groups/deep.pth", "state.model.state_dict", &[]);
        check("checkpoints/averaged.pth", "model_ema", &["model"]);
        check("checkpoints/nested.pth", "state_dict", &[]);
        check("checkpoints/plain.pth", "", &[]);
        let error = |file: &str| WeightTable::open(&golden(file)).err().unwrap().to_string();
        assert!(error("groups/own_keys.pth").contains("under \"generator\", \"critic\""));
        assert!(
            error("groups/nothing.pth").contains("no tensors at the top level, which holds \"epoch\", \"history\"")
        );
    }
}
