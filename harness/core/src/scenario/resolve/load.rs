//! Workloads.

use gatecrash_model::Op;

use super::Cx;
use crate::diagnostics::Place;
use crate::plan::{
    BucketPlan, IdentityPlan, KeysPlan, OpPlan, PhasePlan, SegmentPlan, SignPlan, WorkloadPlan,
};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Arrivals, Either, File, Keys, Offered, OpDetail, OpEntry, Sign, Workload};
use crate::units::{Rate, Share, Size, Span};

/// Operations that a workload can send.
const OPS: [Op; 6] =
    [Op::GetObject, Op::HeadObject, Op::PutObject, Op::DeleteObject, Op::DeleteObjects, Op::ListObjectsV2];
const DEFAULT_WRITE_KEY: &str = "w/{n:08}";
const DEFAULT_WRITE_SIZE: Size = Size(4 << 10);
const DEFAULT_TIMEOUT: Span = Span::seconds(5);
const DEFAULT_IN_FLIGHT: u32 = 1000;
/// Most workloads: their number is one byte in a request id.
const MAX_WORKLOADS: usize = 256;
/// Highest rate of one workload.
const MAX_RATE: Rate = Rate(1e6);
/// Steepest Zipf exponent.
const MAX_ZIPF: f64 = 5.0;

