use super::{Figure, WIDTH, color};
use crate::page::{Entry, Page};
use crate::svg::{Anchor, Scale, Svg, spread, ticks};
use crate::write;
use hard_imagenet_metrics::{Estimate, Unit, parse_noise_level};

const HEIGHT: f64 = 250.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 54.0;

pub(crate) static FIGURE: Figure = Figure {
    draw: sensitivity,
    caption: |_, bars| format!("Relative foreground sensitivity over the strength σ of the noise. Bands are {bars}."),
    folded: None,
};

/// Draws relative foreground sensitivity over the strength of the noise: a line with a band for each model, a column for
/// each dataset, a row for each norm that was run at several strengths.
fn sensitivity(page: &Page) -> Option<String> {
    let norms: Vec<String> = page.norms().into_iter().filter(|norm| strengths(page, norm).len() > 1).collect();
    if norms.is_empty() {
        return None;
    }
    // With a single dataset, each norm gets a column.
    let side_by_side = page.datasets.len() == 1;
    let (across, down) = if side_by_side { (norms.len(), 1) } else { (page.datasets.len(), norms.len()) };
    let gap = 26.0;
    let cell = ((WIDTH - gap * (across as f64 - 1.0)) / across as f64).min(640.0);
    let mut svg = Svg::new(WIDTH, down as f64 * (HEIGHT + TOP + BOTTOM));
    for (i, norm) in norms.iter().enumerate() {
        for dataset in 0..page.datasets.len() {
            let (column, row) = if side_by_side { (i, 0) } else { (dataset, i) };
            let corner = (column as f64 * (cell + gap), row as f64 * (HEIGHT + TOP + BOTTOM) + TOP);
            panel(&mut svg, page, norm, dataset, corner, cell);
        }
    }
    Some(svg.finish("Relative foreground sensitivity over noise strength"))
}

/// Returns all strengths of a norm that any run has, in ascending order.
fn strengths(page: &Page, norm: &str) -> Vec<f64> {
    let mut all: Vec<f64> = page.runs.iter().flat_map(|run| points(run, norm)).map(|(sigma, _)| sigma).collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

fn points(run: &Entry, norm: &str) -> Vec<(f64, Estimate)> {
    let point = |score: &hard_imagenet_metrics::Score| {
        let (_, sigma) = parse_noise_level(&score.condition).filter(|(n, _)| *n == norm)?;
        Some((sigma, score.class_mean?))
    };
    let mut points: Vec<(f64, Estimate)> = run.scores().all("rfs").iter().filter_map(point).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    points
}

fn panel(svg: &mut Svg, page: &Page, norm: &str, dataset: usize, (left, top): (f64, f64), width: f64) {
    let strengths = strengths(page, norm);
    let (first, last) = (strengths[0], strengths[strengths.len() - 1]);
    let axis = 34.0;
    let names = (super::label_width(page) + 14.0).min(width * 0.42);
    let x = Scale { from: (first, last), to: (left + axis, left + width - names) };
    let y = Scale { from: (-1.0, 1.0), to: (top + HEIGHT, top) };

    svg.rect("tint-object", (x.to.0, y.at(1.0)), (x.to.1, y.at(0.0)), "");
    svg.rect("tint-around", (x.to.0, y.at(0.0)), (x.to.1, y.at(-1.0)), "");
    for tick in [-1.0, -0.5, 0.0, 0.5, 1.0] {
        svg.line(if tick == 0.0 { "axis" } else { "grid" }, (x.to.0, y.at(tick)), (x.to.1, y.at(tick)));
        let text = if tick.fract() == 0.0 { format!("{tick:.0}") } else { format!("{tick:.1}") };
        svg.text("tick", (x.to.0 - 7.0, y.at(tick) + 4.0), Anchor::End, &text.replace('-', "−"));
    }
    let marks = if strengths.len() <= 8 { strengths } else { ticks(x.from, 6) };
    for sigma in marks {
        svg.line("axis", (x.at(sigma), top + HEIGHT), (x.at(sigma), top + HEIGHT + 4.0));
        svg.text("tick", (x.at(sigma), top + HEIGHT + 17.0), Anchor::Middle, &sigma.to_string());
    }
    let title = if page.datasets.len() > 1 { page.datasets[dataset].as_str() } else { "" };
    let title = [title, &page.norm(norm)].iter().filter(|t| !t.is_empty()).copied().collect::<Vec<_>>().join(", ");
    svg.text("head", (x.to.0, top - 26.0), Anchor::Start, &title);
    svg.text("side object", (x.to.0, top - 8.0), Anchor::Start, "↑ noise on the object hurts more");
    svg.text("side around", (x.to.0, top + HEIGHT + 36.0), Anchor::Start, "↓ noise on the surroundings hurts more");
    svg.text("small", (x.to.1 + 26.0, top + HEIGHT + 17.0), Anchor::Start, "σ");

    let runs: Vec<(&Entry, Vec<(f64, Estimate)>)> = page
        .runs
        .iter()
        .filter(|r| r.dataset == dataset)
        .map(|run| (run, points(run, norm)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    for (run, points) in &runs {
        let upper = points.iter().map(|(s, e)| (x.at(*s), y.at(e.high)));
        let lower = points.iter().rev().map(|(s, e)| (x.at(*s), y.at(e.low)));
        svg.path(&format!("band {}", color(run.model)), &upper.chain(lower).collect::<Vec<_>>(), true);
    }
    for (run, points) in &runs {
        let dash = if run.model >= 8 { " dashed" } else { "" };
        let line: Vec<_> = points.iter().map(|(s, e)| (x.at(*s), y.at(e.value))).collect();
        svg.path(&format!("line {}{dash}", color(run.model)), &line, false);
        for ((sigma, e), at) in points.iter().zip(line) {
            let hint = format!("{}, {} {sigma}: {}", page.title(run), page.norm(norm), write::full(*e, Unit::Number));
            svg.dot(&format!("dot {}", color(run.model)), at, 3.2, &hint);
        }
    }
    let ends: Vec<f64> = runs.iter().map(|(_, p)| y.at(p[p.len() - 1].1.value)).collect();
    for ((run, points), height) in runs.iter().zip(spread(&ends, 14.0, (top + 6.0, top + HEIGHT - 2.0))) {
        let end = x.at(points[points.len() - 1].0);
        svg.line(
            &format!("leader {}", color(run.model)),
            (end + 6.0, y.at(points[points.len() - 1].1.value)),
            (x.to.1 + 12.0, height),
        );
        svg.direct(&format!("label {}", color(run.model)), (x.to.1 + 15.0, height + 4.0), names - 15.0, &run.label);
    }
}
