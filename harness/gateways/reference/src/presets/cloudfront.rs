//! A CDN with an origin group, after Amazon CloudFront's documentation (developer guide).

use super::{Preset, Setting};

const CONNECTION: &str = "developer guide, Origin settings: connection attempts 3, connection timeout 10 s";
const RESPONSE: &str = "developer guide, Origin settings: response timeout 30 s, to the first byte and between packets; \
                        GET and HEAD are retried up to the connection attempts, other methods never";
const GROUP: &str = "developer guide, Optimize high availability with origin failover: 500, 502, 503, 504, connect \
                     failure and timeout; GET, HEAD and OPTIONS only; each request tries the primary first";
const ERRORS: &str = "developer guide, How CloudFront caches HTTP 4xx and 5xx status codes: error caching minimum TTL 10 s; \
                      expired objects are served meanwhile";
const UNTOLD: &str = "not documented: chosen so that nothing else bounds what is";

pub(super) const PRESET: Preset = Preset {
    name: "cloudfront",
    about: "A CDN as CloudFront documents itself: origin group with failover by status and no memory, three \
            connection attempts, cached errors, stale copies, request collapsing.",
    settings: &[
        Setting { parameter: "origin-group", value: "true", source: GROUP },
        Setting { parameter: "failover-on", value: "500 502 503 504", source: GROUP },
        Setting { parameter: "checks", value: "false", source: GROUP },
        Setting { parameter: "passive-fails", value: "0", source: GROUP },
        Setting { parameter: "tries", value: "3", source: CONNECTION },
        Setting { parameter: "connect-timeout", value: "10s", source: CONNECTION },
        Setting { parameter: "read-timeout", value: "30s", source: RESPONSE },
        Setting {
            parameter: "total-timeout",
            value: "180s",
            source: "two origins x 3 attempts x 30 s; the response completion timeout is off by default",
        },
        Setting { parameter: "back-off", value: "0ms", source: UNTOLD },
        Setting { parameter: "retry-budget", value: "1000", source: UNTOLD },
        Setting { parameter: "retry-budget-burst", value: "1000000", source: UNTOLD },
        Setting {
            parameter: "idle",
            value: "5s",
            source: "developer guide, Origin settings: keep-alive timeout 5 s",
        },
        Setting { parameter: "cache", value: "true", source: "a CDN caches" },
        Setting {
            parameter: "cache-ttl",
            value: "86400s",
            source: "managed policy CachingOptimized: default TTL 86400 s",
        },
        Setting { parameter: "negative-ttl", value: "10s", source: ERRORS },
        Setting { parameter: "stale-if-error", value: "86400s", source: ERRORS },
        Setting { parameter: "stale-retry", value: "10s", source: ERRORS },
        Setting {
            parameter: "collapse",
            value: "true",
            source: "developer guide, Request and response behavior: simultaneous requests (request collapsing)",
        },
        Setting { parameter: "lock-timeout", value: "180s", source: UNTOLD },
    ],
};
