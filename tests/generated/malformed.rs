//! `malformed.md`.

use gatecrash_core::faults::malformed::KINDS;

use super::page::{Page, code};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Malformed responses",
        "The kinds of the fault [`malformed`](faults.md#malformed). The link writes them on the raw \
         socket, without asking any HTTP library, in the place of the upstream's answer. The rule is the \
         one that is broken, and where it stands.",
    );
    page.code("yaml", &format!("inject:\n  - fault: {{ malformed: {{ kind: {} }} }}", KINDS[0].name));
    let mut groups: Vec<&str> = KINDS.iter().map(|k| k.group).collect();
    groups.dedup();
    for group in groups {
        let (title, about) = words(group);
        page.heading(2, title);
        page.text(about);
        let of_group = KINDS.iter().filter(|k| k.group == group);
        let rows: Vec<_> = of_group.map(|k| [code(k.name), k.what.to_owned(), k.rule.to_owned()]).collect();
        page.table(["kind", "on the wire", "rule"], &rows);
    }
    page.finish()
}

/// A group as title and sentence.
fn words(group: &str) -> (&'static str, &'static str) {
    match group {
        "raw" => ("No HTTP at all", "Bytes that do not begin like a response."),
        "status_line" => ("Status line", "The first line is wrong, the rest is as it was."),
        "headers" => ("Header lines", "Header syntax and header sizes."),
        "framing" => ("Framing", "What says how long the body is."),
        "chunked" => ("Chunks", "The body is sent in chunks, one of which is wrong."),
        "body" => ("Bodies", "Bytes where none belong."),
        "interim" => ("Interim responses", "1xx responses before the answer, or in its place."),
        other => panic!("the group {other} needs a title"),
    }
}
