use crate::figures;
use crate::page::Page;
use crate::reading::{Signals, evidence, verdict};
use crate::write::escape;
use hard_imagenet_runs::Result;
use std::fmt::Write;

mod classes;
mod gallery;
mod headline;
mod maps;
mod method;
mod runs;

/// Writes one HTML file with everything about the runs; it works without a network.
pub(crate) fn render(page: &Page) -> Result<String> {
    let title = match page.runs.as_slice() {
        [] => "no runs".to_owned(),
        _ => format!("{} on {}", names(&page.models, "models"), names(&page.datasets, "datasets")),
    };
    let mut out = opening(
        &title,
        "Does the model see the object, or what usually surrounds it? The object is removed, noise is added to it or to \
         its surroundings, and the model’s saliency is compared with the object’s mask.",
        "",
    );
    if page.runs.is_empty() {
        out.push_str(
            "<p class=\"note\">There is nothing to report: no run was given.</p>\n</main>\n</body>\n</html>\n",
        );
        return Ok(out);
    }
    runs::warnings(&mut out, page);
    let mut figures = Figures::new(page);
    glance(&mut out, page, &mut figures);
    readings(&mut out, page);
    headline::table(&mut out, page);
    ablations(&mut out, page, &mut figures);
    noise(&mut out, page, &mut figures);
    saliency(&mut out, page, &mut figures);
    further(&mut out, page, &mut figures);
    strata(&mut out, page, &mut figures);
    classes::tables(&mut out, page);
    gallery::gallery(&mut out, page)?;
    runs::facts(&mut out, page);
    method::section(&mut out, page);
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

/// Numbers the figures of a page.
struct Figures {
    number: usize,
    /// What whiskers and bands are: "95 % intervals".
    bars: String,
}

impl Figures {
    fn new(page: &Page) -> Self {
        let level = page.runs[0].scores().options.confidence * 100.0;
        Self { number: 0, bars: format!("{level} % intervals") }
    }

    fn add(&mut self, out: &mut String, svg: Option<String>, caption: &str) {
        let Some(svg) = svg else { return };
        self.number += 1;
        let number = self.number;
        let _ = writeln!(out, "<figure>\n{svg}<figcaption><b>Figure {number}.</b> {caption}</figcaption>\n</figure>");
    }
}

/// Writes three measures of all runs.
fn glance(out: &mut String, page: &Page, figures: &mut Figures) {
    let ablation = page.ablation.as_deref().map_or("ablation".to_owned(), |id| page.condition(id));
    let wrong = page.runs.iter().any(|run| Signals::of(page, run).wrong().is_some());
    let caption = format!(
        "Three measures with one direction: the further to the right, the more the run depends on the object. Left, the \
         share of the clean accuracy that is lost without the object ({}). Lines are {}.{}",
        escape(&ablation),
        figures.bars,
        if wrong { " Pale: wrong on most unchanged images, so the measures say little." } else { "" }
    );
    figures.add(out, figures::glance(page), &caption);
}

/// Writes accuracy without the object, and with the object disturbed.
fn ablations(out: &mut String, page: &Page, figures: &mut Figures) {
    let ablations = figures::ablations(page);
    if ablations.is_some() {
        out.push_str("<h2>Removing the object</h2>\n");
    }
    let caption = format!(
        "Accuracy on unchanged images (dark) and without the object. A bar that stays long without the object was not \
         earned by seeing it. Thin lines are {}.",
        figures.bars
    );
    figures.add(out, ablations, &caption);
    let mixtures = figures::mixtures(page);
    if mixtures.is_some() {
        out.push_str("<h2>Disturbing the object or replacing its background</h2>\n");
    }
    let caption = format!(
        "Accuracy on unchanged images (dark) and on images that still contain the object. Accuracy that is lost in front \
         of a background of another class, but not in front of another background of the same class, came from the \
         background. Thin lines are {}.",
        figures.bars
    );
    figures.add(out, mixtures, &caption);
}

/// Writes the sensitivity to noise in both regions.
fn noise(out: &mut String, page: &Page, figures: &mut Figures) {
    let (sensitivity, noise) = (figures::sensitivity(page), figures::noise(page));
    if sensitivity.is_some() || noise.is_some() {
        out.push_str("<h2>Noise on the object and around it</h2>\n");
    }
    let caption =
        format!("Relative foreground sensitivity over the strength σ of the noise. Bands are {}.", figures.bars);
    figures.add(out, sensitivity, &caption);
    let folded = noise.is_some() && page.runs.len() > OPEN;
    if folded {
        out.push_str("<details><summary>Accuracy under noise, run by run</summary>\n");
    }
    let caption = format!(
        "Accuracy (%, mean over classes) over the strength of the noise. Strength 0 is the unchanged image. The lower line \
         shows the region that the run depends on more. Bands are {}.",
        figures.bars
    );
    figures.add(out, noise, &caption);
    if folded {
        out.push_str("</details>\n");
    }
}

/// Writes how saliency maps agree with masks.
fn saliency(out: &mut String, page: &Page, figures: &mut Figures) {
    let (iou, density) = (figures::violins(page, "iou"), figures::violins(page, "delta-density"));
    if iou.is_some() || density.is_some() {
        out.push_str("<h2>Where the model looks</h2>\n");
    }
    let violins = "Each violin ends at the smallest and the largest value. The dot is the median, which is also printed at \
                   the right; the line spans half of the images.";
    figures.add(out, iou, &format!("Overlap (IoU) of the saliency map and the object for each image. {violins}"));
    figures.add(
        out,
        density,
        &format!(
            "Delta saliency density for each image. Above 0, the map is brighter on the object than off it. {violins}"
        ),
    );
    maps::table(out, page);
}

/// Writes the metrics that are not built in.
fn further(out: &mut String, page: &Page, figures: &mut Figures) {
    let metrics = page.further_metrics();
    let drawn: Vec<_> = metrics.into_iter().filter_map(|m| Some((m, figures::measure(page, m)?))).collect();
    if !drawn.is_empty() {
        out.push_str("<h2>Further measures</h2>\n");
    }
    for (metric, svg) in drawn {
        let (title, description) = (escape(&metric.title), escape(&metric.description));
        let caption = format!("{title}. {description} Thin lines are {}.", figures.bars);
        figures.add(out, Some(svg), &caption);
    }
}

/// Writes scores by properties of the samples.
fn strata(out: &mut String, page: &Page, figures: &mut Figures) {
    let strata = figures::strata(page);
    if strata.is_some() {
        out.push_str("<h2>Small objects and objects at the edge</h2>\n");
    }
    let dashed = match page.datasets.len() {
        0 | 1 => "",
        _ => {
            ", dashed for all datasets except the first. The ranges written below are those of the first; the others differ"
        }
    };
    let caption = format!(
        "The samples are divided by a property, lowest values to the left: into quarters or, for the components of the \
         object, by their number. Lines are runs{dashed}. Whiskers are {}.",
        figures.bars
    );
    figures.add(out, strata, &caption);
}

/// Returns the beginning of a page, up to its first paragraph. `style` is added to the style sheet of all pages.
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

/// Joins names: "a, b and c", or "10 models" if there are too many.
fn names(names: &[String], what: &str) -> String {
    match names {
        [name] => name.clone(),
        [first @ .., last] if names.len() <= 3 => format!("{} and {last}", first.join(", ")),
        _ => format!("{} {what}", names.len()),
    }
}

/// The largest number of readings that are not folded.
const OPEN: usize = 6;

/// Writes the reading of each run as a paragraph.
fn readings(out: &mut String, page: &Page) {
    let folded = page.runs.len() > OPEN;
    if folded {
        out.push_str("<details><summary>The numbers in words, run by run</summary>\n");
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
        "<p class=\"note\">In parentheses: {level} % intervals. A measure supports a side only if its whole interval lies \
         there.</p>\n</section>"
    );
    if folded {
        out.push_str("</details>\n");
    }
}
