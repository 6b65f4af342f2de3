use super::{Figure, WIDTH};
use crate::page::{Entry, Page};
use crate::svg::{Anchor, Scale, Svg};
use crate::write;
use hard_imagenet_metrics::{CLEAN, Estimate, NoiseCondition, NoiseRegion, Unit};

const HEIGHT: f64 = 130.0;
const TOP: f64 = 46.0;
const BOTTOM: f64 = 34.0;
const LEGEND: f64 = 26.0;

pub(crate) static FIGURE: Figure = Figure {
    draw: noise,
    caption: |_, bars| {
        format!(
            "Accuracy (%, mean over classes) over the strength of the noise. Strength 0 is the unchanged image. The lower \
             line shows the region that the run depends on more. Bands are {bars}."
        )
    },
    folded: Some("Accuracy under noise, run by run"),
};

/// Draws accuracy over the strength of noise on the object and around it: a small panel for each run and each norm that was
/// run at several strengths. Relative foreground sensitivity measures how far the two lines lie apart.
fn noise(page: &Page) -> Option<String> {
    let norms = page.norms();
    let mut panels: Vec<(&Entry, &str)> = Vec::new();
    for norm in &norms {
        let several = |run: &&Entry| points(run, norm, NoiseRegion::Foreground).len() > 2;
        panels.extend(page.runs.iter().filter(several).map(|run| (run, norm.as_str())));
    }
    if panels.is_empty() {
        return None;
    }
    // Two to four panels in a row, so that the last row is full if possible.
    let across = [4, 3, 2].into_iter().find(|n| panels.len().is_multiple_of(*n)).unwrap_or(panels.len().clamp(2, 4));
    let gap = 30.0;
    let width = (WIDTH - gap * (across as f64 - 1.0)) / across as f64;
    let rows = panels.len().div_ceil(across);
    let mut svg = Svg::new(WIDTH, LEGEND + rows as f64 * (HEIGHT + TOP + BOTTOM));
    for (x, side, text) in [(0.0, "object", "noise on the object"), (190.0, "around", "noise around it")] {
        svg.line(&format!("line {side}"), (x, 8.0), (x + 20.0, 8.0));
        svg.text(&format!("side {side}"), (x + 26.0, 12.0), Anchor::Start, text);
    }
    for (i, (run, norm)) in panels.iter().enumerate() {
        let corner =
            ((i % across) as f64 * (width + gap), LEGEND + (i / across) as f64 * (HEIGHT + TOP + BOTTOM) + TOP);
        panel(&mut svg, page, run, norm, corner, width);
    }
    Some(svg.finish("Accuracy under noise on the object and on the surroundings"))
}

/// Returns strengths and accuracies; strength 0 has the clean accuracy.
fn points(run: &Entry, norm: &str, region: NoiseRegion) -> Vec<(f64, Estimate)> {
    let mut points = Vec::new();
    for score in run.scores().all("accuracy") {
        let sigma = match NoiseCondition::parse(&score.condition) {
            Some(noise) if noise.norm == norm && noise.region == region => noise.sigma,
            None if score.condition == CLEAN => 0.0,
            _ => continue,
        };
        points.extend(score.class_mean.map(|e| (sigma, e)));
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn panel(svg: &mut Svg, page: &Page, run: &Entry, norm: &str, (left, top): (f64, f64), width: f64) {
    let lines = [
        ("around", "noise around it", points(run, norm, NoiseRegion::Background)),
        ("object", "noise on the object", points(run, norm, NoiseRegion::Foreground)),
    ];
    let last = lines.iter().flat_map(|(_, _, p)| p.last()).map(|p| p.0).fold(f64::MIN_POSITIVE, f64::max);
    let x = Scale { from: (0.0, last), to: (left + 30.0, left + width - 14.0) };
    let y = Scale { from: (0.0, 1.0), to: (top + HEIGHT, top) };
    // Heads are bold and therefore wider than labels.
    svg.direct("head", (left, top - 27.0), width * 0.86, &run.label);
    let subtitle =
        if page.datasets.len() > 1 { format!("{}, {}", run.dataset_name(), page.norm(norm)) } else { page.norm(norm) };
    svg.text("small", (left, top - 12.0), Anchor::Start, &subtitle);
    for tick in [0.0, 0.5, 1.0] {
        svg.line(if tick == 0.0 { "axis" } else { "grid" }, (x.to.0, y.at(tick)), (x.to.1, y.at(tick)));
        svg.text("tick", (x.to.0 - 6.0, y.at(tick) + 4.0), Anchor::End, &format!("{:.0}", tick * 100.0));
    }
    for tick in [0.0, last / 2.0, last] {
        svg.text(
            "tick",
            (x.at(tick), top + HEIGHT + 15.0),
            Anchor::Middle,
            &((tick * 1000.0).round() / 1000.0).to_string(),
        );
    }
    for (side, _, points) in &lines {
        let upper = points.iter().map(|(s, e)| (x.at(*s), y.at(e.high)));
        let lower = points.iter().rev().map(|(s, e)| (x.at(*s), y.at(e.low)));
        svg.path(&format!("band {side}"), &upper.chain(lower).collect::<Vec<_>>(), true);
    }
    for (side, name, points) in &lines {
        let line: Vec<_> = points.iter().map(|(s, e)| (x.at(*s), y.at(e.value))).collect();
        svg.path(&format!("line {side}"), &line, false);
        for ((sigma, e), at) in points.iter().zip(line) {
            let hint = format!("{name}, σ {sigma}: {}", write::full(*e, Unit::Percent));
            svg.dot(&format!("dot {side}"), at, 2.4, &hint);
        }
    }
}
