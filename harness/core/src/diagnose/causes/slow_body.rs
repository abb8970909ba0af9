//! `slow-body`: bodies that trickle or stop

use super::super::evidence::{self, Evidence};
use super::super::{BodyEnd, Cause, Observations, Place, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "slow-body",
    summary: "bodies trickle, or stop half-way",
    doc: "The head comes in time and the body does not: a narrow or lossy path, a hung storage node. \
          Read timeouts for each read never fire on a trickle; only limits on the whole do.",
    look_at: &[
        ("nginx", "`proxy_read_timeout` bounds gaps only; `send_timeout` towards clients"),
        ("HAProxy", "`timeout server` bounds gaps: termination state `sD`"),
        ("Envoy", "route `timeout` bounds the whole, `stream_idle_timeout` gaps"),
        ("CloudFront", "response completion timeout (off by default)"),
        ("the network", "loss and retransmissions: `ss -ti`"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    if seen.view() == Place::Gateway {
        return None;
    }
    /// Bytes a second below which a path is no path for objects.
    const LEAST: f64 = 1_000_000.0;
    let how = |s: &Sample| {
        let answer = s.answer()?;
        let rate = answer.bytes as f64 / (answer.transfer / 1000.0);
        match answer.body {
            BodyEnd::Stalled => Some(format!("stopped after {} bytes", answer.bytes)),
            _ if seen.is_slow(answer.transfer) && rate < LEAST => {
                Some(format!("{} bytes took {:.0} ms", answer.bytes, answer.transfer))
            }
            _ => None,
        }
    };
    let found = evidence::reads(seen, "reads got their body slowly", |s| how(s).is_some())?;
    Some(found.with_first(seen.reads(seen.view()).filter_map(how)))
}
