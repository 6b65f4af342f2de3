//! Writes numbers and names. The minus sign is "−"; a missing value is "–".

use hard_imagenet_metrics::{Estimate, Unit};

/// The mark of a missing number.
pub(crate) const MISSING: &str = "–";

/// Writes a value without the sign of its unit: 0.7724 is "77.2" in percent and "0.77" as a number.
pub(crate) fn value(value: f64, unit: Unit) -> String {
    let text = match unit {
        Unit::Percent | Unit::Points => format!("{:.1}", value * 100.0),
        Unit::Number => format!("{value:.2}"),
    };
    // "-0.0" is written as 0.0.
    if text.trim_start_matches(['-', '0', '.']).is_empty() { text.replace('-', "") } else { text.replace('-', "−") }
}

/// Writes the value of an estimate that may be missing.
pub(crate) fn estimate(estimate: Option<Estimate>, unit: Unit) -> String {
    estimate.map_or(MISSING.to_owned(), |e| value(e.value, unit))
}

/// Writes an interval: "74.1–80.1", or "−0.84 to −0.73" with "to" because of the signs.
pub(crate) fn interval(e: Estimate, unit: Unit) -> String {
    let (low, high) = (value(e.low, unit), value(e.high, unit));
    if low.starts_with('−') || high.starts_with('−') {
        format!("{low} to {high}")
    } else {
        format!("{low}–{high}")
    }
}

/// Returns the sign of a unit with the space before it.
pub(crate) fn sign(unit: Unit) -> &'static str {
    match unit {
        Unit::Percent => "\u{a0}%",
        Unit::Points => "\u{a0}points",
        Unit::Number => "",
    }
}

/// Writes a count: "1 sample", "2 samples".
pub(crate) fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// Writes a value with its interval: "77.2 % (74.1–80.1)".
pub(crate) fn full(e: Estimate, unit: Unit) -> String {
    format!("{}{} ({})", value(e.value, unit), sign(unit), interval(e, unit))
}

/// Escapes text for the content and the quoted attributes of HTML and SVG.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML does not allow control characters, and HTML has no use for them.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Escapes a name for HTML and allows line breaks between its parts.
pub(crate) fn breakable(name: &str) -> String {
    let escaped = escape(name);
    let parts = |c| matches!(c, '_' | '.' | '/');
    escaped.split_inclusive(parts).collect::<Vec<_>>().join("<wbr/>")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(x: f64, unit: Unit, expected: &str) {
        assert_eq!(value(x, unit), expected);
    }

    #[test]
    fn numbers() {
        check(0.7724, Unit::Percent, "77.2");
        check(-0.0001, Unit::Points, "0.0");
        check(-0.05, Unit::Points, "−5.0");
        check(-0.794, Unit::Number, "−0.79");
        check(1.0, Unit::Number, "1.00");
    }

    #[test]
    fn intervals() {
        let e = |low, value, high| Estimate { value, low, high, n: 9 };
        assert_eq!(full(e(0.741, 0.772, 0.801), Unit::Percent), "77.2\u{a0}% (74.1–80.1)");
        assert_eq!(full(e(-0.84, -0.79, 0.1), Unit::Number), "−0.79 (−0.84 to 0.10)");
        assert_eq!(estimate(None, Unit::Number), "–");
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(escape("<a href=\"x\">'&'\u{1}"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;\u{fffd}");
    }
}
