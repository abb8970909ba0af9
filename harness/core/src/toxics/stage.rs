//! One toxic at work on one direction of one connection: its queue, and the verdicts on the front of it.

use std::collections::VecDeque;

use bytes::Bytes;
use gatecrash_model::Nanos;

use super::{Draws, ToxicSpec};

/// What a queued chunk costs besides its bytes.
const OVERHEAD: usize = 256;

/// Bytes that were read at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// The bytes; at least one.
    pub data: Bytes,
    /// When they came to this toxic.
    pub at: Nanos,
    /// When this toxic wants to let them go, as far as it said so on their arrival.
    pub due: Nanos,
}

/// How a direction ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The sender's FIN; the other direction goes on.
    Fin,
    /// The sender's RST.
    Rst,
    /// A toxic closes the whole connection.
    Closed {
        /// Which one: [`super::Installed::id`].
        by: u64,
    },
    /// A toxic resets the whole connection.
    Reset {
        /// Which one: [`super::Installed::id`].
        by: u64,
    },
}

/// What goes through a chain.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Item {
    /// Bytes.
    Data(Chunk),
    /// The last item.
    End(Ending),
}

/// What a toxic says about the front of its queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// It leaves.
    Pass,
    /// So many bytes of it leave now, at least one.
    Split(usize),
    /// It stays, until this time or until something changes.
    Hold(Option<Nanos>),
    /// It vanishes.
    Drop,
    /// Close the connection; whatever is queued vanishes.
    Close,
    /// Reset the connection; whatever is queued vanishes.
    Reset,
}

/// What a toxic remembers of a connection; each uses what it needs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Memory {
    /// When it came, was changed, or last saw a chunk come or go.
    pub since: Nanos,
    /// Nothing leaves before this.
    pub due: Nanos,
    /// When the wait for the front ends, once begun; forgotten when the front leaves.
    pub next: Option<Nanos>,
    /// By how much the last chunk left later than it was let.
    pub late: Nanos,
    /// When the receiver last took nothing.
    pub stuck: Nanos,
    /// Bytes it let pass, ever.
    pub passed: u64,
    /// Lengths of pieces yet to come, last first.
    pub pieces: Vec<usize>,
    /// Its own randomness.
    pub draws: Draws,
}

/// What came of a step.
pub(super) enum Step {
    /// This goes on.
    Give(Item),
    /// Something vanished.
    Dropped,
    /// Nothing before this time.
    Hold(Option<Nanos>),
    /// It would pass, and there is no room.
    Blocked,
}

pub(super) struct Stage {
    pub(super) id: u64,
    pub(super) revision: u64,
    spec: ToxicSpec,
    memory: Memory,
    queue: VecDeque<Item>,
    held: usize,
    /// The front leaves whatever the toxic says.
    released: bool,
    /// When the front could leave, where that was known before.
    ripe: Nanos,
    /// Over: nothing passes any more.
    closed: bool,
    /// It has done something to this connection.
    pub(super) fired: bool,
}

// === impl Stage ===

