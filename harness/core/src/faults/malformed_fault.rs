//! `malformed`: writes a response that HTTP forbids

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::malformed::{Dial, Kind};
use super::{Fault, FaultInfo, Host, Order, Terminal};
use crate::rules::{Facts, Point};
use crate::units::Size;

/// The largest `size`: the bytes are put together in memory.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// The largest `count`.
const MOST: u32 = 100_000;

/// The upstream's answer is rewritten into one of the shapes of the wire catalogue, on the raw socket: status
/// lines, header syntax, framing and chunking that no HTTP library would emit.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Malformed {
    /// Which shape.
    pub kind: Kind,
    /// How large, for header-oversize and chunk-extension-huge; at most 16 MiB. Default: that of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// How many, for header-count, 100-flood and 103-flood; at most 100000. Default: that of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

impl Fault for Malformed {
    const INFO: FaultInfo = FaultInfo {
        name: "malformed",
        summary: "writes a response that HTTP forbids",
        doc: "The upstream's answer is rewritten into one of the shapes of the wire catalogue, on the raw \
              socket: status lines, header syntax, framing and chunking that no HTTP library would emit.",
        example: "malformed: { kind: cl-duplicate-differ }",
        host: Host::Link,
        points: &[Point::ResponseHead],
    };

    fn order(&self, _: Point, facts: &Facts<'_>, _: u64) -> Order {
        // HTTP/2 has no form of these: they never fire there.
        if facts.http2 {
            return Order::Continue;
        }
        Order::End(Terminal::Rewrite(*self))
    }

    fn problem(&self) -> Option<&'static str> {
        match (self.kind.info().dial, self.size, self.count) {
            (_, Some(Size(size)), _) if size > MOST_BYTES => Some("a `size` of at most 16MiB"),
            (_, _, Some(count)) if count == 0 || count > MOST => Some("a `count` of 1 to 100000"),
            (Dial::Fixed | Dial::Count(_), Some(_), _) => {
                Some("`size` with header-oversize or chunk-extension-huge only")
            }
            (Dial::Fixed | Dial::Size(_), _, Some(_)) => {
                Some("`count` with header-count, 100-flood or 103-flood only")
            }
            _ => None,
        }
    }
}

impl Malformed {
    /// A kind in its usual amount.
    pub fn of(kind: Kind) -> Self {
        Self { kind, size: None, count: None }
    }

    /// How much of it: bytes or pieces, as the kind has it.
    pub fn amount(&self) -> usize {
        let size = self.size.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX));
        let count = self.count.map(|count| count as usize);
        size.or(count).unwrap_or(self.kind.info().dial.usual())
    }
}

#[cfg(test)]
mod tests {
    use super::super::malformed::KINDS;
    use super::*;

    #[test]
    fn amounts_are_for_the_kinds_that_have_one() {
        for info in KINDS {
            let sized = Malformed { size: Some(Size(5)), ..Malformed::of(info.kind) };
            let counted = Malformed { count: Some(5), ..Malformed::of(info.kind) };
            assert_eq!(sized.problem().is_none(), matches!(info.dial, Dial::Size(_)), "{}", info.name);
            assert_eq!(counted.problem().is_none(), matches!(info.dial, Dial::Count(_)), "{}", info.name);
            assert_eq!((sized.amount(), counted.amount()), (5, 5));
            assert_eq!(Malformed::of(info.kind).problem(), None);
        }
        let many = |count| Malformed { count: Some(count), ..Malformed::of(Kind::HeaderCount) }.problem();
        assert!(many(100_000).is_none() && many(100_001).is_some() && many(0).is_some());
        let large = |n| Malformed { size: Some(Size(n)), ..Malformed::of(Kind::HeaderOversize) }.problem();
        assert!(large(MOST_BYTES).is_none() && large(MOST_BYTES + 1).is_some());
    }
}
