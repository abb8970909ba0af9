//! `clock-skew`: clocks apart

use super::super::evidence::{self, Evidence};
use super::super::rank::Strength;
use super::super::{Cause, Observations, Sample};

pub(super) const CAUSE: Cause = Cause {
    name: "clock-skew",
    summary: "the clocks here and there are more than 15 minutes apart",
    doc: "S3 refuses signatures more than 15 minutes away from its own clock (RequestTimeTooSkewed). \
          Certificates and sessions are judged by clocks, too.",
    look_at: &[
        ("this host", "`chronyc tracking` or `timedatectl`; time after a suspended virtual machine"),
        ("the gateway", "the clock of the host that signs, if the gateway signs"),
        ("AWS", "the Amazon Time Sync Service at 169.254.169.123"),
    ],
    find,
};

fn find(seen: &Observations) -> Option<Evidence> {
    /// S3 API reference, "Error responses": RequestTimeTooSkewed.
    const ALLOWED: u64 = 15 * 60;
    let off = |sample: &Sample| sample.answer().and_then(|a| a.clock).filter(|by| by.unsigned_abs() > ALLOWED);
    let told = |sample: &Sample| sample.code() == Some("RequestTimeTooSkewed");
    let what = "reads say so by their Date or by RequestTimeTooSkewed";
    let found = evidence::reads(seen, what, |sample| off(sample).is_some() || told(sample))?;
    let place = seen.view();
    let by = seen.reads(place).filter_map(|sample| sample.answer()?.clock).max_by_key(|by| by.unsigned_abs());
    let failed = seen.reads(place).any(told) || !seen.is_clean(place);
    let found = if failed { found } else { found.only(Strength::Likely) };
    Some(found.with_first(by.map(|by| format!("Date there is {by} s from the clock here")).into_iter()))
}
