//! `body-exact`: every byte under a 2xx is the object's.

use gatecrash_model::{BodyCheck, Capabilities, Capability, ClientRecord, Op};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::tally::Tally;
use super::uploaded::Uploads;
use super::{Check, CheckInfo, Fixes, Rests, Source};
#[cfg(test)]
use crate::faults::{CorruptBody, FaultSpec, WrongObject};
#[cfg(test)]
use crate::golden::{Golden, Stored, Story, Try};
use crate::history::IdSet;
use crate::judge::Scope;
#[cfg(test)]
use crate::units::Size;
use crate::verdict::Finding;

/// Bytes delivered under 2xx are a beginning of the object that was asked for; an upload reaches the store as it
/// was sent.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct BodyExact {}

impl Check for BodyExact {
    const INFO: CheckInfo = CheckInfo {
        name: "body-exact",
        summary: "every byte under a 2xx, and of an upload, is the object's",
        doc: "Bodies are derived from bucket, key, version and offset, so every byte of every 2xx is \
              compared. Padding, a repeated beginning after a retry in the middle, a resume at the wrong \
              offset and chunk framing mistaken for data all show as wrong bytes, and of objects that change \
              (`change-every`) the bytes of two versions in one body; a short but correct \
              beginning is `body-complete`'s business. Responses that a fault spoilt are left out. Likewise an \
              upload that an upstream took for whole must have the client's bytes: a retry that goes on \
              where the first try broke off makes an object of the rest. RFC 9112 8 leaves no room for repair of a broken \
              body.",
        sources: &[
            Source::rfc(9112, "8", "Handling Incomplete Messages"),
            Source::rfc(9110, "7.7", "Message Transformations"),
        ],
        fixes: Fixes {
            nginx: "no `sub_filter`, `gzip` or `gunzip` on objects; it never retries once a byte was sent",
            haproxy: "no `compression algo` and no `filter compression` on objects; it never retries once a \
                      byte was sent",
            envoy: "no `compressor`, `decompressor` or other filter that rewrites bodies on the route; it \
                    never retries once the head was passed on",
            others: "",
        },
        example: "body-exact: {}",
        needs: Capabilities::of(&[Capability::Framing]),
        min_samples: 1,
        rests: Rests::OnExchanges,
    };

    fn judge(&self, scope: &Scope<'_>) -> Finding {
        let (mut tally, untrue) = (Tally::default(), scope.untrue_attempts());
        let checked = |body| body != BodyCheck::NotChecked;
        for client in scope.clients() {
            let body = client.shape.body();
            let told = || scope.source(client).is_some_and(|a| untrue.contains(&a.attempt));
            if matches!(client.status, 200..=299) && checked(body) && !told() {
                tally.count(!body.is_wrong(), client.id(), || {
                    format!("{} with a body that is {body}", client.status)
                });
            }
        }
        if scope.missing(Capabilities::of(&[Capability::Store])).is_none() {
            self.uploads(scope, &untrue, &mut tally);
        }
        tally.finding(scope, "every byte is the object's", "no object was delivered under a 2xx, or stored")
    }

    #[cfg(test)]
    fn goldens() -> Vec<Golden> {
        let with = |body| Story::new().every(10, 0, 90, |r| r).every(10, 90, 100, move |r| r.body(body));
        let spoilt = || {
            let corrupt = FaultSpec::CorruptBody(CorruptBody { at: Some(Size(5)), share: None });
            let story = Story::new().fault(corrupt, 100, 200).every(10, 0, 50, |r| r);
            story.every(10, 110, 180, |r| r.tries([Try::served().by(0)]).body(BodyCheck::Wrong))
        };
        let untrue = |met: bool| {
            let story = Story::new().fault(FaultSpec::WrongObject(WrongObject {}), 0, 1000);
            let told = move |met: bool| if met { Try::served().by(0) } else { Try::served() };
            let story = story.every(10, 0, 90, move |r| r.tries([told(!met)]));
            story.every(10, 90, 100, move |r| r.tries([told(met)]).body(BodyCheck::Other))
        };
        let stored = |how| {
            Story::new().every(10, 0, 90, move |r| r.op(Op::PutObject).tries([Try::served().applied(how)]))
        };
        vec![
            Golden::pass("all bytes are right", Self {}, with(BodyCheck::Exact)),
            Golden::pass("a correct beginning is right", Self {}, with(BodyCheck::Prefix)),
            Golden::fail("zeros at the end", Self {}, with(BodyCheck::Wrong)),
            Golden::fail("another object's bytes", Self {}, with(BodyCheck::Other)),
            Golden::fail("two versions in one body", Self {}, with(BodyCheck::Mixed)),
            Golden::pass("a fault spoilt them", Self {}, spoilt()),
            Golden::pass("another object's bytes from the upstream", Self {}, untrue(true)),
            Golden::fail("another object's bytes while others met the fault", Self {}, untrue(false)),
            Golden::pass("uploads are stored as they were sent", Self {}, stored(Stored::Whole)),
            Golden::fail("an upload is stored with other bytes", Self {}, stored(Stored::Torn)),
            Golden::pass("parts are stored as sent", Self {}, Story::new().in_parts(Stored::Whole, Stored::Whole)),
            Golden::fail("a part of an upload is torn", Self {}, Story::new().in_parts(Stored::Torn, Stored::Torn)),
            Golden::inconclusive("only errors", Self {}, Story::new().every(10, 0, 90, |r| r.answer(502))),
        ]
    }
}

impl BodyExact {
    /// Whether uploads that upstreams took for whole are what clients sent.
    fn uploads(&self, scope: &Scope<'_>, untrue: &IdSet, tally: &mut Tally) {
        let is_put = |c: &&ClientRecord| matches!(c.op, Op::PutObject | Op::UploadPart);
        let mut puts = scope.clients().filter(is_put).peekable();
        if puts.peek().is_none() {
            return;
        }
        let uploads = Uploads::of(scope);
        for client in puts {
            let Some(sent) = uploads.sent(scope, client) else { continue };
            let mut applied = uploads.applied(client).iter().filter(|u| !untrue.contains(&u.attempt)).peekable();
            if applied.peek().is_some() {
                tally.count(applied.all(|u| sent.is_what_came(u)), client.id(), || {
                    "an upload stored with other bytes than were sent".into()
                });
            }
        }
    }
}
