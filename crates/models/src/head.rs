//! New classes for a trained network.

use crate::text_head::{TEXTS, add_text_head, to_unit_length, with_text_head};
use crate::{Graph, Model, ModelError, ModelSpec, Network};
use candle_core::{DType, Device, Tensor};
use hard_imagenet_files::hex;
use hard_imagenet_graph::GraphBuilder;
use sha2::{Digest, Sha256};

impl Model {
    /// Returns the network with another last layer on its features, such as a linear probe. `weight` is `(K, D)` and
    /// `bias` is `(K)`, where D is the length of [`Model::features`]; both are floating-point tensors.
    ///
    /// The new layer is the node "head". [`Model::weights_sha256`] becomes the hash of the old hash and the new
    /// weights.
    ///
    /// # Errors
    /// Returns [`ModelError`] for weights of other shapes.
    pub fn with_head(&self, weight: &Tensor, bias: &Tensor) -> Result<Self, ModelError> {
        let (classes, length) = weight.dims2()?;
        if bias.dims() != [classes] {
            let shape = bias.dims();
            return Err(ModelError::Input(format!("a head of {classes} classes needs as many biases, not {shape:?}")));
        }
        let features = self.graph().find(&self.spec().feature_node)?;
        let mut g = GraphBuilder::from_graph(self.graph());
        let x = g.linear("head", features, length, classes, true);
        let spec = ModelSpec { classes, class_names: None, ..self.spec().clone() };
        self.rebuild(spec, g.finish(x)?, &[("head.weight", weight), ("head.bias", bias)])
    }

    /// Returns a classifier that compares images with texts, as CLIP does (Radford et al. 2021).
    ///
    /// A logit is `scale` times the cosine of the network's output for the image `(B, D)` and the features of the
    /// class's text. `texts` is `(K, D)`, one row per class; the length of a row does not matter. CLIP's own scale is
    /// 100. [`ClipText`](crate::ClipText) computes features of texts. The nodes "zero_shot.*" compute the cosines, and
    /// the features of the new model are the embeddings of images, scaled to length 1.
    ///
    /// # Errors
    /// Returns [`ModelError`] for texts of another shape.
    pub fn zero_shot(&self, texts: &Tensor, scale: f64) -> Result<Self, ModelError> {
        let (classes, length) = texts.dims2()?;
        let graph = add_text_head(self.graph(), length, classes)?;
        let spec = with_text_head(self.spec().clone(), classes);
        self.rebuild(spec, graph, &[(TEXTS, &(to_unit_length(texts)? * scale)?)])
    }

    /// Makes a model of a graph that uses this model's weights and some new ones.
    fn rebuild(&self, spec: ModelSpec, graph: Graph, new: &[(&str, &Tensor)]) -> Result<Self, ModelError> {
        let (height, width) = spec.preprocess.input;
        graph.shapes(&[1, 3, height, width])?;
        let mut hash = Sha256::new();
        hash.update(self.weights_sha256());
        for (_, tensor) in new {
            for value in tensor.to_dtype(DType::F32)?.to_device(&Device::Cpu)?.flatten_all()?.to_vec1::<f32>()? {
                hash.update(value.to_le_bytes());
            }
        }
        let kept =
            graph.parameters().into_iter().filter_map(|p| self.weights().get(&p.name).map(|t| (p.name, t.clone())));
        let weights = kept.chain(new.iter().map(|(name, tensor)| ((*name).to_owned(), (*tensor).clone()))).collect();
        let network = Network::new(spec, graph, weights, hex(&hash.finalize()));
        Self::unfolded(network, self.device(), self.dtype())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Network, generated, zoo};

    fn planted_model() -> Model {
        let graph = zoo::graph("planted_resnet", 8).unwrap();
        let weights = generated::weights(&graph).unwrap();
        let spec = zoo::spec("planted_resnet").unwrap();
        Model::new(Network::new(spec, graph, weights, "planted"), &Device::Cpu, DType::F32).unwrap()
    }

    fn values(name: &str, shape: &[usize]) -> Tensor {
        Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu).unwrap()
    }

    fn assert_close(got: &Tensor, want: &Tensor) {
        assert_eq!(got.dims(), want.dims());
        let largest = |x: Tensor| x.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        let (error, all) = (largest((got - want).unwrap()), largest(want.clone()));
        assert!(error < 1e-5 * all, "{error} of {all}");
    }

    #[test]
    fn a_head_of_some_old_rows_gives_the_old_logits() {
        let (model, x) = (planted_model(), values("input", &[2, 3, 64, 64]));
        let [weight, bias] = ["fc.weight", "fc.bias"].map(|name| model.weights()[name].narrow(0, 2, 3).unwrap());
        let probe = model.with_head(&weight, &bias).unwrap();
        assert_close(&probe.forward(&x).unwrap(), &model.forward(&x).unwrap().narrow(1, 2, 3).unwrap());
        assert_close(&probe.features(&x).unwrap(), &model.features(&x).unwrap());
        assert_eq!(probe.spec().classes, 3);
        assert!(!probe.weights().contains_key("fc.weight"));
        assert_eq!(probe.weights_sha256().len(), 64);
        let other = model.with_head(&weight, &(bias + 1.0).unwrap()).unwrap();
        assert_ne!(probe.weights_sha256(), other.weights_sha256());
        // A second head replaces the first.
        let again = probe.with_head(&model.weights()["fc.weight"], &model.weights()["fc.bias"]).unwrap();
        assert_close(&again.forward(&x).unwrap(), &model.forward(&x).unwrap());
    }

    #[test]
    fn texts_are_compared_by_their_angle() {
        let (model, x) = (planted_model(), values("input", &[2, 3, 64, 64]));
        let texts = values("texts", &[5, 8]);
        let unit = |x: &Tensor| x.broadcast_div(&x.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap()).unwrap();
        let embedding = unit(&model.forward(&x).unwrap());
        let want = (embedding.matmul(&unit(&texts).t().unwrap()).unwrap() * 100.0).unwrap();
        let classifier = model.zero_shot(&(texts * 7.0).unwrap(), 100.0).unwrap();
        assert_close(&classifier.forward(&x).unwrap(), &want);
        assert_close(&classifier.features(&x).unwrap(), &embedding);
        assert_eq!(classifier.spec().classes, 5);
    }

    #[test]
    fn heads_of_other_shapes_are_errors() {
        let model = planted_model();
        let error = model.with_head(&values("w", &[3, 95]), &values("b", &[3])).unwrap_err().to_string();
        assert!(error.contains("\"head\" needs a last dimension of 95") && error.contains("96"), "{error}");
        let error = model.with_head(&values("w", &[3, 96]), &values("b", &[4])).unwrap_err().to_string();
        assert!(error.contains("3 classes") && error.contains("[4]"), "{error}");
        assert!(model.zero_shot(&values("t", &[5, 9]), 100.0).is_err());
    }
}
