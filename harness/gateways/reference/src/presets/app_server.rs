//! `app-server`: a service that asks S3 through the AWS SDK for Rust, by the SDK's own retry rules.
//!
//! `retry-rules: standard` are the rules that SDKs have had since 2021, `2026` those they may be switched to with
//! `AWS_NEW_RETRIES_2026=true`. Both were compared with aws-sdk-s3 1.157, failure by failure, and a test holds the preset
//! to it.

use super::{Preset, Setting, set};

const STANDARD: &str = "AWS SDKs and Tools Reference Guide, Retry behavior: standard mode, 3 attempts";
const RULES: &str = "aws-sdk-s3 1.157: any method; 500, 502, 503, 504, failed connections, RequestTimeout and throttling \
                     by code; x-amz-retry-after is obeyed, Retry-After not read";
const QUOTA: &str = "AWS SDKs and Tools Reference Guide, Retry behavior: bucket of 500 tokens, a success without \
                     retry gives one back, a retry that succeeds gives back what it cost (in aws-sdk-s3 1.157 the last \
                     retry of the client alone)";
const COST: &str = "aws-sdk-s3 1.157: 10 tokens after whatever may pass, which the guide asks after a timeout only (else 5); \
                    5 after throttling";
const OLD: &str = "Standard mode: pauses up to 1 s, doubling to 20 s, with full jitter";
const NEW: &str = "Rules of 2026 (AWS_NEW_RETRIES_2026=true): 14 tokens for a retry, 5 after throttling; pauses \
                   from 50 ms, after throttling from 1 s, with full jitter to 20 s";
const BODY: &str = "aws-sdk-s3 1.157: a body in memory is sent again, whatever its size";
const CONNECT: &str =
    "aws-sdk-s3 1.157: 3.1 s to connect; of an answer only a stream that stands still for 5 s is given up";
const APP: &str = "No rule of an SDK: what a service of our own would set, so that callers get an answer";
const NO_HEALTH: &str = "An SDK has no health checks and one endpoint for a region";

pub(super) const PRESET: Preset = Preset {
    name: "app-server",
    about: "As a service that uses an AWS SDK: three attempts, a bucket of 500 retry tokens, exponential back-off \
            with full jitter, no health checks.",
    settings: SETTINGS,
};

const SETTINGS: &[Setting] = &[
    set("tries", "3", STANDARD),
    under("standard", "retry-by", "sdk", RULES),
    under("2026", "retry-by", "sdk-2026", RULES),
    set("retry-budget", "1", QUOTA),
    set("retry-budget-earned-by", "success", QUOTA),
    set("retry-budget-per-second", "0", QUOTA),
    set("retry-budget-burst", "500", QUOTA),
    set("retry-refund", "true", QUOTA),
    under("standard", "retry-cost", "10", COST),
    under("standard", "retry-cost-timeout", "10", COST),
    under("standard", "retry-cost-throttling", "5", COST),
    under("standard", "back-off", "1s", OLD),
    under("standard", "back-off-throttling", "1s", OLD),
    under("2026", "retry-cost", "14", NEW),
    under("2026", "retry-cost-timeout", "14", NEW),
    under("2026", "retry-cost-throttling", "5", NEW),
    under("2026", "back-off", "50ms", NEW),
    under("2026", "back-off-throttling", "1s", NEW),
    set("back-off-cap", "20s", OLD),
    set("buffer-limit", "64MiB", BODY),
    set("connect-timeout", "3100ms", CONNECT),
    set("read-timeout", "10s", APP),
    set("total-timeout", "40s", APP),
    set("checks", "false", NO_HEALTH),
    set("passive-fails", "0", NO_HEALTH),
];

const fn under(
    rules: &'static str,
    parameter: &'static str,
    value: &'static str,
    source: &'static str,
) -> Setting {
    Setting { parameter, value, source, when: Some(("retry-rules", rules)) }
}
