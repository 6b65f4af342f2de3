use super::{Figure, WIDTH, columns, label_width};
use crate::page::Page;
use crate::svg::{Anchor, Scale, Svg, ticks};
use crate::write;
use hard_imagenet_metrics::{MetricDescription, Unit};

const BAR: f64 = 14.0;
const GAP: f64 = 16.0;
const LEGEND: f64 = 18.0;

pub(crate) static ABLATIONS: Figure = Figure {
    draw: ablations,
    caption: |_, bars| {
        format!(
            "Accuracy on unchanged images (dark) and without the object. A bar that stays long without the object was not \
             earned by seeing it. Thin lines are {bars}."
        )
    },
    folded: None,
};

pub(crate) static MIXTURES: Figure = Figure {
    draw: mixtures,
    caption: |_, bars| {
        format!(
            "Accuracy on unchanged images (dark) and on images that still contain the object. Accuracy that is lost in \
             front of a background of another class, but not in front of another background of the same class, came from \
             the background. Thin lines are {bars}."
        )
    },
    folded: None,
};

/// Draws accuracy on unchanged images and without the object.
fn ablations(page: &Page) -> Option<String> {
    accuracy(page, &page.ablations(), "Accuracy on unchanged images and without the object")
}

/// Draws accuracy on unchanged images and with the object disturbed or in front of another background.
fn mixtures(page: &Page) -> Option<String> {
    let title = "Accuracy on unchanged images and with the object disturbed or in front of another background";
    accuracy(page, &page.mixtures(), title)
}

fn accuracy(page: &Page, conditions: &[String], title: &str) -> Option<String> {
    let is_measured = |c: &String| page.runs.iter().any(|r| r.headline("accuracy", Some(c)).is_some());
    if conditions.len() < 2 || !conditions.iter().any(is_measured) {
        return None;
    }
    let quantity =
        Quantity { metric: "accuracy", unit: Unit::Percent, range: (0.0, 1.0), ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0] };
    Some(bars(page, &quantity, conditions, title))
}

/// Draws a metric that is not built in, under all conditions that it applies to.
pub(crate) fn measure(page: &Page, metric: &MetricDescription) -> Option<String> {
    let mut conditions: Vec<String> = Vec::new();
    let (mut low, mut high) = (0.0f64, 0.0f64);
    for score in page.runs.iter().flat_map(|run| run.scores().all(&metric.id)) {
        let Some(estimate) = score.mean(metric.average) else { continue };
        (low, high) = (low.min(estimate.low), high.max(estimate.high));
        if !conditions.contains(&score.condition) {
            conditions.push(score.condition.clone());
        }
    }
    if conditions.is_empty() {
        return None;
    }
    conditions.sort_by(|a, b| page.words().compare(a, b));
    // Zero is always visible, and the axis starts and ends at ticks.
    let span = if high > low { high - low } else { 1.0 };
    let ticks = ticks((low - 0.25 * span * f64::from(u8::from(low < 0.0)), high + 0.25 * span), 4);
    let range = (ticks.first().copied()?, ticks.last().copied()?);
    let quantity = Quantity { metric: &metric.id, unit: metric.unit, range, ticks };
    Some(bars(page, &quantity, &conditions, &metric.title))
}

/// What the bars show.
struct Quantity<'a> {
    metric: &'a str,
    unit: Unit,
    range: (f64, f64),
    ticks: Vec<f64>,
}

