//! `dns-no-addresses`: an answer without addresses

use super::super::evidence::{self, Evidence};
use super::super::rank::Strength;
use super::super::{Cause, NameReply, Observations};

pub(super) const CAUSE: Cause = Cause {
    name: "dns-no-addresses",
    summary: "the name exists and has no address",
    doc: "NOERROR with nothing in it: the record set was emptied, as on 20 October 2025, or only the \
          other address family has records.",
    look_at: &[
        ("nginx", "`resolver ... ipv6=off` or `ipv4=off` that leaves the one family that has records"),
        ("HAProxy", "`resolve-prefer`, and `hold valid`"),
        ("Envoy", "`dns_lookup_family`"),
        ("AWS", "the records of the zone and the health checks that may have taken all of them out"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let found = evidence::names(seen, "gave no address", |reply| {
        matches!(reply, NameReply::Empty | NameReply::Failed(_))
    });
    let guessed = seen.names.iter().any(|n| matches!(n.reply, NameReply::Failed(_)));
    found.map(|f| if guessed { f.only(Strength::Likely) } else { f })
}
