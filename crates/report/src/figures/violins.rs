use super::{Figure, WIDTH, color, columns, label_width};
use crate::page::{Entry, Page};
use crate::svg::{Anchor, Scale, Svg, ticks};
use crate::write;
use hard_imagenet_metrics::{CLEAN, Unit, meta};

const ROW: f64 = 46.0;
const HEAD: f64 = 30.0;

pub(crate) static IOU: Figure = Figure {
    draw: |page| violins(page, "iou"),
    caption: |_, _| format!("Overlap (IoU) of the saliency map and the object for each image. {VIOLINS}"),
    folded: None,
};

pub(crate) static DENSITY: Figure = Figure {
    draw: |page| violins(page, "delta-density"),
    caption: |_, _| {
        format!(
            "Delta saliency density for each image. Above 0, the map is brighter on the object than off it. {VIOLINS}"
        )
    },
    folded: None,
};

/// What a violin shows, for captions.
const VIOLINS: &str = "Each violin ends at the smallest and the largest value. The dot is the median, which is also printed \
                       at the right; the line spans half of the images.";

/// Draws the distribution of a saliency score over the images: a violin with its quartiles for each run.
///
/// The outline is a Gaussian kernel density (Silverman's bandwidth) between the smallest and the largest value. All violins
/// have the same thickness. Few values are drawn as dots instead.
fn violins(page: &Page, metric: &str) -> Option<String> {
    let column = metric.replace('-', "_");
    let values = |run: &Entry| -> Vec<f64> {
        let clean = run.records().iter().filter(|r| r.error.is_none() && r.condition == CLEAN);
        let mut values: Vec<f64> =
            clean.filter_map(|r| r.map.get(&column)).map(f64::from).filter(|v| v.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let all: Vec<Vec<f64>> = page.runs.iter().map(values).collect();
    let ends = all.iter().filter(|v| !v.is_empty()).map(|v| (v[0], v[v.len() - 1]));
    let (low, high) = ends.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let meta = meta(metric)?;
    let (title, bounds) = (meta.title, meta.range);
    // Zero is always visible. The axis covers the data in steps of 0.1.
    let range =
        (((low.min(0.0) * 10.0).floor() / 10.0).max(bounds.0), ((high.max(0.1) * 10.0).ceil() / 10.0).min(bounds.1));

    let bottom = HEAD + page.models.len() as f64 * ROW;
    let mut svg = Svg::new(WIDTH, bottom + 24.0);
    let left = label_width(page);
    for (dataset, (from, to)) in columns(page, left, 40.0).into_iter().enumerate() {
        let scale = Scale { from: range, to: (from, to - 40.0) };
        if page.datasets.len() > 1 {
            svg.text("head", (from, 14.0), Anchor::Start, &page.datasets[dataset]);
        }
        for tick in ticks(range, 5) {
            let zero = tick.abs() < 1e-9;
            svg.line(if zero { "axis" } else { "grid" }, (scale.at(tick), HEAD - 4.0), (scale.at(tick), bottom));
            // As many decimals as the step needs: 0.05, but 0.1.
            let rounded = (tick * 100.0).round() / 100.0;
            let text = if zero { "0".to_owned() } else { rounded.to_string().replace('-', "−") };
            svg.text("tick", (scale.at(tick), bottom + 16.0), Anchor::Middle, &text);
        }
        for model in 0..page.models.len() {
            let center = HEAD + (model as f64 + 0.5) * ROW;
            let found = page.runs.iter().zip(&all).find(|(r, _)| r.model == model && r.dataset == dataset);
            match found.filter(|(_, values)| !values.is_empty()) {
                None => svg.text("number", (from + 6.0, center + 4.0), Anchor::Start, write::MISSING),
                Some((run, values)) => {
                    violin(&mut svg, values, &color(model), scale, center, Unit::Number, &page.title(run))
                }
            }
        }
    }
    for (model, name) in page.models.iter().enumerate() {
        let y = HEAD + (model as f64 + 0.5) * ROW + 4.0;
        svg.name(&format!("label {}", color(model)), (left - 10.0, y), left - 14.0, name);
    }
    Some(svg.finish(&format!("{title} of single images")))
}

/// Draws one violin of sorted values.
pub(crate) fn violin(svg: &mut Svg, values: &[f64], class: &str, scale: Scale, center: f64, unit: Unit, title: &str) {
    let (low, high) = (values[0], values[values.len() - 1]);
    if values.len() < 10 || high - low < 1e-9 {
        for v in values {
            svg.dot(&format!("dot faint {class}"), (scale.at(*v), center), 3.0, &write::value(*v, unit));
        }
    } else {
        let density = density(values, 96);
        let peak = density.iter().map(|d| d.1).fold(0.0, f64::max);
        let edge =
            |sign: f64| density.iter().map(move |(v, d)| (scale.at(*v), center + sign * d / peak * (ROW / 2.0 - 5.0)));
        let outline: Vec<_> = edge(-1.0).chain(edge(1.0).rev()).collect();
        svg.path(&format!("violin {class}"), &outline, true);
    }
    let [q1, median, q3] = [0.25, 0.5, 0.75].map(|q| quantile(values, q));
    svg.line(&format!("whisker {class}"), (scale.at(q1), center), (scale.at(q3), center));
    let hint = format!(
        "{title}: median {}, half of the images from {} to {}, {} images",
        write::value(median, unit),
        write::value(q1, unit),
        write::value(q3, unit),
        values.len()
    );
    svg.dot("median", (scale.at(median), center), 4.0, &hint);
    svg.text("value", (scale.at(high) + 7.0, center + 4.0), Anchor::Start, &write::value(median, unit));
}

/// Returns points of the kernel density of sorted values, from the smallest to the largest value.
fn density(values: &[f64], points: usize) -> Vec<(f64, f64)> {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let between = (quantile(values, 0.75) - quantile(values, 0.25)) / 1.34;
    let spread = if between > 0.0 { deviation.min(between) } else { deviation };
    let bandwidth = (0.9 * spread * n.powf(-0.2)).max(1e-3);
    let (low, high) = (values[0], values[values.len() - 1]);
    (0..points)
        .map(|i| low + (high - low) * i as f64 / (points - 1) as f64)
        .map(|at| (at, values.iter().map(|v| (-0.5 * ((v - at) / bandwidth).powi(2)).exp()).sum()))
        .collect()
}

/// Returns a quantile of sorted values, linearly interpolated.
pub(crate) fn quantile(values: &[f64], q: f64) -> f64 {
    let at = q * (values.len() - 1) as f64;
    let (below, share) = (at.floor() as usize, at.fract());
    let above = (below + 1).min(values.len() - 1);
    values[below] + share * (values[above] - values[below])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles() {
        let values = [0.0, 1.0, 2.0, 3.0, 10.0];
        assert_eq!([0.25, 0.5, 0.75].map(|q| quantile(&values, q)), [1.0, 2.0, 3.0]);
        assert_eq!(quantile(&[4.0], 0.75), 4.0);
    }

    #[test]
    fn densities_stay_where_the_values_are() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * i) / 1e4).collect();
        let density = density(&values, 50);
        assert_eq!(density[0].0, values[0]);
        assert!((density[49].0 - values[99]).abs() < 1e-9);
        assert!(density[0].1 > density[49].1, "more small values than large ones");
    }
}
