//! `dns`: the name service misanswers

use std::net::Ipv4Addr;

use gatecrash_model::Nanos;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fault, FaultInfo, Host};
use crate::units::Span;

/// TTL of answers in seconds where nothing else is said.
pub const DNS_TTL: u32 = 1;
/// The high TTL of `ttl-flip` where nothing else is said, in seconds.
const HIGH_TTL: u32 = 3600;

/// The name of the region (of every region without a target) is answered wrongly by the run's own name server,
/// which a gateway asks when its parameter `resolver` is on. Our own query confirms the interval, and queries of
/// the gateway under it are counted: without one the fault was not exercised.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Dns {
    /// What is answered.
    pub kind: DnsKind,
    /// `dead-subset`: how many addresses of each name are dead. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 16))]
    pub dead: Option<u32>,
    /// TTL of the answers, whole seconds; for `ttl-flip` the high one. Default: 1s, for `ttl-flip` 1h.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// `ttl-flip`: time between two changes. Default: 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<Span>,
}

/// What a name is answered with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DnsKind {
    /// NXDOMAIN: the name does not exist.
    Nxdomain,
    /// SERVFAIL: the server cannot tell.
    Servfail,
    /// NOERROR and no answers, as on 20 October 2025.
    Empty,
    /// No answer at all.
    Timeout,
    /// Only addresses at which nobody serves any more.
    Stale,
    /// Some of the addresses are dead.
    DeadSubset,
    /// The TTL changes between 0 and a high one, and the addresses with it: one half of them, then the other.
    TtlFlip,
    /// The right addresses, with another TTL.
    Ttl,
}

/// What the name server does about one question for addresses.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DnsReply {
    /// Nothing.
    Silence,
    /// NXDOMAIN.
    NoSuchName,
    /// SERVFAIL.
    ServerFailure,
    /// NOERROR with these addresses, perhaps none.
    Addresses {
        /// In no particular order.
        addresses: Vec<Ipv4Addr>,
        /// Seconds.
        ttl: u32,
    },
}

impl Fault for Dns {
    const INFO: FaultInfo = FaultInfo {
        name: "dns",
        summary: "the name service misanswers",
        doc: "The name of the region (of every region without a target) is answered wrongly by the run's own \
              name server, over UDP and TCP: NXDOMAIN, SERVFAIL, NOERROR without answers, silence, addresses \
              where nobody serves any more (all or some), or a TTL that changes together with the \
              addresses. A gateway asks it when its parameter `resolver` is on. Our own query confirms the \
              interval, and queries of the gateway under it are counted: without one the fault was not \
              exercised.",
        example: "dns: { kind: nxdomain }",
        host: Host::Resolver,
        points: &[],
    };

    fn problem(&self) -> Option<&'static str> {
        let whole = |span: Span| span.0.is_multiple_of(1_000_000_000) && span.0 / 1_000_000_000 < 1 << 31;
        match self.kind {
            _ if self.dead == Some(0) => Some("at least one dead address"),
            _ if self.ttl.is_some_and(|ttl| !whole(ttl)) => Some("a TTL of whole seconds"),
            _ if self.every.is_some_and(|every| every.0 == 0) => Some("some time between two changes"),
            kind if self.dead.is_some() && kind != DnsKind::DeadSubset => {
                Some("`dead` with `kind: dead-subset` only")
            }
            kind if self.every.is_some() && kind != DnsKind::TtlFlip => {
                Some("`every` with `kind: ttl-flip` only")
            }
            DnsKind::Ttl if self.ttl.is_none() => Some("a `ttl`"),
            DnsKind::Nxdomain | DnsKind::Servfail | DnsKind::Timeout | DnsKind::Empty if self.ttl.is_some() => {
                Some("a `ttl` only where there are answers")
            }
            _ => None,
        }
    }
}

