//! The workloads of a plan in the load generator's terms.

use std::num::NonZeroUsize;
use std::sync::Arc;

use gatecrash_core::plan::{ClientPlan, EnginePlan, KeysPlan, OpPlan, Plan, SignPlan, WorkloadPlan};
use gatecrash_load::engine::Kind;
use gatecrash_load::{
    Arrivals, ByteRange, ClientOptions, CredentialSource, KeyLaw, OpPlan as LoadOp, Schedule, Segment,
    Signer, Workload, Writes,
};
use gatecrash_model::{Op, hash};

use super::upstream::{population, size_law};
use crate::exit::Failure;

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
    let arrivals = if w.poisson { Arrivals::Poisson } else { Arrivals::Even };
    let segments: Vec<_> = w
        .segments
        .iter()
        .map(|s| Segment { from: s.from.0, until: s.until.0, rate: s.rate.0, arrivals })
        .collect();
    let signing = match (w.sign, w.identity) {
        (SignPlan::Client, Some(identity)) => signers.get(usize::from(identity)).cloned(),
        _ => None,
    };
    Ok(Workload {
        index: u8::try_from(index).map_err(|_| "more than 256 workloads".to_owned())?,
        name: w.name.clone(),
        seed: plan.seed,
        schedule: Schedule::new(&segments, hash::combine(&[plan.seed, 0x5c4e, index as u64])),
        ops: w.ops.iter().map(|o| Ok((op(o)?, o.share.0))).collect::<Result<_, String>>()?,
        population: population(plan, bucket)?,
        keys: match w.keys {
            KeysPlan::Uniform => KeyLaw::Uniform,
            KeysPlan::Zipf(s) => KeyLaw::Zipf(s),
            KeysPlan::Sequential => KeyLaw::Sequential,
        },
        missing: w.missing.0,
        writes: Writes {
            keys: w.write_key.parse().map_err(|e| format!("workload {}: {e}", w.name))?,
            sizes: size_law(&w.write_size),
        },
        signing,
        timeout: w.timeout.duration(),
        max_in_flight: w.max_in_flight as usize,
        headers: Vec::new(),
        client: client(&w.client)?,
    })
}

fn client(plan: &ClientPlan) -> Result<ClientOptions, String> {
    Ok(ClientOptions {
        kind: match plan.engine {
            EnginePlan::Native => Kind::Native,
            EnginePlan::AwsSdk => aws_sdk(plan)?,
        },
        keep_alive: plan.keep_alive,
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

fn op(plan: &OpPlan) -> Result<LoadOp, String> {
    Ok(match plan.op {
        Op::GetObject => {
            LoadOp::GetObject { range: plan.range.map(|(first, last)| ByteRange { first, last }) }
        }
        Op::HeadObject => LoadOp::HeadObject,
        Op::PutObject => LoadOp::PutObject,
        Op::DeleteObject => LoadOp::DeleteObject,
        Op::DeleteObjects => LoadOp::DeleteObjects { keys: 4 },
        Op::ListObjectsV2 => LoadOp::ListObjectsV2 { prefix: None, max_keys: 100 },
        other => return Err(format!("{other} cannot be part of a load")),
    })
}
