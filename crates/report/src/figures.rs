//! The figures, one file each. A figure is a function from the page to an SVG element; it returns `None` if no run has its
//! numbers.

pub(crate) mod bars;
pub(crate) mod glance;
pub(crate) mod noise;
pub(crate) mod sensitivity;
pub(crate) mod strata;
pub(crate) mod violins;

use crate::page::Page;
use crate::svg::CHARACTER;

/// A figure of the page. Its file declares it, and a section of the page lists it.
pub(crate) struct Figure {
    /// Draws the figure; returns `None` if no run has its numbers.
    pub(crate) draw: fn(&Page) -> Option<String>,
    /// Returns the caption. The text says what whiskers and bands are: "95 % intervals".
    pub(crate) caption: fn(&Page, &str) -> String,
    /// The summary of a fold that hides the figure if there are many runs.
    pub(crate) folded: Option<&'static str>,
}

/// The width of every figure in pixels.
pub(crate) const WIDTH: f64 = 1040.0;

/// Returns the width of the column of model names.
fn label_width(page: &Page) -> f64 {
    let longest = page.models.iter().map(|m| m.chars().count()).max().unwrap_or(0);
    (longest as f64 * CHARACTER + 14.0).clamp(60.0, 240.0)
}

/// Returns the left and right edge of each dataset's column.
fn columns(page: &Page, from: f64, gap: f64) -> Vec<(f64, f64)> {
    let count = page.datasets.len() as f64;
    // A single wide column would draw small numbers as long bars.
    let width = ((WIDTH - from - gap * (count - 1.0)) / count).min(620.0);
    (0..page.datasets.len()).map(|i| from + i as f64 * (width + gap)).map(|x| (x, x + width)).collect()
}

/// Returns the CSS class that gives a mark the color of its model.
fn color(model: usize) -> String {
    format!("m{}", model % 8)
}
