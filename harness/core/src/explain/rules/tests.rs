use super::super::likely_cause;
use crate::faults::malformed::Kind;
use crate::faults::{ConnectBlackhole, Descriptors, Fault, FaultSpec, Malformed, Refuse};
use crate::golden::{Request, Story, Try};
use crate::history::Join;
use gatecrash_model::{BodyCheck, Ending, Op};

fn lead(story: &Story) -> String {
    let client = story.history.clients.last().unwrap();
    likely_cause(&story.plan, &story.history, &Join::of(&story.history), client).unwrap_or_default()
}

/// A run in which something reached the upstream.
fn served() -> Story {
    Story::new().with(Request::at(0))
}

fn of(request: Request) -> String {
    lead(&served().with(request))
}

#[test]
fn each_cause_has_its_lead() {
    let at = || Request::at(10);
    let table = [
        (at().ending(Ending::Refused), "the gateway did not accept the connection"),
        (
            at().tries([Try::garbage()]).ending(Ending::DroppedFirst),
            "the gateway closed the client while reading",
        ),
        (at().tries([]), "no upstream was asked: peers are still ejected (fail timeout"),
        (at().body(BodyCheck::Other), "the client got another request's response"),
        (at().body(BodyCheck::Mixed), "the gateway put a body together from two versions of the object"),
        (
            at().tries([Try::cut()]).ending(Ending::Complete).body(BodyCheck::Prefix),
            "the gateway ended a broken upstream body as if it were whole",
        ),
        (
            at().op(Op::PutObject).tries([Try::reset()]).answer(200).first_byte(1).took(2),
            "the gateway acknowledged a write before its upstream did",
        ),
        (
            at().tries([Try::cut(), Try::served().pause(9)]).body(BodyCheck::Wrong).first_byte(2),
            "the gateway tried again after the client had its first byte",
        ),
        (
            at().op(Op::DeleteObjects).tries([Try::reset(), Try::reset()]),
            "the gateway sent DeleteObjects 2 times although it is not idempotent",
        ),
        (
            at().tries([Try::status(403, "AccessDenied"), Try::status(403, "AccessDenied")]),
            "the gateway tried again after 403, which no repeat can change",
        ),
        (at().tries([Try::status(503, "SlowDown")]), "SlowDown: the upstream throttles"),
        (
            at().tries([Try::status(403, "SignatureDoesNotMatch")]),
            "SignatureDoesNotMatch: the signature does not match",
        ),
        (at().tries([Try::reset().reused()]), "a pooled upstream connection died under the request"),
        (
            at().tries([Try::silent().took(5000)]).ending(Ending::Hang).took(5000),
            "the gateway waited on for a silent",
        ),
        (at().tries([Try::silent()]), "the upstream did not answer; the gateway gave up after 1.00 s"),
        (
            at().tries([Try::reset()]),
            "the upstream connection ended before a whole response head (dropped-first)",
        ),
        (at().tries([Try::cut()]), "the upstream's body ended (cut-fin) after 400 of 1000 bytes"),
    ];
    for (request, wanted) in table {
        let told = format!("{request:?}");
        let lead = of(request);
        assert!(lead.starts_with(wanted), "{lead:?} instead of {wanted:?} for {told}");
    }
}

#[test]
fn faults_are_named() {
    let during = |spec: FaultSpec, request: Request| lead(&Story::new().fault(spec, 0, 1000).with(request));
    let none = || Request::at(10).tries([]);
    assert_eq!(
        during(FaultSpec::Refuse(Refuse {}), none()),
        "the upstream refused connections (fault refuse-0); look at the connect timeout and at failover to \
         another peer"
    );
    let late = during(FaultSpec::ConnectBlackhole(ConnectBlackhole {}), none());
    assert!(late.starts_with("connecting to the upstream timed out (fault connect-blackhole-0)"), "{late}");
    let starved: FaultSpec = serde_saphyr::from_str(Descriptors::INFO.example).unwrap();
    let starved = during(starved, none());
    assert!(starved.starts_with("the gateway was short of a resource"), "{starved}");
    let malformed = FaultSpec::Malformed(Malformed::of(Kind::GarbageBytes));
    assert_eq!(
        during(malformed, Request::at(10).tries([Try::garbage().by(0)])),
        "the upstream's response was not legal HTTP (fault malformed-0)"
    );
}

#[test]
fn an_ejected_peer_is_traced_to_the_fault_before() {
    let story = served().fault(FaultSpec::Refuse(Refuse {}), 0, 1000).with(Request::at(2000).tries([]));
    assert_eq!(
        lead(&story),
        "no upstream was asked: peers are still ejected after refuse-0 (fail timeout, health checks)"
    );
}

#[test]
fn a_gateway_that_points_elsewhere_is_asked_about_it() {
    let lost = |at| Request::at(at).tries([]);
    let refuse = || Story::new().fault(FaultSpec::Refuse(Refuse {}), 0, 1000);
    let wanted = "nothing reached an upstream in the whole run: does the gateway point at the addresses that `gatecrash serve upstreams` \
                  shows, and its --upstream-port?";
    assert_eq!(lead(&Story::new().with(lost(10))), wanted);
    assert_eq!(lead(&refuse().with(lost(2000)).with(lost(3000))), wanted);
    let during = refuse().with(lost(2000)).with(lost(500));
    let client = &during.history.clients[0];
    let lead_of = likely_cause(&during.plan, &during.history, &Join::of(&during.history), client);
    assert_eq!(lead_of.as_deref(), Some(wanted), "also while a fault is on");
    assert!(lead(&refuse().with(lost(500))).starts_with("the upstream refused"), "never undisturbed");
}
