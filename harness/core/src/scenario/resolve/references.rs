//! Names inside faults and checks, by table: what they refer to, and which of their keys belong together.

use super::{Cx, World};
use crate::diagnostics::Place;
use crate::faults::FaultSpec;
use crate::scenario::decode::Spanned;
use crate::scenario::node::Node;

/// What a key refers to.
#[derive(Clone, Copy)]
enum To {
    Region,
    Bucket,
    Identity,
    Fault,
    /// One case of a search for capacity.
    Case,
    /// One phase, or a list of them.
    Phase,
}

/// (fault or check, key, what it names).
const REFERENCES: &[(&str, &str, To)] = &[
    ("iam", "identity", To::Identity),
    ("rotate-key", "identity", To::Identity),
    ("bucket-policy", "bucket", To::Bucket),
    ("block-public-access", "bucket", To::Bucket),
    ("wrong-region", "bucket", To::Bucket),
    ("replication", "bucket", To::Bucket),
    ("expire-token", "identity", To::Identity),
    ("redirect", "to", To::Region),
    ("failover", "from", To::Region),
    ("failover", "to", To::Region),
    ("failback", "from", To::Region),
    ("failback", "to", To::Region),
    ("attempts-to", "region", To::Region),
    ("outage-errors", "region", To::Region),
    ("ejection", "region", To::Region),
    ("breaker", "region", To::Region),
    ("recovery", "fault", To::Fault),
    ("no-self-ejection", "fault", To::Fault),
    ("metastability", "baseline", To::Phase),
    ("metastability", "trigger", To::Phase),
    ("metastability", "after", To::Phase),
    ("metastability", "reduced", To::Phase),
    ("capacity-ratio", "of", To::Case),
    ("capacity-ratio", "to", To::Case),
];

/// Faults that do nothing without one of these keys.
const NEEDS_ONE: &[(&str, &[&str])] = &[
    ("iam", &["remove", "deny"]),
    ("bucket-policy", &["add", "replace"]),
    ("replication", &["mode", "lag"]),
    ("misconfigure", &["bucket", "region", "host", "endpoint", "mapping"]),
];

impl Cx<'_> {
    /// Checks the names inside a fault.
    pub(super) fn fault_references(&mut self, fault: &Spanned<FaultSpec>, world: &World<'_>) {
        let name = fault.value.name();
        self.references(fault.place, name, world, &[]);
        if let FaultSpec::RoutingDial(dial) = &fault.value {
            let place = self.within(fault.place, &[name, "shares"]);
            for region in dial.shares.keys() {
                self.refer("region", region, place, world.regions.iter().map(|r| r.name.as_str()));
            }
        }
        if let FaultSpec::Replication(fault_of) = &fault.value
            && world.buckets.iter().any(|b| b.name == fault_of.bucket && b.replication.is_none())
        {
            let message = format!("bucket `{}` is not replicated", fault_of.bucket);
            self.error(message, fault.place, "expected `replication` in its entry under `buckets`");
        }
        if let Some(problem) = fault.value.problem() {
            self.error(format!("`{name}` cannot work like this"), fault.place, format!("expected {problem}"));
        }
        let keys = self.parameters(fault.place, name).map_or_else(Vec::new, |(_, keys)| keys);
        if let Some((_, needed)) = NEEDS_ONE.iter().find(|(fault, _)| *fault == name)
            && !keys.iter().any(|key| needed.contains(&key.as_str()))
        {
            self.error(
                format!("`{name}` changes nothing"),
                fault.place,
                format!("expected {}", needed.join(" or ")),
            );
        }
    }

    /// Checks the names inside a fault or a check that stands at a place.
    pub(super) fn references(&mut self, place: Place, name: &str, world: &World<'_>, faults: &[&str]) {
        for (_, key, to) in REFERENCES.iter().filter(|(owner, ..)| *owner == name) {
            let Some(node) = self.node(place).and_then(|n| n.get(name)).and_then(|n| n.get(key)) else {
                continue;
            };
            let named = std::iter::once(node).chain(node.elements());
            let named: Vec<_> = named.filter_map(|n| Some((n.text()?.to_owned(), n.place))).collect();
            for (text, at) in named {
                self.refer_to(*to, &text, at, world, faults);
            }
        }
    }

    fn refer_to(&mut self, to: To, text: &str, at: Place, world: &World<'_>, faults: &[&str]) {
        match to {
            To::Region => self.refer("region", text, at, world.regions.iter().map(|r| r.name.as_str())),
            To::Bucket => self.refer("bucket", text, at, world.buckets.iter().map(|b| b.name.as_str())),
            To::Identity => {
                self.refer("identity", text, at, world.identities.iter().map(|i| i.name.as_str()))
            }
            To::Fault => self.refer("fault", text, at, faults.iter().copied()),
            To::Case => self.refer("case", text, at, world.phases.iter().map(|p| p.name.as_str())),
            To::Phase => self.refer("phase", text, at, world.phases.iter().map(|p| p.name.as_str())),
        };
    }

    /// The parameters of a fault or a check that stands at a place, with their keys.
    pub(super) fn parameters(&self, place: Place, name: &str) -> Option<(&Node, Vec<String>)> {
        let node = self.node(place)?.get(name)?;
        Some((node, node.entries().iter().map(|(key, _)| key.text.clone()).collect()))
    }
}
