//! The frame of a hand-written history.

use gatecrash_model::{
    AttemptId, AttemptRecord, BodyCheck, BodyLaw, Capabilities, Capability, ClientRecord, ConnectionRecord,
    Decision, Ending, Event, FiringRecord, Framing, Nanos, Op, Pool, RequestId, Shape, StoreEntry, StrId,
    UpstreamRecord,
};

use super::request::{Request, Stored, Try};
use crate::faults::{FaultSpec, Host};
use crate::history::History;
use crate::plan::{
    BucketPlan, ClientPlan, FaultPlan, GatewayPlan, GuardsPlan, KeysPlan, OpPlan, Per, PhasePlan, Plan,
    RegionPlan, SegmentPlan, Side, SignPlan, SizePlan, WorkloadPlan,
};
use crate::profile::Profile;
use crate::rules::{Facts, Matcher, Trigger};
use crate::units::{Rate, Share, Size, Span};

const MS: Nanos = 1_000_000;
const SIZE: u64 = 1000;

/// A plan, a profile and a history, grown together.
#[derive(Clone, Debug)]
pub struct Story {
    /// The plan: region `a` (primary, one endpoint), bucket `media`, one workload, one phase `all` of 10 s.
    pub plan: Plan,
    /// What is expected: strict.
    pub profile: Profile,
    /// What was seen.
    pub history: History,
    arrivals: u32,
    conns: u32,
}

// === impl Story ===

impl Default for Story {
    fn default() -> Self {
        Self::new()
    }
}

impl Story {
    /// Nothing happened yet.
    pub fn new() -> Self {
        let mut history = History { capabilities: Capabilities::FULL, ..History::default() };
        history.events.push(Event::PhaseStart { phase: 0, at: 0 });
        history.events.push(Event::PhaseEnd { phase: 0, at: 10_000 * MS });
        Self { plan: plan(), profile: Profile::strict("reference"), history, arrivals: 0, conns: 0 }
    }

    /// Cut into phases: (name, from, until) in milliseconds.
    pub fn phases(mut self, phases: &[(&str, u64, u64)]) -> Self {
        self.history.events.retain(|e| !matches!(e, Event::PhaseStart { .. } | Event::PhaseEnd { .. }));
        self.plan.phases.clear();
        for (index, (name, from, until)) in phases.iter().enumerate() {
            let (phase, name) = (index as u16, (*name).into());
            self.plan.phases.push(PhasePlan { name, from: Span::millis(*from), until: Span::millis(*until) });
            self.history.events.push(Event::PhaseStart { phase, at: from * MS });
            self.history.events.push(Event::PhaseEnd { phase, at: until * MS });
        }
        self
    }

    /// With a standby region, one endpoint.
    pub fn standby(mut self, name: &str) -> Self {
        self.plan.regions.push(RegionPlan {
            name: name.into(),
            primary: false,
            endpoints: 1,
            latency: None,
            http2: false,
            tls: None,
            profile: None,
            toxiproxy: None,
        });
        self
    }

    /// With a fault on every exchange of region `a`, on from one millisecond to another.
    pub fn fault(mut self, spec: FaultSpec, from: u64, until: u64) -> Self {
        let fault = self.plan.faults.len() as u16;
        let confirmed = matches!(spec.info().host, Host::Listener | Host::Resolver).then_some(true);
        self.history.events.push(Event::FaultOn { fault, at: from * MS, confirmed });
        self.history.events.push(Event::FaultOff { fault, at: until * MS, confirmed });
        self.plan.faults.push(FaultPlan {
            name: format!("{}-{fault}", spec.name()),
            spec,
            matcher: Matcher::default(),
            region: Some(0),
            endpoint: None,
            probability: Share(1.0),
            per: Per::Attempt,
            limit: None,
            trigger: Trigger::default(),
            side: Side::Upstream,
            from: Span::millis(from),
            until: Span::millis(until),
            line: 1,
        });
        self
    }

