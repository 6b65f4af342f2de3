//! The models by name.

mod fit;

use crate::families::{Row, rows};
use crate::loading::Weights;
use crate::model_name::{matches, nearest, without_tag};
use crate::{Graph, Model, ModelError, ModelSpec, Network};
use candle_core::{DType, Device};

/// Builds the named model and loads its weights. The size of its head follows from the weights.
///
/// A name without tag means the first model of that name. The preprocessing is the zoo's, except for what timm's
/// `config.json` beside the weights states. Batch norms are folded ([`Model::new`]). A file that also contains the
/// features of texts ([`zero_shot::weights`](crate::zero_shot::weights)) makes a classifier that compares images with
/// these texts.
///
/// All names of the weights may have a prefix, which is found and removed. Tensors of losses, metrics and copies of the
/// network are left. [`Network::findings`] tells both.
///
/// # Errors
/// Returns [`ModelError`] for an unknown name (with the nearest known ones), an unreadable file, missing, extra or
/// misshapen tensors, a file that has the weights several times, a `config.json` of another model, or a device that fails.
pub fn load(name: &str, weights: &Weights, device: &Device, dtype: DType) -> Result<Model, ModelError> {
    Model::new(read(name, weights)?, device, dtype)
}

/// Reads what [`load`] makes a model of: graph, weights (f32, on the CPU) and description, with batch norms as nodes of
/// their own.
///
/// # Errors
/// Fails like [`load`].
pub fn read(name: &str, weights: &Weights) -> Result<Network, ModelError> {
    let (table, graph, mut spec) = fit::fit(row(name)?, weights)?;
    if let Some(config) = table.config()? {
        config.apply(&mut spec)?;
    }
    let (weights, weights_sha256) = table.values(&graph)?;
    let weights_origin = table.origin().map(str::to_owned);
    let findings = table.findings().to_vec();
    Ok(Network { weights_origin, findings, ..Network::new(spec, graph, weights, weights_sha256) })
}

/// Returns all names that match a pattern with `*` wildcards, in the order of the zoo. A pattern without wildcards also
/// matches all names that equal it without their tag.
pub fn find(pattern: &str) -> Vec<&'static str> {
    rows().map(|row| row.name).filter(|name| matches(pattern, name) || without_tag(name) == pattern).collect()
}

/// Returns the description of a model before its weights are known, with the usual number of classes.
///
/// # Errors
/// Returns [`ModelError::UnknownModel`].
pub fn spec(name: &str) -> Result<ModelSpec, ModelError> {
    let row = row(name)?;
    Ok(row.spec(row.classes))
}

/// Returns the graph of a model with a head of `classes` logits and with batch norms as nodes of their own.
///
/// # Errors
/// Returns [`ModelError::UnknownModel`].
pub fn graph(name: &str, classes: usize) -> Result<Graph, ModelError> {
    Ok(row(name)?.architecture.graph(classes)?)
}

