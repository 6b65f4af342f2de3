use super::{Figure, WIDTH, color, label_width};
use crate::page::{Entry, Page};
use crate::reading::{HALF, Signals};
use crate::svg::{Anchor, Scale, Svg};
use crate::write::{self, escape};
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

pub(crate) static FIGURE: Figure = Figure { draw: glance, caption, folded: None };

fn caption(page: &Page, bars: &str) -> String {
    let ablation = page.ablation.as_deref().map_or("ablation".to_owned(), |id| page.condition(id));
    let wrong = page.runs.iter().any(|run| Signals::of(page, run).wrong().is_some());
    let pale = if wrong { " Pale: wrong on most unchanged images, so the measures say little." } else { "" };
    format!(
        "Three measures with one direction: the further to the right, the more the run depends on the object. Left, the \
         share of the clean accuracy that is lost without the object ({}). Lines are {bars}.{pale}",
        escape(&ablation)
    )
}

/// Draws three measures of each run on axes from the surroundings (left) to the object (right).
fn glance(page: &Page) -> Option<String> {
    let has = |panel: &Panel| page.runs.iter().any(|run| (panel.pick)(&Signals::of(page, run)).is_some());
    let panels: Vec<Panel> = panels(page).into_iter().filter(has).collect();
    if panels.is_empty() {
        return None;
    }
    let layout = Layout::new(page, panels.len());
    let mut svg = Svg::new(WIDTH, layout.bottom + 26.0);
    for (i, panel) in panels.iter().enumerate() {
        axes(&mut svg, &layout, i, panel);
    }
    let mut y = HEAD;
    for (dataset, name) in page.datasets.iter().enumerate() {
        if layout.named {
            y += 6.0 + ROW;
            svg.text("group", (0.0, y - 9.0), Anchor::Start, name);
        }
        for run in page.runs.iter().filter(|run| run.dataset == dataset) {
            row(&mut svg, page, &layout, &panels, run, y);
            y += ROW;
        }
    }
    Some(svg.finish("What each run leans on, by three measures: the surroundings to the left, the object to the right"))
}

fn panels(page: &Page) -> [Panel; 3] {
    let ablation = page.ablation.as_deref().map_or(String::new(), |id| page.condition(id));
    let noise = page.noise.as_deref().map_or(String::new(), |id| page.condition(id));
    [
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
    ]
}

/// The space between two columns, and the space for numbers at the right of each.
const GAP: f64 = 26.0;
const NUMBERS: f64 = 50.0;

/// Where the parts of the figure are.
struct Layout {
    /// Whether the rows of each dataset begin with its name.
    named: bool,
    bottom: f64,
    /// The right end of the names.
    left: f64,
    /// The width of an axis.
    width: f64,
}

impl Layout {
    fn new(page: &Page, panels: usize) -> Self {
        let named = page.datasets.len() > 1;
        let rows = page.runs.len() + if named { page.datasets.len() } else { 0 };
        let bottom = HEAD + rows as f64 * ROW + if named { page.datasets.len() as f64 * 6.0 } else { 0.0 };
        let left = label_width(page).max(if named { 120.0 } else { 0.0 });
        let width = ((WIDTH - left) / panels as f64 - GAP - NUMBERS).min(330.0);
        Self { named, bottom, left, width }
    }

    /// Returns the left end of the axis of a panel.
    fn axis(&self, panel: usize) -> f64 {
        self.left + panel as f64 * (self.width + GAP + NUMBERS) + GAP / 2.0
    }

    fn scale(&self, at: usize, panel: &Panel) -> Scale {
        let x = self.axis(at);
        Scale { from: panel.range, to: (x, x + self.width) }
    }
}

/// Draws the head, the background and the ticks of a panel.
fn axes(svg: &mut Svg, layout: &Layout, at: usize, panel: &Panel) {
    let (x, bottom, scale) = (layout.axis(at), layout.bottom, layout.scale(at, panel));
    let middle = scale.at(panel.middle);
    svg.rect("tint-around", (x, HEAD), (middle, bottom), "");
    svg.rect("tint-object", (middle, HEAD), (x + layout.width, bottom), "");
    svg.text("head", (x, 14.0), Anchor::Start, panel.title);
    svg.text("small", (x, 30.0), Anchor::Start, &panel.subtitle);
    svg.text("side around", (x, HEAD - 8.0), Anchor::Start, "← surroundings");
    svg.text("side object", (x + layout.width, HEAD - 8.0), Anchor::End, "object →");
    for tick in panel.ticks {
        let middle = *tick == panel.middle;
        svg.line(if middle { "axis" } else { "grid" }, (scale.at(*tick), HEAD), (scale.at(*tick), bottom));
        svg.text("tick", (scale.at(*tick), bottom + 16.0), Anchor::Middle, &tick_text(*tick, panel.unit));
    }
}

/// Draws the name and the measures of a run.
fn row(svg: &mut Svg, page: &Page, layout: &Layout, panels: &[Panel], run: &Entry, y: f64) {
    let signals = Signals::of(page, run);
    let pale = if signals.wrong().is_some() { " pale" } else { "" };
    let class = format!("{}{pale}", color(run.model));
    let center = y + ROW / 2.0;
    svg.name(&format!("label {class}"), (layout.left - 4.0, center + 4.0), layout.left - 8.0, &run.label);
    for (i, panel) in panels.iter().enumerate() {
        let scale = layout.scale(i, panel);
        let estimate = (panel.pick)(&signals);
        if let Some(e) = estimate {
            svg.line(&format!("whisker {class}"), (scale.at(e.low), center), (scale.at(e.high), center));
            let hint = format!("{}: {}", page.title(run), write::full(e, panel.unit));
            svg.dot(&format!("dot {class}"), (scale.at(e.value), center), 5.0, &hint);
        }
        let text = write::estimate(estimate, panel.unit);
        let right = layout.axis(i) + layout.width + NUMBERS - 6.0;
        svg.text(&format!("number{pale}"), (right, center + 4.0), Anchor::End, &text);
    }
}

fn tick_text(tick: f64, unit: Unit) -> String {
    match unit {
        Unit::Number => format!("{tick:.0}").replace('-', "−"),
        _ => format!("{:.0}", tick * 100.0),
    }
}
