//! The parsers of the API, for [`crate::fuzzing`].

use gatecrash_core::toxics::ToxicSpec;

use super::bodies::{self, WrittenToxic};
use super::json::first_value;
use super::path::{cleaned, decoded, escaped};
use super::{routes, rules, views};

pub(crate) fn path(raw: &str) {
    if let Some(path) = decoded(raw) {
        let clean = cleaned(&path);
        assert_eq!(cleaned(&clean), clean);
        assert_eq!(decoded(&escaped(&clean)), Some(clean.clone()));
        for method in ["GET", "POST", "PATCH", "DELETE"] {
            _ = routes::find(true, method, &clean);
        }
    }
}

pub(crate) fn bodies(body: &[u8]) {
    _ = bodies::one(body);
    _ = bodies::change(body);
    _ = bodies::several(body);
    if let Ok(toxic) = bodies::draft(body).and_then(|(draft, node)| draft.finish(&node)) {
        written_again(&toxic);
        _ = bodies::update(body, &toxic.toxic);
    }
    for spec in ["latency", "slicer", "noop"].into_iter().filter_map(ToxicSpec::of_type) {
        let (name, direction) = (String::new(), gatecrash_core::toxics::Direction::Upstream);
        _ = bodies::update(body, &gatecrash_core::toxics::Toxic { name, direction, toxicity: 1.0, spec });
    }
    let text = String::from_utf8_lossy(body);
    if let Ok(plan) = rules::read(&text) {
        assert_eq!(rules::read(&rules::kept(&plan)).map(|read| read.name), Ok(plan.name.clone()));
        _ = rules::merged(&plan, &text);
    }
}

pub(crate) fn config(text: &[u8]) {
    for body in bodies::several(text).unwrap_or_default() {
        body.toxics.iter().for_each(written_again);
        crate::fuzzing::rules(body.rules);
    }
}

/// A toxic that was taken is taken again from its own view.
fn written_again(toxic: &WrittenToxic) {
    let json = views::toxic(toxic);
    assert!(first_value(json.as_bytes()).is_ok());
    let read = bodies::draft(json.as_bytes()).and_then(|(draft, node)| draft.finish(&node));
    assert_eq!(read.as_ref(), Ok(toxic));
}
