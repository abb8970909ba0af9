//! The `capacity` section: what it becomes, and what is refused.

use gatecrash_core::capacity::goal;
use gatecrash_core::plan::Plan;
use gatecrash_core::units::{Rate, Share, Span};

use super::read;

const CASES: &str = r#"gatecrash: 1
name: base
upstreams:
  us-east-1: { endpoints: 2 }
load:
  readers:
    open: { rate: search }
    ops: { GetObject: 100% }
  others:
    open: { rate: 20/s }
    ops: { GetObject: 100% }
capacity:
  workload: readers
  search: { from: 50/s, to: 5000/s }
  step: { settle: 1s, measure: 4s }
  slo:
    - { success-rate: { min: 99% } }
  cases:
    clean: {}
    slow:
      inject: [{ fault: { latency: { add: 100ms } } }]
expect:
  - { in: slow, check: { capacity: { min: 100/s } } }
  - { check: { capacity-ratio: { of: slow, to: clean, min: 50% } } }
"#;

fn plan(from: &str, to: &str) -> Result<Plan, String> {
    assert!(CASES.contains(from), "{from}");
    let text = CASES.replacen(from, to, 1);
    read(&text).map(|loaded| loaded.plans().remove(0)).map_err(|wrong| wrong.render(false))
}

#[test]
fn cases_become_phases_and_their_faults_last_through_them() {
    let plan = plan("name: base", "name: base").expect("right");
    let capacity = plan.capacity.as_ref().expect("a capacity scenario");
    let names: Vec<_> = plan.phases.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["clean", "slow"]);
    assert_eq!((plan.faults[0].from, plan.faults[0].until), (plan.phases[1].from, plan.phases[1].until));
    assert_eq!((capacity.settle, capacity.measure, capacity.confirm), spans(1, 4, 5));
    assert_eq!((capacity.times, capacity.exceed, capacity.overload), (9, Share(0.35), true));
    assert_eq!(capacity.within, Span::seconds(480));
    assert_eq!(plan.workloads[1].segments[0].rate, Rate(20.0), "others keep their rate");
    assert_eq!(plan.asked_rates(1), [Rate(100.0)]);
    assert_eq!(plan.asked_rates(0), []);
}

fn spans(a: u64, b: u64, c: u64) -> (Span, Span, Span) {
    (Span::seconds(a), Span::seconds(b), Span::seconds(c))
}

#[test]
fn trials_that_nobody_described_are_those_that_the_simulation_found_best() {
    let timing = |step: &str, confirm: &str, clause: &str| {
        let text = CASES
            .replace("  step: { settle: 1s, measure: 4s }\n", &format!("{step}{confirm}"))
            .replace("success-rate: { min: 99% }", clause);
        let plan = read(&text).unwrap_or_else(|wrong| panic!("{wrong}")).plans().remove(0);
        let goal = goal(plan.capacity.as_ref().expect("a capacity scenario"));
        let seconds = |time: u64| time / 1_000_000_000;
        (seconds(goal.trial_initial), seconds(goal.trial_final), seconds(goal.duration_sum))
    };
    let success = "success-rate: { min: 99% }";
    assert_eq!(timing("", "", success), (2, 5, 45));
    assert_eq!(timing("  step: { measure: 8s }\n", "", success), (8, 8, 48));
    assert_eq!(timing("", "  confirm: { for: 15s }\n", success), (2, 15, 45));
    assert_eq!(timing("", "  confirm: { for: 20s }\n", success), (2, 20, 60), "at least three");
    assert_eq!(timing("", "  confirm: { times: 4 }\n", success), (2, 5, 20));
    // A queue that grows by 4 % of each second needs 12.6 s until one request in a hundred has waited half a second.
    assert_eq!(timing("", "", "latency: { p99: { max: 500ms } }"), (2, 12, 50));
    assert_eq!(timing("", "", "latency: { p50: { max: 400ms } }"), (2, 20, 60));
    assert_eq!(timing("", "", "latency: { p50: { max: 50ms } }"), (2, 5, 45));
}

