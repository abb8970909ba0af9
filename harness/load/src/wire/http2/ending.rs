//! How a stream ended that did not end well, from what the `h2` crate and the frames say.

use std::io;

use gatecrash_model::Ending;
use h2::Reason;

use super::frames::Frames;
use crate::plan::RequestPlan;
use crate::wire::response::{Closed, Response};

/// The stream in question.
#[derive(Clone, Copy)]
pub(super) struct Stream<'a> {
    pub(super) id: u32,
    pub(super) frames: &'a Frames,
    /// Whether its connection had carried a request before.
    pub(super) reused: bool,
}

/// The ending, which the response keeps with its reason.
pub(super) fn of(
    error: &h2::Error,
    plan: &RequestPlan,
    response: &mut Response,
    stream: Stream<'_>,
) -> Ending {
    let reason = error.reason().unwrap_or(Reason::NO_ERROR);
    let id = stream.id;
    match () {
        () if error.is_io() => {
            let closed = match error.get_io().map(io::Error::kind) {
                Some(io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted) => Closed::Rst,
                Some(io::ErrorKind::UnexpectedEof) => Closed::Truncated,
                _ => Closed::Fin,
            };
            let ending = response.closed(plan, closed, stream.reused);
            response.break_stream(
                ending,
                "the connection ended under the stream, without GOAWAY for it".to_owned(),
            )
        }
        // A server that needs no more of the request ends the stream so, after a whole answer (RFC 9113 8.1).
        () if error.is_reset() && error.is_remote() && reason == Reason::NO_ERROR && response.has_begun() => {
            response.end_stream()
        }
        () if error.is_reset() && error.is_remote() => {
            let unseen = reason == Reason::REFUSED_STREAM && !response.has_begun();
            let ending = if unseen { Ending::StreamRefused } else { Ending::StreamReset };
            response.break_stream(ending, format!("RST_STREAM {reason:?} on stream {id}"))
        }
        () if error.is_go_away() && error.is_remote() => {
            let last = stream.frames.last_stream().unwrap_or(0);
            let of = if id == u32::MAX { "a new stream".to_owned() } else { format!("stream {id}") };
            response
                .break_stream(Ending::GoAway, format!("GOAWAY {reason:?} after stream {last}, {of} given up"))
        }
        () if error.is_reset() => malformed(error, response, stream),
        () => response.break_stream(Ending::Unparsable, format!("HTTP/2: {error}")),
    }
}

/// A message that breaks the rules of its stream: which, the last DATA frame tells.
fn malformed(error: &h2::Error, response: &mut Response, stream: Stream<'_>) -> Ending {
    let last = stream.frames.last_data(stream.id);
    let (Some(last), true) = (last, response.has_begun()) else {
        return response.break_stream(Ending::Unparsable, format!("HTTP/2: {error}"));
    };
    let came = response.body.seen + last.bytes;
    match response.promised() {
        Some(length) if came < length && last.ends => {
            response.break_stream(Ending::CutFin, format!("END_STREAM after {came} of {length} bytes"))
        }
        Some(length) if came > length => {
            response.overflow(format!("{came} bytes of DATA under a Content-Length of {length}"))
        }
        None if response.is_bodiless() => {
            response.overflow(format!("{came} bytes of DATA where there can be no body"))
        }
        _ => response.break_stream(Ending::Unparsable, format!("HTTP/2: {error}")),
    }
}
