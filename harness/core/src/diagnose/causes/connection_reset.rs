//! `connection-reset`: connections end before an answer

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome};

pub(super) const CAUSE: Cause = Cause {
    name: "connection-reset",
    summary: "fresh connections are closed before a byte of the answer",
    doc: "The connection stands, and ends by RST or FIN before the answer begins, on connections that \
          carried nothing before: a crashing server, a load balancer without targets, a middlebox that \
          dislikes the request, an idle NAT entry on the way.",
    look_at: &[
        (
            "nginx",
            "error log `upstream prematurely closed connection` or `recv() failed (104`; \
             `proxy_next_upstream error`",
        ),
        ("HAProxy", "termination state `SH`; `retry-on conn-failure empty-response` for reads"),
        ("Envoy", "response flag `UC`; `retry_on: reset` for reads"),
        ("AWS", "the targets of the load balancer between, and its access log"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    evidence::reads(seen, "reads on a new connection ended before a byte came", |sample| {
        !sample.reused && matches!(sample.outcome, Outcome::Dropped { .. })
    })
}