#[test]
fn without_cases_there_is_one_and_without_a_search_the_rates_that_are_expected() {
    let cases =
        "  cases:\n    clean: {}\n    slow:\n      inject: [{ fault: { latency: { add: 100ms } } }]\n";
    let text = CASES.replace(cases, "").replace("  search: { from: 50/s, to: 5000/s }\n", "");
    let until = text.find("  - { in: slow").expect("expectations");
    let text = format!("{}  - {{ check: {{ capacity: {{ min: 400/s }} }} }}\n", &text[..until]);
    let plan = read(&text).expect("right").plans().remove(0);
    assert_eq!(plan.phases.len(), 1);
    assert_eq!(plan.phases[0].name, "clean");
    assert!(plan.capacity.as_ref().is_some_and(|c| c.search.is_none() && !c.overload));
    assert_eq!(plan.asked_rates(0), [Rate(400.0)]);
}

#[test]
fn what_makes_no_sense_is_refused_with_advice() {
    let table = [
        ("rate: search", "rate: 100/s", "expected `search`"),
        ("rate: 20/s", "rate: search", "the rate of `others` is not searched"),
        ("  workload: readers\n", "", "expected `workload`, since there are several"),
        ("workload: readers", "workload: reader", "did you mean `readers`?"),
        ("to: 5000/s", "to: 20/s", "expected more than 50/s"),
        ("from: 50/s", "from: 0/s", "the search begins at zero"),
        ("to: 5000/s", "to: 5000/s, grow: 1", "a growth of 1"),
        ("to: 5000/s", "to: 5000/s, precision: 80%", "at most 50%"),
        ("success-rate: { min: 99% }", "body-exact: {}", "`body-exact` is no clause of an objective"),
        ("success-rate: { min: 99% }", "goodput: { within: 1s }", "a bound, `min` or `of-offered`"),
        ("success-rate: { min: 99% }", "goodput: { min: 60/s }", "where goodput is never 60/s"),
        ("success-rate: { min: 99% }", "latency: {}", "`latency` cannot be judged like this"),
        ("[{ fault:", "[{ for: 5s, fault:", "the same in all of its trials"),
        ("of: slow", "of: slo", "did you mean `slow`?"),
        ("of: slow", "of: clean", "two different cases"),
        ("in: slow,", "in: slow, after: 2s,", "a case is judged as a whole"),
        ("capacity: { min: 100/s }", "success-rate: { min: 99% }", "put the rest into `slo`"),
        ("expect:\n", "timeline: [{ phase: a, for: 1s }]\nexpect:\n", "both `timeline` and `capacity`"),
        ("measure: 4s", "measure: 10m", "the deciding trials of one rate alone take"),
        ("slo:\n    - { success-rate: { min: 99% } }", "slo: []", "an objective without a clause"),
    ];
    for (from, to, said) in table {
        let wrong = plan(from, to).expect_err(to);
        assert!(wrong.contains(said), "`{to}` is answered by\n{wrong}");
    }
}

#[test]
fn a_timeline_searches_nothing() {
    let text = "gatecrash: 1\nname: base\nload:\n  readers: { open: { rate: search }, ops: { GetObject: 100% } }\n\
                timeline: [{ phase: all, for: 5s }]\nexpect: [{ check: { capacity: { min: 5/s } } }]\n";
    let wrong = read(text).expect_err("nothing is searched").render(false);
    assert!(wrong.contains("nothing searches this rate"), "{wrong}");
    assert!(wrong.contains("`capacity` without a search"), "{wrong}");
    let neither =
        read("gatecrash: 1\nname: base\nload:\n  r: { open: { rate: 5/s }, ops: { GetObject: 100% } }\n");
    let wrong = neither.expect_err("neither").render(false);
    assert!(wrong.contains("missing key `timeline`") && wrong.contains("missing key `expect`"), "{wrong}");
}
