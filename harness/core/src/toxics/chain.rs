//! The toxics of one direction of one connection, in their order: chunks go in, and come out when and as the
//! toxics let them.

use std::collections::VecDeque;

use bytes::Bytes;
use gatecrash_model::Nanos;

use super::stage::{Stage, Step};
use super::{Chunk, Draws, Ending, Item, Stream, ToxicSpec};

/// A toxic in force on a proxy.
#[derive(Clone, PartialEq, Debug)]
pub struct Installed {
    /// Its own: a toxic that is removed and added again has another.
    pub id: u64,
    /// Grows with every change of it.
    pub revision: u64,
    /// Its name, by which connections are drawn.
    pub name: String,
    /// The share of connections it works on.
    pub toxicity: f32,
    /// What it does.
    pub spec: ToxicSpec,
}

/// What a chain has for its host.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Pull {
    /// Write this.
    Data(Bytes),
    /// No more comes.
    End(Ending),
    /// Nothing before this time, or until something goes in or changes.
    Wait(Option<Nanos>),
}

/// One direction of one connection.
pub struct Chain {
    stream: Stream,
    stages: Vec<Stage>,
    out: VecDeque<Item>,
}

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain").field("stream", &self.stream).field("toxics", &self.stages.len()).finish()
    }
}

// === impl Chain ===

impl Chain {
    /// A chain without toxics.
    pub fn new(stream: Stream) -> Self {
        Self { stream, stages: Vec::new(), out: VecDeque::new() }
    }

    /// Makes these the toxics, as far as they are drawn for the connection. Toxics that stay keep their
    /// queue and memory; what a toxic held that goes, goes on.
    pub fn install(&mut self, list: &[Installed], now: Nanos) {
        self.uninstall(list, now);
        let mut old = std::mem::take(&mut self.stages).into_iter().peekable();
        for toxic in list.iter().filter(|toxic| self.stream.hit_by(&toxic.name, toxic.toxicity)) {
            let stage = match old.next_if(|stage| stage.id == toxic.id) {
                Some(mut stage) => {
                    if stage.revision != toxic.revision {
                        stage.change(toxic.revision, toxic.spec, now);
                    }
                    stage
                }
                None => {
                    let draws = Draws::of(self.stream.draw(&toxic.name));
                    Stage::new(toxic.id, toxic.revision, toxic.spec, draws, now)
                }
            };
            self.stages.push(stage);
        }
    }

    /// Takes away what is not in the list, or not drawn any more.
    fn uninstall(&mut self, list: &[Installed], now: Nanos) {
        let mut at = 0;
        while let Some(id) = self.stages.get(at).map(|stage| stage.id) {
            let listed = list.iter().find(|toxic| toxic.id == id);
            if listed.is_some_and(|toxic| self.stream.hit_by(&toxic.name, toxic.toxicity)) {
                at += 1;
                continue;
            }
            for item in self.stages.remove(at).leave(listed.is_none()) {
                match self.stages.get_mut(at) {
                    Some(next) => next.push(item, now),
                    None => self.out.push_back(item),
                }
            }
        }
    }

    /// Whether nothing is left that a chain is needed for.
    pub fn is_idle(&self) -> bool {
        self.stages.is_empty() && self.out.is_empty()
    }

    /// Whether it takes more now; its host reads nothing before.
    pub fn wants(&self) -> bool {
        self.stages.first().map_or(self.out.is_empty(), Stage::has_room)
    }

    /// Puts in bytes that were read at `now`.
    pub fn push(&mut self, data: Bytes, now: Nanos) {
        self.enter(Item::Data(Chunk { data, at: now, due: now }), now);
    }

    /// Puts in the sender's end.
    pub fn end(&mut self, with: Ending, now: Nanos) {
        self.enter(Item::End(with), now);
    }

    fn enter(&mut self, item: Item, now: Nanos) {
        match self.stages.first_mut() {
            Some(first) => first.push(item, now),
            None => self.out.push_back(item),
        }
    }

    /// Does all that is due. With `room`, the next thing to write is taken out.
    pub fn pull(&mut self, now: Nanos, room: bool) -> Pull {
        loop {
            let (moved, wake) = self.advance(now, !room);
            if room && let Some(item) = self.out.pop_front() {
                return match item {
                    Item::Data(chunk) => Pull::Data(chunk.data),
                    Item::End(with) => Pull::End(with),
                };
            }
            if !moved {
                return Pull::Wait(wake);
            }
        }
    }

    /// The end a toxic made, when it is the next thing to come out: unsent bytes may be given up for it.
    pub fn forced_end(&self) -> Option<Ending> {
        match self.out.front() {
            Some(Item::End(with @ (Ending::Closed { .. } | Ending::Reset { .. }))) => Some(*with),
            _ => None,
        }
    }

    /// The toxics that have done something to this connection so far.
    pub fn fired(&self) -> impl Iterator<Item = u64> {
        self.stages.iter().filter(|stage| stage.fired).map(|stage| stage.id)
    }

    /// The toxics that were drawn for this connection.
    pub fn drawn(&self) -> impl Iterator<Item = u64> {
        self.stages.iter().map(|stage| stage.id)
    }

    /// One round, from the last toxic to the first: whether anything moved, and else when something will.
    fn advance(&mut self, now: Nanos, stuck: bool) -> (bool, Option<Nanos>) {
        let (mut moved, mut wake) = (false, None);
        for at in (0..self.stages.len()).rev() {
            loop {
                let open = self.stages.get(at + 1).map_or(self.out.is_empty(), Stage::has_room);
                match self.stages[at].step(now, open, stuck) {
                    Step::Give(item) => {
                        moved = true;
                        let came = if let Item::Data(chunk) = &item { chunk.at } else { now };
                        match self.stages.get_mut(at + 1) {
                            Some(next) => next.push(item, came),
                            None => self.out.push_back(item),
                        }
                    }
                    Step::Dropped => moved = true,
                    Step::Hold(until) => {
                        wake = wake.into_iter().chain(until).min();
                        break;
                    }
                    Step::Blocked => break,
                }
            }
        }
        (moved, wake)
    }
}
