//! The examples of the format's description, as far as this release goes, and what they become.

use gatecrash_core::plan::{GatewayPlan, KeysPlan, Per, RangePlan, SignPlan, SizePlan};
use gatecrash_core::scenario::resolved_yaml;
use gatecrash_core::units::{Rate, Share, Size, Span};

use super::{Files, RIGHT, options, plan, read, read_with};

pub(crate) const THROTTLING: &str = r#"# yaml-language-server: $schema=../schema/scenario.v1.json
gatecrash: 1
name: slowdown-20pct-get
about: S3 throttles one GET in five; clients behind the gateway should barely notice.
tags: [retry, ci]
seed: 7
gateway:
  recipe: { name: nginx, params: { tries: 3, read-timeout: 2s, max-fails: 0 } }
upstreams:
  us-east-1: { endpoints: 3, latency: { p50: 4ms, p99: 25ms } }   # nginx tries each peer once
buckets:
  media:
    in: [us-east-1]
    objects: { count: 2000, key: "img/{n:06}.bin", size: { weighted: { 16KiB: 90%, 1MiB: 10% } } }
load:
  readers:
    open: { rate: 150/s, arrivals: poisson, max-in-flight: 400 }
    bucket: media
    ops: { GetObject: 100% }
    keys: { zipf: 1.1 }
    timeout: 5s
timeline:
  - { phase: baseline, for: 10s }
  - phase: throttled
    for: 30s
    inject:
      - name: slowdown
        match: { op: GetObject }
        probability: 20%
        per: attempt                       # a retry draws again
        fault: { s3-error: { code: SlowDown } }   # implies status 503 and the S3 XML body
  - { phase: recovery, for: 10s }
expect:
  - in: throttled
    check: { success-rate: { min: 99% } }
    because: three independent tries all fail in 0.8 % of requests
  - { in: throttled, match: { op: GetObject }, check: { success-rate: { min: 99% } }, severity: warning }
  - { in: recovery, after: 2s, check: { success-rate: { min: 100% } } }
  - { in: recovery, check: { success-rate: { min: 90% } } }
  - { check: { body-complete: {} } }
"#;

pub(crate) const OUTAGE: &str = r#"gatecrash: 1
name: region-outage-failover-failback
about: us-east-1 goes silent, then refuses; traffic moves to us-west-2 and returns once, without flapping.
tags: [failover, nightly]
seed: 11
use: [../lib/identities.yaml]              # named maps only; a name defined twice is an error
gateway:
  recipe: { name: haproxy, params: { health-interval: 1s, fall: 2, rise: 3, connect-timeout: 500ms } }
upstreams:
  us-east-1: { role: primary, endpoints: 2, latency: { p50: 3ms } }
  us-west-2: { role: standby, endpoints: 2, latency: { p50: 45ms } }
buckets:
  docs:
    in: { us-east-1: docs-use1, us-west-2: docs-usw2 }
    objects: { count: 500, key: "doc/{n}.json", size: 8KiB }
load:
  app:
    open: { rate: 100/s, max-in-flight: 600 }
    as: app
    bucket: docs
    ops: { GetObject: 85%, HeadObject: 5%, PutObject: 10% }
    writes: { key: "up/{n}", size: 8KiB }
    timeout: 6s
timeline:
  - { phase: healthy, for: 20s }
  - phase: outage
    for: 60s
    inject:
      - { name: silent, target: { region: us-east-1 }, for: 30s, fault: { swallow: {} } }
      - { name: refusing, target: { region: us-east-1 }, at: 30s, fault: { refuse: {} } }
  - { phase: back, for: 60s }
expect:
  - { in: outage, after: 5s, check: { success-rate: { min: 99.9% } } }
guards:
  deadline: 3m
"#;

/// The fragment that is shipped.
pub(crate) const IDENTITIES: &str = include_str!("../../../../scenarios/lib/identities.yaml");

pub(crate) const PERMISSIONS: &str = r#"gatecrash: 1
name: permission-failures
about: A 403 from S3 reaches the client as that 403 - not retried, not failed over, not cached.
tags: [auth, ci]
seed: 5
upstreams:
  us-east-1: { role: primary }
  us-west-2: { role: standby }
identities:
  app:
    account: "000000000001"
    allow:
      actions: ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
      resources: ["arn:aws:s3:::reports", "arn:aws:s3:::reports/*"]
