//! The seed causes and the faults that stand for them. One cause is one line; its ways are gone through case by case.

use super::trial::Setting;

/// A cause and the ways to inject it.
#[derive(Debug)]
pub(super) struct Injection {
    /// Name in the diagnosis.
    pub(super) cause: &'static str,
    /// Each turns a fresh setting into a case; the number is the case's, from which strengths are drawn.
    pub(super) ways: &'static [fn(&mut Setting, u32)],
}

macro_rules! injections {
    ($($cause:literal: [$($way:expr),+ $(,)?];)+) => {
        /// Every injection, in the order of the causes; health comes first.
        pub(super) const INJECTIONS: &[Injection] = &[$(Injection { cause: $cause, ways: &[$($way),+] }),+];
    };
}

/// Shares of attempts that are hit, from always to rarely.
const SHARES: [u32; 5] = [100, 60, 40, 100, 25];

/// A fault on a share of the attempts that changes with the case.
fn some(setting: &mut Setting, n: u32, fault: &str) {
    let share = SHARES[n as usize % SHARES.len()];
    setting.inject(&format!("probability: {share}%, fault: {{ {fault} }}"));
}

/// A fault for all.
fn all(setting: &mut Setting, fault: &str) {
    setting.inject(&format!("fault: {{ {fault} }}"));
}

/// One of these kinds, by the case.
fn kind(setting: &mut Setting, n: u32, fault: &str, kinds: &[&str]) {
    some(setting, n, &format!("{fault}: {{ kind: {} }}", kinds[n as usize % kinds.len()]));
}

fn tls(setting: &mut Setting, n: u32, kinds: &[&str]) {
    setting.tls = true;
    kind(setting, n, "tls", kinds);
}

fn endpoints(setting: &mut Setting, n: u32) {
    setting.endpoints = 1 + n % 3;
}

fn denied(setting: &mut Setting, message: &str) {
    setting.signed = true;
    all(setting, &format!("s3-error: {{ code: AccessDenied, message: '{message}' }}"));
}

