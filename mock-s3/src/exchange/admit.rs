//! The phases before anything is done: auth, place, policy, body, and a place among the servers.

use gatecrash_model::{Decision, Op};
use std::sync::Arc;

use http::Method;
use http::header::LOCATION;

use super::{Admitted, BUCKET_REGION, Exchange, Stop};
use crate::auth::{Caller, Payload, Signed, Verifier, wrong_region};
use crate::capacity::Place;
use crate::checksum::{Algorithm, Declared};
use crate::control::WrongRegionKind;
use crate::errors::S3Error;
use crate::hook::Point;
use crate::incoming::{Plan, RequestBody, check_upload_length};
use crate::journal::saturated;
use crate::ops::{Action, Body, On, Route, check_owner, route};
use crate::query_api;
use crate::received::Received;
use crate::store::Placement;

/// Bodies of operations other than uploads: 1000 keys of 1024 bytes, each byte escaped.
const DOCUMENT_LIMIT: u64 = 8 << 20;

impl Exchange {
    /// The phases up to the one that does something.
    pub(super) async fn admit(&mut self, body: &mut RequestBody) -> Result<Admitted, Stop> {
        self.fault(Point::Auth, body.declared()).pass().await?;
        if query_api::concerns(&self.head) {
            return Err(Stop::Answer(Box::new(Box::pin(self.serve_query(body)).await?)));
        }
        let payload = self.authenticate()?;
        let route = route(&self.head).ok_or_else(|| self.not_done())?;
        self.locate(route)?;
        self.authorise(route)?;
        let body = self.receive(route, body, payload).await?;
        let fault = self.fault(Point::Handle, body.data.length());
        let place = if fault.stop.is_none() { self.enter()? } else { None };
        Ok(Admitted { route, body, fault, place })
    }

    /// Phase auth.
    fn authenticate(&mut self) -> Result<Payload, S3Error> {
        if !self.head.legible {
            return Err(S3Error::of("InvalidURI").extra("URI", self.head.path()));
        }
        // Browsers never sign the question, even when the URL asked about is a presigned one; websites are for all.
        if self.head.op == Op::Preflight || self.head.website {
            return Ok(Payload::Plain);
        }
        let verifier = Verifier {
            settings: &self.settings,
            sessions: &self.shared.sessions,
            region: Some(&self.shared.regions[self.arrived]),
            service: "s3",
            wall: self.wall,
        };
        let Signed { caller, payload, .. } = verifier.authenticate(&self.head)?;
        self.head.adopt_parameters();
        self.note_caller(caller);
        Ok(payload)
    }

    /// Remembers who it is, for policies and for the journal.
    pub(super) fn note_caller(&mut self, caller: Arc<Caller>) {
        self.identity = caller.identity;
        self.entry.record.identity = self.identity.map_or(0, |index| index as u8 + 1);
        self.caller = caller;
        self.describe_caller();
    }

    /// Phase place: is the bucket here?
    fn locate(&self, route: &Route) -> Result<(), S3Error> {
        if !matches!(route.on, On::Bucket | On::Object) {
            return Ok(());
        }
        let name = self.head.bucket.as_str();
        if let Some(placement) = &self.placement {
            return match self.misplaced(placement) {
                Some((kind, to)) => Err(self.redirect(kind, &to).by_fault()),
                None => check_owner(&self.head, &placement.bucket.owner),
            };
        }
        match self.shared.store.elsewhere(self.region, name) {
            Some(other) => Err(self.redirect(WrongRegionKind::Redirect, &self.shared.regions[other])),
            None => Err(S3Error::of("NoSuchBucket").extra("BucketName", name)),
        }
    }

