use super::{WIDTH, color, label_width};
use crate::page::Page;
use crate::reading::{HALF, Signals};
use crate::svg::{Anchor, Scale, Svg};
use crate::write;
use hard_imagenet_metrics::{Estimate, Unit};

const ROW: f64 = 26.0;
const HEAD: f64 = 64.0;

/// One column of the figure.
struct Panel {
    title: &'static str,
    subtitle: String,
    range: (f64, f64),
    middle: f64,
    unit: Unit,
    ticks: &'static [f64],
    pick: fn(&Signals) -> Option<Estimate>,
}

/// Draws three measures of each run on axes from the surroundings (left) to the object (right).
pub(crate) fn glance(page: &Page) -> Option<String> {
    let ablation = page.ablation.as_deref().map_or(String::new(), |id| page.condition(id));
    let noise = page.noise.as_deref().map_or(String::new(), |id| page.condition(id));
    let panels = [
        Panel {
            title: "Accuracy lost without the object",
            subtitle: format!("{ablation}, share of the clean accuracy, %"),
            range: (0.0, 1.0),
            middle: HALF,
            unit: Unit::Percent,
            ticks: &[0.0, 0.5, 1.0],
            pick: |s| s.lost,
        },
        Panel {
            title: "Relative foreground sensitivity",
            subtitle: format!("noise {noise}"),
            range: (-1.0, 1.0),
            middle: 0.0,
            unit: Unit::Number,
            ticks: &[-1.0, 0.0, 1.0],
            pick: |s| s.rfs,
        },
        Panel {
            title: "Delta saliency density",
            subtitle: "object minus surroundings".to_owned(),
            range: (-1.0, 1.0),
            middle: 0.0,
            unit: Unit::Number,
            ticks: &[-1.0, 0.0, 1.0],
            pick: |s| s.density,
        },
    ];
    let has = |panel: &&Panel| page.runs.iter().any(|run| (panel.pick)(&Signals::of(page, run)).is_some());
    let panels: Vec<&Panel> = panels.iter().filter(has).collect();
    if panels.is_empty() {
        return None;
    }

    // Rows: the name of each dataset, if there are several, followed by its runs.
    let named = page.datasets.len() > 1;
    let rows = page.runs.len() + if named { page.datasets.len() } else { 0 };
    let bottom = HEAD + rows as f64 * ROW + if named { page.datasets.len() as f64 * 6.0 } else { 0.0 };
    let mut svg = Svg::new(WIDTH, bottom + 26.0);
    let left = label_width(page).max(if named { 120.0 } else { 0.0 });
    let (gap, numbers) = (26.0, 50.0);
    let width = ((WIDTH - left) / panels.len() as f64 - gap - numbers).min(330.0);

    for (i, panel) in panels.iter().enumerate() {
        let x = left + i as f64 * (width + gap + numbers) + gap / 2.0;
        let scale = Scale { from: panel.range, to: (x, x + width) };
        let middle = scale.at(panel.middle);
        svg.rect("tint-around", (x, HEAD), (middle, bottom), "");
        svg.rect("tint-object", (middle, HEAD), (x + width, bottom), "");
        svg.text("head", (x, 14.0), Anchor::Start, panel.title);
        svg.text("small", (x, 30.0), Anchor::Start, &panel.subtitle);
        svg.text("side around", (x, HEAD - 8.0), Anchor::Start, "← surroundings");
        svg.text("side object", (x + width, HEAD - 8.0), Anchor::End, "object →");
        for tick in panel.ticks {
            let middle = *tick == panel.middle;
            svg.line(if middle { "axis" } else { "grid" }, (scale.at(*tick), HEAD), (scale.at(*tick), bottom));
            svg.text("tick", (scale.at(*tick), bottom + 16.0), Anchor::Middle, &tick_text(*tick, panel.unit));
        }
    }

    let mut y = HEAD;
    for (dataset, name) in page.datasets.iter().enumerate() {
        if named {
            y += 6.0 + ROW;
            svg.text("group", (0.0, y - 9.0), Anchor::Start, name);
        }
        for run in page.runs.iter().filter(|r| r.dataset == dataset) {
            let signals = Signals::of(page, run);
            let pale = if signals.wrong().is_some() { " pale" } else { "" };
            let class = format!("{}{pale}", color(run.model));
            let center = y + ROW / 2.0;
            svg.name(&format!("label {class}"), (left - 4.0, center + 4.0), left - 8.0, &run.label);
            for (i, panel) in panels.iter().enumerate() {
                let x = left + i as f64 * (width + gap + numbers) + gap / 2.0;
                let scale = Scale { from: panel.range, to: (x, x + width) };
                let estimate = (panel.pick)(&signals);
                if let Some(e) = estimate {
                    svg.line(&format!("whisker {class}"), (scale.at(e.low), center), (scale.at(e.high), center));
                    let hint = format!("{}: {}", page.title(run), write::full(e, panel.unit));
                    svg.dot(&format!("dot {class}"), (scale.at(e.value), center), 5.0, &hint);
                }
                let text = write::estimate(estimate, panel.unit);
                svg.text(&format!("number{pale}"), (x + width + numbers - 6.0, center + 4.0), Anchor::End, &text);
            }
            y += ROW;
        }
    }
    Some(svg.finish("What each run leans on, by three measures: the surroundings to the left, the object to the right"))
}

fn tick_text(tick: f64, unit: Unit) -> String {
    match unit {
        Unit::Number => format!("{tick:.0}").replace('-', "−"),
        _ => format!("{:.0}", tick * 100.0),
    }
}
