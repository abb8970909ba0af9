//! `gateway-configuration`: S3 refuses what the gateway asks

use super::super::evidence::{self, Evidence};
use super::super::{Cause, Observations, Place, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "gateway-configuration",
    summary: "S3 refuses what the gateway asks, not what is asked directly",
    doc: "Direct requests are served and the gateway's answer is an S3 error: it asks for another \
          bucket, region, key or Host, signs as somebody else, or changes what was signed. The code \
          says which.",
    look_at: &[
        ("NoSuchBucket, NoSuchKey", "the bucket name, prefix and path style that the gateway writes"),
        ("301, 307, AuthorizationHeaderMalformed", "the endpoint and region of the gateway"),
        ("SignatureDoesNotMatch", "the Host it sends and every header or path it rewrites after signing"),
        (
            "403, InvalidAccessKeyId, ExpiredToken",
            "the credentials and role of the gateway, the policy for its way out",
        ),
        ("history", "what changed last: a rendered configuration, a deployment, a secret"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    if !seen.is_clean(Place::Endpoint) {
        return None;
    }
    let told = |s: &Sample| s.answer().is_some_and(|a| (300..500).contains(&a.status));
    let what = "reads were refused by S3 through it";
    let found = evidence::reads_at(seen, Place::Gateway, what, told)?;
    let quotes = seen.reads(Place::Gateway).filter(|s| told(s)).filter_map(Sample::answer);
    let first = quotes.clone().find(|a| a.code.is_some()).or(quotes.clone().next()).map(evidence::quote);
    Some(found.with_first(first.into_iter()))
}
