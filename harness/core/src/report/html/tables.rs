//! Tables and lists below the charts: phases, faults, the plan, the environment, and what the numbers cannot
//! say.

use super::axis::Time;
use super::text;
use crate::plan::{GatewayPlan, KeysPlan, RegionPlan, SignPlan, SizePlan, WorkloadPlan};
use crate::report::text::{attempts, count, escape, millis, percent, seconds, thousands};
use crate::report::{FaultSummary, PhaseSummary, RunReport};

pub(super) fn phases(report: &RunReport) -> String {
    let row = |(i, phase): (usize, &PhaseSummary)| {
        let status = |(status, n): &(u16, u64)| match status {
            0 => format!("<span class='status'>no status x {}</span>", thousands(*n)),
            _ => format!("<span class='status'>{status} x {}</span>", thousands(*n)),
        };
        format!(
            "<tr id='phase-{i}' data-from='{:.3}' data-until='{:.3}'><th scope='row'>{}</th><td>{} to {}</td>\
             <td class='n'>{}</td><td class='n'>{}</td><td class='n'>{}</td><td class='n'>{}</td>\
             <td class='n'>{}</td><td class='n'>{}</td><td>{}</td></tr>",
            phase.from,
            phase.until,
            text(&phase.name),
            seconds(phase.from),
            seconds(phase.until),
            thousands(phase.requests),
            percent(phase.succeeded, phase.requests),
            millis(phase.p50_ms),
            millis(phase.p99_ms),
            millis(phase.service_p99_ms),
            attempts(phase),
            phase.statuses.iter().map(status).collect::<Vec<_>>().join(" ")
        )
    };
    if report.phases.is_empty() {
        return String::new();
    }
    let rows: String = report.phases.iter().enumerate().map(row).collect();
    let heads = [
        ("phase", ""),
        ("window", ""),
        ("requests", "n"),
        ("succeeded", "n"),
        ("median", "n"),
        ("p99", "n"),
        ("service p99", "n"),
        ("attempts per request", "n"),
        ("statuses", ""),
    ];
    section("phases", "Phases", &table(&heads, &rows))
}

pub(super) fn faults(report: &RunReport) -> String {
    let row = |(i, fault): (usize, &FaultSummary)| {
        let on = |(from, until): &(f64, f64)| format!("{} to {}", seconds(*from), seconds(*until));
        let on: Vec<_> = fault.intervals.iter().map(on).collect();
        let fired = match (fault.fired, fault.eligible) {
            (Some(fired), Some(all)) => {
                format!("{} of {} ({})", thousands(fired), thousands(all), percent(fired, all))
            }
            (Some(fired), None) => thousands(fired),
            (None, _) => "an interval".into(),
        };
        let plan = report.plan.faults.iter().find(|f| f.name == fault.name);
        let odds =
            plan.map_or_else(String::new, |p| format!("{} per {:?}", p.probability, p.per).to_lowercase());
        let region = |r: u16| report.plan.regions.get(usize::from(r)).map_or("?", |r| r.name.as_str());
        let place = plan.map_or("", |p| p.region.map_or("everywhere", region));
        format!(
            "<tr id='fault-{i}'><th scope='row'>{}</th><td>{}</td><td>{}</td><td>{}</td><td>{odds}</td>\
             <td>{}</td></tr>",
            text(&fault.name),
            text(&fault.kind),
            if on.is_empty() { "never".into() } else { on.join(", ") },
            fired,
            text(place),
        )
    };
    if report.faults.is_empty() {
        return String::new();
    }
    let rows: String = report.faults.iter().enumerate().map(row).collect();
    let heads = ["fault", "kind", "on", "fired", "odds", "where"].map(|head| (head, ""));
    section("faults", "Faults", &table(&heads, &rows))
}

/// How late the load generator was, as a histogram.
pub(super) fn lag(report: &RunReport) -> String {
    let Some(lag) = &report.lag else { return String::new() };
    let most = lag.histogram.iter().map(|(_, n)| *n).max().unwrap_or(0).max(1);
    let row = |(upto, n): &(f64, u64)| {
        format!(
            "<tr><th scope='row'>up to {}</th><td class='n'>{}</td><td class='n'>{}</td>\
             <td><meter min='0' max='{most}' value='{n}'>{n}</meter></td></tr>",
            millis(Some(*upto)),
            thousands(*n),
            percent(*n, lag.requests)
        )
    };
    let rows: String = lag.histogram.iter().map(row).collect();
    let heads = [("lag", ""), ("requests", "n"), ("share", "n"), ("", "")];
    let said = format!(
        "<p>From when a request was due to when it was sent: median {}, p99 {}, longest {}. Response times include \
         it, service times do not.</p>\n",
        millis(Some(lag.p50_ms)),
        millis(Some(lag.p99_ms)),
        millis(Some(lag.max_ms))
    );
    section("lag", "Schedule lag", &(said + &table(&heads, &rows)))
}

