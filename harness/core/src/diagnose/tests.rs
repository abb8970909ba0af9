//! The table polices itself, and made-up observations come to the right cause.

use super::*;

/// Observations with a gateway and S3 at which `n` reads end like this.
fn seen(endpoint: Outcome, gateway: Outcome, n: usize) -> Observations {
    let sample = |place, outcome: &Outcome| Sample {
        place,
        probe: Probe::Get,
        reused: false,
        address: "192.0.2.1:80".into(),
        outcome: outcome.clone(),
        took: 5.0,
    };
    let mut seen = Observations {
        places: vec![(Place::Endpoint, "http://s3".into()), (Place::Gateway, "http://gw".into())],
        region: "us-east-1".into(),
        signed: true,
        patience: 3000.0,
        slow: 1000.0,
        ..Observations::default()
    };
    for _ in 0..n {
        seen.samples.push(sample(Place::Endpoint, &endpoint));
        seen.samples.push(sample(Place::Gateway, &gateway));
    }
    seen
}

fn good() -> Outcome {
    Outcome::Answered(Box::new(Answer { status: 200, from_s3: true, first_byte: 20.0, ..Answer::default() }))
}

fn error(status: u16, code: &str) -> Outcome {
    let answer = Answer {
        status,
        from_s3: status != 502,
        code: (!code.is_empty()).then(|| code.to_owned()),
        first_byte: 20.0,
        ..Answer::default()
    };
    Outcome::Answered(Box::new(answer))
}

fn first(seen: &Observations) -> &'static str {
    diagnose(seen).findings.first().map_or("", |f| f.cause)
}

#[test]
fn the_table_is_in_order() {
    for (index, cause) in CAUSES.iter().enumerate() {
        let kebab =
            |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        assert!(kebab(cause.name) && CAUSES[..index].iter().all(|c| c.name != cause.name), "{}", cause.name);
        assert!(cause.doc.ends_with('.') && !cause.summary.ends_with('.'), "{}", cause.name);
        assert!(!cause.look_at.is_empty(), "{} says nowhere where to look", cause.name);
        assert!((cause.find)(&Observations::default()).is_none(), "{} is found in nothing", cause.name);
        assert!((cause.find)(&seen(good(), good(), 20)).is_none(), "{} is found in health", cause.name);
    }
}

#[test]
fn health_is_no_cause_and_nothing_is_no_health() {
    let well = diagnose(&seen(good(), good(), 20));
    assert_eq!((well.verdict, well.findings.len(), well.scope), (Verdict::Healthy, 0, Scope::Unknown));
    assert_eq!(diagnose(&Observations::default()).verdict, Verdict::CannotTell);
}

#[test]
fn what_is_seen_at_s3_comes_before_what_the_gateway_makes_of_it() {
    let reset = diagnose(&seen(Outcome::Dropped { reset: true }, error(502, "BadGateway"), 10));
    assert_eq!(reset.verdict, Verdict::Found);
    assert_eq!(reset.findings[0].cause, "connection-reset");
    assert!(reset.findings[0].constant && reset.findings[0].strength == Strength::Shown);
    assert_eq!(
        first(&seen(error(403, "InvalidAccessKeyId"), error(403, "InvalidAccessKeyId"), 10)),
        "key-unknown"
    );
}

#[test]
fn a_cause_that_comes_and_goes_says_so() {
    let mut sometimes = seen(good(), good(), 15);
    sometimes.samples.extend(seen(error(503, "SlowDown"), good(), 5).samples);
    let found = diagnose(&sometimes);
    assert_eq!((found.findings[0].cause, found.findings[0].constant), ("slow-down", false));
    assert_eq!((found.findings[0].met, found.findings[0].of), (5, 20));
}

#[test]
fn what_only_the_gateway_shows_is_the_gateways() {
    let path = diagnose(&seen(good(), error(502, "BadGateway"), 10));
    assert_eq!((path.findings[0].cause, path.scope), ("gateway-path", Scope::GatewayOnly));
    assert_eq!(first(&seen(good(), error(404, "NoSuchBucket"), 10)), "gateway-configuration");
    assert_eq!(first(&seen(good(), Outcome::NotConnected(DialFailure::Refused), 10)), "gateway-down");
}

