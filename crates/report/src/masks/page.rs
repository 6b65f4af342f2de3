use super::columns::{COLUMNS, classes};
use super::{MaskStats, figures};
use crate::html;
use crate::write::{self, escape};
use std::fmt::Write;

/// Writes one HTML file about the masks of one or more datasets: their sizes and positions, the mean masks, and what the
/// crop keeps. It works offline, like the page of [`html`](crate::html()).
pub fn masks_html(all: &[MaskStats]) -> String {
    let names: Vec<&str> = all.iter().map(|stats| stats.dataset.as_str()).collect();
    let title = if names.is_empty() { "no datasets".to_owned() } else { format!("Masks of {}", names.join(", ")) };
    let mut out = html::opening(
        &title,
        "How large are the objects, where do they lie, and how much of them does the crop keep? A model can easily \
         overlook a small object away from the center and use its surroundings instead.",
        &style(),
    );
    for stats in all.iter().filter(|stats| stats.failed() > 0) {
        let (failed, of) = (stats.failed(), write::count(stats.masks.len(), "mask"));
        let first = stats.masks.iter().find_map(|row| row.error.as_deref()).unwrap_or_default();
        let _ = writeln!(
            out,
            "<p class=\"warning\"><b>{}:</b> {failed} of {of} could not be measured. The first error: {}</p>",
            escape(&stats.dataset),
            escape(first)
        );
    }
    if all.iter().all(|stats| stats.count(None) == 0) {
        out.push_str(
            "<p class=\"note\">There is nothing to report: no mask was measured.</p>\n</main>\n</body>\n</html>\n",
        );
        return out;
    }
    let figure = |out: &mut String, svg: &str, caption: &str| {
        let _ = writeln!(out, "<figure>\n{svg}<figcaption>{caption}</figcaption>\n</figure>");
    };
    figure(
        &mut out,
        &figures::overview(all),
        "Left and middle: the share of the image that is object. Right: the share of the object that the crop keeps, by \
         the definition stated below. Each violin ends at the smallest and the largest value. The dot is the median, \
         which is also printed at the right; the line spans half of the masks.",
    );
    out.push_str("<h2>Where the objects lie</h2>\n");
    figure(
        &mut out,
        &figures::centroids(all),
        "Each dot is the centroid of an object in the transformed image; the cross is the center. Distances are in \
         units of half the diagonal.",
    );
    for (place, stats) in all.iter().enumerate().filter(|(_, stats)| stats.count(None) > 0) {
        let _ = writeln!(out, "<h2><span class=\"key m{}\"></span>{}</h2>", place % 8, escape(&stats.dataset));
        figure(
            &mut out,
            &figures::by_class(stats, place),
            "Classes from the smallest mean object to the largest. The dot is the median, which is also printed at the \
             right. The thick line spans half of the masks, the thin line all of them.",
        );
        if let Some(svg) = figures::averages(stats, place) {
            figure(
                &mut out,
                &svg,
                "Mean mask of each class and the number of masks. The stronger the color, the more often the position is \
                 object (ten levels).",
            );
        }
        table(&mut out, stats);
        out.push_str("<dl class=\"facts\">\n");
        for (name, value) in &stats.facts {
            let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
        }
        out.push_str("</dl>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn table(out: &mut String, stats: &MaskStats) {
    out.push_str("<div class=\"scroll\"><table class=\"classes\"><thead><tr><th class=\"name\">Class</th><th>n</th>");
    COLUMNS.iter().for_each(|column| _ = write!(out, "<th>{}</th>", column.name()));
    out.push_str("</tr></thead>\n<tbody>\n");
    let mut row = |name: &str, class: Option<usize>| {
        let _ = write!(out, "<tr><th class=\"name\">{}</th><td>{}</td>", escape(name), stats.count(class));
        COLUMNS.iter().for_each(|column| _ = write!(out, "<td>{}</td>", column.text(stats, class)));
        out.push_str("</tr>\n");
    };
    classes(stats).into_iter().for_each(|class| row(&stats.classes[class].name, Some(class)));
    row("all", None);
    out.push_str("</tbody></table></div>\n");
}

/// Returns the additions to the style sheet of all pages: tiles, and a color for each class.
fn style() -> String {
    let mut css = String::from(
        "svg .tile { fill: var(--panel); }\nsvg .level { fill: var(--c); }\n.facts { margin-top: 18px; }\n",
    );
    for i in 0..figures::COLORS {
        // Steps of the golden angle: neighboring colors differ, however many classes there are.
        let _ = writeln!(css, ".c{i} {{ --c: hsl({:.0} 62% {}%); }}", (i as f64 * 137.508) % 360.0, 42 + i % 3 * 9);
    }
    css
}