pub(super) fn plan(report: &RunReport) -> String {
    let plan = &report.plan;
    let join = |all: Vec<String>| if all.is_empty() { "none".into() } else { all.join("; ") };
    let bucket = |b: &crate::plan::BucketPlan| {
        let size = b.listed.as_ref().map_or_else(|| size(&b.size), |listed| listed.file.clone());
        format!("{}: {} of {size}", b.name, count(u64::from(b.objects), "object"))
    };
    let items = [
        ("scenario", format!("{} at {}", plan.title(), plan.source)),
        ("tags", plan.tags.join(", ")),
        ("gateway", gateway(&plan.gateway)),
        ("upstreams", join(plan.regions.iter().map(region).collect())),
        ("buckets", join(plan.buckets.iter().map(bucket).collect())),
        ("identities", join(plan.identities.iter().map(|i| i.name.clone()).collect())),
        ("load", join(plan.workloads.iter().map(workload).collect())),
        ("deadline", plan.guards.deadline.to_string()),
    ];
    section("plan", "Plan", &list(&items))
}

/// The environment, and what the numbers of this page cannot say.
pub(super) fn limits(report: &RunReport, time: &Time) -> String {
    let env = &report.environment;
    let items = [
        ("gatecrash", env.gatecrash.clone()),
        ("gateway", env.gateway.clone()),
        ("system", env.system.clone()),
        ("cores", env.cores.to_string()),
        ("directory", env.directory.clone()),
    ];
    let guards = &report.plan.guards;
    let lagged = report.guards.iter().any(|g| g.guard == "generator");
    let lag = if report.capacity.is_some() {
        "Trials in which the load generator was the limit were discarded, and say why.".into()
    } else if report.phases.iter().all(|p| p.requests == 0) {
        "No load was generated.".into()
    } else if lagged {
        "The generator guard spoke: see the notes at the top. Times of this run are not the gateway's alone."
            .into()
    } else {
        format!(
            "The generator guard did not speak: it allows a schedule lag of {} at the 99th percentile and {} \
             of arrivals dropped at the in-flight cap.",
            guards.max_lag_p99, guards.max_dropped
        )
    };
    let closed = match report.plan.workloads.iter().any(|w| w.closed.is_some()) {
        true => "Users of a closed loop wait for their answers: while the gateway is slow, fewer requests are made, \
                 so few of them are slow. What users who did not wait would have seen takes an open workload."
            .into(),
        false => String::new(),
    };
    let lines = [
        format!(
            "{} shared {} of one machine; what one of them used, the others did not have. Compare runs on \
             the same machine only.",
            match report.plan.gateway {
                GatewayPlan::Url { .. } => "Load generator, links and mock S3",
                _ => "Load generator, links, mock S3 and gateway",
            },
            count(u64::from(env.cores), "core")
        ),
        lag,
        "Response times count from the moment a request was due, service times from when it was sent; both only \
         of whole, correct answers."
            .into(),
        closed,
        match report.capacity {
            Some(_) => "Charts show one point for each rate: all of its trials that were not discarded.".into(),
            None => format!(
                "Charts show {} per point; a request belongs to the second in which it was due, an attempt to \
                 the one in which it began.",
                count(u64::from(time.step), "second")
            ),
        },
        "Attempts are exchanges that a link saw: connections refused before one are not among them.".into(),
    ];
    let lines = lines.iter().filter(|line: &&String| !line.is_empty());
    let lines: String = lines.map(|line| format!("<li>{}</li>", escape(line))).collect();
    section("limits", "Environment and limits", &format!("{}<ul class='limits'>{lines}</ul>\n", list(&items)))
}

