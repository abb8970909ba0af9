//! The defects that can be switched on, each off by default, and every decision they change.
//!
//! The request's path reads correct-first: it asks a small function here ("how many tries?", "which status?")
//! and gets the honest answer back unless the defect is active for this request.

use std::time::Duration;

use http::{Method, StatusCode};
use tokio::time::Instant;

use crate::draw;
use crate::upstream::{Failure, Limits};

/// One switchable misbehaviour.
#[derive(Clone, Copy, Debug)]
pub struct Defect {
    /// Number in the catalogue of defects.
    pub number: u8,
    /// Kebab-case name, as written in a configuration.
    pub name: &'static str,
    /// What goes wrong, in one sentence.
    pub what: &'static str,
}

macro_rules! defects {
    ($($number:literal $switch:ident $name:literal $what:literal;)*) => {
        /// Every defect, in the order of the catalogue.
        pub const DEFECTS: &[Defect] = &[$(Defect { number: $number, name: $name, what: $what }),*];

        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        enum Switch { $($switch),* }
    };
}

defects! {
    1 CompleteOnBodyError "complete-on-body-error" "A response whose body broke is ended as if complete.";
    2 RecomputeLength "recompute-length" "Bodies are buffered, Content-Length is what arrived.";
    3 EndOnReset "end-on-reset" "A reset in a body that ends with its connection is taken for the end.";
    4 PadWithZeros "pad-with-zeros" "A body cut short is filled up with zeros to its Content-Length.";
    5 ResumeAstray "resume-astray" "A broken body goes on with another attempt's, from half of where it broke off.";
    6 RetryAfterBytes "retry-after-bytes" "After a broken body a new attempt's body is appended.";
    7 KeepSurplus "keep-surplus" "Bytes after a response stay with the pooled connection, for the next request.";
    8 BodyWhereNone "body-where-none" "Bytes after the head of an answer to HEAD, a 204 or a 304 are relayed.";
    9 PoolAfterTimeout "pool-after-timeout" "A connection whose answer did not come in time goes back to the pool.";
    10 SwapResponses "swap-responses" "Two waiting GET responses are handed to each other's clients.";
    11 PoolAfterEarlyAnswer "pool-after-early-answer" "A connection answered before its request was sent whole goes back to the pool.";
    12 RelayTwoLengths "relay-two-lengths" "The first of two Content-Lengths counts, and both are relayed.";
    13 LengthOverCoding "length-over-coding" "Content-Length counts where Transfer-Encoding is stated too.";
    14 PassHttp09 "pass-http09" "Unparsable upstream bytes become the body of a 200.";
    15 All404 "all-404" "Upstream failures and upstream 5xx become a 404.";
    16 All200 "all-200" "Upstream failures and upstream 5xx become a 200 with an XML error body.";
    17 SwapTimeoutRefused "swap-timeout-refused" "Timeouts are reported as 502, refused connections as 504.";
    18 Status500 "status-500" "500 where 502 is due.";
    19 LeakUpstream "leak-upstream" "Error bodies name the upstream's address and the exception.";
    20 NoReadTimeout "no-read-timeout" "No limit on reading a response, neither per gap nor in total.";
    21 RetryPlusOne "retry-plus-one" "One attempt more than configured.";
    22 RetryForEver "retry-for-ever" "Retries go on until the deadline, whatever `tries` and the budget say.";
    23 RetryPost "retry-post" "POST is retried after it was sent.";
    24 ResumeUpload "resume-upload" "A PUT is retried with the bytes that the failed attempt had not sent yet.";
    25 Retry4xx "retry-4xx" "403 and 404 answers are retried.";
    26 NoBackoff "no-backoff" "Retries go out at once, without a pause.";
    27 NoRetryBudget "no-retry-budget" "Retries need no budget and no pause; at least four tries.";
    28 IgnoreRetryAfter "ignore-retry-after" "Retry-After is not waited for, and not passed on.";
    29 RetrySamePeer "retry-same-peer" "Retries go to the endpoint that failed; no ejection, no failover.";
    30 NoFailback "no-failback" "An endpoint once unhealthy is not used again while others are left.";
    31 FlapOnSingleResult "flap-on-single-result" "One result, good or bad, flips an endpoint's health.";
    32 EjectLast "eject-last" "One failure ejects the last endpoint for 10 s; the answer is 503.";
    33 ProbesOnlyConnect "probes-only-connect" "Probes only connect: broken HTTP goes unnoticed.";
    34 CacheErrors "cache-errors" "A 5xx is served again for 60 s, a 403 for 30 s.";
    35 CacheTruncated "cache-truncated" "A body that broke off is stored as if it were whole.";
    36 StaleOnStatusOnly "stale-on-status-only" "A stale copy stands in for a 5xx, not for silence or a refused connection.";
    37 LoseLock "lose-lock" "A failed fetch keeps its key's lock: the others wait for their timeout.";
    38 ReleaseAll "release-all" "A failed fetch lets all that wait for it fetch at once.";
    39 LeakConnection "leak-connection" "A failed attempt keeps its connection, and its place, for good.";
    40 IgnoreAbort "ignore-abort" "What the upstream was asked goes on to its end after the client has left.";
    41 HalfOpenFloods "half-open-floods" "An open breaker holds requests back; half open, it lets all through.";
    41 NeverClosesBreaker "breaker-never-closes" "A breaker that opened stays open.";
    41 OpenCallsUpstream "open-calls-upstream" "An open breaker calls the upstream all the same.";
    42 ShowDeadConnection "show-dead-connection" "A pooled connection that died is a 502 to the client.";
    43 UnboundedHead "unbounded-head" "Response heads are read without a limit of size, number or time, interim ones too.";
    44 PanicOnBadChunk "panic-on-bad-chunk" "A malformed chunk panics the connection's task.";
    45 PanicPoisonsLock "panic-poisons-lock" "An invalid response panics under a lock; every later request is a 500.";
    46 AckBeforeUpstream "ack-before-upstream" "PUT is acknowledged before the upstream answered.";
    47 RetryPastDeadline "retry-past-deadline" "The client is answered at the deadline; attempts go on behind its back.";
    50 RewriteHost "rewrite-host" "Host becomes the upstream's address, whatever the client signed.";
    51 HtmlErrors "html-errors" "The gateway's own errors are HTML pages.";
}

