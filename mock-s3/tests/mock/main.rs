//! The mock from outside: over its sockets, as a gateway and as the official client see it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod admin;
mod buckets;
mod changing;
mod control;
mod copies;
mod cors;
mod effects;
mod faults;
mod huge;
mod iam;
mod listings;
mod logging;
mod multipart;
mod objects;
mod permissions;
mod policy_api;
mod post_object;
mod protocol;
mod reconcile;
mod replication;
mod sdk;
mod sdk_script;
mod sessions;
mod support;
mod uploads;
mod versions;
mod website;
