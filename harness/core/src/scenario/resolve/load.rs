//! Workloads.

use gatecrash_model::BodyLaw;

use super::Cx;
use super::arrivals::Begin;
use super::replay::Told;
use crate::plan::{
    BucketPlan, EnginePlan, IdentityPlan, KeysPlan, PhasePlan, SignPlan, SizePlan, WorkloadPlan,
};
use crate::replay::ReadObject;
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Arrivals, Bodies, Either, File, Workload};
use crate::units::{Share, Size, Span};

const DEFAULT_WRITE_KEY: &str = "w/{n:08}";
const DEFAULT_WRITE_SIZE: Size = Size(4 << 10);
const DEFAULT_TIMEOUT: Span = Span::seconds(5);
const DEFAULT_IN_FLIGHT: u32 = 1000;
/// Most workloads: their number is one byte in a request id.
const MAX_WORKLOADS: usize = 256;

impl Cx<'_> {
    /// The workloads, in order of the file.
    pub(super) fn workloads(
        &mut self,
        file: &File,
        buckets: &mut [BucketPlan],
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
        let (mut workloads, mut objects) = (Vec::new(), Vec::new());
        for (name, workload) in load.value.iter() {
            self.name("workload name", name);
            let bucket = self.bucket_of(name, workload, buckets);
            let (sign, identity) = self.signer(name, workload, identities);
            if workload.from_log.is_some() {
                let Some(told) = self.told(file, name, workload, &bucket, phases) else { continue };
                let (plan, there) = self.replayed(name, workload, told, bucket, sign, identity);
                workloads.push(plan);
                objects.push(there);
                continue;
            }
            let changes = buckets.iter().any(|b| b.name == bucket && b.change_every.is_some());
            self.fit_changes(workload, &bucket, changes);
            let begin = self.begin(file, name, workload, phases);
            workloads.push(self.workload(name, workload, begin, bucket, sign, identity));
            objects.push(Vec::new());
        }
        self.objects_of_logs(file, buckets, &workloads, &objects);
        self.keys_of_files(file, buckets, &mut workloads);
        self.one_gateway_key(file, &workloads);
        self.walkable(file, &workloads);
        workloads
    }

    fn workload(
        &mut self,
        name: &Spanned<String>,
        workload: &Workload,
        begin: Begin,
        bucket: String,
        sign: SignPlan,
        identity: Option<u16>,
    ) -> WorkloadPlan {
        let at = |key: &str| format!("workloads.{}.{key}", name.value);
        let (open, writes) = (workload.open.as_ref().map(|open| &open.value), &workload.writes);
        let max_in_flight = open.and_then(|open| open.max_in_flight);
        if let Some(none) = max_in_flight.filter(|n| n.value == 0) {
            self.error("`max-in-flight` is zero", none.place, "expected at least 1");
        }
        if let Some(key) = &writes.key {
            self.key_pattern(key);
        }
        let law = |body| match body {
            Bodies::Bytes => BodyLaw::Bytes,
            Bodies::HttpRequests => BodyLaw::HttpRequests,
        };
        let body = writes.body.map(|body| Spanned { value: law(body.value), place: body.place });
        self.positive("timeout", workload.timeout);
        let arrivals = open.and_then(|open| open.arrivals);
        let poisson = arrivals.map(|a| Spanned { value: a.value == Arrivals::Poisson, place: a.place });
        let (journeys, ops) = match self.journeys(name, workload, begin.closed.as_ref()) {
            Some((journeys, ops)) => (Some(journeys), ops),
            None => (None, self.ops(name, workload)),
        };
        let client = self.carrier(name, workload);
        self.fits_sdk(client, &ops, name.place);
        WorkloadPlan {
            name: name.value.clone(),
            segments: begin.segments,
            closed: begin.closed,
            journeys,
            trace: begin.trace,
            replay: None,
            poisson: self.or(at("poisson"), poisson, true),
            max_in_flight: self.or(at("max-in-flight"), max_in_flight, DEFAULT_IN_FLIGHT),
            bucket,
            ops,
            keys: self.keys(workload.keys.as_ref(), at("keys")),
            missing: self.or(at("missing"), workload.missing, Share(0.0)),
            write_key: self.or(at("write-key"), writes.key.clone(), DEFAULT_WRITE_KEY.to_owned()),
            write_size: self.sizes(writes.size.as_ref(), DEFAULT_WRITE_SIZE, at("write-size")),
            write_body: self.or(at("write-body"), body, BodyLaw::Bytes),
            sign,
            identity,
            timeout: self.or(at("timeout"), workload.timeout, DEFAULT_TIMEOUT),
            client,
        }
    }

    /// A workload as a log tells it, and the objects that were there before.
    fn replayed(
        &mut self,
        name: &Spanned<String>,
        workload: &Workload,
        told: Told,
        bucket: String,
        sign: SignPlan,
        identity: Option<u16>,
    ) -> (WorkloadPlan, Vec<ReadObject>) {
        let at = |key: &str| format!("workloads.{}.{key}", name.value);
        let most = match workload.from_log.as_ref().map(|from| &from.value) {
            Some(Either::Long(from)) => from.max_in_flight,
            _ => None,
        };
        if let Some(none) = most.filter(|n| n.value == 0) {
            self.error("`max-in-flight` is zero", none.place, "expected at least 1");
        }
        self.positive("timeout", workload.timeout);
        let client = self.carrier(name, workload);
        if client.engine == EnginePlan::Goose {
            self.error("goose walks journeys only", name.place, "expected another engine");
        }
        self.fits_sdk(client, &told.ops, name.place);
        let plan = WorkloadPlan {
            name: name.value.clone(),
            segments: Vec::new(),
            closed: None,
            journeys: None,
            trace: told.begin.trace,
            replay: Some(told.replay),
            poisson: false,
            max_in_flight: self.or(at("max-in-flight"), most, DEFAULT_IN_FLIGHT),
            bucket,
            ops: told.ops,
            keys: KeysPlan::Uniform,
            missing: Share(0.0),
            write_key: DEFAULT_WRITE_KEY.to_owned(),
            write_size: SizePlan::Listed(told.uploads.into()),
            write_body: BodyLaw::Bytes,
            sign,
            identity,
            timeout: self.or(at("timeout"), workload.timeout, DEFAULT_TIMEOUT),
            client,
        };
        (plan, told.objects)
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
