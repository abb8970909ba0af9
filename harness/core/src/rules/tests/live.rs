//! Rules that come and go while exchanges run.

use std::sync::atomic::AtomicU64;

use super::*;
use crate::scenario::FOREVER;

const MS: u64 = 1_000_000;

fn lasting(name: &str, spec: FaultSpec) -> FaultPlan {
    FaultPlan { until: FOREVER, ..fault(name, spec) }
}

#[test]
fn a_rule_is_in_force_from_its_return_to_its_removal() {
    let rules = RuleSet::of(7, &[]);
    assert!(!rules.any_active() && !fires(&rules, &facts(1, 1)));
    assert_eq!(rules.add(lasting("a", latency(5)), 0), Ok(0));
    assert_eq!(rules.add(lasting("b", reset()), 0), Ok(1));
    assert_eq!(rules.add(lasting("a", reset()), 0), Err(AddError::Taken));
    let orders = rules.decide(Point::RequestHead, &facts(1, 1));
    assert_eq!((orders.delay, orders.terminal), (5 * MS, Some((1, Terminal::Close(With::Rst)))));
    assert_eq!(rules.replace(lasting("a", latency(9)), 0), Some(0));
    assert_eq!(rules.replace(lasting("c", latency(9)), 0), None);
    assert_eq!(rules.decide(Point::RequestHead, &facts(1, 1)).delay, 9 * MS);
    let list: Vec<_> =
        rules.list().into_iter().map(|r| (r.number, r.plan.name, r.matched, r.fired)).collect();
    assert_eq!(list, [(0, "a".to_owned(), 1, 1), (1, "b".to_owned(), 2, 2)]);
    assert_eq!(rules.remove("b").map(|plan| plan.name), Some("b".to_owned()));
    assert_eq!(rules.remove("b"), None);
    assert_eq!(rules.decide(Point::RequestHead, &facts(1, 1)).terminal, None);
    rules.clear();
    assert!(!rules.any_active() && !fires(&rules, &facts(1, 1)));
}

#[test]
fn a_number_is_not_given_again_soon() {
    let rules = RuleSet::of(7, &[fault("first", reset())]);
    assert_eq!(rules.add(lasting("a", reset()), 0), Ok(1));
    rules.remove("a");
    assert_eq!(rules.add(lasting("a", reset()), 0), Ok(2));
    for _ in 3..u16::MAX {
        rules.remove("a");
        rules.add(lasting("a", reset()), 0).unwrap();
    }
    rules.remove("a");
    assert_eq!(rules.add(lasting("a", reset()), 0), Ok(1));
}

#[test]
fn a_set_holds_so_many_rules_and_no_more() {
    let rules = RuleSet::of(7, &[]);
    for n in 0..MOST_RULES {
        rules.add(lasting(&n.to_string(), latency(1)), 0).unwrap();
    }
    assert_eq!(rules.add(lasting("more", reset()), 0), Err(AddError::Full));
}

#[test]
fn a_window_counts_from_when_the_rule_was_added() {
    let rules = RuleSet::of(7, &[]);
    let window = |name: &str, from, until| FaultPlan {
        from: Span::millis(from),
        until: Span::millis(until),
        ..fault(name, reset())
    };
    rules.add(window("later", 10, 30), 100 * MS).unwrap();
    let at = |ms: u64| fires(&rules, &Facts { at: ms * MS, ..facts(1, 1) });
    assert_eq!([100, 109, 110, 129, 130].map(at), [false, false, true, true, false]);
    rules.clear();
    rules.add(window("at once", 0, 30), 100 * MS).unwrap();
    let at = |ms: u64| fires(&rules, &Facts { at: ms * MS, ..facts(1, 1) });
    // A host that looked at its clock before the rule came asks after it.
    assert_eq!([99, 100, 129, 130].map(at), [true, true, true, false]);
}

/// Decisions that each of three threads makes while a fourth changes the rules.
const DECISIONS: u32 = 20_000;

/// Three threads decide, this one changes, until they are done.
fn while_deciding(decide: impl Fn() + Sync, mut change: impl FnMut()) {
    std::thread::scope(|scope| {
        let decide = &decide;
        let repeat = move || (0..DECISIONS).for_each(|_| decide());
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(repeat)).collect();
        while !threads.iter().all(|thread| thread.is_finished()) {
            change();
        }
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    });
}

#[test]
fn no_decision_that_begins_later_follows_the_old_rule() {
    let rules = RuleSet::of(7, &[]);
    rules.add(lasting("hold", latency(1)), 0).unwrap();
    let replaced = AtomicU64::new(1);
    let decide = || {
        let least = replaced.load(Ordering::SeqCst);
        let held = rules.decide(Point::RequestHead, &facts(1, 1)).delay / MS;
        let most = replaced.load(Ordering::SeqCst) + 1;
        assert!((least..=most).contains(&held), "{held} is not of {least}..={most}");
    };
    while_deciding(decide, || {
        let next = replaced.load(Ordering::SeqCst) + 1;
        rules.replace(lasting("hold", latency(next)), 0).unwrap();
        replaced.store(next, Ordering::SeqCst);
    });
    assert!(replaced.load(Ordering::SeqCst) > 1);
}

#[test]
fn what_was_removed_never_fires_again() {
    let rules = RuleSet::of(7, &[]);
    // Even while there is certainly no rule.
    let changes = AtomicU64::new(0);
    let decide = || {
        let before = changes.load(Ordering::SeqCst);
        let fired = fires(&rules, &facts(1, 1));
        let untouched = before == changes.load(Ordering::SeqCst) && before.is_multiple_of(2);
        assert!(!(fired && untouched), "fired with no rule there");
    };
    while_deciding(decide, || {
        changes.fetch_add(1, Ordering::SeqCst);
        rules.add(lasting("r", reset()), 0).unwrap();
        rules.remove("r").unwrap();
        changes.fetch_add(1, Ordering::SeqCst);
    });
    assert!(!rules.any_active() && !fires(&rules, &facts(1, 1)));
}
