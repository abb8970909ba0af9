//! One request of a story, and the tries it caused upstream.

use gatecrash_model::{AttemptRecord, BodyCheck, EndedBy, Ending, Op};

use super::versions::Shown;

/// One client request.
#[derive(Clone, Debug)]
pub struct Request {
    pub(super) at: u64,
    pub(super) op: Op,
    pub(super) key: Option<&'static str>,
    pub(super) tries: Vec<Try>,
    pub(super) answer: Option<u16>,
    pub(super) ending: Option<Ending>,
    pub(super) body: Option<BodyCheck>,
    pub(super) took: Option<u64>,
    pub(super) first: Option<u64>,
    pub(super) lag: u64,
    pub(super) flags: u16,
    pub(super) code: &'static str,
    pub(super) fed: Option<Option<usize>>,
    pub(super) borrowed: Option<(u32, usize)>,
    pub(super) stored: Stored,
    pub(super) shown: Shown,
}

/// What of an upload is in the store at the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stored {
    /// Nothing.
    Absent,
    /// All of it.
    Whole,
    /// Other bytes than were uploaded.
    Torn,
}

/// One upstream try.
#[derive(Clone, Debug)]
pub struct Try {
    pub(super) link: u8,
    pub(super) fault: Option<u16>,
    pub(super) pause: u64,
    pub(super) took: u64,
    pub(super) status: u16,
    pub(super) ending: Ending,
    pub(super) ended_by: EndedBy,
    pub(super) flags: u16,
    pub(super) bytes: (u32, u32),
    pub(super) reused: bool,
    pub(super) code: &'static str,
    pub(super) applied: Stored,
}

// === impl Request ===

impl Request {
    /// A GET due at this millisecond, served by one try.
    pub fn at(ms: u64) -> Self {
        Self {
            at: ms,
            op: Op::GetObject,
            key: None,
            tries: vec![Try::served()],
            answer: None,
            ending: None,
            body: None,
            took: None,
            first: None,
            lag: 0,
            flags: 0,
            code: "",
            fed: None,
            borrowed: None,
            stored: Stored::Absent,
            shown: Shown::default(),
        }
    }

    /// Another operation.
    pub fn op(mut self, op: Op) -> Self {
        self.op = op;
        self
    }

    /// Another key than the default.
    pub fn key(mut self, key: &'static str) -> Self {
        self.key = Some(key);
        self
    }

    /// These tries.
    pub fn tries(mut self, tries: impl IntoIterator<Item = Try>) -> Self {
        self.tries = tries.into_iter().collect();
        self
    }

    /// A status the gateway made itself, whole.
    pub fn answer(mut self, status: u16) -> Self {
        self.answer = Some(status);
        self.ending.get_or_insert(Ending::Complete);
        self.fed.get_or_insert(None);
        self
    }

    /// The response came from this try, by index.
    pub fn from_try(mut self, index: usize) -> Self {
        self.fed = Some(Some(index));
        self
    }

    /// The response names a try of another request.
    pub fn from_other(mut self, request: u32) -> Self {
        self.borrowed = Some((request, 0));
        self
    }

    /// How it ended.
    pub fn ending(mut self, ending: Ending) -> Self {
        self.ending = Some(ending);
        self
    }

    /// What the body check found.
    pub fn body(mut self, body: BodyCheck) -> Self {
        self.body = Some(body);
        self
    }

    /// How long it took, ms.
    pub fn took(mut self, ms: u64) -> Self {
        self.took = Some(ms);
        self
    }

    /// When its first byte came, ms after it was sent.
    pub fn first_byte(mut self, ms: u64) -> Self {
        self.first = Some(ms);
        self
    }

    /// How late it was sent, ms.
    pub fn lag(mut self, ms: u64) -> Self {
        self.lag = ms;
        self
    }

    /// With a flag of the client record.
    pub fn flag(mut self, flag: u16) -> Self {
        self.flags |= flag;
        self
    }

    /// With an S3 error code in the body.
    pub fn code(mut self, code: &'static str) -> Self {
        self.code = code;
        self
    }

    /// What of its upload is in the store at the end.
    pub fn stored(mut self, stored: Stored) -> Self {
        self.stored = stored;
        self
    }
}

// === impl Try ===

impl Try {
    fn new(status: u16, ending: Ending, ended_by: EndedBy) -> Self {
        Self {
            link: 0,
            fault: None,
            pause: 1,
            took: 4,
            status,
            ending,
            ended_by,
            flags: AttemptRecord::FORWARDED | AttemptRecord::REQUEST_WHOLE,
            bytes: (0, u32::MAX),
            reused: false,
            code: "",
            applied: Stored::Absent,
        }
    }

    /// A whole 200.
    pub fn served() -> Self {
        Self { bytes: (1000, 1000), ..Self::new(200, Ending::Complete, EndedBy::Nobody) }
    }

    /// A whole answer of this status and S3 error code.
    pub fn status(status: u16, code: &'static str) -> Self {
        Self { bytes: (200, 200), code, ..Self::new(status, Ending::Complete, EndedBy::Nobody) }
    }

    /// A 200 whose body ends after 400 of 1000 bytes.
    pub fn cut() -> Self {
        Self { bytes: (400, 1000), ..Self::new(200, Ending::CutFin, EndedBy::Fault) }
    }

    /// Ended before the first response byte.
    pub fn reset() -> Self {
        Self::new(0, Ending::DroppedFirst, EndedBy::Fault)
    }

    /// Never answered; the gateway gave up after a second.
    pub fn silent() -> Self {
        Self { took: 1000, ..Self::new(0, Ending::Hang, EndedBy::Gateway) }
    }

    /// Bytes that are no HTTP.
    pub fn garbage() -> Self {
        let garbage = Self::new(0, Ending::CutFin, EndedBy::Fault);
        Self { flags: garbage.flags | AttemptRecord::ILLEGAL, bytes: (0, u32::MAX), ..garbage }
    }

    /// A 200 with lengths that contradict each other.
    pub fn bad_framing() -> Self {
        let served = Self::served();
        Self { flags: served.flags | AttemptRecord::ILLEGAL, ..served }
    }

    /// Answered before the request was whole.
    pub fn early(mut self) -> Self {
        self.flags &= !AttemptRecord::REQUEST_WHOLE;
        self
    }

    /// With a flag of the attempt record.
    pub fn flag(mut self, flag: u16) -> Self {
        self.flags |= flag;
        self
    }

    /// Through another link.
    pub fn link(mut self, link: u8) -> Self {
        self.link = link;
        self
    }

    /// Changed by a fault of the story.
    pub fn by(mut self, fault: u16) -> Self {
        self.fault = Some(fault);
        self
    }

    /// How long after the try before it began, ms.
    pub fn pause(mut self, ms: u64) -> Self {
        self.pause = ms;
        self
    }

    /// How long it took, ms.
    pub fn took(mut self, ms: u64) -> Self {
        self.took = ms;
        self
    }

    /// On a connection that had carried an exchange before.
    pub fn reused(mut self) -> Self {
        self.reused = true;
        self
    }

    /// What it did to the store, for uploads.
    pub fn applied(mut self, applied: Stored) -> Self {
        self.applied = applied;
        self
    }
}
