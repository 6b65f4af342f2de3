use super::{WIDTH, columns, label_width};
use crate::page::Page;
use crate::svg::{Anchor, Scale, Svg};
use crate::write;
use hard_imagenet_metrics::Unit;

const BAR: f64 = 14.0;
const GAP: f64 = 16.0;
const HEAD: f64 = 50.0;

/// Accuracy clean and ablated: for each model a group of bars, for each dataset a column.
pub(crate) fn ablations(page: &Page) -> Option<String> {
    let conditions = page.ablations();
    let measured = |c: &String| page.runs.iter().any(|r| r.headline("accuracy", Some(c)).is_some());
    if conditions.len() < 2 || !conditions.iter().any(measured) {
        return None;
    }
    let group = conditions.len() as f64 * BAR;
    let bottom = HEAD + page.models.len() as f64 * (group + GAP);
    let mut svg = Svg::new(WIDTH, bottom + 22.0);
    let left = label_width(page);

    // The legend, in the order of the bars.
    let mut x = left;
    for (i, condition) in conditions.iter().enumerate() {
        let text = write::condition(condition);
        svg.rect(&format!("bar b{}", i.min(4)), (x, 2.0), (x + 11.0, 13.0), "");
        svg.text("label", (x + 16.0, 12.0), Anchor::Start, &text);
        x += 16.0 + text.chars().count() as f64 * 7.5 + 22.0;
    }

    for (dataset, (from, to)) in columns(page, left, 40.0).into_iter().enumerate() {
        let scale = Scale { from: (0.0, 1.0), to: (from, to - 40.0) };
        if page.datasets.len() > 1 {
            svg.text("head", (from, HEAD - 14.0), Anchor::Start, &page.datasets[dataset]);
        }
        for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let x = scale.at(tick);
            svg.line(if tick == 0.0 { "axis" } else { "grid" }, (x, HEAD - 4.0), (x, bottom - GAP / 2.0));
            let unit = if tick == 1.0 { " %" } else { "" };
            svg.text("tick", (x, bottom + 10.0), Anchor::Middle, &format!("{:.0}{unit}", tick * 100.0));
        }
        for model in 0..page.models.len() {
            let top = HEAD + model as f64 * (group + GAP);
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
                let class = format!("bar b{}", i.min(4));
                svg.rect(&class, (from, y), (scale.at(e.value), y + BAR - 2.0), &hint);
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
        let y = HEAD + model as f64 * (group + GAP) + group / 2.0 + 3.0;
        svg.name("label strong", (left - 10.0, y), left - 14.0, name);
    }
    Some(svg.finish("Accuracy on unchanged images and with the object taken away"))
}
