//! Counting exchanges that were put to the test, and those that failed it.

use std::collections::BTreeMap;

use gatecrash_model::RequestId;

use crate::judge::Scope;
use crate::verdict::Finding;

/// Exchanges that could have broken a rule, and those that did, grouped by what they did.
#[derive(Debug, Default)]
pub(super) struct Tally {
    samples: u64,
    bad: BTreeMap<String, Vec<RequestId>>,
    /// Those that broke it for want of a processor, as far as can be told.
    starved: Vec<RequestId>,
}

impl Tally {
    /// One that kept the rule.
    pub(super) fn good(&mut self) {
        self.samples += 1;
    }

    /// One that broke it, and how: a fragment after "7 x".
    pub(super) fn bad(&mut self, request: RequestId, how: impl Into<String>) {
        self.samples += 1;
        self.bad.entry(how.into()).or_default().push(request);
    }

    /// One that kept the rule (`true`) or broke it.
    pub(super) fn count(&mut self, kept: bool, request: RequestId, how: impl FnOnce() -> String) {
        if kept { self.good() } else { self.bad(request, how()) }
    }

    /// One that broke it while the machine was so starved that this explains it.
    pub(super) fn starved(&mut self, request: RequestId) {
        self.samples += 1;
        self.starved.push(request);
    }

    /// Fails on any that broke the rule; leaves open those that only starvation made break it; passes on enough that kept it; else says why there were too few.
    pub(super) fn finding(self, scope: &Scope<'_>, wanted: impl Into<String>, why_none: &str) -> Finding {
        let count: usize = self.bad.values().map(Vec::len).sum();
        let starved = self.starved.len();
        if count == 0 && starved > 0 {
            let reason = format!(
                "{starved} of {} broke the rule, all while the machine had no processor for us (stalls of \
                 {:.0} ms and less): run it again on a quieter machine",
                self.samples,
                scope.stalls.longest() as f64 / 1e6
            );
            return Finding::inconclusive(wanted, self.samples, reason).exemplars(self.starved);
        }
        if count == 0 && self.samples < scope.min_samples.max(1) {
            let reason = match self.samples {
                0 => why_none.to_owned(),
                n => format!("{n} samples, {} needed", scope.min_samples),
            };
            return Finding::inconclusive(wanted, self.samples, reason);
        }
        let mut groups: Vec<_> = self.bad.into_iter().collect();
        groups.sort_by_key(|(_, requests)| std::cmp::Reverse(requests.len()));
        let observed = match count {
            0 => "no violation".to_owned(),
            1 => "1 violation".to_owned(),
            n => format!("{n} violations"),
        };
        let mut finding = Finding::judged(count == 0, observed, wanted, self.samples);
        finding.violations = Some(count as u64);
        for (how, requests) in groups.iter().take(6) {
            finding = finding.detail(format!("{} x {how}", requests.len()));
        }
        if starved > 0 {
            finding =
                finding.detail(format!("{starved} more while the machine was starved, which may be why"));
        }
        finding.exemplars(first_of_each(&groups))
    }
}

/// One request of each group in turn, so that three exemplars show three different things.
fn first_of_each(groups: &[(String, Vec<RequestId>)]) -> Vec<RequestId> {
    let longest = groups.iter().map(|(_, r)| r.len()).max().unwrap_or(0).min(3);
    (0..longest).flat_map(|i| groups.iter().filter_map(move |(_, r)| r.get(i).copied())).take(3).collect()
}
