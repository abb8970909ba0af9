//! Workloads out of logs, and the objects of buckets that they tell of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use gatecrash_model::KeyList;

use super::Cx;
use super::arrivals::Begin;
use crate::diagnostics::Place;
use crate::plan::{BucketPlan, ListedPlan, OpPlan, PhasePlan, ReplayPlan, Script, TracePlan, WorkloadPlan};
use crate::replay::{Bounds, ReadObject, Rebuilt, rebuild};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{Either, File, FromLog, Workload};
use crate::units::{Share, Span};

/// Size of an object of which a log does not tell it.
const UNKNOWN: u64 = 16 << 10;

/// What a log tells a workload.
pub(super) struct Told {
    pub(super) begin: Begin,
    pub(super) ops: Vec<OpPlan>,
    pub(super) replay: ReplayPlan,
    pub(super) uploads: Vec<u64>,
    /// What was there before the first request.
    pub(super) objects: Vec<ReadObject>,
}

impl Cx<'_> {
    /// What the log of a workload tells; `None` also where it cannot be used, which is a problem then.
    pub(super) fn told(
        &mut self,
        file: &File,
        name: &Spanned<String>,
        workload: &Workload,
        bucket: &str,
        phases: &[PhasePlan],
    ) -> Option<Told> {
        let given = workload.from_log.as_ref()?;
        self.says_it(file, name, workload);
        let plain;
        let from = match &given.value {
            Either::Long(from) => from,
            Either::Short(file) => {
                plain = of_file(file);
                &plain
            }
        };
        self.positive("for", from.r#for);
        if let Some(zero) = from.limit.filter(|limit| limit.value == 0) {
            self.error("`limit` is zero", zero.place, "expected at least 1");
        }
        let bounds = Bounds {
            bucket: from.bucket.as_ref().map(|bucket| bucket.value.as_str()),
            own: bucket,
            workload: from.workload.as_ref().map(|workload| workload.value.as_str()),
            skip: from.skip.map_or(0, |skip| skip.value.0),
            length: from.r#for.map_or(u64::MAX, |length| length.value.0),
            limit: from.limit.map_or(usize::MAX, |limit| limit.value as usize),
            speed: self.speed(from.speed)?,
        };
        let scenario = self.sources[usize::from(given.place.source)].name.clone();
        let log = self.loader.log(&scenario, &from.file);
        let rebuilt = match log.and_then(|log| rebuild(log, &bounds).map_err(|why| why.to_string())) {
            Ok(rebuilt) => rebuilt,
            Err(why) => {
                self.error(format!("cannot use the log `{}`", from.file), given.place, why);
                return None;
            }
        };
        if rebuilt.malformed > 0 {
            let more = rebuilt.malformed - rebuilt.shown.len() as u64;
            let more = if more > 0 { format!("; and {more} more") } else { String::new() };
            let lines = if rebuilt.malformed == 1 { "line" } else { "lines" };
            let message = format!("{} {lines} of `{}` cannot be read", rebuilt.malformed, from.file);
            self.warn(message, given.place, format!("{}{more}", rebuilt.shown.join("; ")));
        }
        self.took(format!("workloads.{}.replay.file", name.value), given.place);
        self.fits(&rebuilt, given.place, phases.last().map_or(Span(0), |phase| phase.until));
        Some(told(from, bounds.speed, rebuilt))
    }

    /// Refuses what a log says itself.
    fn says_it(&mut self, file: &File, name: &Spanned<String>, workload: &Workload) {
        let said = [
            ("open", workload.open.as_ref().map(|open| open.place)),
            ("closed", workload.closed.as_ref().map(|closed| closed.place)),
            ("ops", workload.ops.as_ref().map(|ops| ops.place)),
            ("journeys", workload.journeys.as_ref().map(|journeys| journeys.place)),
            ("keys", workload.keys.as_ref().map(|keys| keys.place)),
            ("missing", workload.missing.map(|missing| missing.place)),
            ("writes", workload.writes.key.as_ref().map(|key| key.place)),
            ("writes", workload.writes.size.as_ref().map(|size| size.place)),
        ];
        for (key, place) in said.into_iter().filter_map(|(key, place)| Some((key, place?))) {
            self.error(format!("both `from-log` and `{key}`"), place, "the log says it");
        }
        for phase in &file.timeline.value {
            if let Some((own, _)) = phase.load.iter().find(|(own, _)| own.value == name.value) {
                self.error(
                    "a phase changes a workload that follows a log",
                    own.place,
                    "the log spans the run",
                );
            }
        }
    }

    /// Warns of requests after the end of the run.
    fn fits(&mut self, rebuilt: &Rebuilt, place: Place, length: Span) {
        let within = rebuilt.instants.partition_point(|at| *at < length.0);
        let late = rebuilt.instants.len() - within;
        if within == 0 {
            self.error("no request of the log is within the run", place, "expected `skip`, or a longer run");
        } else if late > 0 {
            let label =
                format!("{late} of {} requests come after the end of the run", rebuilt.instants.len());
            self.warn("the log is longer than the run", place, label);
        }
    }

    /// Gives buckets the objects that logs tell of. `objects` are those of the workloads, in their order.
    pub(super) fn objects_of_logs(
        &mut self,
        file: &File,
        buckets: &mut [BucketPlan],
        workloads: &[WorkloadPlan],
        objects: &[Vec<ReadObject>],
    ) {
        for bucket in buckets {
            let own =
                file.buckets.iter().find(|(name, _)| name.value == bucket.name).map(|(_, own)| &own.objects);
            let own = own.is_some_and(|own| own.count.is_some() || own.key.is_some() || own.size.is_some());
            let on_it = || workloads.iter().zip(objects).filter(|(w, _)| w.bucket == bucket.name);
            let replays: Vec<_> = on_it().filter_map(|(w, o)| Some((w.replay.as_ref()?, o))).collect();
            let Some((first, _)) = replays.first().filter(|_| !own) else { continue };
            let mut there: BTreeMap<&Arc<str>, Option<u64>> = BTreeMap::new();
            for (key, size) in replays.iter().flat_map(|(_, objects)| objects.iter()) {
                let known = there.entry(key).or_default();
                *known = (*known).max(*size);
            }
            let changed: BTreeSet<&str> =
                replays.iter().flat_map(|(replay, _)| replay.script.changed()).collect();
            let keys: KeyList = there.keys().map(|key| Arc::clone(key)).collect();
            let listed = ListedPlan {
                file: first.file.clone(),
                sizes: there.values().map(|size| size.unwrap_or(UNKNOWN)).collect::<Vec<_>>().into(),
                changed: (0..)
                    .zip(there.keys())
                    .filter(|(_, key)| changed.contains(key.as_ref()))
                    .map(|(n, _)| n)
                    .collect(),
                keys,
            };
            bucket.objects = listed.keys.len();
            bucket.listed = Some(listed);
        }
    }
}

