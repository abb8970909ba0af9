//! Compares a response body with what it has to be, while it streams by. Nothing is stored but a beginning.

use gatecrash_model::content::PLACES;
use gatecrash_model::{BodyCheck, Content, Op, Pool};

use crate::plan::{Expect, RequestPlan, Versions, Wants};

/// How much of a body is kept as evidence, bytes.
const SHOWN: usize = 4096;
/// How much of a body that is not a success is kept, to look for leaks and an error code, bytes.
const SEARCHED: usize = 64 * 1024;
/// How much of a document is kept that the next request needs a word of, bytes: more than a page of a list has.
const READ: usize = 2 << 20;
/// Bytes kept from the first wrong one on: enough to recognise whose they are.
const STRAY: usize = 64;

/// How many bytes it takes to tell a version of an object that changes.
const LEAD: usize = 16;

/// The state of one comparison.
#[derive(Debug, Default)]
pub(crate) struct Body {
    expected: Option<Expected>,
    keep: usize,
    /// The beginning of a body that is not an object; of a wrong object, its beginning too.
    pub kept: Vec<u8>,
    /// Bytes so far.
    pub seen: u64,
    /// Offset in the body of the first wrong byte.
    pub mismatch: Option<u64>,
    stray: Vec<u8>,
    versions: Option<Versions>,
    /// The version it is compared with, and the first bytes, which decide that.
    version: u32,
    lead: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
enum Expected {
    Bytes { content: Content, base: u64, len: u64, size: u64 },
    NoBody,
}

/// What a wrong body turned out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Found {
    /// Bytes that the run never made, or that are too few to tell.
    Foreign,
    /// Bytes of the expected object, from this offset of it.
    Shifted(u64),
    /// Bytes of another version of the expected object, each at its own place.
    Version(u32),
    /// Bytes of the pool at this place, seen at this offset of the object.
    Elsewhere { place: usize, offset: u64 },
}

impl Body {
    /// Starts over, without a response yet.
    pub(super) fn clear(&mut self) {
        self.expected = None;
        self.keep = 0;
        self.kept.clear();
        self.kept.shrink_to(SHOWN);
        self.stray.clear();
        self.seen = 0;
        self.mismatch = None;
        self.versions = None;
        self.version = 0;
        self.lead.clear();
    }

    /// Decides what the body of a response with this status has to be.
    pub(crate) fn begin(&mut self, plan: &RequestPlan, status: u16) {
        let success = matches!(status, 200..=299);
        self.expected = match plan.expect {
            _ if plan.op != Op::GetObject || !success => None,
            Expect::Anything | Expect::Changing => None,
            Expect::Absent => Some(Expected::NoBody),
            Expect::Object { content, size, .. } | Expect::Uploaded { content, size } => {
                Some(match plan.range {
                    Some((first, last)) if status == 206 => {
                        Expected::Bytes { content, base: first, len: (last + 1).saturating_sub(first), size }
                    }
                    _ => Expected::Bytes { content, base: 0, len: size, size },
                })
            }
        };
        self.versions = plan.versions.filter(|_| matches!(self.expected, Some(Expected::Bytes { .. })));
        self.version = self.versions.map_or(0, |versions| versions.current);
        self.keep = match self.expected {
            Some(_) => 0,
            None if success && matches!(plan.wants(), Wants::Element(_)) => READ,
            None if success => SHOWN,
            None => SEARCHED,
        };
    }

    /// Takes the next bytes.
    pub(crate) fn take(&mut self, pool: &Pool, bytes: &[u8]) {
        let offset = self.seen;
        self.seen += bytes.len() as u64;
        if self.expected.is_some() && self.mismatch.is_none() {
            self.choose_version(pool, bytes);
            let Some(at) = self.wrong_at(pool, offset, bytes) else { return };
            self.mismatch = Some(offset + at as u64);
            self.keep = SHOWN;
            self.keep_expected(pool, offset + at as u64);
            return self.keep_more(&bytes[at..]);
        }
        self.keep_more(bytes);
    }

    /// What the comparison says, at the end of the body.
    pub(crate) fn check(&self, pool: &Pool) -> BodyCheck {
        match (self.expected, self.mismatch) {
            (None, _) | (Some(Expected::NoBody), None) => BodyCheck::NotChecked,
            (Some(Expected::Bytes { len, .. }), None) if self.seen == len => BodyCheck::Exact,
            (Some(Expected::Bytes { .. }), None) => BodyCheck::Prefix,
            (Some(_), Some(_)) => match self.found(pool) {
                Found::Version(_) => BodyCheck::Mixed,
                Found::Elsewhere { .. } => BodyCheck::Other,
                _ => BodyCheck::Wrong,
            },
        }
    }

    /// Whose the wrong bytes are; only meaningful after a mismatch.
    pub(super) fn found(&self, pool: &Pool) -> Found {
        let (Some(at), Some(place)) = (self.mismatch, pool.locate(&self.stray)) else {
            return Found::Foreign;
        };
        match self.expected {
            Some(Expected::Bytes { base, .. }) if self.at_version(pool, place, base + at).is_some() => {
                Found::Version(self.at_version(pool, place, base + at).unwrap_or_default())
            }
            Some(Expected::Bytes { content, base, size, .. }) => {
                let own = ((place + PLACES - content.place(0) % PLACES) % PLACES) as u64;
                match own < size {
                    true => Found::Shifted(own),
                    false => Found::Elsewhere { place, offset: base + at },
                }
            }
            _ => Found::Elsewhere { place, offset: at },
        }
    }

    /// The bytes from the first wrong one on.
    pub(super) fn stray(&self) -> &[u8] {
        &self.stray
    }

