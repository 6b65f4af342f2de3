//! An explainer of your own: implement `Explain` and add it to an evaluation.
//!
//! ```sh
//! cargo run --release -p hard-imagenet-examples --bin own-explainer
//! ```
//!
//! It covers one square of the image after the other and shows where the logit of the class drops. Its maps are compared
//! with the masks next to those of GradCAM.
#![allow(clippy::disallowed_macros, reason = "a program prints and reads its arguments")]

use hard_imagenet::candle_core::Tensor;
use hard_imagenet::prelude::*;
use hard_imagenet::report;
use hard_imagenet::saliency::{ExplainError, ExplainRequest, Explanation};

/// Occlusion with squares of this many pixels (Zeiler and Fergus 2014).
struct Occlusion {
    side: usize,
}

impl Explain for Occlusion {
    fn id(&self) -> String {
        format!("occlusion-{}", self.side)
    }

    fn title(&self) -> String {
        "Occlusion".into()
    }

    fn sentence(&self) -> String {
        format!("How much the logit drops when a square of {} pixels is covered.", self.side)
    }

    fn explain_request(&self, mut request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let (rows, columns) = (height / self.side, width / self.side);
        let whole = request.model.forward(request.x)?.to_vec2::<f32>()?;
        let mut drops = vec![Vec::with_capacity(rows * columns); images];
        for cell in 0..rows * columns {
            let covered = self.cover(request.x, cell / columns, cell % columns)?;
            let logits = request.model.forward(&covered)?.to_vec2::<f32>()?;
            for (image, &class) in request.classes.iter().enumerate() {
                drops[image].push(whole[image][class as usize] - logits[image][class as usize]);
            }
            request.report_progress((cell + 1) * images, rows * columns * images)?;
        }
        let explanation = |drops: Vec<f32>| {
            let raw = Heatmap::from_vec(rows, columns, drops).expect("one value for each square");
            Explanation { map: raw.resize(height, width).min_max_scale(), raw }
        };
        Ok(drops.into_iter().map(explanation).collect())
    }
}

impl Occlusion {
    /// Sets one square of every image to 0.
    fn cover(&self, x: &Tensor, row: usize, column: usize) -> Result<Tensor, ExplainError> {
        let (_, _, height, width) = x.dims4()?;
        let inside = |at: usize, start: usize| (start..start + self.side).contains(&at);
        let keep = |at: usize| !(inside(at / width, row * self.side) && inside(at % width, column * self.side));
        let mask: Vec<f32> = (0..height * width).map(|at| f32::from(u8::from(keep(at)))).collect();
        Ok(x.broadcast_mul(&Tensor::from_vec(mask, (1, 1, height, width), x.device())?)?)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = PlantedCues::hard(11, 64, 64);
    let weights = Weights::Folder("crates/cli/demo".into());
    let model = zoo::load("planted_resnet.object", &weights, &Device::Cpu, DType::F32)?;

    let folder = std::env::temp_dir().join("hard-imagenet-own-explainer");
    let mut evaluation =
        Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict).explainer(Occlusion { side: 8 });
    let run = evaluation.run(&model, &folder)?;

    let scores = score(run.records(), &Options::default());
    for (explainer, condition) in [("GradCAM", "none"), ("occlusion", "map:occlusion-8")] {
        let iou = scores.headline("iou", condition).ok_or("no map was scored")?;
        println!("{explainer:10} IoU {:.2} ({:.2} to {:.2})", iou.value, iou.low, iou.high);
    }
    let page = report::html(&[run])?;
    assert!(page.contains("cclusion"), "the page names the explainer");
    std::fs::write(folder.join("report.html"), page)?;
    println!("{}", folder.join("report.html").display());
    Ok(())
}
