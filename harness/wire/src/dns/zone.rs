//! What is answered: names of regions, their addresses in turn, and the fault in force for each.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use gatecrash_core::faults::{DNS_TTL, Dns, DnsReply};
use gatecrash_model::Nanos;
use hickory_proto::op::{Edns, Message, MessageType, Metadata, OpCode, ResponseCode};
use hickory_proto::rr::rdata::{A, SOA};
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};

/// Zones this server speaks for.
const ZONES: [&str; 2] = ["gatecrash.test", "amazonaws.com"];
/// Longest answer over UDP without EDNS (RFC 1035 4.2.1).
const PLAIN_UDP: usize = 512;
/// Longest answer over UDP that is sent with EDNS (RFC 6891 6.2.5; the size that DNS flag day 2020 settled on).
const EDNS_UDP: u16 = 1232;
/// First label of our own probes, whose queries are not counted.
const PROBE_LABEL: &str = "gatecrash-probe";

/// A region and the addresses of its endpoints.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NamedRegion {
    /// Region name, such as `us-east-1`.
    pub name: String,
    /// One address for each endpoint, in order.
    pub addresses: Vec<Ipv4Addr>,
}

/// The name of a region for gateways. `s3.<region>.amazonaws.com` and every name below either means the same.
pub fn host_name(region: &str) -> String {
    format!("{region}.{}", ZONES[0])
}

/// The name under which a probe asks for a region.
pub(super) fn probe_name(region: &str) -> String {
    format!("{PROBE_LABEL}.{}", host_name(region))
}

/// The dead counterpart of an endpoint's address: nobody ever listens there.
pub(super) fn gone(live: Ipv4Addr) -> Ipv4Addr {
    let [a, b, c, d] = live.octets();
    Ipv4Addr::new(a, b, c.wrapping_add(1), d)
}

/// How a question came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

/// All names, and the faults in force.
#[derive(Debug)]
pub(super) struct Zone {
    regions: Vec<Served>,
    faults: Mutex<Vec<InForce>>,
}

#[derive(Debug)]
struct Served {
    region: NamedRegion,
    gone: Vec<Ipv4Addr>,
    /// Answers given: each begins with the next address.
    turn: AtomicU64,
}

#[derive(Debug)]
struct InForce {
    fault: u16,
    dns: Dns,
    region: Option<usize>,
    since: Nanos,
    asked: u64,
}

// === impl Zone ===

impl Zone {
    pub(super) fn new(regions: Vec<NamedRegion>) -> Self {
        let served = |region: NamedRegion| Served {
            gone: region.addresses.iter().copied().map(gone).collect(),
            region,
            turn: AtomicU64::new(0),
        };
        Self { regions: regions.into_iter().map(served).collect(), faults: Mutex::default() }
    }

    /// The regions, in order.
    pub(super) fn regions(&self) -> impl Iterator<Item = &NamedRegion> {
        self.regions.iter().map(|served| &served.region)
    }

    /// Puts a fault in force, for one region or for all.
    pub(super) fn switch_on(&self, fault: u16, dns: Dns, region: Option<usize>, now: Nanos) {
        self.faults().push(InForce { fault, dns, region, since: now, asked: 0 });
    }

    /// Takes a fault back.
    pub(super) fn switch_off(&self, fault: u16) {
        self.faults().retain(|f| f.fault != fault);
    }

    /// How many questions a fault in force has met, our probes left out.
    pub(super) fn asked_under(&self, fault: u16) -> Option<u64> {
        self.faults().iter().find(|f| f.fault == fault).map(|f| f.asked)
    }

    /// What is answered about a region's addresses now: as the latest fault for it says.
    pub(super) fn reply(&self, region: usize, now: Nanos) -> DnsReply {
        self.decide(region, now, false)
    }

    fn decide(&self, index: usize, now: Nanos, counted: bool) -> DnsReply {
        let served = &self.regions[index];
        let mut faults = self.faults();
        match faults.iter_mut().rev().find(|f| f.region.is_none_or(|r| r == index)) {
            Some(force) => {
                force.asked += u64::from(counted);
                force.dns.reply(&served.region.addresses, &served.gone, now.saturating_sub(force.since))
            }
            None => DnsReply::Addresses { addresses: served.region.addresses.clone(), ttl: DNS_TTL },
        }
    }

