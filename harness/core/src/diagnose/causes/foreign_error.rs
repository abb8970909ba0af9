//! `foreign-error`: an error nobody of S3 made

use super::super::evidence::{self, Evidence};
use super::super::{Answer, Cause, Observations, Place, Probe, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "foreign-error",
    summary: "something between here and S3 answers with errors of its own",
    doc: "Direct requests get a status that is no S3 document and carries no S3 request id: a \
          corporate proxy, a load balancer without targets, an interface endpoint, a captive portal.",
    look_at: &[
        (
            "the way to S3",
            "proxies (`HTTPS_PROXY`), load balancers, service meshes between this host and S3",
        ),
        ("the answer", "its `Server` and `Via` headers name the product"),
        ("AWS", "the target group or the interface endpoint that the name leads to"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    if !seen.has(Place::Endpoint) {
        return None;
    }
    // S3 says nothing, or an error document.
    let told = |a: &Answer| a.status >= 400 && a.code.is_none() && (a.bytes > 0 || !a.from_s3);
    let is_get = |s: &Sample| s.probe == Probe::Get && s.answer().is_some_and(told);
    let found = evidence::reads_at(seen, Place::Endpoint, "reads were answered by somebody else", is_get)?;
    let first = seen.reads(Place::Endpoint).filter(|s| is_get(s)).filter_map(Sample::answer).map(|a| {
        let server = a.server.as_deref().unwrap_or("not told");
        format!("{}, Server: {server}", evidence::quote(a))
    });
    Some(found.with_first(first))
}
