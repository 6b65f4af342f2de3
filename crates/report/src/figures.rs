//! The figures, one file each. A figure is a function from the page to an SVG element; it returns `None` if no run has its
//! numbers.

mod bars;
mod glance;
mod noise;
mod sensitivity;
mod strata;
mod violins;

pub(crate) use bars::{ablations, measure, mixtures};
pub(crate) use glance::glance;
pub(crate) use noise::noise;
pub(crate) use sensitivity::sensitivity;
pub(crate) use strata::strata;
pub(crate) use violins::{quantile, violin, violins};

use crate::page::Page;
use crate::svg::CHARACTER;

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