    fn faults(&self) -> MutexGuard<'_, Vec<InForce>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer to a message, if it gets one.
    pub(super) fn answer(&self, bytes: &[u8], transport: Transport, now: Nanos) -> Option<Vec<u8>> {
        let question = match Message::from_vec(bytes) {
            Ok(message) if message.metadata.message_type == MessageType::Response => return None,
            Ok(message) => message,
            Err(_) => return malformed(bytes),
        };
        let mut answer = Message::new(question.metadata.id, MessageType::Response, question.metadata.op_code);
        answer.metadata = Metadata::response_from_request(&question.metadata);
        answer.add_queries(question.queries.iter().cloned());
        if question.edns.is_some() {
            let mut edns = Edns::new();
            edns.set_max_payload(EDNS_UDP).set_version(0);
            answer.set_edns(edns);
        }
        self.fill(&question, &mut answer, now)?;
        let most = match (transport, question.edns) {
            (Transport::Tcp, _) => usize::from(u16::MAX),
            (Transport::Udp, None) => PLAIN_UDP,
            (Transport::Udp, Some(edns)) => usize::from(edns.max_payload().min(EDNS_UDP)).max(PLAIN_UDP),
        };
        match answer.to_vec() {
            Ok(bytes) if bytes.len() > most => answer.truncate().to_vec().ok(),
            whole => whole.ok(),
        }
    }

    /// Fills in code and records; `None` for silence.
    fn fill(&self, question: &Message, answer: &mut Message, now: Nanos) -> Option<()> {
        let refuse = |answer: &mut Message, code| {
            answer.metadata.response_code = code;
            Some(())
        };
        if question.metadata.op_code != OpCode::Query {
            return refuse(answer, ResponseCode::NotImp);
        }
        if question.edns.as_ref().is_some_and(|edns| edns.version() > 0) {
            return refuse(answer, ResponseCode::BADVERS);
        }
        let [query] = question.queries.as_slice() else { return refuse(answer, ResponseCode::FormErr) };
        let name = query.name().to_lowercase().to_ascii();
        let name = name.trim_end_matches('.');
        let Some(zone) = ZONES.into_iter().find(|zone| is_at_or_below(name, zone)) else {
            return refuse(answer, ResponseCode::Refused);
        };
        if query.query_class() != DNSClass::IN {
            return refuse(answer, ResponseCode::Refused);
        }
        answer.metadata.authoritative = true;
        let soa = start_of_authority(zone);
        if name == zone {
            match query.query_type() {
                RecordType::SOA | RecordType::ANY => answer.answers.extend(soa),
                _ => answer.authorities.extend(soa),
            }
            return Some(());
        }
        let Some(index) = self.regions.iter().position(|served| served.is_called(name)) else {
            answer.metadata.response_code = ResponseCode::NXDomain;
            answer.authorities.extend(soa);
            return Some(());
        };
        let counted = !name.starts_with(PROBE_LABEL);
        match self.decide(index, now, counted) {
            DnsReply::Silence => return None,
            DnsReply::ServerFailure => {
                answer.metadata.authoritative = false;
                answer.metadata.response_code = ResponseCode::ServFail;
            }
            DnsReply::NoSuchName => {
                answer.metadata.response_code = ResponseCode::NXDomain;
                answer.authorities.extend(soa);
            }
            DnsReply::Addresses { mut addresses, ttl } => {
                if !matches!(query.query_type(), RecordType::A | RecordType::ANY) {
                    addresses.clear();
                }
                if addresses.is_empty() {
                    answer.authorities.extend(soa);
                } else {
                    let turn = self.regions[index].turn.fetch_add(1, Ordering::Relaxed);
                    let by = (turn % addresses.len() as u64) as usize;
                    addresses.rotate_left(by);
                }
                let record = |address| Record::from_rdata(query.name().clone(), ttl, RData::A(A(address)));
                answer.answers.extend(addresses.into_iter().map(record));
            }
        }
        Some(())
    }
}

// === impl Served ===

impl Served {
    fn is_called(&self, name: &str) -> bool {
        let region = &self.region.name;
        is_at_or_below(name, &host_name(region)) || is_at_or_below(name, &format!("s3.{region}.{}", ZONES[1]))
    }
}

fn is_at_or_below(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The SOA record of a zone, which lets negative answers be kept as long as others (RFC 2308).
fn start_of_authority(zone: &str) -> Option<Record> {
    let name = Name::from_ascii(format!("{zone}.")).ok()?;
    let server = Name::from_ascii(format!("ns.{zone}.")).ok()?;
    let contact = Name::from_ascii(format!("hostmaster.{zone}.")).ok()?;
    let soa = SOA::new(server, contact, 1, 3600, 600, 86400, DNS_TTL);
    Some(Record::from_rdata(name, DNS_TTL, RData::SOA(soa)))
}

/// FORMERR for a message that has at least the header of a query.
fn malformed(bytes: &[u8]) -> Option<Vec<u8>> {
    let [high, low, flags, ..] = *bytes else { return None };
    let is_query = flags & 0x80 == 0;
    let error = Message::error_msg(u16::from_be_bytes([high, low]), OpCode::Query, ResponseCode::FormErr);
    (is_query && bytes.len() >= 12).then(|| error.to_vec().ok()).flatten()
}
