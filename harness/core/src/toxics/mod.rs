//! Toxics: what Toxiproxy's API puts on a TCP connection. One toxic is one file and one line in the table.
//!
//! A toxic decides about the front of its queue and never acts: the [`Chain`] of one direction of one
//! connection carries the chunks from toxic to toxic, the host moves bytes and waits. Time is handed in,
//! randomness is drawn by identity. The semantics are Toxiproxy 2.12's, except where each file says why not.

use gatecrash_model::Nanos;

mod bandwidth;
mod chain;
mod draws;
mod latency;
mod limit_data;
mod noop;
mod reset_peer;
mod slicer;
mod slow_close;
mod stage;
mod timeout;

pub use chain::{Chain, Installed, Pull};
pub use draws::{Draws, Stream};
pub use stage::{Chunk, Ending, Item, Memory, Verdict};

/// Which way the bytes go.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub enum Direction {
    /// From the client to the upstream.
    Upstream,
    /// From the upstream to the client.
    #[default]
    Downstream,
}

/// What the catalogue says of a toxic.
#[derive(Clone, Copy, Debug)]
pub struct ToxicInfo {
    /// The API's `type`.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// What it does, and where it differs from Toxiproxy's.
    pub doc: &'static str,
}

/// A toxic as it was added to a proxy.
#[derive(Clone, PartialEq, Debug)]
pub struct Toxic {
    /// Unique on its proxy, across both directions.
    pub name: String,
    /// The bytes it works on.
    pub direction: Direction,
    /// The share of connections it works on, 0 to 1; drawn once per connection.
    pub toxicity: f32,
    /// Type and attributes.
    pub spec: ToxicSpec,
}

/// One toxic.
pub trait Poison: Attributes {
    /// Its entry in the catalogue.
    const INFO: ToxicInfo;
    /// Bytes it may hold before its source has to wait; 0: one chunk.
    const ROOM: usize = 0;
    /// Whether its removal closes the connections it worked on.
    const CLOSES_ON_REMOVAL: bool = false;

    /// Why its attributes make no sense together: a sentence without a full stop. Negative ones are refused
    /// for all.
    fn problem(&self) -> Option<String> {
        None
    }

    /// When a chunk that arrived `at` is due. Asked once for each, in their order.
    fn due(&self, memory: &mut Memory, at: Nanos) -> Nanos {
        let _ = memory;
        at
    }

    /// What happens to the front of the queue now. May be asked again and again before it is obeyed.
    fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict;

    /// Told when what it let pass has left.
    fn passed(&self, memory: &mut Memory, now: Nanos) {
        let _ = (memory, now);
    }
}

/// The attributes of a toxic by their names in the API; all are whole numbers.
pub trait Attributes {
    /// Names and values in the order of Toxiproxy's own.
    fn attributes(&self) -> Vec<(&'static str, i64)>;
    /// One of them.
    fn attribute(&mut self, name: &str) -> Option<&mut i64>;
}

macro_rules! attributes {
    ($(#[$doc:meta])* $type:ident { $($(#[$about:meta])* $field:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
        pub struct $type { $($(#[$about])* pub $field: i64,)* }

        impl $crate::toxics::Attributes for $type {
            fn attributes(&self) -> Vec<(&'static str, i64)> {
                vec![$((stringify!($field), self.$field),)*]
            }

            fn attribute(&mut self, name: &str) -> Option<&mut i64> {
                match name {
                    $(stringify!($field) => Some(&mut self.$field),)*
                    _ => None,
                }
            }
        }
    };
}
use attributes;

macro_rules! toxics {
    ($($module:ident: $type:ident,)+) => {
        $(pub use $module::$type;)+

        /// A toxic's type with its attributes.
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum ToxicSpec {
            $(
                #[expect(missing_docs, reason = "documented where the toxic is")]
                $type($type),
            )+
        }

        /// Every toxic, in the order of the reference.
        pub const TOXICS: &[ToxicInfo] = &[$(<$type as Poison>::INFO,)+];

        impl ToxicSpec {
            /// The toxic of this type, with Toxiproxy's defaults.
            pub fn of_type(name: &str) -> Option<Self> {
                $(if name == <$type as Poison>::INFO.name {
                    return Some(Self::$type($type::default()));
                })+
                None
            }

            /// Its catalogue entry.
            pub fn info(&self) -> ToxicInfo {
                match self { $(Self::$type(_) => <$type as Poison>::INFO,)+ }
            }

            /// Names and values, in the order of Toxiproxy's own.
            pub fn attributes(&self) -> Vec<(&'static str, i64)> {
                match self { $(Self::$type(toxic) => toxic.attributes(),)+ }
            }

            fn attribute(&mut self, name: &str) -> Option<&mut i64> {
                match self { $(Self::$type(toxic) => toxic.attribute(name),)+ }
            }

            fn own_problem(&self) -> Option<String> {
                match self { $(Self::$type(toxic) => toxic.problem(),)+ }
            }

            pub(crate) fn due(&self, memory: &mut Memory, at: Nanos) -> Nanos {
                match self { $(Self::$type(toxic) => toxic.due(memory, at),)+ }
            }

            pub(crate) fn decide(&self, memory: &mut Memory, front: Option<&Item>, now: Nanos) -> Verdict {
                match self { $(Self::$type(toxic) => toxic.decide(memory, front, now),)+ }
            }

            pub(crate) fn passed(&self, memory: &mut Memory, now: Nanos) {
                match self { $(Self::$type(toxic) => toxic.passed(memory, now),)+ }
            }

            pub(crate) fn room(&self) -> usize {
                match self { $(Self::$type(_) => <$type as Poison>::ROOM,)+ }
            }

            pub(crate) fn closes_on_removal(&self) -> bool {
                match self { $(Self::$type(_) => <$type as Poison>::CLOSES_ON_REMOVAL,)+ }
            }
        }
    };
}

toxics! {
    latency: Latency,
    bandwidth: Bandwidth,
    slow_close: SlowClose,
    timeout: Timeout,
    reset_peer: ResetPeer,
    slicer: Slicer,
    limit_data: LimitData,
    noop: Noop,
}

// === impl Direction ===

impl Direction {
    /// The API's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Downstream => "downstream",
        }
    }

    /// The direction of the API's word, in any case.
    pub fn of_name(word: &str) -> Option<Self> {
        [Self::Upstream, Self::Downstream].into_iter().find(|d| d.name().eq_ignore_ascii_case(word))
    }
}

// === impl ToxicSpec ===

impl ToxicSpec {
    /// The API's `type`.
    pub fn type_name(&self) -> &'static str {
        self.info().name
    }

    /// Sets an attribute; false when it has none of this exact name.
    pub fn set(&mut self, name: &str, value: i64) -> bool {
        self.attribute(name).map(|held| *held = value).is_some()
    }

    /// Why it cannot be used: a sentence without a full stop. Whatever crashes Toxiproxy is among the reasons
    /// (Shopify/toxiproxy#541, #764, #770).
    pub fn problem(&self) -> Option<String> {
        let negative = self.attributes().into_iter().find(|(_, value)| *value < 0);
        match negative {
            Some((name, value)) => Some(format!("attribute {name} must not be negative, it is {value}")),
            None => self.own_problem(),
        }
    }
}

/// Milliseconds as nanoseconds, as far as they go.
fn millis(ms: i64) -> Nanos {
    u64::try_from(ms).unwrap_or(0).saturating_mul(1_000_000)
}

#[cfg(test)]
mod tests;
