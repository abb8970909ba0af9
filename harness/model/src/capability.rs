//! What a source of observations can see, and what a check needs seen.

/// One thing that can be observed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
#[repr(u16)]
pub enum Capability {
    /// How each client exchange was framed and how it ended.
    Framing = 1,
    /// Every upstream attempt, by request.
    Attempts = 2,
    /// The mock's journal: what it evaluated and stored.
    Store = 4,
    /// The gateway's process: CPU, memory, descriptors, death.
    Process = 8,
    /// Connect faults confirmed by our own probe.
    Probes = 16,
    /// Which tries are the gateway's own: no client in view retries by itself.
    OwnTries = 32,
    /// The clients' side of the wire, byte by byte: framing, bytes after a message, FIN or RST.
    Wire = 64,
}

impl Capability {
    /// All of them, in the order they are printed.
    pub const ALL: [Self; 7] =
        [Self::Framing, Self::Attempts, Self::Store, Self::Process, Self::Probes, Self::OwnTries, Self::Wire];

    /// How it is named in a verdict.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Framing => "client framing",
            Self::Attempts => "upstream attempts",
            Self::Store => "the upstream store",
            Self::Process => "the gateway's process",
            Self::Probes => "connect probes",
            Self::OwnTries => "which tries are the gateway's own (its client retries too)",
            Self::Wire => "the client's side of the wire (an SDK does not show it)",
        }
    }
}

/// A set of capabilities.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Capabilities(pub u16);

impl Capabilities {
    /// Everything: our own client, links and mock around a gateway we spawned. What depends on the clients of a
    /// workload ([`Capability::OwnTries`], [`Capability::Wire`]) is not part of it: the plan tells.
    pub const FULL: Self = Self(31);

    /// The set of these.
    pub const fn of(list: &[Capability]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < list.len() {
            bits |= list[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// What of `needed` is not here.
    pub fn missing(self, needed: Self) -> impl Iterator<Item = Capability> {
        Capability::ALL.into_iter().filter(move |c| needed.0 & !self.0 & *c as u16 != 0)
    }

    /// With one capability more.
    pub const fn with(self, capability: Capability) -> Self {
        Self(self.0 | capability as u16)
    }

    /// Without one capability.
    pub const fn without(self, capability: Capability) -> Self {
        Self(self.0 & !(capability as u16))
    }
}
