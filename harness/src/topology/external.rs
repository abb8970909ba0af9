//! A proxy of an existing Toxiproxy in place of a link, driven through `toxiproxy_rust`.
//!
//! That client never looks at an HTTP status: after every call the proxy is read again, and what is there counts. It
//! blocks, so that it works on threads of its own.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use gatecrash_core::stand_in::Toxiproxied;
use toxiproxy_rust::client::Client;
use toxiproxy_rust::proxy::{Proxy, ProxyPack};

use crate::exit::Failure;

/// One proxy, ours until it is stopped.
pub struct External {
    server: Arc<Server>,
    addr: SocketAddr,
}

struct Server {
    client: Client,
    /// The proxy's name.
    name: String,
    /// What is in force, by fault: the client can only remove all toxics at once.
    faults: Mutex<Vec<(u16, Toxiproxied, f32)>>,
}

impl External {
    /// Creates a proxy on `server` and makes sure that it is there.
    pub(super) async fn start(
        server: &str,
        name: String,
        listen: SocketAddr,
        upstream: SocketAddr,
    ) -> Result<Self, Failure> {
        let place = server.to_owned();
        let refused = |why: String| {
            Failure::environment(format!("the Toxiproxy at {server}: {why}"))
                .hint("it has to run on this machine: `toxiproxy-server`, or `gatecrash serve proxy`")
        };
        let started = blocking(move || {
            let address = std::net::ToSocketAddrs::to_socket_addrs(&place).map_err(|why| why.to_string())?;
            let address = address.into_iter().next().ok_or("the host has no address")?;
            let client = Client::new(address);
            if !client.is_running() {
                return Err("nobody listens".to_owned());
            }
            let there = client.all()?;
            if there.contains_key(&name) {
                return Err(format!("there is a proxy `{name}` already"));
            }
            let wanted = ProxyPack::new(name.clone(), listen.to_string(), upstream.to_string());
            // An error comes as JSON of another shape: what is read again decides.
            let answered = client.populate(vec![wanted]);
            let found = client.find_proxy(&name).map_err(|why| answered.err().unwrap_or(why))?;
            let pack = &found.proxy_pack;
            if !pack.enabled || pack.upstream != upstream.to_string() {
                return Err(format!("the proxy `{name}` could not be created on {listen}"));
            }
            let addr = pack.listen.parse().map_err(|_| format!("it listens on `{}`", pack.listen))?;
            Ok(Self { server: Arc::new(Server { client, name, faults: Mutex::default() }), addr })
        });
        started.await.map_err(refused)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Puts a fault in force on a share of the connections; whether it is, as read again.
    pub(super) async fn put(&self, fault: u16, toxic: Toxiproxied, share: f32) -> Result<bool, String> {
        let server = Arc::clone(&self.server);
        blocking(move || {
            server.faults().push((fault, toxic, share));
            server.apply()
        })
        .await
    }

    /// Takes a fault back; whether it is gone.
    pub(super) async fn take_back(&self, fault: u16) -> Result<bool, String> {
        let server = Arc::clone(&self.server);
        blocking(move || {
            server.faults().retain(|(other, ..)| *other != fault);
            server.apply()
        })
        .await
    }

    /// Removes the proxy.
    pub(super) async fn stop(self) {
        let gone = blocking(move || self.server.proxy()?.delete()).await;
        if let Err(why) = gone {
            crate::output::note(&format!("warning: a proxy was left behind on the Toxiproxy: {why}"));
        }
    }
}

impl Server {
    fn faults(&self) -> std::sync::MutexGuard<'_, Vec<(u16, Toxiproxied, f32)>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn proxy(&self) -> Result<Proxy, String> {
        self.client.find_proxy(&self.name)
    }

    /// Makes the proxy what the faults in force say, and reads it again.
    fn apply(&self) -> Result<bool, String> {
        let faults = self.faults().clone();
        let proxy = self.proxy()?;
        proxy.delete_all_toxics()?;
        let down = faults.iter().any(|(_, toxic, _)| *toxic == Toxiproxied::Down);
        let mut expected = 0;
        for (_, toxic, share) in &faults {
            match *toxic {
                Toxiproxied::Down => continue,
                Toxiproxied::Latency { latency, jitter } => {
                    proxy.with_latency("upstream".into(), latency, jitter, *share)
                }
                Toxiproxied::Bandwidth { rate } => proxy.with_bandwidth("downstream".into(), rate, *share),
                Toxiproxied::Slicer { size, delay } => {
                    proxy.with_slicer("downstream".into(), size, 0, delay, *share)
                }
                Toxiproxied::BlackHole => proxy.with_timeout("upstream".into(), 0, *share),
            };
            expected += 1;
        }
        if down {
            proxy.disable()?
        } else {
            proxy.enable()?
        }
        let there = self.proxy()?;
        Ok(there.proxy_pack.enabled != down && there.proxy_pack.toxics.len() == expected)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    let done = tokio::task::spawn_blocking(move || {
        // The client panics where a request cannot be sent.
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err("it cannot be reached any more".into()))
    });
    done.await.map_err(|why| why.to_string())?
}
