//! What the gateway tests share: a small plan, an upstream that answers by script, a raw client, patience.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use gatecrash::gateway::{Endpoint, Gateway, GatewayCredentials, GatewayError, Launch, launch};
use gatecrash_core::faults::FaultSpec;
use gatecrash_core::plan::{BucketPlan, FaultPlan, GatewayPlan, GuardsPlan, Per, Plan, RegionPlan, SizePlan};
use gatecrash_core::rules::{Matcher, Trigger};
use gatecrash_core::units::{Share, Size, Span};

/// The binary under test, which is also the supervisor.
pub fn executable() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_gatecrash"))
}

/// Whether a gateway's program is here; says so by name when it is not.
pub fn installed(program: &str) -> bool {
    let [dirs, further] =
        ["PATH", "GATECRASH_PROGRAMS"].map(|name| std::env::var_os(name).unwrap_or_default());
    let found = std::env::split_paths(&dirs)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(Into::into))
        .chain(std::env::split_paths(&further))
        .any(|dir| dir.join(program).is_file());
    if !found {
        eprintln!("skipped: {program} not installed");
    }
    found
}

pub fn recipe(name: &str, params: &[(&str, &str)]) -> GatewayPlan {
    let params = params.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    GatewayPlan::Recipe { name: name.into(), version: None, params }
}

pub fn command(run: &[&str]) -> GatewayPlan {
    GatewayPlan::Command {
        run: run.iter().map(|word| (*word).to_owned()).collect(),
        template: None,
        env: BTreeMap::new(),
        ready_path: "/".into(),
        ready_within: Span::seconds(10),
        stop_signal: "TERM".into(),
        stop_within: Span::seconds(2),
    }
}

/// A plan with these endpoints and one bucket, `media`.
pub fn plan(gateway: GatewayPlan, endpoints: &[Endpoint]) -> Plan {
    let mut regions: Vec<RegionPlan> = Vec::new();
    for endpoint in endpoints {
        match regions.iter_mut().find(|region| region.name == endpoint.region) {
            Some(region) => region.endpoints += 1,
            None => regions.push(RegionPlan {
                name: endpoint.region.clone(),
                primary: endpoint.primary,
                endpoints: 1,
                latency: None,
                http2: false,
                tls: None,
                profile: None,
                toxiproxy: None,
            }),
        }
    }
    let media = BucketPlan {
        name: "media".into(),
        regions: regions.iter().map(|region| (region.name.clone(), "media".into())).collect(),
        public: true,
        policy: None,
        replication: None,
        objects: 1,
        key: "o/{n}".into(),
        size: SizePlan::Fixed(Size(8)),
        cache_control: None,
        change_every: None,
        listed: None,
    };
    Plan {
        name: "gateway-test".into(),
        about: String::new(),
        case: String::new(),
        tags: Vec::new(),
        source: "gateway-test.yaml".into(),
        seed: 1,
        gateway,
        regions,
        buckets: vec![media],
        identities: Vec::new(),
        workloads: Vec::new(),
        phases: Vec::new(),
        faults: Vec::new(),
        expectations: Vec::new(),
        guards: GuardsPlan {
            deadline: Span::seconds(60),
            max_lag_p99: Span::millis(50),
            max_dropped: Share(0.0),
            max_cpu: Share(0.85),
            min_achieved: Share(0.99),
            fault_fired: true,
        },
        capacity: None,
    }
}

/// A fault on everything for the first second.
pub fn fault(name: &str, spec: FaultSpec) -> FaultPlan {
    FaultPlan {
        name: name.into(),
        spec,
        matcher: Matcher::default(),
        region: None,
        endpoint: None,
        probability: Share(1.0),
        per: Per::Attempt,
        limit: None,
        trigger: Trigger::default(),
        side: Default::default(),
        from: Span(0),
        until: Span::seconds(1),
        line: 1,
    }
}

pub async fn start(plan: &Plan, endpoints: &[Endpoint], dir: &Path) -> Result<Gateway, GatewayError> {
    start_with(plan, endpoints, dir, None).await
}

/// The same for a gateway that may sign.
pub async fn start_with(
    plan: &Plan,
    endpoints: &[Endpoint],
    dir: &Path,
    credentials: Option<GatewayCredentials>,
) -> Result<Gateway, GatewayError> {
    let executable = executable();
    let (resolver, planted) = (None, "planted-7f3a");
    launch(Launch {
        plan,
        endpoints,
        resolver,
        tls: None,
        front: None,
        dir,
        executable,
        credentials,
        planted,
    })
    .await
}

/// What an upstream does with every request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Script {
    /// Answers 200 with its name as the body, and keeps the connection.
    Answer,
    /// Answers with this status and no body, and keeps the connection.
    Status(u16),
    /// Closes without an answer.
    Close,
}

/// An upstream on its own loopback address.
pub struct Upstream {
    pub endpoint: Endpoint,
    script: Arc<Mutex<Script>>,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Upstream {
    pub fn start(region: &str, number: u16, primary: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let endpoint = Endpoint { region: region.into(), number, addr, primary };
        let upstream = Self { endpoint, script: Arc::new(Mutex::new(Script::Answer)), heads: Arc::default() };
        let name = format!("{region}/{number}");
        let (script, heads) = (upstream.script.clone(), upstream.heads.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (script, heads, name) = (script.clone(), heads.clone(), name.clone());
                std::thread::spawn(move || serve(stream, &script, &heads, &name));
            }
        });
        upstream
    }

    pub fn set(&self, script: Script) {
        *self.script.lock().unwrap() = script;
    }

    /// Heads of the requests seen since the last call, health checks left out.
    pub fn take(&self) -> Vec<String> {
        let mut heads = std::mem::take(&mut *self.heads.lock().unwrap());
        heads.retain(|head| !head.contains("-check") && !head.contains("gatecrash-ready"));
        heads
    }
}

fn serve(mut stream: TcpStream, script: &Mutex<Script>, heads: &Mutex<Vec<String>>, name: &str) {
    let mut buffer = Vec::new();
    loop {
        let Some(end) = buffer.windows(4).position(|w| w == b"\r\n\r\n") else {
            let mut part = [0; 4096];
            match stream.read(&mut part) {
                Ok(0) | Err(_) => return,
                Ok(n) => buffer.extend_from_slice(&part[..n]),
            }
            continue;
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        buffer.drain(..end + 4);
        heads.lock().unwrap().push(head);
        let script = *script.lock().unwrap();
        let answer = match script {
            Script::Answer => format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{name}", name.len()),
            Script::Status(status) => format!("HTTP/1.1 {status} Scripted\r\nContent-Length: 0\r\n\r\n"),
            Script::Close => return,
        };
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// One request on a fresh connection: status and body.
pub fn request(addr: SocketAddr, method: &str, path: &str) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let length = if method == "GET" { "" } else { "Content-Length: 0\r\n" };
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: s3.test\r\nx-gatecrash-id: 9f2c41aa-0-1\r\n{length}\
         Connection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = text.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    Ok((status, body))
}

pub fn get(addr: SocketAddr, path: &str) -> (u16, String) {
    request(addr, "GET", path).unwrap()
}

/// Tries again until it holds; patient, since other tests share the machine.
pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < deadline, "not within 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process is there and no zombie.
pub fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .ok()
        .and_then(|stat| stat.rsplit_once(") ").map(|(_, rest)| !rest.starts_with('Z')))
        .unwrap_or(false)
}
