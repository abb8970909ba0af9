//! `gateway-limits`: the gateway runs out of something

use super::super::evidence::Evidence;
use super::super::rank::Strength;
use super::super::{Cause, Observations, Place, Probe, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "gateway-limits",
    summary: "the gateway fails or slows down under a few requests at once, and S3 does not",
    doc: "One by one requests pass; a handful side by side are refused, dropped or late, while the \
          same handful is served by S3 directly: descriptors, worker connections, CPU quota, memory, \
          connection caps.",
    look_at: &[
        ("nginx", "`worker_connections`, `worker_rlimit_nofile` (error log `Too many open files`)"),
        ("HAProxy", "`maxconn` (global, frontend, server), `timeout queue`: termination state `sQ`"),
        ("Envoy", "circuit breakers (`max_connections` 1024, `max_pending_requests`), overload manager"),
        (
            "the host",
            "`nofile` of the service, CPU throttling (`cpu.stat`), memory limit of the container",
        ),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let burst = |place: Place| seen.samples.iter().filter(move |s| s.place == place && s.probe == Probe::Burst);
    let bad = |s: &&Sample| !s.is_good() || s.answer().is_some_and(|a| seen.is_slow(a.first_byte));
    let (met, of) = (burst(Place::Gateway).filter(bad).count(), burst(Place::Gateway).count());
    let direct = burst(Place::Endpoint).filter(bad).count();
    if direct * 10 > burst(Place::Endpoint).count() || !seen.is_clean(Place::Endpoint) {
        return None;
    }
    let found = Evidence::of(Place::Gateway, met, of, "reads side by side failed or were late")?;
    let alone = seen.reads(Place::Gateway);
    let (single, all) = (alone.clone().filter(|s| !s.is_good()).count(), alone.count());
    let found = found.with(format!("one by one {single} of {all} failed; directly {direct} side by side"));
    // What fails one by one as well is no matter of numbers.
    Some(if single * of > met * all.max(1) / 2 { found.only(Strength::Possible) } else { found })
}
