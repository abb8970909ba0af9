//! A request to the admin port.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::answer::Refused;
use crate::encoding::decode_form;
use crate::server::Shared;

/// One request with its whole body.
pub(super) struct Ask {
    pub(super) shared: Arc<Shared>,
    /// What the path has for `{id}`.
    pub(super) id: String,
    /// Raw.
    pub(super) query: String,
    /// `X-Amz-Target`, by which clients of AWS name an operation.
    pub(super) target: String,
    pub(super) body: Bytes,
}

impl Ask {
    /// The body as JSON.
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, Refused> {
        serde_json::from_slice(&self.body).map_err(|why| Refused::new(400, format!("the body: {why}")))
    }

    /// A query parameter.
    pub(super) fn query(&self, name: &str) -> Option<String> {
        let pairs = self.query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        pairs.filter(|(n, _)| *n == name).map(|(_, value)| decode_form(value)).next()
    }
}
