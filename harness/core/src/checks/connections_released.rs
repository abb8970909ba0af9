//! `connections-released`: what a request took is given back.

use std::collections::HashMap;

use gatecrash_model::{Capabilities, Capability, ClientRecord, Ending, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{FaultSpec, Swallow};
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::units::Span;
use crate::verdict::Finding;

/// How near to the client's end an attempt's may lie and still count as having been under way.
const UNDER_WAY: Nanos = 20_000_000;

/// Upstream exchanges end with their request, and after a fault connections and descriptors come down again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ConnectionsReleased {
    /// How long an upstream exchange may outlive its request, and descriptors the fault. Default: 1 s.
    #[serde(default = "second")]
    pub within: Span,
    /// By how many connections, or descriptors, the gateway may stay above what it had before the first fault.
    /// Default: 5.
    #[serde(default = "few")]
    pub spare: u32,
}

fn second() -> Span {
    Span::seconds(1)
}

fn few() -> u32 {
    5
}

impl Check for ConnectionsReleased {
    const INFO: CheckInfo = CheckInfo {
        name: "connections-released",
        summary: "upstream connections and descriptors are given back",
        doc: "Three things. An upstream exchange must not outlive its request by more than `within`: not \
              when the client has left, not when it has an error. From `within` after the last fault on the \
              gateway's descriptors, less its open upstream connections and all client connections that can \
              be open, must be back within `spare` of what they were before the first fault. And from \
              `within` and the declared lifetime of an idle connection after the fault so must the number of \
              open upstream connections (left out where the profile declares no lifetime or the quiet after \
              the fault is shorter). What is not given back adds up: descriptors and pool places run out \
              hours after the fault that leaked them, and the gateway fails with a healthy upstream. RFC \
              9112 9.6 and 9.8 ask to close what cannot be used again. Inconclusive when no exchange failed \
              or was left by its client, and no fault ended.",
        sources: &[Source::rfc(9112, "9.6", "Tear-down"), Source::rfc(9112, "9.8", "TLS Connection Closure")],
        fixes: Fixes {
            nginx: "`proxy_ignore_client_abort off`, `keepalive_timeout` of the `upstream` block; no \
                    `proxy_store` or background cache updates without need",
            haproxy: "`option abortonclose`, `timeout server`, `pool-purge-delay`",
            envoy: "`stream_idle_timeout`, `idle_timeout`; watch `max_requests` of the `circuit_breakers`",
            others: "",
        },
        example: "connections-released: { within: 1s }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnLeftovers,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let wanted = format!("given back within {}, but for {}", self.within, self.spare);
        let exchanges = self.exchanges(scope);
        let counts: Vec<_> = [self.descriptors(scope), self.connections(scope)].into_iter().flatten().collect();
        let why = "no exchange failed or was left by its client, and there was no quiet after a fault to look at";
        let finding = exchanges.finding(scope, wanted.as_str(), why);
        let words = counts.iter().map(|c| c.in_words()).collect::<Vec<_>>();
        let kept: Vec<_> = counts.iter().filter(|c| c.growth() > i64::from(self.spare)).collect();
        if let Some(worst) = kept.iter().max_by_key(|c| c.growth()) {
            let observed = format!("{} {} kept", worst.growth(), worst.what);
            let failed = Finding::judged(false, observed, wanted, finding.samples.max(1));
            return failed.details(words).details(finding.details.clone()).exemplars(finding.exemplars);
        }
        if finding.samples == 0 && !counts.is_empty() {
            return Finding::judged(true, "all given back", wanted, counts.len() as u64).details(words);
        }
        finding.details(words)
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use gatecrash_model::{Event, GatewaySample};
        let check = |within| Self { within: Span::millis(within), spare: 5 };
        let silent = |tell: fn(Request) -> Request| {
            let story = Story::new().fault(FaultSpec::Swallow(Swallow {}), 500, 1000);
            story.every(100, 0, 500, |r| r).every(100, 500, 1000, tell).every(100, 1000, 4000, |r| r)
        };
        let fine = || silent(|r| r.tries([Try::silent().by(0)]));
        let left = |r: Request| r.tries([Try::silent().by(0)]).ending(Ending::Hang).took(400);
        let sampled = |story: Story, after: u32| {
            (0..40).fold(story, |story, n| {
                let descriptors = if n < 10 { 20 } else { after };
                let at = n * 100_000_000 + 1;
                story.event(Event::Sample(GatewaySample { at, descriptors, ..GatewaySample::default() }))
            })
        };
        let open = |until: Nanos| {
            let mut story = fine().profile(|p| p.keep_alive = Some(Span::millis(100)));
            for connection in story.history.connections.iter_mut().filter(|c| c.opened > 500_000_000).take(10) {
                connection.closed = connection.closed.max(until);
            }
            story
        };
        vec![
            Golden::pass("exchanges end with their requests", check(300), fine()),
            Golden::pass("descriptors come down", check(300), sampled(fine(), 22)),
            Golden::pass("connections come down", check(300), open(2_000_000_000)),
            Golden::pass("the client left, and so did the gateway", check(800), silent(left)),
            Golden::fail("the client left, the gateway went on", check(300), silent(left)),
            Golden::fail(
                "the client was answered, the exchange went on",
                check(300),
                silent(|r| r.tries([Try::silent().by(0).took(3000)]).answer(504).took(1000)),
            ),
            Golden::fail("descriptors stay", check(300), sampled(fine(), 500)),
            Golden::fail("connections stay", check(300), open(9_000_000_000)),
            Golden::inconclusive("nothing happened", check(300), Story::new().every(100, 0, 900, |r| r)),
        ]
    }
}

