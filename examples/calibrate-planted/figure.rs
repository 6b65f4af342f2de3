//! The figure: every score against the strength of the cue.

use crate::section::{Levels, Section};
use crate::subject::CUES;
use crate::trial::Measure;
use std::fmt::Write;

/// A score or the truth, with a curve for each section that has it.
struct Panel<'a> {
    title: String,
    curves: Vec<(&'a Section<'a>, &'a Levels)>,
}

/// Returns the panels: the truth first, then every score.
fn panels<'a>(sections: &'a [Section<'a>]) -> Vec<Panel<'a>> {
    let truth = sections.iter().map(|section| (section, &section.cost)).collect();
    let mut panels = vec![Panel { title: "truth: cost of the scene".to_owned(), curves: truth }];
    for measure in sections.iter().take(1).flat_map(|section| &section.judgments).map(|j| &j.measure) {
        let curve = |section: &'a Section<'a>| Some((section, &section.judgment(measure)?.levels));
        panels.push(Panel { title: title(measure), curves: sections.iter().filter_map(curve).collect() });
    }
    panels
}

/// Returns color and dashes of a section's curves: one color for each kind, dashes for the easy images.
fn stroke(section: &Section<'_>) -> (&'static str, &'static str) {
    let color = if section.kind == "resnet" { "#0072b2" } else { "#d55e00" };
    (color, if section.preset == "hard" { "none" } else { "5 4" })
}

/// Number of columns of panels, and the size of the drawing area of each in pixels.
const COLUMNS: usize = 4;
const CELL: (f64, f64) = (220.0, 150.0);
/// Margins around that area: left, top, right, bottom.
const FRAME: (f64, f64, f64, f64) = (44.0, 30.0, 16.0, 34.0);
/// Height of the key at the top.
const KEY: f64 = 34.0;

/// Returns a standalone SVG of all panels. Whiskers are 95 % intervals over seeds.
pub(crate) fn figure(sections: &[Section<'_>]) -> String {
    let panels = panels(sections);
    let (across, down) = (CELL.0 + FRAME.0 + FRAME.2, CELL.1 + FRAME.1 + FRAME.3);
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = (COLUMNS as f64 * across, KEY + rows as f64 * down);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"system-ui, Helvetica, Arial, sans-serif\" font-size=\"12\" fill=\"#1d2124\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
    );
    for (i, section) in sections.iter().enumerate() {
        let (x, (color, dashes)) = (FRAME.0 + i as f64 * 180.0, stroke(section));
        let _ = writeln!(
            svg,
            "<path d=\"M{x} 18h28\" stroke=\"{color}\" stroke-width=\"2\" stroke-dasharray=\"{dashes}\"/>\
             <text x=\"{}\" y=\"22\">{}</text>",
            x + 34.0,
            section.title()
        );
    }
    for (i, panel) in panels.iter().enumerate() {
        let corner = ((i % COLUMNS) as f64 * across + FRAME.0, KEY + (i / COLUMNS) as f64 * down + FRAME.1);
        draw(&mut svg, panel, corner);
    }
    svg.push_str("</svg>\n");
    svg
}

fn draw(svg: &mut String, panel: &Panel<'_>, (left, top): (f64, f64)) {
    let points = |levels: &Levels| -> Vec<(usize, f64, f64)> {
        levels.iter().enumerate().filter_map(|(i, level)| level.map(|(mean, half)| (i, mean, half))).collect()
    };
    let ends = panel
        .curves
        .iter()
        .flat_map(|(_, levels)| points(levels))
        .flat_map(|(_, mean, half)| [mean - half, mean + half]);
    let (low, high) = ends.fold((0.0f64, 0.0f64), |(low, high), end| (low.min(end), high.max(end)));
    let (low, high) = (low.max(-1.2), high.clamp(0.1, 1.2));
    let x = |i: usize| left + i as f64 / (CUES.len() - 1) as f64 * CELL.0;
    let y = |value: f64| top + CELL.1 * (high - value.clamp(low, high)) / (high - low);

    let _ = writeln!(svg, "<text x=\"{left}\" y=\"{}\" font-weight=\"600\">{}</text>", top - 12.0, panel.title);
    let step = if high - low > 1.0 {
        0.5
    } else if high - low > 0.4 {
        0.2
    } else {
        0.1
    };
    for tick in ((low / step).ceil() as i64..=(high / step).floor() as i64).map(|i| i as f64 * step) {
        let (at, color) = (y(tick), if tick == 0.0 { "#8d959a" } else { "#e6e4de" });
        let text = format!("{tick:.1}").replace('-', "\u{2212}");
        let _ = write!(
            svg,
            "<path d=\"M{left} {at:.1}h{}\" stroke=\"{color}\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" font-size=\"11\" fill=\"#5d656b\">{text}</text>",
            CELL.0,
            left - 6.0,
            at + 4.0
        );
    }
    for (i, cue) in CUES.iter().enumerate() {
        let text = if i == 0 { "chance".to_owned() } else { cue.to_string() };
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\" fill=\"#5d656b\">{text}</text>",
            x(i),
            top + CELL.1 + 16.0
        );
    }
    for (n, (section, levels)) in panel.curves.iter().enumerate() {
        let (points, (color, dashes)) = (points(levels), stroke(section));
        // Curves are shifted sideways so that their whiskers do not hide each other.
        let shift = (n as f64 - (panel.curves.len() as f64 - 1.0) / 2.0) * 3.0;
        let mut path = String::new();
        for (k, &(i, mean, half)) in points.iter().enumerate() {
            let at = x(i) + shift;
            let _ = write!(path, "{}{at:.1} {:.1}", if k == 0 { "M" } else { "L" }, y(mean));
            let _ = write!(
                svg,
                "<path d=\"M{at:.1} {:.1}V{:.1}\" stroke=\"{color}\"/>\
                 <circle cx=\"{at:.1}\" cy=\"{:.1}\" r=\"2.2\" fill=\"{color}\"/>",
                y(mean - half),
                y(mean + half),
                y(mean)
            );
        }
        let _ = writeln!(
            svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.6\" stroke-dasharray=\"{dashes}\"/>"
        );
    }
}

/// Returns a readable name of a score: "drop, gray-box", "rfs, linf 0.25".
pub(crate) fn title((metric, condition): &Measure) -> String {
    let condition = condition.strip_prefix("noise:").unwrap_or(condition).replace(':', " ");
    match (metric.as_str(), condition.as_str()) {
        ("accuracy", "none") => "clean accuracy".to_owned(),
        (_, "none") | ("background-gap", _) => metric.clone(),
        _ => format!("{metric}, {condition}"),
    }
}
