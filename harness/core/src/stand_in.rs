//! An existing Toxiproxy in place of our links: which faults it can carry out, and as which toxics.
//!
//! It knows TCP: no request, no attempt, no header. A fault is taken where its toxic does to every exchange what the
//! link would, and to all of them while it is on.

use crate::faults::FaultSpec;
use crate::plan::{FaultPlan, Per, Plan};
use crate::rules::{Matcher, Trigger};
use crate::units::Span;

/// What is asked of a Toxiproxy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Toxiproxied {
    /// Its proxy is disabled.
    Down,
    /// `latency` upstream, ms.
    Latency {
        /// `latency`.
        latency: u32,
        /// `jitter`.
        jitter: u32,
    },
    /// `bandwidth` downstream, KB/s.
    Bandwidth {
        /// `rate`.
        rate: u32,
    },
    /// `slicer` downstream, without variation.
    Slicer {
        /// `average_size`, bytes.
        size: u32,
        /// `delay`, us.
        delay: u32,
    },
    /// `timeout` upstream, without an end: what the client sends is dropped.
    BlackHole,
}

/// The toxic of a fault; or what of the fault no Toxiproxy knows, a fragment after "an existing Toxiproxy".
pub fn toxiproxied(fault: &FaultPlan) -> Result<Toxiproxied, String> {
    let toxic = match &fault.spec {
        FaultSpec::Refuse(_) => Toxiproxied::Down,
        FaultSpec::Latency(law) => Toxiproxied::Latency {
            latency: millis(law.add)?,
            jitter: millis(law.jitter.unwrap_or_default())?,
        },
        // Its unit is 1000 bytes; 0 would stall.
        FaultSpec::Bandwidth(limit) => match u32::try_from((limit.rate.0 + 500) / 1000) {
            Ok(rate) if rate > 0 => Toxiproxied::Bandwidth { rate },
            _ => return Err("takes rates from 1000 bytes per second on".into()),
        },
        FaultSpec::Slice(slice) => match (u32::try_from(slice.size.0), u32::try_from(slice.every.0 / 1000)) {
            (Ok(size @ 1..), Ok(delay)) => Toxiproxied::Slicer { size, delay },
            _ => return Err("takes slices of at least a byte, and of at most 4 GiB and an hour".into()),
        },
        FaultSpec::Swallow(_) => Toxiproxied::BlackHole,
        other => {
            let known = "`latency`, `bandwidth`, `slice`, `swallow` and `refuse`";
            return Err(format!("cannot carry out `{}`: it knows {known}", other.name()));
        }
    };
    let FaultPlan { matcher, per, limit, trigger, probability, .. } = fault;
    let exchange_by_exchange =
        *matcher != Matcher::default() || limit.is_some() || *trigger != Trigger::default();
    if exchange_by_exchange {
        return Err("sees no requests: it takes no `match`, `limit` or other trigger".into());
    }
    if probability.0 < 1.0 && *per != Per::Connection {
        return Err("knows a probability `per: connection` only".into());
    }
    Ok(toxic)
}

impl Plan {
    /// Whether a Toxiproxy stands in for every link that a fault of links is aimed at.
    pub fn is_toxiproxied(&self, fault: &FaultPlan) -> bool {
        match fault.region.and_then(|region| self.regions.get(usize::from(region))) {
            Some(region) => region.toxiproxy.is_some(),
            None => self.regions.iter().all(|region| region.toxiproxy.is_some()),
        }
    }
}

fn millis(span: Span) -> Result<u32, String> {
    let whole = span.0.is_multiple_of(1_000_000).then_some(span.0 / 1_000_000);
    whole.and_then(|ms| u32::try_from(ms).ok()).ok_or_else(|| "takes whole milliseconds".into())
}

/// The `host:port` of a server's address, `http://host:port`.
pub fn server_of(url: &str) -> Option<&str> {
    let place = url.strip_prefix("http://")?.trim_end_matches('/');
    let (host, port) = place.rsplit_once(':')?;
    (!host.is_empty() && !place.contains('/') && port.parse::<u16>().is_ok()).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_hosts_with_ports() {
        assert_eq!(server_of("http://127.0.0.1:8474"), Some("127.0.0.1:8474"));
        assert_eq!(server_of("http://localhost:8474/"), Some("localhost:8474"));
        for wrong in ["127.0.0.1:8474", "https://x:1", "http://x", "http://:1", "http://x:y", "http://x:1/a"]
        {
            assert_eq!(server_of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_are_whole_milliseconds() {
        assert_eq!(millis(Span::millis(50)), Ok(50));
        assert!(millis(Span(1)).is_err());
    }
}
