//! The flows of `toxiproxy_rust` 0.1.6, an independent client (its own tests, each against a server of its own): ours, and
//! the Go server where there is one.
//!
//! The client never looks at an HTTP status, so that everything is read again after each call.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use toxiproxy_rust::client::Client;
use toxiproxy_rust::proxy::{Proxy, ProxyPack};

use crate::servers::{Server, programs};

/// A client of a server with one proxy, `socket`, in front of an upstream of the test's.
struct Bench {
    client: Client,
    _server: Server,
    upstream: TcpListener,
}

/// Runs a flow against each server there is.
fn each(test: &str, flow: impl Fn(&Bench)) {
    flow(&Bench::new(Server::gatecrash(&[])));
    if let Some(programs) = programs(test) {
        flow(&Bench::new(Server::toxiproxy(&programs.server, &[])));
    }
}

impl Bench {
    fn new(server: Server) -> Self {
        let client = Client::new(("127.0.0.1", server.port));
        let upstream = TcpListener::bind("127.0.0.1:0").expect("an upstream");
        let bench = Self { client, _server: server, upstream };
        assert!(bench.client.is_running());
        bench.populate();
        bench
    }

    fn populate(&self) {
        let upstream = self.upstream.local_addr().expect("an address").to_string();
        let listen =
            self.client.all().ok().and_then(|all| Some(all.get("socket")?.proxy_pack.listen.clone()));
        let listen = listen.unwrap_or_else(|| "localhost:0".into());
        let proxies = self.client.populate(vec![ProxyPack::new("socket".into(), listen, upstream)]);
        let proxies = proxies.expect("populate");
        assert_eq!((proxies.len(), proxies[0].proxy_pack.name.as_str()), (1, "socket"));
    }

    fn proxy(&self) -> Proxy {
        self.client.find_proxy("socket").expect("the proxy")
    }

    /// The toxics by name, read again.
    fn toxics(&self) -> Vec<String> {
        self.proxy().toxics().expect("toxics").into_iter().map(|toxic| toxic.name).collect()
    }

    /// A word through the proxy and back, and how long that took.
    fn exchange(&self) -> std::io::Result<(String, Duration)> {
        let begun = Instant::now();
        let mut client = TcpStream::connect(self.proxy().proxy_pack.listen)?;
        client.set_read_timeout(Some(Duration::from_secs(10)))?;
        let (mut server, _) = self.upstream.accept()?;
        server.set_read_timeout(Some(Duration::from_secs(10)))?;
        client.write_all(b"hello")?;
        let mut word = [0; 5];
        server.read_exact(&mut word)?;
        server.write_all(b"byebye")?;
        drop(server);
        let mut answer = String::new();
        client.read_to_string(&mut answer)?;
        Ok((answer, begun.elapsed()))
    }
}

#[test]
fn a_proxy_is_found_and_populating_again_changes_nothing() {
    each("a_proxy_is_found_and_populating_again_changes_nothing", |bench| {
        bench.populate();
        assert_eq!(bench.client.all().map(|all| all.len()), Ok(1));
        assert!(bench.client.version().is_ok_and(|version| version.contains("version")));
        let found = bench.client.find_and_reset_proxy("socket").map(|proxy| proxy.proxy_pack.name);
        assert_eq!(found, Ok("socket".to_owned()));
        assert!(bench.client.find_and_reset_proxy("bad-proxy").is_err());
    });
}

#[test]
fn down_is_down_for_as_long_as_the_closure_runs() {
    each("down_is_down_for_as_long_as_the_closure_runs", |bench| {
        let down = bench.proxy().with_down(|| {
            let proxy = bench.proxy();
            assert!(!proxy.proxy_pack.enabled);
            let refused = TcpStream::connect(&proxy.proxy_pack.listen).map_err(|why| why.kind());
            assert_eq!(refused.err(), Some(std::io::ErrorKind::ConnectionRefused));
            // Its own flow: a find and reset enables it again.
            let reset = bench.client.find_and_reset_proxy("socket").expect("a reset");
            assert!(!reset.proxy_pack.enabled, "as it was found");
            assert!(bench.proxy().proxy_pack.enabled);
        });
        assert_eq!(down, Ok(()));
        assert!(bench.proxy().proxy_pack.enabled);
        assert_eq!(bench.exchange().map(|(answer, _)| answer).ok().as_deref(), Some("byebye"));
    });
}

#[test]
fn latency_is_there_while_applied_and_gone_after() {
    each("latency_is_there_while_applied_and_gone_after", |bench| {
        assert!(bench.toxics().is_empty());
        let applied = bench.proxy().with_latency("downstream".into(), 600, 0, 1.0).apply(|| {
            assert_eq!(bench.toxics(), ["latency_downstream"]);
            let all = bench.client.all().expect("all");
            assert_eq!(all["socket"].toxics().map(|toxics| toxics.len()), Ok(1));
            let (answer, took) = bench.exchange().expect("an exchange");
            assert_eq!(answer, "byebye");
            assert!(took >= Duration::from_millis(600), "{took:?}");
        });
        assert_eq!(applied, Ok(()));
        assert!(bench.toxics().is_empty());
    });
}

#[test]
fn every_toxic_of_the_client_is_created_as_asked() {
    each("every_toxic_of_the_client_is_created_as_asked", |bench| {
        let proxy = bench.proxy();
        proxy
            .with_latency("upstream".into(), 7, 3, 0.5)
            .with_bandwidth("downstream".into(), 32, 0.5)
            .with_slow_close("downstream".into(), 5, 1.0)
            .with_timeout("downstream".into(), 5000, 0.0)
            .with_slicer("downstream".into(), 2048, 128, 0, 0.8)
            .with_limit_data("downstream".into(), 2048, 1.0);
        let toxics = proxy.toxics().expect("toxics");
        let named: Vec<_> = toxics.iter().map(|toxic| toxic.name.as_str()).collect();
        let expected = [
            "latency_upstream",
            "bandwidth_downstream",
            "slow_close_downstream",
            "timeout_downstream",
            "slicer_downstream",
            "limit_data_downstream",
        ];
        assert_eq!(named, expected);
        assert_eq!((toxics[0].attributes["latency"], toxics[0].attributes["jitter"]), (7, 3));
        assert_eq!((toxics[0].stream.as_str(), toxics[0].toxicity), ("upstream", 0.5));
        assert_eq!(toxics[4].attributes.len(), 3);
        assert_eq!(bench.client.reset(), Ok(()));
        assert!(bench.toxics().is_empty());
    });
}

#[test]
fn data_is_limited_and_a_deleted_proxy_is_gone() {
    each("data_is_limited_and_a_deleted_proxy_is_gone", |bench| {
        let limited = bench.proxy().with_limit_data("downstream".into(), 3, 1.0).apply(|| {
            assert_eq!(bench.exchange().map(|(answer, _)| answer).ok().as_deref(), Some("bye"));
        });
        assert_eq!(limited, Ok(()));
        assert_eq!(bench.proxy().delete(), Ok(()));
        assert!(bench.client.find_proxy("socket").is_err());
        assert_eq!(bench.client.all().map(|all| all.len()), Ok(0));
    });
}
