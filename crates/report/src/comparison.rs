//! Comparisons of two runs on the same samples.

use crate::csv::quote;
use crate::html::opening;
use crate::markdown;
use crate::write::{self, escape};
use hard_imagenet_metrics::{
    Averaging, Comparison, Difference, Effect, Metric, MetricDescription, Options, Unit, compare_with, metrics,
};
use hard_imagenet_runs::{Conditions, Run};
use std::fmt::Write;

/// A comparison of two runs on the same samples: the differences of all scores, first minus second.
#[derive(Clone, Debug)]
pub struct RunComparison {
    first: String,
    second: String,
    comparison: Comparison,
    metrics: Vec<MetricDescription>,
    words: Conditions,
}

/// A line of the tables: a metric under a condition, averaged as the metric is quoted.
struct Line<'a> {
    metric: &'a MetricDescription,
    difference: &'a Difference,
    effect: Effect,
}

impl RunComparison {
    /// Compares two runs by the built-in metrics.
    pub fn new(first: &Run, second: &Run) -> Self {
        Self::with_metrics(first, second, &[])
    }

    /// Compares two runs by the built-in metrics and by others.
    pub fn with_metrics(first: &Run, second: &Run, further: &[&dyn Metric]) -> Self {
        let all: Vec<&dyn Metric> = metrics().map(|metric| metric as _).chain(further.iter().copied()).collect();
        let mut comparison = compare_with(first.records(), second.records(), &Options::default(), &all);
        let words = Conditions::new([first.description(), second.description()]);
        comparison.sort_conditions(|a, b| words.compare(a, b));
        let metrics = all.iter().map(|metric| MetricDescription::from(metric.meta())).collect();
        let [first, second] = names(first, second);
        Self { first, second, comparison, metrics, words }
    }

    /// Returns the number of samples that both runs have. Only these are compared.
    pub fn samples(&self) -> usize {
        self.comparison.samples
    }

    /// Returns the differences.
    pub fn differences(&self) -> &Comparison {
        &self.comparison
    }

    fn metric(&self, id: &str) -> Option<&MetricDescription> {
        self.metrics.iter().find(|metric| metric.id == id)
    }

    fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        self.comparison.metrics.iter().flat_map(|differences| {
            let metric = self.metric(&differences.id);
            differences.differences.iter().filter_map(move |difference| {
                let metric = metric?;
                let effect = match metric.average {
                    Averaging::Sample => difference.sample_mean,
                    Averaging::Class => difference.class_mean,
                }?;
                Some(Line { metric, difference, effect })
            })
        })
    }

    fn title(&self) -> String {
        format!("{} against {}", self.first, self.second)
    }

    fn about(&self) -> String {
        let options = &self.comparison.options;
        format!(
            "Differences are {} − {} on the {} that both runs have. Intervals cover {:.0} % and come from a bootstrap that draws \
             images with all their conditions in both runs. p is computed by permutation and, for accuracies of one trial, \
             also by McNemar’s exact test. d is the difference in standard deviations of the differences of single images. \
             The last column is the number of images that would show such a difference four times out of five. Many lines \
             are many tests: some values of p below 0.05 are due to chance.",
            self.first,
            self.second,
            write::count(self.comparison.samples, "image"),
            100.0 * options.confidence
        )
    }

    /// Returns the differences as a Markdown table.
    pub fn markdown(&self) -> String {
        let mut out = format!("# {}\n\n{}\n\n", markdown::escape(&self.title()), markdown::escape(&self.about()));
        out.push_str("| metric | condition | difference | p | McNemar | d | images |\n|:--|:--|--:|--:|--:|--:|--:|\n");
        for Line { metric, difference, effect } in self.lines() {
            let full = write::full(effect.estimate, unit(metric));
            let _ = writeln!(
                out,
                "| {} | {} | {} | {} | {} | {} | {} |",
                markdown::escape(&metric.title),
                markdown::escape(&self.words.title(&difference.condition)),
                full,
                markdown::escape(&p(effect.p)),
                markdown::escape(&mcnemar(difference)),
                size(&effect),
                needed(&effect)
            );
        }
        out
    }

    /// Returns every difference as comma-separated values, as [`csv`](crate::csv()) writes scores, with p-values (corrected
    /// for classes), effect sizes, and the number of images needed.
    pub fn csv(&self) -> String {
        let mut out = String::from(
            "first,second,metric,condition,average,class,difference,low,high,n,p,p_corrected,mcnemar_p,d,images_power_80,images_power_90\n",
        );
        for metric in &self.comparison.metrics {
            for difference in &metric.differences {
                let mut line = |average: &str, class: &str, effect: Option<Effect>| {
                    let Some(effect) = effect else { return };
                    let names = [&self.first, &self.second, &metric.id, &difference.condition, average, class];
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
                for (class, effect) in self.comparison.classes.iter().zip(&difference.classes) {
                    line("in", &class.name, *effect);
                }
            }
        }
        out
    }

    /// Returns all differences as JSON.
    pub fn json(&self) -> String {
        let value = serde_json::json!({
            "first": self.first,
            "second": self.second,
            "comparison": self.comparison,
        });
        format!("{value:#}\n")
    }

    /// Returns one HTML page of the differences, which works offline.
    pub fn html(&self) -> String {
        let mut out = opening(&self.title(), &self.about(), "");
        out.push_str("<div class=\"scroll\"><table class=\"headline\">\n<thead>\n<tr><th class=\"name\">Metric</th>");
        out.push_str("<th class=\"name\">Condition</th><th>difference</th><th>p</th><th>McNemar</th><th>d</th>");
        out.push_str("<th>images for 80 %</th></tr>\n</thead>\n");
        let lines: Vec<Line<'_>> = self.lines().collect();
        for group in lines.chunk_by(|a, b| a.metric.id == b.metric.id) {
            out.push_str("<tbody>\n");
            for (i, Line { metric, difference, effect }) in group.iter().enumerate() {
                let name = if i == 0 { escape(&metric.title) } else { String::new() };
                let sign = write::sign(unit(metric));
                // Differences whose interval excludes 0 are bold.
                let sure = effect.estimate.low > 0.0 || effect.estimate.high < 0.0;
                let value = format!("{}{sign}", write::value(effect.estimate.value, unit(metric)));
                let _ = writeln!(
                    out,
                    "<tr><th class=\"name\" title=\"{}\">{name}</th><td style=\"text-align:left\">{}</td>\
                 <td>{}<small>{}</small></td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                    escape(&metric.description),
                    escape(&self.words.title(&difference.condition)),
                    if sure { format!("<b>{value}</b>") } else { value },
                    write::interval(effect.estimate, unit(metric)),
                    escape(&p(effect.p)),
                    escape(&mcnemar(difference)),
                    size(effect),
                    needed(effect)
                );
            }
            out.push_str("</tbody>\n");
        }
        out.push_str("</table></div>\n");
        self.classes(&mut out);
        out.push_str("</main>\n</body>\n</html>\n");
        out
    }

    /// Writes the classes in which a difference remains significant after correction.
    fn classes(&self, out: &mut String) {
        out.push_str(
            "<h2>Classes that differ</h2>\n<p class=\"caption\">Differences in single classes with p below 0.05 after \
                  Holm’s correction over the classes.</p>\n<ul>\n",
        );
        let mut any = false;
        for differences in &self.comparison.metrics {
            let Some(metric) = self.metric(&differences.id) else { continue };
            for difference in &differences.differences {
                for (class, effect) in self.comparison.classes.iter().zip(&difference.classes) {
                    let Some(effect) = effect.filter(|effect| effect.p_corrected.is_some_and(|p| p < 0.05)) else {
                        continue;
                    };
                    any = true;
                    let _ = writeln!(
                        out,
                        "<li>{}: {}, {}: {} (p {})</li>",
                        escape(&class.name),
                        escape(&metric.title),
                        escape(&self.words.title(&difference.condition)),
                        escape(&write::full(effect.estimate, unit(metric))),
                        escape(&p(effect.p_corrected.unwrap_or(1.0)))
                    );
                }
            }
        }
        out.push_str(if any { "</ul>\n" } else { "</ul>\n<p>There are none.</p>\n" });
    }
}

