//! The client of a workload.

use super::Cx;
use crate::diagnostics::Place;
use crate::plan::{AddressingPlan, ClientPlan, EnginePlan, HttpPlan, OpPlan, RangePlan, RetriesPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Addressing, Client, Engine, Http, Retries};

impl Cx<'_> {
    /// Refuses what the AWS SDK does not do for a workload: one call of it is one request of ours.
    pub(super) fn fits_sdk(&mut self, client: ClientPlan, ops: &[OpPlan], place: Place) {
        let several = |op: &OpPlan| op.parts.is_some() || op.pages > 1 || op.condition.is_some();
        let law = |op: &OpPlan| matches!(op.range, Some(RangePlan::Law(_)));
        if client.engine == EnginePlan::AwsSdk && ops.iter().any(|op| several(op) || law(op)) {
            let help = "leave out parts, pages, conditions and range laws, or choose `engine: native`";
            self.advise("the SDK sends plain requests only", place, "in this workload", help);
        }
    }

    /// Refuses what HTTP/2 cannot be had with.
    fn fits_http2(&mut self, client: &Client, native: bool) {
        let Some(http) = client.http.filter(|http| http.value == Http::Http2) else { return };
        if !native {
            let help = "choose `engine: native`, or leave `http` out";
            self.advise("no HTTP/2 through the SDK", http.place, "it speaks HTTP/1.1 here", help);
        }
        if let Some(expect) = client.expect_continue {
            let help = "leave one of the two out";
            self.advise("`expect-continue` with `http: 2`", expect.place, "for HTTP/1.1 only", help);
        }
        if let Some(closed) = client.keep_alive.filter(|keep| !keep.value) {
            let help = "leave one of the two out";
            self.advise(
                "`keep-alive: false` with `http: 2`",
                closed.place,
                "its connections are shared",
                help,
            );
        }
    }

    /// Who carries the requests; `path` is the workload's.
    pub(super) fn client(&mut self, client: Option<&Client>, path: &str) -> ClientPlan {
        let Some(client) = client else { return ClientPlan::default() };
        let at = |key: &str| format!("{path}.client.{key}");
        if let Some(none) = client.connections.filter(|n| n.value == 0) {
            self.error("`connections` is zero", none.place, "expected at least 1");
        }
        let native = client.engine.is_none_or(|engine| engine.value != Engine::AwsSdk);
        if native {
            let retries = client.retries.filter(|r| r.value != Retries::Off).map(|r| ("retries", r.place));
            let host = client.addressing.filter(|a| a.value != Addressing::Path);
            for (key, place) in retries.into_iter().chain(host.map(|a| ("addressing", a.place))) {
                let message = format!("`{key}` is the business of an SDK");
                self.advise(message, place, "the native client has none", "choose `engine: aws-sdk`");
            }
        } else if let Some(limit) = client.connections {
            let help = "leave `connections` out, or choose `engine: native`";
            self.advise(
                "the SDK's connections cannot be limited",
                limit.place,
                "its pool has no limit",
                help,
            );
        }
        if let Some(tls) = client.tls.filter(|tls| tls.value && !native) {
            self.advise(
                "no TLS through the SDK",
                tls.place,
                "it speaks plain HTTP here",
                "choose `engine: native`",
            );
        }
        if let Some(expect) = client.expect_continue.filter(|_| !native) {
            let help = "leave `expect-continue` out, or choose `engine: native`";
            self.advise("the SDK expects by rules of its own", expect.place, "not for it to obey", help);
        }
        self.fits_http2(client, native);
        let expect =
            client.expect_continue.map(|wait| Spanned { value: Some(wait.value), place: wait.place });
        let connections = client.connections.map(|n| Spanned { value: Some(n.value), place: n.place });
        ClientPlan {
            engine: match self.or(at("engine"), client.engine, Engine::Native) {
                Engine::Native => EnginePlan::Native,
                Engine::Goose => EnginePlan::Goose,
                Engine::AwsSdk => EnginePlan::AwsSdk,
            },
            http: match self.or(at("http"), client.http, Http::Http1) {
                Http::Http1 => HttpPlan::Http1,
                Http::Http2 => HttpPlan::Http2,
            },
            keep_alive: self.or(at("keep-alive"), client.keep_alive, true),
            connections: self.or(at("connections"), connections, None),
            expect_continue: self.or(at("expect-continue"), expect, None),
            tls: self.or(at("tls"), client.tls, false),
            retries: match self.or(at("retries"), client.retries, Retries::Off) {
                Retries::Off => RetriesPlan::Off,
                Retries::Standard => RetriesPlan::Standard,
                Retries::Standard2026 => RetriesPlan::Standard2026,
                Retries::Adaptive => RetriesPlan::Adaptive,
            },
            addressing: match self.or(at("addressing"), client.addressing, Addressing::Path) {
                Addressing::Path => AddressingPlan::Path,
                Addressing::VirtualHost => AddressingPlan::VirtualHost,
            },
        }
    }
}
