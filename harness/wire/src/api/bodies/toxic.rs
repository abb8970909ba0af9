//! A toxic as it is written: when it is created, and when it is changed.

use gatecrash_core::toxics::{Direction, Toxic, ToxicSpec};

use crate::api::json::{Decoding, Fields, Node, first_value};
use crate::api::reply::ApiError;

/// A toxic, and its stream in the spelling that replies repeat.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct WrittenToxic {
    pub(crate) toxic: Toxic,
    pub(crate) stream: String,
}

/// A toxic whose attributes are still to be read: by then it is known whether its name is free.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) name: String,
    stream: String,
    direction: Direction,
    toxicity: f32,
    spec: ToxicSpec,
}

/// The first reading of the body of `POST /proxies/{}/toxics`, and its value for the second.
pub(crate) fn draft(text: &[u8]) -> Result<(Draft, Node), ApiError> {
    let node = first_value(text).map_err(ApiError::bad_body)?;
    Ok((draft_of(&node)?, node))
}

/// The same of a value.
pub(super) fn draft_of(node: &Node) -> Result<Draft, ApiError> {
    let mut decoding = Decoding::default();
    let fields = decoding.fields(node, "Go value of type toxics.ToxicWrapper");
    let (mut name, mut word, mut stream) = (String::new(), String::new(), "downstream".to_owned());
    let mut toxicity = 1.0;
    for node in fields.all("attributes") {
        decoding.opaque(node, "ToxicWrapper.attributes", "toxics.NoopToxic");
    }
    for node in fields.all("name") {
        decoding.string(node, "ToxicWrapper.name", &mut name);
    }
    for node in fields.all("type") {
        decoding.string(node, "ToxicWrapper.type", &mut word);
    }
    for node in fields.all("stream") {
        decoding.string(node, "ToxicWrapper.stream", &mut stream);
    }
    for node in fields.all("toxicity") {
        decoding.float32(node, "ToxicWrapper.toxicity", &mut toxicity);
    }
    finish(decoding)?;
    let direction = match stream.to_ascii_lowercase().as_str() {
        "upstream" => Direction::Upstream,
        "downstream" => Direction::Downstream,
        _ => {
            let why = "stream was invalid, can be either upstream or downstream";
            return Err(ApiError::new(400, why));
        }
    };
    if name.is_empty() {
        name = format!("{word}_{stream}");
    }
    let Some(spec) = ToxicSpec::of_type(&word) else { return Err(ApiError::new(400, "invalid toxic type")) };
    Ok(Draft { name, stream, direction, toxicity, spec })
}

impl Draft {
    /// The second reading: its attributes.
    pub(crate) fn finish(mut self, node: &Node) -> Result<WrittenToxic, ApiError> {
        let mut decoding = Decoding::default();
        let fields = decoding.fields(node, "Go value of type toxics.ToxicWrapper");
        attributes(fields, &mut self.spec, &mut decoding);
        finish(decoding)?;
        let Self { name, stream, direction, toxicity, spec } = self;
        Ok(WrittenToxic { toxic: sound(Toxic { name, direction, toxicity, spec })?, stream })
    }
}

/// The body of an update: attributes are merged, everything but them and the toxicity is ignored.
pub(crate) fn update(text: &[u8], toxic: &Toxic) -> Result<Toxic, ApiError> {
    let node = first_value(text).map_err(ApiError::bad_body)?;
    let mut changed = toxic.clone();
    let mut decoding = Decoding::default();
    let target = r#"Go value of type struct { Attributes interface {} "json:\"attributes\""; Toxicity float32 "json:\"toxicity\"" }"#;
    let fields = decoding.fields(&node, target);
    let go_type = format!("toxics.{}", go_type(&toxic.spec));
    for node in fields.all("attributes") {
        decoding.opaque(node, ".attributes", &go_type);
    }
    attributes(fields, &mut changed.spec, &mut decoding);
    for node in fields.all("toxicity") {
        decoding.float32(node, ".toxicity", &mut changed.toxicity);
    }
    finish(decoding)?;
    sound(changed)
}

fn attributes(fields: Fields<'_>, spec: &mut ToxicSpec, decoding: &mut Decoding) {
    let go_type = go_type(spec);
    // Go has `int` where it was written first, and `int64` since.
    let word = if go_type == "SlicerToxic" { "int" } else { "int64" };
    for node in fields.all("attributes") {
        let given = Decoding::default().fields(node, "");
        for (name, mut value) in spec.attributes() {
            for node in given.all(name) {
                decoding.integer(node, &format!("{go_type}.attributes.{name}"), word, &mut value);
            }
            spec.set(name, value);
        }
    }
}

/// Attributes that would have crashed Toxiproxy are refused.
fn sound(toxic: Toxic) -> Result<Toxic, ApiError> {
    match toxic.spec.problem() {
        Some(problem) => Err(ApiError::new(400, format!("invalid attributes: {problem}"))),
        None => Ok(toxic),
    }
}

fn finish(decoding: Decoding) -> Result<(), ApiError> {
    decoding.finish().map_err(|(_, why)| ApiError::bad_body(why))
}

/// The name of its type in Toxiproxy's source, which its errors show.
fn go_type(spec: &ToxicSpec) -> &'static str {
    match spec.type_name() {
        "bandwidth" => "BandwidthToxic",
        "latency" => "LatencyToxic",
        "limit_data" => "LimitDataToxic",
        "reset_peer" => "ResetToxic",
        "slicer" => "SlicerToxic",
        "slow_close" => "SlowCloseToxic",
        "timeout" => "TimeoutToxic",
        _ => "NoopToxic",
    }
}
