//! Released products as real processes under their recipes: nginx, HAProxy, Envoy and Traefik in detail, the others in
//! one walk.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, unreachable_pub, reason = "shared by several test programs")]
mod gateway_support;

use gatecrash::gateway::{Endpoint, Gateway, GatewayCredentials, RECIPES, Recipe};
use gatecrash_core::faults::Misconfigure;
use gatecrash_core::plan::Plan;
use gateway_support::{
    Script, Upstream, alive, eventually, get, installed, plan, recipe, request, start_with,
};
use tempfile::TempDir;

struct Setup {
    gateway: Gateway,
    upstreams: Vec<Upstream>,
    dir: TempDir,
}

impl Setup {
    async fn new(name: &str, params: &[(&str, &str)], upstreams: Vec<Upstream>) -> Self {
        let endpoints: Vec<Endpoint> = upstreams.iter().map(|u| u.endpoint.clone()).collect();
        let plan: Plan = plan(recipe(name, params), &endpoints);
        let dir = tempfile::tempdir().unwrap();
        let credentials = GatewayCredentials { access_key: "AKIATEST".into(), secret_key: "secret".into() };
        let gateway = start_with(&plan, &endpoints, dir.path(), Some(credentials)).await;
        let gateway = gateway.unwrap_or_else(|e| panic!("{e}"));
        Self { gateway, upstreams, dir }
    }

    async fn primaries(name: &str, params: &[(&str, &str)], count: u16) -> Self {
        Self::new(name, params, (1..=count).map(|n| Upstream::start("us-east-1", n, true)).collect()).await
    }

    fn status(&self) -> u16 {
        get(self.gateway.addr(), "/media/o/1").0
    }

    /// The heads that the upstreams saw since the last look, in lower case.
    fn heads(&self) -> Vec<String> {
        self.upstreams.iter().flat_map(Upstream::take).map(|head| head.to_ascii_lowercase()).collect()
    }

    fn attempts(&self) -> usize {
        self.upstreams.iter().map(|upstream| upstream.take().len()).sum()
    }

    async fn stop_and_see_nothing_left(self) {
        let pids = self.gateway.pids();
        assert!(!pids.is_empty());
        self.gateway.stop().await;
        assert!(!pids.iter().any(|pid| alive(*pid)), "{pids:?}");
        assert_eq!(self.gateway.exited(), None);
        assert!(std::net::TcpStream::connect(self.gateway.addr()).is_err());
    }
}

fn wrong(kind: &str, value: &str) -> Misconfigure {
    let value = |name: &str| (name == kind).then(|| value.to_owned());
    Misconfigure {
        bucket: value("bucket"),
        region: value("region"),
        host: value("host"),
        endpoint: value("endpoint"),
        mapping: None,
    }
}

async fn passes_requests_and_stops(name: &str, version: &str) {
    let setup = Setup::primaries(name, &[], 2).await;
    assert_eq!(get(setup.gateway.addr(), "/media/o%2F1?x=%20y").0, 200);
    let heads: Vec<String> = setup.upstreams.iter().flat_map(Upstream::take).collect();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with("GET /media/o%2F1?x=%20y HTTP/1.1"), "{}", heads[0]);
    assert!(heads[0].to_ascii_lowercase().contains("host: s3.test"), "{}", heads[0]);
    assert!(setup.gateway.version.starts_with(version), "{}", setup.gateway.version);
    assert_eq!(setup.gateway.profile.version, setup.gateway.version);
    for upstream in &setup.upstreams {
        assert!(setup.gateway.needles.contains(&upstream.endpoint.addr.to_string()));
    }
    let profile = &setup.gateway.profile;
    assert_eq!((profile.max_attempts, profile.retries_5xx.as_slice()), (2, [500, 502, 503, 504].as_slice()));
    assert!(profile.retries_4xx.is_empty() && !profile.deviations.is_empty());
    let sample = setup.gateway.sample(5);
    assert_eq!(sample.at, 5);
    assert!(sample.processes >= 2 && sample.resident > 1 << 20 && sample.sockets >= 1, "{sample:?}");
    assert!(sample.descriptors > sample.sockets, "{sample:?}");
    assert!(setup.dir.path().join("gateway").join("output.log").exists());
    setup.stop_and_see_nothing_left().await;
}

