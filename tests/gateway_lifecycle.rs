//! Gateways that do not start, do not stop, or lose the harness: what is said, and that nothing is left
//! behind.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, unreachable_pub, reason = "shared by several test programs")]
mod gateway_support;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use gatecrash::gateway::{Endpoint, GatewayCredentials, GatewayError, Side, check_plan};
use gatecrash_core::faults::{Descriptors, FaultSpec, Misconfigure};
use gatecrash_core::plan::{GatewayPlan, Plan};
use gatecrash_core::units::{Share, Span};
use gatecrash_model::Capability;
use gateway_support::{alive, command, eventually, fault, get, installed, plan, recipe, start};

fn endpoints() -> Vec<Endpoint> {
    let endpoint = |number, port| Endpoint {
        region: "us-east-1".into(),
        number,
        addr: ([127, 0, 0, 2], port).into(),
        primary: true,
    };
    vec![endpoint(1, 4001), endpoint(2, 4002)]
}

async fn start_in(gateway: GatewayPlan, dir: &Path) -> Result<gatecrash::gateway::Gateway, GatewayError> {
    start(&plan(gateway, &endpoints()), &endpoints(), dir).await
}

async fn fails(gateway: GatewayPlan) -> GatewayError {
    let dir = tempfile::tempdir().unwrap();
    match start_in(gateway, dir.path()).await {
        Ok(_) => panic!("it started"),
        Err(error) => error,
    }
}

/// This test program as a gateway: runs the ignored test `tiny_gateway`, which listens on `LISTEN`.
fn tiny() -> GatewayPlan {
    let own = std::env::current_exe().unwrap();
    let own = own.to_str().unwrap();
    let mut gateway = command(&[own, "--exact", "tiny_gateway", "--ignored", "--nocapture"]);
    if let GatewayPlan::Command { env, .. } = &mut gateway {
        env.insert("LISTEN".into(), "{{ listen }}".into());
        env.insert("FIRST".into(), "{{ (upstreams|first).addr }}".into());
    }
    gateway
}

fn within(mut gateway: GatewayPlan, span: Span) -> GatewayPlan {
    if let GatewayPlan::Command { ready_within, stop_within, .. } = &mut gateway {
        (*ready_within, *stop_within) = (span, span);
    }
    gateway
}

#[test]
#[ignore = "a helper process of the other tests"]
fn tiny_gateway() {
    let listener = TcpListener::bind(std::env::var("LISTEN").unwrap()).unwrap();
    println!("tiny gateway in front of {}", std::env::var("FIRST").unwrap());
    for mut stream in listener.incoming().map_while(Result::ok) {
        let head = BufReader::new(&stream).lines().map_while(Result::ok);
        head.take_while(|line| !line.is_empty()).for_each(drop);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ntiny");
    }
}

#[tokio::test]
async fn a_command_is_a_gateway() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = start_in(tiny(), dir.path()).await.unwrap();
    assert_eq!(get(gateway.addr(), "/").1, "tiny");
    assert_eq!(gateway.needles, ["127.0.0.2:4001", "127.0.0.2:4002", "planted-7f3a"]);
    assert_eq!(gateway.version, "");
    assert!(gateway.log_tail(20).iter().any(|line| line.contains("in front of 127.0.0.2:4001")));
    assert!(gateway.witness().is_none());
    let pids = gateway.pids();
    assert_eq!(pids.len(), 1);
    gateway.stop().await;
    assert!(!alive(pids[0]));
    gateway.stop().await;
}

#[tokio::test]
async fn dropping_a_gateway_ends_it() {
    let dir = tempfile::tempdir().unwrap();
    let gateway = start_in(tiny(), dir.path()).await.unwrap();
    let pids = gateway.pids();
    drop(gateway);
    eventually("it is gone", || !pids.iter().any(|pid| alive(*pid))).await;
}

#[tokio::test]
async fn what_a_gateway_leaves_in_other_sessions_is_ended_too() {
    let dir = tempfile::tempdir().unwrap();
    let GatewayPlan::Command { mut run, template, env, ready_path, ready_within, stop_signal, stop_within } =
        tiny()
    else {
        unreachable!()
    };
    let script =
        "setsid sh -c 'trap \"\" TERM HUP; echo $$ > stray; while :; do sleep 600; done' & exec \"$@\"";
    run.splice(0..0, ["sh", "-c", script, "sh"].map(str::to_owned));
    let gateway =
        GatewayPlan::Command { run, template, env, ready_path, ready_within, stop_signal, stop_within };
    let gateway = start_in(gateway, dir.path()).await.unwrap();
    let stray = dir.path().join("gateway/stray");
    eventually("the stray process runs", || {
        std::fs::read_to_string(&stray).is_ok_and(|pid| pid.ends_with('\n'))
    })
    .await;
    let stray: u32 = std::fs::read_to_string(&stray).unwrap().trim().parse().unwrap();
    assert!(alive(stray));
    gateway.stop().await;
    assert!(!alive(stray));
}

