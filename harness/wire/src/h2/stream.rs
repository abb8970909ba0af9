//! One stream's exchange: judged by the rules, sent to the mock as HTTP/1.1, answered by `answer`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use gatecrash_core::faults::{Lapse, Pace, Parting, Terminal, With, bare_reply};
use gatecrash_core::rules::{Orders, Point};
use gatecrash_model::{AttemptId, EndedBy, Nanos};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::answer::Answer;
use super::desk::{Desk, Segment, Verdict, What};
use super::frame;
use super::frame::Code;
use super::message::{self, Body, Request};
use super::open::Open;
use super::pool::Pool;
use super::window::Inbox;
use crate::attempt::{Attempt, End};
use crate::delivery::Paced;
use crate::upstream::Upstream;
use crate::wire::{Case, Wire};

/// An exchange on a stream. Dropped at any point, it leaves no half frame behind.
pub(crate) struct Exchange {
    pub(crate) wire: Arc<Wire>,
    pub(crate) open: Arc<Open>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) desk: Desk,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) id: AttemptId,
    /// When the connection was accepted.
    pub(crate) opened: Nanos,
    pub(crate) request: Request,
}

impl Exchange {
    /// Carries it out and tells the session how it ended.
    pub(crate) async fn run(self) {
        let verdict = self.serve().await;
        self.desk.tell(What::Over(verdict));
    }

    async fn serve(&self) -> Verdict {
        let Some((context, op)) = self.attempt(|a| (a.context(), a.op)) else {
            return std::future::pending().await;
        };
        let AttemptId { conn, ordinal, .. } = self.id;
        let case = Case {
            wire: &self.wire,
            conn,
            opened: self.opened,
            ordinal,
            http2: true,
            context,
            op,
            head: &self.request.head,
        };
        let orders = case.decide(Point::RequestHead, 0);
        self.touch(&orders);
        let baseline = self.wire.baseline.map_or(Duration::ZERO, |law| law.latency(context));
        let delay = baseline + Duration::from_nanos(orders.delay);
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let pace = orders.upload_pace.or(orders.request_pace);
        match orders.terminal {
            Some((_, Terminal::Swallow | Terminal::StallBody(_))) => {
                self.desk.tell(What::Admitted);
                return self.swallow().await;
            }
            Some((
                fault,
                Terminal::Close(with) | Terminal::CutHead(_, with) | Terminal::CutBody(_, with),
            )) => return Verdict::Cut(End::fault(with), Some(fault)),
            Some((fault, Terminal::Early(status, then))) => {
                return self.answer_early(fault, status, then).await;
            }
            Some((_, Terminal::Deaf(lasting))) => {
                tokio::time::sleep(Duration::from_nanos(lasting)).await;
                self.desk.tell(What::Admitted);
                return self.swallow().await;
            }
            Some((fault, Terminal::Http2(kind))) => {
                if let Some(verdict) = self.misuse_request(kind, fault).await {
                    return verdict;
                }
            }
            // Nothing, or nothing that is done here.
            _ => {}
        }
        if self.request.body != Body::Nothing {
            self.desk.tell(What::Admitted);
        }
        self.relay(case, pace, orders.no_continue).await
    }

    /// Answers at the head of the request.
    async fn answer_early(&self, fault: u16, status: u16, then: Parting) -> Verdict {
        let fields = message::fields(&bare_reply(status, true, ""), Some(self.id));
        self.attempt(|attempt| {
            attempt.down.status = status;
            attempt.down.promised = Some(0);
        });
        let bytes = frame::headers(self.desk.stream, &message::block(status, &fields), true);
        self.desk.write(Segment { last: true, ..Segment::of(bytes) }).await;
        parted(fault, then).unwrap_or(Verdict::Reset(Code::NoError, None))
    }