async fn misconfigured_and_restored(name: &str, params: &[(&str, &str)], refused: u16) {
    let setup = Setup::primaries(name, params, 2).await;
    assert_eq!(setup.status(), 200);
    setup.gateway.reconfigure(Some(&wrong("endpoint", "127.0.0.1:1"))).await.unwrap();
    assert_eq!(setup.status(), refused);
    setup.attempts();
    setup.gateway.reconfigure(Some(&wrong("bucket", "no-such"))).await.unwrap();
    assert_eq!(setup.status(), 200);
    let heads: Vec<String> = setup.upstreams.iter().flat_map(Upstream::take).collect();
    assert!(heads[0].starts_with("GET /no-such/o/1 HTTP/1.1"), "{heads:?}");
    setup.gateway.reconfigure(Some(&wrong("host", "elsewhere.test"))).await.unwrap();
    assert_eq!(setup.status(), 200);
    let heads: Vec<String> = setup.upstreams.iter().flat_map(Upstream::take).collect();
    assert!(heads[0].to_ascii_lowercase().contains("host: elsewhere.test"), "{heads:?}");
    setup.gateway.reconfigure(None).await.unwrap();
    assert_eq!(setup.status(), 200);
    let heads: Vec<String> = setup.upstreams.iter().flat_map(Upstream::take).collect();
    assert!(heads[0].starts_with("GET /media/o/1 HTTP/1.1"), "{heads:?}");
    assert!(heads[0].to_ascii_lowercase().contains("host: s3.test"), "{heads:?}");
    let error = setup.gateway.reconfigure(Some(&wrong("region", "x"))).await.unwrap_err().to_string();
    assert_eq!(
        error,
        format!("gateway `{name}` cannot be misconfigured by region (it can by: bucket, host, endpoint)")
    );
    setup.stop_and_see_nothing_left().await;
}

/// The products whose recipes have tests of their own here.
const IN_DETAIL: [&str; 4] = ["nginx", "haproxy", "envoy", "traefik"];

/// A wrong value of each kind, and what of it S3 sees in a request, in lower case; of an endpoint it sees nothing.
const MISTAKES: [(&str, &str, &str); 4] = [
    ("bucket", "no-such", "get /no-such/o/1 "),
    ("region", "no-such", "/no-such/s3/aws4_request"),
    ("host", "elsewhere.test", "host: elsewhere.test"),
    ("endpoint", "127.0.0.1:1", ""),
];

/// Of every other product: the target reaches the upstream as it came, each mistake that its recipe names is in force
/// after a reload and gone after the next, and nothing is left.
#[tokio::test]
async fn other_products_pass_requests_reload_and_stop() {
    for source in RECIPES.iter().filter(|source| !IN_DETAIL.contains(&source.name)) {
        let recipe = Recipe::parse(source).unwrap();
        if installed(&recipe.program) && (recipe.name != "nginx-s3-gateway" || njs_is_installed()) {
            heeds_each_mistake(&recipe).await;
            if recipe.parameters.iter().any(|parameter| parameter.name == "preserve-host") {
                hides_the_clients_host(&recipe.name).await;
            }
        }
    }
}

