use crate::page::{Entry, Page};
use crate::write::escape;
use base64::{Engine, engine::general_purpose::STANDARD};
use hard_imagenet_runs::{Exhibit, ExhibitKind, Panel, Result};
use std::fmt::Write;

/// The best and worst samples of each run, their images side by side.
pub(super) fn gallery(out: &mut String, page: &Page) -> Result<()> {
    let mut galleries = Vec::new();
    for run in &page.runs {
        let gallery = run.run().gallery()?.unwrap_or_default();
        if !gallery.exhibits.is_empty() {
            galleries.push((run, gallery.exhibits));
        }
    }
    if !galleries.is_empty() {
        out.push_str("<h2>Samples</h2>\n");
    }
    for (run, exhibits) in &galleries {
        let _ = writeln!(out, "<h3><span class=\"key m{}\"></span>{}</h3>", run.model % 8, escape(&page.title(run)));
        out.push_str("<div class=\"gallery\">\n");
        section(out, run, exhibits, ExhibitKind::Worst, "Where it relied on the object least")?;
        section(out, run, exhibits, ExhibitKind::Best, "Where it relied on the object most")?;
        out.push_str("</div>\n");
    }
    Ok(())
}

fn section(out: &mut String, run: &Entry, all: &[Exhibit], kind: ExhibitKind, title: &str) -> Result<()> {
    let exhibits: Vec<&Exhibit> = all.iter().filter(|exhibit| exhibit.kind == kind).collect();
    if exhibits.is_empty() {
        return Ok(());
    }
    let _ = writeln!(out, "<section>\n<h4>{title}</h4>");
    for exhibit in exhibits {
        let (title, caption) = (escape(&exhibit.title), escape(&exhibit.caption));
        let _ = writeln!(out, "<div class=\"case\"><p><b>{title}</b> {caption}</p>");
        out.push_str("<div class=\"pictures\">");
        for panel in &exhibit.panels {
            figure(out, run, exhibit, panel)?;
        }
        out.push_str("</div></div>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

/// One image of a sample.
fn figure(out: &mut String, run: &Entry, exhibit: &Exhibit, panel: &Panel) -> Result<()> {
    let text = label(panel);
    let (label, alt) = (escape(&text), escape(&format!("{}: {text}", exhibit.title)));
    let file = run.run().read_image(panel)?;
    let kind = if file.starts_with(b"\x89PNG") { "png" } else { "jpeg" };
    let data = STANDARD.encode(&file);
    let _ = write!(
        out,
        "<figure><img alt=\"{alt}\" loading=\"lazy\" src=\"data:image/{kind};base64,{data}\"/>\
         <figcaption>{label}</figcaption></figure>"
    );
    Ok(())
}

/// "Object gray: cross, 98 %": the prediction, and the confidence in the true class.
fn label(panel: &Panel) -> String {
    match (&panel.prediction, panel.confidence) {
        (Some(prediction), Some(confidence)) if panel.correct == Some(true) => {
            format!("{}: {prediction}, {:.0}\u{a0}%", panel.title, 100.0 * confidence)
        }
        (Some(prediction), Some(confidence)) => {
            format!("{}: {prediction} (true class {:.0}\u{a0}%)", panel.title, 100.0 * confidence)
        }
        _ => panel.title.clone(),
    }
}