injections! {
    "healthy": [
        |s, n| endpoints(s, n),
        |s, _| s.tls = true,
        |s, _| all(s, "latency: { add: 60ms, jitter: 40ms }"),
        |s, _| s.signed = true,
        |s, _| { s.signed = true; all(s, "clock-skew: { of: upstream, by: 200s }") },
        |s, _| s.latency = "{ latency: aws-like }",
    ];
    "dns-no-such-name": [|s, n| { endpoints(s, n); all(s, "dns: { kind: nxdomain }") }];
    "dns-server-failure": [|s, n| { endpoints(s, n); all(s, "dns: { kind: servfail }") }];
    "dns-no-answer": [|s, n| { endpoints(s, n); all(s, "dns: { kind: timeout }") }];
    "dns-no-addresses": [|s, n| { endpoints(s, n); all(s, "dns: { kind: empty }") }];
    "dead-address": [
        |s, n| { s.endpoints = 2 + n % 3; all(s, "dns: { kind: dead-subset, dead: 1 }") },
        |s, n| { s.endpoints = 2 + n % 2; s.inject("target: { region: us-east-1, endpoint: 1 }, fault: { refuse: {} }") },
        |s, n| {
            s.endpoints = 2 + n % 2;
            s.inject("target: { region: us-east-1, endpoint: 1 }, fault: { connect-blackhole: {} }");
        },
    ];
    "connection-refused": [
        |s, n| { endpoints(s, n); all(s, "refuse: {}") },
        |s, n| { endpoints(s, n); all(s, "dns: { kind: stale }") },
    ];
    "connection-timeout": [|s, n| { s.endpoints = 1 + n % 2; all(s, "connect-blackhole: {}") }];
    "connection-reset": [
        |s, n| some(s, n, "reset: { at: accept }"),
        |s, n| some(s, n, "reset: { at: request }"),
        |s, n| some(s, n, "close: { at: accept }"),
        |s, n| some(s, n, "close: { at: request }"),
    ];
    "tls-name": [|s, n| tls(s, n, &["tls-cert-wrong-host"])];
    "tls-dates": [|s, n| tls(s, n, &["tls-cert-expired", "tls-cert-not-yet-valid"])];
    "tls-chain": [|s, n| tls(s, n, &["tls-cert-self-signed", "tls-missing-intermediate", "tls-chain-order"])];
    "tls-handshake": [|s, n| tls(s, n, &[
        "tls-alert-handshake",
        "tls-no-common-version",
        "tls-no-common-cipher",
        "tls-plaintext-on-tls-port",
        "tls-rst-mid-handshake",
        "client-cert-required",
        "tls-stall-hello",
    ])];
    "stale-connections": [
        |s, n| some(s, n, "close-on-reuse: { with: rst }"),
        |s, n| some(s, n, "close-on-reuse: { with: fin }"),
        |s, _| all(s, "keepalive-max: { requests: 2, announce: false }"),
        |s, _| all(s, "idle-close: { after: 60ms }"),
    ];
    "not-http": [|s, n| kind(s, n, "malformed", &[
        "garbage-bytes",
        "bad-protocol-name",
        "cl-duplicate-differ",
        "chunk-size-invalid",
        "status-letters",
        "header-no-colon",
        "ssh-banner",
        "te-unknown",
        "header-nul",
        "cl-and-te",
        "cl-text",
        "http09-body",
    ])];
    "head-too-large": [
        |s, n| some(s, n, &format!("malformed: {{ kind: header-oversize, size: {}KiB }}", 32 + 16 * (n % 5))),
        |s, n| some(s, n, "malformed: { kind: header-count, count: 1500 }"),
    ];
    "truncated-answer": [
        |s, n| some(s, n, &format!("truncate: {{ at: {}KiB, with: fin }}", 1 + n % 12)),
        |s, n| some(s, n, "truncate: { at: 3KiB, with: rst }"),
        |s, n| some(s, n, "reset: { at: headers }"),
        |s, n| kind(s, n, "malformed", &["partial-header-fin", "chunk-no-last", "cl-too-large", "chunk-cut-mid"]),
        |s, n| some(s, n, "close: { at: { bytes: 2KiB } }"),
    ];
    "corrupt-body": [
        |s, n| some(s, n, &format!("corrupt-body: {{ at: {}B }}", 100 * (n + 1))),
        |s, n| some(s, n, "corrupt-body: { share: 1% }"),
    ];
    "clock-skew": [
        |s, n| { s.signed = true; all(s, &format!("clock-skew: {{ of: upstream, by: {}m }}", 16 + 7 * n)) },
        |s, n| { s.signed = true; all(s, &format!("clock-skew: {{ of: clients, by: {}m }}", 16 + 7 * n)) },
        |s, n| { s.signed = true; all(s, &format!("clock-skew: {{ of: clients, by: {}h }}", 1 + n)) },
    ];
    "key-unknown": [
        |s, _| { s.signed = true; all(s, "rotate-key: { identity: app }") },
        |s, _| { s.signed = true; s.wrong_key = true },
    ];
    "signature-mismatch": [|s, n| { s.signed = true; endpoints(s, n); s.wrong_secret = true }];
    "session-expired": [
        |s, n| { s.signed = true; some(s, n, "expire-token: { identity: app }") },
        |s, n| { s.signed = true; some(s, n, "s3-error: { code: InvalidToken }") },
    ];
    "permission-identity": [
        |s, _| { s.signed = true; all(s, "iam: { identity: app, remove: ['s3:*'] }") },
        |s, _| { s.signed = true; all(s, "iam: { identity: app, deny: ['s3:GetObject'] }") },
        |s, _| { s.signed = true; all(s, "iam: { identity: app, deny: ['s3:*'] }") },
    ];
    "permission-bucket": [
        |s, _| {
            s.signed = true;
            all(s, "bucket-policy: { bucket: media, add: { Sid: lockout, Effect: Deny, Principal: '*', \
                    Action: 's3:*', Resource: 'arn:aws:s3:::media/*' } }");
        },
        |s, _| {
            s.signed = true;
            all(s, "bucket-policy: { bucket: media, add: { Sid: reads, Effect: Deny, Principal: '*', \
                    Action: 's3:GetObject', Resource: 'arn:aws:s3:::media/o/*' } }");
        },
        |s, _| { s.signed = true; s.unsigned_probes = true },
    ];
    "permission-organisation": [
        |s, _| denied(s, "User: arn:aws:iam::111122223333:user/app is not authorized to perform: s3:GetObject on \
                          resource: \"arn:aws:s3:::media/o/1\" with an explicit deny in a service control policy"),
        |s, _| denied(s, "User: arn:aws:iam::111122223333:user/app is not authorized to perform: s3:GetObject on \
                          resource: \"arn:aws:s3:::media/o/1\" because no permissions boundary allows the \
                          s3:GetObject action"),
        |s, _| denied(s, "User: arn:aws:sts::111122223333:assumed-role/app/1 is not authorized to perform: \
                          s3:GetObject on resource: \"arn:aws:s3:::media/o/1\" because no session policy allows \
                          the s3:GetObject action"),
    ];
    "wrong-region": [
        |s, _| all(s, "wrong-region: { bucket: media }"),
        |s, _| { s.signed = true; all(s, "wrong-region: { bucket: media }") },
        |s, _| { s.signed = true; s.probe_region = "eu-central-1" },
    ];
    "no-such-bucket": [
        |s, _| s.bucket = "no-such-bucket",
        |s, _| { s.signed = true; s.bucket = "meida" },
    ];
    "no-such-key": [
        |s, _| s.key = "o/none",
        |s, _| { s.signed = true; s.key = "prefix/o/1" },
    ];
    "slow-down": [
        |s, n| some(s, n, "s3-error: { code: SlowDown, retry-after: 1s }"),
        |s, n| some(s, n, "s3-error: { code: SlowDown }"),
        |s, n| all(s, &format!("throttle: {{ reads: {}/s, burst: 200ms }}", 1 + n)),
    ];
    "s3-errors": [
        |s, n| some(s, n, "s3-error: { code: InternalError }"),
        |s, n| some(s, n, "s3-error: { code: ServiceUnavailable }"),
    ];
    "foreign-error": [
        |s, n| some(s, n, "status: { status: 503 }"),
        |s, n| some(s, n, "status: { status: 502 }"),
        |s, n| some(s, n, "status: { status: 504 }"),
    ];
    "no-answer": [
        |s, n| some(s, n, "swallow: {}"),
        |s, n| some(s, n, "malformed: { kind: partial-header-stall }"),
    ];
    "slow-answer": [
        |s, n| some(s, n, &format!("latency: {{ add: {}ms }}", 1300 + 100 * (n % 10))),
        |s, n| some(s, n, &format!("latency: {{ add: {}ms, jitter: 200ms }}", 1600 + 100 * (n % 8))),
        |s, n| some(s, n, "slow-head: { bytes: 32B, every: 150ms }"),
    ];
    "slow-body": [
        |s, n| some(s, n, &format!("stall: {{ after: {}KiB }}", 1 + n)),
        |s, n| some(s, n, "slow-body: { bytes: 1KiB, every: 150ms }"),
        |s, _| all(s, "bandwidth: { rate: 8KiB }"),
    ];
    "gateway-down": [
        |s, _| all(s, "kill: {}"),
        |s, _| all(s, "pause: {}"),
        |s, _| all(s, "kill: { signal: segv }"),
    ];
    "gateway-configuration": [
        |s, _| all(s, "misconfigure: { bucket: no-such-bucket }"),
        |s, _| { s.signed = true; all(s, "misconfigure: { host: elsewhere.example }") },
        |s, _| { s.signed = true; all(s, "misconfigure: { bucket: other-bucket }") },
    ];
    "gateway-limits": [|s, n| {
        // So that what is asked at once is also under way at once.
        all(s, "latency: { add: 500ms }");
        all(s, &format!("descriptors: {{ limit: {} }}", 18 + n % 4));
    }];
    "gateway-path": [
        |s, _| all(s, "misconfigure: { endpoint: '127.0.0.1:1' }"),
        |s, _| all(s, "misconfigure: { endpoint: '127.0.99.9:9' }"),
    ];
}

#[cfg(test)]
mod tests {
    use gatecrash_core::diagnose::CAUSES;

    use super::*;

    #[test]
    fn every_cause_is_injected_and_every_case_is_a_scenario() {
        let injected: Vec<_> = INJECTIONS.iter().map(|i| i.cause).filter(|c| *c != "healthy").collect();
        let known: Vec<_> = CAUSES.iter().map(|c| c.name).collect();
        assert_eq!(injected, known);
        for injection in INJECTIONS {
            for case in 0..10 {
                let setting = Setting::of(injection, case);
                if let Err(why) = setting.plan() {
                    panic!("{} {case}: {why}\n{}", injection.cause, setting.scenario());
                }
            }
        }
    }
}