impl ConnectionsReleased {
    /// Whether upstream exchanges ended with their requests, over those that had a reason to.
    fn exchanges(&self, scope: &Scope<'_>) -> Tally {
        let mut tally = Tally::default();
        for client in scope.clients() {
            let over = client.ended();
            let limit = over + scope.limit(self.within.0);
            let outlived = scope.attempts(client).filter(|a| a.ended() > limit).count();
            let left = client.ending == Ending::Hang;
            let tested = scope
                .attempts(client)
                .any(|a| scope.cause(a).is_failure() || (left && a.ended() + UNDER_WAY >= over));
            if outlived > 0 {
                let why = if left { "the client had left" } else { "the request was over" };
                tally.bad(client.id(), format!("{outlived} upstream exchanges open after {why}"));
            } else if tested {
                tally.good();
            }
        }
        tally
    }

    /// Descriptors that are neither an upstream connection we see nor a client connection that can be open.
    fn descriptors(&self, scope: &Scope<'_>) -> Option<Growth> {
        if scope.history.capabilities.missing(Capabilities::of(&[Capability::Process])).next().is_some() {
            return None;
        }
        let (first_on, off, end) = quiet(scope)?;
        let (upstream, clients) = (Levels::of_upstream(scope), Levels::of_clients(scope));
        let own = |at| upstream.at(at) + clients.at(at);
        let samples = || scope.history.samples().map(|s| (s.at, i64::from(s.descriptors) - own(s.at)));
        let before = samples().filter(|(at, _)| *at < first_on).map(|(_, n)| n).max()?;
        let from = off + scope.limit(self.within.0);
        let after = samples().filter(|(at, _)| (from..end).contains(at)).map(|(_, n)| n).min()?;
        Some(Growth { what: "descriptors", before, after })
    }

    /// Open upstream connections, once idle ones have had their time.
    fn connections(&self, scope: &Scope<'_>) -> Option<Growth> {
        let keep_alive = scope.profile.keep_alive?;
        let (first_on, off, end) = quiet(scope)?;
        let from = off + scope.limit(self.within.0 + keep_alive.0);
        let upstream = Levels::of_upstream(scope);
        let before = upstream.between(0, first_on).max()?;
        let after = (from < end).then(|| upstream.between(from, end).chain([upstream.at(from)]).min())??;
        Some(Growth { what: "connections", before, after })
    }
}

/// Something counted before the first fault and after the last.
struct Growth {
    what: &'static str,
    before: i64,
    after: i64,
}

impl Growth {
    fn growth(&self) -> i64 {
        self.after - self.before
    }

    fn in_words(&self) -> String {
        format!("{}: at most {} before the first fault, at least {} after it", self.what, self.before, self.after)
    }
}

/// When the first fault began, the last one ended, and the quiet after it did.
fn quiet(scope: &Scope<'_>) -> Option<(Nanos, Nanos, Nanos)> {
    let first_on = scope.intervals.all().map(|(_, i)| i.from).min()?;
    let (off, end) = scope.restored()?;
    let load_end = scope.history.clients.last().map_or(end, ClientRecord::ended);
    Some((first_on, off, end.min(load_end)))
}

/// How many connections were open, from each change on.
struct Levels(Vec<(Nanos, i64)>);

impl Levels {
    fn of(connections: impl Iterator<Item = (Nanos, Nanos)>) -> Self {
        let mut changes: Vec<_> = connections.flat_map(|(from, until)| [(from, 1), (until, -1)]).collect();
        changes.sort_unstable();
        let mut open = 0;
        for (_, change) in &mut changes {
            open += *change;
            *change = open;
        }
        Self(changes)
    }

    /// Connections to the links.
    fn of_upstream(scope: &Scope<'_>) -> Self {
        Self::of(scope.history.connections.iter().map(|c| (c.opened, c.closed)))
    }

    /// Client connections that can have been open: one whose last exchange was whole may still be kept.
    fn of_clients(scope: &Scope<'_>) -> Self {
        let mut by_number: HashMap<(u8, u32), (Nanos, Nanos)> = HashMap::new();
        for client in scope.history.clients.iter().filter(|c| !c.was_dropped()) {
            let until = if client.ending == Ending::Complete { Nanos::MAX } else { client.ended() };
            let span = by_number.entry((client.workload, client.conn)).or_insert((client.sent(), until));
            *span = (span.0.min(client.sent()), until);
        }
        Self::of(by_number.into_values())
    }

    fn at(&self, at: Nanos) -> i64 {
        let changes = self.0.partition_point(|(change, _)| *change <= at);
        changes.checked_sub(1).map_or(0, |last| self.0[last].1)
    }

    /// The levels reached from one instant to before another.
    fn between(&self, from: Nanos, until: Nanos) -> impl Iterator<Item = i64> {
        self.0.iter().filter(move |(at, _)| (from..until).contains(at)).map(|(_, open)| *open)
    }
}
