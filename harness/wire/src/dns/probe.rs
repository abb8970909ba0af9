//! Our own look at the name server: what a resolver would be told now, and whether dead addresses are dead.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use gatecrash_core::faults::DnsReply;
use hickory_proto::op::{Message, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use super::zone::probe_name;

/// How long a probe waits before it calls the silence an answer.
const PROBE: Duration = Duration::from_millis(300);

/// What a question for a region's addresses was answered with; `None` for a probe that could not be sent or read.
pub(super) async fn ask(server: SocketAddr, region: &str) -> Option<DnsReply> {
    look_up(server, &probe_name(region), PROBE).await
}

/// What a name server says about the IPv4 addresses of a name, over UDP; `None` when the question could not be sent, or
/// the answer is none of these.
pub async fn look_up(server: SocketAddr, name: &str, patience: Duration) -> Option<DnsReply> {
    let mut question = Message::query();
    question.metadata.recursion_desired = true;
    let name = Name::from_ascii(format!("{}.", name.trim_end_matches('.'))).ok()?;
    question.add_query(Query::query(name, RecordType::A));
    let from = match server {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(from).await.ok()?;
    socket.connect(server).await.ok()?;
    socket.send(&question.to_vec().ok()?).await.ok()?;
    let mut buffer = [0; 4096];
    let answered = timeout(patience, async {
        loop {
            let length = socket.recv(&mut buffer).await.ok()?;
            let answer = Message::from_vec(&buffer[..length]).ok()?;
            if answer.metadata.id == question.metadata.id {
                return Some(answer);
            }
        }
    });
    match answered.await {
        Err(_) => Some(DnsReply::Silence),
        Ok(answer) => read(&answer?),
    }
}

fn read(answer: &Message) -> Option<DnsReply> {
    match answer.metadata.response_code {
        ResponseCode::NXDomain => Some(DnsReply::NoSuchName),
        ResponseCode::ServFail | ResponseCode::Refused => Some(DnsReply::ServerFailure),
        ResponseCode::NoError => {
            let ttl = answer.answers.first().map_or(0, |record| record.ttl);
            let address = |data: &RData| if let RData::A(a) = data { Some(a.0) } else { None };
            let addresses = answer.answers.iter().filter_map(|record| address(&record.data)).collect();
            Some(DnsReply::Addresses { addresses, ttl })
        }
        _ => None,
    }
}

/// Whether what was seen is what is meant, in whatever order.
pub(super) fn agrees(seen: &Option<DnsReply>, meant: &DnsReply) -> bool {
    match (seen, meant) {
        (
            Some(DnsReply::Addresses { addresses: seen, ttl }),
            DnsReply::Addresses { addresses: meant, ttl: wanted },
        ) => {
            let sorted = |list: &[Ipv4Addr]| {
                let mut list = list.to_vec();
                list.sort();
                list
            };
            sorted(seen) == sorted(meant) && (seen.is_empty() || ttl == wanted)
        }
        (Some(seen), meant) => seen == meant,
        (None, _) => false,
    }
}

/// Whether the answer holds addresses of no endpoint, all of which refuse connections.
pub(super) async fn some_are_dead(reply: &DnsReply, port: u16, live: &[Ipv4Addr]) -> bool {
    let DnsReply::Addresses { addresses, .. } = reply else { return false };
    let dead: Vec<_> = addresses.iter().filter(|address| !live.contains(address)).collect();
    for address in &dead {
        let answer = timeout(PROBE, TcpStream::connect((**address, port))).await;
        if !matches!(answer, Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused) {
            return false;
        }
    }
    !dead.is_empty()
}
