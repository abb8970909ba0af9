//! A proxy as it is written: in `POST /proxies`, in `/populate`, in an update, and in the configuration file.

use gatecrash_core::plan::FaultPlan;

use super::toxic::{self, WrittenToxic};
use crate::api::json::{Decoding, Fields, Node, Value, first_value};
use crate::api::reply::ApiError;
use crate::api::rules;

/// Go's type of one entry of `/populate`.
const ENTRY: &str = r#"struct { toxiproxy.Proxy; Enabled *bool "json:\"enabled\"" }"#;

/// A proxy that is to be.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct ProxyBody {
    pub(crate) name: String,
    pub(crate) listen: String,
    pub(crate) upstream: String,
    pub(crate) enabled: bool,
    /// Ours: in force before its first connection.
    pub(crate) toxics: Vec<WrittenToxic>,
    /// Ours: whether it understands HTTP, so that rules can act.
    pub(crate) http: bool,
    /// Ours: in force before its first connection, too.
    pub(crate) rules: Vec<FaultPlan>,
}

/// What an update gives; the rest keeps its value.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct ProxyChange {
    pub(crate) listen: Option<String>,
    pub(crate) upstream: Option<String>,
    pub(crate) enabled: Option<bool>,
    pub(crate) http: Option<bool>,
}

/// A mistake in a body, where it is known, and what the API says of it.
pub(crate) type Misread = (Option<usize>, ApiError);

/// The body of `POST /proxies`.
pub(crate) fn one(text: &[u8]) -> Result<ProxyBody, ApiError> {
    let node = read(text).map_err(|(_, error)| error)?;
    let mut decoding = Decoding::default();
    let fields = decoding.fields(&node, "Go value of type toxiproxy.Proxy");
    let body = proxy(fields, "Proxy.", "Proxy.", &mut decoding);
    finish(decoding).map_err(|(_, error)| error)?;
    if body.name.is_empty() {
        return Err(ApiError::missing("name"));
    }
    if body.upstream.is_empty() {
        return Err(ApiError::missing("upstream"));
    }
    complete(text, body, fields).map_err(|(_, error)| error)
}

/// The body of `/populate`, which is the form of the configuration file too.
pub(crate) fn several(text: &[u8]) -> Result<Vec<ProxyBody>, Misread> {
    let node = read(text)?;
    let mut decoding = Decoding::default();
    let items = decoding.items(&node, &format!("Go value of type []{ENTRY}"));
    let mut bodies = Vec::new();
    for item in items {
        let fields = decoding.fields(item, &format!("Go value of type {ENTRY}"));
        bodies.push((item.at, fields, proxy(fields, ".Proxy.", ".", &mut decoding)));
    }
    finish(decoding)?;
    for (number, (at, _, body)) in bodies.iter().enumerate() {
        let missing =
            |field: &str| Err((Some(*at), ApiError::missing(format!("{field} at proxy {}", number + 1))));
        if body.name.is_empty() {
            return missing("name");
        }
        if body.upstream.is_empty() {
            return missing("upstream");
        }
    }
    bodies.into_iter().map(|(_, fields, body)| complete(text, body, fields)).collect()
}

/// The body of an update.
pub(crate) fn change(text: &[u8]) -> Result<ProxyChange, ApiError> {
    let node = read(text).map_err(|(_, error)| error)?;
    let mut decoding = Decoding::default();
    let fields = decoding.fields(&node, "Go value of type toxiproxy.Proxy");
    let body = proxy(fields, "Proxy.", "Proxy.", &mut decoding);
    finish(decoding).map_err(|(_, error)| error)?;
    Ok(ProxyChange {
        listen: given(fields, "listen").then_some(body.listen),
        upstream: given(fields, "upstream").then_some(body.upstream),
        enabled: given(fields, "enabled").then_some(body.enabled),
        http: given(fields, "http").then_some(body.http),
    })
}

fn read(text: &[u8]) -> Result<Node, Misread> {
    first_value(text).map_err(|why| (Some(why.at), ApiError::bad_body(&why)))
}

fn finish(decoding: Decoding) -> Result<(), Misread> {
    decoding.finish().map_err(|(at, why)| (Some(at), ApiError::bad_body(why)))
}

/// Whether a field has a value; `null` is none.
fn given(fields: Fields<'_>, name: &str) -> bool {
    fields.all(name).any(|node| node.value != Value::Null)
}

fn proxy(fields: Fields<'_>, path: &str, enabled_path: &str, decoding: &mut Decoding) -> ProxyBody {
    let mut body = ProxyBody {
        name: String::new(),
        listen: String::new(),
        upstream: String::new(),
        enabled: true,
        toxics: Vec::new(),
        http: false,
        rules: Vec::new(),
    };
    for node in fields.all("name") {
        decoding.string(node, &format!("{path}name"), &mut body.name);
    }
    for node in fields.all("listen") {
        decoding.string(node, &format!("{path}listen"), &mut body.listen);
    }
    for node in fields.all("upstream") {
        decoding.string(node, &format!("{path}upstream"), &mut body.upstream);
    }
    for node in fields.all("enabled") {
        decoding.boolean(node, &format!("{enabled_path}enabled"), &mut body.enabled);
    }
    for node in fields.all("logger") {
        decoding.opaque(node, &format!("{path}Logger"), "zerolog.Logger");
    }
    for node in fields.all("http") {
        decoding.boolean(node, &format!("{path}http"), &mut body.http);
    }
    body
}

/// Toxics and rules, which are checked as if they were added one after the other.
fn complete(text: &[u8], mut body: ProxyBody, fields: Fields<'_>) -> Result<ProxyBody, Misread> {
    for list in fields.all("toxics") {
        let mut decoding = Decoding::default();
        let items = decoding.items(list, "Go struct field Proxy.toxics of type []toxics.Toxic");
        finish(decoding)?;
        body.toxics.clear();
        for item in items {
            let misread = |error| (Some(item.at), error);
            let draft = toxic::draft_of(item).map_err(misread)?;
            if body.toxics.iter().any(|other| other.toxic.name == draft.name) {
                return Err(misread(ApiError::new(409, "toxic already exists")));
            }
            body.toxics.push(draft.finish(item).map_err(misread)?);
        }
    }
    for list in fields.all("rules") {
        let mut decoding = Decoding::default();
        let items = decoding.items(list, "Go struct field Proxy.rules of type []Rule");
        finish(decoding)?;
        body.rules.clear();
        for item in items {
            let json = String::from_utf8_lossy(&text[item.at..item.end]);
            let plan = rules::read(&json).map_err(|error| (Some(item.at), error))?;
            if body.rules.iter().any(|other| other.name == plan.name) {
                return Err((Some(item.at), ApiError::new(409, "rule already exists")));
            }
            body.rules.push(plan);
        }
    }
    if !body.rules.is_empty() && !body.http {
        return Err((None, ApiError::new(400, "rules need a proxy with \"http\": true")));
    }
    Ok(body)
}
