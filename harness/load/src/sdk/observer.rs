//! Names the request on every try of the SDK, and watches the tries go by.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::interceptors::{
    BeforeDeserializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::BoxError;
use gatecrash_model::{ATTEMPT_HEADER, AttemptId, ClientRecord, Clock, ID_HEADER, Nanos, hash};

/// Which of the tries of one invocation this is: `attempt=2; max=3`.
const INVOCATION: &str = "amz-sdk-invocation-id";

/// Where the SDK believes its endpoint to be, and where it is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    addr: SocketAddr,
    host: String,
    virtual_host: bool,
}

/// One call's interceptor; clones watch the same call.
#[derive(Clone)]
pub(super) struct Observer {
    id: String,
    clock: Arc<dyn Clock>,
    place: Place,
    seen: Arc<Mutex<Seen>>,
}

/// What has been seen of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) tries: Vec<Try>,
    invocation: String,
}

/// One try of the SDK.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) sent: Nanos,
    /// When the response head had been read.
    pub(super) head: Option<Nanos>,
    pub(super) status: u16,
    /// Packed attempt id.
    pub(super) attempt: u64,
    pub(super) request_id: u32,
    pub(super) flags: u16,
    /// Status and header lines of a response outside 2xx, for a reader.
    pub(super) shown: String,
}

impl Place {
    pub(super) fn new(addr: SocketAddr, host: &str, virtual_host: bool) -> Self {
        Self { addr, host: host.to_owned(), virtual_host }
    }

    /// The endpoint to configure. For an address of numbers the SDK never puts the bucket before it, so that virtual
    /// hosts get a name, `localhost`, whose place the real address takes once the request is signed.
    pub(super) fn endpoint(&self) -> String {
        match self.virtual_host {
            true => format!("http://s3.localhost:{}", self.addr.port()),
            false => format!("http://{}", self.host),
        }
    }
}

impl Observer {
    pub(super) fn new(id: String, clock: Arc<dyn Clock>, place: Place) -> Self {
        Self { id, clock, place, seen: Arc::default() }
    }

    /// What has been seen so far.
    pub(super) fn seen(&self) -> Seen {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "gatecrash"
    }

    /// After signing, so that a gateway may strip or change the header without breaking the signature.
    fn modify_before_transmit(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert(ID_HEADER, self.id.clone());
        let signed_host = request.uri().split('/').nth(2).unwrap_or_default().to_owned();
        if signed_host != self.place.addr.to_string() {
            let path = request.uri().splitn(4, '/').nth(3).unwrap_or_default();
            let real = format!("http://{}/{path}", self.place.addr);
            request.headers_mut().insert("host", signed_host);
            request.set_uri(real)?;
        }
        let mut seen = self.lock();
        seen.invocation = request.headers().get(INVOCATION).unwrap_or_default().to_owned();
        seen.tries.push(Try::sent(self.clock.now()));
        Ok(())
    }

    fn read_after_transmit(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let (response, now) = (context.response(), self.clock.now());
        let headers = response.headers();
        let mut seen = self.lock();
        let Some(last) = seen.tries.last_mut() else { return Ok(()) };
        last.head = Some(now);
        last.status = response.status().as_u16();
        last.request_id = headers.get_bytes("x-amz-request-id").map_or(0, |id| hash::bytes(id) as u32);
        let attempt = headers.get_bytes(ATTEMPT_HEADER).and_then(AttemptId::parse_header);
        last.attempt = attempt.map_or(AttemptId::NONE, AttemptId::pack);
        if headers.contains_key("retry-after") || headers.contains_key("x-amz-retry-after") {
            last.flags |= ClientRecord::RETRY_AFTER;
        }
        if !matches!(last.status, 200..=299) {
            let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
            last.shown = format!("{} (as the SDK gave it)\r\n{}", last.status, lines.collect::<String>());
        }
        Ok(())
    }
}

impl std::fmt::Debug for Observer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Observer").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Try {
    fn sent(at: Nanos) -> Self {
        Self {
            sent: at,
            head: None,
            status: 0,
            attempt: AttemptId::NONE,
            request_id: 0,
            flags: 0,
            shown: String::new(),
        }
    }
}

impl Seen {
    /// The last try; a blank one when there was none.
    pub(super) fn last(&self) -> Try {
        self.tries.last().cloned().unwrap_or_else(|| Try::sent(0))
    }

    /// The call in words: `3 tries of the SDK (503, 503, none), invocation ...: why`.
    pub(super) fn story(&self, why: &str) -> String {
        let status = |t: &Try| if t.head.is_some() { t.status.to_string() } else { "none".to_owned() };
        let statuses: Vec<_> = self.tries.iter().map(status).collect();
        let (count, s) = (self.tries.len(), if self.tries.len() == 1 { "try" } else { "tries" });
        let told = if why.is_empty() { String::new() } else { format!(": {why}") };
        format!("{count} {s} of the SDK ({}), invocation {}{told}", statuses.join(", "), self.invocation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_told_by_its_tries() {
        let answered = Try { head: Some(5), status: 503, ..Try::sent(1) };
        let seen = Seen { tries: vec![answered, Try::sent(9)], invocation: "i-1".into() };
        assert_eq!(seen.story("gone"), "2 tries of the SDK (503, none), invocation i-1: gone");
        assert_eq!((seen.last().status, Seen::default().last().attempt), (0, AttemptId::NONE));
    }
}
