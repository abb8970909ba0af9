//! What one expectation looks at: a window, a match, and the questions that checks share.

use std::collections::{HashMap, HashSet};

use gatecrash_model::{AttemptRecord, Capabilities, Capability, ClientRecord, FiringRecord, Nanos};

use super::cause::{Cause, EDGE, asked_wait, cause_of, is_on_accept, is_untrue};
use super::starvation::Stalls;
use crate::faults::{FaultSpec, Host, Tls, TlsKind, Wait};
use crate::history::{Answers, History, IdSet, Interval, Intervals, Join};
use crate::plan::{ExpectationPlan, FaultPlan, Plan};
use crate::profile::Profile;
use crate::rules::Matcher;

/// A whole run, ready to be judged.
#[derive(Debug)]
pub struct Case<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is expected of this gateway.
    pub profile: &'a Profile,
    /// Everything observed.
    pub history: &'a History,
    /// Who caused what.
    pub join: Join,
    /// When each fault was on.
    pub intervals: Intervals,
    /// Packed ids of requests that a fault on the clients' side touched.
    pub spoilt_by_client: IdSet,
    /// Which answers are right.
    pub answers: Answers,
    /// Scheduler slack measured in the run, added to time limits.
    pub slack: Nanos,
    /// When the machine had no processor for us.
    pub stalls: Stalls,
    /// The last instant anything was seen.
    pub end: Nanos,
}

/// What a check may look at.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is expected of this gateway.
    pub profile: &'a Profile,
    /// Everything observed.
    pub history: &'a History,
    /// Who caused what.
    pub join: &'a Join,
    /// When each fault was on.
    pub intervals: &'a Intervals,
    /// Which answers are right.
    pub answers: &'a Answers,
    /// Window on intended start, from.
    pub from: Nanos,
    /// Window on intended start, until (exclusive).
    pub until: Nanos,
    /// Phase index, when the expectation names one.
    pub phase: Option<u16>,
    /// Which requests.
    pub matcher: &'a Matcher,
    /// Least samples.
    pub min_samples: u64,
    /// When the machine had no processor for us.
    pub stalls: &'a Stalls,
    /// Allowance for time limits: max(50 ms, 10 %) is the check's own; this is the scheduler slack of the
    /// run.
    pub slack: Nanos,
    /// Packed ids of requests that a known deviation of the gateway excuses.
    pub excused: Option<&'a IdSet>,
    /// Packed ids of requests that a fault on the clients' side touched: what came of them is the client's own doing.
    pub spoilt_by_client: &'a IdSet,
}

// === impl Case ===

impl<'a> Case<'a> {
    /// Joins a history and measures its slack.
    pub fn new(plan: &'a Plan, profile: &'a Profile, history: &'a History) -> Self {
        let intervals = Intervals::of(plan, history);
        let slack = super::guards::slack(history, &intervals);
        let (join, answers) = (Join::of(history), Answers::of(plan));
        let spoilt_by_client = spoilt_by_client(plan, history);
        let (stalls, end) = (Stalls::of(history), history.end());
        Self { plan, profile, history, join, intervals, answers, spoilt_by_client, slack, stalls, end }
    }

    /// The scope of an expectation; `None` when its phase never began.
    pub fn scope(&'a self, expectation: &'a ExpectationPlan) -> Option<Scope<'a>> {
        let (start, end) = match expectation.phase {
            Some(phase) => self.history.phase_window(phase)?,
            None => (0, self.end + 1),
        };
        let offset = expectation.after.or(expectation.before);
        let zero = offset.and(expectation.phase).map_or(start, |phase| self.in_force(phase, start, end));
        Some(Scope {
            from: expectation.after.map_or(start, |s| zero + s.0),
            until: expectation.before.map_or(end, |s| end.min(zero + s.0)),
            phase: expectation.phase,
            min_samples: expectation.min_samples.unwrap_or_else(|| expectation.check.info().min_samples),
            ..self.everything(&expectation.matcher)
        })
    }

    /// The scope of everything that matches, in the whole run.
    pub fn everything(&'a self, matcher: &'a Matcher) -> Scope<'a> {
        Scope {
            plan: self.plan,
            profile: self.profile,
            history: self.history,
            join: &self.join,
            intervals: &self.intervals,
            answers: &self.answers,
            from: 0,
            until: self.end + 1,
            phase: None,
            matcher,
            min_samples: 1,
            stalls: &self.stalls,
            slack: self.slack,
            excused: None,
            spoilt_by_client: &self.spoilt_by_client,
        }
    }

    /// When the faults that begin with a phase were in force, from which `after` and `before` count: some, such
    /// as a gateway's reload, take their time.
    fn in_force(&self, phase: u16, start: Nanos, end: Nanos) -> Nanos {
        let Some(phase) = self.plan.phases.get(usize::from(phase)) else { return start };
        let begins_with_it = |fault: u16| self.plan.faults[usize::from(fault)].from == phase.from;
        let own = self.intervals.all().filter(|(fault, _)| begins_with_it(*fault));
        let on = own.filter(|(_, i)| (start..end).contains(&i.from));
        on.map(|(fault, i)| self.intervals.settled(fault, i.from)).max().unwrap_or(start)
    }
}

