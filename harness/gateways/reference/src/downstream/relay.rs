//! The response body on its way to the client: streamed, and broken off where the upstream's broke off.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};

use crate::upstream::{BodyError, UpstreamBody};

/// Body of a response to the client. An error makes the server cut the connection, so that the client never
/// takes a part for the whole.
pub(crate) enum Reply {
    Full(Bytes),
    Relayed(Relayed),
}

/// What is done about a broken body.
pub(crate) enum Mend {
    /// The client's connection is cut: the honest way.
    Never,
    /// It is ended as if whole.
    Finish,
    /// It is filled up with zeros.
    Pad,
    /// Another attempt's body follows, from its beginning.
    Append(Refetch),
    /// Another attempt's body follows, from half of where the first one broke off.
    Resume(Refetch),
}

pub(crate) type Refetch = Pin<Box<dyn Future<Output = Option<UpstreamBody>> + Send>>;

pub(crate) enum Relayed {
    Waiting(Box<Source>),
    Reading(Pin<Box<dyn Future<Output = (Box<Source>, Next)> + Send>>),
    Ended,
}

pub(crate) struct Source {
    body: UpstreamBody,
    mend: Mend,
    /// Zeros still to be sent.
    padding: u64,
    /// Bytes relayed.
    relayed: u64,
    /// Bytes of the body to be left out.
    skip: u64,
}

type Next = Option<Result<Bytes, BodyError>>;

// === impl Reply ===

impl Reply {
    pub(crate) fn full(bytes: impl Into<Bytes>) -> Self {
        Self::Full(bytes.into())
    }

    pub(crate) fn relayed(body: UpstreamBody, mend: Mend) -> Self {
        Self::Relayed(Relayed::Waiting(Box::new(Source { body, mend, padding: 0, relayed: 0, skip: 0 })))
    }
}

impl Body for Reply {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let next = match self.get_mut() {
            Self::Full(bytes) if bytes.is_empty() => None,
            Self::Full(bytes) => Some(Ok(std::mem::take(bytes))),
            Self::Relayed(relayed) => ready!(relayed.poll(context)),
        };
        Poll::Ready(next.map(|result| result.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_empty(),
            Self::Relayed(relayed) => matches!(relayed, Relayed::Ended),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Relayed(_) => SizeHint::default(),
        }
    }
}

// === impl Relayed ===

impl Relayed {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Next> {
        loop {
            match self {
                Self::Waiting(_) => {
                    let Self::Waiting(source) = std::mem::replace(self, Self::Ended) else { continue };
                    *self = Self::Reading(Box::pin(source.step()));
                }
                Self::Reading(reading) => {
                    let (source, next) = ready!(reading.as_mut().poll(context));
                    let more = matches!(next, Some(Ok(_)));
                    *self = if more { Self::Waiting(source) } else { Self::Ended };
                    return Poll::Ready(next);
                }
                Self::Ended => return Poll::Ready(None),
            }
        }
    }
}

// === impl Source ===

impl Source {
    async fn step(mut self: Box<Self>) -> (Box<Self>, Next) {
        let next = self.next().await;
        if matches!(next, Some(Err(_))) {
            // Let the server flush the head and what came before, so that the cut shows in its place.
            tokio::task::yield_now().await;
        }
        (self, next)
    }

    async fn next(&mut self) -> Next {
        if self.padding > 0 {
            return self.zeros();
        }
        loop {
            let error = match self.body.next().await {
                Ok(bytes) => match bytes.map(|bytes| self.rest_of(bytes)) {
                    Some(rest) if rest.is_empty() => continue,
                    rest => return rest.map(Ok),
                },
                Err(error) => error,
            };
            match std::mem::replace(&mut self.mend, Mend::Never) {
                Mend::Never => return Some(Err(error)),
                Mend::Finish => return None,
                Mend::Pad => {
                    self.padding = self.body.missing();
                    return if self.padding > 0 { self.zeros() } else { Some(Err(error)) };
                }
                Mend::Append(again) => match again.await {
                    Some(body) => self.body = body,
                    None => return Some(Err(error)),
                },
                Mend::Resume(again) => match again.await {
                    Some(body) => (self.body, self.skip) = (body, self.relayed / 2),
                    None => return Some(Err(error)),
                },
            }
        }
    }

    /// The bytes without those that are left out.
    fn rest_of(&mut self, mut bytes: Bytes) -> Bytes {
        let left_out = usize::try_from(self.skip).unwrap_or(usize::MAX).min(bytes.len());
        let _ = bytes.split_to(left_out);
        self.skip -= left_out as u64;
        self.relayed += bytes.len() as u64;
        bytes
    }

    fn zeros(&mut self) -> Next {
        let count = self.padding.min(16 * 1024);
        self.padding -= count;
        Some(Ok(Bytes::from(vec![0; usize::try_from(count).unwrap_or(0)])))
    }
}

/// Everything that arrives, whether the body is whole or not.
pub(crate) async fn whole(mut body: UpstreamBody) -> Bytes {
    let mut arrived = BytesMut::new();
    while let Ok(Some(bytes)) = body.next().await {
        arrived.extend_from_slice(&bytes);
    }
    arrived.freeze()
}
