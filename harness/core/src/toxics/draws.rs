//! Randomness of toxics: all of it is a hash of (seed, proxy, toxic, connection), and of the place in its
//! sequence where one toxic draws again and again.

use gatecrash_model::draw::{DrawKey, draw, fires, unit};
use gatecrash_model::hash;

/// One connection of one proxy, as draws name it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stream {
    /// The proxy's seed.
    pub seed: u64,
    /// A hash of the proxy's name.
    pub proxy: u64,
    /// The connection's number on the proxy.
    pub conn: u32,
}

/// The draws of one toxic on one connection, one after the other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Draws {
    state: u64,
}

// === impl Stream ===

impl Stream {
    /// The stream's only draw for a toxic: the same whenever, and however often, it is asked.
    pub fn draw(self, toxic: &str) -> u64 {
        let fault = hash::combine(&[self.proxy, hash::bytes(toxic.as_bytes())]);
        draw(self.seed, fault, DrawKey::Connection { link: 0, conn: self.conn })
    }

    /// Whether a toxic of this toxicity works on the connection.
    pub fn hit_by(self, toxic: &str, toxicity: f32) -> bool {
        toxicity > 0.0 && fires(self.draw(toxic), f64::from(toxicity))
    }
}

// === impl Draws ===

impl Draws {
    /// The sequence that begins here.
    pub fn of(state: u64) -> Self {
        Self { state }
    }

    /// The next draw, in [0, 1).
    pub fn unit(&mut self) -> f64 {
        // SplitMix64's step: the hash of a counter.
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        unit(hash::mix(self.state))
    }
}