fn gateway(plan: &GatewayPlan) -> String {
    let settings = |all: &std::collections::BTreeMap<String, String>| {
        all.iter().map(|(k, v)| format!(", {k} {v}")).collect::<String>()
    };
    match plan {
        GatewayPlan::Embedded { preset, defects, params, .. } => {
            let defects =
                if defects.is_empty() { String::new() } else { format!(", defects {}", defects.join(", ")) };
            format!("embedded reference, preset {preset}{}{defects}", settings(params))
        }
        GatewayPlan::Recipe { name, version, params } => {
            let version = version.as_ref().map_or_else(String::new, |version| format!(" {version}"));
            format!("recipe {name}{version}{}", settings(params))
        }
        GatewayPlan::Command { run, .. } => format!("command {}", run.join(" ")),
        GatewayPlan::Url { base, .. } => format!("running at {base}"),
    }
}

fn region(region: &RegionPlan) -> String {
    let role = if region.primary { "primary" } else { "standby" };
    let latency = region.latency.map_or_else(String::new, |l| format!(", p50 {}, p99 {}", l.p50, l.p99));
    format!("{} ({role}, {}{latency})", region.name, count(u64::from(region.endpoints), "endpoint"))
}

fn workload(load: &WorkloadPlan) -> String {
    let ops: Vec<_> = load.ops.iter().map(|op| format!("{} {}", op.share, op.op.name())).collect();
    let keys = match &load.keys {
        _ if load.replay.is_some() => "keys of the log".into(),
        KeysPlan::Uniform => "uniform keys".into(),
        KeysPlan::Zipf(exponent) => format!("Zipf {exponent} keys"),
        KeysPlan::Sequential => "sequential keys".into(),
        KeysPlan::HotSet { keys, share } => format!("{share} on a hot {keys} of the keys"),
        KeysPlan::FromFile { file, weights } => {
            format!("{} of {file}", count(weights.len() as u64, "key"))
        }
    };
    let sign = match load.sign {
        SignPlan::Client => "signed by the client",
        SignPlan::Presigned { .. } => "signed in the query",
        SignPlan::Gateway => "signed by the gateway",
        SignPlan::None => "not signed",
    };
    format!(
        "{}: {}, {} on {}, {keys}, {sign}, timeout {}",
        load.name,
        arrivals(load),
        ops.join(" "),
        load.bucket,
        load.timeout
    )
}

/// When its requests begin, in words.
fn arrivals(load: &WorkloadPlan) -> String {
    if let (Some(closed), Some((least, most))) = (&load.closed, load.users()) {
        let users = count(u64::from(most), "user");
        let from = if least == most { String::new() } else { format!("{least} to ") };
        return format!("closed loop of {from}{users}, {}", closed.think);
    }
    let begin = match (&load.trace, load.rates()) {
        (Some(trace), _) => {
            let speed = load.replay.as_ref().filter(|replay| (replay.speed - 1.0).abs() > f64::EPSILON);
            let speed = speed.map_or_else(String::new, |replay| format!(", {} times as fast", replay.speed));
            format!("{} of {}{speed}", count(trace.arrivals, "arrival"), trace.file)
        }
        (None, rates) => {
            let (least, most) = rates.unwrap_or_default();
            let from = if least < most { format!("{least}/s to ") } else { String::new() };
            let law = if load.poisson { "Poisson" } else { "even" };
            format!("{from}{most}/s, {law} arrivals")
        }
    };
    format!("{begin}, at most {} in flight", thousands(u64::from(load.max_in_flight)))
}

fn size(plan: &SizePlan) -> String {
    match plan {
        SizePlan::Fixed(size) => size.to_string(),
        SizePlan::Lognormal { median, p99, max } => {
            format!("lognormal: median {median}, 99th percentile {p99}, at most {max}")
        }
        SizePlan::Weighted(sizes) => {
            sizes.iter().map(|(size, share)| format!("{size} ({share})")).collect::<Vec<_>>().join(", ")
        }
        SizePlan::Listed(_) => "sizes of a log".into(),
    }
}

pub(super) fn section(id: &str, title: &str, content: &str) -> String {
    format!("<section id='{id}'><h2>{title}</h2>\n{content}</section>\n")
}

pub(super) fn table(heads: &[(&str, &str)], rows: &str) -> String {
    let head = |(name, class): &(&str, &str)| match *class {
        "" => format!("<th>{name}</th>"),
        class => format!("<th class='{class}'>{name}</th>"),
    };
    let heads: String = heads.iter().map(head).collect();
    format!("<div class='wide'><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>\n")
}

fn list(items: &[(&str, String)]) -> String {
    let shown = items.iter().filter(|(_, value)| !value.is_empty());
    let items: String = shown.map(|(k, v)| format!("<div><dt>{k}</dt><dd>{}</dd></div>", text(v))).collect();
    format!("<dl class='list'>{items}</dl>\n")
}