    /// With one request.
    pub fn with(mut self, request: Request) -> Self {
        self.push(request);
        self.history.sort();
        self
    }

    /// With requests every `step` ms from `from` to before `until`.
    pub fn every(mut self, step: u64, from: u64, until: u64, tell: impl Fn(Request) -> Request) -> Self {
        let mut at = from;
        while at < until {
            self.push(tell(Request::at(at)));
            at += step;
        }
        self.history.sort();
        self
    }

    /// Seen without one capability.
    pub fn without(mut self, capability: Capability) -> Self {
        self.history.capabilities = self.history.capabilities.without(capability);
        self
    }

    /// With an entry of its own.
    pub fn event(mut self, event: Event) -> Self {
        self.history.events.push(event);
        self
    }

    /// With something that no client sent, of these flags of the attempt record, on the connection of the last
    /// attempt.
    pub fn after_last(mut self, flags: u16) -> Self {
        let last = self.history.attempts.last().copied().unwrap_or_default();
        let id = last.id().map(|id| AttemptId { ordinal: id.ordinal + 1, ..id });
        let no_head = AttemptRecord::NO_HEAD * u16::from(flags & AttemptRecord::NO_REQUEST != 0);
        self.history.attempts.push(AttemptRecord {
            attempt: id.map_or(AttemptId::NONE, AttemptId::pack),
            request: RequestId::NONE,
            start: last.ended() + MS,
            flags: flags | no_head,
            status: 400,
            number: 0,
            ..last
        });
        self
    }

    /// Judged however late the load generator was.
    pub fn patient(mut self) -> Self {
        self.plan.guards.max_lag_p99 = Span::seconds(3600);
        self
    }

    /// Judged without asking whether each fault fired as its draws say: a story in which it strikes now and then.
    pub fn unguarded(mut self) -> Self {
        self.plan.guards.fault_fired = false;
        self
    }

