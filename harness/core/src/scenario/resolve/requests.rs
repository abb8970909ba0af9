//! What workloads ask for: operations with their details, and keys.

use gatecrash_model::Op;

use super::Cx;
use crate::diagnostics::Place;
use crate::plan::{ConditionPlan, KeysPlan, OpPlan, PartsPlan, RangeLaw, RangePlan, TagPlan};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Bytes, Either, Keys, OpDetail, Shares, Workload};
use crate::units::{Share, Size};

/// Operations that a workload can send.
const OPS: [Op; 6] =
    [Op::GetObject, Op::HeadObject, Op::PutObject, Op::DeleteObject, Op::DeleteObjects, Op::ListObjectsV2];
/// Steepest Zipf exponent.
const MAX_ZIPF: f64 = 5.0;
/// Most parts of an upload, and most pages of a list.
const MAX_PARTS: u16 = 10_000;
const MAX_PAGES: u16 = 1000;
/// Smallest part but the last, as S3 has it.
const LEAST_PART: Size = Size(5 << 20);

impl Cx<'_> {
    /// The operations of a workload, in order of the file.
    pub(super) fn ops(&mut self, name: &Spanned<String>, workload: &Workload) -> Vec<OpPlan> {
        let Some(written) = &workload.ops else {
            let message = format!("nothing says what `{}` sends", name.value);
            let label = "expected `ops: { GetObject: 100% }`, or `journeys`";
            self.error(message, name.place, label);
            return Vec::new();
        };
        let mut ops = Vec::new();
        let mut shares = Vec::new();
        for (name, entry) in written.value.iter() {
            let op = self.op(name);
            let details = match entry {
                Either::Short(Shares::One(share)) => {
                    shares.push(*share);
                    ops.extend(op.map(|op| OpPlan::plain(op, *share)));
                    continue;
                }
                Either::Short(Shares::Several(details)) => details.as_slice(),
                Either::Long(detail) => std::slice::from_ref(detail),
            };
            for detail in details {
                shares.push(detail.share);
                ops.extend(op.map(|op| self.detailed(op, detail)));
            }
        }
        self.whole("operations", shares.into_iter(), written.place);
        ops
    }

    /// Refuses conditions that have no right answer, given whether the objects of the bucket change.
    pub(super) fn fit_changes(&mut self, workload: &Workload, bucket: &str, changes: bool) {
        for (_, entry) in workload.ops.iter().flat_map(|ops| ops.value.iter()) {
            let details = match entry {
                Either::Short(Shares::One(_)) => &[][..],
                Either::Short(Shares::Several(details)) => details.as_slice(),
                Either::Long(detail) => std::slice::from_ref(detail),
            };
            for detail in details {
                let is_not = |tag: &&Spanned<TagPlan>| tag.value == TagPlan::Previous && !changes;
                let conditions = [detail.if_none_match.as_ref(), detail.if_match.as_ref()];
                if let Some(tag) = conditions.into_iter().flatten().find(is_not) {
                    let message = format!("the objects of `{bucket}` have no version before");
                    self.error(message, tag.place, "expected `change-every` at the objects of the bucket");
                }
                let unsure = |tag: &&Spanned<TagPlan>| match tag.value {
                    TagPlan::Current | TagPlan::Previous => changes,
                    TagPlan::Other | TagPlan::Any => false,
                };
                if let Some(tag) = detail.if_match.as_ref().filter(unsure) {
                    let message =
                        format!("the objects of `{bucket}` change, and 200 and 412 would both be right");
                    self.error(message, tag.place, "expected `other`, or objects without `change-every`");
                }
            }
        }
    }

    fn op(&mut self, name: &Spanned<String>) -> Option<Op> {
        match Op::from_name(&name.value).filter(|op| !matches!(op, Op::Unknown | Op::Probe)) {
            Some(op) if OPS.contains(&op) => Some(op),
            Some(op) => {
                let label = "workloads send operations on objects, and ListObjectsV2";
                let message = format!("`{op}` in a workload is not supported yet");
                match op {
                    Op::CreateMultipartUpload | Op::UploadPart | Op::CompleteMultipartUpload => {
                        self.advise(
                            message,
                            name.place,
                            label,
                            "write `PutObject: { share: 10%, parts: 3 }`",
                        );
                    }
                    _ => self.error(message, name.place, label),
                }
                None
            }
            None => {
                self.refer("operation", &name.value, name.place, OPS.map(Op::name));
                None
            }
        }
    }

    fn detailed(&mut self, op: Op, detail: &OpDetail) -> OpPlan {
        let range = detail.range.as_ref().and_then(|range| {
            self.only(op, &[Op::GetObject], "a range", range.place);
            self.range(&range.value, range.place)
        });
        let pages = detail.pages.map_or(1, |pages| {
            self.only(op, &[Op::ListObjectsV2], "`pages`", pages.place);
            self.count("pages", pages, MAX_PAGES)
        });
        let (condition, parts) = (self.condition(op, detail), self.parts(op, detail));
        OpPlan { op, share: detail.share, range, condition, parts, pages }
    }

    /// Refuses a detail of an operation that has none of that kind.
    fn only(&mut self, op: Op, those: &[Op], what: &str, place: Place) {
        if !those.contains(&op) {
            let names = those.iter().map(|op| op.name()).collect::<Vec<_>>().join(" and ");
            let word = if those.len() == 1 { "takes" } else { "take" };
            self.error(
                format!("{what} on something else than {names}"),
                place,
                format!("only {names} {word} it"),
            );
        }
    }

    fn count(&mut self, what: &str, given: Spanned<u16>, most: u16) -> u16 {
        if !(1..=most).contains(&given.value) {
            self.error(
                format!("invalid `{what}` {}", given.value),
                given.place,
                format!("expected 1 to {most}"),
            );
        }
        given.value.max(1)
    }

    /// A part of an object.
    pub(super) fn range(&mut self, range: &Either<Bytes, RangeLaw>, place: Place) -> Option<RangePlan> {
        let text = match range {
            Either::Long(law) => return Some(RangePlan::Law(*law)),
            Either::Short(bytes) => &bytes.0,
        };
        let ends = text.split_once('-');
        let ends = ends.and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        match ends.filter(|(first, last): &(u64, u64)| first <= last) {
            None => {
                let label = "expected first-last in bytes, both inclusive, such as 0-1023";
                self.error(format!("invalid range `{text}`"), place, label);
                None
            }
            Some((first, last)) => Some(RangePlan::Fixed(first, last)),
        }
    }

    fn condition(&mut self, op: Op, detail: &OpDetail) -> Option<ConditionPlan> {
        let (condition, tag, place) = match (detail.if_match, detail.if_none_match) {
            (None, None) => return None,
            (Some(_), Some(second)) => {
                self.error("two conditions", second.place, "expected `if-match` or `if-none-match`");
                return None;
            }
            (Some(tag), None) => (ConditionPlan::IfMatch(tag.value), tag.value, tag.place),
            (None, Some(tag)) => (ConditionPlan::IfNoneMatch(tag.value), tag.value, tag.place),
        };
        self.only(op, &[Op::GetObject, Op::HeadObject, Op::PutObject], "a condition", place);
        let new = tag == TagPlan::Any && detail.if_match.is_none() && detail.parts.is_none();
        if op == Op::PutObject && !new {
            let label = "every upload has a key of its own: expected `if-none-match: any`, without parts";
            self.error("a condition that no upload meets", place, label);
        }
        Some(condition)
    }

    fn parts(&mut self, op: Op, detail: &OpDetail) -> Option<PartsPlan> {
        let Some(parts) = detail.parts else {
            if let Some(size) = detail.part_size {
                self.error("`part-size` without `parts`", size.place, "expected `parts` beside it");
            }
            return None;
        };
        self.only(op, &[Op::PutObject], "`parts`", parts.place);
        Some(self.parts_of(parts, detail.part_size))
    }

    /// The parts of an upload: how many, and the size of each.
    pub(super) fn parts_of(&mut self, parts: Spanned<u16>, size: Option<Spanned<Size>>) -> PartsPlan {
        let count = self.count("parts", parts, MAX_PARTS);
        let bytes = size.map_or(LEAST_PART, |size| size.value);
        if let Some(small) = size.filter(|s| s.value.0 == 0 || (s.value < LEAST_PART && count > 1)) {
            let label = format!("S3 wants at least {LEAST_PART} of every part but the last");
            self.error(format!("parts of {}", small.value), small.place, label);
        }
        PartsPlan { count, size: bytes }
    }

    /// The key law.
    pub(super) fn keys(&mut self, keys: Option<&Spanned<Keys>>, path: String) -> KeysPlan {
        match keys {
            Some(Spanned { value: Keys::Zipf(s), place }) if !(*s > 0.0 && *s <= MAX_ZIPF) => {
                let place = self.within(*place, &["zipf"]);
                let label = format!("expected above 0, at most {MAX_ZIPF}");
                self.error(format!("invalid Zipf exponent {s}"), place, label);
            }
            Some(Spanned { value: Keys::HotSet(hot), .. }) if hot.keys.value == Share(0.0) => {
                self.error("no key is hot", hot.keys.place, "expected more than 0%");
            }
            _ => {}
        }
        match self.or(path, keys.cloned(), Keys::Uniform) {
            Keys::Uniform => KeysPlan::Uniform,
            Keys::Sequential => KeysPlan::Sequential,
            Keys::Zipf(s) => KeysPlan::Zipf(s),
            Keys::HotSet(hot) => KeysPlan::HotSet { keys: hot.keys.value, share: hot.share.value },
            // Which objects these are is found out once all buckets have theirs.
            Keys::FromFile(file) => KeysPlan::FromFile { file: file.value, weights: Vec::new() },
        }
    }
}
