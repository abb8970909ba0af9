//! Phases and faults.

use super::{Cx, World};
use crate::diagnostics::{Diagnostic, Place};
use crate::faults::{FaultSpec, Host, Order, TlsKind};
use crate::plan::{FaultPlan, Per, PhasePlan};
use crate::rules::{Facts, Matcher, Point};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{File, Inject, Phase};
use crate::stand_in::toxiproxied;
use crate::units::{Share, Span};

impl Cx<'_> {
    /// The phases with their planned offsets.
    pub(super) fn phases(&mut self, file: &File) -> Vec<PhasePlan> {
        let timeline = &file.timeline;
        if timeline.value.is_empty() {
            self.error("no phases", timeline.place, "expected at least one");
        }
        let mut phases: Vec<PhasePlan> = Vec::new();
        for (at, phase) in timeline.value.iter().enumerate() {
            self.name("phase name", &phase.phase);
            self.positive("for", Some(phase.r#for));
            let earlier = timeline.value[..at].iter().find(|p| p.phase.value == phase.phase.value);
            if let Some(first) = earlier {
                let message = format!("two phases are called `{}`", phase.phase.value);
                let twice = Diagnostic::error(message, phase.phase.place, "again here");
                self.problems.push(twice.also(first.phase.place, "first here"));
            }
            for (name, _) in phase.load.iter() {
                self.refer("workload", &name.value, name.place, file.load.value.names());
            }
            let from = phases.last().map_or(Span(0), |p| p.until);
            let until = Span(from.0.saturating_add(phase.r#for.value.0));
            self.took(format!("phases.{}.until", phase.phase.value), phase.r#for.place);
            phases.push(PhasePlan { name: phase.phase.value.clone(), from, until });
        }
        phases
    }

    /// The faults, in order of the file.
    pub(super) fn faults(&mut self, file: &File, world: &World<'_>) -> Vec<FaultPlan> {
        let mut faults: Vec<FaultPlan> = Vec::new();
        let mut named: Vec<&Spanned<String>> = Vec::new();
        for (phase, plan) in file.timeline.value.iter().zip(world.phases) {
            for inject in &phase.inject {
                if let Some(name) = &inject.value.name {
                    self.name("fault name", name);
                    match named.iter().find(|n| n.value == name.value) {
                        None => named.push(name),
                        Some(first) => {
                            let message = format!("two faults are called `{}`", name.value);
                            let twice = Diagnostic::error(message, name.place, "again here");
                            self.problems.push(twice.also(first.place, "first here"));
                        }
                    }
                }
                let number = faults.len();
                faults.push(self.fault(number, inject, phase, plan, world));
            }
        }
        let given: Vec<String> = named.iter().map(|n| n.value.clone()).collect();
        let injects = file.timeline.value.iter().zip(world.phases).flat_map(|(phase, _)| &phase.inject);
        let automatic: Vec<bool> = injects.map(|inject| inject.value.name.is_none()).collect();
        name_the_rest(&mut faults, given, &automatic);
        faults
    }

    fn fault(
        &mut self,
        number: usize,
        inject: &Spanned<Inject>,
        phase: &Phase,
        plan: &PhasePlan,
        world: &World<'_>,
    ) -> FaultPlan {
        let window = self.window(&inject.value, phase, plan, world);
        let automatic = format!("{}-{}", inject.value.fault.value.name(), plan.name);
        self.one_fault(number, inject, automatic, window, world)
    }

    /// A fault with its window known.
    pub(super) fn one_fault(
        &mut self,
        number: usize,
        inject: &Spanned<Inject>,
        automatic: String,
        (from, until): (Span, Span),
        world: &World<'_>,
    ) -> FaultPlan {
        let Inject { name, target, r#match, probability, per, limit, fault, .. } = &inject.value;
        let regions = world.regions.iter().map(|r| r.name.as_str());
        let region = target.region.as_ref().and_then(|r| self.refer("region", &r.value, r.place, regions));
        self.endpoint(&inject.value, region, world);
        self.matcher(r#match.as_ref(), world, true);
        self.fault_references(fault, world);
        self.protocol(fault, region, world);
        self.over_tls(fault, region, world);
        self.probability(&inject.value);
        if let Some(zero) = limit.filter(|l| l.value == 0) {
            self.error("`limit` is zero", zero.place, "expected at least 1");
        }
        let trigger = self.trigger(&inject.value);
        let side = self.side(&inject.value, world);
        let at = |key: &str| format!("faults.{number}.{key}");
        self.took(at("spec"), fault.place);
        let plan = FaultPlan {
            name: self.or(at("name"), name.clone(), automatic),
            spec: fault.value.clone(),
            matcher: r#match.as_ref().map(|m| m.value.clone()).unwrap_or_default(),
            region: region.map(|r| r as u16),
            endpoint: target.endpoint.map(|e| e.value),
            probability: self.or(at("probability"), *probability, Share(1.0)),
            per: self.or(at("per"), *per, Per::Attempt),
            limit: limit.map(|l| l.value),
            trigger,
            side,
            from,
            until,
            line: self.line(inject.place),
        };
        self.stand_in(&plan, fault.place, world);
        plan
    }

    /// A fault of one version of HTTP needs an upstream that it is spoken to.
    fn protocol(&mut self, fault: &Spanned<FaultSpec>, region: Option<usize>, world: &World<'_>) {
        let http2 = match &fault.value {
            FaultSpec::Http2(_) => true,
            FaultSpec::Malformed(_) => false,
            _ => return,
        };
        // A rule of a proxy by itself: nobody knows yet what is spoken there.
        if world.regions.is_empty() {
            return;
        }
        let mut aimed = world.regions.iter().enumerate().filter(|(i, _)| region.is_none_or(|r| r == *i));
        if !world.open && aimed.all(|(_, region)| region.http2 != http2) {
            let (spoken, label) = if http2 {
                ("HTTP/1.1", "expected `http: h2c` in the entry under `upstreams`")
            } else {
                ("HTTP/2", "expected an upstream without `http: h2c`")
            };
            let message = format!("`{}` never fires where {spoken} is spoken", fault.value.name());
            self.error(message, fault.place, label);
        }
    }

    /// A fault aimed at a region whose links a Toxiproxy stands in for.
    fn stand_in(&mut self, fault: &FaultPlan, place: Place, world: &World<'_>) {
        let mut aimed =
            world.regions.iter().zip(0..).filter(|(_, r)| fault.region.is_none_or(|own| own == *r));
        let Some((region, _)) = aimed.find(|(region, _)| region.toxiproxy.is_some()) else { return };
        let host = fault.spec.info().host;
        if !matches!(host, Host::Link | Host::Listener) || !fault.side.is_upstream() {
            return;
        }
        if let Err(why) = toxiproxied(fault) {
            let message = format!("`{}` on `{}`, behind a Toxiproxy", fault.spec.name(), region.name);
            self.error(message, place, format!("an existing Toxiproxy {why}"));
        }
    }

    /// A fault of TLS needs an upstream that is spoken to over TLS.
    fn over_tls(&mut self, fault: &Spanned<FaultSpec>, region: Option<usize>, world: &World<'_>) {
        let FaultSpec::Tls(tls) = &fault.value else { return };
        let aimed = || world.regions.iter().enumerate().filter(|(i, _)| region.is_none_or(|r| r == *i));
        if aimed().all(|(_, region)| region.tls.is_none()) {
            let label = "expected `tls: true` in the entry under `upstreams`";
            self.error("`tls` never fires where plain HTTP is spoken", fault.place, label);
        } else if tls.kind == TlsKind::ClientCertRequired
            && aimed().any(|(_, region)| region.tls.is_some_and(|tls| tls.client_certificate))
        {
            let label = "expected an upstream without `client-certificate: required`";
            self.error("the gateway has a client certificate", fault.place, label);
        }
    }

    /// When a fault is on, as offsets from T0.
    fn window(
        &mut self,
        inject: &Inject,
        phase: &Phase,
        plan: &PhasePlan,
        world: &World<'_>,
    ) -> (Span, Span) {
        let length = phase.r#for.value;
        let at = inject.at.map_or(Span(0), |at| at.value);
        if let Some(late) = inject.at.filter(|at| at.value >= length) {
            let label = format!("the phase lasts {length}");
            self.error("the fault begins after its phase", late.place, label);
        }
        self.positive("for", inject.r#for);
        let from = Span(plan.from.0.saturating_add(at.0));
        let until = match (inject.r#for, &inject.until) {
            (Some(_), Some(until)) => {
                self.error("both `for` and `until`", until.place, "expected one of the two");
                plan.until
            }
            (Some(lasts), None) => {
                let until = Span(from.0.saturating_add(lasts.value.0));
                if until > plan.until {
                    let label = format!(
                        "its phase ends {} after it begins",
                        Span(plan.until.0.saturating_sub(from.0))
                    );
                    let help = "`until: <phase>` extends a fault into later phases";
                    self.advise("the fault outlasts its phase", lasts.place, &label, help);
                }
                until.min(plan.until)
            }
            (None, Some(until)) => {
                let names = world.phases.iter().map(|p| p.name.as_str());
                match self.refer("phase", &until.value, until.place, names) {
                    Some(last) if world.phases[last].from < plan.from => {
                        self.error(
                            "the fault ends before it begins",
                            until.place,
                            "expected this or a later phase",
                        );
                        plan.until
                    }
                    Some(last) => world.phases[last].until,
                    None => plan.until,
                }
            }
            (None, None) => plan.until,
        };
        (from, until)
    }

    fn endpoint(&mut self, inject: &Inject, region: Option<usize>, world: &World<'_>) {
        let Some(endpoint) = inject.target.endpoint else { return };
        match (region, &inject.target.region) {
            (None, None) if world.regions.len() > 1 => {
                self.error("an endpoint of which region?", endpoint.place, "expected `region` beside it");
            }
            (None, Some(_)) => {}
            (region, _) => {
                let region = &world.regions[region.unwrap_or(0)];
                if endpoint.value == 0 || u32::from(endpoint.value) > region.endpoints {
                    let label = format!("`{}` has endpoints 1 to {}", region.name, region.endpoints);
                    self.error(format!("no endpoint {}", endpoint.value), endpoint.place, label);
                }
            }
        }
    }

    /// Probability, `per`, `match` and `limit` have to make sense for who carries the fault out.
    fn probability(&mut self, inject: &Inject) {
        let Inject { r#match, probability, per, limit, fault, .. } = inject;
        let name = fault.value.name();
        if let Some(never) = probability.filter(|p| p.value.0 <= 0.0 && inject.ramp.is_none()) {
            self.error("a fault that never fires", never.place, "expected more than 0%");
        }
        if matches!(
            fault.value.info().host,
            Host::Listener | Host::MockSetting | Host::Resolver | Host::Process
        ) {
            let label = format!("`{name}` holds for an interval, not exchange by exchange");
            if let Some(p) = probability.filter(|p| p.value.0 > 0.0 && p.value.0 < 1.0) {
                self.error(format!("a probability of {} on `{name}`", p.value), p.place, label.clone());
            }
            let places = [
                ("per", per.map(|p| p.place)),
                ("match", r#match.as_ref().map(|m| m.place)),
                ("limit", limit.map(|l| l.place)),
                ("first", inject.first.map(|f| f.place)),
                ("after", inject.after.map(|a| a.place)),
                ("ramp", inject.ramp.map(|r| r.place)),
                ("rate", inject.rate.map(|r| r.place)),
            ];
            for (key, place) in places.into_iter().filter_map(|(key, place)| Some((key, place?))) {
                self.error(format!("`{key}` on `{name}`"), place, label.clone());
            }
            return;
        }
        self.visible(inject);
        if acts_only_on_accept(&fault.value) {
            let label = "nothing of a request is known when a connection is accepted";
            if let Some(per) = per.filter(|p| matches!(p.value, Per::Request | Per::Key)) {
                self.error(format!("`per` on `{name}` at accept"), per.place, label);
            }
            let wants =
                |m: &Matcher| *m != Matcher { nth: m.nth, connection: m.connection, ..Matcher::default() };
            if let Some(m) = r#match.as_ref().filter(|m| wants(&m.value)) {
                self.error(format!("`match` on `{name}` at accept"), m.place, label);
            }
        }
    }

    // === match ===

    /// Checks a `match`, of a fault or of an expectation.
    pub(super) fn matcher(&mut self, given: Option<&Spanned<Matcher>>, world: &World<'_>, of_fault: bool) {
        let Some(Spanned { value: matcher, place }) = given else { return };
        let at = |cx: &Self, key: &str| cx.within(*place, &[key]);
        if *matcher == Matcher::default() {
            self.error("an empty match", *place, "holds for everything: leave it out");
        }
        if let Some(op) = matcher.op.filter(|_| !world.open)
            && !world.workloads.iter().any(|w| w.ops.iter().any(|o| o.sends(op)))
        {
            let place = at(self, "op");
            self.warn(format!("nothing sends {op}"), place, "no workload has it among its `ops`");
        }
        if let Some(bucket) = matcher.bucket.as_ref().filter(|_| !world.open) {
            let own = world.buckets.iter().flat_map(|b| b.regions.iter().map(|(_, own)| own.as_str()));
            let mut names: Vec<_> = world.buckets.iter().map(|b| b.name.as_str()).collect();
            if of_fault {
                names.extend(own);
                names.dedup();
            }
            let place = at(self, "bucket");
            self.refer("bucket", bucket, place, names);
        }
        if let Some(method) = &matcher.method {
            let place = at(self, "method");
            self.refer(
                "method",
                &method.to_ascii_uppercase(),
                place,
                ["GET", "HEAD", "PUT", "POST", "DELETE"],
            );
        }
        if let Some(identity) = matcher.identity.as_ref().filter(|_| !world.open) {
            let place = at(self, "identity");
            let names = world.identities.iter().map(|i| i.name.as_str());
            self.refer("identity", identity, place, names);
        }
        let counts = [
            ("part", matcher.part == Some(0)),
            ("attempt", matcher.attempt == Some(0)),
            ("nth", matcher.nth == Some(0)),
            ("connection", matcher.connection.is_some_and(|c| c.nth == Some(0))),
        ];
        for (key, _) in counts.iter().filter(|(_, zero)| *zero) {
            let place = at(self, key);
            self.error(format!("`{key}` counts from 1"), place, "expected at least 1");
        }
        let bounds = [
            ("size", matcher.size.is_some_and(|size| size.is_empty())),
            ("connection", matcher.connection.and_then(|c| c.age).is_some_and(|age| age.is_empty())),
        ];
        for (key, _) in bounds.iter().filter(|(_, empty)| *empty) {
            let place = at(self, key);
            self.error(
                format!("no `{key}` is above `min` and below `max`"),
                place,
                "expected `min` up to `max`",
            );
        }
        if !of_fault {
            self.only_of_faults(matcher, *place);
        }
    }

    /// Parts of a match that only faults can be about.
    fn only_of_faults(&mut self, matcher: &Matcher, place: crate::diagnostics::Place) {
        let parts = [
            ("header", !matcher.header.is_empty()),
            ("query", !matcher.query.is_empty()),
            ("size", matcher.size.is_some()),
            ("part", matcher.part.is_some()),
            ("identity", matcher.identity.is_some()),
            ("attempt", matcher.attempt.is_some()),
            ("nth", matcher.nth.is_some()),
            ("connection", matcher.connection.is_some()),
        ];
        for (key, _) in parts.iter().filter(|(_, given)| *given) {
            let place = self.within(place, &[key]);
            self.error(format!("`{key}` in an expectation"), place, "only faults match on it");
        }
    }
}

/// Faults without a name are called after what they do and their phase, with a number where that is taken.
fn name_the_rest(faults: &mut [FaultPlan], mut taken: Vec<String>, automatic: &[bool]) {
    for (fault, _) in faults.iter_mut().zip(automatic).filter(|(_, automatic)| **automatic) {
        let base = fault.name.clone();
        let names = std::iter::once(base.clone()).chain((2..).map(|n| format!("{base}-{n}")));
        fault.name = names.into_iter().find(|name| !taken.contains(name)).unwrap_or(base);
        taken.push(fault.name.clone());
    }
}

/// Whether a fault acts when a connection is accepted and at no other point.
fn acts_only_on_accept(spec: &FaultSpec) -> bool {
    let facts = Facts::connection(0, 1, 0, 0);
    let acts = |point: Point| spec.acts_at(point) && spec.order(point, &facts, 0) != Order::Continue;
    acts(Point::Accept) && ![Point::RequestHead, Point::ResponseHead, Point::Kept].into_iter().any(acts)
}
