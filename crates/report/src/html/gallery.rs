use crate::page::{Page, Run};
use crate::write::escape;
use crate::{CaseKind, GalleryCase};
use base64::{Engine, engine::general_purpose::STANDARD};
use std::fmt::Write;

/// Best and worst cases of each run, pictures side by side.
pub(super) fn gallery(out: &mut String, page: &Page) {
    if page.runs.iter().all(|r| r.input.gallery.is_empty()) {
        return;
    }
    out.push_str("<h2>Cases</h2>\n");
    for run in page.runs.iter().filter(|r| !r.input.gallery.is_empty()) {
        let _ = writeln!(out, "<h3><span class=\"key m{}\"></span>{}</h3>", run.model % 8, escape(&page.title(run)));
        out.push_str("<div class=\"gallery\">\n");
        cases(out, run, CaseKind::Worst, "Where it relied on the object least");
        cases(out, run, CaseKind::Best, "Where it relied on the object most");
        out.push_str("</div>\n");
    }
}

fn cases(out: &mut String, run: &Run, kind: CaseKind, title: &str) {
    let cases: Vec<&GalleryCase> = run.input.gallery.iter().filter(|c| c.kind == kind).collect();
    if cases.is_empty() {
        return;
    }
    let _ = writeln!(out, "<section>\n<h4>{title}</h4>");
    for case in cases {
        let _ = writeln!(out, "<div class=\"case\"><p><b>{}</b> {}</p>", escape(&case.title), escape(&case.caption));
        out.push_str("<div class=\"pictures\">");
        for picture in &case.pictures {
            let label = escape(&picture.label);
            let alt = escape(&format!("{}: {}", case.title, picture.label));
            let kind = if picture.file.starts_with(b"\x89PNG") { "png" } else { "jpeg" };
            let data = STANDARD.encode(&picture.file);
            let _ = write!(
                out,
                "<figure><img alt=\"{alt}\" loading=\"lazy\" src=\"data:image/{kind};base64,{data}\"/>\
                 <figcaption>{label}</figcaption></figure>"
            );
        }
        out.push_str("</div></div>\n");
    }
    out.push_str("</section>\n");
}
