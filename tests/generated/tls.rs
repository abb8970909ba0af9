//! `tls.md`.

use gatecrash_core::faults::{TLS_KINDS, TlsKindInfo};
use gatecrash_core::rules::Point;

use super::page::{Page, code};

pub(crate) fn page() -> String {
    let mut page = Page::new(
        "Failures of TLS",
        "The kinds of the fault [`tls`](faults.md#tls), for upstreams that the gateway speaks TLS to (`tls: \
         true`). Handshakes begin with connections, so kept ones go on as they were: `keepalive-max: { requests: 1 \
         }` before the fault sees to it that none are kept. What OpenSSL says is a part of the words of `openssl \
         s_client -verify_return_error -verify_hostname` (3.0); a test compares them.",
    );
    page.code(
        "yaml",
        &format!(
            "upstreams: {{ us-east-1: {{ tls: true }} }}\ntimeline:\n  - phase: p\n    for: 2s\n    inject: [{{ \
             fault: {{ tls: {{ kind: {} }} }} }}]",
            TLS_KINDS[0].name
        ),
    );
    for (point, title, about) in [
        (
            Point::Accept,
            "In the handshake",
            "Decided for each new connection. One that comes to its end is an attempt without a request; one that \
             the gateway accepts all the same is served, and its requests succeed where they should not.",
        ),
        (Point::ResponseHead, "On the answer", "Decided for each answer."),
    ] {
        page.heading(2, title);
        page.text(about);
        let of_point = TLS_KINDS.iter().filter(|k| k.point == point);
        let rows: Vec<_> = of_point.map(row).collect();
        page.table(["kind", "on the wire", "imitates", "OpenSSL"], &rows);
    }
    page.heading(2, "What gateways make of them");
    page.text(
        "Measured on the Debian 12 packages with verification on, as the recipes configure it: nginx 1.22.1, HAProxy \
         2.6.12 and the embedded gateway served nothing under any kind of the handshake, answered as their \
         profiles say (no connection; for `tls-stall-hello` no connection in time), and recovered. \
         `tls-cut-no-close-notify` passes through nginx and HAProxy as a whole answer: both take the FIN for the \
         end of the body; the embedded gateway cuts its own answer.",
    );
    page.heading(2, "Certificates");
    page.text(
        "Every run has its own certificate authority, in memory: a root, an intermediate below it, and a leaf for \
         each endpoint, good for the region's name, for `s3.gatecrash.test` and for the endpoint's address. The \
         root is written to `tls/ca.pem` of the run directory; templates of gateways see it as `ca_file`, the name \
         to expect as `tls_name`, and, where the upstreams have `client-certificate: required`, `client_cert`, \
         `client_key`, and both in one file as `client_pem`.",
    );
    page.finish()
}

fn row(kind: &TlsKindInfo) -> [String; 4] {
    [code(kind.name), kind.what.to_owned(), kind.why.to_owned(), code(kind.openssl)]
}
