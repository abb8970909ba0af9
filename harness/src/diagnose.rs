//! `gatecrash diagnose`: probes that look at a gateway and at the S3 behind it. What they saw is judged in
//! `gatecrash_core::diagnose`.
//!
//! Reads only, few of them, and bounded: nothing is written, no redirect followed, no answer tried again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::diagnose::{Dial, Naming, Observations, Place, Sample};
use gatecrash_load::Signer;
use lag::Lag;
use tokio::task::JoinSet;
use tokio::time::Instant;

mod answer;
mod body;
mod dial;
pub mod environment;
mod exchange;
mod lag;
pub mod measure;
mod names;
mod place;
mod tls;
mod url;

pub use tls::{Roots, TlsSetupError};
pub use url::{Url, UrlError};

/// One place to look at.
#[derive(Clone, Debug)]
pub struct Site {
    /// Which one.
    pub place: Place,
    /// Where it is; its path is not used.
    pub url: Url,
    /// Path of the object, encoded; empty where only the listing is asked for.
    pub object: String,
    /// Path and query that list the bucket, encoded.
    pub list: Option<(String, String)>,
    /// Who signs.
    pub signer: Option<Arc<Signer>>,
}

/// How to look.
#[derive(Clone, Debug)]
pub struct Course {
    /// Places, each looked at on its own and all at the same time.
    pub sites: Vec<Site>,
    /// Region that is asked, for the report.
    pub region: String,
    /// A name server to ask in the place of the system's, for IPv4 addresses.
    pub resolver: Option<SocketAddr>,
    /// Whom to trust.
    pub roots: Roots,
    /// How long a probe waits for a connection, a handshake, a head, and twice that for a body.
    pub patience: Duration,
    /// A first byte later than this is slow.
    pub slow: Duration,
    /// The gateway's limit for an answer of its upstream, where it is known.
    pub gateway_timeout: Option<Duration>,
    /// Reads of the object at each place, one by one.
    pub repeat: usize,
    /// Reads side by side, once.
    pub burst: usize,
    /// After this no new probe begins.
    pub within: Duration,
}

/// What was seen of one place.
#[derive(Debug, Default)]
struct Seen {
    names: Vec<Naming>,
    dials: Vec<Dial>,
    samples: Vec<Sample>,
}

/// Looks at every place.
pub async fn observe(course: &Course) -> Observations {
    let deadline = Instant::now() + course.within;
    let mut looking = JoinSet::new();
    for (index, site) in course.sites.iter().enumerate() {
        let (site, course) = (site.clone(), course.clone());
        looking.spawn(async move { (index, place::look(&site, &course, deadline).await) });
    }
    let lag = Lag::start();
    let mut all: Vec<_> = looking.join_all().await;
    let own_lag = lag.worst();
    all.sort_by_key(|(index, _)| *index);
    let direct = course.sites.iter().find(|s| s.place == Place::Endpoint).or(course.sites.first());
    let mut seen = Observations {
        places: course.sites.iter().map(|s| (s.place, s.url.to_string())).collect(),
        region: course.region.clone(),
        signed: direct.is_some_and(|site| site.signer.is_some()),
        patience: milliseconds(course.patience),
        slow: milliseconds(course.slow),
        own_lag,
        gateway_timeout: course.gateway_timeout.map(milliseconds),
        ..Observations::default()
    };
    for (_, of) in all {
        seen.names.extend(of.names);
        seen.dials.extend(of.dials);
        seen.samples.extend(of.samples);
    }
    seen
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