async fn heeds_each_mistake(recipe: &Recipe) {
    let name = recipe.name.as_str();
    let setup = Setup::primaries(name, &[], 2).await;
    assert_eq!(get(setup.gateway.addr(), "/media/o%2F1?x=%20y").0, 200, "{name}");
    let heads = setup.heads();
    assert_eq!(heads.len(), 1, "{name}: {heads:?}");
    if recipe.serves.is_none() {
        assert!(heads[0].starts_with("get /media/o%2f1?x=%20y http/1.1"), "{name}: {}", heads[0]);
        assert!(heads[0].contains("host: s3.test"), "{name}: {}", heads[0]);
    }
    let profile = &setup.gateway.profile;
    assert!(profile.was_measured(), "{name} {}", setup.gateway.version);
    let allowed = [profile.refused.as_slice(), &profile.no_upstream].concat();
    // A reload may leave a moment of the old configuration, or of a closed port.
    let status = || request(setup.gateway.addr(), "GET", "/media/o/1").map_or(0, |answer| answer.0);
    for (kind, value, seen) in MISTAKES {
        let mistake = wrong(kind, value);
        let taken = setup.gateway.reconfigure(Some(&mistake)).await;
        if !recipe.can.iter().any(|mistake| mistake.name() == kind) {
            let why = taken.unwrap_err().to_string();
            assert!(why.contains(&format!("cannot be misconfigured by {kind}")), "{name}: {why}");
            continue;
        }
        taken.unwrap();
        let in_force = || match (status(), setup.heads()) {
            (status, _) if seen.is_empty() => allowed.contains(&status),
            (_, heads) => heads.iter().any(|head| head.contains(seen)),
        };
        eventually(&format!("{name} with a wrong {kind}"), in_force).await;
    }
    setup.gateway.reconfigure(None).await.unwrap();
    let is_right = || {
        let (status, heads) = (status(), setup.heads());
        let wrong = MISTAKES.iter().map(|(.., seen)| seen).filter(|seen| !seen.is_empty());
        let is_wrong = |head: &String| wrong.clone().any(|seen| head.contains(seen));
        status == 200 && !heads.is_empty() && !heads.iter().any(is_wrong)
    };
    eventually(name, is_right).await;
    for log in &recipe.logs {
        let text = std::fs::read_to_string(setup.dir.path().join("gateway").join(log)).unwrap_or_default();
        assert!(!text.contains("Ignoring unknown"), "{name}: {text}");
    }
    setup.stop_and_see_nothing_left().await;
}

async fn hides_the_clients_host(name: &str) {
    let setup = Setup::primaries(name, &[("preserve-host", "false")], 2).await;
    assert_eq!(setup.status(), 200, "{name}");
    let heads = setup.heads();
    assert!(
        !heads.is_empty() && heads.iter().all(|head| !head.contains("\r\nhost: s3.test")),
        "{name}: {heads:?}"
    );
    setup.stop_and_see_nothing_left().await;
}

fn njs_is_installed() -> bool {
    let here = std::path::Path::new("/usr/lib/nginx/modules/ngx_http_js_module.so").is_file();
    if !here {
        eprintln!("skipped: the njs module of nginx is not installed");
    }
    here
}

/// nginx-s3-gateway shows S3 neither the query nor the headers of a client, and signs for itself.
#[tokio::test]
async fn nginx_s3_gateway_lets_little_through() {
    if !installed("nginx") || !njs_is_installed() {
        return;
    }
    let setup = Setup::primaries("nginx-s3-gateway", &[], 2).await;
    assert_eq!(get(setup.gateway.addr(), "/media/o%2F1?x=%20y").0, 200);
    let heads: Vec<String> = setup.upstreams.iter().flat_map(Upstream::take).collect();
    assert_eq!(heads.len(), 1, "{heads:?}");
    assert!(heads[0].starts_with("GET /media/o%2F1 HTTP/1.1"), "{}", heads[0]);
    assert!(!heads[0].contains("s3.test"), "{}", heads[0]);
    setup.upstreams.iter().for_each(|upstream| upstream.set(Script::Status(503)));
    assert_eq!(get(setup.gateway.addr(), "/media/o/2").0, 404, "an outage looks like a missing object");
    assert_eq!(request(setup.gateway.addr(), "POST", "/media?delete").unwrap().0, 405);
    setup.stop_and_see_nothing_left().await;
}

