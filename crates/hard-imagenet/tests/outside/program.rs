//! A program that depends on `hard-imagenet` and brings a dataset, a perturbation, an explainer and a metric of its own.

use hard_imagenet::datasets::{Class, DatasetError, DatasetInfo, Sample};
use hard_imagenet::evaluation::{Event, Phase};
use hard_imagenet::images::{Gray8, Rgb8};
use hard_imagenet::metrics::{Averaging, Better, Contribution, Measure, MetricMeta, Records, Unit};
use hard_imagenet::prelude::*;
use hard_imagenet::report::Report;
use hard_imagenet::saliency::{ExplainError, ExplainRequest, Explanation};
use std::ops::ControlFlow;
use std::path::PathBuf;

/// Disks and squares.
struct Shapes {
    info: DatasetInfo,
    ids: Vec<String>,
}

const SIDE: usize = 64;

impl Shapes {
    fn new(samples: usize) -> Self {
        let class = |name: &str| Class { name: name.into(), wnid: None, imagenet: None };
        let info = DatasetInfo { name: "shapes".into(), classes: vec![class("disk"), class("square")] };
        Self { info, ids: (0..samples).map(|i| format!("shape-{i:04}")).collect() }
    }
}

impl Dataset for Shapes {
    fn info(&self) -> &DatasetInfo {
        &self.info
    }

    fn len(&self) -> usize {
        self.ids.len()
    }

    fn id(&self, i: usize) -> &str {
        &self.ids[i]
    }

    fn class(&self, i: usize) -> usize {
        i % 2
    }

    fn get(&self, i: usize) -> Result<Sample, DatasetError> {
        let radius = 10 + i % 13;
        let (mut image, mut mask) = (vec![90; SIDE * SIDE * 3], vec![0; SIDE * SIDE]);
        for at in 0..SIDE * SIDE {
            let (dy, dx) = ((at / SIDE).abs_diff(SIDE / 2), (at % SIDE).abs_diff(SIDE / 2));
            let inside = if self.class(i) == 0 { dx * dx + dy * dy < radius * radius } else { dx.max(dy) < radius };
            if inside {
                image[3 * at..][..3].copy_from_slice(&[220, 180, 40]);
                mask[at] = 255;
            }
        }
        let image = Rgb8 { height: SIDE, width: SIDE, data: image };
        let mask = Gray8 { height: SIDE, width: SIDE, data: mask };
        Ok(Sample::new(self.ids[i].clone(), image, mask, self.class(i)))
    }
}

/// Inverts the colors of the object.
struct Invert;

impl Perturb for Invert {
    fn id(&self) -> String {
        "invert".into()
    }

    fn apply(&self, image: &Pixels, mask: &Mask, _: NoiseKey) -> Pixels {
        let mut inverted = image.clone();
        let plane = mask.as_slice().len();
        for (at, value) in inverted.as_mut_slice().iter_mut().enumerate() {
            if mask.as_slice()[at % plane] == 1 {
                *value = 1.0 - *value;
            }
        }
        inverted
    }

    fn title(&self) -> String {
        "object inverted".into()
    }

    fn sentence(&self) -> String {
        "The colors of the object are inverted.".into()
    }

    fn keeps_object(&self) -> bool {
        true
    }
}

/// Says that the model looks at the middle.
struct Middle;

impl Explain for Middle {
    fn id(&self) -> String {
        "middle".into()
    }

    fn title(&self) -> String {
        "Middle".into()
    }

    fn explain_request(&self, request: ExplainRequest<'_>) -> Result<Vec<Explanation>, ExplainError> {
        let (images, height, width) = request.image_size()?;
        let near = |at: usize, length: usize| (length / 4..3 * length / 4).contains(&at);
        let value = |at: usize| f32::from(u8::from(near(at / width, height) && near(at % width, width)));
        let map =
            Heatmap::from_vec(height, width, (0..height * width).map(value).collect()).expect("one value per pixel");
        Ok(vec![Explanation { raw: map.clone(), map }; images])
    }
}

/// Measures how often a model is certain.
struct Certain;

static CERTAIN: MetricMeta = MetricMeta {
    id: "certain",
    title: "Certain",
    unit: Unit::Percent,
    range: (0.0, 1.0),
    better: Better::Neither,
    average: Averaging::Sample,
    formula: "predictions of probability above 0.6 / predictions",
    source: "a test",
    description: "Share of predictions with a probability above 0.6.",
};

impl Metric for Certain {
    fn meta(&self) -> &'static MetricMeta {
        &CERTAIN
    }

    fn measure(&self, records: &Records) -> Vec<Measure> {
        Measure::means(records, CERTAIN.range, |cell| Contribution {
            sum: cell.certainty.iter().filter(|(certainty, _)| *certainty > 0.6).count() as f64,
            count: cell.certainty.len() as f64,
        })
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("pass the folder of the run")?);
    std::fs::create_dir_all(&folder)?;
    let weights = folder.join("planted_resnet.safetensors");
    models::generated::write(&zoo::graph("planted_resnet", 2)?, &weights)?;
    let model = zoo::load("planted_resnet", &Weights::File(weights), &Device::Cpu, DType::F32)?;
    let data = Shapes::new(40);
    let evaluation = || {
        let evaluation = Evaluation::new(&data).protocol(Protocol::quick()).preset(Preset::Strict);
        evaluation.perturbation(Invert).explainer(Middle).metric(Certain)
    };

    // Three parts. The first attempt is canceled after one of them, the second resumes.
    let mut canceled = evaluation().progress(|event| match event {
        Event::Progress { phase: Phase::Evaluate, done, .. } if *done > 16 * 7 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    let run = canceled.run(&model, &folder)?;
    assert!(!run.is_complete() && !run.records().is_empty(), "the first attempt was canceled");
    let mut resumed = None;
    let run = evaluation()
        .progress(|event| {
            if let Event::Progress { phase: Phase::Evaluate, resumed: found, .. } = event {
                resumed = Some(*found);
            }
            ControlFlow::Continue(())
        })
        .run(&model, &folder)?;
    assert!(run.is_complete(), "the second attempt is complete");
    assert_eq!(resumed, Some(16 * 7), "the second attempt found the first part");
    assert_eq!(run.records().len(), 40 * 8, "seven images and one further map for each sample");

    let page = Report::new(&[run]).metrics(&[&Certain]).html()?;
    std::fs::write(folder.join("report.html"), page)?;
    Ok(())
}
