//! The client of a workload.

use super::Cx;
use crate::plan::{AddressingPlan, ClientPlan, EnginePlan, HttpPlan, RetriesPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Addressing, Client, Engine, Http, Retries};

impl Cx<'_> {
    /// Who carries the requests; `path` is the workload's.
    pub(super) fn client(&mut self, client: Option<&Client>, path: &str) -> ClientPlan {
        let Some(client) = client else { return ClientPlan::default() };
        let at = |key: &str| format!("{path}.client.{key}");
        if let Some(none) = client.connections.filter(|n| n.value == 0) {
            self.error("`connections` is zero", none.place, "expected at least 1");
        }
        let connections = client.connections.map(|n| Spanned { value: Some(n.value), place: n.place });
        ClientPlan {
            engine: match self.or(at("engine"), client.engine, Engine::Native) {
                Engine::Native => EnginePlan::Native,
            },
            http: match self.or(at("http"), client.http, Http::Http1) {
                Http::Http1 => HttpPlan::Http1,
            },
            keep_alive: self.or(at("keep-alive"), client.keep_alive, true),
            connections: self.or(at("connections"), connections, None),
            tls: self.or(at("tls"), client.tls, false),
            retries: match self.or(at("retries"), client.retries, Retries::Off) {
                Retries::Off => RetriesPlan::Off,
            },
            addressing: match self.or(at("addressing"), client.addressing, Addressing::Path) {
                Addressing::Path => AddressingPlan::Path,
            },
        }
    }
}