// === impl Scope ===

impl<'a> Scope<'a> {
    /// Client requests of the window that match and were sent, by intended time. Where the window is a
    /// phase's, those that a fault of another phase can have met on its edge belong to neither, and nor do
    /// those that reached the upstream when the phase's own faults were about to end, or later, or that were under way
    /// while a change of the gateway's configuration was coming into force.
    pub fn clients(&self) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
        self.due().filter(|c| !c.was_dropped())
    }

    /// The same, with those that were not sent because too many were under way.
    pub fn due(&self) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
        let (scope, foreign, last) = (*self, self.foreign_faults(), self.last_of_own_faults());
        let unsettled: &[_] = self.phase.map_or(&[], |_| self.intervals.changing());
        let met = move |c: &ClientRecord| {
            let meets = |i: &Interval| i.overlaps(c.sent(), c.ended());
            foreign.iter().any(meets) || unsettled.iter().any(|(_, i)| meets(i))
        };
        let late = move |c: &ClientRecord| last.is_some_and(|last| scope.reached_upstream(c) > last);
        let all = self.arrivals_between(self.from, self.until);
        all.filter(move |c| c.was_dropped() || !met(c) && !late(c))
    }

    /// The last instant at which what ends with this phase surely bites; `None` where nothing does.
    fn last_of_own_faults(&self) -> Option<Nanos> {
        let (_, end) = self.history.phase_window(self.phase?)?;
        let phase = self.plan.phases.get(usize::from(self.phase?))?;
        let ends_with_it = |fault: &FaultPlan| fault.until == phase.until && fault.from < phase.until;
        self.plan.faults.iter().any(ends_with_it).then(|| end.saturating_sub(EDGE))
    }

    /// When a request first met the upstream: the mock, else a link. Where nobody was asked, or a fault holds
    /// requests up before the upstream, when it was sent.
    fn reached_upstream(&self, client: &ClientRecord) -> Nanos {
        let mut on = self.intervals.all().filter(|(_, i)| i.overlaps(client.sent(), client.ended()));
        let held = on.any(|(fault, _)| holds_requests_up(&self.plan.faults[usize::from(fault)].spec));
        let Some(first) = self.attempts(client).next().filter(|_| !held) else { return client.sent() };
        self.join.upstream(self.history, first).map_or(first.start, |u| u.received)
    }

    /// Recorded intervals, with an edge around them, of faults that the plan keeps out of this phase.
    fn foreign_faults(&self) -> Vec<Interval> {
        let phase = self.phase.and_then(|p| self.plan.phases.get(usize::from(p)));
        let Some(phase) = phase else { return Vec::new() };
        let is_foreign = |fault: u16| {
            let fault = &self.plan.faults[usize::from(fault)];
            fault.until <= phase.from || fault.from >= phase.until
        };
        let wider = |i: Interval| Interval { from: i.from.saturating_sub(EDGE), until: i.until + EDGE, ..i };
        self.intervals.all().filter(|(fault, _)| is_foreign(*fault)).map(|(_, i)| wider(i)).collect()
    }

    /// The same for another window.
    pub fn clients_between(
        &self,
        from: Nanos,
        until: Nanos,
    ) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
        self.arrivals_between(from, until).filter(|c| !c.was_dropped())
    }

    fn arrivals_between(
        &self,
        from: Nanos,
        until: Nanos,
    ) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
        let scope = *self;
        let begin = scope.history.clients.partition_point(|c| c.intended < from);
        let end = scope.history.clients.partition_point(|c| c.intended < until);
        scope.history.clients[begin..end.max(begin)].iter().filter(move |c| scope.includes(c))
    }

    /// Client requests of the window that got, or were owed, an answer: drops of reused connections, refused
    /// streams and what a GOAWAY gave up are a legal "please retry" (RFC 9112 9.3.1, RFC 9113 8.7) and count neither way.
    pub fn answered(&self) -> impl Iterator<Item = &'a ClientRecord> + use<'a> {
        self.clients().filter(|c| !c.ending.invites_retry())
    }

    /// Whether an instant is in the window.
    pub fn includes_time(&self, at: Nanos) -> bool {
        (self.from..self.until).contains(&at)
    }

    /// Whether a request was answered rightly, whole and with every byte right; 404 for what does not exist.
    pub fn succeeded(&self, client: &ClientRecord) -> bool {
        self.answers.is_right(self.history, client)
    }

    /// Whether a client request matches, whatever its time.
    pub fn includes(&self, client: &ClientRecord) -> bool {
        let bucket = self.plan.workloads.get(usize::from(client.workload)).map_or("", |w| w.bucket.as_str());
        self.matcher.matches_request(client.op, bucket, self.history.text(client.key))
            && self.matcher.method.as_deref().is_none_or(|m| m.eq_ignore_ascii_case(client.op.method()))
            && self
                .matcher
                .upstream_status
                .is_none_or(|status| self.attempts(client).any(|a| a.status == status))
            && !self.spoilt_by_client.contains(&client.id().pack())
            && self.excused.is_none_or(|excused| !excused.contains(&client.id().pack()))
    }

    /// What of `needed` nobody could observe in this run, in words.
    pub fn missing(&self, needed: Capabilities) -> Option<String> {
        let seen = self.plan.clients_show(self.history.capabilities);
        let names: Vec<_> = seen.missing(needed).map(Capability::name).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// The attempts a request originated, by start.
    pub fn attempts(&self, client: &ClientRecord) -> impl Iterator<Item = &'a AttemptRecord> + use<'a> {
        self.join.attempts_of(self.history, client)
    }

    /// The attempt a response named.
    pub fn fed_by(&self, client: &ClientRecord) -> Option<&'a AttemptRecord> {
        self.join.fed_by(self.history, client)
    }

    /// The attempt a response came from: the one it names, or the request's last.
    pub fn source(&self, client: &ClientRecord) -> Option<&'a AttemptRecord> {
        self.fed_by(client).or_else(|| self.attempts(client).last())
    }

    /// What an attempt did to its request.
    pub fn cause(&self, attempt: &AttemptRecord) -> Cause {
        cause_of(self.plan, attempt)
    }

    /// The fault that changed an attempt.
    pub fn fault(&self, attempt: &AttemptRecord) -> Option<&'a FaultSpec> {
        let index = attempt.fault.checked_sub(1)?;
        self.plan.faults.get(usize::from(index)).map(|f| &f.spec)
    }

    /// Packed ids of the attempts whose body the upstream made untrue under a true head.
    pub fn untrue_attempts(&self) -> IdSet {
        let faults = self.plan.faults.iter().enumerate().filter(|(_, f)| is_untrue(&f.spec));
        let faults: HashSet<u16> = faults.map(|(i, _)| i as u16).collect();
        if faults.is_empty() {
            return IdSet::default();
        }
        self.history.firings.iter().filter(|f| faults.contains(&f.fault)).map(|f| f.attempt).collect()
    }

    /// Packed ids of the attempts whose answer asked for a pause, with that.
    pub fn asked_waits(&self) -> HashMap<u64, Wait> {
        let waits: Vec<_> = self.plan.faults.iter().map(|f| asked_wait(&f.spec)).collect();
        if waits.iter().all(Option::is_none) {
            return HashMap::new();
        }
        let asked = |f: &FiringRecord| Some((f.attempt, (*waits.get(usize::from(f.fault))?)?));
        self.history.firings.iter().filter_map(asked).collect()
    }

    /// Causes without an attempt: what connecting can have met while the request was under way.
    pub fn connect_causes(&self, client: &ClientRecord) -> Vec<Cause> {
        let (from, until) = (client.sent(), client.ended());
        let on = |(index, _): &(usize, _)| self.intervals.active(*index as u16, from, until);
        let faults = self.plan.faults.iter().enumerate().filter(on);
        faults.flat_map(|(_, f)| connect_causes_of(&f.spec)).copied().collect()
    }

    /// Whether attempts of this request can have gone unseen: a connect fault was on.
    pub fn hides_attempts(&self, client: &ClientRecord) -> bool {
        !self.connect_causes(client).is_empty()
    }

    /// Whether attempts of this time can have gone unseen: a connect fault was on.
    pub fn hides_attempts_between(&self, from: Nanos, until: Nanos) -> bool {
        self.hiding_between(from, until).next().is_some()
    }

    /// The faults on in this time that keep attempts from being seen.
    pub fn hiding_between(&self, from: Nanos, until: Nanos) -> impl Iterator<Item = u16> + use<'a> {
        let plan = self.plan;
        let on = self.intervals.all().filter(move |(_, i)| i.overlaps(from, until)).map(|(fault, _)| fault);
        on.filter(move |fault| !connect_causes_of(&plan.faults[usize::from(*fault)].spec).is_empty())
    }

    /// A link by what is behind it: region and endpoint.
    pub fn link_name(&self, link: u8) -> String {
        match self.plan.links().get(usize::from(link)) {
            Some((region, endpoint)) => {
                format!("{}/{endpoint}", self.plan.regions[usize::from(*region)].name)
            }
            None => format!("link {link}"),
        }
    }

    /// How often a request was tried upstream; `None` where a connect fault hid tries and no log witnessed
    /// them.
    pub fn tries(&self, client: &ClientRecord) -> Option<usize> {
        let seen = self.attempts(client).count();
        match self.join.witnessed(client.id()).filter(|_| self.profile.witness) {
            Some(witnessed) => Some(seen.max(witnessed as usize)),
            None => (!self.hides_attempts(client)).then_some(seen),
        }
    }

    /// The index of a region by name.
    pub fn region(&self, name: &str) -> Option<u16> {
        self.plan.regions.iter().position(|r| r.name == name).map(|i| i as u16)
    }

    /// The recorded edge at which the last fault of this window ended, with no other left on, and the end of
    /// the quiet after it. `None` when no fault ended.
    pub fn restored(&self) -> Option<(Nanos, Nanos)> {
        let edges: Vec<_> = self.intervals.all().collect();
        let quiet = |at: Nanos| !edges.iter().any(|(_, i)| i.from <= at && at < i.until);
        let offs = edges.iter().map(|(_, i)| i.until).filter(|off| *off < self.until && quiet(*off));
        let off = offs.max()?;
        let next = edges.iter().map(|(_, i)| i.from).filter(|on| *on >= off).min();
        Some((off, next.unwrap_or(self.until).min(self.until)))
    }

    /// Whether every connect fault that ended at `at` or before was seen to end by our probe.
    pub fn end_confirmed(&self, at: Nanos) -> bool {
        self.intervals.all().all(|(_, i)| i.until > at || i.confirmed)
    }

    /// A declared time limit with its allowance: max(50 ms, 10 %) and the scheduler slack of the run.
    pub fn limit(&self, declared: Nanos) -> Nanos {
        declared + (declared / 10).max(50_000_000) + self.slack
    }
}