/// Returns the models' names; if they are equal, with what distinguishes the runs.
fn names(first: &Run, second: &Run) -> [String; 2] {
    let descriptions = [first.description(), second.description()];
    let [a, b] = descriptions;
    if a.model != b.model {
        return descriptions.map(|d| d.model.clone());
    }
    if a.preset != b.preset {
        return descriptions.map(|d| format!("{} ({})", d.model, d.preset));
    }
    if a.seed != b.seed {
        return descriptions.map(|d| format!("{} (seed {})", d.model, d.seed));
    }
    [first, second].map(|run| format!("{} ({})", a.model, run.folder().display()))
}

/// Returns the unit of a difference: a difference of shares is in points.
fn unit(metric: &MetricDescription) -> Unit {
    if metric.unit == Unit::Percent { Unit::Points } else { metric.unit }
}

/// Writes a p-value: "0.013", "< 0.001".
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

#[cfg(test)]
mod tests {
    use super::*;
    use hard_imagenet_metrics::Record;

    fn comparison() -> RunComparison {
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
        let all: Vec<&dyn Metric> = metrics().map(|metric| metric as _).collect();
        RunComparison {
            first: "a|b".into(),
            second: "c".into(),
            comparison: compare_with(&run(30), &run(10), &Options::default(), &all),
            metrics: all.iter().map(|metric| MetricDescription::from(metric.meta())).collect(),
            words: Conditions::built_in(),
        }
    }

    #[test]
    fn differences_in_words() {
        let text = comparison().markdown();
        assert!(text.starts_with("# a\\|b against c\n"), "{text}");
        assert!(text.contains("| Accuracy | object gray | 50.0\u{a0}points"), "{text}");
        assert!(text.contains("&lt; 0.001"), "{text}");
    }

    #[test]
    fn every_form_holds_the_numbers() {
        let comparison = comparison();
        let csv = comparison.csv();
        assert!(csv.lines().any(|line| line.starts_with("a|b,c,accuracy,gray,sample,,0.5,")), "{csv}");
        assert!(csv.lines().any(|line| line.starts_with("a|b,c,drop,gray,in,dog <sled>,-0.5,")), "{csv}");
        let json: serde_json::Value = serde_json::from_str(&comparison.json()).unwrap();
        assert_eq!(json["comparison"]["samples"], 40);
        let page = comparison.html();
        assert!(page.contains("dog &lt;sled&gt;: Accuracy, object gray") && page.ends_with("</html>\n"), "{page}");
    }

    #[test]
    fn p_values_are_never_zero() {
        assert_eq!([p(0.0004), p(0.0125), p(1.0)], ["< 0.001", "0.013", "1.000"]);
    }
}
