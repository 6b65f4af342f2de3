//! A page about features: which of them are spurious, which classes are hard, and which images show the cues.

use crate::html;
use crate::write::{MISSING, count, escape};
use base64::{Engine, engine::general_purpose::STANDARD};
use hard_imagenet_findings::Finding;
use hard_imagenet_metrics::Estimate;
use hard_imagenet_runs::{RankingClass, RankingPage, SourceVerdict, Thumbnail};
use std::fmt::Write;

/// Writes one HTML file that works offline. It has a card for each class, as in the paper's figure, with the maps of its
/// features and its images of strong and weak cues side by side.
pub fn ranks_html(input: &RankingPage) -> String {
    let hard = input.classes.iter().filter(|class| class.hard).count();
    let lede = format!(
        "What does {} look at when it predicts a class? Of {}, {} {} only important features that look past the object.",
        escape(&input.model),
        count(input.classes.len(), "class").replace("classs", "classes"),
        hard,
        if hard == 1 { "has" } else { "have" },
    );
    let mut out = html::opening(&format!("Features on {}", input.dataset), &lede, STYLE);
    let found: Vec<(&Finding, String)> = input.findings.iter().map(|finding| (finding, String::new())).collect();
    html::findings::write(&mut out, &found);
    overview(&mut out, input);
    for class in &input.classes {
        card(&mut out, class);
    }
    out.push_str("<dl class=\"facts\">\n");
    for (name, value) in &input.facts {
        let _ = writeln!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(name), escape(value));
    }
    out.push_str("</dl>\n</main>\n</body>\n</html>\n");
    out
}

/// Writes a line for each class.
fn overview(out: &mut String, input: &RankingPage) {
    out.push_str(
        "<div class=\"scroll\"><table class=\"classes\"><thead><tr><th class=\"name\">Class</th><th>Spurious</th>\
         <th>Accuracy, strongest cues</th><th>weakest cues</th></tr></thead>\n<tbody>\n",
    );
    for class in &input.classes {
        let spurious =
            class.features.iter().filter(|f| f.verdicts.first().is_some_and(|v| v.spurious == Some(true))).count();
        let percent = |e: Option<&Option<Estimate>>| {
            e.copied().flatten().map_or(MISSING.to_owned(), |e| format!("{:.1}", 100.0 * e.value))
        };
        let _ = writeln!(
            out,
            "<tr><th class=\"name\">{}</th><td>{spurious} of {}</td><td>{}</td><td>{}</td></tr>",
            escape(&class.name),
            class.features.len(),
            percent(class.deciles.first()),
            percent(class.deciles.last())
        );
    }
    out.push_str("</tbody></table></div>\n<p class=\"note\">Accuracy in percent in the first and the last tenth of the ranking of the class.</p>\n");
}

fn card(out: &mut String, class: &RankingClass) {
    let mark = if class.hard { " <span class=\"hard\">hard</span>" } else { "" };
    let _ = writeln!(out, "<section class=\"card\"><h2>{}{mark}</h2>", escape(&class.name));
    for feature in &class.features {
        let focus =
            feature.focus.map_or(MISSING.to_owned(), |e| format!("{:.2} ({:.2} to {:.2})", e.value, e.low, e.high));
        let verdicts: Vec<String> = feature
            .verdicts
            .iter()
            .map(|SourceVerdict { source, spurious }| {
                let word = match spurious {
                    Some(true) => "spurious",
                    Some(false) => "core",
                    None => "open",
                };
                format!("<span class=\"v {word}\">{}: {word}</span>", escape(source))
            })
            .collect();
        let _ = writeln!(
            out,
            "<div class=\"feature\"><p><b>Feature {}</b><br/>importance {:.2}<br/>focus {focus}<br/>{}</p>",
            feature.feature,
            feature.importance,
            verdicts.join(" ")
        );
        strip(out, &feature.images);
        out.push_str("</div>\n");
    }
    out.push_str("<div class=\"ends\"><div><h3>Strongest spurious cues</h3>");
    strip(out, &class.strongest);
    out.push_str("</div><div><h3>Weakest</h3>");
    strip(out, &class.weakest);
    out.push_str("</div></div></section>\n");
}

fn strip(out: &mut String, images: &[Thumbnail]) {
    out.push_str("<div class=\"strip\">");
    for image in images {
        let (title, data) = (escape(&image.title), STANDARD.encode(&image.jpeg));
        let _ = write!(
            out,
            "<img alt=\"{title}\" title=\"{title}\" loading=\"lazy\" src=\"data:image/jpeg;base64,{data}\"/>"
        );
    }
    out.push_str("</div>");
}

const STYLE: &str = "
.card { border-top: 1px solid var(--rule, #8884); padding-top: 8px; }
.card h3 { font-size: 0.95em; margin: 8px 0 4px; }
.feature { display: flex; gap: 16px; align-items: flex-start; margin: 6px 0; }
.feature p { width: 210px; margin: 0; font-size: 0.86em; line-height: 1.45; flex: none; }
.strip { display: flex; flex-wrap: wrap; gap: 4px; }
.strip img { width: 96px; height: 96px; object-fit: cover; border-radius: 3px; }
.ends { display: grid; grid-template-columns: 1fr 1fr; gap: 24px; }
.v { white-space: nowrap; border-radius: 3px; padding: 0 5px; background: #8883; }
.v.spurious { background: #d9534f33; }
.v.core { background: #3a9d5d33; }
.hard { font-size: 0.6em; vertical-align: middle; border-radius: 3px; padding: 2px 6px; background: #d9534f33; }
@media (max-width: 700px) { .ends { grid-template-columns: 1fr; } .feature { flex-direction: column; gap: 4px; } }
";

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_runs::RankingFeature;

    #[test]
    fn the_page_shows_its_input() {
        let verdict = |source: &str, spurious| SourceVerdict { source: source.into(), spurious };
        let verdicts = vec![verdict("masks", Some(true)), verdict("votes", None)];
        let image = Thumbnail { jpeg: vec![1, 2, 3], title: "a <b>".into() };
        let feature = RankingFeature { feature: 417, verdicts, images: vec![image], ..RankingFeature::default() };
        let class =
            RankingClass { name: "dog & sled".into(), hard: true, features: vec![feature], ..RankingClass::default() };
        let input =
            RankingPage { model: "m".into(), dataset: "d".into(), classes: vec![class], ..RankingPage::default() };
        let page = ranks_html(&input);
        for text in ["dog &amp; sled", "Feature 417", "masks: spurious", "votes: open", "1 of 1", "AQID", "a &lt;b&gt;"]
        {
            assert!(page.contains(text), "{text}");
        }
        assert!(!page.contains("http"), "nothing is fetched");
    }
}
