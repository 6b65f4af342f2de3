//! The figures of the page. Each is a function that returns an SVG element.

use super::MaskStats;
use super::columns::classes;
use super::input::{MaskRow, mean};
use crate::figures::WIDTH;
use crate::figures::violins::{quantile, violin};
use crate::svg::{Anchor, CHARACTER, Scale, Svg, ticks};
use crate::write;
use hard_imagenet_metrics::Unit;

const ROW: f64 = 46.0;
const HEAD: f64 = 30.0;

type Pick = fn(&MaskRow) -> Option<f64>;

/// Draws the share of the image that is object, as stored and transformed, and the share of the object that is kept: a
/// violin for each dataset.
pub(super) fn overview(all: &[MaskStats]) -> String {
    let panels: [(&str, Pick); 3] = [
        ("object, as stored, %", |m| m.raw),
        ("object, as the network sees it, %", |m| m.transformed),
        ("kept by the crop, %", |m| m.retained),
    ];
    let left = label_width(all.iter().map(|stats| stats.dataset.as_str()));
    let width = (WIDTH - left) / 3.0;
    let bottom = HEAD + all.len() as f64 * ROW;
    let mut svg = Svg::new(WIDTH, bottom + 24.0);
    for (panel, (title, pick)) in panels.into_iter().enumerate() {
        let from = left + panel as f64 * width;
        let scale = Scale { from: (0.0, 1.0), to: (from + 8.0, from + width - 52.0) };
        svg.text("head", (from + 8.0, 14.0), Anchor::Start, title);
        axis(&mut svg, scale, bottom);
        for (row, stats) in all.iter().enumerate() {
            let center = HEAD + (row as f64 + 0.5) * ROW;
            let values = stats.values(None, pick);
            match values.is_empty() {
                true => svg.text("number", (from + 14.0, center + 4.0), Anchor::Start, write::MISSING),
                false => violin(&mut svg, &values, &color(row), scale, center, Unit::Percent, &stats.dataset),
            }
        }
    }
    for (row, stats) in all.iter().enumerate() {
        let y = HEAD + (row as f64 + 0.5) * ROW + 4.0;
        svg.name(&format!("label {}", color(row)), (left - 10.0, y), left - 14.0, &stats.dataset);
    }
    svg.finish("Size of the objects, and how much of them the crop keeps")
}

/// Draws the quartiles of the size and of the share kept, class by class.
pub(super) fn by_class(stats: &MaskStats, dataset: usize) -> String {
    const LINE: f64 = 22.0;
    let classes = classes(stats);
    let left = label_width(classes.iter().map(|&class| stats.classes[class].name.as_str()));
    let width = (WIDTH - left) / 2.0;
    let bottom = HEAD + classes.len() as f64 * LINE;
    let mut svg = Svg::new(WIDTH, bottom + 24.0);
    let panels: [(&str, Pick); 2] = [("object, %", |m| m.transformed), ("kept by the crop, %", |m| m.retained)];
    for (panel, (title, pick)) in panels.into_iter().enumerate() {
        let from = left + panel as f64 * width;
        // The axis ends where the data end, because objects may be small.
        let largest = stats.values(None, pick).last().copied().unwrap_or(1.0);
        let scale =
            Scale { from: (0.0, (largest * 10.0).ceil().max(1.0) / 10.0), to: (from + 8.0, from + width - 52.0) };
        svg.text("head", (from + 8.0, 14.0), Anchor::Start, title);
        axis(&mut svg, scale, bottom);
        for (row, &class) in classes.iter().enumerate() {
            let y = HEAD + (row as f64 + 0.5) * LINE;
            let values = stats.values(Some(class), pick);
            let name = &stats.classes[class].name;
            if values.is_empty() {
                svg.text("number", (from + 14.0, y + 4.0), Anchor::Start, write::MISSING);
                continue;
            }
            let [low, q1, median, q3, high] = [0.0, 0.25, 0.5, 0.75, 1.0].map(|q| quantile(&values, q));
            let text = |value| write::value(value, Unit::Percent);
            svg.line("error", (scale.at(low), y), (scale.at(high), y));
            svg.line(&format!("whisker {}", color(dataset)), (scale.at(q1), y), (scale.at(q3), y));
            let hint = format!(
                "{name}: median {}, half of the masks from {} to {}, all from {} to {}, {} masks",
                text(median),
                text(q1),
                text(q3),
                text(low),
                text(high),
                values.len()
            );
            svg.dot("median", (scale.at(median), y), 4.0, &hint);
            svg.text("value", (scale.to.1 + 44.0, y + 4.0), Anchor::End, &text(median));
        }
    }
    for (row, &class) in classes.iter().enumerate() {
        let y = HEAD + (row as f64 + 0.5) * LINE + 4.0;
        svg.name("label", (left - 10.0, y), left - 14.0, &stats.classes[class].name);
    }
    svg.finish(&format!("Size of the objects of {}, class by class", stats.dataset))
}

