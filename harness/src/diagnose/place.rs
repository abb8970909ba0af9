//! Everything that is looked at in one place: its name, its addresses, reads one by one, on kept connections, and side
//! by side.

use std::mem::discriminant;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use gatecrash_core::diagnose::{NameReply, Naming, Outcome, Place, Probe, Sample};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::exchange::{Connection, Request};
use super::{Course, Seen, Site, dial, milliseconds, names};

/// Look-ups, and connections to each address.
const TIMES: usize = 3;
/// Addresses that are looked at.
const MOST_ADDRESSES: usize = 8;
/// Reads under way at a time.
const ABREAST: usize = 4;
/// Reads in a row that ended alike and badly, after which nothing new is to be learned.
const CONSTANT: usize = 8;
/// Pauses between the requests on a kept connection.
const PAUSES: [Duration; 4] =
    [Duration::ZERO, Duration::ZERO, Duration::from_millis(100), Duration::from_millis(400)];

/// Looks at one place until everything was seen, or the time is up.
pub(super) async fn look(site: &Site, course: &Course, deadline: Instant) -> Seen {
    let mut seen = Seen::default();
    let addresses = addresses(site, course, &mut seen).await;
    if addresses.is_empty() {
        let sample = sample(site, Probe::Get, "", Outcome::NoAddress, Instant::now());
        seen.samples = vec![sample; TIMES];
        return seen;
    }
    let mut dials = JoinSet::new();
    for address in addresses.iter().take(MOST_ADDRESSES).flat_map(|a| [*a; TIMES]) {
        let (place, patience) = (site.place, course.patience);
        dials.spawn(async move { dial::dial(place, address, patience).await });
    }
    seen.dials = dials.join_all().await;
    seen.dials.sort_by(|a, b| a.address.cmp(&b.address));

    if !site.object.is_empty() {
        reads(site, course, &addresses, deadline, &mut seen.samples).await;
    }
    let good = seen.samples.iter().filter(|s| s.is_good()).count();
    let ours = matches!(site.place, Place::Gateway | Place::Endpoint);
    if ours && good > 0 && Instant::now() < deadline {
        kept(site, course, addresses[0], &mut seen.samples).await;
    }
    if (good > 0 || !ours) && Instant::now() < deadline {
        for index in 0..TIMES {
            seen.samples.push(one(site, course, addresses[index % addresses.len()], Probe::List).await);
            if site.object.is_empty() {
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
    // A gateway that is short of something fails some of the others already.
    let least = if site.place == Place::Gateway { 3 } else { 7 };
    if ours && good * 10 >= seen.samples.len() * least && Instant::now() < deadline {
        let burst = (0..course.burst).map(|i| (Probe::Burst, addresses[i % addresses.len()]));
        seen.samples.extend(abreast(site, course, burst.collect()).await);
    }
    seen
}

async fn addresses(site: &Site, course: &Course, seen: &mut Seen) -> Vec<SocketAddr> {
    if let Some(ip) = site.url.address() {
        return vec![SocketAddr::new(ip, site.url.port)];
    }
    let mut all: Vec<SocketAddr> = Vec::new();
    for _ in 0..TIMES {
        let reply = names::resolve(&site.url.host, course.resolver, course.patience).await;
        if let NameReply::Addresses(found) = &reply {
            let found = found.iter().filter_map(|ip| ip.parse::<IpAddr>().ok());
            for address in found.map(|ip| SocketAddr::new(ip, site.url.port)) {
                if !all.contains(&address) {
                    all.push(address);
                }
            }
        }
        seen.names.push(Naming { place: site.place, name: site.url.host.clone(), reply });
    }
    all
}

/// Reads on new connections, by GET, and now and then by HEAD.
async fn reads(
    site: &Site,
    course: &Course,
    addresses: &[SocketAddr],
    deadline: Instant,
    into: &mut Vec<Sample>,
) {
    let mut asked = 0;
    while asked < course.repeat && Instant::now() < deadline {
        let turn =
            (asked..course.repeat.min(asked + ABREAST)).map(|i| (Probe::Get, addresses[i % addresses.len()]));
        let mut turn: Vec<_> = turn.collect();
        asked += turn.len();
        if asked % (2 * ABREAST) == ABREAST {
            turn.push((Probe::Head, addresses[0]));
        }
        into.extend(abreast(site, course, turn).await);
        let gets: Vec<_> = into.iter().filter(|s| s.probe == Probe::Get).collect();
        let last = gets.len().checked_sub(CONSTANT).map(|from| &gets[from..]);
        if let Some([first, others @ ..]) = last
            && !first.is_good()
            && others.iter().all(|s| !s.is_good() && discriminant(&s.outcome) == discriminant(&first.outcome))
            && addresses.len() == 1
        {
            return;
        }
    }
}

/// A few series on kept connections.
async fn kept(site: &Site, course: &Course, address: SocketAddr, into: &mut Vec<Sample>) {
    for _ in 0..TIMES {
        let Ok(mut connection) = Connection::open(&site.url, address, &course.roots, course.patience).await
        else {
            continue;
        };
        let mut reused = false;
        for pause in PAUSES {
            sleep(pause).await;
            let started = Instant::now();
            let outcome = connection.exchange(&request(site, Probe::Get), course.patience).await;
            into.push(Sample { reused, ..sample(site, Probe::Get, &address.to_string(), outcome, started) });
            reused = true;
            if !connection.is_open {
                break;
            }
        }
    }
}

async fn abreast(site: &Site, course: &Course, probes: Vec<(Probe, SocketAddr)>) -> Vec<Sample> {
    let mut under_way = JoinSet::new();
    for (probe, address) in probes {
        let (site, course) = (site.clone(), course.clone());
        under_way.spawn(async move { one(&site, &course, address, probe).await });
    }
    under_way.join_all().await
}

/// One request on a connection of its own.
async fn one(site: &Site, course: &Course, address: SocketAddr, probe: Probe) -> Sample {
    let started = Instant::now();
    let outcome = match Connection::open(&site.url, address, &course.roots, course.patience).await {
        Ok(mut connection) => connection.exchange(&request(site, probe), course.patience).await,
        Err(outcome) => outcome,
    };
    sample(site, probe, &address.to_string(), outcome, started)
}

fn sample(site: &Site, probe: Probe, address: &str, outcome: Outcome, started: Instant) -> Sample {
    let took = milliseconds(started.elapsed());
    Sample { place: site.place, probe, reused: false, address: address.to_owned(), outcome, took }
}

fn request(site: &Site, probe: Probe) -> Request {
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    let (method, path, query) = match (probe, &site.list) {
        (Probe::List, Some((path, query))) => ("GET", path.as_str(), query.as_str()),
        (Probe::Head, _) => ("HEAD", site.object.as_str(), ""),
        _ => ("GET", site.object.as_str(), ""),
    };
    let host = site.url.authority();
    let signed = site.signer.as_ref().map(|signer| signer.sign_bodyless(method, &host, path, query, now));
    let mark = if query.is_empty() { "" } else { "?" };
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        "{method} {path}{mark}{query} HTTP/1.1\r\nhost: {host}\r\nuser-agent: gatecrash-diagnose/{version}\r\n\
         accept: */*\r\n{}\r\n",
        signed.unwrap_or_default()
    );
    Request { head: head.into_bytes(), is_head: method == "HEAD", now }
}
