//! The requests of a stored run, as its clients meant them: what was due, whether or not it was sent.

use gatecrash_model::{ClientRecord, Op, Population, SizeLaw};

use super::{Line, Logged};
use crate::history::History;
use crate::plan::{Kind, Plan, WorkloadPlan};

/// Keys on a page of a list that gatecrash asks for.
const PAGE: u16 = 100;

/// The requests of a run, or of one workload of it.
pub(super) fn lines(plan: &Plan, history: &History, of: Option<&str>) -> Vec<Line> {
    let sources: Vec<_> = plan.workloads.iter().map(|workload| Source::of(plan, workload)).collect();
    let line = |client: &ClientRecord| {
        let source = sources.get(usize::from(client.workload))?;
        of.is_none_or(|name| source.workload.name == name).then(|| source.line(plan, history, client))
    };
    history.clients.iter().filter_map(line).collect()
}

struct Source<'a> {
    workload: &'a WorkloadPlan,
    /// What stood in its bucket from the start.
    population: Option<Population>,
    writes: SizeLaw,
}

impl<'a> Source<'a> {
    fn of(plan: &Plan, workload: &'a WorkloadPlan) -> Self {
        let bucket = plan.buckets.iter().find(|bucket| bucket.name == workload.bucket);
        let population = bucket.and_then(|bucket| bucket.population(plan.seed).ok());
        Self { workload, population, writes: SizeLaw::from(&workload.write_size) }
    }

    fn line(&self, plan: &Plan, history: &History, client: &ClientRecord) -> Line {
        let key = history.text(client.key);
        let bucket = self.workload.bucket.clone();
        let population = self.population.as_ref();
        let object = || population.and_then(|p| p.index(key).map(|n| p.size(n)));
        let (kind, size) = match client.op {
            Op::GetObject if client.status == 206 => (Kind::Part(u64::from(client.body_bytes)), object()),
            Op::GetObject => (Kind::Get, object()),
            Op::HeadObject => (Kind::Head, object()),
            Op::PutObject => {
                let k = client.k / self.workload.stride();
                (Kind::Put, Some(self.writes.size(plan.seed, &bucket, k)))
            }
            Op::DeleteObject => (Kind::Delete, None),
            Op::ListObjectsV2 => {
                let prefix = population.map_or("", |p| p.pattern.prefix()).to_owned();
                (Kind::List { prefix, max_keys: PAGE }, None)
            }
            other => return Line::Other(bucket, other.name().to_owned()),
        };
        let key = if matches!(kind, Kind::List { .. }) { String::new() } else { key.to_owned() };
        Line::Request(
            bucket,
            Logged { at: client.intended, coarse: false, kind, key, status: client.status, size },
        )
    }
}