buckets:
  reports:
    in: { us-east-1: reports, us-west-2: reports-dr }
    objects: { count: 200, key: "r/{n}.csv", size: 4KiB }
    policy:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal: "*"
          Action: "s3:GetObject"
          Resource: ["arn:aws:s3:::reports/public/*"]
load:
  app:
    open: { rate: 60/s, arrivals: even }
    as: app
    sign: client                        # or `gateway`: the gateway holds the key and signs upstream
    bucket: reports
    ops: { GetObject: { share: 60%, range: 0-1023 }, HeadObject: 20%, PutObject: 20% }
    timeout: 3s
timeline:
  - { phase: granted, for: 5s }
  - phase: action-removed
    for: 10s
    inject: [{ fault: { iam: { identity: app, remove: ["s3:GetObject"] } } }]
  - { phase: restored, for: 10s, load: { app: { rate: 30/s } } }
  - phase: bucket-deny
    for: 10s
    inject:
      - fault:
          bucket-policy:
            bucket: reports
            add:
              Sid: lockout
              Effect: Deny
              Principal: { AWS: "arn:aws:iam::000000000001:user/app" }
              Action: "s3:*"
              Resource: "arn:aws:s3:::reports/*"
  - phase: key-rotated
    for: 10s
    inject: [{ fault: { rotate-key: { identity: app, clients-learn-after: 5s } } }]
  - phase: skewed
    for: 10s
    inject:
      - { fault: { clock-skew: { of: clients, by: 20m } } }
      - { fault: { clock-skew: { of: upstream, by: 1m } } }
expect:
  - { in: action-removed, match: { op: PutObject }, check: { success-rate: { min: 100% } } }
  - { in: restored, check: { success-rate: { min: 99% } }, because: a denial must not be served from cache }
"#;

#[test]
fn throttling() {
    let plan = plan(THROTTLING);
    assert_eq!(
        (plan.name.as_str(), plan.seed, plan.source.as_str()),
        ("slowdown-20pct-get", 7, "scenarios/x.yaml")
    );
    let GatewayPlan::Recipe { name, params, .. } = &plan.gateway else { panic!("a recipe") };
    assert_eq!(
        (name.as_str(), params["tries"].as_str(), params["read-timeout"].as_str()),
        ("nginx", "3", "2s")
    );
    assert_eq!(plan.links(), [(0, 1), (0, 2), (0, 3)]);
    let weighted = SizePlan::Weighted(vec![(Size(16 << 10), Share(0.9)), (Size(1 << 20), Share(0.1))]);
    assert_eq!(plan.buckets[0].size, weighted);
    assert!(plan.buckets[0].public);
    assert_eq!(plan.workloads[0].keys, KeysPlan::Zipf(1.1));
    assert_eq!(plan.workloads[0].sign, SignPlan::None);
    assert_eq!(plan.workloads[0].segments.len(), 3);
    let fault = &plan.faults[0];
    assert_eq!((fault.from, fault.until), (Span::seconds(10), Span::seconds(40)));
    assert_eq!((fault.probability, fault.per, fault.line), (Share(0.2), Per::Attempt, 27));
    let names: Vec<_> = plan.expectations.iter().map(|e| e.name.as_str()).collect();
    let wanted = [
        "success-rate in throttled",
        "success-rate in throttled for op=GetObject",
        "success-rate in recovery",
        "success-rate in recovery #2",
        "body-complete",
    ];
    assert_eq!(names, wanted);
    assert_eq!(plan.guards.deadline, Span::seconds(105));
    assert!(read(THROTTLING).expect("is right").warnings.is_empty());
}

#[test]
fn regional_outage() {
    let files = Files([("../lib/identities.yaml", IDENTITIES)].into());
    let loaded = read_with(OUTAGE, &files, &options()).unwrap_or_else(|wrong| panic!("{wrong}"));
    assert!(loaded.warnings.is_empty(), "{}", loaded.warnings);
    let plan = loaded.plans().remove(0);
    let names: Vec<_> = plan.identities.iter().map(|i| i.name.as_str()).collect();
    assert_eq!(names, ["app", "reader", "nobody"]);
    assert_eq!((plan.regions[0].primary, plan.regions[1].primary), (true, false));
    let wanted = [("us-east-1", "docs-use1"), ("us-west-2", "docs-usw2")].map(|(r, b)| (r.into(), b.into()));
    assert_eq!(plan.buckets[0].regions, wanted);
    assert!(!plan.buckets[0].public);
    assert_eq!((plan.faults[0].from, plan.faults[0].until), (Span::seconds(20), Span::seconds(50)));
    assert_eq!((plan.faults[1].from, plan.faults[1].until), (Span::seconds(50), Span::seconds(80)));
    assert_eq!(plan.faults[0].region, Some(0));
    assert_eq!((plan.workloads[0].sign, plan.workloads[0].identity), (SignPlan::Client, Some(0)));
    assert_eq!(plan.guards.deadline, Span::seconds(180));
}