    /// Relays request and response, both as they come.
    async fn relay(&self, case: Case<'_>, pace: Option<Pace>, no_continue: bool) -> Verdict {
        let Ok(mut upstream) = self.pool.take(&self.wire).await else {
            return Verdict::Reset(Code::Internal, Some(End::rst(EndedBy::Upstream)));
        };
        upstream.announce(case.context);
        let Upstream { stream, input, deaf, .. } = &mut upstream;
        let (mut from, to) = stream.split();
        let mut upload = Box::pin(self.upload(to, deaf, pace));
        let mut whole = false;
        let answer = {
            let mut answer =
                Box::pin(Answer { exchange: self, case, upstream: &mut from, input, no_continue }.run());
            loop {
                tokio::select! {
                    biased;
                    done = &mut upload, if !whole => match done {
                        Ok(()) => whole = true,
                        Err(verdict) => return verdict,
                    },
                    answer = &mut answer => break answer,
                }
            }
        };
        let close = match answer {
            Ok(close) => close,
            Err(verdict) => return verdict,
        };
        if !whole {
            // The answer came before the request was whole: the rest goes on as long as the mock listens.
            tokio::select! {
                biased;
                done = &mut upload => if let Err(verdict) = done {
                    return verdict;
                },
                _ = from.read_buf(input) => return Verdict::Reset(Code::NoError, None),
            }
        }
        drop(upload);
        if !close {
            self.pool.keep(upstream);
        }
        let status = self.attempt(|a| a.down.status).unwrap_or(0);
        let kept = case.decide(Point::Kept, status);
        Verdict::Whole(match kept.terminal {
            Some((_, Terminal::OnIdle(after, Lapse::Close(with)))) => {
                Some((Duration::from_nanos(after), with))
            }
            _ => None,
        })
    }

    /// Sends the request to the mock.
    async fn upload(
        &self,
        mut to: impl AsyncWriteExt + Unpin,
        deaf: &mut bool,
        pace: Option<Pace>,
    ) -> Result<(), Verdict> {
        let mut paced = pace.map(Paced::new);
        self.forward(&mut to, &self.request.head, deaf).await;
        let mut body = self.request.body;
        let mut here = Bytes::new();
        loop {
            if here.is_empty() {
                let Some(more) = self.next_bytes().await else { break };
                here = more;
            }
            let mut step = here.len();
            if let Some(paced) = &mut paced {
                step = step.min(paced.allowance().await);
                paced.spend(step);
            }
            let bytes = here.split_to(step);
            match &mut body {
                Body::Length(left) => {
                    *left = left.checked_sub(bytes.len() as u64).ok_or_else(|| self.malformed())?;
                    self.forward(&mut to, &bytes, deaf).await;
                }
                Body::Chunks => {
                    let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
                    self.forward(&mut to, &chunk, deaf).await;
                }
                Body::Nothing => return Err(self.malformed()),
            }
            self.desk.tell(What::Used(bytes.len()));
        }
        match body {
            Body::Length(1..) => Err(self.malformed()),
            Body::Chunks => {
                self.forward(&mut to, b"0\r\n\r\n", deaf).await;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Writes to the mock as long as it takes anything: one that reads no more may have answered.
    async fn forward(&self, to: &mut (impl AsyncWriteExt + Unpin), bytes: &[u8], deaf: &mut bool) {
        if *deaf {
            return;
        }
        *deaf = to.write_all(bytes).await.is_err();
        if !*deaf {
            self.attempt(|a| a.up.forwarded = true);
        }
    }

    async fn next_bytes(&self) -> Option<Bytes> {
        if self.request.body == Body::Nothing { None } else { self.inbox.next().await }
    }

    /// Reads the request to its end and never answers.
    pub(crate) async fn swallow(&self) -> Verdict {
        while let Some(bytes) = self.next_bytes().await {
            self.desk.tell(What::Used(bytes.len()));
        }
        std::future::pending().await
    }

    /// A body that is not as long as it said (RFC 9113 8.1.1).
    fn malformed(&self) -> Verdict {
        let answered = self.attempt(|a| a.down.wire > 0).unwrap_or(false);
        Verdict::Reset(Code::Protocol, Some(End::gateway(With::Rst, answered)))
    }

    /// Notes the first fault that changed the attempt.
    pub(crate) fn touch(&self, orders: &Orders) {
        if let Some(first) = orders.fired.first() {
            self.attempt(|a| a.touched(first.fault));
        }
    }

    pub(crate) fn attempt<T>(&self, work: impl FnOnce(&mut Attempt) -> T) -> Option<T> {
        self.open.with(self.desk.stream, work)
    }
}

/// How the connection ends after an answer, if it does. Half closed, HTTP/2 cannot go on either.
pub(crate) fn parted(fault: u16, then: Parting) -> Option<Verdict> {
    let with = match then {
        Parting::Keep => return None,
        Parting::Close(with) => with,
        Parting::HalfClose => With::Fin,
    };
    Some(Verdict::Cut(End::fault(with), Some(fault)))
}
