//! Builds SVG drawings. Marks have CSS classes, so that the style sheet of the page sets colors and fonts, light or dark.

use crate::write::escape;
use std::fmt::Write;

/// The side of a text that lies at its point.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// A drawing under construction. Coordinates are in pixels; (0, 0) is the top left corner.
pub(crate) struct Svg {
    width: f64,
    height: f64,
    body: String,
}

impl Svg {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub(crate) fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        let _ = write!(self.body, r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#);
    }

    /// Adds a rectangle by two opposite corners in any order. `hint` appears under the pointer.
    pub(crate) fn rect(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64), hint: &str) {
        let (x, y, w, h) = (x1.min(x2), y1.min(y2), (x2 - x1).abs(), (y2 - y1).abs());
        let _ = write!(self.body, r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{w:.1}" height="{h:.1}">"#);
        self.hint(hint);
        self.body.push_str("</rect>");
    }

    pub(crate) fn dot(&mut self, class: &str, (x, y): (f64, f64), r: f64, hint: &str) {
        let _ = write!(self.body, r#"<circle class="{class}" cx="{x:.1}" cy="{y:.1}" r="{r}">"#);
        self.hint(hint);
        self.body.push_str("</circle>");
    }

    pub(crate) fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let text = escape(text);
        let _ =
            write!(self.body, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{text}</text>"#);
    }

    /// Adds straight lines through points, or nothing for fewer than two points.
    pub(crate) fn path(&mut self, class: &str, points: &[(f64, f64)], closed: bool) {
        if points.len() < 2 {
            return;
        }
        let _ = write!(self.body, r#"<path class="{class}" d=""#);
        for (i, (x, y)) in points.iter().enumerate() {
            let _ = write!(self.body, "{}{x:.1} {y:.1}", if i == 0 { "M" } else { "L" });
        }
        let _ = write!(self.body, r#"{}"/>"#, if closed { "Z" } else { "" });
    }

    /// Adds strips of the same height and opacity, each by its top left corner and its width.
    pub(crate) fn runs(&mut self, class: &str, opacity: f64, runs: &[((f64, f64), f64)], height: f64) {
        if runs.is_empty() {
            return;
        }
        let _ = write!(self.body, r#"<path class="{class}" fill-opacity="{opacity:.1}" d=""#);
        for ((x, y), width) in runs {
            let _ = write!(self.body, "M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z");
        }
        self.body.push_str(r#""/>"#);
    }

    /// Adds a name that ends at its point. A name longer than the given width is shortened in the middle, and appears
    /// in full under the pointer.
    pub(crate) fn name(&mut self, class: &str, at: (f64, f64), width: f64, name: &str) {
        self.cut(class, at, "end", width, name);
    }

    /// Adds a name that starts at its point, like [`name`](Self::name).
    pub(crate) fn direct(&mut self, class: &str, at: (f64, f64), width: f64, name: &str) {
        self.cut(class, at, "start", width, name);
    }

    fn cut(&mut self, class: &str, (x, y): (f64, f64), anchor: &str, width: f64, name: &str) {
        let fits = (width / CHARACTER) as usize;
        let short = escape(&shorten(name, fits));
        let _ = write!(self.body, r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{short}"#);
        if name.chars().count() > fits {
            self.hint(name);
        }
        self.body.push_str("</text>");
    }

    fn hint(&mut self, hint: &str) {
        if !hint.is_empty() {
            let _ = write!(self.body, "<title>{}</title>", escape(hint));
        }
    }

    /// Returns the SVG element. `label` describes it for screen readers.
    pub(crate) fn finish(self, label: &str) -> String {
        let (w, h) = (self.width.ceil(), self.height.ceil());
        format!(
            "<svg viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" aria-label=\"{}\">{}</svg>\n",
            escape(label),
            self.body
        )
    }
}

/// The approximate width of a character of a label, in pixels.
pub(crate) const CHARACTER: f64 = 7.5;

/// Shortens a text to at most `fits` characters by omitting its middle.
fn shorten(text: &str, fits: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= fits.max(3) {
        return text.to_owned();
    }
    let keep = fits.max(3) - 1;
    let (head, tail) = (keep.div_ceil(2), keep / 2);
    let part = |part: &[char]| part.iter().collect::<String>();
    format!("{}…{}", part(&characters[..head]), part(&characters[characters.len() - tail..]))
}

/// A linear scale from values to pixels. Values outside the range are clamped.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) from: (f64, f64),
    pub(crate) to: (f64, f64),
}

impl Scale {
    pub(crate) fn at(&self, value: f64) -> f64 {
        let share = (value - self.from.0) / (self.from.1 - self.from.0);
        self.to.0 + share.clamp(0.0, 1.0) * (self.to.1 - self.to.0)
    }
}

/// Returns about `count` round numbers in a range.
pub(crate) fn ticks((from, to): (f64, f64), count: usize) -> Vec<f64> {
    let span = to - from;
    if span <= 0.0 || span.is_nan() || count == 0 {
        return Vec::new();
    }
    let rough = span / count as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 5.0, 10.0].into_iter().map(|m| m * power).find(|s| *s >= rough * 0.999).unwrap_or(10.0 * power);
    let first = (from / step - 1e-9).ceil() as i64;
    let last = (to / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

/// Returns heights for labels: as near as possible to the wanted ones, at least `gap` apart, inside the range.
pub(crate) fn spread(wanted: &[f64], gap: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut placed: Vec<f64> = order.iter().map(|&i| wanted[i]).collect();
    // Push labels apart symmetrically until all have room. A few rounds suffice for a few labels.
    for _ in 0..200 {
        for i in 1..placed.len() {
            let lack = gap - (placed[i] - placed[i - 1]);
            if lack > 0.0 {
                placed[i - 1] -= lack / 2.0;
                placed[i] += lack / 2.0;
            }
        }
    }
    // Then clamp both ends; a label pushes only those in its way.
    let mut floor = top;
    for y in &mut placed {
        *y = y.max(floor);
        floor = *y + gap;
    }
    let mut ceiling = bottom;
    for y in placed.iter_mut().rev() {
        *y = y.min(ceiling);
        ceiling = *y - gap;
    }
    let mut result = vec![0.0; wanted.len()];
    order.into_iter().zip(placed).for_each(|(i, y)| result[i] = y);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks((0.0, 1.0), 5), [0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        assert_eq!(ticks((-1.0, 1.0), 4), [-1.0, -0.5, 0.0, 0.5, 1.0]);
        assert!(ticks((1.0, 1.0), 4).is_empty());
    }

    #[test]
    fn labels_do_not_collide() {
        let placed = spread(&[10.0, 11.0, 12.0, 90.0], 12.0, (0.0, 100.0));
        let mut sorted = placed.clone();
        sorted.sort_by(f64::total_cmp);
        assert!(sorted.windows(2).all(|w| w[1] - w[0] > 11.9), "{placed:?}");
        assert!((placed[3] - 90.0).abs() < 1e-9);
    }

    #[test]
    fn long_names_lose_their_middle() {
        assert_eq!(shorten("deit_small_patch16_224", 11), "deit_…6_224");
        assert_eq!(shorten("resnet50", 11), "resnet50");
    }

    #[test]
    fn scales_hold_values_inside() {
        let scale = Scale { from: (-1.0, 1.0), to: (0.0, 100.0) };
        assert_eq!((scale.at(-3.0), scale.at(0.0), scale.at(2.0)), (0.0, 50.0, 100.0));
    }
}
