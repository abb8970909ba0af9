//! The run's certificate authority: what links present with it, and the files that a gateway is given.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::plan::{Plan, RegionPlan};
use gatecrash_load::TlsTarget;
use gatecrash_model::Clock;
use gatecrash_wire::dns::host_name;
use gatecrash_wire::tls::{Authority, Onward, Terminator, TlsError};
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::diagnose::Roots;
use crate::exit::Failure;
use crate::gateway::{ClientFiles, FrontTls, Gateway, TlsFiles};

/// The name that all upstreams of a run have in common, for gateways that can expect one name only.
pub(crate) const SERVICE_NAME: &str = "s3.gatecrash.test";

/// The name of the gateway for clients that speak TLS.
const GATEWAY_NAME: &str = "gateway.gatecrash.test";

/// Patience with the handshake of a gateway that is said to run already.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(5);

/// Whether some client speaks TLS to a gateway of ours.
fn clients_want_it(plan: &Plan) -> bool {
    !plan.gateway.is_https() && plan.workloads.iter().any(|workload| workload.client.tls)
}

/// The authority of a plan, where some upstream, or the gateway, is spoken to over TLS.
pub(super) fn authority(plan: &Plan, clock: &dyn Clock) -> Result<Option<Arc<Authority>>, Failure> {
    let upstreams = plan.regions.iter().any(|region| region.tls.is_some());
    if !upstreams && !clients_want_it(plan) {
        return Ok(None);
    }
    Ok(Some(Arc::new(Authority::new(clock.wall_seconds()).map_err(failed)?)))
}

/// What the link of an endpoint presents.
pub(super) fn terminator(
    authority: Option<&Arc<Authority>>,
    region: &RegionPlan,
    ip: IpAddr,
) -> Result<Option<Arc<Terminator>>, Failure> {
    let (Some(authority), Some(tls)) = (authority, region.tls) else { return Ok(None) };
    let names = vec![host_name(&region.name), SERVICE_NAME.to_owned(), ip.to_string()];
    let (authority, client) = (Arc::clone(authority), tls.client_certificate);
    Ok(Some(Arc::new(Terminator::new(authority, names, client, region.http2).map_err(failed)?)))
}

/// Writes what the gateway needs into `tls/` of the run directory; private keys for its owner alone.
pub(super) fn files(authority: &Authority, plan: &Plan, dir: &Path) -> Result<TlsFiles, Failure> {
    let dir = directory(dir)?;
    let ca = write(dir.join("ca.pem"), &authority.root_pem())?;
    let asked = plan.regions.iter().any(|region| region.tls.is_some_and(|tls| tls.client_certificate));
    let client = if asked {
        let identity = authority.client("gateway").map_err(failed)?;
        let with_key = |certificates: &str| format!("{certificates}{}", identity.key);
        Some(ClientFiles {
            certificates: write(dir.join("client.pem"), &identity.certificates)?,
            key: write(dir.join("client.key"), &identity.key)?,
            both: write(dir.join("client-with-key.pem"), &with_key(&identity.certificates))?,
            leaf: write(dir.join("client-leaf.pem"), &with_key(first(&identity.certificates)))?,
        })
    } else {
        None
    };
    Ok(TlsFiles { ca, client, name: SERVICE_NAME })
}

/// The first of several certificates in PEM.
fn first(certificates: &str) -> &str {
    const END: &str = "-----END CERTIFICATE-----\n";
    certificates.find(END).map_or(certificates, |at| &certificates[..at + END.len()])
}

/// A free address for the gateway's listener with TLS, and in `tls/` of the run directory what it presents there;
/// `None` where no client speaks TLS.
pub(super) fn front(authority: &Authority, plan: &Plan, dir: &Path) -> Result<Option<FrontTls>, Failure> {
    if !clients_want_it(plan) {
        return Ok(None);
    }
    let taken = |e: std::io::Error| Failure::environment(format!("no port for the gateway's TLS: {e}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(taken)?;
    let addr = listener.local_addr().map_err(taken)?;
    let dir = directory(dir)?;
    let names = [GATEWAY_NAME.to_owned(), addr.ip().to_string()];
    let identity = authority.server_of(&names).map_err(failed)?;
    Ok(Some(FrontTls {
        addr,
        certificates: write(dir.join("gateway.pem"), &identity.certificates)?,
        key: write(dir.join("gateway.key"), &identity.key)?,
        both: write(dir.join("gateway-with-key.pem"), &(identity.certificates.clone() + &identity.key))?,
    }))
}

/// The gateway as clients that speak TLS see it.
pub(super) fn target(authority: &Authority, front: &FrontTls) -> Result<TlsTarget, Failure> {
    let client = Onward::new(&authority.root_pem(), GATEWAY_NAME, None).map_err(failed)?;
    let (name, config) = (client.name().clone(), client.config());
    Ok(TlsTarget { addr: front.addr, host_header: front.addr.to_string(), name, config })
}

/// A gateway that somebody else runs, as clients see it that trust the authorities of this file, or the system's. It
/// has to pass a handshake: a run without one would only tell of errors.
pub(super) async fn elsewhere(gateway: &Gateway, ca: Option<&str>) -> Result<TlsTarget, Failure> {
    let name = gateway.host.rsplit_once(':').map_or(gateway.host.as_str(), |(name, _)| name);
    let name = name.trim_matches(['[', ']']).to_owned();
    let name = ServerName::try_from(name)
        .map_err(|e| Failure::usage(format!("{}: no certificate can name it: {e}", gateway.host)))?;
    let Roots(config) = Roots::of(ca.map(Path::new)).map_err(|e| Failure::usage(e.to_string()))?;
    let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, async {
        let connection = TcpStream::connect(gateway.addr()).await?;
        TlsConnector::from(Arc::clone(&config)).connect(name.clone(), connection).await.map(drop)
    });
    shaken.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(|e| {
        Failure::environment(format!("no TLS with the gateway at {}: {e}", gateway.host))
            .hint("`gateway: { url: { ca: FILE } }` names the authorities to trust, in PEM")
    })?;
    Ok(TlsTarget { addr: gateway.addr(), host_header: gateway.host.clone(), name, config })
}

fn directory(run: &Path) -> Result<PathBuf, Failure> {
    let dir = std::path::absolute(run).map_err(|e| unwritable(run, &e))?.join("tls");
    fs::create_dir_all(&dir).map_err(|e| unwritable(&dir, &e))?;
    Ok(dir)
}

fn write(path: PathBuf, text: &str) -> Result<PathBuf, Failure> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    match file.and_then(|mut file| file.write_all(text.as_bytes())) {
        Ok(()) => Ok(path),
        Err(e) => Err(unwritable(&path, &e)),
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::environment(format!("cannot write {}: {error}", path.display()))
}

fn failed(error: TlsError) -> Failure {
    Failure::environment(format!("TLS of the upstreams: {error}"))
}
