use crate::page::Page;
use crate::table::{Column, columns};
use crate::versus::{unit, versus};
use crate::write;
use hard_imagenet_metrics::{Estimate, Unit};
use std::fmt::Write;

/// The headline table as LaTeX.
pub(crate) fn render(page: &Page) -> String {
    let columns = columns(page);
    let mut out = String::from("% \\usepackage{booktabs}\n");
    let _ = writeln!(out, "\\begin{{tabular}}{{l{}}}\n\\toprule", "r".repeat(columns.len()));
    let (groups, rules) = groups(&columns);
    let _ = writeln!(out, "{groups} \\\\\n{rules}");
    out.push_str("Model");
    columns.iter().for_each(|c| _ = write!(out, " & {}", escape(&c.head)));
    out.push_str(" \\\\\n");
    for (dataset, name) in page.datasets.iter().enumerate() {
        let _ =
            writeln!(out, "\\midrule\n\\multicolumn{{{}}}{{l}}{{\\emph{{{}}}}} \\\\", columns.len() + 1, escape(name));
        for run in page.runs.iter().filter(|r| r.dataset == dataset) {
            out.push_str(&escape(&run.label));
            columns.iter().for_each(|c| _ = write!(out, " & {}", cell(c.estimate(run), c.unit())));
            out.push_str(" \\\\\n");
        }
    }
    for versus in versus(page) {
        let title = escape(&versus.title);
        let columns_all = columns.len() + 1;
        let _ = writeln!(out, "\\midrule\n\\multicolumn{{{columns_all}}}{{l}}{{\\emph{{{title}, points}}}} \\\\");
        for row in &versus.rows {
            out.push_str(&escape(&row.run.label));
            columns.iter().for_each(|c| _ = write!(out, " & {}", cell(row.estimate(c), unit(c.unit()))));
            out.push_str(" \\\\\n");
        }
    }
    out.push_str("\\bottomrule\n\\end{tabular}\n");
    out
}

/// Returns the row of group heads above the columns, and the rules below it.
fn groups(columns: &[Column]) -> (String, String) {
    let (mut heads, mut rules, mut at) = (String::new(), String::new(), 2);
    for group in columns.chunk_by(|a, b| a.group == b.group) {
        let unit = match group[0].unit() {
            Unit::Percent => " (\\%)",
            Unit::Points => " (points)",
            Unit::Number => "",
        };
        let _ = write!(heads, " & \\multicolumn{{{}}}{{c}}{{{}{unit}}}", group.len(), escape(&group[0].group));
        let _ = write!(rules, "\\cmidrule(lr){{{at}-{}}}", at + group.len() - 1);
        at += group.len();
    }
    (heads, rules)
}

fn cell(estimate: Option<Estimate>, unit: Unit) -> String {
    let Some(e) = estimate else { return "--".to_owned() };
    let number = |x| write::value(x, unit).replace('−', "-");
    format!("${}$ {{\\tiny $[{}, {}]$}}", number(e.value), number(e.low), number(e.high))
}

fn escape(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => format!("\\{c}"),
            '\\' => "\\textbackslash{}".to_owned(),
            '~' => "\\textasciitilde{}".to_owned(),
            '^' => "\\textasciicircum{}".to_owned(),
            'Δ' => "$\\Delta$".to_owned(),
            '∞' => "$_\\infty$".to_owned(),
            'ℓ' => "$\\ell$".to_owned(),
            '·' => "$\\cdot$".to_owned(),
            '−' => "$-$".to_owned(),
            c => c.to_string(),
        })
        .collect()
}