/// Draws a group of bars for each model, one for each condition, in a column for each dataset.
fn bars(page: &Page, quantity: &Quantity, conditions: &[String], title: &str) -> String {
    let left = label_width(page);
    let titles: Vec<String> = conditions.iter().map(|condition| page.condition(condition)).collect();
    let legend = legend(&titles, left);
    let head = 32.0 + legend.last().map_or(0.0, |&(_, y)| y + LEGEND);
    let group = conditions.len() as f64 * BAR;
    let bottom = head + page.models.len() as f64 * (group + GAP);
    let mut svg = Svg::new(WIDTH, bottom + 22.0);
    for (i, (title, (x, y))) in titles.iter().zip(legend).enumerate() {
        svg.rect(&class(i), (x, y + 2.0), (x + 11.0, y + 13.0), "");
        svg.text("label", (x + 16.0, y + 12.0), Anchor::Start, title);
    }

    for (dataset, (from, to)) in columns(page, left, 40.0).into_iter().enumerate() {
        let scale = Scale { from: quantity.range, to: (from, to - 40.0) };
        let zero = scale.at(0.0);
        if page.datasets.len() > 1 {
            svg.text("head", (from, head - 14.0), Anchor::Start, &page.datasets[dataset]);
        }
        for &tick in &quantity.ticks {
            let x = scale.at(tick);
            svg.line(if tick == 0.0 { "axis" } else { "grid" }, (x, head - 4.0), (x, bottom - GAP / 2.0));
            svg.text("tick", (x, bottom + 10.0), Anchor::Middle, &tick_text(tick, quantity));
        }
        for model in 0..page.models.len() {
            let top = head + model as f64 * (group + GAP);
            let Some(run) = page.at(model, dataset) else {
                svg.text("number", (from + 6.0, top + group / 2.0 + 4.0), Anchor::Start, write::MISSING);
                continue;
            };
            for (i, condition) in conditions.iter().enumerate() {
                let y = top + i as f64 * BAR;
                let Some(e) = run.headline(quantity.metric, Some(condition)) else {
                    svg.text("value", (from + 6.0, y + 10.0), Anchor::Start, write::MISSING);
                    continue;
                };
                let hint =
                    format!("{}, {}: {}", page.title(run), page.condition(condition), write::full(e, quantity.unit));
                svg.rect(&class(i), (zero, y), (scale.at(e.value), y + BAR - 2.0), &hint);
                let center = y + (BAR - 2.0) / 2.0;
                svg.line("error", (scale.at(e.low), center), (scale.at(e.high), center));
                svg.text(
                    "value",
                    (scale.at(e.high) + 5.0, y + 10.0),
                    Anchor::Start,
                    &write::value(e.value, quantity.unit),
                );
            }
        }
    }
    for (model, name) in page.models.iter().enumerate() {
        let y = head + model as f64 * (group + GAP) + group / 2.0 + 3.0;
        svg.name("label strong", (left - 10.0, y), left - 14.0, name);
    }
    svg.finish(title)
}

/// Writes the number at a tick; the last one has the unit.
fn tick_text(tick: f64, quantity: &Quantity) -> String {
    match quantity.unit {
        Unit::Number => write::value(tick, Unit::Number),
        Unit::Percent if tick == quantity.range.1 => format!("{:.0} %", tick * 100.0),
        Unit::Percent | Unit::Points => format!("{:.0}", tick * 100.0).replace('-', "−"),
    }
}

/// Returns the CSS class of a bar by its index: one color for the first, four that take turns for the others.
fn class(i: usize) -> String {
    format!("bar b{}", if i == 0 { 0 } else { (i - 1) % 4 + 1 })
}

/// Returns the upper left corner of each entry of the legend, in as many lines as necessary.
fn legend(titles: &[String], left: f64) -> Vec<(f64, f64)> {
    let (mut x, mut y) = (left, 0.0);
    let mut places = Vec::new();
    for title in titles {
        let width = 16.0 + title.chars().count() as f64 * 7.5;
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
        let titles: Vec<String> = [
            "unchanged",
            "background of its class",
            "background of another class",
            "background of the next class",
            "object blurred",
        ]
        .map(String::from)
        .into();
        let places = legend(&titles, 200.0);
        assert_eq!((places[0], places[4].0), ((200.0, 0.0), 200.0));
        assert!(places[4].1 > places[3].1);
        assert_eq!(class(0), "bar b0");
        assert_eq!((class(4), class(5)), ("bar b4".to_owned(), "bar b1".to_owned()));
    }
}
