//! Compares objectives of finetuning: which of them make a model rely less on the surroundings?
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin finetune-planted            # three objectives, a minute or two
//! cargo run --release -p hard-imagenet-examples --bin finetune-planted -- all     # the table of docs/FINETUNING.md
//! cargo run --release -p hard-imagenet-examples --bin finetune-planted -- erm grad-cam:0.1     # a table of your own
//! ```
//!
//! As in the paper, a new head is trained on existing features. Here these are the features of the demo's two models side by
//! side: one learned scenes, the other learned objects, so a head may rely on either. The head is trained on images whose scene
//! is the class's own nine times out of ten. The benchmark then evaluates it on hard images and on images whose scene always
//! belongs to another class. With `balanced` the head sees only images from both ends of a ranking by spurious features, which
//! masks find.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use candle_core::{DType, Device, Tensor};
use hard_imagenet::datasets::{Dataset, PlantedConfig, PlantedCues, Subset};
use hard_imagenet::evaluation::{Evaluation, Features};
use hard_imagenet::graph::{GraphBuilder, Layout, Node, WeightMap};
use hard_imagenet::metrics::{Options, Record, compare, score};
use hard_imagenet::models::{Model, ModelSpec, Network, Weights, zoo};
use hard_imagenet::perturbations::Preset;
use hard_imagenet::ranking::{Aggregate, FeatureId, MaskCriterion, Ranking, class_importance, top_features};
use hard_imagenet::runs::Protocol;
use hard_imagenet::training::{Groups, Objective, Recipe, Trainer, TrainingEvent, deep_feature_reweighting};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The objectives of the table. `erm-long` takes twice the steps, as `published-saliency` does.
const ALL: [&str; 13] = [
    "erm",
    "erm-long",
    "published-saliency",
    "balanced",
    "background-noise:0.5",
    "core-risk:0.5",
    "object-only",
    "input-gradient:1",
    "input-gradient:10",
    "grad-cam:0.01",
    "group-balanced",
    "group-dro:0.05",
    "reweighting",
];
const FEW: [&str; 3] = ["erm", "balanced", "input-gradient:1"];

/// Seeds and numbers of the images for training and for evaluation.
const SEEDS: (u64, u64) = (31, 32);
const IMAGES: (usize, usize) = (800, 240);

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (words, epochs): (Vec<&str>, usize) = match &given[..] {
        [] => (FEW.into(), 3),
        [one] if one == "all" => (ALL.into(), 15),
        some => (some.iter().map(String::as_str).collect(), 15),
    };
    let data = PlantedCues::new(PlantedConfig::train(0.9), SEEDS.0, IMAGES.0, 64)?;
    let hard = PlantedCues::hard(SEEDS.1, IMAGES.1, 64);
    let foreign = PlantedConfig { name: "foreign".into(), cue: 0.0, ..PlantedConfig::hard() };
    let foreign = PlantedCues::new(foreign, SEEDS.1, IMAGES.1, 64)?;
    let folder = tempfile::tempdir()?;

    // `cargo xtask tables finetuning` copies what stands between the markers into docs/FINETUNING.md.
    println!("<!-- begin: finetuning -->");
    println!("| objective | accuracy | with a foreign scene | drop under `gray-box` | RFS, linf 0.85 | IoU |");
    println!("|:--|:--|:--|:--|:--|:--|");
    let mut erm = None;
    for word in words {
        let finetuned = finetune(word, &data, epochs)?;
        let records = evaluate(&finetuned, &hard, &foreign, &folder.path().join(word.replace(':', "-")))?;
        print_row(word, &records, erm.as_ref())?;
        erm.get_or_insert(records);
    }
    println!("<!-- end: finetuning -->");
    Ok(())
}

/// Returns the two trunks side by side, from one image to 192 features, with a new head.
fn join_trunks() -> Result<Network> {
    let mut g = GraphBuilder::new();
    let input = g.input();
    let mut weights = WeightMap::new();
    let mut maps = Vec::new();
    let mut one = load("cue")?;
    for word in ["cue", "object"] {
        one = load(word)?;
        let last = one.graph.find(&one.spec.cam_node)?;
        let mut places = vec![input];
        for node in &one.graph.nodes()[1..=last.index()] {
            let named = |name: &String| format!("{word}.{name}");
            let inputs = node.inputs.iter().map(|id| places[id.index()]).collect();
            let weights = node.weights.iter().map(named).collect();
            places.push(g.node(Node { name: named(&node.name), inputs, weights, ..node.clone() }));
        }
        maps.push(places[last.index()]);
        weights.extend(one.weights.iter().map(|(name, weight)| (format!("{word}.{name}"), weight.clone())));
    }
    let map = g.concat("maps", &maps, 1);
    g.set_layout(map, Layout::Nchw);
    let features = g.global_average_pool("features", map);
    let logits = g.linear("fc", features, 192, 8, true);
    let graph = g.finish(logits)?;
    weights.insert("fc.weight".into(), Tensor::zeros((8, 192), DType::F32, &Device::Cpu)?);
    weights.insert("fc.bias".into(), Tensor::zeros(8, DType::F32, &Device::Cpu)?);
    let spec = ModelSpec { cam_node: "maps".into(), feature_node: "features".into(), name: "both".into(), ..one.spec };
    Ok(Network::new(spec, graph, weights, one.weights_sha256))
}