#[test]
fn what_is_slow_is_measured_by_the_machine_too() {
    let late = Answer { status: 200, from_s3: true, first_byte: 1500.0, ..Answer::default() };
    let late = Outcome::Answered(Box::new(late));
    let mut slow = seen(late.clone(), late.clone(), 10);
    assert_eq!(first(&slow), "slow-answer");
    slow.own_lag = 600.0;
    assert_eq!(diagnose(&slow).verdict, Verdict::Healthy);
    // Through the gateway alone, it may be the gateway.
    let mut outside = seen(good(), late, 10);
    outside.samples.retain(|s| s.place == Place::Gateway);
    outside.places.retain(|(place, _)| *place == Place::Gateway);
    let found = diagnose(&outside);
    assert_eq!((found.findings[0].cause, found.findings[0].strength), ("slow-answer", Strength::Likely));
}

#[test]
fn a_denial_without_a_reason_needs_a_canary() {
    let denied = seen(error(403, "AccessDenied"), error(403, "AccessDenied"), 10);
    assert_eq!(diagnose(&denied).verdict, Verdict::CannotTell);
    let canary = |outcome: Outcome| {
        let mut with = denied.clone();
        with.places.push((Place::CanaryBucket, "http://s3".into()));
        let like = with.samples[0].clone();
        with.samples.push(Sample { place: Place::CanaryBucket, probe: Probe::List, outcome, ..like });
        with
    };
    assert_eq!(first(&canary(good())), "permission-bucket");
    assert_eq!(first(&canary(error(403, "AccessDenied"))), "permission-identity");
    assert_eq!(diagnose(&canary(good())).scope, Scope::ThisBucket);
}

#[test]
fn the_second_region_tells_how_far_it_reaches() {
    let scope = |bucket: Outcome, region: Outcome| {
        let mut with = seen(error(503, "ServiceUnavailable"), error(503, "ServiceUnavailable"), 5);
        for (place, outcome) in [(Place::CanaryBucket, bucket), (Place::CanaryEndpoint, region)] {
            with.places.push((place, "http://s3".into()));
            let like = with.samples[0].clone();
            with.samples.push(Sample { place, probe: Probe::List, outcome, ..like });
        }
        diagnose(&with).scope
    };
    let ill = || error(503, "ServiceUnavailable");
    assert_eq!(scope(good(), good()), Scope::ThisBucket);
    assert_eq!(scope(ill(), good()), Scope::ThisEndpoint);
    assert_eq!(scope(ill(), ill()), Scope::Everywhere);
    // To be refused is to be answered.
    assert_eq!(scope(error(403, "AccessDenied"), ill()), Scope::ThisBucket);
}

#[test]
fn a_canary_that_is_not_there_or_refuses_alike_proves_nothing() {
    let with = |ours: Outcome, canary: Outcome| {
        let mut with = seen(ours.clone(), ours, 5);
        with.places.push((Place::CanaryBucket, "http://s3".into()));
        let like = with.samples[0].clone();
        with.samples.push(Sample { place: Place::CanaryBucket, probe: Probe::List, outcome: canary, ..like });
        let found = diagnose(&with);
        (found.scope, terminal(&with, &found))
    };
    let misspelt = || error(404, "NoSuchBucket");
    for ours in [error(404, "NoSuchKey"), misspelt(), error(403, "AccessDenied")] {
        let (scope, text) = with(ours, misspelt());
        assert_eq!(scope, Scope::Unknown, "{text}");
        assert!(text.contains("The canary itself does not exist (status 404, NoSuchBucket)"), "{text}");
    }
    let (scope, text) = with(good(), misspelt());
    assert_eq!(scope, Scope::Unknown);
    assert!(text.contains("Healthy: only the canary failed.") && text.contains("does not exist"), "{text}");
    let (scope, text) = with(error(403, "InvalidAccessKeyId"), error(403, "InvalidAccessKeyId"));
    assert_eq!(scope, Scope::Unknown);
    assert!(text.contains("it may be the caller"), "{text}");
    let (scope, text) = with(error(404, "NoSuchKey"), good());
    assert_eq!(scope, Scope::ThisBucket);
    assert!(!text.contains("canary bucket the answer"), "{text}");
}

#[test]
fn people_are_told_what_was_seen_and_where_to_look() {
    let seen = seen(Outcome::Silent { bytes: 0 }, error(502, ""), 4);
    let text = terminal(&seen, &diagnose(&seen));
    for part in
        ["no-answer (seen, always)", "4 of 4 reads got no whole head", "look at nginx: `proxy_read_timeout`"]
    {
        assert!(text.contains(part), "no `{part}` in\n{text}");
    }
}
