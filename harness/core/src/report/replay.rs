//! What a log comes to, in a line.

use super::text::{clean, count, percent, thousands};
use crate::plan::WorkloadPlan;

/// `1,234 requests of access.log over 10m: 90.0% GetObject, ...; left out: 12 of REST.POST.UPLOADS`; `None` unless
/// the workload replays a log.
pub fn replayed(load: &WorkloadPlan) -> Option<String> {
    let (log, trace) = (load.replay.as_ref()?, load.trace.as_ref()?);
    let share = |op: &crate::plan::OpPlan| {
        let requests = (op.share.0 * trace.arrivals as f64).round() as u64;
        format!("{} {}", percent(requests, trace.arrivals), op.op.name())
    };
    let ops: Vec<_> = load.ops.iter().map(share).collect();
    let speed = (log.speed - 1.0).abs() > f64::EPSILON;
    let speed = if speed { format!(", {} times as fast", log.speed) } else { String::new() };
    let left: Vec<_> = log
        .left_out
        .iter()
        .map(|(name, lines)| format!("{} of {}", thousands(*lines), clean(name)))
        .collect();
    let left = if left.is_empty() { String::new() } else { format!("; left out: {}", left.join(", ")) };
    Some(format!(
        "{} of {} over {}{speed}: {}{left}",
        count(trace.arrivals, "request"),
        clean(&log.file),
        super::text::seconds(log.length.as_seconds()),
        ops.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golden::Story;
    use crate::plan::{OpPlan, ReplayPlan, TracePlan};
    use crate::units::{Share, Span};
    use gatecrash_model::Op;

    #[test]
    fn a_log_in_a_line() {
        let mut load = Story::new().plan.workloads.remove(0);
        assert_eq!(replayed(&load), None);
        load.ops = vec![OpPlan::plain(Op::GetObject, Share(0.9)), OpPlan::plain(Op::PutObject, Share(0.1))];
        load.trace =
            Some(TracePlan { file: "a.log".into(), arrivals: 1230, every: None, instants: [].into() });
        load.replay = Some(ReplayPlan {
            file: "a.log".into(),
            speed: 2.0,
            length: Span::seconds(90),
            left_out: vec![("REST.POST.UPLOADS".into(), 12), ("REST.GET.ACL".into(), 1)],
            script: Default::default(),
        });
        let wanted = "1,230 requests of a.log over 90s, 2 times as fast: 90.0% GetObject, 10.0% PutObject; \
                      left out: 12 of REST.POST.UPLOADS, 1 of REST.GET.ACL";
        assert_eq!(replayed(&load).as_deref(), Some(wanted));
    }
}
