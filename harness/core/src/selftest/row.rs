//! One run of the self-test: which gateway under what, and how the verdicts compare with what they had to be.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{DefectProof, Detection};
use crate::plan::ExpectationPlan;
use crate::units::Share;
use crate::verdict::{Outcome, Verdict};

/// What a gateway is to the judge.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The reference gateway as it is: every expectation has to pass.
    Correct,
    /// Correct in another way: every expectation has to pass as well.
    Benign,
    /// Broken in one known way: its checks have to fail, and no others.
    Defect,
}

/// Which run it is. No two rows of a score are of one trial.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Trial {
    /// What the gateway is.
    pub kind: Kind,
    /// `correct`, the name of a variant, or of a defect.
    pub gateway: String,
    /// Number of the defect in the catalogue, 0 for others.
    pub number: u8,
    /// Scenario.
    pub scenario: String,
    /// Share of requests the defect touches.
    pub rate: Share,
    /// How many times the scenario's load is offered.
    pub load: u32,
    /// Seed.
    pub seed: u64,
    /// Which repetition, from 1.
    pub repeat: u32,
}

/// What a check of the `must` set did.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Shown {
    /// The check.
    pub check: String,
    /// Whether it failed.
    pub failed: bool,
    /// Exchanges that broke its rule; absent for a check that judges a rate or a quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub violations: Option<u64>,
}

/// What came of a trial.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Row {
    /// Which.
    pub trial: Trial,
    /// Hash of the plan that ran: a row of another plan is not this trial's.
    pub plan: String,
    /// The checks that had to fail.
    pub must: Vec<Shown>,
    /// Checks that failed and were not allowed to.
    pub false_alarms: Vec<String>,
    /// Checks that could not be judged, on a gateway that is correct.
    pub inconclusive: Vec<String>,
    /// Run id.
    pub run: String,
}

// === impl Trial ===

impl Trial {
    /// The order of a table: correct gateways first, defects by number, the highest rate first.
    pub fn order(&self, other: &Self) -> Ordering {
        let key = |t: &Self| (t.kind, t.number, t.gateway.clone(), t.scenario.clone());
        let rate = || other.rate.0.total_cmp(&self.rate.0);
        let rest = |t: &Self| (t.load, t.seed, t.repeat);
        key(self).cmp(&key(other)).then_with(rate).then_with(|| rest(self).cmp(&rest(other)))
    }
}

// === impl Row ===

impl Row {
    /// Compares the verdicts of a run with what they had to be; no proof for a gateway that is correct.
    pub fn of(
        trial: Trial,
        plan: String,
        run: String,
        proof: Option<&DefectProof>,
        expectations: &[ExpectationPlan],
        verdicts: &[Verdict],
    ) -> Self {
        let check = |v: &Verdict| expectations.get(v.expectation as usize).map(|e| e.check.info().name);
        let with = |outcome| -> BTreeSet<&str> {
            verdicts.iter().filter(|v| v.outcome == outcome).filter_map(check).collect()
        };
        let mut violations: BTreeMap<&str, u64> = BTreeMap::new();
        for verdict in verdicts {
            if let (Some(check), Some(count)) = (check(verdict), verdict.violations) {
                *violations.entry(check).or_default() += count;
            }
        }
        let failed = with(Outcome::Fail);
        let shown = |check: &&str| Shown {
            check: (*check).to_owned(),
            failed: failed.contains(check),
            violations: violations.get(check).copied(),
        };
        let false_alarms = match proof {
            Some(proof) => {
                let Detection { false_alarms, .. } = proof.detection(failed.iter().copied());
                false_alarms
            }
            None => failed.iter().map(|f| (*f).to_owned()).collect(),
        };
        let unsure = with(Outcome::Inconclusive);
        Self {
            trial,
            plan,
            must: proof.map_or_else(Vec::new, |p| p.must.iter().map(shown).collect()),
            false_alarms,
            inconclusive: unsure
                .into_iter()
                .filter(|c| proof.is_none() && !failed.contains(c))
                .map(str::to_owned)
                .collect(),
            run,
        }
    }

    /// Checks of the `must` set that did not fail.
    pub fn silent(&self) -> Vec<&str> {
        self.must.iter().filter(|s| !s.failed).map(|s| s.check.as_str()).collect()
    }

    /// Whether it is as it should be, as far as one run tells: at a lower rate a silent check may only have had too
    /// few requests.
    pub fn good(&self) -> bool {
        let told = self.trial.rate.0 < 1.0 || self.silent().is_empty();
        told && self.false_alarms.is_empty() && self.inconclusive.is_empty()
    }

    /// One line.
    pub fn line(&self) -> String {
        let Trial { number, gateway, scenario, rate, seed, repeat, .. } = &self.trial;
        let mark = if self.good() { "ok  " } else { "BAD " };
        let which = match self.trial.kind {
            Kind::Defect => format!("{rate} seed {seed}"),
            Kind::Correct | Kind::Benign => format!("seed {seed} #{repeat}"),
        };
        let mut text = format!("{mark}{number:>2} {gateway:<24} {scenario:<26} {which}");
        let failed: Vec<_> = self.must.iter().filter(|s| s.failed).map(|s| s.check.as_str()).collect();
        let silence = if self.trial.rate.0 < 1.0 { "silent" } else { "MISSED" };
        for (what, list) in [
            ("found by", failed.join(", ")),
            (silence, self.silent().join(", ")),
            ("FALSE ALARM", self.false_alarms.join(", ")),
            ("INCONCLUSIVE", self.inconclusive.join(", ")),
        ] {
            if !list.is_empty() {
                text.push_str(&format!("  {what}: {list}"));
            }
        }
        text
    }
}
