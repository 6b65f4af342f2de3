use crate::figures::{self, Figure};
use crate::page::Page;
use crate::reading::{Signals, evidence, verdict};
use crate::write::escape;
use hard_imagenet_runs::Result;
use std::fmt::Write;

mod classes;
pub(crate) mod findings;
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
    findings::section(&mut out, page);
    let mut figures = Figures::new(page);
    figures.add(&mut out, page, &figures::glance::FIGURE);
    readings(&mut out, page);
    headline::table(&mut out, page);
    SECTIONS.iter().for_each(|part| section(&mut out, page, &mut figures, part));
    further(&mut out, page, &mut figures);
    classes::tables(&mut out, page);
    gallery::gallery(&mut out, page)?;
    runs::facts(&mut out, page);
    method::section(&mut out, page);
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

/// A section of figures.
struct Section {
    heading: &'static str,
    figures: &'static [&'static Figure],
    /// Writes the table at the end of the section.
    table: Option<fn(&mut String, &Page)>,
}

/// The sections of figures. A new figure is a file in `figures/` and a line here.
static SECTIONS: &[Section] = &[
    Section { heading: "Removing the object", figures: &[&figures::bars::ABLATIONS], table: None },
    Section {
        heading: "Disturbing the object or replacing its background",
        figures: &[&figures::bars::MIXTURES],
        table: None,
    },
    Section {
        heading: "Noise on the object and around it",
        figures: &[&figures::sensitivity::FIGURE, &figures::noise::FIGURE],
        table: None,
    },
    Section {
        heading: "Where the model looks",
        figures: &[&figures::violins::IOU, &figures::violins::DENSITY],
        table: Some(maps::table),
    },
    Section { heading: "Small objects and objects at the edge", figures: &[&figures::strata::FIGURE], table: None },
];

/// Writes the figures of a section that have numbers, below its heading, and its table.
fn section(out: &mut String, page: &Page, figures: &mut Figures, section: &Section) {
    let mut headed = false;
    for figure in section.figures {
        let Some(svg) = (figure.draw)(page) else { continue };
        if !headed {
            let _ = writeln!(out, "<h2>{}</h2>", section.heading);
            headed = true;
        }
        figures.write(out, page, figure, &svg);
    }
    if let Some(table) = section.table {
        table(out, page);
    }
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

    /// Writes a figure if it has numbers.
    fn add(&mut self, out: &mut String, page: &Page, figure: &Figure) {
        if let Some(svg) = (figure.draw)(page) {
            self.write(out, page, figure, &svg);
        }
    }

    /// Writes a figure that was drawn, folded if it asks for it and there are many runs.
    fn write(&mut self, out: &mut String, page: &Page, figure: &Figure, svg: &str) {
        let folded = figure.folded.filter(|_| page.runs.len() > OPEN);
        if let Some(summary) = folded {
            let _ = writeln!(out, "<details><summary>{summary}</summary>");
        }
        let caption = (figure.caption)(page, &self.bars);
        self.write_svg(out, svg, &caption);
        if folded.is_some() {
            out.push_str("</details>\n");
        }
    }

    fn write_svg(&mut self, out: &mut String, svg: &str, caption: &str) {
        self.number += 1;
        let number = self.number;
        let _ = writeln!(out, "<figure>\n{svg}<figcaption><b>Figure {number}.</b> {caption}</figcaption>\n</figure>");
    }
}

/// Writes the metrics that are not built in.
fn further(out: &mut String, page: &Page, figures: &mut Figures) {
    let metrics = page.further_metrics();
    let drawn: Vec<_> = metrics.into_iter().filter_map(|m| Some((m, figures::bars::measure(page, m)?))).collect();
    if !drawn.is_empty() {
        out.push_str("<h2>Further measures</h2>\n");
    }
    for (metric, svg) in drawn {
        let (title, description) = (escape(&metric.title), escape(&metric.description));
        let caption = format!("{title}. {description} Thin lines are {}.", figures.bars);
        figures.write_svg(out, &svg, &caption);
    }
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