async fn descriptors_limited_and_restored(name: &str) {
    let setup = Setup::primaries(name, &[], 1).await;
    let soft = || {
        let of = |pid: &u32| {
            let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
            let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
            line.split_whitespace().nth(3).unwrap().to_owned()
        };
        setup.gateway.pids().iter().map(of).collect::<Vec<_>>()
    };
    let before = soft();
    setup.gateway.limit_descriptors(Some(24)).unwrap();
    assert!(soft().iter().all(|limit| limit == "24"), "{:?}", soft());
    // Held client connections use up what is left: the next request cannot be served.
    let held: Vec<_> =
        (0..32).filter_map(|_| std::net::TcpStream::connect(setup.gateway.addr()).ok()).collect();
    let most = setup.gateway.sample(0);
    assert!(most.descriptors / most.processes <= 24, "{most:?}");
    drop(held);
    setup.gateway.limit_descriptors(None).unwrap();
    assert_eq!(soft(), before);
    eventually("serves again", || {
        request(setup.gateway.addr(), "GET", "/media/o/1").is_ok_and(|a| a.0 == 200)
    })
    .await;
    setup.stop_and_see_nothing_left().await;
}

/// Kills the first process: the gateway is dead, is known to be, and its workers are gone too.
async fn death_is_noticed(name: &str) {
    let setup = Setup::primaries(name, &[], 1).await;
    let pids = setup.gateway.pids();
    let first = rustix::process::Pid::from_raw(pids[0] as i32).unwrap();
    rustix::process::kill_process(first, rustix::process::Signal::KILL).unwrap();
    eventually("its death is noticed", || setup.gateway.exited().is_some()).await;
    assert_eq!(setup.gateway.exited().as_deref(), Some("killed by SIGKILL"));
    assert!(!pids.iter().any(|pid| alive(*pid)), "{pids:?}");
    setup.gateway.stop().await;
    assert_eq!(setup.gateway.exited().as_deref(), Some("killed by SIGKILL"));
}

#[tokio::test]
async fn nginx_passes_requests_and_stops() {
    if installed("nginx") {
        passes_requests_and_stops("nginx", "1.").await;
    }
}

#[tokio::test]
async fn haproxy_passes_requests_and_stops() {
    if installed("haproxy") {
        passes_requests_and_stops("haproxy", "2.").await;
    }
}

#[tokio::test]
async fn nginx_is_misconfigured_and_restored() {
    if installed("nginx") {
        misconfigured_and_restored("nginx", &[], 502).await;
    }
}

#[tokio::test]
async fn haproxy_is_misconfigured_and_restored() {
    if installed("haproxy") {
        misconfigured_and_restored("haproxy", &[], 503).await;
    }
}

#[tokio::test]
async fn envoy_is_misconfigured_and_restored() {
    if installed("envoy") {
        misconfigured_and_restored("envoy", &[("checks", "false")], 503).await;
    }
}

#[tokio::test]
async fn traefik_is_misconfigured_and_restored() {
    if installed("traefik") {
        misconfigured_and_restored("traefik", &[("checks", "false")], 502).await;
    }
}

#[tokio::test]
async fn nginx_descriptors_are_limited_and_restored() {
    if installed("nginx") {
        descriptors_limited_and_restored("nginx").await;
    }
}

#[tokio::test]
async fn haproxy_descriptors_are_limited_and_restored() {
    if installed("haproxy") {
        descriptors_limited_and_restored("haproxy").await;
    }
}

#[tokio::test]
async fn nginx_death_is_noticed() {
    if installed("nginx") {
        death_is_noticed("nginx").await;
    }
}

#[tokio::test]
async fn haproxy_death_is_noticed() {
    if installed("haproxy") {
        death_is_noticed("haproxy").await;
    }
}

