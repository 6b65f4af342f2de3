use crate::page::Page;
use crate::write::escape;
use hard_imagenet_metrics::metrics;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What the conditions do to an image, by the beginning of their words.
const CONDITIONS: &[(&str, &str, &str)] = &[
    ("none", "unchanged", "The image as the model gets it."),
    ("gray", "object gray", "Every pixel of the object is painted mid-gray; the outline stays visible."),
    (
        "gray-box",
        "box gray",
        "The box around the object is painted mid-gray; the outline is gone, the place and size are not.",
    ),
    ("tile", "tiled over", "Each piece of the object is covered with a neighbouring piece of the background."),
    (
        "average",
        "averaged",
        "The box of each piece of the object, or the piece, in the mean colour of what is beside it.",
    ),
    ("mean", "object in mean colour", "The mean colour of all that is not object."),
    ("imagenet-mean", "object in ImageNet’s mean", "The colour that normalisation turns into 0."),
    ("noise-fill", "object all noise", "Gaussian noise instead of the object."),
    ("no-fg", "object black", "As in ImageNet-9: the outline stays visible."),
    ("only-bg-b", "box black", "As in ImageNet-9: the box around the object is black."),
    (
        "only-bg-t",
        "box covered from beside",
        "As in ImageNet-9: the box around the object is covered with the largest strip of the image beside it.",
    ),
    ("blur", "object blurred", "A Gaussian blur by so many pixels, shown through the mask: shape and colours stay."),
    ("shuffle", "object shuffled", "Pixels, or square cells, of the object change places at random."),
    ("only-fg", "all else black", "As in ImageNet-9: only the object is left."),
    ("gray-bg", "all else gray", "The same with mid-gray."),
    (
        "mixed",
        "background of ..",
        "As in ImageNet-9: the object before another image whose own object was covered from beside; of the same class, \
         of any other class, or of the next one.",
    ),
    (
        "noise",
        "noise",
        "Gaussian noise is added inside the mask (on the object) or outside it (around it). ℓ∞: every pixel gets noise \
      of standard deviation σ. ℓ2: the noise as a whole is scaled to length σ. Foreground and background share one noise \
      pattern for each image and trial.",
    ),
];

/// Is the condition one of those that a word stands for? `blur:8` of `blur`, `mixed-same` of `mixed`.
fn stands_for(word: &str, condition: &str) -> bool {
    let rest = condition.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':') || word == "mixed")
}

/// What each number means, how its interval is made, and what the preset says.
pub(super) fn section(out: &mut String, page: &Page) {
    out.push_str("<h2>Method</h2>\n<h3>Conditions</h3>\n<dl class=\"method\">\n");
    let asked = |word: &str| page.runs.iter().any(|r| r.scores().conditions.iter().any(|c| stands_for(word, c)));
    for (_, name, text) in CONDITIONS.iter().filter(|(word, ..)| asked(word)) {
        let _ = writeln!(out, "<dt>{}</dt><dd>{}</dd>", escape(name), escape(text));
    }
    out.push_str("</dl>\n<h3>Measures</h3>\n<dl class=\"method\">\n");
    for metric in metrics() {
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
         2022. ImageNet-9: K. Xiao, L. Engstrom, A. Ilyas, A. Madry: Noise or Signal: The Role of Image Backgrounds in Object \
         Recognition. ICLR 2021.</p>\n",
    );
}
