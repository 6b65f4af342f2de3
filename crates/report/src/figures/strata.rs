use super::{Figure, WIDTH, color};
use crate::page::Page;
use crate::svg::{Anchor, Scale, Svg, ticks};
use crate::write;
use hard_imagenet_metrics::{CLEAN, Estimate, Strata, Unit, score_strata};

const HEIGHT: f64 = 150.0;
const HEAD: f64 = 44.0;
const FOOT: f64 = 44.0;
const GAP: f64 = 46.0;

/// One row of panels.
struct Row {
    metric: &'static str,
    title: &'static str,
    condition: String,
    range: (f64, f64),
    unit: Unit,
}

pub(crate) static FIGURE: Figure = Figure { draw: strata, caption, folded: None };

fn caption(page: &Page, bars: &str) -> String {
    let dashed = match page.datasets.len() {
        0 | 1 => "",
        _ => {
            ", dashed for all datasets except the first. The ranges written below are those of the first; the others differ"
        }
    };
    format!(
        "The samples are divided by a property, lowest values to the left: into quarters or, for the components of the \
         object, by their number. Lines are runs{dashed}. Whiskers are {bars}."
    )
}

/// Draws the accuracy lost without the object and the agreement of the map with the object over strata of the samples: a
/// panel for each division, a line for each run. Returns `None` if the records do not have the properties of the samples.
fn strata(page: &Page) -> Option<String> {
    let all: Vec<Vec<Strata>> =
        page.runs.iter().map(|run| score_strata(run.records(), &run.scores().options)).collect();
    let mut divisions: Vec<&Strata> = Vec::new();
    for strata in all.iter().flatten() {
        if divisions.iter().all(|known| known.by != strata.by) {
            divisions.push(strata);
        }
    }
    let lost = page.ablation.as_ref().map(|ablation| Row {
        metric: "drop",
        title: "accuracy lost without the object, points",
        condition: ablation.clone(),
        range: (0.0, 1.0),
        unit: Unit::Points,
    });
    let overlap =
        Row { metric: "iou", title: "saliency IoU", condition: CLEAN.into(), range: (0.0, 1.0), unit: Unit::Number };
    let known = |row: &Row| all.iter().flatten().flat_map(|s| &s.strata).any(|s| value(row, s).is_some());
    let rows: Vec<Row> = lost.into_iter().chain([overlap]).filter(known).collect();
    if divisions.is_empty() || rows.is_empty() {
        return None;
    }

    let mut svg = Svg::new(WIDTH, rows.len() as f64 * (HEAD + HEIGHT + FOOT));
    let width = ((WIDTH + GAP) / divisions.len() as f64 - GAP).min(300.0);
    for (r, row) in rows.iter().enumerate() {
        let top = r as f64 * (HEAD + HEIGHT + FOOT) + HEAD;
        for (d, division) in divisions.iter().enumerate() {
            let left = 30.0 + d as f64 * (width + GAP);
            let count = all.iter().flatten().filter(|s| s.by == division.by).map(|s| s.strata.len()).max().unwrap_or(0);
            let x = Scale { from: (-0.5, count as f64 - 0.5), to: (left, left + width - 30.0) };
            let y = Scale { from: row.range, to: (top + HEIGHT, top) };
            svg.text("head", (left, top - 26.0), Anchor::Start, &division.title);
            svg.text("small", (left, top - 11.0), Anchor::Start, row.title);
            for tick in ticks(row.range, 4) {
                let class = if tick == 0.0 { "axis" } else { "grid" };
                svg.line(class, (left, y.at(tick)), (left + width - 30.0, y.at(tick)));
                let text = match row.unit {
                    Unit::Number => format!("{tick:.1}"),
                    _ => format!("{:.0}", 100.0 * tick),
                };
                svg.text("tick", (left - 6.0, y.at(tick) + 4.0), Anchor::End, &text);
            }
            for (i, part) in division.strata.iter().enumerate() {
                // There is no room for ten names.
                if count <= 5 || i % 3 == 0 {
                    let at = (x.at(i as f64), top + HEIGHT + 16.0);
                    svg.text("tick", at, Anchor::Middle, &range(&division.by, part.range));
                }
            }
            for (run, strata) in page.runs.iter().zip(&all) {
                let Some(strata) = strata.iter().find(|s| s.by == division.by) else { continue };
                // Runs are offset a little so that their whiskers do not overlap.
                let offset = (run.model as f64 - (page.models.len() - 1) as f64 / 2.0) * 0.12;
                let dash = if run.dataset == 0 { "" } else { " dashed" };
                let mut points = Vec::new();
                for (i, part) in strata.strata.iter().enumerate() {
                    let Some(e) = value(row, part) else { continue };
                    let at = x.at(i as f64 + offset.clamp(-0.4, 0.4));
                    svg.line(&format!("whisker {}", color(run.model)), (at, y.at(e.low)), (at, y.at(e.high)));
                    let hint = format!(
                        "{}, {}: {}, {} images",
                        page.title(run),
                        range(&division.by, part.range),
                        write::full(e, row.unit),
                        part.scores.counts.samples
                    );
                    svg.dot(&format!("dot {}", color(run.model)), (at, y.at(e.value)), 4.0, &hint);
                    points.push((at, y.at(e.value)));
                }
                svg.path(&format!("line{dash} {}", color(run.model)), &points, false);
            }
        }
    }
    Some(svg.finish("Accuracy lost without the object, and saliency overlap, by properties of the samples"))
}

fn value(row: &Row, part: &hard_imagenet_metrics::Stratum) -> Option<Estimate> {
    part.scores.headline(row.metric, &row.condition)
}

/// Writes a range: "2–7 %" for a size, "1" or "3+" for a number of components, else "0.12–0.30".
fn range(by: &str, (from, to): (f64, f64)) -> String {
    match by {
        "object-size" => format!("{:.0}–{:.0} %", 100.0 * from, 100.0 * to),
        "components" if from == to => format!("{from:.0}"),
        "components" => format!("{from:.0}+"),
        _ => format!("{from:.2}–{to:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::range;

    #[test]
    fn ranges_in_words() {
        assert_eq!(range("object-size", (0.021, 0.068)), "2–7 %");
        assert_eq!(range("components", (1.0, 1.0)), "1");
        assert_eq!(range("components", (3.0, 9.0)), "3+");
        assert_eq!(range("eccentricity", (0.0, 0.123)), "0.00–0.12");
    }
}
