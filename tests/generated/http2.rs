//! `http2.md`.

use gatecrash_core::faults::{HTTP2_KINDS, Http2KindInfo};
use gatecrash_core::rules::Point;

use super::page::{Page, code};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Misused HTTP/2",
        "The kinds of the fault [`http2`](faults.md#http2), for upstreams that the gateway speaks HTTP/2 to \
         (`http: h2c`). The link writes the frames itself, without asking any HTTP library. Each concerns one \
         stream; where it ends the connection, the streams beside it end by the same fault. What HAProxy \
         makes of it was measured on 2.6.12, on GET through one upstream.",
    );
    page.code(
        "yaml",
        &format!(
            "upstreams: {{ us-east-1: {{ http: h2c }} }}\ntimeline:\n  - phase: p\n    for: 2s\n    inject: [{{ \
             fault: {{ http2: {{ kind: {} }} }} }}]",
            HTTP2_KINDS[0].name
        ),
    );
    for (point, title, about) in [
        (Point::RequestHead, "On the request", "Done when the request's head has been read."),
        (
            Point::ResponseHead,
            "On the answer",
            "Done in the place of the answer, which the upstream has given.",
        ),
    ] {
        page.heading(2, title);
        page.text(about);
        let of_point = HTTP2_KINDS.iter().filter(|k| k.point == point);
        let rows: Vec<_> = of_point.map(row).collect();
        page.table(["kind", "on the wire", "rule", "HAProxy"], &rows);
    }
    page.heading(2, "Other faults on HTTP/2");
    page.text(
        "Delays, paces, stalls and silence concern one stream. `slow-head` holds the head for as long as its \
         trickle would take, since no frame of another stream may stand inside a head. What closes or resets \
         the connection in HTTP/1.1 does so here, with all its streams: `reset`, `close`, `truncate`, \
         `close-on-reuse` and `idle-close`, which waits until no stream is open. [Malformed \
         responses](malformed.md) are of HTTP/1.1: they never fire here, and a scenario that aims them at \
         such upstreams alone is refused.",
    );
    page.finish()
}

fn row(kind: &Http2KindInfo) -> [String; 4] {
    [code(kind.name), kind.what.to_owned(), kind.rule.to_owned(), kind.gateways.to_owned()]
}
