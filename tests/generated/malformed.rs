//! `malformed.md`.

use gatecrash_core::faults::malformed::{Dial, KINDS, KindInfo};
use gatecrash_core::survey::conditions;

use super::page::{Page, code};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Malformed responses",
        "The kinds of the fault [`malformed`](faults.md#malformed). The link writes them on the raw \
         socket, without asking any HTTP library, in the place of the upstream's answer. The rule is the \
         one that is broken, and where it stands. What gateways make of it was measured on the Debian 12 \
         packages nginx 1.22.1 and HAProxy 2.6.12, on GET through one upstream without retries; \"cut\" \
         means that the client sees the end of the message missing.",
    );
    page.code("yaml", &format!("inject:\n  - fault: {{ malformed: {{ kind: {} }} }}", KINDS[0].name));
    let mut groups: Vec<&str> = KINDS.iter().map(|k| k.group).collect();
    groups.dedup();
    for group in groups {
        let (title, about) = words(group);
        page.heading(2, title);
        page.text(about);
        let of_group = KINDS.iter().filter(|k| k.group == group);
        let rows: Vec<_> = of_group.map(row).collect();
        page.table(["kind", "on the wire", "rule", "imitates", "gateways"], &rows);
    }
    page.heading(2, "Faults of their own");
    page.text(
        "Conditions that are no rewritten answers, as `gatecrash survey` names them, and the \
         [fault](faults.md) that makes each.",
    );
    let own = conditions().into_iter().filter(|c| !c.fault.starts_with("malformed:"));
    let rows: Vec<_> = own.map(|c| [code(&c.name), code(&c.fault)]).collect();
    page.table(["condition", "fault"], &rows);
    page.finish()
}

fn row(kind: &KindInfo) -> [String; 5] {
    let amount = match kind.dial {
        Dial::Fixed => "",
        Dial::Size(_) => " Takes `size`.",
        Dial::Count(_) => " Takes `count`.",
    };
    let what = format!("{}{amount}", kind.what);
    [code(kind.name), what, kind.rule.into(), kind.imitates.into(), kind.gateways.into()]
}

/// A group as title and sentence.
fn words(group: &str) -> (&'static str, &'static str) {
    match group {
        "raw" => ("No HTTP at all", "Bytes that do not begin like a response."),
        "partial" => ("Heads without an end", "The head begins as it should and never comes to its end."),
        "status_line" => ("Status line", "The first line is wrong, the rest is as it was."),
        "headers" => ("Header lines", "Header syntax and header sizes."),
        "framing" => ("Framing", "What says how long the body is."),
        "chunked" => ("Chunks", "The body is sent in chunks, one of which is wrong."),
        "body" => ("Bodies", "Bytes where none belong, and bodies that are not what their head says."),
        "interim" => ("Interim responses", "1xx responses before the answer, or in its place."),
        other => panic!("the group {other} needs a title"),
    }
}
