//! The gateway under test: always another process.
//!
//! A [`Blueprint`](blueprint::Blueprint) says how to start, reload and stop one: a [recipe](recipe) of a
//! product, the embedded reference gateway (a recipe too), or a [command](command) of the user's. [`launch`]
//! turns it into a [`Gateway`], whose process tree lives below a [supervisor](shim) of ours that leaves
//! nothing behind. A gateway that already runs somewhere is an address and nothing more.

mod blueprint;
mod catalogue;
mod cgroup;
mod change;
mod command;
mod declared;
mod error;
mod http;
mod launch;
mod live;
mod parameters;
mod plan_check;
mod preset;
mod process;
mod recipe;
mod reload;
mod render;
mod serves;
pub mod shim;
mod tree;
mod version;
mod witness;
mod yaml;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use gatecrash_core::plan::Plan;

pub use self::catalogue::{
    Described, Installed, Listed, catalogue, described, installed, known, probe_pattern, survey_parameters,
};
pub(crate) use self::cgroup::throttling;
pub use self::error::{GatewayError, Side};
pub use self::launch::launch;
pub use self::live::Gateway;
pub use self::parameters::{Parameter, ParameterKind};
pub use self::plan_check::{check_plan, parameter_problems};
pub use self::recipe::{Http2Front, RECIPES, Recipe, Source};
pub use self::serves::{Serves, not_served};
pub use self::witness::WitnessLine;

/// One upstream address that the gateway is given.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Endpoint {
    /// Region name.
    pub region: String,
    /// Number in its region, from 1.
    pub number: u16,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Whether its region is a primary.
    pub primary: bool,
}

/// Everything a start needs.
#[derive(Clone, Debug)]
pub struct Launch<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// Upstream addresses, in link order.
    pub endpoints: &'a [Endpoint],
    /// The name server that answers for the regions' names, where there is one.
    pub resolver: Option<SocketAddr>,
    /// What it needs to speak TLS to its upstreams, where it has to.
    pub tls: Option<&'a TlsFiles>,
    /// Where it listens with TLS, and what it presents there, where clients want that.
    pub front: Option<&'a FrontTls>,
    /// Run directory; the gateway's files go into `gateway/` in it.
    pub dir: &'a Path,
    /// This program, for the supervisor and for the embedded gateway.
    pub executable: &'a Path,
    /// What the gateway signs with, when the plan says that it signs.
    pub credentials: Option<GatewayCredentials>,
    /// A name of this run alone, planted where a careless error page would show it. Letters, digits and
    /// dashes.
    pub planted: &'a str,
}

/// Files for a client of TLS, absolute paths.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlsFiles {
    /// The root certificate of the run, PEM.
    pub ca: PathBuf,
    /// What it shows where upstreams ask for a client certificate.
    pub client: Option<ClientFiles>,
    /// A name that every upstream's certificate is good for.
    pub name: &'static str,
}

/// A client's certificate in the forms that programs want. Absolute paths, PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ClientFiles {
    /// Its certificates, leaf first.
    pub certificates: PathBuf,
    /// Its private key.
    pub key: PathBuf,
    /// The certificates and the key.
    pub both: PathBuf,
    /// The leaf alone and the key.
    pub leaf: PathBuf,
}

/// The gateway's listener with TLS. Absolute paths, PEM.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrontTls {
    /// Its address.
    pub addr: SocketAddr,
    /// Its certificates, leaf first.
    pub certificates: PathBuf,
    /// The leaf's key.
    pub key: PathBuf,
    /// Both in one file.
    pub both: PathBuf,
}

/// The gateway's own S3 credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayCredentials {
    /// Access key id.
    pub access_key: String,
    /// Secret access key; never shown.
    pub secret_key: String,
}

impl fmt::Debug for GatewayCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let chars: Vec<char> = self.access_key.chars().collect();
        let masked: String = match chars.len() {
            10.. => chars[..4].iter().chain(&['…']).chain(&chars[chars.len() - 2..]).collect(),
            _ => "…".into(),
        };
        f.debug_struct("GatewayCredentials").field("access_key", &masked).finish_non_exhaustive()
    }
}
