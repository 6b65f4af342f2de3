//! Two runs on the same samples, in three forms.

use crate::csv::quote;
use crate::html::opening;
use crate::markdown;
use crate::write::{self, escape};
use hard_imagenet_metrics::{Averaging, Comparison, Difference, Effect, MetricMeta, Unit, meta};
use std::fmt::Write;

/// Two runs and their differences, first minus second.
#[derive(Clone, Debug)]
pub struct ComparisonInput {
    /// Names the first run: "resnet50".
    pub first: String,
    /// Names the second.
    pub second: String,
    /// What [`compare`](hard_imagenet_metrics::compare()) found.
    pub comparison: Comparison,
}

/// A line of the tables: a metric under a condition, over its own average.
struct Line<'a> {
    meta: &'static MetricMeta,
    difference: &'a Difference,
    effect: Effect,
}

impl ComparisonInput {
    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.comparison.metrics.iter().flat_map(|metric| {
            let meta = meta(&metric.id);
            metric.differences.iter().filter_map(move |difference| {
                let meta = meta?;
                let effect = match meta.average {
                    Averaging::Sample => difference.sample_mean,
                    Averaging::Class => difference.class_mean,
                }?;
                Some(Line { meta, difference, effect })
            })
        })
    }

    fn title(&self) -> String {
        format!("{} against {}", self.first, self.second)
    }

    fn about(&self) -> String {
        let options = &self.comparison.options;
        format!(
            "Differences are {} − {}, on the {} that both have: {:.0} % intervals of a bootstrap that draws images with all \
             their conditions in both runs; p by permutation, for accuracies of one trial also by McNemar’s exact test; \
             d the difference in standard deviations of the images’ differences; the last column says how many images \
             would show such a difference four times of five. Many lines are many tests: some p below 0.05 are chance.",
            self.first,
            self.second,
            write::count(self.comparison.samples, "image"),
            100.0 * options.confidence
        )
    }
}

/// Differences of shares are points.
fn unit(meta: &MetricMeta) -> Unit {
    if meta.unit == Unit::Percent { Unit::Points } else { meta.unit }
}

/// "0.013", "< 0.001".
fn p(p: f64) -> String {
    if p < 0.001 { "< 0.001".to_owned() } else { format!("{p:.3}") }
}

fn size(effect: &Effect) -> String {
    effect.size.map_or(write::MISSING.to_owned(), |size| write::value(size, Unit::Number))
}

fn needed(effect: &Effect) -> String {
    effect.images_needed.map_or(write::MISSING.to_owned(), |needed| needed.power_80.to_string())
}

fn mcnemar(difference: &Difference) -> String {
    difference.mcnemar.map_or(write::MISSING.to_owned(), |test| p(test.exact_p))
}

/// The differences of two runs as a Markdown table.
pub fn comparison_markdown(input: &ComparisonInput) -> String {
    let mut out = format!("# {}\n\n{}\n\n", markdown::escape(&input.title()), markdown::escape(&input.about()));
    out.push_str("| metric | condition | difference | p | McNemar | d | images |\n|:--|:--|--:|--:|--:|--:|--:|\n");
    for Line { meta, difference, effect } in input.lines() {
        let full = write::full(effect.estimate, unit(meta));
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} | {} | {} | {} |",
            markdown::escape(meta.title),
            markdown::escape(&write::condition(&difference.condition)),
            full,
            markdown::escape(&p(effect.p)),
            markdown::escape(&mcnemar(difference)),
            size(&effect),
            needed(&effect)
        );
    }
    out
}

/// Every difference as comma-separated values, as [`csv`](crate::csv()) writes scores; with p-values, those of classes
/// corrected, sizes, and images needed.
pub fn comparison_csv(input: &ComparisonInput) -> String {
    let mut out = String::from(
        "first,second,metric,condition,average,class,difference,low,high,n,p,p_corrected,mcnemar_p,d,images_power_80,images_power_90\n",
    );
    for metric in &input.comparison.metrics {
        for difference in &metric.differences {
            let mut line = |average: &str, class: &str, effect: Option<Effect>| {
                let Some(effect) = effect else { return };
                let names = [&input.first, &input.second, &metric.id, &difference.condition, average, class];
                names.iter().for_each(|name| out.extend([quote(name).as_str(), ","]));
                let e = effect.estimate;
                let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
                let mcnemar = difference.mcnemar.filter(|_| average == "sample").map(|test| test.exact_p);
                let needed = effect.images_needed;
                let _ = writeln!(
                    out,
                    "{},{},{},{},{},{},{},{},{},{}",
                    e.value,
                    e.low,
                    e.high,
                    e.n,
                    effect.p,
                    text(effect.p_corrected),
                    text(mcnemar),
                    text(effect.size),
                    needed.map_or(String::new(), |needed| needed.power_80.to_string()),
                    needed.map_or(String::new(), |needed| needed.power_90.to_string())
                );
            };
            line("sample", "", difference.sample_mean);
            line("class", "", difference.class_mean);
            for (class, effect) in input.comparison.classes.iter().zip(&difference.classes) {
                line("in", &class.name, *effect);
            }
        }
    }
    out
}

