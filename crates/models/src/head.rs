//! Other classes for a trained network.

use crate::checkpoint::hex;
use crate::{Graph, Model, ModelError, ModelSpec};
use candle_core::{DType, Device, Tensor};
use hard_imagenet_graph::{Activation, Binary, GraphBuilder, Layout, Reduction};
use sha2::{Digest, Sha256};

impl Model {
    /// The network with another last layer on its features, a linear probe say: `weight` `(K, D)` and `bias` `(K)`, D
    /// being the length of [`Model::features`].
    ///
    /// The layer is the node "head". [`Model::weights_sha256`] is that of the old hash and the new weights.
    ///
    /// # Errors
    /// Weights of other shapes.
    pub fn with_head(&self, weight: &Tensor, bias: &Tensor) -> Result<Self, ModelError> {
        let (classes, length) = weight.dims2()?;
        if bias.dims() != [classes] {
            let got = bias.dims();
            return Err(ModelError::Input(format!("a head of {classes} classes has as many biases, not {got:?}")));
        }
        let features = self.graph().find(&self.spec().feature_node)?;
        let mut g = GraphBuilder::from_graph(self.graph());
        let x = g.linear("head", features, length, classes, true);
        let spec = ModelSpec { classes, ..self.spec().clone() };
        self.rebuilt(spec, g.finish(x)?, &[("head.weight", weight), ("head.bias", bias)])
    }

    /// A classifier by texts, as CLIP's (Radford et al. 2021): a logit is `scale` times the cosine between the network's
    /// output `(B, D)`, the image's embedding, and the features of a class's text. `texts` is `(K, D)`, a row a class;
    /// the length of a row does not matter. CLIP's own scale is 100. [`ClipText`](crate::ClipText) makes features of
    /// texts.
    ///
    /// The cosines are made by the nodes "zero_shot.*"; the features of the new model are the embeddings, of length 1.
    ///
    /// # Errors
    /// Texts of another shape.
    pub fn zero_shot(&self, texts: &Tensor, scale: f64) -> Result<Self, ModelError> {
        let (classes, length) = texts.dims2()?;
        let graph = compared_with_texts(self.graph(), length, classes)?;
        let spec = self.spec().clone().compared_with_texts(classes);
        self.rebuilt(spec, graph, &[(TEXTS, &(unit(texts)? * scale)?)])
    }

    /// The model of a graph that has this one's weights and some of its own.
    fn rebuilt(&self, spec: ModelSpec, graph: Graph, new: &[(&str, &Tensor)]) -> Result<Self, ModelError> {
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
        Self::unfolded(spec, graph, weights, hex(&hash.finalize()), self.device(), self.dtype())
    }
}

/// The weights that are the features of texts, one a class, of the length of the scale.
pub(crate) const TEXTS: &str = "zero_shot.texts.weight";

/// The graph of an image's embedding, of a given length, with its cosines with texts after it.
pub(crate) fn compared_with_texts(graph: &Graph, length: usize, classes: usize) -> Result<Graph, ModelError> {
    let mut g = GraphBuilder::from_graph(graph);
    let x = graph.output();
    let logits = g.scope("zero_shot", |g| {
        let square = g.activation("square", x, Activation::Power(2.0));
        let sum = g.reduce("sum", square, Reduction::Sum, &[1], true);
        let norm = g.activation("norm", sum, Activation::Sqrt);
        let embedding = g.binary("embedding", Binary::Div, x, norm);
        g.set_layout(embedding, Layout::Vector);
        g.linear("texts", embedding, length, classes, false)
    });
    Ok(g.finish(logits)?)
}

/// Rows of length 1, f32.
pub(crate) fn unit(rows: &Tensor) -> Result<Tensor, ModelError> {
    let rows = rows.to_dtype(DType::F32)?;
    Ok(rows.broadcast_div(&rows.sqr()?.sum_keepdim(1)?.sqrt()?)?)
}

impl ModelSpec {
    /// That of [`compared_with_texts`].
    pub(crate) fn compared_with_texts(self, classes: usize) -> Self {
        Self { classes, feature_node: "zero_shot.embedding".into(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generated, zoo};

    fn planted() -> Model {
        let graph = zoo::graph("planted_resnet", 8).unwrap();
        let weights = generated::weights(&graph).unwrap();
        let spec = zoo::spec("planted_resnet").unwrap();
        Model::new(spec, &graph, &weights, "planted".into(), &Device::Cpu, DType::F32).unwrap()
    }

    fn values(name: &str, shape: &[usize]) -> Tensor {
        Tensor::from_vec(generated::values(name, shape), shape, &Device::Cpu).unwrap()
    }

    fn close(got: &Tensor, want: &Tensor) {
        assert_eq!(got.dims(), want.dims());
        let largest = |x: Tensor| x.abs().unwrap().max_all().unwrap().to_scalar::<f32>().unwrap();
        let (error, all) = (largest((got - want).unwrap()), largest(want.clone()));
        assert!(error < 1e-5 * all, "{error} of {all}");
    }

    #[test]
    fn a_head_of_some_of_the_old_rows_gives_some_of_the_old_logits() {
        let (model, x) = (planted(), values("input", &[2, 3, 64, 64]));
        let [weight, bias] = ["fc.weight", "fc.bias"].map(|name| model.weights()[name].narrow(0, 2, 3).unwrap());
        let probe = model.with_head(&weight, &bias).unwrap();
        close(&probe.forward(&x).unwrap(), &model.forward(&x).unwrap().narrow(1, 2, 3).unwrap());
        close(&probe.features(&x).unwrap(), &model.features(&x).unwrap());
        assert_eq!(probe.spec().classes, 3);
        assert!(!probe.weights().contains_key("fc.weight"));
        assert_eq!(probe.weights_sha256().len(), 64);
        let other = model.with_head(&weight, &(bias + 1.0).unwrap()).unwrap();
        assert_ne!(probe.weights_sha256(), other.weights_sha256());
        // A second head takes the place of the first.
        let again = probe.with_head(&model.weights()["fc.weight"], &model.weights()["fc.bias"]).unwrap();
        close(&again.forward(&x).unwrap(), &model.forward(&x).unwrap());
    }

    #[test]
    fn texts_are_compared_by_angle() {
        let (model, x) = (planted(), values("input", &[2, 3, 64, 64]));
        let texts = values("texts", &[5, 8]);
        let unit = |x: &Tensor| x.broadcast_div(&x.sqr().unwrap().sum_keepdim(1).unwrap().sqrt().unwrap()).unwrap();
        let embedding = unit(&model.forward(&x).unwrap());
        let want = (embedding.matmul(&unit(&texts).t().unwrap()).unwrap() * 100.0).unwrap();
        let classifier = model.zero_shot(&(texts * 7.0).unwrap(), 100.0).unwrap();
        close(&classifier.forward(&x).unwrap(), &want);
        close(&classifier.features(&x).unwrap(), &embedding);
        assert_eq!(classifier.spec().classes, 5);
    }

    #[test]
    fn heads_that_do_not_fit_say_so() {
        let model = planted();
        let error = model.with_head(&values("w", &[3, 95]), &values("b", &[3])).unwrap_err().to_string();
        assert!(error.contains("\"head\" takes a last dimension of 95") && error.contains("96"), "{error}");
        let error = model.with_head(&values("w", &[3, 96]), &values("b", &[4])).unwrap_err().to_string();
        assert!(error.contains("3 classes") && error.contains("[4]"), "{error}");
        assert!(model.zero_shot(&values("t", &[5, 9]), 100.0).is_err());
    }
}