fn load(word: &str) -> Result<Network> {
    let weights = Weights::File(format!("crates/cli/demo/planted_resnet.{word}.safetensors").into());
    Ok(zoo::read("planted_resnet", &weights)?)
}

fn finetune(word: &str, data: &PlantedCues, epochs: usize) -> Result<Model> {
    let plain = ["balanced", "reweighting", "erm-long"].contains(&word);
    let objective = Objective::parse(if plain { "erm" } else { word })?;
    let recipe = Recipe { objective, learning_rate: 5e-3, epochs, ..Recipe::default() };
    let silent = |_: &TrainingEvent<'_>| ControlFlow::Continue(());
    let finetuned = match word {
        "balanced" => {
            let subset = balanced_subset(data)?;
            // The subset is smaller, so more epochs make as many steps.
            let epochs = epochs * data.len() / subset.len();
            Trainer::new(join_trunks()?, Recipe { epochs, ..recipe }).train(&subset, silent)?
        }
        "erm-long" => Trainer::new(join_trunks()?, Recipe { epochs: 2 * epochs, ..recipe }).train(data, silent)?,
        "reweighting" => deep_feature_reweighting(&join_trunks()?, &recipe, data, &group_by_scene(data), 5, silent)?,
        _ => Trainer::new(join_trunks()?, recipe).groups(group_by_scene(data)).train(data, silent)?,
    };
    Ok(finetuned.network.into_model(&Device::Cpu, DType::F32)?)
}

/// Groups samples by whether the scene is the class's own.
fn group_by_scene(data: &PlantedCues) -> Groups {
    Groups::new((0..data.len()).map(|i| u32::from(data.has_own_scene(i))).collect())
}

/// Returns the ten images of each class with the strongest cues and the ten with the weakest, in a ranking by the features that
/// masks call spurious.
fn balanced_subset(data: &PlantedCues) -> Result<Subset<&PlantedCues>> {
    let model = load("cue")?.into_model(&Device::Cpu, DType::F32)?;
    let folder = tempfile::tempdir()?;
    let tick = &mut |_, _| ControlFlow::Continue(());
    let bank = Features::new(data, &model, 32)?.extract(folder.path(), tick)?.bank;
    let important =
        |class| class_importance(&bank, class).map_or(Vec::new(), |importance| top_features(&importance, 5));
    let ids: Vec<FeatureId> = (0..8)
        .flat_map(|class| important(class).into_iter().map(move |feature| FeatureId { class, feature }))
        .collect();
    let spurious = MaskCriterion::default().verdicts(&bank, ids);
    let ranking = Ranking::new(&bank, |class| spurious.spurious(class), Aggregate::Sum);
    let ends = ranking.classes.values().flat_map(|ranked| ranked[..10].iter().chain(&ranked[ranked.len() - 10..]));
    let kept: HashSet<&str> = ends.map(|one| one.id.as_str()).collect();
    Ok(Subset::filter(data, |i| kept.contains(data.id(i))))
}

/// Returns the records on hard images and on images whose scene belongs to another class.
fn evaluate(model: &Model, hard: &PlantedCues, foreign: &PlantedCues, folder: &Path) -> Result<[Vec<Record>; 2]> {
    let protocol = "conditions = [\"none\", \"gray-box\"]\ntrials = 2\nexplainers = [\"gradcam\"]\n[noise]\nlinf = [0.85]\nl2 = []\n";
    let run = |data: &PlantedCues, protocol: Protocol| -> Result<Vec<Record>> {
        let folder = folder.join(&data.info().name);
        Ok(Evaluation::new(data).protocol(protocol).preset(Preset::Strict).run(model, folder)?.records().to_vec())
    };
    let clean = Protocol::from_toml("conditions = [\"none\"]\n")?;
    Ok([run(hard, Protocol::from_toml(protocol)?)?, run(foreign, clean)?])
}

/// Prints a row of the table: each score with its interval, and an asterisk where it differs from the first objective's by more
/// than chance (95 %, on the same images).
fn print_row(word: &str, records: &[Vec<Record>; 2], erm: Option<&[Vec<Record>; 2]>) -> Result<()> {
    let mut line = format!("| {word} |");
    for (set, metric, condition) in [
        (0, "accuracy", "none"),
        (1, "accuracy", "none"),
        (0, "drop", "gray-box"),
        (0, "rfs", "noise:linf:0.85"),
        (0, "iou", "none"),
    ] {
        let scores = score(&records[set], &Options::default());
        let estimate = scores.headline(metric, condition).ok_or_else(|| format!("no {metric} under {condition}"))?;
        let differs = erm.and_then(|erm| {
            let comparison = compare(&records[set], &erm[set], &Options::default());
            let effect = comparison.get(metric, condition)?.sample_mean?;
            Some(effect.estimate.low > 0.0 || effect.estimate.high < 0.0)
        });
        let mark = if differs == Some(true) { "*" } else { "" };
        line += &format!(" {:.2} [{:.2}, {:.2}]{mark} |", estimate.value, estimate.low, estimate.high);
    }
    println!("{line}");
    Ok(())
}