#[test]
fn permissions() {
    let plan = plan(PERMISSIONS);
    let names: Vec<_> = plan.faults.iter().map(|f| f.name.as_str()).collect();
    let wanted = [
        "iam-action-removed",
        "bucket-policy-bucket-deny",
        "rotate-key-key-rotated",
        "clock-skew-skewed",
        "clock-skew-skewed-2",
    ];
    assert_eq!(names, wanted);
    assert_eq!(plan.workloads[0].ops[0].range, Some(RangePlan::Fixed(0, 1023)));
    let rates: Vec<_> = plan.workloads[0].segments.iter().map(|s| s.rate).collect();
    assert_eq!(rates, [60.0, 60.0, 30.0, 60.0, 60.0, 60.0].map(Rate));
    let policy = plan.buckets[0].policy.as_ref().expect("has a policy");
    assert_eq!(policy["Statement"][0]["Action"][0], "s3:GetObject");
    assert_eq!(policy["Version"], "2012-10-17");
}

#[test]
fn defaults_are_those_that_are_documented() {
    let plan = plan(
        "gatecrash: 1\nname: least\nload: { all: { open: { rate: 10/s }, ops: { GetObject: 100% } } }\n\
         timeline: [{ phase: only, for: 10s }]\nexpect: [{ check: { success-rate: { min: 99% } } }]\n",
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&plan).expect("plain data"));
}

#[test]
fn a_plan_is_stored_and_read_back() {
    for text in [RIGHT, THROTTLING, PERMISSIONS] {
        let plan = plan(text);
        let stored = serde_json::to_string(&plan).expect("plain data");
        assert_eq!(serde_json::from_str::<gatecrash_core::plan::Plan>(&stored).expect("reads back"), plan);
    }
}

#[test]
fn resolved_plans_say_where_values_come_from() {
    let text = RIGHT
        .replace("name: base", "name: base\nvars: { share: 20% }\nmatrix: { rate: [50/s] }")
        .replace("{ rate: 50/s }", "{ rate: \"${rate}\" }")
        .replace("count: 100", "count: \"${n}\"")
        .replace("{ share: 20% }", "{ n: 5 }");
    let mut options = options();
    options.set = vec![("load.readers.timeout".into(), "2s".into())];
    options.seed = Some(9);
    let loaded = read_with(&text, &Files::default(), &options).unwrap_or_else(|wrong| panic!("{wrong}"));
    insta::assert_snapshot!(resolved_yaml(&loaded.cases[0]));
}

#[test]
fn a_command_and_an_address() {
    let command = RIGHT.replace(
        "embedded: { preset: strict }",
        "command: { run: [./gw, --listen, \"{{ listen }}\", -n, 4], env: { A: 1 }, ready: { http: /up }, \
         stop: { signal: QUIT } }",
    );
    let GatewayPlan::Command { run, env, ready_path, ready_within, stop_signal, .. } = plan(&command).gateway
    else {
        panic!("a command")
    };
    assert_eq!(run, ["./gw", "--listen", "{{ listen }}", "-n", "4"]);
    assert_eq!((env["A"].as_str(), ready_path.as_str(), stop_signal.as_str()), ("1", "/up", "QUIT"));
    assert_eq!(ready_within, Span::seconds(10));
    let url = RIGHT.replace("embedded: { preset: strict }", "url: { base: \"http://127.0.0.1:8080/\" }");
    assert_eq!(plan(&url).gateway, GatewayPlan::Url { base: "http://127.0.0.1:8080".into(), ca: None });
    let tls = RIGHT.replace("embedded: { preset: strict }", "url: { base: \"https://x:1\" }");
    assert!(plan(&tls).workloads.iter().all(|workload| workload.client.tls));
    for bad in ["https://x", "127.0.0.1:80", "http://x", "http://x:0", "http://:80", "http://x:80/path"] {
        assert!(
            read(&RIGHT.replace("embedded: { preset: strict }", &format!("url: {{ base: \"{bad}\" }}")))
                .is_err()
        );
    }
}