/// The recipes' retry settings hold: the declared number of attempts is the real one.
/// `closed` is the status for connections that end without an answer.
async fn attempts_are_as_declared(name: &str, endpoints: u16, params: &[(&str, &str)], closed: u16) {
    let setup = Setup::primaries(name, params, endpoints).await;
    let declared = usize::from(setup.gateway.profile.max_attempts);
    // Kept connections on both sides, so that stale ones are retried too.
    let warm: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn({
                let addr = setup.gateway.addr();
                move || get(addr, "/media/o/1").0
            })
        })
        .collect();
    assert!(warm.into_iter().all(|status| status.join().unwrap() == 200));
    setup.attempts();
    for (script, expected) in [(Script::Close, closed), (Script::Status(503), 503)] {
        setup.upstreams.iter().for_each(|upstream| upstream.set(script));
        assert_eq!(setup.status(), expected, "{script:?}");
        let attempts = setup.attempts();
        assert!((2..=declared).contains(&attempts), "{script:?}: {attempts}, declared {declared}");
        let post = request(setup.gateway.addr(), "POST", "/media?delete").unwrap().0;
        assert_eq!((post, setup.attempts()), (expected, 1), "{script:?}");
    }
    setup.gateway.stop().await;
    let Some(witness) = setup.gateway.witness() else { return };
    let last_get = witness.iter().rev().find(|line| line.attempts > 1).expect("a retried request");
    assert_eq!((last_get.id.as_str(), last_get.status), ("9f2c41aa-0-1", 503), "{last_get:?}");
    assert!(last_get.attempts as usize <= declared, "{last_get:?}");
}

#[tokio::test]
async fn nginx_attempts_are_as_declared() {
    if installed("nginx") {
        for endpoints in 1..=3 {
            attempts_are_as_declared("nginx", endpoints, &[], 502).await;
        }
        attempts_are_as_declared("nginx", 2, &[("tries", "3")], 502).await;
        attempts_are_as_declared("nginx", 1, &[("tries", "4")], 502).await;
    }
}

#[tokio::test]
async fn haproxy_attempts_are_as_declared() {
    if installed("haproxy") {
        for endpoints in 1..=3 {
            attempts_are_as_declared("haproxy", endpoints, &[("checks", "false")], 502).await;
        }
    }
}

#[tokio::test]
async fn envoy_attempts_are_as_declared() {
    if installed("envoy") {
        for endpoints in 1..=2 {
            attempts_are_as_declared("envoy", endpoints, &[("checks", "false")], 503).await;
        }
    }
}

#[tokio::test]
async fn traefik_attempts_are_as_declared() {
    if installed("traefik") {
        for endpoints in 1..=2 {
            // One kept connection: it sends a GET again for each that turns out dead, a known deviation.
            let params = [("checks", "false"), ("max-idle", "1")];
            attempts_are_as_declared("traefik", endpoints, &params, 502).await;
        }
    }
}

/// A standby serves when the primaries fail, and traffic goes back when they are well.
async fn fails_over_and_back(name: &str, params: &[(&str, &str)], scripts: &[Script]) {
    let upstreams = vec![
        Upstream::start("us-east-1", 1, true),
        Upstream::start("us-east-1", 2, true),
        Upstream::start("us-west-2", 1, false),
    ];
    let setup = Setup::new(name, params, upstreams).await;
    let answer = || get(setup.gateway.addr(), "/media/o/1");
    assert!(answer().1.starts_with("us-east-1/"));
    for script in scripts {
        setup.upstreams[..2].iter().for_each(|upstream| upstream.set(*script));
        eventually("the standby serves", || answer() == (200, "us-west-2/1".into())).await;
        setup.upstreams[..2].iter().for_each(|upstream| upstream.set(Script::Answer));
        eventually("the primary serves again", || answer().1.starts_with("us-east-1/")).await;
    }
    setup.stop_and_see_nothing_left().await;
}

#[tokio::test]
async fn nginx_fails_over_and_back() {
    if installed("nginx") {
        fails_over_and_back("nginx", &[], &[Script::Close, Script::Status(503)]).await;
    }
}

#[tokio::test]
async fn haproxy_fails_over_and_back() {
    if installed("haproxy") {
        fails_over_and_back("haproxy", &[], &[Script::Close, Script::Status(503)]).await;
    }
}

#[tokio::test]
async fn envoy_fails_over_and_back() {
    if installed("envoy") {
        fails_over_and_back("envoy", &[], &[Script::Close, Script::Status(503)]).await;
    }
}

#[tokio::test]
async fn traefik_fails_over_and_back() {
    if installed("traefik") {
        let params = [("health-status", "200")];
        fails_over_and_back("traefik", &params, &[Script::Close, Script::Status(503)]).await;
    }
}
