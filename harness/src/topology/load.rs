//! The workloads of a plan in the load generator's terms.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gatecrash_core::plan::{
    ClientPlan, ClosedPlan, ConditionPlan, EnginePlan, HttpPlan, KeysPlan, OpPlan, Plan, RangeLaw as Part,
    RangePlan, SignPlan, TagPlan, ThinkPlan, WorkloadPlan,
};
use gatecrash_core::units::Span;
use gatecrash_load::engine::Kind;
use gatecrash_load::{
    Arrivals, ByteRange, ClientOptions, Condition, CredentialSource, KeyLaw, OpPlan as LoadOp, Parts,
    RangeLaw, Schedule, Segment, Signer, Stage, Tag, Think, Users, Weights, Workload, Writes,
};
use gatecrash_model::{Nanos, Op, SizeLaw, hash};

use super::upstream::population;
use crate::exit::Failure;

/// Keys on a page of a list.
const PAGE: u16 = 100;

/// The workloads of a plan. `sources` holds the credentials of each identity, in the plan's order.
pub fn workloads(plan: &Plan, sources: &[Arc<Signer>]) -> Result<Vec<Arc<Workload>>, String> {
    plan.workloads
        .iter()
        .enumerate()
        .map(|(index, w)| workload(plan, index, w, sources).map(Arc::new))
        .collect()
}

/// One signer per identity; they sign for the first region, where clients believe their bucket to be.
pub fn signers(
    plan: &Plan,
    credentials: Vec<gatecrash_load::Credentials>,
) -> Vec<(Arc<CredentialSource>, Arc<Signer>)> {
    let region =
        plan.regions.iter().find(|r| r.primary).or(plan.regions.first()).map_or("us-east-1", |r| &r.name);
    let pair = |credentials| {
        let source = Arc::new(CredentialSource::new(credentials));
        let signer = Arc::new(Signer::new(Arc::clone(&source), region));
        (source, signer)
    };
    credentials.into_iter().map(pair).collect()
}

fn workload(
    plan: &Plan,
    index: usize,
    w: &WorkloadPlan,
    signers: &[Arc<Signer>],
) -> Result<Workload, String> {
    let bucket =
        plan.buckets.iter().find(|b| b.name == w.bucket).ok_or_else(|| format!("no bucket {}", w.bucket))?;
    let signer = w.identity.and_then(|identity| signers.get(usize::from(identity)));
    let signing = match w.sign {
        SignPlan::Client => signer.cloned(),
        SignPlan::Presigned { expires, age } => {
            let seconds = |span: Span| span.0 / Span::seconds(1).0;
            signer.map(|s| Arc::new(s.of_links(seconds(expires) as u32, seconds(age) as i64)))
        }
        SignPlan::Gateway | SignPlan::None => None,
    };
    Ok(Workload {
        index: u8::try_from(index).map_err(|_| "more than 256 workloads".to_owned())?,
        name: w.name.clone(),
        seed: plan.seed,
        schedule: schedule(w, plan.length().0, hash::combine(&[plan.seed, 0x5c4e, index as u64])),
        // Whoever walks journeys is the business of another engine.
        users: w.closed.as_ref().filter(|_| w.journeys.is_none()).map(users),
        ops: w.ops.iter().map(|o| Ok((op(o)?, o.share.0))).collect::<Result<_, String>>()?,
        population: population(plan, bucket)?,
        replay: w.replay.as_ref().map(|log| super::replay::replay(plan, bucket, log)),
        keys: match &w.keys {
            KeysPlan::Uniform => KeyLaw::Uniform,
            KeysPlan::Zipf(s) => KeyLaw::Zipf(*s),
            KeysPlan::Sequential => KeyLaw::Sequential,
            KeysPlan::HotSet { keys, share } => KeyLaw::HotSet { keys: keys.0, share: share.0 },
            KeysPlan::FromFile { weights, .. } => KeyLaw::Weighted(Arc::new(Weights::new(weights))),
        },
        missing: w.missing.0,
        writes: Writes {
            keys: w.write_key.parse().map_err(|e| format!("workload {}: {e}", w.name))?,
            sizes: SizeLaw::from(&w.write_size),
            body: w.write_body,
        },
        signing,
        timeout: w.timeout.duration(),
        max_in_flight: w.max_in_flight as usize,
        headers: Vec::new(),
        journeys: super::journeys::journeys(plan, w),
        client: client(&w.client)?,
    })
}

