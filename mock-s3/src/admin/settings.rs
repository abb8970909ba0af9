//! GET and PUT /settings

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use gatecrash_model::Op;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Ask, Refused};
use crate::auth::mask;
use crate::capacity::Capacity;
use crate::control::{ChangeId, Control, ControlError, WrongRegion, WrongRegionKind};
use crate::replication::{Lag, ReplicationMode, ReplicationState};
use crate::time::document_date;

/// What the API has changed of the mock: the document in force, and the changes it stands for. Changes that were
/// made in another way are not among them.
#[derive(Default)]
pub(crate) struct Applied(Mutex<(Document, Vec<ChangeId>)>);

/// Everything that can be set. What is left out is as configured.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Document {
    clock_skew_seconds: i64,
    /// By region.
    capacity: BTreeMap<String, CapacityDocument>,
    wrong_region: Vec<WrongRegionDocument>,
    /// Traffic dials by region: weights of the regions that serve what arrives anywhere.
    dials: BTreeMap<String, f64>,
    /// By bucket.
    replication: BTreeMap<String, ReplicationDocument>,
    deny: Vec<Deny>,
    remove_action: Vec<RemoveAction>,
    /// Identities that get new keys, with every PUT that names them.
    rotate_key: Vec<String>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CapacityDocument {
    servers: u32,
    service_time_ms: u64,
    queue: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrongRegionDocument {
    bucket: Option<String>,
    region: Option<String>,
    op: Option<Op>,
    #[serde(default)]
    kind: Kind,
    points_to: String,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    #[default]
    Redirect,
    Temporary,
    Malformed,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplicationDocument {
    #[serde(default)]
    mode: Mode,
    /// Instead of the configured lag.
    lag_ms: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    #[default]
    Running,
    Paused,
    Dropping,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Deny {
    identity: String,
    actions: Vec<String>,
    resources: Vec<String>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RemoveAction {
    identity: String,
    action: String,
}

/// What is set, and who may sign.
pub(super) fn show(ask: &Ask) -> Result<Answer, Refused> {
    let document = ask.shared.applied.lock().0.clone();
    Ok(Answer::json(&shown(ask, &document)))
}

/// Sets everything to what the document says, all of it or, when a part cannot be, nothing. The answer has the key
/// pairs of the identities that got new ones.
pub(super) fn set(ask: &Ask) -> Result<Answer, Refused> {
    let document: Document = ask.json()?;
    let control = Control::new(std::sync::Arc::clone(&ask.shared.switchboard));
    let mut applied = ask.shared.applied.lock();
    let mut made = Vec::new();
    let credentials = document.apply(&control, &mut made).map_err(|why| {
        take_back(&control, &made);
        Refused::new(400, why.to_string())
    })?;
    take_back(&control, &applied.1);
    *applied = (document.clone(), made);
    drop(applied);
    let mut answer = shown(ask, &document);
    if !credentials.is_empty() {
        answer["credentials"] = json!(credentials);
    }
    Ok(Answer::json(&answer))
}

fn take_back(control: &Control, changes: &[ChangeId]) {
    for change in changes {
        control.undo(*change);
    }
}

/// Nothing is set any more.
pub(super) fn forget(ask: &Ask) {
    *ask.shared.applied.lock() = Default::default();
}

fn shown(ask: &Ask, document: &Document) -> Value {
    let settings = ask.shared.switchboard.settings();
    let identities: Vec<Value> = settings
        .identities
        .iter()
        .map(
            |identity| json!({ "name": identity.name, "access_key": mask(&identity.credentials.access_key) }),
        )
        .collect();
    json!({ "settings": document, "time": document_date(ask.shared.wall()), "identities": identities })
}

impl Applied {
    fn lock(&self) -> MutexGuard<'_, (Document, Vec<ChangeId>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Document {
    /// Makes its changes one after the other. The new key pairs, by identity.
    fn apply(
        &self,
        control: &Control,
        made: &mut Vec<ChangeId>,
    ) -> Result<BTreeMap<String, Value>, ControlError> {
        fn texts(list: &[String]) -> Vec<&str> {
            list.iter().map(String::as_str).collect()
        }
        if self.clock_skew_seconds != 0 {
            made.push(control.set_clock_skew(self.clock_skew_seconds));
        }
        for (region, capacity) in &self.capacity {
            made.push(control.set_capacity(region, Some((*capacity).into()))?);
        }
        for wrong in &self.wrong_region {
            made.push(control.set_wrong_region(wrong.into())?);
        }
        if !self.dials.is_empty() {
            let dials: Vec<_> =
                self.dials.iter().map(|(region, weight)| (region.as_str(), *weight)).collect();
            made.push(control.set_dials(&dials)?);
        }
        for (bucket, replication) in &self.replication {
            made.push(control.set_replication(bucket, (*replication).into())?);
        }
        for deny in &self.deny {
            made.push(control.deny(&deny.identity, &texts(&deny.actions), &texts(&deny.resources))?);
        }
        for remove in &self.remove_action {
            made.push(control.remove_action(&remove.identity, &remove.action)?);
        }
        let mut credentials = BTreeMap::new();
        for identity in &self.rotate_key {
            let (change, pair) = control.rotate_key(identity)?;
            made.push(change);
            let pair = json!({ "access_key": pair.access_key, "secret_key": pair.secret_key });
            credentials.insert(identity.clone(), pair);
        }
        Ok(credentials)
    }
}

impl From<CapacityDocument> for Capacity {
    fn from(document: CapacityDocument) -> Self {
        let CapacityDocument { servers, service_time_ms, queue } = document;
        Self { servers, service_time: Duration::from_millis(service_time_ms), queue }
    }
}

impl From<ReplicationDocument> for ReplicationState {
    fn from(document: ReplicationDocument) -> Self {
        let mode = match document.mode {
            Mode::Running => ReplicationMode::Running,
            Mode::Paused => ReplicationMode::Paused,
            Mode::Dropping => ReplicationMode::Dropping,
        };
        Self { mode, lag: document.lag_ms.map(|ms| Lag::constant(Duration::from_millis(ms))) }
    }
}

impl From<&WrongRegionDocument> for WrongRegion {
    fn from(document: &WrongRegionDocument) -> Self {
        let WrongRegionDocument { bucket, region, op, kind, points_to } = document.clone();
        let kind = match kind {
            Kind::Redirect => WrongRegionKind::Redirect,
            Kind::Temporary => WrongRegionKind::Temporary,
            Kind::Malformed => WrongRegionKind::Malformed,
        };
        Self { bucket, region, op, kind, points_to }
    }
}
