//! `head-too-large`: a head above the buffers of gateways

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Outcome, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "head-too-large",
    summary: "the head of the answer is larger than gateways accept",
    doc: "S3 metadata, cookies or debug headers that grew. nginx's buffer is one page (4 or 8 KiB), \
          HAProxy's 16 KiB, Envoy's 60 KiB and 100 headers: what is above is a 502 for reasons the \
          client cannot see.",
    look_at: &[
        ("nginx", "`proxy_buffer_size` (error log `upstream sent too big header`)"),
        ("HAProxy", "`tune.bufsize`, `tune.http.maxhdr` (101)"),
        ("Envoy", "`max_response_headers_kb`, `max_headers_count`"),
        ("S3", "user metadata of the object, at most 2 KB: more comes from what stands between"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    /// HAProxy's buffer, the largest of the two small ones (nginx: one page).
    const LIMIT: usize = 16 * 1024;
    let size = |sample: &Sample| match &sample.outcome {
        Outcome::HeadTooLarge { bytes } => Some(*bytes),
        Outcome::Answered(answer) => Some(answer.head_bytes),
        _ => None,
    };
    let is_large = |sample: &Sample| size(sample).is_some_and(|bytes| bytes > LIMIT);
    let found = evidence::reads(seen, "reads got a head above 16 KiB", is_large)?;
    let largest = seen.reads(seen.view()).filter_map(size).max().unwrap_or_default();
    Some(found.with(format!("the largest had {largest} bytes or more")))
}
