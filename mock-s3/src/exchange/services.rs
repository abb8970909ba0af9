//! The exchange with a service beside S3: its whole body first, because the signature covers it.

use sha2::{Digest, Sha256};

use super::{Exchange, Stop};
use crate::auth::sigv4::hex;
use crate::auth::{Payload, Verifier};
use crate::checksum::Declared;
use crate::errors::S3Error;
use crate::incoming::{Plan, RequestBody};
use crate::ops::Answer;
use crate::query_api::{self, Action, Form, Query, QueryError, Service};

/// Policies to simulate are the largest forms.
const FORM_LIMIT: u64 = 1 << 20;

impl Exchange {
    /// Answers a request in the query protocol.
    pub(super) async fn serve_query(&mut self, body: &mut RequestBody) -> Result<Answer, Stop> {
        let plan = Plan {
            payload: Payload::Plain,
            declared: Declared::default(),
            limit: FORM_LIMIT,
            default_checksum: None,
            md5: false,
        };
        let received = body.receive(plan).await;
        self.note_body(body);
        let document = received?.document();
        let form = Form::parse(self.head.query(), &document);
        let action = query_api::action(&form);
        let service = action.as_ref().map_or(Service::Sts, |action| action.service());
        let answer = action.and_then(|action| self.run_query(action, &form, &document));
        Ok(answer.unwrap_or_else(|error| {
            self.entry.record.code = self.shared.sink.intern(&error.code);
            self.entry.note(|notes| notes.code(&error.code));
            error.answer(service, self.ids.request())
        }))
    }

    fn run_query(&mut self, action: &Action, form: &Form, document: &[u8]) -> Result<Answer, QueryError> {
        let verifier = Verifier {
            settings: &self.settings,
            sessions: &self.shared.sessions,
            region: None,
            service: action.service().name(),
            wall: self.wall,
        };
        let hash = hex(&Sha256::digest(document));
        let signed = verifier.authenticate_with(&self.head, Some(&hash));
        let signed = signed.map_err(|error: S3Error| QueryError::of_authentication(&error))?;
        self.note_caller(signed.caller);
        let query = Query {
            settings: &self.settings,
            sessions: &self.shared.sessions,
            caller: std::sync::Arc::clone(&self.caller),
            form,
            wall: self.wall,
        };
        action.answer(&query, self.ids.request())
    }
}