/// The defects switched on in this process, with the share of requests they act on.
#[derive(Clone, Debug)]
pub(crate) struct Defects {
    enabled: Active,
    rate: f64,
    /// Requests under way up to which none acts.
    above: usize,
}

/// The defects that act on one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Active(u64);

// === impl Defects ===

impl Defects {
    /// Names not in the table are ignored: the configuration was checked before.
    pub(crate) fn new(names: &[String], rate: f64, above: usize) -> Self {
        let mut enabled = Active::default();
        for (index, defect) in DEFECTS.iter().enumerate() {
            if names.iter().any(|name| name == defect.name) {
                enabled.0 |= 1 << index;
            }
        }
        Self { enabled, rate, above }
    }

    /// What acts on everything that is not one request's: health and ejection.
    pub(crate) fn process_wide(&self) -> Active {
        self.enabled
    }

    /// What acts on a request, while so many are under way, itself included.
    pub(crate) fn for_request(&self, id: &str, under_way: usize) -> Active {
        if under_way <= self.above {
            return Active::default();
        }
        let mut active = self.enabled;
        for (index, defect) in DEFECTS.iter().enumerate() {
            if active.0 & (1 << index) != 0 && draw::unit(id, defect.name) >= self.rate {
                active.0 &= !(1 << index);
            }
        }
        active
    }
}

// === impl Active ===

