//! Regions, buckets and identities.

use super::Cx;
use crate::diagnostics::Place;
use crate::plan::{
    BucketPlan, IdentityPlan, LatencyPlan, RegionPlan, ReplicationPlan, StatementPlan, TlsPlan,
};
use crate::scenario::decode::Spanned;
use crate::scenario::file::{
    Bucket, ClientCertificate, Either, File, Flag, Identity, Latency, OneOrMany, Protocol, Replication, Role,
    StandIn, Statement, Upstream, UpstreamTls,
};
use crate::stand_in::server_of;
use crate::units::{Share, Size, Span};

const DEFAULT_REGION: &str = "us-east-1";
const DEFAULT_BUCKET: &str = "media";
const DEFAULT_ACCOUNT: &str = "000000000001";
const DEFAULT_OBJECTS: u32 = 1000;
const DEFAULT_KEY: &str = "o/{n:06}";
const DEFAULT_SIZE: Size = Size(16 << 10);
/// Objects do not change more often: a read would hardly end with the version it began with.
const LEAST_CHANGE: Span = Span(100_000_000);
/// Most endpoints of a region.
const MAX_ENDPOINTS: u32 = 16;
/// Most endpoints of all regions; one number is left for the mock.
const MAX_LINKS: u32 = 255;

impl Cx<'_> {
    /// The regions, in order of the file.
    pub(super) fn regions(&mut self, file: &File) -> Vec<RegionPlan> {
        if file.upstreams.is_empty() {
            return vec![RegionPlan {
                name: DEFAULT_REGION.into(),
                primary: true,
                endpoints: 1,
                latency: None,
                http2: false,
                tls: None,
                profile: None,
                toxiproxy: None,
            }];
        }
        let mut regions = Vec::new();
        for (name, upstream) in file.upstreams.iter() {
            self.name("region name", name);
            let at = |key: &str| format!("regions.{}.{key}", name.value);
            if let Some(n) = upstream.endpoints.filter(|n| n.value == 0 || n.value > MAX_ENDPOINTS) {
                let label = format!("expected 1 to {MAX_ENDPOINTS}");
                self.error(format!("invalid number of endpoints {}", n.value), n.place, label);
            }
            let role = upstream.role.map(|r| Spanned { value: r.value == Role::Primary, place: r.place });
            let http = upstream.http.map(|h| Spanned { value: h.value == Protocol::H2c, place: h.place });
            regions.push(RegionPlan {
                name: name.value.clone(),
                primary: self.or(at("primary"), role, true),
                endpoints: self.or(at("endpoints"), upstream.endpoints, 1).clamp(1, MAX_ENDPOINTS),
                latency: match &upstream.latency {
                    Some(Spanned { value: Either::Long(latency), place }) => {
                        Some(self.latency(Spanned { value: *latency, place: *place }, at("latency")))
                    }
                    _ => None,
                },
                http2: self.or(at("http2"), http, false),
                tls: self.tls(upstream.tls.as_ref(), at("tls")),
                profile: match &upstream.latency {
                    Some(Spanned { value: Either::Short(profile), place }) => {
                        self.took(at("profile"), *place);
                        Some(*profile)
                    }
                    _ => None,
                },
                toxiproxy: upstream.proxy.as_ref().and_then(|stand_in| self.toxiproxy(stand_in, upstream)),
            });
        }
        let (first, _) = &file.upstreams.0[0];
        if regions.iter().all(|r| !r.primary) {
            self.error("no region is primary", first.place, "expected `role: primary` in one of them");
        }
        if regions.iter().map(|r| r.endpoints).sum::<u32>() > MAX_LINKS {
            self.error("too many endpoints", first.place, format!("at most {MAX_LINKS} in all regions"));
        }
        regions
    }

    /// The Toxiproxy that stands in for the links of a region.
    fn toxiproxy(&mut self, stand_in: &Spanned<StandIn>, upstream: &Upstream) -> Option<String> {
        let url = &stand_in.value.toxiproxy;
        let server = server_of(&url.value);
        if server.is_none() {
            self.error(format!("invalid address `{}`", url.value), url.place, "expected http://host:port");
        }
        if let Some(latency) = upstream.latency.as_ref().filter(|l| matches!(l.value, Either::Long(_))) {
            let label = "the links would add it, and a Toxiproxy stands in for them";
            self.error("`latency` beside `proxy`", latency.place, label);
        }
        if let Some(tls) = &upstream.tls {
            let label = "the links would speak it, and a Toxiproxy stands in for them";
            self.error("`tls` beside `proxy`", tls.place, label);
        }
        server.map(str::to_owned)
    }

    fn tls(&mut self, tls: Option<&Spanned<Either<Flag, UpstreamTls>>>, path: String) -> Option<TlsPlan> {
        let Spanned { value, place } = tls?;
        self.took(path, *place);
        match value {
            Either::Short(Flag(on)) => on.then_some(TlsPlan { client_certificate: false }),
            Either::Long(tls) => {
                let client_certificate = tls.client_certificate == Some(ClientCertificate::Required);
                Some(TlsPlan { client_certificate })
            }
        }
    }

    fn latency(&mut self, latency: Spanned<Latency>, path: String) -> LatencyPlan {
        let Latency { p50, p99 } = latency.value;
        self.took(path, latency.place);
        if p99.is_some_and(|p99| p99 < p50) {
            let place = self.within(latency.place, &["p99"]);
            self.error("p99 is below p50", place, format!("expected at least {p50}"));
        }
        LatencyPlan { p50, p99: p99.unwrap_or(p50) }
    }

    // === buckets ===

    /// The buckets, in order of the file.
    pub(super) fn buckets(&mut self, file: &File, regions: &[RegionPlan]) -> Vec<BucketPlan> {
        let public = file.identities.is_empty();
        if file.buckets.is_empty() {
            let name = Spanned { value: DEFAULT_BUCKET.to_owned(), place: Place::default() };
            return vec![self.bucket(&name, &Bucket::default(), regions, public)];
        }
        let mut buckets = Vec::new();
        for (name, bucket) in file.buckets.iter() {
            self.bucket_name(name);
            buckets.push(self.bucket(name, bucket, regions, public));
        }
        buckets
    }

    fn bucket(
        &mut self,
        name: &Spanned<String>,
        bucket: &Bucket,
        regions: &[RegionPlan],
        public: bool,
    ) -> BucketPlan {
        let at = |key: &str| format!("buckets.{}.{key}", name.value);
        let objects = &bucket.objects;
        if let Some(key) = &objects.key {
            self.key_pattern(key);
        }
        if let Some(none) = objects.count.filter(|c| c.value == 0) {
            self.error("no objects", none.place, "expected at least 1");
        }
        BucketPlan {
            name: name.value.clone(),
            regions: self.homes(name, bucket, regions),
            public: self.or(at("public"), bucket.public, public),
            policy: bucket
                .policy
                .as_ref()
                .map(|policy| serde_json::to_value(&policy.value).expect("a policy is plain data")),
            replication: bucket
                .replication
                .as_ref()
                .map(|replication| self.replication(name, replication, bucket)),
            objects: self.or(at("objects"), objects.count, DEFAULT_OBJECTS),
            key: self.or(at("key"), objects.key.clone(), DEFAULT_KEY.to_owned()),
            size: self.sizes(objects.size.as_ref(), DEFAULT_SIZE, at("size")),
            listed: None,
            cache_control: objects.cache_control.as_ref().map(|value| {
                let plain = |b: u8| b == b' ' || b.is_ascii_graphic();
                if value.value.is_empty() || !value.value.bytes().all(plain) {
                    let label = "expected directives such as max-age=60";
                    self.error("invalid `cache-control`", value.place, label);
                }
                self.took(at("cache-control"), value.place);
                value.value.clone()
            }),
            change_every: objects.change_every.map(|every| {
                if every.value < LEAST_CHANGE {
                    let label = format!("expected at least {LEAST_CHANGE}");
                    self.error(format!("objects that change every {}", every.value), every.place, label);
                }
                self.took(at("change-every"), every.place);
                every.value
            }),
        }
    }

    fn replication(
        &mut self,
        name: &Spanned<String>,
        given: &Spanned<Replication>,
        bucket: &Bucket,
    ) -> ReplicationPlan {
        let Replication { lag, from, delete_markers } = &given.value;
        let at = |key: &str| format!("buckets.{}.replication.{key}", name.value);
        if let Some(from) = from {
            let homes = bucket.r#in.as_ref().map(|homes| match &homes.value {
                Either::Short(list) => list.iter().map(|region| region.value.as_str()).collect::<Vec<_>>(),
                Either::Long(map) => map.0.iter().map(|(region, _)| region.value.as_str()).collect(),
            });
            if let Some(homes) = homes {
                self.refer("region", &from.value, from.place, homes);
            }
        }
        let lag = match &lag.value {
            Either::Short(span) => LatencyPlan { p50: *span, p99: *span },
            Either::Long(law) => self.latency(Spanned { value: *law, place: lag.place }, at("lag")),
        };
        ReplicationPlan {
            lag,
            from: from.as_ref().map(|from| from.value.clone()),
            delete_markers: self.or(at("delete-markers"), *delete_markers, false),
        }
    }

    /// Where a bucket lives, and under which names.
    fn homes(
        &mut self,
        name: &Spanned<String>,
        bucket: &Bucket,
        regions: &[RegionPlan],
    ) -> Vec<(String, String)> {
        let Some(homes) = &bucket.r#in else {
            return regions.iter().map(|r| (r.name.clone(), name.value.clone())).collect();
        };
        let same_name = |region: &Spanned<String>| (region.clone(), name.clone());
        let homes: Vec<_> = match &homes.value {
            Either::Short(list) => list.iter().map(same_name).collect(),
            Either::Long(map) => map.0.clone(),
        };
        if homes.is_empty() {
            let place = bucket.r#in.as_ref().map_or(name.place, |homes| homes.place);
            self.error(
                format!("bucket `{}` is in no region", name.value),
                place,
                "expected at least one region",
            );
        }
        for (at, (region, own)) in homes.iter().enumerate() {
            self.refer("region", &region.value, region.place, regions.iter().map(|r| r.name.as_str()));
            self.bucket_name(own);
            if homes[..at].iter().any(|(r, _)| r.value == region.value) {
                self.error(format!("region `{}` is given twice", region.value), region.place, "again here");
            }
        }
        homes.into_iter().map(|(region, own)| (region.value, own.value)).collect()
    }

    /// Bucket names as S3 takes them (AWS: general purpose bucket naming rules).
    fn bucket_name(&mut self, name: &Spanned<String>) {
        let fine = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let (first, last) = (name.value.chars().next(), name.value.chars().last());
        if !(3..=63).contains(&name.value.len())
            || !name.value.chars().all(fine)
            || !ends(first)
            || !ends(last)
        {
            let label = "expected 3 to 63 lower-case letters, digits, `-` and `.`";
            self.error(format!("invalid bucket name `{}`", name.value), name.place, label);
        }
    }

    /// A key pattern has its number exactly once: `{n}`, or `{n:06}` with leading zeros.
    pub(super) fn key_pattern(&mut self, key: &Spanned<String>) {
        let holes: Vec<&str> =
            key.value.split('{').skip(1).map(|r| r.split('}').next().unwrap_or(r)).collect();
        let width = |hole: &str| {
            hole.strip_prefix("n:0").is_some_and(|w| w.parse::<u8>().is_ok_and(|w| (1..=20).contains(&w)))
        };
        let fine = |hole: &&str| **hole == *"n" || width(hole);
        let closed = key.value.matches('{').count() == key.value.matches('}').count();
        if holes.len() != 1 || !holes.iter().all(fine) || !closed {
            let label = "expected the number once, as {n} or {n:06}";
            self.error(format!("invalid key pattern `{}`", key.value), key.place, label);
        }
    }

    /// Shares have to sum to 100 %.
    pub(super) fn whole(&mut self, what: &str, shares: impl Iterator<Item = Share>, place: Place) {
        let sum: f64 = shares.map(|s| s.0).sum();
        if (sum - 1.0).abs() > 1e-6 {
            self.error(format!("shares of {what} sum to {}", Share(sum)), place, "expected 100% in all");
        }
    }

    // === identities ===

    /// The identities, in order of the file.
    pub(super) fn identities(&mut self, file: &File) -> Vec<IdentityPlan> {
        let mut identities = Vec::new();
        for (name, identity) in file.identities.iter() {
            self.name("identity name", name);
            identities.push(self.identity(name, identity));
        }
        identities
    }

    fn identity(&mut self, name: &Spanned<String>, identity: &Identity) -> IdentityPlan {
        let digits = |a: &str| a.len() == 12 && a.chars().all(|c| c.is_ascii_digit());
        if let Some(account) = identity.account.as_ref().filter(|a| !digits(&a.value)) {
            self.error(
                format!("invalid account `{}`", account.value),
                account.place,
                "expected twelve digits",
            );
        }
        let path = format!("identities.{}.account", name.value);
        IdentityPlan {
            name: name.value.clone(),
            account: self.or(path, identity.account.clone(), DEFAULT_ACCOUNT.to_owned()),
            allow: self.statements(&identity.allow),
            deny: self.statements(&identity.deny),
        }
    }

    fn statements(&mut self, list: &OneOrMany<Statement>) -> Vec<StatementPlan> {
        for statement in &list.0 {
            for action in statement.actions.iter().filter(|a| a.value != "*" && !a.value.contains(':')) {
                let message = format!("invalid action `{}`", action.value);
                self.error(message, action.place, "expected an action such as s3:GetObject, or \"*\"");
            }
            for resource in
                statement.resources.iter().filter(|r| r.value != "*" && !r.value.starts_with("arn:"))
            {
                let message = format!("invalid resource `{}`", resource.value);
                self.error(message, resource.place, "expected an ARN such as arn:aws:s3:::media/*, or \"*\"");
            }
        }
        let texts = |list: &[Spanned<String>]| list.iter().map(|t| t.value.clone()).collect();
        let plan =
            |s: &Statement| StatementPlan { actions: texts(&s.actions), resources: texts(&s.resources) };
        list.0.iter().map(plan).collect()
    }
}