/// Requests on which a fault of the clients' side fired.
fn spoilt_by_client(plan: &Plan, history: &History) -> IdSet {
    let of_clients = |fault: u16| plan.faults.get(usize::from(fault)).is_some_and(|f| !f.side.is_upstream());
    history.firings.iter().filter(|f| of_clients(f.fault)).map(|f| f.request).collect()
}

/// Whether a fault delays requests on their way to the upstream, so that arriving late is its work.
fn holds_requests_up(spec: &FaultSpec) -> bool {
    match spec {
        FaultSpec::Misconfigure(_) | FaultSpec::Reload(_) => false,
        spec => matches!(spec.info().host, Host::Listener | Host::Resolver | Host::Process),
    }
}

fn connect_causes_of(spec: &FaultSpec) -> &'static [Cause] {
    match spec {
        FaultSpec::Refuse(_) => &[Cause::Refused],
        FaultSpec::ConnectBlackhole(_) => &[Cause::ConnectTimeout],
        FaultSpec::Dns(dns) if dns.points_nowhere() => &[Cause::Refused, Cause::NoUpstream],
        FaultSpec::Dns(_) => &[Cause::NoUpstream, Cause::Timeout],
        FaultSpec::Tls(Tls { kind: TlsKind::StallHello }) => &[Cause::ConnectTimeout],
        FaultSpec::Tls(_) if is_on_accept(spec) => &[Cause::TlsFailed],
        FaultSpec::Reload(_) => &[],
        // What becomes of an answer keeps no connection from standing.
        FaultSpec::Misconfigure(wrong) if wrong.mapping.is_some() => &[],
        spec if is_on_accept(spec) => &[Cause::Refused, Cause::Invalid],
        _ if spec.info().host == Host::Process => {
            &[Cause::Refused, Cause::ConnectTimeout, Cause::NoUpstream, Cause::Invalid]
        }
        _ => &[],
    }
}
