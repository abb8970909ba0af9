//! `not-http`: no HTTP response

use super::super::evidence::{self, Evidence};
use super::super::{BodyEnd, Cause, Observations, Outcome, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "not-http",
    summary: "what comes back is no valid HTTP response",
    doc: "Garbage, another protocol, a broken status line or header, lengths that contradict each \
          other, chunks that cannot be read. Strict gateways answer 502; lenient ones pass it on, some \
          as a good 200.",
    look_at: &[
        ("nginx", "error log `upstream sent invalid header` or `no valid HTTP/1.0 header`"),
        ("HAProxy", "termination state `PH`, `show errors` on the stats socket prints the bytes"),
        ("Envoy", "`upstream_cx_protocol_error`"),
        ("the endpoint", "what listens at the port: TLS, SSH, another service"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let why = |sample: &Sample| match &sample.outcome {
        Outcome::NotHttp(why) => Some(why.clone()),
        Outcome::Answered(answer) => match &answer.body {
            BodyEnd::Broken(why) => Some(why.clone()),
            _ => None,
        },
        _ => None,
    };
    let found = evidence::reads(seen, "reads got something else", |sample| why(sample).is_some())?;
    Some(found.with_first(seen.reads(seen.view()).filter_map(why)))
}
