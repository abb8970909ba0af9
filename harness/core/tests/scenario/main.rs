//! Scenario files through the public door: what is read, what is refused and how it is said.

mod arrivals;
mod capacity;
mod examples;
mod expansion;
mod inject;
mod mistakes;
mod replay;
mod requests;
mod schema;

use std::collections::BTreeMap;

use gatecrash_core::diagnostics::{Diagnostics, SourceText};
use gatecrash_core::plan::Plan;
use gatecrash_core::scenario::{Fragments, Known, KnownGateway, Loaded, Options, load};

/// A small file that is right; mistakes are made by replacing a piece of it.
pub(crate) const RIGHT: &str = r#"gatecrash: 1
name: base
gateway:
  embedded: { preset: strict }
upstreams:
  us-east-1: { endpoints: 2 }
  us-west-2: { role: standby }
buckets:
  media: { objects: { count: 100, key: "o/{n:04}", size: 8KiB } }
identities:
  app: { allow: { actions: ["s3:*"], resources: ["*"] } }
load:
  readers:
    open: { rate: 50/s }
    as: app
    bucket: media
    ops: { GetObject: 100% }
timeline:
  - { phase: before, for: 5s }
  - phase: during
    for: 10s
    inject:
      - name: slow
        target: { region: us-east-1, endpoint: 2 }
        match: { op: GetObject }
        probability: 20%
        fault: { latency: { add: 100ms } }
  - { phase: after, for: 5s }
expect:
  - in: during
    after: 1s
    check: { success-rate: { min: 99% } }
  - { check: { body-complete: {} } }
"#;

/// Fragments out of a map.
#[derive(Default)]
pub(crate) struct Files(pub(crate) BTreeMap<&'static str, &'static str>);

impl Fragments for Files {
    fn read(&self, _: &str, path: &str) -> Result<SourceText, String> {
        let text = self.0.get(path).ok_or("no such file")?;
        Ok(SourceText::new(path, *text))
    }
}

/// Options that know a few gateways.
pub(crate) fn options() -> Options {
    let list = |names: &[&str]| names.iter().map(|n| n.to_string()).collect::<Vec<_>>();
    let gateway = |name: &str, params: &[&str], can: &[&str]| KnownGateway {
        name: name.into(),
        params: list(params),
        can: list(can),
    };
    Options {
        known: Known {
            embedded: gateway(
                "embedded",
                &["tries"],
                &["sign", "http2-from-clients", "bucket", "region", "host", "endpoint"],
            ),
            recipes: vec![
                gateway(
                    "nginx",
                    &["tries", "read-timeout", "max-fails"],
                    &["http2-from-clients-over-tls", "endpoint", "host"],
                ),
                gateway("haproxy", &["health-interval", "fall", "rise", "connect-timeout"], &["endpoint"]),
            ],
            presets: list(&["strict"]),
            defects: list(&["zero-pad", "retry-4xx"]),
        },
        ..Options::default()
    }
}

pub(crate) fn read_with(text: &str, files: &Files, options: &Options) -> Result<Loaded, Diagnostics> {
    load(&SourceText::new("scenarios/x.yaml", text), files, options)
}

pub(crate) fn read(text: &str) -> Result<Loaded, Diagnostics> {
    read_with(text, &Files::default(), &options())
}

/// The only plan of a file that is right.
#[track_caller]
pub(crate) fn plan(text: &str) -> Plan {
    let loaded = read(text).unwrap_or_else(|wrong| panic!("{wrong}"));
    let mut plans = loaded.plans();
    assert_eq!(plans.len(), 1);
    plans.remove(0)
}

/// The right file with one piece replaced.
#[track_caller]
pub(crate) fn with(from: &str, to: &str) -> String {
    assert_eq!(RIGHT.matches(from).count(), 1, "`{from}` is in the file once");
    RIGHT.replace(from, to)
}