fn client(plan: &ClientPlan) -> Result<ClientOptions, String> {
    Ok(ClientOptions {
        kind: match plan.engine {
            // Goose moves the users; what they send goes through our own client.
            EnginePlan::Native | EnginePlan::Goose => Kind::Native,
            EnginePlan::AwsSdk => aws_sdk(plan)?,
        },
        keep_alive: plan.keep_alive,
        expect_continue: plan.expect_continue.map(|wait| wait.duration()),
        tls: plan.tls,
        http2: plan.http == HttpPlan::Http2,
        connections: plan.connections.and_then(|most| NonZeroUsize::new(most as usize)),
    })
}

#[cfg(feature = "aws-sdk")]
fn aws_sdk(plan: &ClientPlan) -> Result<Kind, String> {
    use gatecrash_core::plan::{AddressingPlan, RetriesPlan};
    use gatecrash_load::engine::{Retries, SdkOptions};
    Ok(Kind::AwsSdk(SdkOptions {
        retries: match plan.retries {
            RetriesPlan::Off => Retries::Off,
            RetriesPlan::Standard => Retries::Standard,
            RetriesPlan::Standard2026 => Retries::Standard2026,
            RetriesPlan::Adaptive => Retries::Adaptive,
        },
        virtual_host: plan.addressing == AddressingPlan::VirtualHost,
    }))
}

#[cfg(not(feature = "aws-sdk"))]
fn aws_sdk(_: &ClientPlan) -> Result<Kind, String> {
    Err("this gatecrash was built without the AWS SDK".to_owned())
}

/// Refuses clients that this program was built without, before anything is started for them.
pub fn built(plan: &Plan) -> Result<(), Failure> {
    let refuse = |why| {
        Failure::usage(why).hint("rebuild with `cargo build --release --features aws-sdk`, or drop `engine`")
    };
    plan.workloads.iter().try_for_each(|w| client(&w.client).map(|_| ()).map_err(refuse))
}

fn schedule(w: &WorkloadPlan, length: Nanos, seed: u64) -> Schedule {
    if let Some(trace) = &w.trace {
        return Schedule::trace(Arc::clone(&trace.instants), trace.every.map(|every| every.0), length);
    }
    let arrivals = if w.poisson { Arrivals::Poisson } else { Arrivals::Even };
    let segments: Vec<_> = w
        .segments
        .iter()
        .map(|s| Segment {
            from: s.from.0,
            until: s.until.0,
            rate: s.rate.0,
            to: s.to.map(|to| to.0),
            arrivals,
        })
        .collect();
    Schedule::new(&segments, seed)
}

fn users(closed: &ClosedPlan) -> Users {
    Users {
        stages: closed
            .stages
            .iter()
            .map(|s| Stage { from: s.from.0, until: s.until.0, users: s.users, to: s.to })
            .collect(),
        think: match closed.think {
            ThinkPlan::Constant(pause) => Think::Constant(pause.0),
            ThinkPlan::Exponential(mean) => Think::Exponential(mean.0),
        },
    }
}

fn op(plan: &OpPlan) -> Result<LoadOp, String> {
    let of = match (plan.op, plan.parts) {
        (Op::GetObject, _) => LoadOp::GetObject { range: plan.range.map(range) },
        (Op::HeadObject, _) => LoadOp::HeadObject,
        (Op::PutObject, None) => LoadOp::PutObject,
        (Op::PutObject, Some(p)) => LoadOp::MultipartUpload(Parts { count: p.count, size: p.size.0 }),
        (Op::DeleteObject, _) => LoadOp::DeleteObject,
        (Op::DeleteObjects, _) => LoadOp::DeleteObjects { keys: 4 },
        (Op::ListObjectsV2, _) => LoadOp::ListObjectsV2 { prefix: None, max_keys: PAGE, pages: plan.pages },
        (other, _) => return Err(format!("{other} cannot be part of a load")),
    };
    let tag = |tag| match tag {
        TagPlan::Current => Tag::Current,
        TagPlan::Previous => Tag::Previous,
        TagPlan::Other => Tag::Other,
        TagPlan::Any => Tag::Any,
    };
    let condition = match plan.condition {
        None => return Ok(of),
        Some(ConditionPlan::IfMatch(t)) => Condition::IfMatch(tag(t)),
        Some(ConditionPlan::IfNoneMatch(t)) => Condition::IfNoneMatch(tag(t)),
    };
    Ok(LoadOp::Conditional { of: Box::new(of), condition })
}

/// A part of an object.
pub(super) fn range(plan: RangePlan) -> RangeLaw {
    match plan {
        RangePlan::Fixed(first, last) => RangeLaw::Fixed(ByteRange { first, last }),
        RangePlan::Law(Part::Random(bytes)) => RangeLaw::Random(bytes.0),
        RangePlan::Law(Part::Suffix(bytes)) => RangeLaw::Suffix(bytes.0),
    }
}
