//! What a link lets its rules see, and rules that change under live connections.

mod support;

use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::faults::{FaultSpec, Reset, ResetAt};
use gatecrash_core::plan::FaultPlan;
use gatecrash_core::scenario::inject_entry;
use support::*;

const BODY: &str = "0123456789abcdef";

fn rule(text: &str) -> FaultPlan {
    inject_entry(&SourceText::new("rule", text)).unwrap_or_else(|wrong| panic!("{wrong}"))
}

#[tokio::test]
async fn a_rule_comes_to_a_live_connection_and_goes() {
    let rig = Rig::start(&[], |_| ok(BODY.as_bytes())).await;
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    client.expect(ok_via("3-0-0", BODY)).await;
    let early = rule("{ name: early, match: { key: 'img/*' }, fault: { reset: { at: { bytes: 4B } } } }");
    assert_eq!(rig.rules.add(early, 0), Ok(0));
    client.send(request("GET", "/media/doc/1", 2, "")).await;
    client.expect(ok_via("3-0-1", BODY)).await;
    client.send(get(3)).await;
    let (bytes, end) = client.rest().await;
    assert!(bytes.ends_with(b"\r\n\r\n0123") && end == End::Rst, "{}", bytes.escape_ascii());
    rig.rules.remove("early").unwrap();
    let mut client = rig.connect().await;
    client.send(get(4)).await;
    client.expect(ok_via("3-1-0", BODY)).await;
    let kept = rig.kept();
    assert_eq!(kept.firings.iter().map(|f| (f.fault, f.request)).collect::<Vec<_>>(), [(0, request_id(3))]);
}

#[tokio::test]
async fn an_exchange_keeps_the_orders_it_was_given() {
    let rig = Rig::start(&[], |_| ok(BODY.as_bytes())).await;
    rig.rules.add(rule("fault: { latency: { add: 200ms } }"), 0).unwrap();
    let mut client = rig.connect().await;
    client.send(get(1)).await;
    eventually("the delay", || rig.kept().firings.len() == 1).await;
    rig.rules.remove("latency").unwrap();
    client.expect(ok_via("3-0-0", BODY)).await;
    let attempt = rig.attempts(1).await[0];
    assert!(attempt.first_byte >= 200_000, "{}", attempt.first_byte);
}

/// Each entry with what it must be asked of: (entry, method, target, headers, fires).
#[tokio::test]
async fn a_link_sees_what_its_rules_ask_about() {
    const SIGNED: &str =
        "Authorization: AWS4-HMAC-SHA256 Credential=AKIDAPP/20260101/us-east-1/s3/aws4_request\r\n";
    let table = [
        ("query: { prefix: 'a/*' }", "GET", "/media?list-type=2&prefix=a%2Fb", "", true),
        ("query: { prefix: 'a/*' }", "GET", "/media?list-type=2&prefix=b", "", false),
        ("identity: app", "GET", "/media/o", SIGNED, true),
        ("identity: guest", "GET", "/media/o", SIGNED, false),
        ("identity: AKIDX", "GET", "/media/o?X-Amz-Credential=AKIDX%2F20260101", "", true),
        ("identity: app", "GET", "/media/o", "", false),
        ("size: { min: 16B, max: 16B }", "GET", "/media/o", "", true),
        ("size: { min: 17B }", "GET", "/media/o", "", false),
        ("upstream-status: 200", "GET", "/media/o", "", true),
        ("upstream-status: 404", "GET", "/media/o", "", false),
        ("connection: { age: { max: 1h } }", "GET", "/media/o", "", true),
        ("connection: { age: { min: 1h } }", "GET", "/media/o", "", false),
    ];
    for (matcher, method, target, headers, wanted) in table {
        let rig = Rig::start(&[], |_| ok(BODY.as_bytes())).await;
        rig.rules.know_key("AKIDAPP", "app");
        rig.rules
            .add(rule(&format!("match: {{ {matcher} }}\nfault: {{ reset: {{ at: headers }} }}")), 0)
            .unwrap();
        let mut client = rig.connect().await;
        client.send(request(method, target, 1, headers)).await;
        let mut bytes = Vec::new();
        client.read_some(&mut bytes).await;
        rig.attempts(1).await;
        assert_eq!(rig.kept().firings.len(), usize::from(wanted), "{matcher} of {target} {headers}");
    }
}

#[tokio::test]
async fn a_request_has_its_declared_size() {
    for (length, wanted) in [(15, 0), (16, 1)] {
        let rig = Rig::start(&[], |_| ok(b"")).await;
        rig.rules
            .add(rule("{ match: { size: { min: 16B } }, fault: { latency: { add: 1ms } } }"), 0)
            .unwrap();
        let mut client = rig.connect().await;
        client.send(request("PUT", "/media/o", 1, &format!("Content-Length: {length}\r\n"))).await;
        client.send(&BODY[..length]).await;
        client.expect(ok_via("3-0-0", "")).await;
        assert_eq!(rig.kept().firings.len(), wanted, "{length}");
    }
}

#[tokio::test]
async fn a_rate_goes_by_the_links_clock() {
    let once_an_hour = "{ rate: { at-most: 1/h }, fault: { latency: { add: 1ms } } }";
    let rig = Rig::start(&[], |_| ok(b"")).await;
    rig.rules.add(rule(once_an_hour), 0).unwrap();
    let mut client = rig.connect().await;
    for k in 0..5 {
        client.send(get(k)).await;
        client.expect(ok_via(&format!("3-0-{k}"), "")).await;
    }
    assert_eq!(rig.kept().firings.len(), 1);
}

/// Many connections, and a rule that is replaced all the time: a request that is sent after `replace` has returned
/// meets the new rule.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_exchange_that_begins_later_meets_the_old_rule() {
    let rig = Rig::start(&[], |_| ok(BODY.as_bytes())).await;
    let cut = |bytes| FaultPlan {
        until: gatecrash_core::scenario::FOREVER,
        ..fault("cut", FaultSpec::Reset(Reset { at: ResetAt::Bytes(gatecrash_core::units::Size(bytes)) }))
    };
    rig.rules.add(cut(0), 0).unwrap();
    for bytes in 1..15u64 {
        let mut clients = Vec::new();
        for _ in 0..8 {
            clients.push(rig.connect().await);
        }
        rig.rules.replace(cut(bytes), 0).unwrap();
        for (k, client) in clients.iter_mut().enumerate() {
            client.send(get(k as u32)).await;
        }
        for client in &mut clients {
            let (got, end) = client.rest().await;
            let body = got.windows(4).position(|w| w == b"\r\n\r\n").map(|at| &got[at + 4..]);
            assert_eq!((body, end), (Some(&BODY.as_bytes()[..bytes as usize]), End::Rst));
        }
    }
}
