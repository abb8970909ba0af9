//! `truncated-answer`: answers that end too early

use super::super::evidence::{self, Evidence};
use super::super::{BodyEnd, Cause, Observations, Outcome, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "truncated-answer",
    summary: "answers end before they are whole",
    doc: "The connection ends by FIN or RST within the head or the body. A gateway that has sent the \
          head can only cut its own answer; one that has not can answer 502, or try again.",
    look_at: &[
        (
            "nginx",
            "error log `upstream prematurely closed connection while reading upstream`; \
             `proxy_buffering`",
        ),
        ("HAProxy", "termination states `SH` and `SD`"),
        ("Envoy", "response flag `UPE` or `UC`; `upstream_rq_rx_reset`"),
        ("clients", "compare lengths and checksums: a cut under close-delimited framing looks whole"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let how = |sample: &Sample| match &sample.outcome {
        Outcome::CutHead { bytes } => Some(format!("cut after {bytes} bytes of the head")),
        Outcome::Answered(answer) => match &answer.body {
            BodyEnd::Cut { reset, of } => {
                let of = of.map_or_else(String::new, |of| format!(" of {of}"));
                let by = if *reset { "RST" } else { "FIN" };
                Some(format!("cut by {by} after {}{of} bytes of the body", answer.bytes))
            }
            _ => None,
        },
        _ => None,
    };
    let found = evidence::reads(seen, "reads were cut", |sample| how(sample).is_some())?;
    Some(found.with_first(seen.reads(seen.view()).filter_map(how)))
}
