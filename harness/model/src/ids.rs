//! Identities. A request is (run, workload, k); an attempt is (link, connection, ordinal on it).

use std::fmt;

/// One run, printed as eight hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct RunId(pub u32);

/// One client request of a run: arrival `k` of a workload.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct RequestId {
    /// Index of the workload in the plan.
    pub workload: u16,
    /// Arrival number, from 0.
    pub k: u32,
}

/// One exchange that a link saw on its gateway side.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct AttemptId {
    /// Index of the link (one link per upstream endpoint).
    pub link: u8,
    /// Connection number on that link, from 0, in order of accept.
    pub conn: u32,
    /// Exchange on that connection, from 0.
    pub ordinal: u16,
}

/// A string in the run's string table. 0 is the empty string.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Default)]
pub struct StrId(pub u32);

// === impl RunId ===

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl std::str::FromStr for RunId {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u32::from_str_radix(text, 16).map(Self)
    }
}

// === impl RequestId ===

impl RequestId {
    /// Packed form of "no request": probes, strangers, connections that ended before a head.
    pub const NONE: u64 = u64::MAX;

    /// The record form.
    pub fn pack(self) -> u64 {
        (u64::from(self.workload) << 32) | u64::from(self.k)
    }

    /// Back from the record form; `None` for [`RequestId::NONE`].
    pub fn unpack(packed: u64) -> Option<Self> {
        (packed != Self::NONE).then_some(Self { workload: (packed >> 32) as u16, k: packed as u32 })
    }

    /// The value of `x-gatecrash-id`.
    pub fn header(self, run: RunId) -> String {
        format!("{run}-{}-{}", self.workload, self.k)
    }

    /// Reads `x-gatecrash-id`; `None` when it is not ours.
    pub fn parse_header(value: &[u8]) -> Option<(RunId, Self)> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let (run, request) = text.split_once('-')?;
        Some((run.parse().ok().filter(|_| run.len() == 8)?, Self::parse(request)?))
    }

    /// Reads `<workload>-<k>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (workload, k) = text.split_once('-')?;
        Some(Self { workload: workload.parse().ok()?, k: k.parse().ok()? })
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.workload, self.k)
    }
}

// === impl AttemptId ===

impl AttemptId {
    /// Packed form of "no attempt".
    pub const NONE: u64 = u64::MAX;

    /// The record form.
    pub fn pack(self) -> u64 {
        (u64::from(self.link) << 48) | (u64::from(self.conn) << 16) | u64::from(self.ordinal)
    }

    /// Back from the record form.
    pub fn unpack(packed: u64) -> Option<Self> {
        (packed != Self::NONE).then_some(Self {
            link: (packed >> 48) as u8,
            conn: (packed >> 16) as u32,
            ordinal: packed as u16,
        })
    }

    /// Reads `x-gatecrash-attempt`.
    pub fn parse_header(value: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(value).ok()?.trim();
        let mut parts = text.split('-');
        let id = Self {
            link: parts.next()?.parse().ok()?,
            conn: parts.next()?.parse().ok()?,
            ordinal: parts.next()?.parse().ok()?,
        };
        parts.next().is_none().then_some(id)
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.link, self.conn, self.ordinal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn request_ids_survive_header_and_record(run: u32, workload: u16, k: u32) {
            let id = RequestId { workload, k };
            prop_assert_eq!(RequestId::unpack(id.pack()), Some(id));
            prop_assert_eq!(RequestId::parse(&id.to_string()), Some(id));
            prop_assert_eq!(RequestId::parse_header(id.header(RunId(run)).as_bytes()), Some((RunId(run), id)));
        }

        #[test]
        fn attempt_ids_survive_header_and_record(link: u8, conn: u32, ordinal: u16) {
            let id = AttemptId { link, conn, ordinal };
            prop_assert_eq!(AttemptId::unpack(id.pack()), Some(id));
            prop_assert_eq!(AttemptId::parse_header(id.to_string().as_bytes()), Some(id));
        }
    }

    #[test]
    fn strangers_are_not_ours() {
        for text in
            ["", "1-2", "9f2c41aa-0", "9f2c41aa-0-1-2", "zz2c41aa-0-1", "9f2c-0-1", "9f2c41aa-70000-1"]
        {
            assert_eq!(RequestId::parse_header(text.as_bytes()), None, "{text}");
        }
    }
}
