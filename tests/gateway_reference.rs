//! The embedded gateway as a process: every parameter reaches it, it signs, maps buckets, reloads.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

#[expect(dead_code, unreachable_pub, reason = "shared by several test programs")]
mod gateway_support;

use gatecrash::gateway::{Endpoint, Gateway, GatewayCredentials, Launch, launch};
use gatecrash_core::faults::Misconfigure;
use gatecrash_core::plan::GatewayPlan;
use gatecrash_core::units::{Share, Span};
use gateway_support::{Script, Upstream, eventually, executable, get, plan};

const KEY: &str = "AKIAEXAMPLEKEY";

/// Two primaries and a standby, whose bucket has another name; the gateway holds the key.
async fn start(dir: &std::path::Path, upstreams: &[Upstream]) -> Gateway {
    let endpoints: Vec<Endpoint> = upstreams.iter().map(|upstream| upstream.endpoint.clone()).collect();
    let params = [("tries", "3"), ("read-timeout", "700ms"), ("retry-budget", "1.5"), ("eject", "100ms")];
    let embedded = GatewayPlan::Embedded {
        preset: "strict".into(),
        defects: vec!["retry-post".into()],
        defect_rate: Share(0.5),
        params: params.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
    };
    let mut plan = plan(embedded, &endpoints);
    plan.buckets[0].regions[1].1 = "media-west".into();
    let credentials = GatewayCredentials { access_key: KEY.into(), secret_key: "hush-hush".into() };
    let start = Launch {
        tls: None,
        front: None,
        plan: &plan,
        endpoints: &endpoints,
        resolver: None,
        dir,
        executable: executable(),
        credentials: Some(credentials),
        planted: "planted-7f3a",
    };
    launch(start).await.unwrap_or_else(|e| panic!("{e}"))
}

fn upstreams() -> [Upstream; 3] {
    [
        Upstream::start("us-east-1", 1, true),
        Upstream::start("us-east-1", 2, true),
        Upstream::start("us-west-2", 1, false),
    ]
}

fn heads(upstreams: &[Upstream]) -> String {
    upstreams.iter().flat_map(Upstream::take).filter(|head| head.contains("x-gatecrash-id")).collect()
}

#[tokio::test]
async fn every_parameter_reaches_it() {
    let (dir, upstreams) = (tempfile::tempdir().unwrap(), upstreams());
    let gateway = start(dir.path(), &upstreams).await;
    let text = std::fs::read_to_string(dir.path().join("gateway/gateway.json")).unwrap();
    let config = gatecrash_reference::Config::from_json(&text).unwrap();
    assert_eq!((config.tries, config.timeouts_ms.read, config.health.eject_ms), (3, 700, 100));
    assert_eq!((config.retry_budget.ratio, config.defect_rate), (1.5, 0.5));
    assert_eq!(config.defects, ["retry-post"]);
    assert_eq!(config.upstreams[1].buckets["media"], "media-west");
    assert_eq!((gateway.profile.max_attempts, gateway.profile.read_timeout), (3, Span::millis(700)));
    assert_eq!(gateway.version, env!("CARGO_PKG_VERSION"));
    assert!(gateway.needles.contains(&"hush-hush".to_owned()));
    assert!(!gateway.needles.contains(&KEY.to_owned()), "S3 names access keys in its errors");
    gateway.stop().await;
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &dir.path().join("gateway/gateway.json").metadata().unwrap().permissions(),
    );
    assert_eq!(mode & 0o777, 0o600, "it holds a key");
}

#[tokio::test]
async fn it_signs_and_maps_and_is_misconfigured() {
    let (dir, upstreams) = (tempfile::tempdir().unwrap(), upstreams());
    let gateway = start(dir.path(), &upstreams).await;
    assert_eq!(get(gateway.addr(), "/media/o/1").0, 200);
    let head = heads(&upstreams);
    assert!(head.contains(&format!("Credential={KEY}/")) && head.contains("/us-east-1/s3/"), "{head}");
    upstreams[..2].iter().for_each(|upstream| upstream.set(Script::Close));
    eventually("the standby serves", || get(gateway.addr(), "/media/o/1").1 == "us-west-2/1").await;
    assert!(upstreams[2].take().iter().any(|head| head.starts_with("GET /media-west/o/1 ")));
    upstreams[..2].iter().for_each(|upstream| upstream.set(Script::Answer));
    eventually("the primary serves", || get(gateway.addr(), "/media/o/1").1.starts_with("us-east-1")).await;

    let endpoint = Misconfigure { endpoint: Some("127.0.0.1:1".into()), ..Misconfigure::default() };
    gateway.reconfigure(Some(&endpoint)).await.unwrap();
    eventually("nobody is there", || get(gateway.addr(), "/media/o/1").0 >= 502).await;
    heads(&upstreams);
    let bucket = Misconfigure { bucket: Some("no-such".into()), ..Misconfigure::default() };
    gateway.reconfigure(Some(&bucket)).await.unwrap();
    eventually("the wrong bucket is asked for", || {
        get(gateway.addr(), "/media/o/1").0 == 200 && heads(&upstreams).contains("GET /no-such/o/1 ")
    })
    .await;
    let region = Misconfigure { region: Some("eu-1".into()), ..Misconfigure::default() };
    gateway.reconfigure(Some(&region)).await.unwrap();
    eventually("the wrong region is signed for", || {
        get(gateway.addr(), "/media/o/1").0 == 200 && heads(&upstreams).contains("/eu-1/s3/")
    })
    .await;
    let mapping = Misconfigure { mapping: Some("4..:400 default:203".into()), ..Misconfigure::default() };
    gateway.reconfigure(Some(&mapping)).await.unwrap();
    eventually("an answer becomes another", || get(gateway.addr(), "/media/o/1").0 == 203).await;
    gateway.reconfigure(None).await.unwrap();
    eventually("all is well", || {
        get(gateway.addr(), "/media/o/1").0 == 200 && heads(&upstreams).contains("/us-east-1/s3/")
    })
    .await;
    assert_eq!(gateway.exited(), None);
    gateway.stop().await;
}