impl Active {
    fn has(self, switch: Switch) -> bool {
        self.0 & (1 << switch as u64) != 0
    }

    pub(crate) fn finishes_broken_bodies(self) -> bool {
        self.has(Switch::CompleteOnBodyError)
    }

    pub(crate) fn recomputes_length(self) -> bool {
        self.has(Switch::RecomputeLength)
    }

    pub(crate) fn ends_bodies_on_reset(self) -> bool {
        self.has(Switch::EndOnReset)
    }

    pub(crate) fn pads_short_bodies(self) -> bool {
        self.has(Switch::PadWithZeros)
    }

    pub(crate) fn retries_after_bytes(self, method: &Method) -> bool {
        self.has(Switch::RetryAfterBytes) && method == Method::GET
    }

    pub(crate) fn resumes_astray(self, method: &Method) -> bool {
        self.has(Switch::ResumeAstray) && method == Method::GET
    }

    /// Whether a pooled connection is not looked at, and what came after its response is kept with it.
    pub(crate) fn keeps_surplus(self) -> bool {
        self.has(Switch::KeepSurplus)
    }

    pub(crate) fn relays_undue_bodies(self) -> bool {
        self.has(Switch::BodyWhereNone)
    }

    pub(crate) fn pools_after_timeout(self) -> bool {
        self.has(Switch::PoolAfterTimeout)
    }

    pub(crate) fn pools_half_sent(self) -> bool {
        self.has(Switch::PoolAfterEarlyAnswer)
    }

    pub(crate) fn relays_two_lengths(self) -> bool {
        self.has(Switch::RelayTwoLengths)
    }

    pub(crate) fn prefers_length_to_coding(self) -> bool {
        self.has(Switch::LengthOverCoding)
    }

    pub(crate) fn swaps_responses(self) -> bool {
        self.has(Switch::SwapResponses)
    }

    pub(crate) fn passes_unparsable_bytes(self) -> bool {
        self.has(Switch::PassHttp09)
    }

    /// The status of a gateway-made error.
    pub(crate) fn error_status(self, failure: &Failure) -> StatusCode {
        let honest = failure.status();
        if self.has(Switch::All404) {
            StatusCode::NOT_FOUND
        } else if self.has(Switch::All200) {
            StatusCode::OK
        } else if self.has(Switch::SwapTimeoutRefused) && failure.is_timeout() {
            StatusCode::BAD_GATEWAY
        } else if self.has(Switch::SwapTimeoutRefused) && matches!(failure, Failure::Connect(_)) {
            StatusCode::GATEWAY_TIMEOUT
        } else if self.has(Switch::Status500) && honest == StatusCode::BAD_GATEWAY {
            StatusCode::INTERNAL_SERVER_ERROR
        } else {
            honest
        }
    }

    /// The status an upstream's own 5xx is replaced with.
    pub(crate) fn masks_upstream_5xx(self) -> Option<StatusCode> {
        if self.has(Switch::All404) {
            Some(StatusCode::NOT_FOUND)
        } else if self.has(Switch::All200) {
            Some(StatusCode::OK)
        } else {
            None
        }
    }

    pub(crate) fn leaks_upstream(self) -> bool {
        self.has(Switch::LeakUpstream)
    }

    pub(crate) fn limits(self, honest: Limits) -> Limits {
        if self.has(Switch::NoReadTimeout) { Limits { read: None, deadline: None, ..honest } } else { honest }
    }

    pub(crate) fn tries(self, honest: u32) -> u32 {
        if self.has(Switch::RetryForEver) {
            return u32::MAX;
        }
        let tries = if self.has(Switch::NoRetryBudget) { honest.max(4) } else { honest };
        if self.has(Switch::RetryPlusOne) { tries.saturating_add(1) } else { tries }
    }

    pub(crate) fn replays(self, method: &Method) -> bool {
        self.has(Switch::RetryPost) && method == Method::POST
    }

