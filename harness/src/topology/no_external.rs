//! Without the feature `external-toxiproxy` no Toxiproxy stands in for a link.

use std::convert::Infallible;
use std::net::SocketAddr;

use gatecrash_core::stand_in::Toxiproxied;

use crate::exit::Failure;

/// There is none.
pub struct External(Infallible);

impl External {
    pub(super) async fn start(
        server: &str,
        _: String,
        _: SocketAddr,
        _: SocketAddr,
    ) -> Result<Self, Failure> {
        let why = format!("the scenario wants the Toxiproxy at {server}, which this build cannot drive");
        Err(Failure::usage(why).hint("build gatecrash with `--features external-toxiproxy`"))
    }

    pub(super) fn addr(&self) -> SocketAddr {
        match self.0 {}
    }

    pub(super) async fn put(&self, _: u16, _: Toxiproxied, _: f32) -> Result<bool, String> {
        match self.0 {}
    }

    pub(super) async fn take_back(&self, _: u16) -> Result<bool, String> {
        match self.0 {}
    }

    pub(super) async fn stop(self) {
        match self.0 {}
    }
}
