//! `api-gateway`: a REST API of Amazon API Gateway with a non-proxy HTTP or S3 integration.
//!
//! Nothing here was measured on AWS. The integration responses of the preset keep every status of S3, as a careful
//! owner deploys them. Those of AWS's S3 tutorial are `mapping: '4\d{2}:400 5\d{2}:500 default:200'`; whoever leaves
//! out its two patterns has the trap `mapping: default:200`. A proxy integration has none: `mapping: none`. All
//! headers are passed, as if each was mapped.

use super::{Preset, Setting, set};

const QUOTAS: &str = "API Gateway Developer Guide, Quotas: integration timeout 50 ms to 29 s, payload 10 MB";
const RESPONSES: &str = "API Gateway Developer Guide, Gateway response types: INTEGRATION_TIMEOUT 504, \
                         INTEGRATION_FAILURE 504, REQUEST_TOO_LARGE 413, THROTTLED 429, API_CONFIGURATION_ERROR 500";
const MAPPING: &str = "API Gateway Developer Guide, Set up an integration response: a pattern over the integration's \
                       status selects the method response, one without a pattern is the default; where none fits, \
                       API_CONFIGURATION_ERROR 500. Which ones there are is the owner's choice";
const TEMPLATE: &str = "API Gateway Developer Guide, Set up an integration response: without a mapping template the \
                        payload is passed through";
const THROTTLE: &str = "API Gateway Developer Guide, Quotas: 10000 requests per second for an account and region, in a \
                        token bucket of 5000; a request without a token is THROTTLED 429";
const NO_RETRY: &str = "API Gateway documents no retry of HTTP and AWS integrations";
const NO_HEALTH: &str = "API Gateway documents no health checks of integrations: each request asks anew";
const BUFFERED: &str =
    "API Gateway documents no streaming for these integrations, hence buffered (not measured)";

pub(super) const PRESET: Preset = Preset {
    name: "api-gateway",
    about: "As Amazon API Gateway (REST): 29 s for an integration, no retries, bodies of 10 MB at most and \
            buffered, so that a truncated one is an error; integration responses decide the status; clients that ask \
            too fast are throttled; errors are JSON.",
    settings: SETTINGS,
};

const SETTINGS: &[Setting] = &[
    set("connect-timeout", "29s", QUOTAS),
    set("read-timeout", "29s", QUOTAS),
    set("total-timeout", "29s", QUOTAS),
    set("request-limit", "10MB", QUOTAS),
    set("buffer-responses", "10MB", BUFFERED),
    set(
        "mapping",
        "200:200 204:204 206:206 301:301 304:304 307:307 400:400 403:403 404:404 405:405 409:409 411:411 412:412 \
         416:416 429:429 500:500 501:501 502:502 503:503 504:504 default:500",
        MAPPING,
    ),
    set("error-template", "none", TEMPLATE),
    set("throttle-rate", "10000", THROTTLE),
    set("throttle-burst", "5000", THROTTLE),
    set("tries", "1", NO_RETRY),
    set("checks", "false", NO_HEALTH),
    set("passive-fails", "0", NO_HEALTH),
    set("refused-status", "504", RESPONSES),
    set("invalid-status", "504", RESPONSES),
    set("timeout-status", "504", RESPONSES),
    set("error-shape", "json", RESPONSES),
];
