//! The sockets of the name server: one UDP, one TCP, on one port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

use gatecrash_core::faults::Dns;
use gatecrash_model::Clock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::probe;
use super::zone::{NamedRegion, Transport, Zone};

/// Connections served at a time; others wait.
const MOST_CONNECTIONS: usize = 64;
/// How long a connection may be silent, or block an answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Tries to find a port that is free for UDP and TCP.
const TRIES: usize = 20;

/// A running name server. Dropped, it ends as soon as its runtime lets it.
#[derive(Debug)]
pub struct NameServer {
    addr: SocketAddr,
    zone: Arc<Zone>,
    clock: Doors,
    /// Port that the endpoints share.
    port: u16,
    tasks: [JoinHandle<()>; 2],
}

/// The clock, which has no debug form of its own.
#[derive(Clone)]
struct Doors(Arc<dyn Clock>);

impl NameServer {
    /// Binds a free port of this loopback address and begins to answer. `port` is the one all addresses of the
    /// regions share; with it, addresses that nobody serves are confirmed to be so.
    pub async fn start(
        ip: Ipv4Addr,
        regions: Vec<NamedRegion>,
        port: u16,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let (udp, tcp) = bind(ip).await?;
        let addr = udp.local_addr()?;
        let zone = Arc::new(Zone::new(regions));
        let clock = Doors(clock);
        let tasks = [
            tokio::spawn(answer_datagrams(udp, Arc::clone(&zone), clock.clone())),
            tokio::spawn(answer_connections(tcp, Arc::clone(&zone), clock.clone())),
        ];
        Ok(Self { addr, zone, clock, port, tasks })
    }

    /// Where it answers, over UDP and TCP.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Puts a fault in force for one region (by index) or for all; returns whether our own queries met it.
    pub async fn switch_on(&self, fault: u16, dns: &Dns, region: Option<usize>) -> bool {
        self.zone.switch_on(fault, dns.clone(), region, self.clock.0.now());
        let dead = dns.points_nowhere().then_some(self.port);
        self.confirm(region, dead).await
    }

    /// Takes a fault back; returns whether our own queries no longer meet it.
    pub async fn switch_off(&self, fault: u16, region: Option<usize>) -> bool {
        self.zone.switch_off(fault);
        self.confirm(region, None).await
    }

    /// How many queries of others than us a fault has answered (or left unanswered) since it was switched on;
    /// `None` while it is not in force.
    pub fn asked_under(&self, fault: u16) -> Option<u64> {
        self.zone.asked_under(fault)
    }

    /// Stops answering; its port is free when this returns.
    pub async fn stop(mut self) {
        for task in &mut self.tasks {
            task.abort();
            // Cancelled, as asked.
            _ = task.await;
        }
    }

    async fn confirm(&self, region: Option<usize>, dead: Option<u16>) -> bool {
        for (index, named) in self.zone.regions().enumerate() {
            if region.is_some_and(|only| only != index) {
                continue;
            }
            let before = self.zone.reply(index, self.clock.0.now());
            let seen = probe::ask(self.addr, &named.name).await;
            let after = self.zone.reply(index, self.clock.0.now());
            if !probe::agrees(&seen, &before) && !probe::agrees(&seen, &after) {
                return false;
            }
            if let Some(port) = dead
                && !probe::some_are_dead(&before, port, &named.addresses).await
            {
                return false;
            }
        }
        true
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl std::fmt::Debug for Doors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Clock")
    }
}

/// One port for both; the system chooses it.
async fn bind(ip: Ipv4Addr) -> io::Result<(UdpSocket, TcpListener)> {
    let mut last = io::Error::other("no port is free for both UDP and TCP");
    for _ in 0..TRIES {
        let tcp = TcpListener::bind(SocketAddrV4::new(ip, 0)).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn answer_datagrams(udp: UdpSocket, zone: Arc<Zone>, clock: Doors) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        match udp.recv_from(&mut buffer).await {
            Ok((length, peer)) => {
                if let Some(answer) = zone.answer(&buffer[..length], Transport::Udp, clock.0.now()) {
                    // An asker that is gone needs no answer.
                    _ = udp.send_to(&answer, peer).await;
                }
            }
            // An ICMP error about an earlier answer, or no memory: the next one may do better.
            Err(_) => sleep(Duration::from_millis(1)).await,
        }
    }
}

async fn answer_connections(tcp: TcpListener, zone: Arc<Zone>, clock: Doors) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        while connections.try_join_next().is_some() {}
        match tcp.accept().await {
            Ok((stream, _)) => {
                let (zone, clock) = (Arc::clone(&zone), clock.clone());
                connections.spawn(async move {
                    let _place = place;
                    // A connection that breaks is the asker's business.
                    _ = converse(stream, &zone, &clock).await;
                });
            }
            Err(_) => sleep(Duration::from_millis(10)).await,
        }
    }
}

/// Messages with their length before them (RFC 1035 4.2.2), until the other side ends or is silent.
async fn converse(mut stream: TcpStream, zone: &Zone, clock: &Doors) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let question = timeout(PATIENCE, async {
            let length = stream.read_u16().await?;
            let mut question = vec![0; usize::from(length)];
            stream.read_exact(&mut question).await?;
            io::Result::Ok(question)
        });
        let question = question.await??;
        let Some(mut answer) = zone.answer(&question, Transport::Tcp, clock.0.now()) else { continue };
        let Ok(length) = u16::try_from(answer.len()) else { continue };
        answer.splice(0..0, length.to_be_bytes());
        timeout(PATIENCE, stream.write_all(&answer)).await??;
    }
}