/// Draws the mean mask of each class as a tile.
pub(super) fn averages(stats: &MaskStats, dataset: usize) -> Option<String> {
    const TILE: f64 = 132.0;
    const STEP: (f64, f64) = (151.0, 166.0);
    let shown: Vec<_> = classes(stats).into_iter().filter(|&c| !stats.classes[c].average.is_empty()).collect();
    let columns = (WIDTH / STEP.0) as usize;
    let mut svg = Svg::new(WIDTH, shown.len().div_ceil(columns) as f64 * STEP.1);
    for (place, &class) in shown.iter().enumerate() {
        let (x, y) = ((place % columns) as f64 * STEP.0, (place / columns) as f64 * STEP.1);
        let rows = &stats.classes[class].average;
        let cell = TILE / rows.len() as f64;
        svg.rect("tile", (x, y), (x + TILE, y + TILE), "");
        for level in 1..=10usize {
            let is = |value: f32| (value * 10.0).round() as usize == level;
            let mut runs = Vec::new();
            for (row, values) in rows.iter().enumerate() {
                let mut column = 0;
                for group in values.chunk_by(|&a, &b| is(a) == is(b)) {
                    if is(group[0]) {
                        let corner = (x + column as f64 * cell, y + row as f64 * cell);
                        runs.push((corner, group.len() as f64 * cell));
                    }
                    column += group.len();
                }
            }
            svg.runs(&format!("level {}", color(dataset)), level as f64 / 10.0, &runs, cell);
        }
        cross(&mut svg, (x, y), TILE);
        let n = stats.count(Some(class));
        svg.direct("small", (x, y + TILE + 16.0), TILE, &format!("{} · {n}", stats.classes[class].name));
    }
    (!shown.is_empty()).then(|| svg.finish(&format!("Mean mask of each class of {}", stats.dataset)))
}

/// Draws the centroid of every object, colored by class, in a square for each dataset.
pub(super) fn centroids(all: &[MaskStats]) -> String {
    const SIDE: f64 = 310.0;
    const LINE: f64 = 15.0;
    let columns = if all.len() > 1 { 2 } else { 1 };
    let most = all.iter().map(|stats| classes(stats).len()).max().unwrap_or(0);
    let height = (SIDE + 60.0).max(most as f64 * LINE + 40.0);
    let mut svg = Svg::new(WIDTH, all.len().div_ceil(columns) as f64 * height);
    for (place, stats) in all.iter().enumerate() {
        let (x, y) = ((place % columns) as f64 * WIDTH / 2.0, (place / columns) as f64 * height + 24.0);
        svg.text("head", (x, y - 10.0), Anchor::Start, &stats.dataset);
        svg.rect("tile", (x, y), (x + SIDE, y + SIDE), "");
        cross(&mut svg, (x, y), SIDE);
        for row in &stats.masks {
            let Some((down, right)) = row.centroid else { continue };
            let class = format!("dot faint c{}", row.class % COLORS);
            let hint = format!("{}, {}", stats.classes[row.class].name, row.sample);
            svg.dot(&class, (x + right * SIDE, y + down * SIDE), 3.4, &hint);
        }
        for (line, class) in classes(stats).into_iter().enumerate() {
            let y = y + (line as f64 + 0.5) * LINE;
            svg.dot(&format!("dot c{}", class % COLORS), (x + SIDE + 18.0, y), 4.5, "");
            svg.direct("small", (x + SIDE + 28.0, y + 4.0), 170.0, &stats.classes[class].name);
        }
        if let Some(mean) = mean(&stats.values(None, |m| m.eccentricity)) {
            let text = format!("mean distance from the center {}", write::value(mean, Unit::Number));
            svg.text("small", (x, y + SIDE + 18.0), Anchor::Start, &text);
        }
    }
    svg.finish("Where the objects lie")
}

/// The number of colors for classes; further classes use the same colors again.
pub(super) const COLORS: usize = 24;

fn axis(svg: &mut Svg, scale: Scale, bottom: f64) {
    for share in ticks(scale.from, 5) {
        let x = scale.at(share);
        svg.line(if share == 0.0 { "axis" } else { "grid" }, (x, HEAD - 4.0), (x, bottom));
        svg.text("tick", (x, bottom + 16.0), Anchor::Middle, &format!("{:.0}", share * 100.0));
    }
}

/// Marks the center of a tile.
fn cross(svg: &mut Svg, (x, y): (f64, f64), side: f64) {
    let (center, arm) = ((x + side / 2.0, y + side / 2.0), side / 24.0);
    svg.line("axis", (center.0 - arm, center.1), (center.0 + arm, center.1));
    svg.line("axis", (center.0, center.1 - arm), (center.0, center.1 + arm));
}

fn label_width<'a>(names: impl Iterator<Item = &'a str>) -> f64 {
    (names.map(|name| name.chars().count()).max().unwrap_or(0) as f64 * CHARACTER + 14.0).clamp(60.0, 220.0)
}

/// Returns the CSS class that gives a mark the color of its dataset.
fn color(dataset: usize) -> String {
    format!("m{}", dataset % 8)
}
