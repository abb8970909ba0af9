//! How long S3 takes: per operation and size, lognormal, drawn by identity.

use std::time::Duration;

use gatecrash_model::draw::{Lognormal, draw};
use gatecrash_model::{AttemptContext, Op, hash};

use crate::dials::identity;

/// A named law of latencies.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Latency {
    /// As one published run of June 2026 found us-east-1 from a host in the region: 50th and 99th percentile of a
    /// GET of 128 KiB 26 and 73 ms, of a 304 10 and 28 ms, of a listing 24 and 46 ms, of a PUT of 128 KiB 30 and
    /// 88 ms, and 82 MiB/s for one connection. Indicative: other hosts and days differ.
    AwsLike,
}

/// Bytes a second of one connection.
const RATE: u64 = 82 << 20;
/// The size at which GET and PUT were measured.
const MEASURED: u64 = 128 << 10;

impl Latency {
    /// Every law by its name.
    pub const ALL: &'static [(&'static str, Self)] = &[("aws-like", Self::AwsLike)];

    /// The law of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, law)| *law)
    }

    /// From the end of the request to the first byte of the answer. What `bytes` of an upload would have taken at
    /// the rate of one connection is part of it.
    pub(crate) fn first_byte(
        self,
        op: Op,
        status: u16,
        uploaded: u64,
        seed: u64,
        attempt: AttemptContext,
        request_id: &str,
    ) -> Duration {
        let law = law(op, status);
        let word = draw(seed, hash::bytes(b"latency"), identity(attempt, request_id));
        Duration::from_nanos(law.at(word) as u64).saturating_add(transfer(uploaded))
    }

    /// Body bytes a second.
    pub(crate) fn rate(self) -> u64 {
        RATE
    }
}

/// Milliseconds to the first byte, without what the transfer of the measured size takes.
fn law(op: Op, status: u16) -> Lognormal {
    let transfer = transfer(MEASURED).as_secs_f64() * 1e3;
    let (p50, p99) = match op {
        // Answers without an object are those of metadata.
        _ if status == 304 || status >= 400 => (10.0, 28.0),
        Op::GetObject => (26.0 - transfer, 73.0 - transfer),
        Op::ListObjects
        | Op::ListObjectsV2
        | Op::ListObjectVersions
        | Op::ListMultipartUploads
        | Op::ListParts => (24.0, 46.0),
        Op::PutObject
        | Op::CopyObject
        | Op::PostObject
        | Op::UploadPart
        | Op::UploadPartCopy
        | Op::CompleteMultipartUpload => (30.0 - transfer, 88.0 - transfer),
        _ => (10.0, 28.0),
    };
    Lognormal::of_quantiles(p50 * 1e6, p99 * 1e6)
}

fn transfer(bytes: u64) -> Duration {
    Duration::from_secs_f64(bytes as f64 / RATE as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatecrash_model::RequestId;

    fn quantiles(op: Op, status: u16, uploaded: u64) -> (f64, f64) {
        let drawn = |k| {
            let request = RequestId { workload: 0, k }.pack();
            let attempt = AttemptContext { attempt: 0, request, number: 1 };
            Latency::AwsLike.first_byte(op, status, uploaded, 7, attempt, "").as_secs_f64() * 1e3
        };
        let mut all: Vec<f64> = (0..20_000).map(drawn).collect();
        all.sort_by(f64::total_cmp);
        (all[10_000], all[19_800])
    }

    #[test]
    fn the_published_quantiles_hold() {
        let transfer = transfer(MEASURED).as_secs_f64() * 1e3;
        let table = [
            (Op::GetObject, 200, 0, 26.0 - transfer, 73.0 - transfer),
            (Op::GetObject, 304, 0, 10.0, 28.0),
            (Op::ListObjectsV2, 200, 0, 24.0, 46.0),
            (Op::PutObject, 200, MEASURED, 30.0, 88.0),
        ];
        for (op, status, uploaded, p50, p99) in table {
            let (median, high) = quantiles(op, status, uploaded);
            assert!((median / p50 - 1.0).abs() < 0.02, "{op} {status}: {median}");
            assert!((high / p99 - 1.0).abs() < 0.06, "{op} {status}: {high}");
        }
        let (small, _) = quantiles(Op::PutObject, 200, 0);
        let (large, _) = quantiles(Op::PutObject, 200, 82 << 20);
        assert!((large - small - 1e3).abs() < 1.0, "a second for what one connection moves in it");
    }

    #[test]
    fn names() {
        assert_eq!(Latency::named("aws-like"), Some(Latency::AwsLike));
        assert_eq!(Latency::named("moon"), None);
    }
}