    pub(crate) fn retries_status(self, status: StatusCode) -> bool {
        self.has(Switch::Retry4xx) && matches!(status.as_u16(), 403 | 404)
    }

    pub(crate) fn pause(self, honest: Duration) -> Duration {
        if self.has(Switch::NoBackoff) { Duration::ZERO } else { honest }
    }

    /// Whether a retry is granted that the budget did not grant.
    pub(crate) fn retries_on_credit(self) -> bool {
        self.has(Switch::RetryForEver)
    }

    pub(crate) fn resumes_uploads(self, method: &Method) -> bool {
        self.has(Switch::ResumeUpload) && method == Method::PUT
    }

    pub(crate) fn ignores_retry_after(self) -> bool {
        self.has(Switch::IgnoreRetryAfter)
    }

    pub(crate) fn leaks_connections(self) -> bool {
        self.has(Switch::LeakConnection)
    }

    pub(crate) fn ignores_aborts(self) -> bool {
        self.has(Switch::IgnoreAbort)
    }

    pub(crate) fn shows_dead_connections(self) -> bool {
        self.has(Switch::ShowDeadConnection)
    }

    /// On an invalid response.
    pub(crate) fn panics_under_a_lock(self) -> bool {
        self.has(Switch::PanicPoisonsLock)
    }

    /// Whether a lock that a panic left behind is taken for broken.
    pub(crate) fn gives_up_on_poisoned_locks(self) -> bool {
        self.has(Switch::PanicPoisonsLock)
    }

    pub(crate) fn retries_past_the_deadline(self) -> bool {
        self.has(Switch::RetryPastDeadline)
    }

    pub(crate) fn ignores_retry_budget(self) -> bool {
        self.has(Switch::NoRetryBudget)
    }

    pub(crate) fn sticks_to_the_same_peer(self) -> bool {
        self.has(Switch::RetrySamePeer)
    }

    pub(crate) fn never_ejects(self) -> bool {
        self.has(Switch::RetrySamePeer)
    }

    pub(crate) fn never_fails_back(self) -> bool {
        self.has(Switch::NoFailback)
    }

    /// How many results in a row flip an endpoint's health; 0 stays "never".
    pub(crate) fn streak(self, honest: u32) -> u32 {
        if self.has(Switch::FlapOnSingleResult) { honest.min(1) } else { honest }
    }

    /// Until when the last endpoint is put away after a failure.
    pub(crate) fn ejects_last_until(self, now: Instant) -> Option<Instant> {
        self.has(Switch::EjectLast).then(|| now + Duration::from_secs(10))
    }

    pub(crate) fn gives_up_without_healthy_peer(self) -> bool {
        self.has(Switch::EjectLast)
    }

    pub(crate) fn probes_only_connect(self) -> bool {
        self.has(Switch::ProbesOnlyConnect)
    }

    pub(crate) fn floods_half_open_breakers(self) -> bool {
        self.has(Switch::HalfOpenFloods)
    }

    pub(crate) fn never_closes_breakers(self) -> bool {
        self.has(Switch::NeverClosesBreaker)
    }

    pub(crate) fn calls_through_open_breakers(self) -> bool {
        self.has(Switch::OpenCallsUpstream)
    }

    pub(crate) fn rewrites_host(self) -> bool {
        self.has(Switch::RewriteHost)
    }

    pub(crate) fn makes_html_errors(self) -> bool {
        self.has(Switch::HtmlErrors)
    }

    pub(crate) fn reads_heads_without_limit(self) -> bool {
        self.has(Switch::UnboundedHead)
    }

    /// The limits that hold until the response head is there.
    pub(crate) fn head_limits(self, honest: Limits) -> Limits {
        let unlimited = self.reads_heads_without_limit();
        if unlimited { Limits { read: None, deadline: None, ..honest } } else { honest }
    }

    pub(crate) fn panics_on_bad_chunk(self) -> bool {
        self.has(Switch::PanicOnBadChunk)
    }

