//! `wrong-region`: the bucket lives elsewhere

use super::super::evidence::{self, Evidence};
use super::super::{Answer, Cause, Observations, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "wrong-region",
    summary: "the bucket is in another region than the one that is asked",
    doc: "301 PermanentRedirect or 307 TemporaryRedirect, or 400 AuthorizationHeaderMalformed for a \
          signature that names another region. S3 tells the right one in `x-amz-bucket-region`.",
    look_at: &[
        ("the gateway", "the endpoint's host name and the region it signs for"),
        ("nginx", "nginx-s3-gateway: `S3_REGION`, `S3_SERVER`"),
        ("Envoy", "`region` of the aws_request_signing filter"),
        ("AWS", "`aws s3api head-bucket --bucket BUCKET` prints the region"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    let told = |sample: &Sample| {
        let code = matches!(
            sample.code(),
            Some("PermanentRedirect" | "TemporaryRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException")
        );
        let moved = |a: &Answer| matches!(a.status, 301 | 307) && a.region.is_some();
        code || sample.answer().is_some_and(moved)
    };
    let found = evidence::reads(seen, "reads were sent elsewhere", told)?;
    let place = seen.view();
    let region = seen.reads(place).filter(|s| told(s)).filter_map(|s| s.answer()?.region.clone());
    let region = region.map(|region| format!("the bucket is in {region}, {} was asked", seen.region));
    let first = seen.reads(place).filter(|s| told(s)).filter_map(Sample::answer).map(evidence::quote);
    Some(found.with_first(first).with_first(region))
}
