//! The bodies of requests: proxies and toxics, read by Go's rules into what the registry takes.

mod proxy;
mod toxic;

pub(crate) use proxy::{ProxyBody, ProxyChange, change, one, several};
pub(crate) use toxic::{WrittenToxic, draft, update};
