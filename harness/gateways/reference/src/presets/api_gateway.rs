//! `api-gateway`: a REST API of Amazon API Gateway with an HTTP or S3 integration.
//!
//! Nothing here was measured on AWS. The trap of the S3 tutorial, whose default integration response answers 200
//! to every status that has no mapping, is the parameter `unmapped-status: 200`.

use super::{Preset, Setting, set};

const QUOTAS: &str = "API Gateway Developer Guide, Quotas: integration timeout 50 ms to 29 s, payload 10 MB";
const RESPONSES: &str = "API Gateway Developer Guide, Gateway response types: INTEGRATION_TIMEOUT 504, \
                         INTEGRATION_FAILURE 504, REQUEST_TOO_LARGE 413";
const NO_RETRY: &str = "API Gateway documents no retry of HTTP and AWS integrations";
const NO_HEALTH: &str = "API Gateway documents no health checks of integrations: each request asks anew";
const BUFFERED: &str =
    "API Gateway documents no streaming for these integrations, hence buffered (not measured)";

pub(super) const PRESET: Preset = Preset {
    name: "api-gateway",
    about: "As Amazon API Gateway (REST): 29 s for an integration, no retries, bodies of 10 MB at most and \
            buffered, so that a truncated one is an error; errors are JSON.",
    settings: SETTINGS,
};

const SETTINGS: &[Setting] = &[
    set("connect-timeout", "29s", QUOTAS),
    set("read-timeout", "29s", QUOTAS),
    set("total-timeout", "29s", QUOTAS),
    set("request-limit", "10MB", QUOTAS),
    set("buffer-responses", "10MB", BUFFERED),
    set("tries", "1", NO_RETRY),
    set("checks", "false", NO_HEALTH),
    set("passive-fails", "0", NO_HEALTH),
    set("refused-status", "504", RESPONSES),
    set("invalid-status", "504", RESPONSES),
    set("timeout-status", "504", RESPONSES),
    set("error-shape", "json", RESPONSES),
];
