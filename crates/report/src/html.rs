use crate::RunInput;
use crate::figures;
use crate::page::Page;
use crate::reading::{Signals, evidence, verdict};
use crate::write::{self, escape};
use std::fmt::Write;

mod classes;
mod gallery;
mod headline;
mod maps;
mod method;
mod runs;

/// One HTML file that says everything about the runs and works without a network.
///
/// Style, figures (SVG) and pictures (data URIs) are inside; there is no script and no request. It follows the
/// reader's light or dark theme and prints. Several runs stand side by side, models by datasets.
pub fn html(runs: &[RunInput]) -> String {
    let page = Page::new(runs);
    let title = match runs {
        [] => "no runs".to_owned(),
        _ => format!("{} on {}", names(&page.models, "models"), names(&page.datasets, "datasets")),
    };
    let mut out = opening(
        &title,
        "Does the model see the object, or what usually surrounds it? The object is taken away, noise is put on it or \
         around it, and the model’s saliency is compared with the object’s mask.",
        "",
    );
    if runs.is_empty() {
        out.push_str(
            "<p class=\"note\">There is nothing to report: no run was given.</p>\n</main>\n</body>\n</html>\n",
        );
        return out;
    }
    runs::warnings(&mut out, &page);
    let ablation = page.ablation.as_deref().map_or("ablation".to_owned(), write::condition);
    let mut number = 0;
    let mut figure = |out: &mut String, svg: Option<String>, caption: &str| {
        let Some(svg) = svg else { return };
        number += 1;
        let _ = writeln!(out, "<figure>\n{svg}<figcaption><b>Figure {number}.</b> {caption}</figcaption>\n</figure>");
    };
    let level = runs[0].scores.options.confidence * 100.0;
    let bars = format!("{level} % intervals");
    let wrong = page.runs.iter().any(|run| Signals::of(&page, run).wrong().is_some());
    figure(
        &mut out,
        figures::glance(&page),
        &format!(
            "Three measures, one direction: the further right, the more the run depends on the object. Left, the share of \
             the clean accuracy that is lost when the object is gone ({}). Lines are {bars}.{}",
            escape(&ablation),
            if wrong { " Pale: wrong on most unchanged images, so there is little to tell." } else { "" }
        ),
    );
    readings(&mut out, &page);
    headline::table(&mut out, &page);

    let ablations = figures::ablations(&page);
    if ablations.is_some() {
        out.push_str("<h2>Taking the object away</h2>\n");
    }
    figure(
        &mut out,
        ablations,
        &format!(
            "Accuracy on unchanged images (dark) and without the object. Bars that stay long without the object were not \
             earned by seeing it. Thin lines are {bars}."
        ),
    );
    let mixtures = figures::mixtures(&page);
    if mixtures.is_some() {
        out.push_str("<h2>The object disturbed, or before another background</h2>\n");
    }
    figure(
        &mut out,
        mixtures,
        &format!(
            "Accuracy on unchanged images (dark) and on images that still hold the object. What is lost before the \
             background of another class, and not before another one of its own class, was owed to the background. Thin \
             lines are {bars}."
        ),
    );
    let (sensitivity, noise) = (figures::sensitivity(&page), figures::noise(&page));
    if sensitivity.is_some() || noise.is_some() {
        out.push_str("<h2>Noise on the object, noise around it</h2>\n");
    }
    figure(
        &mut out,
        sensitivity,
        &format!("Relative foreground sensitivity over the strength σ of the noise. Bands are {bars}."),
    );
    let folded = noise.is_some() && page.runs.len() > OPEN;
    if folded {
        out.push_str("<details><summary>Accuracy under noise, run by run</summary>\n");
    }
    figure(
        &mut out,
        noise,
        &format!(
            "Accuracy (%, mean over classes) over the strength of the noise; strength 0 is the unchanged image. The lower \
             line is what the run depends on more. Bands are {bars}."
        ),
    );
    if folded {
        out.push_str("</details>\n");
    }
    let (iou, density) = (figures::violins(&page, "iou"), figures::violins(&page, "delta-density"));
    if iou.is_some() || density.is_some() {
        out.push_str("<h2>Where the model looks</h2>\n");
    }
    let violins = "Each violin ends at its smallest and largest value; the dot is the median, given at the right, the line \
                   spans half of the images.";
    figure(&mut out, iou, &format!("Overlap (IoU) of the saliency map and the object, image by image. {violins}"));
    figure(
        &mut out,
        density,
        &format!(
            "Delta saliency density, image by image: above 0 the map is brighter on the object than off it. {violins}"
        ),
    );
    maps::table(&mut out, &page);

    let strata = figures::strata(&page);
    if strata.is_some() {
        out.push_str("<h2>Small objects, objects at the edge</h2>\n");
    }
    figure(
        &mut out,
        strata,
        &format!(
            "The samples divided by what they are like, lowest values to the left; in quarters, pieces of the object by \
             number. Lines are runs{}; whiskers are {bars}.",
            match page.datasets.len() {
                0 | 1 => "",
                _ =>
                    ", dashed on all datasets but the first, whose ranges are written below and differ from the others’",
            }
        ),
    );

    classes::tables(&mut out, &page);
    gallery::gallery(&mut out, &page);
    runs::facts(&mut out, &page);
    method::section(&mut out, &page);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// A page up to its first paragraph, which stands for what it is about; `style` is added to the common one.
pub(crate) fn opening(title: &str, lede: &str, style: &str) -> String {
    let title = escape(title);
    let mut out = String::with_capacity(1 << 18);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n\
         <title>Hard ImageNet: {title}</title>\n<style>\n{}{style}</style>\n</head>\n<body>\n<main>\n\
         <header>\n<p class=\"kicker\">Hard ImageNet</p>\n<h1>{title}</h1>\n<p class=\"lede\">{lede}</p>\n</header>\n",
        include_str!("html/style.css")
    );
    out
}

/// "a, b and c", or "10 models" where the names would be too many.
fn names(names: &[String], what: &str) -> String {
    match names {
        [name] => name.clone(),
        [first @ .., last] if names.len() <= 3 => format!("{} and {last}", first.join(", ")),
        _ => format!("{} {what}", names.len()),
    }
}

/// Readings that stand open; more are folded.
const OPEN: usize = 6;

/// What the numbers say, in words, a paragraph for each run.
fn readings(out: &mut String, page: &Page) {
    let folded = page.runs.len() > OPEN;
    if folded {
        out.push_str("<details><summary>What the numbers say, run by run</summary>\n");
    }
    out.push_str("<section class=\"readings\">\n");
    for run in &page.runs {
        let _ = writeln!(
            out,
            "<p><span class=\"key m{}\"></span><b>{}</b> {}. <span class=\"evidence\">{}</span></p>",
            run.model % 8,
            escape(&page.title(run)),
            escape(verdict(&Signals::of(page, run))),
            escape(&evidence(page, run))
        );
    }
    let level = page.runs[0].scores().options.confidence * 100.0;
    let _ = writeln!(
        out,
        "<p class=\"note\">In parentheses: {level} % intervals. A measure takes a side only if its whole interval lies \
         there.</p>\n</section>"
    );
    if folded {
        out.push_str("</details>\n");
    }
}