#[tokio::test]
async fn a_missing_program_names_its_package() {
    let error = fails(command(&["no-such-gateway-program"])).await;
    assert_eq!(
        error.to_string(),
        "gateway `command` needs `no-such-gateway-program`, which is not installed"
    );
    assert_eq!(
        (error.side(), error.hint().unwrap()),
        (Side::Machine, "put `no-such-gateway-program` on the PATH".to_owned())
    );
    if !installed("nginx") {
        let error = fails(recipe("nginx", &[])).await;
        assert_eq!(error.hint().unwrap(), "apt-get install nginx");
    }
}

#[tokio::test]
async fn an_end_at_start_quotes_the_log() {
    let error = fails(command(&["sh", "-c", "echo first; echo no configuration >&2; exit 3"])).await;
    assert_eq!(
        error.to_string(),
        "gateway `command` ended at start (exit code 3)\n  | first\n  | no configuration"
    );
    assert_eq!(error.side(), Side::Gateway);
}

#[tokio::test]
async fn nginx_quotes_its_log_when_it_cannot_start() {
    if !installed("nginx") {
        return;
    }
    // More memory for connections than there is.
    let error = fails(recipe("nginx", &[("connections", "65536"), ("max-body", "99999999TiB")])).await;
    let text = error.to_string();
    assert!(text.starts_with("gateway `nginx` ended at start (exit code 1)\n  | "), "{text}");
    assert!(text.contains("\"client_max_body_size\" directive invalid value"), "{text}");
}

#[tokio::test]
async fn silence_is_not_readiness() {
    let started = std::time::Instant::now();
    let deaf = command(&["sh", "-c", "trap '' TERM; echo $$ > ../pid; while :; do sleep 0.1; done"]);
    let dir = tempfile::tempdir().unwrap();
    let error = start_in(within(deaf, Span::millis(300)), dir.path()).await.err().unwrap();
    let text = error.to_string();
    assert!(
        text.starts_with("gateway `command` was not ready within 300ms: GET http://127.0.0.1:"),
        "{text}"
    );
    assert!(text.contains("refused"), "{text}");
    let pid = std::fs::read_to_string(dir.path().join("pid")).unwrap().trim().parse().unwrap();
    assert!(!alive(pid), "it ignores its stop signal and has to be killed");
    assert!(started.elapsed() < std::time::Duration::from_secs(20));
}

#[tokio::test]
async fn a_taken_port_is_tried_once_again() {
    let script =
        "echo $1 >> ../tries; echo 'bind() to {{ listen }} failed (98: Address already in use)'; exit 1";
    let dir = tempfile::tempdir().unwrap();
    let error = start_in(command(&["sh", "-c", script, "sh", "{{ listen_port }}"]), dir.path()).await.err();
    assert!(matches!(error, Some(GatewayError::PortTaken { .. })), "{error:?}");
    let tries = std::fs::read_to_string(dir.path().join("tries")).unwrap();
    assert_eq!(tries.lines().count(), 2, "{tries}");
}

#[tokio::test]
async fn an_unwritable_run_directory_is_named() {
    let error = start_in(tiny(), Path::new("/dev/null/run")).await.err().unwrap();
    assert!(error.to_string().starts_with("cannot write /dev/null/run/gateway: "), "{error}");
    assert_eq!(error.side(), Side::Machine);
}

#[tokio::test]
async fn a_url_is_an_address_and_no_process() {
    let somebody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = somebody.local_addr().unwrap();
    let plan = plan(GatewayPlan::Url { base: format!("http://{addr}"), ca: None }, &endpoints());
    let dir = tempfile::tempdir().unwrap();
    let gateway = start(&plan, &endpoints(), dir.path()).await.unwrap();
    assert_eq!(gateway.addr(), addr);
    let process = gatecrash_model::Capabilities::of(&[Capability::Process]);
    assert_eq!(gateway.capabilities.missing(process).count(), 1);
    assert!(matches!(gateway.limit_descriptors(Some(9)), Err(GatewayError::NoProcess("limit"))));
    assert_eq!(gateway.sample(1).processes, 0);
    assert_eq!(gateway.exited(), None);
    gateway.stop().await;
}

