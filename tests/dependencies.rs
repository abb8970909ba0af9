//! The dependency direction of `docs/architecture.md`, held true over `cargo metadata`.

use std::collections::BTreeMap;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Crate of ours -> crates of ours it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("gatecrash-model", &[]),
    ("gatecrash-core", &["gatecrash-model"]),
    ("gatecrash-wire", &["gatecrash-model", "gatecrash-core"]),
    ("gatecrash-load", &["gatecrash-model"]),
    ("gatecrash-mock-s3", &["gatecrash-model"]),
    ("gatecrash-reference", &[]),
    (
        "gatecrash",
        &[
            "gatecrash-model",
            "gatecrash-core",
            "gatecrash-wire",
            "gatecrash-load",
            "gatecrash-mock-s3",
            "gatecrash-reference",
        ],
    ),
];

/// Crates that would give the pure crates a socket, a clock or a runtime.
const IMPURE: &[&str] = &["tokio", "hyper", "hyper-util", "socket2", "rustix", "mio", "async-std"];

#[test]
fn crates_depend_only_downwards() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    let allowed: BTreeMap<_, _> = ALLOWED.iter().copied().collect();
    assert_eq!(metadata.packages.len(), allowed.len(), "a crate is missing from the table");
    for package in &metadata.packages {
        let name = package.name.as_str();
        let may = allowed.get(name).unwrap_or_else(|| panic!("{name} is not in the table"));
        for dependency in package.dependencies.iter().filter(|d| d.name.starts_with("gatecrash")) {
            assert!(may.contains(&dependency.name.as_str()), "{name} must not depend on {}", dependency.name);
        }
    }
}

#[test]
fn the_pure_crates_have_no_runtime() {
    let metadata = MetadataCommand::new().no_deps().exec().expect("cargo metadata");
    for package in
        metadata.packages.iter().filter(|p| ["gatecrash-model", "gatecrash-core"].contains(&p.name.as_str()))
    {
        for dependency in package.dependencies.iter().filter(|d| d.kind == DependencyKind::Normal) {
            assert!(
                !IMPURE.contains(&dependency.name.as_str()),
                "{} depends on {}",
                package.name,
                dependency.name
            );
        }
    }
}
