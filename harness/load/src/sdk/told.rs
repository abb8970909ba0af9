//! What the SDK says became of a call, in terms of records.

use std::error::Error;
use std::io;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStreamError;
use gatecrash_model::{ClientRecord, Ending};

use crate::wire::{Body, document_flags, s3_code};

/// How a call ended.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) ending: Ending,
    /// Flags of an error's body.
    pub(super) flags: u16,
    /// S3 error code, as the SDK read it.
    pub(super) code: Option<String>,
    /// Body of an error.
    pub(super) body: Vec<u8>,
    /// In words; empty when all is well.
    pub(super) why: String,
}

impl Told {
    /// A whole answer.
    pub(super) const WHOLE: Self =
        Self { ending: Ending::Complete, flags: 0, code: None, body: Vec::new(), why: String::new() };

    pub(super) fn ended(ending: Ending, why: &str) -> Self {
        Self { ending, why: why.to_owned(), ..Self::WHOLE }
    }

    /// An error while an object was read. One that no transport made is the SDK's verdict on a whole body, such as a
    /// checksum that does not fit: where our own comparison knows nothing against the bytes, an answer it cannot use.
    pub(super) fn of_body(error: &ByteStreamError, body: &Body) -> Self {
        let ending = match of_transport(error, true) {
            Some(ending) => ending,
            None if body.mismatch.is_some() => Ending::Complete,
            None => Ending::Unparsable,
        };
        Self::ended(ending, &DisplayErrorContext(error).to_string())
    }
}

/// What an error of a call says.
pub(super) fn told<E>(error: SdkError<E, HttpResponse>) -> Told
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let why = DisplayErrorContext(&error).to_string();
    match &error {
        SdkError::ServiceError(service) => {
            let raw = service.raw();
            let body = raw.body().bytes().unwrap_or_default().to_vec();
            let media = raw.headers().get_bytes("content-type").unwrap_or_default();
            let whole = s3_code(&body).is_some_and(|(_, whole)| whole);
            let flags = document_flags(&body, media) | if whole { ClientRecord::S3_ERROR } else { 0 };
            let code = service.err().meta().code().map(str::to_owned);
            Told { ending: Ending::Complete, flags, code, body, why }
        }
        SdkError::ResponseError(_) => {
            let ending = of_transport(&error, true).unwrap_or(Ending::Unparsable);
            Told::ended(ending, &why)
        }
        SdkError::DispatchFailure(_) => {
            Told::ended(of_transport(&error, false).unwrap_or(Ending::ConnectFailed), &why)
        }
        SdkError::TimeoutError(_) => Told::ended(Ending::Hang, &why),
        // Nothing was sent.
        _ => Told::ended(Ending::Dropped, &why),
    }
}

/// How the transport ended the exchange; `None` where no error of it is in the chain.
fn of_transport(error: &(dyn Error + 'static), answered: bool) -> Option<Ending> {
    let mut next = Some(error);
    let mut found = None;
    while let Some(cause) = next {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return match (io.kind(), answered) {
                (io::ErrorKind::ConnectionRefused, _) => Some(Ending::Refused),
                (io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe, true) => Some(Ending::CutRst),
                (io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe, false) => {
                    Some(Ending::DroppedFirst)
                }
                (_, true) => Some(Ending::CutFin),
                (_, false) => found.or(Some(Ending::ConnectFailed)),
            };
        }
        if let Some(http) = cause.downcast_ref::<hyper::Error>() {
            found = Some(match answered {
                _ if http.is_parse() => Ending::Unparsable,
                true => Ending::CutFin,
                false => Ending::DroppedFirst,
            });
        }
        next = cause.source();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_cause_within_decides() {
        let table = [
            (io::ErrorKind::ConnectionRefused, false, Ending::Refused),
            (io::ErrorKind::ConnectionReset, false, Ending::DroppedFirst),
            (io::ErrorKind::ConnectionReset, true, Ending::CutRst),
            (io::ErrorKind::UnexpectedEof, true, Ending::CutFin),
            (io::ErrorKind::TimedOut, false, Ending::ConnectFailed),
        ];
        for (kind, answered, ending) in table {
            assert_eq!(of_transport(&Outer(kind.into()), answered), Some(ending), "{kind}");
        }
        assert_eq!(of_transport(&std::fmt::Error, true), None);
    }
}
