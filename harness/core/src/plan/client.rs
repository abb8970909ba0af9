//! Who carries the requests of a workload.

use gatecrash_model::{Capabilities, Capability};
use serde::{Deserialize, Serialize};

use super::Plan;
use crate::units::Span;

/// The client of a workload. The default is our own client with as many connections as it takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct ClientPlan {
    /// What sends the requests.
    pub engine: EnginePlan,
    /// Version of HTTP to the gateway.
    pub http: HttpPlan,
    /// Whether a connection carries more than one request.
    pub keep_alive: bool,
    /// Connections that may be open at once, at least 1; when absent any number, and one for HTTP/2.
    pub connections: Option<u32>,
    /// How long an upload waits for 100 Continue before its body goes out; when absent it does not ask for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expect_continue: Option<Span>,
    /// Whether it speaks TLS to the gateway.
    pub tls: bool,
    /// Whether the client tries again by itself.
    pub retries: RetriesPlan,
    /// Where the bucket's name stands.
    pub addressing: AddressingPlan,
}

/// What sends the requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnginePlan {
    /// Our own client.
    #[default]
    Native,
    /// Our own client for users whom goose moves through journeys.
    Goose,
    /// The AWS SDK for Rust.
    AwsSdk,
}

/// A version of HTTP.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum HttpPlan {
    /// HTTP/1.1.
    #[default]
    #[serde(rename = "1.1")]
    Http1,
    /// HTTP/2: by ALPN over TLS, by prior knowledge without.
    #[serde(rename = "2")]
    Http2,
}

/// Whether a client tries again by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RetriesPlan {
    /// One try for each request.
    #[default]
    Off,
    /// As AWS SDKs since 2021.
    Standard,
    /// As AWS SDKs by the rules of 2026.
    #[serde(rename = "standard-2026")]
    Standard2026,
    /// As standard, and with a rate limit of the client's.
    Adaptive,
}

/// Where the bucket's name stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AddressingPlan {
    /// In the path.
    #[default]
    Path,
    /// In the host.
    VirtualHost,
}

impl Default for ClientPlan {
    fn default() -> Self {
        Self {
            engine: EnginePlan::default(),
            http: HttpPlan::default(),
            keep_alive: true,
            connections: None,
            expect_continue: None,
            tls: false,
            retries: RetriesPlan::default(),
            addressing: AddressingPlan::default(),
        }
    }
}

impl ClientPlan {
    /// Whether nothing was asked for.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Plan {
    /// What is observed, with what the clients of all workloads let see: one that retries by itself blurs whose tries
    /// are whose, an SDK hides its side of the wire.
    pub fn clients_show(&self, observed: Capabilities) -> Capabilities {
        let clients = || self.workloads.iter().map(|w| &w.client);
        let mut seen = observed.without(Capability::OwnTries).without(Capability::Wire);
        if clients().all(|client| client.retries == RetriesPlan::Off) {
            seen = seen.with(Capability::OwnTries);
        }
        if clients().all(|client| client.engine != EnginePlan::AwsSdk) {
            seen = seen.with(Capability::Wire);
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_of_earlier_releases_mean_our_own_client() {
        let plan: ClientPlan = serde_json::from_str("{}").expect("every field has a default");
        assert!(plan.is_default() && plan.keep_alive);
        let limited = ClientPlan { connections: Some(16), ..plan };
        let stored = serde_json::to_string(&limited).expect("plain data");
        assert_eq!(serde_json::from_str::<ClientPlan>(&stored).expect("as stored"), limited);
        assert!(stored.contains(r#""http":"1.1""#), "{stored}");
    }

    #[test]
    fn clients_decide_what_can_be_seen_of_them() {
        let mut plan = crate::golden::Story::new().plan;
        let missing = |plan: &Plan| {
            let all = Capabilities::of(&Capability::ALL);
            plan.clients_show(Capabilities::FULL).missing(all).collect::<Vec<_>>()
        };
        assert_eq!(missing(&plan), []);
        plan.workloads[0].client.engine = EnginePlan::Goose;
        assert_eq!(missing(&plan), [], "its requests go through our own client");
        plan.workloads[0].client.engine = EnginePlan::AwsSdk;
        assert_eq!(missing(&plan), [Capability::Wire]);
        plan.workloads[0].client.retries = RetriesPlan::Standard;
        assert_eq!(missing(&plan), [Capability::OwnTries, Capability::Wire]);
    }
}
