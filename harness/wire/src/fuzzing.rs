//! The parsers of what strangers send, one entry each for the fuzz targets in `fuzz/`. Whatever the input, they return;
//! what they return is checked as far as it can be without a second parser.

use gatecrash_core::rules::RuleSet;

use crate::api::fuzzing as api;
use crate::head;

/// A request of the control API: a path in the first line, then a body, read as each route reads it.
pub fn api(data: &[u8]) {
    let (path, body) = data.split_at(data.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    api::path(&String::from_utf8_lossy(path));
    api::bodies(body);
}

/// A configuration file; what it says is written as state and read again.
pub fn config(data: &[u8]) {
    api::config(data);
}

/// A request and a response head, and the body behind each in every framing.
pub fn head(data: &[u8]) {
    if let head::Read::Whole(request) = head::request(data) {
        assert!(request.length <= data.len());
        let (raw, body) = data.split_at(request.length);
        assert!(head::parse(raw).is_some());
        _ = head::with_line(raw, "x: y\r\n");
        let mut whole = request.frame.clone();
        let walked = whole.walk(body, u64::MAX);
        assert!(walked.is_err() || walked.is_ok_and(|stretch| stretch.len() <= body.len()));
    }
    for to_head in [false, true] {
        if let head::Read::Whole(response) = head::response(data, to_head) {
            let (raw, body) = data.split_at(response.length);
            _ = head::closing(raw);
            // Cut anywhere, a body is walked to the same place.
            let (mut whole, mut cut) = (response.frame.clone(), response.frame);
            let at = body.len() / 2;
            let one = whole.walk(body, u64::MAX);
            let two = cut.walk(&body[..at], u64::MAX).and_then(|first| {
                let rest = cut.walk(&body[first.len()..], u64::MAX)?;
                Ok((first.len() + rest.len(), first.payload + rest.payload))
            });
            if let (Ok(one), Ok(two)) = (one, two) {
                assert_eq!((one.len(), one.payload), two);
            }
        }
    }
}

/// Keeps the rules of a configuration honest: each is taken by a set of rules.
pub(crate) fn rules(plans: Vec<gatecrash_core::plan::FaultPlan>) {
    let set = RuleSet::of(1, &[]);
    for plan in plans {
        _ = set.add(plan, 0);
    }
}