    /// With another profile.
    pub fn profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }

    fn push(&mut self, request: Request) {
        let id = RequestId { workload: 0, k: self.arrivals };
        self.arrivals += 1;
        let key = request.key.map_or_else(|| default_key(&request, id), str::to_owned);
        let key_id = self.history.strings.intern(&key).0;
        let mut at = request.at + request.lag;
        let mut named = Vec::new();
        for (index, attempt) in request.tries.iter().enumerate() {
            at += attempt.pause;
            named.push(self.push_try(&request, attempt, id, key_id, index as u8 + 1, at * MS));
            at += attempt.took;
        }
        let client = self.client(&request, id, key_id, &named, at + 1);
        self.push_shown(&request, &client, &key);
        self.history.clients.push(client);
        self.push_stored(&request, id, key);
    }

    fn push_try(
        &mut self,
        request: &Request,
        told: &Try,
        id: RequestId,
        key: StrId,
        number: u8,
        start: Nanos,
    ) -> u64 {
        let conn = self.conns;
        self.conns += 1;
        let attempt = AttemptId { link: told.link, conn, ordinal: u16::from(told.reused) };
        let written = told.status != 0 || told.flags & AttemptRecord::ILLEGAL != 0;
        let record = AttemptRecord {
            attempt: attempt.pack(),
            request: id.pack(),
            start,
            request_done: if told.flags & AttemptRecord::REQUEST_WHOLE == 0 { u32::MAX } else { 0 },
            first_byte: if written { 1000 } else { u32::MAX },
            done: told.took as u32 * 1000,
            request_bytes: if request.op == Op::PutObject { SIZE as u32 } else { 0 },
            response_bytes: told.bytes.0,
            promised: told.bytes.1,
            key,
            fault: told.fault.map_or(0, |f| f + 1),
            status: told.status,
            flags: told.flags | if told.reused { AttemptRecord::REUSED } else { 0 },
            number,
            op: request.op,
            ending: told.ending,
            ended_by: told.ended_by,
        };
        self.history.attempts.push(record);
        self.history.connections.push(ConnectionRecord {
            opened: start,
            closed: record.ended(),
            conn,
            attempts: 1,
            link: told.link,
            ..ConnectionRecord::default()
        });
        self.push_upstream(request, told, &record, id);
        if let Some(fault) = told.fault {
            self.push_firing(fault, &record, attempt);
        }
        attempt.pack()
    }

    fn push_firing(&mut self, fault: u16, record: &AttemptRecord, attempt: AttemptId) {
        let plan = &self.plan.faults[usize::from(fault)];
        let mut facts = Facts::connection(0, 1, attempt.link, attempt.conn);
        facts.attempt.request = record.request;
        facts.attempt.number = record.number;
        let draw = plan.draw(self.plan.seed, gatecrash_model::hash::bytes(plan.name.as_bytes()), &facts);
        self.history.firings.push(FiringRecord {
            at: record.start,
            attempt: record.attempt,
            request: record.request,
            draw,
            conn: attempt.conn,
            fault,
            link: attempt.link,
            number: record.number,
        });
    }

    fn push_upstream(&mut self, request: &Request, told: &Try, record: &AttemptRecord, id: RequestId) {
        let upload = request.op == Op::PutObject && told.applied != Stored::Absent;
        if !upload && told.status == 0 {
            return;
        }
        let code = self.history.strings.intern(told.code).0;
        let mut flags = if told.code.is_empty() { 0 } else { UpstreamRecord::FAULTED };
        if upload {
            flags |= UpstreamRecord::APPLIED | UpstreamRecord::BODY_WHOLE;
        }
        let text = self.history.text(record.key).to_owned();
        self.history.upstreams.push(UpstreamRecord {
            attempt: record.attempt,
            request: record.request,
            received: record.start,
            body_hash: if upload { self.upload_hash(id, &text, told.applied) } else { 0 },
            done: record.done,
            request_id: 0,
            body_bytes: if upload { SIZE as u32 } else { 0 },
            sent_bytes: record.response_bytes,
            key: record.key,
            code,
            status: told.status,
            flags,
            identity: 0,
            region: self.plan.region_of_link(told.link).unwrap_or(0) as u8,
            op: request.op,
            decision: Decision::Allowed,
        });
    }

    fn upload_hash(&self, id: RequestId, key: &str, stored: Stored) -> u64 {
        let pool = Pool::new(self.plan.seed);
        let whole = pool.content("media", key, id.pack() + 1).hash(&pool, SIZE);
        whole ^ u64::from(stored == Stored::Torn)
    }

    fn push_stored(&mut self, request: &Request, id: RequestId, key: String) {
        if request.stored == Stored::Absent {
            return;
        }
        let hash = self.upload_hash(id, &key, request.stored);
        let entry =
            StoreEntry { region: "a".into(), bucket: "media".into(), key, length: SIZE, hash, writes: 1 };
        self.history.events.push(Event::Stored(entry));
    }

    fn client(
        &mut self,
        request: &Request,
        id: RequestId,
        key: StrId,
        named: &[u64],
        natural_end: u64,
    ) -> ClientRecord {
        let last = request.tries.last();
        let natural = last.map_or(503, |t| match (t.status, t.ending) {
            (0, Ending::Hang) => 504,
            (0, _) => 502,
            (status, _) => status,
        });
        let fed =
            request.fed.unwrap_or_else(|| last.filter(|t| t.status != 0).map(|_| request.tries.len() - 1));
        let status = request.answer.unwrap_or(natural);
        let ending = request.ending.unwrap_or(match last {
            Some(t) if t.status != 0 => t.ending,
            _ => Ending::Complete,
        });
        let body = request.body.unwrap_or(match (request.op, ending, fed.is_some() && status == 200) {
            (Op::GetObject, Ending::Complete, true) => BodyCheck::Exact,
            (Op::GetObject, _, true) => BodyCheck::Prefix,
            _ => BodyCheck::NotChecked,
        });
        let silent = matches!(ending, Ending::DroppedFirst | Ending::DroppedReused | Ending::Hang);
        let status = if silent && request.answer.is_none() { 0 } else { status };
        let took = request.took.unwrap_or(natural_end - request.at - request.lag);
        let borrowed = request.borrowed.map(|(other, _)| {
            let other = RequestId { workload: 0, k: other }.pack();
            self.history.attempts.iter().find(|a| a.request == other).map_or(AttemptId::NONE, |a| a.attempt)
        });
        let own_code = last.map_or("", |t| t.code);
        let code = if request.code.is_empty() && fed.is_some() { own_code } else { request.code };
        ClientRecord {
            intended: request.at * MS,
            attempt: borrowed.or_else(|| fed.and_then(|i| named.get(i).copied())).unwrap_or(AttemptId::NONE),
            k: id.k,
            lag: request.lag as u32 * 1000,
            connect: 0,
            first_byte: if silent { u32::MAX } else { request.first.unwrap_or(took) as u32 * 1000 },
            done: took as u32 * 1000,
            body_bytes: 0,
            conn: id.k,
            key,
            code: self.history.strings.intern(code).0,
            request_id: 0,
            status,
            flags: request.flags,
            workload: 0,
            op: request.op,
            ending,
            shape: Shape::new(Framing::Length, body),
        }
    }
}

