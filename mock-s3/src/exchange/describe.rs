//! What is told of an exchange to those who listen: gathered on the way, and only when somebody does.

use gatecrash_model::Op;
use http::header::CONTENT_RANGE;
use http::{StatusCode, Version};

use super::Exchange;
use crate::auth::mask;
use crate::errors::S3Error;
use crate::observe::{Notes, Principal, Scene, is_logged, presented_key};
use crate::ops::{Answer, Content};
use crate::received::Received;
use crate::store::arn;

impl Exchange {
    /// Begins the description, if anybody wants one.
    pub(super) fn describe(&mut self, version: Version) {
        let scene = Scene {
            region: self.region,
            region_name: self.region_name(),
            remote: self.peer.to_canonical(),
            wall: self.wall,
            request_id: self.ids.request(),
            store: &self.shared.store,
            placement: self.placement.as_deref(),
        };
        if self.shared.observers.listening() || is_logged(self.head.op, &self.head, &scene) {
            let notes = Notes::begin(&self.head, version, &scene);
            self.entry.describe(notes);
        }
    }

    /// Who it was that signed.
    pub(super) fn describe_caller(&mut self) {
        let (caller, settings, head) = (&self.caller, &self.settings, &self.head);
        if caller.is_anonymous() {
            return;
        }
        self.entry.note(|notes| {
            let role = caller.role.map(|index| settings.roles[index].name.as_str());
            let user = caller.identity.map(|index| settings.identities[index].name.as_str());
            notes.signed_by(Principal {
                name: role.or(user).unwrap_or_default().to_owned(),
                arn: caller.principal.arn.clone(),
                account: caller.principal.account.clone(),
                canonical_id: caller.principal.canonical_id.clone(),
                access_key: presented_key(head).map(mask).unwrap_or_default(),
            });
        });
    }

    /// Why an operation that asks by itself was refused in the end: may the key be told to be missing, may the
    /// version be deleted? What was asked about another bucket stays unexplained.
    pub(super) fn describe_refusal(&mut self, error: &S3Error) {
        let Some(refused) = error.refused.as_deref().filter(|_| self.entry.is_described()) else { return };
        let bucket = self.placement.as_ref().map_or(self.head.bucket.as_str(), |p| &p.bucket.name);
        let inside = refused.resource.strip_prefix(&arn(bucket, ""));
        let key = match inside {
            Some("") => "",
            Some(inside) if inside.starts_with('/') => &inside[1..],
            _ => return,
        };
        let explained = self.access().explain(&refused.action, key);
        self.entry.note(|notes| notes.explained(explained));
    }

    /// What the operation did.
    pub(super) fn note_answer(&mut self, body: &Received, answer: &Answer) {
        let (op, pool) = (self.head.op, &self.shared.pool_bytes);
        self.entry.note(|notes| {
            notes.object_size(object_size(op, body, answer));
            if op == Op::DeleteObjects
                && let Content::Data(data) = &answer.body
            {
                notes.batch(&body.document(), &data.to_bytes(pool));
            }
        });
    }
}

/// The size of the whole object, as far as request or answer tell it.
fn object_size(op: Op, body: &Received, answer: &Answer) -> Option<u64> {
    match op {
        Op::GetObject | Op::HeadObject => match answer.headers.get(CONTENT_RANGE) {
            Some(range) => range.to_str().ok()?.rsplit_once('/')?.1.parse().ok(),
            None if answer.status == StatusCode::OK => answer.body.length(),
            None => None,
        },
        Op::PutObject | Op::UploadPart | Op::PostObject => Some(body.data.length()),
        _ => None,
    }
}
