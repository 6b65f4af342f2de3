//! Finetuning for the right reasons: which objectives make a model lean less on the surroundings?
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin finetune-planted            # three objectives, a minute or two
//! cargo run --release -p hard-imagenet-examples --bin finetune-planted -- all     # the table of docs/FINETUNING.md
//! cargo run --release -p hard-imagenet-examples --bin finetune-planted -- erm grad-cam:0.1     # a table of one's own
//! ```
//!
//! As in the paper, a new head learns on features that are there: those of the demo's two models side by side, of which one
//! learnt scenes and the other objects, so that a head may lean on either. It learns on pictures where the scene is the class's own nine
//! times of ten, and is judged by the benchmark on hard pictures and on pictures whose scene is always another class's. With
//! `balanced` it sees only pictures from both ends of a ranking by spurious features, which are found by masks.
#![allow(clippy::disallowed_macros, clippy::disallowed_methods, reason = "a program prints and reads its arguments")]

use candle_core::{DType, Device, Tensor};
use hard_imagenet::datasets::{Dataset, PlantedConfig, PlantedCues, Subset};
use hard_imagenet::evaluation::{Evaluation, Features};
use hard_imagenet::graph::{GraphBuilder, Layout, Node, WeightMap};
use hard_imagenet::metrics::{Options, Record, compare, score};
use hard_imagenet::models::{Model, ModelSpec, Weights};
use hard_imagenet::perturbations::Preset;
use hard_imagenet::ranking::{Aggregate, FeatureId, MaskCriterion, Ranking, class_importance, top_features};
use hard_imagenet::runs::Protocol;
use hard_imagenet::training::{Groups, Network, Objective, Recipe, Trainer, TrainingEvent, deep_feature_reweighting};
use std::collections::HashSet;
use std::ops::ControlFlow;
use std::path::Path;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// `erm-long` takes twice the steps, as `published-saliency` does.
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

/// Of the pictures to learn from, and of those to judge on.
const SEEDS: (u64, u64) = (31, 32);
const PICTURES: (usize, usize) = (800, 240);

fn main() -> Result<()> {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (words, epochs): (Vec<&str>, usize) = match &given[..] {
        [] => (FEW.into(), 3),
        [one] if one == "all" => (ALL.into(), 15),
        some => (some.iter().map(String::as_str).collect(), 15),
    };
    let data = PlantedCues::new(PlantedConfig::train(0.9), SEEDS.0, PICTURES.0, 64)?;
    let hard = PlantedCues::hard(SEEDS.1, PICTURES.1, 64);
    let foreign = PlantedConfig { name: "foreign".into(), cue: 0.0, ..PlantedConfig::hard() };
    let foreign = PlantedCues::new(foreign, SEEDS.1, PICTURES.1, 64)?;
    let folder = tempfile::tempdir()?;

    println!(
        "| objective | accuracy | foreign scene | gray-box drop | RFS linf 0.85 | IoU |\n|:--|:--|:--|:--|:--|:--|"
    );
    let mut erm = None;
    for word in words {
        let finetuned = finetune(word, &data, epochs)?;
        let records = judge(&finetuned, &hard, &foreign, &folder.path().join(word.replace(':', "-")))?;
        row(word, &records, erm.as_ref())?;
        erm.get_or_insert(records);
    }
    Ok(())
}

/// The two trunks side by side, from one picture to 192 features, and a new head.
fn both() -> Result<Network> {
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
    Ok(Network { spec, graph, weights, weights_sha256: one.weights_sha256, held: one.held })
}

fn load(word: &str) -> Result<Network> {
    let weights = Weights::File(format!("crates/cli/demo/planted_resnet.{word}.safetensors").into());
    Ok(Network::load("planted_resnet", &weights, &Device::Cpu)?)
}

fn finetune(word: &str, data: &PlantedCues, epochs: usize) -> Result<Model> {
    let plain = ["balanced", "reweighting", "erm-long"].contains(&word);
    let objective = Objective::parse(if plain { "erm" } else { word })?;
    let recipe = Recipe { objective, learning_rate: 5e-3, epochs, ..Recipe::default() };
    let silent = |_: TrainingEvent<'_>| ControlFlow::Continue(());
    let finetuned = match word {
        "balanced" => {
            let subset = balanced(data)?;
            // As many steps as the others.
            let epochs = epochs * data.len() / subset.len();
            Trainer::new(both()?, Recipe { epochs, ..recipe }).run(&subset, silent)?
        }
        "erm-long" => Trainer::new(both()?, Recipe { epochs: 2 * epochs, ..recipe }).run(data, silent)?,
        "reweighting" => deep_feature_reweighting(&both()?, &recipe, data, &by_scene(data), 5, silent)?,
        _ => Trainer::new(both()?, recipe).groups(by_scene(data)).run(data, silent)?,
    };
    Ok(finetuned.network.model(&Device::Cpu, DType::F32)?)
}

/// Is the scene the class's own?
fn by_scene(data: &PlantedCues) -> Groups {
    Groups::new((0..data.len()).map(|i| u32::from(data.has_own_scene(i))).collect())
}

/// The ten pictures of each class with the strongest cues and the ten with the weakest, in a ranking by the features that
/// masks call spurious.
fn balanced(data: &PlantedCues) -> Result<Subset<&PlantedCues>> {
    let model = load("cue")?.model(&Device::Cpu, DType::F32)?;
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

/// What the benchmark sees on hard pictures, and on those whose scene is another class's.
fn judge(model: &Model, hard: &PlantedCues, foreign: &PlantedCues, folder: &Path) -> Result<[Vec<Record>; 2]> {
    let protocol = "conditions = [\"none\", \"gray-box\"]\ntrials = 2\nexplainers = [\"gradcam\"]\n[noise]\nlinf = [0.85]\nl2 = []\n";
    let run = |data: &PlantedCues, protocol: Protocol| -> Result<Vec<Record>> {
        let folder = folder.join(&data.info().name);
        Ok(Evaluation::new(data).protocol(protocol).preset(Preset::Strict).run(model, folder)?.records().to_vec())
    };
    let clean = Protocol::from_toml("conditions = [\"none\"]\n")?;
    Ok([run(hard, Protocol::from_toml(protocol)?)?, run(foreign, clean)?])
}

/// A line of the table: each score with its interval, and an asterisk where it differs from the first objective's by more
/// than chance (95 %, the same pictures).
fn row(word: &str, records: &[Vec<Record>; 2], erm: Option<&[Vec<Record>; 2]>) -> Result<()> {
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