impl Stage {
    pub(super) fn new(id: u64, revision: u64, spec: ToxicSpec, draws: Draws, now: Nanos) -> Self {
        let memory = Memory { since: now, draws, ..Memory::default() };
        Self {
            id,
            revision,
            spec,
            memory,
            queue: VecDeque::new(),
            held: 0,
            released: false,
            ripe: 0,
            closed: false,
            fired: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        !self.closed && (self.queue.is_empty() || self.held < self.spec.room())
    }

    /// Takes what came `at`.
    pub(super) fn push(&mut self, item: Item, at: Nanos) {
        if self.closed {
            return;
        }
        match item {
            Item::Data(chunk) => {
                self.held += chunk.data.len() + OVERHEAD;
                let due = self.spec.due(&mut self.memory, at);
                self.queue.push_back(Item::Data(Chunk { data: chunk.data, at, due }));
            }
            end @ Item::End(_) => self.queue.push_back(end),
        }
    }

    /// Does what can be done with the front now. `open` says whether the next one has room, `stuck` whether
    /// the receiver takes nothing.
    pub(super) fn step(&mut self, now: Nanos, open: bool, stuck: bool) -> Step {
        if self.closed {
            return Step::Hold(None);
        }
        let front = self.queue.front();
        let verdict = match self.released {
            true => Verdict::Pass,
            false => self.spec.decide(&mut self.memory, front, now),
        };
        self.fired |= !self.released && tells(verdict, front);
        match verdict {
            Verdict::Hold(until) => {
                self.ripe = until.unwrap_or(0);
                Step::Hold(until)
            }
            Verdict::Drop => {
                self.pop();
                Step::Dropped
            }
            _ if !open => {
                if stuck {
                    self.memory.stuck = now;
                }
                Step::Blocked
            }
            Verdict::Pass => self.pass(usize::MAX, now),
            Verdict::Split(length) => self.pass(length, now),
            Verdict::Close => self.close(Ending::Closed { by: self.id }),
            Verdict::Reset => self.close(Ending::Reset { by: self.id }),
        }
    }

    fn pass(&mut self, length: usize, now: Nanos) -> Step {
        let ripe = std::mem::take(&mut self.ripe);
        let item = match self.queue.front_mut() {
            Some(Item::Data(chunk)) => {
                let at = ripe.max(chunk.due).min(now);
                let data = match length < chunk.data.len() {
                    true => {
                        self.held -= length;
                        chunk.data.split_to(length)
                    }
                    false => {
                        self.held -= chunk.data.len() + OVERHEAD;
                        std::mem::take(&mut chunk.data)
                    }
                };
                self.memory.passed += data.len() as u64;
                if chunk.data.is_empty() {
                    self.queue.pop_front();
                    self.released = false;
                }
                Item::Data(Chunk { data, at, due: at })
            }
            _ => match self.pop() {
                Some(item) => item,
                None => return Step::Hold(None),
            },
        };
        self.memory.next = None;
        self.spec.passed(&mut self.memory, now);
        Step::Give(item)
    }

    fn pop(&mut self) -> Option<Item> {
        let item = self.queue.pop_front();
        if let Some(Item::Data(chunk)) = &item {
            self.held -= chunk.data.len() + OVERHEAD;
        }
        self.released = false;
        item
    }

    fn close(&mut self, with: Ending) -> Step {
        self.queue = VecDeque::new();
        self.held = 0;
        self.closed = true;
        Step::Give(Item::End(with))
    }

    /// New attributes: the chunk at the front is released, the rest meets the new ones.
    pub(super) fn change(&mut self, revision: u64, spec: ToxicSpec, now: Nanos) {
        self.revision = revision;
        self.spec = spec;
        let Memory { passed, draws, .. } = self.memory;
        self.memory = Memory { since: now, passed, draws, ..Memory::default() };
        self.ripe = 0;
        self.released = matches!(self.queue.front(), Some(Item::Data(_)));
        for item in self.queue.iter_mut().skip(usize::from(self.released)) {
            if let Item::Data(chunk) = item {
                chunk.due = self.spec.due(&mut self.memory, chunk.at);
            }
        }
    }

    /// What it leaves behind when it is taken away; `deleted` as against no longer drawn.
    pub(super) fn leave(mut self, deleted: bool) -> VecDeque<Item> {
        if deleted && self.spec.closes_on_removal() && !self.closed {
            return VecDeque::from([Item::End(Ending::Closed { by: self.id })]);
        }
        std::mem::take(&mut self.queue)
    }
}

/// Whether a verdict is more than letting pass.
fn tells(verdict: Verdict, front: Option<&Item>) -> bool {
    match (verdict, front) {
        (Verdict::Pass, _) | (Verdict::Hold(_), None) => false,
        (Verdict::Split(length), Some(Item::Data(chunk))) => length < chunk.data.len(),
        _ => true,
    }
}
