//! `limits`: heads without end cost neither time nor memory without end.

use gatecrash_model::{AttemptRecord, Capabilities, Capability, Ending, Nanos};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::bounded_time::declared;
use super::tally::Tally;
use super::{Check, CheckInfo, Fixes, Rests, Source};
use crate::faults::FaultSpec;
use crate::faults::malformed::Kind;
#[cfg(test)]
use crate::golden::{Golden, Request, Story, Try};
use crate::judge::Scope;
use crate::units::{Size, Span};
use crate::verdict::Finding;

/// A request whose answer has an oversize head, very many header lines, a flood of interim responses or a
/// head without end is answered in bounded time, and meanwhile the gateway's memory does not grow beyond a
/// bound.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Limits {
    /// Longest time to the end of such a request. Default: what the gateway declares for any request, as in
    /// `bounded-time`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Span>,
    /// Most that the resident memory of all its processes may grow by, from the first such answer on.
    /// Default: 64MiB.
    #[serde(default = "most")]
    pub memory: Size,
}

fn most() -> Size {
    Size(64 << 20)
}

impl Default for Limits {
    fn default() -> Self {
        Self { within: None, memory: most() }
    }
}

impl Check for Limits {
    const INFO: CheckInfo = CheckInfo {
        name: "limits",
        summary: "oversize, flooding and endless heads cost bounded time and memory",
        doc: "A response head may be refused when it is too large (RFC 9110 5.4), and a client may get any \
              number of interim responses (RFC 9110 15.2) but need not wait for ever. A gateway that reads \
              on is kept busy by one upstream that is broken or malicious: each such answer holds a \
              connection, a worker and ever more memory. The time is counted from the first byte sent to \
              the end of the exchange, with the allowances of `bounded-time`; a client that left before the \
              limit proves nothing. The memory is the resident size of the gateway's processes, sampled \
              during the run, against the last sample before the first such answer; where no samples were \
              taken only the time is judged. Inconclusive when no such answer was delivered.",
        sources: &[
            Source::rfc(9110, "5.4", "Field Limits"),
            Source::rfc(9110, "15.2", "Informational 1xx"),
            Source::CWE_RESOURCES,
            Source::ENVOY_EDGE,
        ],
        fixes: Fixes {
            nginx: "`proxy_buffer_size` bounds the head, `proxy_read_timeout` only the gap between reads",
            haproxy: "`tune.bufsize`, `tune.http.maxhdr`, `timeout server`",
            envoy: "`max_response_headers_kb`, `max_headers_count`, and a route `timeout` for the whole",
            others: "",
        },
        example: "limits: { memory: 64MiB }",
        needs: Capabilities::of(&[Capability::Framing, Capability::Attempts]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let limit = scope.limit(self.within.map_or(declared(scope.profile), |within| within.0));
        let mut tally = Tally::default();
        let mut flooded: Option<(Nanos, Nanos)> = None;
        for client in scope.clients() {
            let Some(flood) = scope.attempts(client).find(|a| is_flood(scope, a)) else { continue };
            let (from, until) = flooded.unwrap_or((flood.start, 0));
            flooded = Some((from.min(flood.start), until.max(client.ended())));
            let took = u64::from(client.done) * 1000;
            if client.ending == Ending::Hang && took <= limit {
                continue;
            }
            tally.count(took <= limit, client.id(), || {
                let seconds = took / 100_000_000;
                format!("{} after {}.{} s", client.ending, seconds / 10, seconds % 10)
            });
        }
        let grown = flooded.and_then(|(from, until)| growth(scope, from, until));
        let time = Span::millis(limit / 1_000_000);
        let wanted = format!("within {time}, memory up by {} at most", self.memory);
        let none = "no oversize, flooding or endless head was delivered";
        let mut finding = tally.finding(scope, wanted.clone(), none);
        if finding.samples > 0 && grown.is_some_and(|grown| grown > self.memory.0) {
            let Finding { samples, details, exemplars, .. } = finding;
            finding = Finding::judged(false, "memory grew too far", wanted, samples).details(details);
            finding = finding.exemplars(exemplars);
        }
        let told = match grown {
            Some(grown) => format!("resident memory grew by at most {}", Size(grown)),
            None => "resident memory was not sampled in that time".to_owned(),
        };
        if finding.samples > 0 { finding.detail(told) } else { finding }
    }

    fn problem(&self) -> Option<&'static str> {
        let zero = self.within == Some(Span(0)) || self.memory.0 == 0;
        zero.then_some("`within` and `memory` above zero")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        use crate::faults::{Endless, EndlessHead};
        use gatecrash_model::{Event, GatewaySample};
        let story = |tell: fn(Request) -> Request| {
            let endless = FaultSpec::EndlessHead(EndlessHead { of: Endless::Interim });
            Story::new()
                .fault(endless, 0, 5000)
                .every(10, 0, 50, |r| r)
                .every(10, 50, 100, move |r| tell(r.tries([Try::garbage().by(0)])))
        };
        let sample = |ms: u64, resident: u64| {
            Event::Sample(GatewaySample { at: ms * 1_000_000, resident, ..GatewaySample::default() })
        };
        let refused = || story(|r| r.answer(502));
        let hang = |r: Request| r.ending(Ending::Hang);
        vec![
            Golden::pass("refused at once", Self::default(), refused()),
            Golden::pass(
                "and the memory stays",
                Self::default(),
                refused().event(sample(10, 10 << 20)).event(sample(80, 30 << 20)),
            ),
            Golden::fail(
                "refused, and the memory grows",
                Self::default(),
                refused().event(sample(10, 10 << 20)).event(sample(80, 90 << 20)),
            ),
            Golden::fail("never answered", Self::default(), {
                Story::new()
                    .fault(FaultSpec::EndlessHead(EndlessHead { of: Endless::Headers }), 0, 5000)
                    .every(10, 0, 50, move |r| hang(r.tries([Try::garbage().by(0)])).took(9000))
            }),
            Golden::inconclusive("the client left first", Self::default(), {
                Story::new()
                    .fault(FaultSpec::EndlessHead(EndlessHead { of: Endless::Headers }), 0, 5000)
                    .every(10, 0, 50, move |r| hang(r.tries([Try::garbage().by(0)])).took(1000))
            }),
            Golden::inconclusive("no flood", Self::default(), Story::new().every(10, 0, 50, |r| r)),
        ]
    }
}

fn is_flood(scope: &Scope<'_>, attempt: &AttemptRecord) -> bool {
    match scope.fault(attempt) {
        Some(FaultSpec::EndlessHead(_)) => true,
        Some(FaultSpec::Malformed(malformed)) => matches!(
            malformed.kind,
            Kind::HeaderOversize
                | Kind::HeaderCount
                | Kind::ContinueFlood
                | Kind::EarlyHintsFlood
                | Kind::ChunkExtensionHuge
        ),
        _ => false,
    }
}

/// By how much the gateway's memory grew over that time at most; `None` without a sample before and one in
/// it.
fn growth(scope: &Scope<'_>, from: Nanos, until: Nanos) -> Option<u64> {
    let before = scope.history.samples().filter(|s| s.at <= from).last()?.resident;
    let within = scope.history.samples().filter(|s| from < s.at && s.at <= until);
    within.map(|s| s.resident.saturating_sub(before)).max()
}
