//! Readings: the numbers of a run in words. A claim is made only if the whole interval lies on one side of the middle.

use crate::page::{Entry, Page};
use crate::write::{full, interval, value};
use hard_imagenet_metrics::{CLEAN, Estimate, Unit};

/// The side that a measure supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Object,
    Surroundings,
    /// The interval contains the middle.
    Open,
}

/// The three measures that support a side: the accuracy lost without the object, the region where noise hurts more, and the
/// region where the map is brighter.
pub(crate) struct Signals {
    pub(crate) lost: Option<Estimate>,
    pub(crate) rfs: Option<Estimate>,
    pub(crate) density: Option<Estimate>,
    /// The accuracy on unchanged images, without which the other measures mean little.
    clean: Option<Estimate>,
}

/// The share of the accuracy lost without the object above which the object was needed for most of the accuracy.
pub(crate) const HALF: f64 = 0.5;

impl Signals {
    pub(crate) fn of(page: &Page, run: &Entry) -> Self {
        Self {
            lost: run.headline("relative-drop", page.ablation.as_deref()),
            rfs: run.headline("rfs", page.noise.as_deref()),
            density: run.headline("delta-density", Some(CLEAN)),
            clean: run.headline("accuracy", Some(CLEAN)),
        }
    }

    /// Returns the clean accuracy if it is too low for the other measures to mean much.
    pub(crate) fn wrong(&self) -> Option<Estimate> {
        self.clean.filter(|clean| clean.value < HALF)
    }

    fn sides(&self) -> Vec<Side> {
        let all = [(self.lost, HALF), (self.rfs, 0.0), (self.density, 0.0)];
        all.into_iter().filter_map(|(e, middle)| Some(side(e?, middle))).collect()
    }
}

pub(crate) fn side(e: Estimate, middle: f64) -> Side {
    if e.low > middle {
        Side::Object
    } else if e.high < middle {
        Side::Surroundings
    } else {
        Side::Open
    }
}

/// Returns the verdict: "leans on the surroundings".
pub(crate) fn verdict(signals: &Signals) -> &'static str {
    // The measures cannot show what a model relies on if it does not recognize the objects.
    if signals.wrong().is_some() {
        return "is wrong on most unchanged images, so the measures cannot show what it leans on";
    }
    let sides = signals.sides();
    let count = |side| sides.iter().filter(|s| **s == side).count();
    match (count(Side::Object), count(Side::Surroundings), count(Side::Open)) {
        (0, 0, 0) => "was not measured for what it leans on",
        (0, 0, _) => "shows no clear side",
        (_, 0, 0) => "leans on the object",
        (0, _, 0) => "leans on the surroundings",
        (_, 0, _) => "leans on the object, as far as the measures are clear",
        (0, _, _) => "leans on the surroundings, as far as the measures are clear",
        _ => "uses both: the measures support different sides",
    }
}

/// Returns the evidence, in sentences that follow the verdict.
pub(crate) fn evidence(page: &Page, run: &Entry) -> String {
    let signals = Signals::of(page, run);
    if let Some(clean) = signals.wrong() {
        return format!("It is right on only {} of them.", full(clean, Unit::Percent));
    }
    let mut clauses = Vec::new();
    if let Some(lost) = signals.lost {
        let kept = Estimate { value: 1.0 - lost.value, low: 1.0 - lost.high, high: 1.0 - lost.low, n: lost.n };
        let ablation = page.ablation.as_deref().map_or(String::new(), |id| format!(" ({})", page.condition(id)));
        clauses.push(format!("without the object{ablation}, it keeps {} of its accuracy", full(kept, Unit::Percent)));
    }
    if let Some(rfs) = signals.rfs {
        let number = format!("RFS {}, {}", value(rfs.value, Unit::Number), interval(rfs, Unit::Number));
        clauses.push(match side(rfs, 0.0) {
            Side::Object => format!("noise on the object hurts it more than noise around it ({number})"),
            Side::Surroundings => format!("noise around the object hurts it more than noise on it ({number})"),
            Side::Open => format!("noise on the object and noise around it hurt it about equally ({number})"),
        });
    }
    if let Some(density) = signals.density {
        let number = format!("Δ {}, {}", value(density.value, Unit::Number), interval(density, Unit::Number));
        clauses.push(match side(density, 0.0) {
            Side::Object => format!("its saliency is brighter on the object than off it ({number})"),
            Side::Surroundings => format!("its saliency is darker on the object than off it ({number})"),
            Side::Open => format!("its saliency is about as bright on the object as off it ({number})"),
        });
    }
    let mut text = match clauses.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{}, and {last}", rest.join("; ")),
    };
    if let Some(first) = text.chars().next() {
        text.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
        text.push('.');
    }
    text
}

/// Returns the reading of each run.
pub(crate) fn readings(page: &Page) -> Vec<String> {
    let reading = |run: &Entry| {
        let verdict = verdict(&Signals::of(page, run));
        format!("{} on {} {verdict}. {}", run.label, run.dataset_name(), evidence(page, run)).trim().to_owned()
    };
    page.runs.iter().map(reading).collect()
}
