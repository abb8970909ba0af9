//! One HTTP/2 connection of the gateway: the only reader and writer of its socket.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::IoSlice;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::BytesMut;
use gatecrash_core::faults::With;
use gatecrash_model::{AttemptContext, ConnectionRecord, EndedBy};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep_until};

use super::desk::{Segment, Verdict, What, Word};
use super::frame::{self, Code, WINDOW, setting};
use super::hpack::{Decoder, LIST};
use super::open::Open;
use super::pool::Pool;
use super::window::{Inbox, Window};
use crate::attempt::End;
use crate::wire::Wire;

mod receive;

/// Streams at a time: SETTINGS_MAX_CONCURRENT_STREAMS.
const STREAMS: usize = 128;
/// The same until the gateway has acknowledged it.
const EARLY_STREAMS: usize = 1024;
/// What the connection's window is enlarged by; streams keep the initial one.
const CONNECTION: u32 = 1 << 20;
/// Bytes asked of the gateway at once.
const READ: usize = 64 * 1024;
/// Bytes of our own replies (acknowledgements, resets) that may wait before no more is read.
const REPLIES: usize = 64 * 1024;
/// Frames written at once.
const TOGETHER: usize = 16;

/// A connection under way.
pub(super) struct Session<'a> {
    wire: &'a Arc<Wire>,
    input: &'a mut BytesMut,
    record: &'a mut ConnectionRecord,
    open: &'a Arc<Open>,
    pool: Arc<Pool>,
    tasks: JoinSet<()>,
    words: mpsc::UnboundedSender<Word>,
    heard: mpsc::UnboundedReceiver<Word>,
    streams: BTreeMap<u32, Stream>,
    /// The highest stream the gateway has opened.
    last: u32,
    decoder: Decoder,
    /// A field block that is not whole yet.
    block: Option<Block>,
    /// Whether the gateway's settings have come, as its first frame must.
    greeted: bool,
    /// Whether the gateway has acknowledged our settings.
    agreed: bool,
    /// SETTINGS_INITIAL_WINDOW_SIZE of the gateway.
    initial: i64,
    /// SETTINGS_MAX_FRAME_SIZE of the gateway.
    max_frame: Arc<AtomicUsize>,
    window: Arc<Window>,
    /// Bytes received on the connection and not granted again yet.
    ungranted: u32,
    /// Streams that must not be granted a window, so that the initial one is 0.
    starved: BTreeSet<u32>,
    out: VecDeque<Segment>,
    /// Bytes in `out` that belong to no exchange.
    replies: usize,
    idle: Option<(Instant, With)>,
    /// The fault on whose account the gateway may leave.
    poisoned: Option<u16>,
    /// How the connection ends once its streams have and all is written.
    leaving: Option<End>,
}

/// A stream that is open at least one way.
struct Stream {
    task: AbortHandle,
    window: Arc<Window>,
    inbox: Arc<Inbox>,
    /// Body bytes received and not granted again.
    held: usize,
    /// Whether its exchange lets it send its body.
    admitted: bool,
    /// Whether the request has ended.
    ended: bool,
    /// Whether the response has. The exchange may have something to do still.
    answered: bool,
}

struct Block {
    stream: u32,
    end_stream: bool,
    bytes: Vec<u8>,
}