impl Dns {
    /// The answer for a name with `live` addresses, of which `gone` are the dead counterparts, this long after
    /// the fault was switched on.
    pub fn reply(&self, live: &[Ipv4Addr], gone: &[Ipv4Addr], since: Nanos) -> DnsReply {
        let ttl = self.ttl.map(|ttl| (ttl.0 / 1_000_000_000) as u32);
        let answer = |addresses, ttl| DnsReply::Addresses { addresses, ttl };
        let plain = ttl.unwrap_or(DNS_TTL);
        match self.kind {
            DnsKind::Nxdomain => DnsReply::NoSuchName,
            DnsKind::Servfail => DnsReply::ServerFailure,
            DnsKind::Timeout => DnsReply::Silence,
            DnsKind::Empty => answer(Vec::new(), plain),
            DnsKind::Stale => answer(gone.to_vec(), plain),
            DnsKind::DeadSubset => {
                let dead = (self.dead.unwrap_or(1) as usize).min(gone.len());
                answer(gone[..dead].iter().chain(live.iter().skip(dead)).copied().collect(), plain)
            }
            DnsKind::Ttl => answer(live.to_vec(), plain),
            DnsKind::TtlFlip => {
                let every = self.every.map_or(1_000_000_000, |every| every.0.max(1));
                let (first, second) = live.split_at(live.len().div_ceil(2));
                match (since / every).is_multiple_of(2) {
                    true => answer(first.to_vec(), 0),
                    false if second.is_empty() => answer(first.to_vec(), ttl.unwrap_or(HIGH_TTL)),
                    false => answer(second.to_vec(), ttl.unwrap_or(HIGH_TTL)),
                }
            }
        }
    }

    /// Whether some address it answers with is one where nobody serves.
    pub fn points_nowhere(&self) -> bool {
        matches!(self.kind, DnsKind::Stale | DnsKind::DeadSubset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIVE: [Ipv4Addr; 3] =
        [Ipv4Addr::new(127, 0, 10, 1), Ipv4Addr::new(127, 0, 10, 2), Ipv4Addr::new(127, 0, 10, 3)];
    const GONE: [Ipv4Addr; 3] =
        [Ipv4Addr::new(127, 0, 11, 1), Ipv4Addr::new(127, 0, 11, 2), Ipv4Addr::new(127, 0, 11, 3)];

    fn of(kind: DnsKind) -> Dns {
        Dns { kind, dead: None, ttl: None, every: None }
    }

    fn answer(addresses: &[Ipv4Addr], ttl: u32) -> DnsReply {
        DnsReply::Addresses { addresses: addresses.to_vec(), ttl }
    }

    #[test]
    fn each_kind_decides_its_answer() {
        let reply = |dns: &Dns| dns.reply(&LIVE, &GONE, 0);
        assert_eq!(reply(&of(DnsKind::Nxdomain)), DnsReply::NoSuchName);
        assert_eq!(reply(&of(DnsKind::Servfail)), DnsReply::ServerFailure);
        assert_eq!(reply(&of(DnsKind::Timeout)), DnsReply::Silence);
        assert_eq!(reply(&of(DnsKind::Empty)), answer(&[], 1));
        assert_eq!(reply(&of(DnsKind::Stale)), answer(&GONE, 1));
        assert_eq!(reply(&of(DnsKind::DeadSubset)), answer(&[GONE[0], LIVE[1], LIVE[2]], 1));
        let most = Dns { dead: Some(9), ..of(DnsKind::DeadSubset) };
        assert_eq!(reply(&most), answer(&GONE, 1));
        let slow = Dns { ttl: Some(Span::seconds(60)), ..of(DnsKind::Ttl) };
        assert_eq!(reply(&slow), answer(&LIVE, 60));
    }

    #[test]
    fn a_flip_changes_ttl_and_addresses_together() {
        let flip = of(DnsKind::TtlFlip);
        let at = |millis: u64| flip.reply(&LIVE, &GONE, millis * 1_000_000);
        assert_eq!(at(0), answer(&LIVE[..2], 0));
        assert_eq!(at(999), answer(&LIVE[..2], 0));
        assert_eq!(at(1000), answer(&LIVE[2..], 3600));
        assert_eq!(at(2000), answer(&LIVE[..2], 0));
        assert_eq!(flip.reply(&LIVE[..1], &GONE[..1], 1_000_000_000), answer(&LIVE[..1], 3600));
    }

    #[test]
    fn parameters_belong_to_their_kind() {
        assert_eq!(of(DnsKind::Empty).problem(), None);
        assert!(of(DnsKind::Ttl).problem().is_some());
        assert!(Dns { dead: Some(1), ..of(DnsKind::Stale) }.problem().is_some());
        assert!(Dns { every: Some(Span::seconds(1)), ..of(DnsKind::Stale) }.problem().is_some());
        assert!(Dns { ttl: Some(Span::millis(1500)), ..of(DnsKind::Stale) }.problem().is_some());
        assert!(Dns { ttl: Some(Span::seconds(2)), ..of(DnsKind::Nxdomain) }.problem().is_some());
    }
}
