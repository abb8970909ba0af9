//! Entries of `inject` that stand alone: what a running link can be given.

use gatecrash_core::diagnostics::SourceText;
use gatecrash_core::faults::{FaultSpec, Reset, ResetAt};
use gatecrash_core::plan::{FaultPlan, Per};
use gatecrash_core::rules::{Ramp, RateLimit};
use gatecrash_core::scenario::{FOREVER, inject_entry, inject_json};
use gatecrash_core::units::{Rate, Share, Span};
use gatecrash_model::Op;

fn entry(text: &str) -> Result<FaultPlan, String> {
    inject_entry(&SourceText::new("rule", text)).map_err(|wrong| wrong.render(false))
}

#[test]
fn the_least_entry_is_a_fault() {
    let plan = entry("fault: { reset: { at: request } }").unwrap();
    assert_eq!((plan.name.as_str(), plan.from, plan.until), ("reset", Span(0), FOREVER));
    assert_eq!((plan.probability, plan.per, plan.limit), (Share(1.0), Per::Attempt, None));
    assert_eq!(plan.spec, FaultSpec::Reset(Reset { at: ResetAt::Request }));
}

#[test]
fn json_is_as_good_and_comes_back() {
    let text = r#"{
        "name": "third-put",
        "match": { "op": "PutObject", "bucket": "any", "identity": "AKIDEXAMPLE", "nth": 3,
                   "query": { "partNumber": "1?" }, "size": { "min": "1MiB" },
                   "connection": { "reused": true, "age": { "max": "5s" } } },
        "probability": "5%",
        "per": "request",
        "at": "2s",
        "for": "1m",
        "limit": 10,
        "first": 20,
        "after": 4,
        "ramp": { "to": "50%", "over": "30s", "steps": 6 },
        "rate": { "at-most": "10/s", "burst": 5 },
        "fault": { "reset": { "at": { "bytes": "64KiB" } } }
    }"#;
    let plan = entry(text).unwrap();
    assert_eq!((plan.from, plan.until), (Span::seconds(2), Span::seconds(62)));
    assert_eq!(plan.matcher.op, Some(Op::PutObject));
    let trigger = plan.trigger;
    assert_eq!((trigger.first, trigger.after, plan.limit), (Some(20), Some(4), Some(10)));
    assert_eq!(trigger.ramp, Some(Ramp { to: Share(0.5), over: Span::seconds(30), steps: Some(6) }));
    let rate = RateLimit { above: None, at_most: Some(Rate(10.0)), burst: Some(5) };
    assert_eq!(trigger.rate, Some(rate));
    let again = entry(&inject_json(&plan).to_string()).unwrap();
    assert_eq!(FaultPlan { line: plan.line, ..again }, plan);
}

#[test]
fn every_fault_of_links_comes_back() {
    for info in gatecrash_core::faults::FAULTS {
        match entry(&format!("fault: {{ {} }}", info.example)) {
            Ok(plan) => assert_eq!(entry(&inject_json(&plan).to_string()).as_ref(), Ok(&plan)),
            Err(wrong) => {
                let reasons = ["not carried out by a link", "where plain HTTP is spoken"];
                assert!(reasons.iter().any(|reason| wrong.contains(reason)), "{wrong}");
            }
        }
    }
}

#[test]
fn what_is_wrong_is_said_as_in_a_scenario() {
    let table = [
        ("", "expected"),
        ("[1]", "expected"),
        ("{\"fault\": ", "1:"),
        ("fault: { rest: { at: request } }", "unknown fault `rest`"),
        ("fault: { reset: { at: request } }\nprobabilty: 5%", "did you mean `probability`?"),
        ("fault: { reset: { at: request } }\nprobability: 5", "expected a percentage"),
        ("fault: { reset: { at: request } }\nname: a b", "invalid fault name"),
        ("fault: { reset: { at: request } }\nuntil: later", "there are no phases"),
        ("fault: { reset: { at: request } }\ntarget: { region: us-east-1 }", "there is only one link"),
        ("fault: { reset: { at: request } }\nfor: 0s", "`for` is zero"),
        ("fault: { reset: { at: request } }\nfirst: 0", "`first` is zero"),
        ("fault: { reset: { at: request } }\nramp: { to: 5%, over: 1s }", "a ramp from where?"),
        (
            "fault: { reset: { at: request } }\nrate: { above: 1/s, at-most: 1/s }",
            "one of `above` and `at-most`",
        ),
        ("fault: { reset: { at: request } }\nrate: { above: 0/s }", "a rate above 0/s"),
        (
            "fault: { reset: { at: request } }\nmatch: { size: { min: 2B, max: 1B } }",
            "expected `min` up to `max`",
        ),
        ("fault: { reset: { at: request } }\nmatch: { nth: 0 }", "counts from 1"),
        (
            "fault: { latency: { add: 1s } }\nmatch: { upstream-status: 500 }",
            "before the upstream has answered",
        ),
        ("fault: { iam: { identity: app, remove: [\"s3:*\"] } }", "not carried out by a link"),
    ];
    for (text, wanted) in table {
        let wrong = entry(text).err().unwrap_or_else(|| panic!("{text} was accepted"));
        assert!(wrong.contains(wanted), "{text}\n{wrong}");
    }
}