/// What the gateway may not do, and how it is told.
type Offence = (Code, &'static str);

impl<'a> Session<'a> {
    pub(super) fn new(
        wire: &'a Arc<Wire>,
        input: &'a mut BytesMut,
        record: &'a mut ConnectionRecord,
        open: &'a Arc<Open>,
    ) -> Self {
        let (words, heard) = mpsc::unbounded_channel();
        Self {
            wire,
            input,
            record,
            open,
            pool: Arc::default(),
            tasks: JoinSet::new(),
            words,
            heard,
            streams: BTreeMap::new(),
            last: 0,
            decoder: Decoder::default(),
            block: None,
            greeted: false,
            agreed: false,
            initial: i64::from(WINDOW),
            max_frame: Arc::new(AtomicUsize::new(frame::MAX_FRAME)),
            window: Arc::new(Window::new(i64::from(WINDOW))),
            ungranted: 0,
            starved: BTreeSet::new(),
            out: VecDeque::new(),
            replies: 0,
            idle: None,
            poisoned: None,
            leaving: None,
        }
    }

    /// Serves the connection until it has to end.
    pub(super) async fn run(
        mut self,
        mut reader: impl AsyncRead + Unpin,
        mut writer: impl AsyncWrite + Unpin,
    ) -> End {
        let ours =
            [(setting::MAX_CONCURRENT_STREAMS, STREAMS as u32), (setting::MAX_HEADER_LIST_SIZE, LIST as u32)];
        self.reply(frame::settings(&ours));
        self.reply(frame::window_update(0, CONNECTION));
        loop {
            if let Err((code, why)) = self.receive() {
                self.offended(code, why);
            }
            if let Some(end) = self.leaving.filter(|_| self.streams.is_empty() && self.out.is_empty()) {
                return end;
            }
            let idle = self.idle.filter(|_| self.streams.is_empty());
            let reading = self.replies < REPLIES;
            self.input.reserve(READ);
            tokio::select! {
                biased;
                Some(word) = self.heard.recv() => if let Some(end) = self.hear(word) {
                    return end;
                },
                written = write(&mut writer, &self.out), if !self.out.is_empty() => match written {
                    Ok(n) => {
                        self.written(n);
                        if self.out.is_empty() && writer.flush().await.is_err() {
                            return self.left(With::Rst);
                        }
                    }
                    Err(_) => return self.left(With::Rst),
                },
                read = reader.read_buf(self.input), if reading => match read {
                    Ok(0) => return self.left(With::Fin),
                    Ok(n) => self.record.up += n as u64,
                    Err(_) => return self.left(With::Rst),
                },
                with = until(idle) => return End::fault(with),
            }
        }
    }

    /// The gateway has left.
    fn left(&mut self, with: With) -> End {
        if let Some(fault) = self.poisoned {
            self.open.touch_all(fault);
            self.open.finish_all(self.wire, Some(End::fault(with)));
        }
        End { with, ..End::fin(EndedBy::Gateway) }
    }

    /// Tells the gateway what it did wrong, and closes.
    fn offended(&mut self, code: Code, why: &'static str) {
        let note = format!("the gateway's HTTP/2: {why}");
        self.wire.keep_evidence(AttemptContext::STRANGER, self.input, note);
        self.input.clear();
        self.abandon();
        self.reply(frame::goaway(self.last, code));
        self.leaving = Some(End::fin(EndedBy::Harness));
    }

    /// Ends the work on all streams; their attempts are written down with the end of the connection.
    fn abandon(&mut self) {
        self.tasks.abort_all();
        self.streams.clear();
    }

    /// Does what an exchange asks for; `Some` when the connection is to end at once.
    fn hear(&mut self, Word { stream, what }: Word) -> Option<End> {
        if !self.streams.contains_key(&stream) {
            return None;
        }
        match what {
            What::Write(segment) => self.out.push_back(segment.on(stream)),
            What::Used(bytes) => self.grant(stream, bytes),
            What::Admitted => self.admit(stream),
            What::Starved => self.starve(stream),
            What::Poisoned(fault) => self.poisoned = Some(fault),
            What::Over(verdict) => return self.over(stream, verdict),
        }
        None
    }

    fn over(&mut self, stream: u32, verdict: Verdict) -> Option<End> {
        match verdict {
            Verdict::Whole(idle) => {
                self.open.finish(self.wire, stream, None);
                self.close(stream);
                self.idle = deadline(idle);
            }
            Verdict::Reset(code, end) => {
                self.open.finish(self.wire, stream, end);
                self.close(stream);
                self.reply(frame::rst_stream(stream, code));
            }
            Verdict::Cut(end, fault) => {
                fault.into_iter().for_each(|fault| self.open.touch_all(fault));
                return Some(end);
            }
            Verdict::Leaving { fault } => {
                let refused: Vec<u32> = self.streams.range(stream..).map(|(id, _)| *id).collect();
                for stream in refused {
                    self.open.with(stream, |attempt| attempt.touched(fault));
                    self.close(stream);
                }
                self.reply(frame::goaway(stream.saturating_sub(2), Code::NoError));
                self.leaving = Some(End::fault(With::Fin));
            }
            Verdict::Failing { fault } => {
                self.open.touch_all(fault);
                self.abandon();
                self.reply(frame::goaway(stream, Code::Internal));
                self.leaving = Some(End::fault(With::Fin));
            }
        }
        // Tasks that are over are let go.
        while self.tasks.try_join_next().is_some() {}
        None
    }

    /// Forgets a stream, and what of it has not begun to be written.
    fn close(&mut self, stream: u32) {
        if let Some(closed) = self.streams.remove(&stream) {
            closed.task.abort();
        }
        self.out.retain(|segment| segment.stream != stream || segment.at > 0);
        if self.starved.remove(&stream) && self.starved.is_empty() {
            self.reply(frame::settings(&[(setting::INITIAL_WINDOW_SIZE, WINDOW)]));
        }
    }

    // === windows of the request bodies ===

    /// Grants a stream as many bytes as it has used.
    fn grant(&mut self, stream: u32, bytes: usize) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        open.held = open.held.saturating_sub(bytes);
        if bytes > 0 && !open.ended && !self.starved.contains(&stream) {
            self.reply(frame::window_update(stream, bytes as u32));
        }
    }

    /// While the initial window is 0, an admitted stream gets its own.
    fn admit(&mut self, stream: u32) {
        let Some(open) = self.streams.get_mut(&stream) else { return };
        open.admitted = true;
        if !self.starved.is_empty() && !open.ended {
            self.reply(frame::window_update(stream, WINDOW));
        }
    }

    /// Takes a stream's window away for good, and gives every other one its own back.
    fn starve(&mut self, stream: u32) {
        if self.starved.is_empty() {
            self.reply(frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 0)]));
            let others =
                self.streams.iter().filter(|(id, open)| **id != stream && open.admitted && !open.ended);
            for other in others.map(|(id, _)| *id).collect::<Vec<_>>() {
                self.reply(frame::window_update(other, WINDOW));
            }
        }
        self.starved.insert(stream);
    }

    // === writing ===

    /// Queues a frame of our own.
    fn reply(&mut self, bytes: Vec<u8>) {
        self.replies += bytes.len();
        self.out.push_back(Segment::of(bytes));
    }

    /// Notes what has been written, frame by frame.
    fn written(&mut self, mut n: usize) {
        self.record.down += n as u64;
        let now = self.wire.now();
        while let Some(segment) = self.out.front_mut() {
            let step = n.min(segment.bytes.len() - segment.at);
            let before = segment.at;
            segment.at += step;
            n -= step;
            if segment.stream == 0 {
                self.replies -= step;
            } else {
                let body = segment.body_until(segment.at) - segment.body_until(before);
                let whole = segment.last && segment.at == segment.bytes.len();
                if let Some(stream) = self.streams.get_mut(&segment.stream) {
                    stream.answered |= whole;
                }
                self.open.with(segment.stream, |attempt| {
                    let down = &mut attempt.down;
                    if !segment.aside && step > 0 {
                        down.first.get_or_insert(now);
                    }
                    down.wire += step as u64;
                    down.bytes += body as u64;
                    down.whole |= whole;
                });
            }
            if segment.at < segment.bytes.len() {
                return;
            }
            let done = self.out.pop_front().and_then(|segment| segment.done);
            done.into_iter().for_each(|done| _ = done.send(()));
        }
    }
}

