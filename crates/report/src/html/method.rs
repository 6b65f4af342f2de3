use crate::page::Page;
use crate::write::escape;
use hard_imagenet_metrics::METRICS;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What each condition does to an image.
const CONDITIONS: &[(&str, &str)] = &[
    ("unchanged", "The image as the model gets it."),
    ("object gray", "Every pixel of the object is painted mid-gray; the outline stays visible."),
    ("box gray", "The box around the object is painted mid-gray; the outline is gone, the place and size are not."),
    ("tiled over", "Each piece of the object is covered with a neighbouring piece of the background."),
    (
        "noise",
        "Gaussian noise is added inside the mask (on the object) or outside it (around it). ℓ∞: every pixel gets noise \
      of standard deviation σ. ℓ2: the noise as a whole is scaled to length σ. Foreground and background share one noise \
      pattern for each image and trial.",
    ),
];

/// What each number means, how its interval is made, and what the preset says.
pub(super) fn section(out: &mut String, page: &Page) {
    out.push_str("<h2>Method</h2>\n<h3>Conditions</h3>\n<dl class=\"method\">\n");
    for (name, text) in CONDITIONS {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(text));
    }
    out.push_str("</dl>\n<h3>Measures</h3>\n<dl class=\"method\">\n");
    for metric in METRICS {
        let meta = metric.meta();
        if page.runs.iter().all(|r| r.scores().all(meta.id).is_empty()) {
            continue;
        }
        let _ = writeln!(
            out,
            "<dt>{}</dt><dd>{}<span class=\"formula\">{}</span><cite>{}</cite></dd>",
            escape(meta.title),
            escape(meta.description),
            escape(meta.formula),
            escape(meta.source)
        );
    }
    let options = page.runs[0].scores().options;
    let _ = write!(
        out,
        "</dl>\n<h3>Intervals</h3>\n<p>All intervals are meant to cover {} %. A plain share of images has Wilson’s interval. \
         Everything else has the percentile interval of {} bootstrap replicates over images, drawn class by class with a \
         fixed seed; an image is drawn with all its conditions and trials, so that paired numbers stay paired. Where all \
         images agree and no replicate differs, the interval reaches as far as the rule of three: n images that agree \
         may miss up to about 3/n of all. Intervals say how far another draw of images might move a number; they say \
         nothing about another training run of the model.</p>\n",
        options.confidence * 100.0,
        options.resamples
    );
    out.push_str(
        "<h3>Reading</h3>\n<p>No single measure decides what a model leans on. A model can keep its accuracy without \
         the object because a grayed outline still shows its shape; saliency maps are rough; and relative foreground \
         sensitivity says little where both accuracies are close to 0 or 1. The sentences at the top name a side only \
         where the measures agree.</p>\n",
    );
    let presets: BTreeSet<&str> = page.runs.iter().map(|r| r.input.preset.as_str()).collect();
    out.push_str("<h3>Preset</h3>\n<dl class=\"method\">\n");
    for preset in presets {
        let text = match preset {
            "paper" => {
                "Repeats the published code with its quirks (mask threshold, box edges, tile rule, saliency of the \
                        image before normalisation, and others), so that numbers compare with the paper’s."
            }
            "strict" => {
                "Does what the method says: masks at half, inclusive boxes, corrected tiles, saliency of the \
                         normalised image, the model’s own preprocessing."
            }
            _ => "Not one of the two presets of this program.",
        };
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(preset), escape(text));
    }
    out.push_str(
        "</dl>\n<p class=\"note\">M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong \
         Spurious Cues. NeurIPS 2022, Datasets and Benchmarks. M. Moayeri, P. Pope, Y. Balaji, S. Feizi: A Comprehensive \
         Study of Image Classification Model Sensitivity to Foregrounds, Backgrounds, and Visual Attributes. CVPR \
         2022.</p>\n",
    );
}