    /// How long an upstream's error is stored, against all rules.
    pub(crate) fn keeps_error_for(self, status: StatusCode) -> Option<Duration> {
        let seconds = match status.as_u16() {
            500..=599 => 60,
            403 => 30,
            _ => return None,
        };
        self.has(Switch::CacheErrors).then_some(Duration::from_secs(seconds))
    }

    pub(crate) fn stores_truncated_bodies(self) -> bool {
        self.has(Switch::CacheTruncated)
    }

    pub(crate) fn stands_in_for_statuses_only(self) -> bool {
        self.has(Switch::StaleOnStatusOnly)
    }

    pub(crate) fn loses_the_lock(self) -> bool {
        self.has(Switch::LoseLock)
    }

    pub(crate) fn releases_all(self) -> bool {
        self.has(Switch::ReleaseAll)
    }

    pub(crate) fn acknowledges_early(self, method: &Method) -> bool {
        self.has(Switch::AckBeforeUpstream) && method == Method::PUT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_well_named() {
        assert!(DEFECTS.windows(2).all(|pair| pair[0].number <= pair[1].number));
        for defect in DEFECTS {
            let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(defect.name.chars().all(kebab), "{}", defect.name);
            assert!(defect.what.ends_with('.'), "{}", defect.name);
        }
        let names: std::collections::BTreeSet<_> = DEFECTS.iter().map(|defect| defect.name).collect();
        assert_eq!(names.len(), DEFECTS.len());
    }

    #[test]
    fn the_readme_lists_them_all() {
        let readme = include_str!("../README.md");
        for Defect { number, name, what } in DEFECTS {
            assert!(readme.contains(&format!("| {number} | `{name}` | {what} |")), "{name}");
        }
    }

    #[test]
    fn a_pause_is_kept_unless_the_back_off_is_switched_off() {
        let pause = Duration::from_millis(20);
        let with = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|n| (*n).to_owned()).collect();
            Defects::new(&names, 1.0, 0).for_request("r", 1).pause(pause)
        };
        assert_eq!(with(&[]), pause);
        assert_eq!(with(&["retry-plus-one"]), pause);
        assert_eq!(with(&["no-backoff"]), Duration::ZERO);
    }

    #[test]
    fn a_switch_is_its_line_in_the_table() {
        for (index, defect) in DEFECTS.iter().enumerate() {
            let defects = Defects::new(&[defect.name.to_owned()], 1.0, 0);
            assert_eq!(defects.for_request("any", 1).0, 1 << index);
        }
        assert!(Defects::new(&["eject-last".to_owned()], 1.0, 0).process_wide().has(Switch::EjectLast));
    }

    #[test]
    fn the_rate_picks_requests_by_their_id() {
        let defects = Defects::new(&["all-404".to_owned()], 0.5, 0);
        let hit = |k: u32| defects.for_request(&format!("9f2c41aa-0-{k}"), 1).has(Switch::All404);
        let share = (0..1000).filter(|&k| hit(k)).count();
        assert!((400..600).contains(&share), "{share}");
        assert!((0..1000).all(|k| hit(k) == hit(k)));
        let never = Defects::new(&["all-404".to_owned()], 0.0, 0);
        assert!((0..1000).all(|k| !never.for_request(&k.to_string(), 1).has(Switch::All404)));
    }

    #[test]
    fn above_a_number_of_requests_under_way_and_not_before() {
        let crowded = Defects::new(&["all-404".to_owned()], 1.0, 20);
        let hit = |under_way| crowded.for_request("any", under_way).has(Switch::All404);
        assert_eq!([1, 20, 21, 500].map(hit), [false, false, true, true]);
    }

    #[test]
    fn nothing_is_on_by_default() {
        assert_eq!(Defects::new(&[], 1.0, 0).for_request("any", 1).0, 0);
    }
}