fn row(name: &str) -> Result<&'static Row, ModelError> {
    let exact = rows().find(|row| row.name == name);
    exact.or_else(|| rows().find(|row| without_tag(row.name) == name)).ok_or_else(|| ModelError::UnknownModel {
        name: name.to_owned(),
        near: nearest(name, rows().map(|row| row.name)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_select_names() {
        assert_eq!(find("resnet34"), ["resnet34.tv_in1k", "resnet34.a1_in1k"]);
        assert_eq!(find("deit_small_p*"), ["deit_small_patch16_224.fb_in1k"]);
        assert_eq!(find("resnet18.tv_in1k"), ["resnet18.tv_in1k"]);
        assert_eq!(find("*").len(), rows().count());
        assert!(find("nothing*").is_empty());
    }

    #[test]
    fn a_name_without_tag_means_the_first_row() {
        assert_eq!(spec("resnet50").unwrap().name, "resnet50.tv_in1k");
        assert_eq!(spec("deit_small_patch16_224").unwrap().name, "deit_small_patch16_224.fb_in1k");
    }

    #[test]
    fn errors_list_the_nearest_names() {
        let error = spec("resnet5O").unwrap_err().to_string();
        assert!(error.contains("no model \"resnet5O\"") && error.contains("resnet50.tv_in1k"), "{error}");
        let error = spec("diet_small_patch16_224").unwrap_err().to_string();
        assert!(error.contains("deit_small_patch16_224.fb_in1k"), "{error}");
    }

    /// Compares the number of parameters and the multiply-adds at the model's own input size.
    fn check_size(name: &str, parameters: usize, giga_multiply_adds: f64) {
        let (height, width) = spec(name).unwrap().preprocess.input;
        let graph = graph(name, 1000).unwrap();
        let learned = graph.parameters().into_iter().filter(|p| !p.name.contains("running"));
        assert_eq!(learned.map(|p| p.shape.iter().product::<usize>()).sum::<usize>(), parameters, "{name}");
        let work = graph.multiply_adds(&[1, 3, height, width]).unwrap() as f64 / 1e9;
        assert!((work - giga_multiply_adds).abs() < 0.01 * giga_multiply_adds, "{name}: {work}");
    }

    #[test]
    fn sizes_equal_those_of_torchvision_and_timm() {
        check_size("resnet18", 11_689_512, 1.814);
        check_size("resnet34", 21_797_672, 3.664);
        check_size("resnet50", 25_557_032, 4.089);
        check_size("resnet101", 44_549_160, 7.801);
        check_size("resnet152", 60_192_808, 11.514);
        check_size("wide_resnet50_2", 68_883_240, 11.401);
        check_size("resnext50_32x4d", 25_028_904, 4.230);
        check_size("vgg16", 138_357_544, 15.470);
        check_size("vgg16_bn", 138_365_992, 15.470);
        check_size("densenet121", 7_978_856, 2.834);
        check_size("densenet161", 28_681_000, 7.728);
        check_size("convnext_tiny", 28_589_128, 4.456);
        check_size("convnext_small", 50_223_688, 8.684);
        check_size("convnext_base", 88_591_464, 15.355);
        check_size("efficientnet_b0", 5_288_548, 0.3858);
        check_size("efficientnet_b1", 7_794_184, 0.7433);
        check_size("efficientnet_b2", 9_109_994, 1.0875);
        check_size("efficientnet_b3", 12_233_232, 1.9612);
        check_size("efficientnet_b4", 19_341_616, 4.4095);
        check_size("mobilenetv3_small_100", 2_542_856, 0.0565);
        check_size("mobilenetv3_large_100", 5_483_032, 0.2166);
        check_size("mobilenetv4_conv_small", 3_774_024, 0.1860);
        check_size("mobilenetv4_conv_medium", 9_715_512, 1.0802);
        check_size("mobilenetv4_conv_large", 32_590_864, 6.3762);
        check_size("deit_tiny_patch16_224", 5_717_416, 1.254);
        check_size("deit_small_patch16_224", 22_050_664, 4.599);
        check_size("vit_base_patch16_224", 86_567_656, 17.564);
        // `tests/golden/make_transformers.py --sizes` prints the following.
        check_size("vit_base_patch32_224", 88_224_232, 4.409);
        check_size("vit_base_patch16_384", 86_859_496, 55.484);
        check_size("deit_small_distilled_patch16_224", 22_436_432, 4.624);
        check_size("vit_small_patch14_dinov2", 22_441_192, 46.697);
        check_size("vit_small_patch14_reg4_dinov2", 22_442_344, 46.883);
        check_size("vit_base_patch16_clip_224", 86_568_424, 17.564);
        check_size("swin_tiny_patch4_window7_224", 28_288_354, 4.491);
        check_size("swin_small_patch4_window7_224", 49_606_258, 8.741);
        check_size("swin_base_patch4_window7_224", 87_768_224, 15.431);
        check_size("convit_tiny", 5_710_512, 1.252);
        check_size("convit_small", 27_777_322, 5.747);
        check_size("convit_base", 86_540_040, 17.505);
    }

    #[test]
    fn clip_image_towers_have_the_size_of_timms() {
        let graph = graph("resnet50_clip", 1024).unwrap();
        let learned = graph.parameters().into_iter().filter(|p| !p.name.contains("running"));
        assert_eq!(learned.map(|p| p.shape.iter().product::<usize>()).sum::<usize>(), 38_316_896);
    }

    #[test]
    fn specs_name_existing_nodes() {
        for row in rows() {
            let (spec, graph) = (row.spec(row.classes), row.architecture.graph(row.classes).unwrap());
            graph.find(&spec.cam_node).unwrap();
            graph.find(&spec.feature_node).unwrap();
            let (h, w) = spec.preprocess.input;
            let shapes = graph.shapes(&[2, 3, h, w]).unwrap();
            assert_eq!(shapes[graph.output().index()], [2, row.classes], "{}", row.name);
        }
    }
}
