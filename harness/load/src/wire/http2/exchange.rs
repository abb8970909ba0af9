//! One exchange on a stream.

use std::future::Future as _;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use gatecrash_model::{Ending, Pool};
use h2::SendStream;
use h2::client::ResponseFuture;
use http::Request;
use tokio::time::timeout_at;

use super::ending::{self, Stream};
use super::lane::Place;
use crate::plan::Payload;
use crate::wire::connection::{Exchanged, Order};
use crate::wire::response::Response;

/// Bytes of a request body that are asked room for at once.
const PIECE: u64 = 64 * 1024;

/// Sends a request and reads one response. When the deadline passes, the stream is given up (RST_STREAM CANCEL).
pub(super) async fn exchange(
    place: &Place,
    head: Result<Request<()>, String>,
    order: Order<'_>,
    response: &mut Response,
) -> Exchanged {
    let sent = order.clock.now();
    let mut done = Exchanged { sent, first_byte: None, done: sent, ending: Ending::Hang };
    let opened = head.map(|head| place.lane().sender().send_request(head, order.plan.payload.is_empty()));
    let (answer, stream) = match opened {
        Ok(Ok(opened)) => opened,
        Ok(Err(error)) => {
            let stream = Stream { id: u32::MAX, frames: &place.lane().frames, reused: place.is_reused() };
            done.ending = ending::of(&error, order.plan, response, stream);
            return done;
        }
        Err(why) => {
            done.ending =
                response.break_stream(Ending::ConnectFailed, format!("the request cannot be sent: {why}"));
            return done;
        }
    };
    let id = answer.stream_id().as_u32();
    let upload =
        Upload { stream, payload: &order.plan.payload, sent: 0, over: order.plan.payload.is_empty() };
    match timeout_at(order.deadline, read(answer, upload, order, response, &mut done)).await {
        Ok(Ok(())) => done.ending = response.end_stream(),
        Ok(Err(error)) => {
            done.done = order.clock.now();
            let stream = Stream { id, frames: &place.lane().frames, reused: place.is_reused() };
            done.ending = ending::of(&error, order.plan, response, stream);
        }
        Err(_) => done.done = order.clock.now(),
    }
    done
}

/// Reads a response to the end of its stream, while the request's body goes out.
async fn read(
    mut answer: ResponseFuture,
    mut upload: Upload<'_>,
    order: Order<'_>,
    response: &mut Response,
    done: &mut Exchanged,
) -> Result<(), h2::Error> {
    let head = std::future::poll_fn(|cx| {
        upload.poll(cx, order.pool);
        while let Poll::Ready(Some(Ok(_))) = answer.poll_informational(cx) {
            response.informational = response.informational.saturating_add(1);
        }
        Pin::new(&mut answer).poll(cx)
    });
    let (head, mut body) = head.await?.into_parts();
    done.done = order.clock.now();
    done.first_byte = Some(done.done);
    response.begin_stream(order.plan, head.status.as_u16(), &head.headers);
    loop {
        let next = std::future::poll_fn(|cx| {
            upload.poll(cx, order.pool);
            body.poll_data(cx)
        });
        let Some(bytes) = next.await.transpose()? else { break };
        done.done = order.clock.now();
        response.take(order.pool, &bytes);
        body.flow_control().release_capacity(bytes.len())?;
    }
    body.trailers().await?;
    done.done = order.clock.now();
    Ok(())
}

/// A request body on its way.
struct Upload<'a> {
    stream: SendStream<Bytes>,
    payload: &'a Payload,
    sent: u64,
    /// Whether all of it was handed over, or nobody takes it any more.
    over: bool,
}

impl Upload<'_> {
    /// Sends as much as the windows have room for. A response may come at any time, so an error here does not end the
    /// exchange.
    fn poll(&mut self, cx: &mut Context<'_>, pool: &Pool) {
        while !self.over {
            let left = self.payload.len() - self.sent;
            self.stream.reserve_capacity(left.min(PIECE) as usize);
            if self.stream.capacity() == 0 {
                match self.stream.poll_capacity(cx) {
                    Poll::Pending => return,
                    Poll::Ready(Some(Ok(_))) => continue,
                    Poll::Ready(_) => self.over = true,
                }
                continue;
            }
            let piece = self.piece(pool, self.stream.capacity());
            self.sent += piece.len() as u64;
            let whole = self.sent == self.payload.len();
            self.over = self.stream.send_data(piece, whole).is_err() || whole;
        }
    }

    /// The next bytes, at most `room`.
    fn piece(&self, pool: &Pool, room: usize) -> Bytes {
        let left = usize::try_from(self.payload.len() - self.sent).unwrap_or(usize::MAX).min(room);
        match self.payload {
            Payload::Empty => Bytes::new(),
            Payload::Object { content, .. } => Bytes::copy_from_slice(content.chunk(pool, self.sent, left)),
            Payload::Document(document) => Bytes::copy_from_slice(&document[self.sent as usize..][..left]),
        }
    }
}
