use super::{WIDTH, columns, label_width};
use crate::page::Page;
use crate::svg::{Anchor, Scale, Svg};
use crate::write;
use hard_imagenet_metrics::Unit;

const BAR: f64 = 14.0;
const GAP: f64 = 16.0;
const LEGEND: f64 = 18.0;

/// Accuracy clean and without the object.
pub(crate) fn ablations(page: &Page) -> Option<String> {
    bars(page, &page.ablations(), "Accuracy on unchanged images and with the object taken away")
}

/// Accuracy clean and with the object disturbed or before another background.
pub(crate) fn mixtures(page: &Page) -> Option<String> {
    bars(
        page,
        &page.mixtures(),
        "Accuracy on unchanged images and with the object disturbed or before another background",
    )
}

/// For each model a group of bars, one a condition, for each dataset a column.
fn bars(page: &Page, conditions: &[String], title: &str) -> Option<String> {
    let measured = |c: &String| page.runs.iter().any(|r| r.headline("accuracy", Some(c)).is_some());
    if conditions.len() < 2 || !conditions.iter().any(measured) {
        return None;
    }
    let left = label_width(page);
    let legend = legend(conditions, left);
    let head = 32.0 + legend.last().map_or(0.0, |&(_, y)| y + LEGEND);
    let group = conditions.len() as f64 * BAR;
    let bottom = head + page.models.len() as f64 * (group + GAP);
    let mut svg = Svg::new(WIDTH, bottom + 22.0);
    for (i, (condition, (x, y))) in conditions.iter().zip(legend).enumerate() {
        svg.rect(&class(i), (x, y + 2.0), (x + 11.0, y + 13.0), "");
        svg.text("label", (x + 16.0, y + 12.0), Anchor::Start, &write::condition(condition));
    }

    for (dataset, (from, to)) in columns(page, left, 40.0).into_iter().enumerate() {
        let scale = Scale { from: (0.0, 1.0), to: (from, to - 40.0) };
        if page.datasets.len() > 1 {
            svg.text("head", (from, head - 14.0), Anchor::Start, &page.datasets[dataset]);
        }
        for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let x = scale.at(tick);
            svg.line(if tick == 0.0 { "axis" } else { "grid" }, (x, head - 4.0), (x, bottom - GAP / 2.0));
            let unit = if tick == 1.0 { " %" } else { "" };
            svg.text("tick", (x, bottom + 10.0), Anchor::Middle, &format!("{:.0}{unit}", tick * 100.0));
        }
        for model in 0..page.models.len() {
            let top = head + model as f64 * (group + GAP);
            let Some(run) = page.at(model, dataset) else {
                svg.text("number", (from + 6.0, top + group / 2.0 + 4.0), Anchor::Start, write::MISSING);
                continue;
            };
            for (i, condition) in conditions.iter().enumerate() {
                let y = top + i as f64 * BAR;
                let Some(e) = run.headline("accuracy", Some(condition)) else {
                    svg.text("value", (from + 6.0, y + 10.0), Anchor::Start, write::MISSING);
                    continue;
                };
                let hint =
                    format!("{}, {}: {}", page.title(run), write::condition(condition), write::full(e, Unit::Percent));
                svg.rect(&class(i), (from, y), (scale.at(e.value), y + BAR - 2.0), &hint);
                let centre = y + (BAR - 2.0) / 2.0;
                svg.line("error", (scale.at(e.low), centre), (scale.at(e.high), centre));
                svg.text(
                    "value",
                    (scale.at(e.high) + 5.0, y + 10.0),
                    Anchor::Start,
                    &write::value(e.value, Unit::Percent),
                );
            }
        }
    }
    for (model, name) in page.models.iter().enumerate() {
        let y = head + model as f64 * (group + GAP) + group / 2.0 + 3.0;
        svg.name("label strong", (left - 10.0, y), left - 14.0, name);
    }
    Some(svg.finish(title))
}

/// The class of a bar by its place: one colour for the first, four that take turns.
fn class(i: usize) -> String {
    format!("bar b{}", if i == 0 { 0 } else { (i - 1) % 4 + 1 })
}

/// The upper left corners of the legend's entries, in the order of the bars, in as many lines as they need.
fn legend(conditions: &[String], left: f64) -> Vec<(f64, f64)> {
    let (mut x, mut y) = (left, 0.0);
    let mut places = Vec::new();
    for condition in conditions {
        let width = 16.0 + write::condition(condition).chars().count() as f64 * 7.5;
        if x > left && x + width > WIDTH {
            (x, y) = (left, y + LEGEND);
        }
        places.push((x, y));
        x += width + 22.0;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_legend_takes_several_lines() {
        let words: Vec<String> = ["none", "mixed-same", "mixed-rand", "mixed-next", "blur:8"].map(String::from).into();
        let places = legend(&words, 200.0);
        assert_eq!((places[0], places[4].0), ((200.0, 0.0), 200.0));
        assert!(places[4].1 > places[3].1);
        assert_eq!(class(0), "bar b0");
        assert_eq!((class(4), class(5)), ("bar b4".to_owned(), "bar b1".to_owned()));
    }
}