/// The harness is killed with SIGKILL while a gateway with workers runs: nothing of it may survive.
#[tokio::test]
async fn a_killed_harness_leaves_no_gateway() {
    for name in ["nginx", "haproxy", "tiny", "embedded"] {
        if matches!(name, "nginx" | "haproxy") && !installed(name) {
            continue;
        }
        let dir = tempfile::tempdir().unwrap();
        let mut harness = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "harness_that_gets_killed", "--ignored", "--nocapture"])
            .env("GATEWAY", name)
            .env("RUN_DIR", dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(harness.stdout.take().unwrap());
        let pids: Vec<u32> = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("pids:")?.1.to_owned()))
            .unwrap_or_else(|| panic!("{name} did not start"))
            .split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect();
        assert_eq!(pids.len(), if matches!(name, "nginx" | "haproxy") { 2 } else { 1 }, "{name}: {pids:?}");
        assert!(pids.iter().all(|pid| alive(*pid)), "{name}: {pids:?}");
        harness.kill().unwrap();
        harness.wait().unwrap();
        eventually("every process of the gateway is gone", || !pids.iter().any(|pid| alive(*pid))).await;
    }
}

#[tokio::test]
#[ignore = "a helper process of the other tests"]
async fn harness_that_gets_killed() {
    let name = std::env::var("GATEWAY").unwrap();
    let dir = std::env::var("RUN_DIR").unwrap();
    let gateway = match name.as_str() {
        "tiny" => tiny(),
        "embedded" => GatewayPlan::Embedded {
            preset: "strict".into(),
            defects: Vec::new(),
            defect_rate: Share(1.0),
            params: std::collections::BTreeMap::new(),
        },
        released => recipe(released, &[]),
    };
    let gateway = start_in(gateway, Path::new(&dir)).await.unwrap();
    let pids: Vec<String> = gateway.pids().iter().map(u32::to_string).collect();
    println!("pids: {}", pids.join(" "));
    std::future::pending::<()>().await;
}

// === what a plan may ask ===

fn with_fault(mut plan: Plan, name: &str, spec: FaultSpec) -> Plan {
    plan.faults.push(fault(name, spec));
    plan
}

fn misconfigure(region: Option<&str>, endpoint: Option<&str>) -> FaultSpec {
    FaultSpec::Misconfigure(Misconfigure {
        region: region.map(str::to_owned),
        endpoint: endpoint.map(str::to_owned),
        ..Misconfigure::default()
    })
}

#[test]
fn all_problems_of_a_plan_are_found_at_once() {
    let mut asked = plan(recipe("nginx", &[("trys", "3"), ("tries", "many")]), &endpoints());
    asked.buckets[0].regions[0].1 = "media-use1".into();
    let asked = with_fault(asked, "scope", misconfigure(Some("eu-1"), None));
    let asked = with_fault(asked, "both", misconfigure(None, Some("nowhere; }")));
    let problems = check_plan(&asked);
    assert_eq!(problems.len(), 5, "{problems:#?}");
    assert!(problems[0].starts_with("unknown parameter `trys` (known: tries, connect-timeout, "));
    assert_eq!(problems[1], "parameter `tries`: expected a whole number, found `many`");
    assert_eq!(
        problems[2],
        "bucket `media` is `media-use1` in us-east-1: gateway `nginx` cannot map bucket names"
    );
    assert!(problems[3].starts_with("fault `scope`: gateway `nginx` cannot be misconfigured by region"));
    assert_eq!(problems[4], "fault `both`: misconfigure endpoint: expected a plain name, found `nowhere; }`");
}

#[test]
fn a_url_has_no_process_to_limit() {
    let asked = plan(GatewayPlan::Url { base: "ftp://gw".into(), ca: None }, &endpoints());
    let asked = with_fault(asked, "few", FaultSpec::Descriptors(Descriptors { limit: 16 }));
    assert_eq!(
        check_plan(&asked),
        [
            "`ftp://gw` does not begin with http:// or https://",
            "fault `few`: gateway `url` has no process of ours"
        ]
    );
    let unknown = check_plan(&plan(recipe("nginks", &[]), &endpoints()));
    let start = "unknown gateway recipe `nginks` (known: nginx, haproxy, ";
    assert!(unknown.len() == 1 && unknown[0].starts_with(start), "{unknown:?}");
}

#[test]
fn credentials_do_not_show() {
    let credentials =
        GatewayCredentials { access_key: "AKIAEXAMPLEKEY".into(), secret_key: "hush-hush".into() };
    assert_eq!(format!("{credentials:?}"), "GatewayCredentials { access_key: \"AKIA…EY\", .. }");
}
