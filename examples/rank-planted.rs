//! Finds out which features of a model are spurious and which images show its cue, by masks alone, where the answer is known.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin rank-planted
//! ```
//!
//! For photographs use `hard-imagenet rank -m MODEL -d hard-imagenet --split train ..`, which also draws a page.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::datasets::PlantedConfig;
use hard_imagenet::evaluation::Features;
use hard_imagenet::prelude::*;
use hard_imagenet::ranking::{
    Aggregate, FeatureBank, FeatureId, MaskCriterion, Ranking, class_importance, rank_classes, spearman, top_features,
};
use std::ops::ControlFlow;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Every scene is the class's own. It fills a share of the image between nothing and everything, and this share is the
    // strength of the cue.
    let graded = PlantedConfig { name: "graded".into(), cue: 1.0, extent: (0.0, 1.0), ..PlantedConfig::hard() };
    let (hard, graded) = (PlantedCues::hard(7, 400, 64), PlantedCues::new(graded, 8, 480, 64)?);
    for name in ["planted_resnet.cue", "planted_resnet.object"] {
        let model = zoo::load(name, &Weights::Folder("crates/cli/demo".into()), &Device::Cpu, DType::F32)?;
        let folder = tempfile::tempdir()?;
        let bank = |data: &PlantedCues| -> Result<FeatureBank, Box<dyn std::error::Error>> {
            let tick = &mut |_, _| ControlFlow::Continue(());
            Ok(Features::new(data, &model, 32)?.extract(&folder.path().join(&data.info().name), tick)?.bank)
        };
        let seen = bank(&hard)?;

        // The five most important features of each class. Where their maps lie decides whether they are spurious.
        let important =
            |class| class_importance(&seen, class).map_or(Vec::new(), |importance| top_features(&importance, 5));
        let ids =
            (0..8).flat_map(|class| important(class).into_iter().map(move |feature| FeatureId { class, feature }));
        let verdicts = MaskCriterion::default().verdicts(&seen, ids.collect::<Vec<_>>());
        let hard_classes = rank_classes(&seen, &verdicts, 5).iter().filter(|class| class.is_hard()).count();
        println!("{name}: in {hard_classes} of 8 classes all five important features look past the object");

        // Other images, ordered by how much more they activate these features than those of any other class.
        let other = bank(&graded)?;
        let ranking = Ranking::new(&other, |class| verdicts.spurious(class), Aggregate::Advantage);
        for (class, ranked) in &ranking.classes {
            let place = |id: &str| other.ids.iter().position(|one| one == id).unwrap_or(0);
            let (scores, strengths): (Vec<f64>, Vec<f64>) = ranked
                .iter()
                .map(|one| (one.score.unwrap_or(0.0), f64::from(graded.cue_strength(place(&one.id)))))
                .unzip();
            let right = |from: usize, to: usize| {
                let own = ranked[from..to].iter().map(|one| place(&one.id));
                own.filter(|&row| other.predictions[row] == other.labels[row]).count() as f64 / (to - from) as f64
            };
            let third = ranked.len() / 3;
            println!(
                "  {class:9} correlation of this order with the strength of the cue: ρ {:.2}; accuracy in the first third {:.2}, in the last {:.2}",
                spearman(&scores, &strengths).unwrap_or(f64::NAN),
                right(0, third),
                right(ranked.len() - third, ranked.len())
            );
        }
    }
    Ok(())
}