fn of_file(file: &str) -> FromLog {
    FromLog {
        file: file.to_owned(),
        bucket: None,
        workload: None,
        speed: None,
        skip: None,
        r#for: None,
        limit: None,
        max_in_flight: None,
    }
}

fn told(from: &FromLog, speed: f64, rebuilt: Rebuilt) -> Told {
    let Rebuilt { script, instants, uploads, objects, left_out, .. } = rebuilt;
    let length = Span(instants.last().copied().unwrap_or_default());
    let trace = TracePlan {
        file: from.file.clone(),
        arrivals: instants.len() as u64,
        every: None,
        instants: Arc::from(instants),
    };
    Told {
        begin: Begin { trace: Some(trace), ..Begin::default() },
        ops: shares(&script),
        replay: ReplayPlan { file: from.file.clone(), speed, length, left_out, script: Arc::new(script) },
        uploads,
        objects,
    }
}

/// The operations with the share each has, the most frequent first.
fn shares(script: &Script) -> Vec<OpPlan> {
    let mut counts: Vec<(gatecrash_model::Op, u64)> = Vec::new();
    for op in script.requests.iter().filter_map(|(kind, _)| Some(script.kinds.get(*kind as usize)?.op())) {
        match counts.iter_mut().find(|(known, _)| *known == op) {
            Some((_, count)) => *count += 1,
            None => counts.push((op, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all = script.requests.len() as f64;
    counts.into_iter().map(|(op, count)| OpPlan::plain(op, Share(count as f64 / all))).collect()
}
