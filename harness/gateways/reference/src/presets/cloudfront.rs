//! A CDN with an origin group, after Amazon CloudFront's documentation (developer guide).

use super::{Preset, set};

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
        set("origin-group", "true", GROUP),
        set("failover-on", "500 502 503 504", GROUP),
        set("checks", "false", GROUP),
        set("passive-fails", "0", GROUP),
        set("tries", "3", CONNECTION),
        set("connect-timeout", "10s", CONNECTION),
        set("read-timeout", "30s", RESPONSE),
        set(
            "total-timeout",
            "180s",
            "two origins x 3 attempts x 30 s; the response completion timeout is off by default",
        ),
        set("back-off", "0ms", UNTOLD),
        set("retry-budget", "1000", UNTOLD),
        set("retry-budget-burst", "1000000", UNTOLD),
        set("idle", "5s", "developer guide, Origin settings: keep-alive timeout 5 s"),
        set("cache", "true", "a CDN caches"),
        set("cache-ttl", "86400s", "managed policy CachingOptimized: default TTL 86400 s"),
        set("negative-ttl", "10s", ERRORS),
        set("stale-if-error", "86400s", ERRORS),
        set("stale-retry", "10s", ERRORS),
        set(
            "collapse",
            "true",
            "developer guide, Request and response behavior: simultaneous requests (request collapsing)",
        ),
        set("lock-timeout", "180s", UNTOLD),
    ],
};