    /// The wrong-region change that concerns this request: the latest wins.
    fn misplaced(&self, placement: &Placement) -> Option<(WrongRegionKind, String)> {
        let concerns = self.settings.wrong_regions.iter().rev().find(|wrong| {
            wrong.bucket.as_deref().is_none_or(|bucket| *bucket == *placement.bucket.name)
                && wrong.region.as_deref().is_none_or(|region| region == self.region_name())
                && wrong.op.is_none_or(|op| op == self.head.op)
        })?;
        Some((concerns.kind, concerns.points_to.clone()))
    }

    pub(super) fn redirect(&self, kind: WrongRegionKind, to: &str) -> S3Error {
        let endpoint = format!("s3.{to}.amazonaws.com");
        let error = match kind {
            WrongRegionKind::Malformed if self.identity.is_some() => wrong_region(self.region_name(), to),
            WrongRegionKind::Temporary => S3Error::of("TemporaryRedirect")
                .extra("Endpoint", &*endpoint)
                .extra("Bucket", &*self.head.bucket)
                .header(LOCATION, &format!("http://{endpoint}{}", self.head.uri)),
            _ => S3Error::of("PermanentRedirect")
                .extra("Endpoint", &*endpoint)
                .extra("Bucket", &*self.head.bucket),
        };
        error.header(BUCKET_REGION, to)
    }

    /// Phase policy.
    fn authorise(&mut self, route: &Route) -> Result<(), S3Error> {
        let action = match route.action {
            Action::Is(action) => action,
            Action::Versioned(_, versioned) if self.head.has_query("versionId") => versioned,
            Action::Versioned(current, _) => current,
            Action::Own => return Ok(()),
        };
        let access = self.access();
        let ruling = access.evaluate(action, &self.head.key);
        if !ruling.is_allowed() {
            return Err(access.denial(&ruling));
        }
        if self.entry.is_described() {
            let explained = access.explain(action, &self.head.key);
            self.entry.note(|notes| notes.explained(explained));
        }
        self.entry.record.decision = Decision::Allowed;
        Ok(())
    }

    /// The body, checked against what the head said of it.
    async fn receive(
        &mut self,
        route: &Route,
        body: &mut RequestBody,
        payload: Payload,
    ) -> Result<Received, S3Error> {
        let upload = route.body == Body::Upload;
        let reads = matches!(self.head.method, Method::GET | Method::HEAD);
        if reads && body.whole && matches!(payload, Payload::Plain) {
            return Ok(Received::nothing());
        }
        if upload {
            check_upload_length(&self.head.headers)?;
        }
        // The checksum in the head of a completion is that of the object, not of the document.
        let declared = match self.head.op {
            Op::CompleteMultipartUpload => Declared::default(),
            _ => Declared::of(&self.head.headers)?,
        };
        let plan = Plan {
            payload,
            declared,
            limit: if upload { self.shared.upload_capacity } else { DOCUMENT_LIMIT },
            default_checksum: upload.then_some(Algorithm::Crc64Nvme),
            md5: upload,
        };
        // Boxed, so that requests without a body do not carry the state of reading one.
        let received = Box::pin(body.receive(plan)).await;
        self.note_body(body);
        let received = received?;
        if upload || received.data.length() > 0 {
            self.entry.record.body_hash = received.hash;
        }
        self.entry.record.body_bytes = saturated(received.data.length());
        self.entry.note(|notes| notes.received(received.data.length()));
        Ok(received)
    }

    /// A place among the region's servers, where capacity is finite.
    fn enter(&self) -> Result<Option<Place>, S3Error> {
        let Some(station) = self.settings.stations.get(&self.region) else { return Ok(None) };
        station.enter().map(Some).ok_or_else(|| S3Error::of("SlowDown").by_fault())
    }

    fn not_done(&self) -> S3Error {
        let known = [Method::GET, Method::HEAD, Method::PUT, Method::POST, Method::DELETE];
        match known.contains(&self.head.method) && self.head.path() != "/" {
            true => S3Error::of("NotImplemented").message("the mock does not do this operation yet"),
            false => S3Error::of("MethodNotAllowed").extra("Method", self.head.method.as_str()),
        }
    }
}