impl Segment {
    fn on(self, stream: u32) -> Self {
        Self { stream, ..self }
    }

    /// Body bytes among the first `at`.
    fn body_until(&self, at: usize) -> usize {
        let (from, length) = self.body;
        at.saturating_sub(from).min(length)
    }
}

fn deadline(idle: Option<(Duration, With)>) -> Option<(Instant, With)> {
    idle.map(|(after, with)| (Instant::now() + after, with))
}

async fn until(idle: Option<(Instant, With)>) -> With {
    match idle {
        None => std::future::pending().await,
        Some((at, with)) => {
            sleep_until(at).await;
            with
        }
    }
}

/// Writes the first frames, or a part of them.
async fn write(writer: &mut (impl AsyncWrite + Unpin), out: &VecDeque<Segment>) -> std::io::Result<usize> {
    let mut slices = [IoSlice::new(&[]); TOGETHER];
    for (slice, segment) in slices.iter_mut().zip(out) {
        *slice = IoSlice::new(&segment.bytes[segment.at..]);
    }
    if slices.iter().all(|slice| slice.is_empty()) {
        return Ok(0);
    }
    match writer.write_vectored(&slices).await? {
        0 => Err(std::io::ErrorKind::WriteZero.into()),
        n => Ok(n),
    }
}