    /// The version that the body begins as, and the one it goes on as, of an object that changes.
    pub(crate) fn versions(&self, pool: &Pool) -> [Option<u32>; 2] {
        if self.versions.is_none() || self.lead.len() < LEAD / 2 {
            return [None; 2];
        }
        match self.mismatch {
            None => [Some(self.version), None],
            Some(at) if at < self.lead.len() as u64 => [None; 2],
            Some(_) => match self.found(pool) {
                Found::Version(then) => [Some(self.version), Some(then)],
                _ => [Some(self.version), None],
            },
        }
    }

    /// Compares with the version whose bytes the first ones are; with the one that is due when they are nobody's.
    fn choose_version(&mut self, pool: &Pool, bytes: &[u8]) {
        let (Some(versions), Some(Expected::Bytes { content, base, .. })) =
            (self.versions, self.expected.as_mut())
        else {
            return;
        };
        let room = LEAD.saturating_sub(self.lead.len()).min(bytes.len());
        if room == 0 {
            return;
        }
        self.lead.extend_from_slice(&bytes[..room]);
        if content.mismatch(pool, *base, &self.lead).is_some()
            && let Some(other) = versions.lineage.of_bytes(pool, *base, &self.lead, versions.newest)
        {
            self.version = other;
            *content = versions.lineage.content(pool, other);
        }
    }

    /// The version, other than the one compared with, whose byte at `offset` stands at this place of the pool.
    fn at_version(&self, pool: &Pool, place: usize, offset: u64) -> Option<u32> {
        let versions = self.versions?;
        versions.lineage.at_place(pool, place, offset, versions.newest).filter(|other| *other != self.version)
    }

    fn wrong_at(&self, pool: &Pool, offset: u64, bytes: &[u8]) -> Option<usize> {
        let Some(Expected::Bytes { content, base, len, .. }) = self.expected else {
            return (!bytes.is_empty()).then_some(0);
        };
        let within = usize::try_from(len.saturating_sub(offset)).unwrap_or(usize::MAX).min(bytes.len());
        let wrong = content.mismatch(pool, base + offset, &bytes[..within]);
        wrong.or_else(|| (within < bytes.len()).then_some(within))
    }

    /// The correct beginning was not kept as it passed, but it is known.
    fn keep_expected(&mut self, pool: &Pool, until: u64) {
        if let Some(Expected::Bytes { content, base, .. }) = self.expected {
            self.kept.extend_from_slice(content.chunk(pool, base, until.min(SHOWN as u64) as usize));
        }
    }

    fn keep_more(&mut self, bytes: &[u8]) {
        let room = self.keep.saturating_sub(self.kept.len()).min(bytes.len());
        self.kept.extend_from_slice(&bytes[..room]);
        if self.mismatch.is_some() {
            let room = STRAY.saturating_sub(self.stray.len()).min(bytes.len());
            self.stray.extend_from_slice(&bytes[..room]);
        }
    }
}

/// The S3 error code in a document, and whether the document is an error as a whole.
pub(crate) fn s3_code(document: &[u8]) -> Option<(&str, bool)> {
    let mut rest = document.trim_ascii_start();
    if rest.starts_with(b"<?xml") {
        rest = rest[find(rest, b"?>")? + 2..].trim_ascii_start();
    }
    let whole = rest.starts_with(b"<Error>") || rest.starts_with(b"<Error ");
    if !whole && !rest.starts_with(b"<DeleteResult") {
        return None;
    }
    let start = find(rest, b"<Code>")? + 6;
    let len = find(&rest[start..], b"</Code>").filter(|len| (1..=128).contains(len))?;
    std::str::from_utf8(&rest[start..start + len]).ok().map(|code| (code, whole))
}

/// The text of the first element of this name in a document.
pub(super) fn element(document: &[u8], name: &str) -> Option<String> {
    let (open, close) = (format!("<{name}>"), format!("</{name}>"));
    let start = find(document, open.as_bytes())? + open.len();
    let len = find(&document[start..], close.as_bytes()).filter(|len| *len > 0)?;
    let text = std::str::from_utf8(&document[start..start + len]).ok()?;
    let unescaped = text.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    Some(unescaped.replace("&amp;", "&"))
}

/// Where `needle` first is.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    (!needle.is_empty()).then(|| haystack.windows(needle.len()).position(|w| w == needle))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_read_and_unescaped() {
        let xml = b"<?xml version='1.0'?><R><A/><UploadId>a&amp;b&lt;&amp;lt;</UploadId><N></N></R>";
        assert_eq!(element(xml, "UploadId").as_deref(), Some("a&b<&lt;"));
        assert_eq!((element(xml, "N"), element(xml, "Id"), element(b"<Id>x", "Id")), (None, None, None));
    }

    #[test]
    fn error_documents_give_their_code() {
        let table: [(&str, Option<(&str, bool)>); 6] = [
            ("<Error><Code>SlowDown</Code></Error>", Some(("SlowDown", true))),
            (
                "<?xml version=\"1.0\"?>\n<Error xmlns=\"x\"><Message/><Code>NoSuchKey</Code>",
                Some(("NoSuchKey", true)),
            ),
            (
                "<DeleteResult><Error><Key>k</Key><Code>AccessDenied</Code></Error></DeleteResult>",
                Some(("AccessDenied", false)),
            ),
            ("<ListBucketResult><Code>no</Code></ListBucketResult>", None),
            ("<html><Code>502</Code></html>", None),
            ("<Error><Code></Code></Error>", None),
        ];
        for (text, code) in table {
            assert_eq!(s3_code(text.as_bytes()), code, "{text}");
        }
    }
}
