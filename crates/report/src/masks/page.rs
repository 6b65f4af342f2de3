use super::columns::{COLUMNS, classes};
use super::{MaskStats, figures};
use crate::html;
use crate::write::{self, escape};
use std::fmt::Write;

/// One HTML file about the masks of one or more datasets: sizes, places, mean masks, what the crop keeps. It works
/// offline, as the page of [`html`](crate::html()) does.
pub fn masks_html(all: &[MaskStats]) -> String {
    let names: Vec<&str> = all.iter().map(|stats| stats.dataset.as_str()).collect();
    let title = if names.is_empty() { "no datasets".to_owned() } else { format!("Masks of {}", names.join(", ")) };
    let mut out = html::opening(
        &title,
        "How large are the objects, where do they lie, and how much of them does the crop keep? Small objects off \
         the centre are easily overlooked for what surrounds them.",
        &style(),
    );
    for stats in all.iter().filter(|stats| stats.failed() > 0) {
        let (failed, of) = (stats.failed(), write::count(stats.masks.len(), "mask"));
        let first = stats.masks.iter().find_map(|row| row.error.as_deref()).unwrap_or_default();
        let _ = writeln!(
            out,
            "<p class=\"warning\"><b>{}:</b> {failed} of {of} could not be measured, the first because: {}</p>",
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
        "Left and middle, the share of the picture that is object; right, the share of the object that the crop keeps, \
         by the definition named below. A violin ends at the smallest and largest value; the dot is the median, given \
         at the right, the line spans half of the masks.",
    );
    out.push_str("<h2>Where the objects lie</h2>\n");
    figure(
        &mut out,
        &figures::centroids(all),
        "Each dot is the centroid of an object in the transformed picture, the cross the centre. Distances are in units \
         of half the diagonal.",
    );
    for (place, stats) in all.iter().enumerate().filter(|(_, stats)| stats.count(None) > 0) {
        let _ = writeln!(out, "<h2><span class=\"key m{}\"></span>{}</h2>", place % 8, escape(&stats.dataset));
        figure(
            &mut out,
            &figures::by_class(stats, place),
            "Classes from the smallest mean object to the largest. Dot: median, given at the right; thick line: half of \
             the masks; thin line: all.",
        );
        if let Some(svg) = figures::averages(stats, place) {
            figure(
                &mut out,
                &svg,
                "Mean mask of each class and the number of masks: the stronger the colour, the more often that place \
                 is object (ten levels).",
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

/// What this page has beyond the style of all pages: tiles, and a colour for each class.
fn style() -> String {
    let mut css = String::from(
        "svg .tile { fill: var(--panel); }\nsvg .level { fill: var(--c); }\n.facts { margin-top: 18px; }\n",
    );
    for i in 0..figures::COLOURS {
        // Steps of the golden angle: neighbours differ, however many classes there are.
        let _ = writeln!(css, ".c{i} {{ --c: hsl({:.0} 62% {}%); }}", (i as f64 * 137.508) % 360.0, 42 + i % 3 * 9);
    }
    css
}