fn default_key(request: &Request, id: RequestId) -> String {
    if request.op.is_write() { format!("up/{}", id.k) } else { format!("o/{}", id.k % 100) }
}

fn plan() -> Plan {
    let all = (Span(0), Span::seconds(10));
    Plan {
        name: "golden".into(),
        about: String::new(),
        case: String::new(),
        tags: Vec::new(),
        source: "golden.yaml".into(),
        seed: 7,
        gateway: GatewayPlan::Url { base: "http://127.0.0.1:1".into(), ca: None },
        regions: vec![RegionPlan {
            name: "a".into(),
            primary: true,
            endpoints: 1,
            latency: None,
            http2: false,
            tls: None,
            profile: None,
            toxiproxy: None,
        }],
        buckets: vec![BucketPlan {
            name: "media".into(),
            regions: vec![("a".into(), "media".into())],
            public: true,
            policy: None,
            replication: None,
            objects: 100,
            key: "o/{n}".into(),
            size: SizePlan::Fixed(Size(SIZE)),
            cache_control: None,
            change_every: None,
            listed: None,
        }],
        identities: Vec::new(),
        workloads: vec![WorkloadPlan {
            name: "load".into(),
            segments: vec![SegmentPlan::constant(all.0, all.1, Rate(100.0))],
            closed: None,
            trace: None,
            poisson: false,
            max_in_flight: 100,
            bucket: "media".into(),
            ops: vec![OpPlan::plain(Op::GetObject, Share(1.0))],
            keys: KeysPlan::Uniform,
            missing: Share(0.0),
            write_key: "up/{n}".into(),
            write_size: SizePlan::Fixed(Size(SIZE)),
            write_body: BodyLaw::Bytes,
            sign: SignPlan::None,
            identity: None,
            timeout: Span::seconds(5),
            client: ClientPlan::default(),
            replay: None,
            journeys: None,
        }],
        phases: vec![PhasePlan { name: "all".into(), from: all.0, until: all.1 }],
        faults: Vec::new(),
        expectations: Vec::new(),
        guards: GuardsPlan {
            deadline: Span::seconds(60),
            max_lag_p99: Span::millis(20),
            max_dropped: Share(0.01),
            max_cpu: Share(0.85),
            min_achieved: Share(0.99),
            fault_fired: true,
        },
        capacity: None,
    }
}