/// All differences as JSON.
pub fn comparison_json(input: &ComparisonInput) -> String {
    let value = serde_json::json!({
        "first": input.first,
        "second": input.second,
        "comparison": input.comparison,
    });
    format!("{value:#}\n")
}

/// One page of the differences, which works offline.
pub fn comparison_html(input: &ComparisonInput) -> String {
    let mut out = opening(&input.title(), &input.about(), "");
    out.push_str("<div class=\"scroll\"><table class=\"headline\">\n<thead>\n<tr><th class=\"name\">Metric</th>");
    out.push_str("<th class=\"name\">Condition</th><th>difference</th><th>p</th><th>McNemar</th><th>d</th>");
    out.push_str("<th>images for 80 %</th></tr>\n</thead>\n");
    let lines: Vec<Line<'_>> = input.lines().collect();
    for group in lines.chunk_by(|a, b| a.meta.id == b.meta.id) {
        out.push_str("<tbody>\n");
        for (i, Line { meta, difference, effect }) in group.iter().enumerate() {
            let name = if i == 0 { escape(meta.title) } else { String::new() };
            let sign = write::sign(unit(meta));
            // What is surely on one side stands out.
            let sure = effect.estimate.low > 0.0 || effect.estimate.high < 0.0;
            let value = format!("{}{sign}", write::value(effect.estimate.value, unit(meta)));
            let _ = writeln!(
                out,
                "<tr><th class=\"name\" title=\"{}\">{name}</th><td style=\"text-align:left\">{}</td>\
                 <td>{}<small>{}</small></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                escape(meta.description),
                escape(&write::condition(&difference.condition)),
                if sure { format!("<b>{value}</b>") } else { value },
                write::interval(effect.estimate, unit(meta)),
                escape(&p(effect.p)),
                escape(&mcnemar(difference)),
                size(effect),
                needed(effect)
            );
        }
        out.push_str("</tbody>\n");
    }
    out.push_str("</table></div>\n");
    classes(&mut out, input);
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

/// Classes in which a difference stays after correction.
fn classes(out: &mut String, input: &ComparisonInput) {
    out.push_str(
        "<h2>Classes that differ</h2>\n<p class=\"caption\">Differences of single classes with p below 0.05 after \
                  Holm’s correction over the classes.</p>\n<ul>\n",
    );
    let mut any = false;
    for metric in &input.comparison.metrics {
        let Some(meta) = meta(&metric.id) else { continue };
        for difference in &metric.differences {
            for (class, effect) in input.comparison.classes.iter().zip(&difference.classes) {
                let Some(effect) = effect.filter(|effect| effect.p_corrected.is_some_and(|p| p < 0.05)) else {
                    continue;
                };
                any = true;
                let _ = writeln!(
                    out,
                    "<li>{}: {}, {}: {} (p {})</li>",
                    escape(&class.name),
                    escape(meta.title),
                    escape(&write::condition(&difference.condition)),
                    escape(&write::full(effect.estimate, unit(meta))),
                    escape(&p(effect.p_corrected.unwrap_or(1.0)))
                );
            }
        }
    }
    out.push_str(if any { "</ul>\n" } else { "</ul>\n<p>None does.</p>\n" });
}

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_metrics::{Options, Record, compare};

    fn input() -> ComparisonInput {
        let run = |kept: usize| -> Vec<Record> {
            let of = |sample: usize| {
                let record = |condition: &str, right: bool| Record {
                    sample: format!("val/{sample}"),
                    label: 0,
                    class: "dog <sled>".into(),
                    condition: condition.into(),
                    correct: Some(right),
                    ..Record::default()
                };
                [record("none", true), record("gray", sample < kept)]
            };
            (0..40).flat_map(of).collect()
        };
        let comparison = compare(&run(30), &run(10), &Options::default());
        ComparisonInput { first: "a|b".into(), second: "c".into(), comparison }
    }

    #[test]
    fn differences_in_words() {
        let text = comparison_markdown(&input());
        assert!(text.starts_with("# a\\|b against c\n"), "{text}");
        assert!(text.contains("| Accuracy | object gray | 50.0\u{a0}points"), "{text}");
        assert!(text.contains("&lt; 0.001"), "{text}");
    }

    #[test]
    fn every_form_holds_the_numbers() {
        let input = input();
        let csv = comparison_csv(&input);
        assert!(csv.lines().any(|line| line.starts_with("a|b,c,accuracy,gray,sample,,0.5,")), "{csv}");
        assert!(csv.lines().any(|line| line.starts_with("a|b,c,drop,gray,in,dog <sled>,-0.5,")), "{csv}");
        let json: serde_json::Value = serde_json::from_str(&comparison_json(&input)).unwrap();
        assert_eq!(json["comparison"]["samples"], 40);
        let page = comparison_html(&input);
        assert!(page.contains("dog &lt;sled&gt;: Accuracy, object gray") && page.ends_with("</html>\n"), "{page}");
    }

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!([p(0.0004), p(0.0125), p(1.0)], ["< 0.001", "0.013", "1.000"]);
    }
}
