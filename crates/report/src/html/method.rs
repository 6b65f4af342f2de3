use crate::page::Page;
use crate::write::escape;
use hard_imagenet_metrics::{MetricDescription, metrics};
use hard_imagenet_runs::Explanation;
use std::collections::BTreeSet;
use std::fmt::Write;

/// Explains the conditions, the measures, the intervals and the preset.
pub(super) fn section(out: &mut String, page: &Page) {
    out.push_str("<h2>Method</h2>\n<h3>Conditions</h3>\n<dl class=\"method\">\n");
    let ids = page.runs.iter().flat_map(|run| run.scores().conditions.iter().map(String::as_str));
    for Explanation { name, sentence } in page.words().explanations(ids) {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(&name), escape(&sentence));
    }
    out.push_str("</dl>\n<h3>Measures</h3>\n<dl class=\"method\">\n");
    let built_in = metrics().map(|metric| MetricDescription::from(metric.meta()));
    for metric in built_in.chain(page.further_metrics().into_iter().cloned()) {
        if page.runs.iter().all(|run| run.scores().all(&metric.id).is_empty()) {
            continue;
        }
        let _ = writeln!(
            out,
            "<dt>{}</dt><dd>{}<span class=\"formula\">{}</span><cite>{}</cite></dd>",
            escape(&metric.title),
            escape(&metric.description),
            escape(&metric.formula),
            escape(&metric.source)
        );
    }
    let options = page.runs[0].scores().options;
    let _ = write!(
        out,
        "</dl>\n<h3>Intervals</h3>\n<p>All intervals have a nominal coverage of {} %. A proportion of images has Wilson’s interval. \
         Everything else has the percentile interval of {} bootstrap replicates over images, drawn class by class with a \
         fixed seed. An image is drawn with all its conditions and trials, so that paired numbers stay paired. If all \
         images agree and no replicate differs, the interval follows the rule of three: n images that agree may miss up \
         to about 3/n of the population. Intervals show how much a number would vary with another sample of images. They \
         do not show how much it would vary with another training run of the model.</p>\n",
        options.confidence * 100.0,
        options.resamples
    );
    out.push_str(
        "<h3>Reading</h3>\n<p>No single measure decides what a model leans on. A model can keep its accuracy without \
         the object because a gray silhouette still shows the shape. Saliency maps are coarse. Relative foreground \
         sensitivity says little if both accuracies are close to 0 or 1. The sentences at the top name a side only if the \
         measures agree.</p>\n",
    );
    let presets: BTreeSet<&str> = page.runs.iter().map(|r| r.description().preset.as_str()).collect();
    out.push_str("<h3>Preset</h3>\n<dl class=\"method\">\n");
    for preset in presets {
        let text = match preset {
            "paper" => {
                "Reproduces the published code with its quirks (mask threshold, box edges, tile rule, saliency of the \
                        image before normalization, and others), so that numbers are comparable with the paper’s."
            }
            "strict" => {
                "Follows the method as described: masks thresholded at half, inclusive boxes, corrected tiles, saliency of \
                         the normalized image, the model’s own preprocessing."
            }
            _ => "A mixture of the two presets, or a preset of another program.",
        };
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(preset), escape(text));
    }
    out.push_str(
        "</dl>\n<p class=\"note\">M. Moayeri, S. Singla, S. Feizi: Hard ImageNet: Segmentations for Objects with Strong \
         Spurious Cues. NeurIPS 2022, Datasets and Benchmarks. M. Moayeri, P. Pope, Y. Balaji, S. Feizi: A Comprehensive \
         Study of Image Classification Model Sensitivity to Foregrounds, Backgrounds, and Visual Attributes. CVPR \
         2022. ImageNet-9: K. Xiao, L. Engstrom, A. Ilyas, A. Madry: Noise or Signal: The Role of Image Backgrounds in Object \
         Recognition. ICLR 2021.</p>\n",
    );
}