impl Cx<'_> {
    /// The workloads, in order of the file.
    pub(super) fn workloads(
        &mut self,
        file: &File,
        buckets: &[BucketPlan],
        identities: &[IdentityPlan],
        phases: &[PhasePlan],
    ) -> Vec<WorkloadPlan> {
        let load = &file.load;
        if load.value.is_empty() {
            self.error("no workloads", load.place, "expected at least one, by name");
        }
        if load.value.0.len() > MAX_WORKLOADS {
            self.error("too many workloads", load.place, format!("at most {MAX_WORKLOADS}"));
        }
        let mut workloads = Vec::new();
        for (name, workload) in load.value.iter() {
            self.name("workload name", name);
            let segments = self.segments(file, name, workload, phases);
            let bucket = self.bucket_of(name, workload, buckets);
            let (sign, identity) = self.signer(name, workload, identities);
            workloads.push(self.workload(name, workload, segments, bucket, sign, identity));
        }
        self.one_gateway_key(file, &workloads);
        workloads
    }

    fn workload(
        &mut self,
        name: &Spanned<String>,
        workload: &Workload,
        segments: Vec<SegmentPlan>,
        bucket: String,
        sign: SignPlan,
        identity: Option<u16>,
    ) -> WorkloadPlan {
        let at = |key: &str| format!("workloads.{}.{key}", name.value);
        let (open, writes) = (&workload.open, &workload.writes);
        if let Some(none) = open.max_in_flight.filter(|n| n.value == 0) {
            self.error("`max-in-flight` is zero", none.place, "expected at least 1");
        }
        if let Some(key) = &writes.key {
            self.key_pattern(key);
        }
        self.positive("timeout", workload.timeout);
        let arrivals = open.arrivals.map(|a| Spanned { value: a.value == Arrivals::Poisson, place: a.place });
        WorkloadPlan {
            name: name.value.clone(),
            segments,
            poisson: self.or(at("poisson"), arrivals, true),
            max_in_flight: self.or(at("max-in-flight"), open.max_in_flight, DEFAULT_IN_FLIGHT),
            bucket,
            ops: self.ops(workload),
            keys: self.keys(workload.keys, at("keys")),
            missing: self.or(at("missing"), workload.missing, Share(0.0)),
            write_key: self.or(at("write-key"), writes.key.clone(), DEFAULT_WRITE_KEY.to_owned()),
            write_size: self.sizes(writes.size.as_ref(), DEFAULT_WRITE_SIZE, at("write-size")),
            sign,
            identity,
            timeout: self.or(at("timeout"), workload.timeout, DEFAULT_TIMEOUT),
            client: self.client(workload.client.as_ref(), &format!("workloads.{}", name.value)),
        }
    }

    /// One stretch of constant rate for each phase.
    fn segments(
        &mut self,
        file: &File,
        name: &Spanned<String>,
        workload: &Workload,
        phases: &[PhasePlan],
    ) -> Vec<SegmentPlan> {
        let rate = self.offered(file, workload);
        if rate.value.0 <= 0.0 {
            self.error("the rate is zero", rate.place, "expected more than 0/s; a phase may rest with 0/s");
        }
        let mut segments = Vec::new();
        for (phase, plan) in file.timeline.value.iter().zip(phases) {
            let own = phase.load.iter().find(|(n, _)| n.value == name.value).map(|(_, load)| load.rate);
            let Spanned { value: rate, place } = own.unwrap_or(rate);
            if rate.0 > MAX_RATE.0 {
                self.error(format!("rate {rate} too high"), place, format!("expected at most {MAX_RATE}"));
            }
            self.took(format!("workloads.{}.segments.{}.rate", name.value, segments.len()), place);
            segments.push(SegmentPlan { from: plan.from, until: plan.until, rate });
        }
        segments
    }

    /// The rate of a workload; of one that is searched, where the search begins.
    fn offered(&mut self, file: &File, workload: &Workload) -> Spanned<Rate> {
        let Spanned { value, place } = workload.open.rate;
        let rate = match value {
            Offered::At(rate) => rate,
            Offered::Search => {
                let search = file.capacity.as_ref().and_then(|capacity| capacity.value.search);
                search.map_or(Rate(1.0), |search| search.value.from.value)
            }
        };
        Spanned { value: rate, place }
    }

    fn bucket_of(&mut self, name: &Spanned<String>, workload: &Workload, buckets: &[BucketPlan]) -> String {
        match (&workload.bucket, buckets) {
            (Some(bucket), _) => {
                self.refer("bucket", &bucket.value, bucket.place, buckets.iter().map(|b| b.name.as_str()));
                self.took(format!("workloads.{}.bucket", name.value), bucket.place);
                bucket.value.clone()
            }
            (None, [only]) => only.name.clone(),
            (None, _) => {
                let message = format!("workload `{}` names no bucket", name.value);
                self.error(message, name.place, "expected `bucket`, since there are several");
                String::new()
            }
        }
    }

    // === operations and keys ===

    fn ops(&mut self, workload: &Workload) -> Vec<OpPlan> {
        let mut ops = Vec::new();
        for (name, entry) in workload.ops.value.iter() {
            let op = self.op(name);
            let (share, range) = match entry {
                OpEntry::Short(share) => (*share, None),
                Either::Long(OpDetail { share, range }) => (*share, range.as_ref()),
            };
            let range = range.and_then(|range| self.range(range, op));
            ops.extend(op.map(|op| OpPlan { op, share, range }));
        }
        let shares = workload.ops.value.iter().map(|(_, entry)| match entry {
            OpEntry::Short(share) => *share,
            Either::Long(detail) => detail.share,
        });
        self.whole("operations", shares, workload.ops.place);
        ops
    }

    fn op(&mut self, name: &Spanned<String>) -> Option<Op> {
        match Op::from_name(&name.value).filter(|op| !matches!(op, Op::Unknown | Op::Probe)) {
            Some(op) if OPS.contains(&op) => Some(op),
            Some(op) => {
                let label = "workloads send operations on objects, and ListObjectsV2";
                self.error(format!("`{op}` in a workload is not supported yet"), name.place, label);
                None
            }
            None => {
                self.refer("operation", &name.value, name.place, OPS.map(Op::name));
                None
            }
        }
    }

    fn range(&mut self, range: &Spanned<String>, op: Option<Op>) -> Option<(u64, u64)> {
        if op.is_some_and(|op| op != Op::GetObject) {
            self.error(
                "a range on something else than GetObject",
                range.place,
                "only GetObject takes a range",
            );
        }
        let ends = range.value.split_once('-');
        let ends = ends.and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        match ends.filter(|(first, last): &(u64, u64)| first <= last) {
            None => {
                let label = "expected first-last in bytes, both inclusive, such as 0-1023";
                self.error(format!("invalid range `{}`", range.value), range.place, label);
                None
            }
            ends => ends,
        }
    }

    fn keys(&mut self, keys: Option<Spanned<Keys>>, path: String) -> KeysPlan {
        if let Some(Spanned { value: Keys::Zipf(s), place }) = keys
            && !(s > 0.0 && s <= MAX_ZIPF)
        {
            let place = self.within(place, &["zipf"]);
            self.error(
                format!("invalid Zipf exponent {s}"),
                place,
                format!("expected above 0, at most {MAX_ZIPF}"),
            );
        }
        match self.or(path, keys, Keys::Uniform) {
            Keys::Uniform => KeysPlan::Uniform,
            Keys::Sequential => KeysPlan::Sequential,
            Keys::Zipf(s) => KeysPlan::Zipf(s),
        }
    }

    // === signing ===

    fn signer(
        &mut self,
        name: &Spanned<String>,
        workload: &Workload,
        identities: &[IdentityPlan],
    ) -> (SignPlan, Option<u16>) {
        let names = identities.iter().map(|i| i.name.as_str());
        let given = workload.r#as.as_ref();
        let identity =
            given.and_then(|id| self.refer("identity", &id.value, id.place, names)).map(|i| i as u16);
        let path = format!("workloads.{}.sign", name.value);
        let default = if given.is_some() { Sign::Client } else { Sign::None };
        let sign = match self.or(path, workload.sign, default) {
            Sign::Client => SignPlan::Client,
            Sign::Gateway => SignPlan::Gateway,
            Sign::None => SignPlan::None,
        };
        let place = workload.sign.map_or(name.place, |s| s.place);
        match (sign, given, identities) {
            (SignPlan::None, Some(unused), _) => {
                self.error("nobody signs, yet an identity is given", unused.place, "`sign` is none");
                (sign, None)
            }
            (SignPlan::None, None, _) => (sign, None),
            (_, Some(_), _) => (sign, identity),
            (_, None, [_]) => (sign, Some(0)),
            (_, None, _) => {
                self.no_signer(identities, place);
                (sign, None)
            }
        }
    }

    fn no_signer(&mut self, identities: &[IdentityPlan], place: Place) {
        let help =
            if identities.is_empty() { "define one under `identities`" } else { "choose one with `as`" };
        self.advise("signing needs an identity", place, "signs here", help);
    }

    /// The gateway holds one key.
    fn one_gateway_key(&mut self, file: &File, workloads: &[WorkloadPlan]) {
        let mut holders =
            workloads.iter().zip(file.load.value.iter()).filter(|(w, _)| w.sign == SignPlan::Gateway);
        let Some((first, _)) = holders.next() else { return };
        let others: Vec<_> = holders.filter(|(w, _)| w.identity != first.identity).collect();
        for (_, (name, _)) in others {
            self.error("the gateway signs for two identities", name.place, "it holds the key of one");
        }
    }
}
